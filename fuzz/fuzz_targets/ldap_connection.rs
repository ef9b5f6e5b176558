//! A connection of the LDAP server over a real domain: any bytes of a client, raw or as changes of good messages. No
//! panic, whole answers, and afterwards the connection is usable or has been closed.

#![no_main]

use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use netinfo_directory::{Change, Credentials, Domain, Node, Options, Origin, Property, ROOT, Target};
use netinfo_ldap::{Connection, Engine, Page, Peer, Settings, Step};
use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::control::ControlsBuf;
use netinfo_wire::ldap::filter::{Assertion, FilterBuf};
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::{
    AttributesBuf, Authentication, BindRequest, Message, ModificationsBuf, ModifyOp, Request, Response, Scope,
    SearchRequest, frame, oid,
};

/// Milliseconds since the epoch at which everything happens.
const NOW: u64 = 1_767_323_045_000;
/// Most pages of a result that are waited for: some have no end.
const MAX_PAGES: usize = 200;

struct Place {
    engine: Arc<Engine>,
    _domain: Arc<Domain>,
    _node: Node,
    _directory: tempfile::TempDir,
    templates: Vec<Vec<u8>>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let addresses = vec![Ipv4Addr::LOCALHOST];
    let options = Options { map_size: 64 << 20, addresses, ..Options::default() };
    let (node, _) = Node::open(directory.path(), options, true).unwrap();
    let domain = node.create_master("local", NOW).unwrap();
    let internal = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let create = |parent: u32, properties: Vec<Property>| {
        let change = Change::Create { parent: Target::any(parent), properties, position: u32::MAX };
        domain.write_blocking(&internal, vec![change], NOW).unwrap()[0].created.unwrap().object
    };
    let users = create(ROOT, vec![Property::new("name", ["users"])]);
    for (name, uid) in [("alice", "501"), ("bob", "502")] {
        create(users, vec![Property::new("name", [name]), Property::new("uid", [uid]), Property::new("gid", ["20"])]);
    }
    let groups = create(ROOT, vec![Property::new("name", ["groups"])]);
    create(groups, vec![Property::new("name", ["staff"]), Property::new("gid", ["20"]), Property::new("users", ["alice"])]);
    let engine = Arc::new(Engine::new(Settings::default()));
    engine.set_domains([domain.clone()]);
    Place { engine, _domain: domain, _node: node, _directory: directory, templates: templates() }
});

/// Good messages of every kind.
fn templates() -> Vec<Vec<u8>> {
    let alice = b"uid=alice,cn=users,dc=local";
    let text = "(&(uid=a*)(|(cn:caseExactMatch:=x)(!(uidNumber>=5)))(memberOf=cn=staff,cn=groups,dc=local))";
    let filter = FilterBuf::parse(text).unwrap();
    let everything = FilterBuf::parse("(objectClass=*)").unwrap();
    let mut attributes = AttributesBuf::new();
    for (name, value) in [("objectClass", "inetOrgPerson"), ("sn", "x"), ("cn", "y"), ("member", "uid=alice,cn=users,dc=local")] {
        attributes.add(name, [value]);
    }
    let mut changes = ModificationsBuf::new();
    changes.add(ModifyOp::Replace, "description", ["x"]);
    changes.add(ModifyOp::Increment, "uidNumber", ["1"]);
    changes.add(ModifyOp::Delete, "mail", [] as [&str; 0]);
    let mut controls = ControlsBuf::new();
    controls.flag(oid::MANAGE_DSA_IT, true);
    controls.flag(oid::TREE_DELETE, false);
    let assertion = Assertion { attribute: b"uid", value: b"alice" };
    let scram = Authentication::Sasl { mechanism: b"SCRAM-SHA-256", credentials: Some(b"n,,n=alice,r=x") };
    let external = Authentication::Sasl { mechanism: b"EXTERNAL", credentials: None };
    let requests = [
        Request::Bind(BindRequest { version: 3, name: b"", authentication: external }),
        Request::Bind(BindRequest { version: 3, name: b"", authentication: scram }),
        Request::Search(SearchRequest::new(b"", Scope::Base, everything.as_filter())),
        Request::Search(SearchRequest::new(b"cn=subschema", Scope::Base, everything.as_filter())),
        Request::Search(SearchRequest::new(b"dc=local", Scope::Subtree, filter.as_filter())),
        Request::Search(SearchRequest::new(b"dc=local", Scope::One, everything.as_filter())),
        Request::Add(AddRequest { dn: b"uid=new,cn=users,dc=local", attributes: attributes.as_list() }),
        Request::Modify(ModifyRequest { dn: alice, changes: changes.as_list() }),
        Request::Delete(DeleteRequest { dn: b"uid=new,cn=users,dc=local" }),
        Request::ModifyDn(ModifyDnRequest {
            dn: alice,
            new_rdn: b"uid=x",
            delete_old_rdn: true,
            new_superior: Some(b"cn=groups,dc=local"),
        }),
        Request::Compare(CompareRequest { dn: alice, assertion }),
        Request::Extended(ExtendedRequest { name: oid::PASSWORD_MODIFY, value: Some(b"\x30\x00") }),
        Request::Extended(ExtendedRequest { name: oid::CANCEL, value: Some(b"\x30\x03\x02\x01\x01") }),
        Request::Extended(ExtendedRequest { name: oid::WHO_AM_I, value: None }),
    ];
    let encode = |op: Request<'_>| {
        let mut message = Vec::new();
        Message { id: 9, op, controls: controls.as_list() }.encode(&mut message);
        message
    };
    requests.into_iter().map(encode).collect()
}

/// What the client sends: the bytes as they are, or templates with some of their bytes changed, inserted or removed.
fn stream(bytes: &[u8]) -> Vec<u8> {
    let Some((&way, mut rest)) = bytes.split_first() else { return Vec::new() };
    if way & 1 == 0 {
        return rest.to_vec();
    }
    let mut stream = Vec::new();
    while let [which, edits, more @ ..] = rest {
        rest = more;
        let mut message = PLACE.templates[usize::from(*which) % PLACE.templates.len()].clone();
        for _ in 0..edits % 6 {
            let [kind, at, byte, more @ ..] = rest else { break };
            rest = more;
            let index = usize::from(*at) * 2 % message.len();
            match kind % 4 {
                0 => message.insert(index, *byte),
                1 if message.len() > 1 => drop(message.remove(index)),
                _ => message[index] = *byte,
            }
        }
        // The outermost length as it now is, so that the message is taken for a whole one.
        if let Ok(length) = u8::try_from(message.len() - 2)
            && length < 0x80
            && message[1] < 0x80
        {
            message[1] = length;
        }
        stream.extend(message);
    }
    stream
}

/// Does what a step says; whether the connection goes on.
fn perform(connection: &mut Connection, mut step: Step, out: &mut Vec<u8>) -> bool {
    loop {
        step = match step {
            Step::Done => return true,
            Step::Close | Step::StartTls => return false,
            Step::Wait => panic!("nothing is under way"),
            Step::Work(work) => connection.resume(work.run(), NOW, out),
            Step::Write(write) => {
                let netinfo_ldap::Write { ticket, domain, session, changes, at } = write;
                let result = domain.write_blocking(&session, changes, at);
                connection.settle(ticket, result, NOW, out)
            }
            Step::Pages(mut pages) => {
                for _ in 0..MAX_PAGES {
                    if !matches!(pages.next(NOW, out), Page::More(_)) {
                        return true;
                    }
                }
                return true;
            }
        };
    }
}

fuzz_target!(|bytes: &[u8]| {
    let stream = stream(bytes);
    let local = bytes.first().is_some_and(|way| way & 2 == 0);
    let origin = match local {
        true => Origin::Local { uid: 0 },
        false => Origin::Network { address: "192.0.2.7".parse().unwrap(), own: false, privileged_port: true },
    };
    let mut connection = Connection::new(PLACE.engine.clone(), Peer::new(origin, None));
    let mut out = Vec::new();
    if local {
        let bind = &PLACE.templates[0];
        let step = connection.handle(bind, NOW, &mut out);
        assert!(perform(&mut connection, step, &mut out));
    }
    let mut rest = &stream[..];
    loop {
        match frame(rest, connection.message_limit()) {
            Ok(Frame::Complete(length)) => {
                connection.glance(&rest[..length]);
                let step = connection.handle(&rest[..length], NOW, &mut out);
                rest = &rest[length..];
                if !perform(&mut connection, step, &mut out) {
                    break;
                }
            }
            Ok(_) => break,
            Err(error) => {
                connection.refuse(&error, &mut out);
                break;
            }
        }
    }
    // All that was sent are whole messages.
    let mut sent = &out[..];
    while let Ok(Frame::Complete(length)) = frame(sent, out.len().max(1)) {
        Message::<Response<'_>>::decode(&sent[..length]).expect("a whole response");
        sent = &sent[length..];
    }
    assert!(sent.is_empty());
});

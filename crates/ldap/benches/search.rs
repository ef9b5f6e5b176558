//! Searches in a domain of ten thousand users, from an encoded request to its encoded result.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use netinfo_directory::{
    Change, Credentials, Domain, Node, Options, Origin, Property, ROOT, Session, Target,
};
use netinfo_ldap::{Connection, Engine, Page, Peer, Settings, Step};
use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::{
    Authentication, BindRequest, ControlsBuf, FilterBuf, Message, Request, Response, Scope, SearchRequest,
    SelectionBuf, frame,
};

const NOW: u64 = 1_767_323_045_000;
const USERS: u32 = 10_000;
/// Changes that are proposed together.
const TOGETHER: usize = 1_000;

struct Place {
    connection: Connection,
    _node: Node,
    _directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (node, _) = Node::open(directory.path(), Options::default(), true).unwrap();
        let domain = node.create_master("local", NOW).unwrap();
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let suffix = Property::new("_suffix", ["dc=example,dc=com"]);
        let directory_of = Target::any(ROOT);
        let change = Change::CreateProperty { directory: directory_of, property: suffix, position: u32::MAX };
        domain.write_blocking(&session, vec![change], NOW).unwrap();
        fill(&domain, &session);
        let engine = Arc::new(Engine::new(Settings::default()));
        assert!(engine.set_domains([domain]).is_empty());
        let mut connection = Connection::new(engine, Peer::new(Origin::Local { uid: 0 }, None));
        let authentication = Authentication::Sasl { mechanism: b"EXTERNAL", credentials: None };
        let bind = Request::Bind(BindRequest { version: 3, name: b"", authentication });
        let (mut message, mut out) = (Vec::new(), Vec::new());
        Message::new(1, bind).encode(&mut message);
        drive(&mut connection, &message, &mut out);
        Self { connection, _node: node, _directory: directory }
    }
}

fn fill(domain: &Domain, session: &Session) {
    let container = |name: &str| {
        let properties = vec![Property::new("name", [name])];
        let change = Change::Create { parent: Target::any(ROOT), properties, position: u32::MAX };
        domain.write_blocking(session, vec![change], NOW).unwrap()[0].created.unwrap().object
    };
    let (users, groups) = (container("users"), container("groups"));
    let mut changes = Vec::new();
    for number in 0..USERS {
        let name = format!("user{number:05}");
        let uid = (number + 1000).to_string();
        let properties = vec![
            Property::new("name", [name.as_str()]),
            Property::new("realname", [format!("Given{} Family{number:05}", number % 100)]),
            Property::new("uid", [uid]),
            Property::new("gid", [(number % 50 + 100).to_string()]),
            Property::new("home", [format!("/home/{name}")]),
            Property::new("shell", ["/bin/sh"]),
            Property::new("mail", [format!("{name}@example.com")]),
            Property::new(
                "objectClass",
                ["top", "person", "organizationalPerson", "inetOrgPerson", "posixAccount"],
            ),
        ];
        changes.push(Change::Create { parent: Target::any(users), properties, position: u32::MAX });
    }
    for number in 0..50 {
        let members = (0..USERS).filter(|user| user % 50 == number).map(|user| format!("user{user:05}"));
        let properties = vec![
            Property::new("name", [format!("group{number}")]),
            Property::new("gid", [(number + 100).to_string()]),
            Property::new("users", members.collect::<Vec<_>>()),
        ];
        changes.push(Change::Create { parent: Target::any(groups), properties, position: u32::MAX });
    }
    for together in changes.chunks(TOGETHER) {
        domain.write_blocking(session, together.to_vec(), NOW).unwrap();
    }
}

fn drive(connection: &mut Connection, message: &[u8], out: &mut Vec<u8>) {
    match connection.handle(message, NOW, out) {
        Step::Done => {}
        Step::Pages(mut pages) => while pages.next(NOW, out) != Page::Last {},
        step => panic!("{step:?}"),
    }
    connection.release();
}

/// Entries in a result.
fn found(mut result: &[u8]) -> usize {
    let mut count = 0;
    while let Ok(Frame::Complete(length)) = frame(result, usize::MAX) {
        let message = Message::<Response<'_>>::decode(&result[..length]).unwrap();
        count += usize::from(matches!(message.op, Response::SearchEntry(_)));
        result = &result[length..];
    }
    count
}

fn request(base: &str, scope: Scope, filter: &str, wanted: &[&str]) -> Vec<u8> {
    let filter = FilterBuf::parse(filter).unwrap();
    let mut attributes = SelectionBuf::new();
    wanted.iter().for_each(|name| attributes.push(name.as_bytes()));
    let mut search = SearchRequest::new(base.as_bytes(), scope, filter.as_filter());
    search.attributes = attributes.as_list();
    let mut message = Vec::new();
    let controls = ControlsBuf::default();
    Message { id: 2, op: Request::Search(search), controls: controls.as_list() }.encode(&mut message);
    message
}

fn searches(c: &mut Criterion) {
    let mut place = Place::new();
    let suffix = "dc=example,dc=com";
    let sssd = "(&(uid=user04711)(objectclass=posixAccount)(uid=*)(&(uidNumber=*)(!(uidNumber=0))))";
    for (name, entries, message) in [
        ("equality, all attributes", 1, request(suffix, Scope::Subtree, "(uid=user04711)", &[])),
        ("equality, two attributes", 1, request(suffix, Scope::Subtree, "(uid=user04711)", &["uid", "cn"])),
        ("equality, none found", 0, request(suffix, Scope::Subtree, "(uid=nobody)", &[])),
        (
            "read by name",
            1,
            request("uid=user04711,cn=users,dc=example,dc=com", Scope::Base, "(objectClass=*)", &[]),
        ),
        (
            "read by name, missing",
            0,
            request("uid=nobody,cn=users,dc=example,dc=com", Scope::Base, "(objectClass=*)", &[]),
        ),
        (
            "user as SSSD asks",
            1,
            request(suffix, Scope::Subtree, sssd, &["uid", "uidNumber", "gidNumber", "cn"]),
        ),
        ("groups of a member", 1, request(suffix, Scope::Subtree, "(memberUid=user04711)", &["cn"])),
        ("substring", 1, request(suffix, Scope::Subtree, "(cn=*family04711*)", &["cn"])),
        ("substring, many", 100, request(suffix, Scope::Subtree, "(cn=*amily042*)", &["cn"])),
    ] {
        let mut out = Vec::new();
        drive(&mut place.connection, &message, &mut out);
        assert_eq!(found(&out), entries, "{name}");
        c.bench_function(name, |b| {
            b.iter_batched_ref(
                || Vec::with_capacity(64 * 1024),
                |out| drive(&mut place.connection, black_box(&message), out),
                BatchSize::SmallInput,
            );
        });
    }
    let everything = request(suffix, Scope::Subtree, "(objectClass=posixAccount)", &[]);
    let mut slow = c.benchmark_group("large");
    slow.sample_size(10);
    slow.bench_function("ten thousand entries", |b| {
        b.iter(|| {
            let mut out = Vec::with_capacity(8 << 20);
            drive(&mut place.connection, black_box(&everything), &mut out);
            out
        });
    });
    slow.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);

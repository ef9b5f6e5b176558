//! Any bytes: no panic, and afterwards the connection is usable or has been closed with a notice.

use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::filter::{Assertion, FilterBuf};
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::{
    Authentication, BindRequest, ControlsBuf, MAX_MESSAGE_UNBOUND, Message, ModifyOp, Request, Response,
    Scope, SearchRequest, frame, oid,
};
use proptest::prelude::*;

use crate::support::{Answer, Client, PASSWORD, Place, attributes_of, changes_of};

/// A message of every kind, with controls.
fn messages() -> Vec<Vec<u8>> {
    let alice = b"uid=alice,cn=users,dc=example,dc=com";
    let filter = FilterBuf::parse("(&(uid=a*)(|(cn=x)(!(uidNumber>=5))))").unwrap();
    let attributes = attributes_of(&[("objectClass", &["inetOrgPerson"]), ("sn", &["x"]), ("cn", &["y"])]);
    let changes =
        changes_of(&[(ModifyOp::Replace, "description", &["x"]), (ModifyOp::Increment, "uidNumber", &["1"])]);
    let assertion = Assertion { attribute: b"uid", value: b"alice" };
    let mut controls = ControlsBuf::new();
    controls.flag(oid::MANAGE_DSA_IT, true);
    controls.flag(oid::TREE_DELETE, false);
    let simple = Authentication::Simple(PASSWORD.as_bytes());
    let sasl = Authentication::Sasl { mechanism: b"PLAIN", credentials: Some(b"\0alice\0x") };
    let requests = [
        Request::Bind(BindRequest { version: 3, name: b"", authentication: Authentication::Simple(b"") }),
        Request::Bind(BindRequest { version: 3, name: alice, authentication: simple }),
        Request::Bind(BindRequest { version: 3, name: b"", authentication: sasl }),
        Request::Unbind,
        Request::Search(SearchRequest::new(b"", Scope::Base, filter.as_filter())),
        Request::Search(SearchRequest::new(b"cn=subschema", Scope::Base, filter.as_filter())),
        Request::Search(SearchRequest::new(b"dc=example,dc=com", Scope::Subtree, filter.as_filter())),
        Request::Add(AddRequest {
            dn: b"uid=new,cn=users,dc=example,dc=com",
            attributes: attributes.as_list(),
        }),
        Request::Modify(ModifyRequest { dn: alice, changes: changes.as_list() }),
        Request::Delete(DeleteRequest { dn: alice }),
        Request::ModifyDn(ModifyDnRequest {
            dn: alice,
            new_rdn: b"uid=x",
            delete_old_rdn: true,
            new_superior: None,
        }),
        Request::Compare(CompareRequest { dn: alice, assertion }),
        Request::Abandon(4),
        Request::Extended(ExtendedRequest { name: oid::PASSWORD_MODIFY, value: Some(b"\x30\x00") }),
        Request::Extended(ExtendedRequest { name: oid::CANCEL, value: Some(b"\x30\x03\x02\x01\x01") }),
        Request::Extended(ExtendedRequest {
            name: oid::VERIFY_CREDENTIALS,
            value: Some(b"\x30\x0a\x04\x03o=x\x80\x01p\xa2\0"),
        }),
    ];
    let encode = |op: Request<'_>| {
        let mut message = Vec::new();
        Message { id: 9, op, controls: controls.as_list() }.encode(&mut message);
        message
    };
    requests.into_iter().map(encode).collect()
}

/// Sends bytes as they come from a socket, and checks what became of the connection.
fn survives(client: &mut Client, bytes: &[u8]) {
    let mut rest = bytes;
    let mut out = Vec::new();
    while !client.closed {
        match frame(rest, client.connection.message_limit()) {
            Ok(Frame::Complete(length)) => {
                let answer = client.send(&rest[..length]);
                out.extend_from_slice(&answer.0);
                client.connection.glance(&rest[..length]);
                rest = &rest[length..];
            }
            Ok(_) => break,
            Err(error) => {
                client.connection.refuse(&error, &mut out);
                client.closed = true;
            }
        }
    }
    // All that was sent are whole messages.
    let answer = Answer(out);
    let messages = answer.messages();
    if client.closed {
        let unbound = messages.last().is_none_or(|last| last.id != 0);
        let notice = matches!(messages.last().map(|last| last.op), Some(Response::Extended(_)));
        assert!(unbound || notice);
    } else {
        assert_eq!(client.connection.message_limit().min(MAX_MESSAGE_UNBOUND), MAX_MESSAGE_UNBOUND);
        client.who_am_i();
    }
}

#[test]
fn every_message_cut_anywhere() {
    let place = Place::new();
    for message in messages() {
        // A password takes its time, and more of them no longer ones.
        let bind = message.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        for length in (0..message.len()).filter(|_| !bind) {
            let mut cut = message[..length].to_vec();
            // The outermost length as the message now is, so that it is taken for a whole one.
            if length > 2 && message[1] < 0x80 {
                cut[1] = u8::try_from(length - 2).unwrap();
            }
            survives(&mut place.client(), &cut);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        thread_local!(static PLACE: Place = Place::new());
        PLACE.with(|place| {
            survives(&mut place.client(), &bytes);
            // As one message, whatever its length says.
            let mut client = place.client();
            client.send(&bytes);
        });
    }

    #[test]
    fn any_change_of_a_message(
        which in any::<prop::sample::Index>(),
        at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        thread_local!(static PLACE: Place = Place::new());
        let all = messages();
        let mut message = all[which.index(all.len())].clone();
        for (index, byte) in at {
            let index = index.index(message.len());
            message[index] = byte;
        }
        PLACE.with(|place| {
            let mut root = place.local(0);
            root.sasl("EXTERNAL", None);
            survives(&mut root, &message);
            let mut client = place.client();
            client.send(&message);
        });
    }
}

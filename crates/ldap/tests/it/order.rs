//! Messages in order, and how connections end.

use netinfo_ldap::limits::PIPELINED_WRITES;
use netinfo_ldap::{Settings, Step};
use netinfo_wire::ber::{self, Frame, FrameError, Tag};
use netinfo_wire::ldap::request::DeleteRequest;
use netinfo_wire::ldap::{
    MAX_MESSAGE_BOUND, MAX_MESSAGE_UNBOUND, ModifyOp, Request, Response, ResultCode, frame, oid,
};

use crate::support::{
    ADMIN, Answer, Client, NOW, PASSWORD, Place, add_request, attributes_of, changes_of, commit, encoded,
    modify_request,
};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";
const BOB: &str = "uid=bob,cn=users,dc=example,dc=com";

/// Whether the connection has ended with a notice of disconnection.
fn is_notice(answer: &Answer, client: &mut Client, code: ResultCode) -> bool {
    let last = answer.last();
    let Response::Extended(notice) = last.op else { return false };
    assert_eq!((last.id, notice.name, notice.result.code), (0, Some(oid::NOTICE_OF_DISCONNECTION), code));
    assert!(client.closed);
    let after = client.send(&encoded(99, Request::Unbind));
    after.0.is_empty()
}

#[test]
fn unbind_and_abandon_are_not_answered() {
    let place = Place::new();
    let mut client = place.client();
    assert!(client.ask(Request::Abandon(7)).0.is_empty());
    assert!(!client.closed);
    assert!(client.ask(Request::Unbind).0.is_empty());
    assert!(client.closed);
}

#[test]
fn what_cannot_be_followed_ends_with_a_notice() {
    let place = Place::new();
    let mut unknown = Vec::new();
    let message = ber::begin(&mut unknown, Tag::SEQUENCE);
    ber::put_integer(&mut unknown, Tag::INTEGER, 5);
    ber::put(&mut unknown, Tag::application(30), b"");
    ber::end(&mut unknown, message);
    let response =
        encoded(3, Request::Unbind).iter().map(|byte| if *byte == 0x42 { 0x61 } else { *byte }).collect();
    let cases: [Vec<u8>; 5] = [
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"\x30\x03\x02\x01".to_vec(),
        encoded(0, Request::Delete(DeleteRequest { dn: b"" })),
        unknown,
        response,
    ];
    for (index, case) in cases.iter().enumerate() {
        let mut client = place.client();
        let answer = client.send(case);
        assert!(is_notice(&answer, &mut client, ResultCode::ProtocolError), "case {index}");
    }
}

#[test]
fn what_cannot_be_decoded_is_answered() {
    let place = Place::new();
    let mut client = place.client();
    // A compare request with nothing in it.
    let mut message = Vec::new();
    let whole = ber::begin(&mut message, Tag::SEQUENCE);
    ber::put_integer(&mut message, Tag::INTEGER, 5);
    ber::put(&mut message, Tag::application_constructed(14), b"");
    ber::end(&mut message, whole);
    let answer = client.send(&message);
    assert_eq!((answer.last().id, answer.code()), (5, ResultCode::ProtocolError));
    assert!(matches!(answer.last().op, Response::Compare(_)));
    assert_eq!(client.who_am_i(), "");
}

#[test]
fn messages_are_limited_before_and_after_the_bind() {
    let place = Place::new();
    let mut client = place.client();
    assert_eq!(client.connection.message_limit(), MAX_MESSAGE_UNBOUND);
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
    assert_eq!(client.connection.message_limit(), MAX_MESSAGE_BOUND);
    assert_eq!(client.bind("", ""), ResultCode::Success);
    assert_eq!(client.connection.message_limit(), MAX_MESSAGE_UNBOUND);
    let place = Place::with(Settings { message_unbound: 64, message_bound: 128, ..Settings::default() });
    let client = place.client();
    assert_eq!(client.connection.message_limit(), 64);

    let long = encoded(1, Request::Delete(DeleteRequest { dn: &[b'x'; 100] }));
    let Err(error) = frame(&long, client.connection.message_limit()) else { panic!("taken") };
    assert!(matches!(error, FrameError::TooLarge { .. }), "{error}");
    let mut client = client;
    let mut out = Vec::new();
    client.connection.refuse(&error, &mut out);
    client.closed = true;
    assert!(is_notice(&Answer(out), &mut client, ResultCode::ProtocolError));
    assert!(matches!(frame(&long, MAX_MESSAGE_UNBOUND), Ok(Frame::Complete(_))));
}

#[test]
fn a_server_that_stops_says_so() {
    let place = Place::new();
    let mut client = place.client();
    let mut out = Vec::new();
    client.connection.shut_down("the server is stopping", &mut out);
    client.closed = true;
    assert!(is_notice(&Answer(out), &mut client, ResultCode::Unavailable));
}

/// Adds an organisational unit.
fn add_unit(client: &mut Client, id: u32, dn: &str, out: &mut Vec<u8>) -> Step {
    let attributes = attributes_of(&[("objectClass", &["organizationalUnit"])]);
    client.connection.handle(&encoded(id, add_request(dn, attributes.as_list())), NOW, out)
}

fn settle(client: &mut Client, step: Step, out: &mut Vec<u8>) {
    let Step::Write(write) = step else { panic!("{step:?}") };
    let (ticket, result) = commit(write);
    let step = client.connection.settle(ticket, result, NOW, out);
    client.perform(step, out);
}

#[test]
fn writes_that_do_not_depend_on_each_other_go_together() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut out = Vec::new();
    let first = add_unit(&mut admin, 11, "ou=one,dc=example,dc=com", &mut out);
    let second = add_unit(&mut admin, 12, "ou=two,dc=example,dc=com", &mut out);
    assert!(matches!((&first, &second), (Step::Write(_), Step::Write(_))));
    // What has to see them waits: below a new entry, the same one again, any read, a bind.
    let waits = |client: &mut Client, message: &[u8]| {
        let mut out = Vec::new();
        matches!(client.connection.handle(message, NOW, &mut out), Step::Wait) && out.is_empty()
    };
    let attributes = attributes_of(&[("objectClass", &["organizationalUnit"])]);
    for dn in ["ou=below,ou=one,dc=example,dc=com", "ou=ONE,dc=example,dc=com"] {
        assert!(waits(&mut admin, &encoded(13, add_request(dn, attributes.as_list()))), "{dn}");
    }
    use netinfo_wire::ldap::filter::Assertion;
    use netinfo_wire::ldap::request::CompareRequest;
    let assertion = Assertion { attribute: b"ou", value: b"one" };
    let compare = CompareRequest { dn: b"ou=one,dc=example,dc=com", assertion };
    assert!(waits(&mut admin, &encoded(13, Request::Compare(compare))));
    assert!(waits(
        &mut admin,
        &encoded(13, Request::Delete(DeleteRequest { dn: b"ou=one,dc=example,dc=com" }))
    ));
    settle(&mut admin, first, &mut out);
    settle(&mut admin, second, &mut out);
    let answer = Answer(std::mem::take(&mut out));
    let ids: Vec<u32> = answer.messages().iter().map(|message| message.id).collect();
    assert_eq!(ids, [11, 12]);
    // Now they are there.
    let step = admin.connection.handle(&encoded(13, Request::Compare(compare)), NOW, &mut out);
    assert!(matches!(step, Step::Done));
    assert_eq!(Answer(out).code(), ResultCode::CompareTrue);
}

#[test]
fn writes_to_the_same_entry_keep_their_order() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut out = Vec::new();
    let change = |id, value: &str| {
        let changes = changes_of(&[(ModifyOp::Replace, "description", &[value])]);
        encoded(id, modify_request(ALICE, changes.as_list()))
    };
    let first = admin.connection.handle(&change(21, "one"), NOW, &mut out);
    assert!(matches!(admin.connection.handle(&change(22, "two"), NOW, &mut out), Step::Wait));
    settle(&mut admin, first, &mut out);
    let second = admin.connection.handle(&change(22, "two"), NOW, &mut out);
    settle(&mut admin, second, &mut out);
    assert_eq!(place.values(&["users", "alice"], "comment"), ["two"]);
}

#[test]
fn a_write_that_others_overtake_is_made_anew() {
    let place = Place::new();
    let (mut one, mut other) = (place.admin(), place.admin());
    let mut out = Vec::new();
    let changes = changes_of(&[(ModifyOp::Add, "description", &["one"])]);
    let step = one.connection.handle(&encoded(31, modify_request(ALICE, changes.as_list())), NOW, &mut out);
    assert_eq!(other.modify(ALICE, &[(ModifyOp::Add, "description", &["two"])]).code(), ResultCode::Success);
    settle(&mut one, step, &mut out);
    assert_eq!(Answer(out).code(), ResultCode::Success);
    assert_eq!(place.values(&["users", "alice"], "comment"), ["two", "one"]);
    assert_eq!(place.engine.figures().repeated_writes(), 1);
    // Made anew it can fail for a reason that was not there before.
    let mut out = Vec::new();
    let step = one.connection.handle(&encoded(32, modify_request(BOB, changes.as_list())), NOW, &mut out);
    assert_eq!(other.delete(BOB).code(), ResultCode::Success);
    settle(&mut one, step, &mut out);
    assert_eq!(Answer(out).code(), ResultCode::NoSuchObject);
}

#[test]
fn a_write_is_not_made_anew_for_ever() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut out = Vec::new();
    let changes = changes_of(&[(ModifyOp::Replace, "description", &["x"])]);
    let mut step =
        admin.connection.handle(&encoded(31, modify_request(ALICE, changes.as_list())), NOW, &mut out);
    let mut attempts = 0;
    while let Step::Write(write) = step {
        attempts += 1;
        assert!(attempts <= netinfo_ldap::limits::WRITE_ATTEMPTS);
        step = admin.connection.settle(write.ticket, Err(netinfo_directory::Error::Stale), NOW, &mut out);
    }
    assert_eq!(attempts, netinfo_ldap::limits::WRITE_ATTEMPTS);
    assert_eq!(Answer(out).code(), ResultCode::Busy);
}

#[test]
fn two_clients_cannot_add_the_same_entry() {
    let place = Place::new();
    let (mut one, mut other) = (place.admin(), place.admin());
    let mut out = Vec::new();
    let step = add_unit(&mut one, 41, "ou=one,dc=example,dc=com", &mut out);
    let answer = other.add("OU=One,dc=example,dc=com", &[("objectClass", &["organizationalUnit"])]);
    assert_eq!(answer.code(), ResultCode::Busy);
    settle(&mut one, step, &mut out);
    let answer = other.add("OU=One,dc=example,dc=com", &[("objectClass", &["organizationalUnit"])]);
    assert_eq!(answer.code(), ResultCode::EntryAlreadyExists);
    // A rename takes a name, too.
    let step = add_unit(&mut one, 42, "ou=two,dc=example,dc=com", &mut out);
    assert_eq!(other.rename("ou=one,dc=example,dc=com", "ou=two", true, None).code(), ResultCode::Busy);
    drop(step);
    // A write that never came to the writer has given its name back.
    assert_eq!(other.rename("ou=one,dc=example,dc=com", "ou=two", true, None).code(), ResultCode::Success);
}

#[test]
fn the_id_of_a_write_under_way_cannot_be_used_again() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut out = Vec::new();
    let _write = add_unit(&mut admin, 51, "ou=one,dc=example,dc=com", &mut out);
    let answer = admin.send(&encoded(51, Request::Delete(DeleteRequest { dn: ALICE.as_bytes() })));
    assert!(is_notice(&answer, &mut admin, ResultCode::ProtocolError));
}

#[test]
fn there_is_a_limit_to_writes_under_way() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut out = Vec::new();
    let mut writes = Vec::new();
    for number in 0..PIPELINED_WRITES {
        let id = 100 + u32::try_from(number).unwrap();
        let step = add_unit(&mut admin, id, &format!("ou={number},dc=example,dc=com"), &mut out);
        assert!(matches!(step, Step::Write(_)), "{number}: {step:?}");
        writes.push(step);
    }
    let step = add_unit(&mut admin, 999, "ou=more,dc=example,dc=com", &mut out);
    assert!(matches!(step, Step::Wait));
    for write in writes {
        settle(&mut admin, write, &mut out);
    }
    let step = add_unit(&mut admin, 999, "ou=more,dc=example,dc=com", &mut out);
    settle(&mut admin, step, &mut out);
    let answer = Answer(out);
    assert_eq!(answer.messages().len(), PIPELINED_WRITES + 1);
    assert!(answer.messages().iter().all(|message| message.op.result().unwrap().code == ResultCode::Success));
}

#[test]
fn requests_are_counted() {
    let place = Place::new();
    let mut client = place.client();
    assert_eq!(client.bind(ADMIN, PASSWORD), ResultCode::Success);
    client.who_am_i();
    client.compare(ALICE, "uid", "alice");
    client.compare(ALICE, "uid", "bob");
    let counted = place.engine.figures().operations();
    let of =
        |name| counted[netinfo_ldap::engine::OPERATIONS.iter().position(|known| *known == name).unwrap()];
    assert_eq!((of("bind"), of("extended"), of("compare"), of("search")), (1, 1, 2, 0));
}

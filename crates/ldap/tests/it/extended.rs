//! Extended operations.

use netinfo_ldap::{RequireTls, Settings, Step};
use netinfo_wire::ldap::extended::{Cancel, PasswordModified, PasswordModify};
use netinfo_wire::ldap::request::ExtendedRequest;
use netinfo_wire::ldap::{Payload, Request, Response, ResultCode, oid};

use crate::support::{
    ADMIN, Answer, Client, NOW, PASSWORD, Place, add_request, attributes_of, commit, encoded,
};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";

#[test]
fn start_tls() {
    let place = Place::with(Settings { start_tls: true, ..Settings::default() });
    let mut client = place.client();
    assert_eq!(client.extended(oid::START_TLS, Some(b"x")).code(), ResultCode::ProtocolError);
    let answer = client.extended(oid::START_TLS, None);
    assert_eq!(answer.code(), ResultCode::Success);
    let Response::Extended(extended) = answer.last().op else { panic!() };
    assert_eq!(extended.name, Some(oid::START_TLS));
    assert!(client.start_tls);
    client.connection.secured(None);
    assert_eq!(client.extended(oid::START_TLS, None).code(), ResultCode::OperationsError);
    assert_eq!(place.local(0).extended(oid::START_TLS, None).code(), ResultCode::ProtocolError);
    assert_eq!(Place::new().client().extended(oid::START_TLS, None).code(), ResultCode::ProtocolError);
}

#[test]
fn who_am_i_and_what_is_not_served() {
    let place = Place::new();
    let mut client = place.client();
    assert_eq!(client.extended(oid::WHO_AM_I, Some(b"")).code(), ResultCode::ProtocolError);
    for name in [oid::TURN, "1.2.3.4"] {
        assert_eq!(client.extended(name, None).code(), ResultCode::ProtocolError);
    }
}

fn change(client: &mut Client, user: Option<&str>, old: Option<&str>, new: Option<&str>) -> Answer {
    let request = PasswordModify {
        user: user.map(str::as_bytes),
        old: old.map(str::as_bytes),
        new: new.map(str::as_bytes),
    };
    let mut value = Vec::new();
    request.encode(&mut value);
    client.extended(oid::PASSWORD_MODIFY, Some(&value))
}

#[test]
fn passwords_are_modified() {
    let place = Place::new();
    let mut alice = place.user("alice");
    let wrong = change(&mut alice, None, Some("wrong"), Some("new password"));
    assert_eq!(wrong.code(), ResultCode::UnwillingToPerform);
    let right = change(&mut alice, None, Some(PASSWORD), Some("new password"));
    assert_eq!(right.code(), ResultCode::Success);
    assert!(place.value(&["users", "alice"], "passwd").unwrap().starts_with("$argon2id$"));
    let mut again = place.client();
    assert_eq!(again.bind(ALICE, PASSWORD), ResultCode::InvalidCredentials);
    assert_eq!(again.bind(ALICE, "new password"), ResultCode::Success);
    // Without the old one, for oneself by name, too.
    assert_eq!(change(&mut again, Some(ALICE), None, Some("newer one")).code(), ResultCode::Success);
    assert_eq!(change(&mut again, Some("u:alice"), None, Some("newest one")).code(), ResultCode::Success);
    assert_eq!(again.bind(ALICE, "newest one"), ResultCode::Success);
    assert_eq!(change(&mut again, None, None, Some("")).code(), ResultCode::ConstraintViolation);
    assert_eq!(
        change(&mut again, None, None, Some(&"x".repeat(3000))).code(),
        ResultCode::ConstraintViolation
    );
}

#[test]
fn passwords_are_made_up() {
    let place = Place::new();
    let mut alice = place.user("alice");
    let answer = alice.extended(oid::PASSWORD_MODIFY, None);
    assert_eq!(answer.code(), ResultCode::Success);
    let Response::Extended(extended) = answer.last().op else { panic!() };
    let generated = PasswordModified::decode(extended.value.unwrap()).unwrap().generated.unwrap();
    assert_eq!(generated.len(), netinfo_ldap::limits::GENERATED_PASSWORD);
    let generated = std::str::from_utf8(generated).unwrap();
    assert_eq!(place.client().bind(ALICE, generated), ResultCode::Success);
}

#[test]
fn passwords_of_others() {
    let place = Place::new();
    let mut bob = place.user("bob");
    assert_eq!(change(&mut bob, Some(ALICE), None, Some("x")).code(), ResultCode::InsufficientAccessRights);
    let guess = change(&mut bob, Some(ALICE), Some(PASSWORD), Some("x"));
    assert_eq!(guess.code(), ResultCode::InsufficientAccessRights);
    // Who is nobody proves the old one.
    let mut client = place.client();
    for (user, old, expected) in [
        (Some(ALICE), None, ResultCode::StrongerAuthRequired),
        (None, Some(PASSWORD), ResultCode::StrongerAuthRequired),
        (Some(ALICE), Some("wrong"), ResultCode::InvalidCredentials),
        (Some("u:nobody"), Some(PASSWORD), ResultCode::InvalidCredentials),
        (Some(ADMIN), Some(PASSWORD), ResultCode::UnwillingToPerform),
        (Some(ALICE), Some(PASSWORD), ResultCode::Success),
    ] {
        assert_eq!(change(&mut client, user, old, Some("new password")).code(), expected, "{user:?} {old:?}");
    }
    assert_eq!(client.who_am_i(), "");
    assert_eq!(client.bind(ALICE, "new password"), ResultCode::Success);
    let mut admin = place.admin();
    assert_eq!(change(&mut admin, Some("alice"), None, Some("x")).code(), ResultCode::Success);
    assert_eq!(place.client().bind(ALICE, "x"), ResultCode::Success);
    assert_eq!(change(&mut admin, Some("u:nobody"), None, Some("x")).code(), ResultCode::NoSuchObject);
    assert_eq!(change(&mut admin, None, None, Some("x")).code(), ResultCode::UnwillingToPerform);
    assert_eq!(admin.extended(oid::PASSWORD_MODIFY, Some(b"\x04")).code(), ResultCode::ProtocolError);
}

#[test]
fn passwords_go_over_protected_connections_where_that_is_required() {
    let place = Place::with(Settings { require_tls: RequireTls::ForBind, ..Settings::default() });
    let mut client = place.client();
    assert_eq!(change(&mut client, Some(ALICE), None, Some("x")).code(), ResultCode::ConfidentialityRequired);
}

#[test]
fn cancel() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut value = Vec::new();
    Cancel { id: 77 }.encode(&mut value);
    let request = Request::Extended(ExtendedRequest { name: oid::CANCEL, value: Some(&value) });
    assert_eq!(admin.ask(request).code(), ResultCode::NoSuchOperation);
    assert_eq!(admin.extended(oid::CANCEL, None).code(), ResultCode::ProtocolError);
    // A write cannot be taken back any more, and cancelling it does not wait for it.
    let attributes = attributes_of(&[("objectClass", &["organizationalUnit"])]);
    let add = encoded(77, add_request("ou=one,dc=example,dc=com", attributes.as_list()));
    let mut out = Vec::new();
    let Step::Write(write) = admin.connection.handle(&add, NOW, &mut out) else { panic!() };
    assert_eq!(admin.ask(request).code(), ResultCode::CannotCancel);
    let (ticket, result) = commit(write);
    assert!(matches!(admin.connection.settle(ticket, result, NOW, &mut out), Step::Done));
    assert_eq!(Answer(out).code(), ResultCode::Success);
    assert_eq!(admin.ask(request).code(), ResultCode::NoSuchOperation);
}

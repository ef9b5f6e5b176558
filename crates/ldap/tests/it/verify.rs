//! Passwords that are verified for a client that stays who it is.

use netinfo_directory::{Origin, Property};
use netinfo_ldap::{Peer, RequireTls, Settings, Step};
use netinfo_wire::ldap::control::policy::{PasswordPolicy, PolicyError};
use netinfo_wire::ldap::extended::{CredentialsVerified, VerifyCredentials};
use netinfo_wire::ldap::request::ExtendedRequest;
use netinfo_wire::ldap::{
    Authentication, Controls, ControlsBuf, Payload, Request, Response, ResultCode, oid,
};

use crate::support::{ADMIN, Client, NOW, PASSWORD, Place, encoded};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";
const BOB: &str = "uid=bob,cn=users,dc=example,dc=com";

fn value(dn: &str, authentication: Authentication<'_>, controls: Controls<'_>) -> Vec<u8> {
    let request = VerifyCredentials { cookie: None, name: dn.as_bytes(), authentication, controls };
    let mut value = Vec::new();
    request.encode(&mut value);
    value
}

/// What is said of credentials, words included, and of the account if that is asked for.
fn verify(
    client: &mut Client,
    dn: &str,
    authentication: Authentication<'_>,
    controls: &ControlsBuf,
) -> (ResultCode, String, Option<PasswordPolicy>) {
    let value = value(dn, authentication, controls.as_list());
    let answer = client.extended(oid::VERIFY_CREDENTIALS, Some(&value));
    assert_eq!(answer.code(), ResultCode::Success);
    let Response::Extended(extended) = answer.last().op else { panic!() };
    let verified = CredentialsVerified::decode(extended.value.unwrap()).unwrap();
    let policy = verified.controls.get::<PasswordPolicy>().unwrap().map(|(policy, _)| policy);
    (verified.code, String::from_utf8(verified.message.to_vec()).unwrap(), policy)
}

fn password(client: &mut Client, dn: &str, password: &str) -> ResultCode {
    verify(client, dn, Authentication::Simple(password.as_bytes()), &ControlsBuf::new()).0
}

#[test]
fn the_client_stays_who_it_is() {
    let place = Place::new();
    let (mut nobody, mut bob) = (place.client(), place.user("bob"));
    for (client, who) in [(&mut nobody, ""), (&mut bob, &*format!("dn:{BOB}"))] {
        for (dn, secret, expected) in [
            (ALICE, PASSWORD, ResultCode::Success),
            (ALICE, "wrong", ResultCode::InvalidCredentials),
            (ADMIN, PASSWORD, ResultCode::Success),
            ("uid=carol,cn=users,dc=example,dc=com", PASSWORD, ResultCode::InvalidCredentials),
            (ALICE, "", ResultCode::UnwillingToPerform),
            ("", "", ResultCode::UnwillingToPerform),
            ("", PASSWORD, ResultCode::UnwillingToPerform),
            ("no name", PASSWORD, ResultCode::InvalidDnSyntax),
        ] {
            let said = verify(client, dn, Authentication::Simple(secret.as_bytes()), &ControlsBuf::new());
            assert_eq!((said.0, said.2), (expected, None), "{dn}");
            assert!(expected != ResultCode::InvalidCredentials || said.1.is_empty(), "{}", said.1);
            assert_eq!(client.who_am_i(), who, "{dn}");
        }
    }
    assert_eq!(place.engine.figures().failed_binds(), 12);
    // Only passwords are.
    let sasl = Authentication::Sasl { mechanism: b"EXTERNAL", credentials: None };
    let said = verify(&mut place.local(0), "", sasl, &ControlsBuf::new());
    assert_eq!(said.0, ResultCode::AuthMethodNotSupported);
}

#[test]
fn what_holds_for_binds_holds_here() {
    let place = Place::new();
    place.set("_lock_after", ["3"]);
    let mut client = place.client();
    for _ in 0..3 {
        assert_eq!(password(&mut client, ALICE, "wrong"), ResultCode::InvalidCredentials);
    }
    assert_eq!(place.client().bind(ALICE, PASSWORD), ResultCode::InvalidCredentials);
    assert_eq!(password(&mut client, ALICE, PASSWORD), ResultCode::InvalidCredentials);

    let stored = place.value(&["users", "bob"], "passwd").unwrap();
    let properties = vec![
        Property::new("name", ["gone"]),
        Property::new("uid", ["777"]),
        Property::new("passwd", [stored]),
        Property::new("change", ["1000"]),
    ];
    place.child(place.object(&["users"]), properties);
    let (gone, mut asked) = ("uid=gone,cn=users,dc=example,dc=com", ControlsBuf::new());
    asked.flag(oid::PASSWORD_POLICY, true);
    let said = verify(&mut client, gone, Authentication::Simple(PASSWORD.as_bytes()), &asked);
    let expired = PasswordPolicy { warning: None, error: Some(PolicyError::PasswordExpired) };
    assert_eq!((said.0, said.2), (ResultCode::InvalidCredentials, Some(expired)));
    let said = verify(&mut client, BOB, Authentication::Simple(PASSWORD.as_bytes()), &asked);
    assert_eq!((said.0, said.2), (ResultCode::Success, Some(PasswordPolicy::default())));
}

#[test]
fn tls_is_required_as_for_binds() {
    let far = Origin::Network { address: "192.0.2.9".parse().unwrap(), privileged_port: false, own: false };
    let place = Place::with(Settings { require_tls: RequireTls::ForBind, ..Settings::default() });
    let mut client = place.connect(Peer::new(far, None));
    assert_eq!(password(&mut client, ALICE, PASSWORD), ResultCode::ConfidentialityRequired);
    client.connection.secured(None);
    assert_eq!(password(&mut client, ALICE, PASSWORD), ResultCode::Success);
    let request = value(ALICE, Authentication::Simple(PASSWORD.as_bytes()), Controls::EMPTY);
    for (settings, expected) in [
        (
            Settings { require_tls: RequireTls::Always, ..Settings::default() },
            ResultCode::ConfidentialityRequired,
        ),
        (Settings { require_authentication: true, ..Settings::default() }, ResultCode::StrongerAuthRequired),
    ] {
        let place = Place::with(settings);
        let answer = place.connect(Peer::new(far, None)).extended(oid::VERIFY_CREDENTIALS, Some(&request));
        assert_eq!(answer.code(), expected);
    }
}

#[test]
fn malformed_requests_and_controls() {
    let place = Place::new();
    let mut client = place.client();
    for malformed in [None, Some(&b""[..]), Some(b"\x30\0"), Some(b"\x30\x05\x04\x03uid"), Some(b"\x04\0")] {
        assert_eq!(client.extended(oid::VERIFY_CREDENTIALS, malformed).code(), ResultCode::ProtocolError);
    }
    let mut controls = ControlsBuf::new();
    controls.flag("1.2.3.4", true);
    let said = verify(&mut client, ALICE, Authentication::Simple(PASSWORD.as_bytes()), &controls);
    assert_eq!(said.0, ResultCode::UnavailableCriticalExtension);
    // Beside the request there is nothing to be controlled.
    let value = value(ALICE, Authentication::Simple(PASSWORD.as_bytes()), Controls::EMPTY);
    let request = ExtendedRequest { name: oid::VERIFY_CREDENTIALS, value: Some(&value) };
    let answer = client.ask_with(Request::Extended(request), &controls);
    assert_eq!(answer.code(), ResultCode::UnavailableCriticalExtension);
}

#[test]
fn passwords_are_looked_at_elsewhere_and_remembered() {
    let place = Place::new();
    let mut client = place.client();
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
    let mut alice = place.user("alice");
    alice.modify(ALICE, &[(netinfo_wire::ldap::ModifyOp::Replace, "userPassword", &[PASSWORD])]);
    let mut begun = |password: &str| {
        let value = value(ALICE, Authentication::Simple(password.as_bytes()), Controls::EMPTY);
        let request = ExtendedRequest { name: oid::VERIFY_CREDENTIALS, value: Some(&value) };
        alice.connection.handle(&encoded(9, Request::Extended(request)), NOW, &mut Vec::new())
    };
    assert!(matches!(begun("wrong"), Step::Work(_)));
    let Step::Work(work) = begun(PASSWORD) else { panic!() };
    drop(work.run());
    assert!(matches!(begun(PASSWORD), Step::Done));
}

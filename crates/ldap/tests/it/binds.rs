//! Binds.

use netinfo_directory::{Origin, Property};
use netinfo_ldap::{Certificate, Peer, RequireTls, Settings, Step};
use netinfo_wire::ber::Tag;
use netinfo_wire::ldap::{Authentication, BindRequest, ModifyOp, Request, Response, ResultCode, oid};

use crate::support::{ADMIN, NOW, PASSWORD, Place, encoded};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";

#[test]
fn simple() {
    let place = Place::new();
    let mut client = place.client();
    assert_eq!(client.who_am_i(), "");
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
    assert_eq!(client.who_am_i(), format!("dn:{ALICE}"));
    // Another spelling of the name is the same name.
    assert_eq!(client.bind("UID = Alice, ou=people , DC=Example,dc=COM", PASSWORD), ResultCode::Success);
    assert_eq!(client.who_am_i(), format!("dn:{ALICE}"));
    assert_eq!(client.bind("", ""), ResultCode::Success);
    assert_eq!(client.who_am_i(), "");
    assert_eq!(client.bind(ADMIN, PASSWORD), ResultCode::Success);
    assert_eq!(client.who_am_i(), format!("dn:{ADMIN}"));
}

#[test]
fn a_password_that_was_right_lately_takes_no_work() {
    let place = Place::new();
    let mut client = place.client();
    let name = ALICE.as_bytes();
    let bind = |id, password: &str| {
        let authentication = Authentication::Simple(password.as_bytes());
        encoded(id, Request::Bind(BindRequest { version: 3, name, authentication }))
    };
    let mut out = Vec::new();
    assert!(matches!(client.connection.handle(&bind(1, PASSWORD), NOW, &mut out), Step::Work(_)));
    let mut alice = place.user("alice");
    // A strong hash takes the place of the weak one meanwhile.
    alice.modify(ALICE, &[(ModifyOp::Replace, "userPassword", &[PASSWORD])]);
    assert_eq!(alice.bind(ALICE, PASSWORD), ResultCode::Success);
    assert!(matches!(client.connection.handle(&bind(2, PASSWORD), NOW, &mut out), Step::Done));
    assert_eq!(client.who_am_i(), format!("dn:{ALICE}"));
    assert!(matches!(client.connection.handle(&bind(3, "wrong"), NOW, &mut out), Step::Work(_)));
    assert_eq!(client.who_am_i(), "");
}

#[test]
fn failures_say_nothing_and_leave_nobody() {
    let place = Place::new();
    let mut client = place.client();
    let cases = [
        (ALICE, "wrong", ResultCode::InvalidCredentials),
        ("uid=carol,cn=users,dc=example,dc=com", PASSWORD, ResultCode::InvalidCredentials),
        ("uid=alice,dc=elsewhere", PASSWORD, ResultCode::InvalidCredentials),
        ("cn=staff,cn=groups,dc=example,dc=com", PASSWORD, ResultCode::InvalidCredentials),
        (ADMIN, "wrong", ResultCode::InvalidCredentials),
        ("", PASSWORD, ResultCode::InvalidCredentials),
        (ALICE, "", ResultCode::UnwillingToPerform),
        ("no name", PASSWORD, ResultCode::InvalidDnSyntax),
    ];
    for (name, password, expected) in cases {
        assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
        let answer = client.bind_answer(name, password);
        assert_eq!(answer.code(), expected, "{name}");
        if expected == ResultCode::InvalidCredentials {
            assert_eq!(answer.text(), "", "{name}");
            assert_eq!(answer.matched(), "", "{name}");
        }
        assert_eq!(client.who_am_i(), "", "{name}");
    }
    assert_eq!(place.engine.figures().failed_binds(), cases.len() as u64);
}

#[test]
fn versions_and_methods() {
    let place = Place::new();
    let mut client = place.client();
    let ask = |client: &mut crate::support::Client, version, authentication| {
        client.ask(Request::Bind(BindRequest { version, name: b"", authentication })).code()
    };
    assert_eq!(ask(&mut client, 2, Authentication::Simple(b"")), ResultCode::ProtocolError);
    let other = Authentication::Other(Tag::context(1));
    assert_eq!(ask(&mut client, 3, other), ResultCode::AuthMethodNotSupported);
    assert_eq!(client.sasl("CRAM-MD5", None).code(), ResultCode::AuthMethodNotSupported);
    assert_eq!(client.sasl("", None).code(), ResultCode::AuthMethodNotSupported);
}

#[test]
fn external_on_the_local_socket() {
    let place = Place::new();
    let mut root = place.local(0);
    // Nobody is anybody before the bind, not even the superuser.
    assert_eq!(root.who_am_i(), "");
    assert_eq!(root.delete(ALICE).code(), ResultCode::InsufficientAccessRights);
    assert_eq!(root.sasl("EXTERNAL", None).code(), ResultCode::Success);
    assert_eq!(root.who_am_i(), "dn:uidNumber=0,cn=peercred,cn=external,cn=auth");
    assert_eq!(root.delete("cn=staff,cn=groups,dc=example,dc=com").code(), ResultCode::Success);
    let mut alice = place.local(501);
    assert_eq!(alice.sasl("external", Some(b"")).code(), ResultCode::Success);
    assert_eq!(alice.who_am_i(), format!("dn:{ALICE}"));
    assert_eq!(alice.delete(ALICE).code(), ResultCode::InsufficientAccessRights);
    // As another one: only a superuser may.
    for other in [&b"u:bob"[..], b"u:nobody", b"dn:uid=bob,cn=users,dc=example,dc=com", b"dn:no name", b"bob"]
    {
        assert_eq!(alice.sasl("EXTERNAL", Some(other)).code(), ResultCode::InsufficientAccessRights);
        assert_eq!(alice.who_am_i(), "");
    }
    for nobody in [&b"u:nobody"[..], b"dn:", b"u:", format!("dn:{ADMIN}").as_bytes()] {
        assert_eq!(root.sasl("EXTERNAL", Some(nobody)).code(), ResultCode::InsufficientAccessRights);
    }
    assert_eq!(root.sasl("EXTERNAL", Some(b"u:bob")).code(), ResultCode::Success);
    assert_eq!(root.who_am_i(), "dn:uid=bob,cn=users,dc=example,dc=com");
    assert_eq!(place.client().sasl("EXTERNAL", None).code(), ResultCode::InappropriateAuthentication);
}

#[test]
fn external_with_a_certificate() {
    let place = Place::new();
    let origin = place.client().connection.peer().origin;
    let mut client = place.connect(Peer::new(origin, None));
    let certificate = |subject: &str, names: &[&str]| Certificate {
        subject: subject.into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    client.connection.secured(Some(certificate("CN=unknown", &["", ALICE])));
    assert_eq!(client.sasl("EXTERNAL", None).code(), ResultCode::Success);
    assert_eq!(client.who_am_i(), format!("dn:{ALICE}"));
    client.connection.secured(Some(certificate("UID=bob,CN=Users,DC=example,DC=com", &[])));
    assert_eq!(client.sasl("EXTERNAL", None).code(), ResultCode::Success);
    assert_eq!(client.who_am_i(), "dn:uid=bob,cn=users,dc=example,dc=com");
    client.connection.secured(Some(certificate("CN=unknown", &[])));
    assert_eq!(client.sasl("EXTERNAL", None).code(), ResultCode::InvalidCredentials);
    // The administrator is known by a password only.
    client.connection.secured(Some(certificate(ADMIN, &[])));
    assert_ne!(client.sasl("EXTERNAL", None).code(), ResultCode::Success);
}

#[test]
fn plain_on_protected_connections() {
    let place = Place::new();
    let mut client = place.client();
    let message =
        |authz: &str, name: &str, password: &str| format!("{authz}\0{name}\0{password}").into_bytes();
    let good = message("", "alice", PASSWORD);
    assert_eq!(client.sasl("PLAIN", Some(&good)).code(), ResultCode::ConfidentialityRequired);
    client.connection.secured(None);
    for name in ["alice", "Alice", "u:alice", &format!("dn:{ALICE}")] {
        assert_eq!(client.sasl("PLAIN", Some(&message("", name, PASSWORD))).code(), ResultCode::Success);
        assert_eq!(client.who_am_i(), format!("dn:{ALICE}"));
    }
    assert_eq!(
        client.sasl("PLAIN", Some(&message("u:alice", "alice", PASSWORD))).code(),
        ResultCode::Success
    );
    for (authz, name, password) in [
        ("", "alice", "wrong"),
        ("", "carol", PASSWORD),
        ("", "", PASSWORD),
        ("", "alice", ""),
        ("u:bob", "alice", "wrong"),
    ] {
        let answer = client.sasl("PLAIN", Some(&message(authz, name, password)));
        assert_eq!(answer.code(), ResultCode::InvalidCredentials, "{authz} {name}");
        assert_eq!(client.who_am_i(), "");
    }
    for authz in ["u:bob", "u:nobody", "bob"] {
        let answer = client.sasl("PLAIN", Some(&message(authz, "alice", PASSWORD)));
        assert_eq!(answer.code(), ResultCode::InsufficientAccessRights, "{authz}");
        assert_eq!(client.who_am_i(), "");
    }
    let admin = message("u:bob", &format!("dn:{ADMIN}"), PASSWORD);
    assert_eq!(client.sasl("PLAIN", Some(&admin)).code(), ResultCode::Success);
    assert_eq!(client.who_am_i(), "dn:uid=bob,cn=users,dc=example,dc=com");
    for malformed in [&b""[..], b"alice", b"\0alice", b"\0alice\0x\0y"] {
        assert_eq!(client.sasl("PLAIN", Some(malformed)).code(), ResultCode::ProtocolError);
    }
    assert_eq!(client.sasl("PLAIN", None).code(), ResultCode::ProtocolError);
}

#[test]
fn tls_may_be_required() {
    let at = |origin| Peer::new(origin, None);
    let network =
        |own| Origin::Network { address: "192.0.2.7".parse().unwrap(), own, privileged_port: false };
    let cases = [
        (RequireTls::Off, [ResultCode::Success; 4]),
        (
            RequireTls::ForBind,
            [
                ResultCode::ConfidentialityRequired,
                ResultCode::Success,
                ResultCode::Success,
                ResultCode::Success,
            ],
        ),
        (
            RequireTls::Always,
            [
                ResultCode::ConfidentialityRequired,
                ResultCode::ConfidentialityRequired,
                ResultCode::Success,
                ResultCode::Success,
            ],
        ),
    ];
    for (require_tls, expected) in cases {
        let place = Place::with(Settings { require_tls, ..Settings::default() });
        let peers = [network(false), network(true), Origin::Local { uid: 501 }, network(false)];
        for (index, (origin, expected)) in peers.into_iter().zip(expected).enumerate() {
            let mut client = place.connect(at(origin));
            if index == 3 {
                client.connection.secured(None);
            }
            assert_eq!(client.bind(ALICE, PASSWORD), expected, "{require_tls:?}, peer {index}");
        }
    }
    let place = Place::with(Settings { require_tls: RequireTls::Always, ..Settings::default() });
    let mut client = place.client();
    assert_eq!(client.compare(ALICE, "uid", "alice").code(), ResultCode::ConfidentialityRequired);
    assert_eq!(client.bind("", ""), ResultCode::ConfidentialityRequired);
    assert_eq!(client.extended(oid::WHO_AM_I, None).code(), ResultCode::Success);
}

#[test]
fn authentication_may_be_required() {
    let place = Place::with(Settings { require_authentication: true, ..Settings::default() });
    let mut client = place.client();
    assert_eq!(client.compare(ALICE, "uid", "alice").code(), ResultCode::StrongerAuthRequired);
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
    assert_eq!(client.compare(ALICE, "uid", "alice").code(), ResultCode::CompareTrue);
}

#[test]
fn the_first_domain_with_a_user_has_it() {
    let place = Place::new();
    let other = place.node.create_master("network", NOW).unwrap();
    assert!(place.engine.set_domains([place.domain.clone(), other]).is_empty());
    let users = place.child(0, vec![Property::new("name", ["others"])]);
    assert!(users > 0);
    let mut client = place.local(501);
    assert_eq!(client.sasl("EXTERNAL", None).code(), ResultCode::Success);
    // In the other domain it is nobody.
    assert!(!client.delete("cn=machines,dc=network").code().is_success());
    // The superuser of the machine is one everywhere.
    let mut root = place.local(0);
    assert_eq!(root.sasl("EXTERNAL", None).code(), ResultCode::Success);
    let answer = root.add("cn=users,dc=network", &[("objectClass", &["container"]), ("cn", &["users"])]);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
}

#[test]
fn scram_tells_nobody_who_exists() {
    let place = Place::new();
    let mut client = place.client();
    let mechanism = "SCRAM-SHA-256";
    let challenge = |client: &mut crate::support::Client, name: &str| {
        let message = format!("n,,n={name},r=client");
        let answer = client.sasl(mechanism, Some(message.as_bytes()));
        assert_eq!(answer.code(), ResultCode::SaslBindInProgress, "{name}");
        let last = answer.last();
        let Response::Bind(bind) = last.op else { panic!("{last:?}") };
        String::from_utf8(bind.server_credentials.unwrap().to_vec()).unwrap()
    };
    let parts = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
    for name in ["alice", "nobody", "admin", "dn:cn=3Dadmin=2Cdc=3Dexample=2Cdc=3Dcom"] {
        let (first, second) = (parts(&challenge(&mut client, name)), parts(&challenge(&mut client, name)));
        assert!(first[0].starts_with("r=client") && first[0].len() > 20 && first[0] != second[0]);
        // The salt is the same each time, also of those who do not exist.
        assert_eq!((&first[1], &first[2]), (&second[1], &second[2]), "{name}");
        assert_eq!(client.who_am_i(), "");
        let proof = format!("c=biws,{},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", second[0]);
        let answer = client.sasl(mechanism, Some(proof.as_bytes()));
        assert_eq!((answer.code(), answer.text().as_str()), (ResultCode::InvalidCredentials, ""), "{name}");
        // There is one try for a challenge.
        assert_eq!(client.sasl(mechanism, Some(proof.as_bytes())).code(), ResultCode::ProtocolError);
    }
    let nonce = parts(&challenge(&mut client, "alice")).remove(0);
    let other = format!("c=biws,{nonce}x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_eq!(client.sasl(mechanism, Some(other.as_bytes())).code(), ResultCode::InvalidCredentials);
    // Another bind ends the exchange.
    let nonce = parts(&challenge(&mut client, "alice")).remove(0);
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
    let late = format!("c=biws,{nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_eq!(client.sasl(mechanism, Some(late.as_bytes())).code(), ResultCode::ProtocolError);
    assert_eq!(client.sasl(mechanism, None).code(), ResultCode::ProtocolError);
    assert_eq!(client.who_am_i(), "");
}

#[test]
fn scram_follows_the_demand_for_tls() {
    let place = Place::with(Settings { require_tls: RequireTls::ForBind, ..Settings::default() });
    let far = Origin::Network { address: "192.0.2.9".parse().unwrap(), privileged_port: false, own: false };
    let mut client = place.connect(Peer::new(far, None));
    let first = b"n,,n=alice,r=client";
    assert_eq!(client.sasl("SCRAM-SHA-256", Some(first)).code(), ResultCode::ConfidentialityRequired);
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::ConfidentialityRequired);
    client.connection.secured(None);
    assert_eq!(client.sasl("SCRAM-SHA-256", Some(first)).code(), ResultCode::SaslBindInProgress);
    assert_eq!(client.bind(ALICE, PASSWORD), ResultCode::Success);
}

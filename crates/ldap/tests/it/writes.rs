//! Add, modify, delete, compare.

use netinfo_wire::ldap::{ModifyOp, ResultCode};

use crate::support::{PASSWORD, Place};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";
const CAROL: &str = "uid=carol,cn=users,dc=example,dc=com";
const PERSON: &[(&str, &[&str])] = &[
    ("objectClass", &["inetOrgPerson", "posixAccount"]),
    ("uid", &["carol"]),
    ("cn", &["Carol Example"]),
    ("sn", &["Example"]),
    ("uidNumber", &["503"]),
    ("gidNumber", &["20"]),
    ("homeDirectory", &["/home/carol"]),
];

#[test]
fn add() {
    let place = Place::new();
    let mut admin = place.admin();
    let answer = admin.add(CAROL, PERSON);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    assert_eq!(place.value(&["users", "carol"], "uid").as_deref(), Some("503"));
    assert_eq!(admin.add(CAROL, PERSON).code(), ResultCode::EntryAlreadyExists);
    assert_eq!(
        admin.add("uid=CAROL,ou=people,dc=example,dc=com", PERSON).code(),
        ResultCode::EntryAlreadyExists
    );
    let answer = admin.add("cn=x,cn=nowhere,dc=example,dc=com", &[("objectClass", &["container"])]);
    assert_eq!(answer.code(), ResultCode::NoSuchObject);
    assert_eq!(answer.matched(), "dc=example,dc=com");
    let answer = admin.add("cn=x,dc=elsewhere", &[("objectClass", &["container"])]);
    assert_eq!(answer.code(), ResultCode::NoSuchObject);
    assert_eq!(admin.add("no name", PERSON).code(), ResultCode::InvalidDnSyntax);
    assert_eq!(admin.add("", PERSON).code(), ResultCode::UnwillingToPerform);
    assert_eq!(admin.add("cn=subschema", PERSON).code(), ResultCode::UnwillingToPerform);
}

#[test]
fn those_who_may_not_write_do_not() {
    let place = Place::new();
    for mut client in [place.client(), place.user("bob")] {
        assert_eq!(client.add(CAROL, PERSON).code(), ResultCode::InsufficientAccessRights);
        let change: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "cn", &["Eve"])];
        assert_eq!(client.modify(ALICE, change).code(), ResultCode::InsufficientAccessRights);
        // Nothing is told of what is there: values, entries, what lies below.
        for change in
            [(ModifyOp::Add, "uidNumber", &["501"][..]), (ModifyOp::Delete, "description", &["none"][..])]
        {
            assert_eq!(client.modify(ALICE, &[change]).code(), ResultCode::InsufficientAccessRights);
        }
        assert_eq!(client.add(ALICE, PERSON).code(), ResultCode::InsufficientAccessRights);
        let users = client.delete("cn=users,dc=example,dc=com");
        assert_eq!(users.code(), ResultCode::InsufficientAccessRights);
        assert_eq!(client.delete(ALICE).code(), ResultCode::InsufficientAccessRights);
        assert_eq!(client.rename(ALICE, "uid=eve", true, None).code(), ResultCode::InsufficientAccessRights);
    }
    assert!(place.exists(&["users", "alice"]) && !place.exists(&["users", "carol"]));
}

#[test]
fn modify() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut change = |changes: &[(ModifyOp, &str, &[&str])]| admin.modify(ALICE, changes).code();
    assert_eq!(change(&[(ModifyOp::Add, "description", &["one", "two"])]), ResultCode::Success);
    assert_eq!(place.values(&["users", "alice"], "comment"), ["one", "two"]);
    assert_eq!(change(&[(ModifyOp::Add, "description", &["ONE"])]), ResultCode::AttributeOrValueExists);
    assert_eq!(change(&[(ModifyOp::Delete, "description", &["three"])]), ResultCode::NoSuchAttribute);
    assert_eq!(change(&[(ModifyOp::Delete, "description", &["ONE"])]), ResultCode::Success);
    assert_eq!(change(&[(ModifyOp::Replace, "description", &["x"])]), ResultCode::Success);
    assert_eq!(place.values(&["users", "alice"], "comment"), ["x"]);
    assert_eq!(change(&[(ModifyOp::Replace, "description", &[])]), ResultCode::Success);
    assert!(place.values(&["users", "alice"], "comment").is_empty());
    assert_eq!(change(&[(ModifyOp::Increment, "uidNumber", &["5"])]), ResultCode::Success);
    assert_eq!(place.value(&["users", "alice"], "uid").as_deref(), Some("506"));
    assert_eq!(change(&[(ModifyOp::Replace, "uidNumber", &["five"])]), ResultCode::InvalidAttributeSyntax);
    assert_eq!(change(&[(ModifyOp::Delete, "uid", &["alice"])]), ResultCode::NotAllowedOnRdn);
    // All together or nothing.
    let changes: &[(ModifyOp, &str, &[&str])] =
        &[(ModifyOp::Add, "description", &["y"]), (ModifyOp::Delete, "title", &["none"])];
    assert_eq!(change(changes), ResultCode::NoSuchAttribute);
    assert!(place.values(&["users", "alice"], "comment").is_empty());
    let answer = admin.modify(CAROL, &[(ModifyOp::Add, "description", &["x"])]);
    assert_eq!(answer.code(), ResultCode::NoSuchObject);
    assert_eq!(answer.matched(), "cn=users,dc=example,dc=com");
    assert_eq!(admin.modify("", &[]).code(), ResultCode::UnwillingToPerform);
}

#[test]
fn passwords_are_hashed_before_they_are_kept() {
    let place = Place::new();
    let mut admin = place.admin();
    let with_password: Vec<(&str, &[&str])> =
        PERSON.iter().copied().chain([("userPassword", &["plain text"][..])]).collect();
    assert_eq!(admin.add(CAROL, &with_password).code(), ResultCode::Success);
    let kept = place.value(&["users", "carol"], "passwd").unwrap();
    assert!(kept.starts_with("$argon2id$"), "{kept}");
    let mut carol = place.client();
    assert_eq!(carol.bind(CAROL, "plain text"), ResultCode::Success);
    // A hash is taken as it is.
    let hash = "{SSHA}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw==";
    assert_eq!(
        admin.modify(CAROL, &[(ModifyOp::Replace, "userPassword", &[hash])]).code(),
        ResultCode::Success
    );
    assert_eq!(place.value(&["users", "carol"], "passwd").as_deref(), Some(hash));
    assert_eq!(carol.bind(CAROL, PASSWORD), ResultCode::Success);
    // The old password, deleted by itself; the new one, added.
    let change: &[(ModifyOp, &str, &[&str])] =
        &[(ModifyOp::Delete, "userPassword", &["wrong"]), (ModifyOp::Add, "userPassword", &["new"])];
    assert_eq!(admin.modify(CAROL, change).code(), ResultCode::NoSuchAttribute);
    let change: &[(ModifyOp, &str, &[&str])] =
        &[(ModifyOp::Delete, "userPassword", &[PASSWORD]), (ModifyOp::Add, "userPassword", &["new"])];
    assert_eq!(admin.modify(CAROL, change).code(), ResultCode::Success);
    assert_eq!(carol.bind(CAROL, "new"), ResultCode::Success);
    assert_eq!(carol.bind(CAROL, PASSWORD), ResultCode::InvalidCredentials);
    let long = "x".repeat(2000);
    let change: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "userPassword", &[&long])];
    assert_eq!(admin.modify(CAROL, change).code(), ResultCode::ConstraintViolation);
    // Who may not write it does not learn whether it is right.
    let mut bob = place.user("bob");
    for guess in ["new", "wrong"] {
        let change: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Delete, "userPassword", &[guess])];
        let answer = bob.modify(CAROL, change);
        assert_eq!(answer.code(), ResultCode::InsufficientAccessRights, "{guess}");
    }
    // One's own may be changed.
    let mut alice = place.user("alice");
    let change: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "userPassword", &["changed it"])];
    assert_eq!(alice.modify(ALICE, change).code(), ResultCode::Success);
    assert_eq!(alice.bind(ALICE, "changed it"), ResultCode::Success);
}

#[test]
fn delete() {
    let place = Place::new();
    let mut admin = place.admin();
    assert_eq!(admin.delete("cn=users,dc=example,dc=com").code(), ResultCode::NotAllowedOnNonLeaf);
    assert_eq!(admin.delete(ALICE).code(), ResultCode::Success);
    let answer = admin.delete(ALICE);
    assert_eq!(
        (answer.code(), &answer.matched()[..]),
        (ResultCode::NoSuchObject, "cn=users,dc=example,dc=com")
    );
    assert_ne!(admin.delete("dc=example,dc=com").code(), ResultCode::Success);
    assert_eq!(admin.delete("").code(), ResultCode::UnwillingToPerform);
}

#[test]
fn compare() {
    let place = Place::new();
    let mut client = place.user("bob");
    let cases = [
        (ALICE, "uid", "ALICE", ResultCode::CompareTrue),
        (ALICE, "0.9.2342.19200300.100.1.1", "alice", ResultCode::CompareTrue),
        (ALICE, "uid", "bob", ResultCode::CompareFalse),
        (ALICE, "uidNumber", "501", ResultCode::CompareTrue),
        (ALICE, "uidNumber", "many", ResultCode::InvalidAttributeSyntax),
        (ALICE, "objectClass", "posixAccount", ResultCode::CompareTrue),
        (ALICE, "title", "x", ResultCode::NoSuchAttribute),
        (ALICE, "noSuchThing", "x", ResultCode::UndefinedAttributeType),
        (ALICE, "not a name", "x", ResultCode::UndefinedAttributeType),
        (ALICE, "userPassword", PASSWORD, ResultCode::NoSuchAttribute),
        (CAROL, "uid", "carol", ResultCode::NoSuchObject),
        ("cn=x,dc=elsewhere", "cn", "x", ResultCode::NoSuchObject),
        ("no name", "cn", "x", ResultCode::InvalidDnSyntax),
        ("", "supportedLDAPVersion", "3", ResultCode::CompareTrue),
        ("", "supportedLDAPVersion", "2", ResultCode::CompareFalse),
        ("", "cn", "x", ResultCode::NoSuchAttribute),
        ("cn=subschema", "cn", "subschema", ResultCode::CompareTrue),
    ];
    for (dn, attribute, value, expected) in cases {
        let answer = client.compare(dn, attribute, value);
        assert_eq!(answer.code(), expected, "{dn} {attribute}={value}: {}", answer.text());
    }
}

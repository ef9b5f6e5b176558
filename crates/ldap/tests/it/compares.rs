//! Compare.

use netinfo_wire::ldap::ResultCode;

use crate::support::{PASSWORD, Place};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";

#[test]
fn who_reads_hashes_can_compare_passwords() {
    let place = Place::new();
    let mut admin = place.admin();
    assert_eq!(admin.compare(ALICE, "userPassword", PASSWORD).code(), ResultCode::CompareTrue);
    assert_eq!(admin.compare(ALICE, "2.5.4.35", PASSWORD).code(), ResultCode::CompareTrue);
    assert_eq!(admin.compare(ALICE, "userPassword", "wrong").code(), ResultCode::CompareFalse);
    assert_eq!(admin.compare(ALICE, "userPassword", "").code(), ResultCode::CompareFalse);
    let hash = format!("{{CRYPT}}{}", place.value(&["users", "alice"], "passwd").unwrap());
    assert_eq!(admin.compare(ALICE, "userPassword", &hash).code(), ResultCode::CompareTrue);
    assert_eq!(admin.compare(ALICE, "userPassword", "{CRYPT}x").code(), ResultCode::CompareFalse);
    // Without a password there is nothing to compare with.
    let staff = "cn=staff,cn=groups,dc=example,dc=com";
    assert_eq!(admin.compare(staff, "userPassword", "x").code(), ResultCode::NoSuchAttribute);
}

#[test]
fn to_others_passwords_are_not_there() {
    let place = Place::new();
    for mut client in [place.client(), place.user("alice"), place.user("bob")] {
        let right = client.compare(ALICE, "userPassword", PASSWORD);
        let wrong = client.compare(ALICE, "userPassword", "wrong");
        assert_eq!((right.code(), right.text()), (wrong.code(), wrong.text()));
        assert!(![ResultCode::CompareTrue, ResultCode::CompareFalse].contains(&right.code()), "{right:?}");
    }
}

#[test]
fn entries_are_of_the_classes_that_theirs_are_made_of() {
    let place = Place::new();
    let mut admin = place.admin();
    let cases = [
        ("inetOrgPerson", ResultCode::CompareTrue),
        ("person", ResultCode::CompareTrue),
        ("2.5.6.6", ResultCode::CompareTrue),
        ("top", ResultCode::CompareTrue),
        ("device", ResultCode::CompareFalse),
        // Where entries may have any class.
        ("noSuchClass", ResultCode::CompareFalse),
    ];
    for (class, code) in cases {
        assert_eq!(admin.compare(ALICE, "objectClass", class).code(), code, "{class}");
    }
    assert_eq!(admin.compare(ALICE, "sn", "").code(), ResultCode::InvalidAttributeSyntax);
    place.set("_schema", ["strict"]);
    let code = admin.compare(ALICE, "objectClass", "noSuchClass").code();
    assert_eq!(code, ResultCode::InvalidAttributeSyntax);
}

//! Renaming and moving.

use netinfo_wire::ldap::ResultCode;

use crate::support::Place;

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";

#[test]
fn rename() {
    let place = Place::new();
    let mut admin = place.admin();
    assert_eq!(admin.rename(ALICE, "uid=bob", true, None).code(), ResultCode::EntryAlreadyExists);
    assert_eq!(admin.rename(ALICE, "uid=eve", true, None).code(), ResultCode::Success);
    assert_eq!(place.values(&["users", "eve"], "name"), ["eve"]);
    let eve = "uid=eve,cn=users,dc=example,dc=com";
    assert_eq!(admin.rename(eve, "uid=alice", false, None).code(), ResultCode::Success);
    assert_eq!(place.values(&["users", "alice"], "name"), ["alice", "eve"]);
    for bad in ["", "uid", "uid=a,cn=b", "=x"] {
        assert_eq!(admin.rename(ALICE, bad, true, None).code(), ResultCode::InvalidDnSyntax, "{bad}");
    }
    let answer = admin.rename("uid=nobody,cn=users,dc=example,dc=com", "uid=x", true, None);
    assert_eq!(
        (answer.code(), &answer.matched()[..]),
        (ResultCode::NoSuchObject, "cn=users,dc=example,dc=com")
    );
    assert_eq!(admin.rename("", "uid=x", true, None).code(), ResultCode::UnwillingToPerform);
}

#[test]
fn move_below_another_entry() {
    let place = Place::new();
    let mut admin = place.admin();
    for dn in ["ou=one,dc=example,dc=com", "ou=two,dc=example,dc=com", "ou=inner,ou=one,dc=example,dc=com"] {
        let answer = admin.add(dn, &[("objectClass", &["organizationalUnit"])]);
        assert_eq!(answer.code(), ResultCode::Success, "{dn}: {}", answer.text());
    }
    let inner = "ou=inner,ou=one,dc=example,dc=com";
    let answer = admin.rename(inner, "ou=moved", true, Some("ou=two,dc=example,dc=com"));
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    assert_eq!(
        admin.compare("ou=moved,ou=two,dc=example,dc=com", "ou", "moved").code(),
        ResultCode::CompareTrue
    );
    assert_eq!(admin.compare(inner, "ou", "inner").code(), ResultCode::NoSuchObject);
    // Not below itself, not to nowhere, not to another domain.
    let two = "ou=two,dc=example,dc=com";
    let below = admin.rename(two, "ou=two", true, Some("ou=moved,ou=two,dc=example,dc=com"));
    assert!(!below.code().is_success());
    let nowhere = admin.rename(two, "ou=two", true, Some("ou=none,dc=example,dc=com"));
    assert_eq!(nowhere.code(), ResultCode::NoSuchObject);
    let other = place.node.create_master("network", crate::support::NOW).unwrap();
    assert!(place.engine.set_domains([place.domain.clone(), other]).is_empty());
    let elsewhere = admin.rename(two, "ou=two", true, Some("dc=network"));
    assert_eq!(elsewhere.code(), ResultCode::AffectsMultipleDsas);
}

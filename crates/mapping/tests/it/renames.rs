//! Renaming and moving.

use netinfo_directory::ROOT;

use crate::support::{ALICE, Fixture, refused};

fn fixture() -> Fixture {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    fixture.directory(users, ALICE);
    fixture.directory(users, &[("name", &["bob"])]);
    fixture
}

const ALICE_DN: &str = "uid=alice,cn=users,dc=example,dc=com";

#[test]
fn a_new_name_comes_first() {
    let fixture = fixture();
    let alice = fixture.object(ALICE_DN);
    fixture.rename(ALICE_DN, "uid=alicia", false, None).unwrap();
    let dn = "uid=alicia,cn=users,dc=example,dc=com";
    assert_eq!(fixture.dn(alice), dn);
    assert_eq!(fixture.property(dn, "name"), ["alicia", "alice", "al"]);
    assert_eq!(fixture.find(ALICE_DN), Some(alice), "an alias");
    fixture.rename(dn, "uid=AL", true, None).unwrap();
    assert_eq!(fixture.property("uid=al,cn=users,dc=example,dc=com", "name"), ["AL", "alice"]);
    refused!(fixture.rename(ALICE_DN, "uid=bob", true, None), EntryAlreadyExists);
    refused!(fixture.rename(ALICE_DN, "uid=a,uid=b", true, None), InvalidDnSyntax);
    refused!(fixture.rename(ALICE_DN, "dSID=3", true, None), NamingViolation);
    refused!(fixture.rename("dc=example,dc=com", "dc=other", true, None), UnwillingToPerform);
    refused!(fixture.rename("cn=users,dc=example,dc=com", "cn=people", true, None), UnwillingToPerform);
}

#[test]
fn other_attributes_can_be_names() {
    let fixture = fixture();
    let alice = fixture.object(ALICE_DN);
    fixture.rename(ALICE_DN, "cn=Alice Liddell", false, None).unwrap();
    let dn = "cn=Alice Liddell,cn=users,dc=example,dc=com";
    assert_eq!(fixture.dn(alice), dn);
    assert_eq!(fixture.property(dn, "_rdn"), ["realname"]);
    assert_eq!(fixture.values(dn, "uid"), ["alice", "al"]);
    fixture.rename(dn, "uid=alice+cn=Alice", true, None).unwrap();
    assert_eq!(fixture.dn(alice), "uid=alice+cn=Alice,cn=users,dc=example,dc=com");
    assert_eq!(fixture.find("CN=alice + UID=ALICE,ou=people,dc=example,dc=com"), Some(alice));
    fixture.rename(&fixture.dn(alice), "uid=alice", false, None).unwrap();
    assert_eq!(fixture.dn(alice), ALICE_DN);
    assert_eq!(fixture.property(ALICE_DN, "_rdn"), [""; 0]);
}

#[test]
fn entries_move_with_all_below_them() {
    let fixture = fixture();
    let (a, b) = ("ou=a,dc=example,dc=com", "ou=b,dc=example,dc=com");
    for dn in [a, b, "ou=x,ou=a,dc=example,dc=com", "cn=y,ou=x,ou=a,dc=example,dc=com"] {
        fixture.add(dn, &[("objectClass", &["extensibleObject"])]).unwrap();
    }
    let y = fixture.object("cn=y,ou=x,ou=a,dc=example,dc=com");
    fixture.rename("ou=x,ou=a,dc=example,dc=com", "ou=z", true, Some(b)).unwrap();
    assert_eq!(fixture.dn(y), "cn=y,ou=z,ou=b,dc=example,dc=com");
    assert_eq!(fixture.find("ou=x,ou=a,dc=example,dc=com"), None);
    refused!(fixture.rename(b, "ou=b", true, Some("ou=z,ou=b,dc=example,dc=com")), UnwillingToPerform);
    refused!(fixture.rename(b, "ou=b", true, Some("ou=nowhere,dc=example,dc=com")), NoSuchObject);
    refused!(fixture.rename(b, "ou=b", true, Some("dc=other")), AffectsMultipleDsas);
    fixture.rename(a, "ou=a", true, Some(b)).unwrap();
    assert!(fixture.find("ou=a,ou=b,dc=example,dc=com").is_some());
}

#[test]
fn attributes_keep_their_meaning_where_properties_have_another() {
    let fixture = fixture();
    let before = fixture.entry(ALICE_DN);
    fixture.add("ou=former,dc=example,dc=com", &[("objectClass", &["organizationalUnit"])]).unwrap();
    fixture.rename(ALICE_DN, "uid=alice", true, Some("ou=former,dc=example,dc=com")).unwrap();
    let dn = "uid=alice,ou=former,dc=example,dc=com";
    let sorted = |mut entry: Vec<(String, Vec<String>)>| {
        // Where she is now, no classes follow from the place, and nothing is demanded.
        entry.retain(|(name, _)| name != "objectClass" && name != "sn");
        entry.sort();
        entry
    };
    assert_eq!(sorted(fixture.entry(dn)), sorted(before.clone()));
    assert_eq!(fixture.property(dn, "uid"), ["alice", "al"]);
    assert_eq!(fixture.property(dn, "_writers_passwd"), ["alice"]);
    assert_eq!(fixture.property(dn, "passwd"), ["Ld.S3BQsQ.tRo"]);
    fixture.rename(dn, "uid=alice", true, Some("cn=users,dc=example,dc=com")).unwrap();
    assert_eq!(sorted(fixture.entry(ALICE_DN)), sorted(before));
}

#[test]
fn netinfo_knows_entries_by_their_first_name() {
    let fixture = Fixture::example(&[]);
    fixture.add("ou=contacts,dc=example,dc=com", &[("objectClass", &["organizationalUnit"])]).unwrap();
    let dn = "ou=contacts,dc=example,dc=com";
    assert_eq!(fixture.property(dn, "name"), ["contacts"]);
    assert_eq!(fixture.values(dn, "cn"), [""; 0]);
    fixture.rename(dn, "ou=people we know", true, None).unwrap();
    let dn = "ou=people we know,dc=example,dc=com";
    assert_eq!(fixture.property(dn, "name"), ["people we know"]);
    fixture.rename(dn, "cn=friends", false, None).unwrap();
    let dn = "cn=friends,dc=example,dc=com";
    assert_eq!(fixture.property(dn, "name"), ["friends"]);
    assert_eq!(fixture.values(dn, "ou"), ["people we know"]);
    fixture.rename(dn, "ou=friends", false, None).unwrap();
    let dn = "ou=friends,dc=example,dc=com";
    assert_eq!(fixture.values(dn, "cn"), ["friends"]);
    assert_eq!(fixture.values(dn, "ou"), ["friends", "people we know"]);
}

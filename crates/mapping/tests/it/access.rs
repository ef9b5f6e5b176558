//! What entries show to whom.

use netinfo_directory::{Credentials, Origin, ROOT};
use netinfo_mapping::{Namespace, Selection};

use crate::support::{ALICE, Fixture, listed};

#[test]
fn only_the_entitled_see_passwords() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    let alice = fixture.directory(users, ALICE);
    let stranger = fixture.domain.authenticate(Credentials::None, Origin::Local { uid: 12345 }).unwrap();
    let view = fixture.domain.read(&stranger).unwrap();
    let namespace = Namespace::new(&view, "local").unwrap();
    let tree = namespace.tree(&view);
    let entry = tree.entry(alice).unwrap();
    assert!(!listed(&entry).iter().any(|(name, _)| name == "userPassword"));
    let wanted = namespace.wanted("userPassword").unwrap();
    assert!(!entry.has(&wanted).unwrap());
    assert!(
        fixture.entry("uid=alice,cn=users,dc=example,dc=com").iter().any(|(name, _)| name == "userPassword")
    );
}

#[test]
fn searches_return_what_they_ask_for() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    let alice = fixture.directory(users, ALICE);
    fixture.see(|tree| {
        let entry = tree.entry(alice).unwrap();
        let names = |requested: &[&str]| {
            let selection = Selection::new(tree.namespace(), requested.iter().map(|text| text.as_bytes()));
            let attributes = entry.select(&selection).unwrap();
            attributes.iter().map(|one| one.description().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&["uid"]), "uid");
        assert_eq!(names(&["UIDNUMBER", "nothing", "a b"]), "uidNumber");
        assert_eq!(names(&["name"]), "cn sn", "subtypes");
        assert_eq!(names(&["1.1"]), "");
        assert_eq!(names(&["sn"]), "sn", "what is made up");
        assert_eq!(names(&["entryUUID", "dSID"]), "entryUUID dSID");
        assert_eq!(names(&["@account"]), "objectClass uid");
        assert!(names(&[]).starts_with("objectClass uid userPassword uidNumber"));
        assert_eq!(names(&[]), names(&["*"]));
        let operational = names(&["+"]);
        assert!(operational.starts_with("structuralObjectClass entryUUID"), "{operational}");
        assert!(!operational.contains("uidNumber"));
        assert_eq!(names(&["*", "+"]), format!("{} {operational}", names(&[])));
    });
}

#[test]
fn rules_may_call_properties_as_ldap_does() {
    Fixture::example(&[]).see(|tree| {
        let of = |name: &str| {
            let names = tree.namespace().properties_of(name).into_iter();
            names.map(|name| String::from_utf8(name).unwrap()).collect::<Vec<_>>()
        };
        assert!(of("telephonenumber").contains(&"phonenumber".to_owned()));
        assert!(of("uidNumber").contains(&"uid".to_owned()));
        assert!(of("userPassword").contains(&"passwd".to_owned()));
        assert!(of("memberuid").contains(&"users".to_owned()));
        assert!(!of("name").contains(&"cn".to_owned()), "subtypes are not meant");
        assert!(of("noSuchAttribute").is_empty() && of("").is_empty() && of("a b").is_empty());
    });
}

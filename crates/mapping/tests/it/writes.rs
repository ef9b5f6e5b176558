//! Additions, modifications, deletions.

use netinfo_directory::ROOT;
use netinfo_mapping::write::{self, Operation::*};

use crate::support::{ALICE, Fixture, matched, refused};

const SUFFIX: &str = "dc=example,dc=com";

fn with_alice(settings: &[(&str, &[&str])]) -> (Fixture, u32) {
    let fixture = Fixture::example(settings);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    let alice = fixture.directory(users, ALICE);
    (fixture, alice)
}

const DN: &str = "uid=alice,cn=users,dc=example,dc=com";

#[test]
fn an_empty_full_name_is_none() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(0, &[("name", &["users"])]);
    fixture.directory(users, &[("name", &["_apt"]), ("uid", &["42"]), ("realname", &[""])]);
    let dn = "uid=_apt,cn=users,dc=example,dc=com";
    assert_eq!(fixture.values(dn, "cn"), ["_apt"], "the class demands one");
    assert_eq!(fixture.values(dn, "sn"), ["_apt"]);
}

#[test]
fn a_user_of_netinfo_is_an_entry() {
    let (fixture, alice) = with_alice(&[]);
    let entry = fixture.entry(DN);
    let value = |name: &str| {
        let found = entry.iter().find(|(known, _)| known == name);
        found.map(|(_, values)| values.join("|")).unwrap_or_default()
    };
    assert_eq!(value("objectClass"), "inetOrgPerson|posixAccount|shadowAccount|apple-user|extensibleObject");
    assert_eq!(value("uid"), "alice|al");
    assert_eq!(value("userPassword"), "{CRYPT}Ld.S3BQsQ.tRo");
    assert_eq!(value("uidNumber"), "5001");
    assert_eq!(value("cn"), "Alice Liddell");
    assert_eq!(value("sn"), "Liddell", "made up: the class demands it");
    assert!(!entry.iter().any(|(name, _)| name.contains("writers")));
    let operational = |name: &str| fixture.values(DN, name).join("|");
    assert_eq!(operational("entryDN"), DN);
    assert_eq!(operational("dSID"), alice.to_string());
    assert_eq!(operational("structuralObjectClass"), "inetOrgPerson");
    assert_eq!(operational("subschemaSubentry"), "cn=Subschema");
    assert_eq!(operational("hasSubordinates"), "FALSE");
    assert_eq!(operational("numSubordinates"), "0");
    assert_eq!(operational("createTimestamp"), "20270115080000Z");
    assert_eq!(operational("modifyTimestamp"), "20270115080000Z");
    assert_eq!(operational("creatorsName"), "cn=root,dc=example,dc=com");
    assert_eq!(operational("entryUUID").len(), 36);
    assert_eq!(operational("nISerialNumber"), "0");
}

#[test]
fn incomplete_users_have_what_their_classes_demand() {
    let fixture = Fixture::example(&[]);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    fixture.directory(users, &[("name", &["bare"])]);
    fixture.directory(users, &[("name", &["number"]), ("uid", &["-2"])]);
    let dn = "uid=bare,cn=users,dc=example,dc=com";
    assert_eq!(
        fixture.values(dn, "objectClass"),
        ["inetOrgPerson", "shadowAccount", "apple-user", "extensibleObject"]
    );
    assert_eq!(fixture.values(dn, "cn"), ["bare"]);
    assert_eq!(fixture.values(dn, "sn"), ["bare"]);
    assert_eq!(fixture.values(dn, "gidNumber"), [""; 0]);
    let dn = "uid=number,cn=users,dc=example,dc=com";
    assert_eq!(fixture.values(dn, "uidNumber"), ["4294967294"]);
    assert_eq!(fixture.values(dn, "gidNumber"), ["4294967294"]);
    assert_eq!(fixture.values(dn, "homeDirectory"), ["/var/empty"]);
    assert_eq!(fixture.values(dn, "name"), ["number", "number"], "subtypes: cn and sn that are made up");
}

#[test]
fn additions_are_checked() {
    let (fixture, _) = with_alice(&[]);
    let add = |dn: &str, attributes: &[(&str, &[&str])]| fixture.add(dn, attributes);
    let person: (&str, &[&str]) = ("objectClass", &["inetOrgPerson"]);
    refused!(add(DN, &[person]), EntryAlreadyExists);
    refused!(add("uid=AL,ou=people,dc=example,dc=com", &[person]), EntryAlreadyExists);
    refused!(add("uid=x,cn=users,dc=example,dc=org", &[person]), NoSuchObject);
    refused!(add("no name", &[person]), InvalidDnSyntax);
    let users = fixture.object("cn=users,dc=example,dc=com");
    assert_eq!(matched(add("cn=a,cn=b,cn=users,dc=example,dc=com", &[person])), Some(users));
    let dn = "uid=new,cn=users,dc=example,dc=com";
    refused!(add(dn, &[("uidNumber", &["twelve"])]), InvalidAttributeSyntax);
    refused!(add(dn, &[("uidNumber", &["1", "2"])]), ConstraintViolation);
    refused!(add(dn, &[("mail", &["a@b", "A@B"])]), AttributeOrValueExists);
    refused!(add(dn, &[("mail", &["a@b"]), ("rfc822Mailbox", &["c@d"])]), AttributeOrValueExists);
    refused!(add(dn, &[("mail", &[])]), ConstraintViolation);
    refused!(add(dn, &[("a b", &["x"])]), UndefinedAttributeType);
    refused!(add(dn, &[("entryUUID", &["597ae2f6-16a6-1027-98f4-d28b5365dc14"])]), ConstraintViolation);
    refused!(add(dn, &[("userPassword", &["clear"])]), ConstraintViolation);
    refused!(add(dn, &[("userPassword;x-a", &["{SSHA}abc"])]), ConstraintViolation);
    for name in ["dSID=7", "entryDN=x", "userPassword=x", "objectClass=top"] {
        refused!(add(&format!("{name},cn=users,{SUFFIX}"), &[person]), NamingViolation);
    }
    refused!(add("uid=,cn=users,dc=example,dc=com", &[person]), InvalidDnSyntax);
    refused!(add("uid=a+UID=b,cn=users,dc=example,dc=com", &[person]), NamingViolation);
    assert!(fixture.add(dn, &[person, ("favouriteColour", &["blue"])]).is_ok());
    assert_eq!(fixture.values(dn, "uid"), ["new"], "the name is an attribute");
    assert_eq!(fixture.values(dn, "FAVOURITECOLOUR"), ["blue"]);
}

#[test]
fn strict_domains_want_classes_and_their_attributes() {
    let (fixture, _) = with_alice(&[("_schema", &["strict"])]);
    let dn = "uid=new,cn=users,dc=example,dc=com";
    let add = |attributes: &[(&str, &[&str])]| fixture.add(dn, attributes);
    refused!(add(&[("cn", &["x"])]), ObjectClassViolation);
    let person: (&str, &[&str]) = ("objectClass", &["inetOrgPerson"]);
    refused!(add(&[person, ("cn", &["x"])]), ObjectClassViolation);
    refused!(add(&[person, ("cn", &["x"]), ("sn", &["y"]), ("uidNumber", &["1"])]), ObjectClassViolation);
    refused!(add(&[person, ("cn", &["x"]), ("sn", &["y"]), ("colour", &["1"])]), UndefinedAttributeType);
    refused!(add(&[("objectClass", &["nothing"])]), InvalidAttributeSyntax);
    add(&[person, ("cn", &["x"]), ("sn", &["y"])]).unwrap();
    refused!(fixture.modify(dn, &[(Delete, "sn", &[])]), ObjectClassViolation);
    refused!(fixture.modify(dn, &[(Replace, "objectClass", &["device"])]), ObjectClassModsProhibited);
    refused!(
        fixture.modify(dn, &[(Replace, "objectClass", &["account", "extensibleObject"])]),
        ObjectClassModsProhibited
    );
    fixture
        .modify(
            dn,
            &[
                (Add, "objectClass", &["posixAccount"]),
                (Add, "uidNumber", &["7"]),
                (Add, "gidNumber", &["7"]),
                (Add, "homeDirectory", &["/"]),
            ],
        )
        .unwrap();
    // What came otherwise than through these checks can still be changed.
    fixture.modify(DN, &[(Replace, "loginShell", &["/bin/zsh"])]).unwrap();
}

#[test]
fn values_come_and_go() {
    let (fixture, alice) = with_alice(&[]);
    let modify = |steps: &[(write::Operation, &str, &[&str])]| fixture.modify(DN, steps);
    modify(&[(Add, "mail", &["a@example.com", "b@example.com"])]).unwrap();
    refused!(modify(&[(Add, "mail", &["A@Example.com"])]), AttributeOrValueExists);
    refused!(modify(&[(Delete, "mail", &["c@example.com"])]), NoSuchAttribute);
    modify(&[(Delete, "mail", &["B@EXAMPLE.com"])]).unwrap();
    assert_eq!(fixture.values(DN, "mail"), ["a@example.com"]);
    modify(&[(Delete, "mail", &["a@example.com"])]).unwrap();
    refused!(modify(&[(Delete, "mail", &[])]), NoSuchAttribute);
    modify(&[(Replace, "mail", &[])]).unwrap();
    modify(&[(Replace, "description", &["one", "two"]), (Add, "description", &["three"])]).unwrap();
    assert_eq!(fixture.property(DN, "comment"), ["one", "two", "three"]);
    refused!(modify(&[(Add, "loginShell", &["/bin/zsh"])]), ConstraintViolation);
    refused!(modify(&[(Add, "mail", &[])]), Protocol);
    modify(&[(Delete, "loginShell", &["/bin/sh"]), (Add, "loginShell", &["/bin/zsh"])]).unwrap();
    assert_eq!(fixture.property(DN, "shell"), ["/bin/zsh"]);
    modify(&[(Increment, "uidNumber", &["10"])]).unwrap();
    assert_eq!(fixture.values(DN, "uidNumber"), ["5011"]);
    refused!(modify(&[(Increment, "cn", &["1"])]), ConstraintViolation);
    refused!(modify(&[(Increment, "mail", &["1"])]), NoSuchAttribute);
    refused!(modify(&[(Increment, "uidNumber", &["9223372036854775807"])]), ConstraintViolation);
    modify(&[(Add, "cn;lang-de", &["Alice im Wunderland"])]).unwrap();
    assert_eq!(fixture.values(DN, "cn"), ["Alice Liddell", "Alice im Wunderland"]);
    assert_eq!(fixture.values(DN, "cn;lang-de"), ["Alice im Wunderland"]);
    assert_eq!(fixture.values(DN, "cn;lang-"), ["Alice im Wunderland"]);
    let many: Vec<String> = (0..500).map(|n| format!("{n}@example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    modify(&[(Add, "mail", &many)]).unwrap();
    modify(&[(Delete, "mail", &many[1..499])]).unwrap();
    assert_eq!(fixture.values(DN, "mail"), ["0@example.com", "499@example.com"]);
    assert_eq!(modify(&[(Replace, "mail", &["0@example.com", "499@example.com"])]).unwrap(), []);
    assert_eq!(fixture.object(DN), alice);
}

#[test]
fn the_name_of_an_entry_stays() {
    let (fixture, _) = with_alice(&[]);
    let modify = |steps: &[(write::Operation, &str, &[&str])]| fixture.modify(DN, steps);
    refused!(modify(&[(Delete, "uid", &["alice"])]), NotAllowedOnRdn);
    refused!(modify(&[(Delete, "uid", &[])]), NotAllowedOnRdn);
    refused!(modify(&[(Replace, "uid", &["bob"])]), NotAllowedOnRdn);
    modify(&[(Replace, "uid", &["bob", "Alice"])]).unwrap();
    assert_eq!(fixture.property(DN, "name"), ["Alice", "bob"]);
    modify(&[(Delete, "uid", &["bob"])]).unwrap();
    assert_eq!(fixture.dn(fixture.object(DN)), "uid=Alice,cn=users,dc=example,dc=com");
}

#[test]
fn classes_of_a_place_are_stored_when_they_are_changed() {
    let (fixture, _) = with_alice(&[]);
    fixture.modify(DN, &[(Add, "objectClass", &["ldapPublicKey"])]).unwrap();
    let classes = fixture.values(DN, "objectClass");
    assert_eq!(classes.len(), 6, "{classes:?}");
    assert_eq!(fixture.property(DN, "objectClass"), classes);
    refused!(fixture.modify(DN, &[(Add, "objectClass", &["POSIXACCOUNT"])]), AttributeOrValueExists);
}

#[test]
fn races_are_noticed_by_the_core() {
    let (fixture, alice) = with_alice(&[]);
    let step = |shell| {
        [write::Modification { operation: Replace, attribute: write::Given::new(b"loginShell", [shell]) }]
    };
    let first = fixture.see(|tree| write::modify(tree, alice, &step(&b"/bin/a"[..]), false)).unwrap();
    let second = fixture.see(|tree| write::modify(tree, alice, &step(&b"/bin/b"[..]), false)).unwrap();
    fixture.write(first);
    let result = fixture.domain.write_blocking(&fixture.root, second, 1);
    assert!(matches!(result, Err(netinfo_directory::Error::Stale)));
}

#[test]
fn values_can_be_unique() {
    let (fixture, _) = with_alice(&[("_unique", &["uidNumber", "mail"])]);
    let dn = "uid=bob,cn=users,dc=example,dc=com";
    refused!(fixture.add(dn, &[("uidNumber", &["5001"])]), ConstraintViolation);
    fixture.add(dn, &[("uidNumber", &["5002"]), ("mail", &["bob@example.com"])]).unwrap();
    refused!(fixture.modify(DN, &[(Replace, "uidNumber", &["5002"])]), ConstraintViolation);
    refused!(fixture.modify(DN, &[(Add, "mail", &["BOB@example.com"])]), ConstraintViolation);
    fixture.modify(dn, &[(Replace, "uidNumber", &["5002"])]).unwrap();
    fixture.directory(ROOT, &[("name", &["computers"])]);
    fixture.add("cn=c,cn=computers,dc=example,dc=com", &[("uidNumber", &["5002"])]).unwrap();
}

#[test]
fn leaves_are_removed_and_trees_when_it_is_asked() {
    let (fixture, _) = with_alice(&[]);
    let users = fixture.object("cn=users,dc=example,dc=com");
    refused!(fixture.delete("cn=users,dc=example,dc=com"), NotAllowedOnNonLeaf);
    refused!(fixture.delete(SUFFIX), NotAllowedOnNonLeaf);
    fixture.delete(DN).unwrap();
    assert_eq!(fixture.find(DN), None);
    for name in ["a", "b"] {
        let child = fixture.directory(users, &[("name", &[name])]);
        fixture.directory(child, &[("name", &["below"])]);
    }
    refused!(fixture.attempt(|tree| write::delete_tree(tree, ROOT, 100)), UnwillingToPerform);
    refused!(fixture.attempt(|tree| write::delete_tree(tree, users, 4)), UnwillingToPerform);
    fixture.attempt(|tree| write::delete_tree(tree, users, 5)).unwrap();
    assert_eq!(fixture.find("cn=users,dc=example,dc=com"), None);
}

#[test]
fn the_root_is_added_once() {
    let fixture = Fixture::example(&[]);
    let attributes: &[(&str, &[&str])] =
        &[("objectClass", &["organization", "dcObject"]), ("o", &["Example"])];
    assert_eq!(fixture.values(SUFFIX, "objectClass"), ["domain", "extensibleObject"]);
    assert_eq!(fixture.values(SUFFIX, "dc"), ["example"]);
    fixture.add(SUFFIX, attributes).unwrap();
    assert_eq!(fixture.values(SUFFIX, "objectClass"), ["organization", "dcObject"]);
    assert_eq!(fixture.values(SUFFIX, "dc"), ["example"]);
    assert_eq!(fixture.property(SUFFIX, "master"), ["host/local"]);
    refused!(fixture.add(SUFFIX, attributes), EntryAlreadyExists);
}

#[test]
fn secrets_stay_among_secrets() {
    let (fixture, _) = with_alice(&[]);
    fixture.modify(DN, &[(Replace, "userPassword", &["{CRYPT}$6$a$b"])]).unwrap();
    assert_eq!(fixture.property(DN, "passwd"), ["$6$a$b"]);
    let view = fixture.domain.read(&fixture.root).unwrap();
    let record = view.record(fixture.object(DN)).unwrap();
    assert!(record.properties().all(|property| property.secret == (property.name == b"passwd")));
    fixture.directory(ROOT, &[("name", &["things"])]);
    let dn = "cn=thing,cn=things,dc=example,dc=com";
    fixture.add(dn, &[("userPassword", &["{SSHA}abc"]), ("passwd", &["not one"])]).unwrap();
    assert_eq!(fixture.property(dn, "passwd"), ["{SSHA}abc"]);
    assert_eq!(fixture.values(dn, "passwd"), ["not one"]);
}

//! Whole organisations put in the place of what is there.

use std::collections::BTreeMap;

use netinfo_directory::{Id, ROOT, TransferObject};
use netinfo_mapping::transfer::Loader;
use netinfo_mapping::write::Given;
use netinfo_mapping::{Namespace, Reason};
use netinfo_testkit::ldif;
use proptest::prelude::*;

use crate::organisation::{HASHED, normal, read};
use crate::support::Fixture;

fn given(entry: &ldif::Entry) -> Vec<Given<'_>> {
    let attributes = entry.attributes.iter();
    attributes
        .map(|(description, values)| Given::new(description.as_bytes(), values.iter().map(Vec::as_slice)))
        .collect()
}

#[test]
fn a_loaded_organisation_is_the_one_that_was_exported() {
    let fixture = Fixture::example(&[("_layout", &["rfc2307"])]);
    let mut entries = ldif::entries("ldif/org.ldif");
    let known = [
        ("entryUUID", "597AE2F6-16A6-1027-98F4-D28B5365DC14"),
        ("createTimestamp", "20200102030405Z"),
        ("modifyTimestamp", "20210102030405.6Z"),
        ("creatorsName", "cn=Manager,dc=example,dc=com"),
        ("entryCSN", "20210102030405.600000Z#000000#000#000000"),
        ("structuralObjectClass", "inetOrgPerson"),
    ];
    let alice = entries.iter_mut().find(|entry| entry.dn.starts_with("uid=alice,")).unwrap();
    let added = known.map(|(name, value)| (name.to_owned(), vec![value.as_bytes().to_vec()]));
    alice.attributes.extend(added);

    let view = fixture.domain.read(&fixture.root).unwrap();
    let namespace = Namespace::new(&view, "local").unwrap();
    let tree = namespace.tree(&view);
    let mut loader = Loader::new(&tree);
    let mut objects: BTreeMap<u32, TransferObject> = BTreeMap::new();
    let mut warnings = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let object = number as u32;
        let loaded = loader.load(object, entry.dn.as_bytes(), given(entry)).unwrap();
        warnings.extend(loaded.warnings);
        if object != ROOT {
            objects.get_mut(&loaded.parent).unwrap().children.push(object);
        }
        objects.insert(
            object,
            TransferObject {
                id: Id { object, instance: 0 },
                parent: loaded.parent,
                children: Vec::new(),
                properties: loaded.properties,
                stamp: loaded.stamp,
            },
        );
    }
    assert_eq!(warnings, ["userPassword: a password in the clear is left out"]);
    drop(view);
    let mut objects = objects.into_values();
    fixture.domain.replace(&fixture.root, move || Ok(objects.next())).unwrap();

    for entry in &entries {
        let (_, attributes) = read(&fixture, &entry.dn);
        let mut expected = entry.attributes.clone();
        expected.retain(|(name, _)| !known.iter().any(|(operational, _)| name == operational));
        let mut expected = normal(&expected);
        expected.retain(|(name, values)| name != "userPassword" || values[0] != HASHED);
        let mut told = normal(&attributes);
        let names: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
        if entry.dn == "dc=example,dc=com" {
            told.retain(|(name, _)| names.contains(name));
        }
        for attributes in [&mut expected, &mut told] {
            attributes.iter_mut().for_each(|(_, values)| values.sort());
        }
        assert_eq!(told, expected, "{}", entry.dn);
    }
    let dn = "uid=alice,ou=people,dc=example,dc=com";
    assert_eq!(fixture.values(dn, "entryUUID"), ["597ae2f6-16a6-1027-98f4-d28b5365dc14"]);
    assert_eq!(fixture.values(dn, "createTimestamp"), ["20200102030405Z"]);
    assert_eq!(fixture.values(dn, "modifyTimestamp"), ["20210102030405Z"]);
    assert_eq!(fixture.values(dn, "creatorsName"), ["cn=Manager,dc=example,dc=com"]);
    assert_eq!(fixture.property("cn=board,ou=groups,dc=example,dc=com", "users"), ["alice", "grace"]);
}

#[test]
fn entries_that_cannot_be_placed_are_refused() {
    let fixture = Fixture::example(&[]);
    let view = fixture.domain.read(&fixture.root).unwrap();
    let namespace = Namespace::new(&view, "local").unwrap();
    let tree = namespace.tree(&view);
    let mut loader = Loader::new(&tree);
    let class = [Given::new(b"objectClass", [&b"device"[..]])];
    let mut load = |dn: &str| {
        loader.load(1, dn.as_bytes(), class.to_vec()).map(|loaded| loaded.parent).map_err(|e| e.reason)
    };
    assert!(matches!(load("cn=a,cn=b,dc=example,dc=com"), Err(Reason::NoSuchObject)));
    assert!(matches!(load("cn=a,dc=other"), Err(Reason::NoSuchObject)));
    assert!(matches!(load("cn"), Err(Reason::InvalidDnSyntax)));
    assert!(matches!(load("cn=a,dc=example,dc=com"), Ok(ROOT)));
    assert!(matches!(load("CN=A, dc=example, dc=com"), Err(Reason::EntryAlreadyExists)));
    assert!(matches!(load("cn=b,cn=a,dc=example,dc=com"), Ok(1)));
}

/// An entry of the tests: the name, and attributes.
type Sample = (String, Vec<(&'static str, Vec<&'static str>)>);

fn shaped(entry: &Sample) -> Vec<Given<'_>> {
    let attributes = entry.1.iter();
    attributes
        .map(|(name, values)| Given::new(name.as_bytes(), values.iter().map(|value| value.as_bytes())))
        .collect()
}

/// Directories for entries to be below.
const CONTAINERS: [&str; 4] = ["ou=people", "ou=groups", "ou=hosts", "ou=contacts"];

fn with_containers(loader: &mut Loader<'_>) {
    for (container, object) in CONTAINERS.iter().zip(1u32..) {
        let dn = format!("{container},dc=example,dc=com");
        let class = [Given::new(b"objectClass", [&b"organizationalUnit"[..]])];
        loader.load(object, dn.as_bytes(), class.to_vec()).unwrap();
    }
}

fn attribute() -> impl Strategy<Value = (&'static str, Vec<&'static str>)> {
    let text =
        || proptest::collection::vec(proptest::sample::select(&["ana", "bo", "Ana", "x y", ""][..]), 0..3);
    let number =
        || proptest::collection::vec(proptest::sample::select(&["7", "007", "-2", "seven"][..]), 1..3);
    let of = |names: &'static [&'static str]| proptest::sample::select(names);
    prop_oneof![
        4 => (of(&["cn", "CN", "commonName", "uid", "2.5.4.3", "cn;lang-de", "sn", "mail", "home", "colour"]), text()),
        2 => (of(&["uidNumber", "gidNumber", "shadowMax"]), number()),
        1 => (Just("userPassword"), proptest::collection::vec(of(&["{CRYPT}x1", "{SSHA}abcd", "clear"]), 1..3)),
        1 => (Just("objectClass"), proptest::collection::vec(of(&["person", "account", "posixAccount", "nope"]), 1..3)),
        1 => (of(&["entryUUID", "createTimestamp", "creatorsName", "memberOf"]), proptest::collection::vec(
            of(&["597ae2f6-16a6-1027-98f4-d28b5365dc14", "20200102030405Z", "cn=a"]), 1..2)),
        1 => (of(&["ipHostNumber", "memberUid", "member"]), proptest::collection::vec(of(&["192.0.2.1", "::1", "cn=a"]), 1..3)),
    ]
}

fn entry() -> impl Strategy<Value = (usize, &'static str, Vec<(&'static str, Vec<&'static str>)>)> {
    let name = proptest::sample::select(
        &["uid=ana", "cn=ana", "cn=Ana", "CN=x y", "mail=bo", "uid=ana+cn=bo", "cn=ana\\,b"][..],
    );
    (0..CONTAINERS.len(), name, proptest::collection::vec(attribute(), 0..6))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn entries_like_others_become_what_they_would_alone(
        shapes in proptest::collection::vec(entry(), 1..4),
        turns in proptest::collection::vec((0usize..4, 0usize..4), 1..24),
        strict: bool,
    ) {
        let mode: (&str, &[&str]) = ("_schema", if strict { &["strict"] } else { &["open"] });
        let fixture = Fixture::example(&[("_layout", &["rfc2307"]), mode]);
        let view = fixture.domain.read(&fixture.root).unwrap();
        let namespace = Namespace::new(&view, "local").unwrap();
        let tree = namespace.tree(&view);
        let mut loader = Loader::new(&tree);
        with_containers(&mut loader);
        for (number, (shape, values)) in turns.into_iter().enumerate() {
            let (container, rdn, attributes) = &shapes[shape % shapes.len()];
            // The shape of one entry with the values of another, and now and then a name that was there before.
            let mut attributes = attributes.clone();
            attributes.iter_mut().for_each(|(_, list)| {
                let len = list.len().max(1);
                list.rotate_left(values % len);
            });
            let suffix = if values == 3 { String::new() } else { number.to_string() };
            let entry: Sample = (format!("{rdn}{suffix},{},dc=example,dc=com", CONTAINERS[*container]), attributes);
            let object = number as u32 + 10;
            let told = loader.load(object, entry.0.as_bytes(), shaped(&entry));
            let mut alone = Loader::new(&tree);
            with_containers(&mut alone);
            let expected = alone.load(object, entry.0.as_bytes(), shaped(&entry));
            match (told, expected) {
                (Ok(told), Ok(expected)) => prop_assert_eq!(told, expected, "{}", entry.0),
                (Err(told), Err(expected)) => prop_assert_eq!(told.message, expected.message),
                (Err(told), Ok(_)) if matches!(told.reason, Reason::EntryAlreadyExists) => {}
                (told, expected) => prop_assert!(false, "{:?} {:?}", told, expected.map_err(|e| e.message)),
            }
        }
    }
}

#[test]
fn entries_that_are_alike_take_the_short_way() {
    let fixture = Fixture::example(&[("_layout", &["rfc2307"])]);
    let view = fixture.domain.read(&fixture.root).unwrap();
    let namespace = Namespace::new(&view, "local").unwrap();
    let tree = namespace.tree(&view);
    let mut loader = Loader::new(&tree);
    with_containers(&mut loader);
    let user = |name: &'static str, number: &'static str| -> Sample {
        let attributes = vec![
            ("objectClass", vec!["inetOrgPerson", "posixAccount"]),
            ("uid", vec![name]),
            ("cn", vec!["Ana"]),
            ("sn", vec!["Lima"]),
            ("uidNumber", vec![number]),
            ("gidNumber", vec!["100"]),
            ("homeDirectory", vec!["/home/ana"]),
            ("entryUUID", vec!["597ae2f6-16a6-1027-98f4-d28b5365dc14"]),
        ];
        (format!("uid={name},ou=people,dc=example,dc=com"), attributes)
    };
    let mut short = |entry: &Sample| loader.load_alike(9, entry.0.as_bytes(), shaped(entry)).is_ok();
    assert!(!short(&user("a", "1")), "nobody has tried");
    loader.load(8, user("a", "1").0.as_bytes(), shaped(&user("a", "1"))).unwrap();
    let mut short = |entry: &Sample| loader.load_alike(9, entry.0.as_bytes(), shaped(entry)).is_ok();
    assert!(short(&user("b", "2")));
    assert!(!short(&user("b", "2")), "it is there");
    assert!(!short(&user("c", "two")), "a value is wrong");
    let named_otherwise: Sample = ("uid=d,ou=people,dc=example,dc=com".into(), user("e", "2").1);
    assert!(!short(&named_otherwise));
}

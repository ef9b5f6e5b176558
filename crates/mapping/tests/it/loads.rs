//! Whole organisations put in the place of what is there.

use std::collections::BTreeMap;

use netinfo_directory::{Id, ROOT, TransferObject};
use netinfo_mapping::transfer::Loader;
use netinfo_mapping::write::Given;
use netinfo_mapping::{Namespace, Reason};
use netinfo_testkit::ldif;

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

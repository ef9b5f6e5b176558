//! One property is changed, in either layout.

use netinfo_formats::nidb::{self, Database, StoreErrorKind, set_property};
use netinfo_testkit::nidb::unpack;

use super::fixtures::files;

#[test]
fn a_modern_folder_keeps_everything_else() {
    let (_directory, folder) = unpack("nidb/site");
    let before = Database::read(&folder).unwrap();
    assert!(set_property(&folder, 2, b"ip_address", Some(&[b"192.0.2.1".to_vec()])).unwrap());
    let after = Database::read(&folder).unwrap();
    assert_eq!(after.findings, []);
    let mut expected = before.directories[&2].clone();
    expected.instance += 1;
    expected.version = after.directories[&2].version;
    expected.properties.iter_mut().find(|(name, _)| name == b"ip_address").unwrap().1 =
        vec![b"192.0.2.1".to_vec()];
    assert!(after.directories[&2] == expected);
    assert_eq!(after.directories.len(), before.directories.len());
    // The byte order that was found is kept.
    assert_eq!(files(&folder)["Clean"], after.checksum().to_le_bytes());
    assert!(!set_property(&folder, 2, b"none", None).unwrap());
    let refused = set_property(&folder, 2, b"_ni_attribute_order", Some(&[])).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::InvalidKey);
    assert!(files(&folder).contains_key("Index"), "it is closed all the same");
    assert_eq!(set_property(&folder, 4000, b"a", None).unwrap_err().kind(), StoreErrorKind::InvalidPath);
}

#[test]
fn a_folder_of_an_unknown_machine_gets_no_checksum() {
    let (_directory, folder) = unpack("nidb/dirty");
    assert!(set_property(&folder, 7, b"uid", None).unwrap());
    assert!(!files(&folder).contains_key("Clean"));
    assert_eq!(Database::read(&folder).unwrap().directories[&7].properties.len(), 1);
}

#[test]
fn a_legacy_folder_is_changed_in_its_slot() {
    let (_directory, folder) = unpack("nidb/oldfmt-before-upgrade");
    let before = (Database::read(&folder).unwrap(), files(&folder));
    let mut long = vec![vec![b'x'; 100]; 20];
    assert!(set_property(&folder, 4, b"note", Some(&long)).unwrap());
    let after = (Database::read(&folder).unwrap(), files(&folder));
    assert_eq!(after.0.findings, []);
    let mut expected = before.0.directories[&4].clone();
    expected.instance += 1;
    expected.properties.push((b"note".to_vec(), long.clone()));
    assert!(after.0.directories[&4] == expected);
    assert_eq!(after.1.keys().collect::<Vec<_>>(), ["Collection", "extension_4", "extension_6"]);
    // It shrinks again, into its slot.
    long.truncate(1);
    assert!(set_property(&folder, 4, b"note", Some(&long)).unwrap());
    assert!(set_property(&folder, 4, b"note", None).unwrap());
    assert!(!set_property(&folder, 4, b"note", None).unwrap());
    let last = files(&folder);
    assert_eq!(last.keys().collect::<Vec<_>>(), before.1.keys().collect::<Vec<_>>());
    let slots = last["Collection"].chunks(512).zip(before.1["Collection"].chunks(512));
    let changed: Vec<usize> =
        slots.enumerate().filter(|(_, (a, b))| a != b).map(|(number, _)| number).collect();
    assert_eq!(changed, [4]);
    assert_eq!(Database::read(&folder).unwrap().directories[&4].instance, expected.instance + 2);
    assert_eq!(set_property(&folder, 4, b"a", Some(&[b"x\0".to_vec()])).unwrap_err().code(), 2005);
    assert!(nidb::check(&folder).unwrap().is_sound());
}

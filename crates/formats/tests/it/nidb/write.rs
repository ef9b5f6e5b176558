//! Folders that are written, byte for byte and read again.

use std::collections::BTreeMap;
use std::path::Path;

use netinfo_formats::Loss;
use netinfo_formats::nidb::{
    ByteOrder, Database, Layout, MAX_LEGACY_ID, StoreErrorKind, WriteOptions, write_legacy, write_modern,
};
use netinfo_testkit::nidb;
use tempfile::TempDir;

use super::fixtures::{files, read};
use super::{database, example};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Bytes with zeros behind them.
fn padded(text: &str, length: usize) -> Vec<u8> {
    let mut bytes = hex(text);
    bytes.resize(length, 0);
    bytes
}

fn named(files: &[(&str, Vec<u8>)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect()
}

fn written(database: &Database, index_for: Option<ByteOrder>) -> BTreeMap<String, Vec<u8>> {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("local.nidb");
    let options = WriteOptions { index_for, ..WriteOptions::default() };
    assert_eq!(write_modern(database, &folder, options).unwrap(), []);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside");
    files(&folder)
}

const STORE_96: &str = "
    00000100 0000004b 00000000 00000004 00000006 00000000 00000001 00000001
    00000001 00000006 00000007 6d617374 65720000 00000100 00000600 0000106c
    6f63616c 686f7374 2f6c6f63 616c0000 00000000 00000000 00000000 00000000
    00000100 0000003f 00000001 00000002 00000003 00000000 00000001 00000002
    00000001 00000006 00000005 6e616d65 00000000 01000000 06000000 06757365
    72730000";

const STORE_160: &str = "
    00000100 0000007c 00000002 00000001 00000002 00000001 00000000 00000002
    00000006 00000005 6e616d65 00000000 01000000 06000000 04616e61 00000000
    06000000 04756964 00000000 01000000 06000000 04353031 00000000 01000000
    06000000 0f777269 74657273 5f706173 73776400 00000001 00000006 00000004
    616e6100";

const INDEX: &str = "
    00000000 00000006 00000060 00000000
    00000001 00000003 00000060 00000001
    00000002 00000002 000000a0 00000000";

#[test]
fn the_worked_example_is_written() {
    let stores = [
        ("Config", hex("00000001")),
        ("Store.96", padded(STORE_96, 192)),
        ("Store.160", padded(STORE_160, 160)),
    ];
    assert_eq!(written(&example(), None), named(&stores));
    for (order, clean) in [(ByteOrder::Big, "0000000b"), (ByteOrder::Little, "0b000000")] {
        let mut all = stores.to_vec();
        all.extend([("Index", hex(INDEX)), ("Clean", hex(clean))]);
        assert_eq!(written(&example(), Some(order)), named(&all));
    }
}

#[test]
fn the_smallest_database_is_written() {
    let smallest = database([(0, 1, 1, 0, &[], &[])]);
    let store = "00000100 0000001c 00000000 00000001 00000001";
    let index = "00000000 00000001 00000040 00000000";
    assert_eq!(
        written(&smallest, Some(ByteOrder::Big)),
        named(&[
            ("Config", hex("00000001")),
            ("Store.64", padded(store, 64)),
            ("Index", hex(index)),
            ("Clean", hex("00000001")),
        ])
    );
}

#[test]
fn a_mixed_order_of_properties_is_written() {
    let eve: &[(&str, &[&str])] = &[("_writers_passwd", &["eve"]), ("name", &["eve"]), ("uid", &["502"])];
    let tree = database([(0, 1, 2, 0, &[1], &[]), (1, 1, 3, 0, &[3], &[]), (3, 0, 7, 1, &[], eve)]);
    let store = "
        00000100 000000bf 00000003 00000000 00000007 00000001 00000000 00000002
        00000006 00000005 6e616d65 00000000 01000000 06000000 04657665 00000000
        06000000 04756964 00000000 01000000 06000000 04353032 00000000 02000000
        06000000 0f777269 74657273 5f706173 73776400 00000001 00000006 00000004
        65766500 00000006 00000013 6e695f61 74747269 62757465 5f6f7264 65720000
        00000300 00000300 00000400 00000100 00000300 00000400 00000200 00000300
        00000400 000000";
    assert_eq!(written(&tree, None)["Store.224"], padded(store, 224));
}

#[test]
fn a_legacy_folder_is_converted_as_by_the_server() {
    let (_directory, after) = nidb::unpack("nidb/oldfmt-after-upgrade");
    let mut expected = files(&after);
    expected.retain(|name, _| !["Collection", "extension_6"].contains(&name.as_str()));
    assert!(written(&read("nidb/oldfmt-before-upgrade"), Some(ByteOrder::Little)) == expected);
}

#[test]
fn a_legacy_folder_is_written() {
    let (_directory, before) = nidb::unpack("nidb/oldfmt-before-upgrade");
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("local.nidb");
    assert_eq!(
        write_legacy(&read("nidb/oldfmt-after-upgrade"), &folder, WriteOptions::default()).unwrap(),
        []
    );
    let (found, expected) = (files(&folder), files(&before));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found["extension_6"] == expected["extension_6"]);
    // Free slots remember an instance of which the converted folder knows nothing.
    let slots = found["Collection"].chunks(512).zip(expected["Collection"].chunks(512));
    for (number, (found, expected)) in slots.enumerate() {
        let length = if expected[..4] == [0xff; 4] { 4 } else { 512 };
        assert!(found[..length] == expected[..length], "slot {number}");
    }
}

/// Without what a layout cannot hold.
fn plain(mut database: Database) -> Database {
    database.mend();
    for directory in database.directories.values_mut() {
        directory.version = 0;
    }
    database.findings.clear();
    database.opened_checksum = database.checksum();
    database
}

#[test]
fn every_folder_comes_back() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("local.nidb");
    let options = WriteOptions { replace: true, ..WriteOptions::default() };
    let fixtures = ["nidb", "golden"]
        .map(|kind| nidb::names(kind).into_iter().map(move |name| format!("{kind}/{name}")));
    for name in fixtures.into_iter().flatten() {
        let mut original = read(&name);
        original.mend();
        assert_eq!(write_modern(&original, &place, options).unwrap(), [], "{name}");
        let again = Database::read(&place).unwrap();
        assert_eq!((again.layout, &again.findings), (Layout::Modern, &Vec::new()), "{name}");
        assert_eq!(again.directories, original.directories, "{name}");
        assert_eq!(write_legacy(&original, &place, options).unwrap(), [], "{name}");
        let again = Database::read(&place).unwrap();
        assert_eq!((again.layout, &again.findings), (Layout::Collection512, &Vec::new()), "{name}");
        assert_eq!(plain(again).directories, plain(original).directories, "{name}");
    }
}

#[test]
fn small_slots_stay_small() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("old.nidb");
    let mut small = example();
    small.layout = Layout::Collection256;
    small.directories.get_mut(&2).unwrap().properties[0].1 = vec![vec![b'x'; 300]];
    write_legacy(&small, &place, WriteOptions::default()).unwrap();
    assert_eq!(files(&place)["collection"].len(), 3 * 256);
    assert!(files(&place).contains_key("extension_2"));
    let again = Database::read(&place).unwrap();
    assert_eq!((again.layout, plain(again).directories), (Layout::Collection256, plain(small).directories));
}

#[test]
fn versions_are_made_distinct() {
    let doubled = database([(0, 1, 5, 0, &[1], &[]), (1, 1, 5, 0, &[], &[])]);
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("local.nidb");
    write_modern(&doubled, &place, WriteOptions::default()).unwrap();
    let again = Database::read(&place).unwrap();
    assert_eq!(again.findings, []);
    assert_eq!(again.directories.values().map(|found| found.version).collect::<Vec<_>>(), [1, 2]);
}

fn refused(database: &Database, place: &Path) -> StoreErrorKind {
    let before = place.exists().then(|| files(place));
    let modern = write_modern(database, place, WriteOptions::default()).unwrap_err().kind();
    let legacy = write_legacy(database, place, WriteOptions::default()).unwrap_err().kind();
    assert_eq!(modern, legacy);
    assert_eq!(place.exists().then(|| files(place)), before);
    modern
}

#[test]
fn what_cannot_be_is_not_written() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("local.nidb");
    assert_eq!(refused(&database([(1, 1, 1, 0, &[], &[])]), &place), StoreErrorKind::NoRootRecord);
    let dangling = database([(0, 1, 1, 0, &[7], &[])]);
    assert_eq!(refused(&dangling, &place), StoreErrorKind::ConstraintViolation);
    let mut high =
        database([(0, 1, 1, 0, &[MAX_LEGACY_ID + 1], &[]), (MAX_LEGACY_ID + 1, 1, 2, 0, &[], &[])]);
    let error = write_legacy(&high, &place, WriteOptions::default()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InvalidRecord);
    assert!(!place.exists());
    write_modern(&high, &place, WriteOptions::default()).unwrap();
    assert_eq!(refused(&example(), &place), StoreErrorKind::WriteFailed);
    high.directories.get_mut(&0).unwrap().children = vec![MAX_LEGACY_ID];
    let mut root = high.directories.remove(&(MAX_LEGACY_ID + 1)).unwrap();
    root.id = MAX_LEGACY_ID;
    high.directories.insert(MAX_LEGACY_ID, root);
    write_legacy(&high, &place, WriteOptions { replace: true, ..WriteOptions::default() }).unwrap();
    assert_eq!(Database::read(&place).unwrap().highest_id(), MAX_LEGACY_ID);
}

#[test]
fn losses_are_told() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("local.nidb");
    let lossy = database([
        (0, 1, 1, 0, &[2, 1], &[("a\0b", &["x"]), ("c", &["y\0z", ""])]),
        (1, 1, 2, 0, &[], &[("_ni_attribute_order", &["1"]), ("name", &["n"])]),
        (2, 1, 3, 0, &[], &[]),
    ]);
    let expected = [
        Loss { line: 1, property: b"a\0b".to_vec(), why: "what comes behind a NUL is cut off" },
        Loss { line: 1, property: b"c".to_vec(), why: "what comes behind a NUL is cut off" },
        Loss { line: 3, property: b"_ni_attribute_order".to_vec(), why: "the name is taken by the format" },
    ];
    assert_eq!(write_modern(&lossy, &place, WriteOptions::default()).unwrap(), expected);
    let again = Database::read(&place).unwrap();
    assert_eq!(again.findings, []);
    let root = &again.directories[&0].properties;
    assert_eq!(root[1], (b"c".to_vec(), vec![b"y".to_vec(), Vec::new()]));
    assert_eq!(again.directories[&1].properties.len(), 1);
    let options = WriteOptions { replace: true, ..WriteOptions::default() };
    assert_eq!(write_legacy(&lossy, &place, options).unwrap(), expected);
}

#[cfg(unix)]
#[test]
fn folders_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("local.nidb");
    write_modern(&example(), &place, WriteOptions::default()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place), mode(&place.join("Store.96"))), (0o700, 0o600));
}

//! The store on a folder in memory, which dies after any of its steps.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

use std::collections::BTreeMap;

use super::*;
use crate::nidb::StoreErrorKind;
use crate::nidb::database::Database;
use crate::nidb::files::memory::MemoryFolder;
use crate::nidb::finding::FindingKind;
use crate::nidb::layout::{CLEAN, CREATE, DELETE, INDEX, TEMP, TEMP_INDEX};

type Contents = BTreeMap<u32, StoredRecord>;

fn open(folder: &MemoryFolder) -> Result<Store, StoreError> {
    open::open(Box::new(folder.clone()), Mode::ReadWrite)
}

/// The records without their versions: a recovery may give them out in another order.
fn contents(store: &Store) -> Contents {
    let plain = |record: &StoredRecord| StoredRecord { version: 0, ..record.clone() };
    store.records.iter().map(|(id, record)| (*id, plain(record))).collect()
}

fn record(properties: &[(&str, &[&str])]) -> StoredRecord {
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, values)| {
            (name.as_bytes().to_vec(), values.iter().map(|v| v.as_bytes().to_vec()).collect())
        })
        .collect();
    StoredRecord::with_properties(&properties)
}

fn named(name: &str) -> StoredRecord {
    record(&[("name", &[name])])
}

/// /users (1) with ana (2), bo (3); /groups (4); closed.
fn domain() -> MemoryFolder {
    let folder = MemoryFolder::with([(CONFIG.to_owned(), CONFIG_BYTES.to_vec())]);
    let mut store = open(&folder).unwrap();
    store.set_byte_order(Some(ByteOrder::Big));
    store.store(StoredRecord::default()).unwrap();
    let users = store.create_child(0, named("users")).unwrap();
    store.create_child(users, record(&[("name", &["ana"]), ("uid", &["501"])])).unwrap();
    store.create_child(users, record(&[("_writers", &["bo"]), ("name", &["bo"])])).unwrap();
    assert_eq!(store.create_child(0, named("groups")).unwrap(), 4);
    store.close().unwrap();
    folder
}

type Operation = (&'static str, fn(&mut Store) -> Result<(), StoreError>);

/// Operations that are done or not begun.
const OPERATIONS: [Operation; 9] = [
    ("create", |store| store.create_child(1, named("eve")).map(|_| ())),
    ("set", |store| store.set_property(2, b"uid", &[b"502".to_vec()])),
    ("grow", |store| store.set_property(2, b"realname", &[vec![b'x'; 100]])),
    ("remove a property", |store| store.remove_property(3, b"_writers").map(|_| ())),
    ("remove a leaf", |store| store.remove(2)),
    ("move", |store| store.move_to(3, 4)),
    ("move to the end", |store| store.move_to(2, 1)),
    ("attach what is there", |store| store.attach(4, 77).and_then(|()| store.detach(4, 77))),
    ("root", |store| store.set_property(0, b"master", &[b"alpha/local".to_vec()])),
];

#[test]
fn a_crash_leaves_the_old_or_the_new() {
    for (what, operation) in OPERATIONS {
        let start = domain();
        let before = contents(&open(&start.snapshot()).unwrap());
        let whole = start.snapshot();
        let mut store = open(&whole).unwrap();
        let opening = whole.changes.get();
        operation(&mut store).unwrap();
        let after = contents(&store);
        let steps = whole.changes.get();
        assert!(steps > opening, "{what}");
        let (mut old, mut new) = (0, 0);
        for (fuse, torn) in (1..=steps).flat_map(|fuse| [0, 2, 4, 5].map(|torn| (fuse, torn))) {
            let folder = start.snapshot();
            folder.fuse.set(Some(fuse));
            folder.torn.set(torn);
            let _ = open(&folder).and_then(|mut store| operation(&mut store));
            let found = recovered(&folder.snapshot(), &format!("{what}: {fuse}/{torn}"));
            let is_new = found == after;
            assert!(is_new || found == before, "{what}: {fuse}/{torn}: neither the old nor the new");
            if is_new { new += 1 } else { old += 1 }
        }
        assert!(new > 0 && (old > 0 || before == after), "{what}: {old} {new}");
    }
}

/// What is there after the folder was opened again, however often that is interrupted too.
fn recovered(crashed: &MemoryFolder, what: &str) -> Contents {
    let folder = crashed.snapshot();
    let store = open(&folder).unwrap();
    let found = contents(&store);
    let steps = folder.changes.get();
    store.close().unwrap();
    let read = read(&folder);
    assert_eq!(read.findings, [], "{what}");
    assert_eq!(read.directories.len(), found.len(), "{what}");
    for (fuse, torn) in (1..steps).flat_map(|fuse| [0, 2, 4, 5].map(|torn| (fuse, torn))) {
        let folder = crashed.snapshot();
        folder.fuse.set(Some(fuse));
        folder.torn.set(torn);
        let _ = open(&folder);
        let again = open(&folder.snapshot()).unwrap();
        assert_eq!(contents(&again), found, "{what}: and {fuse}/{torn} in the recovery");
    }
    found
}

fn read(folder: &MemoryFolder) -> Database {
    Database::of(load::load(folder).unwrap()).unwrap()
}

#[test]
fn a_crash_in_a_removal_of_many_leaves_a_tree() {
    let start = domain();
    let whole = start.snapshot();
    open(&whole).unwrap().remove(1).unwrap();
    let mut sizes = Vec::new();
    for fuse in 1..=whole.changes.get() {
        let folder = start.snapshot();
        folder.fuse.set(Some(fuse));
        folder.torn.set(4);
        let _ = open(&folder).and_then(|mut store| store.remove(1));
        let store = open(&folder.snapshot()).unwrap();
        sizes.push(store.records.len());
        store.close().unwrap();
    }
    sizes.dedup();
    assert_eq!(sizes, [5, 4, 3, 2]);
}

#[test]
fn what_is_closed_is_clean() {
    let folder = domain();
    let names: Vec<String> = folder.files.borrow().keys().cloned().collect();
    assert_eq!(names, [CLEAN, CONFIG, INDEX, "Store.160", "Store.64", "Store.96"]);
    let store = open(&folder).unwrap();
    assert_eq!(store.findings(), []);
    assert!(!folder.files.borrow().contains_key(INDEX));
    assert!(folder.files.borrow().contains_key(CLEAN), "until something changes");
    let Statistics { checksum, version, max_id, .. } = store.statistics();
    // The root was saved three times, users as often.
    assert_eq!((checksum, version, max_id), (3 + 2 * 3 + 3 + 4 + 5, 9, 4));
    store.close().unwrap();
    assert_eq!(folder.files.borrow()[CLEAN], checksum.to_be_bytes());
    assert_eq!(read(&folder).checksum(), checksum);
}

#[test]
fn the_order_of_a_machine_is_kept() {
    let folder = domain();
    let checksum = read(&folder).checksum();
    let store = open(&folder).unwrap();
    assert_eq!(store.byte_order(), Some(ByteOrder::Big));
    store.close().unwrap();
    assert_eq!(folder.files.borrow()[CLEAN], checksum.to_be_bytes());
    folder.files.borrow_mut().remove(CLEAN);
    let mut store = open(&folder).unwrap();
    assert_eq!(store.byte_order(), None);
    store.set_byte_order(None);
    store.close().unwrap();
    assert!(!folder.files.borrow().contains_key(CLEAN));
    open(&folder).unwrap().close().unwrap();
    assert_eq!(folder.files.borrow()[CLEAN], checksum.to_ne_bytes());
}

#[test]
fn reading_changes_nothing() {
    let folder = domain();
    folder.files.borrow_mut().insert(TEMP.to_owned(), vec![1]);
    let before = folder.files.borrow().clone();
    let mut store = open::open(Box::new(folder.clone()), Mode::ReadOnly).unwrap();
    assert_eq!(store.fetch(2).unwrap().properties()[0].1, [b"ana".to_vec()]);
    assert_eq!(store.set_property(2, b"a", &[]).unwrap_err().kind(), StoreErrorKind::WriteFailed);
    assert_eq!(store.remove(2).unwrap_err().code(), 1004);
    store.close().unwrap();
    assert_eq!(*folder.files.borrow(), before);
    assert_eq!(folder.changes.get(), open_changes(&folder));
}

fn open_changes(folder: &MemoryFolder) -> u64 {
    folder.snapshot().changes.get() + folder.changes.get()
}

#[test]
fn a_pending_change_is_finished_for_writers_only() {
    for name in [CREATE, DELETE] {
        let folder = domain();
        folder.files.borrow_mut().insert(name.to_owned(), b"junk".to_vec());
        let refused = open::open(Box::new(folder.clone()), Mode::ReadOnly).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidDatastore);
        let store = open(&folder).unwrap();
        assert_eq!(store.findings().len(), 1);
        assert!(!folder.files.borrow().contains_key(name));
        assert_eq!(store.records.len(), 5);
    }
}

#[test]
fn two_records_of_one_id_are_refused() {
    let folder = domain();
    let copy = folder.files.borrow()["Store.64"].clone();
    let mut block = copy.clone();
    block.extend_from_slice(&copy);
    folder.files.borrow_mut().insert("Store.64".to_owned(), block);
    let before = folder.files.borrow().clone();
    assert_eq!(open(&folder).unwrap_err().code(), 1006);
    assert_eq!(*folder.files.borrow(), before);
}

#[test]
fn slots_and_ids_are_used_again() {
    let folder = domain();
    let mut store = open(&folder).unwrap();
    let size = |name: &str| folder.files.borrow().get(name).map_or(0, Vec::len);
    let before = size("Store.96");
    store.remove(2).unwrap();
    assert_eq!(store.create_child(4, named("wheel")).unwrap(), 2);
    assert_eq!(store.record(2).unwrap().serial, 1);
    store.remove(2).unwrap();
    assert_eq!(store.create_child(4, named("staff")).unwrap(), 2);
    assert_eq!(size("Store.96"), before, "a removed record leaves room for another");
    // Larger ones go to another file, and back.
    store.set_property(2, b"users", &[vec![b'x'; 200]]).unwrap();
    assert_eq!(size("Store.320"), 320);
    store.set_property(2, b"users", &[]).unwrap();
    assert_eq!(folder.files.borrow()["Store.320"], vec![0; 320]);
    assert_eq!(store.record(2).unwrap().serial, 3);
}

#[test]
fn properties_keep_their_places() {
    let folder = domain();
    let mut store = open(&folder).unwrap();
    store.set_property(3, b"uid", &[b"502".to_vec()]).unwrap();
    store.set_property(3, b"_writers", &[b"ana".to_vec(), b"bo".to_vec()]).unwrap();
    let names = |store: &Store| {
        let properties = store.record(3).unwrap().properties();
        properties.into_iter().map(|(name, _)| String::from_utf8(name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&store), ["_writers", "name", "uid"]);
    assert!(store.record(3).unwrap().property(ORDER_NAME).is_some());
    assert!(store.remove_property(3, b"_writers").unwrap());
    assert!(!store.remove_property(3, b"_writers").unwrap());
    assert_eq!(names(&store), ["name", "uid"]);
    assert!(store.record(3).unwrap().property(ORDER_NAME).is_none(), "it is not needed any more");
    for (name, value) in [(ORDER_NAME, &b"0"[..]), (b"a\0b", b""), (b"a", b"x\0")] {
        let refused = store.set_property(3, name, &[value.to_vec()]).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidKey);
    }
}

const ORDER_NAME: &[u8] = b"_ni_attribute_order";

#[test]
fn saves_need_the_serial_and_a_list_that_can_be() {
    let folder = domain();
    let mut store = open(&folder).unwrap();
    let mut mine = store.fetch(2).unwrap();
    let mut other = store.fetch(2).unwrap();
    other.attributes.push(crate::nidb::Attribute::text(b"shell", ["/bin/sh"]));
    store.save(&mut other).unwrap();
    assert_eq!((other.serial, store.with_version(other.version)), (2, Some(2)));
    assert_eq!(store.save(&mut mine).unwrap_err().kind(), StoreErrorKind::Stale);
    for child in [0, 1, 2, 3] {
        let mut users = store.fetch(1).unwrap();
        users.children = vec![3, child, 3];
        assert_eq!(store.save(&mut users).unwrap_err().kind(), StoreErrorKind::ConstraintViolation);
    }
    assert_eq!(store.fetch(99).unwrap_err().kind(), StoreErrorKind::InvalidPath);
    assert_eq!(store.statistics().fetch_count, 6);
    let found =
        store.find_child(1, false, &crate::nidb::Datum::text("name"), &crate::nidb::Datum::text("bo"));
    assert_eq!(found.unwrap(), Some(3));
}

#[test]
fn trees_are_copied_and_moved() {
    let folder = domain();
    let mut store = open(&folder).unwrap();
    assert_eq!(store.copy_to(1, 4).unwrap(), 5);
    assert_eq!(store.record(5).unwrap().children, [6, 7]);
    assert_eq!(store.record(7).unwrap().properties(), store.record(3).unwrap().properties());
    for error in [store.copy_to(1, 2).map(|_| ()), store.move_to(1, 2), store.move_to(1, 1)] {
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::ConstraintViolation);
    }
    for error in [store.move_to(0, 1), store.remove(0)] {
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::InvalidRecordId);
    }
    store.move_to(5, 2).unwrap();
    assert_eq!((store.record(5).unwrap().parent, store.record(4).unwrap().children.len()), (2, 0));
    store.remove(1).unwrap();
    assert_eq!(store.ids().collect::<Vec<_>>(), [0, 4]);
    store.close().unwrap();
    assert_eq!(read(&folder).findings, []);
}

#[test]
fn a_failed_change_ends_the_work() {
    let folder = domain();
    let mut store = open(&folder).unwrap();
    folder.fuse.set(Some(3));
    assert_eq!(store.set_property(2, b"uid", &[]).unwrap_err().kind(), StoreErrorKind::WriteFailed);
    folder.fuse.set(None);
    let next = store.set_property(2, b"uid", &[]).unwrap_err();
    assert!(next.to_string().contains("open it again"), "{next}");
    assert!(store.close().is_err());
    assert!(!folder.files.borrow().contains_key(TEMP_INDEX));
}

#[test]
fn a_folder_that_was_not_closed_is_mended() {
    let folder = domain();
    open(&folder).unwrap().detach(1, 2).unwrap();
    let store = open(&folder).unwrap();
    assert_eq!(
        store.findings().iter().map(|finding| finding.kind).collect::<Vec<_>>(),
        [FindingKind::Unlisted]
    );
    assert_eq!(store.record(1).unwrap().children, [3, 2]);
    let mut store = open(&folder).unwrap();
    store.detach(1, 2).unwrap();
    store.close().unwrap();
    let store = open(&folder).unwrap();
    assert_eq!(store.record(1).unwrap().children, [3], "what was closed in order is meant so");
    assert_eq!(store.findings().len(), 1);
}

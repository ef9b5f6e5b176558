//! Folders that are opened to be changed.

use netinfo_formats::nidb::{Database, Mode, Statistics, Store, StoreErrorKind, StoredRecord};
use netinfo_testkit::nidb;
use tempfile::TempDir;

use super::fixtures::files;

#[test]
fn every_folder_is_opened_and_closed_as_it_was_read() {
    for name in nidb::names("nidb") {
        let (_directory, folder) = nidb::unpack(&format!("nidb/{name}"));
        let (read, before) = (Database::read(&folder).unwrap(), files(&folder));
        let refusal = match name.as_str() {
            "crash-duplicate" => Some(StoreErrorKind::DuplicateRecord),
            "crash-noconfig" | "oldfmt-before-upgrade" => Some(StoreErrorKind::InvalidDatastore),
            _ => None,
        };
        if let Some(refusal) = refusal {
            assert_eq!(Store::open(&folder, Mode::ReadWrite).unwrap_err().kind(), refusal, "{name}");
            assert_eq!(files(&folder), before, "{name}");
            continue;
        }
        Store::open(&folder, Mode::ReadWrite).unwrap().close().unwrap();
        let again = Database::read(&folder).unwrap();
        let harmful: Vec<_> = again.findings.iter().filter(|finding| !finding.kind.is_harmless()).collect();
        if name != "crash-badsize" {
            assert_eq!(harmful, Vec::<&netinfo_formats::nidb::Finding>::new(), "{name}");
        }
        if name == "crash-orphan" {
            assert_eq!(again.directories[&3].children.len(), read.directories[&3].children.len() - 1);
            continue;
        }
        assert_eq!(again.directories, read.directories, "{name}");
        if before.contains_key("Clean") {
            let after = files(&folder);
            assert!(after == before, "{name}: {:?} {:?}", after.keys(), before.keys());
        }
    }
}

#[test]
fn readers_refuse_what_a_crash_left() {
    for name in ["crash-create-new", "crash-create-update", "crash-delete"] {
        let (_directory, folder) = nidb::unpack(&format!("nidb/{name}"));
        let before = files(&folder);
        let refused = Store::open(&folder, Mode::ReadOnly).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidDatastore, "{name}");
        assert_eq!(files(&folder), before, "{name}");
    }
}

#[test]
fn a_new_folder_has_a_root() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("new.nidb");
    let mut store = Store::create(&folder).unwrap();
    let root = StoredRecord { serial: 1, version: 1, ..StoredRecord::default() };
    assert_eq!(store.fetch(0).unwrap(), root);
    let expected =
        Statistics { checksum: 1, version: 1, save_count: 1, fetch_count: 1, ..Statistics::default() };
    assert_eq!(store.statistics(), expected);
    store.close().unwrap();
    let names: Vec<String> = files(&folder).into_keys().collect();
    assert_eq!(names, ["Clean", "Config", "Index", "Store.64"]);
    assert_eq!(Store::create(&folder).unwrap_err().kind(), StoreErrorKind::WriteFailed);
    let nowhere = directory.path().join("no/new.nidb");
    assert_eq!(Store::create(&nowhere).unwrap_err().kind(), StoreErrorKind::WriteFailed);
}

#[test]
fn one_writer_or_many_readers() {
    let (_directory, folder) = nidb::unpack("nidb/empty");
    let writer = Store::open(&folder, Mode::ReadWrite).unwrap();
    for mode in [Mode::ReadOnly, Mode::ReadWrite] {
        assert_eq!(Store::open(&folder, mode).unwrap_err().code(), 1008);
    }
    assert_eq!(Database::read(&folder).unwrap().findings[0].kind.name(), "in-use");
    drop(writer);
    let readers = [(); 2].map(|()| Store::open(&folder, Mode::ReadOnly).unwrap());
    assert_eq!(Store::open(&folder, Mode::ReadWrite).unwrap_err().kind(), StoreErrorKind::Locked);
    drop(readers);
    Store::open(&folder, Mode::ReadWrite).unwrap().close().unwrap();
}

#[test]
fn changes_are_there_afterwards_and_seen_by_their_time() {
    let (_directory, folder) = nidb::unpack("nidb/site");
    let changed = || std::fs::metadata(folder.join("Config")).unwrap().modified().unwrap();
    let before = changed();
    let mut store = Store::open(&folder, Mode::ReadWrite).unwrap();
    let user =
        store.create_child(3, StoredRecord::with_properties(&[(b"name".to_vec(), vec![b"new".to_vec()])]));
    let user = user.unwrap();
    assert!(changed() > before);
    store.move_to(user, 0).unwrap();
    drop(store);
    let database = Database::read(&folder).unwrap();
    assert_eq!(database.findings, []);
    assert_eq!(database.directories[&user].parent, 0);
    assert_eq!(database.directories[&0].children.last(), Some(&user));
    let store = Store::open(&folder, Mode::ReadOnly).unwrap();
    assert_eq!(store.statistics().checksum, database.checksum());
    assert_eq!(store.ids().max(), Some(user));
}

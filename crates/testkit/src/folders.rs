//! What must hold for any bytes in the files of a database folder. A broken promise panics.
//!
//! The promises: nothing panics; the stream has parents before their children; the folder is not changed by those who
//! read it; it can be repaired, unless it is no database, and is sound then; what is sound can be opened and written.

use std::fs;
use std::path::Path;

use netinfo_formats::nidb::{self, Database, Mode, Store, WriteOptions};
use netinfo_formats::{Place, Record};
use tempfile::TempDir;

/// The files that the bytes may be; the first byte chooses.
const FILES: [&str; 9] = [
    "Store.64",
    "Store.96",
    "Create",
    "Delete",
    "Index",
    "Clean",
    "Collection",
    "extension_1",
    "Transaction",
];

/// A folder with a root and one file of these bytes, the first of which chooses the file and the layout.
///
/// # Panics
///
/// When a promise is broken.
pub fn database_folder(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let directory = TempDir::new().expect("a temporary directory");
    let folder = directory.path().join("x.nidb");
    fs::create_dir(&folder).expect("a folder");
    let name = FILES[usize::from(*choice) % FILES.len()];
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("a file");
    let legacy = matches!(name, "Collection" | "extension_1" | "Transaction");
    let mut root = vec![0; 64];
    if legacy {
        root.resize(1024, 0);
        write("Collection", &root);
    } else {
        root[..8].copy_from_slice(&[0, 0, 1, 0, 0, 0, 0, 28]);
        write("Config", &[0, 0, 0, 1]);
        write("Store.64", &root);
        write("Clean", &[0; 4]);
        write("Index", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0]);
    }
    if name.starts_with("Store") || name == "Collection" {
        root.extend_from_slice(bytes);
        root.resize(root.len().next_multiple_of(64), 0);
        write(name, &root);
    } else {
        write(name, bytes);
    }
    check_folder(&folder);
}

/// All that can be done with a folder.
///
/// # Panics
///
/// When a promise is broken.
pub fn check_folder(folder: &Path) {
    let before = content(folder);
    let read = Database::read(folder);
    if let Ok(database) = &read {
        check_stream(database);
    }
    let _ = Store::open(folder, Mode::ReadOnly);
    let checked = nidb::check(folder);
    assert_eq!(content(folder), before, "reading changes nothing");
    let copy = TempDir::new().expect("a temporary directory");
    let place = copy.path().join("copy.nidb");
    fs::create_dir(&place).expect("a folder");
    for (name, bytes) in &before {
        fs::write(place.join(name), bytes).expect("a file");
    }
    if let Ok(store) = Store::open(&place, Mode::ReadWrite) {
        store.close().expect("what was opened can be closed");
    }
    match nidb::repair(folder) {
        Ok(repair) => {
            assert_eq!(Ok(&repair.before), checked.as_ref().map_err(|_| ()));
            assert!(repair.after.is_sound(), "{:?}", repair.after.findings);
            let database = Database::read(folder).expect("what is sound can be read");
            check_stream(&database);
            let place = copy.path().join("written.nidb");
            nidb::write_modern(&database, &place, WriteOptions::default())
                .expect("what is sound can be written");
            Store::open(&place, Mode::ReadWrite)
                .expect("what was written can be opened")
                .close()
                .expect("and closed");
        }
        Err(error) => assert!(checked.is_err() || error.code() != 1001, "{error}"),
    }
}

fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

fn check_stream(database: &Database) {
    let records: Vec<Record> = database.records().filter_map(Result::ok).collect();
    for (number, record) in (0..).zip(&records) {
        match record.place {
            Place::Root => assert_eq!(number, 0),
            Place::Below(parent) => assert!(parent < number),
            Place::In(_) => panic!("a tree has no containers"),
        }
        assert_eq!(record.line, number + 1);
        let mut texts =
            record.properties.iter().flat_map(|(name, values)| std::iter::once(name).chain(values));
        assert!(texts.all(|text| !text.contains(&0)), "{record:?}");
    }
    assert_eq!(records.len(), database.preorder().len());
}

//! Folders of historical servers are read as those servers served them.

use std::collections::BTreeMap;
use std::path::Path;

use netinfo_formats::nidb::{Database, FindingKind, Layout, Mode, Store, StoreErrorKind};
use netinfo_formats::{Identity, Place};
use netinfo_testkit::{data, nidb};
use serde_json::Value;

use super::texts;

/// All files of a folder.
pub(super) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// Reads a fixture, and makes sure that reading leaves no trace.
pub(super) fn read(fixture: &str) -> Database {
    let (_directory, folder) = nidb::unpack(fixture);
    let before = (files(&folder), std::fs::metadata(&folder).unwrap().modified().unwrap());
    let database = Database::read(&folder).unwrap();
    assert_eq!((files(&folder), std::fs::metadata(&folder).unwrap().modified().unwrap()), before);
    database
}

fn text(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => {
            let hex = other["hex"].as_str().unwrap();
            (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
        }
    }
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// Compares with the answer of READALL.
fn compare(database: &Database, expected: &Value, name: &str) {
    assert_eq!(u64::from(database.opened_checksum), expected["checksum"].as_u64().unwrap(), "{name}");
    if let Some(highest) = expected["highestid"].as_u64() {
        assert_eq!(u64::from(database.highest_id()), highest, "{name}");
        assert_eq!(database.checksum(), database.opened_checksum, "{name}");
    }
    let objects = expected["objects"].as_array().unwrap();
    let id = |object: &Value| u32::try_from(object["id"]["object"].as_u64().unwrap()).unwrap();
    for object in objects {
        let Some(directory) = database.directories.get(&id(object)) else {
            assert_eq!(object["read_status"], "NI_NODIR", "{name}: {}", id(object));
            continue;
        };
        let at = format!("{name}: {directory:?}");
        assert_eq!(u64::from(directory.instance), object["id"]["instance"].as_u64().unwrap(), "{at}");
        assert_eq!(u64::from(directory.parent), object["parent"].as_u64().unwrap(), "{at}");
        assert_eq!(
            directory.children.iter().map(|child| u64::from(*child)).collect::<Vec<_>>(),
            numbers(&object["children"]),
            "{at}"
        );
        let properties: Vec<_> = object["props"]
            .as_array()
            .unwrap()
            .iter()
            .map(|property| {
                let values = property["values"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
                (text(&property["name"]), values)
            })
            .collect();
        assert!(directory.properties == properties, "{at}");
    }
    let served: Vec<u32> =
        objects.iter().map(id).filter(|id| database.directories.contains_key(id)).collect();
    assert_eq!(database.preorder(), served, "{name}");
    assert_eq!(served.len(), database.directories.len(), "{name}");
}

fn kinds(database: &Database) -> Vec<(FindingKind, Option<u32>)> {
    database.findings.iter().map(|finding| (finding.kind, finding.id)).collect()
}

#[test]
fn every_folder_is_read_as_it_was_served() {
    for name in nidb::names("nidb") {
        if name == "crash-duplicate" {
            continue;
        }
        let database = read(&format!("nidb/{name}"));
        let text = if name.starts_with("oldfmt") { "oldfmt" } else { &name };
        let file = |ending: &str| std::fs::read(data(format!("nidb/{text}.{ending}"))).unwrap();
        compare(&database, &serde_json::from_slice(&file("readall.json")).unwrap(), &name);
        assert!(texts::niutil(&database, text) == file("niutil.txt"), "{name}");
        assert!(texts::nidump(&database) == file("nidump-raw.txt"), "{name}");
    }
}

#[test]
fn the_folders_behind_the_recordings_are_sound() {
    for name in nidb::names("golden") {
        let database = read(&format!("golden/{name}"));
        assert_eq!(kinds(&database), [], "{name}");
        assert!(database.directories.len() >= 3, "{name}");
    }
}

#[test]
fn what_is_odd_is_told() {
    use FindingKind::{
        BothLayouts, DuplicateId, Leftover, MissingChild, MissingConfig, PendingCreate, PendingDelete,
        Unlisted, WrongClass, WrongLength,
    };
    for name in nidb::names("nidb") {
        let expected: &[(FindingKind, Option<u32>)] = match name.as_str() {
            "crash-badsize" => &[(WrongClass, Some(10)), (DuplicateId, Some(10))],
            "crash-create-new" => &[(PendingCreate, Some(14)), (Unlisted, Some(14))],
            "crash-create-update" => &[(PendingCreate, Some(7))],
            "crash-delete" => &[(PendingDelete, Some(8)), (MissingChild, Some(3))],
            "crash-duplicate" => &[(WrongLength, Some(10)), (DuplicateId, Some(10))],
            "crash-noconfig" => &[(MissingConfig, None)],
            "crash-orphan" => &[(MissingChild, Some(3))],
            "crash-temp" => &[(Leftover, None)],
            "oldfmt-after-upgrade" => &[(BothLayouts, None)],
            _ => &[],
        };
        assert_eq!(kinds(&read(&format!("nidb/{name}"))), expected, "{name}");
    }
}

#[test]
fn a_stream_has_parents_first_and_identities() {
    for name in nidb::names("nidb") {
        let database = read(&format!("nidb/{name}"));
        let mut ids = Vec::new();
        for (number, record) in database.records().enumerate() {
            let record = record.unwrap();
            let Identity { object, instance } = record.identity.unwrap();
            assert_eq!(record.line, number as u64 + 1);
            let directory = &database.directories[&object];
            assert_eq!((instance, &record.properties), (directory.instance, &directory.properties));
            match record.place {
                Place::Root => assert_eq!((number, object), (0, 0)),
                Place::Below(parent) => assert_eq!(ids[usize::try_from(parent).unwrap()], directory.parent),
                Place::In(_) => panic!("a tree has no containers"),
            }
            ids.push(object);
        }
        assert_eq!(ids, database.preorder(), "{name}");
    }
}

#[test]
fn a_converted_folder_is_the_legacy_one() {
    let (before, after) = (read("nidb/oldfmt-before-upgrade"), read("nidb/oldfmt-after-upgrade"));
    assert_eq!((before.layout, after.layout), (Layout::Collection512, Layout::Modern));
    assert_eq!(before.directories, after.directories);
}

#[test]
fn what_is_no_folder_is_refused() {
    let empty = tempfile::TempDir::new().unwrap();
    for path in [empty.path().to_owned(), empty.path().join("none"), data("nidb/README.md")] {
        let error = Database::read(&path).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (StoreErrorKind::InvalidDatastore, 1001),
            "{}",
            path.display()
        );
        assert_eq!(Store::open(&path, Mode::ReadOnly).unwrap_err().code(), 1001);
    }
    std::fs::write(empty.path().join("Config"), b"\0\0\0\x01").unwrap();
    assert_eq!(Database::read(empty.path()).unwrap_err().kind(), StoreErrorKind::NoRootRecord);
}

//! Folders that are checked and repaired.

use std::path::Path;

use netinfo_formats::nidb::{
    self, Database, FindingKind, Layout, Mode, Store, StoreErrorKind, WriteOptions, write_legacy,
    write_modern,
};
use netinfo_testkit::nidb::{names, unpack};
use tempfile::TempDir;

use super::fixtures::files;
use super::{database, example};

#[test]
fn damaged_folders_become_sound_and_sound_ones_are_left_alone() {
    for name in names("nidb") {
        let (directory, folder) = unpack(&format!("nidb/{name}"));
        let before = files(&folder);
        let check = nidb::check(&folder).unwrap();
        assert_eq!(files(&folder), before, "{name}");
        let repair = nidb::repair(&folder).unwrap();
        assert_eq!(repair.before, check, "{name}");
        assert_eq!(check.is_sound(), !name.starts_with("crash"), "{name}: {:?}", check.findings);
        assert!(repair.after.is_sound(), "{name}: {:?}", repair.after);
        if check.is_sound() {
            assert_eq!((repair.changes, repair.kept), (Vec::new(), None), "{name}");
            assert_eq!(files(&folder), before, "{name}");
            continue;
        }
        assert_eq!(files(&repair.kept.unwrap()), before, "{name}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "{name}");
        let mut store = Store::open(&folder, Mode::ReadWrite).unwrap();
        assert_eq!(store.fetch(0).unwrap().children, [1, 3], "{name}");
        assert_eq!(nidb::check(&folder).unwrap().directories, check.directories, "{name}");
    }
}

fn kinds(folder: &Path) -> Vec<FindingKind> {
    let mut kinds: Vec<_> =
        nidb::check(folder).unwrap().findings.iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A folder of the example with files changed or added.
fn damaged(changes: impl FnOnce(&Path)) -> (TempDir, std::path::PathBuf) {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("local.nidb");
    let options = WriteOptions { index_for: Some(nidb::ByteOrder::Big), ..WriteOptions::default() };
    write_modern(&example(), &folder, options).unwrap();
    changes(&folder);
    (directory, folder)
}

fn patch(folder: &Path, file: &str, at: usize, bytes: &[u8]) {
    let mut content = std::fs::read(folder.join(file)).unwrap();
    content[at..at + bytes.len()].copy_from_slice(bytes);
    std::fs::write(folder.join(file), content).unwrap();
}

fn add(folder: &Path, file: &str, bytes: &[u8]) {
    let mut content = std::fs::read(folder.join(file)).unwrap_or_default();
    content.extend_from_slice(bytes);
    std::fs::write(folder.join(file), content).unwrap();
}

#[test]
fn every_kind_of_damage_has_a_name() {
    use FindingKind::{
        BadChild, BadOrder, BadRecord, BadSlot, DuplicateVersion, ForeignChild, InnerNul, Leftover, Loop,
        MissingChild, MissingParent, NoRoot, OddConfig, OddValue, PartialSlot, RootParent, StrayFile,
        Unlisted, UnreadableFile, WrongChecksum, WrongClass, WrongIndex, WrongLength,
    };
    type Damage = fn(&Path);
    let cases: &[(&[FindingKind], Damage)] = &[
        (&[], |_| {}),
        (&[StrayFile], |folder| add(folder, "Store.old.96", b"")),
        (&[UnreadableFile], |folder| std::fs::create_dir(folder.join("Store.512")).unwrap()),
        (&[PartialSlot], |folder| add(folder, "Store.96", &[0; 40])),
        (&[BadSlot], |folder| add(folder, "Store.96", &[9; 96])),
        (&[WrongClass], |folder| add(folder, "Store.96", &[&[0, 0, 1, 0], &[7; 92][..]].concat())),
        // The length stays right, the counts do not.
        (&[BadRecord, MissingChild, WrongIndex, WrongChecksum], |folder| {
            patch(folder, "Store.160", 0x1c, &[1])
        }),
        (&[WrongLength], |folder| patch(folder, "Store.160", 7, &[0x7a])),
        (&[Leftover], |folder| add(folder, "TempIndex", b"x")),
        (&[WrongIndex], |folder| patch(folder, "Index", 3, &[1])),
        (&[WrongChecksum], |folder| patch(folder, "Clean", 0, &[1])),
        (&[OddConfig], |folder| patch(folder, "Config", 3, &[2])),
        (&[RootParent], |folder| patch(folder, "Store.96", 0x17, &[1])),
        (&[MissingChild, Unlisted], |folder| patch(folder, "Store.96", 0x1f, &[9])),
        (&[BadChild, Unlisted], |folder| patch(folder, "Store.96", 0x60 + 0x1f, &[1])),
        (&[ForeignChild, Unlisted], |folder| patch(folder, "Store.160", 0x17, &[0])),
        (&[MissingParent], |folder| patch(folder, "Store.160", 0x17, &[9])),
        // 1 is below 2, and 2 below 1.
        (&[ForeignChild, Unlisted, Loop], |folder| patch(folder, "Store.96", 0x60 + 0x17, &[2])),
        (&[DuplicateVersion, WrongIndex], |folder| patch(folder, "Store.160", 0x13, &[3])),
        (&[OddValue, InnerNul], |folder| patch(folder, "Store.160", 0x34, &[1])),
        (&[InnerNul], |folder| patch(folder, "Store.160", 0x3a, &[0])),
        (&[NoRoot, WrongIndex, WrongChecksum], |folder| patch(folder, "Store.96", 0, &[0; 96])),
    ];
    for (expected, damage) in cases {
        let (_directory, folder) = damaged(damage);
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(kinds(&folder), expected);
        if expected.contains(&UnreadableFile) {
            assert_eq!(nidb::repair(&folder).unwrap_err().kind(), StoreErrorKind::ReadFailed);
            continue;
        }
        let repair = nidb::repair(&folder).unwrap();
        assert!(repair.after.is_sound(), "{expected:?}: {:?}", repair.after.findings);
        assert_eq!(repair.changes.is_empty(), repair.before.is_sound(), "{expected:?}");
    }
    let (_directory, folder) = damaged(|folder| {
        let eve: &[(&str, &[&str])] = &[("_a", &["b"]), ("name", &["eve"])];
        let tree = database([(0, 1, 1, 0, &[1], &[]), (1, 5, 2, 0, &[], eve)]);
        write_modern(&tree, folder, WriteOptions { replace: true, ..WriteOptions::default() }).unwrap();
        // The second place of the order list: 0, as the first.
        let at = std::fs::read(folder.join("Store.160"))
            .unwrap()
            .windows(4)
            .rposition(|word| word == [0, 0, 0, 4]);
        patch(folder, "Store.160", at.unwrap() + 7, &[1]);
    });
    assert_eq!(kinds(&folder), [BadOrder]);
    let repair = nidb::repair(&folder).unwrap();
    assert!(repair.changes[0].contains("order of its properties"), "{:?}", repair.changes);
    assert_eq!(Database::read(&folder).unwrap().directories[&1].instance, 6);
}

#[test]
fn a_folder_without_a_root_gets_one() {
    let (_directory, folder) = damaged(|folder| patch(folder, "Store.96", 0, &[0; 96]));
    assert_eq!(Database::read(&folder).unwrap_err().kind(), StoreErrorKind::NoRootRecord);
    let repair = nidb::repair(&folder).unwrap();
    assert_eq!(repair.changes[0], "a root without properties was made");
    let database = Database::read(&folder).unwrap();
    assert_eq!(database.directories[&0].children, [1]);
    assert_eq!(database.preorder(), [0, 1, 2]);
}

#[test]
fn values_of_odd_types_survive_a_repair() {
    let (_directory, folder) = damaged(|folder| {
        patch(folder, "Store.160", 0x34, &[1]);
        add(folder, "TempIndex", b"x");
    });
    nidb::repair(&folder).unwrap();
    let mut store = Store::open(&folder, Mode::ReadOnly).unwrap();
    let name = store.fetch(2).unwrap().attributes[0].values[0].clone();
    assert_eq!((name.kind, name.data), (1, b"ana\0".to_vec()));
}

#[test]
fn legacy_folders_are_checked_and_repaired() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("local.nidb");
    write_legacy(&example(), &folder, WriteOptions::default()).unwrap();
    assert_eq!(kinds(&folder), []);
    let before = Database::read(&folder).unwrap();
    // A directory beyond the slots, one in a wrong slot, half a slot, a transaction.
    let spare = std::fs::read(folder.join("Collection")).unwrap()[1024..].to_vec();
    let mut beyond = spare.clone();
    beyond[3] = 9;
    std::fs::write(folder.join("extension_9"), &beyond).unwrap();
    std::fs::write(folder.join("Transaction"), [0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2, 1, 1, 1, 1]).unwrap();
    add(&folder, "Collection", &[&beyond[..3], &[7], &beyond[4..], &[0; 17]].concat());
    use FindingKind::{BadSlot, Leftover, PartialSlot, PendingTransaction, Unlisted};
    let mut expected = vec![BadSlot, PartialSlot, Leftover, PendingTransaction, Unlisted];
    expected.sort_unstable();
    assert_eq!(kinds(&folder), expected);
    assert_eq!(nidb::layout(&folder).unwrap(), Layout::Collection512);
    let repair = nidb::repair(&folder).unwrap();
    assert!(repair.after.is_sound(), "{repair:?}");
    let after = Database::read(&folder).unwrap();
    assert_eq!(after.layout, Layout::Collection512);
    assert_eq!(after.directories[&1].children, [2, 7]);
    assert_eq!(after.directories.len(), before.directories.len() + 1);
}

#[test]
fn extensions_that_a_directory_lists_are_taken() {
    let (directory, folder) = unpack("nidb/oldfmt-before-upgrade");
    let before = Database::read(&folder).unwrap();
    // Only the slots up to 5 are left.
    let slots = std::fs::read(folder.join("Collection")).unwrap();
    std::fs::write(folder.join("Collection"), &slots[..6 * 512]).unwrap();
    let after = Database::read(&folder).unwrap();
    let kinds: Vec<_> = after.findings.iter().map(|finding| (finding.kind, finding.id)).collect();
    assert!(kinds.contains(&(FindingKind::Unconverted, Some(6))), "{kinds:?}");
    assert!(after.directories[&6].properties == before.directories[&6].properties);
    drop(directory);
}

#[test]
fn a_folder_in_use_is_not_repaired() {
    let (_directory, folder) = unpack("nidb/crash-temp");
    let store = Store::open(&folder, Mode::ReadWrite).unwrap();
    add(&folder, "Temp", b"x");
    assert_eq!(nidb::repair(&folder).unwrap_err().kind(), StoreErrorKind::Locked);
    drop(store);
    nidb::repair(&folder).unwrap();
}

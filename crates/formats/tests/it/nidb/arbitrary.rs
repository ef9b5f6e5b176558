//! Any tree comes back, and any bytes are read.

use netinfo_formats::nidb::{
    ByteOrder, Database, Directory, Layout, MAX_FOLDER_BYTES, Mode, Store, WriteOptions, write_legacy,
    write_modern,
};
use netinfo_testkit::folders::database_folder;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::example;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"name".to_vec()),
        Just(Vec::new()),
        vec(1..=255_u8, 0..6),
        vec(1..=255_u8, 0..6).prop_map(|text| [b"_", text.as_slice()].concat()),
    ]
}

prop_compose! {
    /// A tree: each directory's parent is one of those before it.
    fn any_database()(
        nodes in vec((any::<prop::sample::Index>(), any::<[u32; 2]>(), vec((text(), vec(text(), 0..3)), 0..4)), 1..12),
        step in 1..40_u32,
    ) -> Database {
        let id = |number: usize| u32::try_from(number).unwrap() * step;
        let mut directories = std::collections::BTreeMap::new();
        for (number, (parent, [instance, version], properties)) in nodes.into_iter().enumerate() {
            let parent = if number == 0 { 0 } else { id(parent.index(number)) };
            if number > 0 {
                let siblings: &mut Directory = directories.get_mut(&parent).unwrap();
                siblings.children.insert(siblings.children.len() / 2, id(number));
            }
            let directory =
                Directory { id: id(number), instance, version, parent, children: Vec::new(), properties };
            directories.insert(id(number), directory);
        }
        let mut database = Database { layout: Layout::Modern, directories, findings: Vec::new(), opened_checksum: 0 };
        database.opened_checksum = database.checksum();
        database
    }
}

fn versionless(mut database: Database) -> Database {
    database.directories.values_mut().for_each(|directory| directory.version = 0);
    database.findings.clear();
    database
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_tree_comes_back(database in any_database(), index in any::<bool>()) {
        let directory = TempDir::new().unwrap();
        let place = directory.path().join("x.nidb");
        let options = WriteOptions { replace: true, index_for: index.then_some(ByteOrder::Big) };
        prop_assert_eq!(write_modern(&database, &place, options).unwrap(), []);
        let again = Database::read(&place).unwrap();
        prop_assert_eq!(&again.findings, &[]);
        prop_assert_eq!(versionless(again), versionless(database.clone()));
        let store = Store::open(&place, Mode::ReadOnly).unwrap();
        prop_assert_eq!(store.statistics().checksum, database.checksum());
        drop(store);
        prop_assert_eq!(write_legacy(&database, &place, options).unwrap(), []);
        let again = Database::read(&place).unwrap();
        prop_assert_eq!(again.layout, Layout::Collection512);
        prop_assert_eq!(&again.findings, &[]);
        prop_assert_eq!(versionless(again).directories, versionless(database).directories);
    }

    #[test]
    fn any_bytes_in_any_file_are_read(
        kind in any::<u8>(),
        bytes in vec(prop_oneof![Just(0_u8), Just(1), 0..7_u8, any::<u8>()], 0..400),
    ) {
        database_folder(&[&[kind], bytes.as_slice()].concat());
    }

    #[test]
    fn damaged_bytes_are_read(
        damage in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let directory = TempDir::new().unwrap();
        let place = directory.path().join("x.nidb");
        let options = WriteOptions { index_for: Some(ByteOrder::Little), ..WriteOptions::default() };
        write_modern(&example(), &place, options).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        for (file, at, byte) in damage {
            let path = file.get(&names);
            let mut bytes = std::fs::read(path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            std::fs::write(path, bytes).unwrap();
        }
        netinfo_testkit::folders::check_folder(&place);
    }
}

#[test]
fn folders_have_a_largest_size() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("x.nidb");
    write_modern(&example(), &place, WriteOptions::default()).unwrap();
    let file = std::fs::File::create(place.join("Store.4096")).unwrap();
    file.set_len(MAX_FOLDER_BYTES - 100).unwrap();
    let found = Database::read(&place).unwrap();
    assert_eq!(
        found.findings.iter().map(|finding| finding.kind.name()).collect::<Vec<_>>(),
        ["unreadable-file"]
    );
    assert_eq!(found.directories.len(), 3);
}

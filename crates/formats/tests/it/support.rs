//! Records for tests of formats that hold whole trees.

use netinfo_formats::raw::depth_first;
use netinfo_formats::{Identity, Place, Problem, Record, RecordWriter};
use proptest::prelude::*;

/// Domains of which all ids, instances and values are known.
pub(crate) const DOMAINS: [&str; 15] = [
    "churn",
    "crash-badsize",
    "crash-create-new",
    "crash-create-update",
    "crash-delete",
    "crash-noconfig",
    "crash-temp",
    "deleted",
    "dirty",
    "empty",
    "odd",
    "oldfmt",
    "rawnicl",
    "site",
    "values",
];

/// Writes all, without a loss.
pub(crate) fn write_all(writer: &mut impl RecordWriter, records: &[Record]) {
    let mut losses = Vec::new();
    for record in records {
        writer.write(record, &mut losses).unwrap();
    }
    writer.finish(&mut losses).unwrap();
    assert_eq!(losses, []);
}

/// What was read, without the lines.
pub(crate) fn without_lines(items: impl Iterator<Item = Result<Record, Problem>>) -> Vec<Record> {
    items.map(|record| Record { line: 0, ..record.unwrap() }).collect()
}

/// One line for each item.
pub(crate) fn shown(items: impl Iterator<Item = Result<Record, Problem>>) -> Vec<String> {
    items
        .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
        .collect()
}

/// A record with one property.
pub(crate) fn named(place: Place, name: impl Into<Vec<u8>>) -> Record {
    Record { place, properties: vec![(b"name".to_vec(), vec![name.into()])], identity: None, line: 0 }
}

/// Records depth first, from numbers that choose parents, with ids and instances.
pub(crate) fn trees() -> impl Strategy<Value = Vec<Record>> {
    let word = prop_oneof![any::<Vec<u8>>(), "[a-z\"\\\\\n ,;=(){}]{0,8}".prop_map(String::into_bytes)];
    let properties = prop::collection::vec((word.clone(), prop::collection::vec(word, 0..3)), 0..3);
    prop::collection::vec((any::<prop::sample::Index>(), any::<u32>(), properties), 1..12).prop_map(
        |records| {
            let number = |(number, (index, instance, properties)): (usize, (prop::sample::Index, u32, _))| {
                let place = if number == 0 { Place::Root } else { Place::Below(index.index(number) as u64) };
                let identity = Some(Identity { object: number as u32, instance });
                Record { place, properties, identity, line: 0 }
            };
            depth_first(records.into_iter().enumerate().map(number).collect())
        },
    )
}

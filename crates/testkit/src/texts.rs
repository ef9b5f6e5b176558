//! What must hold for any bytes read as one of the text formats. A broken promise panics.

use netinfo_formats::dslocal::{DsRecord, Encoding};
use netinfo_formats::raw::{self, Dialect};
use netinfo_formats::{Place, Problem, Record, RecordWriter, json5, jsonl, ldif};

/// Bytes as LDIF: there are no more items than lines, their numbers grow, what is read can be written, and what is
/// written reads as the same again.
pub fn ldif(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    let mut reader = ldif::Reader::new(bytes);
    let mut writer = ldif::Writer::new(Vec::new());
    let mut last = 0;
    while let Some(item) = reader.next() {
        let line = match item {
            Ok(item) => {
                std::str::from_utf8(item.dn()).expect("names are UTF-8");
                writer.item(&item).expect("what is read can be written");
                item.line()
            }
            Err(problem) => {
                assert!(!problem.to_string().contains('\n'), "{problem}");
                problem.line
            }
        };
        assert!(last < line && line <= lines, "line {line} after {last}, of {lines}");
        last = line;
    }
    let written = writer.finish().expect("memory takes everything");
    let mut again = ldif::Writer::new(Vec::new());
    let mut reader = ldif::Reader::new(&written[..]);
    while let Some(item) = reader.next() {
        again.item(&item.expect("what is written can be read")).expect("what is read can be written");
    }
    assert_eq!(again.finish().expect("memory takes everything"), written);
}

/// Bytes as raw text in every dialect: the numbers of the lines are those of the text, a parent comes before its
/// children, and what is written with escapes reads as the same again.
pub fn raw(bytes: &[u8]) {
    for dialect in [Dialect::Dump, Dialect::Load, Dialect::Escaped] {
        let records = tree(bytes, raw::Reader::new(bytes, dialect));
        let mut writer = raw::Writer::new(Vec::new(), Dialect::Escaped);
        write_all(&mut writer, &records);
        let text = writer.into_inner();
        let again: Vec<_> = raw::Reader::new(&text[..], Dialect::Escaped).collect();
        if !records.is_empty() {
            same(&records, &again);
        }
    }
}

/// Bytes as lines of JSON: as [`raw()`], with ids.
pub fn jsonl(bytes: &[u8]) {
    let records = tree(bytes, jsonl::Reader::new(bytes));
    let mut writer = jsonl::Writer::new(Vec::new());
    write_all(&mut writer, &records);
    let text = writer.into_inner();
    let again: Vec<_> = jsonl::Reader::new(&text[..]).collect();
    same(&records, &again);
}

/// Bytes as a domain file in JSON5: as [`raw()`], with ids.
pub fn json5(bytes: &[u8]) {
    let records = tree(bytes, json5::Reader::new(bytes));
    let mut writer = json5::Writer::new(Vec::new(), "tag", "name");
    write_all(&mut writer, &records);
    let text = writer.into_inner();
    let again: Vec<_> = json5::Reader::new(&text[..]).collect();
    same(&records, &again);
}

/// The records of a tree: lines are those of the text, a parent comes before its children, messages are one line.
fn tree(bytes: &[u8], items: impl Iterator<Item = Result<Record, Problem>>) -> Vec<Record> {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    let mut records = Vec::new();
    for item in items {
        match item {
            Err(problem) => {
                assert!((1..=lines).contains(&problem.line), "{problem}");
                assert!(!problem.to_string().contains('\n'), "{problem}");
            }
            Ok(record) => {
                assert!((1..=lines).contains(&record.line), "{record:?}");
                if let Place::Below(parent) = record.place {
                    assert!(parent < records.len() as u64, "{record:?}");
                }
                records.push(record);
            }
        }
    }
    records
}

fn write_all(writer: &mut impl RecordWriter, records: &[Record]) {
    let mut losses = Vec::new();
    for record in records {
        writer.write(record, &mut losses).expect("what is read can be written");
    }
    writer.finish(&mut losses).expect("memory takes everything");
    assert_eq!(losses, []);
}

/// The same places and properties, and not one problem.
fn same(records: &[Record], again: &[Result<Record, Problem>]) {
    assert_eq!(records.len(), again.len());
    for (record, again) in records.iter().zip(again) {
        let again = again.as_ref().expect("what is written can be read");
        assert_eq!((record.place, record.identity), (again.place, again.identity));
        assert!(record.properties == again.properties, "{record:?} has become {again:?}");
    }
}

/// Bytes as a record of a Mac's local directory, and as its hashes: what is read can be written, and reads as the same
/// properties again.
pub fn dslocal(bytes: &[u8]) {
    let Ok(record) = DsRecord::parse("users", "users/x.plist", 1, bytes) else { return };
    check_record(&record);
    check_record(&record.clone().with_shadow_file(bytes.to_vec()).with_samba_file(bytes.to_vec()));
}

fn check_record(record: &DsRecord) {
    let password = record.password();
    let (properties, problems) = record.to_properties();
    for problem in problems {
        assert!(!problem.to_string().contains('\n'), "{problem}");
    }
    let Some(properties) = properties else { return };
    assert_eq!(properties[0].0, b"name");
    let mut losses = Vec::new();
    let record = Record { place: Place::In("users"), properties, identity: None, line: 1 };
    let Some(again) = DsRecord::from_record(&record, "users", &mut losses) else { return };
    if losses.is_empty() {
        assert_eq!(again.password().stored, password.stored, "the password has changed");
    }
    for encoding in [Encoding::Xml, Encoding::Binary] {
        let bytes = again.to_bytes(encoding).expect("what is read can be written");
        DsRecord::parse("users", "users/x.plist", 1, &bytes).expect("what is written can be read");
    }
}

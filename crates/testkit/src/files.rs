//! What must hold for any bytes read as an administrative file. A broken promise panics.
//!
//! The promises of the readers: none panics; there are no more items than lines, each with the number of one; a record
//! has a name and belongs to the format's container; no value holds a NUL, and only where the format escapes it the end
//! of a line; a message is one line.
//!
//! The promises of the writers: what they write is read without a problem, and if they report no loss, it is what was
//! written.

use netinfo_formats::flat::Format;
use netinfo_formats::flat::tool::{Dump, Load};
use netinfo_formats::{Place, Problem, Record, Shadow, read_users};

/// Every reader of a flat file over the same bytes, and every writer over what it read.
pub fn flat_files(bytes: &[u8]) {
    let (shadow, problems) = Shadow::read(bytes);
    check(bytes, Format::Shadow, problems.into_iter().map(Err));
    check(bytes, Format::Passwd, read_users(bytes, &shadow));
    for format in Format::ALL {
        let records = check(bytes, format, format.read(bytes));
        check_written(format, &records);
        format.score(bytes);
    }
    for format in Load::ALL {
        for record in format.read(bytes).filter_map(Result::ok) {
            assert_eq!(record.container(), Some(format.container()));
            assert!(record.properties.is_sorted_by(|one, other| one.0 < other.0), "{record:?}");
            for format in Dump::ALL {
                // Writing to memory cannot fail.
                let _ = format.entry(&record.properties, &mut Vec::new());
            }
        }
    }
}

/// Checks what was read, and gives the records.
fn check(bytes: &[u8], format: Format, items: impl Iterator<Item = Result<Record, Problem>>) -> Vec<Record> {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    let mut records = Vec::new();
    let mut count = 0;
    for item in items {
        count += 1;
        match item {
            Err(problem) => {
                assert!((1..=lines).contains(&problem.line), "{problem}");
                assert!(!problem.to_string().contains('\n'), "{problem}");
            }
            Ok(record) => {
                check_record(format, &record);
                assert!((1..=lines).contains(&record.line), "{record:?}");
                records.push(record);
            }
        }
    }
    // A map has a record of its own before its entries.
    let most = lines + u64::from(format == Format::MountMap);
    assert!(count <= most, "{format:?}: more items than lines");
    records
}

fn check_record(format: Format, record: &Record) {
    let place = match record.place {
        Place::Below(0) if format == Format::MountMap => Place::In(format.container()),
        place => place,
    };
    assert_eq!(place, Place::In(format.container()));
    assert_eq!(record.properties[0].0, b"name");
    assert!(record.first("name").is_some_and(|name| !name.is_empty()), "{record:?}");
    let forbidden: &[u8] = if matches!(format, Format::Fstab | Format::Printcap) { b"\0" } else { b"\0\n" };
    let mut values = record.properties.iter().flat_map(|(_, values)| values).flatten();
    assert!(values.all(|byte| !forbidden.contains(byte)), "{record:?}");
}

/// Writes records of a format and reads them again.
fn check_written(format: Format, records: &[Record]) {
    let (mut text, mut losses) = (Vec::new(), Vec::new());
    let mut writer = format.writer(&mut text);
    for record in records {
        // Writing to memory cannot fail.
        let _ = writer.write(record, &mut losses);
    }
    let _ = writer.finish(&mut losses);
    drop(writer);
    let again: Result<Vec<_>, _> = format.read(text.as_slice()).collect();
    match again {
        Err(problem) => panic!("{format:?} wrote what it cannot read: {problem}\n{}", text.escape_ascii()),
        Ok(again) if losses.is_empty() => {
            let (before, after) = (comparable(records), comparable(&again));
            assert_eq!(before, after, "{format:?} lost something without a word\n{}", text.escape_ascii());
        }
        Ok(_) => {}
    }
}

/// Without line numbers, and with the properties in alphabetical order.
fn comparable(records: &[Record]) -> Vec<Record> {
    let mut records = records.to_vec();
    for record in &mut records {
        record.line = 0;
        record.properties.sort();
    }
    records
}

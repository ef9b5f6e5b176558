//! Exports of whole directories.

use std::fs;

use netinfo_formats::ldif::{Item, Reader, Writer};
use netinfo_testkit::{data, ldif};

use super::read;

#[test]
fn fixtures_are_read_without_a_problem_and_written_again() {
    for (file, count) in [("ldif/org.ldif", 97), ("ldif/apple-od.ldif", 49)] {
        let text = fs::read(data(file)).unwrap();
        let mut reader = Reader::new(&text[..]);
        let mut writer = Writer::new(Vec::new()).without_version();
        let mut found = Vec::new();
        while let Some(item) = reader.next() {
            let item = item.unwrap();
            writer.item(&item).unwrap();
            let Item::Entry(entry) = item else { panic!("{file}: a change") };
            let attributes = entry.attributes.grouped();
            let owned = |(name, values): (&[u8], Vec<&[u8]>)| {
                let values = values.into_iter().map(<[u8]>::to_vec).collect();
                (String::from_utf8_lossy(name).into_owned(), values)
            };
            found.push(ldif::Entry {
                dn: String::from_utf8_lossy(entry.dn).into_owned(),
                attributes: attributes.into_iter().map(owned).collect(),
            });
        }
        assert_eq!(found.len(), count, "{file}");
        // Another reader, made for tests, sees the same.
        assert_eq!(found, ldif::entries(file), "{file}");
        let written = writer.finish().unwrap();
        let again: Vec<_> =
            read(&written).iter().map(|shown| shown.split_once(' ').unwrap().1.to_owned()).collect();
        let first: Vec<_> =
            read(&text).iter().map(|shown| shown.split_once(' ').unwrap().1.to_owned()).collect();
        assert_eq!(again, first, "{file}");
        assert!(written.split(|byte| *byte == b'\n').all(|line| line.len() <= 76));
    }
}

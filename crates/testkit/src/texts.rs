//! What must hold for any bytes read as one of the text formats. A broken promise panics.

use netinfo_formats::ldif;

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

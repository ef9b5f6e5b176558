//! Records that are too large are passed over, not stored.

use std::io::{self, ErrorKind, Read};

use netinfo_formats::ldif::{
    Item, MAX_DN_BYTES, MAX_RECORD_BYTES, MAX_RECORD_LINES, MAX_VALUE_BYTES, Reader,
};

use super::{read, read_all};

const NEXT: &str = "\n\ndn: cn=next\n";

/// A record that begins so and ends with so many bytes without an end of the line, then another record.
fn long(begin: &str, count: usize) -> impl Read + use<'_> {
    begin.as_bytes().chain(io::repeat(b'x').take(count as u64)).chain(NEXT.as_bytes())
}

#[test]
fn a_record_has_so_many_bytes_and_no_more() {
    // One line without an end, and many lines.
    let found = read_all(Reader::new(long("dn: cn=a\ncn: ", MAX_RECORD_BYTES)));
    assert_eq!(found, ["line 1: record: longer than 67108864 bytes", "4 cn=next:"]);
    let block = format!("\nx: {}", "y".repeat(1 << 16));
    let text = format!("dn: cn=a{}{NEXT}", block.repeat(MAX_RECORD_BYTES >> 16));
    let found = read(text);
    assert_eq!(found[0], "line 1: record: longer than 67108864 bytes");
    assert_eq!(found.len(), 2);
    assert!(found[1].ends_with(" cn=next:"), "{}", found[1]);
}

#[test]
fn a_record_has_so_many_lines_and_no_more() {
    let text = |count| format!("dn: cn=a{}{NEXT}", "\n#".repeat(count));
    let found = read(text(MAX_RECORD_LINES - 1));
    assert_eq!(found, ["1 cn=a:".to_owned(), format!("{} cn=next:", MAX_RECORD_LINES + 2)]);
    let found = read(text(MAX_RECORD_LINES));
    let next = format!("{} cn=next:", MAX_RECORD_LINES + 3);
    assert_eq!(found, ["line 1: record: longer than 2097152 lines".to_owned(), next]);
}

#[test]
fn a_value_has_so_many_bytes_and_no_more() {
    for (count, good) in [(MAX_VALUE_BYTES, true), (MAX_VALUE_BYTES + 1, false)] {
        let mut reader = Reader::new(long("dn: cn=a\ncn: ", count));
        match reader.next() {
            Some(Ok(Item::Entry(mut entry))) if good => {
                assert_eq!(entry.attributes.next().map(|(_, value)| value.len()), Some(count));
            }
            Some(Err(problem)) if !good => {
                assert_eq!(problem.to_string(), "line 2: value: longer than 16777216 bytes");
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(reader.next(), Some(Ok(_))));
    }
    let reader =
        Reader::new("dn: cn=a\ncn:< file:///a\n".as_bytes()).with_urls(|_| Ok(vec![0; MAX_VALUE_BYTES + 1]));
    assert_eq!(read_all(reader), ["line 2: value: what it names is longer than 16777216 bytes"]);
}

#[test]
fn a_name_has_so_many_bytes_and_no_more() {
    let name = "x".repeat(MAX_DN_BYTES);
    assert_eq!(read(format!("dn: {name}\n")), [format!("1 {name}:")]);
    assert_eq!(read(format!("dn: {name}x\n")), ["line 1: dn: longer than 65536 bytes"]);
}

#[test]
fn a_failing_input_is_the_last_problem() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }
    let found = read_all(Reader::new(b"dn: cn=a\n\ndn: cn=b\ncn".chain(Broken)));
    assert_eq!(found, ["1 cn=a:", "line 3: line: cannot be read: connection reset"]);
}

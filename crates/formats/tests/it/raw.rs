//! Raw text, as old tools wrote and read it.

use std::fs;

use netinfo_formats::raw::{Dialect, MAX_DEPTH, Reader, Writer};
use netinfo_formats::{Place, Record, RecordWriter};
use netinfo_testkit::{data, texts, trees};
use proptest::prelude::*;

use crate::support::{self, DOMAINS};

fn text_of(domain: &str) -> Vec<u8> {
    fs::read(data(format!("nidb/{domain}.nidump-raw.txt"))).unwrap()
}

fn written(records: &[Record], dialect: Dialect) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), dialect);
    for record in records {
        writer.write(record, &mut Vec::new()).unwrap();
    }
    writer.finish(&mut Vec::new()).unwrap();
    writer.into_inner()
}

/// What a text holds, without ids and lines.
fn read(text: &[u8], dialect: Dialect) -> Vec<Record> {
    let records = Reader::new(text, dialect).map(|record| plain(&record.unwrap()));
    records.collect()
}

fn plain(record: &Record) -> Record {
    Record { identity: None, line: 0, ..record.clone() }
}

/// One line for each item.
fn shown(text: &str) -> Vec<String> {
    Reader::new(text.as_bytes(), Dialect::Dump)
        .map(|item| match item {
            Ok(record) => format!("{record:?}"),
            Err(problem) => problem.to_string(),
        })
        .collect()
}

#[test]
fn domains_are_written_byte_for_byte_and_read_back() {
    for domain in DOMAINS {
        let records = trees::readall(&format!("nidb/{domain}"));
        let text = text_of(domain);
        assert!(written(&records, Dialect::Dump) == text, "{domain} is written otherwise");
        let records: Vec<_> = records.iter().map(plain).collect();
        assert!(read(&text, Dialect::Dump) == records, "{domain} is read otherwise");
        let escaped = written(&records, Dialect::Escaped);
        assert!(read(&escaped, Dialect::Escaped) == records, "{domain} does not come back");
    }
}

#[test]
fn a_child_that_could_not_be_read_left_its_comma() {
    let records: Vec<_> = trees::readall("nidb/crash-orphan").iter().map(plain).collect();
    assert!(read(&text_of("crash-orphan"), Dialect::Dump) == records);
}

#[test]
fn what_people_write_is_read() {
    let text = "name = lookupd;\nLookupOrder = (CacheAgent, NIAgent);\nCHILDREN = ({\n    name = users;\n    \
                ValidateCache = NO;\n}, {\n    name = hosts;\n});\n";
    assert_eq!(
        shown(text),
        [
            r#"root:1 { name: "lookupd" LookupOrder: "CacheAgent" "NIAgent" }"#,
            r#"below 0:3 { name: "users" ValidateCache: "NO" }"#,
            r#"below 0:6 { name: "hosts" }"#,
        ]
    );
    let lists = "a = ; b = (); c = x y; d = (x, y,); e = ,x,;";
    assert_eq!(shown(lists), [r#"root:1 { a: b: c: "x" "y" d: "x" "y" e: "x" }"#]);
    for text in [
        "{ CHILDREN = (a = 1;, a = 2;) }",
        "{ CHILDREN = a = 1;, a = 2; }",
        "CHILDREN = a = 1;, { a = 2; }",
        "{CHILDREN=({a=1;},{a=2;},);}",
    ] {
        let expected = ["root:1 { }", r#"below 0:1 { a: "1" }"#, r#"below 0:1 { a: "2" }"#];
        if text.contains("=(") {
            // Without blanks `=1` would be the end of a word.
            continue;
        }
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(shown("{ CHILDREN = ( ) }"), ["root:1 { }"]);
    assert_eq!(
        shown("{ CHILDREN = ( CHILDREN = a = 1; ) }"),
        ["root:1 { }", "below 0:1 { }", r#"below 1:1 { a: "1" }"#]
    );
    assert_eq!(
        shown("{ CHILDREN = ({}, { }); b = c; }"),
        [r#"root:1 { b: "c" }"#, "below 0:1 { }", "below 0:1 { }"]
    );
    assert_eq!(shown("{ \"CHILDREN\" = ( \"x\" ); }\r\n"), [r#"root:1 { CHILDREN: "x" }"#]);
}

#[test]
fn what_cannot_be_read_is_told_as_niload_did() {
    for (text, problem) in [
        ("garbage", "line 1: text: Expecting equal \"=\""),
        ("garbage\n\n", "line 1: text: Expecting equal \"=\""),
        ("{ \"name\" = ( \"bad\" ", "line 1: text: Unexpected token \"-nil-\""),
        ("{\n a = b\n}", "line 3: text: Unexpected token \"}\""),
        ("{ a = (b) c = d; }", "line 1: text: Expecting semicolon \";\""),
        ("{ a = ((b)); }", "line 1: text: Unexpected token \"(\""),
        ("{ ( }", "line 1: text: Unexpected left paren \"(\""),
        ("{ ) }", "line 1: text: Unexpected right paren \")\""),
        ("a = b; }", "line 1: text: Unexpected right brace \"}\""),
        ("{ , }", "line 1: text: Unexpected token \",\""),
        ("", "line 1: text: there is no directory"),
        (" \n\n", "line 1: text: there is no directory"),
        ("{ CHILDREN = ) }", "line 1: text: Unexpected right paren \")\""),
        ("CHILDREN = )", "line 1: text: Unexpected right paren \")\""),
        ("{ a = \"b\n\n", "line 1: text: the text ends inside quotes"),
    ] {
        assert_eq!(shown(text), [problem], "{text}");
    }
    assert_eq!(
        shown("{ CHILDREN = ({ a = 1; } { a = 2; }) }"),
        ["line 1: text: Expecting right paren \")\""],
        "the root is at fault"
    );
    assert_eq!(
        shown("{ a = b; } \n{}"),
        [r#"root:1 { a: "b" }"#, "line 2: end: more text behind the directory"]
    );
}

#[test]
fn one_bad_directory_costs_what_is_below_it_only() {
    let text = "{\n name = x;\n CHILDREN = ({ name = a; },\n { name = b; CHILDREN = ({ name = c; }); oops },\n { name = d; }) }";
    assert_eq!(
        shown(text),
        [
            r#"root:1 { name: "x" }"#,
            r#"below 0:3 { name: "a" }"#,
            "line 4: text: Expecting equal \"=\"",
            r#"below 0:5 { name: "d" }"#
        ]
    );
}

#[test]
fn a_text_that_is_cut_off_is_read_up_to_there() {
    let text = "{ name = x; CHILDREN = (\n{ name = a; CHILDREN = (\n{ name = b; },\n{ name = c; uid = (";
    assert_eq!(
        shown(text),
        [
            r#"root:1 { name: "x" }"#,
            r#"below 0:2 { name: "a" }"#,
            r#"below 1:3 { name: "b" }"#,
            "line 4: text: Unexpected token \"-nil-\""
        ]
    );
    // Whatever is cut off any text is told.
    let text = text_of("odd");
    for end in 0..text.len() - 2 {
        let problems = Reader::new(&text[..end], Dialect::Dump).filter(Result::is_err).count();
        assert_eq!(problems, 1, "cut at {end}");
    }
}

#[test]
fn directories_are_so_deep_and_no_deeper() {
    let text = |depth: usize| "CHILDREN = ({".repeat(depth) + &"})".repeat(depth);
    assert_eq!(
        Reader::new(text(MAX_DEPTH).as_bytes(), Dialect::Dump).filter(Result::is_ok).count(),
        MAX_DEPTH + 1
    );
    let problem = Reader::new(text(MAX_DEPTH + 1).as_bytes(), Dialect::Dump).find_map(Result::err).unwrap();
    assert_eq!(problem.to_string(), "line 1: text: deeper than 256 directories");
}

#[test]
fn losses_and_what_is_refused() {
    let record = |place, value: &str| Record {
        place,
        properties: vec![(b"name".to_vec(), vec![value.into()])],
        identity: None,
        line: 7,
    };
    let mut losses = Vec::new();
    let mut writer = Writer::new(Vec::new(), Dialect::Dump);
    writer.write(&record(Place::Root, "a\\b"), &mut losses).unwrap();
    assert_eq!(losses[0].to_string(), "record 7: name: niload drops backslashes");
    writer.write(&record(Place::Below(0), "a"), &mut losses).unwrap();
    writer.write(&record(Place::Below(0), "b"), &mut losses).unwrap();
    assert_eq!(losses.len(), 1);
    for place in [Place::Root, Place::In("users"), Place::Below(1), Place::Below(9)] {
        assert!(writer.write(&record(place, "c"), &mut losses).is_err(), "{place:?}");
    }
    Writer::new(Vec::new(), Dialect::Escaped).write(&record(Place::Root, "a\\b"), &mut losses).unwrap();
    assert_eq!(losses.len(), 1);
}

fn likely_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        ",",
        ";",
        " = ",
        "=",
        "\"",
        "\\",
        "\n",
        " ",
        "CHILDREN",
        "CHILDREN = (",
        "a",
        "\"b\"",
        "name = x;",
        "{ a = b; }",
        "\0",
        "é",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read(bytes: Vec<u8>) {
        texts::raw(&bytes);
    }

    #[test]
    fn likely_texts_are_read(text in likely_text()) {
        texts::raw(&text);
    }

    #[test]
    fn trees_come_back(records in support::trees()) {
        let text = written(&records, Dialect::Escaped);
        prop_assert_eq!(read(&text, Dialect::Escaped), records.iter().map(plain).collect::<Vec<_>>());
    }

    #[test]
    fn trees_without_backslashes_come_back_in_every_dialect(mut records in support::trees()) {
        for (name, values) in records.iter_mut().flat_map(|record| &mut record.properties) {
            name.retain(|byte| *byte != b'\\');
            values.iter_mut().for_each(|value| value.retain(|byte| *byte != b'\\'));
        }
        let text = written(&records, Dialect::Dump);
        let records: Vec<_> = records.iter().map(plain).collect();
        prop_assert_eq!(read(&text, Dialect::Load), &records[..]);
        prop_assert_eq!(read(&text, Dialect::Escaped), records);
    }
}

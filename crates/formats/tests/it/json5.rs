//! Domain files in JSON5.

use netinfo_formats::json5::{Domain, MAX_FILE_BYTES, Reader, Writer};
use netinfo_formats::{Identity, Place, Record, RecordWriter};
use netinfo_testkit::{texts, trees};
use proptest::prelude::*;

use crate::support::{self, DOMAINS, named, without_lines, write_all};

fn written(records: &[Record]) -> String {
    let mut writer = Writer::new(Vec::new(), "network", "/a \"b\"");
    write_all(&mut writer, records);
    String::from_utf8(writer.into_inner()).unwrap()
}

fn shown(text: &str) -> Vec<String> {
    support::shown(Reader::new(text.as_bytes()))
}

/// A file with these nodes.
fn file(nodes: &str) -> String {
    format!("{{version: 1, nodes: [\n{nodes}\n]}}")
}

#[test]
fn domains_come_back() {
    for domain in DOMAINS {
        let records = trees::readall(&format!("nidb/{domain}"));
        let text = written(&records);
        let again = without_lines(Reader::new(text.as_bytes()));
        assert!(again == without_lines(records.into_iter().map(Ok)), "{domain}");
    }
}

#[test]
fn what_people_write_is_read() {
    let text = "// a network of one\n{\n  version: 1,\n  domain: { tag: 'network', name: '/' },\n  nodes: [\n\
                { id: 2, parent: 1, properties: { name: ['ana', \"ana.b\"], uid: 501, gid: -2 } },\n\
                { id: 0, instance: 4, parent: 0, properties: { master: ['alpha/network'], empty: [] } },\n\
                { id: 1, instance: 1, parent: 0, properties: [['name', 'users'], [{hex: 'FF'}, ['a', {hex: ''}]]] },\n\
                ],\n}\n";
    let mut reader = Reader::new(text.as_bytes());
    assert_eq!(reader.domain(), Some(&Domain { tag: "network".to_owned(), name: "/".to_owned() }));
    let records: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(
        records.iter().map(|record| format!("{record:?}")).collect::<Vec<_>>(),
        [
            r#"root:7 { master: "alpha/network" empty: }"#,
            r#"below 0:8 { name: "users" \xff: "a" "" }"#,
            r#"below 1:6 { name: "ana" "ana.b" uid: "501" gid: "-2" }"#,
        ]
    );
    assert_eq!(records[0].identity, Some(Identity { object: 0, instance: 4 }));
    assert_eq!(records[2].identity, Some(Identity { object: 2, instance: 0 }));
    assert_eq!(shown("{version:1}"), [""; 0]);
    assert_eq!(shown(&file("{id:5,properties:{}}")), ["root:2 { }"]);
    assert_eq!(shown(&file("{id:5,parent:null,properties:{}}")), ["root:2 { }"]);
}

#[test]
fn files_are_written_as_documented() {
    let mut records =
        vec![named(Place::Root, "/"), named(Place::Below(0), "a"), named(Place::Below(0), [0xff])];
    records[1].identity = Some(Identity { object: 3, instance: 1 });
    records[2].properties.push((b"name".to_vec(), vec![]));
    assert_eq!(
        written(&records),
        r#"{
  "version": 1,
  "domain": {"tag": "network", "name": "/a \"b\""},
  "nodes": [
    {"id": 0, "instance": 0, "parent": 0, "properties": {"name": ["/"]}},
    {"id": 3, "instance": 1, "parent": 0, "properties": {"name": ["a"]}},
    {"id": 1, "instance": 0, "parent": 0, "properties": [["name", [{"hex": "ff"}]], ["name", []]]}
  ]
}
"#
    );
    assert_eq!(shown(&written(&[])), [""; 0]);
}

#[test]
fn containers_become_directories() {
    let records = [
        named(Place::In("users"), "ana"),
        named(Place::In("groups"), "staff"),
        named(Place::In("users"), "bob"),
    ];
    assert_eq!(
        shown(&written(&records)),
        [
            "root:5 { }",
            r#"below 0:6 { name: "users" }"#,
            r#"below 1:7 { name: "ana" }"#,
            r#"below 1:10 { name: "bob" }"#,
            r#"below 0:8 { name: "groups" }"#,
            r#"below 4:9 { name: "staff" }"#,
        ]
    );
}

#[test]
fn an_id_that_is_taken_is_a_loss() {
    let identity = Some(Identity { object: 5, instance: 0 });
    let record = |place, line| Record { identity, line, ..named(place, "x") };
    let mut writer = Writer::new(Vec::new(), "t", "n");
    let mut losses = Vec::new();
    writer.write(&record(Place::Root, 1), &mut losses).unwrap();
    assert_eq!(losses, []);
    writer.write(&record(Place::Below(0), 2), &mut losses).unwrap();
    assert_eq!(losses[0].to_string(), "record 2: left out: its id is taken, it gets another one");
    for place in [Place::Root, Place::Below(7)] {
        assert!(writer.write(&record(place, 3), &mut losses).is_err());
    }
}

#[test]
fn a_bad_node_is_one_problem() {
    for (node, problem) in [
        ("5", "line 3: nodes: a node that is no object"),
        ("{parent:0,properties:{}}", "line 3: id: missing"),
        ("{id:9,parent:0}", "line 3: properties: missing"),
        ("{id:-9,parent:0,properties:{}}", "line 3: id: not a number of 32 bits"),
        ("{id:'9',parent:0,properties:{}}", "line 3: id: not a number of 32 bits"),
        ("{id:9,parent:0,properties:{},properties:{}}", "line 3: properties: there twice"),
        ("{id:9,parent:0,properties:5}", "line 3: properties: neither an object nor an array of pairs"),
        ("{id:9,parent:0,properties:[['a']]}", "line 3: properties: not a pair"),
        ("{id:9,parent:0,properties:{a:[[]]}}", "line 3: properties: not a string"),
        ("{id:9,parent:0,properties:{a:true}}", "line 3: properties: not a string"),
        ("{id:9,parent:0,properties:{a:{hex:'x'}}}", "line 3: properties: an object that is not hex"),
        ("{id:0,parent:0,properties:{}}", "line 3: id: a second node 0"),
        ("{id:9,properties:{}}", "line 3: parent: a second root"),
    ] {
        let text = file(&format!("{{id:0,properties:{{}}}},\n{node},\n{{id:0x1,parent:0,properties:{{}}}}"));
        assert_eq!(shown(&text), [problem, "root:2 { }", "below 0:4 { }"], "{node}");
    }
    let ring = "{id:0,properties:{}},\n{id:1,parent:2,properties:{}},\n{id:2,parent:1,properties:{}}";
    assert_eq!(
        shown(&file(ring)),
        ["root:2 { }", "line 3: parent: 2 is not below the root", "line 4: parent: 1 is not below the root"]
    );
    assert_eq!(
        shown("{version:1,author:'x',nodes:[{id:0,properties:{},colour:1}]}"),
        ["line 1: key: \"author\" is not known", "line 1: key: \"colour\" is not known", "root:1 { }"]
    );
}

#[test]
fn what_is_not_such_a_file_is_told() {
    for (text, problem) in [
        ("", "line 1: text: \"{\" expected, the end found"),
        ("{}", "line 1: version: missing"),
        ("{version: 2}", "line 1: version: not 1"),
        ("{nodes:[{id:0,properties:{}}]}", "line 1: version: missing"),
        ("{version:1,domain:{tag:5}}", "line 1: domain: not a string"),
        ("{version:1,nodes:{}}", "line 1: text: \"[\" expected, \"{\" found"),
    ] {
        assert_eq!(shown(text), [problem], "{text}");
    }
    // What stands before the error is kept.
    assert_eq!(
        shown("{version:1,nodes:[{id:0,properties:{}},\n{id:1"),
        ["line 2: text: \"}\" expected, the end found", "root:1 { }"]
    );
    let mut reader = Reader::new(&b"{\n\n'\xff'}"[..]);
    assert_eq!(reader.next().unwrap().unwrap_err().to_string(), "line 3: text: not UTF-8");
}

#[test]
fn a_file_has_so_many_bytes_and_no_more() {
    use std::io::{Read as _, repeat};
    let begin = b"{version:1}";
    let blanks = |count: usize| begin.chain(repeat(b' ').take((count - begin.len()) as u64));
    assert_eq!(
        support::shown(Reader::new(blanks(MAX_FILE_BYTES + 1))),
        ["line 1: text: longer than 134217728 bytes"]
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read(bytes: Vec<u8>) {
        texts::json5(&bytes);
    }

    #[test]
    fn likely_texts_are_read(pieces in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "version: 1,", "nodes: [", "{id: 0, properties: {", "{id: 1, parent: 0, properties: [", "'a': 'b'",
        "// c\n", "/*", "*/", "\n", "\\", "'", "\"", "domain: {tag: 't'},", "\\ud83d\\ude00", "hex: 'ff'", "é",
    ]), 0..30)) {
        texts::json5(pieces.concat().as_bytes());
        texts::json5(format!("{{version: 1, nodes: [{}", pieces.concat()).as_bytes());
    }

    #[test]
    fn trees_come_back(records in support::trees()) {
        prop_assert_eq!(without_lines(Reader::new(written(&records).as_bytes())), records);
    }
}

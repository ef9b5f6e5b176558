//! Records as lines of JSON.

use netinfo_formats::jsonl::{MAX_RECORD_BYTES, Reader, Writer};
use netinfo_formats::{Place, Record, read_passwd};
use netinfo_testkit::{texts, trees};
use proptest::prelude::*;

use crate::support::{self, DOMAINS, named, without_lines, write_all};

fn written(records: &[Record]) -> String {
    let mut writer = Writer::new(Vec::new());
    write_all(&mut writer, records);
    String::from_utf8(writer.into_inner()).unwrap()
}

fn shown(text: &str) -> Vec<String> {
    support::shown(Reader::new(text.as_bytes()))
}

#[test]
fn domains_come_back() {
    for domain in DOMAINS {
        let records = trees::readall(&format!("nidb/{domain}"));
        let text = written(&records);
        let again: Vec<_> = Reader::new(text.as_bytes()).map(Result::unwrap).collect();
        assert!(again == records, "{domain}");
    }
}

#[test]
fn lines_are_as_documented() {
    let mut records = vec![
        named(Place::Root, "/"),
        named(Place::Below(0), "a/b"),
        named(Place::Below(1), [0xff]),
        named(Place::Below(0), "c"),
        named(Place::Below(1), "late"),
    ];
    records[1].identity = Some(netinfo_formats::Identity { object: 3, instance: 1 });
    assert_eq!(
        written(&records),
        r#"{"record":0,"path":"/","properties":[["name",["/"]]]}
{"record":1,"parent":0,"path":"/a\\/b","id":3,"instance":1,"properties":[["name",["a/b"]]]}
{"record":2,"parent":1,"properties":[["name",[{"hex":"ff"}]]]}
{"record":3,"parent":0,"path":"/c","properties":[["name",["c"]]]}
{"record":4,"parent":1,"properties":[["name",["late"]]]}
"#
    );
    let users: Vec<_> = read_passwd(&b"ana:*:1:2::/:\n"[..]).map(Result::unwrap).collect();
    let text = written(&users);
    assert!(
        text.starts_with(r#"{"record":0,"in":"users","path":"/users/ana","properties":[["name",["ana"]],"#),
        "{text}"
    );
    assert_eq!(without_lines(Reader::new(text.as_bytes())), without_lines(users.into_iter().map(Ok)));
}

#[test]
fn lines_may_be_missing_and_fields_stand_in_any_order() {
    let text = "{\"properties\":[],\"record\":7}\n\n \r\n{\"record\":9,\"parent\":7,\"path\":5,\"properties\":[[\"a\",[]]]}\r\n\
                {\"parent\":9,\"properties\":[]}";
    assert_eq!(shown(text), ["root:1 { }", "below 0:4 { a: }", "below 1:5 { }"]);
}

#[test]
fn a_bad_line_is_one_problem() {
    for (line, problem) in [
        ("oops", "line 2: line: not JSON, at column 1"),
        ("{\"properties\":[[\"passwd\",[5]]]}", "line 2: line: not a record, at column 28"),
        ("{}", "line 2: line: not a record, at column 2"),
        ("{\"properties\":[],\"more\":1}", "line 2: line: not a record, at column 23"),
        (
            "{\"properties\":[[\"a\",[{\"hex\":\"f\"}]]]}",
            "line 2: properties: hex is not pairs of hexadecimal digits",
        ),
        ("{\"parent\":5,\"properties\":[]}", "line 2: parent: there is no record 5 before it"),
        (
            "{\"parent\":0,\"in\":\"users\",\"properties\":[]}",
            "line 2: parent: stands there together with in",
        ),
        ("{\"in\":\"cellar\",\"properties\":[]}", "line 2: in: not a known container"),
        ("{\"id\":5,\"properties\":[]}", "line 2: id: id and instance belong together"),
        ("{\"record\":0,\"properties\":[]}", "line 2: record: a second 0"),
    ] {
        let text =
            format!("{{\"record\":0,\"properties\":[]}}\n{line}\n{{\"parent\":0,\"properties\":[]}}\n");
        assert_eq!(shown(&text), ["root:1 { }", problem, "below 0:3 { }"], "{line}");
    }
}

#[test]
fn a_line_has_so_many_bytes_and_no_more() {
    let mut line = "{\"properties\":[]".to_owned();
    line += &" ".repeat(MAX_RECORD_BYTES - line.len() - 1);
    assert_eq!(
        shown(&format!("{line}}}\n{line} }}\n{{\"properties\":[]}}\n")),
        ["root:1 { }", "line 2: line: longer than 67108864 bytes", "root:3 { }"]
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read(bytes: Vec<u8>) {
        texts::jsonl(&bytes);
    }

    #[test]
    fn likely_lines_are_read(pieces in prop::collection::vec(prop::sample::select(vec![
        "{\"record\":", "0", "1", ",\"parent\":", ",\"in\":\"users\"", ",\"id\":3,\"instance\":1", ",\"properties\":[", "[\"a\",[\"b\"]]",
        "{\"hex\":\"ff\"}", "]", "}", "\n", "\"", ",",
    ]), 0..30)) {
        texts::jsonl(pieces.concat().as_bytes());
    }

    #[test]
    fn trees_come_back(records in support::trees()) {
        prop_assert_eq!(without_lines(Reader::new(written(&records).as_bytes())), records);
    }
}

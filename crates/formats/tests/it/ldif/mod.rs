//! LDIF as RFC 2849 gives it and as it is found in the wild.

mod files;
mod limits;
mod round_trip;

use netinfo_formats::ldif::{Change, Entry, Item, Operation, Reader};

/// What a text reads as, one line for each item or problem. Values are shown, so only for texts of tests.
fn read(text: impl AsRef<[u8]>) -> Vec<String> {
    read_all(Reader::new(text.as_ref()))
}

fn read_all(mut reader: Reader<impl std::io::Read>) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(item) = reader.next() {
        found.push(match item {
            Ok(item) => shown(&item),
            Err(problem) => problem.to_string(),
        });
    }
    found
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn shown(item: &Item<'_>) -> String {
    let pairs = |attributes: &netinfo_formats::ldif::Attributes<'_>| {
        let pair = |(name, value): (&[u8], &[u8])| format!(" {}={}", text(name), text(value));
        attributes.clone().map(pair).collect::<String>()
    };
    match item {
        Item::Entry(Entry { line, dn, attributes }) => format!("{line} {}:{}", text(dn), pairs(attributes)),
        Item::Change(Change { line, dn, controls, operation }) => {
            let mut shown = format!("{line} {}:", text(dn));
            for control in controls.clone() {
                let value = control.value.map(|value| format!("={}", text(value))).unwrap_or_default();
                let critical = if control.critical { "!" } else { "" };
                shown += &format!(" [{}{critical}{value}]", text(control.oid));
            }
            match operation {
                Operation::Add(attributes) => shown + " add" + &pairs(attributes),
                Operation::Delete => shown + " delete",
                Operation::Modify(steps) => {
                    for step in steps.clone() {
                        let values: Vec<_> = step.values.map(text).collect();
                        shown += &format!(" {} {} {values:?}", step.kind.word(), text(step.description));
                    }
                    shown
                }
                Operation::Rename { new_rdn, delete_old_rdn, new_superior } => {
                    let parent =
                        new_superior.map(|name| format!(" below {}", text(name))).unwrap_or_default();
                    shown + &format!(" to {} {delete_old_rdn}{parent}", text(new_rdn))
                }
            }
        }
    }
}

#[test]
fn entries() {
    let found = read("version: 1\ndn: cn=a,dc=x\ncn: a\nsn:  two spaces\nnote:\n\ndn: cn=b\ncn;lang-de: b\n");
    assert_eq!(found, ["2 cn=a,dc=x: cn=a sn=two spaces note=", "7 cn=b: cn;lang-de=b"]);
}

#[test]
fn folded_lines_and_comments() {
    let found = read(
        "# a comment\n  that goes on\ndn: cn=a\n ,dc=x\n# another\n\n\ndn: cn=b\ncn: o\n n\n e\n#x\nsn: b\n",
    );
    assert_eq!(found, ["3 cn=a,dc=x:", "8 cn=b: cn=one sn=b"]);
}

#[test]
fn base64_in_names_and_values_folded_too() {
    let found = read("dn:: Y249\n YQ==\ncn:: w6k=\nphoto:: \nempty::\n");
    assert_eq!(found, ["1 cn=a: cn=\\xc3\\xa9 photo= empty="]);
    assert_eq!(read("dn: cn=a\ncn:: w6k\n"), ["line 2: value: not base64"]);
    assert_eq!(read("dn:: /w==\ncn: a\n"), ["line 1: dn: not UTF-8"]);
}

#[test]
fn what_other_programs_write_is_read() {
    // Returns before newlines, no end of the last line, blank lines of spaces before a record, a byte order mark.
    let found = read("\u{feff}\r\n   \r\ndn: cn=a\r\ncn: a\r\n b\r\n\r\n\t\r\ndn: cn=b\r\ncn: b");
    assert_eq!(found, ["3 cn=a: cn=ab", "8 cn=b: cn=b"]);
    assert_eq!(read("dn: cn=a\ncn: a\n\nversion: 1\n\nversion: 1\ndn: cn=b\n"), ["1 cn=a: cn=a", "7 cn=b:"]);
    assert_eq!(read(""), [""; 0]);
    assert_eq!(read("version: 1"), [""; 0]);
    assert_eq!(read("# only this"), [""; 0]);
    assert_eq!(read("version: 2\ndn: cn=a\n\ndn: cn=b\n"), ["line 1: version: not 1", "4 cn=b:"]);
}

#[test]
fn unusual_things_are_counted() {
    let mut reader = Reader::new("dn: cn=a\ncn: a \n\ndn: cn=é\ncn: é \nsn: b \n\ndn: c=d\n".as_bytes());
    while reader.next().is_some() {}
    let remarks = reader.remarks();
    assert!(remarks.no_version);
    assert_eq!((remarks.trailing_spaces.count, remarks.trailing_spaces.first_line), (2, 1));
    assert_eq!((remarks.not_ascii.count, remarks.not_ascii.first_line), (1, 4));
    let mut reader = Reader::new(&b"version: 1\n\ndn: cn=a\ncn: a\n"[..]);
    while reader.next().is_some() {}
    assert_eq!(reader.remarks(), netinfo_formats::ldif::Remarks::default());
}

#[test]
fn changes() {
    let found = read(
        "dn: cn=a\nchangetype: add\ncn: a\nsn: b\n\ndn: cn=a\nchangetype: delete\n\n\
         dn: cn=a\nchangetype: modify\nadd: mail\nmail: x\nmail: y\n-\ndelete: sn\n-\nreplace: cn;x-y\ncn;x-y: z\n-\n\
         increment: uidNumber\nuidNumber: 1\n-\n\n\
         dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1\n\n\
         dn: cn=b\nChangeType: moddn\nnewrdn:: Y249Yw==\ndeleteoldrdn: 0\nnewsuperior: dc=x\n",
    );
    assert_eq!(
        found,
        [
            "1 cn=a: add cn=a sn=b",
            "6 cn=a: delete",
            "9 cn=a: add mail [\"x\", \"y\"] delete sn [] replace cn;x-y [\"z\"] increment uidNumber [\"1\"]",
            "24 cn=a: to cn=b true",
            "29 cn=b: to cn=c false below dc=x",
        ]
    );
}

#[test]
fn a_modification_may_lack_its_last_separator_and_may_be_empty() {
    assert_eq!(read("dn: cn=a\nchangetype: modify\ndelete: sn\n"), ["1 cn=a: delete sn []"]);
    assert_eq!(read("dn: cn=a\nchangetype: modify\n"), ["1 cn=a:"]);
}

#[test]
fn controls() {
    let found = read(
        "dn: cn=a\ncontrol: 1.2.3\ncontrol: 1.2.4 true\ncontrol: 1.2.5 false: text\ncontrol: 1.2.6 true:: AAE=\n\
         control: 1.2.7: x\nchangetype: delete\n",
    );
    assert_eq!(found, ["1 cn=a: [1.2.3] [1.2.4!] [1.2.5=text] [1.2.6!=\\x00\\x01] [1.2.7=x] delete"]);
    for (lines, problem) in [
        ("control: x\nchangetype: delete", "line 2: control: not an OID, true or false, and a value"),
        ("control:\nchangetype: delete", "line 2: control: not an OID, true or false, and a value"),
        ("control: 1.2 maybe\nchangetype: delete", "line 2: control: neither true nor false behind the OID"),
        ("control: 1.2", "line 2: changetype: missing after a control"),
        ("changetype: delete\ncontrol: 1.2", "line 2: control: not directly behind the name"),
    ] {
        assert_eq!(read(format!("dn: cn=a\n{lines}\n")), [problem], "{lines}");
    }
}

#[test]
fn a_bad_record_is_one_problem_and_the_next_one_is_read() {
    let cases = [
        ("cn: a\nsn: b", "line 1: dn: missing"),
        ("dn: cn=a\nnonsense", "line 2: line: no colon"),
        ("dn: cn=a\n: x", "line 2: line: what stands before the colon is not the name of an attribute"),
        ("dn: cn=a\nc n: x", "line 2: line: what stands before the colon is not the name of an attribute"),
        ("dn: cn=a\ncn: a\0b", "line 2: value: contains a NUL byte"),
        (
            "dn: cn=a\ncn:< file:///etc/passwd",
            "line 2: value: stands in another file (\"<\"), and those are not read",
        ),
        ("dn: cn=a\ncn: a\n-\nsn: b", "line 3: line: a \"-\" outside a modification"),
        ("dn: cn=a\ncn: a\ndn: cn=b", "line 3: dn: a second one in the record"),
        ("dn: cn=a\nchangetype: destroy", "line 2: changetype: not add, delete, modify, modrdn or moddn"),
        ("dn: cn=a\nchangetype: delete\ncn: a", "line 3: line: more than this change has"),
        ("dn: cn=a\nchangetype: modify\nadd: cn\n-", "line 4: line: no value to add"),
        ("dn: cn=a\nchangetype: modify\nset: cn\n-", "line 3: line: not add, delete, replace or increment"),
        ("dn: cn=a\nchangetype: modify\nadd: c n\n-", "line 3: line: not the name of an attribute"),
        (
            "dn: cn=a\nchangetype: modify\nadd: cn\nsn: x",
            "line 4: line: not a value of the attribute that is changed",
        ),
        ("dn: cn=a\nchangetype: modify\nincrement: n\nn: 1\nn: 2", "line 5: line: more than one value"),
        (
            "dn: cn=a\nchangetype: modify\n-\nadd: cn\ncn: a",
            "line 3: line: not add, delete, replace or increment",
        ),
        ("dn: cn=a\nchangetype: modrdn\ndeleteoldrdn: 1", "line 3: newrdn: missing"),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b", "line 3: deleteoldrdn: missing"),
        (
            "dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: x",
            "line 4: deleteoldrdn: neither 0 nor 1",
        ),
        (" dn: cn=a\ncn: a", "line 1: line: what stands before the colon is not the name of an attribute"),
    ];
    for (lines, problem) in cases {
        let next = lines.lines().count() + 2;
        let found = read(format!("{lines}\n\ndn: cn=next\ncn: next\n"));
        assert_eq!(found, [problem.to_owned(), format!("{next} cn=next: cn=next")], "{lines}");
    }
}

#[test]
fn urls_are_fetched_by_the_caller_only() {
    let text = "dn: cn=a\njpegPhoto:< file:///tmp/a\ncn:<file:///tmp/b\nsn: c\n\ndn: cn=b\ncn:< http://x/\n";
    let reader = Reader::new(text.as_bytes()).with_urls(|url| match url.strip_prefix("file://") {
        Some(path) => Ok(format!("<{path}>").into_bytes()),
        None => Err(std::io::Error::other("only files")),
    });
    let found = read_all(reader);
    assert_eq!(
        found,
        ["1 cn=a: jpegPhoto=</tmp/a> cn=</tmp/b> sn=c", "line 7: value: http://x/: only files"]
    );
}

#[test]
fn values_stand_together_by_attribute() {
    let mut text = "dn: cn=a\ncn: 1\nCN: 2\nsn: 3\ncn: 4\n".to_owned();
    // More attributes than are searched one by one.
    for number in 0..100 {
        text += &format!("x{number}: {number}\n");
    }
    text += "X0: again\nx99: again\ncn: 5\n";
    let mut reader = Reader::new(text.as_bytes());
    let Some(Ok(Item::Entry(entry))) = reader.next() else { panic!("no entry") };
    let groups = entry.attributes.grouped();
    assert_eq!(groups.len(), 102);
    assert_eq!(groups[0], (&b"cn"[..], vec![&b"1"[..], b"2", b"4", b"5"]));
    assert_eq!(groups[2], (&b"x0"[..], vec![&b"0"[..], b"again"]));
    assert_eq!(groups[101], (&b"x99"[..], vec![&b"99"[..], b"again"]));
}

#[test]
fn values_are_not_shown_in_messages() {
    let mut reader = Reader::new(
        &b"dn: cn=a\nuserPassword: tiger\n\ndn: cn=a\nchangetype: modify\nadd: p\np: tiger\n"[..],
    );
    let mut shown = String::new();
    while let Some(item) = reader.next() {
        shown += &format!("{item:?}");
    }
    assert!(shown.contains("userPassword") && !shown.contains("tiger"), "{shown}");
}

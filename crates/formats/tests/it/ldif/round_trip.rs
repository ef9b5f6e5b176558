//! What is written is read again, and any bytes can be read.

use netinfo_formats::ldif::{FOLD_COLUMNS, ModificationKind, Reader, Writer};
use netinfo_testkit::texts;
use proptest::prelude::*;

use super::read;

#[test]
fn no_attribute_is_written_that_would_be_read_as_something_else() {
    for name in [&b"dn"[..], b"DN", b"", b"a b", b"a:b", "größe".as_bytes()] {
        let error = Writer::new(Vec::new()).entry(b"cn=a", [(name, &b"v"[..])]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
    }
}

#[test]
fn values_are_in_base64_where_they_must_be() {
    let values: [&[u8]; 10] =
        [b"plain", b"", b" before", b"behind ", b":x", b"<x", b"a\nb", "é".as_bytes(), b"a\0", b"a:b <c"];
    let mut writer = Writer::new(Vec::new());
    writer.entry(b"cn=a", values.map(|value| (&b"cn"[..], value))).unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(
        text,
        "version: 1\n\ndn: cn=a\ncn: plain\ncn:\ncn:: IGJlZm9yZQ==\ncn:: YmVoaW5kIA==\ncn:: Ong=\ncn:: PHg=\n\
         cn:: YQpi\ncn:: w6k=\ncn:: YQA=\ncn: a:b <c\n"
    );
}

#[test]
fn lines_are_folded() {
    let value = "x".repeat(200);
    let mut writer = Writer::new(Vec::new()).without_version();
    writer.entry(b"cn=a", [(&b"cn"[..], value.as_bytes())]).unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [8, FOLD_COLUMNS, FOLD_COLUMNS, 54]);
    assert_eq!(read(&text), [format!("1 cn=a: cn={value}")]);
    let mut writer = Writer::new(Vec::new()).without_version().without_folding();
    writer.entry(b"cn=a", [(&b"cn"[..], value.as_bytes())]).unwrap();
    assert_eq!(writer.finish().unwrap(), format!("dn: cn=a\ncn: {value}\n").into_bytes());
}

#[test]
fn changes_are_written() {
    let mut writer = Writer::new(Vec::new());
    writer.comment("what is\nto be done").unwrap();
    writer.add(b"cn=a", [(&b"cn"[..], &b"a"[..])]).unwrap();
    let steps = [
        (ModificationKind::Add, &b"mail"[..], vec![&b"x"[..], b"y"]),
        (ModificationKind::Delete, b"sn", vec![]),
        (ModificationKind::Increment, b"uidNumber", vec![b"2"]),
    ];
    writer.modify(b"cn=a", steps).unwrap();
    writer.rename(b"cn=a", b"cn=b", true, Some(b"dc=x")).unwrap();
    writer.delete(b"cn=b").unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(
        text,
        "version: 1\n\n# what is\n# to be done\n\ndn: cn=a\nchangetype: add\ncn: a\n\n\
         dn: cn=a\nchangetype: modify\nadd: mail\nmail: x\nmail: y\n-\ndelete: sn\n-\n\
         increment: uidNumber\nuidNumber: 2\n-\n\n\
         dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1\nnewsuperior: dc=x\n\n\
         dn: cn=b\nchangetype: delete\n"
    );
}

#[test]
fn names_of_attributes_are_checked() {
    let mut writer = Writer::new(Vec::new());
    let error = writer.entry(b"cn=a", [(&b"full name"[..], &b"x"[..])]).unwrap_err();
    assert_eq!(error.to_string(), "\"full name\" is not the name of an attribute");
}

#[test]
fn an_empty_file_has_its_version() {
    assert_eq!(Writer::new(Vec::new()).finish().unwrap(), b"version: 1\n");
    assert_eq!(Writer::new(Vec::new()).without_version().finish().unwrap(), b"");
}

fn description() -> impl Strategy<Value = String> {
    "[a-z][a-zA-Z0-9-]{0,8}(;[a-z-]{1,5})?".prop_filter("a word of its own", |name| {
        !["dn", "version", "control", "changetype"].iter().any(|word| word.eq_ignore_ascii_case(name))
    })
}

/// Pieces that mean something in the format.
fn likely_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "dn: cn=a\n",
        "dn:: Y249YQ==\n",
        "cn: a\n",
        "cn:: YQ==\n",
        "cn:< file:///x\n",
        "changetype: ",
        "add",
        "delete",
        "modify",
        "modrdn",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "-\n",
        "add: cn\n",
        "replace: cn\n",
        "increment: cn\n",
        "newrdn: cn=b\n",
        "deleteoldrdn: 1\n",
        "newsuperior: dc=x\n",
        "control: 1.2 true: x\n",
        "version: 1\n",
        "#",
        ":",
        "\0",
        "é",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read(bytes: Vec<u8>) {
        texts::ldif(&bytes);
    }

    #[test]
    fn likely_texts_are_read(text in likely_text()) {
        texts::ldif(&text);
    }

    #[test]
    fn entries_come_back(
        entries in prop::collection::vec(
            ("\\PC{0,90}", prop::collection::vec((description(), any::<Vec<u8>>()), 0..6)), 0..4),
        fold: bool,
    ) {
        let mut writer = Writer::new(Vec::new());
        if !fold {
            writer = writer.without_folding();
        }
        for (dn, attributes) in &entries {
            writer.entry(dn.as_bytes(), attributes.iter().map(|(name, value)| (name.as_bytes(), &value[..]))).unwrap();
        }
        let text = writer.finish().unwrap();
        let mut reader = Reader::new(&text[..]);
        for (dn, attributes) in &entries {
            let Some(Ok(netinfo_formats::ldif::Item::Entry(entry))) = reader.next() else {
                return Err(TestCaseError::fail("no entry"));
            };
            prop_assert_eq!(entry.dn, dn.as_bytes());
            let found: Vec<_> = entry.attributes.collect();
            let given: Vec<_> = attributes.iter().map(|(name, value)| (name.as_bytes(), &value[..])).collect();
            prop_assert_eq!(found, given);
        }
        prop_assert!(reader.next().is_none());
        prop_assert_eq!(reader.remarks(), Default::default());
    }
}

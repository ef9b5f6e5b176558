//! Entries against the schema.

use netinfo_schema::check::{
    Attribute, Finding, Mode, Violation, duplicates, entry, modification, structural_class, values,
};
use netinfo_schema::definition::AttributeDefinition;
use netinfo_schema::{Schema, Syntax, ValueError, Variant};

fn schema() -> Schema {
    Schema::builtin(Variant::default()).unwrap()
}

/// Check an entry that is written as `attribute: value` lines.
fn check_with(schema: &Schema, mode: Mode, text: &str) -> Vec<String> {
    let mut attributes: Vec<(&str, Vec<&[u8]>)> = Vec::new();
    for line in text.lines() {
        let (name, value) = line.trim().split_once(": ").unwrap();
        match attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value.as_bytes()),
            None => attributes.push((name, vec![value.as_bytes()])),
        }
    }
    let attributes: Vec<_> =
        attributes.iter().map(|(description, values)| Attribute { description, values }).collect();
    entry(schema, mode, &attributes).iter().map(Finding::to_string).collect()
}

fn check(mode: Mode, text: &str) -> Vec<String> {
    check_with(&schema(), mode, text)
}

const NONE: [&str; 0] = [];

const ALICE: &str = "objectClass: inetOrgPerson
    objectClass: posixAccount
    objectClass: shadowAccount
    cn: Alice Liddell
    cn;lang-de: Alice
    sn: Liddell
    uid: alice
    uidNumber: 5001
    gidNumber: 5000
    homeDirectory: /home/alice
    jpegPhoto: \u{fffd}
    manager: uid=grace,ou=people,dc=example,dc=com
    createTimestamp: 20260101000000Z";

#[test]
fn good_entries_have_no_findings() {
    assert_eq!(check(Mode::Strict, ALICE), NONE);
    assert_eq!(check(Mode::Open, ALICE), NONE);
    let group = "objectClass: groupOfNames\nobjectClass: posixGroup\ncn: staff\ngidNumber: 20\nmember: uid=a";
    assert_eq!(check(Mode::Strict, group), NONE);
}

#[test]
fn a_group_needs_no_other_class() {
    let group = "objectClass: top\nobjectClass: posixGroup\ncn: staff\ngidNumber: 20\nmemberUid: alice";
    assert_eq!(check(Mode::Strict, group), NONE);
    assert_eq!(check_with(&Schema::builtin(Variant::Rfc2307).unwrap(), Mode::Strict, group), NONE);
}

#[test]
fn classes_must_be_there_and_known_and_one_chain() {
    assert_eq!(
        check(Mode::Strict, "cn: x"),
        ["objectClass: an entry has at least one object class", "cn: no object class of the entry allows it"]
    );
    assert_eq!(
        check(
            Mode::Strict,
            "objectClass: top\nobjectClass: posixAccount\nuid: a\ncn: a\nuidNumber: 1\ngidNumber: 1\nhomeDirectory: /"
        ),
        ["objectClass: an entry has a structural object class"]
    );
    assert_eq!(
        check(Mode::Strict, "objectClass: device\nobjectClass: gadget\ncn: x"),
        ["objectClass, value 1: the object class gadget is not defined"]
    );
    assert_eq!(
        check(Mode::Strict, "objectClass: device\nobjectClass: container\ncn: x"),
        ["objectClass: the structural object classes device and container are not derived from each other"]
    );
    assert_eq!(
        check(
            Mode::Strict,
            "objectClass: person\nobjectClass: 2.16.840.1.113730.3.2.2\nobjectclass: top\ncn: a\nsn: b"
        ),
        NONE
    );
}

#[test]
fn attributes_must_be_there_allowed_and_known() {
    assert_eq!(
        check(Mode::Strict, "objectClass: person\ncn: a\nmail: a@b\ngadget: 1\n;x: 1"),
        [
            "mail: no object class of the entry allows it",
            "gadget: the attribute type is not defined",
            ";x: this is no attribute description",
            "sn: the object class person demands it",
        ]
    );
    let everything = "objectClass: device\nobjectClass: extensibleObject\ncn: a\nmail: a@b\nuidNumber: 1";
    assert_eq!(check(Mode::Strict, everything), NONE);
}

#[test]
fn open_domains_take_what_the_schema_does_not_know() {
    assert_eq!(check(Mode::Open, "objectClass: gadget\ncolour: blue\nmail: a@b"), NONE);
    assert_eq!(
        check(Mode::Open, "cn: x\nuidNumber: one\nuidNumber: 2"),
        [
            "uidNumber: it has 2 values, and one is allowed",
            "uidNumber, value 0: the value is not an integer; its syntax is INTEGER",
        ]
    );
}

#[test]
fn values_must_be_of_their_syntax_and_number() {
    let schema = schema();
    let findings = values(&schema, "uidNumber", &[b"5001", b"05001"]);
    assert_eq!(
        findings,
        [Finding {
            attribute: "uidNumber".to_owned(),
            value: Some(1),
            violation: Violation::Syntax {
                syntax: Syntax::Integer,
                error: ValueError::Malformed("an integer")
            },
        }]
    );
    assert_eq!(values(&schema, "nothing", &[b"\xff"]), []);
    let two = "objectClass: device\ncn: a\nowner: uid=a\nc: DE\nc: US";
    assert_eq!(
        check(Mode::Strict, two),
        ["c: no object class of the entry allows it", "c: it has 2 values, and one is allowed"]
    );
    let spelled = "displayName: a\n2.16.840.1.113730.3.1.241: b\ndisplayName;lang-de: c";
    assert_eq!(
        check(Mode::Open, spelled),
        ["2.16.840.1.113730.3.1.241: it has 2 values, and one is allowed"]
    );
}

#[test]
fn absent_attributes_are_those_without_values() {
    let class: [&[u8]; 1] = [b"device"];
    let attributes = [
        Attribute { description: "objectClass", values: &class },
        Attribute { description: "cn", values: &[] },
        Attribute { description: "gadget", values: &[] },
    ];
    let findings: Vec<_> =
        entry(&schema(), Mode::Strict, &attributes).iter().map(Finding::to_string).collect();
    assert_eq!(findings, ["cn: the object class device demands it"]);
}

#[test]
fn values_are_told_apart_by_the_equality_rule() {
    let schema = schema();
    let found = |description, values: &[&[u8]]| {
        duplicates(&schema, description, values)
            .into_iter()
            .map(|finding| (finding.value, finding.violation))
            .collect::<Vec<_>>()
    };
    assert_eq!(found("cn", &[b"a", b"b", b" A "]), [(Some(2), Violation::Duplicate(0))]);
    assert_eq!(found("member", &[b"cn=a,ou=b", b"CN=A, OU=B"]), [(Some(1), Violation::Duplicate(0))]);
    assert_eq!(found("unknown", &[b"a", b"A", b"a"]), [(Some(2), Violation::Duplicate(0))]);
    assert_eq!(found("cn", &[b"\xff", b"\xff", b"x"]), [(Some(1), Violation::Duplicate(0))]);
    assert_eq!(found("jpegPhoto", &[b"a", b"A"]), []);
}

#[test]
fn clients_do_not_write_what_the_server_keeps() {
    let findings = modification(&schema(), ["cn", "entryUUID", "modifyTimestamp", "pwdReset", "gadget"]);
    let names: Vec<_> = findings.iter().map(|finding| finding.attribute.as_str()).collect();
    assert_eq!(names, ["entryUUID", "modifyTimestamp"]);
}

#[test]
fn the_structural_class_is_the_most_derived() {
    let schema = schema();
    let name = |classes: &[&str]| structural_class(&schema, classes).map(|class| class.name().to_owned());
    assert_eq!(
        name(&["top", "organizationalPerson", "inetOrgPerson", "person", "posixAccount"]),
        Ok("inetOrgPerson".into())
    );
    assert_eq!(name(&["posixAccount"]), Err(Violation::NoStructuralClass));
    assert_eq!(name(&["posixGroup"]), Ok("posixGroup".into()));
    assert_eq!(name(&["groupOfNames", "posixGroup"]), Ok("groupOfNames".into()));
}

#[test]
fn changed_schemas_are_checked_by() {
    let colour: AttributeDefinition =
        "( 1.2.3 NAME 'colour' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )".parse().unwrap();
    let schema = schema().extend(vec![colour.into()]).unwrap();
    assert_eq!(check_with(&schema, Mode::Open, "colour: a\ncolour: b").len(), 1);
}

//! LDAP entries.

use std::fs;

use netinfo_testkit::Node;

use super::{data, file};
use crate::tool::Tool;

const DOMAIN: &str = "domain create org --suffix dc=example,dc=com --layout rfc2307";

#[test]
fn an_organisation_comes_in_goes_out_and_comes_in_elsewhere() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok(DOMAIN);
    let org = data("ldif/org.ldif");
    let dry = tool.ok(&format!("-d org import {org} --dry-run"));
    let first = tool.ok(&format!("-d org import {org}"));
    assert!(first.contains("org.ldif: ldif: 95 created, 2 changed"), "{first}");
    assert!(dry.starts_with(first.lines().next().unwrap()), "{dry}");
    assert!(tool.ok(&format!("-d org import {org}")).contains("97 unchanged"));
    let out = file(node.dir(), "out.ldif");
    tool.ok(&format!("-d org export ldif --output {out}"));
    assert_eq!(tool.ok(&format!("diff {out} org")), "");
    // Offline, into a domain that is made for it: its suffix and layout come from the file.
    let elsewhere = node.dir().join("elsewhere");
    let offline = Tool::offline(&elsewhere);
    let said = offline.ok(&format!("-d copy import ldif {out}"));
    assert!(said.contains("95 created, 3 changed") || said.contains("96 created"), "{said}");
    let copy = format!("{}/copy", elsewhere.display());
    // Only the machine it was made on is new there.
    let new = Tool::local(&node).run(&format!("diff {out} {copy}")).out;
    assert!(new.lines().all(|line| line.starts_with("+ /hosts/")) && new.lines().count() <= 1, "{new}");
    assert!(offline.ok(&format!("-d copy import ldif {out}")).contains("98 unchanged"));
    assert!(offline.ok("-d copy check").contains("sound"));
    let again = offline.ok("-d copy export ldif");
    let uuid = |text: &str| {
        let alice = text.split("\n\n").find(|entry| entry.starts_with("dn: uid=alice,ou=people")).unwrap();
        alice.lines().find(|line| line.starts_with("entryUUID: ")).unwrap().to_owned()
    };
    assert_eq!(uuid(&again), uuid(&fs::read_to_string(&out).unwrap()));
}

#[test]
fn changes_are_made_one_after_another() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok(DOMAIN);
    let changes = file(node.dir(), "changes.ldif");
    fs::write(
        &changes,
        "version: 1\ndn: ou=people,dc=example,dc=com\nchangetype: add\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: uid=ana,ou=people,dc=example,dc=com\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ana\ncn: Ana\nsn: Lima\n\n\
         dn: uid=ana,ou=people,dc=example,dc=com\nchangetype: modify\nadd: mail\nmail: ana@example.com\n-\n\
         replace: cn\ncn: Ana Lima\n-\n\n\
         dn: uid=nobody,ou=people,dc=example,dc=com\nchangetype: delete\n\n\
         dn: uid=ana,ou=people,dc=example,dc=com\nchangetype: modrdn\nnewrdn: uid=anna\ndeleteoldrdn: 1\n\n",
    )
    .unwrap();
    let run = tool.run(&format!("-d org import {changes}"));
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.out.contains("2 created, 2 changed, 1 failed") || run.out.contains("3 changed, 1 failed"),
        "{run:?}"
    );
    assert!(
        run.out.contains("uid=nobody,ou=people,dc=example,dc=com: failed: there is no such entry"),
        "{run:?}"
    );
    assert!(tool.ok("-d org cat /users/anna").contains("ana@example.com"));
    assert!(tool.fails(3, "-d org user show ana").contains("no user"));
}

#[test]
fn entries_that_cannot_be_taken_are_told() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok(DOMAIN);
    let ldif = file(node.dir(), "some.ldif");
    fs::write(
        &ldif,
        "dn: uid=a,ou=nowhere,dc=example,dc=com\nobjectClass: account\nuid: a\n\n\
         dn: cn=x,dc=other\nobjectClass: device\ncn: x\n\n\
         dn: cn=photo,dc=example,dc=com\nobjectClass: device\ncn: photo\ndescription:< file:///etc/hostname\n\n\
         dn: cn=x,dc=example,dc=com\nobjectClass: device\ncn: x\nserialNumber:: AAEC\n\n",
    )
    .unwrap();
    let run = tool.run(&format!("-d org import {ldif}"));
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("1 created, 3 failed"), "{run:?}");
    assert!(run.out.contains("there is no entry above it"), "{run:?}");
    assert!(
        run.out.contains("file:///etc/hostname: stands in another file; import with --urls reads it"),
        "{run:?}"
    );
    assert!(run.out.contains("not below \"dc=example,dc=com\", the suffix of the domain"), "{run:?}");
    assert!(
        tool.run(&format!("-d org import {ldif} --urls")).out.contains("1 created, 1 unchanged, 2 failed")
    );
}

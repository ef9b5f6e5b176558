//! LDAP entries.

use std::fs;
use std::process::Command;

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

/// An export as 389 Directory Server and others write it: no `entryUUID`, and locks in words of their own.
const LOCKED: &str = "version: 1\n\n\
    dn: dc=example,dc=com\nobjectClass: domain\ndc: example\ncreatorsName: cn=Manager\ncreateTimestamp: 20200102030405Z\n\n\
    dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n\
    creatorsName: cn=Manager\nmodifiersName: cn=Other\ncreateTimestamp: 20200102030405Z\nmodifyTimestamp: 20210102030405Z\n\n\
    dn: ou=sales,dc=example,dc=com\nobjectClass: organizationalUnit\nou: sales\n\n\
    dn: uid=free,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: free\ncn: F\nsn: F\n\
    nsAccountLock: false\npwdAccountLockedTime: 20260102030405Z\nuserPassword: old-password\n\n\
    dn: uid=ns,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: ns\ncn: N\nsn: N\n\
    nsAccountLock: TRUE\nuserPassword: old-password\n\n\
    dn: uid=pwd,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: pwd\ncn: P\nsn: P\n\
    pwdAccountLockedTime: 000001010000Z\nuserPassword: old-password\n\n\
    dn: uid=away,ou=sales,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: away\ncn: A\nsn: A\n\
    userAccountControl: 514\nuserPassword: old-password\n\n";

/// The entry of a DN in an export.
fn entry<'t>(text: &'t str, dn: &str) -> &'t str {
    let found = text.split("\n\n").find(|entry| entry.starts_with(&format!("dn: {dn}")));
    found.unwrap_or_else(|| panic!("{dn} is not in\n{text}"))
}

/// Whether LDAP lets somebody in.
fn binds(node: &Node, dn: &str) -> bool {
    let uri = format!("ldap://{}", node.ldap());
    let ldapwhoami =
        Command::new("ldapwhoami").args(["-x", "-H", &uri, "-D", dn, "-w", "old-password"]).output();
    let output = ldapwhoami.expect("ldapwhoami, of the package ldap-utils");
    // 49: invalidCredentials.
    assert!(matches!(output.status.code(), Some(0 | 49)), "{output:?}");
    output.status.success()
}

#[test]
fn what_other_servers_know_of_entries_stays() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok(DOMAIN);
    let file = file(node.dir(), "locked.ldif");
    fs::write(&file, LOCKED).unwrap();
    tool.ok(&format!("-d org import {file}"));
    assert!(tool.ok(&format!("-d org import {file}")).contains("7 unchanged"));
    let offline = Tool::offline(&node.dir().join("elsewhere"));
    offline.ok(&format!("-d org import ldif {file}"));
    assert!(offline.ok(&format!("-d org import ldif {file}")).contains("7 unchanged"));
    assert!(offline.ok("-d org check").contains("sound"));
    for tool in [&tool, &offline] {
        let text = tool.ok("-d org export ldif");
        let people = entry(&text, "ou=people,dc=example,dc=com");
        for known in [
            "creatorsName: cn=Manager",
            "modifiersName: cn=Other",
            "createTimestamp: 20200102030405Z",
            "modifyTimestamp: 20210102030405Z",
            "entryUUID: ",
        ] {
            assert!(people.contains(known), "{people}");
        }
        assert!(entry(&text, "dc=example,dc=com").contains("createTimestamp: 20200102030405Z"), "{text}");
        let disabled = |dn: &str| entry(&text, dn).contains("authAuthority: ;DisabledUser;");
        assert!(!disabled("uid=free,"));
        assert!(["uid=ns,", "uid=pwd,", "uid=away,"].into_iter().all(disabled), "{text}");
    }
    assert!(binds(&node, "uid=free,ou=people,dc=example,dc=com"));
    for dn in ["uid=ns,ou=people", "uid=pwd,ou=people", "uid=away,ou=sales"] {
        assert!(!binds(&node, &format!("{dn},dc=example,dc=com")), "{dn}");
    }
}

#[test]
fn names_of_active_directory_stay_in_any_layout() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok(DOMAIN);
    let file = file(node.dir(), "ad.ldif");
    fs::write(
        &file,
        "dn: CN=Jane Doe,CN=Users,DC=example,DC=com\nobjectClass: user\ncn: Jane Doe\nsAMAccountName: jane\n\
         uidNumber: 5001\ngidNumber: 100\nunixHomeDirectory: /home/jane\nloginShell: /bin/sh\n\n\
         dn: CN=Users,DC=example,DC=com\nobjectClass: container\ncn: Users\n\n\
         dn: CN=pc1,DC=example,DC=com\nobjectClass: computer\ncn: pc1\noperatingSystemVersion: 10.0 (19045)\n\n",
    )
    .unwrap();
    tool.ok(&format!("-d org import {file}"));
    assert!(tool.ok(&format!("-d org import {file}")).contains("3 unchanged"));
    let text = tool.ok("-d org export ldif");
    assert!(text.contains("dn: cn=Users,dc=example,dc=com\n"), "{text}");
    assert!(text.contains("dn: cn=Jane Doe,cn=Users,dc=example,dc=com\n"), "{text}");
    assert!(text.contains("operatingSystemVersion: 10.0 (19045)\n"), "{text}");
    let passwd = tool.run("-d org export passwd /Users").out;
    assert_eq!(passwd, "jane:*:5001:100:Jane Doe:/home/jane:/bin/sh\n");
}

#[test]
fn two_domains_of_one_data_directory_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let offline = Tool::offline(folder.path());
    let file = file(folder.path(), "locked.ldif");
    fs::write(&file, LOCKED).unwrap();
    offline.ok(&format!("-d one import ldif {file}"));
    offline.ok("domain create two --suffix dc=two,dc=example");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let (one, two) = (one.display(), two.display());
    let plain = Tool::with([]);
    let told = plain.run(&format!("diff {one} {two}"));
    assert_eq!((told.code, told.err.as_str()), (1, ""), "{}", told.out);
    assert!(told.out.contains("- /people"), "{}", told.out);
    assert_eq!(plain.ok(&format!("diff {one} {one}")), "");
    assert_eq!(offline.run("diff one two").out, told.out);
    assert_eq!(offline.run(&format!("diff one {two}")).out, told.out);
}

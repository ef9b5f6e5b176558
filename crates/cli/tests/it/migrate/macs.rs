//! The local directory of a Mac.

use std::path::Path;
use std::process::Command;

use netinfo_testkit::Node;

use super::{data, file};
use crate::tool::Tool;

/// Whether OpenLDAP's tool can bind as a user of the domain.
fn binds(node: &Node, user: &str, password: &str) -> bool {
    let url = format!("ldapi://{}", node.ldapi().to_str().unwrap().replace('/', "%2f"));
    let dn = format!("uid={user},cn=users,dc=mac,dc=example");
    let output = Command::new("ldapwhoami").args(["-x", "-H", &url, "-D", &dn, "-w", password]).output();
    let output = output.unwrap_or_else(|e| panic!("this test needs ldapwhoami (scripts/deps.sh): {e}"));
    let told = String::from_utf8_lossy(&output.stdout).trim() == format!("dn:{dn}");
    assert!(told == output.status.success(), "{output:?}");
    told
}

#[test]
fn users_of_a_mac_bind_with_their_passwords() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("domain create mac --suffix dc=mac,dc=example");
    let folder = data("dslocal");
    let dry = tool.run(&format!("-d mac import {folder} --dry-run"));
    assert!(dry.out.contains("alice: created") && dry.out.contains("+ passwd: (hidden)"), "{dry:?}");
    let run = tool.run(&format!("-d mac import {folder}"));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("dslocal: 71 created, 2 unchanged, 2 skipped"), "{run:?}");
    assert!(run.out.contains("skipped: users/empty.plist: empty\n"), "{run:?}");
    assert!(
        run.out.contains("skipped: users/halfwritten.plist.temp: left by an interrupted write\n"),
        "{run:?}"
    );
    // Out again: as it was but for what cannot be a record, and the machine that serves the domain; and into a domain of
    // its own.
    let out = file(node.dir(), "out.dslocal");
    let export = tool.run(&format!("-d mac export dslocal --output {out}"));
    assert!(Path::new(&out).join("nodes/Default/users/alice.plist").is_file(), "{export:?}");
    let diff = tool.run(&format!("diff {out} {folder}")).out;
    let lines: Vec<_> = diff.lines().filter(|line| !line.starts_with(' ')).collect();
    assert!(lines.iter().all(|line| line.contains("/machines/")), "{diff}");
    tool.run(&format!("import --as-domain copy {out}"));
    assert!(tool.ok("-d copy user show alice").contains("realname: Alice Liddell\n"));
    for (user, password) in [
        ("alice", "Wonderland-42!"),
        ("bob", "builder b0b"),
        ("carol", "Christmas1843"),
        ("erin", "secret99"),
        ("ivan", "Jaguar1"),
    ] {
        assert!(binds(&node, user, password), "{user}");
        assert!(!binds(&node, user, "another"), "{user}");
    }
    assert!(!binds(&node, "frank", "disabled-but-known"), "the account is disabled");
}

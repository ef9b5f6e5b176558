//! Imports that are killed.

use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;

use super::file;
use crate::tool::Tool;

/// Users of the file: with what is said of each, several batches.
const USERS: u32 = 2_000;
/// How long the first batches may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn an_import_that_was_killed_ends_in_the_same_state() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let passwd = file(node.dir(), "passwd");
    let (mut text, room) = (String::new(), "x".repeat(4_000));
    for n in 0..USERS {
        let _ =
            writeln!(text, "user{n}:*:{}:20:User {n},Room {room},555-{n}:/home/user{n}:/bin/sh", 1000 + n);
    }
    fs::write(&passwd, &text).unwrap();
    let directories = || tool.json("domain list")[0]["directories"].as_u64().unwrap();
    let before = directories();
    let mut child = Command::new(env!("CARGO_BIN_EXE_netinfo"))
        .args(["--socket", node.socket().to_str().unwrap(), "import", &passwd])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while directories() <= before + 1 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let then = directories();
    assert!(then > before + 1, "nothing was imported in time");
    let said = tool.ok(&format!("import {passwd}"));
    assert!(said.contains(" unchanged") || then == u64::from(USERS) + before + 1, "{said}");
    assert_eq!(directories(), u64::from(USERS) + before + 1);
    assert!(tool.ok(&format!("import {passwd}")).contains(&format!("{USERS} unchanged")));
    assert_eq!(tool.ok(&format!("diff {passwd} local")), "");
    assert_eq!(tool.ok("export passwd"), text);
}

//! Looking at directories and changing them.

use netinfo_testkit::Node;
use serde_json::json;

use crate::tool::Tool;

#[test]
fn directories_come_and_go() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("ls"), "machines\n");
    assert!(tool.fails(3, "mkdir /a/b/c").contains("mkdir -p"));
    tool.ok("mkdir -p /a/b/c color=red color=green flag");
    tool.ok("mkdir -p /a/b/c color=blue");
    assert!(tool.fails(1, "mkdir /a/b").contains("it exists already"));
    assert_eq!(tool.ok("cat /a/b/c"), "name: c\ncolor: blue\nflag:\n");
    tool.ok("mkdir /a/b/size=5 name=five");
    assert_eq!(tool.ok("cat /a/b/five"), "size: 5\nname: five\n");
    insta::assert_snapshot!(tool.ok("tree /a"), @r"
    /a
    └── b
        ├── c
        └── five
    ");
    assert_eq!(tool.ok("tree /a -L 1"), "/a\n└── b\n");
    assert_eq!(tool.json("tree /a -L 1")["children"][0]["name"], json!(["b"]));
    assert!(tool.fails(1, "rm /a").contains("hint: remove them too: rm -r"));
    tool.ok("rm /a/b/c");
    tool.ok("rm -r /a");
    assert!(tool.fails(3, "ls /a").starts_with("netinfo: cannot find /a: No such directory"));
    tool.fails(1, "rm /");
}

#[test]
fn properties_are_set_added_and_removed() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("mkdir /x");
    tool.ok("set /x k a b");
    tool.ok("add /x k b c");
    tool.ok("add --merge /x k c d -1");
    assert_eq!(
        tool.json("cat /x")["properties"][1],
        json!({ "name": "k", "values": ["a", "b", "b", "c", "d", "-1"] })
    );
    tool.ok("unset /x k b -1");
    assert_eq!(tool.ok("cat /x"), "name: x\nk: a\n   c\n   d\n");
    tool.fails(3, "unset /x k nothing");
    tool.ok("unset /x k");
    tool.fails(3, "unset /x k");
    tool.ok("set /x empty");
    tool.run_with(&["set", "/x", "odd", "", "a\u{1b}b", "\u{202e}"], "", &[]).ok("set");
    assert_eq!(tool.ok("cat /x"), "name: x\nempty:\nodd: \"\"\n     a\\u{1b}b\n     \\u{202e}\n");
    assert_eq!(tool.ok("ls -l"), "      #1  machines\n      #3  x\n");
    assert_eq!(tool.json("ls #0"), json!([{ "id": 1, "name": ["machines"] }, { "id": 3, "name": ["x"] }]));
    assert_eq!(tool.ok("cat #1"), "name: machines\n");
}

#[test]
fn directories_are_renamed_and_moved() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.run_with(&["mkdir", "-p", r"/mounts/host:\/export", "dir=/mnt"], "", &[]).ok("mkdir");
    assert_eq!(tool.ok("ls /mounts"), "host:\\/export\n");
    let before = tool.json("ls /mounts")[0]["id"].clone();
    tool.run_with(&["mv", r"/mounts/host:\/export", "/mounts/other"], "", &[]).ok("mv");
    assert_eq!(tool.json("ls /mounts")[0]["id"], before, "renamed in its place");
    tool.ok("mkdir -p /mounts/other/deep/er");
    tool.ok("add /mounts/other name alias");
    tool.ok("mkdir /new");
    assert!(tool.fails(1, "mv /mounts/other /new").contains("exists already"));
    assert!(tool.fails(1, "mv /mounts/other /mounts/other/deep/x").contains("below itself"));
    tool.ok("mv /mounts/other /new/place");
    assert_eq!(tool.ok("ls /mounts"), "");
    assert_eq!(tool.ok("cat /new/place"), "name: place\n      alias\ndir: /mnt\n");
    assert!(tool.ok("tree /new").contains("er"));
    tool.fails(1, "mv / /x");
}

#[test]
fn directories_are_found() {
    let node = Node::start();
    let tool = Tool::local(&node);
    for (path, shell) in [("/u/alice", "/bin/sh"), ("/u/bob", "/bin/bash"), ("/u/bob/inner", "/bin/sh")] {
        tool.ok(&format!("mkdir -p {path} shell={shell}"));
    }
    assert_eq!(tool.ok("find shell=/bin/sh"), "/u/alice\n/u/bob/inner\n");
    assert_eq!(tool.ok("find /u -L 1 shell=/bin/sh"), "/u/alice\n");
    assert_eq!(tool.ok("find /u shell~*bash"), "/u/bob\n");
    assert_eq!(tool.ok("find name~[ab]*"), "/machines/alpha\n/u/alice\n/u/bob\n");
    assert_eq!(tool.json("find name=bob")[0]["path"], json!("/u/bob"));
    assert_eq!(tool.run("find shell=nothing").code, 3);
    tool.ok("set /u/bob uid 5");
    assert_eq!(tool.ok("ls /u/uid=5"), "inner\n");
    tool.fails(2, "find alice");
}

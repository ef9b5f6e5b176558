//! Domains, checks, backups: with the daemon running and with it stopped.

use std::fs;

use netinfo_testkit::Node;
use serde_json::json;

use crate::tool::Tool;

#[test]
fn domains_are_made_and_deleted() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("domain create network"), "created domain network\n");
    let tags = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().map(|d| d["tag"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(tags(&tool.json("domain list")), [json!("local"), json!("network")]);
    assert!(tool.ok("domain list").starts_with("TAG      ROLE    DIRECTORIES"));
    tool.ok("-d network user add alice");
    assert_eq!(tool.ok("-d network ls"), "machines\nusers\n");
    assert_eq!(tool.ok("ls"), "machines\n");
    assert!(tool.ok("-d network domain info").contains("tag: network\n     master\n"));
    assert!(tool.fails(3, "-d nothing ls").contains("hint: \"netinfo domain list\""));
    assert!(tool.fails(1, "domain create network").contains("exists already"));
    let status = tool.json("status");
    assert_eq!((&status["hostname"], &status["pid"]), (&json!("alpha"), &json!(node.pid())));
    assert!(tool.ok("status").contains(" on alpha, process "));
    assert!(tool.ok("domain delete network").contains("destroyed/network."));
    tool.fails(3, "domain delete network");

    let server = node.ipcserver().tcp.to_string();
    let remote = Tool::with(["--server", &server]);
    assert_eq!(tags(&remote.json("domain list")), [json!("local")]);
}

#[test]
fn domains_are_named_by_their_place() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("-d . ls"), "machines\n");
    assert!(tool.fails(3, "-d .. ls").contains("Hit network root domain"));
    tool.fails(2, "-d / backup /nonexistent/file");
}

#[test]
fn changes_are_told_in_order() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("mkdir /places");
    tool.ok("set /places city Uppsala");
    let list = tool.json("changes");
    let list = list.as_array().unwrap();
    let numbers: Vec<_> = list.iter().map(|c| c["sequence"].as_u64().unwrap()).collect();
    assert!(numbers.len() >= 2 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    let last = list.last().unwrap();
    assert_eq!((&last["by"], &last["change"]), (&json!("root"), &json!("createprop")));
    // Resumed behind the last but one, only the last is told.
    let since = numbers[numbers.len() - 2];
    assert_eq!(tool.json(&format!("changes --since {since}")).as_array().unwrap().len(), 1);
    assert!(tool.ok("changes --limit 1").starts_with("NUMBER  TIME"));
}

#[test]
fn a_backup_is_restored() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let file = node.dir().join("saved");
    let file = file.to_str().unwrap();
    tool.run_with(&["user", "add", "alice", "--password-stdin"], "secret\n", &[]).ok("user add");
    let before = tool.ok("user show alice");
    assert!(tool.ok(&format!("backup {file}")).starts_with("saved local: 5 directories, "));
    tool.ok("user del alice");
    assert!(tool.fails(2, &format!("restore {file}")).contains("--domain"));
    assert_eq!(tool.ok(&format!("-d local restore {file}")), "restored local: 5 directories\n");
    assert_eq!(tool.ok("user show alice"), before);
    assert!(tool.fails(3, &format!("-d copy restore {file}")).contains("--create"));
    tool.ok(&format!("-d copy restore {file} --create"));
    assert_eq!(tool.ok("-d copy user show alice"), before);
    fs::write(file, "this is no backup").unwrap();
    tool.fails(1, &format!("-d local restore {file}"));
    assert_eq!(tool.ok("user show alice"), before, "nothing was changed");
    tool.fails(3, "-d local restore /nonexistent/file");
    assert_eq!(tool.ok("check"), "copy: 5 directories, sound\nlocal: 5 directories, sound\n");
}

#[test]
fn a_stopped_node_is_worked_on() {
    let mut node = Node::start();
    Tool::local(&node).ok("user add alice");
    let offline = Tool::offline(&node.data());
    assert!(offline.fails(1, "domain list").contains("in use by process"));
    assert!(offline.fails(2, "ls").contains("needs a running daemon"));
    node.terminate();
    assert_eq!(offline.json("domain list")[0]["directories"], json!(5));
    offline.ok("domain create network");
    assert_eq!(offline.ok("check"), "local: 5 directories, sound\nnetwork: 3 directories, sound\n");
    assert_eq!(offline.json("-d local check --repair")["domains"][0]["findings"], json!(0));
    let file = node.dir().join("saved");
    let file = file.to_str().unwrap();
    offline.ok(&format!("backup {file}"));
    offline.ok(&format!("-d copy restore {file} --create"));
    assert!(offline.ok("domain delete network").contains("destroyed/network."));
    offline.fails(3, "domain delete network");
    offline.fails(3, "-d nothing check");
    assert_eq!(Tool::offline(&node.dir().join("nowhere")).run("domain list").code, 1);
    node.launch();
    let tool = Tool::local(&node);
    assert!(tool.ok("-d copy user list").contains("alice"));
    assert!(!tool.ok("domain list").contains("network"));
}

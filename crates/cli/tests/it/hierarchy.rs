//! The place in the hierarchy: `bind`, `where`, `unbind`, `doctor`, and machines that may add themselves.

use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::tool::Tool;

#[test]
fn a_domain_below_another_one() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert!(tool.ok("where").contains("local"));
    assert_eq!(tool.json("where")["domains"][0]["state"], json!("root"));
    tool.ok("domain create network");
    tool.ok("bind network@127.0.0.1");
    let chain = tool.json("where");
    let states: Vec<_> =
        chain["domains"].as_array().unwrap().iter().map(|d| (&d["domain"], &d["state"])).collect();
    assert_eq!(states, [(&json!("local"), &json!("bound")), (&json!("network"), &json!("root"))]);
    assert_eq!(chain["domains"][0]["via"], json!("configured"));
    // Users of the parent are known at once, and after the parent is forgotten no longer.
    tool.ok("-d network user add jane --uid 5001");
    assert!(tool.ok("lookup passwd jane").contains("5001"));
    tool.ok("unbind");
    tool.fails(3, "lookup passwd jane");
    assert!(tool.fails(3, "unbind").contains("no parent is configured"));
    assert_eq!(tool.json("where")["domains"].as_array().unwrap().len(), 1);

    assert!(tool.fails(1, "bind local@127.0.0.1").contains("this domain itself"));
    assert!(tool.fails(1, "bind ldap://127.0.0.1 --base dc=x --ca /nonexistent.pem").contains("cannot read"));
    tool.fails(2, "bind nothing");
    tool.fails(3, "-d nothing bind network@127.0.0.1");
    // A parent that does not answer is kept, and the exit code says that it does not.
    assert!(tool.fails(1, "bind network@127.0.0.1:1").is_empty());
    assert_eq!(tool.json_of(1, "where")["domains"][0]["state"], json!("unreachable"));
}

#[test]
fn without_a_daemon() {
    let mut node = Node::start();
    let data = node.data();
    let (tool, offline) = (Tool::local(&node), Tool::offline(&data));
    tool.ok("domain create network");
    tool.ok("domain create other");
    assert!(offline.fails(1, "bind network@127.0.0.1").contains("in use"));
    node.terminate();
    assert!(offline.fails(3, "unbind").contains("no parent is configured"));
    assert!(offline.ok("bind network@127.0.0.1").contains("configured parents of local: network@127.0.0.1"));
    offline.fails(3, "-d nothing bind network@127.0.0.1");
    node.launch();
    let parents = |tool: &Tool| {
        let chain = tool.json("where");
        chain["domains"].as_array().unwrap().iter().skip(1).map(|d| d["domain"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(parents(&tool), [json!("network")]);
    // What somebody writes into the file counts when the daemon is told to reload.
    let file = data.join("binding.toml");
    let reload = |text: &str| {
        std::fs::write(&file, text).unwrap();
        node.signal(Signal::SIGHUP);
    };
    reload("[parents]\nlocal = ['other@127.0.0.1']\n");
    let begin = Instant::now();
    while parents(&tool) != [json!("other")] {
        assert!(begin.elapsed() < Duration::from_secs(10), "{}", node.log());
        sleep(Duration::from_millis(50));
    }
    reload("[parents]\nlocal = ['nothing']\n");
    while !node.log().contains("stay as they were") {
        assert!(begin.elapsed() < Duration::from_secs(10), "{}", node.log());
        sleep(Duration::from_millis(50));
    }
    assert_eq!(parents(&tool), [json!("other")]);
    node.terminate();
    std::fs::write(&file, "[parents]\nlocal = ['other@127.0.0.1']\n").unwrap();
    let remembered = data.join("parents");
    std::fs::create_dir_all(&remembered).unwrap();
    offline.ok("bind other@127.0.0.1 network@127.0.0.1");
    assert!(remembered.exists(), "nobody has gone");
    assert!(offline.ok("unbind").contains("none"));
    assert!(!remembered.exists());
    node.launch();
    assert!(parents(&tool).is_empty());
}

#[test]
fn what_is_wrong_is_told() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("doctor"), "1 domain from here to the root: nothing wrong\n");
    tool.ok("domain create network");
    tool.ok("bind network@127.0.0.1");
    tool.ok("user add jane --uid 5001");
    tool.ok("-d network user add jane --uid 5001");
    assert!(tool.ok("doctor").contains("note: network: user jane is hidden by the one in local\n"));
    tool.ok("user add ann --uid 5002");
    tool.ok("-d network user add joe --uid 5002");
    let report = tool.json_of(1, "doctor");
    let warning = report["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "clash").unwrap();
    assert_eq!(warning["text"], json!("user joe has uid 5002, as ann in local has"));
    tool.fails(1, "-d network bind local@127.0.0.1");
    let report = tool.json_of(1, "doctor").to_string();
    assert!(report.contains("lead back"), "{report}");
}

#[test]
fn rules_for_new_hosts() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.json("host rules"), json!([]));
    tool.ok("host allow 10.0.0.0/24 --name ws* --most 20 --until 2027-12-31 --rule lab");
    tool.ok("host allow 10.1.0.0/16 10.2.0.7");
    let rules = tool.ok("host rules");
    assert!(
        rules.contains("lab") && rules.contains("2027-12-31") && rules.contains("10.1.0.0/16,10.2.0.7"),
        "{rules}"
    );
    assert!(tool.fails(1, "host allow 10.0.0.0/24 --rule lab").contains("already"));
    tool.fails(2, "host allow 10.0.0.1/24");
    tool.ok("host disallow lab");
    tool.fails(3, "host disallow lab");
    assert_eq!(tool.json("host rules").as_array().unwrap().len(), 1);
}

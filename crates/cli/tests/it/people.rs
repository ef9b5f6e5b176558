//! Users, groups and hosts.

use netinfo_testkit::Node;
use serde_json::json;

use crate::tool::Tool;

#[test]
fn users_live_and_leave() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("user list"), "NAME  UID  GID  REALNAME  HOME  SHELL\n");
    tool.ok("group add users --gid 50");
    tool.ok("group add admins");
    let added =
        ["user", "add", "alice", "--realname", "Alice A.", "--groups", "users,admins", "--password-stdin"];
    assert_eq!(tool.run_with(&added, "secret\n", &[]).ok("user add"), "added user alice, uid 1000\n");
    tool.ok("user add bob --uid 1001 --gid 7 --home /b --shell /bin/bash");
    assert_eq!(tool.json("user add carol")["uid"], json!(1002));
    insta::assert_snapshot!(tool.ok("user list"), @r"
    NAME    UID  GID  REALNAME  HOME         SHELL
    alice  1000   50  Alice A.  /home/alice  /bin/sh
    bob    1001    7            /b           /bin/bash
    carol  1002   50            /home/carol  /bin/sh
    ");
    assert_eq!(tool.json("user list")[1]["home"], json!(["/b"]));
    assert!(tool.fails(1, "user add alice").contains("there is a user \"alice\" already"));
    assert!(tool.fails(1, "user add dave --uid 1001").contains("uid 1001 is taken"));
    assert!(tool.fails(3, "user add dave --groups nothing").contains("there is no group \"nothing\""));
    tool.fails(2, "user add a:b");
    assert_eq!(tool.ok("user show bob").lines().nth(1), Some("passwd: *"));
    assert!(tool.ok("user show alice").contains("passwd: $argon2id$"));
    assert!(tool.ok("user show alice").contains("_writers_passwd: alice"));
    tool.ok("user set bob shell /bin/sh");
    assert_eq!(tool.ok("user del alice"), "removed user alice, member of 2 groups\n");
    assert_eq!(tool.json("cat /groups/admins")["properties"][3], json!({ "name": "users", "values": [] }));
    assert!(tool.fails(3, "user show alice").contains("hint: \"netinfo user list\""));
    assert_eq!(tool.json("user add erin")["uid"], json!(1000));
}

#[test]
fn users_change_their_own_passwords_only() {
    let node = Node::start();
    let tool = Tool::local(&node);
    for name in ["alice", "bob"] {
        tool.run_with(&["user", "add", name, "--password-stdin"], "secret\n", &[]).ok("user add");
    }
    let server = node.ipcserver().tcp.to_string();
    let alice = Tool::with(["--server", &server, "-u", "alice"]).unprivileged();
    let runs = |words: &[&str], input: &str, password: &str| {
        alice.run_with(words, input, &[("NETINFO_PASSWORD", password)])
    };
    let own = ["user", "passwd", "--password-stdin"];
    let wrong = runs(&own, "changed\n", "wrong");
    assert!(wrong.code == 4 && wrong.err.contains("Authentication error"), "{wrong:?}");
    runs(&own, "changed\n", "secret").ok("own password");
    runs(&own, "again\n", "changed").ok("own password, again");
    let other = runs(&["user", "passwd", "bob", "--password-stdin"], "changed\n", "again");
    assert!(other.code == 4 && other.err.contains("Permission denied"), "{other:?}");
    assert_eq!(runs(&["user", "set", "alice", "uid", "0"], "", "again").code, 4);
    assert!(runs(&["user", "show", "bob"], "", "again").ok("show").contains("passwd: ********"));
    let file = node.dir().join("password");
    std::fs::write(&file, "again\n").unwrap();
    let from_file = ["--password-file", file.to_str().unwrap(), "user", "passwd", "--password-stdin"];
    alice.run_with(&from_file, "last\n", &[]).ok("password file");

    let stranger = Tool::with(["--server", &server, "-u", "nobody"]);
    let run = stranger.run_with(&["ls"], "", &[("NETINFO_PASSWORD", "x")]);
    assert!(run.code == 4 && run.err.contains("cannot act as \"nobody\": No such user"), "{run:?}");
    let silent = stranger.run_with(&["ls"], "", &[]);
    assert!(silent.code == 4 && silent.err.contains("no terminal to ask on"), "{silent:?}");
}

#[test]
fn hidden_hashes_are_not_lost() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.run_with(&["user", "add", "alice", "--password-stdin"], "secret\n", &[]).ok("user add");
    tool.ok("mkdir /elsewhere _writers=*");
    tool.ok("set /users _writers *");
    let before = tool.ok("user show alice");
    let anonymous = Tool::with(["--server", &node.ipcserver().tcp.to_string()]).unprivileged();
    assert!(anonymous.fails(4, "mv /users/alice /elsewhere/alice").contains("passwd is hidden from you"));
    assert_eq!(tool.ok("user show alice"), before);
    tool.ok("mv /users/alice /elsewhere/alice");
    assert_eq!(tool.ok("cat /elsewhere/alice"), before);
}

#[test]
fn groups_have_members() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("group add wheel root"), "added group wheel, gid 1000\n");
    tool.ok("group join wheel alice bob alice");
    tool.ok("group join wheel bob");
    assert_eq!(tool.ok("group list"), "NAME    GID  USERS\nwheel  1000  root,alice,bob\n");
    tool.ok("group leave wheel alice root");
    assert!(tool.fails(3, "group leave wheel alice").contains("none of them is a member"));
    insta::assert_snapshot!(tool.ok("group show wheel"), @r"
    name: wheel
    passwd: *
    gid: 1000
    users: bob
    ");
    tool.ok("group del wheel");
    tool.fails(3, "group del wheel");
}

#[test]
fn hosts_are_kept() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("host add boss boss.example --ip 192.0.2.1 --ip 192.0.2.2 --ethernet 00:05:02:0A:0B:0C --serves sales/local");
    insta::assert_snapshot!(tool.ok("host list"), @r"
    NAME               IP_ADDRESS           EN_ADDRESS   SERVES
    alpha              10.0.0.1                          ./local
    boss,boss.example  192.0.2.1,192.0.2.2  0:5:2:a:b:c  sales/local
    ");
    tool.fails(2, "host add x --ip 300.0.0.1");
    tool.ok("host del boss");
    tool.fails(3, "host show boss");
}

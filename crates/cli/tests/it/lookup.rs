//! Look-ups through the domains `local` and `network` of one node.

use netinfo_testkit::Node;
use serde_json::json;

use crate::tool::Tool;

/// A node whose domain `local` has `network` above it.
fn two_domains() -> Node {
    let node = Node::start();
    let tool = Tool::local(&node);
    for line in [
        "domain create network",
        "mkdir /machines/above ip_address=127.0.0.1 serves=../network",
        "user add jane --uid 501 --gid 20 --realname Jane",
        "group add staff --gid 20",
        "group join staff jane",
        "set /users/jane passwd $6$salt$hash",
        "-d network user add jane --uid 900 --gid 20",
        "-d network user add bob --uid 502 --gid 20",
        "-d network group add staff --gid 20",
        "-d network group join staff bob",
        "-d network group add games --gid 60",
        "-d network group join games jane",
        "-d network host add gate router --ip 10.0.0.2 --ipv6 fe80::1 --ethernet 0:5:2:fe:ef:4b",
        "-d network mkdir /services",
        "-d network mkdir /services/ntp port=123 protocol=udp",
        "-d network add /services/ntp protocol tcp",
        "-d network mkdir /networks",
        "-d network mkdir /networks/lan address=10.1",
        "-d network mkdir /aliases",
        "-d network mkdir /aliases/all members=jane",
        "-d network add /users/bob netgroups desks",
    ] {
        tool.ok(line);
    }
    node
}

#[test]
fn entries_are_shown_as_the_files_have_them() {
    let node = two_domains();
    let tool = Tool::local(&node);
    let lines = [
        "passwd jane",
        "passwd 502",
        "user bob",
        "group staff",
        "initgroups jane",
        "hosts gate",
        "hosts 10.0.0.2",
        "ethers 0:5:2:fe:ef:4b",
        "services ntp",
        "services 123/tcp",
        "networks 10.1",
        "aliases all",
        "netgroup desks",
        "shadow jane",
    ];
    let shown: String =
        lines.iter().map(|line| format!("> {line}\n{}", tool.ok(&format!("lookup {line}")))).collect();
    insta::assert_snapshot!(shown, @r"
    > passwd jane
    jane:x:501:20:Jane:/home/jane:/bin/sh
    > passwd 502
    bob:x:502:20::/home/bob:/bin/sh
    > user bob
    bob:x:502:20::/home/bob:/bin/sh
    > group staff
    staff:x:20:jane,bob
    > initgroups jane
    jane 20 60
    > hosts gate
    10.0.0.2        gate router
    fe80::1         gate router
    > hosts 10.0.0.2
    10.0.0.2        gate router
    fe80::1         gate router
    > ethers 0:5:2:fe:ef:4b
    0:5:2:fe:ef:4b gate
    > services ntp
    ntp                   123/udp
    > services 123/tcp
    ntp                   123/tcp
    > networks 10.1
    lan                   10.1.0.0
    > aliases all
    all: jane
    > netgroup desks
    desks (-,bob,-)
    > shadow jane
    jane:$6$salt$hash:::::::
    ");
    for nothing in ["passwd 900", "passwd nobody", "hosts 10.0.0.3", "services 123/sctp", "netgroup nothing"]
    {
        assert_eq!(tool.fails(3, &format!("lookup {nothing}")), "", "{nothing}");
    }
}

#[test]
fn everything_is_listed() {
    let node = two_domains();
    let tool = Tool::local(&node);
    insta::assert_snapshot!(tool.ok("lookup passwd"), @r"
    jane:x:501:20:Jane:/home/jane:/bin/sh
    bob:x:502:20::/home/bob:/bin/sh
    ");
    insta::assert_snapshot!(tool.ok("lookup group") + &tool.ok("lookup services"), @r"
    staff:x:20:jane,bob
    games:x:60:jane
    ntp                   123/udp
    ntp                   123/tcp
    ");
    let json = tool.json("lookup group");
    assert_eq!(json[0], json!({ "name": "staff", "passwd": "x", "gid": 20, "members": ["jane", "bob"] }));
    assert!(tool.fails(2, "lookup netgroup").contains("cannot be listed"));
    assert!(tool.fails(2, "lookup elephants").contains("is none of passwd, shadow"));
}

#[test]
fn a_trace_tells_who_was_asked() {
    let node = two_domains();
    let tool = Tool::local(&node);
    let text = tool.ok("lookup passwd bob --trace");
    // Times differ.
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["DOMAIN", "ASKED", "MICROSECONDS"]);
    assert_eq!(words[1][..3], ["local", "users/name=bob:", "nothing"]);
    assert_eq!(words[2][..4], ["network", "users/name=bob:", "1", "record"]);
    assert_eq!(words[3][..4], ["(all)", "question", "and", "answer"]);
    assert!(words[1..4].iter().all(|row| row.last().unwrap().parse::<f64>().is_ok()), "{text}");
    assert!(text.ends_with("\nbob:x:502:20::/home/bob:/bin/sh\n"), "{text}");
    let json = tool.json("lookup hosts gate --trace");
    assert_eq!(json["entry"]["addresses"], json!(["10.0.0.2", "fe80::1"]));
    assert_eq!(json["trace"][1]["domain"], json!("network"));
    assert_eq!(tool.run("lookup passwd nobody --trace").code, 3);
}

#[test]
fn passwords_are_for_the_superuser() {
    let node = two_domains();
    let tool = Tool::local(&node).unprivileged();
    assert!(tool.fails(4, "lookup shadow jane").contains("for the superuser only"));
    assert!(tool.fails(4, "lookup shadow").contains("for the superuser only"));
    assert!(tool.fails(4, "lookup shadow jane --trace").contains("for the superuser only"));
    assert_eq!(tool.ok("lookup passwd jane"), "jane:x:501:20:Jane:/home/jane:/bin/sh\n");
}

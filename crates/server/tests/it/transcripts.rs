//! What the original programs said to the original servers, said again to ours: the same questions of real clients must
//! get the same answers. Port numbers differ; everything else is compared byte for byte.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use netinfo_testkit::golden::{self, Recorded};
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{INDEX_NULL, decode_statistics};
use netinfo_wire::rpc::{Outcome, parse_reply};

use crate::tree::Tree;

/// Bytes of a successful reply before its results.
const HEAD: usize = 24;

/// A host that serves `local` and its parent `network`.
fn two_domains() -> Node {
    let all = "0.0.0.0:0";
    let builder = Node::builder().historical().listen("portmap", all).listen("binder", all);
    let node = builder.listen("domain.local", all).listen("domain.network", all).start();
    node.create_master("network");
    for (tag, serves) in [("local", ["./local", "../network"]), ("network", ["./network", "alpha/local"])] {
        let mut tree = Tree::privileged(node.domain(tag));
        let id = tree.at(2);
        tree.write_prop(id, 2, &serves).unwrap();
    }
    node
}

#[test]
fn tools_get_the_answers_they_got() {
    isolated(|| {
        let node = two_domains();
        say_again("domain-names", &node);
        // What was done between the recordings.
        let mut root = Tree::privileged(node.domain("network"));
        let users = root.make(0, &[("name", &["users"])]);
        let joe = root.make(users, &[("name", &["joe"])]);
        let mut id = root.at(joe);
        for (name, value) in [("uid", "1001"), ("_writers", "joe"), ("passwd", "joO.lyUOYMtRU")] {
            id = root.create_prop(id, name, &[value], INDEX_NULL).unwrap();
        }
        say_again("client-auth", &node);
        say_again("tools", &node);
    });
}

#[test]
fn a_master_with_a_clone_gets_them_too() {
    isolated(|| {
        let node = two_domains();
        let mut root = Tree::privileged(node.domain("network"));
        let id = root.at(2);
        root.write_prop(id, 2, &["./network", "alpha/local", "./copy"]).unwrap();
        let users = root.make(0, &[("name", &["users"])]);
        root.make(users, &[("name", &["amy"])]);
        say_again("replication", &node);
    });
}

/// The answered calls of a scenario to the servers of `node`, in order.
fn say_again(scenario: &str, node: &Node) {
    let mut callers: BTreeMap<(String, String, bool, String), Caller> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for call in golden::transcripts().into_iter().filter(|call| call.group == scenario) {
        let (Some(expected), Some(server)) = (&call.reply, server(node, &call)) else { continue };
        let from: IpAddr = call.text("from_addr").parse().unwrap();
        let to = SocketAddr::new(from, server.port());
        let (udp, privileged) =
            (call.text("transport") == "udp", call.fields["from_port_privileged"] == true);
        let key = (
            call.text("to").into(),
            call.text("transport").into(),
            privileged,
            call.text("from_addr").into(),
        );
        let caller = callers.entry(key).or_insert_with(|| match udp {
            true => Caller::udp_from(from, privileged, to),
            false => Caller::tcp_from(from, privileged, to),
        });
        count += 1;
        match caller.exchange(&call.request) {
            Ok(reply) if same(&call, &reply, expected) => {}
            other => wrong.push(format!("{}: {other:02x?}\n  expected {expected:02x?}", call.label())),
        }
    }
    assert!(count > 50, "{scenario}: only {count} calls");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where the server is that was called; `None` if it is not to be asked again: what servers told the binder of
/// themselves, and the clone, whose ports ours does not share.
fn server(node: &Node, call: &Recorded) -> Option<SocketAddr> {
    let pair = match call.text("to") {
        "nibindd" if call.text("proc_name") == "REGISTER" => return None,
        "portmapper" => node.endpoints().portmap?,
        "nibindd" => node.binder(),
        "netinfod local" => node.domain("local"),
        "netinfod network" => node.domain("network"),
        "netinfod copy" => return None,
        other => panic!("{}: no server {other}", call.label()),
    };
    Some(if call.text("transport") == "udp" { pair.udp } else { pair.tcp })
}

fn same(call: &Recorded, reply: &[u8], expected: &[u8]) -> bool {
    let keys = |reply: &[u8]| match parse_reply(reply).unwrap().outcome {
        Outcome::Success(results) => {
            decode_statistics(results).unwrap().into_iter().map(|property| property.name).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    match (call.text("to"), call.text("proc_name")) {
        (_, "STATISTICS") => keys(reply) == keys(expected),
        // A port, which is not 0.
        ("portmapper", _) => {
            reply.len() == expected.len() && reply[..HEAD] == expected[..HEAD] && reply[HEAD..] != [0; 4]
        }
        // A status, or a list, then ports.
        ("nibindd", _) => reply.len() == expected.len() && reply[..HEAD + 4] == expected[..HEAD + 4],
        _ => reply == expected,
    }
}

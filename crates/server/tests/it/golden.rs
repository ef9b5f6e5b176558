//! Replay of what a historical server answered, over real sockets: every call of a session in order, on the kind of
//! connection it was recorded on.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use netinfo_testkit::endpoints::Pair;
use netinfo_testkit::golden::{self, Recorded};
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::decode_statistics;
use netinfo_wire::nibind::decode_listreg_res;
use netinfo_wire::rpc::{Outcome, parse_reply};

use crate::tree::Tree;

/// How long silence lasts before it counts.
const SILENCE: Duration = Duration::from_millis(300);

#[test]
fn a_master_answers_as_recorded() {
    isolated(|| {
        let node = Node::builder().historical().start();
        node.create_master("network");
        replay("master", node.domain("network"));
    });
}

#[test]
fn a_clone_answers_as_recorded() {
    isolated(|| {
        let mut node = Node::builder().historical().start();
        node.create_master("network");
        {
            let mut tree = Tree::privileged(node.domain("network"));
            let (root, machine) = (tree.at(0), tree.at(2));
            tree.write_prop(root, 0, &["gamma/other"]).unwrap();
            let gamma: &[(&str, &[&str])] =
                &[("name", &["gamma"]), ("ip_address", &["127.0.0.1"]), ("serves", &["./other"])];
            tree.write(machine, gamma).unwrap();
            let users = tree.make(0, &[("name", &["users"])]);
            tree.make(
                users,
                &[("name", &["joe"]), ("uid", &["1001"]), ("passwd", &[""]), ("_writers", &["*"])],
            );
            let instances = [0, 2, 3, 4].map(|object| tree.at(object).instance);
            assert_eq!(instances, [5, 1, 1, 0]);
        }
        node.restart();
        assert_eq!(node.endpoints().domains["network"].role, "clone");
        replay("clone", node.domain("network"));
    });
}

#[test]
fn a_binder_answers_as_recorded() {
    isolated(|| {
        let node = Node::builder().historical().start();
        let network = node.create_master("network");
        Tree::privileged(network)
            .make(1, &[("name", &["child"]), ("ip_address", &["10.0.0.7"]), ("serves", &["child/local"])]);
        replay("nibind", node.binder());
    });
}

#[test]
fn a_child_finds_its_parent_as_recorded() {
    isolated(|| {
        let node = Node::builder().historical().start();
        let network = node.create_master("network");
        let local = node.domain("local");
        for (domain, serves) in [(local, ["./local", "../network"]), (network, ["./network", "alpha/local"])]
        {
            let mut tree = Tree::privileged(domain);
            let id = tree.at(2);
            tree.write_prop(id, 2, &serves).unwrap();
        }
        replay("rparent", local);
    });
}

/// Sends every call of a session and compares the answers by the rules of the recording.
fn replay(session: &str, server: Pair) {
    let calls: Vec<Recorded> = golden::sessions().into_iter().filter(|call| call.group == session).collect();
    assert!(!calls.is_empty(), "no session {session}");
    let mut connections: BTreeMap<&str, Caller> = BTreeMap::new();
    let mut wrong = Vec::new();
    for call in &calls {
        std::thread::sleep(Duration::from_secs(call.number("delay_before_s")));
        let name = call.text("conn");
        let mut connection = connections.remove(name).unwrap_or_else(|| connect(call, server));
        let fragments: Vec<usize> = call.fields["request_fragments"]
            .as_array()
            .map(|list| list.iter().filter_map(|len| len.as_u64()).map(|len| len as usize).collect())
            .unwrap_or_default();
        connection.send(&call.request, &fragments).unwrap();
        if let Some(expected) = &call.reply {
            match connection.receive() {
                Ok(reply) => wrong.extend(difference(call, &reply, expected)),
                Err(error) => wrong.push(format!("{}: {error}", call.label())),
            }
            connections.insert(name, connection);
        } else {
            wrong.extend(not_silent(call, &mut connection));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), calls.len(), wrong.join("\n"));
}

fn connect(call: &Recorded, server: Pair) -> Caller {
    let privileged = call.fields["privileged_port"] == true;
    let from = if call.text("conn") == "other" { [10, 0, 0, 1] } else { [127, 0, 0, 1] }.into();
    match call.text("transport") {
        "udp" => Caller::udp_from(from, privileged, server.udp),
        _ => Caller::tcp_from(from, privileged, server.tcp),
    }
}

/// What is wrong with the reply to a call that was not answered: the original could not read an empty fragment, which
/// is well formed; other calls deserve silence.
fn not_silent(call: &Recorded, connection: &mut Caller) -> Option<String> {
    connection.set_patience(SILENCE);
    let reply = connection.receive();
    let answered = match &reply {
        Ok(reply) => parse_reply(reply).is_ok_and(|reply| matches!(reply.outcome, Outcome::Success(_))),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
        Err(error) => return Some(format!("{}: {error}", call.label())),
    };
    let readable = call.text("quirk").starts_with("zero-fragment");
    (answered != readable).then(|| format!("{}: answered: {answered}", call.label()))
}

fn difference(call: &Recorded, reply: &[u8], expected: &[u8]) -> Option<String> {
    let same = match call.text("compare") {
        "exact" => reply == expected,
        "statistics-keys" => keys(results(reply)) == keys(results(expected)),
        "readall-equal" => {
            // The highest id may be anything.
            let parts = |reply: &[u8]| (reply[..32].to_vec(), reply[36..].to_vec());
            reply.len() == expected.len() && parts(reply) == parts(expected)
        }
        "listreg-tags" => tags(results(reply)) == tags(results(expected)),
        "status-and-shape" => {
            reply.len() == expected.len() && results(reply).get(..4) == results(expected).get(..4)
        }
        other => panic!("unknown rule {other}"),
    };
    let show = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    (!same).then(|| format!("{}\n  got      {}\n  expected {}", call.label(), show(reply), show(expected)))
}

fn results(reply: &[u8]) -> &[u8] {
    match parse_reply(reply).map(|reply| reply.outcome) {
        Ok(Outcome::Success(results)) => results,
        _ => &[],
    }
}

fn keys(results: &[u8]) -> Vec<Vec<u8>> {
    decode_statistics(results).unwrap().into_iter().map(|property| property.name).collect()
}

fn tags(results: &[u8]) -> Vec<Vec<u8>> {
    let mut tags: Vec<_> =
        decode_listreg_res(results).unwrap().iter().map(|entry| entry.tag.to_vec()).collect();
    tags.sort();
    tags
}

//! STATISTICS: names in order, the values that are known beforehand, and what is counted.

use netinfo_testkit::namespace::isolated;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{PROGRAM, Procedure, Property, VERSION, decode_statistics};

use crate::tree::{Tree, text};

fn all(caller: &mut Caller) -> Vec<Property> {
    decode_statistics(&caller.netinfo(Procedure::Statistics, &[])).unwrap()
}

/// Calls counted of a procedure.
fn calls(list: &[Property], procedure: Procedure) -> u64 {
    text(list, procedure.name())[1].parse().unwrap()
}

#[test]
fn values_are_those_of_a_new_master() {
    isolated(|| {
        let node = Node::builder().historical().start();
        let list = all(&mut Caller::tcp(node.domain("local").tcp));
        let text = |name| text(&list, name);
        assert_eq!(list.len(), 44);
        assert_eq!(text("checksum"), ["5"]);
        assert_eq!(text("server_version"), ["netinfo-369.1.5"]);
        assert_eq!(text("tag"), ["local", "master", "0"]);
        assert_eq!(text("ip_address"), ["10.0.0.1"]);
        assert_eq!(text("hostname"), ["alpha"]);
        assert_eq!(text("domain_servers"), ["10.0.0.1/local"]);
        assert_eq!(text("write_locked"), ["No"]);
        assert_eq!(text("notify_threads"), ["0", "5", "2"]);
        assert_eq!(text("notifications_pending"), ["0"]);
        assert_eq!(text("authentications"), ["0", "0", "0", "0"]);
        assert_eq!(text("readall_proxies"), ["0", "strict"]);
        assert_eq!(text("cleanup_wait"), ["30", "29"]);
        assert_eq!(text("connections")[..2], ["1", "1"]);
        for (index, procedure) in Procedure::ALL.into_iter().enumerate() {
            assert_eq!(list[15 + index].name, procedure.name().as_bytes());
            assert_eq!(text(procedure.name()), [&index.to_string(), "0", "0"]);
        }
    });
}

#[test]
fn the_word_checksum_as_password_asks_for_no_more() {
    let node = Node::start();
    let domain = node.domain("local");
    Tree::privileged(domain).make(0, &[]);
    for uid in [0, 501, u32::MAX] {
        let mut caller = Caller::tcp(domain.tcp).with_password(uid, b"checksum");
        assert_eq!(all(&mut caller), [Property::new("checksum", ["6"])]);
    }
    for other in [b"checksums" as &[u8], b"Checksum", b""] {
        assert_eq!(all(&mut Caller::tcp(domain.tcp).with_password(0, other)).len(), 44);
    }
}

#[test]
fn calls_are_counted_when_they_were_executed() {
    let node = Node::start();
    let domain = node.domain("local");
    let mut caller = Caller::tcp(domain.tcp);
    caller.netinfo(Procedure::Ping, &[]);
    Caller::udp(domain.udp).netinfo(Procedure::Ping, &[]);
    let list = all(&mut caller);
    assert_eq!(calls(&list, Procedure::Ping), 2);
    assert_eq!(calls(&list, Procedure::Statistics), 0, "the present call is not over");
    let list = all(&mut caller);
    assert_eq!(calls(&list, Procedure::Statistics), 1);
    // Those with an error are, those that were never made are not.
    let mut tree = Tree { caller };
    tree.read(999).unwrap_err();
    let root = tree.at(0);
    tree.write(root, &[]).unwrap_err();
    let caller = &mut tree.caller;
    for procedure in [Procedure::Read, Procedure::Write] {
        caller.call(PROGRAM, VERSION, procedure.code(), &[1]).unwrap_err();
        caller.call(PROGRAM, 1, procedure.code(), &[0; 8]).unwrap_err();
        Caller::udp(domain.udp).call(PROGRAM, VERSION, procedure.code(), &[0; 8]).unwrap_err();
    }
    let list = all(caller);
    assert_eq!(calls(&list, Procedure::Read), 1);
    assert_eq!(calls(&list, Procedure::Write), 1);
    let total: u64 = Procedure::ALL.into_iter().map(|procedure| calls(&list, procedure)).sum();
    assert_eq!(text(&list, "total_calls"), [total.to_string()]);
    assert_eq!(total, 7, "2 PING, 2 STATISTICS, READ, SELF, WRITE");
}

#[test]
fn connections_are_counted_by_domain() {
    let node = Node::start();
    let network = node.create_master("network");
    let mut caller = Caller::tcp(network.tcp);
    let others: Vec<_> = (0..4).map(|_| Caller::tcp(network.tcp)).collect();
    let mut elsewhere = Caller::tcp(node.domain("local").tcp);
    elsewhere.netinfo(Procedure::Ping, &[]);
    let until = |caller: &mut Caller, expected: [&str; 2]| {
        let mut seen = Vec::new();
        for _ in 0..500 {
            seen = text(&all(caller), "connections")[..2].to_vec();
            if seen == expected {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("{seen:?}, not {expected:?}");
    };
    until(&mut caller, ["5", "5"]);
    drop(others);
    until(&mut caller, ["1", "5"]);
    until(&mut elsewhere, ["1", "1"]);
}

#[test]
fn servers_of_the_domain_are_all_that_serve_it() {
    let node = Node::start();
    let domain = node.create_master("network");
    let mut root = Tree::privileged(domain);
    root.make(
        1,
        &[("name", &["b"]), ("ip_address", &["10.0.0.2", "10.1.0.2"]), ("serves", &["./copy", "c/local"])],
    );
    root.make(
        1,
        &[("name", &["c"]), ("ip_address", &["10.0.0.3"]), ("serves", &["c/network", "../network"])],
    );
    root.make(1, &[("name", &["d"]), ("serves", &["./third"])]);
    root.make(1, &[("name", &["e"]), ("ip_address", &["10.0.0.5"]), ("serves", &["./x", "./y"])]);
    let list = all(&mut root.caller);
    let expected =
        ["10.0.0.1/network", "10.0.0.2/copy", "10.1.0.2/copy", "10.0.0.5/x", "10.0.0.5/y"].map(str::to_owned);
    assert_eq!(text(&list, "domain_servers"), expected);
}

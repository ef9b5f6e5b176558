//! One port for every program of the node; BIND selects the domain. The UNIX socket is another such port.

use netinfo_testkit::caller::Refused;
use netinfo_testkit::node::at;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{self, Procedure, Status, decode_statistics, put_binding};
use netinfo_wire::rpc::{AcceptStat, AuthStat, Denial};
use netinfo_wire::{control, nibind, portmap};

use crate::tree::{Tree, text};

const UNAVAILABLE: Refused = Refused::Failed(AcceptStat::ProgUnavail);
const TOO_WEAK: Refused = Refused::Denied(Denial::Auth(AuthStat::TooWeak));
const SYSTEM: Refused = Refused::Failed(AcceptStat::SystemErr);

fn null(caller: &mut Caller, prog: u32, vers: u32) -> Result<(), Refused> {
    caller.call(prog, vers, 0, &[]).map(|results| assert!(results.is_empty()))
}

fn bind(caller: &mut Caller, tag: &[u8]) -> Result<(), Refused> {
    let mut args = Vec::new();
    put_binding(&mut args, tag, [0, 0, 0, 0].into());
    caller.call(netinfo::PROGRAM, netinfo::VERSION, Procedure::Bind.code(), &args).map(drop)
}

/// The tag that STATISTICS tells.
fn tag(caller: &mut Caller) -> String {
    text(&decode_statistics(&caller.netinfo(Procedure::Statistics, &[])).unwrap(), "tag")[0].clone()
}

#[test]
fn each_port_serves_its_programs() {
    let node = Node::builder().listen("portmap", "127.0.0.1:0").start();
    node.create_master("network");
    let endpoints = node.endpoints();
    let (ipcserver, binder) = (endpoints.ipcserver.unwrap(), endpoints.binder.unwrap());
    let (mapper, network) = (endpoints.portmap.unwrap(), node.domain("network"));
    // Domain, binder, portmapper, rpcbind 3 and 4, control, and one nobody knows.
    let programs = [(netinfo::PROGRAM, 2), (nibind::PROGRAM, 1), (100_000, 2), (100_000, 3), (100_000, 4)];
    let others = [(control::PROGRAM, control::VERSION), (100_003, 3)];
    let all: Vec<_> = programs.into_iter().chain(others).collect();
    let ports: [(&str, Vec<Caller>, [u8; 7]); 5] = [
        ("ipcserver", vec![Caller::tcp(ipcserver.tcp), Caller::udp(ipcserver.udp)], [1, 1, 1, 1, 1, 0, 0]),
        ("UNIX socket", vec![Caller::unix(&node.socket())], [1, 1, 1, 1, 1, 1, 0]),
        ("binder", vec![Caller::tcp(binder.tcp), Caller::udp(binder.udp)], [0, 1, 0, 0, 0, 0, 0]),
        ("portmapper", vec![Caller::tcp(mapper.tcp), Caller::udp(mapper.udp)], [0, 0, 1, 1, 1, 0, 0]),
        ("domain", vec![Caller::tcp(network.tcp), Caller::udp(network.udp)], [1, 0, 0, 0, 0, 0, 0]),
    ];
    for (name, callers, expected) in ports {
        for mut caller in callers {
            for ((prog, vers), expected) in all.iter().zip(expected) {
                let answer = null(&mut caller, *prog, *vers);
                let expected = if expected == 1 { Ok(()) } else { Err(UNAVAILABLE) };
                assert_eq!(answer, expected, "{name}: {prog} version {vers}");
            }
        }
    }
}

#[test]
fn wrong_versions_are_told_the_right_ones() {
    let node = Node::start();
    let mut caller = Caller::tcp(node.ipcserver().tcp);
    for (prog, vers, low, high) in [
        (netinfo::PROGRAM, 1, 2, 2),
        (netinfo::PROGRAM, 3, 2, 2),
        (nibind::PROGRAM, 2, 1, 1),
        (portmap::PROGRAM, 1, 2, 4),
        (portmap::PROGRAM, 5, 2, 4),
    ] {
        let expected = Err(Refused::Failed(AcceptStat::ProgMismatch { low, high }));
        assert_eq!(null(&mut caller, prog, vers), expected, "{prog} version {vers}");
    }
    for prog in [(netinfo::PROGRAM, 2), (nibind::PROGRAM, 1), (portmap::PROGRAM, 2)] {
        let reply = caller.call(prog.0, prog.1, 99, &[]);
        assert_eq!(reply, Err(Refused::Failed(AcceptStat::ProcUnavail)), "{prog:?}");
    }
}

#[test]
fn bind_selects_the_domain_of_a_connection() {
    let node = Node::start();
    node.create_master("network");
    for connect in
        [|node: &Node| Caller::tcp(node.ipcserver().tcp), |node: &Node| Caller::unix(&node.socket())]
    {
        let mut caller = connect(&node);
        assert_eq!(tag(&mut caller), "local", "the default");
        bind(&mut caller, b"network").unwrap();
        assert_eq!(tag(&mut caller), "network");
        // A tag nobody serves changes nothing.
        for wrong in [b"nowhere" as &[u8], b"", b"Network", b"network\0", b"../network", &[0xFF, 0xFE]] {
            let answer = bind(&mut caller, wrong);
            // Names end at a NUL.
            let expected = if wrong.starts_with(b"network") { Ok(()) } else { Err(SYSTEM) };
            assert_eq!(answer, expected, "{}", wrong.escape_ascii());
            assert_eq!(tag(&mut caller), "network");
        }
        bind(&mut caller, b"local").unwrap();
        assert_eq!(tag(&mut caller), "local");
        // Other connections are not concerned, nor does the binder on the same one lose its way.
        bind(&mut caller, b"network").unwrap();
        assert_eq!(tag(&mut connect(&node)), "local");
        null(&mut caller, nibind::PROGRAM, 1).unwrap();
        assert_eq!(tag(&mut caller), "network");
    }
}

#[test]
fn a_selected_domain_is_read_and_written() {
    let node = Node::start();
    let domain = node.create_master("network");
    let mut tree = Tree { caller: Caller::tcp_privileged(node.ipcserver().tcp) };
    bind(&mut tree.caller, b"network").unwrap();
    let made = tree.make(0, &[("name", &["here"])]);
    assert_eq!(Tree::anonymous(domain).lookup(0, "name", "here"), Ok(vec![made]));
    bind(&mut tree.caller, b"local").unwrap();
    assert_eq!(tree.lookup(0, "name", "here"), Err(Status::NoDir));
    // Root on the UNIX socket is the superuser of every domain; others are not.
    let mut tree = Tree { caller: Caller::unix(&node.socket()) };
    for tag in [b"network" as &[u8], b"local"] {
        bind(&mut tree.caller, tag).unwrap();
        tree.make(0, &[("name", &["unix"])]);
    }
}

#[test]
fn on_a_domains_own_port_bind_asks_about_children() {
    let node = Node::start();
    let domain = node.create_master("network");
    Tree::privileged(domain).make(
        1,
        &[
            ("name", &["child"]),
            ("ip_address", &["192.0.2.1", "10.0.0.7"]),
            ("serves", &["child/local", "./copy", "../up"]),
        ],
    );
    let asks: &[(&str, [u8; 4], bool)] = &[
        ("local", [10, 0, 0, 7], true),
        ("local", [192, 0, 2, 1], true),
        ("local", [10, 0, 0, 8], false),
        ("Local", [10, 0, 0, 7], false),
        ("network", [10, 0, 0, 7], false),
        // Those that serve this domain or its parent are no children.
        ("copy", [10, 0, 0, 7], false),
        ("up", [10, 0, 0, 7], false),
        ("network", [10, 0, 0, 1], false),
    ];
    for mut caller in [Caller::tcp(domain.tcp), Caller::udp(domain.udp)] {
        for (tag, address, expected) in asks {
            let mut args = Vec::new();
            put_binding(&mut args, tag.as_bytes(), (*address).into());
            let answer = caller.call(netinfo::PROGRAM, netinfo::VERSION, Procedure::Bind.code(), &args);
            assert_eq!(answer, if *expected { Ok(Vec::new()) } else { Err(SYSTEM) }, "{tag} {address:?}");
        }
        let garbage = caller.call(netinfo::PROGRAM, netinfo::VERSION, Procedure::Bind.code(), &[0, 0, 0, 9]);
        assert_eq!(garbage, Err(Refused::Failed(AcceptStat::GarbageArgs)));
    }
    // The first machine with the address decides.
    Tree::privileged(domain)
        .make(1, &[("name", &["late"]), ("ip_address", &["10.0.0.7"]), ("serves", &["late/other"])]);
    let mut args = Vec::new();
    put_binding(&mut args, b"other", [10, 0, 0, 7].into());
    let mut caller = Caller::udp(domain.udp);
    let answer = caller.call(netinfo::PROGRAM, netinfo::VERSION, Procedure::Bind.code(), &args);
    assert_eq!(answer, Err(SYSTEM));
}

#[test]
fn little_is_allowed_over_udp() {
    let node = Node::start();
    let domain = node.create_master("network");
    for address in [domain.udp, node.ipcserver().udp] {
        for mut caller in [Caller::udp(address), Caller::udp_privileged(address)] {
            for number in (0..=31).chain([1_000, u32::MAX]) {
                let answer = caller.call(netinfo::PROGRAM, netinfo::VERSION, number, &[0; 64]);
                let expected = match number {
                    0 => Ok(Vec::new()),
                    24 => Err(SYSTEM),
                    _ => Err(TOO_WEAK),
                };
                assert_eq!(answer, expected, "procedure {number}");
            }
            // Credential and version come first.
            let wrong = caller.call(netinfo::PROGRAM, 1, 2, &[]);
            assert_eq!(wrong, Err(Refused::Failed(AcceptStat::ProgMismatch { low: 2, high: 2 })));
        }
    }
    for address in [node.binder().udp, node.ipcserver().udp] {
        for mut caller in [Caller::udp(address), Caller::udp_privileged(address)] {
            for number in (0..=10).chain([1_000]) {
                let answer = caller.call(nibind::PROGRAM, nibind::VERSION, number, &[0; 64]);
                let open = [0, 3, 4, 8].contains(&number);
                assert_eq!(answer == Err(TOO_WEAK), !open, "binder procedure {number}: {answer:?}");
            }
        }
    }
}

#[test]
fn datagrams_are_answered_from_the_address_that_was_asked() {
    let node = Node::builder().listen("ipcserver", "0.0.0.0:0").listen("portmap", "0.0.0.0:0").start();
    let endpoints = node.endpoints();
    for (pair, prog, vers) in [
        (endpoints.ipcserver.unwrap(), netinfo::PROGRAM, 2),
        (endpoints.portmap.unwrap(), portmap::PROGRAM, 2),
    ] {
        for ip in ["127.0.0.1", "127.0.0.2", "127.9.9.9"] {
            // A connected socket hears nobody but the address it asked.
            let mut caller = Caller::udp(at(pair.udp, ip));
            null(&mut caller, prog, vers).unwrap_or_else(|refused| panic!("{ip}: {refused:?}"));
        }
    }
}

#[test]
fn many_calls_in_one_packet_are_answered_in_order() {
    let node = Node::start();
    let domain = node.create_master("network");
    let mut caller = Caller::tcp_privileged(domain.tcp);
    let mut bytes = Vec::new();
    for xid in 0..50_u32 {
        // ROOT and CREATE in turn; the parent's instance runs on from 3.
        let mut call = Vec::new();
        let create = xid % 2 == 1;
        let procedure = if create { Procedure::Create } else { Procedure::Root };
        let none = netinfo_wire::rpc::Credential::None;
        netinfo_wire::rpc::put_call(
            &mut call,
            xid,
            netinfo::PROGRAM,
            netinfo::VERSION,
            procedure.code(),
            &none,
        );
        if create {
            for word in [0, 3 + xid / 2, 0, u32::MAX, 0] {
                call.extend_from_slice(&word.to_be_bytes());
            }
        }
        netinfo_wire::record::put_fragment_header(&mut bytes, call.len() as u32, true);
        bytes.extend_from_slice(&call);
    }
    caller.send_bytes(&bytes).unwrap();
    for xid in 0..50_u32 {
        let reply = caller.receive().unwrap();
        assert_eq!(reply[..4], xid.to_be_bytes());
        assert_eq!(reply[24..28], [0; 4], "call {xid}");
        if xid % 2 == 0 {
            assert_eq!(reply[32..36], (3 + xid / 2).to_be_bytes(), "ROOT sees the changes before it");
        }
    }
}

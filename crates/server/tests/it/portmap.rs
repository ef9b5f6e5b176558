//! The portmapper a node brings along where no other runs (RFC 1833).

use std::io;
use std::time::Duration;

use netinfo_testkit::caller::Refused;
use netinfo_testkit::namespace::{Neighbour, isolated};
use netinfo_testkit::node::at;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{self, Status};
use netinfo_wire::nibind::{self, BindArgs, decode_getregister_res, decode_listreg_res, put_tag};
use netinfo_wire::portmap::v2::{
    CallItArgs, CallItResult, Mapping, Procedure, decode_done, decode_dump, decode_port,
};
use netinfo_wire::portmap::{IPPROTO_TCP, IPPROTO_UDP, PORTMAP_VERSION, PROGRAM};

use crate::tree::Tree;

/// A program nobody has registered.
const OTHER: u32 = 0x2000_4711;

fn node() -> Node {
    let open = "0.0.0.0:0";
    Node::builder().listen("portmap", open).listen("binder", open).listen("ipcserver", open).start()
}

fn call(caller: &mut Caller, procedure: Procedure, args: &[u8]) -> Vec<u8> {
    caller.call(PROGRAM, PORTMAP_VERSION, procedure.code(), args).unwrap()
}

fn mapping(prog: u32, vers: u32, prot: u32, port: u32) -> Vec<u8> {
    let mut args = Vec::new();
    Mapping { prog, vers, prot, port }.encode(&mut args);
    args
}

fn get_port(caller: &mut Caller, prog: u32, vers: u32, prot: u32) -> Option<u16> {
    decode_port(&call(caller, Procedure::GetPort, &mapping(prog, vers, prot, 0))).unwrap()
}

fn set(caller: &mut Caller, prog: u32, port: u32) -> bool {
    decode_done(&call(caller, Procedure::Set, &mapping(prog, 1, IPPROTO_TCP, port))).unwrap()
}

fn unset(caller: &mut Caller, prog: u32) -> bool {
    decode_done(&call(caller, Procedure::Unset, &mapping(prog, 1, 0, 0))).unwrap()
}

/// Every way for a process of this host to reach the portmapper of `node`.
fn callers(node: &Node) -> Vec<(&'static str, Caller)> {
    let mapper = node.endpoints().portmap.unwrap();
    vec![
        ("TCP", Caller::tcp(mapper.tcp)),
        ("UDP", Caller::udp(mapper.udp)),
        ("TCP, reserved port", Caller::tcp_privileged(mapper.tcp)),
        ("UDP, reserved port", Caller::udp_privileged(mapper.udp)),
        ("common port", Caller::tcp(node.ipcserver().tcp)),
        ("UNIX socket", Caller::unix(&node.socket())),
    ]
}

#[test]
fn the_binder_is_found_and_domains_are_not() {
    let node = node();
    node.create_master("network");
    let (mapper, binder) = (node.endpoints().portmap.unwrap(), node.binder());
    for (name, mut caller) in callers(&node) {
        assert_eq!(get_port(&mut caller, nibind::PROGRAM, 1, IPPROTO_UDP), Some(binder.udp.port()), "{name}");
        assert_eq!(get_port(&mut caller, nibind::PROGRAM, 1, IPPROTO_TCP), Some(binder.tcp.port()), "{name}");
        assert_eq!(get_port(&mut caller, PROGRAM, 2, IPPROTO_UDP), Some(mapper.udp.port()), "{name}");
        assert_eq!(get_port(&mut caller, PROGRAM, 4, IPPROTO_TCP), Some(mapper.tcp.port()), "{name}");
        for prog in [netinfo::PROGRAM, OTHER, netinfo_wire::control::PROGRAM] {
            assert_eq!(get_port(&mut caller, prog, 2, IPPROTO_TCP), None, "{name}: {prog}");
        }
        assert_eq!(get_port(&mut caller, nibind::PROGRAM, 1, 99), None, "{name}");
        let all = decode_dump(&call(&mut caller, Procedure::Dump, &[])).unwrap();
        let known: Vec<_> =
            all.iter().filter(|m| m.prog == nibind::PROGRAM).map(|m| (m.vers, m.prot)).collect();
        assert_eq!(known, [(1, IPPROTO_UDP), (1, IPPROTO_TCP)], "{name}");
        assert_eq!(all.len(), 8, "{name}");
    }
}

#[test]
fn programs_of_this_host_are_registered() {
    let node = node();
    let mapper = node.endpoints().portmap.unwrap();
    for (index, (name, mut caller)) in callers(&node).into_iter().enumerate() {
        let prog = OTHER + index as u32;
        if name == "UDP" {
            // Anybody can write this host's address into a datagram, so that proves nothing by itself.
            assert!(!set(&mut caller, prog, 4_000), "{name}");
            continue;
        }
        assert!(set(&mut caller, prog, 4_000), "{name}");
        assert!(!set(&mut caller, prog, 4_001), "{name}: it is taken");
        assert_eq!(get_port(&mut caller, prog, 1, IPPROTO_TCP), Some(4_000), "{name}");
        assert_eq!(get_port(&mut caller, prog, 1, IPPROTO_UDP), None, "{name}");
        assert!(unset(&mut caller, prog), "{name}");
        assert!(!unset(&mut caller, prog), "{name}");
        assert_eq!(get_port(&mut caller, prog, 1, IPPROTO_TCP), None, "{name}");
    }
    // Reserved ports are for the superuser, and the programs of the node for nobody.
    let (mut user, mut root) = (Caller::tcp(mapper.tcp), Caller::tcp_privileged(mapper.tcp));
    assert!(!set(&mut user, OTHER, 700));
    assert!(set(&mut root, OTHER, 700));
    assert!(!unset(&mut user, OTHER));
    assert!(unset(&mut root, OTHER));
    for prog in [PROGRAM, nibind::PROGRAM, netinfo::PROGRAM] {
        assert!(!set(&mut root, prog, 4_000), "{prog}");
        assert!(!unset(&mut root, prog), "{prog}");
    }
    assert!(!set(&mut root, OTHER, 70_000), "no such port");
}

#[test]
fn other_machines_register_nothing() {
    isolated(|| {
        let node = node();
        let neighbour = Neighbour::new();
        let mapper = node.endpoints().portmap.unwrap();
        let (tcp, udp) = (at(mapper.tcp, "10.0.0.1"), at(mapper.udp, "10.0.0.1"));
        let mut root = Caller::tcp_privileged(mapper.tcp);
        assert!(set(&mut root, OTHER, 4_000));
        let from = [10, 0, 0, 2].into();
        for mut caller in neighbour.enter(|| {
            [
                Caller::tcp(tcp),
                Caller::udp(udp),
                Caller::tcp_from(from, true, tcp),
                Caller::udp_from(from, true, udp),
            ]
        }) {
            assert!(!set(&mut caller, OTHER + 1, 4_000));
            assert!(!unset(&mut caller, OTHER));
            assert_eq!(get_port(&mut caller, OTHER, 1, IPPROTO_TCP), Some(4_000));
        }
        // The list is long: over UDP it would be a weapon, so strangers get it over TCP only.
        let mut caller = neighbour.enter(|| Caller::tcp(tcp));
        assert_eq!(decode_dump(&call(&mut caller, Procedure::Dump, &[])).unwrap().len(), 9);
        let mut caller = neighbour.enter(|| Caller::udp(udp));
        assert!(silent(&mut caller, Procedure::Dump, &[]));
    });
}

/// Whether a call gets no answer at all.
fn silent(caller: &mut Caller, procedure: Procedure, args: &[u8]) -> bool {
    caller.set_patience(Duration::from_millis(150));
    match caller.call(PROGRAM, PORTMAP_VERSION, procedure.code(), args) {
        Err(Refused::Nothing(io::ErrorKind::WouldBlock)) => true,
        Err(other) => panic!("{other:?}"),
        Ok(_) => false,
    }
}

fn indirect(prog: u32, vers: u32, procedure: u32, args: &[u8]) -> Vec<u8> {
    let mut call = Vec::new();
    CallItArgs { prog, vers, proc: procedure, args }.encode(&mut call);
    call
}

#[test]
fn indirect_calls_reach_the_open_procedures_of_the_binder() {
    use nibind::Procedure as P;
    let node = node();
    let network = node.create_master("network");
    Tree::privileged(network)
        .make(1, &[("name", &["kid"]), ("ip_address", &["10.0.0.7"]), ("serves", &["kid/local"])]);
    let binder = node.binder();
    let mapper = node.endpoints().portmap.unwrap();
    let mut tag = Vec::new();
    put_tag(&mut tag, b"network");
    // The original's clients send four bytes more than there are.
    tag.extend_from_slice(&[0; 4]);
    let bind = |address: [u8; 4]| {
        let mut args = Vec::new();
        BindArgs { client_addr: address.into(), client_tag: b"local", server_tag: b"network" }
            .encode(&mut args);
        args
    };
    for mut caller in [Caller::udp(mapper.udp), Caller::tcp(mapper.tcp)] {
        let mut ask = |procedure: P, args: &[u8]| {
            let reply =
                call(&mut caller, Procedure::CallIt, &indirect(nibind::PROGRAM, 1, procedure.code(), args));
            let result = CallItResult::decode(&reply).unwrap();
            assert_eq!(result.port, u32::from(binder.udp.port()), "{procedure:?}");
            result.results.to_vec()
        };
        assert!(ask(P::Ping, &[]).is_empty());
        let ports = decode_getregister_res(&ask(P::GetRegister, &tag)).unwrap();
        assert_eq!(ports.tcp_port, u32::from(network.tcp.port()));
        assert_eq!(decode_listreg_res(&ask(P::ListReg, &[])).unwrap().len(), 2);
        assert!(ask(P::Bind, &bind([10, 0, 0, 7])).is_empty());
    }
}

#[test]
fn all_other_indirect_calls_meet_silence() {
    use nibind::Procedure as P;
    let node = node();
    node.create_master("network");
    let mapper = node.endpoints().portmap.unwrap();
    let mut tag = Vec::new();
    put_tag(&mut tag, b"network");
    let mut stranger = Vec::new();
    BindArgs { client_addr: [10, 0, 0, 9].into(), client_tag: b"local", server_tag: b"network" }
        .encode(&mut stranger);
    let mut caller = Caller::udp_privileged(mapper.udp);
    let mut quiet = |name: &str, args: &[u8]| assert!(silent(&mut caller, Procedure::CallIt, args), "{name}");
    for procedure in [P::Register, P::Unregister, P::CreateMaster, P::CreateClone, P::DestroyDomain] {
        quiet(procedure.name(), &indirect(nibind::PROGRAM, 1, procedure.code(), &tag));
    }
    quiet("no such procedure", &indirect(nibind::PROGRAM, 1, 9, &[]));
    quiet("wrong version", &indirect(nibind::PROGRAM, 2, 0, &[]));
    quiet("not served", &indirect(nibind::PROGRAM, 1, P::Bind.code(), &stranger));
    quiet("bad arguments", &indirect(nibind::PROGRAM, 1, P::GetRegister.code(), &[0, 0, 0, 9]));
    quiet("a domain", &indirect(netinfo::PROGRAM, 2, 0, &[]));
    quiet("the portmapper itself", &indirect(PROGRAM, 2, 0, &[]));
    quiet("SET through the portmapper", &indirect(PROGRAM, 2, 1, &mapping(OTHER, 1, IPPROTO_TCP, 700)));
    quiet("an unknown program", &indirect(OTHER, 1, 0, &[]));
    // All of this left no trace.
    let mut binder = Caller::tcp(node.binder().tcp);
    let list = binder.call(nibind::PROGRAM, 1, P::ListReg.code(), &[]).unwrap();
    assert_eq!(decode_listreg_res(&list).unwrap().len(), 2);
    let mut caller = Caller::udp(mapper.udp);
    assert_eq!(get_port(&mut caller, OTHER, 1, IPPROTO_TCP), None);
    // An answer that is a status is an answer: unknown tags are not met with silence.
    let mut unknown = Vec::new();
    put_tag(&mut unknown, b"nowhere");
    let call_it = indirect(nibind::PROGRAM, 1, P::GetRegister.code(), &unknown);
    let reply = call(&mut caller, Procedure::CallIt, &call_it);
    let status = u32::from_be_bytes(*CallItResult::decode(&reply).unwrap().results.first_chunk().unwrap());
    assert_eq!(Status::from_code(status), Status::NoTag);
}

#[test]
fn a_node_without_portmapper_still_answers_on_its_common_port() {
    let node = Node::start();
    assert_eq!(node.endpoints().portmap, None);
    let mut caller = Caller::tcp(node.ipcserver().tcp);
    assert_eq!(get_port(&mut caller, nibind::PROGRAM, 1, IPPROTO_TCP), Some(node.binder().tcp.port()));
    assert_eq!(get_port(&mut caller, PROGRAM, 2, IPPROTO_TCP), None, "there is none to be told of");
}

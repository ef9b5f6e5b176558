//! From a host to a domain: the common endpoint, and portmapper and binder.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use netinfo_client::{Error, Finder, Property, Server, Status};
use netinfo_wire::netinfo::{self, Binding, Procedure, PropListBuf, put_status};
use netinfo_wire::nibind::{self, Addrinfo, Registration};
use netinfo_wire::portmap;
use netinfo_wire::rpc::{AcceptStat, Call};

use crate::database::{Database, execute};
use crate::fake::{Action, Fake, patient, udp};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A port where nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn finder() -> Finder {
    Finder {
        timeouts: patient(),
        ipcserver: closed_port(),
        portmap: closed_port(),
        local: closed_port(),
        ..Finder::default()
    }
}

fn binder(call: &Call<'_>, tcp_port: u16) -> Vec<u8> {
    let mut results = Vec::new();
    let addrs = Addrinfo { udp_port: 0, tcp_port: tcp_port.into() };
    match nibind::Procedure::try_from(call.proc).unwrap() {
        nibind::Procedure::Ping => {}
        nibind::Procedure::GetRegister if nibind::decode_tag(call.args) == Ok(b"network") => {
            nibind::put_getregister_res(&mut results, addrs);
        }
        nibind::Procedure::GetRegister => put_status(&mut results, Status::NoTag),
        nibind::Procedure::ListReg => {
            nibind::put_listreg_res(&mut results, [Registration { tag: b"network", addrs }]);
        }
        other => panic!("{other:?}"),
    }
    results
}

/// A node of this project: all programs on one port, BIND selects `network`.
fn node() -> Fake {
    let database = Arc::new(Mutex::new(Database::new()));
    Fake::tcp(move |call, _, _| match (call.prog, call.proc) {
        (nibind::PROGRAM, _) => Action::Reply(binder(call, 1)),
        (netinfo::PROGRAM, proc) if proc == Procedure::Bind.code() => {
            match Binding::decode(call.args).unwrap().tag {
                b"network" => Action::Reply(Vec::new()),
                _ => Action::Fail(AcceptStat::SystemErr),
            }
        }
        _ => execute(&database, call),
    })
}

/// A historical server of the domain `network`: one program, one port.
fn historical() -> Fake {
    let database = Arc::new(Mutex::new(Database::new()));
    Fake::tcp(move |call, _, _| {
        if call.prog == netinfo::PROGRAM && call.proc == Procedure::Statistics.code() {
            let mut results = Vec::new();
            let list: PropListBuf = [Property::new("tag", ["network", "master"])].iter().collect();
            list.as_list().encode(&mut results);
            return Action::Reply(results);
        }
        execute(&database, call)
    })
}

#[test]
fn the_common_endpoint_of_a_node() {
    let node = node();
    let port = Server::Port(node.addr);
    let finder = Finder { ipcserver: node.addr.port(), ..finder() };
    for server in [port.clone(), Server::Host(HERE)] {
        let mut domain = finder.open(&server, Some("network")).unwrap();
        assert!(domain.root().is_ok());
        assert_eq!(domain.connection().selected(), Some(&b"network"[..]));
        assert!(finder.open(&server, Some("nothing")).unwrap_err().is(Status::NoTag));
        assert_eq!(finder.list(&server).unwrap()[0].tag, b"network");
    }
    assert_eq!(finder.open(&port, None).unwrap().connection().selected(), None);
}

#[test]
fn a_historical_host_by_portmapper_and_binder() {
    let server = historical();
    let tcp_port = server.addr.port();
    let binder_at = udp(move |call, _| Some(binder(call, tcp_port)));
    let binder_over_tcp = Fake::tcp(move |call, _, _| Action::Reply(binder(call, tcp_port))).addr;
    let portmapper = udp(move |call, _| {
        let mapping = portmap::v2::Mapping::decode(call.args).unwrap();
        assert_eq!((mapping.prog, mapping.vers), (nibind::PROGRAM, 1));
        let over_udp = mapping.prot == portmap::IPPROTO_UDP;
        let mut results = Vec::new();
        portmap::v2::put_port(&mut results, Some(if over_udp { binder_at } else { binder_over_tcp }.port()));
        Some(results)
    });
    let finder = Finder { portmap: portmapper.port(), ..finder() };
    let mut domain = finder.open(&Server::Host(HERE), Some("network")).unwrap();
    assert!(domain.root().is_ok());
    assert!(finder.open(&Server::Host(HERE), Some("other")).unwrap_err().is(Status::NoTag));
    assert_eq!(finder.list(&Server::Host(HERE)).unwrap()[0].ports.tcp_port, u32::from(tcp_port));
}

#[test]
fn a_historical_port_serves_one_domain() {
    let server = historical();
    let port = Server::Port(server.addr);
    assert!(finder().open(&port, Some("network")).unwrap().root().is_ok());
    let error = finder().open(&port, Some("other")).unwrap_err();
    assert!(matches!(&error, Error::OtherDomain { serves, .. } if serves == "network"), "{error}");
    assert!(matches!(finder().list(&port), Err(Error::Rejected { .. })));
}

#[test]
fn the_local_domain_has_a_fixed_port() {
    let server = historical();
    let finder = Finder { local: server.addr.port(), ..finder() };
    assert!(finder.open(&Server::Host(HERE), None).unwrap().root().is_ok());
}

#[test]
fn a_host_without_netinfo() {
    let error = finder().open(&Server::Host(HERE), Some("network")).unwrap_err();
    let Error::NoServer { host, attempts } = &error else { panic!("{error}") };
    assert_eq!(host, "127.0.0.1");
    assert_eq!(attempts.len(), 2);
    assert!(attempts[0].contains("refused"), "{error}");
    assert!(error.is_unreachable());
}

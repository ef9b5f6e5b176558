//! Probes of real servers: rpcbind, slapd, netinfod, and a TLS server of our own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use netinfo_port::meaning::node;
use netinfo_port::probe::verdict::Make;
use netinfo_port::probe::{self, Verdict};
use netinfo_port::report::Probing;
use netinfo_port::{Inspection, Registry, Transport};
use netinfo_testkit::Node;
use netinfo_testkit::namespace::{Neighbour, isolated};
use netinfo_testkit::software::{Daemon, lay_over};

fn ask(address: &str, transport: Transport) -> Verdict {
    probe::ask(address.parse().unwrap(), transport).verdict
}

fn listens(address: &str) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

fn rpcbind() -> Daemon {
    let mut rpcbind = Daemon::start(&["/usr/sbin/rpcbind", "-f"]);
    rpcbind.wait_for("listening", || listens("127.0.0.1:111"));
    rpcbind
}

#[test]
fn an_rpcbind() {
    isolated(|| {
        let _rpcbind = rpcbind();
        for transport in Transport::ALL {
            let verdict = ask("127.0.0.1:111", transport);
            let Verdict::Rpc(rpc) = &verdict else { panic!("{verdict:?}") };
            assert!(!verdict.is_netinfo());
            let mappings = rpc.mappings.as_ref().unwrap();
            assert!(mappings.iter().any(|m| (m.prog, m.vers, m.port) == (100_000, 2, 111)), "{mappings:?}");
            assert!(verdict.summary().starts_with("another RPC service: portmapper with "));
        }
    });
}

#[test]
fn a_slapd() {
    isolated(|| {
        lay_over();
        fs::create_dir_all("/run/slapd/data").unwrap();
        let configuration = "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
                             pidfile /run/slapd/pid\ndatabase mdb\nsuffix dc=example,dc=com\ndirectory /run/slapd/data\n";
        fs::write("/run/slapd/conf", configuration).unwrap();
        let uris = "ldap://127.0.0.1:389 ldap://127.0.0.1:945";
        let mut slapd = Daemon::start(&["slapd", "-f", "/run/slapd/conf", "-h", uris, "-d", "0"]);
        slapd.wait_for("listening", || listens("127.0.0.1:945"));
        for address in ["127.0.0.1:389", "127.0.0.1:945"] {
            let verdict = ask(address, Transport::Tcp);
            let Verdict::Ldap(ldap) = &verdict else { panic!("{address}: {verdict:?}") };
            assert_eq!(ldap.contexts, [b"dc=example,dc=com"]);
            assert_eq!(verdict.summary(), "LDAP server, serves dc=example,dc=com");
        }
        let registry = Registry::embedded();
        let mut inspection = Inspection::new(vec!["945".parse().unwrap()], &registry);
        let kinds = |inspection: &Inspection<'_>| {
            let report = inspection.run().unwrap();
            report.ports[0].findings.iter().map(|f| f.kind.name()).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&inspection), ["not-netinfo"]);
        inspection.probing = Probing::Here;
        assert_eq!(kinds(&inspection), ["not-netinfo"]);
    });
}

#[test]
fn a_netinfod() {
    isolated(|| {
        let _rpcbind = rpcbind();
        let node = Node::builder().default_listen().address(None).start();
        node.create_master("network");
        let registry = Registry::embedded();
        let mut inspection = Inspection::new(
            ["945", "1033", "389", "636"].map(|port| port.parse().unwrap()).to_vec(),
            &registry,
        );
        inspection.probing = Probing::Here;
        let report = inspection.run().unwrap();
        for port in &report.ports {
            assert!(port.is_netinfo() && port.findings.is_empty(), "{port:?}");
            assert!(!port.probes.is_empty());
            for probe in &port.probes {
                assert!(probe.verdict.is_netinfo(), "{probe:?}");
                assert!(probe.verdict.summary().starts_with("NetInfo server of this project"), "{probe:?}");
            }
            let holders =
                port.sockets.iter().filter(|held| held.socket.listens()).flat_map(|held| &held.holders);
            assert!(holders.clone().count() > 0);
            assert!(
                holders.into_iter().all(|(process, _)| process.pid == node.pid() && process.is_netinfo())
            );
        }
        let Verdict::Rpc(rpc) = ask("127.0.0.1:945", Transport::Tcp) else { panic!("no RPC") };
        let tags: Vec<&[u8]> = rpc.binder.iter().flatten().map(|domain| domain.tag.as_slice()).collect();
        assert_eq!(tags, [&b"local"[..], b"network"]);
        assert!(rpc.domain.unwrap().hostname.as_deref() == Some(b"alpha"));
        let Verdict::Ldap(ldap) = ask("127.0.0.1:636", Transport::Tcp) else { panic!("no LDAP") };
        assert!(ldap.tls && ldap.vendor.as_deref() == Some(b"NetInfo"));

        // From another machine.
        let neighbour = Neighbour::new();
        let verdict = neighbour.enter(|| ask("10.0.0.1:945", Transport::Udp));
        assert!(verdict.is_netinfo(), "{verdict:?}");
        let closed = neighbour.enter(|| Transport::ALL.map(|t| ask("10.0.0.1:946", t)));
        assert_eq!(closed, [Verdict::Closed, Verdict::Closed]);
    });
}

#[test]
fn an_agreeable_netinfod_counts_as_historical() {
    let node = Node::builder().historical().start();
    let Verdict::Rpc(rpc) = probe::ask(node.domain("local").tcp, Transport::Tcp).verdict else {
        panic!("no RPC")
    };
    assert_eq!(rpc.make(), Make::Historical);
    // A binder tells no version; that of its first domain is asked for.
    let Verdict::Rpc(rpc) = probe::ask(node.binder().udp, Transport::Udp).verdict else { panic!("no RPC") };
    assert_eq!((rpc.make(), rpc.binder.map(|list| list.len())), (Make::Historical, Some(1)));
}

#[test]
fn services_of_a_domain() {
    let node = Node::start();
    let server = netinfo_client::Server::Local(node.socket());
    let mut domain = netinfo_client::Finder::default().open(&server, None).unwrap();
    let path = netinfo_client::Path::parse(b"/services/ipcserver").unwrap();
    let object = domain.create_path(&path).unwrap().object;
    let properties = [
        netinfo_client::Property::new("name", ["ipcserver"]),
        netinfo_client::Property::new("port", ["945"]),
        netinfo_client::Property::new("protocol", ["tcp", "udp"]),
    ];
    let id = domain.self_id(netinfo_client::Id::new(object, 0)).unwrap();
    domain.write(id, &properties).unwrap();
    let told = node::ask(server, None, &[389, 945]);
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), [945]);
    assert_eq!(told[&945][0].names, [b"ipcserver"]);
    assert_eq!(told[&945][0].protocols, [b"tcp", b"udp"]);
}

#[test]
fn tls_without_ldap() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            // Whatever is not TLS gets an alert.
            while connection.complete_io(&mut stream).is_ok() && !connection.wants_write() {}
            let _ = connection.write_tls(&mut stream);
        }
    });
    let verdict = probe::ask(address, Transport::Tcp).verdict;
    assert_eq!(verdict, Verdict::Tls { version: Some("TLS 1.3") });
}

#[test]
fn nothing_there() {
    let unused = |address: &str| -> SocketAddr { TcpListener::bind(address).unwrap().local_addr().unwrap() };
    for address in ["127.0.0.1:0", "[::1]:0"] {
        for transport in Transport::ALL {
            assert_eq!(probe::ask(unused(address), transport).verdict, Verdict::Closed);
        }
    }
    assert!(probe::resolve("no.such.host.invalid").is_err());
    assert_eq!(probe::resolve("[::1]").unwrap().len(), 1);
}

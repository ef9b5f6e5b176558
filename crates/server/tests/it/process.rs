//! The daemon as a process: starting as anybody, ports, signals, data directories.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Duration;

use netinfo_testkit::namespace::{isolated, need_root};
use netinfo_testkit::node::Builder;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::Procedure;
use netinfo_wire::nibind;
use nix::sys::signal::Signal;

use crate::tree::Tree;

/// The account of processes that may do nothing.
const NOBODY: &str = "nobody";
const NOBODY_ID: u32 = 65_534;

/// As the daemon starts by itself: no place to listen is given.
fn plain() -> Builder {
    Node::builder().default_listen().address(None).hostname(None)
}

/// A line of `/proc/PID/status`.
fn status(node: &Node, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
}

fn create(node: &Node, tag: &str) -> Vec<u8> {
    let mut args = Vec::new();
    nibind::put_tag(&mut args, tag.as_bytes());
    let create = nibind::Procedure::CreateMaster.code();
    Caller::tcp_privileged(node.binder().tcp).call(nibind::PROGRAM, 1, create, &args).unwrap()
}

#[test]
fn root_gets_the_well_known_ports() {
    isolated(|| {
        let node = plain().arg("--user").arg("root").start();
        let endpoints = node.endpoints();
        let ports = |pair: netinfo_testkit::endpoints::Pair| (pair.tcp.port(), pair.udp.port());
        assert_eq!(endpoints.ipcserver.map(ports), Some((945, 945)));
        assert_eq!(endpoints.portmap.map(ports), Some((111, 111)));
        assert_eq!(endpoints.domains["local"].address.map(ports), Some((1033, 1033)));
        let binder = endpoints.binder.map(ports).unwrap();
        assert!((600..1024).contains(&binder.0) && (600..1024).contains(&binder.1), "{binder:?}");
        assert_eq!(endpoints.local.unwrap().to_str(), Some("/run/netinfo/netinfod.sock"));
        let network = ports(node.create_master("network"));
        assert!((600..1024).contains(&network.0) && (600..1024).contains(&network.1), "{network:?}");
        let mut tree = Tree::anonymous(node.domain("network"));
        assert_eq!(crate::tree::text(&tree.read(2).unwrap(), "ip_address"), ["10.0.0.1"]);
        assert_eq!(crate::tree::text(&tree.read(0).unwrap(), "master"), ["alpha/network"]);
        assert!(!node.log().contains("needs privilege"), "{}", node.log());
    });
}

#[test]
fn anybody_gets_other_ports_and_is_told_so() {
    isolated(|| {
        let node = plain().run_as(NOBODY_ID, NOBODY_ID).start();
        let log = node.log();
        let endpoints = node.endpoints();
        let ipcserver = endpoints.ipcserver.unwrap();
        let binder = endpoints.binder.unwrap();
        assert!(ipcserver.tcp.port() >= 1024 && binder.tcp.port() >= 1024);
        // One line for each, with what is used instead.
        for (needle, port) in
            [("port 945 needs privilege", ipcserver.tcp.port()), ("binder uses", binder.tcp.port())]
        {
            let lines: Vec<_> = log.lines().filter(|line| line.contains(needle)).collect();
            assert!(lines.len() == 1 && lines[0].contains(&port.to_string()), "{needle}: {log}");
        }
        assert!(log.lines().any(|line| line.contains("port 111 needs privilege")), "{log}");
        assert_eq!(endpoints.domains["local"].address.unwrap().tcp.port(), 1033, "anybody may have that");
        assert_eq!(endpoints.local.unwrap(), node.data().join("netinfod.sock"));
        assert_eq!(status(&node, "CapEff"), "0000000000000000");
        for caller in [&mut Caller::tcp(ipcserver.tcp), &mut Caller::tcp(node.domain("local").tcp)] {
            assert!(caller.netinfo(Procedure::Ping, &[]).is_empty());
        }
        // It serves domains as well as any.
        assert_eq!(create(&node, "network"), [0; 4]);
        assert!(node.domain("network").tcp.port() >= 1024);
        let mut unix = Caller::unix(&node.data().join("netinfod.sock"));
        assert!(unix.netinfo(Procedure::Ping, &[]).is_empty());
    });
}

#[test]
fn root_becomes_the_named_user_and_keeps_one_capability() {
    isolated(|| {
        let node = plain().owner(NOBODY_ID, NOBODY_ID).arg("--user").arg(NOBODY).start();
        assert_eq!(status(&node, "Uid"), ["65534"; 4].join("\t"));
        assert_eq!(status(&node, "Gid"), ["65534"; 4].join("\t"));
        // CAP_NET_BIND_SERVICE is number 10.
        for set in ["CapPrm", "CapEff"] {
            assert_eq!(status(&node, set), "0000000000000400", "{set}");
        }
        assert_eq!(status(&node, "CapInh"), "0000000000000000");
        assert_eq!(status(&node, "CapAmb"), "0000000000000000");
        assert_eq!(node.ipcserver().tcp.port(), 945);
        // Domains made later still get reserved ports.
        assert_eq!(create(&node, "network"), [0; 4]);
        let network = node.domain("network");
        assert!((600..1024).contains(&network.tcp.port()), "{network:?}\n{}", node.log());
        assert!((600..1024).contains(&network.udp.port()), "{network:?}");
        let mut root = Tree::privileged(network);
        root.make(0, &[("name", &["x"])]);
        let data = fs::metadata(node.data()).unwrap();
        assert_eq!((data.uid(), data.permissions().mode() & 0o777), (NOBODY_ID, 0o700));
    });
}

#[test]
fn a_user_that_cannot_be_had_is_an_error() {
    need_root("it starts the daemon as other users");
    let failed = Node::builder().arg("--user").arg("no-such-user").try_start().unwrap_err();
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.log.contains("user \"no-such-user\" does not exist"), "{}", failed.log);
    let failed =
        Node::builder().run_as(NOBODY_ID, NOBODY_ID).arg("--user").arg("daemon").try_start().unwrap_err();
    assert!(failed.log.contains("not started as root"), "{}", failed.log);
}

#[test]
fn a_second_daemon_on_the_same_data_is_refused() {
    let first = Node::start();
    let second = Node::builder().data(first.data()).try_start().unwrap_err();
    assert_eq!(second.status.code(), Some(1));
    let lines: Vec<_> = second.log.lines().filter(|line| line.starts_with("netinfod: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains(first.data().to_str().unwrap()), "{}", second.log);
    assert!(lines[0].contains("in use"), "{}", second.log);
    // The first one does not notice.
    assert!(Caller::tcp(first.ipcserver().tcp).netinfo(Procedure::Ping, &[]).is_empty());
    assert!(Caller::unix(&first.socket()).netinfo(Procedure::Ping, &[]).is_empty());
}

#[test]
fn data_of_a_killed_daemon_is_free_at_once() {
    let mut node = Node::start();
    node.kill9();
    node.launch();
    assert!(Caller::unix(&node.socket()).netinfo(Procedure::Ping, &[]).is_empty());
}

#[test]
fn ports_in_use_are_named() {
    let first = Node::start();
    let taken = first.ipcserver().tcp.to_string();
    let failed = Node::builder().listen("ipcserver", &taken).try_start().unwrap_err();
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.log.contains(&taken) && failed.log.contains("in use"), "{}", failed.log);
}

#[test]
fn sigterm_ends_it_in_time_with_clients_connected() {
    let mut node = Node::start();
    let domain = node.create_master("network");
    let mut idle: Vec<_> = (0..20).map(|_| Caller::tcp(domain.tcp)).collect();
    idle.extend((0..20).map(|_| Caller::tcp(node.ipcserver().tcp)));
    idle.extend((0..5).map(|_| Caller::unix(&node.socket())));
    for caller in &mut idle {
        caller.netinfo(Procedure::Ping, &[]);
    }
    // One in the middle of a call.
    idle[0].send_bytes(&[0x80, 0, 0, 40, 0, 0]).unwrap();
    let socket = node.socket();
    let took = node.terminate();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(!socket.exists() && !node.endpoints_file().exists(), "what it made is gone");
    assert!(idle[1].receive().is_err());
    assert!(node.log().contains("stopping"));
}

#[test]
fn sigint_ends_it_too_and_sighup_does_not() {
    let mut node = Node::start();
    let domain = node.create_master("network");
    let mut tree = Tree::privileged(domain);
    for _ in 0..3 {
        node.signal(Signal::SIGHUP);
        tree.make(0, &[("name", &["x"])]);
    }
    let mut lines = 0;
    for _ in 0..500 {
        lines = node.log().lines().filter(|line| line.contains("reloaded")).count();
        if lines > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(lines > 0, "{}", node.log());
    assert!(node.runs());
    assert_eq!(tree.children(0).unwrap().0.len(), 4);
    assert_eq!(node.domain("network"), domain, "the same ports");
    node.signal(Signal::SIGINT);
    assert!(node.wait().success());
}

#[test]
fn sigpipe_is_nothing_to_die_of() {
    let mut node = Node::start();
    node.signal(Signal::SIGPIPE);
    assert!(Caller::tcp(node.ipcserver().tcp).netinfo(Procedure::Ping, &[]).is_empty());
    assert!(node.runs());
}

#[test]
fn what_is_on_disk_is_for_the_daemon_alone() {
    let node = Node::start();
    node.create_master("network");
    // A certificate is no secret, and is copied to clients as it is.
    let words = ["-perm", "/077", "-not", "-name", "netinfod.crt"];
    let listed = Command::new("find").arg(node.data()).args(words).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "", "readable for others");
    let socket = fs::metadata(node.socket()).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o666, "anybody may ask; the kernel says who");
    assert_eq!(fs::metadata(node.endpoints_file()).unwrap().permissions().mode() & 0o777, 0o644);
}

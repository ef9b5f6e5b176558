//! The binder: creating, destroying, registering (NetInfo protocol, binder).

use std::fs;
use std::path::Path;

use netinfo_testkit::caller::Refused;
use netinfo_testkit::endpoints::Pair;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{Failure, Procedure as Ni, Status};
use netinfo_wire::nibind::{
    Addrinfo, BindArgs, CloneArgs, PROGRAM, Procedure, Registration, VERSION, decode_getregister_res,
    decode_listreg_res, decode_status, put_tag,
};
use netinfo_wire::rpc::AcceptStat;

use crate::tree::{Tree, text};
use crate::users::Office;

/// A caller of the binder.
struct Binder(Caller);

impl Binder {
    fn root(node: &Node) -> Self {
        Self(Caller::tcp_privileged(node.binder().tcp))
    }

    fn nobody(node: &Node) -> Self {
        Self(Caller::tcp(node.binder().tcp))
    }

    fn call(&mut self, procedure: Procedure, args: &[u8]) -> Result<Vec<u8>, Refused> {
        self.0.call(PROGRAM, VERSION, procedure.code(), args)
    }

    fn tag(&mut self, procedure: Procedure, tag: &str) -> Status {
        let mut args = Vec::new();
        put_tag(&mut args, tag.as_bytes());
        status(&self.call(procedure, &args).unwrap())
    }

    fn create(&mut self, tag: &str) -> Status {
        self.tag(Procedure::CreateMaster, tag)
    }

    fn destroy(&mut self, tag: &str) -> Status {
        self.tag(Procedure::DestroyDomain, tag)
    }

    fn register(&mut self, tag: &str, ports: Addrinfo) -> Status {
        let mut args = Vec::new();
        Registration { tag: tag.as_bytes(), addrs: ports }.encode(&mut args);
        status(&self.call(Procedure::Register, &args).unwrap())
    }

    fn ports(&mut self, tag: &str) -> Result<Addrinfo, Status> {
        let mut args = Vec::new();
        put_tag(&mut args, tag.as_bytes());
        decode_getregister_res(&self.call(Procedure::GetRegister, &args).unwrap()).map_err(|failure| {
            match failure {
                Failure::Status(status) => status,
                Failure::Malformed(error) => panic!("{error}"),
            }
        })
    }

    fn tags(&mut self) -> Vec<String> {
        let results = self.call(Procedure::ListReg, &[]).unwrap();
        let list = decode_listreg_res(&results).unwrap();
        list.iter().map(|entry| String::from_utf8_lossy(entry.tag).into_owned()).collect()
    }

    fn bind(&mut self, client: [u8; 4], tag: &str, server: &str) -> Result<(), Refused> {
        let mut args = Vec::new();
        let (client_tag, server_tag) = (tag.as_bytes(), server.as_bytes());
        BindArgs { client_addr: client.into(), client_tag, server_tag }.encode(&mut args);
        self.call(Procedure::Bind, &args).map(|results| assert!(results.is_empty()))
    }
}

fn status(results: &[u8]) -> Status {
    match decode_status(results) {
        Ok(()) => Status::Ok,
        Err(Failure::Status(status)) => status,
        Err(Failure::Malformed(error)) => panic!("{error}"),
    }
}

fn ports(pair: Pair) -> Addrinfo {
    Addrinfo { udp_port: pair.udp.port().into(), tcp_port: pair.tcp.port().into() }
}

fn entries(dir: &Path) -> Vec<String> {
    let list =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut list: Vec<_> = list.collect();
    list.sort();
    list
}

#[test]
fn a_created_domain_is_served_when_the_answer_arrives() {
    let node = Node::builder().listen("domain.second", "127.0.0.1:0").start();
    let mut binder = Binder::root(&node);
    for tag in ["network", "second"] {
        assert_eq!(binder.create(tag), Status::Ok);
        let served = binder.ports(tag).unwrap();
        assert_eq!(served, ports(node.domain(tag)), "announced and written down alike");
        let mut tree = Tree::anonymous(node.domain(tag));
        assert_eq!(text(&tree.read(0).unwrap(), "master"), [format!("alpha/{tag}")]);
        let machine = tree.read(2).unwrap();
        assert_eq!(text(&machine, "serves"), [format!("./{tag}")]);
        assert_eq!(text(&machine, "ip_address"), ["10.0.0.1"]);
        assert!(Caller::udp(node.domain(tag).udp).netinfo(Ni::Ping, &[]).is_empty());
    }
    assert_eq!(binder.tags(), ["local", "network", "second"]);
    assert_eq!(binder.create("network"), Status::DupTag);
    assert_eq!(binder.create("local"), Status::DupTag);
}

#[test]
fn created_domains_are_there_after_a_restart_and_after_a_kill() {
    let mut node = Node::start();
    node.create_master("network");
    let made = Tree::privileged(node.domain("network")).make(0, &[("name", &["kept"])]);
    node.restart();
    assert_eq!(Tree::anonymous(node.domain("network")).lookup(0, "name", "kept"), Ok(vec![made]));
    let other = Tree::privileged(node.domain("network")).make(0, &[("name", &["too"])]);
    node.kill9();
    node.launch();
    assert_eq!(Tree::anonymous(node.domain("network")).lookup(0, "name", "too"), Ok(vec![other]));
    assert_eq!(Binder::nobody(&node).tags(), ["network", "local"], "local starts last");
}

#[test]
fn only_the_superuser_of_this_host_changes_what_is_served() {
    let office = Office::on(Node::start());
    let node = &office.node;
    let with_password = || Binder(Caller::tcp(node.binder().tcp).with_password(0, b"rootpw"));
    for mut binder in [Binder::nobody(node), with_password()] {
        assert_eq!(binder.create("x"), Status::Perm);
        assert_eq!(binder.create("network"), Status::Perm, "before anything else");
        assert_eq!(binder.destroy("network"), Status::Perm);
        assert_eq!(binder.destroy("nowhere"), Status::Perm);
        assert_eq!(binder.register("x", Addrinfo { udp_port: 1, tcp_port: 1 }), Status::Perm);
        assert_eq!(binder.tag(Procedure::Unregister, "network"), Status::Perm);
        let mut args = Vec::new();
        let master_addr = [10, 0, 0, 9].into();
        CloneArgs { tag: b"x", master_name: b"m", master_addr, master_tag: b"t" }.encode(&mut args);
        assert_eq!(status(&binder.call(Procedure::CreateClone, &args).unwrap()), Status::Perm);
        assert_eq!(binder.tags(), ["local", "network"]);
    }
    // Root on the UNIX socket is.
    let mut unix = Binder(Caller::unix(&node.socket()));
    assert_eq!(unix.create("made-locally"), Status::Ok);
    assert_eq!(unix.destroy("made-locally"), Status::Ok);
}

#[test]
fn the_root_password_of_local_is_enough_for_a_historical_binder() {
    let node = Node::builder().historical().start();
    let try_with = |password: &[u8]| {
        let mut binder = Binder(Caller::tcp(node.binder().tcp).with_password(4_711, password));
        binder.register("x", Addrinfo { udp_port: 9, tcp_port: 9 })
    };
    assert_eq!(try_with(b"rootpw"), Status::Perm, "there is no root");
    let mut local = Tree::privileged(node.domain("local"));
    let users = local.make(0, &[("name", &["users"])]);
    let root = local.make(users, &[("name", &["root"]), ("uid", &["0"]), ("passwd", &["roPjs71m8S6JA"])]);
    assert_eq!(try_with(b"rootpw"), Status::Ok);
    assert_eq!(try_with(b"wrong"), Status::Perm);
    assert_eq!(try_with(b""), Status::Perm);
    local.set(root, "passwd", &[""]);
    assert_eq!(try_with(b"whatever"), Status::Ok, "no password at all");
}

#[test]
fn a_destroyed_domain_is_moved_aside() {
    let mut node = Node::start();
    let domain = node.create_master("network");
    Tree::privileged(domain).make(0, &[("name", &["precious"])]);
    let mut open = Tree::anonymous(domain);
    open.read(0).unwrap();
    let before = entries(&node.data());
    assert!(before.contains(&"network.domain".to_owned()), "{before:?}");
    let mut binder = Binder::root(&node);
    assert_eq!(binder.destroy("network"), Status::Ok);
    // Nobody is served any more, on old connections or new ones.
    assert_eq!(binder.ports("network"), Err(Status::NoTag));
    assert_eq!(binder.tags(), ["local"]);
    assert!(!node.endpoints().domains.contains_key("network"));
    assert!(matches!(open.caller.call(200_100_000, 2, 2, &[]), Err(Refused::Nothing(_))));
    assert!(std::net::TcpStream::connect(domain.tcp).is_err());
    assert!(!node.data().join("network.domain").exists());
    let aside = entries(&node.data().join("destroyed"));
    assert!(aside.len() == 1 && aside[0].starts_with("network"), "{aside:?}");
    assert_eq!(binder.destroy("network"), Status::NoTag);
    // The tag can be had again, empty, and again be destroyed.
    assert_eq!(binder.create("network"), Status::Ok);
    assert_eq!(Tree::anonymous(node.domain("network")).lookup(0, "name", "precious"), Err(Status::NoDir));
    assert_eq!(binder.destroy("network"), Status::Ok);
    assert_eq!(entries(&node.data().join("destroyed")).len(), 2);
    node.restart();
    assert_eq!(Binder::nobody(&node).tags(), ["local"]);
}

#[test]
fn tags_are_plain_names() {
    let node = Node::start();
    let mut binder = Binder::root(&node);
    let long = "x".repeat(300);
    let before = entries(&node.data());
    assert!(before.iter().any(|name| name == "local.domain"), "{before:?}");
    for tag in ["", ".", "..", "a/b", "../evil", "/etc", ".hidden", "a\nb", "a b\u{7f}", &long] {
        let status = binder.create(tag);
        assert_ne!(status, Status::Ok, "{tag:?}");
        assert_ne!(binder.destroy(tag), Status::Ok, "{tag:?}");
    }
    assert_eq!(binder.tags(), ["local"]);
    let mut args = Vec::new();
    put_tag(&mut args, &[0xFF, b'x']);
    assert_eq!(status(&binder.call(Procedure::CreateMaster, &args).unwrap()), Status::SystemErr, "not text");
    assert_eq!(entries(&node.data()), before);
    let mut args = Vec::new();
    put_tag(&mut args, &vec![b'y'; 65_536]);
    assert_eq!(binder.call(Procedure::CreateMaster, &args), Err(Refused::Failed(AcceptStat::GarbageArgs)));
}

#[test]
fn other_servers_of_this_host_may_register() {
    let node = Node::start();
    let (mut root, mut nobody) = (Binder::root(&node), Binder::nobody(&node));
    let dead = Addrinfo { udp_port: 9, tcp_port: 9 };
    assert_eq!(root.register("ghost", dead), Status::Ok);
    assert_eq!(nobody.tags(), ["local", "ghost"]);
    assert_eq!(nobody.ports("ghost"), Err(Status::NoResponse));
    // One that answers: the domain of another daemon.
    let other = Node::start();
    let there = ports(other.domain("local"));
    assert_eq!(root.register("ghost", there), Status::Ok);
    assert_eq!(nobody.ports("ghost"), Ok(there));
    assert_eq!(nobody.tags(), ["local", "ghost"], "replaced");
    Tree::privileged(other.domain("local"))
        .make(1, &[("name", &["kid"]), ("ip_address", &["10.0.0.7"]), ("serves", &["kid/local"])]);
    assert_eq!(nobody.bind([10, 0, 0, 7], "local", "ghost"), Ok(()));
    let refused = Err(Refused::Failed(AcceptStat::SystemErr));
    assert_eq!(nobody.bind([10, 0, 0, 8], "local", "ghost"), refused);
    assert_eq!(root.tag(Procedure::Unregister, "ghost"), Status::Ok);
    assert_eq!(root.tag(Procedure::Unregister, "ghost"), Status::Ok, "also when there is none");
    assert_eq!(nobody.ports("ghost"), Err(Status::NoTag));
    assert_eq!(nobody.tags(), ["local"]);
}

#[test]
fn creating_and_destroying_go_by_the_table() {
    // What the protocol says of tags in the table without a domain, and of domains that are not in it.
    let node = Node::builder().historical().start();
    node.create_master("network");
    let (mut root, mut nobody) = (Binder::root(&node), Binder::nobody(&node));
    let dead = Addrinfo { udp_port: 9, tcp_port: 9 };
    assert_eq!(root.register("ghost", dead), Status::Ok);
    assert_eq!(root.create("ghost"), Status::DupTag);
    assert_eq!(root.destroy("ghost"), Status::Ok);
    assert_eq!(nobody.tags(), ["local", "network"]);
    assert_eq!(root.destroy("ghost"), Status::NoTag);
    assert_eq!(root.tag(Procedure::Unregister, "network"), Status::Ok);
    assert_eq!(nobody.ports("network"), Err(Status::NoTag));
    assert_eq!(root.destroy("network"), Status::NoTag);
    // Its server is still there, and can be announced again.
    let there = ports(node.domain("network"));
    assert_eq!(root.register("network", there), Status::Ok);
    assert_eq!(nobody.ports("network"), Ok(there));
    assert_eq!(nobody.bind([10, 0, 0, 9], "x", "network"), Err(Refused::Failed(AcceptStat::SystemErr)));
    // An alias is the same server under one more name.
    assert_eq!(root.register("alias", there), Status::Ok);
    assert_eq!(nobody.ports("alias"), Ok(there));
    assert_eq!(nobody.tags(), ["local", "network", "alias"]);
    assert_eq!(root.destroy("network"), Status::Ok);
    assert_eq!(nobody.ports("alias"), Err(Status::NoResponse));
}

#[test]
fn bind_asks_the_domain_about_a_child() {
    let node = Node::start();
    let network = node.create_master("network");
    let mut tree = Tree::privileged(network);
    tree.make(1, &[("name", &["kid"]), ("ip_address", &["10.0.0.7"]), ("serves", &["kid/local"])]);
    let refused = Err(Refused::Failed(AcceptStat::SystemErr));
    for caller in
        [Caller::tcp(node.binder().tcp), Caller::udp(node.binder().udp), Caller::udp(node.ipcserver().udp)]
    {
        let mut binder = Binder(caller);
        assert_eq!(binder.bind([10, 0, 0, 7], "local", "network"), Ok(()));
        assert_eq!(binder.bind([10, 0, 0, 7], "other", "network"), refused);
        assert_eq!(binder.bind([10, 0, 0, 9], "local", "network"), refused);
        assert_eq!(binder.bind([10, 0, 0, 7], "local", "local"), refused);
        assert_eq!(binder.bind([10, 0, 0, 7], "local", "nowhere"), refused);
    }
    // For clients of some networks the domain goes by another name.
    tree.set(0, "alias_name", &["office"]);
    tree.set(0, "alias_addrs", &["nonsense", "10.0.0.0/255.255.255.0", "127.0.0.1&255.255.255.255"]);
    let mut binder = Binder::nobody(&node);
    assert_eq!(binder.bind([10, 0, 0, 7], "local", "office"), Ok(()));
    assert_eq!(binder.bind([10, 0, 1, 7], "local", "office"), refused);
    assert_eq!(binder.ports("office"), Ok(ports(network)), "this caller is 127.0.0.1");
}

#[test]
fn a_clone_is_created_with_a_stub() {
    let node = Node::start();
    let mut args = Vec::new();
    let master_addr = [10, 9, 9, 9].into();
    CloneArgs { tag: b"network", master_name: b"gamma", master_addr, master_tag: b"other" }.encode(&mut args);
    let mut binder = Binder::root(&node);
    assert_eq!(status(&binder.call(Procedure::CreateClone, &args).unwrap()), Status::Ok);
    assert_eq!(node.endpoints().domains["network"].role, "clone");
    let mut tree = Tree::privileged(node.domain("network"));
    assert_eq!(text(&tree.read(0).unwrap(), "master"), ["gamma/other"]);
    assert_eq!(text(&tree.read(1).unwrap(), "name"), ["machines"]);
    let machine = tree.read(2).unwrap();
    assert_eq!(
        ["name", "ip_address", "serves"].map(|name| text(&machine, name)[0].clone()),
        ["gamma", "10.9.9.9", "./other"]
    );
    assert_eq!([0, 1, 2].map(|object| tree.at(object).instance), [3, 1, 0]);
    let root = tree.at(0);
    assert_eq!(tree.write(root, &[]), Err(Status::RdOnly));
    assert_eq!(status(&binder.call(Procedure::CreateClone, &args).unwrap()), Status::DupTag);
}

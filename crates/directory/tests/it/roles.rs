//! What the root directory and `/machines` say: master or clone, whom to trust, who serves what.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use netinfo_directory::{
    Change, Credentials, Error, Node, Origin, Principal, ROOT, Role, Server, Session, Target, Trust,
};

use crate::support::*;

fn set(f: &Fixture, object: u32, index: u32, values: &[&str]) {
    let values = values.iter().map(|v| v.as_bytes().to_vec()).collect();
    f.write(Change::WriteProperty { directory: Target::any(object), index, values }).unwrap();
}

/// A domain `network` that this host holds a clone of; the master is at 203.0.113.5.
fn clone() -> Fixture {
    let f = Fixture::new("network");
    set(&f, ROOT, 0, &["server/network"]);
    let server = vec![p("name", &["server"]), p("ip_address", &["203.0.113.5", "192.0.2.1"])];
    f.create(1, server);
    f.reopen(|_| {})
}

#[test]
fn the_role_follows_from_the_master_property() {
    let clone_of = |master: Option<&str>, tag: &str| Role::Clone {
        master: master.map(|a| a.parse().unwrap()),
        tag: tag.into(),
    };
    let f = Fixture::new("network");
    let role = |tag: &str| f.domain.read(&f.root).unwrap().role(tag, "this", &|a| a == OWN);
    assert_eq!(role("network").unwrap(), Role::Master);
    assert_eq!(role("other").unwrap(), clone_of(Some("192.0.2.1"), "network"), "the tag is another");
    set(&f, ROOT, 0, &["host/a/b", "ignored/x"]);
    assert_eq!(role("a/b").unwrap(), Role::Master, "split at the first slash");
    set(&f, ROOT, 0, &["stranger/network"]);
    assert_eq!(role("network").unwrap(), clone_of(None, "network"), "no machine of that name");
    set(&f, ROOT, 0, &["host/network"]);
    set(&f, 2, 1, &["203.0.113.5", "192.0.2.1"]);
    assert_eq!(role("network").unwrap(), clone_of(Some("203.0.113.5"), "network"), "only the first address");
    set(&f, 2, 1, &["none"]);
    assert_eq!(role("network").unwrap(), clone_of(None, "network"));
    set(&f, 2, 1, &[]);
    assert_eq!(role("network").unwrap(), clone_of(None, "network"));
    for nonsense in [&["host"][..], &[]] {
        set(&f, ROOT, 0, nonsense);
        refused!(role("network"), Error::Unusable(_));
        assert_eq!(role("local").unwrap(), Role::Master, "the domain `local` is always a master");
    }
}

#[test]
fn a_domain_without_a_master_is_not_served_but_can_be_rescued() {
    let f = Fixture::new("network");
    f.write(Change::DestroyProperty { directory: Target::any(ROOT), index: 0 }).unwrap();
    let dir = f.close();
    let (node, failed) = Node::open(dir.path(), options(), false).unwrap();
    assert!(node.domains().is_empty());
    let [(tag, error)] = &failed[..] else { panic!("{failed:?}") };
    assert_eq!(tag, "network");
    assert!(error.to_string().contains("master = HOST/TAG"), "{error}");
    let domain = node.rescue("network").unwrap();
    assert!(node.domain("network").is_none());
    let master = Change::CreateProperty {
        directory: Target::any(ROOT),
        property: p("master", &["host/network"]),
        position: 0,
    };
    write(&domain, &internal(&domain), master).unwrap();
    drop((domain, node));
    assert_eq!(open(dir.path(), options()).domain("network").unwrap().role(), Role::Master);
}

#[test]
fn a_clone_takes_writes_from_its_master_only() {
    let f = clone();
    assert_eq!(
        f.domain.role(),
        Role::Clone { master: Some("203.0.113.5".parse().unwrap()), tag: "network".into() }
    );
    let write = |session: &Session| f.write_as(session, create(ROOT, vec![]));
    let session = |credentials, origin| f.domain.authenticate(credentials, origin).unwrap();
    let password = Credentials::UidPassword { uid: 0, password: b"" };
    let master = from("203.0.113.5", true);

    let update = session(Credentials::None, master);
    assert!(update.is_superuser());
    write(&update).unwrap();
    write(&session(Credentials::None, from("::ffff:203.0.113.5", true))).unwrap();
    write(&f.root).unwrap();
    let refused = [
        session(Credentials::None, from("203.0.113.5", false)),
        session(password, master),
        session(Credentials::None, from("203.0.113.6", true)),
        session(Credentials::None, from("127.0.0.1", true)),
        session(Credentials::None, Origin::Local { uid: 0 }),
    ];
    for session in &refused {
        refused!(write(session), Error::ReadOnly);
    }
    // Before anything else is looked at.
    refused!(f.write_as(&refused[0], create(99, vec![])), Error::ReadOnly);
    assert!(refused[3].is_superuser(), "root of this host sees everything all the same");
    assert!(!refused[0].is_superuser());
    // A clone checks no passwords: nothing is counted.
    let figures = f.domain.authentication_figures();
    assert_eq!((figures.good, figures.bad), (0, 0));
}

#[test]
fn an_update_obeys_instances_and_locks() {
    let f = clone();
    let update = f.domain.authenticate(Credentials::None, from("203.0.113.5", true)).unwrap();
    let locked = f.create(ROOT, vec![p("_locked", &[])]);
    refused!(f.write_as(&update, create(locked, vec![])), Error::ReadOnly);
    let stale = Change::Write { directory: Target { object: 2, instance: Some(9) }, properties: vec![] };
    refused!(f.write_as(&update, stale), Error::Stale);
}

#[test]
fn a_clone_that_does_not_know_its_master_trusts_this_host() {
    let f = clone();
    set(&f, ROOT, 0, &["nowhere/network"]);
    f.domain.refresh_master().unwrap();
    assert_eq!(f.domain.role(), Role::Clone { master: None, tag: "network".into() });
    let session = |origin| f.domain.authenticate(Credentials::None, origin).unwrap();
    f.write_as(&session(from("127.0.0.1", true)), create(ROOT, vec![])).unwrap();
    refused!(f.write_as(&session(from("203.0.113.5", true)), create(ROOT, vec![])), Error::ReadOnly);
    refused!(f.write_as(&session(from("127.0.0.1", false)), create(ROOT, vec![])), Error::ReadOnly);
}

#[test]
fn a_copy_tells_a_clone_where_its_master_has_gone() {
    let f = clone();
    let mut objects = crate::copies::objects(&f.domain);
    let server = objects.iter_mut().find(|o| o.properties.first() == Some(&p("name", &["server"]))).unwrap();
    server.properties[1] = p("ip_address", &["203.0.113.77"]);
    let mut objects = objects.into_iter();
    f.domain.replace(&f.root, move || Ok(objects.next())).unwrap();
    let Role::Clone { master, .. } = f.domain.role() else { panic!("not a clone any more") };
    assert_eq!(master, Some("203.0.113.77".parse().unwrap()));
    // A master stays one, whatever is written: the role is decided when the domain is opened.
    let m = Fixture::new("network");
    set(&m, ROOT, 0, &["elsewhere/network"]);
    m.domain.refresh_master().unwrap();
    assert_eq!(m.domain.role(), Role::Master);
}

#[test]
fn trusted_networks_by_number_and_name() {
    let f = Fixture::new("network");
    let trust = || f.domain.read(&f.root).unwrap().trust().unwrap();
    let admits = |address: &str| {
        let address = address.parse::<IpAddr>().unwrap();
        trust().admits(Origin::Network { address, own: false, privileged_port: false })
    };
    let loopback_only = || f.domain.read(&f.root).unwrap().is_loopback_only().unwrap();
    assert_eq!(trust(), Trust::Everybody);
    assert!(!loopback_only());
    f.add(ROOT, p("trusted_networks", &[]));
    assert_eq!(trust(), Trust::Networks(vec![]));
    assert!(loopback_only());
    assert!(!admits("10.0.0.1"));
    set(&f, ROOT, 1, &["127", "127.0.0.1"]);
    assert!(loopback_only());
    set(&f, ROOT, 1, &["10.0.1", "192.168.7", "lab", "none", "0", "1.2.3.4.5"]);
    assert!(!loopback_only());
    assert!(admits("10.77.1.1"), "a zero octet ends the comparison");
    assert!(admits("192.168.7.200") && !admits("192.168.8.200"));
    assert!(!admits("172.16.0.1"));
    let lab = f.path(&["networks", "lab"]);
    f.add(lab, p("address", &["172.16", "10"]));
    assert!(admits("172.16.0.1") && admits("::ffff:172.16.9.9") && !admits("fe80::1"));
}

#[test]
fn a_parent_serves_the_children_its_machines_name() {
    let f = Fixture::new("network");
    let serves = |address: &str, tag: &str| {
        let address: Ipv4Addr = address.parse().unwrap();
        f.domain.read(&f.root).unwrap().serves_child(address, tag.as_bytes()).unwrap()
    };
    let machine = |name: &str, addresses: &[&str], serves: &[&str]| {
        f.create(1, vec![p("name", &[name]), p("ip_address", addresses), p("serves", serves)])
    };
    machine("a", &["10.0.0.1", "10.0.0.2"], &["a/local", "./network", "../top", "noslash", "x/y/z"]);
    machine("b", &["10.0.0.1"], &["b/other"]);
    machine("c", &["10.0.0.3"], &[]);
    f.create(1, vec![p("name", &["d"]), p("ip_address", &["10.0.0.4"])]);
    assert!(serves("10.0.0.1", "local") && serves("10.0.0.2", "local"));
    assert!(serves("10.0.0.1", "y/z"));
    assert!(
        !serves("10.0.0.1", "network") && !serves("10.0.0.1", "top"),
        "peers and parents are no children"
    );
    assert!(!serves("10.0.0.1", "other"), "only the first machine of an address counts");
    assert!(!serves("10.0.0.3", "local") && !serves("10.0.0.4", "local") && !serves("10.0.0.9", "local"));
    assert!(!serves("10.0.0.1", "noslash"));
    for machine in f.children(1) {
        f.write(Change::Destroy { parent: Target::any(1), child: Target::any(machine) }).unwrap();
    }
    f.write(Change::Destroy { parent: Target::any(ROOT), child: Target::any(1) }).unwrap();
    assert!(!serves("10.0.0.1", "local"), "no /machines, no children");
}

#[test]
fn servers_clones_and_parents_of_a_domain() {
    let f = Fixture::new("network");
    let machine = |name: &str, addresses: &[&str], serves: &[&str]| {
        f.create(1, vec![p("name", &[name]), p("ip_address", addresses), p("serves", serves)]);
    };
    machine("a", &["10.0.0.1", "10.0.0.2"], &["./copy", "a/local", "./"]);
    machine("b", &["10.0.0.3"], &["../top", "../second", "./network"]);
    machine("c", &[], &["./network", "../top"]);
    machine("d", &["nonsense"], &["./network", "../top"]);
    machine("e", &["0.0.0.0"], &["../top"]);
    let view = f.domain.read(&f.root).unwrap();
    let servers: Vec<_> =
        view.domain_servers().unwrap().into_iter().map(|s| String::from_utf8(s).unwrap()).collect();
    let expected = [
        "192.0.2.1/network",
        "10.0.0.1/copy",
        "10.0.0.2/copy",
        "10.0.0.1/",
        "10.0.0.2/",
        "10.0.0.3/network",
        "nonsense/network",
    ];
    assert_eq!(servers, expected);
    let server = |address: &str, tag: &str| Server { address: address.parse().unwrap(), tag: tag.into() };
    let clones = view.clones("network", &|a| a == OWN).unwrap();
    assert_eq!(clones, [server("10.0.0.1", "copy"), server("10.0.0.1", ""), server("10.0.0.3", "network")]);
    assert_eq!(view.parent_candidates().unwrap(), Some(vec![server("10.0.0.3", "top")]));
}

#[test]
fn settings_of_the_root_directory() {
    let f = Fixture::new("network");
    for (name, value) in [("port", "1033"), ("update_latency", "99999"), ("alias_name", "other")] {
        f.add(ROOT, p(name, &[value]));
    }
    f.add(ROOT, p("alias_addrs", &["10.0.0.0/255.0.0.0", "bad", "192.168.1.0&255.255.255.0"]));
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.configured_port().unwrap(), Some(1033));
    assert_eq!(view.root_number(b"update_latency", 2, 1..=7200, false).unwrap(), 7200);
    assert_eq!(view.root_number(b"subthreads", 5, 0..=1024, false).unwrap(), 5);
    let alias = view.alias().unwrap().unwrap();
    assert_eq!((alias.name.as_str(), alias.networks.len()), ("other", 2));
}

#[test]
fn everybody_may_ask_whether_an_address_is_its_own() {
    let f = Fixture::with("network", |o| o.own = Arc::new(|_| true));
    let session = f.domain.authenticate(Credentials::None, far()).unwrap();
    assert_eq!(session.principal(), &Principal::Anonymous, "the origin says what is own, not the domain");
}

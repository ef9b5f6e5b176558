//! Which machines a domain lets in (NetInfo protocol, connection admission), and what callers from outside are not.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use netinfo_testkit::caller::Refused;
use netinfo_testkit::namespace::{Neighbour, isolated};
use netinfo_testkit::node::at;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{PROGRAM, Procedure, Status, VERSION, put_binding};
use netinfo_wire::nibind;
use netinfo_wire::rpc::AcceptStat;

use crate::tree::{Props, Tree};
use crate::users::Office;

/// A daemon on all addresses.
fn node() -> Node {
    let open = "0.0.0.0:0";
    let builder = Node::builder().historical().listen("ipcserver", open).listen("binder", open);
    builder.listen("domain.local", open).listen("domain.network", open).start()
}

/// Whether a connection of `from` is served; if not, it must be closed without a byte.
fn admitted(neighbour: &Neighbour, office: &Office, from: Ipv4Addr) -> bool {
    let server = at(office.domain.tcp, "10.0.0.1");
    let mut caller = neighbour.enter(|| Caller::tcp_from(from.into(), false, server));
    match caller.call(PROGRAM, VERSION, Procedure::Root.code(), &[]) {
        Ok(_) => true,
        Err(Refused::Nothing(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)) => false,
        Err(other) => panic!("{from}: {other:?}"),
    }
}

#[test]
fn trusted_networks_close_the_connections_of_others() {
    let places: [Ipv4Addr; 5] =
        [[10, 0, 0, 2], [10, 9, 1, 5], [172, 16, 5, 9], [192, 168, 7, 20], [192, 168, 70, 20]]
            .map(Into::into);
    let networks: &[(&[&str], [u8; 5])] = &[
        (&[], [0, 0, 0, 0, 0]),
        (&["10"], [1, 1, 0, 0, 0]),
        (&["10."], [1, 1, 0, 0, 0]),
        (&["10.0"], [1, 1, 0, 0, 0]),
        (&["10.9"], [0, 1, 0, 0, 0]),
        (&["10.9.1"], [0, 1, 0, 0, 0]),
        // The fourth octet never counts, and a zero in the middle stands for everything after it.
        (&["10.9.1.77"], [0, 1, 0, 0, 0]),
        (&["10.9.2"], [0, 0, 0, 0, 0]),
        (&["10.0.1"], [1, 1, 0, 0, 0]),
        (&["172.16"], [0, 0, 1, 0, 0]),
        (&["172.16.5.9"], [0, 0, 1, 0, 0]),
        (&["172"], [0, 0, 0, 0, 0]),
        (&["172.0"], [0, 0, 1, 0, 0]),
        (&["192.168.7"], [0, 0, 0, 1, 0]),
        (&["192.168.7", "10"], [1, 1, 0, 1, 0]),
        (&["0xac.020"], [0, 0, 1, 0, 0]),
        (&["127"], [0, 0, 0, 0, 0]),
        (&["0"], [0, 0, 0, 0, 0]),
        // Names are looked up in /networks; unknown ones and those without address trust nobody.
        (&["office"], [0, 0, 0, 1, 0]),
        (&["backbone"], [1, 1, 0, 0, 0]),
        (&["nowhere", "unnumbered"], [0, 0, 0, 0, 0]),
        (&["", "office"], [0, 0, 0, 1, 0]),
    ];
    isolated(|| {
        let neighbour = Neighbour::new();
        places[1..].iter().for_each(|place| neighbour.add_address(*place));
        let mut office = Office::on(node());
        assert!(admitted(&neighbour, &office, places[0]), "everybody is, by default");
        let list = office.root.make(0, &[("name", &["networks"])]);
        for network in [
            &[("name", &["office", "home"] as &[&str]), ("address", &["192.168.7", "172.16"])] as Props<'_>,
            &[("name", &["backbone"]), ("address", &["10"])],
            &[("name", &["unnumbered"])],
        ] {
            office.root.make(list, network);
        }
        for (values, expected) in networks {
            // An open connection stays open: the list is for new ones.
            office.root.set(0, "trusted_networks", values);
            let got = places.map(|place| u8::from(admitted(&neighbour, &office, place)));
            assert_eq!(got, *expected, "{values:?}");
            let own = Caller::tcp_from(IpAddr::from([10, 0, 0, 1]), false, at(office.domain.tcp, "10.0.0.1"));
            assert!(Tree { caller: own }.read(0).is_ok(), "{values:?}: this machine's own address");
            assert!(Tree::anonymous(office.domain).read(0).is_ok());
        }
        office.root.unset(0, "trusted_networks");
        assert!(places.iter().all(|place| admitted(&neighbour, &office, *place)));
    });
}

#[test]
fn datagrams_are_not_asked_where_they_come_from() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let mut office = Office::on(node());
        office.root.set(0, "trusted_networks", &[]);
        let mut udp = neighbour.enter(|| Caller::udp(at(office.domain.udp, "10.0.0.1")));
        assert!(udp.netinfo(Procedure::Ping, &[]).is_empty());
    });
}

#[test]
fn the_common_port_does_not_get_around_trusted_networks() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let mut office = Office::on(node());
        office.root.set(0, "trusted_networks", &["192.168.7"]);
        let server = at(office.node.ipcserver().tcp, "10.0.0.1");
        let mut caller = neighbour.enter(|| Caller::tcp(server));
        let mut args = Vec::new();
        put_binding(&mut args, b"network", [10, 0, 0, 2].into());
        let bind = Procedure::Bind.code();
        assert_eq!(caller.call(PROGRAM, VERSION, bind, &args), Err(Refused::Failed(AcceptStat::SystemErr)));
        // What it gets instead is what it had: `local`.
        assert!(Tree { caller }.lookup(0, "name", "users").is_err(), "local has no users");
        office.root.set(0, "trusted_networks", &["10"]);
        let mut caller = neighbour.enter(|| Caller::tcp(server));
        caller.call(PROGRAM, VERSION, bind, &args).unwrap();
        assert!(Tree { caller }.lookup(0, "name", "users").is_ok());
    });
}

#[test]
fn a_reserved_port_of_another_machine_proves_nothing() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let mut office = Office::on(node());
        let open = office.root.make(0, &[("name", &["open"]), ("_writers", &["*"])]);
        let server = at(office.domain.tcp, "10.0.0.1");
        let mut tree =
            Tree { caller: neighbour.enter(|| Caller::tcp_from([10, 0, 0, 2].into(), true, server)) };
        let (root, open) = (tree.at(0), tree.at(open));
        assert_eq!(tree.write(root, &[]), Err(Status::Perm));
        tree.write_prop(open, 0, &["open"]).unwrap();
        // A password does, also from there.
        tree.caller.set_user(Some((0, b"rootpw")));
        tree.write_prop(root, 0, &["alpha/network"]).unwrap();
        let binder = at(office.node.binder().tcp, "10.0.0.1");
        let mut binder = neighbour.enter(|| Caller::tcp_from([10, 0, 0, 2].into(), true, binder));
        let mut args = Vec::new();
        nibind::put_tag(&mut args, b"more");
        let create = nibind::Procedure::CreateMaster.code();
        let reply = binder.call(nibind::PROGRAM, nibind::VERSION, create, &args).unwrap();
        assert_eq!(nibind::decode_status(&reply), Err(netinfo_wire::netinfo::Failure::Status(Status::Perm)));
    });
}

#[test]
fn empty_passwords_let_in_users_of_this_machine_only_by_default() {
    let open = "0.0.0.0:0";
    isolated(|| {
        let neighbour = Neighbour::new();
        for historical in [true, false] {
            let builder = Node::builder().listen("domain.network", open);
            let mut office = Office::on(if historical { builder.historical() } else { builder }.start());
            let probe = office.root.make(0, &[("name", &["x"]), ("_writers", &["bob"])]);
            let server = at(office.domain.tcp, "10.0.0.1");
            let remote = neighbour.enter(|| Caller::tcp(server)).with_password(502, b"");
            let mut tree = Tree { caller: remote };
            let id = tree.at(probe);
            let result = tree.write_prop(id, 0, &["y"]).map(drop);
            assert_eq!(result, if historical { Ok(()) } else { Err(Status::AuthError) });
            let id = tree.at(probe);
            office.user(502, "").write_prop(id, 0, &["z"]).unwrap();
        }
    });
}

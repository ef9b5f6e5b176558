//! What a clone lets itself be told, and by whom (NetInfo protocol, updates; RESYNC, CRASHED).

use std::net::IpAddr;

use netinfo_testkit::endpoints::Pair;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{INDEX_NULL, Id, Procedure, Status, decode_statistics, put_checksum};

use crate::tree::Tree;
use crate::users::Office;

/// A daemon whose domain `network` is a clone of `gamma/other` at `address`, and the object id of a directory that
/// anybody may write.
fn clone_of(address: &[&str]) -> (Node, Pair, u32) {
    let mut office = Office::historical();
    let open = office.root.make(0, &[("name", &["open"]), ("k", &["v"]), ("_writers", &["*"])]);
    let id = office.root.at(2);
    office
        .root
        .write(id, &[("name", &["gamma"]), ("ip_address", address), ("serves", &["./other"])])
        .unwrap();
    office.root.set(0, "master", &["gamma/other"]);
    let Office { mut node, root, .. } = office;
    drop(root);
    node.restart();
    let domain = node.domain("network");
    (node, domain, open)
}

#[test]
fn only_the_master_writes() {
    isolated(|| {
        let (node, domain, open) = clone_of(&["10.0.0.1", "127.0.0.1"]);
        // Sockets of the test are on 127.0.0.1; the master's first address is 10.0.0.1, also of this machine.
        let master: IpAddr = [10, 0, 0, 1].into();
        let id = Tree::anonymous(domain).at(open);
        let callers = [
            ("nobody", Caller::tcp(domain.tcp)),
            ("root of this machine", Caller::tcp_privileged(domain.tcp)),
            ("a user", Caller::tcp(domain.tcp).with_password(501, b"secret")),
            ("a wrong password", Caller::tcp(domain.tcp).with_password(501, b"wrong")),
            ("a nonexistent user", Caller::tcp(domain.tcp).with_password(999, b"")),
            (
                "the master with a password",
                Caller::tcp_from(master, true, domain.tcp).with_password(0, b"rootpw"),
            ),
            ("an ordinary port of the master", Caller::tcp_from(master, false, domain.tcp)),
            ("the UNIX socket", bound(&node, "network")),
        ];
        for (name, caller) in callers {
            let mut tree = Tree { caller };
            assert_eq!(tree.write_prop(id, 1, &["x"]), Err(Status::RdOnly), "{name}");
            // Even before the directory is looked for.
            assert_eq!(tree.write_prop(Id::new(999, 0), 1, &["x"]), Err(Status::RdOnly), "{name}");
        }
        let mut tree = Tree { caller: Caller::tcp_from(master, true, domain.tcp) };
        tree.write_prop(id, 1, &["x"]).unwrap();
        assert_eq!(figures(&mut tree)[..2], [0, 0], "nobody was authenticated");
    });
}

/// A connection to the UNIX socket with `tag` selected.
fn bound(node: &Node, tag: &str) -> Caller {
    let mut caller = Caller::unix(&node.socket());
    let mut args = Vec::new();
    netinfo_wire::netinfo::put_binding(&mut args, tag.as_bytes(), [0, 0, 0, 0].into());
    assert!(caller.netinfo(Procedure::Bind, &args).is_empty());
    caller
}

#[test]
fn a_master_without_address_is_this_machine() {
    isolated(|| {
        let (_node, domain, open) = clone_of(&[]);
        let mut tree = Tree::privileged(domain);
        let id = tree.at(open);
        tree.write_prop(id, 1, &["x"]).unwrap();
        assert_eq!(Tree::anonymous(domain).write_prop(id, 1, &["x"]), Err(Status::RdOnly));
    });
}

#[test]
fn updates_obey_the_usual_rules() {
    isolated(|| {
        let (_node, domain, open) = clone_of(&["127.0.0.1"]);
        let mut master = Tree::privileged(domain);
        let id = master.at(open);
        assert_eq!(master.write(Id::new(9_999, 0), &[]), Err(Status::NoDir));
        assert_eq!(master.write(Id::new(open, id.instance + 1), &[]), Err(Status::Stale));
        assert_eq!(master.write_prop(id, 9, &[]), Err(Status::NoProp));
        assert_eq!(master.destroy_name(id, 1, 9), Err(Status::NoName));
        // The master acts as the superuser, lists or not; locks hold.
        let id = master.destroy_prop(id, 2).unwrap();
        let id = master.create_prop(id, "_locked", &[], INDEX_NULL).unwrap();
        assert_eq!(master.destroy_prop(id, 2), Err(Status::RdOnly));
        assert_eq!(master.write_prop(id, 1, &[]), Err(Status::RdOnly));
        master.write_name(id, 1, 0, "still").unwrap();
        // The id a CREATE carries is the lowest free one mostly; another is answered with the lowest free one all the same.
        let mut top = master.at(0);
        let next = master.create(top, &[]).unwrap();
        top = next.parent;
        let fitting = Id::new(next.id.object + 1, 0);
        let created = master.create_at(top, &[], INDEX_NULL, Some(fitting)).unwrap();
        assert_eq!(created.id, fitting);
        let created = master.create_at(created.parent, &[], 0, Some(Id::new(900, 0))).unwrap();
        assert_eq!(created.id, Id::new(fitting.object + 1, 0));
        let parent = master.destroy(created.parent, created.id).unwrap();
        assert_eq!(parent, master.at(0));
    });
}

#[test]
fn everybody_may_resync_and_nobody_hears_of_crashes() {
    isolated(|| {
        let (node, domain, open) = clone_of(&["127.0.0.1"]);
        let before = Tree::anonymous(domain).read(open).unwrap();
        let local = node.domain("local");
        for server in [domain, local] {
            for mut caller in [Caller::tcp(server.tcp), Caller::tcp(server.tcp).with_password(501, b"wrong")]
            {
                assert_eq!(caller.netinfo(Procedure::Resync, &[]), [0; 4]);
                let mut args = Vec::new();
                put_checksum(&mut args, 12_345);
                assert!(caller.netinfo(Procedure::Crashed, &args).is_empty());
            }
        }
        // There is no master to be found; what is here stays.
        assert_eq!(Tree::anonymous(domain).read(open).unwrap(), before);
    });
}

#[test]
fn a_clone_gives_itself_away_only_when_told_to() {
    isolated(|| {
        let (mut node, domain, _) = clone_of(&["127.0.0.1"]);
        let mut tree = Tree::privileged(domain);
        let checksum = property(&mut tree, "checksum")[0].parse().unwrap();
        assert_eq!(tree.read_all(0), Err(Status::NotMaster));
        assert_eq!(tree.read_all(checksum), Err(Status::NotMaster));
        assert_eq!(property(&mut tree, "tag"), ["network", "clone"]);
        assert_eq!(property(&mut tree, "write_locked")[0].get(..5), Some("clone"));
        assert_eq!(property(&mut tree, "notify_threads"), ["0", "0", "0"]);
        assert_eq!(property(&mut tree, "readall_proxies"), ["0", "loose"]);
        // The word is read at the start and when somebody asks for a resync.
        tree.set(0, "cloneReplyReadall", &["YES"]);
        assert_eq!(tree.read_all(0), Err(Status::NotMaster));
        assert_eq!(tree.caller.netinfo(Procedure::Resync, &[]), [0; 4]);
        assert!(tree.read_all(0).is_ok());
        tree.set(0, "cloneReplyReadall", &["NO"]);
        assert!(tree.read_all(0).is_ok());
        assert_eq!(tree.caller.netinfo(Procedure::Resync, &[]), [0; 4]);
        assert_eq!(tree.read_all(0), Err(Status::NotMaster));
        tree.set(0, "cloneReplyReadall", &["YES"]);
        drop(tree);
        node.restart();
        assert!(Tree::anonymous(node.domain("network")).read_all(0).is_ok());
    });
}

#[test]
fn the_role_follows_from_the_root_directory_at_the_start() {
    // Master exactly if the machine named by `master` has an address of this machine first, under this tag.
    let cases: &[(&str, &[&str], &str)] = &[
        ("gamma/network", &["10.0.0.1"], "master"),
        ("gamma/network", &["10.0.0.1", "10.0.0.9"], "master"),
        ("gamma/network", &["10.0.0.9", "10.0.0.1"], "clone"),
        ("gamma/other", &["10.0.0.1"], "clone"),
        ("gamma/network", &[], "clone"),
        ("delta/network", &["10.0.0.1"], "clone"),
    ];
    isolated(|| {
        for (master, address, role) in cases {
            let mut node = Node::builder().historical().start();
            let mut root = Tree::privileged(node.create_master("network"));
            let id = root.at(2);
            root.write(id, &[("name", &["gamma"]), ("ip_address", address), ("serves", &["./other"])])
                .unwrap();
            root.set(0, "master", &[master]);
            assert_eq!(node.endpoints().domains["network"].role, "master", "until the restart");
            drop(root);
            node.restart();
            assert_eq!(node.endpoints().domains["network"].role, *role, "{master} {address:?}");
            assert_eq!(node.endpoints().domains["local"].role, "master");
        }
    });
}

fn figures(tree: &mut Tree) -> Vec<u64> {
    property(tree, "authentications").iter().map(|value| value.parse().unwrap()).collect()
}

fn property(tree: &mut Tree, name: &str) -> Vec<String> {
    let list = decode_statistics(&tree.caller.netinfo(Procedure::Statistics, &[])).unwrap();
    crate::tree::text(&list, name)
}

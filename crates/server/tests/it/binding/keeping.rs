//! A leaf, a department, a root: machines come last, are cut off, start again, move.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::{isolated, lan};
use netinfo_wire::netinfo::Status;
use serde_json::json;

use super::{Host, PATIENCE, replace};
use crate::lookup::Asker;
use crate::replication::create_clone;

const COMPLETE: [&str; 3] = ["local bound", "network@10.0.9.2 reachable", "network@10.0.9.1 reachable"];

#[test]
fn a_leaf_below_a_department_below_a_root() {
    isolated(|| {
        lan();
        let mut leaf = Host::start(3, "leaf", "");
        // Nobody is there yet. That stalls nobody, and is not for ever.
        leaf.bind("local", "network@10.0.9.2");
        assert_eq!(leaf.rparent("local"), Err(Status::NetRoot));
        let department = Host::server(2, "department");
        department.bind("network", "network@10.0.9.1");
        leaf.until(&["local bound", "network@10.0.9.2 reachable"]);
        let mut root = Host::server(1, "root");
        leaf.until(&COMPLETE);
        assert_eq!(leaf.rparent("local").as_deref(), Ok("network@10.0.9.2"));
        assert_eq!(department.rparent("network").as_deref(), Ok("network@10.0.9.1"));
        assert_eq!(root.rparent("network"), Err(Status::NetRoot));

        // A root that would have its own child above it stays the root.
        let refused = root.bind("network", "network@10.0.9.2").to_string();
        assert_eq!(root.rparent("network"), Err(Status::NetRoot), "{refused}");
        let answer = root.request(&json!({ "op": "where", "tag": "network" })).to_string();
        assert!(answer.contains("lead back to this domain"), "{answer}");
        assert_eq!(department.rparent("network").as_deref(), Ok("network@10.0.9.1"));
        root.request(&json!({ "op": "unbind", "tag": "network" }));
        let itself = root.bind("network", "network@10.0.9.1").to_string();
        assert!(itself.contains("this domain itself"), "{itself}");

        // A link is cut. Who was above is not forgotten, not even over a restart.
        department.machine.cut();
        let cut = ["local unreachable", "network@10.0.9.2 unreachable", "network@10.0.9.1 reachable"];
        leaf.until(&cut);
        assert_eq!(leaf.rparent("local"), Err(Status::NetRoot));
        leaf.node.kill9();
        let Host { machine, node } = &mut leaf;
        machine.enter(|| node.launch());
        leaf.until(&cut);
        department.machine.join();
        leaf.until(&COMPLETE);

        // The root is started again.
        root.node.kill9();
        leaf.until(&["local bound", "network@10.0.9.2 reachable", "network@10.0.9.1 unreachable"]);
        let Host { machine, node } = &mut root;
        machine.enter(|| node.launch());
        leaf.until(&COMPLETE);
        assert_eq!(department.rparent("network").as_deref(), Ok("network@10.0.9.1"));

        leaf.request(&json!({ "op": "unbind", "tag": "local" }));
        leaf.until(&["local root"]);
    });
}

#[test]
fn a_parent_moves_to_another_address() {
    isolated(|| {
        lan();
        let hosts = replace("/etc/hosts", "127.0.0.1 localhost\n10.0.9.1 boss\n");
        let _first = Host::server(1, "one");
        let second = Host::server(2, "two");
        let leaf = Host::start(3, "leaf", "");
        leaf.bind("local", "network@boss");
        leaf.until(&["local bound", "network@10.0.9.1 reachable"]);
        fs::write(hosts, "127.0.0.1 localhost\n10.0.9.2 boss\n").unwrap();
        leaf.until(&["local bound", "network@10.0.9.2 reachable"]);
        // What the domain says of itself comes after what was configured, and is used when that is gone.
        let mut local = leaf.tree("local");
        let machines = local.lookup(0, "name", "machines").unwrap()[0];
        local.make(
            machines,
            &[("name", &["one"]), ("ip_address", &["10.0.9.1"]), ("serves", &["../network"])],
        );
        second.machine.cut();
        leaf.until(&["local bound", "network@10.0.9.1 reachable"]);
    });
}

/// A parent that is a clone answers for its master, also while nobody can reach that one.
#[test]
fn a_leaf_below_a_clone() {
    isolated(|| {
        lan();
        let master = Host::server(1, "master");
        let mut network = master.tree("network");
        let serves: &[&str] = &["./network"];
        network.make(1, &[("name", &["copy"]), ("ip_address", &["10.0.9.2"]), ("serves", serves)]);
        let users = network.make(0, &[("name", &["users"])]);
        let mut user = |name: &str, uid: &str| {
            network.make(users, &[("name", &[name]), ("uid", &[uid]), ("gid", &["20"])]);
        };
        user("jane", "501");
        let copy = Host::start(2, "copy", "");
        create_clone(&copy.node, "master", [10, 0, 9, 1]);
        let mut leaf = Host::start(3, "leaf", "");
        leaf.bind("local", "network@10.0.9.2");
        let above = ["local bound", "network@10.0.9.2 reachable"];
        leaf.until(&above);
        let known = |leaf: &Host, name: &str| Asker::new(&leaf.node.lookup()).passwd(name);
        let until_known = |leaf: &Host, name: &str, uid: u32| {
            let begin = Instant::now();
            while known(leaf, name) != Some(uid) {
                assert!(begin.elapsed() < PATIENCE, "{name}\n{}", leaf.node.log());
                sleep(Duration::from_millis(100));
            }
        };
        until_known(&leaf, "jane", 501);
        // What changes at the master gets here by way of the clone.
        user("joe", "502");
        until_known(&leaf, "joe", 502);
        master.machine.cut();
        leaf.node.kill9();
        let Host { machine, node } = &mut leaf;
        machine.enter(|| node.launch());
        leaf.until(&above);
        assert_eq!((known(&leaf, "jane"), known(&leaf, "nobody-there")), (Some(501), None));
        until_known(&leaf, "joe", 502);
    });
}

#[test]
fn two_that_bind_to_each_other_at_once() {
    isolated(|| {
        lan();
        let (one, two) = (Host::server(1, "one"), Host::server(2, "two"));
        // Cut off, each is told the other is above it.
        one.machine.cut();
        one.bind("network", "network@10.0.9.2");
        two.bind("network", "network@10.0.9.1");
        one.machine.join();
        let bound = || [one.rparent("network").is_ok(), two.rparent("network").is_ok()];
        let begin = Instant::now();
        let mut quiet = 0;
        // One of them becomes the root and stays it.
        while quiet < 20 {
            let count = bound().iter().filter(|bound| **bound).count();
            quiet = if count == 1 { quiet + 1 } else { 0 };
            assert!(begin.elapsed() < 2 * PATIENCE, "{count}\n{}\n{}", one.node.log(), two.node.log());
            sleep(Duration::from_millis(100));
        }
    });
}

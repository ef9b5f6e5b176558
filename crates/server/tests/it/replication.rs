//! A master and a clone: two daemons on two machines, each with its own portmapper.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::{Neighbour, isolated};
use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{Id, Procedure, Property, Status, decode_statistics, put_binding};
use netinfo_wire::nibind::{self, CloneArgs};

use crate::tree::Tree;

const MASTER: [u8; 4] = [10, 0, 0, 1];
const CLONE: [u8; 4] = [10, 0, 0, 2];
/// How long a whole copy may take to be noticed and made: the first pause after a failure, and some more.
pub(crate) const COPIED: Duration = Duration::from_secs(8);
/// `update_latency` and a second.
const PUSHED: Duration = Duration::from_secs(2);

/// Makes a daemon's machine a clone of the master of `network` on another one.
pub(crate) fn create_clone(on: &Node, master: &str, address: [u8; 4]) {
    let mut args = Vec::new();
    let (tag, master_addr) = (&b"network"[..], address.into());
    CloneArgs { tag, master_name: master.as_bytes(), master_addr, master_tag: tag }.encode(&mut args);
    let mut binder = Caller::unix(&on.socket());
    let procedure = nibind::Procedure::CreateClone.code();
    assert_eq!(binder.call(nibind::PROGRAM, nibind::VERSION, procedure, &args), Ok(vec![0; 4]));
}

/// Every directory: instance, children, properties.
type Picture = BTreeMap<u32, (Id, Vec<u32>, Vec<Property>)>;

pub(crate) struct Network {
    pub(crate) alpha: Node,
    pub(crate) beta: Node,
    neighbour: Neighbour,
    /// The master, as the superuser.
    pub(crate) master: Tree,
}

impl Network {
    /// Daemons on both machines, with the usual ports; `alpha` is master of `network` and knows `beta` as a server.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same; `beta` has `config` in its configuration file.
    pub(crate) fn with(config: &str) -> Self {
        let file = "/run/beta.toml";
        std::fs::write(file, config).unwrap();
        let neighbour = Neighbour::new();
        let builder = || {
            let builder = Node::builder().default_listen().listen("local", "DIR/netinfod.sock");
            builder.listen("lookup", "DIR/lookup.sock").listen("login", "DIR/login.sock")
        };
        let alpha = builder().start();
        let beta = neighbour.enter(|| {
            let builder = builder().hostname(Some("beta")).address(Some("10.0.0.2"));
            builder.arg("--config").arg(file).start()
        });
        assert_eq!(alpha.endpoints().portmap.unwrap().tcp.port(), 111);
        let domain = alpha.create_master("network");
        let mut master = Tree::privileged(domain);
        master.set(0, "update_latency", &["1"]);
        let serves: &[&str] = &["./network", "beta/local"];
        master.make(1, &[("name", &["beta"]), ("ip_address", &["10.0.0.2"]), ("serves", serves)]);
        Self { alpha, beta, neighbour, master }
    }

    /// Makes `beta` a clone.
    pub(crate) fn create_clone(&self) {
        create_clone(&self.beta, "alpha", MASTER);
    }

    /// The clone, as the superuser of its machine.
    fn clone(&self) -> Tree {
        let mut caller = Caller::unix(&self.beta.socket());
        let mut args = Vec::new();
        put_binding(&mut args, b"network", CLONE.into());
        caller.netinfo(Procedure::Bind, &args);
        Tree { caller }
    }

    pub(crate) fn restart_clone(&mut self) {
        let Self { beta, neighbour, .. } = self;
        neighbour.enter(|| beta.launch());
    }

    /// Waits until the clone has the master's checksum; fails if that takes longer than `patience`. Returns how long it
    /// took. In the end everything must be equal, passwords included.
    #[track_caller]
    pub(crate) fn converge(&mut self, patience: Duration) -> Duration {
        let begin = Instant::now();
        let wanted = statistic(&mut self.master, "checksum");
        let mut clone = self.clone();
        while statistic(&mut clone, "checksum") != wanted {
            let (alpha, beta) = (self.alpha.log(), self.beta.log());
            assert!(begin.elapsed() < patience, "no agreement\n--- alpha\n{alpha}\n--- beta\n{beta}");
            sleep(Duration::from_millis(20));
        }
        let took = begin.elapsed();
        assert_eq!(picture(&mut clone), picture(&mut self.master));
        took
    }

    /// Waits until the master has nothing left to push.
    #[track_caller]
    fn settle(&mut self) {
        let begin = Instant::now();
        while statistic(&mut self.master, "notifications_pending") != "0" {
            assert!(begin.elapsed() < COPIED, "still pending\n{}", self.alpha.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// Writes of many kinds.
    fn write(&mut self, users: u32, name: &str) -> u32 {
        let master = &mut self.master;
        let user =
            master.make(users, &[("name", &[name]), ("uid", &["501"]), ("passwd", &["abNANd1rDfiNc"])]);
        let doomed = master.make(users, &[("name", &["doomed"])]);
        master.set(user, "shell", &["/bin/sh", "/bin/ksh"]);
        master.set(user, "uid", &["502"]);
        let (parent, child) = (master.at(users), master.at(doomed));
        master.destroy(parent, child).unwrap();
        user
    }
}

/// The values of a statistic, joined by blanks.
fn statistic(tree: &mut Tree, name: &str) -> String {
    let results = tree.caller.netinfo(Procedure::Statistics, &[]);
    let list = decode_statistics(&results).unwrap();
    let property = list.iter().find(|property| property.name == name.as_bytes()).unwrap();
    let values = property.values.iter().map(|value| String::from_utf8_lossy(value).into_owned());
    values.collect::<Vec<_>>().join(" ")
}

fn picture(tree: &mut Tree) -> Picture {
    let mut all = Picture::new();
    let mut waiting = vec![0];
    while let Some(object) = waiting.pop() {
        let (children, id) = tree.children(object).unwrap();
        waiting.extend(&children);
        all.insert(object, (id, children, tree.read(object).unwrap()));
    }
    all
}

#[test]
fn a_clone_follows_its_master() {
    isolated(|| {
        let mut network = Network::new();
        let users = network.master.make(0, &[("name", &["users"])]);
        let joe = network.write(users, "joe");
        network.create_clone();
        network.converge(COPIED);
        let mut clone = network.clone();
        assert_eq!(statistic(&mut clone, "tag"), "network clone");
        assert_eq!(statistic(&mut clone, "write_locked"), "clone");
        assert_eq!(statistic(&mut network.master, "tag"), "network master 1");

        // Changes are pushed in time.
        network.write(users, "zoe");
        assert_ne!(statistic(&mut network.master, "notifications_pending"), "0");
        network.converge(PUSHED);
        network.settle();

        // Nobody but the master writes there.
        let id = clone.at(joe);
        assert_eq!(clone.write_prop(id, 1, &["0"]), Err(Status::RdOnly));
        let beta = netinfo_testkit::node::at(network.beta.domain("network").tcp, "10.0.0.2");
        let mut stranger = Tree { caller: Caller::tcp_from(MASTER.into(), false, beta) };
        assert_eq!(stranger.write_prop(id, 1, &["0"]), Err(Status::RdOnly));

        // What a clone misses while it is away it gets when it is back, and then it is pushed to again.
        network.beta.kill9();
        network.write(users, "ann");
        sleep(PUSHED);
        network.restart_clone();
        network.converge(COPIED);
        network.write(users, "bob");
        network.converge(COPIED);
        assert_eq!(network.beta.log().matches("copied everything").count(), 2, "{}", network.beta.log());

        // A master that was away tells its clones.
        network.alpha.kill9();
        network.alpha.launch();
        network.master = Tree::privileged(network.alpha.domain("network"));
        network.write(users, "eve");
        network.converge(COPIED);
        network.write(users, "kim");
        network.converge(COPIED);
        assert!(network.alpha.terminate() < PUSHED);
        assert!(network.beta.terminate() < PUSHED);
    });
}

#[test]
fn a_clone_that_misses_changes_copies_everything() {
    isolated(|| {
        let mut network = Network::new();
        // One that is not there holds nobody up.
        let serves: &[&str] = &["./network"];
        network.master.make(1, &[("name", &["gamma"]), ("ip_address", &["10.0.0.77"]), ("serves", serves)]);
        let users = network.master.make(0, &[("name", &["users"])]);
        network.create_clone();
        network.converge(COPIED);
        network.write(users, "ann");
        network.converge(COPIED);
        assert_eq!(network.beta.log().matches("copied everything").count(), 1, "{}", network.beta.log());

        // Somebody at the master's address makes a change at the clone only: the next one does not fit.
        let beta = netinfo_testkit::node::at(network.beta.domain("network").tcp, "10.0.0.2");
        let mut impostor = Tree { caller: Caller::tcp_from(MASTER.into(), true, beta) };
        impostor.set(users, "k", &["v"]);
        network.write(users, "joe");
        network.converge(COPIED);
        assert!(network.beta.log().matches("copied everything").count() > 1, "{}", network.beta.log());

        // A second RESYNC finds everything equal, and a destroyed clone holds nobody up.
        let mut args = Vec::new();
        nibind::put_tag(&mut args, b"network");
        assert_eq!(network.master.caller.status(Procedure::Resync, &[]), Status::Ok);
        network.write(users, "zoe");
        network.converge(COPIED);
        let begin = Instant::now();
        let mut binder = Caller::unix(&network.beta.socket());
        let procedure = nibind::Procedure::DestroyDomain.code();
        assert_eq!(binder.call(nibind::PROGRAM, nibind::VERSION, procedure, &args), Ok(vec![0; 4]));
        assert!(begin.elapsed() < PUSHED, "{:?}", begin.elapsed());
        network.write(users, "bob");
        network.settle();
        assert_eq!(network.master.caller.status(Procedure::Resync, &[]), Status::Ok);
        sleep(Duration::from_millis(1500));
        assert_ne!(statistic(&mut network.master, "notify_threads"), "0 5 1", "it looks for the absent one");
        assert!(network.alpha.terminate() < Duration::from_secs(5));
    });
}

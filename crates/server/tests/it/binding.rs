//! Parents on other machines: found, lost, and found again. Each machine has a network namespace of its own.

mod finding;
mod keeping;

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::Machine;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::control;
use netinfo_wire::netinfo::{Procedure, Status, decode_rparent_res, put_binding};
use serde_json::{Value, json};

use crate::tree::Tree;

/// How long anything may take to be found, or found to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// A machine with a daemon.
struct Host {
    machine: Machine,
    node: Node,
}

impl Host {
    /// Machine 10.0.9.`number` with the usual ports; `keys` go into `[binding]` of its configuration.
    fn start(number: u8, name: &str, keys: &str) -> Self {
        let machine = Machine::new(number);
        let config = PathBuf::from(format!("/run/{name}.toml"));
        let quick = "[binding]\ncheck_seconds = 1\nanswer_seconds = 4\nno_parent_seconds = 1\n";
        fs::write(&config, format!("{quick}{keys}\n")).unwrap();
        let builder = Node::builder().default_listen().listen("local", "DIR/netinfod.sock");
        let builder = builder.listen("lookup", "DIR/lookup.sock").listen("login", "DIR/login.sock");
        let builder = builder.listen("ldapi", "DIR/ldapi").arg("--config").arg(config);
        let address = format!("10.0.9.{number}");
        let builder = builder.hostname(Some(name)).address(Some(&address));
        let node = machine.enter(|| builder.start());
        Self { machine, node }
    }

    /// The same, as master of `network`.
    fn server(number: u8, name: &str) -> Self {
        let host = Self::start(number, name, "");
        host.request(&json!({ "op": "create-domain", "tag": "network" }));
        host
    }

    /// What the daemon answers to a request of its administrator.
    fn request(&self, request: &Value) -> Value {
        let mut args = Vec::new();
        control::put_request(&mut args, request.to_string().as_bytes());
        let mut caller = Caller::unix(&self.node.socket());
        caller.set_patience(PATIENCE);
        let reply = caller.call(control::PROGRAM, control::VERSION, 1, &args).unwrap();
        serde_json::from_slice(control::Response::decode(&reply).unwrap().json).unwrap()
    }

    fn bind(&self, tag: &str, parent: &str) -> Value {
        self.request(&json!({ "op": "bind", "tag": tag, "parents": [parent] }))
    }

    /// The domains from `local` up, with their states.
    fn chain(&self) -> Vec<String> {
        let answer = self.request(&json!({ "op": "where" }));
        let text = |domain: &Value, key: &str| domain[key].as_str().unwrap().to_owned();
        let domains = answer["domains"].as_array().unwrap_or_else(|| panic!("{answer}"));
        domains.iter().map(|domain| format!("{} {}", text(domain, "domain"), text(domain, "state"))).collect()
    }

    /// Waits until the chain is this one.
    #[track_caller]
    fn until(&self, chain: &[&str]) {
        let begin = Instant::now();
        let mut seen = self.chain();
        while seen != chain {
            assert!(begin.elapsed() < PATIENCE, "{seen:?} instead of {chain:?}\n{}", self.node.log());
            sleep(Duration::from_millis(100));
            seen = self.chain();
        }
    }

    /// What RPARENT says of a domain.
    fn rparent(&self, tag: &str) -> Result<String, Status> {
        let mut caller = Caller::unix(&self.node.socket());
        caller.set_patience(PATIENCE);
        let mut args = Vec::new();
        put_binding(&mut args, tag.as_bytes(), [127, 0, 0, 1].into());
        caller.netinfo(Procedure::Bind, &args);
        let reply = caller.netinfo(Procedure::RParent, &[]);
        match decode_rparent_res(&reply) {
            Ok(parent) => Ok(format!("{}@{}", String::from_utf8_lossy(&parent.tag), parent.addr)),
            Err(netinfo_wire::netinfo::Failure::Status(status)) => Err(status),
            Err(other) => panic!("{other:?}"),
        }
    }

    /// A domain, as the superuser of the machine.
    fn tree(&self, tag: &str) -> Tree {
        let mut caller = Caller::unix(&self.node.socket());
        let mut args = Vec::new();
        put_binding(&mut args, tag.as_bytes(), [127, 0, 0, 1].into());
        caller.netinfo(Procedure::Bind, &args);
        Tree { caller }
    }
}

/// Puts a file in the place of one of the system's, for the machines of this test.
pub(crate) fn replace(file: &str, content: &str) -> PathBuf {
    use nix::mount::{MsFlags, mount};
    let own = PathBuf::from("/run").join(file.replace('/', "_"));
    fs::write(&own, content).unwrap();
    let none: Option<&str> = None;
    mount(Some(&own), file, none, MsFlags::MS_BIND, none).unwrap();
    own
}

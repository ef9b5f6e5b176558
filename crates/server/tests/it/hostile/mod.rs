//! The daemon under attack: it goes on serving others, and takes a bounded amount of memory for it.
//!
//! During every attack a well-behaved client on a connection of its own calls PING and LOOKUPREAD; 99 of 100 of its
//! calls have to be answered within [`ATTACKED_LATENCY`]. Since the attackers, and whatever else runs, take processors
//! away from that client as well, two threads pass a byte to and fro meanwhile: a machine on which that takes long gets
//! as much more time. The daemon's anonymous memory may not grow by more than [`ATTACKED_MEMORY`].
//!
//! * [`records`] – records that are too long, or never end,
//! * [`crowd`] – many connections,
//! * [`garbage`] – bytes without meaning on every port,
//! * [`readers`] – replies that nobody reads,
//! * [`changes`] – changes too large to be decoded all at once,
//! * [`ldap`] – the same by LDAP,
//! * [`strangers`] – what takes another machine,
//! * [`ending`] – uploads left behind, and the daemon's end amid all that.

mod changes;
mod crowd;
mod ending;
mod garbage;
mod ldap;
mod readers;
mod records;
mod strangers;

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_server::limits::{ATTACKED_LATENCY, ATTACKED_MEMORY};
use netinfo_testkit::{Caller, Node};
use netinfo_wire::control::{self, Response, put_request};
use netinfo_wire::netinfo::{self, INDEX_NULL, Id, LookupArgs, Procedure, Status};
use netinfo_wire::rpc::{Outcome, parse_reply};
use tempfile::TempDir;

use crate::load::change::Change;
use crate::load::model::Properties;
use crate::load::wire;

/// Users of the domain.
const USERS: usize = 500;
/// Pause between two calls of the well-behaved client.
const PAUSE: Duration = Duration::from_millis(2);

/// A daemon to be attacked.
struct Target {
    node: Node,
    /// The domain's own port.
    address: SocketAddr,
    /// Object id of the directory with the users.
    users: u32,
    _files: TempDir,
}

/// What an attack did to the daemon, and to the well-behaved client.
struct Effect {
    calls: usize,
    reconnected: usize,
    median: Duration,
    p99: Duration,
    worst: Duration,
    /// The time in which 99 of 100 bytes came back from another thread.
    machine: Duration,
    /// Growth of anonymous memory at its peak, in bytes.
    memory: u64,
    /// Most threads.
    threads: u64,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, reconnected, median, p99, worst, machine, memory, threads } = self;
        write!(f, "{calls} calls, half in {median:.1?}, 99 % in {p99:.1?}, all in {worst:.1?}; ")?;
        write!(f, "(machine: {machine:.1?}); ")?;
        write!(f, "{reconnected} reconnections; {} kB more memory, {threads} threads", memory / 1024)
    }
}

impl Target {
    /// A daemon with this configuration and some users.
    fn start(config: &str) -> Self {
        Self::listening("127.0.0.1:0", config)
    }

    /// The same, with the domain listening at another place.
    fn listening(place: &str, config: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join("netinfod.toml");
        fs::write(&file, config).unwrap();
        let builder = Node::builder().listen("portmap", "127.0.0.1:0").listen("domain.local", place);
        let node = builder.arg("--config").arg(&file).start();
        let address = node.domain("local").tcp;
        let mut target = Self { node, address, users: 0, _files: files };
        target.users = target.fill(0, 1, |_| named("users"))[0];
        target.fill(target.users, USERS, |n| named(&format!("user{n}")));
        target
    }

    /// Makes directories below `parent`, as the superuser, and returns their object ids.
    fn fill(&self, parent: u32, count: usize, each: impl Fn(usize) -> Properties) -> Vec<u32> {
        let mut root = Caller::unix(&self.node.socket());
        let mut args = Vec::new();
        Id::new(parent, 0).encode(&mut args);
        let mut parent = netinfo::decode_id_res(&root.netinfo(Procedure::SelfId, &args)).unwrap();
        let mut made = Vec::new();
        while made.len() < count {
            let mut changes = Vec::new();
            for n in made.len()..count.min(made.len() + 64) {
                changes.push(Change::Create { parent, properties: each(n), position: INDEX_NULL });
                parent.instance += 1;
            }
            wire::send(&mut root, &changes, 1).unwrap();
            for (change, xid) in changes.iter().zip(1..) {
                let (_, created) = wire::receive(&mut root, change, xid).unwrap().unwrap();
                made.push(created.unwrap().object);
            }
        }
        made
    }

    /// Attacks, and says what that did. Fails if the well-behaved client waits too long, or the daemon takes too much
    /// memory, or ends.
    fn attacked<T>(&mut self, what: &str, attack: impl FnOnce(&Self) -> T) -> (Effect, T) {
        let stop = AtomicBool::new(false);
        let before = self.status("RssAnon") * 1024;
        let (peak, threads) = (AtomicU64::new(before), AtomicU64::new(0));
        let ((mut latencies, reconnected), mut machine, result) = thread::scope(|scope| {
            let machine = scope.spawn(|| to_and_fro(&stop));
            let client = scope.spawn(|| self.behave_well(&stop));
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    peak.fetch_max(self.status("RssAnon") * 1024, Ordering::SeqCst);
                    threads.fetch_max(self.status("Threads"), Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(20));
                }
            });
            // Stops the others also when the attack fails.
            let stopper = Stopper(&stop);
            let result = attack(self);
            drop(stopper);
            (client.join().unwrap(), machine.join().unwrap(), result)
        });
        assert!(self.node.runs(), "{what}: the daemon has ended");
        latencies.sort();
        machine.sort();
        let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
        let effect = Effect {
            calls: latencies.len(),
            reconnected,
            median: at(50),
            p99: at(99),
            worst: at(100),
            machine: machine[(machine.len() - 1) * 99 / 100],
            memory: peak.into_inner() - before,
            threads: threads.into_inner(),
        };
        println!("{what}: {effect}");
        assert!(effect.p99 <= ATTACKED_LATENCY + 4 * effect.machine, "{what}: {effect}");
        assert!(effect.memory <= ATTACKED_MEMORY, "{what}: {effect}");
        (effect, result)
    }

    /// Calls PING and LOOKUPREAD until told to stop; returns how long each took, and how often the connection was closed.
    /// As NetInfo clients do, it then connects again and repeats the call.
    fn behave_well(&self, stop: &AtomicBool) -> (Vec<Duration>, usize) {
        let mut caller = self.patient();
        let (mut latencies, mut reconnected) = (Vec::new(), 0);
        for n in 0.. {
            if n > 10 && stop.load(Ordering::SeqCst) {
                break;
            }
            let (ping, look_up) = (wire::call(n, Procedure::Ping, &[]), self.look_up(n));
            for call in [ping, look_up] {
                let begin = Instant::now();
                let reply = loop {
                    // Without the record mark.
                    match caller.exchange(&call[4..]) {
                        Ok(reply) => break reply,
                        Err(_) => {
                            caller = self.patient();
                            reconnected += 1;
                        }
                    }
                };
                latencies.push(begin.elapsed());
                let parsed = parse_reply(&reply).unwrap();
                let Outcome::Success(results) = parsed.outcome else { panic!("{:?}", parsed.outcome) };
                assert_eq!(parsed.xid, n);
                if !results.is_empty() {
                    let (_, properties) = netinfo::decode_proplist_res(results).unwrap();
                    assert_eq!(properties[0].values, [user(n)]);
                }
            }
            thread::sleep(PAUSE);
        }
        (latencies, reconnected)
    }

    fn patient(&self) -> Caller {
        let mut caller = Caller::tcp(self.address);
        caller.set_patience(Duration::from_secs(60));
        caller
    }

    /// A LOOKUPREAD of one of the users.
    fn look_up(&self, n: u32) -> Vec<u8> {
        let mut args = Vec::new();
        let (id, value) = (Id::new(self.users, 0), user(n));
        LookupArgs { id, key: b"name", value: &value }.encode(&mut args);
        wire::call(n, Procedure::LookupRead, &args)
    }

    /// A number from the daemon's `/proc/PID/status`.
    fn status(&self, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.node.pid())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Connections of the domain: current, peak, maximum, closed because there were too many.
    fn connections(&self) -> [u64; 4] {
        let values = wire::statistic(&mut Caller::tcp(self.address), "connections");
        let numbers: Vec<u64> = values.iter().map(|v| v.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }

    /// Bytes that all connections hold, as the daemon knows it.
    fn held(&self) -> u64 {
        self.request(r#"{"op":"status"}"#)["connections"]["held_bytes"].as_u64().unwrap()
    }

    /// A request of the superuser on the local socket, and its answer.
    fn request(&self, json: &str) -> serde_json::Value {
        let mut args = Vec::new();
        put_request(&mut args, json.as_bytes());
        let procedure = control::Procedure::Request.code();
        let mut root = Caller::unix(&self.node.socket());
        let results = root.call(control::PROGRAM, control::VERSION, procedure, &args).unwrap();
        let response = Response::decode(&results).unwrap();
        assert_eq!(response.status, Status::Ok, "{json}");
        serde_json::from_slice(response.json).unwrap()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }
}

/// Passes a byte to another thread and back until told to stop; returns how long each round took.
fn to_and_fro(stop: &AtomicBool) -> Vec<Duration> {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let echo = thread::spawn(move || {
        let mut byte = [0];
        while there.read_exact(&mut byte).and_then(|()| there.write_all(&byte)).is_ok() {}
    });
    let mut times = Vec::new();
    while times.is_empty() || !stop.load(Ordering::SeqCst) {
        let begin = Instant::now();
        here.write_all(&[1]).and_then(|()| here.read_exact(&mut [0])).unwrap();
        times.push(begin.elapsed());
        thread::sleep(PAUSE);
    }
    drop(here);
    echo.join().unwrap();
    times
}

/// Sets a flag when it goes out of scope.
struct Stopper<'a>(&'a AtomicBool);

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Name of a user.
fn user(n: u32) -> Vec<u8> {
    format!("user{}", n as usize % USERS).into_bytes()
}

/// Properties of a directory with this name.
fn named(name: &str) -> Properties {
    vec![(b"name".to_vec(), vec![name.into()])]
}

/// Whether the peer closes or resets the connection within `patience`. What it sends before is ignored.
fn is_closed(stream: &mut TcpStream, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    let mut buffer = [0; 65_536];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        stream.set_read_timeout(Some(left)).unwrap();
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return false;
            }
            Err(_) => return true,
        }
    }
}

/// Sends until everything is sent, the peer is gone or time is up; returns how many bytes it took.
fn send_until(stream: &mut TcpStream, bytes: &mut dyn Iterator<Item = Vec<u8>>, until: Instant) -> usize {
    let mut sent = 0;
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    for piece in bytes {
        let mut rest = &piece[..];
        while !rest.is_empty() {
            if Instant::now() > until {
                return sent;
            }
            match stream.write(rest) {
                Ok(n) => {
                    sent += n;
                    rest = &rest[n..];
                }
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(_) => return sent,
            }
        }
    }
    sent
}

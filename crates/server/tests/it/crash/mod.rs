//! Killed at any moment, the daemon keeps what it has acknowledged, and whole changes only.
//!
//! Several connections pipeline changes, each in directories of its own, while the daemon is killed. Started again, it
//! must hold for each connection: every acknowledged change with the ids that were told, then some of those that were
//! sent after them in the order they were sent, and nothing else. [`images`] are what other ends leave behind.

mod images;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::INDEX_NULL;

use crate::load::change::{Author, Change};
use crate::load::model::Model;
use crate::load::{Rng, setting, wire};

/// Rounds of all tests here together, unless `NETINFO_CRASH_ROUNDS` says otherwise.
const ROUNDS: u64 = 200;
/// Connections that write at once.
const WRITERS: usize = 4;
/// Most changes sent before their answers are awaited.
const BATCH: usize = 24;
/// Longest time between the first change and the end, in microseconds.
const LIFE: usize = 60_000;
/// Ids from here on stand for directories whose ids are not known yet.
const UNKNOWN: u32 = 0xF000_0000;

/// One connection's directories.
struct Writer {
    author: Author,
    /// The directory that all others are in.
    home: u32,
    /// Everything acknowledged.
    model: Model,
    /// Sent and not acknowledged, in order.
    sent: Vec<Change>,
    acknowledged: u64,
    /// Digest of the directories after each acknowledged change, where somebody wants to know.
    history: Option<Vec<u64>>,
    /// Changes that survived without having been acknowledged.
    survived: u64,
}

impl Writer {
    fn new(caller: &mut Caller, root: &mut Model, rng: Rng, name: &str) -> Self {
        let mut author = Author::new(rng, name.into());
        let properties = author.properties();
        let change = Change::Create { parent: root.id(0), properties, position: INDEX_NULL };
        let (_, created) = wire::make(caller, &change).unwrap();
        let home = created.unwrap().object;
        root.apply(&change, Some(home));
        let (model, sent) = (root.below(home), Vec::new());
        Self { author, home, model, sent, acknowledged: 0, history: None, survived: 0 }
    }

    /// Sends changes until the daemon is gone.
    fn run(&mut self, caller: Caller) {
        self.run_until(caller, &AtomicBool::new(false), &AtomicU64::new(0));
    }

    /// Sends changes until `done` or the daemon is gone, and tells how many were acknowledged.
    fn run_until(&mut self, mut caller: Caller, done: &AtomicBool, acknowledged: &AtomicU64) {
        let mut xid = 1;
        while !done.load(Ordering::SeqCst) {
            let mut ahead = self.model.clone();
            for n in 0..=self.author.rng.below(BATCH) as u32 {
                let change = self.author.change(&ahead, self.home, UNKNOWN);
                ahead.apply(&change, Some(UNKNOWN + n));
                self.sent.push(change);
            }
            if wire::send(&mut caller, &self.sent, xid).is_err() {
                return;
            }
            while !self.sent.is_empty() {
                let Ok(answer) = wire::receive(&mut caller, &self.sent[0], xid) else { return };
                xid += 1;
                self.confirm(answer);
                acknowledged.store(self.acknowledged, Ordering::SeqCst);
            }
        }
    }

    fn confirm(&mut self, answer: wire::Answer) {
        let change = self.sent.remove(0);
        let (id, created) = answer.unwrap_or_else(|status| panic!("{change:?}: {status}"));
        assert!(created.is_none_or(|c| c.instance == 0), "{change:?}: {created:?}");
        assert_eq!(self.model.apply(&change, created.map(|c| c.object)), id, "{change:?}");
        self.acknowledged += 1;
        if let Some(history) = &mut self.history {
            history.push(self.model.digest());
        }
    }

    /// Compares what the daemon holds after its end with what was acknowledged and sent.
    fn reconcile(&mut self, whole: &Model) {
        let found = whole.below(self.home);
        let mut sent = std::mem::take(&mut self.sent).into_iter();
        let mut survived = 0;
        while self.model != found {
            let Some(change) = sent.next() else {
                panic!(
                    "{}: of {} acknowledged changes and {survived} more\nexpected {:?}\nfound {found:?}",
                    self.author.name, self.acknowledged, self.model
                );
            };
            // A new directory has the id under which its parent has it now; nobody knew it, so it was left alone since.
            let created = match &change {
                Change::Create { parent, properties, .. } => {
                    let siblings = found.0.get(&parent.object).into_iter().flat_map(|d| &d.children);
                    let mut new = siblings.filter(|c| !self.model.0.contains_key(c));
                    let named = new.find(|c| found.get(**c).properties.first() == properties.first());
                    Some(*named.unwrap_or(&UNKNOWN))
                }
                _ => None,
            };
            self.model.apply(&change, created);
            survived += 1;
        }
        self.survived += survived;
    }
}

/// Everything a daemon that was killed must hold, and the connections that go on writing.
fn verify(node: &Node, writers: &mut [Writer], others: &Model) {
    let mut caller = Caller::tcp(node.domain("local").tcp);
    let whole = wire::read_all(&mut caller);
    let mut expected: BTreeSet<u32> = others.0.keys().copied().collect();
    for writer in writers.iter_mut() {
        writer.reconcile(&whole);
        expected.extend(writer.model.0.keys());
    }
    let all: BTreeSet<u32> = whole.0.keys().copied().collect();
    assert_eq!(all, expected, "directories that nobody made");
    for (object, directory) in &others.0 {
        assert_eq!(whole.get(*object), directory, "directory {object}");
    }
    wire::check(&node.socket());
}

fn kill_again_and_again(what: &str, salt: u64) {
    let mut rng = Rng::from_environment(what);
    for _ in 0..salt {
        rng.next();
    }
    let rounds = setting("NETINFO_CRASH_ROUNDS", ROUNDS).div_ceil(2);
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("netinfod.toml");
    // A short feed: checks look at all of it, and changes leave it again in the same commits.
    std::fs::write(&config, "[store]\nchange_feed_retention = 2000\n").unwrap();
    let mut node = Node::builder().arg("--config").arg(&config).start();
    wire::open_to_all(&node.socket());
    let mut caller = Caller::tcp(node.domain("local").tcp);
    let mut root = wire::read_all(&mut caller);
    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|n| Writer::new(&mut caller, &mut root, rng.fork(), &format!("w{n}"))).collect();
    drop(caller);
    let mut others = root.clone();
    for writer in &writers {
        others.0.remove(&writer.home);
    }
    let begin = Instant::now();
    for _ in 0..rounds {
        let address = node.domain("local").tcp;
        let life = Duration::from_micros(rng.below(LIFE) as u64);
        thread::scope(|scope| {
            for writer in &mut writers {
                let caller = Caller::tcp(address);
                scope.spawn(move || writer.run(caller));
            }
            thread::sleep(life);
            node.kill9();
        });
        node.launch();
        verify(&node, &mut writers, &others);
    }
    let acknowledged: u64 = writers.iter().map(|w| w.acknowledged).sum();
    let survived: u64 = writers.iter().map(|w| w.survived).sum();
    println!(
        "{what}: {rounds} rounds in {:.1?}, {acknowledged} changes acknowledged and kept, {survived} kept without",
        begin.elapsed()
    );
    assert!(acknowledged > rounds, "hardly anything was written");
    node.terminate();
    feed_is_consecutive(&node);
}

/// The feed of changes has no gap after all those ends.
fn feed_is_consecutive(node: &Node) {
    use netinfo_directory::{Credentials, Node as Core, Options, Origin};
    let (core, failed) = Core::open(&node.data(), Options::default(), false).unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    let domain = core.domain("local").unwrap();
    let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let last = domain.read(&session).unwrap().sequence().unwrap();
    let mut before = None;
    let kept = last.saturating_sub(1000);
    domain
        .changes(&session, kept, usize::MAX, |change| {
            assert!(before.is_none_or(|b: u64| b + 1 == change.sequence), "gap before {}", change.sequence);
            before = Some(change.sequence);
        })
        .unwrap();
    assert_eq!(before, Some(last));
}

#[test]
fn killed_daemon_keeps_what_it_acknowledged() {
    kill_again_and_again("crash, first half", 0);
}

#[test]
fn killed_daemon_keeps_what_it_acknowledged_in_the_other_half() {
    kill_again_and_again("crash, second half", 1);
}

//! What a power cut, a careless copy or a lost tail leaves of a database file.
//!
//! The daemon is stopped at any moment during writes, its file is copied, and a little later once more. From the two
//! come files that a power cut could have left: the first, with any of the pages that the second has written since,
//! because the kernel writes pages in any order until it is told to sync. (That holds as long as at most one commit
//! lies between the two, since a commit reuses no page of the two before it.) Such a file must open and hold what was
//! acknowledged. Files cut short and files copied during writes may be refused instead; the daemon must say so in
//! words, or serve, but not die from a signal.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use netinfo_testkit::{Caller, Node};
use nix::sys::signal::Signal;

use super::Writer;
use crate::load::{Rng, wire};

/// Moments at which the daemon is stopped.
const MOMENTS: usize = 24;
/// Connections that write at once.
const WRITERS: usize = 3;
/// The database file in the data directory.
const FILE: &str = "local.domain/data.mdb";

/// Where LMDB keeps things in a meta page.
const META_PAGE_SIZE: usize = 40;
const META_TRANSACTION: usize = 144;

/// A file and what it must hold.
struct Image {
    bytes: Vec<u8>,
    /// Changes that each writer knew to be kept before.
    acknowledged: Vec<u64>,
}

/// What came of opening a file.
#[derive(Debug, PartialEq, Eq)]
enum Opened {
    /// It is served, a check is clean, and these are the digests of the writers' directories.
    Whole(Vec<u64>),
    /// The daemon serves it, but a check has findings or it cannot be read.
    Damaged,
    Refused,
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn page_size(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes[META_PAGE_SIZE..META_PAGE_SIZE + 4].try_into().unwrap()) as usize
}

/// Number of the last commit.
fn transaction(bytes: &[u8]) -> u64 {
    number(bytes, META_TRANSACTION).max(number(bytes, page_size(bytes) + META_TRANSACTION))
}

/// Stops the daemon, runs `work` while it stands still, and lets it go on.
fn stopped<T>(node: &Node, work: impl FnOnce() -> T) -> T {
    node.signal(Signal::SIGSTOP);
    let tasks = PathBuf::from(format!("/proc/{}/task", node.pid()));
    let stands = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with('T'))
    };
    while !fs::read_dir(&tasks).unwrap().all(|task| stands(task.unwrap())) {
        thread::sleep(Duration::from_micros(50));
    }
    let result = work();
    node.signal(Signal::SIGCONT);
    result
}

/// Starts a daemon on a file and looks at it.
fn open(bytes: &[u8], homes: &[u32]) -> Opened {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("local.domain")).unwrap();
    fs::write(data.path().join(FILE), bytes).unwrap();
    let node = match Node::builder().data(data.path()).try_start() {
        Ok(node) => node,
        Err(failed) => {
            assert_eq!(failed.status.signal(), None, "{}", failed.log);
            assert!(failed.log.contains("data.mdb") || failed.log.contains("domain"), "{}", failed.log);
            return Opened::Refused;
        }
    };
    look(node, homes)
}

/// The digests of a file that is served. A signal fails the test.
fn look(mut node: Node, homes: &[u32]) -> Opened {
    let Some(domain) = node.endpoints().domains.remove("local") else {
        assert!(node.log().contains("domain is not served"), "{}", node.log());
        node.terminate();
        return Opened::Refused;
    };
    let address = domain.address.unwrap();
    let socket = node.socket();
    let homes = homes.to_vec();
    let digests = thread::spawn(move || {
        let mut caller = Caller::tcp(address.tcp);
        let whole = wire::read_all(&mut caller);
        wire::check(&socket);
        homes.iter().map(|home| whole.below(*home).digest()).collect()
    });
    let digests = digests.join();
    // Whatever was wrong with the file, the daemon ends as usual.
    node.terminate();
    digests.map_or(Opened::Damaged, Opened::Whole)
}

/// The first of two files with some of the pages the second has changed; its meta pages stay.
fn mixture(first: &[u8], second: &[u8], rng: &mut Rng) -> Vec<u8> {
    let size = page_size(first);
    let mut bytes = first.to_vec();
    let chance = rng.below(101);
    for at in (2 * size..second.len()).step_by(size) {
        let page = &second[at..(at + size).min(second.len())];
        let end = at + page.len();
        if first.get(at..end) != Some(page) && rng.percent(chance) {
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(page);
        }
    }
    bytes
}

/// Images of the file while writers work: of single moments and mixed, then copies made without stopping.
fn images(node: &Node, writers: &mut [Writer], rng: &mut Rng) -> (Vec<Image>, Vec<Vec<u8>>) {
    let file = node.data().join(FILE);
    let address = node.domain("local").tcp;
    let known: Vec<AtomicU64> = writers.iter().map(|_| AtomicU64::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for (writer, known) in writers.iter_mut().zip(&known) {
            let (caller, done) = (Caller::tcp(address), &done);
            scope.spawn(move || writer.run_until(caller, done, known));
        }
        let (mut exact, mut torn) = (Vec::new(), Vec::new());
        for _ in 0..MOMENTS {
            thread::sleep(Duration::from_micros(rng.below(30_000) as u64));
            let acknowledged: Vec<u64> = known.iter().map(|k| k.load(Ordering::SeqCst)).collect();
            let first = stopped(node, || read(&file));
            thread::sleep(Duration::from_micros(rng.below(1500) as u64));
            let second = stopped(node, || read(&file));
            if transaction(&second) <= transaction(&first) + 1 {
                let bytes = mixture(&first, &second, rng);
                exact.push(Image { bytes, acknowledged: acknowledged.clone() });
            }
            exact.push(Image { bytes: first, acknowledged });
            torn.push(read(&file));
        }
        done.store(true, Ordering::SeqCst);
        (exact, torn)
    })
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap()
}

#[test]
fn files_that_a_power_cut_leaves_hold_what_was_acknowledged() {
    let mut rng = Rng::from_environment("crash images");
    let mut node = Node::start();
    wire::open_to_all(&node.socket());
    let mut caller = Caller::tcp(node.domain("local").tcp);
    let mut root = wire::read_all(&mut caller);
    let mut new = |n| Writer::new(&mut caller, &mut root, rng.fork(), &format!("w{n}"));
    let mut writers: Vec<Writer> = (0..WRITERS).map(&mut new).collect();
    for writer in &mut writers {
        writer.history = Some(vec![writer.model.digest()]);
    }
    let (exact, torn) = images(&node, &mut writers, &mut rng);
    node.terminate();

    let homes: Vec<u32> = writers.iter().map(|w| w.home).collect();
    for image in &exact {
        let Opened::Whole(digests) = open(&image.bytes, &homes) else {
            panic!("a file of one moment is no good")
        };
        for ((writer, digest), acknowledged) in writers.iter().zip(digests).zip(&image.acknowledged) {
            let history = writer.history.as_ref().unwrap();
            let at = history.iter().rposition(|d| *d == digest);
            assert!(at.is_some_and(|at| at as u64 >= *acknowledged), "{at:?} of {acknowledged} acknowledged");
        }
    }
    let (mut whole, mut refused, mut damaged) = (0, 0, 0);
    let tails = exact.iter().map(|image| {
        let end = rng.below(image.bytes.len());
        image.bytes[..end].to_vec()
    });
    for bytes in tails.collect::<Vec<_>>() {
        match open(&bytes, &homes) {
            Opened::Whole(_) => whole += 1,
            Opened::Refused => refused += 1,
            Opened::Damaged => panic!("a file cut to {} bytes is served, but damaged", bytes.len()),
        }
    }
    println!("{} files of one moment are whole; cut short: {whole} whole, {refused} refused", exact.len());
    (whole, refused) = (0, 0);
    for bytes in &torn {
        match open(bytes, &homes) {
            Opened::Whole(_) => whole += 1,
            Opened::Refused => refused += 1,
            Opened::Damaged => damaged += 1,
        }
    }
    println!("copied during writes: {whole} whole, {refused} refused, {damaged} found damaged");
    assert_eq!(whole + refused + damaged, MOMENTS);
}

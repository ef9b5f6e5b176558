//! The load generator: one thread that keeps a number of requests under way on each of its connections.
//!
//! It takes whatever answers have come on a connection, and sends as many requests as have been answered. Answers are
//! told apart by their message ids, for a server may answer the requests of a connection in any order. Every result has
//! to be a success, and every search has to find as many entries as it should.

use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::ldap::ResultCode;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::client::{Client, Head, Link, words};
use super::requests::{Identity, Ring};
use crate::Result;
use crate::child::PATIENCE;
use crate::daemon::Target;
use crate::load::Shape;
use crate::process::processor_time;

/// How long the requests that are under way at the end of a short load are waited for.
const GRACE: Duration = Duration::from_millis(500);
/// How long a server may go on working for requests whose connections have closed.
const SETTLE: Duration = Duration::from_secs(20);
/// A server that uses no processor time for so long is idle.
const IDLE: Duration = Duration::from_millis(60);
/// How long to wait for answers before looking at the clock.
const TICK: u16 = 20;

/// What a load of some time came to.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Requests answered.
    pub answered: u64,
    /// Time from the first request to the last answer that counts.
    pub time: Duration,
    /// Processor time of the server meanwhile.
    pub server: Duration,
    /// Processor time of this process meanwhile.
    pub generator: Duration,
    /// Time from sending a request to its result, in nanoseconds, for each that was answered.
    pub latencies: Vec<u32>,
}

/// A request that was sent and has no result yet.
#[derive(Debug)]
struct Pending {
    id: u32,
    entries: u32,
    sent: Instant,
}

/// Connections to one server, kept from load to load: to bind each of them costs the server a password hash.
#[derive(Debug)]
pub struct Pool {
    target: Target,
    idle: HashMap<Identity, Vec<Link>>,
}

impl Pool {
    /// No connections yet.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, idle: HashMap::new() }
    }

    fn take(&mut self, identity: Identity) -> Result<Link> {
        match self.idle.entry(identity).or_default().pop() {
            Some(link) => Ok(link),
            None => Ok(Client::bound(self.target.address, identity)?.into_link()),
        }
    }
}

/// A connection under load.
struct Lane<'r> {
    link: Link,
    ring: &'r Ring,
    /// Its share of the ring, and the next request.
    first: usize,
    end: usize,
    next: usize,
    pending: Vec<Pending>,
}

/// Puts a load on the server of `pool` for `time`, or until the requests are used up.
///
/// What is under way at the end of that time is waited for and counts, time and all, unless single requests take so
/// long that this would take twice the time again: then the connections close, and only what was answered counts.
///
/// # Errors
/// A connection fails, or a result is not what it should be.
pub fn drive(
    pool: &mut Pool,
    ring: &Ring,
    shape: Shape,
    identity: Identity,
    time: Duration,
) -> Result<Sample> {
    let target = pool.target;
    let mut lanes = Vec::with_capacity(shape.connections);
    for i in 0..shape.connections {
        let share = |i| i * ring.len() / shape.connections;
        lanes.push(Lane::new(pool.take(identity)?, ring, share(i)..share(i + 1)));
    }
    let (server, generator) = (processor_time(target.pid)?, processor_time(std::process::id())?);
    let mut sample = Sample::default();
    let start = Instant::now();
    for lane in &mut lanes {
        lane.refill(shape.depth, start)?;
    }
    let (mut now, end) = (start, start + time);
    let limit = end + (time * 2).max(GRACE);
    while lanes.iter().any(|lane| !lane.pending.is_empty()) && (now < limit || sample.latencies.is_empty()) {
        if now > limit + PATIENCE {
            return Err("nothing was answered".into());
        }
        now = turn(&mut lanes, (now < end).then_some(shape.depth), &mut sample.latencies)?;
    }
    sample.time = now - start;
    sample.server = processor_time(target.pid)?.saturating_sub(server);
    sample.generator = processor_time(std::process::id())?.saturating_sub(generator);
    sample.answered = sample.latencies.len() as u64;
    if lanes.iter().all(|lane| lane.pending.is_empty()) {
        pool.idle.entry(identity).or_default().extend(lanes.into_iter().map(|lane| lane.link));
    } else {
        drop(lanes);
        settle(target.pid)?;
    }
    Ok(sample)
}

/// Takes what has come on all connections. With `depth`, fills them up again. Returns the time at the end.
fn turn(lanes: &mut [Lane<'_>], depth: Option<usize>, latencies: &mut Vec<u32>) -> Result<Instant> {
    let mut ready = Vec::with_capacity(lanes.len());
    if depth.is_some() && lanes.len() == 1 {
        // A single connection is simply read from.
        ready.extend(lanes.iter().map(|lane| !lane.pending.is_empty()));
    } else {
        let mut polled: Vec<PollFd<'_>> =
            lanes.iter().map(|lane| PollFd::new(lane.link.as_fd(), PollFlags::POLLIN)).collect();
        poll(&mut polled, PollTimeout::from(TICK))?;
        ready.extend(polled.iter().map(|fd| fd.any().unwrap_or(false)));
    }
    for (lane, _) in lanes.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
        let now = lane.receive(latencies)?;
        if let Some(depth) = depth {
            lane.refill(depth, now)?;
        }
    }
    Ok(Instant::now())
}

/// Waits until the server is idle, but not for ever.
fn settle(pid: u32) -> Result<()> {
    let (end, mut before) = (Instant::now() + SETTLE, Duration::ZERO);
    while Instant::now() < end {
        let used = processor_time(pid)?;
        if used == before {
            break;
        }
        before = used;
        thread::sleep(IDLE);
    }
    Ok(())
}

impl<'r> Lane<'r> {
    fn new(link: Link, ring: &'r Ring, share: Range<usize>) -> Self {
        Self { link, ring, first: share.start, end: share.end, next: share.start, pending: Vec::new() }
    }

    /// Sends requests until `depth` are under way.
    fn refill(&mut self, depth: usize, now: Instant) -> Result<()> {
        while self.pending.len() < depth {
            if self.next == self.end {
                if self.ring.once || self.first == self.end {
                    break;
                }
                self.next = self.first;
            }
            let count = (depth - self.pending.len()).min(self.end - self.next);
            self.link.send(self.ring.requests(self.next, count))?;
            for i in self.next..self.next + count {
                self.pending.push(Pending { id: i as u32 + 1, entries: 0, sent: now });
            }
            self.next += count;
        }
        Ok(())
    }

    /// Takes the answers that have come, at least some bytes. Returns the time they came.
    fn receive(&mut self, latencies: &mut Vec<u32>) -> Result<Instant> {
        self.link.fill()?;
        let now = Instant::now();
        while let Some((head, bytes)) = self.link.answer()? {
            let Some(at) = self.pending.iter().position(|p| p.id == head.id) else {
                return Err(format!("an answer to nothing, number {}: {}", head.id, words(bytes)).into());
            };
            let pending = &mut self.pending[at];
            let Head { code: Some(code), .. } = head else {
                pending.entries += u32::from(head.is_entry);
                continue;
            };
            let (found, expected) = (pending.entries, self.ring.entries(head.id));
            if code != ResultCode::Success || found != expected {
                let words = words(bytes);
                return Err(format!("request {}: {words}; {found} entries, not {expected}", head.id).into());
            }
            latencies.push(u32::try_from((now - pending.sent).as_nanos()).unwrap_or(u32::MAX));
            self.pending.swap_remove(at);
        }
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use netinfo_wire::ber::Frame;
    use netinfo_wire::ldap::{Envelope, LdapResult, Message, Response, frame};

    use super::super::requests::Operation;
    use super::*;

    /// Answers whatever has come, the last first, with one entry and this result.
    fn serve(mut stream: TcpStream, code: ResultCode) {
        let mut buffer = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut bytes) {
            buffer.extend_from_slice(&bytes[..n]);
            let (mut start, mut ids) = (0, Vec::new());
            while let Ok(Frame::Complete(len)) = frame(&buffer[start..], 1 << 20) {
                ids.push(Envelope::decode(&buffer[start..start + len]).unwrap().id);
                start += len;
            }
            buffer.drain(..start);
            let mut out = Vec::new();
            for id in ids.into_iter().rev() {
                Message::new(id, Response::SearchEntry(Default::default())).encode(&mut out);
                let done = LdapResult::new(code, b"as told");
                Message::new(id, Response::SearchDone(done)).encode(&mut out);
            }
            if stream.write_all(&out).is_err() {
                return;
            }
        }
    }

    fn load(operation: Operation, code: ResultCode) -> Result<Sample> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || serve(stream.unwrap(), code));
            }
        });
        let mut pool = Pool::new(Target { address, pid: std::process::id() });
        let ring = Ring::of(operation, 1000, 0, 100).unwrap();
        let (shape, time) = (Shape { connections: 3, depth: 8 }, Duration::from_millis(30));
        let sample = drive(&mut pool, &ring, shape, Identity::Nobody, time)?;
        // All connections come back, and serve again.
        assert_eq!(pool.idle[&Identity::Nobody].len(), 3);
        drive(&mut pool, &ring, Shape { connections: 1, depth: 1 }, Identity::Nobody, time)?;
        assert_eq!(pool.idle[&Identity::Nobody].len(), 3);
        Ok(sample)
    }

    #[test]
    fn answers_in_any_order_are_counted() {
        let sample = load(Operation::SearchAll, ResultCode::Success).unwrap();
        assert!(sample.answered > 24, "{}", sample.answered);
        assert_eq!(sample.latencies.len() as u64, sample.answered);
        assert!(sample.time >= Duration::from_millis(30) && sample.time < Duration::from_secs(5));
    }

    #[test]
    fn wrong_answers_end_the_run() {
        let error = |operation, code| load(operation, code).unwrap_err().to_string();
        let refused = error(Operation::SearchAll, ResultCode::Busy);
        assert!(refused.contains("busy (51) as told"), "{refused}");
        let found = error(Operation::Miss, ResultCode::Success);
        assert!(found.contains("1 entries, not 0"), "{found}");
    }
}

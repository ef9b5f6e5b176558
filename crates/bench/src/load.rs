//! The load generator: threads with blocking sockets that send calls in batches and check every answer.
//!
//! A thread serves its connections in turn: it takes the answers of one, sends its next batch, and goes on. So every
//! connection always has its calls under way, and the generator makes one system call for a batch.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::record::LAST_FRAGMENT;

use crate::calls::{RING, Ring};
use crate::daemon::Target;
use crate::process::processor_time;
use crate::{Failure, Result};

/// Threads of the generator at most. One thread with many connections is cheaper for each call than many threads.
pub const THREADS: usize = 1;
/// An answer that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(60);
const BUFFER: usize = 256 * 1024;
/// Calls under way while every call of a ring is sent once.
const WARMING: usize = 64;
/// A reply's header behind its transaction id: an accepted call that succeeded.
const HEADER: usize = 24;

/// How a load is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Connections.
    pub connections: usize,
    /// Calls under way on each.
    pub depth: usize,
}

/// What a load of some time came to.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Calls answered.
    pub calls: u64,
    /// Time from the first call to the last answer.
    pub time: Duration,
    /// Processor time of the server meanwhile.
    pub server: Duration,
    /// Processor time of this process meanwhile.
    pub generator: Duration,
    /// Time from sending a batch to its last answer, in nanoseconds, for each batch.
    pub batches: Vec<u32>,
}

/// A connection that knows record marking.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// What the system reported.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; BUFFER], start: 0, end: 0 })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// What the system reported.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next reply message, which has to be one fragment no longer than the buffer: those of single directories are.
    ///
    /// # Errors
    /// What the system reported; `InvalidData` for longer replies; `UnexpectedEof` if the peer has closed.
    pub fn reply(&mut self) -> io::Result<&[u8]> {
        let head = self.take(4)?;
        let word = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let len = (word & !LAST_FRAGMENT) as usize;
        if word & LAST_FRAGMENT == 0 || len > BUFFER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a reply in several fragments"));
        }
        self.take(len)
    }

    /// Whatever has arrived, at least one byte.
    ///
    /// # Errors
    /// What the system reported; `UnexpectedEof` if the peer has closed.
    pub fn some(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.fill()?;
        }
        let start = std::mem::replace(&mut self.start, self.end);
        Ok(&self.buffer[start..self.end])
    }

    fn take(&mut self, len: usize) -> io::Result<&[u8]> {
        while self.end - self.start < len {
            if self.start + len > BUFFER || self.start == self.end {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            self.fill()?;
        }
        let start = self.start;
        self.start += len;
        Ok(&self.buffer[start..start + len])
    }

    fn fill(&mut self) -> io::Result<()> {
        match self.stream.read(&mut self.buffer[self.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.end += n;
                Ok(())
            }
        }
    }
}

/// Whether `reply` is a successful answer to call `xid`, with a status of 0 if it has one.
#[must_use]
pub fn is_success(reply: &[u8], xid: u32, with_status: bool) -> bool {
    let Some((head, results)) = reply.split_first_chunk::<HEADER>() else { return false };
    let (got, rest) = head.split_at(4);
    got == xid.to_be_bytes() && rest == SUCCESS && (!with_status || results.starts_with(&[0; 4]))
}

/// REPLY, accepted, a verifier of no flavor and no length, executed.
const SUCCESS: [u8; HEADER - 4] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Puts a load on `target` for `time`.
///
/// # Errors
/// A connection fails, or an answer is not a success.
pub fn drive(target: Target, ring: &Ring, shape: Shape, time: Duration) -> Result<Sample> {
    let threads = shape.connections.min(THREADS);
    let mut shares = vec![Vec::new(); threads];
    for connection in 0..shape.connections {
        // Each begins elsewhere in the ring.
        let first = connection * (RING / shape.connections);
        shares[connection % threads].push(first);
    }
    let (server, generator) = (processor_time(target.pid)?, processor_time(std::process::id())?);
    let start = Instant::now();
    let mut sample = Sample::default();
    thread::scope(|scope| {
        let running: Vec<_> = shares
            .iter()
            .map(|firsts| scope.spawn(move || drive_share(target.address, ring, firsts, shape.depth, time)))
            .collect();
        for thread in running {
            let part =
                thread.join().map_err(|_| Failure::from("a thread of the load generator panicked"))??;
            sample.calls += part.len() as u64 * shape.depth as u64;
            sample.batches.extend(part);
        }
        Ok::<_, Failure>(())
    })?;
    sample.time = start.elapsed();
    sample.server = processor_time(target.pid)?.saturating_sub(server);
    sample.generator = processor_time(std::process::id())?.saturating_sub(generator);
    Ok(sample)
}

/// Sends every call of a ring once, so that the server has seen all it will be asked for.
///
/// # Errors
/// The connection fails, or an answer is not a success.
pub fn once(target: Target, ring: &Ring) -> Result<()> {
    let connection = Connection::open(target.address)?;
    let mut lane = Lane { connection, next: 0, first: 0, sent: Instant::now() };
    for _ in 0..RING / WARMING {
        lane.send(ring, WARMING)?;
        lane.finish(ring, WARMING)?;
    }
    Ok(())
}

/// A connection under load, and the batch under way on it.
struct Lane {
    connection: Connection,
    next: usize,
    first: usize,
    sent: Instant,
}

/// One thread's connections, beginning at these places of the ring. Returns the time of every batch.
fn drive_share(
    address: SocketAddr,
    ring: &Ring,
    firsts: &[usize],
    depth: usize,
    time: Duration,
) -> Result<Vec<u32>> {
    let mut times = Vec::with_capacity(1 << 16);
    let mut lanes = Vec::with_capacity(firsts.len());
    for next in firsts {
        let connection = Connection::open(address)?;
        lanes.push(Lane { connection, next: *next, first: 0, sent: Instant::now() });
    }
    let end = Instant::now() + time;
    for lane in &mut lanes {
        lane.send(ring, depth)?;
    }
    while !lanes.is_empty() {
        let mut going = 0;
        for lane in &mut lanes {
            let now = lane.finish(ring, depth)?;
            times.push(u32::try_from((now - lane.sent).as_nanos()).unwrap_or(u32::MAX));
            if now < end {
                lane.send(ring, depth)?;
                going += 1;
            }
        }
        // Behind a lane that came too late all others did.
        lanes.truncate(going);
    }
    Ok(times)
}

impl Lane {
    fn send(&mut self, ring: &Ring, depth: usize) -> io::Result<()> {
        self.first = if self.next + depth > RING { 0 } else { self.next };
        self.next = self.first + depth;
        self.sent = Instant::now();
        self.connection.send(ring.calls(self.first, depth))
    }

    /// Takes the answers to the batch under way.
    fn finish(&mut self, ring: &Ring, depth: usize) -> Result<Instant> {
        for xid in self.first..self.first + depth {
            let reply = self.connection.reply()?;
            if !is_success(reply, xid as u32, ring.with_status) {
                return Err(
                    format!("call {xid} was not answered with success, but: {:x?}", head(reply)).into()
                );
            }
        }
        Ok(Instant::now())
    }
}

fn head(reply: &[u8]) -> &[u8] {
    &reply[..reply.len().min(HEADER + 4)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::rpc::{AcceptStat, put_accepted};

    #[test]
    fn success_is_told_from_the_rest() {
        let mut reply = Vec::new();
        put_accepted(&mut reply, 9, AcceptStat::Success);
        assert!(is_success(&reply, 9, false));
        assert!(!is_success(&reply, 8, false));
        assert!(!is_success(&reply, 9, true));
        reply.extend_from_slice(&[0, 0, 0, 0]);
        assert!(is_success(&reply, 9, true));
        reply[27] = 1;
        assert!(!is_success(&reply, 9, true));
        let mut reply = Vec::new();
        put_accepted(&mut reply, 9, AcceptStat::GarbageArgs);
        assert!(!is_success(&reply, 9, false));
    }
}

//! One open stream: whole messages out, replies in, within a time limit.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use netinfo_wire::record::Pieces;

use super::endpoint::{Endpoint, SourcePort, Stream};
use super::reply::{Awaited, End, Sink};
use crate::error::{Error, Result};

/// Bytes read from the stream at once.
const READ_SIZE: usize = 64 * 1024;

/// How the end of waiting is found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// The whole reply by then.
    Until(Instant),
    /// Some progress within each period.
    Silence,
}

/// An open stream and what has been read from it.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: Stream,
    pieces: Pieces,
    buf: Vec<u8>,
    /// The bytes of `buf` not consumed yet.
    unread: std::ops::Range<usize>,
    /// The process that made the connection: a child must not use its parent's.
    owner: u32,
}

impl Channel {
    /// Whether this process made the connection.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner == std::process::id()
    }

    /// Local and remote address of a TCP connection.
    pub(crate) fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.stream.addresses()
    }

    /// Connects, waiting at most `timeout`.
    pub(crate) fn connect(endpoint: &Endpoint, source: SourcePort, timeout: Duration) -> Result<Self> {
        let stream = Stream::connect(endpoint, source, timeout)?;
        let owner = std::process::id();
        Ok(Self { stream, pieces: Pieces::new(), buf: vec![0; READ_SIZE], unread: 0..0, owner })
    }

    /// Sends a whole message; `name` is the endpoint for errors.
    pub(crate) fn send(&mut self, name: &str, mut message: &[u8], timeout: Duration) -> Result<()> {
        let failed = |source| failure(name, source, timeout);
        let deadline = Instant::now() + timeout;
        while !message.is_empty() {
            self.stream
                .limit_write(left(deadline).ok_or_else(|| timed_out(name, timeout))?)
                .map_err(failed)?;
            match self.stream.write(message) {
                Ok(0) => return Err(Error::Closed { endpoint: name.to_owned() }),
                Ok(n) => message = message.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Receives the reply to call `xid`; its results go to `sink`.
    pub(crate) fn receive(
        &mut self,
        name: &str,
        xid: u32,
        timeout: Duration,
        patience: Patience,
        sink: &mut Sink<'_>,
    ) -> Result<End> {
        let mut awaited = Awaited::new(name, xid);
        loop {
            let input = self.buf.get(self.unread.clone()).unwrap_or_default();
            let (used, end) = awaited.feed(&mut self.pieces, input, sink)?;
            self.unread.start += used;
            if let Some(end) = end {
                return Ok(end);
            }
            let wait = match patience {
                Patience::Until(deadline) => left(deadline).ok_or_else(|| timed_out(name, timeout))?,
                Patience::Silence => timeout,
            };
            self.fill(name, wait, timeout)?;
        }
    }

    /// Reads more from the stream; everything before has been consumed.
    fn fill(&mut self, name: &str, wait: Duration, timeout: Duration) -> Result<()> {
        let failed = |source| failure(name, source, timeout);
        self.stream.limit_read(wait).map_err(failed)?;
        loop {
            match self.stream.read(&mut self.buf) {
                Ok(0) => return Err(Error::Closed { endpoint: name.to_owned() }),
                Ok(n) => {
                    self.unread = 0..n;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// The time until `deadline`, if any.
fn left(deadline: Instant) -> Option<Duration> {
    deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

fn timed_out(name: &str, after: Duration) -> Error {
    Error::Timeout { endpoint: name.to_owned(), after }
}

fn failure(name: &str, source: io::Error, timeout: Duration) -> Error {
    match source.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => timed_out(name, timeout),
        _ => Error::Io { endpoint: name.to_owned(), source },
    }
}

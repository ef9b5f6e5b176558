//! The time and the questions that a probe may still spend.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::limits::{ANSWER_WAIT, MAX_CONNECTIONS, MAX_QUESTIONS, PROBE_TIME};

/// What is left for one address and transport.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    end: Instant,
    connections: u32,
    questions: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { end: Instant::now() + PROBE_TIME, connections: MAX_CONNECTIONS, questions: MAX_QUESTIONS }
    }
}

impl Budget {
    /// Takes one connection; `false` if there is none left.
    pub const fn connection(&mut self) -> bool {
        take(&mut self.connections)
    }

    /// Takes one question and says until when its answer must be there; `None` if there is none left.
    pub fn question(&mut self) -> Option<Instant> {
        if !take(&mut self.questions) || Instant::now() >= self.end {
            return None;
        }
        Some(self.until(ANSWER_WAIT))
    }

    /// The moment in `wait`, or the end of the whole probe if that comes first.
    pub fn until(&self, wait: Duration) -> Instant {
        self.end.min(Instant::now() + wait)
    }
}

const fn take(left: &mut u32) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

/// The time until a moment, if it has not come.
pub(crate) fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Whether an error says that nothing came in time.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// A stream on which all reading and writing ends at a moment, however slowly the other side goes on.
#[derive(Debug)]
pub(crate) struct Timed<'s> {
    stream: &'s TcpStream,
    until: Instant,
}

impl<'s> Timed<'s> {
    pub(crate) const fn new(stream: &'s TcpStream, until: Instant) -> Self {
        Self { stream, until }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(Some(left(self.until)?))?;
            match self.stream.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.until)?))?;
        self.stream.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_end() {
        let mut budget = Budget::default();
        assert_eq!((0..20).filter(|_| budget.connection()).count(), MAX_CONNECTIONS as usize);
        assert_eq!((0..20).filter(|_| budget.question().is_some()).count(), MAX_QUESTIONS as usize);
        let over = Budget { end: Instant::now(), connections: 1, questions: 1 };
        assert_eq!({ over }.question(), None);
        assert!(left(over.until(PROBE_TIME)).is_err_and(|e| is_timeout(&e)));
    }
}

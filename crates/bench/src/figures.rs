//! Results. Rates are per second; times carry their unit in their name; sizes are in bytes.

use std::time::Duration;

use serde::Serialize;

use crate::aims::Aim;
use crate::load::{Sample, Shape};
use crate::machine::Machine;

/// All figures of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where it was made.
    pub machine: Machine,
    /// The disk's smallest durable write.
    pub disk: Option<Disk>,
    /// Domains, one of each size.
    pub domains: Vec<DomainFigures>,
    /// Calls that read, and their yardsticks.
    pub reads: Vec<ReadFigure>,
    /// Listings of `/users`.
    pub lists: Vec<ListFigure>,
    /// Durable writes.
    pub writes: Vec<WriteFigure>,
    /// What the figures are held against.
    pub aims: Vec<Aim>,
    /// Load average of the minute before the end.
    pub load_after: String,
    /// Seconds the run took.
    pub seconds: f64,
}

/// The bare durable write: 4 KiB and `fdatasync`, again and again.
#[derive(Debug, Clone, Serialize)]
pub struct Disk {
    /// How many.
    pub writes: u64,
    /// Writes a second.
    pub per_second: f64,
    /// Median of one, in milliseconds.
    pub median_ms: f64,
    /// 99th percentile, in milliseconds.
    pub p99_ms: f64,
}

/// One domain: how it was loaded, started, and what it took.
#[derive(Debug, Clone, Serialize)]
pub struct DomainFigures {
    /// Users in it.
    pub users: u32,
    /// Offline load, from the first record to the commit.
    pub load_seconds: f64,
    /// Size of the store's file.
    pub file_bytes: u64,
    /// Median of the starts, from the start of the process to the endpoints file.
    pub start_ms: f64,
    /// Slowest of them.
    pub start_worst_ms: f64,
    /// Anonymous memory after the start.
    pub memory_started: u64,
    /// Anonymous memory when all was measured.
    pub memory_after: u64,
}

/// Rate of a call that reads.
#[derive(Debug, Clone, Serialize)]
pub struct ReadFigure {
    /// Users in the domain.
    pub users: u32,
    /// What was called.
    pub call: String,
    /// Connections.
    pub connections: usize,
    /// Calls under way on each.
    pub depth: usize,
    /// Calls a second: median of the rounds.
    pub per_second: f64,
    /// Microseconds of the server's processor time for a call.
    pub server_us: f64,
    /// Processors the server kept busy.
    pub server_share: f64,
    /// Processors the generator kept busy.
    pub generator_share: f64,
    /// Median time of a batch in microseconds, with one connection.
    pub median_us: Option<f64>,
    /// 99th percentile of the same.
    pub p99_us: Option<f64>,
    /// The rate as a share of PING's of the same shape.
    pub of_ping: f64,
}

/// Listings of `/users` by `name`.
#[derive(Debug, Clone, Serialize)]
pub struct ListFigure {
    /// Users listed.
    pub users: u32,
    /// Connections that list at the same time.
    pub connections: usize,
    /// Listings made.
    pub lists: usize,
    /// Bytes of a listing.
    pub bytes: u64,
    /// Median time to the first byte, in milliseconds.
    pub first_byte_ms: f64,
    /// Median time to the last byte, in milliseconds.
    pub total_ms: f64,
    /// Entries a second, over all connections.
    pub entries_per_second: f64,
}

/// Rate of durable writes.
#[derive(Debug, Clone, Serialize)]
pub struct WriteFigure {
    /// What was called, and where.
    pub call: String,
    /// Clients, each with a connection and a directory of its own.
    pub clients: usize,
    /// Calls under way on each.
    pub depth: usize,
    /// Writes a second, each on disk when answered.
    pub per_second: f64,
    /// Median time of a batch in milliseconds.
    pub median_ms: f64,
    /// 99th percentile of the same.
    pub p99_ms: f64,
    /// Microseconds of the server's processor time for a write.
    pub server_us: f64,
    /// Bytes of page cache that the server made dirty for a write; where the system keeps the file in large pieces, it counts
    /// those whole.
    pub disk_bytes: f64,
}

impl ReadFigure {
    /// The figure that rounds of one load come to. `of_ping` is for the caller to fill in.
    #[must_use]
    pub fn of(users: u32, call: String, shape: Shape, rounds: &[Sample]) -> Self {
        let mut rates: Vec<f64> = rounds.iter().map(|r| r.calls as f64 / r.time.as_secs_f64()).collect();
        let sum = |part: fn(&Sample) -> Duration| rounds.iter().map(part).sum::<Duration>().as_secs_f64();
        let (time, server) = (sum(|r| r.time), sum(|r| r.server));
        let calls: u64 = rounds.iter().map(|r| r.calls).sum();
        let mut batches: Vec<f64> =
            rounds.iter().flat_map(|r| &r.batches).map(|ns| f64::from(*ns) / 1e3).collect();
        let single = shape.connections == 1;
        Self {
            users,
            call,
            connections: shape.connections,
            depth: shape.depth,
            per_second: percentile(&mut rates, 50),
            server_us: server * 1e6 / calls.max(1) as f64,
            server_share: server / time,
            generator_share: sum(|r| r.generator) / time,
            median_us: single.then(|| percentile(&mut batches, 50)),
            p99_us: single.then(|| percentile(&mut batches, 99)),
            of_ping: 0.0,
        }
    }
}

/// The value below which `percent` of the values lie; sorts them. 0 if there are none.
pub fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(0.0)
}

/// Milliseconds.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        assert_eq!(percentile(&mut [], 50), 0.0);
        assert_eq!(percentile(&mut [3.0, 1.0, 2.0], 50), 2.0);
        let mut many: Vec<f64> = (0..200).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut many, 99), 198.0);
        assert_eq!(percentile(&mut many, 100), 199.0);
    }

    #[test]
    fn rounds_come_to_a_figure() {
        let round = |calls, ms| Sample {
            calls,
            time: Duration::from_millis(ms),
            server: Duration::from_millis(ms / 2),
            generator: Duration::from_millis(ms / 4),
            batches: vec![2000],
        };
        let shape = Shape { connections: 1, depth: 16 };
        let figure =
            ReadFigure::of(5, "x".into(), shape, &[round(100, 100), round(300, 100), round(200, 100)]);
        assert_eq!(figure.per_second, 2000.0);
        assert!((figure.server_us - 250.0).abs() < 1e-6);
        assert!((figure.server_share - 0.5).abs() < 1e-6);
        assert_eq!(figure.median_us, Some(2.0));
    }
}

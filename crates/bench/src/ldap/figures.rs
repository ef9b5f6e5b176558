//! Results. Rates are per second; times carry their unit in their name; sizes are in bytes.

use std::time::Duration;

use serde::Serialize;

use super::load::Sample;
use super::paging::Enumeration;
use super::requests::Operation;
use super::server::Name;
use crate::aims::Aim;
use crate::figures::{Disk, percentile};
use crate::load::Shape;
use crate::machine::Machine;

/// All figures of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where it was made.
    pub machine: Machine,
    /// Version of slapd; none if it was not measured.
    pub slapd: Option<String>,
    /// The disk's smallest durable write.
    pub disk: Option<Disk>,
    /// Directories: one of each size and server.
    pub directories: Vec<DirectoryFigures>,
    /// Operations.
    pub operations: Vec<OperationFigure>,
    /// Enumerations.
    pub enumerations: Vec<EnumerationFigure>,
    /// Answers in which the servers differ; none if they do not.
    pub differences: Vec<String>,
    /// What the figures are held against.
    pub aims: Vec<Aim>,
    /// Load average of the minute before the end.
    pub load_after: String,
    /// Seconds the run took.
    pub seconds: f64,
}

/// One server's directory: how it was loaded, started, and what it took.
#[derive(Debug, Clone, Serialize)]
pub struct DirectoryFigures {
    /// Users in it.
    pub users: u32,
    /// Groups in it.
    pub groups: u32,
    /// Which server.
    pub server: Name,
    /// Offline load, until all of it is on disk.
    pub load_seconds: f64,
    /// Disk the database takes.
    pub disk_bytes: u64,
    /// Median of the starts, from the start of the process to the first answer.
    pub start_ms: f64,
    /// Slowest of them.
    pub start_worst_ms: f64,
    /// Anonymous memory after the start.
    pub anonymous_started: u64,
    /// Anonymous memory when all was measured.
    pub anonymous_after: u64,
    /// Resident pages of mapped files, mostly of the database, when all was measured.
    pub mapped_after: u64,
}

/// How one server does an operation.
#[derive(Debug, Clone, Serialize)]
pub struct OperationFigure {
    /// Users in the directory.
    pub users: u32,
    /// Which server.
    pub server: Name,
    /// What was done.
    #[serde(serialize_with = "name")]
    pub operation: Operation,
    /// Connections.
    pub connections: usize,
    /// Requests under way on each.
    pub depth: usize,
    /// Operations a second: median of the rounds.
    pub per_second: f64,
    /// Median time from sending a request to its result, in microseconds.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// 99.9th percentile.
    pub p999_us: f64,
    /// Milliseconds of the server's processor time for 1,000 operations.
    pub server_ms_per_1000: f64,
    /// Processors the server kept busy.
    pub server_share: f64,
    /// Processors the generator kept busy.
    pub generator_share: f64,
    /// Operations in all rounds.
    pub answered: u64,
}

/// An enumeration of all users.
#[derive(Debug, Clone, Serialize)]
pub struct EnumerationFigure {
    /// Users in the directory.
    pub users: u32,
    /// Which server.
    pub server: Name,
    /// Connections that enumerate at the same time.
    pub connections: usize,
    /// Entries a second, all connections together.
    pub entries_per_second: f64,
    /// Bytes of an entry, on average.
    pub entry_bytes: f64,
    /// Milliseconds until the slowest connection had its first page.
    pub first_page_ms: f64,
    /// Seconds it took.
    pub seconds: f64,
    /// Milliseconds of the server's processor time for 1,000 entries.
    pub server_ms_per_1000: f64,
}

impl OperationFigure {
    /// The figure that rounds of one load come to.
    #[must_use]
    pub fn of(users: u32, server: Name, operation: Operation, shape: Shape, rounds: &[Sample]) -> Self {
        let rate = |r: &Sample| r.answered as f64 / r.time.as_secs_f64().max(1e-9);
        let mut rates: Vec<f64> = rounds.iter().map(rate).collect();
        let sum = |part: fn(&Sample) -> Duration| rounds.iter().map(part).sum::<Duration>().as_secs_f64();
        let time = sum(|r| r.time).max(1e-9);
        let answered: u64 = rounds.iter().map(|r| r.answered).sum();
        let mut latencies: Vec<f64> =
            rounds.iter().flat_map(|r| &r.latencies).map(|ns| f64::from(*ns) / 1e3).collect();
        let p50_us = percentile(&mut latencies, 50);
        // Sorted by now.
        let p999 = (latencies.len() * 999 / 1000).min(latencies.len().saturating_sub(1));
        Self {
            users,
            server,
            operation,
            connections: shape.connections,
            depth: shape.depth,
            per_second: percentile(&mut rates, 50),
            p50_us,
            p99_us: percentile(&mut latencies, 99),
            p999_us: latencies.get(p999).copied().unwrap_or(0.0),
            server_ms_per_1000: sum(|r| r.server) * 1e6 / answered.max(1) as f64,
            server_share: sum(|r| r.server) / time,
            generator_share: sum(|r| r.generator) / time,
            answered,
        }
    }

    /// Whether the load had this shape.
    #[must_use]
    pub fn has(&self, shape: Shape) -> bool {
        (self.connections, self.depth) == (shape.connections, shape.depth)
    }
}

impl EnumerationFigure {
    /// The figure of one enumeration.
    #[must_use]
    pub fn of(users: u32, server: Name, connections: usize, all: &Enumeration) -> Self {
        let entries = all.entries.max(1) as f64;
        Self {
            users,
            server,
            connections,
            entries_per_second: all.entries as f64 / all.time.as_secs_f64().max(1e-9),
            entry_bytes: all.bytes as f64 / entries,
            first_page_ms: all.first_page.as_secs_f64() * 1e3,
            seconds: all.time.as_secs_f64(),
            server_ms_per_1000: all.server.as_secs_f64() * 1e6 / entries,
        }
    }
}

fn name<S: serde::Serializer>(operation: &Operation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(operation.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_come_to_a_figure() {
        let round = |answered: u64| Sample {
            answered,
            time: Duration::from_millis(100),
            server: Duration::from_millis(50),
            generator: Duration::from_millis(25),
            latencies: (0..answered as u32).map(|n| n * 1000).collect(),
        };
        let shape = Shape { connections: 8, depth: 1 };
        let rounds = [round(1000), round(3000), round(2000)];
        let figure = OperationFigure::of(5, Name::Slapd, Operation::Read, shape, &rounds);
        assert_eq!(figure.per_second, 20_000.0);
        assert!((figure.server_ms_per_1000 - 25.0).abs() < 1e-6);
        assert_eq!(figure.answered, 6000);
        assert!(figure.p50_us < figure.p99_us && figure.p99_us < figure.p999_us);
        assert!(figure.has(shape));
    }
}

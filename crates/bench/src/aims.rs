//! What the figures are held against.

use serde::Serialize;

use crate::figures::{DomainFigures, ReadFigure, Report, WriteFigure};

/// LOOKUPREAD's rate, as a share of PING's, at least.
pub const OF_PING: f64 = 0.8;
/// What a LOOKUPREAD costs in the largest domain, as a multiple of what it costs in the smallest, at most.
pub const GROWTH: f64 = 1.5;
/// Milliseconds until the largest domain is served, at most.
pub const START_MS: f64 = 200.0;
/// Bytes of anonymous memory with the largest domain, at most.
pub const MEMORY: u64 = 200_000_000;
/// Durable creates a second of 32 clients, as a multiple of those of one, at least.
pub const GROUPED: f64 = 10.0;

/// An aim and what was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Aim {
    /// What is aimed at.
    pub aim: String,
    /// What came out.
    pub measured: String,
    /// Whether it is reached.
    pub met: bool,
}

/// The aims, judged by the figures of `report`.
#[must_use]
pub fn judge(report: &Report) -> Vec<Aim> {
    let mut aims = of_ping(&report.reads);
    aims.extend(growth(&report.reads));
    aims.extend(report.domains.last().map(start));
    aims.extend(report.domains.last().map(memory));
    aims.extend(grouped(&report.writes));
    aims
}

fn is_lookup(figure: &ReadFigure) -> bool {
    figure.call.starts_with("LOOKUPREAD")
}

/// For each shape, the slowest LOOKUPREAD of all domains.
fn of_ping(reads: &[ReadFigure]) -> Vec<Aim> {
    let mut worst: Vec<&ReadFigure> = Vec::new();
    for figure in reads.iter().filter(|f| is_lookup(f)) {
        match worst.iter_mut().find(|w| (w.connections, w.depth) == (figure.connections, figure.depth)) {
            Some(w) if figure.of_ping < w.of_ping => *w = figure,
            Some(_) => {}
            None => worst.push(figure),
        }
    }
    let aim = |w: &ReadFigure| Aim {
        aim: format!("LOOKUPREAD ≥ {:.0} % of PING, {}×{}", OF_PING * 100.0, w.connections, w.depth),
        measured: format!("{:.0} % ({}, {} users)", w.of_ping * 100.0, w.call, w.users),
        met: w.of_ping >= OF_PING,
    };
    worst.into_iter().map(aim).collect()
}

/// The LOOKUPREAD whose cost grows most from the smallest to the largest domain.
fn growth(reads: &[ReadFigure]) -> Option<Aim> {
    let (smallest, largest) = (reads.first()?.users, reads.last()?.users);
    if smallest == largest {
        return None;
    }
    let mut worst: Option<(f64, &ReadFigure)> = None;
    for large in reads.iter().filter(|f| is_lookup(f) && f.users == largest) {
        let alike = |f: &&ReadFigure| {
            f.users == smallest
                && (&f.call, f.connections, f.depth) == (&large.call, large.connections, large.depth)
        };
        let Some(small) = reads.iter().find(alike) else { continue };
        let growth = small.per_second / large.per_second;
        if worst.is_none_or(|(w, _)| growth > w) {
            worst = Some((growth, large));
        }
    }
    let (growth, figure) = worst?;
    Some(Aim {
        aim: format!("LOOKUPREAD costs < {GROWTH} × as much with {largest} users as with {smallest}"),
        measured: format!("{growth:.2} × ({}, {}×{})", figure.call, figure.connections, figure.depth),
        met: growth < GROWTH,
    })
}

fn start(domain: &DomainFigures) -> Aim {
    Aim {
        aim: format!("start with {} users < {START_MS} ms", domain.users),
        measured: format!("{:.0} ms", domain.start_ms),
        met: domain.start_ms < START_MS,
    }
}

fn memory(domain: &DomainFigures) -> Aim {
    let most = domain.memory_started.max(domain.memory_after);
    Aim {
        aim: format!("anonymous memory with {} users < {} MB", domain.users, MEMORY / 1_000_000),
        measured: format!("{:.1} MB", most as f64 / 1e6),
        met: most < MEMORY,
    }
}

fn grouped(writes: &[WriteFigure]) -> Option<Aim> {
    let with = |clients| writes.iter().find(|w| w.call == "CREATE" && w.clients == clients && w.depth == 1);
    let factor = with(32)?.per_second / with(1)?.per_second;
    Some(Aim {
        aim: format!("durable CREATE, 32 clients ≥ {GROUPED} × one"),
        measured: format!("{factor:.1} ×"),
        met: factor >= GROUPED,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(users: u32, call: &str, connections: usize, per_second: f64, of_ping: f64) -> ReadFigure {
        ReadFigure {
            users,
            call: call.into(),
            connections,
            depth: 1,
            per_second,
            server_us: 1.0,
            server_share: 1.0,
            generator_share: 1.0,
            median_us: None,
            p99_us: None,
            of_ping,
        }
    }

    #[test]
    fn the_worst_figure_counts() {
        let reads = [
            read(1000, "PING", 1, 100.0, 1.0),
            read(1000, "LOOKUPREAD name", 1, 90.0, 0.9),
            read(1000, "LOOKUPREAD name", 8, 80.0, 0.85),
            read(5000, "LOOKUPREAD name", 1, 50.0, 0.5),
            read(5000, "LOOKUPREAD name", 8, 75.0, 0.8),
        ];
        let aims = of_ping(&reads);
        assert_eq!(aims.iter().map(|a| a.met).collect::<Vec<_>>(), [false, true]);
        let growth = growth(&reads).unwrap();
        assert!(!growth.met && growth.measured.starts_with("1.80 ×"), "{growth:?}");
        assert!(super::growth(&reads[..3]).is_none());
    }
}

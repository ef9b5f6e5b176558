//! What the figures are held against: multiples of slapd's, and what a server of this kind should manage anywhere.

use super::figures::{DirectoryFigures, OperationFigure, Report};
use super::options::SHAPES;
use super::requests::Operation;
use super::server::Name;
use crate::aims::{Aim, GROWTH, MEMORY, START_MS};
use crate::load::Shape;

/// Searches a second with 8 connections, as a multiple of slapd's, at least.
pub const UNPIPELINED: f64 = 2.5;
/// Searches a second pipelined, likewise.
pub const PIPELINED: f64 = 4.0;
/// Processor time of a search, as a share of slapd's, at most.
pub const PROCESSOR: f64 = 1.0 / 3.0;
/// Durable writes a second, pipelined, as a multiple of slapd's, at least.
pub const WRITES: f64 = 10.0;
/// Substring searches a second, likewise.
pub const SUBSTRINGS: f64 = 100.0;
/// Users of the directory in which substring searches are compared.
const SUBSTRING_USERS: u32 = 100_000;

const EIGHT: Shape = SHAPES[1];
const MANY: Shape = SHAPES[2];
/// Searches for an entry by something that only it has, in two ways.
const LOOKUPS: [Operation; 3] = [Operation::SearchAll, Operation::SearchTwo, Operation::Read];

/// The aims, judged by the figures of `report`; those without figures are left out.
#[must_use]
pub fn judge(report: &Report) -> Vec<Aim> {
    let pairs = Pairs(&report.operations);
    let all = &report.operations;
    let mut aims = Vec::new();
    for (shape, factor) in [(EIGHT, UNPIPELINED), (MANY, PIPELINED)] {
        let name =
            format!("search uid, read by DN ≥ {factor} × slapd, {}×{}", shape.connections, shape.depth);
        aims.extend(pairs.least(&name, factor, |f| LOOKUPS.contains(&f.operation) && f.has(shape)));
    }
    aims.extend(pairs.processor());
    for operation in [Operation::Add, Operation::Modify] {
        let name =
            format!("{}, durable ≥ {WRITES} × slapd, {}×{}", operation.name(), MANY.connections, MANY.depth);
        aims.extend(pairs.least(&name, WRITES, |f| f.operation == operation && f.has(MANY)));
    }
    let users = match all.iter().any(|f| f.users == SUBSTRING_USERS) {
        true => SUBSTRING_USERS,
        false => all.last().map_or(0, |f| f.users),
    };
    let name = format!("search `*foo*` ≥ {SUBSTRINGS} × slapd, {users} users");
    aims.extend(pairs.least(&name, SUBSTRINGS, |f| f.operation == Operation::Substring3 && f.users == users));
    aims.extend(load(&report.directories));
    aims.extend(growth(all));
    if let Some(largest) = report.directories.iter().rfind(|d| d.server == Name::Netinfod) {
        aims.extend([start(largest), memory(largest)]);
    }
    aims
}

/// Figures, to be compared with those of the other server.
struct Pairs<'a>(&'a [OperationFigure]);

impl<'a> Pairs<'a> {
    /// netinfod's figures that `wanted` accepts, each with slapd's.
    fn of(
        &self,
        wanted: impl Fn(&OperationFigure) -> bool,
    ) -> Vec<(&'a OperationFigure, &'a OperationFigure)> {
        let figures = self.0;
        let ours = figures.iter().filter(|f| f.server == Name::Netinfod && wanted(f));
        let pair = |ours: &'a OperationFigure| {
            let shape = Shape { connections: ours.connections, depth: ours.depth };
            let alike = |f: &&OperationFigure| {
                f.server == Name::Slapd
                    && (f.users, f.operation) == (ours.users, ours.operation)
                    && f.has(shape)
            };
            Some((ours, figures.iter().find(alike)?))
        };
        ours.filter_map(pair).collect()
    }

    /// Whether the rate is everywhere that multiple of slapd's; shows where it is the lowest one.
    fn least(&self, aim: &str, factor: f64, wanted: impl Fn(&OperationFigure) -> bool) -> Option<Aim> {
        let rates =
            self.of(wanted).into_iter().map(|(ours, theirs)| (ours.per_second / theirs.per_second, ours));
        let (least, figure) = rates.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(Aim {
            aim: aim.into(),
            measured: format!("{least:.1} × ({})", place(figure)),
            met: least >= factor,
        })
    }

    fn processor(&self) -> Option<Aim> {
        let shares = self
            .of(|f| LOOKUPS.contains(&f.operation) && f.connections > 1)
            .into_iter()
            .map(|(ours, theirs)| (ours.server_ms_per_1000 / theirs.server_ms_per_1000, ours));
        let (most, figure) = shares.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(Aim {
            aim: "processor time of a search or read ≤ ⅓ of slapd's".into(),
            measured: format!("{:.0} % ({})", most * 100.0, place(figure)),
            met: most <= PROCESSOR,
        })
    }
}

fn place(figure: &OperationFigure) -> String {
    let name = figure.operation.name();
    format!("{name}, {} users, {}×{}", figure.users, figure.connections, figure.depth)
}

fn load(directories: &[DirectoryFigures]) -> Option<Aim> {
    let ours = directories.iter().rfind(|d| d.server == Name::Netinfod)?;
    let theirs = directories.iter().find(|d| d.server == Name::Slapd && d.users == ours.users)?;
    Some(Aim {
        aim: format!("offline load of {} users ≤ slapadd -q", ours.users),
        measured: format!("{:.1} s, slapadd {:.1} s", ours.load_seconds, theirs.load_seconds),
        met: ours.load_seconds <= theirs.load_seconds,
    })
}

/// The search whose cost grows most from the smallest to the largest directory.
fn growth(all: &[OperationFigure]) -> Option<Aim> {
    let (smallest, largest) = (all.first()?.users, all.last()?.users);
    let ours = |f: &&OperationFigure| {
        f.server == Name::Netinfod && matches!(f.operation, Operation::SearchAll | Operation::SearchTwo)
    };
    let growth = |large: &'_ OperationFigure| {
        let shape = Shape { connections: large.connections, depth: large.depth };
        let small = all
            .iter()
            .filter(ours)
            .find(|f| f.users == smallest && f.operation == large.operation && f.has(shape))?;
        Some((large.server_ms_per_1000 / small.server_ms_per_1000, place(large)))
    };
    if smallest == largest {
        return None;
    }
    let all_growth = all.iter().filter(ours).filter(|f| f.users == largest).filter_map(growth);
    let (most, place) = all_growth.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(Aim {
        aim: format!(
            "search uid costs < {GROWTH} × the processor time with {largest} users as with {smallest}"
        ),
        measured: format!("{most:.2} × ({place})"),
        met: most < GROWTH,
    })
}

fn start(directory: &DirectoryFigures) -> Aim {
    Aim {
        aim: format!("start with {} users < {START_MS} ms", directory.users),
        measured: format!("{:.0} ms", directory.start_ms),
        met: directory.start_ms < START_MS,
    }
}

fn memory(directory: &DirectoryFigures) -> Aim {
    let most = directory.anonymous_started.max(directory.anonymous_after);
    Aim {
        aim: format!("anonymous memory with {} users < {} MB", directory.users, MEMORY / 1_000_000),
        measured: format!("{:.1} MB", most as f64 / 1e6),
        met: most < MEMORY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(
        server: Name,
        operation: Operation,
        shape: Shape,
        per_second: f64,
        cost: f64,
    ) -> OperationFigure {
        OperationFigure {
            users: 10_000,
            server,
            operation,
            connections: shape.connections,
            depth: shape.depth,
            per_second,
            p50_us: 1.0,
            p99_us: 1.0,
            p999_us: 1.0,
            server_ms_per_1000: cost,
            server_share: 1.0,
            generator_share: 1.0,
            answered: 1,
        }
    }

    #[test]
    fn the_worst_pair_counts() {
        let figures = [
            figure(Name::Slapd, Operation::Read, EIGHT, 100.0, 30.0),
            figure(Name::Netinfod, Operation::Read, EIGHT, 300.0, 9.0),
            figure(Name::Slapd, Operation::SearchAll, EIGHT, 100.0, 30.0),
            figure(Name::Netinfod, Operation::SearchAll, EIGHT, 200.0, 11.0),
            figure(Name::Netinfod, Operation::SearchTwo, EIGHT, 1.0, 99.0),
        ];
        let pairs = Pairs(&figures);
        let aim = pairs.least("x", UNPIPELINED, |f| f.has(EIGHT)).unwrap();
        assert!(!aim.met && aim.measured.starts_with("2.0 × (search uid, all"), "{aim:?}");
        let aim = pairs.processor().unwrap();
        assert!(!aim.met && aim.measured.starts_with("37 %"), "{aim:?}");
        assert!(pairs.least("x", 1.0, |f| f.has(MANY)).is_none());
        assert!(growth(&figures).is_none());
    }
}

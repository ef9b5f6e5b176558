//! The order of a run: for each size, load both servers, start them, compare their answers, measure them in turns.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::figures::{DirectoryFigures, EnumerationFigure, OperationFigure, Report};
use super::load::{self, Pool, Sample};
use super::netinfod::Netinfod;
use super::options::{LdapOptions, Plan};
use super::requests::{Operation, Ring};
use super::server::{self, Loaded, Name, Server};
use super::slapd::{self, Slapd};
use super::{aims, compare, paging, report, tree};
use crate::figures::{ms, percentile};
use crate::load::Shape;
use crate::machine::{Machine, load_average};
use crate::process::{anonymous_memory, mapped_memory};
use crate::{Result, disk, report as pages};

/// Users added, at most, for each second of a figure.
const ADDS_A_SECOND: f64 = 60_000.0;
/// Requests about users picked at random, likewise; in short runs only, for a ring holds no more than
/// [`RING`](crate::calls::RING).
const REQUESTS_A_SECOND: f64 = 300_000.0;
/// First logins, at most, likewise.
const BINDS_A_SECOND: f64 = 500.0;

/// Measures everything and shows it.
///
/// # Errors
/// Something cannot be measured, or a result cannot be written.
pub fn all(options: &LdapOptions) -> Result<()> {
    let start = Instant::now();
    let this = std::env::current_exe()?;
    let beside = this.parent().unwrap_or_else(|| Path::new("."));
    let netinfod = options.netinfod.clone().unwrap_or_else(|| beside.join("netinfod"));
    let plan = Plan::of(options);
    if plan.servers.contains(&Name::Netinfod) && !netinfod.exists() {
        return Err(format!("there is no {}; give --netinfod FILE", netinfod.display()).into());
    }
    let folder = options.data.clone().unwrap_or_else(|| beside.to_owned());
    let scratch = tempfile::Builder::new().prefix("netinfo-bench-").tempdir_in(&folder)?;
    let with_slapd = plan.servers.contains(&Name::Slapd);
    let mut report = Report {
        machine: Machine::describe(scratch.path(), options.note.clone()),
        slapd: with_slapd.then(|| slapd::version(&options.slapd)),
        disk: Some(disk::measure(scratch.path(), plan.disk)?),
        directories: Vec::new(),
        operations: Vec::new(),
        enumerations: Vec::new(),
        differences: Vec::new(),
        aims: Vec::new(),
        load_after: String::new(),
        seconds: 0.0,
    };
    let mut bench = Bench {
        plan: plan.clone(),
        programs: Programs { slapd: options.slapd.clone(), netinfod },
        scratch: scratch.path().to_owned(),
        progress: Progress { start, shown: false },
        next: 0,
    };
    for users in plan.users {
        bench.measure(users, &mut report)?;
    }
    bench.progress.end();
    report.aims = aims::judge(&report);
    report.load_after = load_average();
    report.seconds = start.elapsed().as_secs_f64();
    println!("{}", report::text(&report));
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    if let Some(file) = &options.markdown {
        pages::save(file, report::markdown(&report))?;
    }
    Ok(())
}

/// The servers' programs.
struct Programs {
    slapd: PathBuf,
    netinfod: PathBuf,
}

/// A run under way.
struct Bench {
    plan: Plan,
    programs: Programs,
    scratch: PathBuf,
    progress: Progress,
    /// Number that no user, and no telephone number written so far, has.
    next: u32,
}

/// A server that serves a directory that was made for it.
struct Ready {
    server: Server,
    pool: Pool,
    loaded: Loaded,
    starts: Vec<f64>,
    anonymous_started: u64,
}

impl Bench {
    /// Measures directories of `users` users.
    fn measure(&mut self, users: u32, report: &mut Report) -> Result<()> {
        let folder = self.scratch.join(format!("users-{users}"));
        fs::create_dir(&folder)?;
        self.next = self.next.max(users);
        let mut ready = Vec::new();
        for name in self.plan.servers.clone() {
            ready.push(self.prepare(name, users, &folder)?);
        }
        if let [one, other] = ready.as_slice() {
            self.progress.say(&format!("{users} users: comparing answers"));
            let found = compare::differences(one.server.target.address, other.server.target.address, users)?;
            found.iter().for_each(|what| self.progress.note(&format!("the servers differ: {what}")));
            report.differences.extend(found);
        }
        for operation in self.plan.operations.clone() {
            if operation == Operation::Modify && self.plan.enumerate {
                // Before anything changes.
                report.enumerations.extend(self.enumerate(users, &ready)?);
            }
            report.operations.extend(self.operate(users, &mut ready, operation)?);
        }
        for Ready { server, pool, loaded, mut starts, anonymous_started } in ready {
            report.directories.push(DirectoryFigures {
                users,
                groups: tree::groups(users),
                server: server.name,
                load_seconds: loaded.time.as_secs_f64(),
                disk_bytes: loaded.bytes,
                start_ms: percentile(&mut starts, 50),
                start_worst_ms: percentile(&mut starts, 100),
                anonymous_started,
                anonymous_after: anonymous_memory(server.target.pid)?,
                mapped_after: mapped_memory(server.target.pid)?,
            });
            drop(pool);
            server.stop()?;
        }
        Ok(fs::remove_dir_all(folder)?)
    }

    /// Loads a server's directory and starts it, several times.
    fn prepare(&mut self, name: Name, users: u32, folder: &Path) -> Result<Ready> {
        self.progress.say(&format!("{users} users: loading {}", name.text()));
        let own = folder.join(name.text());
        let (loaded, database, start): (_, _, Box<dyn Fn() -> Result<Server>>) = match name {
            Name::Slapd => {
                let slapd = Slapd::prepare(&self.programs.slapd, own)?;
                (slapd.load(users)?, slapd.database(), Box::new(move || slapd.start()))
            }
            Name::Netinfod => {
                let ours = Netinfod::prepare(&self.programs.netinfod, own);
                (ours.load(users)?, ours.database(), Box::new(move || ours.start()))
            }
        };
        server::cache(&database)?;
        self.progress.say(&format!("{users} users: starting {}", name.text()));
        let mut starts = Vec::new();
        for _ in 0..self.plan.starts {
            let server = start()?;
            starts.push(ms(server.started_in));
            server.stop()?;
        }
        let server = start()?;
        let anonymous_started = anonymous_memory(server.target.pid)?;
        let pool = Pool::new(server.target);
        Ok(Ready { server, pool, loaded, starts, anonymous_started })
    }

    /// One operation with every shape, the servers in turns.
    fn operate(
        &mut self,
        users: u32,
        ready: &mut [Ready],
        operation: Operation,
    ) -> Result<Vec<OperationFigure>> {
        let (name, identity) = (operation.name(), operation.identity());
        let mut figures = Vec::new();
        let mut ring = self.ring(operation, users)?;
        let mut is_new = true;
        for shape in self.plan.shapes.clone() {
            let shape = Shape { depth: if operation.pipelines() { shape.depth } else { 1 }, ..shape };
            self.progress.say(&format!("{users} users: {name}, {}×{}", shape.connections, shape.depth));
            let mut samples: Vec<Vec<Sample>> = ready.iter().map(|_| Vec::new()).collect();
            // Requests that cannot be repeated cannot be rehearsed.
            let rehearsals = usize::from(!ring.once);
            for round in 0..rehearsals + self.plan.rounds {
                let counts = round >= rehearsals;
                if operation.wears_off() && !std::mem::take(&mut is_new) {
                    ring = self.ring(operation, users)?;
                }
                let time = if counts { self.plan.round } else { self.plan.warm_up };
                for (Ready { server, pool, .. }, samples) in ready.iter_mut().zip(&mut samples) {
                    let sample = load::drive(pool, &ring, shape, identity, time)
                        .map_err(|error| format!("{}, {name}: {error}", server.name.text()))?;
                    samples.extend(counts.then_some(sample));
                }
            }
            figures.extend(ready.iter().zip(&samples).map(|(ready, samples)| {
                OperationFigure::of(users, ready.server.name, operation, shape, samples)
            }));
        }
        Ok(figures)
    }

    /// Requests, with numbers that were not used before where that matters.
    fn ring(&mut self, operation: Operation, users: u32) -> Result<Ring> {
        let seconds = self.plan.round.as_secs_f64();
        let count = match operation {
            Operation::Add => (ADDS_A_SECOND * seconds) as u32 + 500,
            Operation::BindFirst => (BINDS_A_SECOND * seconds) as u32 + 50,
            _ => (REQUESTS_A_SECOND * seconds) as u32 + 1000,
        };
        let ring = Ring::of(operation, users, self.next, count)?;
        self.next += count;
        Ok(ring)
    }

    fn enumerate(&mut self, users: u32, ready: &[Ready]) -> Result<Vec<EnumerationFigure>> {
        let mut figures = Vec::new();
        for connections in paging::CONNECTIONS {
            for Ready { server, .. } in ready {
                let name = server.name.text();
                self.progress
                    .say(&format!("{users} users: {name}: all of them, {connections} at the same time"));
                let limit = (connections > 1).then_some(self.plan.round * self.plan.rounds as u32);
                let all = paging::measure(server.target, connections, users, limit)
                    .map_err(|error| format!("{name}, all users: {error}"))?;
                figures.push(EnumerationFigure::of(users, server.name, connections, &all));
            }
        }
        Ok(figures)
    }
}

/// What the run is doing, on a terminal in one line, elsewhere line by line.
struct Progress {
    start: Instant,
    /// Whether a line stands on the terminal.
    shown: bool,
}

impl Progress {
    fn say(&mut self, what: &str) {
        let time: Duration = self.start.elapsed();
        let mut err = io::stderr().lock();
        // Nobody can be told that telling has failed.
        let _ = if err.is_terminal() {
            self.shown = true;
            write!(err, "\r\x1b[K{:6.1} s  {what}", time.as_secs_f64()).and_then(|()| err.flush())
        } else {
            writeln!(err, "{:6.1} s  {what}", time.as_secs_f64())
        };
    }

    /// Something to be kept.
    fn note(&mut self, what: &str) {
        self.end();
        eprintln!("{what}");
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprintln!();
        }
    }
}

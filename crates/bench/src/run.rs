//! The order of a run: for each size, load a domain, start the daemon, measure, stop; then tables and files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::calls::Call;
use crate::daemon::{Daemon, Echo, Target};
use crate::figures::{DomainFigures, ReadFigure, Report, ms, percentile};
use crate::load::{self, Shape};
use crate::machine::{Machine, load_average};
use crate::options::{LoadOptions, Options, Plan, WriteOptions};
use crate::process::anonymous_memory;
use crate::{Result, aims, data, disk, listing, reads, report, writes};

/// Measures everything and shows it.
///
/// # Errors
/// Something cannot be measured, or a result cannot be written.
pub fn all(options: &Options) -> Result<()> {
    let start = Instant::now();
    let this = std::env::current_exe()?;
    let beside = this.parent().unwrap_or_else(|| Path::new("."));
    let netinfod = options.netinfod.clone().unwrap_or_else(|| beside.join("netinfod"));
    if !netinfod.exists() {
        return Err(format!("there is no {}; give --netinfod FILE", netinfod.display()).into());
    }
    let folder = options.data.clone().unwrap_or_else(|| beside.to_owned());
    let scratch = tempfile::Builder::new().prefix("netinfo-bench-").tempdir_in(&folder)?;
    let mut report = Report {
        machine: Machine::describe(scratch.path(), options.note.clone()),
        disk: None,
        domains: Vec::new(),
        reads: Vec::new(),
        lists: Vec::new(),
        writes: Vec::new(),
        aims: Vec::new(),
        load_after: String::new(),
        seconds: 0.0,
    };
    let bench = Bench { plan: Plan::of(options), this, netinfod, scratch: scratch.path().to_owned(), start };
    let sizes = bench.plan.users.clone();
    for (at, users) in sizes.iter().enumerate() {
        bench.measure(*users, at + 1 == sizes.len(), &mut report)?;
    }
    report.aims = aims::judge(&report);
    report.load_after = load_average();
    report.seconds = start.elapsed().as_secs_f64();
    println!("{}", report::text(&report));
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    if let Some(file) = &options.markdown {
        report::save(file, report::markdown(&report))?;
    }
    Ok(())
}

/// Makes a data directory.
///
/// # Errors
/// What the core says.
pub fn fill(dir: &Path, users: u32) -> Result<()> {
    let loaded = data::fill(dir, users)?;
    println!("{users} users in {:.2} s, {} bytes", loaded.time.as_secs_f64(), loaded.bytes);
    Ok(())
}

/// Puts one load on a daemon that runs already.
///
/// # Errors
/// A call fails.
pub fn load(options: &LoadOptions) -> Result<()> {
    let call = Call::from(options.call);
    let shape = Shape { connections: options.connections.into(), depth: options.depth.into() };
    let target = Target { address: options.address, pid: options.pid };
    let sample = load::drive(target, &call.ring(options.users), shape, options.seconds)?;
    let figure = ReadFigure::of(options.users, call.name(), shape, &[sample]);
    println!("{}", serde_json::to_string_pretty(&figure)?);
    Ok(())
}

/// Puts one load of writes on a daemon that runs already.
///
/// # Errors
/// A write fails.
pub fn write(options: &WriteOptions) -> Result<()> {
    let target = Target { address: options.address, pid: options.pid };
    println!("{}", serde_json::to_string_pretty(&writes::one(options, target)?)?);
    Ok(())
}

/// A run under way.
struct Bench {
    plan: Plan,
    this: PathBuf,
    netinfod: PathBuf,
    scratch: PathBuf,
    start: Instant,
}

impl Bench {
    /// Measures a domain with `users` users; durable writes only with the `last` one.
    fn measure(&self, users: u32, last: bool, report: &mut Report) -> Result<()> {
        let path = self.scratch.join(format!("users-{users}"));
        self.say(&format!("{users} users: loading"));
        let loaded = data::fill(&path, users)?;
        data::cache(&path)?;
        self.say(&format!("{users} users: starting"));
        let mut starts = Vec::new();
        for _ in 0..self.plan.starts {
            let daemon = Daemon::start(&self.netinfod, &path, &self.scratch)?;
            starts.push(ms(daemon.started_in));
            daemon.stop()?;
        }
        let daemon = Daemon::start(&self.netinfod, &path, &self.scratch)?;
        let memory_started = anonymous_memory(daemon.target.pid)?;
        self.say(&format!("{users} users: reading"));
        let echo = Echo::start(&self.this)?;
        report.reads.extend(reads::measure(&self.plan, users, daemon.target, echo.target)?);
        drop(echo);
        self.say(&format!("{users} users: listing"));
        report.lists.extend(listing::measure(&self.plan, users, daemon.target)?);
        if last {
            self.say(&format!("{users} users: writing"));
            report.disk = Some(disk::measure(&self.scratch, self.plan.disk)?);
            report.writes = writes::measure(&self.plan, users, daemon.target)?;
        }
        report.domains.push(DomainFigures {
            users,
            load_seconds: loaded.time.as_secs_f64(),
            file_bytes: loaded.bytes,
            start_ms: percentile(&mut starts, 50),
            start_worst_ms: percentile(&mut starts, 100),
            memory_started,
            memory_after: anonymous_memory(daemon.target.pid)?,
        });
        daemon.stop()?;
        Ok(fs::remove_dir_all(path)?)
    }

    fn say(&self, what: &str) {
        eprintln!("{:5.1} s  {what}", self.start.elapsed().as_secs_f64());
    }
}

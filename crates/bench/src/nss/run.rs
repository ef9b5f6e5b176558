//! The order of a run: for each number of users, each service is started, measured, and stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::isolated;
use netinfo_testkit::software::unpacked;

use super::caller::{Caller, listing};
use super::figures::{Operation, Report, SourceFigures, Warm};
use super::options::NssOptions;
use super::report;
use super::source::Source;
use super::stage::Stage;
use crate::machine::{Machine, load_average};
use crate::{Result, report as pages};

/// The module, as cargo calls it.
const MODULE: &str = "libnss_netinfo.so";

/// Measures everything and shows it. Needs root.
///
/// # Errors
/// Something cannot be measured, or a result cannot be written.
///
/// # Panics
/// Without root, and if a service does not start.
pub fn all(options: &NssOptions) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Err("run this as root: it makes mounts and a network of its own".into());
    }
    if let Err(error) = unpacked() {
        let hint = "run scripts/clients.sh, or scripts/bench.sh nss, which does";
        return Err(format!("the services to measure have not been unpacked ({error}): {hint}").into());
    }
    let report = isolated(|| measure(options))?;
    println!("{}", report::text(&report));
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    if let Some(file) = &options.markdown {
        pages::save(file, report::markdown(&report))?;
    }
    Ok(())
}

fn measure(options: &NssOptions) -> Result<Report> {
    let start = Instant::now();
    let this = std::env::current_exe()?;
    let beside = this.parent().unwrap_or_else(|| Path::new(".")).to_owned();
    let binaries = fs::canonicalize(options.binaries.clone().unwrap_or_else(|| beside.clone()))?;
    for name in ["netinfod", MODULE] {
        if !binaries.join(name).exists() {
            return Err(format!("there is no {}; give --binaries DIR", binaries.join(name).display()).into());
        }
    }
    let scratch = tempfile::Builder::new().prefix("netinfo-bench-").tempdir_in(&beside)?;
    // Services that are not root read and pass it.
    fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let machine = Machine::describe(scratch.path(), options.note.clone());
    let stage = Stage::prepare(scratch.path(), &binaries.join(MODULE))?;
    let caller = Caller::compile(scratch.path())?;
    let bench = Bench { stage, caller, binaries, time: options.time(), start };
    let mut report = Report {
        machine,
        sources: Vec::new(),
        stat: Some(bench.caller.stat(bench.time)?),
        listing_of_numbers: None,
        load_after: String::new(),
        seconds: 0.0,
    };
    for users in options.sizes() {
        for source in options.sources().into_iter().filter(|source| source.takes(users)) {
            report.sources.push(bench.source(source, users)?);
        }
        let folder = bench.stage.folder_of_owners(users)?;
        report.listing_of_numbers.get_or_insert(listing("-ln", &folder)?);
    }
    report.load_after = load_average();
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

/// A run under way.
struct Bench {
    stage: Stage,
    caller: Caller,
    binaries: PathBuf,
    time: Duration,
    start: Instant,
}

impl Bench {
    /// Measures one service with so many users: what is cold first.
    fn source(&self, source: Source, users: u32) -> Result<SourceFigures> {
        self.say(&format!("{users} users: {}: starting", source.text()));
        let running = source.start(&self.stage, &self.caller, &self.binaries, users)?;
        self.say(&format!("{users} users: {}: calling", source.text()));
        let cold = self.caller.cold(users)?;
        let first = self.caller.first(users)?;
        let mut warm = Vec::new();
        for operation in Operation::ALL.into_iter().filter(|one| source.has_module() || !one.is_of_module()) {
            for threads in [1, 2] {
                let module = operation.is_of_module().then(|| source.module());
                let times = self.caller.warm(users, operation, threads, self.time, module);
                let times =
                    times.map_err(|error| format!("{}, {}: {error}", source.text(), operation.text()))?;
                warm.push(Warm { operation, threads, times });
            }
        }
        let folder = self.stage.folder_of_owners(users)?;
        let listing = listing("-l", &folder)?;
        running.stop()?;
        Ok(SourceFigures { source, users, first, cold, listing, warm })
    }

    fn say(&self, what: &str) {
        eprintln!("{:5.1} s  {what}", self.start.elapsed().as_secs_f64());
    }
}

//! The machine a run was made on.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde::Serialize;

use crate::process::field_kib;
use crate::sheet::gigabytes;

/// What a reader needs to know to compare figures with those of another machine.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Day of the run, UTC.
    pub date: String,
    /// Model of the processor.
    pub processor: String,
    /// Processors the program may use.
    pub processors: usize,
    /// Memory in bytes.
    pub memory: u64,
    /// Kernel release.
    pub kernel: String,
    /// Filesystem under the databases: type and device.
    pub filesystem: String,
    /// Compiler.
    pub compiler: String,
    /// Commit that was measured.
    pub commit: String,
    /// Load average of the minute before the run.
    pub load_before: String,
    /// What the caller says about the machine.
    pub note: Option<String>,
}

impl Machine {
    /// This machine, with the databases in `data`.
    #[must_use]
    pub fn describe(data: &Path, note: Option<String>) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let data = data.to_string_lossy();
        Self {
            date: output("date", &["--utc", "+%Y-%m-%d"]),
            processor: model.map_or_else(|| "unknown".into(), |(_, name)| name.trim().to_owned()),
            processors: thread::available_parallelism().map_or(1, usize::from),
            memory: field_kib(&read("/proc/meminfo"), "MemTotal:").unwrap_or(0) * 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            filesystem: output("findmnt", &["--noheadings", "--output", "FSTYPE,SOURCE", "--target", &data]),
            compiler: output("rustc", &["--version"]),
            commit: output("git", &["describe", "--always", "--dirty"]),
            load_before: load_average(),
            note,
        }
    }

    /// What a page says of the machine and of a run on it that took so many seconds: names and values.
    #[must_use]
    pub fn rows(&self, load_after: &str, seconds: f64) -> Vec<(&'static str, String)> {
        let mut rows = vec![
            ("date", self.date.clone()),
            ("commit", self.commit.clone()),
            ("processor", format!("{} × {}", self.processors, self.processor)),
            ("memory", gigabytes(self.memory)),
            ("kernel", self.kernel.clone()),
            ("filesystem", self.filesystem.clone()),
            ("compiler", self.compiler.clone()),
            ("load average before and after", format!("{} and {load_after}", self.load_before)),
            ("duration", format!("{seconds:.0} s")),
        ];
        rows.extend(self.note.clone().map(|note| ("note", note)));
        rows
    }
}

/// Runnable processes, averaged over the last minute.
#[must_use]
pub fn load_average() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// What a program says, in one line; a description is no reason to fail.
fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text =
        output.ok().filter(|o| o.status.success()).map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    text.map_or_else(|| "unknown".into(), |t| t.split_whitespace().collect::<Vec<_>>().join(" "))
}

//! The servers under load, as processes of their own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::data::{HOSTNAME, TAG};
use crate::{Failure, Result};

/// How long a daemon may take until it serves, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the endpoints file is looked for: the resolution of the time to start.
const LOOK: Duration = Duration::from_micros(200);
const ENDPOINTS: &str = "endpoints.json";
const LOG: &str = "netinfod.log";

/// A server under load.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it listens for TCP.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
}

/// A child process that ends with this value.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Either may fail because the process has ended already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `netinfod`.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    /// Where it is reached.
    pub target: Target,
    /// From the start of the process to the endpoints file, which is written when everything listens.
    pub started_in: Duration,
}

impl Daemon {
    /// Starts `program` on the data directory `data`; its endpoints file and its log go to `scratch`.
    ///
    /// # Errors
    /// It does not start; the end of its log says why.
    pub fn start(program: &Path, data: &Path, scratch: &Path) -> Result<Self> {
        let endpoints = scratch.join(ENDPOINTS);
        if endpoints.exists() {
            fs::remove_file(&endpoints)?;
        }
        let log = File::create(scratch.join(LOG))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(data).args(["--hostname", HOSTNAME, "--seed", "none"]);
        for listen in
            ["ipcserver=127.0.0.1:0", "domain.local=127.0.0.1:0", "portmap=off", "binder=off", "local=off"]
        {
            command.args(["--listen", listen]);
        }
        command.arg("--endpoints").arg(&endpoints).env("NETINFO_LOG", "warn");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let start = Instant::now();
        let child = command.spawn().map_err(|e| format!("cannot run {}: {e}", program.display()))?;
        let mut process = Process(child);
        while !endpoints.exists() {
            if let Some(status) = process.0.try_wait()? {
                return Err(failure(scratch, &format!("netinfod ended ({status})")));
            }
            if start.elapsed() > PATIENCE {
                return Err(failure(scratch, "netinfod does not get ready"));
            }
            thread::sleep(LOOK);
        }
        let started_in = start.elapsed();
        let target = Target { address: address(&endpoints)?, pid: process.0.id() };
        Ok(Self { process, target, started_in })
    }

    /// Stops it as a service manager would, and waits.
    ///
    /// # Errors
    /// It does not stop in time.
    pub fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.process.0.id().cast_signed()), Signal::SIGTERM)?;
        let start = Instant::now();
        while self.process.0.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                return Err("netinfod does not stop".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

/// Address of the measured domain's own TCP port.
fn address(endpoints: &Path) -> Result<SocketAddr> {
    let text = fs::read_to_string(endpoints)?;
    let json: serde_json::Value = serde_json::from_str(&text)?;
    let address = json["domains"][TAG]["tcp"].as_str();
    Ok(address.ok_or_else(|| format!("no domain {TAG} in {}", endpoints.display()))?.parse()?)
}

fn failure(scratch: &Path, what: &str) -> Failure {
    let log = fs::read_to_string(scratch.join(LOG)).unwrap_or_default();
    let end: Vec<&str> = log.lines().rev().take(5).collect();
    format!("{what}; it said: {}", end.into_iter().rev().collect::<Vec<_>>().join(" | ")).into()
}

/// The bare server, in a process of its own.
#[derive(Debug)]
pub struct Echo {
    _process: Process,
    /// Where it is reached.
    pub target: Target,
}

impl Echo {
    /// Starts `program` (this one) in its part as the bare server.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("echo").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process(command.spawn()?);
        let output = process.0.stdout.take().ok_or("the bare server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let target = Target { address: line.trim().parse()?, pid: process.0.id() };
        Ok(Self { _process: process, target })
    }
}

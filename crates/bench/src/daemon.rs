//! The servers under load, as processes of their own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::child::{Child, PATIENCE, failure};
use crate::data::{HOSTNAME, TAG};

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

/// A running `netinfod`.
#[derive(Debug)]
pub struct Daemon {
    process: Child,
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
        let (endpoints, log) = (scratch.join(ENDPOINTS), scratch.join(LOG));
        if endpoints.exists() {
            fs::remove_file(&endpoints)?;
        }
        let listen = [
            "ipcserver=127.0.0.1:0",
            "domain.local=127.0.0.1:0",
            "portmap=off",
            "binder=off",
            "local=off",
            "ldap=off",
            "ldaps=off",
            "ldapi=off",
        ];
        let mut command = command(program, data, &listen);
        command.arg("--endpoints").arg(&endpoints).stderr(File::create(&log)?);
        let start = Instant::now();
        let mut process = Child::start(&mut command)?;
        while !endpoints.exists() {
            if let Some(status) = process.ended()? {
                return Err(failure(&log, &format!("netinfod ended ({status})")));
            }
            if start.elapsed() > PATIENCE {
                return Err(failure(&log, "netinfod does not get ready"));
            }
            thread::sleep(LOOK);
        }
        let started_in = start.elapsed();
        let target = Target { address: address(&endpoints)?, pid: process.id() };
        Ok(Self { process, target, started_in })
    }

    /// Stops it as a service manager would, and waits.
    ///
    /// # Errors
    /// It does not stop in time.
    pub fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// `program` as a daemon on the data directory `data` that listens as `listen` says.
#[must_use]
pub fn command(program: &Path, data: &Path, listen: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("serve").arg("--data").arg(data).args(["--hostname", HOSTNAME, "--seed", "none"]);
    for listen in listen {
        command.args(["--listen", listen]);
    }
    command.env("NETINFO_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Address of the measured domain's own TCP port.
fn address(endpoints: &Path) -> Result<SocketAddr> {
    let text = fs::read_to_string(endpoints)?;
    let json: serde_json::Value = serde_json::from_str(&text)?;
    let address = json["domains"][TAG]["tcp"].as_str();
    Ok(address.ok_or_else(|| format!("no domain {TAG} in {}", endpoints.display()))?.parse()?)
}

/// The bare server, in a process of its own.
#[derive(Debug)]
pub struct Echo {
    _process: Child,
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
        let mut process = Child::start(&mut command)?;
        let output = process.output().ok_or("the bare server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let target = Target { address: line.trim().parse()?, pid: process.id() };
        Ok(Self { _process: process, target })
    }
}

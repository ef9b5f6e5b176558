//! What both servers have in common: a process that answers LDAP on a port of the loopback interface.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::ldap::{Filter, Scope, SearchRequest};

use super::client::Client;
use crate::Result;
use crate::child::{Child, PATIENCE, failure};
use crate::daemon::Target;

/// How often a starting server is asked whether it answers: the resolution of the time to start.
const LOOK: Duration = Duration::from_micros(200);
/// Bytes of a block in the system's count of the blocks of a file.
const BLOCK: u64 = 512;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// OpenLDAP's server
    Slapd,
    /// The project's own
    Netinfod,
}

impl Name {
    /// As tables name it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Slapd => "slapd",
            Self::Netinfod => "netinfod",
        }
    }
}

/// What loading took and made.
#[derive(Debug, Clone, Copy)]
pub struct Loaded {
    /// Until all of it is on disk.
    pub time: Duration,
    /// Bytes of disk the database takes.
    pub bytes: u64,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// Which one.
    pub name: Name,
    /// Where it is reached.
    pub target: Target,
    /// From the start of the process to the first answer.
    pub started_in: Duration,
}

impl Server {
    /// Starts the server that `command` makes for an address, and waits until it answers; its log goes to `log`.
    ///
    /// # Errors
    /// It does not start; the end of its log says why.
    pub fn start(name: Name, log: &Path, command: impl FnOnce(SocketAddr) -> Command) -> Result<Self> {
        let address = free_port()?;
        let mut command = command(address);
        command.stderr(File::create(log)?);
        let start = Instant::now();
        let mut process = Child::start(&mut command)?;
        while answer(address).is_err() {
            if let Some(status) = process.ended()? {
                return Err(failure(log, &format!("{} ended ({status})", name.text())));
            }
            if start.elapsed() > PATIENCE {
                return Err(failure(log, &format!("{} does not get ready", name.text())));
            }
            thread::sleep(LOOK);
        }
        let started_in = start.elapsed();
        let target = Target { address, pid: process.id() };
        Ok(Self { process, name, target, started_in })
    }

    /// Stops it as a service manager would, and waits.
    ///
    /// # Errors
    /// It does not stop in time.
    pub fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// Asks for the root DSE, which everybody may read.
fn answer(address: SocketAddr) -> Result<()> {
    let mut client = Client::open(address)?;
    client.search(SearchRequest::new(b"", Scope::Base, Filter::ALL), None, &mut |_| Ok(()))?;
    Ok(())
}

/// An address nobody listens on. Somebody else may take it before the server does, which the server then says.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Bytes of disk that a folder's files take; holes take none.
///
/// # Errors
/// What the system reported.
pub fn disk_use(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for file in files(folder)? {
        sum += fs::metadata(file)?.blocks() * BLOCK;
    }
    Ok(sum)
}

/// Waits until all of a folder's files is on disk.
///
/// # Errors
/// What the system reported.
pub fn sync(folder: &Path) -> Result<()> {
    files(folder)?.iter().try_for_each(|file| Ok(File::open(file)?.sync_all()?))
}

/// Reads the files of a database, so that they are in the page cache: as many bytes of each as it takes of the disk,
/// because slapadd makes its file as large as the address space for it, and the rest is a hole.
///
/// # Errors
/// What the system reported.
pub fn cache(folder: &Path) -> Result<()> {
    for file in files(folder)? {
        let file = File::open(file)?;
        let bytes = file.metadata()?.blocks() * BLOCK;
        io::copy(&mut file.take(bytes), &mut io::sink())?;
    }
    Ok(())
}

/// Files of a folder and of all those in it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_take_no_room() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        File::create(inner.join("hole")).unwrap().set_len(1 << 30).unwrap();
        fs::write(dir.path().join("data"), vec![1; 100_000]).unwrap();
        sync(dir.path()).unwrap();
        let bytes = disk_use(dir.path()).unwrap();
        assert!((100_000..1_000_000).contains(&bytes), "{bytes}");
    }
}

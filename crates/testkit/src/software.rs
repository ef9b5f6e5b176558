//! Programs that are unpacked beside the system, not installed, and run in a [namespace](crate::namespace).
//!
//! `scripts/clients.sh` unpacks them. [`lay_over`] shows them to one thread, and to what it starts, as if they were
//! installed; [`Daemon`] runs the services among them.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How long a service may take until it does what is waited for.
const START: Duration = Duration::from_secs(30);
/// How long a service may take to end before it is killed.
const END: Duration = Duration::from_secs(5);
/// Pause between two looks.
const POLL: Duration = Duration::from_millis(20);
/// Lines at the end of a service's log that are shown when a test fails.
const TAIL: usize = 200;

/// Where changes of the laid-over directories go: the `/run` of [`isolated`](crate::namespace::isolated), which is in
/// memory.
const CHANGES: &str = "/run/changes";

/// Where the programs have been unpacked.
///
/// # Errors
/// They have not been.
pub fn unpacked() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/root").canonicalize()
}

/// Lays the unpacked programs over `/usr`, `/etc` and `/var` of this thread. What is written there from now on is
/// forgotten with the namespace, and nobody else sees it. Only inside of [`isolated`](crate::namespace::isolated).
///
/// # Panics
/// If the programs have not been unpacked or the mounts cannot be made.
pub fn lay_over() {
    let unpacked = unpacked().unwrap_or_else(|e| panic!("run scripts/clients.sh first: {e}"));
    for name in ["usr", "etc", "var"] {
        let changes = PathBuf::from(CHANGES).join(name);
        for part in ["upper", "work"] {
            let part = changes.join(part);
            fs::create_dir_all(&part).unwrap_or_else(|e| panic!("{}: {e}", part.display()));
        }
        let (unpacked, changes) = (unpacked.display(), changes.display());
        let options =
            format!("lowerdir={unpacked}/{name}:/{name},upperdir={changes}/upper,workdir={changes}/work");
        let place = format!("/{name}");
        mount(Some("overlay"), place.as_str(), Some("overlay"), MsFlags::empty(), Some(options.as_str()))
            .unwrap_or_else(|e| panic!("mount an overlay on {place} ({options}): {e}"));
    }
}

/// A service that a test runs. Dropped, it is ended, with every process it has started.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program that stays in the foreground. It ends with this thread, however that ends.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(words: &[&str]) -> Self {
        let name = Path::new(words[0]).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = PathBuf::from(format!("/run/{name}.log"));
        // One service of a name at a time, and one log for all of them.
        let file = File::options().create(true).append(true).open(&log);
        let file = file.unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        let other = file.try_clone().unwrap_or_else(|e| panic!("dup: {e}"));
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).args(words).current_dir("/");
        command.process_group(0).stdin(Stdio::null()).stdout(file).stderr(other);
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Self { name, child, log }
    }

    /// Waits until `ready` says so.
    ///
    /// # Panics
    /// If it does not in time, or if the service ends before.
    pub fn wait_for(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        let deadline = Instant::now() + START;
        while !ready() {
            let ended = self.child.try_wait().unwrap_or_else(|e| panic!("waitpid: {e}"));
            assert!(ended.is_none(), "{} ended before {what}: {ended:?}", self.name);
            assert!(Instant::now() < deadline, "{}: still not {what}", self.name);
            thread::sleep(POLL);
        }
    }

    /// What it wrote to standard output and standard error.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn stop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // It may have ended by itself.
        let _ = kill(pid, Signal::SIGTERM);
        let deadline = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        // Its process group outlives it if a process of its own does.
        let _ = killpg(pid, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(TAIL)..];
            eprintln!("--- end of the log of {}\n{}\n---", self.name, tail.join("\n"));
        }
    }
}

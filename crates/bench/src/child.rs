//! Child processes that end with the values that stand for them.

use std::fs;
use std::path::Path;
use std::process::{self, ChildStdout, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Failure, Result};

/// How long a process may take until it serves, and to stop.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often a stopping process is looked at.
const LOOK: Duration = Duration::from_millis(2);
/// Lines of a log that an error quotes.
const QUOTED: usize = 5;

/// A child process; killed when the value goes.
#[derive(Debug)]
pub struct Child(process::Child);

impl Child {
    /// Starts a process.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.spawn();
        let name = command.get_program().to_string_lossy();
        Ok(Self(child.map_err(|error| format!("cannot run {name}: {error}"))?))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// What the system reported.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Its standard output, once, if that is a pipe.
    pub fn output(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// Stops it as a service manager would, and waits.
    ///
    /// # Errors
    /// It does not stop in time.
    pub fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.id().cast_signed()), Signal::SIGTERM)?;
        let start = Instant::now();
        while self.ended()?.is_none() {
            if start.elapsed() > PATIENCE {
                return Err(format!("process {} does not stop", self.id()).into());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Either may fail because the process has ended already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An error with the end of the log that explains it.
#[must_use]
pub fn failure(log: &Path, what: &str) -> Failure {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let end: Vec<&str> = text.lines().rev().take(QUOTED).collect();
    format!("{what}; it said: {}", end.into_iter().rev().collect::<Vec<_>>().join(" | ")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_stop_when_asked() {
        let child = Child::start(Command::new("sleep").arg("60")).unwrap();
        child.stop().unwrap();
        let error = Child::start(&mut Command::new("/nonexistent/program")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/program"));
    }

    #[test]
    fn the_end_of_a_log_explains() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        fs::write(&log, "1\n2\n3\n4\n5\n6\n").unwrap();
        assert_eq!(failure(&log, "it ended").to_string(), "it ended; it said: 2 | 3 | 4 | 5 | 6");
    }
}

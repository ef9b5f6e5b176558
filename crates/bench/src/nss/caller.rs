//! The C program that makes the calls: it is what glibc's callers are, and nothing of this project is in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::figures::{Operation, Times, times};
use crate::Result;

const SOURCE: &str = include_str!("caller.c");
/// Processes whose first look-up is timed.
const PROCESSES: usize = 31;
/// Users looked up once.
const COLD: u32 = 200;
/// Repetitions of a listing.
const LISTINGS: usize = 11;

/// The program, compiled.
#[derive(Debug)]
pub struct Caller {
    program: PathBuf,
}

impl Caller {
    /// Compiles it into a folder.
    ///
    /// # Errors
    /// There is no C compiler, or it fails.
    pub fn compile(folder: &Path) -> Result<Self> {
        let (source, program) = (folder.join("caller.c"), folder.join("caller"));
        std::fs::write(&source, SOURCE)?;
        run(Command::new("cc").args(["-O2", "-pthread", "-o"]).args([&program, &source]))?;
        Ok(Self { program })
    }

    /// Whether somebody is found who is known only where the look-ups are to come from.
    #[must_use]
    pub fn finds(&self, users: u32) -> bool {
        run(Command::new(&self.program).arg("first").arg(users.to_string())).is_ok()
    }

    /// The first look-up of a process.
    ///
    /// # Errors
    /// A wrong answer.
    pub fn first(&self, users: u32) -> Result<Times> {
        let one = |_| Ok(self.ask(&["first", &users.to_string()])?.median);
        Ok(times((0..PROCESSES).map(one).collect::<Result<_>>()?))
    }

    /// Users whom nobody has looked up before.
    ///
    /// # Errors
    /// A wrong answer.
    pub fn cold(&self, users: u32) -> Result<Times> {
        self.ask(&["cold", &users.to_string(), &COLD.to_string()])
    }

    /// Calls over and over for a while, of a module alone if one is named.
    ///
    /// # Errors
    /// A wrong answer.
    pub fn warm(
        &self,
        users: u32,
        operation: Operation,
        threads: u32,
        time: Duration,
        module: Option<&str>,
    ) -> Result<Times> {
        self.over_and_over(users, operation.argument(), threads, time, module)
    }

    /// What glibc does at each look-up before all else.
    ///
    /// # Errors
    /// The file is not there.
    pub fn stat(&self, time: Duration) -> Result<Times> {
        self.over_and_over(super::options::USERS_MIN, "stat", 1, time, None)
    }

    fn over_and_over(
        &self,
        users: u32,
        operation: &str,
        threads: u32,
        time: Duration,
        module: Option<&str>,
    ) -> Result<Times> {
        let numbers = [users.to_string(), threads.to_string(), time.as_millis().to_string()];
        let mut words = vec!["warm", &numbers[0], operation, &numbers[1], &numbers[2]];
        words.extend(module);
        self.ask(&words)
    }

    fn ask(&self, words: &[&str]) -> Result<Times> {
        let text = run(Command::new(&self.program).args(words))?;
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(median)), Some(Ok(p99))) => Ok(Times { median, p99 }),
            _ => Err(format!("the caller said {text:?}").into()),
        }
    }
}

/// `ls` of a folder with these options, from its start to its end.
///
/// # Errors
/// It fails.
pub fn listing(options: &str, folder: &Path) -> Result<Times> {
    let one = |_| {
        let start = Instant::now();
        run(Command::new("ls").arg(options).arg(folder))?;
        Ok(start.elapsed().as_nanos() as f64)
    };
    Ok(times((0..LISTINGS).map(one).collect::<Result<_>>()?))
}

/// Runs a command that must succeed, and returns what it prints.
///
/// # Errors
/// It fails.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.env("LC_ALL", "C").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot run {name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{name} failed ({}): {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

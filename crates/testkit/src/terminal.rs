//! Programs that ask for passwords, run on a terminal of their own.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// From the prompt until it can be answered: the echo is switched off before the prompt is written or a moment later, and
/// what was typed before is thrown away then.
const PAUSE: Duration = Duration::from_millis(150);

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; -1 when a signal has ended it.
    pub code: i32,
    /// What it wrote to the terminal.
    pub text: String,
    /// From its start to its end.
    pub took: Duration,
}

impl Ended {
    /// Whether it ended well.
    pub const fn good(&self) -> bool {
        self.code == 0
    }

    /// Asserts that it ended well and said this.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn succeeds(&self, text: &str) {
        assert!(self.good() && self.text.contains(text), "{self:?}");
    }

    /// Asserts that it ended badly and said this.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn fails(&self, text: &str) {
        assert!(!self.good() && self.text.contains(text), "{self:?}");
    }
}

/// The groups of who runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// No group but the first one.
    Clear,
    /// Those that the system finds.
    Init,
}

/// Runs a command of the shell on a terminal, as the user with these numbers; `answers` are what is to be typed at prompts
/// that end so, in this order.
///
/// # Panics
/// If it cannot be run, takes too long, or ends before it has asked everything.
pub fn run(uid: u32, gid: u32, groups: Groups, command: &str, answers: &[(&str, &str)]) -> Ended {
    let begin = Instant::now();
    let groups = if groups == Groups::Clear { "--clear-groups" } else { "--init-groups" };
    let mut child = Command::new("setpriv")
        .args([&format!("--reuid={uid}"), &format!("--regid={gid}"), groups, "--"])
        .args(["script", "-qefc", command, "/dev/null"])
        .current_dir("/")
        .env("LC_ALL", "C")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("setpriv: {e}"));
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        unreachable!("both are pipes")
    };
    let (tell, hear) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stdout.read(&mut buffer) {
            // Whoever does not listen any more has what it wants.
            let _ = tell.send(String::from_utf8_lossy(&buffer[..n]).into_owned());
        }
    });
    let (mut text, mut seen) = (String::new(), 0);
    let mut answers = answers.iter();
    let mut next = answers.next();
    loop {
        assert!(begin.elapsed() < PATIENCE, "{command}: {text}");
        match hear.recv_timeout(Duration::from_millis(100)) {
            Ok(more) => text.push_str(&more),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
        while let Some((prompt, answer)) = next
            && let Some(at) = text[seen..].find(prompt)
        {
            seen += at + prompt.len();
            thread::sleep(PAUSE);
            stdin.write_all(format!("{answer}\n").as_bytes()).unwrap_or_else(|e| panic!("{command}: {e}"));
            next = answers.next();
        }
    }
    drop(stdin);
    let status = child.wait().unwrap_or_else(|e| panic!("{command}: {e}"));
    assert!(reader.join().is_ok(), "{command}: its terminal");
    assert!(next.is_none(), "{command} did not ask {next:?}: {text}");
    Ended { code: status.code().unwrap_or(-1), text, took: begin.elapsed() }
}

//! Runs the program.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use netinfo_testkit::Node;
use serde_json::Value;

/// What a run of the program did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with options that every run has.
pub(crate) struct Tool {
    options: Vec<String>,
    unprivileged: bool,
}

/// User and group id that own nothing.
const NOBODY: u32 = 65_534;

impl Tool {
    /// Over the UNIX socket of a node, as whoever runs the tests: root.
    pub(crate) fn local(node: &Node) -> Self {
        Self::with(["--socket", node.socket().to_str().unwrap()])
    }

    /// On a data directory.
    pub(crate) fn offline(data: &Path) -> Self {
        Self::with(["--data", data.to_str().unwrap()])
    }

    pub(crate) fn with<const N: usize>(options: [&str; N]) -> Self {
        Self { options: options.map(str::to_owned).to_vec(), unprivileged: false }
    }

    /// Run by a user that cannot have a reserved port, and so is nobody in particular to a server.
    pub(crate) fn unprivileged(self) -> Self {
        Self { unprivileged: true, ..self }
    }

    /// Runs a command given as words between blanks.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_with(&line.split_whitespace().collect::<Vec<_>>(), "", &[])
    }

    /// Runs a command with standard input and environment.
    pub(crate) fn run_with(&self, words: &[&str], input: &str, environment: &[(&str, &str)]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netinfo"));
        if self.unprivileged {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command
            .args(&self.options)
            .args(words)
            .env_remove("NETINFO_SOCKET")
            .env_remove("NETINFO_PASSWORD")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end without having read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must succeed, and returns what it prints.
    pub(crate) fn ok(&self, line: &str) -> String {
        self.run(line).ok(line)
    }

    /// Runs a command that must succeed, and returns its JSON.
    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("--json {line}"))).unwrap()
    }

    /// Runs a command that must end with `code`, and returns its JSON.
    pub(crate) fn json_of(&self, code: i32, line: &str) -> Value {
        let run = self.run(&format!("--json {line}"));
        assert_eq!(run.code, code, "{line}: {run:?}");
        serde_json::from_str(&run.out).unwrap()
    }

    /// Runs a command that must fail with `code`, and returns what it says.
    pub(crate) fn fails(&self, code: i32, line: &str) -> String {
        let run = self.run(line);
        assert_eq!(run.code, code, "{line}: {run:?}");
        run.err
    }
}

impl Run {
    pub(crate) fn ok(self, what: &str) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{what}: {self:?}");
        self.out
    }
}

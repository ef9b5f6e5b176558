//! Runs tools as a person at a terminal would, from text like this:
//!
//! ```text
//! $ niutil -read . /nosuch        a command; words in single quotes may hold blanks
//! < a line of standard input
//! a line of standard output
//! ! a line of standard error
//! [105]                           the exit code, if it is not 0
//! ```

use std::fmt::Write;
use std::path::PathBuf;

use netinfo_testkit::Node;
use netinfo_tools::{Io, Reach, Tool, Words};
use zeroize::Zeroizing;

/// Where tools are run.
pub(crate) struct Bench {
    reach: Reach,
    node: Option<Node>,
}

/// What a run did.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
    pub(crate) code: u8,
}

impl Bench {
    /// With a node that serves `local` and its parent `network`, which knows a child domain `alpha`.
    pub(crate) fn with_node() -> Self {
        let node = Node::builder().historical().start();
        node.create_master("network");
        let bench = Self { reach: Reach::new(Some(node.socket())), node: Some(node) };
        bench.ok("niutil -createprop -t localhost/local /machines/alpha serves ./local ../network");
        bench.ok("niutil -createprop -t localhost/network /machines/alpha serves ./network alpha/local");
        bench
    }

    /// Without any.
    pub(crate) fn alone() -> Self {
        Self { reach: Reach::new(Some(PathBuf::from("/nonexistent/netinfod.sock"))), node: None }
    }

    /// The node.
    pub(crate) fn node(&mut self) -> &mut Node {
        self.node.as_mut().unwrap()
    }

    /// A file with this content beside the node's own.
    pub(crate) fn node_file(&self, name: &str, content: &[u8]) -> String {
        let path = self.node.as_ref().unwrap().dir().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs one command.
    pub(crate) fn run(&self, words: &[&str], input: &[u8]) -> Run {
        let mut run = Run::default();
        let mut stdin = input;
        let mut ask = |_: &str| Err(std::io::Error::other("no terminal"));
        let mut io = Io {
            stdin: &mut stdin,
            stdout: &mut run.out,
            stderr: &mut run.err,
            terminal: false,
            ask: &mut ask,
            reach: self.reach.clone(),
            intact: true,
        };
        let args: Words = words[1..].iter().map(|word| Zeroizing::new(word.as_bytes().to_vec())).collect();
        run.code =
            netinfo_tools::run(Tool::named(words[0].as_bytes()).unwrap(), words[0].as_bytes(), args, &mut io);
        run
    }

    /// Runs one command that must do well without a word of complaint, and returns what it prints.
    #[track_caller]
    pub(crate) fn ok(&self, line: &str) -> String {
        self.ok_with(line, b"")
    }

    /// The same with standard input.
    #[track_caller]
    pub(crate) fn ok_with(&self, line: &str, input: &[u8]) -> String {
        let words = words(line);
        let run = self.run(&words.iter().map(String::as_str).collect::<Vec<_>>(), input);
        assert_eq!((run.code, String::from_utf8_lossy(&run.err)), (0, "".into()), "{line}");
        String::from_utf8(run.out).unwrap()
    }

    /// Runs all commands of a text and compares what they do with what it says.
    #[track_caller]
    pub(crate) fn play(&self, text: &str) {
        let mut played = String::new();
        let mut lines = text.lines().skip_while(|line| line.is_empty()).peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            writeln!(played, "{line}").unwrap();
            let mut input = String::new();
            while let Some(line) = lines.next_if(|line| line.starts_with('<')) {
                writeln!(played, "{line}").unwrap();
                writeln!(input, "{}", line.strip_prefix("< ").unwrap_or_default()).unwrap();
            }
            let words = words(command);
            let run = self.run(&words.iter().map(String::as_str).collect::<Vec<_>>(), input.as_bytes());
            played.push_str(&String::from_utf8_lossy(&run.out));
            if !run.out.is_empty() && !run.out.ends_with(b"\n") {
                played.push('\n');
            }
            // Of a usage text the first line will do.
            let mut in_usage = false;
            for line in String::from_utf8_lossy(&run.err).lines() {
                if in_usage && (line.is_empty() || line.starts_with([' ', '\t']) || line.ends_with(':')) {
                    continue;
                }
                in_usage = line.starts_with("usage: nicl");
                writeln!(played, "! {line}").unwrap();
            }
            if run.code != 0 {
                writeln!(played, "[{}]", run.code).unwrap();
            }
        }
        let expected: String =
            text.lines().skip_while(|line| line.is_empty()).fold(String::new(), |mut all, line| {
                writeln!(all, "{line}").unwrap();
                all
            });
        assert!(played == expected, "\n--- played\n{played}--- expected\n{expected}");
    }
}

/// The words of a command line: between blanks, or in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap(),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

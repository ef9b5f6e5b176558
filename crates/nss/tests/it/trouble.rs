//! A daemon that is away, dies, or says nothing.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use netinfo_wire::lookup::SOCKET;

use crate::c_program::{callers, entries, fill};
use crate::daemon::{Daemon, Manners};
use crate::stage::{Stage, stage, text};

/// How long the module waits, and a while for a busy machine.
const BOUND: Duration = Duration::from_secs(2 + 6);

/// Looks alice up: the time in seconds, the error and whether she was found.
fn once(stage: &Stage, how: &str) -> (f64, i32, bool) {
    let output = stage.command(callers(stage)).arg(how).output().unwrap();
    let printed = text(&output);
    let mut words = printed.split_ascii_whitespace();
    let mut word = || words.next().unwrap();
    (word().parse().unwrap(), word().parse().unwrap(), word() == "1")
}

#[test]
fn without_a_daemon_there_is_an_answer_at_once() {
    stage(|stage| {
        let (seconds, _, found) = once(stage, "once");
        assert!(!found && seconds < 1.0, "{seconds}");
        // A socket that nobody listens at.
        drop(std::os::unix::net::UnixListener::bind(SOCKET).unwrap());
        let (seconds, error, found) = once(stage, "once");
        assert!(!found && seconds < 1.0, "{seconds}");
        assert_eq!(error, 111, "ECONNREFUSED");
        for database in ["passwd", "hosts", "rpc", "netgroup x", "aliases", "shadow"] {
            let before = Instant::now();
            let (printed, _) = stage.getent(database);
            assert_eq!(printed, "");
            assert!(before.elapsed() < BOUND);
        }
    });
}

#[test]
fn a_silent_daemon_is_given_up() {
    stage(|stage| {
        let daemon = Daemon::start(entries(), &[]);
        daemon.behave(Manners::Silent);
        for how in ["once", "interrupted"] {
            let (seconds, error, found) = once(stage, how);
            assert!((1.9..BOUND.as_secs_f64()).contains(&seconds), "{how}: {seconds}");
            assert_eq!((error, found), (110, false), "{how}: ETIMEDOUT");
        }
        daemon.behave(Manners::Good);
        assert!(once(stage, "interrupted").2);
    });
}

#[test]
fn a_daemon_that_dies_in_the_middle_of_a_call() {
    stage(|stage| {
        let daemon = Daemon::start(entries(), &[]);
        for manners in [Manners::HangUp, Manners::HalfReply, Manners::Nonsense] {
            daemon.behave(manners);
            let (seconds, error, found) = once(stage, "once");
            assert!(!found && seconds < 1.0, "{seconds}");
            assert!(matches!(error, 71 | 104), "{error}: EPROTO or ECONNRESET");
            assert_eq!(stage.getent("passwd").0, "");
        }
        daemon.behave(Manners::Slow);
        assert!(once(stage, "once").2);
    });
}

#[test]
fn a_table_outlives_the_daemon() {
    stage(|stage| {
        let daemon = Daemon::start(entries(), &[]);
        daemon.behave(Manners::HangUp);
        let _publisher = stage.publish(fill);
        assert!(once(stage, "once").2);
        fs::remove_file(SOCKET).unwrap();
        assert!(once(stage, "once").2);
        assert_eq!(stage.getent("hosts ada").0, "");
    });
}

#[test]
fn nothing_is_wrong_with_memory() {
    stage(|stage| {
        let daemon = Daemon::start(entries(), &[("alice", &[20, 21])]);
        let checked = |words: &str| {
            let mut command: Command = stage.command("valgrind");
            command.args([
                "-q",
                "--error-exitcode=99",
                "--leak-check=full",
                "--errors-for-leak-kinds=definite",
            ]);
            command.arg("getent").args(words.split(' '));
            let output = command.output().unwrap();
            assert_ne!(output.status.code(), Some(99), "{words}: {}", output.stderr.escape_ascii());
            text(&output)
        };
        let asked = [
            "passwd alice",
            "passwd",
            "group staff",
            "group",
            "initgroups alice",
            "hosts ada",
            "hosts",
            "ahosts ada",
            "hosts 10.0.0.7",
            "services dns",
            "services",
            "netgroup x",
            "networks x",
            "shadow",
        ];
        let answers: Vec<String> = asked.iter().map(|words| checked(words)).collect();
        assert!(answers[0].starts_with("alice:") && answers[4].contains("20 21"), "{answers:?}");
        let _publisher = stage.publish(fill);
        for (words, answer) in asked.iter().zip(answers) {
            assert_eq!(checked(words), answer, "{words}");
        }
        daemon.behave(Manners::HalfReply);
        checked("hosts ada");
    });
}

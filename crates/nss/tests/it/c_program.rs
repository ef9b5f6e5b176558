//! Threads, forks, small buffers, descriptors: callers written in C.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use netinfo_table::{Builder, Group, Passwd, Service, Use};
use netinfo_wire::lookup::{self, Entry, EntryBuf, Host, ListBuf};

use crate::daemon::Daemon;
use crate::stage::{Stage, stage, text};

/// Compiles the callers.
pub(crate) fn callers(stage: &Stage) -> PathBuf {
    let program = stage.path().join("callers");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/callers.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(&program).arg(source);
    let output = compiler.output().unwrap();
    assert!(output.status.success(), "{}", output.stderr.escape_ascii());
    program
}

/// Runs one of them; it must end well.
fn run(stage: &Stage, words: &str) -> String {
    let output = stage.command(callers(stage)).args(words.split(' ')).output().unwrap();
    let printed = text(&output);
    assert!(output.status.success(), "{words}: {:?} {printed}", output.status);
    printed
}

/// What the callers expect.
pub(crate) fn fill(builder: &mut Builder) {
    for (name, uid) in [(&b"alice"[..], 501), (b"bob", 502)] {
        let user = Passwd {
            name,
            passwd: b"x",
            uid,
            gid: 20,
            gecos: b"G",
            home: b"/h",
            shell: b"/s",
            ..Passwd::default()
        };
        builder.passwd(&user, Use::Both);
    }
    builder.group(
        &Group { name: b"staff", passwd: b"*", gid: 20, members: &[b"alice", b"bob"], ..Group::default() },
        Use::Both,
    );
    builder.groups_of(b"alice", &[20, 21]);
    builder.service(&Service { name: b"domain", protocol: b"udp", port: 53, aliases: &[b"dns"] }, Use::Both);
}

/// The same from the daemon.
pub(crate) fn entries() -> Vec<EntryBuf> {
    let list = |strings: &[&[u8]]| {
        let mut list = ListBuf::new();
        strings.iter().for_each(|string| assert!(list.push(string)));
        list
    };
    let user = |name, uid| {
        let (gecos, home, shell) = (&b"G"[..], &b"/h"[..], &b"/s"[..]);
        Entry::Passwd(lookup::Passwd { name, passwd: b"x", uid, gid: 20, gecos, home, shell })
    };
    let (members, aliases, addresses) = (list(&[b"alice", b"bob"]), list(&[b"dns"]), list(&[&[10, 0, 0, 7]]));
    let (members, none) = (members.as_list(), ListBuf::new());
    let entries = [
        user(b"alice", 501),
        user(b"bob", 502),
        Entry::Group(lookup::Group { name: b"staff", passwd: b"*", gid: 20, members }),
        Entry::Service(lookup::Service {
            name: b"domain",
            aliases: aliases.as_list(),
            port: 53,
            protocol: b"udp",
        }),
        Entry::Host(Host { name: b"ada", aliases: none.as_list(), addresses: addresses.as_list() }),
        Entry::Host(Host { name: b"bert", aliases: none.as_list(), addresses: addresses.as_list() }),
    ];
    entries.iter().map(|entry| EntryBuf::new(entry).unwrap()).collect()
}

#[test]
fn threads_while_the_table_is_replaced_all_the_time() {
    stage(|stage| {
        let _daemon = Daemon::start(entries(), &[]);
        thread::scope(|scope| {
            let running = scope.spawn(|| run(stage, "threads 2"));
            let mut tables = 0;
            while !running.is_finished() {
                // With pauses of every kind: live, retired, gone.
                let publisher = stage.publish(fill);
                thread::sleep(Duration::from_micros(tables % 7 * 300));
                if tables % 3 == 0 {
                    publisher.retire().unwrap();
                    thread::sleep(Duration::from_micros(300));
                }
                tables += 1;
            }
            assert!(tables > 100);
            running.join().unwrap();
        });
    });
}

#[test]
fn threads_that_ask_the_daemon() {
    stage(|stage| {
        let daemon = Daemon::start(entries(), &[]);
        run(stage, "threads 1");
        assert!(daemon.calls() > 100);
    });
}

#[test]
fn children_of_threaded_processes() {
    stage(|stage| {
        let _daemon = Daemon::start(entries(), &[]);
        run(stage, "forks 1");
        thread::scope(|scope| {
            let running = scope.spawn(|| run(stage, "forks 2"));
            while !running.is_finished() {
                let _publisher = stage.publish(fill);
                thread::sleep(Duration::from_millis(1));
            }
            running.join().unwrap();
        });
    });
}

#[test]
fn small_buffers() {
    stage(|stage| {
        let _daemon = Daemon::start(entries(), &[]);
        run(stage, "small");
        let _publisher = stage.publish(fill);
        run(stage, "small");
    });
}

#[test]
fn descriptors() {
    stage(|stage| {
        let _daemon = Daemon::start(entries(), &[]);
        run(stage, "descriptors");
        let publisher = stage.publish(fill);
        run(stage, "descriptors");
        publisher.retire().unwrap();
        run(stage, "descriptors");
    });
}

#[test]
fn the_table_needs_no_system_calls() {
    stage(|stage| {
        let _publisher = stage.publish(fill);
        assert_eq!(run(stage, "alone"), "done\n");
    });
}

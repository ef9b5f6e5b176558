//! What a look-up costs its caller, through glibc: `cargo bench -p netinfo-nss`. Needs root and a C compiler.
//!
//! A C program measures; it runs in a mount namespace of its own, where everything is `netinfo`. For comparison it looks the
//! same users up in the machine's files.

#![allow(clippy::unwrap_used, reason = "a measurement that fails may end")]
#![allow(missing_docs, reason = "a program")]
#![allow(dead_code, reason = "the stage serves tests, too")]

#[path = "../tests/it/stage.rs"]
mod stage;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use netinfo_table::{Builder, Group, Passwd, Use};
use nix::mount::{MsFlags, mount};

use crate::stage::{Stage, stage, text};

fn main() {
    stage(|stage| {
        let program = compile(stage);
        for users in [10_000, 100_000] {
            let names: Vec<String> = (0..users).map(|number| format!("user{number}")).collect();
            let _publisher = stage.publish(|builder| fill(builder, &names));
            let size = fs::metadata(netinfo_table::PATH).unwrap().len();
            println!("# {users} users, a table of {} KiB", size >> 10);
            print!("{}", speed(stage, &program, users));
        }
        println!("# files of 10000 users");
        files(stage);
        print!("{}", speed(stage, &program, 10_000));
    });
}

fn compile(stage: &Stage) -> PathBuf {
    let program = stage.path().join("callers");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/callers.c");
    let compiled = Command::new("cc").args(["-O2", "-pthread", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.unwrap().success());
    program
}

fn speed(stage: &Stage, program: &PathBuf, users: usize) -> String {
    let output = stage.command(program).arg("speed").arg(users.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", output.stderr.escape_ascii());
    text(&output)
}

fn fill(builder: &mut Builder, names: &[String]) {
    for (uid, name) in (0..).zip(names) {
        let name = name.as_bytes();
        let (gecos, home, shell) = (&b"Some Body"[..], &b"/home/somebody"[..], &b"/bin/bash"[..]);
        let user = Passwd { name, passwd: b"x", uid, gid: 20, gecos, home, shell, ..Passwd::default() };
        builder.passwd(&user, Use::Both);
    }
    let members: Vec<&[u8]> = names[..10].iter().map(|name| name.as_bytes()).collect();
    let gids: Vec<u32> = (10_000..10_100).collect();
    for gid in &gids {
        let name = format!("group{}", gid - 10_000);
        let (name, members) = (name.as_bytes(), members.as_slice());
        let group = Group { name, passwd: b"*", gid: *gid, members, ..Group::default() };
        builder.group(&group, Use::Both);
    }
    builder.groups_of(b"busy", &gids);
}

/// Puts the same into the machine's files.
fn files(stage: &Stage) {
    let users: String =
        (0..10_000).map(|n| format!("user{n}:x:{n}:20:Some Body:/home/somebody:/bin/bash\n")).collect();
    let groups: String = (0..100)
        .map(|n| {
            let members: Vec<String> = (0..10).map(|member| format!("user{member}")).collect();
            format!("group{n}:*:{}:busy,{}\n", 10_000 + n, members.join(","))
        })
        .collect();
    let none: Option<&str> = None;
    for (name, content) in
        [("passwd", users.as_str()), ("group", &groups), ("nsswitch.conf", "passwd: files\ngroup: files\n")]
    {
        let file = stage.path().join(format!("{name}.files"));
        fs::write(&file, content).unwrap();
        let place = format!("/etc/{name}");
        mount(Some(&file), place.as_str(), none, MsFlags::MS_BIND, none).unwrap();
    }
}

//! Answers from the published table.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use netinfo_table::{Builder, Group, PATH, Passwd, Publisher, Section, Service, Use, status};

use nix::mount::{MsFlags, mount};

use crate::daemon::Daemon;
use crate::stage::{Stage, stage, text};

fn user(builder: &mut Builder, name: &[u8], uid: u32) {
    let gecos = b"From the table";
    builder.passwd(
        &Passwd { name, passwd: b"x", uid, gid: 20, gecos, home: b"/h", shell: b"/s", ..Passwd::default() },
        Use::Both,
    );
}

fn fill(builder: &mut Builder) {
    user(builder, b"alice", 501);
    user(builder, b"bob", 502);
    builder.group(
        &Group { name: b"staff", passwd: b"*", gid: 20, members: &[b"alice", b"bob"], ..Group::default() },
        Use::Both,
    );
    builder.groups_of(b"alice", &[20, 21]);
    builder.service(&Service { name: b"domain", protocol: b"udp", port: 53, aliases: &[b"dns"] }, Use::Both);
}

fn alice(stage: &Stage) -> (String, i32) {
    stage.getent("passwd alice")
}

fn from_table() -> (String, i32) {
    ("alice:x:501:20:From the table:/h:/s\n".into(), 0)
}

fn missing() -> (String, i32) {
    (String::new(), 2)
}

#[test]
fn everything_in_the_table_without_a_daemon() {
    stage(|stage| {
        let _publisher = stage.publish(fill);
        assert_eq!(alice(stage), from_table());
        assert_eq!(stage.getent("passwd 502").0, "bob:x:502:20:From the table:/h:/s\n");
        assert_eq!(stage.getent("passwd").0.lines().count(), 2);
        assert_eq!(stage.getent("group 20").0, "staff:*:20:alice,bob\n");
        assert_eq!(stage.getent("group staff").0, "staff:*:20:alice,bob\n");
        assert_eq!(stage.getent("group").0, "staff:*:20:alice,bob\n");
        assert_eq!(stage.getent("services dns/udp").0, "domain                53/udp dns\n");
        assert_eq!(stage.getent("services 53").0, "domain                53/udp dns\n");
        assert_eq!(stage.getent("services").0, "domain                53/udp dns\n");
        let id = text(&stage.command("id").arg("alice").output().unwrap());
        assert_eq!(id, "uid=501(alice) gid=20(staff) groups=20(staff),21\n");
        for miss in ["passwd carol", "passwd 503", "group 21", "services domain/tcp", "services 54"] {
            assert_eq!(stage.getent(miss), missing(), "{miss}");
        }
    });
}

#[test]
fn a_complete_table_leaves_nothing_to_ask_for() {
    stage(|stage| {
        let daemon = Daemon::start(Vec::new(), &[]);
        let publisher = stage.publish(fill);
        for words in [
            "passwd alice",
            "passwd carol",
            "passwd 7",
            "group 7",
            "services x",
            "initgroups carol",
            "passwd",
        ] {
            stage.getent(words);
        }
        assert_eq!(daemon.calls(), 0);
        publisher.retire().unwrap();
        assert_eq!(alice(stage), missing());
        assert_eq!(daemon.calls(), 1);
        publisher.activate().unwrap();
        assert_eq!(alice(stage), from_table());
        assert_eq!(daemon.calls(), 0);
        let _publisher = stage.publish(|builder| {
            fill(builder);
            builder.look_ups_incomplete(Section::Passwd);
            builder.list_incomplete(Section::Group);
        });
        assert_eq!(alice(stage), from_table());
        assert_eq!(daemon.calls(), 0);
        assert_eq!(stage.getent("passwd carol"), missing());
        assert_eq!(stage.getent("group"), (String::new(), 0));
        assert_eq!(daemon.calls(), 2);
    });
}

#[test]
fn ten_thousand_users_and_a_group_of_them() {
    stage(|stage| {
        let names: Vec<String> = (0..10_000).map(|number| format!("user{number}")).collect();
        let members: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let _publisher = stage.publish(|builder| {
            (0..).zip(&members).for_each(|(uid, name)| user(builder, name, uid));
            builder.group(
                &Group { name: b"all", passwd: b"*", gid: 1, members: &members, ..Group::default() },
                Use::Both,
            );
        });
        let (all, _) = stage.getent("passwd");
        assert!(all.lines().enumerate().all(|(n, line)| line.starts_with(&format!("user{n}:x:{n}:"))));
        assert_eq!(all.lines().count(), 10_000);
        assert_eq!(stage.getent("group all").0, format!("all:*:1:{}\n", names.join(",")));
        assert_eq!(stage.getent("group 1").0.len(), stage.getent("group").0.len());
    });
}

/// Rewrites the table with `change`, keeps its checksum right if `forge`, and asks for everything.
fn with_changed(stage: &Stage, forge: bool, change: impl FnOnce(&mut Vec<u8>)) {
    let mut builder = Builder::new();
    fill(&mut builder);
    let mut image = builder.finish().unwrap();
    change(&mut image);
    if forge {
        let sum = crc32c::crc32c(&image[4..]);
        image[..4].copy_from_slice(&sum.to_le_bytes());
    }
    Publisher::new(PATH).unwrap().publish(&image).unwrap();
    for words in
        ["passwd alice", "passwd 501", "passwd", "group staff", "group", "services dns", "initgroups alice"]
    {
        let output = stage.command("getent").args(words.split(' ')).output().unwrap();
        assert!(output.status.code().is_some(), "getent {words}: {:?}", output.status);
    }
}

#[test]
fn a_torn_table_is_not_believed() {
    stage(|stage| {
        with_changed(stage, false, |image| *image.last_mut().unwrap() ^= 1);
        assert_eq!(alice(stage), missing());
        with_changed(stage, false, |image| image.truncate(image.len() - 8));
        assert_eq!(alice(stage), missing());
        with_changed(stage, false, |image| image[200..].fill(0));
        assert_eq!(alice(stage), missing());
        with_changed(stage, false, Vec::clear);
        assert_eq!(alice(stage), missing());
        fs::write(PATH, "").unwrap();
        assert_eq!(alice(stage), missing());
        fs::write(PATH, vec![0; status::PAGE * 2]).unwrap();
        assert_eq!(alice(stage), missing());
        // As before, once there is a good one.
        let _publisher = stage.publish(fill);
        assert_eq!(alice(stage), from_table());
    });
}

#[test]
fn large_tables_are_read_through_only_where_a_crash_may_have_torn_them() {
    stage(|stage| {
        let names: Vec<String> = (0..60_000).map(|number| format!("user{number}")).collect();
        let mut builder = Builder::new();
        (0..).zip(&names).for_each(|(uid, name)| user(&mut builder, name.as_bytes(), uid));
        let mut image = builder.finish().unwrap();
        assert!(image.len() > 4 << 20);
        image[0] ^= 1;
        Publisher::new(PATH).unwrap().publish(&image).unwrap();
        assert_eq!(stage.getent("passwd user7").1, 0);
        // Another kind of file system, to the module as good as a disk.
        let other = Some("ramfs");
        mount(other, "/run/netinfo", other, MsFlags::empty(), Some("mode=755")).unwrap();
        Publisher::new(PATH).unwrap().publish(&image).unwrap();
        assert_eq!(stage.getent("passwd user7"), missing());
        image[0] ^= 1;
        Publisher::new(PATH).unwrap().publish(&image).unwrap();
        assert_eq!(stage.getent("passwd user7").1, 0);
    });
}

#[test]
fn a_hostile_table_kills_nobody() {
    stage(|stage| {
        // The header word by word, and then some of what comes behind it.
        for word in (16..128).step_by(4).chain((128..500).step_by(28)) {
            let value: u32 = if word % 8 == 0 { u32::MAX } else { 0x7fff_fffc };
            with_changed(stage, true, |image| image[word..word + 4].copy_from_slice(&value.to_le_bytes()));
        }
    });
}

#[test]
fn a_table_of_anybody_elses_is_not_believed() {
    stage(|stage| {
        let _publisher = stage.publish(fill);
        assert_eq!(alice(stage), from_table());
        chown(PATH, Some(65_534), None).unwrap();
        assert_eq!(alice(stage), missing());
        chown("/run/netinfo", Some(65_534), None).unwrap();
        assert_eq!(alice(stage), from_table());
        for (path, mode) in [(PATH, 0o646), ("/run/netinfo", 0o775)] {
            let before = fs::metadata(path).unwrap().mode();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(alice(stage), missing());
            fs::set_permissions(path, fs::Permissions::from_mode(before)).unwrap();
            assert_eq!(alice(stage), from_table());
        }
        let aside = "/run/netinfo/aside";
        fs::rename(PATH, aside).unwrap();
        std::os::unix::fs::symlink(aside, PATH).unwrap();
        assert_eq!(alice(stage), missing());
    });
}

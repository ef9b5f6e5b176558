//! The whole way: a real daemon, its table and its sockets, and programs that look things up.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_table::PATH;
use netinfo_table::status::{LIVE, Status};
use netinfo_testkit::Node;
use netinfo_wire::lookup::SOCKET;
use nix::mount::{MsFlags, mount};

use crate::stage::{Stage, stage, text};

/// Files of a machine; with seed `machine` a new domain takes over what is in them.
const FILES: [(&str, &str); 6] = [
    (
        "passwd",
        "root:x:0:0:root:/root:/bin/sh\nalice:x:501:20:Alice A:/home/alice:/bin/sh\nbob:x:502:20:Bob:/:/bin/sh\n",
    ),
    (
        "shadow",
        "root:*:19000:0:99999:7:::\nalice:$6$salt$hash:19000:0:99999:7:::\nbob:*:19000:0:99999:7:::\n",
    ),
    ("group", "root:x:0:\nstaff:x:20:bob\ngames:x:60:alice,bob\n"),
    ("services", "domain 53/tcp dns\ndomain 53/udp dns\nntp 123/udp\n"),
    ("protocols", "ospf 89 OSPFIGP\n"),
    ("hosts", "127.0.0.1 localhost\n10.1.2.3 ada.example.org ada\n"),
];

fn start(stage: &Stage) -> Node {
    let none: Option<&str> = None;
    for (name, content) in FILES {
        let file = stage.path().join(name);
        fs::write(&file, content).unwrap();
        let place = format!("/etc/{name}");
        assert!(fs::exists(&place).unwrap(), "{place}");
        mount(Some(&file), place.as_str(), none, MsFlags::MS_BIND, none).unwrap();
    }
    let node = Node::builder().seed("machine").listen("lookup", SOCKET).start();
    wait();
    node
}

/// Waits for a table.
fn wait() {
    let live = || Status::parse(&fs::read(PATH).ok()?).map(|status| status.state == LIVE);
    let begin = Instant::now();
    while live() != Some(true) {
        assert!(begin.elapsed() < Duration::from_secs(20), "no table");
        sleep(Duration::from_millis(5));
    }
}

/// What is asked, and what is answered, blanks squeezed.
const ANSWERS: [(&str, &str); 16] = [
    ("passwd alice", "alice:x:501:20:Alice A:/home/alice:/bin/sh\n"),
    ("passwd 502", "bob:x:502:20:Bob:/:/bin/sh\n"),
    (
        "passwd",
        "root:x:0:0:root:/root:/bin/sh\nalice:x:501:20:Alice A:/home/alice:/bin/sh\nbob:x:502:20:Bob:/:/bin/sh\n",
    ),
    ("passwd nobody", ""),
    ("group staff", "staff:x:20:bob\n"),
    ("group 60", "games:x:60:alice,bob\n"),
    ("initgroups alice", "alice 20 60\n"),
    ("services dns/udp", "domain 53/udp dns\n"),
    ("services 123", "ntp 123/udp\n"),
    ("services 124", ""),
    ("protocols 89", "ospf 89 OSPFIGP\n"),
    ("hosts ada", "10.1.2.3 ada.example.org ada\n"),
    ("hosts 10.1.2.3", "10.1.2.3 ada.example.org ada\n"),
    ("hosts unknown", ""),
    ("shadow bob", "bob:*:::::::\n"),
    ("shadow nobody", ""),
];

fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn a_machine_known_by_its_daemon_alone() {
    stage(|stage| {
        let mut node = start(stage);
        for (words, answer) in ANSWERS {
            assert_eq!(squeezed(&stage.getent(words).0), answer, "{words}");
        }
        let id = text(&stage.command("id").arg("alice").output().unwrap());
        assert_eq!(id, "uid=501(alice) gid=20(staff) groups=20(staff),60(games)\n");
        // Hashes are for the superuser, and in no table.
        assert!(stage.getent("shadow alice").0.starts_with("alice:$6$salt$hash:"));
        assert!(!fs::read(PATH).unwrap().windows(4).any(|bytes| bytes == b"hash"));
        let mut other = stage.command("setpriv");
        other.args(["--reuid=65534", "--regid=65534", "--clear-groups", "getent", "shadow", "alice"]);
        let output = other.output().unwrap();
        assert_eq!((output.stdout.as_slice(), output.status.success()), (&b""[..], false));
        // The same without the table.
        fs::remove_file(PATH).unwrap();
        for (words, answer) in ANSWERS {
            assert_eq!(squeezed(&stage.getent(words).0), answer, "{words} from the socket");
        }
        // Killed, and begun anew: the table is there again.
        node.kill9();
        assert_eq!(stage.getent("passwd alice").0, "");
        node.launch();
        wait();
        assert_eq!(squeezed(&stage.getent("passwd alice").0), ANSWERS[0].1);
        node.kill9();
        assert_eq!(squeezed(&stage.getent("passwd alice").0), ANSWERS[0].1);
        assert_eq!(stage.getent("hosts ada").0, "");
    });
}

#[test]
fn a_daemon_that_looks_its_own_user_up() {
    stage(|stage| {
        let mut node = start(stage);
        node.terminate();
        fs::remove_file(PATH).unwrap();
        drop(node);
        // The module in the daemon itself, with neither a table nor anybody else to ask: it starts all the same.
        let node = Node::builder()
            .seed("machine")
            .listen("lookup", SOCKET)
            .environment("LD_LIBRARY_PATH", stage.path())
            .start();
        wait();
        assert_eq!(squeezed(&stage.getent("passwd alice").0), ANSWERS[0].1, "{}", node.log());
    });
}

#[test]
fn a_daemon_that_gives_up_its_privileges_keeps_its_table() {
    const NOBODY: u32 = 65_534;
    stage(|stage| {
        let root = start(stage);
        let old = fs::metadata(PATH).unwrap();
        assert_eq!(old.uid(), 0);
        drop(root);
        fs::write("/etc/nsswitch.conf", "passwd: files netinfo\n").unwrap();
        let passwd = stage.path().join("passwd");
        fs::write(&passwd, format!("{}nobody:x:{NOBODY}:{NOBODY}:x:/:/bin/sh\n", FILES[0].1)).unwrap();
        let builder = Node::builder().seed("machine").listen("lookup", SOCKET).owner(NOBODY, NOBODY);
        let mut node = builder.arg("--user").arg("nobody").start();
        let new = || fs::metadata(PATH).is_ok_and(|found| found.ino() != old.ino() && found.uid() == NOBODY);
        let begin = Instant::now();
        while !new() {
            assert!(begin.elapsed() < Duration::from_secs(20), "no table\n{}", node.log());
            sleep(Duration::from_millis(5));
        }
        wait();
        node.kill9();
        fs::write("/etc/nsswitch.conf", "passwd: netinfo\n").unwrap();
        assert_eq!(squeezed(&stage.getent("passwd alice").0), ANSWERS[0].1);
    });
}

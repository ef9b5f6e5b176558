//! `getent`, `id` and `groups` of every database, from the daemon.

use netinfo_wire::lookup::{
    Alias, Entry, EntryBuf, Ether, Group, Host, ListBuf, Netgroup, Network, Passwd, Protocol, Rpc, Service,
    Shadow,
};

use crate::daemon::Daemon;
use crate::stage::{Stage, stage, text};

fn list<'a>(strings: impl IntoIterator<Item = &'a [u8]>) -> ListBuf {
    let mut list = ListBuf::new();
    strings.into_iter().for_each(|string| assert!(list.push(string)));
    list
}

fn words(words: &str) -> ListBuf {
    list(words.split_ascii_whitespace().map(str::as_bytes))
}

fn user(name: &[u8], uid: u32) -> EntryBuf {
    let (gecos, home, shell) = (&b"Somebody"[..], &b"/home/x"[..], &b"/bin/sh"[..]);
    EntryBuf::new(&Entry::Passwd(Passwd { name, passwd: b"x", uid, gid: 20, gecos, home, shell })).unwrap()
}

fn group(name: &str, gid: u32, members: &ListBuf) -> EntryBuf {
    let (name, passwd, members) = (name.as_bytes(), &b"*"[..], members.as_list());
    EntryBuf::new(&Entry::Group(Group { name, passwd, gid, members })).unwrap()
}

fn entry(entry: &Entry<'_>) -> EntryBuf {
    EntryBuf::new(entry).unwrap()
}

fn entries() -> Vec<EntryBuf> {
    let (none, v4) = (ListBuf::new(), [10, 0, 0, 7]);
    let v6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    let empty = none.as_list();
    vec![
        user(b"alice", 501),
        user(b"bob", 502),
        // Cannot be said in C, and must be in nobody's way.
        user(b"not\0there", 503),
        user(b"J\xfcrgen \"odd\" \\", 504),
        user(b"zo\xc3\xab", 505),
        entry(&Entry::Shadow(Shadow {
            name: b"alice",
            passwd: b"$6$x$y",
            last_change: 19000,
            min: -1,
            max: 99,
            warn: 7,
            inactive: -1,
            expire: 20000,
        })),
        group("staff", 20, &words("alice bob")),
        group("empty", 21, &none),
        entry(&Entry::Host(Host {
            name: b"ada",
            aliases: words("ada.example.org").as_list(),
            addresses: list([&v4[..], &v6]).as_list(),
        })),
        entry(&Entry::Host(Host { name: b"six", aliases: empty, addresses: list([&v6[..]]).as_list() })),
        entry(&Entry::Host(Host { name: b"nowhere", aliases: empty, addresses: empty })),
        entry(&Entry::Network(Network {
            name: b"lab",
            aliases: words("laboratory").as_list(),
            number: 0xac10,
        })),
        entry(&Entry::Service(Service {
            name: b"domain",
            aliases: words("dns nameserver").as_list(),
            port: 53,
            protocol: b"udp",
        })),
        entry(&Entry::Service(Service { name: b"domain", aliases: empty, port: 53, protocol: b"tcp" })),
        entry(&Entry::Protocol(Protocol { name: b"ospf", aliases: words("OSPFIGP").as_list(), number: 89 })),
        entry(&Entry::Rpc(Rpc { name: b"nibindd", aliases: words("binder").as_list(), number: 200_100_001 })),
        entry(&Entry::Ether(Ether { name: b"ada", address: [0, 5, 2, 0xfe, 0xef, 0x4b] })),
        entry(&Entry::Alias(Alias {
            name: b"postmaster",
            members: words("alice bob@example.org").as_list(),
            local: true,
        })),
        entry(&Entry::Netgroup(Netgroup {
            name: b"trusted",
            triples: list([&b"ada"[..], b"alice", b"", b"", b"bob", b"-"]).as_list(),
        })),
    ]
}

/// Asserts what `getent` prints for these words, and that it finds something at all.
#[track_caller]
fn prints(stage: &Stage, words: &str, expected: &str) {
    let squeezed = |text: &str| {
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect::<String>()
    };
    let (printed, status) = stage.getent(words);
    assert_eq!((squeezed(&printed).as_str(), status), (expected, 0), "getent {words}");
}

#[track_caller]
fn misses(stage: &Stage, words: &str) {
    assert_eq!(stage.getent(words), (String::new(), 2), "getent {words}");
}

#[test]
fn accounts() {
    stage(|stage| {
        let _daemon = Daemon::start(entries(), &[("alice", &[20, 21, 30]), ("bob", &[20])]);
        prints(stage, "passwd alice", "alice:x:501:20:Somebody:/home/x:/bin/sh\n");
        prints(stage, "passwd 502", "bob:x:502:20:Somebody:/home/x:/bin/sh\n");
        misses(stage, "passwd carol");
        misses(stage, "passwd 503");
        let all = "alice:x:501:20:Somebody:/home/x:/bin/sh\nbob:x:502:20:Somebody:/home/x:/bin/sh\n\
            J\\xfcrgen \"odd\" \\:x:504:20:Somebody:/home/x:/bin/sh\nzo\u{eb}:x:505:20:Somebody:/home/x:/bin/sh\n";
        prints(stage, "passwd", all);
        prints(stage, "passwd zo\u{eb}", "zo\u{eb}:x:505:20:Somebody:/home/x:/bin/sh\n");
        prints(stage, "group staff", "staff:*:20:alice,bob\n");
        prints(stage, "group 21", "empty:*:21:\n");
        prints(stage, "group", "staff:*:20:alice,bob\nempty:*:21:\n");
        misses(stage, "group 22");
        prints(stage, "shadow alice", "alice:$6$x$y:19000::99:7::20000:\n");
        prints(stage, "shadow", "alice:$6$x$y:19000::99:7::20000:\n");
        misses(stage, "shadow bob");
        prints(stage, "initgroups alice", "alice 20 21 30\n");
        let id = text(&stage.command("id").arg("alice").output().unwrap());
        assert_eq!(id, "uid=501(alice) gid=20(staff) groups=20(staff),21(empty),30\n");
        let groups = text(&stage.command("groups").arg("bob").output().unwrap());
        assert_eq!(groups, "bob : staff\n");
    });
}

#[test]
fn network_databases() {
    stage(|stage| {
        let _daemon = Daemon::start(entries(), &[]);
        prints(stage, "hosts", "10.0.0.7 ada ada.example.org\nfd00::7 six\n");
        prints(stage, "ahostsv4 ada", "10.0.0.7 STREAM ada\n10.0.0.7 DGRAM\n10.0.0.7 RAW\n");
        prints(stage, "ahostsv6 six", "fd00::7 STREAM six\nfd00::7 DGRAM\nfd00::7 RAW\n");
        let (both, _) = stage.getent("ahosts ada");
        assert!(both.contains("10.0.0.7 ") && both.contains("fd00::7 "), "{both}");
        prints(stage, "hosts six", "fd00::7 six\n");
        prints(stage, "hosts 10.0.0.7", "10.0.0.7 ada ada.example.org\n");
        prints(stage, "hosts fd00::7", "fd00::7 ada ada.example.org\n");
        misses(stage, "hosts nowhere");
        misses(stage, "hosts unknown");
        misses(stage, "hosts 10.0.0.8");
        prints(stage, "networks", "lab 172.16.0.0 laboratory\n");
        prints(stage, "networks laboratory", "lab 172.16.0.0 laboratory\n");
        prints(stage, "networks 172.16.0.0", "lab 172.16.0.0 laboratory\n");
        misses(stage, "networks 172.17.0.0");
        prints(stage, "services domain", "domain 53/udp dns nameserver\n");
        prints(stage, "services domain/tcp", "domain 53/tcp\n");
        prints(stage, "services 53/udp", "domain 53/udp dns nameserver\n");
        prints(stage, "services nameserver", "domain 53/udp dns nameserver\n");
        prints(stage, "services", "domain 53/udp dns nameserver\ndomain 53/tcp\n");
        misses(stage, "services 54");
        prints(stage, "protocols 89", "ospf 89 OSPFIGP\n");
        prints(stage, "protocols OSPFIGP", "ospf 89 OSPFIGP\n");
        prints(stage, "protocols", "ospf 89 OSPFIGP\n");
        misses(stage, "protocols 90");
        prints(stage, "rpc binder", "nibindd 200100001 binder\n");
        prints(stage, "rpc 200100001", "nibindd 200100001 binder\n");
        prints(stage, "rpc", "nibindd 200100001 binder\n");
        prints(stage, "ethers ada", "0:5:2:fe:ef:4b ada\n");
        prints(stage, "ethers 0:5:2:fe:ef:4b", "0:5:2:fe:ef:4b ada\n");
        misses(stage, "ethers bob");
        prints(stage, "aliases postmaster", "postmaster: alice, bob@example.org\n");
        prints(stage, "aliases", "postmaster: alice, bob@example.org\n");
        prints(stage, "netgroup trusted", "trusted (ada,alice,) ( ,bob,-)\n");
        misses(stage, "netgroup unknown");
        for (member, yes) in [
            ("trusted ada alice example.org", true),
            ("trusted any bob -", true),
            ("trusted any bob example.org", false),
            ("trusted ada bob example.org", false),
        ] {
            let (printed, _) = stage.getent(&format!("netgroup {member}"));
            assert_eq!(printed.trim_end().ends_with("= 1"), yes, "{member}: {printed}");
        }
    });
}

#[test]
fn large_entries_and_long_lists() {
    stage(|stage| {
        let members: Vec<String> = (0..10_000).map(|number| format!("member{number}")).collect();
        let members = list(members.iter().map(|name| name.as_bytes()));
        let mut entries = vec![group("large", 40, &members)];
        entries.extend((0..200).map(|number| user(format!("user{number}").as_bytes(), number)));
        let gids: Vec<u32> = (1000..2500).collect();
        let _daemon = Daemon::start(entries, &[("busy", &gids)]);
        let (large, status) = stage.getent("group large");
        assert_eq!((large.split(',').count(), status), (10_000, 0));
        assert!(large.ends_with(",member9999\n"));
        let (all, _) = stage.getent("passwd");
        assert_eq!(all.lines().count(), 200);
        assert!(all.lines().enumerate().all(|(n, line)| line.starts_with(&format!("user{n}:x:{n}:"))));
        let (groups, _) = stage.getent("initgroups busy");
        assert_eq!(
            groups.split_ascii_whitespace().skip(1).map(|gid| gid.parse().unwrap()).collect::<Vec<u32>>(),
            gids
        );
    });
}

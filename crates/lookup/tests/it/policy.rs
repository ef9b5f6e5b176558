//! Who is asked in which order, and who hides whom.

use std::ops::ControlFlow;

use netinfo_lookup::{Record, Source, Table, Unavailable, View};
use netinfo_wire::lookup::{Category, Key};

use crate::support::{Memory, by_name, by_number, find, told, view};

const LOCAL: &[&str] = &[
    "users name=root uid=0 gid=0 passwd=x",
    "users name=jane;jd uid=501 gid=20 passwd=hash realname=Jane_Doe home=/home/jane shell=/bin/sh",
    "users name=clash uid=700 gid=20",
    "machines name=gate ip_address=10.0.0.1",
    "services name=http port=80 protocol=tcp",
];
const NETWORK: &[&str] = &[
    "users name=jane uid=900 gid=20",
    "users name=bob uid=501 gid=20",
    "users name=carol;clash uid=701 gid=20 realname=jane",
    "users name=toor;root uid=0 gid=0",
    "users name=other;root uid=1200 gid=0",
    "machines name=gate ip_address=10.0.0.9",
    "machines name=far;www ip_address=10.0.0.2;10.0.0.3 ipv6_address=fe80::2 en_address=0:5:2:fe:ef:4b",
    "machines name=nowhere en_address=00:0A:0b:c:d:e",
    "services name=http;www port=80 protocol=tcp;udp",
];

fn two() -> [Memory; 2] {
    [Memory::new(LOCAL), Memory::new(NETWORK)]
}

#[test]
fn the_nearest_of_a_name_hides_the_others() {
    let sources = two();
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Passwd, "jane"), "jane:x:501:20:Jane Doe:/home/jane:/bin/sh");
    assert_eq!(by_number(&view, Category::Passwd, 501), "jane:x:501:20:Jane Doe:/home/jane:/bin/sh");
    // Jane's number in the network is nobody's: her name leads elsewhere.
    assert_eq!(by_number(&view, Category::Passwd, 900), "not found");
    assert_eq!(by_name(&view, Category::Passwd, "bob"), "bob:*:501:20:::");
    assert_eq!(by_name(&view, Category::Host, "gate"), "gate  [10, 0, 0, 1]");
    assert_eq!(told(&find(&view, Category::Host, Key::Address(&[10, 0, 0, 9]))), "not found");
    assert_eq!(by_name(&view, Category::Passwd, "nobody"), "not found");
}

#[test]
fn other_names_lead_to_the_first() {
    let sources = two();
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Passwd, "jd"), "jane:x:501:20:Jane Doe:/home/jane:/bin/sh");
    assert_eq!(by_name(&view, Category::Passwd, "clash"), "clash:*:700:20:::");
    assert_eq!(by_number(&view, Category::Passwd, 701), "carol:*:701:20:jane::");
}

#[test]
fn people_are_found_by_their_names_last() {
    let sources = two();
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Passwd, "Jane Doe"), "jane:x:501:20:Jane Doe:/home/jane:/bin/sh");
    // Carol calls herself "jane": nobody is taken in.
    let far = [Memory::new(&[]), Memory::new(&["users name=carol uid=701 gid=20 realname=jane"])];
    assert_eq!(by_name(&crate::support::view(&far), Category::Passwd, "jane"), "not found");
}

#[test]
fn the_superuser_is_that_of_the_nearest() {
    let sources = two();
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Passwd, "root"), "root:x:0:0:::");
    assert_eq!(by_number(&view, Category::Passwd, 0), "root:x:0:0:::");
    assert_eq!(by_name(&view, Category::Passwd, "toor"), "not found");
    assert_eq!(by_name(&view, Category::Passwd, "other"), "not found");
    let without = [Memory::new(&[]), Memory::new(NETWORK)];
    let view = crate::support::view(&without);
    assert_eq!(by_name(&view, Category::Passwd, "root"), "not found");
    assert_eq!(by_number(&view, Category::Passwd, 0), "not found");
}

#[test]
fn hosts_by_name_and_by_address() {
    let sources = two();
    let view = view(&sources);
    let far = "far www [10, 0, 0, 2] [10, 0, 0, 3] [254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]";
    assert_eq!(by_name(&view, Category::Host, "WWW"), far);
    assert_eq!(told(&find(&view, Category::Host, Key::Address(&[10, 0, 0, 3]))), far);
    let v6 = "fe80::2".parse::<std::net::Ipv6Addr>().unwrap().octets();
    assert_eq!(told(&find(&view, Category::Host, Key::Address(&v6))), far);
    // A host without an address is none.
    assert_eq!(by_name(&view, Category::Host, "nowhere"), "not found");
    let ether = "nowhere [0, a, b, c, d, e]";
    assert_eq!(by_name(&view, Category::Ether, "nowhere"), ether);
    let mac = [0, 10, 11, 12, 13, 14];
    assert_eq!(told(&find(&view, Category::Ether, Key::Address(&mac))), "not found", "mixed spellings");
    let far = [0, 5, 2, 0xfe, 0xef, 0x4b];
    assert_eq!(told(&find(&view, Category::Ether, Key::Address(&far))), "far [0, 5, 2, fe, ef, 4b]");
}

#[test]
fn services_are_hidden_by_name_and_protocol() {
    let sources = two();
    let view = view(&sources);
    let find = |key| told(&find(&view, Category::Service, key));
    assert_eq!(find(Key::Service { name: b"http", protocol: b"" }), "http  80/tcp");
    assert_eq!(find(Key::Service { name: b"http", protocol: b"udp" }), "http www 80/udp");
    assert_eq!(find(Key::Service { name: b"http", protocol: b"sctp" }), "not found");
    // The record has two protocols; the first is hidden by the nearer one, and the name leads to the second.
    assert_eq!(find(Key::Service { name: b"www", protocol: b"" }), "http www 80/udp");
    assert_eq!(find(Key::Service { name: b"www", protocol: b"tcp" }), "not found");
    assert_eq!(find(Key::Port { port: 80, protocol: b"" }), "http  80/tcp");
    assert_eq!(find(Key::Port { port: 80, protocol: b"udp" }), "http www 80/udp");
    assert_eq!(find(Key::Port { port: 0, protocol: b"" }), "not found");
    assert_eq!(find(Key::Name(b"http")), "http  80/tcp");
}

#[test]
fn the_other_categories() {
    let sources = [
        Memory::new(&["aliases name=staff members=jane;bob@example.org"]),
        Memory::new(&[
            "aliases name=all members=staff",
            "networks name=lan;office address=10.1",
            "networks name=odd address=10.1.256",
            "protocols name=tcp;TCP number=6",
            "rpcs name=nfs;nfsprog number=100003",
        ]),
    ];
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Alias, "staff"), "staff: jane,bob@example.org local");
    assert_eq!(by_name(&view, Category::Alias, "all"), "all: staff ");
    assert_eq!(by_name(&view, Category::Network, "office"), "lan office 0xa010000");
    assert_eq!(by_number(&view, Category::Network, 0x0a01_0000), "lan office 0xa010000");
    assert_eq!(by_number(&view, Category::Network, 0x0a01), "lan office 0xa010000");
    assert_eq!(by_name(&view, Category::Network, "odd"), "not found");
    assert_eq!(by_number(&view, Category::Protocol, 6), "tcp TCP 6");
    assert_eq!(by_name(&view, Category::Rpc, "nfsprog"), "nfs nfsprog 100003");
    assert_eq!(by_number(&view, Category::Rpc, 100_003), "nfs nfsprog 100003");
    assert_eq!(by_number(&view, Category::Alias, 1), "not found");
}

#[test]
fn passwords_are_for_those_who_may_see_them() {
    let mut sources = two();
    assert_eq!(by_name(&view(&sources), Category::Shadow, "jane"), "refused");
    sources[0].secrets = true;
    assert_eq!(by_name(&view(&sources), Category::Shadow, "jane"), "refused", "not all show them");
    sources[1].secrets = true;
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Shadow, "jane"), "jane:hash:-1:-1");
    assert_eq!(by_name(&view, Category::Shadow, "bob"), "bob:*:-1:-1");
    // Not even then elsewhere.
    assert_eq!(by_name(&view, Category::Passwd, "jane"), "jane:x:501:20:Jane Doe:/home/jane:/bin/sh");
}

#[test]
fn a_source_that_is_away_is_passed_over() {
    let sources = [Memory::new(LOCAL), Memory::away(), Memory::new(&["users name=far uid=5 gid=5"])];
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Passwd, "clash"), "clash:*:700:20:::");
    assert_eq!(by_name(&view, Category::Passwd, "far"), "far:*:5:5:::");
    assert_eq!(by_name(&view, Category::Passwd, "nobody"), "try again");
    assert_eq!(by_name(&view, Category::Group, "nobody"), "try again");
}

#[test]
fn many_may_have_one_number() {
    let hidden: Vec<String> = (0..63).map(|n| format!("users name=h{n} uid=7 gid=1")).collect();
    let near: Vec<String> = (0..63).map(|n| format!("users name=h{n} uid={} gid=1", 100 + n)).collect();
    let lines = |list: &[String]| Memory::new(&list.iter().map(String::as_str).collect::<Vec<_>>());
    let mut far = lines(&hidden);
    far.records.extend(Memory::new(&["users name=seen uid=7 gid=1"]).records);
    let sources = [lines(&near), far.clone()];
    assert_eq!(by_number(&view(&sources), Category::Passwd, 7), "seen:*:7:1:::");
    // Behind 64 hidden ones nobody is looked for.
    far.records.insert(0, crate::support::record("users name=h0;x uid=7 gid=1"));
    assert_eq!(by_number(&view(&[lines(&near), far]), Category::Passwd, 7), "not found");
}

#[test]
fn nobody_has_nothing() {
    let none = view(&[]);
    assert_eq!(by_name(&none, Category::Passwd, "root"), "not found");
}

#[test]
fn sources_are_asked_about_what_they_cover() {
    /// Knows of users only, and not of their passwords.
    struct Users(Memory);
    impl Source for Users {
        fn name(&self) -> &str {
            "users"
        }
        fn shows_secrets(&self) -> bool {
            true
        }
        fn covers(&self, table: Table) -> bool {
            table == Table::Users
        }
        fn has_shadow(&self) -> bool {
            false
        }
        fn find(
            &self,
            table: Table,
            key: &[u8],
            value: &[u8],
            each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
        ) -> Result<(), Unavailable> {
            assert!(self.covers(table));
            self.0.find(table, key, value, each)
        }
        fn list(
            &self,
            table: Table,
            from: u64,
            each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
        ) -> Result<(), Unavailable> {
            assert!(self.covers(table));
            self.0.list(table, from, each)
        }
    }
    let [local, mut network] = two();
    network.secrets = true;
    // Of users the first is the nearest, of everything else the second.
    let first = Users(local);
    let view = View::new(vec![Box::new(&first), Box::new(&network)]);
    assert_eq!(by_name(&view, Category::Passwd, "jane"), "jane:x:501:20:Jane Doe:/home/jane:/bin/sh");
    assert_eq!(by_name(&view, Category::Host, "gate"), "gate  [10, 0, 0, 9]");
    assert_eq!(by_name(&view, Category::Shadow, "jane"), "not found");
    assert_ne!(by_name(&view, Category::Shadow, "bob"), "not found");
    let view = View::new(vec![Box::new(&network), Box::new(&first)]);
    assert_eq!(by_name(&view, Category::Passwd, "root"), "toor:*:0:0:::");
    assert_eq!(by_name(&view, Category::Passwd, "toor"), "toor:*:0:0:::");
}

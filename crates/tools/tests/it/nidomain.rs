//! `nidomain` makes, copies, renames and destroys domains.

use std::thread;
use std::time::{Duration, Instant};

use crate::bench::Bench;

/// The tags that are listed, in order of the alphabet.
fn tags(bench: &Bench) -> Vec<String> {
    let list = bench.ok("nidomain -l");
    let tag = |line: &str| line.strip_prefix("tag=").unwrap().split(' ').next().unwrap().to_owned();
    let mut tags: Vec<String> = list.lines().map(tag).collect();
    tags.sort();
    tags
}

/// Waits until a tag is served.
fn await_tag(bench: &Bench, tag: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while bench.run(&["nidomain", "-g", tag], b"").code != 0 {
        assert!(Instant::now() < deadline, "{tag} does not come");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn domains_come_and_go() {
    let bench = Bench::with_node();
    assert_eq!(tags(&bench), ["local", "network"]);
    bench.ok("nidomain -m extra");
    await_tag(&bench, "extra");
    assert_eq!(bench.ok("niutil -readprop -t localhost/extra / master"), "alpha/extra\n");
    bench.ok("nidomain -a extra also localhost");
    assert_eq!(tags(&bench), ["also", "extra", "local", "network"]);
    assert!(bench.ok("nidomain -g also localhost").starts_with("tag=also udp="));
    bench.ok("nidomain -u also");
    bench.ok("nidomain -u also");
    bench.ok("nidomain -d extra");
    assert_eq!(tags(&bench), ["local", "network"]);
    bench.play(
        "
$ nidomain -g extra
! nidomain: operation failed - No such tag
[1]
$ nidomain -d extra
! nidomain: operation failed - No such tag
[1]
$ nidomain -m network
! nidomain: operation failed - Duplicate domain tag: can't serve it
[1]
$ nidomain -a nosuch other
! nidomain: unknown tag nosuch
[1]
$ nidomain -l nosuchhost.invalid
! nidomain: unknown host - nosuchhost.invalid
[1]
$ nidomain -c copy network
! nidomain: missing '/' in network
[1]
$ nidomain -c copy nosuchhost.invalid/network
! nidomain: unknown host - nosuchhost.invalid
[1]
$ nidomain -c network localhost/network
! nidomain: operation failed - Duplicate domain tag: can't serve it
[1]
",
    );
}

#[test]
fn a_computer_without_binder() {
    // Nothing listens on the loopback of this network.
    netinfo_testkit::namespace::isolated(|| {
        Bench::alone().play(
            "
$ nidomain -u x
! warning: cannot find /var/run/nibindd.pid
! nidomain: cannot check nibindd pid file: No such file or directory
[1]
$ nidomain -l
! NetInfo is not running on this computer: port information is not available
$ nidomain -l localhost
! nidomain: cannot connect to server localhost
[1]
",
        );
        assert_eq!(Bench::alone().run(&["nidomain", "-m", "x"], b"").code, 1);
        assert_eq!(Bench::alone().run(&["nidomain", "-g", "x"], b"").code, 0);
    });
}

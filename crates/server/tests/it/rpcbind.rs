//! Registration with a real rpcbind, in a network and with a `/run` of its own, so that nothing outside notices.
//!
//! Needs root, and the packages rpcbind, util-linux and iproute2.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use netinfo_server::{listen, rpcbind};
use netinfo_testkit::namespace::isolated;

const RPCBIND: &str = "/usr/sbin/rpcbind";
const BINDER: u32 = 200_100_001;

/// Ends rpcbind, however the test goes.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("this test needs {program}: {e}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn start() -> Daemon {
    assert!(Path::new(RPCBIND).exists(), "this test needs {RPCBIND} (package rpcbind)");
    assert!(!listen::rpcbind_runs(), "the namespace is not empty");
    let daemon = Daemon(Command::new(RPCBIND).arg("-f").spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(10);
    // Its UNIX socket is there before its port.
    while TcpStream::connect(("127.0.0.1", listen::PORTMAP_PORT)).is_err() {
        assert!(Instant::now() < deadline, "rpcbind does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(listen::rpcbind_runs());
    daemon
}

/// What rpcinfo shows of the binder: `VERSION PROTOCOL PORT` of each entry.
fn shown() -> Vec<String> {
    let list = run("rpcinfo", &["-p", "127.0.0.1"]);
    assert!(list.contains("100000"), "{list}");
    let entry = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0] == BINDER.to_string()).then(|| words[1..4].join(" "))
    };
    let mut entries: Vec<String> = list.lines().filter_map(entry).collect();
    entries.sort();
    entries
}

#[test]
fn programs_are_shown_by_rpcinfo_until_the_registration_ends() {
    isolated(|| {
        let error = rpcbind::register(&[(BINDER, 1, 6, 801)]).unwrap_err().to_string();
        assert!(error.starts_with("the portmapper at 127.0.0.1:111 does not answer"), "{error}");

        let _daemon = start();
        let registration = rpcbind::register(&[(BINDER, 1, 17, 800), (BINDER, 1, 6, 801)]).unwrap();
        assert_eq!(shown(), ["1 tcp 801", "1 udp 800"]);
        registration.close().unwrap();
        assert_eq!(shown(), [""; 0]);

        let first = rpcbind::register(&[(BINDER, 1, 17, 800), (BINDER, 1, 6, 801)]).unwrap();
        let second = rpcbind::register(&[(BINDER, 1, 17, 810), (BINDER, 1, 6, 811)]).unwrap();
        assert_eq!(shown(), ["1 tcp 811", "1 udp 810"]);
        drop(first);
        assert_eq!(shown(), ["1 tcp 811", "1 udp 810"], "the successor's entries stay");
        drop(second);
        assert_eq!(shown(), [""; 0]);
    });
}

#[test]
fn entries_of_root_are_safe_from_other_users() {
    isolated(|| {
        let _daemon = start();
        let _registration = rpcbind::register(&[(BINDER, 1, 6, 801)]).unwrap();
        let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
        let delete = ["rpcinfo", "-d", &BINDER.to_string(), "1"];
        let output = Command::new("setpriv").args(nobody).args(delete).output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        assert_eq!(shown(), ["1 tcp 801"]);
        run("rpcinfo", &delete[1..]);
        assert_eq!(shown(), [""; 0]);
    });
}

//! A whole domain that the originals dumped in every format: loaded from its raw text, it is dumped the same.

use std::fs;

use netinfo_testkit::data;

use crate::bench::Bench;

fn fixture(file: &str) -> String {
    let path = data(file);
    String::from_utf8(fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

/// Lines without the id that leads them.
fn without_ids(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split_once(' ').unwrap().1).collect()
}

#[test]
fn a_site_is_dumped_as_it_was() {
    let bench = Bench::with_node();
    let raw = fixture("nidb/site.nidump-raw.txt");
    bench.ok("nidomain -m site");
    bench.ok_with("niload -r -t / localhost/site", raw.as_bytes());
    assert!(bench.ok("nidump -r / -t localhost/site") == raw);
    for format in [
        "aliases",
        "bootptab",
        "bootparams",
        "ethers",
        "exports",
        "fstab",
        "group",
        "hosts",
        "networks",
        "passwd",
        "printcap",
        "protocols",
        "resolv.conf",
        "rpc",
        "services",
    ] {
        let expected = fixture(&format!("nidump/site.nidump-{format}.txt"));
        assert_eq!(bench.ok(&format!("nidump {format} -t localhost/site")), expected, "{format}");
    }
}

#[test]
fn other_domains_are_dumped_as_they_were() {
    let bench = Bench::with_node();
    for name in ["odd", "values", "rawnicl", "churn", "deleted"] {
        let raw = fs::read(data(format!("nidb/{name}.nidump-raw.txt"))).unwrap();
        bench.ok(&format!("nidomain -m {name}"));
        let run = bench.run(&["niload", "-r", "-t", "/", &format!("localhost/{name}")], &raw);
        assert_eq!((run.code, run.err.len()), (0, 0), "{name}: {}", String::from_utf8_lossy(&run.err));
        let dumped = bench.run(&["nidump", "-r", "/", "-t", &format!("localhost/{name}")], b"").out;
        assert!(dumped == raw, "{name}");
    }
}

#[test]
fn a_site_is_searched_as_it_was() {
    let bench = Bench::with_node();
    bench.ok("nidomain -m site");
    bench.ok_with("niload -r -t / localhost/site", fixture("nidb/site.nidump-raw.txt").as_bytes());
    let expected = fixture("nidump/site.nigrep-user0.txt");
    let found = bench.ok("nigrep user0 -t localhost/site");
    assert_eq!(without_ids(&found), without_ids(&expected));
    assert_eq!(
        bench.ok("nireport -t localhost/site /users name uid gid shell"),
        fixture("nidump/site.nireport-users.txt")
    );
}

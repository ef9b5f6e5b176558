//! What the unit of systemd forbids, and what the daemon does: none of its system calls is denied by the filter, no memory is
//! both written and run, no namespace is made, and no socket is of another family than the unit has. The calls are those that
//! `strace` sees while a node does everything that other tests do with one; the sets are those of `systemd-analyze`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::slapd::Slapd;
use netinfo_testkit::system::sh;
use nix::sys::signal::Signal;

use crate::tool::Tool;

const TRACE: &str = "/run/trace";
/// Families that the kernel calls otherwise than systemd does.
const FAMILIES: [(&str, &str); 1] = [("AF_LOCAL", "AF_UNIX")];

/// The values of a key of the unit.
fn unit(key: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/netinfod.service");
    let text = fs::read_to_string(file).unwrap();
    let values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let values: Vec<String> = values.flat_map(str::split_whitespace).map(str::to_owned).collect();
    assert!(!values.is_empty(), "the unit has no {key}");
    values
}

/// Adds the system calls of a set of systemd, and of the sets in it.
fn expand(name: &str, calls: &mut BTreeSet<String>) {
    if !name.starts_with('@') {
        calls.insert(name.to_owned());
        return;
    }
    let output = Command::new("systemd-analyze").args(["syscall-filter", name]).output();
    let output = output.unwrap_or_else(|e| panic!("systemd-analyze: {e}; install the package systemd"));
    let text = String::from_utf8(output.stdout).unwrap();
    let members = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for member in members.filter(|member| *member != name) {
        expand(member, calls);
    }
}

/// Lets a node do what nodes do.
fn exercise(node: &mut Node, slapd: &Slapd) {
    let tool = Tool::local(node);
    tool.ok("domain create network --suffix dc=example,dc=com");
    let words = ["-d", "network", "user", "add", "jane", "--uid", "5001", "--password-stdin"];
    tool.run_with(&words, "correct horse\n", &[]).ok("user add");
    tool.ok("bind network@127.0.0.1");
    for key in ["passwd jane", "group staff", "hosts localhost", "hosts no.such.host", "services smtp/tcp"] {
        tool.run(&format!("lookup {key}"));
    }
    for line in ["where", "doctor", "status", "check", "-d network backup /run/copy", "ssh-keys jane"] {
        tool.run(line);
    }
    let ldap = node.ldap();
    let certificate = node.certificate();
    let client = format!(
        "LDAPTLS_CACERT={} ldapsearch -x -ZZ -H ldap://localhost:{}",
        certificate.display(),
        ldap.port()
    );
    sh(&format!(
        "{client} -D uid=jane,cn=users,dc=example,dc=com -w 'correct horse' -b dc=example,dc=com uid=jane"
    ));
    let (url, authority) = (slapd.url(), slapd.authority());
    let authority = authority.display();
    tool.run(&format!("bind {url} --base dc=example,dc=com --start-tls --ca {authority}"));
    let begin = Instant::now();
    while !tool.run("lookup passwd bob").out.contains("5002") {
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", node.log());
        sleep(Duration::from_millis(200));
    }
    node.signal(Signal::SIGHUP);
    while !node.log().contains("reloaded") {
        assert!(begin.elapsed() < Duration::from_secs(30), "{}", node.log());
        sleep(Duration::from_millis(50));
    }
    tool.ok("domain delete network");
    node.terminate();
}

/// The calls of a trace: the name of each, and what stands behind it.
fn calls(trace: &str) -> impl Iterator<Item = (&str, &str)> {
    trace.lines().filter_map(|line| {
        // The first word is the thread; what is resumed was seen before.
        let (_, rest) = line.split_once(' ')?;
        let (name, rest) = rest.trim_start().split_once('(')?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (is_name && !name.is_empty()).then_some((name, rest))
    })
}

#[test]
fn allows_what_the_daemon_does() {
    isolated(|| {
        let slapd = Slapd::start();
        sh(&format!("chmod 755 {}; chmod 644 {}", slapd.folder().display(), slapd.authority().display()));
        fs::write(
            "/run/node.toml",
            "[lookup.order]\nhosts = ['domains', 'files', 'dns']\n[binding]\nmdns = true\nbroadcast = true\n",
        )
        .unwrap();
        let builder = Node::builder().default_listen().arg("--config").arg("/run/node.toml");
        let builder = ["local", "lookup", "login"]
            .into_iter()
            .fold(builder, |builder, name| builder.listen(name, &format!("DIR/{name}.sock")));
        // As systemd starts it: by root, which it does not stay.
        let builder = builder.owner(65_534, 65_534).arg("--user").arg("nobody");
        let mut node = builder.prefix(["strace", "-D", "-f", "-qq", "-o", TRACE]).start();
        exercise(&mut node, &slapd);
        let trace = fs::read_to_string(TRACE).unwrap();
        let mut allowed = BTreeSet::new();
        unit("SystemCallFilter").iter().for_each(|name| expand(name, &mut allowed));
        assert!(allowed.len() > 200, "{allowed:?}");
        let used: BTreeSet<&str> = calls(&trace).map(|(name, _)| name).collect();
        assert!(
            ["fdatasync", "epoll_wait", "setresuid", "sendto"].iter().filter(|n| used.contains(*n)).count()
                >= 3,
            "{used:?}"
        );
        let denied: Vec<_> = used.iter().filter(|name| !allowed.contains(**name)).collect();
        assert!(denied.is_empty(), "the unit does not allow {denied:?}");
        let families = unit("RestrictAddressFamilies");
        for (name, rest) in calls(&trace) {
            let family = rest.split([',', ')']).next().unwrap_or_default();
            let family = FAMILIES.iter().find(|(other, _)| *other == family).map_or(family, |(_, name)| name);
            match name {
                "socket" => assert!(families.iter().any(|known| known == family), "socket({rest}"),
                "mmap" | "mprotect" | "pkey_mprotect" => {
                    assert!(!(rest.contains("PROT_WRITE") && rest.contains("PROT_EXEC")), "{name}({rest}");
                }
                "clone" | "clone3" | "unshare" => assert!(!rest.contains("CLONE_NEW"), "{name}({rest}"),
                _ => {}
            }
        }
    });
}

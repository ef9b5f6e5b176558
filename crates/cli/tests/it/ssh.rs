//! `netinfo ssh-keys` by itself, and asked by a real sshd.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use nix::mount::{MsFlags, mount};

use crate::tool::Tool;

/// Runs a command that must succeed.
fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output
}

fn add(tool: &Tool, user: &str, uid: u32, key: &str) {
    tool.ok(&format!("user add {user} --uid {uid} --gid 100"));
    tool.run_with(&["set", &format!("/users/{user}"), "sshPublicKey", key], "", &[]).ok("set");
}

#[test]
fn keys_of_users() {
    let node = Node::start();
    let tool = Tool::local(&node);
    add(&tool, "alice", 22501, "ssh-ed25519 AAAA alice");
    let more =
        ["add", "/users/alice", "sshPublicKey", "ssh-rsa BBBB", "# none", "ssh-rsa CCCC\nssh-rsa DDDD"];
    tool.run_with(&more, "", &[]).ok("add");
    assert_eq!(tool.ok("ssh-keys alice"), "ssh-ed25519 AAAA alice\nssh-rsa BBBB\n");
    // Those who ask need not be anybody.
    let nobody = Tool::local(&node).unprivileged();
    assert_eq!(nobody.ok("ssh-keys alice"), "ssh-ed25519 AAAA alice\nssh-rsa BBBB\n");
    assert_eq!(tool.ok("ssh-keys nobody-knows"), "");
    tool.ok("user add bob");
    assert_eq!(tool.ok("ssh-keys bob"), "");
    // Who may not log in has no keys.
    tool.ok("set /users/alice expire 1000000");
    assert_eq!(tool.ok("ssh-keys alice"), "");
    tool.ok("set /users/alice expire 0");
    tool.run_with(&["set", "/users/alice", "passwd", "!"], "", &[]).ok("lock");
    assert_eq!(tool.ok("ssh-keys alice"), "");
    tool.run_with(&["set", "/users/alice", "passwd", "*"], "", &[]).ok("unlock");
    assert_eq!(tool.ok("ssh-keys alice").lines().count(), 2);
    // A name that the system knows as somebody else.
    add(&tool, "daemon", 22502, "ssh-ed25519 AAAA");
    let clash = tool.run("ssh-keys daemon");
    assert!(clash.code == 0 && clash.out.is_empty() && clash.err.contains("22502"), "{clash:?}");
    for odd in ["a/b", "a;b", "a b"] {
        let refused = tool.run_with(&["ssh-keys", odd], "", &[]);
        assert!(refused.code == 2 && refused.err.contains("cannot be the name"), "{refused:?}");
    }
    drop(node);
    assert_eq!(tool.run("ssh-keys alice").code, 5);
}

struct Sshd(Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// sshd runs nothing that others than the superuser could have put there, so all is below `/run`, which is new.
fn prepare() {
    let none: Option<&str> = None;
    for (name, text) in [
        (
            "passwd",
            "root:x:0:0::/root:/bin/sh\nsshd:x:105:65534::/run/sshd:/bin/false\nkeys:x:106:65534::/:/bin/false\nalice:x:22501:100::/:/bin/sh\n",
        ),
        ("shadow", "root:*:1::::::\nalice:*:1::::::\n"),
        ("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n"),
    ] {
        let file = Path::new("/run").join(name);
        fs::write(&file, text).unwrap();
        mount(Some(&file), &Path::new("/etc").join(name), none, MsFlags::MS_BIND, none).unwrap();
    }
    fs::create_dir("/run/sshd").unwrap();
    fs::copy(env!("CARGO_BIN_EXE_netinfo"), "/run/netinfo-tool").unwrap();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "/run/host"]);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "/run/alice"]);
    let config = "Port 2222\nListenAddress 127.0.0.1\nHostKey /run/host\nUsePAM no\nPidFile none\n\
                  PasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile none\n\
                  AuthorizedKeysCommand /run/netinfo-tool ssh-keys %u\nAuthorizedKeysCommandUser keys\n";
    fs::write("/run/sshd_config", config).unwrap();
}

fn log_in() -> Output {
    let words = "-F none -i /run/alice -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no \
                 -o UserKnownHostsFile=/dev/null alice@127.0.0.1 id -u";
    Command::new("ssh").args(words.split_whitespace()).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn sshd_asks() {
    isolated(|| {
        prepare();
        let node = Node::builder()
            .listen("local", "/run/netinfo/netinfod.sock")
            .listen("login", "/run/netinfo/login.sock")
            .start();
        let log = fs::File::create("/run/log").unwrap();
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f", "/run/sshd_config"]).stdin(Stdio::null()).stderr(log);
        let _sshd = Sshd(command.spawn().unwrap());
        let begin = Instant::now();
        while TcpStream::connect("127.0.0.1:2222").is_err() {
            assert!(begin.elapsed() < Duration::from_secs(10), "{}", fs::read_to_string("/run/log").unwrap());
            thread::sleep(Duration::from_millis(20));
        }
        let said = || fs::read_to_string("/run/log").unwrap();
        assert!(!log_in().status.success(), "{}", said());
        let tool = Tool::local(&node);
        add(&tool, "alice", 22501, fs::read_to_string("/run/alice.pub").unwrap().trim());
        let output = log_in();
        assert!(output.status.success() && output.stdout == b"22501\n", "{output:?}\n{}", said());
        tool.ok("set /users/alice expire 1000000");
        assert!(!log_in().status.success(), "{}", said());
    });
}

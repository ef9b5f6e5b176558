//! `netinfo ssh-keys` by itself, and asked by a real sshd.

use std::fs;
use std::path::Path;

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::sshd::{Sshd, new_key};
use nix::mount::{MsFlags, mount};

use crate::tool::Tool;

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
    fs::copy(env!("CARGO_BIN_EXE_netinfo"), "/run/netinfo-tool").unwrap();
}

#[test]
fn sshd_asks() {
    isolated(|| {
        prepare();
        let node = Node::builder()
            .listen("local", "/run/netinfo/netinfod.sock")
            .listen("login", "/run/netinfo/login.sock")
            .start();
        let config = "UsePAM no\nPasswordAuthentication no\n\
                      AuthorizedKeysCommand /run/netinfo-tool ssh-keys %u\nAuthorizedKeysCommandUser keys";
        let sshd = Sshd::start(Path::new("/run/ssh"), config);
        let file = Path::new("/run/alice");
        let key = new_key(file);
        let log_in = || sshd.by_key("alice", file, "id -u");
        log_in().fails("Permission denied");
        let tool = Tool::local(&node);
        add(&tool, "alice", 22501, &key);
        log_in().succeeds("22501\n");
        tool.ok("set /users/alice expire 1000000");
        log_in().fails("Permission denied");
    });
}

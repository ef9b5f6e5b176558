//! Programs of the system with users, groups and rules of the directory: sudo, login, and callers that have neither a
//! terminal nor an environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::system::{bind, sh};
use netinfo_testkit::terminal::{self, Ended, Groups};

use crate::enable_login::{daemon, system};
use crate::tool::Tool;

const PASSWORD: &str = "correct horse";
/// `carol`, who is in `friends` first and in `staff2` besides; `dave` is in `friends` alone.
const CAROL: u32 = 20701;
const DAVE: u32 = 20702;
const FRIENDS: u32 = 20700;
/// What keeps the rules of sudo current.
const UPDATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/update-sudoers");

/// A system with users of NetInfo on it.
fn with_users(work: impl FnOnce(&Node, &Tool) + Send) {
    isolated(|| {
        system();
        // The logs of logins are those of this machine.
        fs::create_dir("/run/log").unwrap();
        bind("/run/log".as_ref(), "/var/log");
        let node = daemon();
        let tool = Tool::local(&node);
        tool.ok(&format!("group add friends --gid {FRIENDS}"));
        for (name, uid) in [("carol", CAROL), ("dave", DAVE)] {
            let line = format!(
                "user add {name} --uid {uid} --gid {FRIENDS} --home /run/homes/{name} --password-stdin"
            );
            let words: Vec<&str> = line.split(' ').collect();
            tool.run_with(&words, &format!("{PASSWORD}\n"), &[]).ok("user add");
        }
        tool.ok("group add staff2 --gid 20710");
        tool.ok("set /groups/staff2 users carol");
        tool.ok("enable-login");
        work(&node, &tool);
    });
}

/// Runs a command as one of them, on a terminal.
fn on_terminal(uid: u32, command: &str, answers: &[(&str, &str)]) -> Ended {
    terminal::run(uid, FRIENDS, Groups::Init, command, answers)
}

#[test]
fn sudo_by_a_group_of_the_directory() {
    with_users(|_, _| {
        fs::write("/etc/sudoers", "Defaults !lecture, passwd_tries=1\n%staff2 ALL = (root) /usr/bin/id\n")
            .unwrap();
        sh("chmod 440 /etc/sudoers; visudo -c -q");
        on_terminal(CAROL, "sudo id -un", &[("assword", PASSWORD)]).succeeds("root");
        on_terminal(CAROL, "sudo -k id -un", &[("assword", "wrong")]).fails("incorrect password attempt");
        on_terminal(CAROL, "sudo -k cat /etc/shadow", &[("assword", PASSWORD)]).fails("not allowed");
        on_terminal(DAVE, "sudo id -un", &[("assword", PASSWORD)]).fails("not ");
    });
}

#[test]
fn rules_of_the_directory_are_kept_current() {
    with_users(|node, tool| {
        fs::write("/etc/sudoers", "Defaults !lecture\n@includedir /etc/sudoers.d\n").unwrap();
        sh("chmod 440 /etc/sudoers; rm -f /etc/sudoers.d/*");
        let set = |key: &str, values: &[&str]| {
            tool.run_with(&[&["set", "/SUDOers/look", key], values].concat(), "", &[]).ok("set");
        };
        tool.ok("mkdir /SUDOers");
        tool.ok("mkdir /SUDOers/look");
        set("objectClass", &["top", "sudoRole"]);
        set("sudoUser", &["%staff2", "dave"]);
        set("sudoHost", &["ALL"]);
        set("sudoCommand", &["/usr/bin/id", "!/usr/bin/id -g"]);
        set("sudoOption", &["!authenticate"]);
        let update = || {
            let mut command = Command::new(UPDATE);
            let netinfo = std::path::Path::new(env!("CARGO_BIN_EXE_netinfo"));
            let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", netinfo.parent().unwrap().display());
            command
                .env("PATH", path)
                .env("NETINFO_SOCKET", node.socket())
                .stdin(Stdio::null())
                .output()
                .unwrap()
        };
        let output = update();
        assert!(output.status.success(), "{output:?}");
        let mode = fs::metadata("/etc/sudoers.d/netinfo").unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o440);
        on_terminal(CAROL, "sudo -n id -un", &[]).succeeds("root");
        on_terminal(CAROL, "sudo -n id -g", &[]).fails("");
        on_terminal(DAVE, "sudo -n id -un", &[]).succeeds("root");
        // Somebody is taken out.
        set("sudoUser", &["%staff2", "!dave"]);
        assert!(update().status.success());
        on_terminal(DAVE, "sudo -n id -un", &[]).fails("");
        on_terminal(CAROL, "sudo -n id -un", &[]).succeeds("root");
        // A rule that cannot be written is none, and is told.
        set("sudoOption", &["!authenticate", "requiretty"]);
        let output = update();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("sudoOption"), "{output:?}");
        on_terminal(CAROL, "sudo -n id -un", &[]).fails("");
        // Without a daemon the rules stay as they are.
        set("sudoOption", &["!authenticate"]);
        assert!(update().status.success());
        let before = fs::read("/etc/sudoers.d/netinfo").unwrap();
        node.signal(nix::sys::signal::Signal::SIGKILL);
        let output = update();
        assert!(!output.status.success(), "{output:?}");
        assert_eq!(fs::read("/etc/sudoers.d/netinfo").unwrap(), before);
        assert_eq!(fs::read_dir("/etc/sudoers.d").unwrap().count(), 1);
    });
}

#[test]
fn login_on_a_terminal() {
    with_users(|_, tool| {
        let answers = [
            ("login: ", "carol"),
            ("assword: ", PASSWORD),
            ("$ ", "echo $HOME $(id -un) $(tty | cut -c1-8); exit"),
        ];
        let ended = terminal::run(0, 0, Groups::Clear, "login -p", &answers);
        ended.succeeds("/run/homes/carol carol /dev/pts");
        // Whoever is disabled gets no further than the password.
        tool.ok("set /users/carol expire 1000000");
        sh("sed -i '/^LOGIN_RETRIES/d' /etc/login.defs; echo LOGIN_RETRIES 1 >>/etc/login.defs");
        let answers = [("login: ", "carol"), ("assword: ", PASSWORD)];
        let ended = terminal::run(0, 0, Groups::Clear, "login -p", &answers);
        assert!(ended.text.contains("Maximum number of tries"), "{ended:?}");
    });
}

/// As cron and its like do it: no terminal, no environment, root's descriptors closed, the groups from `initgroups`.
#[test]
fn callers_without_terminal_and_environment() {
    with_users(|_, _| {
        let said = |words: &[&str]| {
            let mut command = Command::new("setsid");
            command.args(words).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
            let output = command.output().unwrap();
            assert!(output.status.success(), "{words:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let ids = ["setpriv", "--reuid=carol", "--regid=friends", "--init-groups", "--inh-caps=-all", "--"];
        assert_eq!(said(&[&ids[..], &["id", "-Gn"]].concat()), "friends staff2\n");
        // With a session of PAM around it, which is not interactive: no home is made for it.
        assert_eq!(
            said(&["/usr/sbin/runuser", "-u", "carol", "--", "/usr/bin/id", "-Gn"]),
            "friends staff2\n"
        );
        // A file of hers, by a process that knows her number alone.
        let ls = "touch /run/hers; chown 20701:20710 /run/hers; ls -l /run/hers | cut -d' ' -f3,4";
        assert_eq!(said(&["sh", "-c", ls]), "carol staff2\n");
        // Sixteen of them at once.
        let many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do id -Gn carol & done; wait";
        assert_eq!(said(&["sh", "-c", many]), "friends staff2\n".repeat(16));
    });
}

//! `netinfo enable-login` on a copy of this system, and people who log in by it: users come from the NSS module, passwords go
//! to the PAM module, and Debian's tool has written the files.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::system::{sh, with_login_modules};
use netinfo_testkit::terminal::{self, Ended, Groups};

use crate::tool::Tool;

const PASSWORD: &str = "correct horse";
const NEW: &str = "battery staple";
/// Runs a program on a terminal as a user of the system who is nobody.
fn run(command: &str, answers: &[(&str, &str)]) -> Ended {
    terminal::run(20999, 20999, Groups::Clear, command, answers)
}

/// A system on which `make install` has been done.
pub(crate) fn system() {
    with_login_modules(std::env::current_exe().unwrap().parent().unwrap());
}

/// A daemon where the modules look for it.
pub(crate) fn daemon() -> Node {
    let mut builder = Node::builder().listen("local", "/run/netinfo/netinfod.sock");
    for name in ["lookup", "login"] {
        builder = builder.listen(name, &format!("/run/netinfo/{name}.sock"));
    }
    builder.start()
}

#[track_caller]
fn says(run: &Ended, code: i32, text: &str) {
    assert!(run.code == code && run.text.contains(text), "{run:?}");
}

#[test]
fn users_of_netinfo_log_in() {
    isolated(|| {
        system();
        let (before, common) =
            (fs::read("/etc/nsswitch.conf").unwrap(), fs::read("/etc/pam.d/common-auth").unwrap());
        let mut node = daemon();
        let tool = Tool::local(&node);
        tool.ok("group add friends --gid 20700");
        let words = [
            "user",
            "add",
            "carol",
            "--uid",
            "20701",
            "--gid",
            "20700",
            "--home",
            "/run/homes/carol",
            "--password-stdin",
        ];
        tool.run_with(&words, &format!("{PASSWORD}\n"), &[]).ok("user add");
        // Nothing is changed by looking.
        let shown = tool.ok("enable-login --dry-run");
        assert!(
            shown.contains("files netinfo") && shown.contains("pam-auth-update --enable netinfo"),
            "{shown}"
        );
        assert!(tool.local_user("carol").is_none() && fs::read("/etc/nsswitch.conf").unwrap() == before);
        assert_eq!(Tool::local(&node).unprivileged().run("enable-login").code, 4);

        let done = tool.ok("enable-login");
        assert!(done.contains("can log in on this system now"), "{done}");
        assert_eq!(fs::read("/var/backups/netinfo-login/nsswitch.conf").unwrap(), before);
        assert_eq!(tool.local_user("carol").as_deref(), Some("20701"));
        assert!(fs::read_to_string("/etc/pam.d/common-auth").unwrap().contains("pam_netinfo.so"));
        assert_eq!(tool.ok("enable-login"), done, "twice is no harm");

        says(&run("su carol -c 'id -u -n; id -g -n'", &[("assword: ", PASSWORD)]), 0, "carol\r\nfriends");
        says(&run("su carol -c true", &[("assword: ", "wrong")]), 1, "failure");
        // A session of its own makes the home.
        says(&run("su - carol -c pwd", &[("assword: ", PASSWORD)]), 0, "/run/homes/carol");
        let change = [
            ("assword: ", PASSWORD),
            ("urrent password: ", PASSWORD),
            ("ew password: ", NEW),
            ("new password: ", NEW),
        ];
        says(&run("su carol -c passwd", &change), 0, "updated successfully");
        says(&run("su carol -c id", &[("assword: ", PASSWORD)]), 1, "");
        says(&run("su carol -c 'id -un'", &[("assword: ", NEW)]), 0, "carol");
        tool.run_with(&["set", "/users/carol", "expire", "1000000"], "", &[]).ok("set");
        says(&run("su carol -c id", &[("assword: ", NEW)]), 1, "");
        tool.run_with(&["set", "/users/carol", "expire", "0"], "", &[]).ok("set");

        // Without the daemon root is root, at once.
        node.kill9();
        let begin = Instant::now();
        sh("su -s /bin/sh -c true root");
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_eq!(tool.run("enable-login").code, 5);
        node.launch();

        let undone = tool.ok("enable-login --undo");
        assert!(undone.contains("no longer"), "{undone}");
        assert_eq!(fs::read("/etc/nsswitch.conf").unwrap(), before);
        assert_eq!(fs::read("/etc/pam.d/common-auth").unwrap(), common);
        assert!(tool.local_user("carol").is_none());
    });
}

#[test]
fn nothing_is_changed_where_root_would_be_locked_out() {
    isolated(|| {
        system();
        let node = daemon();
        let tool = Tool::local(&node);
        // With this profile nobody gets a session.
        let profile = "/usr/share/pam-configs/netinfo";
        let text = fs::read_to_string(profile).unwrap().replace("Session-Interactive-Only: yes\n", "");
        let session = text.find("Session:\n").unwrap();
        fs::write(profile, format!("{}Session:\n\trequisite\tpam_deny.so\n", &text[..session])).unwrap();
        let before = fs::read("/etc/nsswitch.conf").unwrap();
        let failed = tool.run("enable-login");
        assert!(failed.code == 1 && failed.err.contains("everything is as it was before"), "{failed:?}");
        assert_eq!(fs::read("/etc/nsswitch.conf").unwrap(), before);
        let auth = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
        assert!(!auth.contains("pam_netinfo.so"), "{auth}");
        sh("su -s /bin/sh -c true root");
        // Nor where something is missing.
        fs::remove_file("/run/lib/libnss_netinfo.so.2").unwrap();
        sh("/sbin/ldconfig");
        let missing = tool.run("enable-login");
        assert!(
            missing.code == 1 && missing.err.contains("libnss_netinfo.so.2 is not installed"),
            "{missing:?}"
        );
    });
}

impl Tool {
    /// The number of a user as the system knows it.
    fn local_user(&self, name: &str) -> Option<String> {
        let output = Command::new("getent").args(["passwd", name]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split(':').nth(2).map(str::to_owned)
    }
}

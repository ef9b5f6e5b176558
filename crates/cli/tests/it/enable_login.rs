//! `netinfo enable-login` on a copy of this system, and people who log in by it: users come from the NSS module, passwords go
//! to the PAM module, and Debian's tool has written the files.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use nix::mount::{MsFlags, mount};

use crate::tool::{Run, Tool};

const PASSWORD: &str = "correct horse";
const NEW: &str = "battery staple";
/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(40);

fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-ec", command]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn bind(from: &Path, to: &str) {
    let none: Option<&str> = None;
    mount(Some(from), to, none, MsFlags::MS_BIND, none).unwrap_or_else(|e| panic!("bind {to}: {e}"));
}

/// A system on which `make install` has been done: what the test changes is its own.
fn system() {
    let built = |name: &str| std::env::current_exe().unwrap().with_file_name(name);
    let security = sh("dirname \"$(find /usr/lib /lib -name pam_unix.so | head -1)\"").trim().to_owned();
    let directories =
        ["/etc", "/var/lib/pam", "/var/cache/debconf", "/var/backups", "/usr/share/pam-configs", &security];
    for (n, directory) in directories.iter().enumerate() {
        let copy = format!("/run/copies/{n}");
        sh(&format!("mkdir -p /run/copies; cp -a {directory} {copy}"));
        bind(copy.as_ref(), directory);
    }
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/pam-configs/netinfo");
    fs::copy(profile, "/usr/share/pam-configs/netinfo").unwrap();
    fs::copy(built("libpam_netinfo.so"), format!("{security}/pam_netinfo.so")).unwrap();
    // The loader finds it by its cache, which setuid programs heed too.
    fs::create_dir("/run/lib").unwrap();
    fs::copy(built("libnss_netinfo.so"), "/run/lib/libnss_netinfo.so.2").unwrap();
    sh("/sbin/ldconfig /run/lib");
    // Whatever the machine that runs the tests has there.
    sh(
        "sed -i 's/ netinfo//' /etc/nsswitch.conf; DEBIAN_FRONTEND=noninteractive pam-auth-update --package --force",
    );
    sh("grep -q pam_unix /etc/pam.d/common-auth");
}

/// Runs a program on a terminal as a user of the system who is nobody; `answers` are typed at prompts that end so.
fn run(command: &str, answers: &[(&str, &str)]) -> Run {
    let begin = Instant::now();
    let words =
        ["--reuid=20999", "--regid=20999", "--clear-groups", "--", "script", "-qefc", command, "/dev/null"];
    let mut child = Command::new("setpriv")
        .args(words)
        .current_dir("/")
        .env("LC_ALL", "C")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (tell, hear) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stdout.read(&mut buffer) {
            // Whoever does not listen any more has what it wants.
            let _ = tell.send(String::from_utf8_lossy(&buffer[..n]).into_owned());
        }
    });
    let (mut out, mut seen, mut answers) = (String::new(), 0, answers.iter());
    let mut next = answers.next();
    loop {
        assert!(begin.elapsed() < PATIENCE, "{command}: {out}");
        match hear.recv_timeout(Duration::from_millis(100)) {
            Ok(more) => out.push_str(&more),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
        while let Some((prompt, answer)) = next
            && let Some(at) = out[seen..].find(prompt)
        {
            seen += at + prompt.len();
            // The echo is switched off before the prompt is written or a moment later.
            thread::sleep(Duration::from_millis(150));
            stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
            next = answers.next();
        }
    }
    drop(stdin);
    let code = child.wait().unwrap().code().unwrap_or(-1);
    reader.join().unwrap();
    Run { code, out, err: String::new() }
}

#[track_caller]
fn says(run: &Run, code: i32, text: &str) {
    assert!(run.code == code && run.out.contains(text), "{run:?}");
}

#[test]
fn users_of_netinfo_log_in() {
    isolated(|| {
        system();
        let (before, common) =
            (fs::read("/etc/nsswitch.conf").unwrap(), fs::read("/etc/pam.d/common-auth").unwrap());
        let mut builder = Node::builder();
        for name in ["lookup", "login"] {
            builder = builder.listen(name, &format!("/run/netinfo/{name}.sock"));
        }
        let mut node = builder.listen("local", "/run/netinfo/netinfod.sock").start();
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
        let mut builder = Node::builder().listen("local", "/run/netinfo/netinfod.sock");
        for name in ["lookup", "login"] {
            builder = builder.listen(name, &format!("/run/netinfo/{name}.sock"));
        }
        let node = builder.start();
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

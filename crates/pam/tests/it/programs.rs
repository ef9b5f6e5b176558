//! Programs that people use.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::terminal::Ended;

use crate::setting::{PASSWORD, Setting, with_setting};

const NEW: &str = "battery staple";

#[test]
fn su() {
    with_setting(|setting| {
        let su = |user: &str, answers: &[(&str, &str)]| {
            setting.run(20501, &format!("su {user} -c 'id -u'"), answers)
        };
        su("bob", &[("assword: ", PASSWORD)]).succeeds("20601");
        su("bob", &[("assword: ", "wrong")]).fails("Authentication failure");
        su("expired", &[("assword: ", PASSWORD)]).fails("expired");
        su("locked", &[("assword: ", PASSWORD)]).fails("failure");
        su("clash", &[("assword: ", PASSWORD)]).fails("");
        // A password that has to be changed is changed on the way in.
        let all = [
            ("assword: ", PASSWORD),
            ("Current password: ", PASSWORD),
            ("New password: ", NEW),
            ("Retype new password: ", NEW),
        ];
        su("due", &all).succeeds("20504");
        assert_eq!(setting.value("local", "due", "change").as_deref(), Some("0"));
        su("due", &[("assword: ", NEW)]).succeeds("20504");
    });
}

#[test]
fn passwd() {
    with_setting(|setting| {
        let full =
            |old, new| [("Current password: ", old), ("New password: ", new), ("Retype new password: ", new)];
        setting.run(20601, "passwd", &full(PASSWORD, NEW)).succeeds("password updated successfully");
        setting.login("bob", NEW).succeeds("successfully");
        setting.run(20601, "passwd", &full(PASSWORD, NEW)[..1]).fails("");
        setting.run(20601, "passwd alice", &[]).fails("");
        // The superuser needs no old one and is held to less.
        setting
            .run(0, "passwd bob", &[("New password: ", "short"), ("Retype new password: ", "short")])
            .succeeds("updated");
        setting.login("bob", "short").succeeds("successfully");
        setting.run(0, "passwd expired", &full("", NEW)[1..]).succeeds("updated");
    });
}

/// A real sshd, ended when dropped.
struct Sshd(Child);

impl Sshd {
    /// On a port of its own; passwords are the business of PAM.
    fn start(setting: &Setting) -> Self {
        let dir = setting.dir().join("ssh");
        fs::create_dir_all(&dir).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let key = dir.join("host");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status()
            .unwrap();
        assert!(made.success());
        let text = format!(
            "Port 2222\nListenAddress 127.0.0.1\nHostKey {}\nUsePAM yes\nPasswordAuthentication yes\n\
             KbdInteractiveAuthentication no\nPidFile none\nUseDNS no\n",
            key.display()
        );
        let config = dir.join("config");
        fs::write(&config, text).unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        let mut command = Command::new("/usr/sbin/sshd");
        command.arg("-D").arg("-e").arg("-f").arg(&config).stdin(Stdio::null()).stderr(log);
        let sshd = Self(command.spawn().unwrap());
        let begin = Instant::now();
        while TcpStream::connect("127.0.0.1:2222").is_err() {
            assert!(begin.elapsed() < Duration::from_secs(10), "sshd does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    fn login(&self, setting: &Setting, user: &str, password: &str, command: &str) -> Ended {
        let dir = setting.dir().join("ssh");
        let helper = dir.join("askpass");
        fs::write(&helper, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
        assert!(Command::new("chmod").arg("755").arg(&helper).status().unwrap().success());
        let begin = Instant::now();
        let mut child = Command::new("ssh")
            .args([
                "-F",
                "none",
                "-p",
                "2222",
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
            ])
            .args(["-o", "NumberOfPasswordPrompts=1", "-o", "PreferredAuthentications=password"])
            .arg(format!("{user}@127.0.0.1"))
            .arg(command)
            .env("SSH_ASKPASS", &helper)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        Ended { code: child.wait().unwrap().code().unwrap_or(-1), text, took: begin.elapsed() }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn sshd() {
    with_setting(|setting| {
        setting.service("sshd", "mkhomedir skel=/nowhere");
        let sshd = Sshd::start(setting);
        let said = |user: &str, password: &str| sshd.login(setting, user, password, "id -u; pwd");
        let home = setting.dir().join("homes/bob");
        said("bob", PASSWORD).succeeds(&format!("20601\n{}", home.display()));
        assert!(home.is_dir());
        said("bob", "wrong").fails("Permission denied");
        said("expired", PASSWORD).fails("");
        said("clash", PASSWORD).fails("Permission denied");
        said("elsewhere", PASSWORD).fails("Permission denied");
        let log = setting.node.log();
        assert!(log.contains("user=bob service=\"sshd\" host=\"127.0.0.1\""), "{log}");
    });
}

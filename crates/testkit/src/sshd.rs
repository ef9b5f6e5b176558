//! A real sshd on 127.0.0.1, and people who log in by it. Only inside of [`isolated`](crate::namespace::isolated).

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::terminal::Ended;

const PORT: u16 = 2222;

/// A running sshd. It ends with this value.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    folder: PathBuf,
}

impl Sshd {
    /// Starts a server whose files are in the new directory `folder`, with these lines of configuration besides.
    ///
    /// # Panics
    /// If it does not listen.
    #[must_use]
    pub fn start(folder: &Path, config: &str) -> Self {
        let create =
            |path: &Path| fs::create_dir_all(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        create(folder);
        create(Path::new("/run/sshd"));
        new_key(&folder.join("host"));
        let text = format!(
            "Port {PORT}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUseDNS no\n\
             KbdInteractiveAuthentication no\nAuthorizedKeysFile none\n{config}\n",
            folder.join("host").display()
        );
        write(&folder.join("config"), &text);
        let log = fs::File::create(folder.join("log")).unwrap_or_else(|e| panic!("sshd: {e}"));
        let mut command = Command::new("/usr/sbin/sshd");
        command.arg("-D").arg("-e").arg("-f").arg(folder.join("config")).stdin(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap_or_else(|e| panic!("sshd: {e}; install openssh-server"));
        let sshd = Self { child, folder: folder.to_owned() };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", PORT)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(10), "sshd does not listen\n{}", sshd.log());
            thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    /// Runs a command as a user who gives a password.
    ///
    /// # Panics
    /// If there is no ssh.
    #[must_use]
    pub fn by_password(&self, user: &str, password: &str, command: &str) -> Ended {
        let helper = self.folder.join("askpass");
        write(&helper, &format!("#!/bin/sh\necho '{password}'\n"));
        let changed = Command::new("chmod").arg("755").arg(&helper).status();
        assert!(changed.is_ok_and(|status| status.success()), "chmod");
        let options = ["-o", "NumberOfPasswordPrompts=1", "-o", "PreferredAuthentications=password"];
        let mut ssh = ssh(user, &options, command);
        ssh.env("SSH_ASKPASS", &helper).env("SSH_ASKPASS_REQUIRE", "force");
        finish(ssh)
    }

    /// Runs a command as a user who has a key, made by [`new_key`].
    ///
    /// # Panics
    /// If there is no ssh.
    #[must_use]
    pub fn by_key(&self, user: &str, key: &Path, command: &str) -> Ended {
        let key = key.display().to_string();
        finish(ssh(user, &["-i", &key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"], command))
    }

    /// What it has said.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of sshd\n{}---", self.log());
        }
    }
}

/// Makes a key, and returns the line that stands for it in `authorized_keys`.
///
/// # Panics
/// If that fails.
pub fn new_key(file: &Path) -> String {
    let mut command = Command::new("ssh-keygen");
    let made = command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).stdin(Stdio::null()).status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen");
    let public = file.with_extension("pub");
    let text = fs::read_to_string(&public).unwrap_or_else(|e| panic!("{}: {e}", public.display()));
    text.trim().to_owned()
}

fn ssh(user: &str, options: &[&str], command: &str) -> Command {
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-p", &PORT.to_string()])
        .args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ])
        .args(options)
        .arg(format!("{user}@127.0.0.1"))
        .arg(command);
    ssh
}

fn finish(mut ssh: Command) -> Ended {
    let begin = Instant::now();
    ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = ssh.spawn().unwrap_or_else(|e| panic!("ssh: {e}; install openssh-client"));
    let mut text = String::new();
    // What is no text is nothing that anybody looks for.
    let _ = child.stdout.take().map(|mut out| out.read_to_string(&mut text));
    let _ = child.stderr.take().map(|mut err| err.read_to_string(&mut text));
    let status = child.wait().unwrap_or_else(|e| panic!("ssh: {e}"));
    Ended { code: status.code().unwrap_or(-1), text, took: begin.elapsed() }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

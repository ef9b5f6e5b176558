//! A system of one's own in a [namespace](crate::namespace): what is changed in it is forgotten with it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};

/// Runs a command of the shell that must succeed, and returns what it prints.
///
/// # Panics
/// If it fails.
pub fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-ec", command]).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("sh: {e}"));
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Shows a file or directory in another place, in this namespace. Only inside of [`isolated`](crate::namespace::isolated).
///
/// # Panics
/// If it cannot be mounted.
pub fn bind(from: &Path, to: &str) {
    let none: Option<&str> = None;
    mount(Some(from), to, none, MsFlags::MS_BIND, none).unwrap_or_else(|e| panic!("bind {to}: {e}"));
}

/// Makes copies of the directories that say who may log in, and installs the modules for logins from the directory `built`,
/// as `make install` does. Only inside of [`isolated`](crate::namespace::isolated).
///
/// # Panics
/// If something is missing or cannot be mounted.
pub fn with_login_modules(built: &Path) {
    let security = sh("dirname \"$(find /usr/lib /lib -name pam_unix.so | head -1)\"").trim().to_owned();
    let directories =
        ["/etc", "/var/lib/pam", "/var/cache/debconf", "/var/backups", "/usr/share/pam-configs", &security];
    for (n, directory) in directories.iter().enumerate() {
        let copy = format!("/run/copies/{n}");
        sh(&format!("mkdir -p /run/copies; cp -a {directory} {copy}"));
        bind(copy.as_ref(), directory);
    }
    let copy = |from: &Path, to: &str| {
        fs::copy(from, to).unwrap_or_else(|e| panic!("{} to {to}: {e}", from.display()));
    };
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/pam-configs/netinfo");
    copy(&profile, "/usr/share/pam-configs/netinfo");
    copy(&built.join("libpam_netinfo.so"), &format!("{security}/pam_netinfo.so"));
    // The loader finds it by its cache, which setuid programs heed too.
    sh("mkdir /run/lib");
    copy(&built.join("libnss_netinfo.so"), "/run/lib/libnss_netinfo.so.2");
    sh("/sbin/ldconfig /run/lib");
    // Whatever the machine that runs the tests has there.
    sh(
        "sed -i 's/ netinfo//' /etc/nsswitch.conf; DEBIAN_FRONTEND=noninteractive pam-auth-update --package --force",
    );
    sh("grep -q pam_unix /etc/pam.d/common-auth");
}

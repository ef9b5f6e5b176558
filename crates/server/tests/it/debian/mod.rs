//! What programs of Debian make of a node that serves LDAP: the login services SSSD and nslcd, sudo, autofs, and
//! OpenLDAP's server as a copy of it.
//!
//! The programs are unpacked by `scripts/clients.sh` and never installed. Each test runs them as root in a network and
//! with `/usr`, `/etc`, `/var` and `/run` of its own, so that they find their configuration where they look for it and
//! this machine does not change.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

mod autofs;
mod nslcd;
mod office;
mod replica;
mod sssd;
mod sudo;

use office::Office;

/// How a command ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs a command that gets `input`.
fn try_run(words: &[&str], input: &str) -> Ran {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("this test needs {}: {e}", words[0]));
    // A command that does not read its input may have ended before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Runs a command that must succeed and returns what it prints.
#[track_caller]
fn run(words: &[&str]) -> String {
    let ran = try_run(words, "");
    assert_eq!(ran.code, Some(0), "{words:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// What `getent` prints about a key, with single spaces; nothing if it finds nothing.
#[track_caller]
fn getent(database: &str, keys: &[&str]) -> String {
    let ran = try_run(&[&["getent", database], keys].concat(), "");
    // 2 says that a key was not found.
    assert!(matches!(ran.code, Some(0 | 2)), "getent {database} {keys:?}: {ran:?}");
    spaced(&ran.out)
}

/// A text without line ends and with single spaces.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Group numbers of a user, in order.
fn groups(user: &str) -> Vec<u32> {
    let mut groups: Vec<u32> =
        run(&["id", "-G", user]).split_whitespace().map(|number| number.parse().unwrap()).collect();
    groups.sort_unstable();
    groups
}

/// Members of a group, in order.
fn members(group: &str) -> Vec<String> {
    let line = getent("group", &[group]);
    let mut members: Vec<String> = line.rsplit(':').next().unwrap().split(',').map(str::to_owned).collect();
    members.sort();
    members
}

/// What PAM says about a user's password: whether it is right.
fn authenticates(user: &str, password: &str) -> bool {
    let ran = try_run(&["pamtester", "office", user, "authenticate"], &format!("{password}\n"));
    let right = ran.out.contains("successfully authenticated");
    assert!(right || ran.err.contains("Authentication failure"), "{user}: {ran:?}");
    right
}

/// Changes a password as its owner does with `passwd`.
fn change_password(uid: u32, user: &str, old: &str, new: &str) -> Ran {
    let uid = uid.to_string();
    let words = ["setpriv", "--reuid", &uid, "--clear-groups", "pamtester", "office", user, "chauthtok"];
    try_run(&words, &format!("{old}\n{new}\n{new}\n"))
}

/// The configuration that `docs/clients.md` gives for a file, for the node of this test.
fn documented(office: &Office, file: &str) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
    let guide = fs::read_to_string(guide).unwrap();
    let after =
        guide.split_once(&format!("`{file}`")).unwrap_or_else(|| panic!("no {file} in docs/clients.md")).1;
    let block = after.split("```").nth(1).unwrap();
    // The first line names the language.
    let (_, text) = block.split_once('\n').unwrap();
    assert!(text.contains("dc=example,dc=com") || text.contains("usetls"), "{file}: {text}");
    text.replace("ldap://ldap.example.com", &office.uri())
}

/// Writes a file as `docs/clients.md` has it.
fn configure(office: &Office, path: &str) {
    write(path, &documented(office, path));
}

/// Writes a file of the machine, for root alone.
fn write(path: &str, text: &str) {
    let place = Path::new(path);
    place.parent().map(fs::create_dir_all).unwrap().unwrap_or_else(|e| panic!("{path}: {e}"));
    // A package may have put a link there.
    let _ = fs::remove_file(place);
    fs::write(place, text).unwrap_or_else(|e| panic!("{path}: {e}"));
    fs::set_permissions(place, Permissions::from_mode(0o600)).unwrap();
}

/// Writes a file of the machine that everybody reads.
fn write_public(path: &str, text: &str) {
    write(path, text);
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
}

/// Lets libc look everything up in `source` after the files, and lets the PAM service `office` ask `module`.
fn configure_machine(source: &str, module: &str) {
    let databases = ["passwd", "group", "shadow", "hosts", "networks", "sudoers", "automount"];
    let mut switch: String = databases.map(|name| format!("{name}: files {source}\n")).concat();
    // What the files of the machine hold would come first.
    for name in ["protocols", "services", "rpc", "ethers", "netgroup", "aliases"] {
        switch += &format!("{name}: {source}\n");
    }
    write_public("/etc/nsswitch.conf", &switch);
    write_public("/etc/hosts", "127.0.0.1 localhost\n10.0.0.1 alpha\n");
    let kinds = ["auth", "account", "password"].map(|kind| format!("{kind} required {module}\n"));
    write_public("/etc/pam.d/office", &kinds.concat());
}

//! `netinfod check-config` and `--version`, on the built program.

use std::path::Path;
use std::process::{Command, Output};

fn netinfod(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netinfod")).args(args).output().unwrap()
}

/// Exit code, standard output and standard error of `check-config` on a file with `content`.
fn check(content: &str) -> (i32, String, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("netinfod.toml");
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap();
    let output = netinfod(&["check-config", path]);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr), path.to_owned())
}

#[test]
fn good_file_is_ok() {
    let (code, out, err, path) = check("data = '/var/lib/netinfo'\n[listen]\nportmap = 'off'\n");
    assert_eq!((code, out.as_str(), err.as_str()), (0, format!("{path}: OK\n").as_str(), ""));
}

#[test]
fn misspelt_key_has_file_line_and_suggestion() {
    let (code, out, err, path) = check("data = '/d'\n\n[listen]\nipcsever = 'off'\n");
    let expected =
        format!("netinfod: {path}:4: unknown key \"listen.ipcsever\"; did you mean \"listen.ipcserver\"?\n");
    assert_eq!((code, out.as_str(), err), (1, "", expected));
}

#[test]
fn wrong_value_has_file_line_key_and_what_is_allowed() {
    let (code, _, err, path) = check("[limits]\nrecord_size = '3 bytes'\n");
    let expected = format!(
        "netinfod: {path}:2: limits.record_size: \"3 bytes\" is not a number of bytes; \
         allowed: \"128 KiB\" to \"1 GiB\"\n"
    );
    assert_eq!((code, err), (1, expected));
}

#[test]
fn missing_file_is_named() {
    let output = netinfod(&["check-config", "/nonexistent/netinfod.toml"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err.starts_with("netinfod: /nonexistent/netinfod.toml: cannot read: No such file"), "{err}");
}

#[test]
fn example_file_passes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/netinfod.toml");
    assert!(netinfod(&["check-config", path.to_str().unwrap()]).status.success());
}

#[test]
fn version_is_the_package_version() {
    let output = netinfod(&["--version"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("netinfod {}\n", env!("CARGO_PKG_VERSION"))
    );
}

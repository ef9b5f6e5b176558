//! The whole program, on a small domain and with little time.

#![allow(clippy::unwrap_used, reason = "a failed test may panic, also in a helper")]

mod ldap;

use std::process::Command;

use netinfo_testkit::node;

#[test]
fn small_run_measures_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (json, page) = (dir.path().join("figures.json"), dir.path().join("page.md"));
    let output = Command::new(env!("CARGO_BIN_EXE_netinfo-bench"))
        .args(["--users", "200,1000", "--seconds", "0.05", "--data"])
        .arg(dir.path())
        .arg("--netinfod")
        .arg(node::program())
        .arg("--json")
        .arg(&json)
        .arg("--markdown")
        .arg(&page)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("LOOKUPREAD uid"), "{shown}");

    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    // Two sizes, four shapes, six calls.
    let reads = figures["reads"].as_array().unwrap();
    assert_eq!(reads.len(), 2 * 4 * 6);
    let writes = figures["writes"].as_array().unwrap();
    assert_eq!(writes.len(), 9);
    for figure in reads.iter().chain(writes) {
        assert!(figure["per_second"].as_f64().unwrap() > 0.0, "{figure}");
    }
    for list in figures["lists"].as_array().unwrap() {
        // An entry is an id, a flag, a count and a name of 16 bytes.
        assert!(list["bytes"].as_u64().unwrap() > 28 * list["users"].as_u64().unwrap(), "{list}");
    }
    assert!(std::fs::read_to_string(page).unwrap().contains("## Aims"));
    // Nothing is left behind but the two files.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

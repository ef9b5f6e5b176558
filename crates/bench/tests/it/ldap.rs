//! `netinfo-bench ldap` on a small directory, of netinfod alone: OpenLDAP need not be installed where tests run.

use std::process::Command;

use netinfo_testkit::node;

#[test]
fn small_run_measures_every_operation() {
    let dir = tempfile::tempdir().unwrap();
    let (json, page) = (dir.path().join("figures.json"), dir.path().join("page.md"));
    let output = Command::new(env!("CARGO_BIN_EXE_netinfo-bench"))
        .args(["ldap", "--only", "netinfod", "--users", "1000", "--seconds", "0.05", "--data"])
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
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    // Thirteen operations, three shapes.
    let operations = figures["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 13 * 3);
    for figure in operations {
        assert!(figure["per_second"].as_f64().unwrap() > 0.0, "{figure}");
        assert!(figure["p50_us"].as_f64().unwrap() <= figure["p999_us"].as_f64().unwrap(), "{figure}");
    }
    assert_eq!(figures["enumerations"].as_array().unwrap().len(), 2);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("| bind, SHA-1, 32×1 | 1,000 | – |"), "{page}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

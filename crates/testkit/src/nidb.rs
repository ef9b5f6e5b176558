//! Database folders of historical servers, unpacked.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::data;

/// The folder in an archive of fixtures, such as `nidb/site` or `golden/initial-master`, in a directory of its own.
///
/// # Panics
///
/// If it cannot be unpacked.
pub fn unpack(fixture: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    let archive = data(format!("{fixture}.nidb.tar.gz"));
    let status = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(directory.path()).status();
    assert!(status.is_ok_and(|status| status.success()), "cannot unpack {}", archive.display());
    let mut folders: Vec<PathBuf> = std::fs::read_dir(directory.path())
        .expect("what was unpacked")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    let folder = folders.swap_remove(0);
    (directory, folder)
}

/// The names of the archives in a directory of fixtures, without their ending.
///
/// # Panics
///
/// If the directory cannot be read.
pub fn names(directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(data(directory)).expect("fixtures");
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            entry.expect("an entry").file_name().to_str()?.strip_suffix(".nidb.tar.gz").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

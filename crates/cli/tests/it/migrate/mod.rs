//! Directories brought in and out.

mod entries;
mod files;
mod interrupted;
mod macs;
mod software;
mod whole;

use std::path::{Path, PathBuf};

/// A file or folder of the test data.
fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data").join(name);
    path.canonicalize().unwrap_or_else(|e| panic!("{}: {e}", path.display())).display().to_string()
}

/// The path of a new file as text.
fn file(dir: &Path, name: &str) -> String {
    let path: PathBuf = dir.join(name);
    path.to_str().unwrap().to_owned()
}

//! Looking after folders.

use std::path::Path;

use super::database::Layout;
use super::error::{StoreError, StoreErrorKind};
use super::finding::Finding;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The layout of the folder.
    pub layout: Layout,
    /// How many directories there are.
    pub directories: usize,
    /// Everything odd. The folder is sound if all of it is [harmless](super::FindingKind::is_harmless).
    pub findings: Vec<Finding>,
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was odd before.
    pub before: Check,
    /// What was changed, in words, one line each; nothing was written if it is empty.
    pub changes: Vec<String>,
    /// What is odd now.
    pub after: Check,
}

/// Looks at a folder of either layout, with or without a root, and changes nothing.
///
/// # Errors
///
/// `InvalidDatastore` if the folder is no database, `ReadFailed` if it cannot be read at all.
pub fn check(folder: &Path) -> Result<Check, StoreError> {
    let _ = folder;
    Err(StoreErrorKind::Failed.into())
}

/// Makes a folder of either layout sound: finishes or drops what a crash left, keeps one of each id, and makes lists of
/// children and parents agree. The repaired folder is written beside the old one and takes its place; a sound folder
/// is left alone.
///
/// # Errors
///
/// As [`check`], and `WriteFailed`, `Locked`.
pub fn repair(folder: &Path) -> Result<Repair, StoreError> {
    let _ = folder;
    Err(StoreErrorKind::Failed.into())
}

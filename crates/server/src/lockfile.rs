//! One daemon per data directory: an exclusive lock on `DIR/netinfod.lock`.
//!
//! The kernel drops the lock when its holder ends, however it ends; the file stays. Offline commands that
//! open a store directly take the same lock. This module uses the standard library alone.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Name of the lock file within a data directory.
pub const LOCK_FILE: &str = "netinfod.lock";

/// Longest content read from a lock file, in bytes: a decimal process id and a newline.
const MAX_CONTENT: u64 = 16;

/// A held lock on a data directory. Dropping it lets the next process in.
#[derive(Debug)]
pub struct DataLock {
    file: File,
    path: PathBuf,
}

/// Why a data directory could not be locked.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it.
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The holder, as its lock file says.
        pid: Option<u32>,
    },
    /// The lock file could not be opened, locked or written.
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

impl DataLock {
    /// Locks the data directory `dir`, which must exist, and writes this process's id into the lock file.
    ///
    /// # Errors
    /// [`LockError::InUse`] at once when another process holds the lock; [`LockError::Io`] otherwise.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK_FILE);
        let io = |source| LockError::Io { path: path.clone(), source };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::InUse { dir: dir.to_owned(), pid: read_pid(&file) });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut lock = Self { file, path: path.clone() };
        lock.write_pid(std::process::id()).map_err(io)?;
        Ok(lock)
    }

    /// Path of the lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write_pid(&mut self, pid: u32) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(format!("{pid}\n").as_bytes())
    }
}

impl Drop for DataLock {
    /// Empties the file, so that nobody reads the id of a process long gone; closing it unlocks.
    fn drop(&mut self) {
        // A failure leaves a stale number, which only ever shows up next to a lock somebody holds.
        let _ = self.file.set_len(0);
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { dir, pid: Some(pid) } => {
                write!(f, "data directory {} is in use by process {pid}", dir.display())
            }
            Self::InUse { dir, pid: None } => {
                write!(f, "data directory {} is in use by another process", dir.display())
            }
            Self::Io { path, source } => write!(f, "cannot lock {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InUse { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

fn read_pid(mut file: &File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(MAX_CONTENT).read_to_string(&mut text).ok()?;
    text.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_holder_is_refused_and_told_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataLock::acquire(dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(held.path()).unwrap(), format!("{}\n", std::process::id()));
        let refused = DataLock::acquire(dir.path()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("data directory {} is in use by process {}", dir.path().display(), std::process::id())
        );
        drop(held);
        DataLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn content_that_is_no_process_id_is_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataLock::acquire(dir.path()).unwrap();
        std::fs::write(held.path(), "x".repeat(4096)).unwrap();
        let refused = DataLock::acquire(dir.path()).unwrap_err().to_string();
        assert!(refused.ends_with("is in use by another process"), "{refused}");
    }

    #[test]
    fn longer_old_content_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(LOCK_FILE), "99999999999999999999\n").unwrap();
        let held = DataLock::acquire(dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(held.path()).unwrap(), format!("{}\n", std::process::id()));
    }

    #[test]
    fn missing_directory_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let error = DataLock::acquire(&dir.path().join("absent")).unwrap_err().to_string();
        assert!(error.contains("absent/netinfod.lock"), "{error}");
    }
}

//! Tables put where readers map them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::status::{LIVE, PAGE, RETIRED, STATE_AT, Status, UNFINISHED};

/// Everybody may read the table.
const MODE: u32 = 0o644;

/// The one writer of a table.
#[derive(Debug)]
pub struct Publisher {
    path: PathBuf,
    /// The table at `path`, to say in it that it is retired.
    current: Option<Switch>,
    generation: u64,
}

/// Says of one table whether it is to be used.
#[derive(Debug)]
pub struct Switch(File);

impl Switch {
    /// Tells the readers to use the table.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn activate(&self) -> io::Result<()> {
        self.set(LIVE)
    }

    /// Tells the readers to use the table no more.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn retire(&self) -> io::Result<()> {
        self.set(RETIRED)
    }

    fn set(&self, state: u32) -> io::Result<()> {
        self.0.write_all_at(&state.to_le_bytes(), STATE_AT as u64)
    }
}

impl Publisher {
    /// Takes over the table at `path`, if there is one, and retires it.
    ///
    /// # Errors
    /// If what is there cannot be opened or written.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut publisher = Self { current: None, generation: 0, path };
        // A table is a file of ours. What else has its name is replaced, but not written to.
        if fs::symlink_metadata(&publisher.path).is_ok_and(|found| found.is_file()) {
            let file = OpenOptions::new().read(true).write(true).open(&publisher.path)?;
            let mut page = Vec::with_capacity(PAGE);
            (&file).take(PAGE as u64).read_to_end(&mut page)?;
            if let Some(status) = Status::parse(&page) {
                publisher.generation = status.generation;
                publisher.current = Some(Switch(file));
                publisher.retire()?;
            }
        }
        Ok(publisher)
    }

    /// Where the table is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells the readers that the table must not be used any more.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn retire(&self) -> io::Result<()> {
        self.current.as_ref().map_or(Ok(()), Switch::retire)
    }

    /// Tells the readers that the table is to be used, after [`Publisher::replace`].
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn activate(&self) -> io::Result<()> {
        self.current.as_ref().map_or(Ok(()), Switch::activate)
    }

    /// The switch of the present table, for another thread; `None` if there is no table.
    ///
    /// # Errors
    /// For want of descriptors.
    pub fn switch(&self) -> io::Result<Option<Switch>> {
        self.current.as_ref().map(|switch| switch.0.try_clone().map(Switch)).transpose()
    }

    /// Puts a new table in the place of the old one, not yet to be used.
    ///
    /// # Errors
    /// If it cannot be written. The old table is retired then.
    pub fn replace(&mut self, image: &[u8]) -> io::Result<()> {
        self.retire()?;
        self.generation += 1;
        let new = self.path.with_added_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new)?;
        let status = Status { state: UNFINISHED, generation: self.generation };
        let written = file
            .write_all(&status.page())
            .and_then(|()| file.write_all(image))
            // Whatever the file mode creation mask says.
            .and_then(|()| file.set_permissions(Permissions::from_mode(MODE)))
            .and_then(|()| fs::rename(&new, &self.path));
        if let Err(error) = written {
            // What is left would only take up room; the failure itself is what counts.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        self.current = Some(Switch(file));
        Ok(())
    }

    /// [`Publisher::replace`] and [`Publisher::activate`].
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn publish(&mut self, image: &[u8]) -> io::Result<()> {
        self.replace(image)?;
        self.activate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(path: &Path) -> Status {
        Status::parse(&fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn a_table_is_replaced_by_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table");
        let mut publisher = Publisher::new(&path).unwrap();
        publisher.publish(b"one").unwrap();
        let first = File::open(&path).unwrap();
        assert_eq!(status(&path), Status { state: LIVE, generation: 1 });
        publisher.retire().unwrap();
        assert_eq!(status(&path).state, RETIRED);
        publisher.activate().unwrap();
        publisher.replace(b"another").unwrap();
        assert_eq!(status(&path), Status { state: UNFINISHED, generation: 2 });
        publisher.activate().unwrap();
        assert_eq!(status(&path), Status { state: LIVE, generation: 2 });
        // Whoever has the first one open sees that it is over, and nothing else has changed in it.
        let mut old = Vec::new();
        (&first).read_to_end(&mut old).unwrap();
        assert_eq!(Status::parse(&old), Some(Status { state: RETIRED, generation: 1 }));
        assert_eq!(&old[PAGE..], b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
    }

    #[test]
    fn what_an_earlier_daemon_left_is_retired() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table");
        Publisher::new(&path).unwrap().publish(b"").unwrap();
        let old = File::open(&path).unwrap();
        fs::write(dir.path().join("table.new"), "what a crash left").unwrap();
        let mut publisher = Publisher::new(&path).unwrap();
        assert_eq!(status(&path), Status { state: RETIRED, generation: 1 });
        publisher.publish(b"").unwrap();
        assert_eq!(status(&path), Status { state: LIVE, generation: 2 });
        let mut word = [0; 4];
        old.read_exact_at(&mut word, STATE_AT as u64).unwrap();
        assert_eq!(u32::from_le_bytes(word), RETIRED);
    }

    #[test]
    fn other_files_are_replaced_and_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("table"), dir.path().join("other"));
        fs::write(&other, "something else").unwrap();
        fs::hard_link(&other, &path).unwrap();
        Publisher::new(&path).unwrap().publish(b"").unwrap();
        assert_eq!(status(&path).state, LIVE);
        assert_eq!(fs::read(&other).unwrap(), b"something else");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        Publisher::new(&path).unwrap().publish(b"").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"something else");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut publisher = Publisher::new(dir.path().join("none/table")).unwrap();
        assert_eq!(publisher.publish(b"").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

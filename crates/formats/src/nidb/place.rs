//! Folders that are made beside their place and renamed.
//!
//! The names beside are those that historical servers use when a clone gets a new database: `TAG.temp` is on its way
//! in, `TAG.move` on its way out. Should the work end between two steps, such a server finishes it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{StoreError, StoreErrorKind};
use super::files::{FolderMut, OsFolder};
use super::load;

/// A folder that is being made. Dropped without [`finish`](Self::finish), it is removed.
#[derive(Debug)]
pub(crate) struct Placing {
    place: PathBuf,
    temporary: PathBuf,
    files: OsFolder,
    /// There is a folder in its place, which it replaces.
    replace: bool,
    finished: bool,
}

impl Placing {
    /// Makes an empty folder beside its place.
    ///
    /// # Errors
    ///
    /// `WriteFailed` if the place is taken by something else than a database that is to be replaced, or the name
    /// beside it by anything.
    pub(crate) fn begin(place: &Path, replace: bool) -> Result<Self, StoreError> {
        let occupied = match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(place, error)),
            Ok(_) => !is_empty_folder(place),
        };
        if occupied {
            let refused = |why| {
                let detail = format!("{} {why}", place.display());
                Err(StoreError::about(StoreErrorKind::WriteFailed, detail))
            };
            if !replace {
                return refused("exists");
            }
            let database = OsFolder::new(place).is_ok_and(|folder| load::layout(&folder).is_ok());
            if !database {
                return refused("exists and is no database");
            }
        }
        let temporary = beside(place, "temp");
        for path in [&temporary, &beside(place, "move")] {
            if fs::symlink_metadata(path).is_ok() {
                let detail =
                    format!("{} is in the way: an earlier change may have been interrupted", path.display());
                return Err(StoreError::about(StoreErrorKind::WriteFailed, detail));
            }
        }
        let files = OsFolder::make(&temporary).map_err(|error| failed(&temporary, error))?;
        Ok(Self { place: place.to_owned(), temporary, files, replace: occupied, finished: false })
    }

    /// The folder, to write into it.
    pub(crate) const fn files(&mut self) -> &mut OsFolder {
        &mut self.files
    }

    /// Puts it in its place and removes what was there.
    pub(crate) fn finish(self) -> Result<(), StoreError> {
        let old = beside(&self.place, "move");
        if self.put(&old)? {
            fs::remove_dir_all(&old).map_err(|error| failed(&old, error))?;
        }
        Ok(())
    }

    /// Puts it in its place and keeps what was there, under another name beside it.
    pub(crate) fn finish_keeping(self, ending: &str) -> Result<Option<PathBuf>, StoreError> {
        let mut name = self.place.as_os_str().to_owned();
        name.push(ending);
        let mut kept = PathBuf::from(&name);
        for number in 2_u32.. {
            if fs::symlink_metadata(&kept).is_err() {
                break;
            }
            let mut numbered = name.clone();
            numbered.push(format!("-{number}"));
            kept = numbered.into();
        }
        Ok(self.put(&kept)?.then_some(kept))
    }

    /// Whether there was something, which has the other name now.
    fn put(mut self, old: &Path) -> Result<bool, StoreError> {
        self.files.sync().map_err(|error| failed(&self.temporary, error))?;
        if self.replace {
            fs::rename(&self.place, old).map_err(|error| failed(&self.place, error))?;
        }
        let placed = fs::rename(&self.temporary, &self.place);
        if let Err(error) = placed {
            if self.replace {
                // Back to where it was.
                let _ = fs::rename(old, &self.place);
            }
            return Err(failed(&self.place, error));
        }
        self.finished = true;
        if let Some(parent) = self.place.parent() {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            let synced = fs::File::open(parent).and_then(|parent| parent.sync_all());
            synced.map_err(|error| failed(parent, error))?;
        }
        Ok(self.replace)
    }
}

impl Drop for Placing {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

fn failed(path: &Path, error: io::Error) -> StoreError {
    StoreError::io(StoreErrorKind::WriteFailed, &path.display().to_string(), error)
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// `TAG.nidb` with another ending.
fn beside(place: &Path, ending: &str) -> PathBuf {
    let name: OsString = place.file_name().unwrap_or_default().to_owned();
    let nidb = Path::new(&name).extension().is_some_and(|found| found == "nidb");
    if nidb {
        return place.with_extension(ending);
    }
    let mut other = name;
    other.push(".");
    other.push(ending);
    place.with_file_name(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn names_beside_are_those_of_servers() {
        for (place, temporary) in [("a/local.nidb", "a/local.temp"), ("a/x.y", "a/x.y.temp"), ("x", "x.temp")]
        {
            assert_eq!(beside(Path::new(place), "temp"), Path::new(temporary));
        }
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let directory = TempDir::new().unwrap();
        let place = directory.path().join("local.nidb");
        let placing = Placing::begin(&place, false).unwrap();
        assert!(directory.path().join("local.temp").is_dir());
        let second = Placing::begin(&place, false).unwrap_err();
        assert!(second.to_string().contains("local.temp is in the way"), "{second}");
        drop(placing);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_databases_are_replaced() {
        let directory = TempDir::new().unwrap();
        let place = directory.path().join("local.nidb");
        fs::create_dir(&place).unwrap();
        drop(Placing::begin(&place, false).expect("an empty folder is as good as none"));
        fs::write(place.join("notes"), "mine").unwrap();
        assert!(Placing::begin(&place, true).unwrap_err().to_string().contains("no database"));
        fs::write(place.join("Config"), "").unwrap();
        assert!(Placing::begin(&place, false).unwrap_err().to_string().ends_with("exists"));
        let mut placing = Placing::begin(&place, true).unwrap();
        placing.files().write("Config", b"new").unwrap();
        placing.finish().unwrap();
        assert_eq!(fs::read(place.join("Config")).unwrap(), b"new");
        assert!(!place.join("notes").exists());
        let kept = Placing::begin(&place, true).unwrap().finish_keeping(".old").unwrap().unwrap();
        assert_eq!(fs::read(kept.join("Config")).unwrap(), b"new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}

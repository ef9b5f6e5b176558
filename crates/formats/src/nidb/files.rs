//! The files of a folder, behind a trait: tests interrupt the work on them after every step.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::layout::CONFIG;

/// Largest sum of the sizes of the files that are read of a folder. Numbers of the format have 32 bits.
pub const MAX_FOLDER_BYTES: u64 = 4 << 30;

/// What there is under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileInfo {
    /// An ordinary file: no folder, pipe or device.
    pub(crate) regular: bool,
    /// Its size.
    pub(crate) bytes: u64,
}

/// Reading a folder.
pub(crate) trait Folder: fmt::Debug {
    /// The names of everything in it, sorted.
    fn names(&self) -> io::Result<Vec<String>>;
    /// What is there under a name, if anything.
    fn info(&self, name: &str) -> io::Result<Option<FileInfo>>;
    /// An ordinary file from its beginning.
    fn open<'a>(&'a self, name: &str) -> io::Result<Box<dyn Read + 'a>>;
}

/// Changing a folder. What is written into a file is on the disk when the operation returns; new, removed and changed
/// names are after [`sync`](Self::sync).
pub(crate) trait FolderMut: Folder {
    /// Makes a file with these bytes, or replaces all that is in it.
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Writes into a file, which is made if there is none.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file another name, in place of a file that has it.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; none is as good.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Makes changes of names last.
    fn sync(&mut self) -> io::Result<()>;
    /// Tells others that the folder has changed.
    fn touch(&mut self) -> io::Result<()>;
}

/// The bytes of a small file: nothing if there is no such file, an error if it is larger than `limit` or no file.
pub(crate) fn read_small(folder: &dyn Folder, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(info) = folder.info(name)? else { return Ok(None) };
    if !info.regular {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a file"));
    }
    if info.bytes > limit {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
    }
    let mut bytes = Vec::new();
    folder.open(name)?.take(limit).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// A folder of the file system.
#[derive(Debug)]
pub(crate) struct OsFolder {
    path: PathBuf,
    /// The lock is that of this open file.
    config: Option<File>,
}

impl OsFolder {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Self { path: path.to_owned(), config: None })
    }

    /// Makes the folder, for its owner alone, if it is not there.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        Self::new(path)
    }

    /// Makes a file to be written bit by bit.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        private().truncate(true).open(self.path.join(name))
    }

    /// Takes the lock that all who work on a folder take, on `Config`. False if another process has it.
    pub(crate) fn lock(&mut self, exclusive: bool) -> io::Result<bool> {
        // The lock that is held already would be in the way of a stronger one.
        self.config = None;
        let config = File::open(self.path.join(CONFIG))?;
        let locked = if exclusive { config.try_lock() } else { config.try_lock_shared() };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        self.config = Some(config);
        Ok(true)
    }
}

/// A new file is for its owner alone.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Folder for OsFolder {
    fn names(&self) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = fs::read_dir(&self.path)?.map(name).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn info(&self, name: &str) -> io::Result<Option<FileInfo>> {
        match fs::metadata(self.path.join(name)) {
            Ok(data) => Ok(Some(FileInfo { regular: data.is_file(), bytes: data.len() })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open<'a>(&'a self, name: &str) -> io::Result<Box<dyn Read + 'a>> {
        Ok(Box::new(io::BufReader::with_capacity(1 << 16, File::open(self.path.join(name))?)))
    }
}

impl FolderMut for OsFolder {
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = private().truncate(true).open(self.path.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        let made = !path.exists();
        let mut file = private().truncate(false).open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if made { self.sync() } else { Ok(()) }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn touch(&mut self) -> io::Result<()> {
        File::options().write(true).open(self.path.join(CONFIG))?.set_modified(SystemTime::now())
    }
}

#[cfg(test)]
pub(crate) mod memory {
    //! A folder in memory that can be made to die.

    #![allow(clippy::unwrap_used)] // it is for tests

    use super::*;
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;
    use std::rc::Rc;

    /// Clones share the files.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct MemoryFolder {
        pub(crate) files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
        /// So many changes are carried out yet; then everything fails.
        pub(crate) fuse: Rc<Cell<Option<u64>>>,
        /// How much of a write is done when the fuse ends in it, in parts of four from its beginning; 5: its second
        /// half alone.
        pub(crate) torn: Rc<Cell<usize>>,
        /// Changes so far.
        pub(crate) changes: Rc<Cell<u64>>,
    }

    impl MemoryFolder {
        pub(crate) fn with(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
            let folder = Self::default();
            folder.files.borrow_mut().extend(files);
            folder
        }

        /// Another folder with the same files now.
        pub(crate) fn snapshot(&self) -> Self {
            Self::with(self.files.borrow().clone())
        }

        /// Whether a change is done: in full, in part, or not at all.
        fn step(&self) -> io::Result<Option<usize>> {
            self.changes.set(self.changes.get() + 1);
            match self.fuse.get() {
                None => Ok(None),
                Some(0) => Err(io::Error::other("dead")),
                Some(1) => {
                    self.fuse.set(Some(0));
                    Ok(Some(self.torn.get()))
                }
                Some(left) => {
                    self.fuse.set(Some(left - 1));
                    Ok(None)
                }
            }
        }
    }

    /// What of a write is done.
    fn part(bytes: &[u8], torn: Option<usize>) -> std::ops::Range<usize> {
        match torn {
            None => 0..bytes.len(),
            Some(5) => bytes.len() / 2..bytes.len(),
            Some(part) => 0..bytes.len() * part / 4,
        }
    }

    impl Folder for MemoryFolder {
        fn names(&self) -> io::Result<Vec<String>> {
            Ok(self.files.borrow().keys().cloned().collect())
        }

        fn info(&self, name: &str) -> io::Result<Option<FileInfo>> {
            let bytes = self.files.borrow().get(name).map(|bytes| bytes.len() as u64);
            Ok(bytes.map(|bytes| FileInfo { regular: true, bytes }))
        }

        fn open<'a>(&'a self, name: &str) -> io::Result<Box<dyn Read + 'a>> {
            let bytes = self.files.borrow().get(name).cloned().ok_or(ErrorKind::NotFound)?;
            Ok(Box::new(io::Cursor::new(bytes)))
        }
    }

    impl FolderMut for MemoryFolder {
        fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
            let done = part(bytes, self.step()?);
            let mut file = vec![0; done.end];
            file[done.clone()].copy_from_slice(&bytes[done]);
            self.files.borrow_mut().insert(name.to_owned(), file);
            Ok(())
        }

        fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let done = part(bytes, self.step()?);
            let mut files = self.files.borrow_mut();
            let file = files.entry(name.to_owned()).or_default();
            let start = usize::try_from(offset).unwrap();
            if !done.is_empty() {
                file.resize(file.len().max(start + done.end), 0);
            }
            file[start + done.start..start + done.end].copy_from_slice(&bytes[done]);
            Ok(())
        }

        fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
            self.step()?;
            let mut files = self.files.borrow_mut();
            let bytes = files.remove(from).ok_or(ErrorKind::NotFound)?;
            files.insert(to.to_owned(), bytes);
            Ok(())
        }

        fn remove(&mut self, name: &str) -> io::Result<()> {
            self.step()?;
            self.files.borrow_mut().remove(name);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            if self.fuse.get() == Some(0) { Err(io::Error::other("dead")) } else { Ok(()) }
        }

        fn touch(&mut self) -> io::Result<()> {
            self.step().map(|_| ())
        }
    }
}

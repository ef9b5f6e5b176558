//! The files of this machine in look-ups, such as `/etc/passwd`: read when they are asked for the first time, and again
//! when they have changed.
//!
//! Nothing of a password is told but that there is one, and no shadow entry is made of a user: the file with the hashes is
//! not read.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use netinfo_directory::{Property, is_secret};
use netinfo_formats::flat::Format;
use netinfo_lookup::{INDEXED, Record, Source, Table, Unavailable};

use crate::limits::FLAT_FILE_SIZE;

/// What stands for a password.
const HIDDEN: &[u8] = b"*";
/// A directory with files, and what was read of them.
pub(crate) struct Files {
    folder: PathBuf,
    read: Mutex<HashMap<Table, Arc<Content>>>,
}

/// What tells one state of a file from another: its number, length, and times of change.
type Stamp = Option<[i64; 6]>;

/// The records of a table, from one file or more.
struct Content {
    stamps: Vec<Stamp>,
    records: Vec<Vec<Property>>,
    /// By property and value, the records in order.
    index: HashMap<(&'static [u8], Vec<u8>), Vec<usize>>,
    /// Why they cannot be told.
    failure: Option<String>,
}

impl Files {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// What the files of a table hold now.
    fn content(&self, table: Table) -> Arc<Content> {
        let paths: Vec<(Format, PathBuf)> =
            formats(table).iter().map(|format| (*format, self.folder.join(format.name()))).collect();
        // Before they are read: what changes meanwhile is read again the next time.
        let stamps: Vec<Stamp> = paths.iter().map(|(_, path)| stamp(path)).collect();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(&table).filter(|content| content.stamps == stamps) {
            return content.clone();
        }
        let content = Arc::new(Content::read(stamps, &paths));
        if let Some(failure) = &content.failure {
            tracing::warn!("look-ups do without the files of /{}: {failure}", table.directory());
        }
        read.insert(table, content.clone());
        content
    }
}

/// The files of a table.
fn formats(table: Table) -> &'static [Format] {
    match table {
        Table::Users => &[Format::Passwd],
        Table::Groups => &[Format::Group],
        Table::Machines => &[Format::Hosts, Format::Ethers],
        Table::Networks => &[Format::Networks],
        Table::Services => &[Format::Services],
        Table::Protocols => &[Format::Protocols],
        Table::Rpcs => &[Format::Rpc],
        Table::Aliases => &[Format::Aliases],
        Table::Netgroups => &[Format::Netgroup],
        Table::Mounts => &[Format::Fstab],
        Table::Printers => &[Format::Printcap],
        Table::Netdomains => &[],
    }
}

fn stamp(path: &Path) -> Stamp {
    let of = |data: Metadata| {
        let (inode, size) = (data.ino().cast_signed(), data.size().cast_signed());
        [inode, size, data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()]
    };
    std::fs::metadata(path).ok().map(of)
}

impl Content {
    fn read(stamps: Vec<Stamp>, paths: &[(Format, PathBuf)]) -> Self {
        let mut content = Self { stamps, records: Vec::new(), index: HashMap::new(), failure: None };
        for (format, path) in paths {
            if let Err(failure) = content.add(*format, path) {
                content.failure = Some(format!("{}: {failure}", path.display()));
            }
        }
        content
    }

    /// Adds the records of a file; one that does not exist has none.
    fn add(&mut self, format: Format, path: &Path) -> Result<(), String> {
        let data = match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            data => data.map_err(|error| error.to_string())?,
        };
        // Others may never end, or not even open.
        if !data.is_file() {
            return Err("it is no file".to_owned());
        }
        if data.len() > FLAT_FILE_SIZE {
            return Err(format!("it is longer than {FLAT_FILE_SIZE} bytes"));
        }
        let file = File::open(path).map_err(|error| error.to_string())?;
        for record in format.read(BufReader::new(file.take(FLAT_FILE_SIZE))) {
            match record {
                Ok(record) => self.add_record(record.properties),
                Err(problem) => tracing::debug!(file = %path.display(), "a line is passed over: {problem}"),
            }
        }
        Ok(())
    }

    fn add_record(&mut self, properties: Vec<(Vec<u8>, Vec<Vec<u8>>)>) {
        let properties = properties.into_iter().filter_map(|(name, values)| {
            let values = match () {
                () if name == b"passwd" => vec![HIDDEN.to_vec()],
                () if is_secret(&name) => return None,
                () => values,
            };
            Some(Property { name, values })
        });
        let properties: Vec<Property> = properties.collect();
        let number = self.records.len();
        for key in INDEXED {
            let Some(property) = properties.iter().find(|property| property.name == key) else { continue };
            for value in &property.values {
                let places = self.index.entry((key, value.clone())).or_default();
                if places.last() != Some(&number) {
                    places.push(number);
                }
            }
        }
        self.records.push(properties);
    }

    fn record(&self, number: usize) -> Option<Record<'_>> {
        let properties = self.records.get(number)?;
        Some(Record::Listed { id: number as u64, properties })
    }

    fn check(&self) -> Result<(), Unavailable> {
        self.failure.as_ref().map_or(Ok(()), |failure| Err(Unavailable(failure.clone())))
    }
}

/// The files as one look-up sees them: each in one state.
pub(crate) struct FilesSource<'f> {
    files: &'f Files,
    seen: RefCell<HashMap<Table, Arc<Content>>>,
}

impl<'f> FilesSource<'f> {
    pub(crate) fn new(files: &'f Files) -> Self {
        Self { files, seen: RefCell::default() }
    }

    fn content(&self, table: Table) -> Arc<Content> {
        self.seen.borrow_mut().entry(table).or_insert_with(|| self.files.content(table)).clone()
    }
}

impl Source for FilesSource<'_> {
    fn name(&self) -> &str {
        "files"
    }

    /// There are none in its records.
    fn shows_secrets(&self) -> bool {
        true
    }

    fn has_shadow(&self) -> bool {
        false
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let content = self.content(table);
        content.check()?;
        let mut found: Vec<usize> = Vec::new();
        if let Some(key) = INDEXED.into_iter().find(|indexed| *indexed == key) {
            found.extend(content.index.get(&(key, value.to_vec())).into_iter().flatten());
        } else {
            let all = 0..content.records.len();
            let has = |n: &usize| content.record(*n).is_some_and(|r| r.values(key).any(|v| v == value));
            found.extend(all.filter(has));
        }
        for record in found.into_iter().filter_map(|number| content.record(number)) {
            if each(record).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let content = self.content(table);
        content.check()?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for number in from..content.records.len() {
            if content.record(number).is_some_and(|record| each(number as u64, record).is_break()) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(files: &Files, table: Table, key: &str, value: &str) -> Result<Vec<String>, Unavailable> {
        let mut names = Vec::new();
        FilesSource::new(files).find(table, key.as_bytes(), value.as_bytes(), &mut |record| {
            names.push(String::from_utf8_lossy(record.first(b"name").unwrap()).into_owned());
            ControlFlow::Continue(())
        })?;
        Ok(names)
    }

    #[test]
    fn files_are_read_again_when_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned());
        assert_eq!(names(&files, Table::Users, "name", "ann"), Ok(vec![]), "there is no file");
        fs::write(
            folder.path().join("passwd"),
            "ann:secrethash:501:20:Ann A:/h:/s\nbad\nbob:x:502:20::/h:/s\n",
        )
        .unwrap();
        assert_eq!(names(&files, Table::Users, "uid", "502").unwrap(), ["bob"]);
        assert_eq!(names(&files, Table::Users, "realname", "Ann A").unwrap(), ["ann"]);
        fs::write(folder.path().join("passwd"), "cia:x:503:20::/h:/s\n").unwrap();
        assert_eq!(names(&files, Table::Users, "uid", "502"), Ok(vec![]));
        assert_eq!(names(&files, Table::Users, "uid", "503").unwrap(), ["cia"]);
        fs::remove_file(folder.path().join("passwd")).unwrap();
        assert_eq!(names(&files, Table::Users, "uid", "503"), Ok(vec![]));
    }

    #[test]
    fn nothing_of_a_password_is_left() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("passwd"), "ann:secrethash:501:20::/h:/s\n").unwrap();
        fs::write(folder.path().join("group"), "wheel:secrethash:0:ann\n").unwrap();
        let files = Files::new(folder.path().to_owned());
        for table in [Table::Users, Table::Groups] {
            let listed = FilesSource::new(&files).list(table, 0, &mut |_, record| {
                let secret = |value: &[u8]| value.windows(6).any(|w| w == b"secret");
                assert!(!record.properties().any(|(_, mut values)| values.any(secret)));
                assert_eq!(record.first(b"passwd"), Some(HIDDEN));
                ControlFlow::Continue(())
            });
            assert_eq!(listed, Ok(()));
        }
        assert!(!FilesSource::new(&files).has_shadow());
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned());
        let long = File::create(folder.path().join("services")).unwrap();
        long.set_len(FLAT_FILE_SIZE + 1).unwrap();
        assert!(names(&files, Table::Services, "name", "x").unwrap_err().0.contains("longer than 16777216"));
        long.set_len(FLAT_FILE_SIZE).unwrap();
        assert_eq!(names(&files, Table::Services, "name", "x"), Ok(vec![]));
        fs::create_dir(folder.path().join("rpc")).unwrap();
        assert!(names(&files, Table::Rpcs, "name", "x").unwrap_err().0.contains("no file"));
    }
}

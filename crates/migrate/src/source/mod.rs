//! Where imports come from: files and folders, and what they hold.
//!
//! `format` has the formats by name, `recognise` tells them, `entries` makes items of LDIF, `block` many at a time.

pub(crate) mod block;
mod entries;
mod format;
mod recognise;

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use netinfo_formats::{Problem, Record, Shadow, dslocal, flat, json5, jsonl, nidb, raw, read_users};

use crate::error::{Error, Result};
use crate::item::Item;
use block::Block;

pub use format::Format;
pub use recognise::recognise_name;

/// One file, or one folder that belongs together, on its way in.
#[derive(Debug, Clone)]
pub struct Part {
    /// The file as it is named in reports.
    pub name: String,
    /// Its format.
    pub format: Format,
    path: PathBuf,
    /// The passwords of a `passwd` file.
    shadow: Option<PathBuf>,
    /// Whether values that stand in other files are fetched.
    urls: bool,
}

/// The items of a part, or what is wrong with it here and there.
pub type Items = Box<dyn Iterator<Item = Result<Item, Problem>>>;

/// The records of a part, or what is wrong with it here and there.
pub type Records = Box<dyn Iterator<Item = Result<Record, Problem>>>;

/// The parts of a file or folder: those of a folder like `/etc` are its files.
///
/// # Errors
/// [`Error::File`] when it cannot be looked at, [`Error::Invalid`] when the format is not given and cannot be told.
pub fn parts(format: Option<Format>, path: &Path) -> Result<Vec<Part>> {
    let shown = path.display().to_string();
    let data = fs::metadata(path).map_err(|error| Error::File(shown.clone(), error))?;
    if data.is_dir() {
        return folder(format, path);
    }
    let format = match format {
        Some(format) => format,
        None => recognise::file(path)?,
    };
    Ok(vec![Part::new(format, path)])
}

fn folder(format: Option<Format>, path: &Path) -> Result<Vec<Part>> {
    match format.or_else(|| recognise::folder(path)) {
        Some(format) if format.is_folder() => return Ok(vec![Part::new(format, path)]),
        Some(format) => {
            return Err(Error::Invalid(format!(
                "{} is a folder, which {} is not",
                path.display(),
                format.name()
            )));
        }
        None => {}
    }
    let has = |name: &str| path.join(name).is_file();
    let mut parts = Vec::new();
    for format in flat::Format::ALL {
        // Some systems have the passwords in one file of their own form; that one has it all. Others have them in one
        // beside, which is read together with the users. Where both are, the folder is of neither, and all count.
        let elsewhere = match format {
            flat::Format::Passwd => has("master.passwd") && !has("shadow"),
            flat::Format::Shadow => has("passwd"),
            _ => false,
        };
        if !elsewhere && has(format.name()) {
            parts.push(Part::new(Format::Flat(format), &path.join(format.name())));
        }
    }
    parts.extend(maps(path)?);
    if parts.is_empty() {
        return Err(Error::Invalid(format!(
            "{}: no folder of a known kind: neither a .nidb folder, nor that of a Mac's local directory, nor one with passwd, group, hosts and the like",
            path.display()
        )));
    }
    Ok(parts)
}

/// The maps of the automounter in a folder.
fn maps(path: &Path) -> Result<Vec<Part>> {
    let cannot = |error| Error::File(path.display().to_string(), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if flat::Format::from_file_name(&name) == Some(flat::Format::MountMap) && entry.path().is_file() {
            names.push(entry.path());
        }
    }
    names.sort();
    Ok(names.iter().map(|name| Part::new(Format::Flat(flat::Format::MountMap), name)).collect())
}

impl Part {
    fn new(format: Format, path: &Path) -> Self {
        let beside = path.with_file_name("shadow");
        let takes_shadow = matches!(format, Format::Flat(flat) if flat.name() == "passwd");
        let shadow = (takes_shadow && beside.is_file()).then_some(beside);
        Self { name: path.display().to_string(), format, path: path.to_owned(), shadow, urls: false }
    }

    /// The same, fetching values of LDIF that stand in other files of this machine.
    #[must_use]
    pub fn with_urls(mut self, urls: bool) -> Self {
        self.urls = urls;
        self
    }

    /// The passwords that go with it, if they stand in a file of their own.
    #[must_use]
    pub fn shadow(&self) -> Option<&Path> {
        self.shadow.as_deref()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes there are to read, if that is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().filter(fs::Metadata::is_file).map(|data| data.len())
    }

    fn file(&self, path: &Path, read: Arc<AtomicU64>) -> Result<BufReader<Counted<File>>> {
        let file = File::open(path).map_err(|error| Error::File(path.display().to_string(), error))?;
        Ok(BufReader::with_capacity(256 << 10, Counted { input: file, read }))
    }

    /// Opens it. `read` hears how many bytes have been read.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn items(&self, read: Arc<AtomicU64>) -> Result<Items> {
        match self.format {
            Format::Ldif => Ok(entries::entries(self.file(&self.path, read)?, self.urls)),
            _ => Ok(Box::new(self.records(read)?.map(|record| record.map(Item::from)))),
        }
    }

    /// Opens LDIF to be read in blocks, each in the memory of one that is done with.
    ///
    /// # Errors
    /// When it cannot be read at all, or is something else.
    pub(crate) fn blocks(&self, read: Arc<AtomicU64>) -> Result<impl FnMut(Block) -> Option<Block>> {
        if self.format != Format::Ldif {
            return Err(Error::Invalid(format!("{}: only LDIF consists of entries", self.name)));
        }
        let file = File::open(&self.path).map_err(|error| Error::File(self.name.clone(), error))?;
        let mut reader = entries::reader(Counted { input: file, read }, self.urls);
        Ok(move |block: Block| Some(block.read(&mut reader)).filter(|block| block.len() > 0))
    }

    /// Opens it, for formats that consist of records: all but LDIF.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn records(&self, read: Arc<AtomicU64>) -> Result<Records> {
        match self.format {
            Format::Flat(format) => self.flat(format, read),
            Format::Raw => {
                Ok(Box::new(raw::Reader::new(self.file(&self.path, read)?, raw::Dialect::default())))
            }
            Format::Jsonl => Ok(Box::new(jsonl::Reader::new(self.file(&self.path, read)?))),
            Format::Json5 => Ok(Box::new(json5::Reader::new(self.file(&self.path, read)?))),
            Format::Ldif => Err(Error::Invalid("LDIF consists of entries".into())),
            Format::Sudoers => Err(Error::Invalid(
                "sudoers files can be written, not read; cvtsudoers makes LDIF of them, which can".into(),
            )),
            Format::Nidb => {
                let database = nidb::Database::read(&self.path)
                    .map_err(|error| Error::Invalid(format!("{}: {error}", self.name)))?;
                let records: Vec<_> = database.records().collect();
                Ok(Box::new(records.into_iter()))
            }
            Format::DsLocal => {
                let folder = dslocal::Folder::open(&self.path)
                    .map_err(|error| Error::File(self.name.clone(), error))?;
                Ok(Box::new(folder.records()))
            }
        }
    }

    fn flat(&self, format: flat::Format, read: Arc<AtomicU64>) -> Result<Records> {
        let file = self.file(&self.path, read.clone())?;
        let name = self.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let Some(path) = &self.shadow else { return Ok(format.read_named(&name, file)) };
        let (shadow, problems) = Shadow::read(self.file(path, Arc::default())?);
        // The reader borrows the passwords, and they are to live as long: records are made at once.
        let users: Vec<_> = read_users(file, &shadow).collect();
        Ok(Box::new(problems.into_iter().map(Err).chain(users)))
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

//! Where imports come from: files and folders, and what format they have.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use netinfo_formats::{Problem, Reason, Record, Shadow, flat, json5, jsonl, ldif, nidb, raw, read_users};
use netinfo_mapping::write::Operation;

use crate::error::{Error, Result};
use crate::item::{Attributes, Change, Item, What};

/// How a file or folder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An administrative file: `passwd`, `hosts` and so on.
    Flat(flat::Format),
    /// LDAP entries or changes as text (RFC 2849).
    Ldif,
    /// The raw text of a directory and all below it, as `nidump -r` writes it.
    Raw,
    /// JSON, one record a line.
    Jsonl,
    /// The JSON5 file of a domain for QEMU.
    Json5,
    /// A `.nidb` folder.
    Nidb,
}

impl Format {
    /// What users call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flat(format) => format.name(),
            Self::Ldif => "ldif",
            Self::Raw => "raw",
            Self::Jsonl => "jsonl",
            Self::Json5 => "json5",
            Self::Nidb => "nidb",
        }
    }

    /// The format that users call so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let own = Self::OWN.into_iter().find(|format| format.name() == name);
        own.or_else(|| flat::Format::from_name(name).map(Self::Flat))
    }

    /// Those that are no administrative files.
    const OWN: [Self; 5] = [Self::Ldif, Self::Raw, Self::Jsonl, Self::Json5, Self::Nidb];

    /// Whether it is written as a directory and all below it.
    #[must_use]
    pub const fn is_tree(self) -> bool {
        matches!(self, Self::Nidb | Self::Raw | Self::Jsonl | Self::Json5)
    }

    /// Whether it is a folder.
    #[must_use]
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::Nidb)
    }

    /// The names of all formats.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let flat = flat::Format::ALL.into_iter().map(flat::Format::name);
        flat.chain(Self::OWN.map(Self::name)).collect()
    }
}

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
        None => recognise(path)?,
    };
    Ok(vec![Part::new(format, path)])
}

fn folder(format: Option<Format>, path: &Path) -> Result<Vec<Part>> {
    match format {
        Some(Format::Nidb) => return Ok(vec![Part::new(Format::Nidb, path)]),
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
    if has("Collection")
        || has("collection")
        || (has("Config") && has("Clean"))
        || has("Store.1")
        || has("Store.0")
    {
        return Ok(vec![Part::new(Format::Nidb, path)]);
    }
    let mut parts = Vec::new();
    for format in flat::Format::ALL {
        // Some systems have the passwords in one file of their own form; that one has it all. Others have them in one
        // beside, which is read together with the users.
        let elsewhere = match format {
            flat::Format::Passwd => has("master.passwd"),
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
            "{}: no folder of a known kind: neither a .nidb folder nor one with passwd, group, hosts and the like",
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
        if by_name(&name) == Some(Format::Flat(flat::Format::MountMap)) && entry.path().is_file() {
            names.push(entry.path());
        }
    }
    names.sort();
    Ok(names.iter().map(|name| Part::new(Format::Flat(flat::Format::MountMap), name)).collect())
}

/// Tells the format of a file by its name, and by how it begins.
fn recognise(path: &Path) -> Result<Format> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if let Some(format) = by_name(&name) {
        return Ok(format);
    }
    let shown = path.display().to_string();
    let mut start = Vec::new();
    let file = File::open(path).map_err(|error| Error::File(shown.clone(), error))?;
    file.take(SNIFFED).read_to_end(&mut start).map_err(|error| Error::File(shown.clone(), error))?;
    by_content(&start).ok_or_else(|| {
        Error::Invalid(format!(
            "{shown}: it cannot be told what format this is; say so: {}",
            Format::names().join(", ")
        ))
    })
}

/// The format that the name of a file tells.
#[must_use]
pub fn recognise_name(path: &Path) -> Option<Format> {
    by_name(&path.file_name()?.to_string_lossy().to_lowercase())
}

/// So much of a file is looked at to tell its format, in bytes.
const SNIFFED: u64 = 64 << 10;

fn by_name(name: &str) -> Option<Format> {
    if let Some((stem, ending)) = name.rsplit_once('.') {
        match ending {
            "ldif" | "ldf" => return Some(Format::Ldif),
            "nidb" => return Some(Format::Nidb),
            "raw" | "nidump" => return Some(Format::Raw),
            "jsonl" | "ndjson" => return Some(Format::Jsonl),
            "json5" | "json" => return Some(Format::Json5),
            // What editors and tools leave: passwd.bak, hosts.orig.
            "bak" | "orig" | "old" | "txt" | "save" => return by_name(stem),
            _ => {}
        }
    }
    if name.starts_with("auto_") || name.starts_with("auto.") {
        return Some(Format::Flat(flat::Format::MountMap));
    }
    flat::Format::from_name(name.trim_end_matches('-')).map(Format::Flat)
}

fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

fn by_content(start: &[u8]) -> Option<Format> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let comment = |line: &[u8]| line.starts_with(b"#") || line.starts_with(b"//");
    let mut lines = lines.filter(|line| !line.is_empty() && !comment(line));
    let first = lines.next()?;
    let lower = first.to_ascii_lowercase();
    if lower.starts_with(b"dn:") || lower.starts_with(b"version:") {
        return Some(Format::Ldif);
    }
    if first.starts_with(b"{") {
        let second = lines.next().unwrap_or_default().trim_ascii_start();
        let is_raw =
            first.trim_ascii() == b"{" && (second.starts_with(b"\"") || second.starts_with(b"CHILDREN"));
        let has_colon = |line: &[u8]| line.windows(2).any(|pair| pair == b"\":");
        if is_raw && !has_colon(second) {
            return Some(Format::Raw);
        }
        let is_line = first.len() > 1 && first.ends_with(b"}") && has_colon(first) && !has(start, b"nodes");
        return Some(if is_line { Format::Jsonl } else { Format::Json5 })
            .filter(|_| is_line || has(start, b"nodes"));
    }
    let colons = first.iter().filter(|byte| **byte == b':').count();
    let flat = match colons {
        9 => "master.passwd",
        8 => "shadow",
        6 => "passwd",
        3 => "group",
        _ => return None,
    };
    flat::Format::from_name(flat).map(Format::Flat)
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
            Format::Ldif => Ok(entries(self.file(&self.path, read)?, self.urls)),
            _ => Ok(Box::new(self.records(read)?.map(|record| record.map(Item::from)))),
        }
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
            Format::Nidb => {
                let database = nidb::Database::read(&self.path)
                    .map_err(|error| Error::Invalid(format!("{}: {error}", self.name)))?;
                let records: Vec<_> = database.records().collect();
                Ok(Box::new(records.into_iter()))
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

/// The items of an LDIF file.
fn entries(input: impl BufRead + 'static, urls: bool) -> Items {
    let mut reader = ldif::Reader::new(input);
    if urls {
        reader = reader.with_urls(|url| {
            let path = ldif::file_of_url(url).ok_or_else(|| {
                io::Error::new(io::ErrorKind::Unsupported, "only files of this machine are fetched")
            })?;
            fs::read(path)
        });
    }
    Box::new(std::iter::from_fn(move || Some(reader.next()?.map(owned))))
}

fn owned(item: ldif::Item<'_>) -> Item {
    let line = item.line();
    let dn = item.dn().to_vec();
    let what = match item {
        ldif::Item::Entry(entry) => What::Entry(dn, grouped(&entry.attributes)),
        ldif::Item::Change(change) => What::Change(
            dn,
            match change.operation {
                ldif::Operation::Add(attributes) => Change::Add(grouped(&attributes)),
                ldif::Operation::Delete => Change::Delete,
                ldif::Operation::Modify(steps) => Change::Modify(steps.map(step).collect()),
                ldif::Operation::Rename { new_rdn, delete_old_rdn, new_superior } => Change::Rename {
                    new_rdn: new_rdn.to_vec(),
                    delete_old: delete_old_rdn,
                    new_superior: new_superior.map(<[u8]>::to_vec),
                },
            },
        ),
    };
    Item { line, what }
}

fn step(step: ldif::Modification<'_>) -> crate::item::Step {
    let operation = match step.kind {
        ldif::ModificationKind::Add => Operation::Add,
        ldif::ModificationKind::Delete => Operation::Delete,
        ldif::ModificationKind::Replace => Operation::Replace,
        ldif::ModificationKind::Increment => Operation::Increment,
    };
    (operation, step.description.to_vec(), step.values.map(<[u8]>::to_vec).collect())
}

fn grouped(attributes: &ldif::Attributes<'_>) -> Attributes {
    let groups = attributes.grouped().into_iter();
    groups.map(|(name, values)| (name.to_vec(), values.into_iter().map(<[u8]>::to_vec).collect())).collect()
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

/// What a problem says, without its line.
pub(crate) fn words(problem: &Problem) -> String {
    match &problem.reason {
        Reason::Malformed(text) => text.clone(),
        reason => format!("{}: {reason}", problem.field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(format: Option<Format>) -> Option<&'static str> {
        format.map(Format::name)
    }

    #[test]
    fn names_tell_formats() {
        for (file, format) in [
            ("passwd", Some("passwd")),
            ("group-", Some("group")),
            ("hosts.orig", Some("hosts")),
            ("export.ldif", Some("ldif")),
            ("local.nidb", Some("nidb")),
            ("auto_home", Some("mountmap")),
            ("site.raw", Some("raw")),
            ("readme", None),
        ] {
            assert_eq!(name(by_name(file)), format, "{file}");
        }
    }

    #[test]
    fn contents_tell_formats() {
        for (text, format) in [
            ("# comment\n\nversion: 1\n", Some("ldif")),
            ("\u{feff}dn: dc=example\n", Some("ldif")),
            ("root:x:0:0:root:/root:/bin/sh\n", Some("passwd")),
            ("wheel:*:0:root\n", Some("group")),
            ("{\n  \"name\" = ( \"users\" );\n}\n", Some("raw")),
            ("{\"place\":\"root\"}\n", Some("jsonl")),
            ("// QEMU\n{ version: 1,\n nodes: [] }\n", Some("json5")),
            ("{ what: 1 }\n", None),
            ("what is this\n", None),
            ("", None),
        ] {
            assert_eq!(name(by_content(text.as_bytes())), format, "{text:?}");
        }
    }

    #[test]
    fn all_names_lead_to_formats() {
        for word in Format::names() {
            assert_eq!(name(Format::named(word)), Some(word));
        }
        assert_eq!(Format::named("nothing"), None);
    }
}

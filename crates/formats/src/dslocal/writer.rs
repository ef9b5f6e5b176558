//! Writing a folder.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::record::DsRecord;
use crate::record::{Place, Record};
use crate::writer::{Loss, RecordWriter};

/// Longest name of a file, in bytes.
const MAX_FILE_NAME: usize = 255;

/// How property lists are written; a Mac reads either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As 10.5 and 10.6 wrote them.
    #[default]
    Xml,
    /// As 10.7 and later do.
    Binary,
}

/// Writes a tree as a folder: directories below the root are kinds, those below kinds are records.
#[derive(Debug)]
pub struct Writer {
    base: PathBuf,
    encoding: Encoding,
    /// What the records that have come were.
    slots: Vec<Slot>,
    kinds: Vec<String>,
    /// Files that have been written, as a file system without case sees them.
    files: HashSet<String>,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Root,
    /// By its number in `kinds`.
    Kind(usize),
    Record,
    Lost,
}

impl Writer {
    /// Makes `nodes/Default` in this folder; hash files go to `shadow/hash` and `samba/hash` in it. Only the owner may
    /// read any of it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made.
    pub fn create(base: &Path, encoding: Encoding) -> io::Result<Self> {
        folder(&base.join("nodes/Default"))?;
        let (slots, kinds, files) = (Vec::new(), Vec::new(), HashSet::new());
        Ok(Self { base: base.to_owned(), encoding, slots, kinds, files })
    }

    fn kind(&mut self, kind: &str) -> usize {
        match self.kinds.iter().position(|known| known == kind) {
            Some(number) => number,
            None => {
                self.kinds.push(kind.to_owned());
                self.kinds.len() - 1
            }
        }
    }

    /// A directory that is a folder: it has a name and nothing else.
    fn folder(&mut self, above: &str, record: &Record, losses: &mut Vec<Loss>) -> Slot {
        let name = record.first("name").and_then(|name| str::from_utf8(name).ok());
        let Some(name) = name.filter(|name| is_file_name(name)) else {
            let why = "its name cannot be that of a folder";
            losses.push(Loss { line: record.line, property: Vec::new(), why });
            return Slot::Lost;
        };
        let why = "a folder has a name and nothing else";
        lose_properties(record, why, losses);
        let kind = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        Slot::Kind(self.kind(&kind))
    }

    fn record(&mut self, kind: usize, record: &Record, losses: &mut Vec<Loss>) -> io::Result<Slot> {
        let kind = self.kinds[kind].clone();
        let mut lost = |why| {
            losses.push(Loss { line: record.line, property: Vec::new(), why });
            Ok(Slot::Lost)
        };
        let first = record.first("name").and_then(|name| str::from_utf8(name).ok()).unwrap_or("");
        let name = format!("{}.plist", first.replace('/', "%2F"));
        if first.is_empty() || first.contains('\0') || name.len() > MAX_FILE_NAME {
            return lost("its name cannot be that of a file");
        }
        if !self.files.insert(format!("{kind}/{}", name.to_lowercase())) {
            return lost("a record of the same name has been written");
        }
        let Some(found) = DsRecord::from_record(record, &kind, losses) else { return Ok(Slot::Lost) };
        let content = found.to_bytes(self.encoding)?;
        let node = self.base.join("nodes/Default").join(kind);
        folder(&node)?;
        put(&node, &name, &content)?;
        self.hashes(&found)?;
        Ok(Slot::Record)
    }

    fn hashes(&self, record: &DsRecord) -> io::Result<()> {
        let name = record.text("name");
        let shadow = record.text("generateduid").or(name);
        for (place, name, digits) in
            [("shadow/hash", shadow, &record.shadow_file), ("samba/hash", name, &record.samba_file)]
        {
            if let (Some(name), Some(digits)) = (name.filter(|name| is_file_name(name)), digits) {
                let place = self.base.join(place);
                folder(&place)?;
                put(&place, name, digits)?;
            }
        }
        Ok(())
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()> {
        let slot = match record.place {
            Place::Root => {
                lose_properties(record, "the root has no file", losses);
                Slot::Root
            }
            Place::In(container) => {
                let kind = self.kind(container);
                self.record(kind, record, losses)?
            }
            Place::Below(number) => {
                let above = usize::try_from(number).ok().and_then(|number| self.slots.get(number).copied());
                match above {
                    Some(Slot::Root) => self.folder("", record, losses),
                    // The one kind that is inside another.
                    Some(Slot::Kind(kind))
                        if self.kinds[kind] == "config" && record.first("name") == Some(b"SharePoints") =>
                    {
                        self.folder("config", record, losses)
                    }
                    Some(Slot::Kind(kind)) => self.record(kind, record, losses)?,
                    Some(Slot::Record | Slot::Lost) => {
                        let why = "there is no place for what is below a record";
                        losses.push(Loss { line: record.line, property: Vec::new(), why });
                        Slot::Lost
                    }
                    None => {
                        let why = "a record below one that has not come";
                        return Err(io::Error::new(ErrorKind::InvalidInput, why));
                    }
                }
            }
        };
        self.slots.push(slot);
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Loss>) -> io::Result<()> {
        Ok(())
    }
}

/// Everything but the first name is lost.
fn lose_properties(record: &Record, why: &'static str, losses: &mut Vec<Loss>) {
    for (name, values) in &record.properties {
        if record.place == Place::Root || name != b"name" || values.len() > 1 {
            losses.push(Loss { line: record.line, property: name.clone(), why });
        }
    }
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']) && name.len() <= MAX_FILE_NAME
}

/// Makes a folder with those it is in.
fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file so that it is complete or not there.
fn put(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    // Names have a length of their own; this one is not longer than needed.
    let temporary = folder.join(".write.temp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.sync_data()?;
    drop(file);
    fs::rename(&temporary, folder.join(name))
}

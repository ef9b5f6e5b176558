//! Domains on their way out.

use std::io::{self, Write};
use std::path::Path;

use netinfo_directory::{Domain, ROOT, RecordRef, View};
use netinfo_formats::{
    Identity, Loss, Place, Record, RecordWriter, dslocal, flat, json5, jsonl, ldif, nidb, raw, sudoers,
};
use netinfo_mapping::{Entry, Namespace, Selection};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::local::session;
use crate::losses::{Cause, Losses};
use crate::source::Format;

/// What was exported.
#[derive(Debug, Default)]
pub struct Exported {
    /// Directories or entries.
    pub records: u64,
    /// What the format cannot carry.
    pub losses: Losses,
    /// What the writer has said of the record at hand.
    fresh: Vec<Loss>,
}

impl Exported {
    /// As JSON, in the shape of an import's report: `{"counts": {"written", "lost"}, "files": [{"file", "format",
    /// "counts", "lost": […], "dropped_causes"}]}`, where what is lost is told cause by cause ([`Cause::to_json`]).
    #[must_use]
    pub fn to_json(&self, file: &str, format: Format) -> Value {
        let counts = json!({ "written": self.records, "lost": self.losses.total() });
        let file = json!({
            "file": file,
            "format": format.name(),
            "counts": counts,
            "lost": self.losses.causes().iter().map(Cause::to_json).collect::<Vec<_>>(),
            "dropped_causes": self.losses.dropped(),
        });
        json!({ "counts": counts, "files": [file] })
    }
}

/// Operational attributes that an export of entries has, so that they can come back as they were.
const KEPT: [&[u8]; 6] =
    [b"*", b"entryUUID", b"creatorsName", b"createTimestamp", b"modifiersName", b"modifyTimestamp"];

fn unwritable(error: io::Error) -> Error {
    Error::File("the output".into(), error)
}

/// Follows names from the root.
///
/// # Errors
/// [`Error::Core`] with `NoSuchDirectory` where one is missing.
pub fn resolve(view: &View<'_>, path: &[Vec<u8>]) -> Result<u32> {
    let names: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
    view.path(&names)?.ok_or_else(|| netinfo_directory::Error::NoSuchDirectory.into())
}

/// Writes a domain, or what is below `path` in it, as a file. `tag` is what the domain is called where it comes from. For
/// flat files `path` is the directory whose children are written, by default the one of the format.
///
/// # Errors
/// When the output cannot be written, there is no such directory, or the format is not a file.
pub fn export(
    domain: &Domain,
    tag: &str,
    format: Format,
    path: Option<&[Vec<u8>]>,
    out: &mut dyn Write,
) -> Result<Exported> {
    let view = domain.read(&session(domain)?)?;
    match format {
        Format::Flat(format) => children(&view, format, path, out),
        Format::Ldif => entries(&view, tag, path.unwrap_or_default(), out),
        Format::Sudoers => rules(&view, path, out),
        Format::Raw | Format::Jsonl | Format::Json5 => {
            let mut exported = Exported::default();
            let mut writer = writer(format, tag, out)?;
            tree(&view, resolve(&view, path.unwrap_or_default())?, |directory, place| {
                let line = exported.records + 1;
                exported.write(&mut *writer, &record(directory, place, line))
            })?;
            exported.finish(&mut *writer)
        }
        Format::Nidb | Format::DsLocal => Err(Error::Invalid(format!(
            "{} is a folder, no file: give its place with --output",
            format.name()
        ))),
    }
}

/// Writes records as they are.
///
/// # Errors
/// When the output cannot be written, or the format does not consist of records.
pub(crate) fn write_records(
    format: Format,
    records: &mut dyn Iterator<Item = Record>,
    out: &mut dyn Write,
) -> Result<Exported> {
    let mut exported = Exported::default();
    let mut writer = writer(format, "local", out)?;
    for record in records {
        exported.write(&mut *writer, &record)?;
    }
    exported.finish(&mut *writer)
}

fn writer<'o>(format: Format, tag: &str, out: &'o mut dyn Write) -> Result<Box<dyn RecordWriter + 'o>> {
    match format {
        Format::Flat(format) => Ok(format.writer(out)),
        Format::Sudoers => Ok(Box::new(sudoers::Writer::new(out))),
        Format::Raw => Ok(Box::new(raw::Writer::new(out, raw::Dialect::default()))),
        Format::Jsonl => Ok(Box::new(jsonl::Writer::new(out))),
        Format::Json5 => Ok(Box::new(json5::Writer::new(out, tag, tag))),
        Format::Ldif | Format::Nidb | Format::DsLocal => {
            Err(Error::Invalid(format!("{} is no stream of records", format.name())))
        }
    }
}

/// Writes a domain as a folder, which must not exist yet.
///
/// # Errors
/// When it cannot be written, or the format is not a folder.
pub fn export_folder(domain: &Domain, format: Format, folder: &Path) -> Result<Exported> {
    match format {
        Format::Nidb => nidb_folder(domain, folder),
        Format::DsLocal => dslocal_folder(domain, folder),
        _ => Err(Error::Invalid(format!("{} is no folder", format.name()))),
    }
}

/// The folder of a Mac's local directory.
fn dslocal_folder(domain: &Domain, folder: &Path) -> Result<Exported> {
    let cannot = |error| Error::File(folder.display().to_string(), error);
    if folder.exists() {
        return Err(cannot(io::ErrorKind::AlreadyExists.into()));
    }
    let view = domain.read(&session(domain)?)?;
    let mut writer = dslocal::Writer::create(folder, dslocal::Encoding::default()).map_err(cannot)?;
    let mut exported = Exported::default();
    tree(&view, ROOT, |directory, place| {
        let line = exported.records + 1;
        exported.write(&mut writer, &record(directory, place, line))
    })?;
    exported.finish(&mut writer)
}

fn nidb_folder(domain: &Domain, folder: &Path) -> Result<Exported> {
    let view = domain.read(&session(domain)?)?;
    let mut directories = std::collections::BTreeMap::new();
    view.walk(|record, children| {
        let properties = record
            .properties()
            .map(|p| (p.name.to_vec(), p.values.into_iter().map(<[u8]>::to_vec).collect()));
        let directory = nidb::Directory {
            id: record.id().object,
            instance: record.id().instance,
            version: 0,
            parent: record.parent(),
            children: children.to_vec(),
            properties: properties.collect(),
        };
        directories.insert(directory.id, directory);
        Ok(true)
    })?;
    let records = directories.len() as u64;
    let database = nidb::Database {
        layout: nidb::Layout::Modern,
        directories,
        findings: Vec::new(),
        opened_checksum: 0,
    };
    let losses = nidb::write_modern(&database, folder, nidb::WriteOptions::default())
        .map_err(|error| Error::Invalid(format!("{}: {error}", folder.display())))?;
    let mut exported = Exported { records, ..Exported::default() };
    exported.losses.extend(losses);
    Ok(exported)
}

/// A directory as a record.
pub(crate) fn record(record: &RecordRef<'_>, place: Place, line: u64) -> Record {
    let id = record.id();
    let properties =
        record.properties().map(|p| (p.name.to_vec(), p.values.into_iter().map(<[u8]>::to_vec).collect()));
    let identity = Some(Identity { object: id.object, instance: id.instance });
    Record { place, properties: properties.collect(), identity, line }
}

impl Exported {
    fn write(&mut self, writer: &mut dyn RecordWriter, record: &Record) -> Result<()> {
        writer.write(record, &mut self.fresh).map_err(unwritable)?;
        self.records += 1;
        self.losses.extend(self.fresh.drain(..));
        Ok(())
    }

    fn finish(mut self, writer: &mut dyn RecordWriter) -> Result<Self> {
        writer.finish(&mut self.fresh).map_err(unwritable)?;
        self.losses.extend(self.fresh.drain(..));
        Ok(self)
    }
}

fn children(
    view: &View<'_>,
    format: flat::Format,
    path: Option<&[Vec<u8>]>,
    out: &mut dyn Write,
) -> Result<Exported> {
    let mut exported = Exported::default();
    let container = match path {
        Some(path) => Some(resolve(view, path)?),
        None => {
            let names: Vec<&[u8]> = format.container().split('/').map(str::as_bytes).collect();
            view.path(&names)?
        }
    };
    let mut writer = format.writer(out);
    let maps = format == flat::Format::MountMap;
    let mut records = Vec::new();
    if let Some(container) = container {
        match path {
            // The path of one map is that of the file.
            Some(path) if maps && path.len() > 1 => records.push(container),
            _ => records = view.children(container)?.collect::<Result<_, _>>()?,
        }
    }
    for object in records {
        let directory = view.record(object)?;
        let number = exported.records;
        exported.write(&mut *writer, &record(&directory, Place::In(format.container()), number + 1))?;
        if directory.child_count() == 0 {
            continue;
        }
        if !maps {
            let why = "the format has no directories below a record";
            exported.losses.extend([Loss { line: number + 1, property: Vec::new(), why }]);
            continue;
        }
        for child in view.children(object)? {
            let line = exported.records + 1;
            exported.write(&mut *writer, &record(&view.record(child?)?, Place::Below(number), line))?;
        }
    }
    exported.finish(&mut *writer)
}

/// Calls `each` with the directories below `top`, parents first, and the place of each in the stream.
pub(crate) fn tree(
    view: &View<'_>,
    top: u32,
    mut each: impl FnMut(&RecordRef<'_>, Place) -> Result<()>,
) -> Result<()> {
    let mut stack = vec![(top, Place::Root)];
    let mut number = 0;
    let mut left = view.directories()?;
    while let Some((object, place)) = stack.pop() {
        left = left.checked_sub(1).ok_or_else(|| Error::Invalid("the tree has a loop".into()))?;
        each(&view.record(object)?, place)?;
        let first = stack.len();
        for child in view.children(object)? {
            stack.push((child?, Place::Below(number)));
        }
        stack[first..].reverse();
        number += 1;
    }
    Ok(())
}

/// The rules of sudo below a directory, or, where LDAP has them, below the child of the root that is called so.
fn rules(view: &View<'_>, path: Option<&[Vec<u8>]>, out: &mut dyn Write) -> Result<Exported> {
    let top = match path {
        Some(path) => Some(resolve(view, path)?),
        None => {
            let mut found = None;
            for child in view.children(ROOT)? {
                let child = child?;
                let record = view.record(child)?;
                let names = record.properties().filter(|p| p.name == b"name");
                if names.flat_map(|p| p.values).any(|n| n.eq_ignore_ascii_case(sudoers::CONTAINER.as_bytes()))
                {
                    found = Some(child);
                    break;
                }
            }
            found
        }
    };
    let mut exported = Exported::default();
    let mut writer = sudoers::Writer::new(out);
    if let Some(top) = top {
        tree(view, top, |directory, place| {
            // The directory itself is none, nor are those that have rules below them.
            if place == Place::Root || directory.child_count() > 0 {
                return Ok(());
            }
            let line = exported.records + 1;
            exported.write(&mut writer, &record(directory, place, line))
        })?;
    }
    exported.finish(&mut writer)
}

fn entries(view: &View<'_>, tag: &str, path: &[Vec<u8>], out: &mut dyn Write) -> Result<Exported> {
    let namespace = Namespace::new(view, tag)?;
    let names = namespace.tree(view);
    let selection = Selection::new(&namespace, KEPT);
    let mut exported = Exported::default();
    // Some loaders, OpenLDAP's among them, take the version for an entry.
    let mut writer = ldif::Writer::new(out).without_version();
    tree(view, resolve(view, path)?, |record, _| {
        let entry = names.entry(record.id().object)?;
        write_entry(&mut writer, &entry, &selection)?;
        exported.records += 1;
        let (line, why) = (exported.records, "LDAP has no attribute for it");
        exported.losses.extend(entry.unpublished().map(|name| Loss { line, property: name.to_vec(), why }));
        Ok(())
    })?;
    writer.finish().map_err(unwritable)?;
    Ok(exported)
}

fn write_entry(
    writer: &mut ldif::Writer<&mut dyn Write>,
    entry: &Entry<'_>,
    selection: &Selection,
) -> Result<()> {
    let mut dn = Vec::new();
    entry.write_dn(&mut dn)?;
    let attributes = entry.select(selection)?;
    let lists: Vec<_> =
        attributes.iter().map(|one| (one.description(), one.values().collect::<Vec<_>>())).collect();
    let pairs =
        lists.iter().flat_map(|(name, values)| values.iter().map(|value| (name.as_bytes(), &value[..])));
    writer.entry(&dn, pairs).map_err(unwritable)
}

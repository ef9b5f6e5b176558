//! The legacy layout, read as the conversion of the historical server does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::codec::{Cursor, MAX_RECORD_BYTES};
use super::database::{Directory, Layout};
use super::files::{self, Folder};
use super::finding::{Finding, FindingKind};
use super::layout::{COLLECTION, EXTENSION, SMALL_COLLECTION, TRANSACTION, extension_id};
use super::legacy::{self, FREE, SLOT_BYTES, SMALL_SLOT_BYTES};
use super::load::{self, Loaded};
use super::scan::Scan;
use super::stored::StoredRecord;
use super::tree;

/// Reads a folder of the legacy layout. Versions are those that a conversion would give. Files that cannot be read are
/// findings.
pub(crate) fn load(folder: &dyn Folder, names: &[String], layout: Layout) -> Loaded {
    let (file, slot_bytes) = match layout {
        Layout::Collection256 => (SMALL_COLLECTION, SMALL_SLOT_BYTES),
        Layout::Collection512 | Layout::Modern => (COLLECTION, SLOT_BYTES),
    };
    let mut reader = Reader {
        folder,
        file,
        slot_bytes,
        extensions: names.iter().filter_map(|name| extension_id(name)).collect(),
        scan: Scan::default(),
        directories: BTreeMap::new(),
        order: Vec::new(),
    };
    if let Err(error) = reader.collection() {
        reader.scan.unreadable(file, &error);
    }
    reader.spare_extensions();
    reader.transaction();
    reader.finish(layout)
}

struct Reader<'a> {
    folder: &'a dyn Folder,
    file: &'static str,
    slot_bytes: usize,
    /// Ids of the extension files that no slot has asked for yet.
    extensions: BTreeSet<u32>,
    scan: Scan,
    directories: BTreeMap<u32, Directory>,
    /// Ids as they were met.
    order: Vec<u32>,
}

impl Reader<'_> {
    fn collection(&mut self) -> io::Result<()> {
        let Some(info) = self.folder.info(self.file)? else { return Ok(()) };
        if !self.scan.admit(self.file, info) {
            return Ok(());
        }
        let (slots, rest) = (info.bytes / self.slot_bytes as u64, info.bytes % self.slot_bytes as u64);
        if rest != 0 {
            let detail = format!("{rest} bytes behind the last slot");
            self.note(FindingKind::PartialSlot, detail, self.file.to_owned(), None);
        }
        if slots == 0 {
            return Ok(());
        }
        let mut file = self.folder.open(self.file)?;
        let mut slot = vec![0; self.slot_bytes];
        for number in 0..slots {
            file.read_exact(&mut slot)?;
            let Ok(number) = u32::try_from(number) else { break };
            if self.extensions.remove(&number) {
                let name = format!("{EXTENSION}{number}");
                if let Some(bytes) = self.extension(&name) {
                    self.object(&bytes, number, name);
                }
            } else {
                self.object(&slot, number, self.file.to_owned());
            }
        }
        Ok(())
    }

    fn note(&mut self, kind: FindingKind, detail: impl Into<String>, file: String, id: Option<u32>) {
        self.scan.findings.push(Finding { id, ..Finding::new(kind, detail).in_file(file) });
    }

    fn extension(&mut self, name: &str) -> Option<Vec<u8>> {
        let info = self.folder.info(name).ok().flatten()?;
        if !self.scan.admit(name, info) {
            return None;
        }
        match files::read_small(self.folder, name, MAX_RECORD_BYTES as u64) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.scan.unreadable(name, &error);
                None
            }
        }
    }

    /// Takes what a slot or an extension file holds.
    fn object(&mut self, bytes: &[u8], number: u32, file: String) {
        if Cursor::new(bytes).u32() == Some(FREE) {
            return;
        }
        let Some(directory) = legacy::decode(bytes) else {
            let detail = if file == self.file { "its slot" } else { "the file" };
            return self.note(
                FindingKind::BadRecord,
                format!("{detail} holds no directory"),
                file,
                Some(number),
            );
        };
        if directory.id != number {
            let detail = format!("it is in the place of directory {number}");
            self.note(FindingKind::BadSlot, detail, file.clone(), Some(directory.id));
        }
        self.take(directory, file);
    }

    fn take(&mut self, directory: Directory, file: String) {
        let id = directory.id;
        if self.directories.contains_key(&id) {
            let detail = "two records have its id; the first one counts";
            return self.note(FindingKind::DuplicateId, detail, file, Some(id));
        }
        self.order.push(id);
        self.directories.insert(id, directory);
    }

    /// Extension files beyond the last slot: the conversion does not see them. Those that a directory lists are taken.
    fn spare_extensions(&mut self) {
        let listed: BTreeSet<u32> =
            self.directories.values().flat_map(|directory| directory.children.iter().copied()).collect();
        for id in std::mem::take(&mut self.extensions) {
            let name = format!("{EXTENSION}{id}");
            let directory = self.extension(&name).and_then(|bytes| legacy::decode(&bytes));
            match directory.filter(|directory| directory.id == id && listed.contains(&id)) {
                Some(directory) => {
                    let detail = "it has no slot: the conversion of a server would lose it";
                    self.note(FindingKind::Unconverted, detail, name.clone(), Some(id));
                    self.take(directory, name);
                }
                None => {
                    let detail = "a file without a slot that no directory lists; it is left out";
                    self.note(FindingKind::Leftover, detail, name, Some(id));
                }
            }
        }
    }

    /// Whether the last transaction is in the collection.
    fn transaction(&mut self) {
        let bytes = match files::read_small(self.folder, TRANSACTION, MAX_RECORD_BYTES as u64) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(error) => return self.scan.unreadable(TRANSACTION, &error),
        };
        let mut cursor = Cursor::new(&bytes);
        if cursor.u32() == Some(0) {
            return;
        }
        let object =
            cursor.count(1).zip(cursor.u32()).and_then(|(length, id)| Some((cursor.take(length)?, id)));
        let applied = object.is_some_and(|(bytes, id)| {
            legacy::decode(bytes).is_some_and(|pending| self.directories.get(&id) == Some(&pending))
        });
        if !applied {
            let detail = "a transaction that was perhaps not carried out; it is left out";
            self.note(
                FindingKind::PendingTransaction,
                detail,
                TRANSACTION.to_owned(),
                object.map(|(_, id)| id),
            );
        }
    }

    fn finish(mut self, layout: Layout) -> Loaded {
        for (version, id) in (1..).zip(&self.order) {
            let Some(directory) = self.directories.remove(id) else { continue };
            let mut record = StoredRecord::with_properties(&directory.properties);
            record.id = *id;
            (record.serial, record.version) = (directory.instance, version);
            (record.parent, record.children) = (directory.parent, directory.children);
            self.scan.records.insert(*id, record);
        }
        self.scan.judge_values();
        let (records, mut findings) = (self.scan.records, self.scan.findings);
        findings.extend(tree::mend(&mut tree::links(&records)));
        let opened_checksum = load::checksum(&records);
        Loaded { layout, records, findings, opened_checksum }
    }
}

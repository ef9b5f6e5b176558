//! Changing a folder of the modern layout, as the historical engine does.
//!
//! `open` opens it and finishes what a crash interrupted, `disk` has the steps by which a record is saved and removed,
//! `edit` the operations on the tree.

mod disk;
mod edit;
mod open;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use self::disk::Disk;
pub(crate) use self::edit::check_texts;
use super::error::{StoreError, StoreErrorKind};
use super::files::{FolderMut, OsFolder};
use super::finding::{Finding, Findings};
use super::layout::{CONFIG, CONFIG_BYTES};
use super::stored::StoredRecord;
use super::write::ByteOrder;
use super::{codec, load};

/// How a folder is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To read: nothing in the folder is changed, and a folder that a crash left in the middle of a change is refused.
    ReadOnly,
    /// To read and change.
    ReadWrite,
}

/// What a store has done, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Σ (id + 1) · serial over all records.
    pub checksum: u32,
    /// The version that the last change made.
    pub version: u32,
    /// The highest id in use.
    pub max_id: u32,
    /// Records fetched since the store was opened.
    pub fetch_count: u32,
    /// Records saved since then.
    pub save_count: u32,
    /// Records removed since then.
    pub remove_count: u32,
}

/// An open folder of the modern layout. Other processes that use the folder's lock are kept out while it is open.
///
/// After a crash at any moment the next opening for changes finds every operation done or not begun; operations on a
/// whole subtree are a sequence of operations on one directory each. All records are held in memory.
#[derive(Debug)]
pub struct Store {
    disk: Disk,
    mode: Mode,
    records: BTreeMap<u32, StoredRecord>,
    by_version: HashMap<u32, u32>,
    /// The version of the last change.
    version: u32,
    checksum: u32,
    /// No id below this one is free.
    free_id: u32,
    counts: Statistics,
    findings: Findings,
    /// The byte order of the `Clean` that was found.
    found_order: Option<ByteOrder>,
    /// The byte order to write `Clean` in.
    clean_order: Option<ByteOrder>,
    /// A change failed half-way: memory and files may differ, so nothing more is written.
    failed: bool,
}

impl Store {
    /// Opens a folder. If it is opened for changes, whatever a crash left is finished first, and a folder that was not
    /// closed in order has its lists of children and its parents made to agree.
    ///
    /// # Errors
    ///
    /// `InvalidDatastore` if there is no `Config`, or for reading if a change is pending; `DuplicateRecord`;
    /// `NoRootRecord`; `Locked` if another process has the folder open; `ReadFailed`, `WriteFailed`.
    pub fn open(folder: &Path, mode: Mode) -> Result<Self, StoreError> {
        let invalid = |error| {
            let shown = folder.display().to_string();
            StoreError::io(StoreErrorKind::InvalidDatastore, &shown, error)
        };
        let mut files = OsFolder::new(folder).map_err(invalid)?;
        match files.lock(mode == Mode::ReadWrite) {
            Ok(true) => {}
            Ok(false) => return Err(StoreErrorKind::Locked.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(invalid(error)),
            // Some media cannot lock; they can be read all the same.
            Err(_) if mode == Mode::ReadOnly => {}
            Err(error) => return Err(StoreError::io(StoreErrorKind::ReadFailed, CONFIG, error)),
        }
        open::open(Box::new(files), mode)
    }

    /// Makes a new folder with a root without properties (serial 1, version 1) and opens it for changes. The folder
    /// may exist, empty; its parent must.
    ///
    /// # Errors
    ///
    /// `WriteFailed`, also if there is a database in the folder.
    pub fn create(folder: &Path) -> Result<Self, StoreError> {
        let failed = |error| {
            let shown = folder.display().to_string();
            StoreError::io(StoreErrorKind::WriteFailed, &shown, error)
        };
        let mut files = OsFolder::make(folder).map_err(failed)?;
        if open::holds_database(&files)? {
            let detail = format!("{} holds a database already", folder.display());
            return Err(StoreError::about(StoreErrorKind::WriteFailed, detail));
        }
        files.write(CONFIG, &CONFIG_BYTES).map_err(failed)?;
        if !files.lock(true).map_err(failed)? {
            return Err(StoreErrorKind::Locked.into());
        }
        let mut store = open::open(Box::new(files), Mode::ReadWrite)?;
        store.store(StoredRecord::default())?;
        Ok(store)
    }

    fn of(disk: Disk, records: BTreeMap<u32, StoredRecord>, mode: Mode, findings: Findings) -> Self {
        Self {
            disk,
            mode,
            by_version: records.values().map(|record| (record.version, record.id)).collect(),
            version: records.values().map(|record| record.version).max().unwrap_or(0),
            checksum: load::checksum(&records),
            free_id: 0,
            counts: Statistics::default(),
            findings,
            found_order: None,
            clean_order: Some(ByteOrder::HOST),
            failed: false,
            records,
        }
    }

    /// The byte order of the machine that closed the folder last, if it can be told from its `Clean`.
    pub const fn byte_order(&self) -> Option<ByteOrder> {
        self.found_order
    }

    /// The byte order in which `Clean` is written at the end: that of the machine that shall have the folder. With none
    /// there will be no `Clean`, and whoever opens the folder next reads all records, which is always right. Without
    /// this call it is the order that was found, else that of this machine.
    pub const fn set_byte_order(&mut self, order: Option<ByteOrder>) {
        self.clean_order = order;
    }

    /// Ends the work; if it was opened for changes, `Index` and `Clean` are written. A store that is dropped without
    /// is like one whose process died between two operations: nothing is lost, and the next opening reads all records.
    ///
    /// # Errors
    ///
    /// `WriteFailed`, also if a change failed before.
    pub fn close(mut self) -> Result<(), StoreError> {
        if self.mode == Mode::ReadOnly {
            return Ok(());
        }
        self.writable()?;
        self.disk.finish(&self.records, self.checksum, self.clean_order).map_err(open::write_failed)
    }

    /// How it was opened.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What was odd when it was opened; if it was opened for changes, what a crash left is finished by now.
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.clone().into_vec()
    }

    /// Counts and numbers.
    pub fn statistics(&self) -> Statistics {
        let max_id = self.records.keys().next_back().copied().unwrap_or(0);
        Statistics { checksum: self.checksum, version: self.version, max_id, ..self.counts }
    }

    /// The ids of all records, ascending.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.records.keys().copied()
    }

    /// The id of the record that the change with this version number made, if it was not changed since.
    pub fn with_version(&self, version: u32) -> Option<u32> {
        self.by_version.get(&version).copied()
    }

    /// A record, for a look.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is none with this id.
    pub fn record(&self, id: u32) -> Result<&StoredRecord, StoreError> {
        let missing = || StoreError::about(StoreErrorKind::InvalidPath, format!("no directory {id}"));
        self.records.get(&id).ok_or_else(missing)
    }

    /// A record, to change it and [`save`](Self::save) it.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is none with this id.
    pub fn fetch(&mut self, id: u32) -> Result<StoredRecord, StoreError> {
        let record = self.record(id)?.clone();
        self.counts.fetch_count = self.counts.fetch_count.wrapping_add(1);
        Ok(record)
    }

    fn writable(&self) -> Result<(), StoreError> {
        let detail = match (self.mode, self.failed) {
            (Mode::ReadOnly, _) => "it is open for reading only",
            (Mode::ReadWrite, true) => "an earlier change failed; open it again",
            (Mode::ReadWrite, false) => return Ok(()),
        };
        Err(StoreError::about(StoreErrorKind::WriteFailed, detail))
    }

    /// Stores a record with the next serial and version.
    fn store(&mut self, mut record: StoredRecord) -> Result<StoredRecord, StoreError> {
        self.writable()?;
        record.serial = record.serial.wrapping_add(1);
        record.version = self.version.wrapping_add(1);
        let too_large = || {
            let detail = format!("directory {} is larger than {} bytes", record.id, codec::MAX_RECORD_BYTES);
            StoreError::about(StoreErrorKind::InvalidRecord, detail)
        };
        let block = codec::encode(&record).ok_or_else(too_large)?;
        let saved = self.disk.save(record.id, &block);
        self.done(saved)?;
        self.counts.save_count = self.counts.save_count.wrapping_add(1);
        self.forget(record.id);
        self.remember(record.clone());
        Ok(record)
    }

    /// Removes a record, and nothing else.
    fn erase(&mut self, id: u32) -> Result<(), StoreError> {
        self.writable()?;
        let erased = self.disk.erase(id);
        self.done(erased)?;
        self.counts.remove_count = self.counts.remove_count.wrapping_add(1);
        self.forget(id);
        Ok(())
    }

    fn done(&mut self, outcome: std::io::Result<()>) -> Result<(), StoreError> {
        self.failed |= outcome.is_err();
        outcome.map_err(open::write_failed)
    }
}

//! Opening a folder, and finishing what a crash interrupted.

use std::io;

use super::disk::Disk;
use super::{Mode, Store};
use crate::nidb::codec;
use crate::nidb::error::{StoreError, StoreErrorKind};
use crate::nidb::files::{Folder, FolderMut};
use crate::nidb::finding::FindingKind;
use crate::nidb::layout::{
    CLEAN, COLLECTION, CONFIG, CREATE, DELETE, INDEX, SMALL_COLLECTION, TEMP, TEMP_INDEX, store_class,
};
use crate::nidb::load;
use crate::nidb::scan::{Debris, Scan};
use crate::nidb::stored::StoredRecord;
use crate::nidb::write::ByteOrder;
use crate::nidb::{term, tree};

/// An error of writing.
pub(super) fn write_failed(error: io::Error) -> StoreError {
    StoreError::io(StoreErrorKind::WriteFailed, "the folder", error)
}

fn read_failed(error: io::Error) -> StoreError {
    StoreError::io(StoreErrorKind::ReadFailed, "the folder", error)
}

/// Opens the files of a folder that is locked by now.
pub(super) fn open(mut files: Box<dyn FolderMut>, mode: Mode) -> Result<Store, StoreError> {
    let exists = |name| Ok::<_, StoreError>(files.info(name).map_err(read_failed)?.is_some());
    let pending = exists(CREATE)? || exists(DELETE)?;
    if pending && mode == Mode::ReadOnly {
        let detail = "a change was interrupted; only opening it for changes can finish it";
        return Err(StoreError::about(StoreErrorKind::InvalidDatastore, detail));
    }
    let mut scan = Scan::run(&*files)?;
    let created = load::pending_create(&*files, &mut scan);
    let new = created.as_ref().map(|record| record.id);
    let removed = load::pending_delete(&*files, &mut scan).filter(|removed| Some(*removed) != new);
    if scan.findings.has(FindingKind::UnreadableFile) {
        return Err(StoreError::about(StoreErrorKind::ReadFailed, "one of the files cannot be read"));
    }
    if let Some(id) = scan.duplicates.iter().find(|id| Some(**id) != new) {
        let detail = format!("two records have the id {id}");
        return Err(StoreError::about(StoreErrorKind::DuplicateRecord, detail));
    }
    let order = load::clean_order(&*files, &scan);
    let clean = !pending && order.is_some() && load::index_trouble(&*files, &scan).is_none();
    if mode == Mode::ReadWrite {
        for name in [TEMP, TEMP_INDEX, INDEX] {
            files.remove(name).map_err(write_failed)?;
        }
        if !clean {
            files.remove(CLEAN).map_err(write_failed)?;
        }
    }
    scan.judge_values();
    let Scan { records, places, occupied, debris, findings, .. } = scan;
    let disk = Disk::new(files, places, occupied, order.unwrap_or(ByteOrder::HOST));
    let mut store = Store::of(disk, records, mode, findings);
    store.found_order = order;
    store.clean_order = order.or(Some(ByteOrder::HOST));
    if pending {
        store.replay(created, removed, &debris).map_err(write_failed)?;
    }
    store.mend(!clean && mode == Mode::ReadWrite)?;
    if !store.records.is_empty() && !store.records.contains_key(&0) {
        return Err(StoreErrorKind::NoRootRecord.into());
    }
    Ok(store)
}

impl Store {
    /// Finishes the save or removal that a crash interrupted. Interrupted itself, it is done again.
    fn replay(
        &mut self,
        created: Option<StoredRecord>,
        removed: Option<u32>,
        debris: &[Debris],
    ) -> io::Result<()> {
        let named = [removed, created.as_ref().map(|record| record.id)];
        for debris in debris.iter().filter(|debris| debris.id.is_some() && named.contains(&debris.id)) {
            self.disk.clear(debris.at)?;
        }
        if let Some(id) = removed {
            self.disk.drop_record(id)?;
            self.forget(id);
        }
        if let Some(record) = created {
            let id = record.id;
            self.disk.drop_record(id)?;
            if let Some(block) = codec::encode(&record) {
                self.disk.put(id, &block)?;
            }
            self.forget(id);
            self.remember(record);
        }
        // `Delete` first: alone it would undo what `Create` did.
        self.disk.files.remove(DELETE)?;
        self.disk.files.sync()?;
        self.disk.files.remove(CREATE)
    }

    /// Looks at the links of the tree, and sets them right if that is wanted.
    fn mend(&mut self, repair: bool) -> Result<(), StoreError> {
        let mut links = tree::links(&self.records);
        let findings = tree::mend(&mut links);
        self.findings.extend(findings);
        if !repair || !self.records.contains_key(&0) {
            return Ok(());
        }
        let mut mended = self.records.clone();
        for id in tree::apply(links, &mut mended) {
            if let Some(record) = mended.remove(&id) {
                self.store(record)?;
            }
        }
        Ok(())
    }

    /// Takes a record into the books, as it is.
    pub(super) fn remember(&mut self, record: StoredRecord) {
        self.checksum = self.checksum.wrapping_add(term(record.id, record.serial));
        self.version = self.version.max(record.version);
        self.by_version.insert(record.version, record.id);
        self.records.insert(record.id, record);
    }

    /// Takes a record out of the books.
    pub(super) fn forget(&mut self, id: u32) {
        if let Some(record) = self.records.remove(&id) {
            self.checksum = self.checksum.wrapping_sub(term(id, record.serial));
            if self.by_version.get(&record.version) == Some(&id) {
                self.by_version.remove(&record.version);
            }
            self.free_id = self.free_id.min(id);
        }
    }
}

/// Whether there is a database in a folder, or what was one.
pub(super) fn holds_database(files: &dyn Folder) -> Result<bool, StoreError> {
    let names = files.names().map_err(read_failed)?;
    Ok(names.iter().any(|name| {
        [CONFIG, COLLECTION, SMALL_COLLECTION].contains(&name.as_str()) || store_class(name).is_some()
    }))
}

//! A database folder of a historical server, without the server.

use std::path::Path;

use netinfo_client::Property;
use netinfo_formats::nidb::{self, Attribute, Datum, Mode, StoreError, StoreErrorKind, StoredRecord};

use super::store::{Line, Outcome, Properties, Store};

/// An open folder.
pub(super) struct Raw {
    store: nidb::Store,
}

impl Raw {
    pub(super) fn open(folder: &Path, read_only: bool) -> Outcome<Self> {
        let mode = if read_only { Mode::ReadOnly } else { Mode::ReadWrite };
        nidb::Store::open(folder, mode).map(|store| Self { store }).map_err(kind)
    }

    pub(super) fn create(folder: &Path) -> Outcome<Self> {
        nidb::Store::create(folder).map(|store| Self { store }).map_err(kind)
    }

    fn writable(&self) -> Outcome<()> {
        match self.store.mode() {
            Mode::ReadOnly => Err(StoreErrorKind::WriteFailed),
            Mode::ReadWrite => Ok(()),
        }
    }

    fn edit(&mut self, id: u32, work: impl FnOnce(&mut StoredRecord)) -> Outcome<()> {
        self.writable()?;
        let mut record = self.store.fetch(id).map_err(kind)?;
        work(&mut record);
        record.drop_order();
        self.store.save(&mut record).map_err(kind)
    }
}

fn kind(error: StoreError) -> StoreErrorKind {
    error.kind()
}

/// The list that a key belongs to, and the key there.
fn place<'r>(record: &'r mut StoredRecord, key: &[u8]) -> (&'r mut Vec<Attribute>, Vec<u8>) {
    match key.strip_prefix(b"_") {
        Some(meta) => (&mut record.metas, meta.to_vec()),
        None => (&mut record.attributes, key.to_vec()),
    }
}

impl Store for Raw {
    fn fetch(&mut self, id: u32) -> Outcome<StoredRecord> {
        self.store.fetch(id).map_err(kind)
    }

    fn find_child(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Outcome<Option<u32>> {
        let (meta, key) = key.strip_prefix(b"_").map_or((false, key), |key| (true, key));
        self.store.find_child(parent, meta, &Datum::text(key), &Datum::text(value)).map_err(kind)
    }

    fn list(&mut self, id: u32, key: Option<&[u8]>) -> Outcome<Vec<Line>> {
        let mut lines = Vec::new();
        for child in self.fetch(id)?.children {
            let Ok(record) = self.fetch(child) else { continue };
            let key = match key {
                Some(key) => key.to_vec(),
                None => rdn_key(&record),
            };
            if let Some(attribute) = record.property(&key) {
                lines.push((child, attribute.values.iter().map(|v| v.bytes().into_owned()).collect()));
            }
        }
        Ok(lines)
    }

    fn create_child(&mut self, parent: u32, properties: &Properties) -> Outcome<u32> {
        self.writable()?;
        let mut record = StoredRecord::with_properties(properties);
        record.drop_order();
        self.store.create_child(parent, record).map_err(kind)
    }

    fn assign(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()> {
        self.edit(id, |record| {
            let (list, key) = place(record, key);
            let known = list.iter().position(|attribute| attribute.key.matches(&Datum::text(key.as_slice())));
            known.into_iter().for_each(|index| drop(list.remove(index)));
            list.push(Attribute::text(&key, values));
        })
    }

    fn extend(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()> {
        self.edit(id, |record| {
            let (list, key) = place(record, key);
            let new = Attribute::text(&key, values);
            match list.iter_mut().find(|attribute| attribute.key.matches(&new.key)) {
                Some(known) => {
                    // What was there keeps its type.
                    let kept = known
                        .values
                        .iter()
                        .zip(&new.values)
                        .take_while(|(old, new)| old.bytes() == new.bytes())
                        .count();
                    known.values.truncate(kept);
                    known.values.extend(new.values.into_iter().skip(kept));
                }
                None => list.push(new),
            }
        })
    }

    fn rewrite(&mut self, mut record: StoredRecord) -> Outcome<()> {
        self.writable()?;
        record.drop_order();
        self.store.save(&mut record).map_err(kind)
    }

    fn remove(&mut self, id: u32) -> Outcome<()> {
        self.writable()?;
        self.store.remove(id).map_err(kind)
    }

    fn move_to(&mut self, id: u32, parent: u32) -> Outcome<()> {
        self.writable()?;
        self.store.move_to(id, parent).map_err(kind)
    }

    fn copy_to(&mut self, id: u32, parent: u32) -> Outcome<u32> {
        self.writable()?;
        self.store.copy_to(id, parent).map_err(kind)
    }

    fn with_version(&mut self, version: u32) -> Outcome<Option<u32>> {
        Ok(self.store.with_version(version))
    }

    fn max_version(&mut self) -> Outcome<u32> {
        Ok(self.store.statistics().version)
    }

    fn statistics(&mut self) -> Outcome<Vec<Property>> {
        let counted = self.store.statistics();
        let lines = [
            ("checksum", counted.checksum),
            ("version", counted.version),
            ("max_dsid", counted.max_id),
            ("fetch_count", counted.fetch_count),
            ("save_count", counted.save_count),
            ("remove_count", counted.remove_count),
        ];
        Ok(lines.into_iter().map(|(key, count)| Property::new(key, [count.to_string()])).collect())
    }

    fn attach(&mut self, parent: u32, id: u32) -> Outcome<()> {
        self.writable()?;
        self.store.attach(parent, id).map_err(kind)
    }

    fn detach(&mut self, parent: u32, id: u32) -> Outcome<()> {
        self.writable()?;
        self.store.detach(parent, id).map_err(kind)
    }

    fn set_parent(&mut self, id: u32, parent: u32) -> Outcome<()> {
        self.writable()?;
        self.store.set_parent(id, parent).map_err(kind)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        self.store.close().map_err(kind)
    }
}

/// The key of the property that names a record.
pub(super) fn rdn_key(record: &StoredRecord) -> Vec<u8> {
    let named = record.attribute(true, b"rdn").and_then(|rdn| rdn.values.first());
    named.map_or_else(|| b"name".to_vec(), |key| key.bytes().into_owned())
}

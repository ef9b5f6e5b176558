//! A domain of a server.

use netinfo_client::domain::INDEX_NULL;
use netinfo_client::{Domain, Error, Id, Property, Result};
use netinfo_formats::nidb::{StoreErrorKind, StoredRecord};

use super::store::{Line, Outcome, Properties, Store, joined, of_status, split};
use crate::handle::Handle;

/// Object number that finds a directory by the version of its last change (NetInfo protocol, special object ids).
const BY_VERSION: u32 = 0xffff_ffff;
/// Object number that tells the version of a directory.
const VERSION_OF: u32 = 0xffff_fffe;

/// An open domain.
pub(super) struct Remote {
    handle: Handle,
    read_only: bool,
}

impl Remote {
    pub(super) const fn new(handle: Handle, read_only: bool) -> Self {
        Self { handle, read_only }
    }

    fn read<T>(&mut self, work: impl FnOnce(&mut Domain) -> Result<T>) -> Outcome<T> {
        self.handle.domain().and_then(work).map_err(kind)
    }

    fn write<T>(&mut self, work: impl FnOnce(&mut Domain) -> Result<T>) -> Outcome<T> {
        if self.read_only {
            return Err(StoreErrorKind::WriteFailed);
        }
        self.handle.go_to_master().map_err(kind)?;
        self.read(work)
    }
}

fn kind(error: Error) -> StoreErrorKind {
    of_status(error.status())
}

impl Store for Remote {
    fn fetch(&mut self, id: u32) -> Outcome<StoredRecord> {
        self.read(|domain| {
            let (current, properties) = domain.read(id)?;
            let version = domain.self_id(Id::new(VERSION_OF, id)).map_or(0, |found| found.instance);
            let (parent, _) = domain.parent(id)?;
            let (children, _) = domain.children(id)?;
            let (attributes, metas) = split(properties);
            Ok(StoredRecord { id, serial: current.instance, version, parent, children, attributes, metas })
        })
    }

    fn find_child(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Outcome<Option<u32>> {
        match self.read(|domain| domain.lookup_first(parent, key, value)) {
            Err(StoreErrorKind::InvalidPath) => Ok(None),
            found => found.map(Some),
        }
    }

    fn list(&mut self, id: u32, key: Option<&[u8]>) -> Outcome<Vec<Line>> {
        let (entries, _) = self.read(|domain| domain.list(id, key.unwrap_or(b"name")))?;
        Ok(entries.into_iter().filter_map(|entry| Some((entry.id, entry.names?))).collect())
    }

    fn create_child(&mut self, parent: u32, properties: &Properties) -> Outcome<u32> {
        let properties: Vec<Property> =
            properties.iter().map(|(name, values)| Property::new(name, values)).collect();
        self.write(|domain| Ok(domain.create_child(parent, &properties)?.id.object))
    }

    fn assign(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()> {
        self.write(|domain| domain.set_property(id, key, values).map(drop))
    }

    fn extend(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()> {
        self.assign(id, key, values)
    }

    fn rewrite(&mut self, record: StoredRecord) -> Outcome<()> {
        let id = Id::new(record.id, record.serial);
        self.write(|domain| domain.write(id, &joined(&record)).map(drop))
    }

    fn remove(&mut self, id: u32) -> Outcome<()> {
        self.write(|domain| domain.destroy_tree(id, |_| {}).map(drop))
    }

    fn move_to(&mut self, id: u32, parent: u32) -> Outcome<()> {
        self.copy_to(id, parent)?;
        self.remove(id)
    }

    fn copy_to(&mut self, id: u32, parent: u32) -> Outcome<u32> {
        self.write(|domain| {
            // A copy below itself would never end.
            if domain.is_within(parent, id)? {
                return Err(Error::TooDeep);
            }
            let (_, properties) = domain.read(id)?;
            Ok(domain.copy_tree(id, parent, &properties)?.0)
        })
    }

    fn with_version(&mut self, version: u32) -> Outcome<Option<u32>> {
        match self.read(|domain| domain.self_id(Id::new(BY_VERSION, version))) {
            Err(StoreErrorKind::InvalidPath) => Ok(None),
            found => found.map(|id| Some(id.object)),
        }
    }

    fn max_version(&mut self) -> Outcome<u32> {
        self.read(|domain| Ok(domain.self_id(Id::new(BY_VERSION, INDEX_NULL))?.instance))
    }

    fn statistics(&mut self) -> Outcome<Vec<Property>> {
        self.read(Domain::statistics)
    }

    fn server(&mut self) -> Option<&mut Handle> {
        Some(&mut self.handle)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}

//! Read-modify-write of one directory (NetInfo client library, higher-level helpers).
//!
//! Several writers may work on one directory; whoever comes second gets `Stale`. The helpers then read again and try
//! again, up to [`STALE_ATTEMPTS`] times. They name a property by its first occurrence, and write its values with
//! one call, so that a directory is never seen half changed.

use netinfo_wire::netinfo::{Created, INDEX_NULL, Status};

use crate::domain::{Domain, Id, Property};
use crate::error::{Error, Result};
use crate::limits::STALE_ATTEMPTS;

/// Index and values of the first property named `key`.
fn find<'p>(properties: &'p [Property], key: &[u8]) -> Option<(u32, &'p Property)> {
    (0..).zip(properties).find(|(_, property)| property.name == key)
}

/// Every method fails with [`Error::Status`] if the server refuses the change or others keep interfering (`Stale`), and
/// with errors of a call.
impl Domain {
    /// Runs `step` on the current state of directory `object`, again while it fails with `Stale`.
    pub fn edit<T>(
        &mut self,
        object: u32,
        mut step: impl FnMut(&mut Self, Id, &[Property]) -> Result<T>,
    ) -> Result<T> {
        for _ in 1..STALE_ATTEMPTS {
            let (id, properties) = self.read(object)?;
            match step(self, id, &properties) {
                Err(error) if error.is(Status::Stale) => {}
                done => return done,
            }
        }
        let (id, properties) = self.read(object)?;
        step(self, id, &properties)
    }

    /// The values of the first property named `key`; [`Status::NoProp`] if there is none.
    pub fn property(&mut self, object: u32, key: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (_, properties) = self.read(object)?;
        properties.into_iter().find(|p| p.name == key).map(|p| p.values).ok_or(Error::Status(Status::NoProp))
    }

    /// Gives property `key` these values, making it if it is missing.
    pub fn set_property<V: AsRef<[u8]>>(&mut self, object: u32, key: &[u8], values: &[V]) -> Result<Id> {
        self.edit(object, |domain, id, properties| match find(properties, key) {
            Some((index, _)) => domain.write_prop(id, index, values),
            None => domain.create_prop(id, &Property::new(key, values), INDEX_NULL),
        })
    }

    /// Adds values at the end of property `key`, repetitions included, making it if it is missing.
    pub fn append_values<V: AsRef<[u8]>>(&mut self, object: u32, key: &[u8], values: &[V]) -> Result<Id> {
        self.edit(object, |domain, id, properties| {
            let Some((index, property)) = find(properties, key) else {
                return domain.create_prop(id, &Property::new(key, values), INDEX_NULL);
            };
            let all: Vec<&[u8]> =
                property.values.iter().map(Vec::as_slice).chain(values.iter().map(AsRef::as_ref)).collect();
            domain.write_prop(id, index, &all)
        })
    }

    /// Adds those values to property `key` that it does not have, making it if it is missing. Says whether
    /// anything changed.
    pub fn merge_values<V: AsRef<[u8]>>(&mut self, object: u32, key: &[u8], values: &[V]) -> Result<bool> {
        self.edit(object, |domain, id, properties| {
            let Some((index, property)) = find(properties, key) else {
                return domain.create_prop(id, &Property::new(key, values), INDEX_NULL).map(|_| true);
            };
            let mut all: Vec<&[u8]> = property.values.iter().map(Vec::as_slice).collect();
            for value in values {
                if !all.contains(&value.as_ref()) {
                    all.push(value.as_ref());
                }
            }
            if all.len() == property.values.len() {
                Ok(false)
            } else {
                domain.write_prop(id, index, &all).map(|_| true)
            }
        })
    }

    /// Removes all occurrences of these values from property `key`, which stays even if it becomes empty. Returns
    /// how many were removed; a missing property has none.
    pub fn remove_values<V: AsRef<[u8]>>(&mut self, object: u32, key: &[u8], values: &[V]) -> Result<usize> {
        self.edit(object, |domain, id, properties| {
            let Some((index, property)) = find(properties, key) else { return Ok(0) };
            let gone = |value: &Vec<u8>| values.iter().any(|v| v.as_ref() == value.as_slice());
            let left: Vec<&[u8]> = property.values.iter().filter(|v| !gone(v)).map(Vec::as_slice).collect();
            let removed = property.values.len() - left.len();
            if removed > 0 {
                domain.write_prop(id, index, &left)?;
            }
            Ok(removed)
        })
    }

    /// Removes all properties named `key`. Returns how many there were.
    pub fn remove_property(&mut self, object: u32, key: &[u8]) -> Result<usize> {
        let mut removed = 0;
        self.edit(object, |domain, mut id, properties| {
            // From the end, so that the indexes of the others stay.
            let indexes: Vec<u32> =
                (0..).zip(properties).filter(|(_, p)| p.name == key).map(|(index, _)| index).collect();
            for index in indexes.into_iter().rev() {
                id = domain.destroy_prop(id, index)?;
                removed += 1;
            }
            Ok(removed)
        })
    }

    /// Renames the first property named `key`; [`Status::NoProp`] if there is none.
    pub fn rename_property(&mut self, object: u32, key: &[u8], new: &[u8]) -> Result<Id> {
        self.edit(object, |domain, id, properties| {
            let (index, _) = find(properties, key).ok_or(Error::Status(Status::NoProp))?;
            domain.rename_prop(id, index, new)
        })
    }

    /// Creates a child at the end of directory `parent`. Retried if other children come and go meanwhile.
    pub fn create_child(&mut self, parent: u32, properties: &[Property]) -> Result<Created> {
        let mut attempts = 1;
        loop {
            let id = self.self_id(Id::new(parent, 0))?;
            match self.create(id, properties, INDEX_NULL) {
                Err(error) if error.is(Status::Stale) && attempts < STALE_ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    }

    /// Destroys a directory without children.
    pub fn destroy_child(&mut self, parent: u32, child: u32) -> Result<Id> {
        let mut attempts = 1;
        loop {
            let parent = self.self_id(Id::new(parent, 0))?;
            let child = self.self_id(Id::new(child, 0))?;
            match self.destroy(parent, child) {
                Err(error) if error.is(Status::Stale) && attempts < STALE_ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    }
}

//! Whole trees: creating a path, copying and destroying a directory with everything below it.

use netinfo_wire::netinfo::{INDEX_NULL, Status};

use crate::domain::{Domain, Id, Property, ROOT};
use crate::error::{Error, Result};
use crate::limits::{MAX_DEPTH, STALE_ATTEMPTS};
use crate::path::{Component, Path, PathError};

/// What [`Domain::create_path`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedPath {
    /// The directory at the end of the path.
    pub object: u32,
    /// How many directories of the path were missing and have been made.
    pub made: usize,
}

/// Every method fails with [`Error::Status`] if the server refuses, [`Error::TooDeep`] beyond [`MAX_DEPTH`] levels, and
/// with errors of a call. None of them is atomic: a failure leaves what has been done so far.
impl Domain {
    /// Creates every missing directory on the way to `path`, from the root. `k=v` steps create property `k`.
    ///
    /// # Errors
    /// [`Error::Path`] if a missing step is an object id.
    pub fn create_path(&mut self, path: &Path) -> Result<CreatedPath> {
        let mut at = CreatedPath { object: ROOT, made: 0 };
        for component in path.components() {
            at = match self.step(at.object, component) {
                Ok(object) => CreatedPath { object, ..at },
                Err(error) if error.is(Status::NoDir) => {
                    let properties = new_properties(component)?;
                    let created = self.create_child(at.object, &properties)?;
                    CreatedPath { object: created.id.object, made: at.made + 1 }
                }
                Err(error) => return Err(error),
            };
        }
        Ok(at)
    }

    fn step(&mut self, object: u32, component: &Component) -> Result<u32> {
        match component {
            Component::Match { key, value } => self.lookup_first(object, key, value),
            Component::Object(id) => Ok(self.self_id(Id::new(*id, 0))?.object),
        }
    }

    /// Destroys directory `object` and everything below it, leaves first. `each` hears of every directory
    /// destroyed. Returns how many there were.
    pub fn destroy_tree(&mut self, object: u32, mut each: impl FnMut(u32)) -> Result<u64> {
        let (parent, _) = self.parent(object)?;
        let mut destroyed = 0;
        let mut attempts = 1;
        // Someone may add a child while its siblings go: then another round is due.
        loop {
            self.destroy_children(object, MAX_DEPTH, &mut destroyed, &mut each)?;
            match self.destroy_child(parent, object) {
                Err(error) if error.is(Status::NotEmpty) && attempts < STALE_ATTEMPTS => attempts += 1,
                done => {
                    done?;
                    each(object);
                    return Ok(destroyed + 1);
                }
            }
        }
    }

    fn destroy_children(
        &mut self,
        object: u32,
        depth: usize,
        destroyed: &mut u64,
        each: &mut impl FnMut(u32),
    ) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or(Error::TooDeep)?;
        let (children, mut id) = self.children(object)?;
        for child in children {
            let (grandchildren, mut child_id) = self.children(child)?;
            if !grandchildren.is_empty() {
                self.destroy_children(child, depth, destroyed, each)?;
                child_id = self.self_id(child_id)?;
            }
            id = match self.destroy(id, child_id) {
                Err(error) if error.is(Status::Stale) => self.destroy_child(object, child)?,
                done => done?,
            };
            *destroyed += 1;
            each(child);
        }
        Ok(())
    }

    /// Copies directory `source` to a new child of `parent` with `properties` instead of its own, and everything
    /// below it. The copy must not be made below the source. Returns the new object and how many were made.
    pub fn copy_tree(&mut self, source: u32, parent: u32, properties: &[Property]) -> Result<(u32, u64)> {
        let copy = self.create_child(parent, properties)?.id;
        let mut made = 1;
        self.copy_children(source, copy, MAX_DEPTH, &mut made)?;
        Ok((copy.object, made))
    }

    fn copy_children(&mut self, source: u32, mut target: Id, depth: usize, made: &mut u64) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or(Error::TooDeep)?;
        for child in self.children(source)?.0 {
            let (_, properties) = self.read(child)?;
            let created = match self.create(target, &properties, INDEX_NULL) {
                Err(error) if error.is(Status::Stale) => self.create_child(target.object, &properties)?,
                done => done?,
            };
            target = created.parent;
            *made += 1;
            self.copy_children(child, created.id, depth, made)?;
        }
        Ok(())
    }

    /// Whether directory `object` is `ancestor` or below it.
    pub fn is_within(&mut self, object: u32, ancestor: u32) -> Result<bool> {
        let mut at = object;
        for _ in 0..MAX_DEPTH {
            if at == ancestor {
                return Ok(true);
            }
            if at == ROOT {
                return Ok(false);
            }
            at = self.parent(at)?.0;
        }
        Err(Error::TooDeep)
    }
}

/// The properties of a directory made for a step of a path.
///
/// # Errors
/// [`PathError::NoName`] for an object id.
pub fn new_properties(component: &Component) -> Result<Vec<Property>, PathError> {
    match component {
        Component::Match { key, value } => Ok(vec![Property::new(key, [value])]),
        Component::Object(object) => Err(PathError::NoName(format!("#{object}"))),
    }
}

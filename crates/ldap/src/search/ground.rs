//! What one portion of a search reads with: a snapshot, seen with the rights of a session.

use netinfo_directory::{Access, Error as StoreError, RecordRef, View};
use netinfo_mapping::{Entry, Error, Result, Tree};
use netinfo_schema::{AttributeDescription, AttributeType, ClassId, Schema};

use super::described::Described;
use crate::operation::Place;

/// A snapshot of a domain as entries.
pub(crate) struct Ground<'g> {
    tree: Tree<'g>,
    access: &'g Access<'g>,
}

impl<'g> Ground<'g> {
    /// `view` as the session of `place` may see it, which `access` decides.
    pub(crate) fn new(place: &'g Place, view: &'g View<'g>, access: &'g Access<'g>) -> Self {
        let tree = place.namespace.tree(view).restricted(access);
        Self { tree, access }
    }

    /// The entries.
    pub(crate) fn tree(&self) -> &Tree<'g> {
        &self.tree
    }

    /// The snapshot.
    pub(crate) fn view(&self) -> &'g View<'g> {
        self.tree.view()
    }

    /// What decides what is seen.
    pub(crate) fn access(&self) -> &'g Access<'g> {
        self.access
    }

    /// The entry of a directory; `None` if there is none, or none that may be seen.
    pub(crate) fn subject(&self, object: u32) -> Result<Option<Subject<'_>>> {
        let entry = match self.tree.entry(object) {
            Ok(entry) => entry,
            Err(Error::Directory(StoreError::NoSuchDirectory)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let subject = Subject { entry, schema: self.tree.namespace().schema() };
        Ok(subject.entry.is_visible().then_some(subject))
    }
}

/// An entry that is looked at.
pub(crate) struct Subject<'s> {
    entry: Entry<'s>,
    schema: &'s Schema,
}

impl<'s> Subject<'s> {
    /// The entry.
    pub(crate) fn entry(&self) -> &Entry<'s> {
        &self.entry
    }

    /// The directory.
    pub(crate) fn record(&self) -> &RecordRef<'s> {
        self.entry.record()
    }

    /// Object id of the directory.
    pub(crate) fn object(&self) -> u32 {
        self.entry.object()
    }

    /// The schema it is seen by.
    pub(crate) fn schema(&self) -> &'s Schema {
        self.schema
    }

    /// Its DN.
    pub(crate) fn dn(&self) -> Result<String> {
        self.entry.dn()
    }

    /// Whether the session may find entries by the attribute.
    pub(crate) fn may_search(&self, attribute: &Described) -> bool {
        self.entry.may_search(attribute)
    }

    /// Whether it is of a class or one derived from it.
    pub(crate) fn is_of(&self, class: ClassId) -> bool {
        self.entry.is_of_class(self.schema.class_by_id(class))
    }

    /// Calls `each` with the values of an attribute until it returns `false`.
    pub(crate) fn values(&self, attribute: &Described, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
        self.entry.values(attribute, each)
    }

    /// Calls `each` with the values of all attributes whose type `fits`, until it returns `false`.
    pub(crate) fn all_values(
        &self,
        fits: impl Fn(&AttributeType) -> bool,
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<()> {
        for attribute in self.entry.attributes()? {
            let description = AttributeDescription::parse(attribute.description());
            let kind = description.and_then(|description| description.attribute(self.schema));
            if kind.is_some_and(&fits) && !attribute.values().all(|value| each(&value)) {
                return Ok(());
            }
        }
        Ok(())
    }
}

//! Where a search looks: the base and what its scope takes in.

use std::cell::RefCell;
use std::collections::HashMap;

use netinfo_directory::{ROOT, RecordRef, Result, View};
use netinfo_wire::ldap::Scope;
use roaring::RoaringBitmap;

use crate::limits::REMEMBERED_PARENTS;

/// The part of the tree a search looks at.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    scope: Scope,
    /// The base and, for scopes that go deeper than one level, where aliases below it lead.
    bases: RoaringBitmap,
    /// Where aliases one level below the base lead: taken in themselves, without what is below them.
    targets: RoaringBitmap,
    /// Directories that were asked for, and whether they are a base or below one.
    known: RefCell<HashMap<u32, bool>>,
}

impl Reach {
    /// What `scope` takes in from `base`.
    pub(crate) fn new(base: u32, scope: Scope) -> Self {
        Self {
            scope,
            bases: RoaringBitmap::from([base]),
            targets: RoaringBitmap::new(),
            known: RefCell::default(),
        }
    }

    /// How far below the bases.
    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// The base, and where aliases lead.
    pub(crate) fn bases(&self) -> &RoaringBitmap {
        &self.bases
    }

    /// What it takes in, without walking far; `None` where that takes looking at every directory.
    pub(crate) fn list(&self, view: &View<'_>) -> Result<Option<RoaringBitmap>> {
        let mut list = self.targets.clone();
        match self.scope {
            Scope::Base => list |= &self.bases,
            Scope::One => {
                for base in &self.bases {
                    for child in view.children(base)? {
                        list.insert(child?);
                    }
                }
            }
            Scope::Subtree | Scope::Subordinate => return Ok(None),
        }
        Ok(Some(list))
    }

    /// At most how many directories [`Self::list`] gives.
    pub(crate) fn estimate(&self, view: &View<'_>) -> Result<Option<u64>> {
        let bases = match self.scope {
            Scope::Base => self.bases.len(),
            Scope::One => {
                let mut children = 0;
                for base in &self.bases {
                    children += u64::from(view.record(base)?.child_count());
                }
                children
            }
            Scope::Subtree | Scope::Subordinate => return Ok(None),
        };
        Ok(Some(bases + self.targets.len()))
    }

    /// Takes in what an alias leads to; `false` if it was taken in before. One level below the base, that is the entry
    /// itself; deeper, all that is below it too (RFC 4511 §4.5.1.3).
    pub(crate) fn add(&mut self, target: u32) -> bool {
        self.known.get_mut().clear();
        match self.scope {
            Scope::Base | Scope::One => self.targets.insert(target),
            Scope::Subtree | Scope::Subordinate => self.bases.insert(target),
        }
    }

    /// Whether it takes in the whole domain.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(self.scope, Scope::Subtree | Scope::Subordinate) && self.bases.contains(ROOT)
    }

    /// Forgets what has been found out about places, which may have changed.
    pub(crate) fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    /// Whether it takes in a directory.
    pub(crate) fn takes_in(&self, view: &View<'_>, record: &RecordRef<'_>) -> Result<bool> {
        let object = record.id().object;
        match self.scope {
            Scope::Base => Ok(self.bases.contains(object)),
            Scope::One => {
                let below = object != ROOT && self.bases.contains(record.parent());
                Ok(below || self.targets.contains(object))
            }
            Scope::Subtree => Ok(self.bases.contains(object) || self.is_below(view, record)?),
            Scope::Subordinate => self.is_below(view, record),
        }
    }

    /// Whether a base is above the directory.
    fn is_below(&self, view: &View<'_>, record: &RecordRef<'_>) -> Result<bool> {
        if self.bases.contains(ROOT) {
            return Ok(record.id().object != ROOT);
        }
        if record.id().object == ROOT {
            return Ok(false);
        }
        let parent = record.parent();
        if let Some(known) = self.known.borrow().get(&parent) {
            return Ok(*known);
        }
        let below = self.bases.contains(parent) || {
            let mut found = false;
            for ancestor in view.ancestors(parent)? {
                if self.bases.contains(ancestor?) {
                    found = true;
                    break;
                }
            }
            found
        };
        let mut known = self.known.borrow_mut();
        if known.len() == REMEMBERED_PARENTS {
            known.clear();
        }
        known.insert(parent, below);
        Ok(below)
    }
}

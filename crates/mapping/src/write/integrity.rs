//! Groups that name entries which go or get another name.

use std::collections::BTreeMap;

use netinfo_directory::{Change, ROOT, Term};
use netinfo_schema::Rule;

use super::draft::Draft;
use crate::context::NAME;
use crate::error::{Refusal, Result};
use crate::tree::Tree;

/// What an entry is called from now on.
pub(super) struct NewName {
    /// First value of `name`.
    pub(super) short: Option<Vec<u8>>,
    pub(super) dn: Vec<u8>,
}

/// Groups to be changed, each once whatever happens to how many of its members.
pub(super) struct Integrity<'t> {
    tree: &'t Tree<'t>,
    drafts: BTreeMap<u32, Draft<'t>>,
}

impl<'t> Integrity<'t> {
    pub(super) fn new(tree: &'t Tree<'t>) -> Self {
        Self { tree, drafts: BTreeMap::new() }
    }

    /// Notes that an entry goes (`None`) or is called otherwise.
    pub(super) fn note(&mut self, object: u32, new: Option<&NewName>) -> Result<()> {
        if !self.tree.namespace().integrity {
            return Ok(());
        }
        let dn = self.tree.dn(object)?.into_bytes();
        self.note_names(object, new)?;
        let mut candidates = roaring::RoaringBitmap::new();
        for property in [&b"member"[..], b"uniqueMember"] {
            self.tree.view().collect(Term::Equal { property, value: &dn }, &mut candidates)?;
        }
        for group in candidates.into_iter().filter(|group| *group != object) {
            let record = self.tree.view().record(group)?;
            let named = record.properties().filter(|property| is_member(property.name));
            if named.flat_map(|property| property.values).any(|value| self.is_dn(&dn, value)) {
                self.replace(
                    group,
                    is_member,
                    &|tree, value| is_same(tree, &dn, value),
                    new.map(|new| &new.dn),
                )?;
            }
        }
        Ok(())
    }

    /// The short names, and the identifier, of a user in the groups.
    fn note_names(&mut self, object: u32, new: Option<&NewName>) -> Result<()> {
        let view = self.tree.view();
        let record = view.record(object)?;
        let (Some(users), Some(groups)) =
            (view.child_named(ROOT, b"users")?, view.child_named(ROOT, b"groups")?)
        else {
            return Ok(());
        };
        if object == ROOT || record.parent() != users {
            return Ok(());
        }
        let short = new.and_then(|new| new.short.as_ref());
        if new.is_some() && short.map(Vec::as_slice) == record.first_value(NAME) {
            return Ok(());
        }
        // A user that goes takes its aliases along; one that is renamed keeps them.
        let count = if new.is_some() { 1 } else { usize::MAX };
        for name in record.property(NAME).into_iter().flat_map(|names| names.values).take(count) {
            let name = name.to_vec();
            for group in view.lookup(groups, b"users", &name)? {
                self.replace(group, |property| property == b"users", &|_, value| value == name, short)?;
            }
        }
        if let (None, Some(guid)) = (new, record.first_value(b"generateduid")) {
            for group in view.lookup(groups, b"groupmembers", guid)? {
                self.replace(group, |property| property == b"groupmembers", &|_, value| value == guid, None)?;
            }
        }
        Ok(())
    }

    fn is_dn(&self, dn: &[u8], value: &[u8]) -> bool {
        is_same(self.tree, dn, value)
    }

    /// Puts `new` in the place of the values of some properties of a group that `is` finds, or removes them.
    fn replace(
        &mut self,
        group: u32,
        property: fn(&[u8]) -> bool,
        is: &dyn Fn(&Tree<'_>, &[u8]) -> bool,
        new: Option<&Vec<u8>>,
    ) -> Result<()> {
        let tree = self.tree;
        let draft = match self.drafts.entry(group) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(gap) => gap.insert(Draft::of(&tree.entry(group)?)),
        };
        for item in draft.items.iter_mut().filter(|item| property(&item.name)) {
            let known = new.is_some_and(|new| item.values.contains(new));
            item.values.retain_mut(|value| {
                if !is(tree, value) {
                    return true;
                }
                match new {
                    Some(new) if !known => {
                        value.clone_from(new);
                        true
                    }
                    _ => false,
                }
            });
        }
        draft.items.retain(|item| !item.values.is_empty() || !property(&item.name));
        Ok(())
    }

    /// The changes to all groups but those that go themselves.
    pub(super) fn changes(self, gone: &[u32]) -> std::result::Result<Vec<Change>, Refusal> {
        let kept = self.drafts.into_iter().filter(|(group, _)| !gone.contains(group));
        Ok(kept.flat_map(|(_, draft)| draft.changes()).collect())
    }
}

fn is_member(property: &[u8]) -> bool {
    property.eq_ignore_ascii_case(b"member") || property.eq_ignore_ascii_case(b"uniqueMember")
}

fn is_same(tree: &Tree<'_>, dn: &[u8], value: &[u8]) -> bool {
    value == dn || Rule::DistinguishedName.matches(tree.schema(), dn, value) == Ok(true)
}

//! The groups a directory belongs to: `memberOf`, computed from what groups say of their members.
//!
//! A group names its members by short name (`users`), by DN (`member`, `uniqueMember`) and, for groups within groups, by
//! GUID (`nestedgroups`). `memberOf` tells the groups that name the entry by one of the first two; in a domain with
//! `_nested_memberof` also the groups that those belong to, by any of them.

use std::borrow::Cow;

use netinfo_directory::{ROOT, RecordRef, Term};
use netinfo_schema::Rule;
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use super::Entry;
use super::operational::Values;
use crate::context::NAME;
use crate::error::{Error, Result};
use crate::tree::Tree;

pub(super) const MEMBER_OF: &str = "memberOf";

const GUID: &[u8] = b"generateduid";
const NESTED: &[u8] = b"nestedgroups";

impl Entry<'_> {
    pub(super) fn member_of<'v>(&self) -> Result<Values<'v>> {
        if !self.may_read(MEMBER_OF.as_bytes()) {
            return Ok(SmallVec::new());
        }
        let mut values = SmallVec::new();
        for group in self.tree.groups_of(self.object())? {
            let mut dn = Vec::new();
            self.tree.write_dn(group, &mut dn)?;
            values.push(Cow::Owned(dn));
        }
        Ok(values)
    }
}

impl Tree<'_> {
    /// Object ids of the groups that a directory belongs to, as the module says. In ascending order.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn groups_of(&self, object: u32) -> Result<RoaringBitmap> {
        let mut groups = RoaringBitmap::new();
        self.add_groups_of(object, &mut groups)?;
        if self.namespace().nested {
            let mut known = RoaringBitmap::new();
            // Groups may name each other.
            while let Some(group) = (&groups - &known).min() {
                known.insert(group);
                self.add_groups_of(group, &mut groups)?;
            }
        }
        Ok(groups)
    }

    /// Adds the groups that name this very directory.
    fn add_groups_of(&self, object: u32, groups: &mut RoaringBitmap) -> Result<()> {
        let record = self.view().record(object)?;
        if object != ROOT
            && let Some(directory) = self.view().child_named(ROOT, b"groups")?
        {
            let users = self.view().child_named(ROOT, b"users")? == Some(record.parent());
            let names = record.property(NAME).filter(|_| users);
            for name in names.into_iter().flat_map(|names| names.values) {
                groups.extend(self.view().lookup(directory, b"users", name)?);
            }
            let nests = self.namespace().nested && record.parent() == directory;
            let guids = record.property(GUID).filter(|_| nests);
            for guid in guids.into_iter().flat_map(|guids| guids.values) {
                groups.extend(self.view().lookup(directory, NESTED, guid)?);
            }
        }
        let dn = self.dn(object)?;
        let mut candidates = RoaringBitmap::new();
        for property in [&b"member"[..], b"uniqueMember"] {
            self.view().collect(Term::Equal { property, value: dn.as_bytes() }, &mut candidates)?;
        }
        for candidate in candidates {
            if !groups.contains(candidate) && self.names_member(candidate, dn.as_bytes())? {
                groups.insert(candidate);
            }
        }
        Ok(())
    }

    /// Whether a directory stores this DN as a member.
    fn names_member(&self, group: u32, dn: &[u8]) -> Result<bool> {
        let record = match self.view().record(group) {
            Ok(record) => record,
            Err(netinfo_directory::Error::NoSuchDirectory) => return Ok(false),
            Err(error) => return Err(Error::Directory(error)),
        };
        Ok(record
            .properties()
            .filter(|property| is_names(property.name))
            .flat_map(|property| property.values)
            .any(|value| {
                value == dn || Rule::DistinguishedName.matches(self.schema(), dn, value) == Ok(true)
            }))
    }

    /// Object ids of the entries whose `memberOf` may name a group: the other way round.
    pub(crate) fn members_of(&self, group: u32) -> Result<RoaringBitmap> {
        let mut members = RoaringBitmap::new();
        self.add_members_of(&self.view().record(group)?, &mut members)?;
        if self.namespace().nested {
            let mut known = RoaringBitmap::new();
            while let Some(member) = (&members - &known).min() {
                known.insert(member);
                self.add_members_of(&self.view().record(member)?, &mut members)?;
            }
        }
        Ok(members)
    }

    fn add_members_of(&self, group: &RecordRef<'_>, members: &mut RoaringBitmap) -> Result<()> {
        let (users, groups) =
            (self.view().child_named(ROOT, b"users")?, self.view().child_named(ROOT, b"groups")?);
        for property in group.properties() {
            let is = |name: &[u8]| property.name.eq_ignore_ascii_case(name);
            let by = match (users, groups) {
                (Some(users), _) if is(b"users") => Some((users, NAME)),
                (_, Some(groups)) if is(NESTED) && self.namespace().nested => Some((groups, GUID)),
                _ => None,
            };
            for value in property.values {
                match by {
                    Some((directory, property)) => {
                        members.extend(self.view().lookup(directory, property, value)?);
                    }
                    None if is_names(property.name) => members.extend(self.found(value)?),
                    None => {}
                }
            }
        }
        Ok(())
    }
}

/// Whether a property lists members by their DNs.
fn is_names(property: &[u8]) -> bool {
    property.eq_ignore_ascii_case(b"member") || property.eq_ignore_ascii_case(b"uniqueMember")
}

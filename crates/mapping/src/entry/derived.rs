//! User attributes that follow from others.

use std::borrow::Cow;

use netinfo_directory::ROOT;
use netinfo_schema::{AttributeId, AttributeType};
use smallvec::SmallVec;

use super::{Attribute, Classes, Entry};
use crate::context::{NAME, OBJECT_CLASS};
use crate::error::Result;
use crate::tree::Inner;
use crate::wanted::{Selection, Wanted};

/// Home of users that have none.
pub(crate) const NO_HOME: &[u8] = b"/var/empty";
/// Group of users that have none: −2, which means nobody.
pub(crate) const NO_GROUP: &[u8] = b"4294967294";

type Made<'e> = SmallVec<[Cow<'e, [u8]>; 1]>;

impl<'t> Entry<'t> {
    /// Adds the derived attributes that a search asks for.
    pub(super) fn derive<'e>(
        &'e self,
        selection: &Selection,
        attributes: &mut Vec<Attribute<'e>>,
    ) -> Result<()> {
        self.each_derived(&|id| selection.takes_derived(id), &mut |name, values| {
            let attribute = Attribute::made(name, values);
            if name == OBJECT_CLASS {
                attributes.insert(0, attribute);
            } else {
                attributes.push(attribute);
            }
        })
    }

    /// Calls `each` with the values that the entry has of an attribute without storing them.
    pub(super) fn derived_values(&self, wanted: &Wanted, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
        let mut going = true;
        self.each_derived(&|id| wanted.is_of(id), &mut |_, values| {
            going = going && values.iter().all(|value| each(value));
        })?;
        if going && wanted.is_computed() { self.computed_values(wanted, each) } else { Ok(()) }
    }

    fn each_derived<'e>(
        &'e self,
        take: &dyn Fn(AttributeId) -> bool,
        each: &mut dyn FnMut(&'static str, Made<'e>),
    ) -> Result<()> {
        let schema = self.schema();
        let takes = |name: &str| schema.attribute(name).is_some_and(|attribute| take(attribute.id()));
        let classes = self.classes();
        if !classes.stored && takes(OBJECT_CLASS) && self.may_read(OBJECT_CLASS.as_bytes()) {
            each(OBJECT_CLASS, classes.names.iter().map(|name| Cow::Borrowed(name.as_bytes())).collect());
        }
        self.names_of_places(&takes, each);
        if !classes.stored {
            self.make_up(&classes, &takes, each);
        }
        if self.derives_members(&classes) && takes("member") && self.may_read(b"users") {
            let members = self.members()?;
            if !members.is_empty() {
                each("member", members);
            }
        }
        Ok(())
    }

    /// The names of the root and of directories below it, where they are not stored.
    fn names_of_places<'e>(
        &'e self,
        takes: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(&'static str, Made<'e>),
    ) {
        const KINDS: [&str; 6] = ["dc", "o", "ou", "c", "l", "cn"];
        match self.own() {
            None => {
                let suffix = self.tree.namespace().root_suffix();
                for (kind, value) in suffix.map_or(&[][..], |suffix| suffix.lowest()) {
                    let Some(attribute) = self.schema().attribute(kind) else { continue };
                    let Some(name) = KINDS.into_iter().find(|known| *known == attribute.name()) else {
                        continue;
                    };
                    if takes(name) && self.property_of(attribute).is_none() {
                        each(name, SmallVec::from_iter([Cow::Borrowed(&value[..])]));
                    }
                }
            }
            Some(own @ Inner::Containers) if takes("ou") => {
                let stored = self.schema().attribute("ou").and_then(|attribute| self.property_of(attribute));
                if let Some(unit) = self.tree.unit(&self.record, own).filter(|_| stored.is_none()) {
                    each("ou", SmallVec::from_iter([Cow::Borrowed(unit.as_bytes())]));
                }
            }
            Some(_) => {}
        }
    }

    /// What the classes of the entry's place demand, and its properties lack.
    fn make_up<'e>(
        &'e self,
        classes: &Classes<'_>,
        takes: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(&'static str, Made<'e>),
    ) {
        if self.context().table != "users" {
            return;
        }
        let record = &self.record;
        let stored = |property: &[u8]| record.first_value(property).filter(|value| !value.is_empty());
        // A property with nothing but empty values, such as the full name of many a system user, tells nothing.
        let tells = |known: &AttributeType| {
            self.property_of(known).is_some_and(|p| p.values.into_iter().any(|value| !value.is_empty()))
        };
        let mut offer = |name: &'static str, property: &[u8], made: Option<&'e [u8]>, from: &[u8]| {
            if takes(name)
                && stored(property).is_none()
                && self.schema().attribute(name).is_some_and(|known| !tells(known))
                && classes.demand(self.schema(), name)
                && self.may_read(from)
                && let Some(value) = made
            {
                each(name, SmallVec::from_iter([Cow::Borrowed(value)]));
            }
        };
        let name = stored(NAME);
        offer("cn", b"realname", name, NAME);
        let last_word = stored(b"realname")
            .and_then(|full| full.rsplit(|byte| *byte == b' ').find(|word| !word.is_empty()));
        offer("sn", b"lastname", last_word.or(name), b"realname");
        offer("homeDirectory", b"home", Some(NO_HOME), b"home");
        offer("gidNumber", b"gid", Some(NO_GROUP), b"gid");
    }

    /// Whether the short names of a group's users are shown.
    pub(super) fn shows_names(&self) -> bool {
        let classes = self.classes();
        !classes.stored || classes.allow(self.schema(), "memberUid")
    }

    /// Whether `member` follows from the short names of the users.
    fn derives_members(&self, classes: &Classes<'_>) -> bool {
        self.context().table == "groups"
            && self.tree.namespace().derives_members()
            && self.record.property(b"member").is_none_or(|stored| stored.values.is_empty())
            && self.record.property(b"users").is_some_and(|users| !users.values.is_empty())
            && classes.allow(self.schema(), "member")
    }

    /// The DNs of the users whose short names the group has. Names of nobody are left out.
    fn members(&self) -> Result<Made<'t>> {
        let view = self.tree.view();
        let (Some(users), Some(names)) = (view.child_named(ROOT, b"users")?, self.record.property(b"users"))
        else {
            return Ok(SmallVec::new());
        };
        let mut members = SmallVec::new();
        for name in names.values {
            if let Some(user) = view.child_named(users, name)? {
                let mut dn = Vec::new();
                self.tree.write_dn(user, &mut dn)?;
                members.push(Cow::Owned(dn));
            }
        }
        Ok(members)
    }

    /// Whether the values of a property may be shown, by the access rules.
    pub(super) fn may_read(&self, property: &[u8]) -> bool {
        self.reads_all || self.access.as_ref().is_none_or(|access| access.reads(property))
    }
}

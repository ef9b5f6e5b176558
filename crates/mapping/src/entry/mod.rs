//! An entry: a directory as LDAP clients see it.
//!
//! | module | holds |
//! |---|---|
//! | `values` | an attribute and its values, read from the record as they are asked for |
//! | `classes` | object classes: those stored, or those its place implies |
//! | `derived` | attributes that follow from others: `member`, what classes demand, names of places |
//! | `groups` | the groups an entry belongs to |
//! | `operational` | what the server knows of an entry |
//! | `remembered` | what of an entry can be remembered as it is sent |

mod classes;
mod derived;
mod groups;
mod operational;
mod remembered;
mod values;

use std::borrow::Cow;
use std::sync::Arc;

use netinfo_directory::{EntryAccess, RecordRef};
use netinfo_schema::{AttributeId, AttributeType, Schema};
use smallvec::SmallVec;

pub use operational::timestamp;
pub use values::{Attribute, AttributeValues, Told};

pub(crate) use classes::Classes;
pub(crate) use derived::{NO_GROUP, NO_HOME};
pub(crate) use operational::is_computed;

use crate::context::{AT_ROOT, Context, NAME, OBJECT_CLASS, RDN, Slot};
use crate::error::Result;
use crate::settings::Setting;
use crate::transform::Transform;
use crate::tree::{DSID, Inner, Naming, Place, Tree};
use crate::wanted::{Selection, Wanted};
use crate::write::{NETGROUP_LISTS, NETGROUP_TRIPLES, netgroup_lists};

/// The property of passwords, which stands for all secrets here.
const SECRET: &[u8] = b"passwd";

/// A directory as an entry. It borrows the snapshot's bytes; values are read from there.
pub struct Entry<'t> {
    pub(crate) tree: &'t Tree<'t>,
    pub(crate) record: RecordRef<'t>,
    /// None for the root.
    parent: Option<Arc<Place>>,
    /// Number of its context.
    number: usize,
    mirrored: bool,
    access: Option<EntryAccess<'t>>,
    /// Everything but secrets may be read.
    reads_all: bool,
}

impl<'t> Entry<'t> {
    pub(crate) fn new(
        tree: &'t Tree<'t>,
        record: RecordRef<'t>,
        parent: Option<Arc<Place>>,
        access: Option<EntryAccess<'t>>,
    ) -> Self {
        let number = parent.as_ref().map_or(AT_ROOT, |place| place.inner.number());
        let mirrored = tree.is_mirrored(&record, number);
        let reads_all = access.as_ref().is_none_or(EntryAccess::reads_all);
        Self { tree, record, parent, number, mirrored, access, reads_all }
    }

    /// Object id of the directory.
    pub fn object(&self) -> u32 {
        self.record.id().object
    }

    /// The directory itself.
    pub fn record(&self) -> &RecordRef<'t> {
        &self.record
    }

    /// Whether the session may know of the entry. A tree without access rules shows all.
    pub fn is_visible(&self) -> bool {
        self.reads_all || self.access.as_ref().is_none_or(EntryAccess::visible)
    }

    /// The answers of the core's access rules, if the tree has them.
    pub fn access(&self) -> Option<&EntryAccess<'t>> {
        self.access.as_ref()
    }

    /// The DN.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn dn(&self) -> Result<String> {
        let mut dn = Vec::new();
        self.write_dn(&mut dn)?;
        // Values which are not UTF-8 are written as escapes.
        Ok(String::from_utf8(dn).unwrap_or_default())
    }

    /// Appends the DN.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn write_dn(&self, out: &mut Vec<u8>) -> Result<()> {
        let Some(parent) = &self.parent else {
            out.extend_from_slice(self.tree.namespace().suffix().as_bytes());
            return Ok(());
        };
        self.tree.write_rdn(&self.record, parent.inner, out)?;
        if !parent.dn.is_empty() {
            out.push(b',');
            out.extend_from_slice(&parent.dn);
        }
        Ok(())
    }

    /// The attributes a search asks for, each once, none without values: object classes first, then as they are stored,
    /// derived ones behind them, operational ones last.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn select(&self, selection: &Selection) -> Result<Vec<Attribute<'_>>> {
        let mut attributes = self.stored(|slot| selection.takes(self.schema(), slot));
        if selection.needs_derived() {
            self.derive(selection, &mut attributes)?;
        }
        if selection.needs_operational() {
            self.operational(selection, &mut attributes)?;
        }
        Ok(attributes)
    }

    /// Tells `each` the attributes that [`Entry::select`] returns without gathering them. `false` if an attribute lies in
    /// several properties, or is none of the schema's: then what was told is void, and they have to be gathered.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn tell(&self, selection: &Selection, mut each: impl FnMut(&str, Told<'_>)) -> Result<bool> {
        let mut made = Vec::new();
        if selection.needs_derived() {
            self.derive(selection, &mut made)?;
        }
        let implied = made.first().filter(|attribute| attribute.description() == OBJECT_CLASS);
        if let Some(classes) = implied {
            each(OBJECT_CLASS, Told::Many(classes.values()));
        }
        let others = usize::from(implied.is_some());
        if !self.tell_stored(selection, &mut each) {
            return Ok(false);
        }
        if selection.needs_operational() {
            self.operational(selection, &mut made)?;
        }
        for attribute in &made[others..] {
            each(attribute.description(), Told::Many(attribute.values()));
        }
        Ok(true)
    }

    fn tell_stored(&self, selection: &Selection, each: &mut impl FnMut(&str, Told<'_>)) -> bool {
        let mut seen: SmallVec<[AttributeId; 32]> = SmallVec::new();
        // The classes come first.
        for classes in [true, false] {
            for property in self.record.properties() {
                if (property.name == OBJECT_CLASS.as_bytes()) != classes || property.values.is_empty() {
                    continue;
                }
                let slot = self.slot(property.name);
                let (attribute, transform) = match slot {
                    Slot::Hidden => continue,
                    Slot::Unknown { .. } => return false,
                    Slot::Known { attribute, transform, .. } => (attribute.id(), transform),
                };
                if !selection.takes(self.schema(), &slot) || !self.shows(property.name, &slot) {
                    continue;
                }
                if seen.contains(&attribute) {
                    return false;
                }
                let source = values::Source { values: property.values, transform };
                let told = match source.single() {
                    Some(value) => Told::One(value),
                    None if source.has_any() => Told::Many(AttributeValues::of(&source)),
                    None => continue,
                };
                seen.push(attribute);
                each(&slot.description(), told);
            }
        }
        true
    }

    /// Names of the properties with values that are not those of any attribute, whoever asks. The root's settings of the
    /// server are none of its contents, nor is what the DN says as well, or the triples of a netgroup.
    pub fn unpublished(&self) -> impl Iterator<Item = &'t [u8]> + '_ {
        self.record.properties().filter(|property| !property.values.is_empty()).map(|p| p.name).filter(
            |name| {
                let said = *name == RDN || self.mirrored && *name == NAME || self.is_in_triples(name);
                !said && matches!(self.slot(name), Slot::Hidden) && !self.is_setting(name)
            },
        )
    }

    /// Whether a property is a list of a netgroup with nothing in it but what the triples say.
    fn is_in_triples(&self, property: &[u8]) -> bool {
        let list = NETGROUP_LISTS.iter().position(|list| *list == property);
        let Some(list) = list.filter(|_| self.context().table == "netgroups") else { return false };
        let values = |name: &[u8]| self.record.property(name).map(|property| property.values);
        let said = netgroup_lists(values(NETGROUP_TRIPLES).into_iter().flatten());
        values(property).into_iter().flatten().all(|value| said[list].contains(&value))
    }

    fn is_setting(&self, property: &[u8]) -> bool {
        let is_named = || Setting::ALL.iter().any(|setting| setting.property() == property);
        self.number == AT_ROOT && (self.context().column(property).is_some() || is_named())
    }

    /// All user attributes.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn attributes(&self) -> Result<Vec<Attribute<'_>>> {
        self.select(&Selection::user())
    }

    /// Calls `each` with the values of an attribute, its subtypes, and all of their options, until it returns `false`.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn values(&self, wanted: &Wanted, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
        for property in self.record.properties() {
            if !wanted.may_be(self.number, property.name) {
                continue;
            }
            let slot = self.slot(property.name);
            if !wanted.includes(self.schema(), &slot) || !self.shows(property.name, &slot) {
                continue;
            }
            let transform = slot.transform();
            for stored in property.values {
                if let Some(value) = transform.publish(stored)
                    && !each(&value)
                {
                    return Ok(());
                }
            }
        }
        if wanted.is_derived() { self.derived_values(wanted, each) } else { Ok(()) }
    }

    /// Whether the entry has the attribute, a subtype of it, or either with options.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn has(&self, wanted: &Wanted) -> Result<bool> {
        let mut found = false;
        self.values(wanted, &mut |_| {
            found = true;
            false
        })?;
        Ok(found)
    }

    /// Whether the session may find entries by the attribute, by the access rules. Attributes that the server computes say
    /// nothing that names and classes do not.
    pub fn may_search(&self, wanted: &Wanted) -> bool {
        let Some(access) = &self.access else { return true };
        if self.reads_all {
            return !wanted.is_secret() || access.searches(SECRET);
        }
        is_computed(wanted.name())
            || wanted.columns.get(self.number).into_iter().flatten().any(|property| access.searches(property))
            || wanted.names.iter().any(|property| access.searches(property))
    }

    /// Whether the session may change the attribute, by the access rules. The core decides when the change is made; this
    /// tells those apart who are not to learn anything from the reasons why a change makes no sense.
    pub fn may_write(&self, wanted: &Wanted) -> bool {
        let Some(access) = &self.access else { return true };
        wanted.columns.get(self.number).into_iter().flatten().any(|property| access.writes(property))
            || wanted.names.iter().any(|property| access.writes(property))
    }

    pub(crate) fn schema(&self) -> &'t Schema {
        self.tree.schema()
    }

    pub(crate) fn context(&self) -> &'t Context {
        self.tree.context(self.number)
    }

    /// Number of the context.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// What it is to its parent; `None` for the root.
    pub(crate) fn own(&self) -> Option<Inner> {
        self.parent.as_ref().map(|place| place.inner)
    }

    pub(crate) fn slot<'p>(&self, property: &'p [u8]) -> Slot<'p>
    where
        't: 'p,
    {
        self.context().slot(self.schema(), self.tree.mode(), self.mirrored, property)
    }

    /// Whether the values of a property may be shown.
    fn shows(&self, property: &[u8], slot: &Slot<'_>) -> bool {
        if let Some(access) = &self.access
            && (!self.reads_all || slot.transform() == Transform::Password)
            && !access.reads(property)
        {
            return false;
        }
        self.context().table != "groups" || property != b"users" || self.shows_names()
    }

    /// The first property that holds an attribute.
    pub(crate) fn property_of(
        &self,
        attribute: &AttributeType,
    ) -> Option<netinfo_directory::PropertyRef<'t>> {
        self.record.properties().find(|property| {
            !property.values.is_empty()
                && matches!(self.slot(property.name),
                    Slot::Known { attribute: one, options: "", .. } if one.id() == attribute.id())
        })
    }

    /// The stored attributes that `take` takes.
    fn stored(&self, mut take: impl FnMut(&Slot<'_>) -> bool) -> Vec<Attribute<'_>> {
        let mut attributes: Vec<Attribute<'_>> = Vec::with_capacity(self.record.property_count().min(64) + 2);
        let mut classes = None;
        for property in self.record.properties() {
            let slot = self.slot(property.name);
            if matches!(slot, Slot::Hidden) || !take(&slot) || !self.shows(property.name, &slot) {
                continue;
            }
            let source = values::Source { values: property.values, transform: slot.transform() };
            if !source.has_any() {
                continue;
            }
            let attribute = slot.attribute();
            if let Some(known) = attributes.iter_mut().find(|known| known.is_of(attribute, &slot)) {
                known.add(source);
                continue;
            }
            let made = Attribute::stored(slot.description(), attribute, source);
            if made.description() == OBJECT_CLASS {
                classes = Some(attributes.len());
            }
            attributes.push(made);
        }
        // They come first.
        if let Some(at) = classes {
            attributes[..=at].rotate_right(1);
        }
        attributes
    }

    /// The attributes and values by which the entry is named.
    pub(crate) fn naming(&self) -> SmallVec<[Naming<'_>; 1]> {
        let named = self.own().and_then(|own| self.tree.naming(&self.record, own));
        named.unwrap_or_else(|| {
            let number = self.object().to_string().into_bytes();
            SmallVec::from_iter([(Cow::Borrowed(DSID), Cow::Owned(number))])
        })
    }
}

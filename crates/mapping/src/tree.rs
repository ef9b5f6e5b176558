//! The tree of entries: directories with their names.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use netinfo_directory::{Access, ROOT, RecordRef, View};
use netinfo_schema::check::Mode;
use netinfo_schema::{AttributeDescription, Schema};
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::context::{COMMON, Context, LDAP_PREFIX, NAME, RDN, Slot};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::name::{NameError, write_value};
use crate::namespace::{Layout, Namespace};
use crate::standing::Standing;

/// Deepest directory whose name is told. It is deeper than any name that is read.
pub const CHAIN_LIMIT: usize = 1_024;

/// The attribute that stands for directories without a name: their object id.
pub(crate) const DSID: &str = "dSID";

/// The entries of one domain in one snapshot. It remembers what it has met; make it for one operation and let it go.
pub struct Tree<'a> {
    namespace: &'a Namespace,
    view: &'a View<'a>,
    access: Option<&'a Access<'a>>,
    standing: Arc<Standing>,
    /// The directory whose place was asked for last.
    recent: RefCell<Option<(u32, Arc<Place>)>>,
    /// A directory, and a name that no other has where it lies.
    alone: RefCell<Option<(u32, SmallVec<[u8; 32]>)>>,
}

/// What the children of a directory are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inner {
    /// The directories below the root.
    Containers,
    /// Entries of the context with this number.
    Context(usize),
}

/// A directory as its children see it.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its DN.
    pub(crate) dn: Vec<u8>,
    pub(crate) inner: Inner,
}

/// One attribute and value by which an entry is named.
pub(crate) type Naming<'r> = (Cow<'r, str>, Cow<'r, [u8]>);

/// A property and a value of it.
type Term = (SmallVec<[u8; 32]>, Vec<u8>);

impl Inner {
    /// Number of the context of the children themselves.
    pub(crate) fn number(self) -> usize {
        match self {
            Self::Containers => COMMON,
            Self::Context(number) => number,
        }
    }
}

impl<'a> Tree<'a> {
    pub(crate) fn new(namespace: &'a Namespace, view: &'a View<'a>) -> Self {
        let standing = namespace.standing(view);
        Self {
            namespace,
            view,
            access: None,
            standing,
            recent: RefCell::default(),
            alone: RefCell::default(),
        }
    }

    /// The same tree, whose entries show what these access rules let a session read. Names are found and told all the same:
    /// ask [`Entry::is_visible`] first.
    #[must_use]
    pub fn restricted(self, access: &'a Access<'a>) -> Self {
        Self { access: Some(access), ..self }
    }

    /// How the domain is seen.
    pub fn namespace(&self) -> &'a Namespace {
        self.namespace
    }

    /// The snapshot.
    pub fn view(&self) -> &'a View<'a> {
        self.view
    }

    /// The entry of a directory.
    ///
    /// # Errors
    ///
    /// [`Error::Directory`] with `NoSuchDirectory` when there is none.
    pub fn entry(&self, object: u32) -> Result<Entry<'_>> {
        let record = self.view.record(object)?;
        let parent = match object {
            ROOT => None,
            _ => Some(self.place(record.parent())?),
        };
        let access = self.access.map(|access| access.entry(&record)).transpose()?;
        Ok(Entry::new(self, record, parent, access))
    }

    /// The DN of a directory.
    ///
    /// # Errors
    ///
    /// As [`Tree::entry`].
    pub fn dn(&self, object: u32) -> Result<String> {
        let mut dn = Vec::new();
        self.write_dn(object, &mut dn)?;
        // Values which are not UTF-8 are written as escapes.
        Ok(String::from_utf8(dn).unwrap_or_default())
    }

    /// Appends the DN of a directory.
    ///
    /// # Errors
    ///
    /// As [`Tree::entry`].
    pub fn write_dn(&self, object: u32, out: &mut Vec<u8>) -> Result<()> {
        self.entry(object)?.write_dn(out)
    }

    /// Number of directories of the domain.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn directories(&self) -> Result<u64> {
        Ok(self.standing.directories(self.view)?)
    }

    /// Highest object id in use.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn highest_object(&self) -> Result<u32> {
        Ok(self.standing.highest(self.view)?)
    }

    /// All directories that store one of these names of a class, and perhaps others.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn storing_class(&self, names: [&'static str; 2]) -> Result<Arc<RoaringBitmap>> {
        Ok(self.standing.of_class(self.view, names)?)
    }

    /// Takes note that `object` is the only directory where it lies, if not in the whole domain, that can have `value` for
    /// its name.
    pub fn note_alone(&self, object: u32, value: &[u8]) {
        *self.alone.borrow_mut() = Some((object, SmallVec::from_slice(value)));
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(crate) fn schema(&self) -> &'a Schema {
        self.namespace.schema()
    }

    pub(crate) fn mode(&self) -> Mode {
        self.namespace.mode()
    }

    pub(crate) fn context(&self, number: usize) -> &'a Context {
        self.namespace.contexts().get(number)
    }

    /// A directory as its children see it.
    pub(crate) fn place(&self, object: u32) -> Result<Arc<Place>> {
        if let Some((known, place)) = &*self.recent.borrow()
            && *known == object
        {
            return Ok(place.clone());
        }
        let place = self.find_place(object)?;
        *self.recent.borrow_mut() = Some((object, place.clone()));
        Ok(place)
    }

    fn find_place(&self, object: u32) -> Result<Arc<Place>> {
        let mut chain: SmallVec<[RecordRef<'_>; 8]> = SmallVec::new();
        let mut at = object;
        let mut above = loop {
            if let Some(known) = self.standing.place(at) {
                break known;
            }
            if at == ROOT {
                let dn = self.namespace.suffix().as_bytes().to_vec();
                break self.standing.keep_place(ROOT, Place { dn, inner: Inner::Containers });
            }
            if chain.len() == CHAIN_LIMIT {
                return Err(Error::Name(NameError::TooDeep));
            }
            let record = self.view.record(at)?;
            chain.push(record);
            at = record.parent();
        };
        for record in chain.iter().rev() {
            let mut dn = Vec::with_capacity(above.dn.len() + 32);
            self.write_rdn(record, above.inner, &mut dn)?;
            if !above.dn.is_empty() {
                dn.push(b',');
                dn.extend_from_slice(&above.dn);
            }
            let inner = self.inner_of(above.inner, record);
            above = self.standing.keep_place(record.id().object, Place { dn, inner });
        }
        Ok(above)
    }

    /// What the children of `record` are, which itself lies where children are `own`.
    pub(crate) fn inner_of(&self, own: Inner, record: &RecordRef<'_>) -> Inner {
        let contexts = self.namespace.contexts();
        Inner::Context(match own {
            Inner::Containers => record.first_value(NAME).map_or(COMMON, |name| contexts.inside(name)),
            Inner::Context(number) => contexts.below(number),
        })
    }

    /// Appends the relative name of a directory below a place of this kind.
    pub(crate) fn write_rdn(&self, record: &RecordRef<'_>, own: Inner, out: &mut Vec<u8>) -> Result<()> {
        match self.naming(record, own) {
            Some(naming) if !self.is_shadowed(record, own, &naming)? => {
                for (at, (attribute, value)) in naming.iter().enumerate() {
                    if at > 0 {
                        out.push(b'+');
                    }
                    out.extend_from_slice(attribute.as_bytes());
                    out.push(b'=');
                    write_value(value, out);
                }
            }
            _ => {
                out.extend_from_slice(DSID.as_bytes());
                out.push(b'=');
                out.extend_from_slice(record.id().object.to_string().as_bytes());
            }
        }
        Ok(())
    }

    /// The attributes and values by which a directory is named; `None` when it has none.
    pub(crate) fn naming<'r>(
        &'r self,
        record: &RecordRef<'r>,
        own: Inner,
    ) -> Option<SmallVec<[Naming<'r>; 1]>> {
        let context = self.context(own.number());
        let Some(keys) = record.property(RDN) else {
            if let Some(unit) = self.unit(record, own) {
                return Some(SmallVec::from_iter([(Cow::Borrowed("ou"), Cow::Borrowed(unit.as_bytes()))]));
            }
            return Some(SmallVec::from_iter([self.naming_part(context, record, NAME)?]));
        };
        let mut naming = SmallVec::new();
        for key in keys.values {
            naming.push(self.naming_part(context, record, key)?);
        }
        (!naming.is_empty()).then_some(naming)
    }

    fn naming_part<'r>(
        &'r self,
        context: &Context,
        record: &RecordRef<'r>,
        key: &'r [u8],
    ) -> Option<Naming<'r>> {
        let slot = context.slot(self.schema(), self.mode(), false, key);
        let name: Cow<'r, str> = match slot {
            Slot::Known { attribute, options: "", .. } => Cow::Borrowed(attribute.name()),
            Slot::Unknown { description } => {
                AttributeDescription::parse(description)
                    .filter(|parsed| parsed.options().next().is_none())?;
                Cow::Borrowed(description)
            }
            _ => return None,
        };
        let value = slot.transform().publish(record.first_value(key)?)?;
        Some((name, value))
    }

    /// The `ou` of a directory below the root that has one in this layout, and is not named otherwise.
    pub(crate) fn unit(&self, record: &RecordRef<'_>, own: Inner) -> Option<&'static str> {
        if own != Inner::Containers || self.namespace.layout() != Layout::Rfc2307 {
            return None;
        }
        let Inner::Context(inner) = self.inner_of(own, record) else { return None };
        let unit = self.context(inner).unit;
        (!unit.is_empty() && record.property(RDN).is_none()).then_some(unit)
    }

    /// Whether a sibling with a lower object id has the same name: only one entry can bear it.
    fn is_shadowed(&self, record: &RecordRef<'_>, own: Inner, naming: &[Naming<'_>]) -> Result<bool> {
        let object = record.id().object;
        let key = record.first_value(RDN).unwrap_or(NAME);
        let Some(value) = record.first_value(key) else { return Ok(false) };
        let is_rival = |rival: u32| -> Result<bool> {
            if rival >= object {
                return Ok(false);
            }
            let rival = self.view.record(rival)?;
            Ok(self.naming(&rival, own).is_some_and(|theirs| theirs[..] == *naming))
        };
        if !self.is_alone(record) {
            for rival in self.view.lookup(record.parent(), key, value)? {
                if is_rival(rival)? {
                    return Ok(true);
                }
            }
        }
        if key == NAME && !self.standing.has_other_names(self.view)? {
            // Nobody is named by anything else.
            return Ok(false);
        }
        for (other, value) in self.other_namings(own, key, naming)? {
            for rival in self.view.lookup(record.parent(), &other, &value)? {
                if is_rival(rival)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether it is known that no sibling can bear the name of a directory that is named by its `name`.
    pub(crate) fn bears_name_alone(&self, record: &RecordRef<'_>) -> Result<bool> {
        Ok(self.is_alone(record) && !self.standing.has_other_names(self.view)?)
    }

    /// Whether it is known that no other has the name of a directory that is named by its `name`.
    fn is_alone(&self, record: &RecordRef<'_>) -> bool {
        self.alone.borrow().as_ref().is_some_and(|(known, name)| {
            *known == record.id().object
                && record.first_value(NAME) == Some(name)
                && record.property(RDN).is_none()
        })
    }

    /// Other properties than `key` by which a sibling can have the same name, and their values, as far as any directory
    /// is named by them.
    fn other_namings(&self, own: Inner, key: &[u8], naming: &[Naming<'_>]) -> Result<SmallVec<[Term; 2]>> {
        let mut others = SmallVec::new();
        let Some((attribute, value)) = naming.first() else { return Ok(others) };
        let context = self.context(own.number());
        let known = self.schema().attribute(attribute);
        let mut add = |property: &[u8], value: &[u8]| -> Result<()> {
            if property != key && (property == NAME || self.standing.is_named_by(self.view, property)?) {
                others.push((SmallVec::from_slice(property), value.to_vec()));
            }
            Ok(())
        };
        for column in known.map_or(&[][..], |known| context.columns_of(known.id())) {
            add(column.property.as_bytes(), &column.transform.store(value))?;
        }
        let name = known.map_or(&**attribute, |known| known.name()).as_bytes();
        if context.column(name).is_none() {
            add(name, value)?;
        } else {
            let mut prefixed: SmallVec<[u8; 32]> = SmallVec::from_slice(LDAP_PREFIX);
            prefixed.extend_from_slice(name);
            add(&prefixed, value)?;
        }
        if own == Inner::Containers
            && name == b"ou"
            && let Some(directory) = self.namespace.contexts().directory_of_unit(value)
        {
            add(NAME, directory.as_bytes())?;
        }
        Ok(others)
    }

    /// Whether `name` only repeats another property by which a directory is named: it does where it would be `cn`, and
    /// `_rdn` names others.
    pub(crate) fn is_mirrored(&self, record: &RecordRef<'_>, number: usize) -> bool {
        self.context(number).table.is_empty()
            && record.property(RDN).is_some_and(|keys| !keys.values.is_empty() && !keys.values.contains(NAME))
    }
}

//! From names to directories.

use std::cell::Cell;

use netinfo_directory::{ROOT, RecordRef, Term};
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::context::{COMMON, LDAP_PREFIX, NAME, RDN};
use crate::error::Result;
use crate::name::{Name, Part, Rdn, equal};
use crate::tree::{DSID, Inner, Tree};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The directory with this object id.
    Found(u32),
    /// Nothing.
    Missing {
        /// Object id of the lowest directory above it that exists.
        nearest: u32,
        /// How many relative names, from the left, are missing: 1 when only the entry itself is.
        rest: usize,
    },
    /// The name is not in this domain.
    Outside,
}

/// How well a directory answers to a relative name; less is better.
type Fit = (bool, u32);

impl Tree<'_> {
    /// What a name stands for. Aliases are accepted (a further value of the property by which a directory is named), and so
    /// are both spellings of the directories below the root.
    ///
    /// # Errors
    ///
    /// When the text is no name, or the core cannot read.
    pub fn resolve(&self, dn: &[u8]) -> Result<Resolution> {
        self.resolve_name(&Name::parse(dn)?)
    }

    /// As [`Tree::resolve`], for a name taken apart.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn resolve_name(&self, name: &Name<'_>) -> Result<Resolution> {
        let Some(depth) = self.namespace().depth(name) else { return Ok(Resolution::Outside) };
        let (mut object, mut inner) = (ROOT, Inner::Containers);
        for (at, rdn) in name.rdns[..depth].iter().enumerate().rev() {
            let found = match inner {
                Inner::Containers => self.container(rdn)?,
                Inner::Context(_) => self.child(object, inner, rdn)?.map(|child| (child, None)),
            };
            match found {
                Some((child, _)) if at == 0 => object = child,
                Some((child, Some(inside))) => (object, inner) = (child, inside),
                Some((child, None)) => {
                    inner = self.inner_of(inner, &self.view().record(child)?);
                    object = child;
                }
                None => return Ok(Resolution::Missing { nearest: object, rest: at + 1 }),
            }
        }
        Ok(Resolution::Found(object))
    }

    /// The directory below the root with this relative name, and what its children are.
    fn container(&self, rdn: &Rdn<'_>) -> Result<Option<(u32, Option<Inner>)>> {
        let kept = match &rdn.parts[..] {
            [part] => Some(part),
            _ => None,
        };
        if let Some((object, inner)) = kept.and_then(|part| self.standing().container(part)) {
            return Ok(Some((object, Some(inner))));
        }
        let Some(object) = self.child(ROOT, Inner::Containers, rdn)? else { return Ok(None) };
        let inner = self.inner_of(Inner::Containers, &self.view().record(object)?);
        if let Some(part) = kept {
            self.standing().keep_container(part, (object, inner));
        }
        Ok(Some((object, Some(inner))))
    }

    /// The child of a directory with this relative name.
    pub(crate) fn child(&self, parent: u32, inner: Inner, rdn: &Rdn<'_>) -> Result<Option<u32>> {
        let Some(first) = rdn.parts.first() else { return Ok(None) };
        if self.schema().attribute(first.kind).map_or(first.kind, |known| known.name()) == DSID {
            return self.child_by_number(parent, &first.value);
        }
        let keys = self.naming_keys(first, inner);
        let best: Cell<Option<Fit>> = Cell::new(None);
        let consider = |object: u32| -> Result<()> {
            let record = self.view().record(object)?;
            if record.parent() == parent
                && let Some(alias) = self.fit(&record, inner, rdn)
            {
                let fit = (alias, object);
                best.set(Some(best.get().map_or(fit, |known| known.min(fit))));
            }
            Ok(())
        };
        for (key, value) in &keys {
            if !self.standing().has_values(self.view(), key)? {
                continue;
            }
            let found = self.view().lookup(parent, key, value)?;
            if let [only] = found[..]
                && key == NAME
            {
                self.note_alone(only, value);
            }
            for object in found {
                consider(object)?;
            }
        }
        if best.get().is_none_or(|(alias, _)| alias) {
            for object in self.other_spellings(&keys)? {
                consider(object)?;
            }
        }
        Ok(best.get().map(|(_, object)| object))
    }

    /// `dSID=57`: the directory with that number, if it lies here.
    fn child_by_number(&self, parent: u32, value: &[u8]) -> Result<Option<u32>> {
        let Some(object) = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) else {
            return Ok(None);
        };
        match self.view().record(object) {
            Ok(record) if record.parent() == parent && object != ROOT => Ok(Some(object)),
            Ok(_) | Err(netinfo_directory::Error::NoSuchDirectory) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Properties and values under which directories may stand that answer to a part of a name.
    fn naming_keys(&self, part: &Part<'_>, inner: Inner) -> SmallVec<[(Vec<u8>, Vec<u8>); 3]> {
        let context = self.context(inner.number());
        let mut keys = SmallVec::new();
        let mut add = |key: &[u8], value: &[u8]| keys.push((key.to_vec(), value.to_vec()));
        let attribute = self.schema().attribute(part.kind);
        let name = attribute.map_or(part.kind, |known| known.name());
        for column in attribute.map_or(&[][..], |known| context.columns_of(known.id())) {
            add(column.property.as_bytes(), &column.transform.store(&part.value));
            for form in column.transform.other_forms(&part.value) {
                add(column.property.as_bytes(), &form);
            }
        }
        if context.column(name.as_bytes()).is_none() {
            add(name.as_bytes(), &part.value);
        } else if name != "objectClass" {
            add(&[LDAP_PREFIX, name.as_bytes()].concat(), &part.value);
        }
        if inner == Inner::Containers
            && name == "ou"
            && let Some(directory) = self.namespace().contexts().directory_of_unit(&part.value)
        {
            add(NAME, directory.as_bytes());
        }
        keys
    }

    /// Directories whose values may be the same in another spelling, wherever they are.
    fn other_spellings(&self, keys: &[(Vec<u8>, Vec<u8>)]) -> Result<RoaringBitmap> {
        let mut found = RoaringBitmap::new();
        for (property, value) in keys {
            self.view().collect(Term::Equal { property, value }, &mut found)?;
        }
        Ok(found)
    }

    /// Whether a directory answers to a relative name: `Some(false)` when it is its own, `Some(true)` when it is another
    /// one.
    fn fit(&self, record: &RecordRef<'_>, own: Inner, rdn: &Rdn<'_>) -> Option<bool> {
        let [first] = &rdn.parts[..] else { return self.fit_parts(record, own, rdn) };
        if own == Inner::Containers
            && let Some(alias) = self.fit_container(record, first)
        {
            return Some(alias);
        }
        self.fit_parts(record, own, rdn)
    }

    /// The two spellings of a directory below the root whose contents have a meaning.
    fn fit_container(&self, record: &RecordRef<'_>, part: &Part<'_>) -> Option<bool> {
        let directory = record.first_value(NAME)?;
        let number = self.namespace().contexts().inside(directory);
        if number == COMMON {
            return None;
        }
        let spelling = match self.schema().attribute(part.kind)?.name() {
            "cn" => directory,
            "ou" => self.context(number).unit.as_bytes(),
            _ => return None,
        };
        // Not an alias in the sense of a further name: it is the only one with this meaning.
        spelling.eq_ignore_ascii_case(&part.value).then_some(false)
    }

    fn fit_parts(&self, record: &RecordRef<'_>, own: Inner, rdn: &Rdn<'_>) -> Option<bool> {
        let mut keys: SmallVec<[&[u8]; 2]> = SmallVec::new();
        match record.property(RDN) {
            Some(property) => keys.extend(property.values),
            None => keys.push(NAME),
        }
        if keys.len() != rdn.parts.len() {
            return None;
        }
        let mut alias = false;
        for part in &rdn.parts {
            let places = keys.iter().find_map(|key| self.value_place(record, own, key, part));
            alias |= places? > 0;
        }
        Some(alias)
    }

    /// Which value of a property is that of a part of a name; `None` when none is, or it is another attribute's.
    fn value_place(&self, record: &RecordRef<'_>, own: Inner, key: &[u8], part: &Part<'_>) -> Option<usize> {
        use crate::context::Slot;
        let slot = self.context(own.number()).slot(self.schema(), self.mode(), false, key);
        let rule = match slot {
            Slot::Known { attribute, options: "", .. } => {
                if self.schema().attribute(part.kind)?.id() != attribute.id() {
                    return None;
                }
                attribute.equality()
            }
            Slot::Unknown { description } if description.eq_ignore_ascii_case(part.kind) => None,
            _ => return None,
        };
        let transform = slot.transform();
        let wanted = transform.assertion(&part.value);
        record.property(key)?.values.into_iter().position(|value| {
            transform.publish(value).is_some_and(|value| equal(self.schema(), rule, &wanted, &value))
        })
    }
}

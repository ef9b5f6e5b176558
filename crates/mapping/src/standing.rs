//! What one state of a domain has in common for all who look at it, found out once.
//!
//! Most questions that a search begins with have the same answer until something is committed: what the directories
//! above are called, which properties exist at all, where referrals are. Everything here is found when it is first asked
//! for, and belongs to one state of the store; the next commit makes another one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use netinfo_directory::{ROOT, Result, Term, View};
use netinfo_schema::AttributeId;
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::context::{Column, OBJECT_CLASS, RDN};
use crate::name::Part;
use crate::namespace::Namespace;
use crate::tree::{Inner, Place};
use crate::wanted::Wanted;

/// Most things of one kind that are kept of a state.
pub const KEPT_LIMIT: usize = 1_024;

/// The states in use: as those see it who see no secrets, and as the others do. Names may be made of secrets.
#[derive(Debug, Default)]
pub(crate) struct Standings(Mutex<[Option<Arc<Standing>>; 2]>);

/// One state of a domain.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    number: u64,
    directories: OnceLock<u64>,
    highest: OnceLock<u32>,
    /// The root, and directories below it that are named by their place.
    places_named: OnceLock<SmallVec<[u32; 8]>>,
    /// Whether there can be a directory that is named by other properties than `name`.
    other_names: OnceLock<bool>,
    /// Directories as their children see them.
    places: Kept<u32, Arc<Place>>,
    /// Directories below the root, by type and value as somebody wrote them.
    containers: Kept<Box<[u8]>, (u32, Inner)>,
    /// Whether properties have values.
    properties: Kept<Box<[u8]>, bool>,
    /// Whether directories are named by properties.
    naming: Kept<Box<[u8]>, bool>,
    /// Properties that hold an attribute, as far as they have values.
    live: Kept<AttributeId, Arc<Live>>,
    /// Directories that store a class.
    classes: Kept<&'static str, Arc<RoaringBitmap>>,
}

/// Where an attribute is in one state of a domain: those of its properties that have values.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// Columns of the tables.
    pub(crate) columns: SmallVec<[Column; 4]>,
    /// Places of further properties among the plain names of [`Wanted`].
    pub(crate) plain: SmallVec<[u16; 8]>,
}

/// A few things by their keys.
#[derive(Debug)]
struct Kept<K, V>(RwLock<HashMap<K, V>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep(&self, key: K, value: V) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_LIMIT {
            kept.clear();
        }
        kept.insert(key, value);
    }
}

impl Standings {
    /// The state that `view` shows.
    pub(crate) fn of(&self, view: &View<'_>) -> Arc<Standing> {
        let number = view.state_number();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut known[usize::from(view.sees_secrets())];
        if let Some(known) = known
            && known.number == number
        {
            return known.clone();
        }
        let made = Arc::new(Standing { number, ..Standing::default() });
        // Snapshots that are about to be given back have nothing to say to those who come.
        if known.as_ref().is_none_or(|known| known.number < number) {
            *known = Some(made.clone());
        }
        made
    }
}

/// The value, which `make` makes once.
fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

impl Standing {
    pub(crate) fn directories(&self, view: &View<'_>) -> Result<u64> {
        once(&self.directories, || view.directories()).copied()
    }

    pub(crate) fn highest(&self, view: &View<'_>) -> Result<u32> {
        once(&self.highest, || view.highest_object()).copied()
    }

    pub(crate) fn place(&self, object: u32) -> Option<Arc<Place>> {
        self.places.get(&object)
    }

    pub(crate) fn keep_place(&self, object: u32, place: Place) -> Arc<Place> {
        let place = Arc::new(place);
        self.places.keep(object, place.clone());
        place
    }

    /// The directory below the root that a part of a name stands for, if that was asked before.
    pub(crate) fn container(&self, part: &Part<'_>) -> Option<(u32, Inner)> {
        self.containers.get(&key_of(part)[..])
    }

    pub(crate) fn keep_container(&self, part: &Part<'_>, found: (u32, Inner)) {
        self.containers.keep(key_of(part).into_vec().into(), found);
    }

    /// The root, and directories below it that are named by their place.
    pub(crate) fn places_named(&self, namespace: &Namespace, view: &View<'_>) -> Result<&[u32]> {
        let found = once(&self.places_named, || {
            let mut found = SmallVec::from_iter([ROOT]);
            for context in namespace.contexts().iter().filter(|context| !context.unit.is_empty()) {
                found.extend(view.child_named(ROOT, context.directory.as_bytes())?);
            }
            Ok(found)
        })?;
        Ok(found)
    }

    /// Whether there can be a value in a property of this name.
    pub(crate) fn has_values(&self, view: &View<'_>, property: &[u8]) -> Result<bool> {
        if let Some(known) = self.properties.get(property) {
            return Ok(known);
        }
        let found = view.has_values(property)?;
        self.properties.keep(property.into(), found);
        Ok(found)
    }

    /// Whether there can be a directory that is named by other properties than `name`.
    pub(crate) fn has_other_names(&self, view: &View<'_>) -> Result<bool> {
        once(&self.other_names, || view.has_values(RDN)).copied()
    }

    /// Whether there can be a directory that is named by a property, and not by its `name`.
    pub(crate) fn is_named_by(&self, view: &View<'_>, property: &[u8]) -> Result<bool> {
        if let Some(known) = self.naming.get(property) {
            return Ok(known);
        }
        let found = view.estimate(Term::Equal { property: RDN, value: property })? > 0;
        self.naming.keep(property.into(), found);
        Ok(found)
    }

    /// Where an attribute is, of all the places it can be in.
    pub(crate) fn live(
        &self,
        view: &View<'_>,
        wanted: &Wanted,
        columns: &[Column],
        plain: &[Vec<u8>],
    ) -> Result<Arc<Live>> {
        let attribute = wanted.types().first();
        if let Some(known) = attribute.and_then(|id| self.live.get(id)) {
            return Ok(known);
        }
        let mut live = Live::default();
        for column in columns {
            if self.has_values(view, column.property.as_bytes())? {
                live.columns.push(*column);
            }
        }
        for (number, name) in (0..).zip(plain) {
            let same = |column: &Column| column.property.as_bytes().eq_ignore_ascii_case(name);
            if !columns.iter().any(same) && self.has_values(view, name)? {
                live.plain.push(number);
            }
        }
        let live = Arc::new(live);
        if let Some(id) = attribute {
            self.live.keep(*id, live.clone());
        }
        Ok(live)
    }

    /// All directories that store one of these names of a class, and perhaps others.
    pub(crate) fn of_class(&self, view: &View<'_>, names: [&'static str; 2]) -> Result<Arc<RoaringBitmap>> {
        if let Some(known) = self.classes.get(names[0]) {
            return Ok(known);
        }
        let mut found = RoaringBitmap::new();
        for name in names {
            let (property, value) = (OBJECT_CLASS.as_bytes(), name.as_bytes());
            view.collect(Term::Equal { property, value }, &mut found)?;
        }
        let found = Arc::new(found);
        self.classes.keep(names[0], found.clone());
        Ok(found)
    }
}

/// What a part of a name is kept by.
fn key_of(part: &Part<'_>) -> SmallVec<[u8; 64]> {
    let mut key = SmallVec::from_slice(part.kind.as_bytes());
    key.push(b'=');
    key.extend_from_slice(&part.value);
    key
}

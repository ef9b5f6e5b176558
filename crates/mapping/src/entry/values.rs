//! An attribute and its values.

use std::borrow::Cow;
use std::collections::HashSet;

use netinfo_directory::Values;
use netinfo_schema::AttributeId;
use smallvec::SmallVec;

use crate::context::Slot;
use crate::transform::Transform;

/// Numbers of values up to which each is compared with those before it; more are put into a set.
const FEW: usize = 16;

/// Values of one property, on their way to be those of an attribute.
#[derive(Clone)]
pub(crate) struct Source<'e> {
    pub(crate) values: Values<'e>,
    pub(crate) transform: Transform,
}

impl Source<'_> {
    /// The value, where there is one alone.
    pub(crate) fn single(&self) -> Option<Cow<'_, [u8]>> {
        let mut values = self.values;
        if values.len() == 1 { self.transform.publish(values.next()?) } else { None }
    }

    /// Whether there is a value that is told.
    pub(crate) fn has_any(&self) -> bool {
        self.values.into_iter().any(|value| self.transform.publish(value).is_some())
    }
}

/// An attribute of an entry, with its values.
pub struct Attribute<'e> {
    description: Cow<'e, str>,
    /// The type of a stored one.
    kind: Option<AttributeId>,
    content: Content<'e>,
    operational: bool,
}

enum Content<'e> {
    Stored(SmallVec<[Source<'e>; 1]>),
    Made(SmallVec<[Cow<'e, [u8]>; 1]>),
}

impl<'e> Attribute<'e> {
    pub(crate) fn stored(description: Cow<'e, str>, kind: Option<AttributeId>, source: Source<'e>) -> Self {
        let content = Content::Stored(SmallVec::from_iter([source]));
        Self { description, kind, content, operational: false }
    }

    /// Whether a property that is `slot`, of this type, holds more of the attribute.
    pub(crate) fn is_of(&self, kind: Option<AttributeId>, slot: &Slot<'_>) -> bool {
        self.kind == kind && self.description.eq_ignore_ascii_case(&slot.description())
    }

    /// Adds the values of another property.
    pub(crate) fn add(&mut self, source: Source<'e>) {
        if let Content::Stored(sources) = &mut self.content {
            sources.push(source);
        }
    }

    pub(crate) fn made(
        description: impl Into<Cow<'e, str>>,
        values: impl IntoIterator<Item = Cow<'e, [u8]>>,
    ) -> Self {
        let content = Content::Made(values.into_iter().collect());
        Self { description: description.into(), kind: None, content, operational: false }
    }

    pub(crate) fn operational(mut self) -> Self {
        self.operational = true;
        self
    }

    /// Type and options.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether it is returned only when asked for.
    pub fn is_operational(&self) -> bool {
        self.operational
    }

    /// Its values, none twice.
    pub fn values(&self) -> AttributeValues<'_> {
        let inner = match &self.content {
            Content::Made(values) => Inner::Made(values.iter()),
            Content::Stored(sources) => {
                Stored::new(sources).map_or_else(|| Inner::Made([].iter()), Inner::Stored)
            }
        };
        AttributeValues { inner }
    }
}

/// What an attribute has, as [`Entry::tell`](super::Entry::tell) tells it.
pub enum Told<'a> {
    /// One value.
    One(Cow<'a, [u8]>),
    /// Any number of values.
    Many(AttributeValues<'a>),
}

impl<'a> AttributeValues<'a> {
    /// The values of one property.
    pub(super) fn of(source: &'a Source<'a>) -> Self {
        let stored = Stored::new(std::slice::from_ref(source));
        Self { inner: stored.map_or_else(|| Inner::Made([].iter()), Inner::Stored) }
    }
}

/// Iterator over the values of an attribute: mostly borrowed from the snapshot.
pub struct AttributeValues<'a> {
    inner: Inner<'a>,
}

enum Inner<'a> {
    Made(std::slice::Iter<'a, Cow<'a, [u8]>>),
    Stored(Stored<'a>),
}

struct Stored<'a> {
    sources: &'a [Source<'a>],
    /// Number of the source that is being read, and what is left of it.
    at: usize,
    rest: Values<'a>,
    /// Values that were told, where they are many.
    seen: Option<HashSet<&'a [u8]>>,
}

impl<'a> Stored<'a> {
    fn new(sources: &'a [Source<'a>]) -> Option<Self> {
        let count: usize = sources.iter().map(|source| source.values.len()).sum();
        let seen = (count > FEW).then(|| HashSet::with_capacity(count));
        Some(Self { rest: sources.first()?.values, sources, at: 0, seen })
    }

    /// Whether the value that was just read is seen for the first time.
    fn is_new(&mut self, value: &'a [u8]) -> bool {
        if let Some(seen) = &mut self.seen {
            return seen.insert(value);
        }
        let own = self.sources[self.at].values;
        let read = own.len() - self.rest.len() - 1;
        let before = self.sources[..self.at].iter().flat_map(|source| source.values);
        !before.chain(own.take(read)).any(|known| known == value)
    }
}

impl<'a> Iterator for Stored<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.rest.next() {
                Some(value) if self.is_new(value) => {
                    if let Some(published) = self.sources[self.at].transform.publish(value) {
                        return Some(published);
                    }
                }
                Some(_) => {}
                None => {
                    self.at += 1;
                    self.rest = self.sources.get(self.at)?.values;
                }
            }
        }
    }
}

impl<'a> Iterator for AttributeValues<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.inner {
            Inner::Made(values) => values.next().map(|value| Cow::Borrowed(&value[..])),
            Inner::Stored(stored) => stored.next(),
        }
    }
}

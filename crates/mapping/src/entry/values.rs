//! An attribute and its values.

use std::borrow::Cow;
use std::collections::HashSet;

use netinfo_directory::Values;
use smallvec::SmallVec;

use crate::transform::Transform;

/// Numbers of values up to which each is compared with those before it; more are put into a set.
const FEW: usize = 16;

/// Values of one property, on their way to be those of an attribute.
#[derive(Clone)]
pub(crate) struct Source<'e> {
    pub(crate) values: Values<'e>,
    pub(crate) transform: Transform,
}

/// An attribute of an entry, with its values.
pub struct Attribute<'e> {
    description: Cow<'e, str>,
    content: Content<'e>,
    operational: bool,
}

enum Content<'e> {
    Stored(SmallVec<[Source<'e>; 1]>),
    Made(SmallVec<[Cow<'e, [u8]>; 1]>),
}

impl<'e> Attribute<'e> {
    pub(crate) fn stored(description: Cow<'e, str>, sources: SmallVec<[Source<'e>; 1]>) -> Self {
        Self { description, content: Content::Stored(sources), operational: false }
    }

    pub(crate) fn made(
        description: impl Into<Cow<'e, str>>,
        values: impl IntoIterator<Item = Cow<'e, [u8]>>,
    ) -> Self {
        let content = Content::Made(values.into_iter().collect());
        Self { description: description.into(), content, operational: false }
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
        match &self.content {
            Content::Made(values) => AttributeValues { inner: Inner::Made(values.iter()) },
            Content::Stored(sources) => AttributeValues {
                inner: Inner::Stored {
                    current: sources.first().map(|source| (source.values, source.transform)),
                    rest: sources.get(1..).unwrap_or_default().iter(),
                    seen: Seen::new(sources.iter().map(|source| source.values.len()).sum()),
                },
            },
        }
    }
}

/// Iterator over the values of an attribute: mostly borrowed from the snapshot.
pub struct AttributeValues<'a> {
    inner: Inner<'a>,
}

enum Inner<'a> {
    Made(std::slice::Iter<'a, Cow<'a, [u8]>>),
    Stored {
        current: Option<(Values<'a>, Transform)>,
        rest: std::slice::Iter<'a, Source<'a>>,
        seen: Seen<'a>,
    },
}

/// Stored values that were told.
enum Seen<'a> {
    One,
    Few(SmallVec<[&'a [u8]; FEW]>),
    Many(HashSet<&'a [u8]>),
}

impl<'a> Seen<'a> {
    fn new(count: usize) -> Self {
        match count {
            0 | 1 => Self::One,
            2..=FEW => Self::Few(SmallVec::new()),
            _ => Self::Many(HashSet::with_capacity(count)),
        }
    }

    /// Whether the value is seen for the first time.
    fn is_new(&mut self, value: &'a [u8]) -> bool {
        match self {
            Self::One => true,
            Self::Few(seen) if seen.contains(&value) => false,
            Self::Few(seen) => {
                seen.push(value);
                true
            }
            Self::Many(seen) => seen.insert(value),
        }
    }
}

impl<'a> Iterator for AttributeValues<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.inner {
            Inner::Made(values) => values.next().map(|value| Cow::Borrowed(&value[..])),
            Inner::Stored { current, rest, seen } => loop {
                let (values, transform) = current.as_mut()?;
                match values.next() {
                    Some(value) if !seen.is_new(value) => {}
                    Some(value) => {
                        if let Some(published) = transform.publish(value) {
                            return Some(published);
                        }
                    }
                    None => *current = rest.next().map(|source| (source.values, source.transform)),
                }
            },
        }
    }
}

//! Which (property, value) pairs of a directory the name index holds.

use std::collections::HashSet;

use crate::model::{Property, is_secret};

/// The sorted, distinct terms of a property list: for the *first* property of each name, each value. Password material
/// is never indexed.
pub(crate) struct Terms<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Terms<'a> {
    pub(crate) fn of(properties: &'a [Property]) -> Self {
        let mut seen: HashSet<&[u8]> = HashSet::with_capacity(properties.len());
        let mut terms = Vec::new();
        for property in properties {
            if seen.insert(&property.name) && !is_secret(&property.name) {
                terms.extend(property.values.iter().map(|v| (&property.name[..], &v[..])));
            }
        }
        terms.sort_unstable();
        terms.dedup();
        Self(terms)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.0.iter().copied()
    }

    /// The terms of `self` that `other` does not have.
    pub(crate) fn missing_in<'s>(
        &'s self,
        other: &'s Self,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + 's {
        self.iter().filter(|term| other.0.binary_search(term).is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_properties_and_no_secrets() {
        let list =
            [Property::new("k", ["2", "1", "2"]), Property::new("k", ["3"]), Property::new("passwd", ["x"])];
        let terms = Terms::of(&list);
        let all: Vec<_> = terms.iter().collect();
        assert_eq!(all, [(&b"k"[..], &b"1"[..]), (b"k", b"2")]);
        let other = [Property::new("k", ["1"])];
        assert_eq!(terms.missing_in(&Terms::of(&other)).collect::<Vec<_>>(), [(&b"k"[..], &b"2"[..])]);
    }
}

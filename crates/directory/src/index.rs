//! Which (property, value) pairs of a directory the name index holds.

use std::collections::HashSet;

use crate::model::{Property, is_secret};

/// The sorted, distinct terms of a property list: for the *first* property of each name, each value. Password material
/// is never indexed.
pub(crate) struct Terms<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Terms<'a> {
    pub(crate) fn of(properties: impl IntoIterator<Item = &'a Property>) -> Self {
        let mut seen: HashSet<&[u8]> = HashSet::new();
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

/// Calls `each` with the terms of a property list, in its order, those of a value that stands there twice twice; with the
/// place of the property in the list in front.
pub(crate) fn each_term<'a>(properties: &'a [Property], mut each: impl FnMut(usize, &'a [u8], &'a [u8])) {
    let mut seen = HashSet::new();
    for (place, Property { name, values }) in properties.iter().enumerate() {
        let first = if properties.len() <= FEW {
            properties[..place].iter().all(|before| before.name != *name)
        } else {
            seen.insert(name)
        };
        if first && !is_secret(name) {
            values.iter().for_each(|value| each(place, name, value));
        }
    }
}

/// So many names are compared with each other faster than they are hashed.
const FEW: usize = 48;

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

    #[test]
    fn terms_one_by_one_are_the_same() {
        for count in [3, FEW + 1] {
            let mut list = vec![Property::new("passwd", ["x"]), Property::new("k", ["b", "a", "b"])];
            list.extend((2..count).map(|n| Property::new(format!("k{}", n / 2), [n.to_string()])));
            let mut told = Vec::new();
            each_term(&list, |place, name, value| {
                assert_eq!(list[place].name, name);
                told.push((name, value));
            });
            assert_eq!(told[..3], [(&b"k"[..], &b"b"[..]), (b"k", b"a"), (b"k", b"b")]);
            told.sort_unstable();
            told.dedup();
            assert_eq!(told, Terms::of(&list).iter().collect::<Vec<_>>());
        }
    }
}

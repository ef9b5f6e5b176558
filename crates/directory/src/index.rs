//! Which (property, value) pairs of a directory the name index holds.

use std::collections::HashSet;

use crate::error::Result;
use crate::model::{Property, is_secret};
use crate::store::keys::IndexKey;

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

/// Entries of the name index on their way into the store, gathered so that they can be put there in order. Entries of a
/// large domain belong all over the index; in order they need a fraction of the time, and the pages come out full.
#[derive(Default)]
pub(crate) struct Entries {
    /// Keys, one behind the other.
    keys: Vec<u8>,
    list: Vec<Item>,
}

/// Where a key begins in `keys`, its length, and the object it stands for.
#[derive(Clone, Copy)]
struct Item {
    /// The first bytes behind the parent: most comparisons need no more.
    head: u128,
    parent: u32,
    start: u32,
    len: u16,
    object: u32,
}

/// Bytes of keys that are gathered before they are put into the store.
pub(crate) const GATHERED: usize = 64 << 20;

impl Entries {
    /// Adds the entries of directory `object` below `parent`; `true` when it is time to [`Entries::drain`].
    pub(crate) fn add(&mut self, parent: u32, object: u32, properties: &[Property]) -> bool {
        for (name, value) in Terms::of(properties).iter() {
            let key = IndexKey::new(parent, name, value);
            let key = key.as_bytes();
            let mut head = [0; 16];
            let kept = (key.len() - 4).min(head.len());
            head[..kept].copy_from_slice(&key[4..4 + kept]);
            let (start, len) = (self.keys.len() as u32, key.len() as u16);
            self.list.push(Item { head: u128::from_be_bytes(head), parent, start, len, object });
            self.keys.extend_from_slice(key);
        }
        self.keys.len() >= GATHERED
    }

    /// Hands out what was gathered, in the order of the index: keys and objects.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&[u8], u32) -> Result<()>) -> Result<()> {
        let key = |item: &Item| &self.keys[item.start as usize..][..usize::from(item.len)];
        self.list.sort_unstable_by(|a, b| {
            let heads = a.parent.cmp(&b.parent).then(a.head.cmp(&b.head));
            heads.then_with(|| key(a).cmp(key(b))).then(a.object.cmp(&b.object))
        });
        for item in &self.list {
            each(key(item), item.object)?;
        }
        self.list.clear();
        self.keys.clear();
        Ok(())
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

    #[test]
    fn entries_come_in_the_order_of_the_index() {
        let mut entries = Entries::default();
        for (object, value) in [(7, "b"), (9, "a"), (3, "b"), (4, "ab")] {
            assert!(!entries.add(1, object, &[Property::new("k", [value]), Property::new("passwd", ["x"])]));
        }
        let mut told: Vec<(Vec<u8>, u32)> = Vec::new();
        for _ in 0..2 {
            let tell = |key: &[u8], object| {
                told.push((key.to_vec(), object));
                Ok(())
            };
            entries.drain(tell).unwrap();
        }
        let key = |value: &str| IndexKey::new(1, b"k", value.as_bytes()).as_bytes().to_vec();
        assert_eq!(told, [(key("a"), 9), (key("ab"), 4), (key("b"), 3), (key("b"), 7)]);
    }

    #[test]
    fn gathering_ends() {
        let mut entries = Entries::default();
        let list = [Property::new("k", [vec![b'x'; 470]])];
        let fits = GATHERED / IndexKey::new(0, b"k", &[b'x'; 470]).as_bytes().len();
        let full = (0..).position(|object| entries.add(0, object, &list)).unwrap();
        assert_eq!(full, fits);
    }
}

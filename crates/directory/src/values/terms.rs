//! Which entries of the value index a directory has.

use sha2::{Digest, Sha256};

use crate::fold::{FOLD_LIMIT, Shape, shaped};
use crate::model::is_secret;
use crate::times;

/// Longest name of a property that stands in keys as it is.
const NAME: usize = 64;
/// Stands where the length of a name would be: a hash follows.
const HASHED: u8 = 255;
const HASH: usize = 16;
/// Properties whose names begin like this are indexed by name only: they say who may write, which nobody looks for.
const UNINDEXED: &[u8] = b"_writers";

/// Kinds of entries in `pieces`.
pub(crate) const PRESENT: u8 = 1;
pub(crate) const IRREGULAR: u8 = 2;
pub(crate) const ODD: u8 = 3;
pub(crate) const TRIGRAM: u8 = 4;

/// Bytes of a piece.
pub(crate) const GRAM: usize = 3;

/// An entry without its chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry<'a> {
    /// In `pieces`, one of the first three kinds.
    Kind(u8),
    /// In `pieces`, kind 4.
    Gram([u8; GRAM]),
    /// In `values`: the fold.
    Value(&'a [u8]),
}

/// Whether values of this property are in the index, and not only its name.
pub(crate) fn is_indexed(property: &[u8]) -> bool {
    let head = property.get(..UNINDEXED.len());
    !is_secret(property) && !head.is_some_and(|head| head.eq_ignore_ascii_case(UNINDEXED))
}

/// What stands for a property in the index: what follows a semicolon narrows the meaning of an attribute and does not make
/// it another one (`cn;lang-de`).
pub(crate) fn stem(property: &[u8]) -> &[u8] {
    property.split(|byte| *byte == b';').next().unwrap_or_default()
}

/// Appends what stands for a property in keys.
pub(crate) fn put_property(property: &[u8], out: &mut Vec<u8>) {
    let property = stem(property);
    if property.len() <= NAME {
        out.push(property.len() as u8);
        out.extend(property.iter().map(u8::to_ascii_lowercase));
    } else {
        out.push(HASHED);
        out.extend_from_slice(&Sha256::digest(property.to_ascii_lowercase())[..HASH]);
    }
}

/// Whether all pieces of a fold are in the index.
fn has_grams(fold: &[u8], shape: Shape) -> bool {
    shape == Shape::Plain
        && fold.len() <= FOLD_LIMIT
        && fold.first() != Some(&b'/')
        && !fold.iter().all(u8::is_ascii_digit)
}

/// Calls `each` with the entries that a property with these values asks for, some perhaps more than once. `scratch` is
/// room to work in.
pub(crate) fn each_entry<'v>(
    property: &[u8],
    values: impl IntoIterator<Item = &'v [u8]>,
    scratch: &mut Vec<u8>,
    mut each: impl FnMut(Entry<'_>),
) {
    each(Entry::Kind(PRESENT));
    if !is_indexed(property) {
        return;
    }
    for value in values {
        scratch.clear();
        let shape = shaped(value, scratch);
        each(Entry::Value(scratch));
        if shape == Shape::Irregular {
            each(Entry::Kind(IRREGULAR));
        }
        if has_grams(scratch, shape) {
            scratch.windows(GRAM).for_each(|gram| each(Entry::Gram([gram[0], gram[1], gram[2]])));
        } else {
            each(Entry::Kind(ODD));
        }
        if let Some(time) = times::canonical(value) {
            scratch.clear();
            shaped(&time, scratch);
            each(Entry::Value(scratch));
        }
    }
}

/// Appends the key of an entry in `values`, but for the chunk behind it.
pub(crate) fn put_value(property: &[u8], fold: &[u8], out: &mut Vec<u8>) {
    put_property(property, out);
    out.extend_from_slice(fold);
    out.push(0);
}

/// Appends the key of an entry in `pieces`, but for the chunk in front of it.
pub(crate) fn put_piece(property: &[u8], entry: Entry<'_>, out: &mut Vec<u8>) {
    put_property(property, out);
    put_kind(entry, out);
}

/// Appends what follows the property in the key of an entry in `pieces`.
pub(crate) fn put_kind(entry: Entry<'_>, out: &mut Vec<u8>) {
    match entry {
        Entry::Kind(kind) => out.push(kind),
        Entry::Gram(gram) => {
            out.push(TRIGRAM);
            out.extend_from_slice(&gram);
        }
        Entry::Value(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(property: &str, values: &[&str]) -> Vec<String> {
        let mut list = Vec::new();
        let values = values.iter().map(|value| value.as_bytes());
        each_entry(property.as_bytes(), values, &mut Vec::new(), |entry| {
            list.push(match entry {
                Entry::Kind(kind) => kind.to_string(),
                Entry::Gram(gram) => String::from_utf8_lossy(&gram).into_owned(),
                Entry::Value(fold) => format!("={}", String::from_utf8_lossy(fold)),
            });
        });
        list
    }

    #[test]
    fn entries_of_values() {
        assert_eq!(entries("name", &["Al Ice"]), ["1", "=alice", "ali", "lic", "ice"]);
        assert_eq!(entries("name", &["ab"]), ["1", "=ab"]);
        assert_eq!(entries("uid", &["0501"]), ["1", "=501", "3"]);
        assert_eq!(entries("home", &["/home/x"]), ["1", "=/home/x", "3"]);
        assert_eq!(entries("member", &["cn=b,ou=a"]), ["1", "=a,b", "2", "3"]);
        assert_eq!(entries("at", &["2026010112Z"])[1], "=2026010112z");
        assert_eq!(entries("at", &["2026010112Z"]).last().unwrap(), "=20260101120000z");
        assert_eq!(entries("name", &[]), ["1"]);
        assert_eq!(entries("passwd", &["secret"]), ["1"]);
        assert_eq!(entries("_Writers_passwd", &["alice"]), ["1"]);
        assert_eq!(entries("_writer", &["al"]), ["1", "=al"]);
    }

    #[test]
    fn names_of_properties() {
        let key = |name: &str| {
            let mut out = Vec::new();
            put_property(name.as_bytes(), &mut out);
            out
        };
        assert_eq!(key("displayName;lang-DE"), b"\x0bdisplayname");
        assert_eq!((key(&"x".repeat(NAME)).len(), key(&"x".repeat(NAME + 1)).len()), (65, 17));
        assert_eq!(key(&"x".repeat(80)), key(&"X".repeat(80)));
    }
}

//! Notes: what a directory's record asks for and the indexes have not, and what they have instead.

use super::{damaged, term_hash, value_hash};
use crate::error::Result;
use crate::index::Terms;
use crate::model::{Property, ROOT, is_secret};
use crate::store::keys::IndexKey;
use crate::values::update::{self, related};

/// Bytes of a note in front of its hashes: object id, number of hashes, length of the rest.
pub(super) const NOTE_HEAD: usize = 10;
/// Stands for the length of what the indexes have of a directory that they have nothing of.
const NOTHING: u32 = u32::MAX;
/// In that length: only the properties that differ follow, and in front of them where they belong.
const PART: u32 = 1 << 31;

/// A note about one directory.
#[derive(Clone, Copy)]
pub(crate) struct Note<'t> {
    pub(crate) object: u32,
    /// Hashes of the entries that its record asks for and the indexes have not, little-endian.
    pub(super) hashes: &'t [u8],
    /// According to which properties it is in the indexes, if it is.
    pub(super) indexed: Option<Indexed<'t>>,
}

/// The properties according to which a directory is in the indexes.
#[derive(Clone, Copy)]
pub(super) struct Indexed<'t> {
    /// Where these belong in the record's; they are all, and all hashes are told, in notes of older stores.
    pub(super) part: Option<Part>,
    /// In stored form.
    pub(super) bytes: &'t [u8],
}

/// How many properties of two lists are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    front: u16,
    back: u16,
}

impl Part {
    /// What two lists have in common at either end; `None` if that is more than a record can have.
    pub(super) fn of(old: &[Property], new: &[Property]) -> Option<Self> {
        let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old, new) = (&old[front..], &new[front..]);
        let back = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
        Some(Self { front: front.try_into().ok()?, back: back.try_into().ok()? })
    }

    /// What is left of one of them.
    pub(super) fn differing(self, list: &[Property]) -> &[Property] {
        let end = list.len().saturating_sub(self.back.into());
        list.get(self.front.into()..end).unwrap_or_default()
    }

    fn to_bytes(self) -> [u8; 4] {
        (u32::from(self.front) | u32::from(self.back) << 16).to_le_bytes()
    }

    fn from_bytes([a, b, c, d]: [u8; 4]) -> Self {
        Self { front: u16::from_le_bytes([a, b]), back: u16::from_le_bytes([c, d]) }
    }
}

impl Note<'_> {
    /// Whether its record may ask for an entry with this hash that the indexes have not.
    pub(crate) fn has(&self, hash: u32) -> bool {
        let (hashes, _) = self.hashes.as_chunks();
        hashes.iter().any(|bytes| u32::from_le_bytes(*bytes) == hash)
    }

    /// The properties according to which it is in the indexes, if its record has these; `None` if it is in none of them.
    /// Secret ones may come without values.
    pub(crate) fn entered(&self, present: &[Property]) -> Result<Option<Vec<Property>>> {
        let Some(Indexed { part, bytes }) = self.indexed else { return Ok(None) };
        let stored = properties(bytes).ok_or_else(|| damaged(self.object))?;
        let Some(Part { front, back }) = part else { return Ok(Some(stored)) };
        let (front, back) = (usize::from(front), usize::from(back));
        let end = present.len().checked_sub(back).filter(|end| front <= *end);
        let end = end.ok_or_else(|| damaged(self.object))?;
        Ok(Some([&present[..front], &stored, &present[end..]].concat()))
    }

    /// Whether the hashes are those that a record with these properties asks for, as it is in the indexes.
    pub(crate) fn fits(&self, parent: u32, entered: &[Property], present: &[Property]) -> bool {
        let mut expected = Vec::new();
        let all = self.indexed.is_some_and(|indexed| indexed.part.is_none());
        put_hashes(self.object, parent, if all { &[] } else { entered }, present, &mut expected);
        self.hashes == expected
    }

    /// Bytes that it takes.
    pub(super) fn len(&self) -> usize {
        let of_part = |part: Option<Part>| part.map_or(0, |_| size_of::<u32>());
        let rest = self.indexed.map_or(0, |indexed| of_part(indexed.part) + indexed.bytes.len());
        NOTE_HEAD + self.hashes.len() + rest
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.object.to_le_bytes());
        out.extend_from_slice(&((self.hashes.len() / 4) as u16).to_le_bytes());
        let rest = self
            .indexed
            .map_or(NOTHING, |Indexed { part, bytes }| bytes.len() as u32 | part.map_or(0, |_| PART));
        out.extend_from_slice(&rest.to_le_bytes());
        out.extend_from_slice(self.hashes);
        if let Some(Indexed { part, bytes }) = self.indexed {
            out.extend(part.map(Part::to_bytes).into_iter().flatten());
            out.extend_from_slice(bytes);
        }
    }
}

/// The notes of a block, one after the other; ends before one that is cut off.
pub(super) struct Notes<'t>(pub(super) &'t [u8]);

impl<'t> Iterator for Notes<'t> {
    type Item = Note<'t>;

    fn next(&mut self) -> Option<Note<'t>> {
        let (head, rest) = self.0.split_first_chunk::<NOTE_HEAD>()?;
        let object = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let count = usize::from(u16::from_le_bytes([head[4], head[5]]));
        let len = u32::from_le_bytes([head[6], head[7], head[8], head[9]]);
        let (hashes, mut rest) = rest.split_at_checked(count * 4)?;
        let mut indexed = None;
        if len != NOTHING {
            let mut part = None;
            if len & PART != 0 {
                let (bytes, behind) = rest.split_first_chunk()?;
                (part, rest) = (Some(Part::from_bytes(*bytes)), behind);
            }
            let (bytes, behind) = rest.split_at_checked((len & !PART) as usize)?;
            (indexed, rest) = (Some(Indexed { part, bytes }), behind);
        }
        self.0 = rest;
        Some(Note { object, hashes, indexed })
    }
}

/// Appends the hashes of all entries of `index` and `values` that a directory with the properties `new` asks for and one
/// with the properties `old` does not.
pub(super) fn put_hashes(object: u32, parent: u32, old: &[Property], new: &[Property], out: &mut Vec<u8>) {
    let (old, new) = related(old, new);
    if object != ROOT {
        let before = Terms::of(old.iter().copied());
        for (name, value) in Terms::of(new.iter().copied()).missing_in(&before) {
            out.extend_from_slice(&term_hash(&IndexKey::new(parent, name, value)).to_le_bytes());
        }
    }
    let before = update::Keys::of_values(object, old);
    for key in update::Keys::of_values(object, new).iter().filter(|key| !before.has(*key)) {
        let hash = value_hash(update::Keys::without_chunk(key.1));
        out.extend_from_slice(&hash.to_le_bytes());
    }
}

/// Appends properties in stored form: names and values as they are, of secret ones no values.
pub(super) fn put_properties(properties: &[Property], out: &mut Vec<u8>) {
    let count = |n: usize| (n as u32).to_le_bytes();
    for Property { name, values } in properties {
        let values = if is_secret(name) { &[][..] } else { values };
        out.extend_from_slice(&count(name.len()));
        out.extend_from_slice(name);
        out.extend_from_slice(&count(values.len()));
        for value in values {
            out.extend_from_slice(&count(value.len()));
            out.extend_from_slice(value);
        }
    }
}

/// Properties in stored form.
pub(super) fn properties(mut bytes: &[u8]) -> Option<Vec<Property>> {
    fn number(bytes: &mut &[u8]) -> Option<u32> {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(u32::from_le_bytes(*number))
    }
    fn text(bytes: &mut &[u8]) -> Option<Vec<u8>> {
        let len = number(bytes)? as usize;
        let (text, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        Some(text.to_vec())
    }
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let name = text(&mut bytes)?;
        let count = number(&mut bytes)?;
        let values = (0..count).map(|_| text(&mut bytes)).collect::<Option<_>>()?;
        list.push(Property { name, values });
    }
    Some(list)
}

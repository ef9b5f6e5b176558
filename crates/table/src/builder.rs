//! Images of entries.

use std::ops::Range;

use crate::hash::hash;
use crate::index;
use crate::layout::{
    CRC_START, FIND_COMPLETE, HEADER, LENGTH_AT, LIST_COMPLETE, MAX_IMAGE, MAX_KEY, RECORD, SECTION, SEED_AT,
    Section, aligned,
};

/// Seeds tried before an index is made larger.
const SEEDS: u64 = 16;

/// A user as everybody may see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passwd<'a> {
    /// Login name.
    pub name: &'a [u8],
    /// `x`, `*` or nothing: never a hash.
    pub passwd: &'a [u8],
    /// User id.
    pub uid: u32,
    /// Id of the primary group.
    pub gid: u32,
    /// Full name.
    pub gecos: &'a [u8],
    /// Home directory.
    pub home: &'a [u8],
    /// Shell.
    pub shell: &'a [u8],
    /// Further names by which the user is found.
    pub aliases: &'a [&'a [u8]],
}

/// A group.
#[derive(Debug, Clone, Copy, Default)]
pub struct Group<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// `x`, `*` or nothing: never a hash.
    pub passwd: &'a [u8],
    /// Group id.
    pub gid: u32,
    /// Further names by which the group is found.
    pub aliases: &'a [&'a [u8]],
    /// Names of users.
    pub members: &'a [&'a [u8]],
}

/// A service with one of its protocols.
#[derive(Debug, Clone, Copy, Default)]
pub struct Service<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// `tcp`, `udp`…
    pub protocol: &'a [u8],
    /// Port, in host order.
    pub port: u16,
    /// Further names.
    pub aliases: &'a [&'a [u8]],
}

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To be found by its keys.
    Find,
    /// To be listed.
    List,
    /// Both.
    Both,
    /// Both, but not by its number.
    Unnumbered,
}

/// Why there is no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// It would be larger than [`MAX_IMAGE`].
    #[error("the table would be larger than {MAX_IMAGE} bytes")]
    TooLarge,
    /// No way was found to place all keys of an index.
    #[error("too many keys of the table have the same hash")]
    Index,
}

/// An image in the making. Entries come in the order of the search: of those with the same key, the first is found.
#[derive(Debug)]
pub struct Builder {
    image: Vec<u8>,
    parts: [Part; Section::ALL.len()],
    left_out: usize,
    too_large: bool,
}

#[derive(Debug, Default)]
struct Part {
    flags: u32,
    list: Vec<u32>,
    names: Vec<Key>,
    numbers: Vec<Key>,
}

/// A key of a record. Its bytes are in the image already.
#[derive(Debug, Clone)]
struct Key {
    place: u32,
    head: Range<u32>,
    tail: Range<u32>,
}

/// The indexes of a section, by name and by number.
type Indexes = [Vec<u8>; 2];

/// Where a record and its strings came to lie.
struct Placed {
    place: u32,
    strings: Vec<Range<u32>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Nothing yet. All sections are complete until said otherwise.
    pub fn new() -> Self {
        let mut parts: [Part; Section::ALL.len()] = Default::default();
        parts.iter_mut().for_each(|part| part.flags = FIND_COMPLETE | LIST_COMPLETE);
        Self { image: vec![0; HEADER], parts, left_out: 0, too_large: false }
    }

    /// Look-ups that miss in this section are to be asked elsewhere.
    pub fn look_ups_incomplete(&mut self, section: Section) {
        self.parts[section as usize].flags &= !FIND_COMPLETE;
    }

    /// This section is to be listed elsewhere.
    pub fn list_incomplete(&mut self, section: Section) {
        self.parts[section as usize].flags &= !LIST_COMPLETE;
    }

    /// Number of entries left out because a string of theirs has a NUL, which C has no way to say.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Adds a user.
    pub fn passwd(&mut self, entry: &Passwd<'_>, purpose: Use) {
        let own = [entry.name, entry.passwd, entry.gecos, entry.home, entry.shell];
        let strings = || own.iter().chain(entry.aliases).copied();
        let Some(placed) = self.record([entry.uid, entry.gid], strings, &[]) else { return };
        let names = placed.strings[..1].iter().chain(&placed.strings[own.len()..]);
        let names = names.map(|name| placed.key(name.clone(), 0..0)).collect();
        self.put(Section::Passwd, purpose, placed.place, names, vec![placed.key(placed.number(), 0..0)]);
    }

    /// Adds a group.
    pub fn group(&mut self, entry: &Group<'_>, purpose: Use) {
        let own = [entry.name, entry.passwd];
        let Ok(aliases) = u32::try_from(entry.aliases.len()) else { return self.too_large = true };
        let strings = || own.iter().chain(entry.aliases).chain(entry.members).copied();
        let Some(placed) = self.record([entry.gid, aliases], strings, &[]) else { return };
        let further = &placed.strings[own.len()..own.len() + entry.aliases.len()];
        let names = placed.strings[..1].iter().chain(further);
        let names = names.map(|name| placed.key(name.clone(), 0..0)).collect();
        self.put(Section::Group, purpose, placed.place, names, vec![placed.key(placed.number(), 0..0)]);
    }

    /// Adds a service with one of its protocols.
    pub fn service(&mut self, entry: &Service<'_>, purpose: Use) {
        let own = [entry.name, entry.protocol];
        let strings = || own.iter().chain(entry.aliases).copied();
        let Some(placed) = self.record([entry.port.into(), 0], strings, &[]) else { return };
        let protocol = &placed.strings[1];
        let key = |head: Range<u32>, tail| placed.key(head, tail);
        let names = placed.strings[..1].iter().chain(&placed.strings[2..]);
        // With its NUL, so that name and protocol have a border.
        let names = names.map(|name| name.start..name.end + 1);
        let names = names.flat_map(|name| [key(name.clone(), protocol.clone()), key(name, 0..0)]).collect();
        let numbers = vec![key(placed.number(), protocol.clone()), key(placed.number(), 0..0)];
        self.put(Section::Services, purpose, placed.place, names, numbers);
    }

    /// Adds the groups of a user, the primary one first.
    pub fn groups_of(&mut self, user: &[u8], gids: &[u32]) {
        let Ok(count) = u32::try_from(gids.len()) else { return self.too_large = true };
        let Some(placed) = self.record([0, count], || [user].into_iter(), gids) else { return };
        let name = placed.key(placed.strings[0].clone(), 0..0);
        self.put(Section::Initgroups, Use::Find, placed.place, vec![name], Vec::new());
    }

    /// The image.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn finish(mut self) -> Result<Vec<u8>, BuildError> {
        if self.too_large {
            return Err(BuildError::TooLarge);
        }
        let parts = std::mem::take(&mut self.parts);
        let (seed, indexes) = self.indexes(&parts)?;
        for ((section, part), [names, numbers]) in Section::ALL.into_iter().zip(&parts).zip(&indexes) {
            let list: Vec<u8> = part.list.iter().flat_map(|place| place.to_le_bytes()).collect();
            let mut fields = vec![part.flags];
            for (bytes, width) in [(&list, 4), (names, crate::layout::SLOT), (numbers, crate::layout::SLOT)] {
                fields.extend([self.append(bytes)?, (bytes.len() / width) as u32]);
            }
            let fields: Vec<u8> = fields.into_iter().flat_map(u32::to_le_bytes).collect();
            self.image[section.at()..section.at() + SECTION].copy_from_slice(&fields);
        }
        let length = u32::try_from(self.image.len()).map_err(|_| BuildError::TooLarge)?;
        self.image[LENGTH_AT..LENGTH_AT + 4].copy_from_slice(&length.to_le_bytes());
        self.image[SEED_AT..SEED_AT + 8].copy_from_slice(&seed.to_le_bytes());
        let sum = crc32c::crc32c(&self.image[CRC_START..]);
        self.image[..CRC_START].copy_from_slice(&sum.to_le_bytes());
        Ok(self.image)
    }

    /// Writes a record; `None` if it is left out.
    fn record<'a, I: Iterator<Item = &'a [u8]>>(
        &mut self,
        numbers: [u32; 2],
        strings: impl Fn() -> I,
        gids: &[u32],
    ) -> Option<Placed> {
        if strings().any(|string| string.contains(&0)) {
            self.left_out += 1;
            return None;
        }
        let block: usize = strings().map(|string| string.len() + 1).sum();
        let end = self.image.len() + RECORD + aligned(block) + 4 * gids.len();
        if end > MAX_IMAGE {
            self.too_large = true;
            return None;
        }
        // Nothing in an image is beyond 2³⁰, so the conversions below lose nothing.
        let place = self.image.len() as u32;
        let count = strings().count() as u32;
        for word in [numbers[0], numbers[1], count, block as u32] {
            self.image.extend_from_slice(&word.to_le_bytes());
        }
        let mut ranges = Vec::with_capacity(count as usize);
        for string in strings() {
            let start = self.image.len() as u32;
            self.image.extend_from_slice(string);
            ranges.push(start..self.image.len() as u32);
            self.image.push(0);
        }
        self.image.resize(aligned(self.image.len()), 0);
        self.image.extend(gids.iter().flat_map(|gid| gid.to_le_bytes()));
        Some(Placed { place, strings: ranges })
    }

    fn put(&mut self, section: Section, purpose: Use, place: u32, mut names: Vec<Key>, numbers: Vec<Key>) {
        let part = &mut self.parts[section as usize];
        if purpose != Use::Find {
            part.list.push(place);
        }
        if purpose == Use::List {
            return;
        }
        let all = names.len();
        names.retain(|key| key.head.len() + key.tail.len() <= MAX_KEY);
        if names.len() < all {
            part.flags &= !FIND_COMPLETE;
        }
        part.names.append(&mut names);
        if purpose != Use::Unnumbered {
            part.numbers.extend(numbers);
        }
    }

    /// The indexes of all sections, with a seed that suits them all.
    fn indexes(&self, parts: &[Part]) -> Result<(u64, Vec<Indexes>), BuildError> {
        for spread in [2, 4, 8] {
            for seed in 1..=SEEDS {
                let index = |keys: &[Key]| self.index(keys, seed, spread);
                let all = parts.iter().map(|part| Some([index(&part.names)?, index(&part.numbers)?]));
                if let Some(indexes) = all.collect() {
                    return Ok((seed, indexes));
                }
            }
        }
        Err(BuildError::Index)
    }

    fn index(&self, keys: &[Key], seed: u64, spread: usize) -> Option<Vec<u8>> {
        if keys.is_empty() {
            return Some(Vec::new());
        }
        let bytes = |range: &Range<u32>| &self.image[range.start as usize..range.end as usize];
        let hashes: Vec<_> =
            keys.iter().map(|key| (hash(seed, bytes(&key.head), bytes(&key.tail)), key.place)).collect();
        index::fill(&hashes, (keys.len() * spread).next_power_of_two(), |one, other| {
            let (one, other) = (&keys[one], &keys[other]);
            bytes(&one.head) == bytes(&other.head) && bytes(&one.tail) == bytes(&other.tail)
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<u32, BuildError> {
        let at = self.image.len();
        if at + bytes.len() > MAX_IMAGE {
            return Err(BuildError::TooLarge);
        }
        self.image.extend_from_slice(bytes);
        Ok(at as u32)
    }
}

impl Placed {
    fn key(&self, head: Range<u32>, tail: Range<u32>) -> Key {
        Key { place: self.place, head, tail }
    }

    /// Where the record's first number stands, which is a key.
    fn number(&self) -> Range<u32> {
        self.place..self.place + 4
    }
}

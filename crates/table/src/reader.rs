//! Answers from the bytes of an image.

use std::fmt;

use crate::hash::hash;
use crate::index::{Probe, probe};
use crate::layout::{
    CRC_START, FIND_COMPLETE, HEADER, LENGTH_AT, LIST_COMPLETE, MAX_KEY, PAIR, PASSWD_STRINGS, RECORD,
    SEED_AT, SLOT, Section, aligned,
};

/// Why bytes are no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There are fewer or more bytes than the header says.
    #[error("the table is not as long as it says")]
    Length,
    /// The bytes are not those that were written.
    #[error("the checksum of the table is wrong")]
    Checksum,
    /// A list or an index does not lie within the image, or has an impossible size.
    #[error("the header of the table is wrong")]
    Header,
}

/// The answer to a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<T> {
    /// This is it.
    Hit(T),
    /// There is none, for certain.
    Miss,
    /// The table does not know.
    Unsure,
}

/// An image that can be asked.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    image: &'a [u8],
    seed: u64,
    sections: [Part<'a>; Section::ALL.len()],
}

#[derive(Debug, Clone, Copy, Default)]
struct Part<'a> {
    flags: u32,
    list: &'a [u8],
    names: &'a [u8],
    numbers: &'a [u8],
}

/// A user, a group, a service or the groups of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The uid, the gid or the port.
    pub number: u32,
    /// The gid of a user; how many further names a group has before its members.
    pub second: u32,
    strings: u32,
    block: &'a [u8],
    /// What stands behind the block, up to the end of the image.
    rest: &'a [u8],
}

/// The strings of a record, without their NULs.
#[derive(Debug, Clone)]
pub struct Strings<'a> {
    left: u32,
    block: &'a [u8],
}

impl<'a> Table<'a> {
    /// Checks the whole image, its checksum too. What comes later takes no more for granted than what is checked here
    /// without the checksum.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn open(image: &'a [u8]) -> Result<Self, Damage> {
        let table = Self::open_unchecked(image)?;
        let sum = word(image, 0).ok_or(Damage::Length)?;
        let bytes = image.get(CRC_START..).ok_or(Damage::Length)?;
        if crc32c::crc32c(bytes) == sum { Ok(table) } else { Err(Damage::Checksum) }
    }

    /// [`Table::open`] without the checksum: for a file that cannot have been torn. Takes no time.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn open_unchecked(image: &'a [u8]) -> Result<Self, Damage> {
        let length = word(image, LENGTH_AT).ok_or(Damage::Length)?;
        if image.len() < HEADER || image.len() != length as usize {
            return Err(Damage::Length);
        }
        let seed = image.get(SEED_AT..).and_then(|bytes| bytes.first_chunk::<8>()).ok_or(Damage::Length)?;
        let mut sections = [Part::default(); Section::ALL.len()];
        for section in Section::ALL {
            sections[section as usize] = Part::read(image, section.at()).ok_or(Damage::Header)?;
        }
        Ok(Self { image, seed: u64::from_le_bytes(*seed), sections })
    }

    /// The user with this name.
    pub fn passwd_by_name(&self, name: &[u8]) -> Found<Record<'a>> {
        self.by_name(Section::Passwd, name, |record| record.is_called(name, PASSWD_STRINGS))
    }

    /// The user with this id.
    pub fn passwd_by_uid(&self, uid: u32) -> Found<Record<'a>> {
        self.by_number(Section::Passwd, uid)
    }

    /// The group with this name.
    pub fn group_by_name(&self, name: &[u8]) -> Found<Record<'a>> {
        self.by_name(Section::Group, name, |record| {
            let further = || record.strings().skip(PAIR as usize).take(record.second as usize);
            record.begins_with(name) || further().any(|string| string == name)
        })
    }

    /// The group with this id.
    pub fn group_by_gid(&self, gid: u32) -> Found<Record<'a>> {
        self.by_number(Section::Group, gid)
    }

    /// The groups of the user with this name; see [`Record::gids`].
    pub fn groups_of(&self, user: &[u8]) -> Found<Record<'a>> {
        self.by_name(Section::Initgroups, user, |record| record.begins_with(user))
    }

    /// The service with this name, and with this protocol unless it is empty.
    pub fn service_by_name(&self, name: &[u8], protocol: &[u8]) -> Found<Record<'a>> {
        if name.len() + 1 + protocol.len() > MAX_KEY {
            return Found::Unsure;
        }
        // The name ends with a NUL in the key, which no name contains.
        let mut key = [0; MAX_KEY];
        key[..name.len()].copy_from_slice(name);
        let hash = hash(self.seed, &key[..=name.len()], protocol);
        self.probe(Section::Services, self.part(Section::Services).names, hash, |record| {
            record.is_called(name, PAIR) && record.has_protocol(protocol)
        })
    }

    /// The service with this port, in host order, and with this protocol unless it is empty.
    pub fn service_by_port(&self, port: u16, protocol: &[u8]) -> Found<Record<'a>> {
        let number = u32::from(port);
        let hash = hash(self.seed, &number.to_le_bytes(), protocol);
        self.probe(Section::Services, self.part(Section::Services).numbers, hash, |record| {
            record.number == number && record.has_protocol(protocol)
        })
    }

    /// The entry at this position of a list, from 0 on. A miss is its end.
    pub fn listed(&self, section: Section, position: usize) -> Found<Record<'a>> {
        let part = self.part(section);
        if part.flags & LIST_COMPLETE == 0 {
            return Found::Unsure;
        }
        let (list, _) = part.list.as_chunks::<4>();
        let Some(place) = list.get(position) else { return Found::Miss };
        Record::read(self.image, u32::from_le_bytes(*place)).map_or(Found::Unsure, Found::Hit)
    }

    /// Length of a list.
    pub fn len(&self, section: Section) -> usize {
        self.part(section).list.len() / 4
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        Section::ALL.iter().all(|section| self.len(*section) == 0)
    }

    fn part(&self, section: Section) -> &Part<'a> {
        &self.sections[section as usize]
    }

    fn by_name(
        &self,
        section: Section,
        name: &[u8],
        matches: impl Fn(&Record<'a>) -> bool,
    ) -> Found<Record<'a>> {
        if name.len() > MAX_KEY {
            return Found::Unsure;
        }
        self.probe(section, self.part(section).names, hash(self.seed, name, b""), matches)
    }

    fn by_number(&self, section: Section, number: u32) -> Found<Record<'a>> {
        let hash = hash(self.seed, &number.to_le_bytes(), b"");
        self.probe(section, self.part(section).numbers, hash, |record| record.number == number)
    }

    fn probe(
        &self,
        section: Section,
        slots: &[u8],
        hash: u32,
        matches: impl Fn(&Record<'a>) -> bool,
    ) -> Found<Record<'a>> {
        let found = probe(slots, hash, |place| {
            let record = Record::read(self.image, place)?;
            Some(matches(&record).then_some(record))
        });
        match found {
            Probe::Hit(record) => Found::Hit(record),
            Probe::Miss if self.part(section).flags & FIND_COMPLETE != 0 => Found::Miss,
            Probe::Miss | Probe::Damaged => Found::Unsure,
        }
    }
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        Section::ALL.iter().for_each(|section| _ = map.entry(section, &self.len(*section)));
        map.finish()
    }
}

impl<'a> Part<'a> {
    fn read(image: &'a [u8], at: usize) -> Option<Self> {
        let field = |number: usize| word(image, at + 4 * number).map(|word| word as usize);
        let extent = |number: usize, width: usize| {
            let (start, count) = (field(number)?, field(number + 1)?);
            image.get(start..start.checked_add(count.checked_mul(width)?)?)
        };
        let slots = |number: usize| {
            let slots = extent(number, SLOT)?;
            let count = slots.len() / SLOT;
            (count == 0 || count.is_power_of_two()).then_some(slots)
        };
        Some(Self { flags: word(image, at)?, list: extent(1, 4)?, names: slots(3)?, numbers: slots(5)? })
    }
}

impl<'a> Record<'a> {
    fn read(image: &'a [u8], place: u32) -> Option<Self> {
        let bytes = image.get(place as usize..)?;
        let (header, rest) = bytes.split_first_chunk::<RECORD>()?;
        let (words, _) = header.as_chunks::<4>();
        let [number, second, strings, length] = [0, 1, 2, 3].map(|at: usize| u32::from_le_bytes(words[at]));
        let block = rest.get(..length as usize)?;
        let rest = rest.get(aligned(block.len())..)?;
        Some(Self { number, second, strings, block, rest })
    }

    /// The strings, in the order of the format.
    pub fn strings(&self) -> Strings<'a> {
        Strings { left: self.strings, block: self.block }
    }

    /// The groups of a user. Empty if the record is not of that kind or damaged.
    pub fn gids(&self) -> impl ExactSizeIterator<Item = u32> + 'a {
        let (words, _) = self.rest.as_chunks::<4>();
        let words = words.get(..self.second as usize).unwrap_or_default();
        words.iter().map(|word| u32::from_le_bytes(*word))
    }

    /// Whether this is the first string.
    fn begins_with(&self, name: &[u8]) -> bool {
        self.block.len() > name.len() && self.block[name.len()] == 0 && &self.block[..name.len()] == name
    }

    /// Whether this is the first string or one from number `more` on.
    fn is_called(&self, name: &[u8], more: u32) -> bool {
        self.begins_with(name) || self.strings().skip(more as usize).any(|string| string == name)
    }

    /// Whether this service is for this protocol, if there is one to be for.
    fn has_protocol(&self, protocol: &[u8]) -> bool {
        protocol.is_empty() || self.strings().nth(1) == Some(protocol)
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strings = self.strings().map(|string| string.escape_ascii().to_string());
        f.debug_struct("Record")
            .field("number", &self.number)
            .field("second", &self.second)
            .field("strings", &strings.collect::<Vec<_>>())
            .finish()
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let end = memchr::memchr(0, self.block)?;
        let (string, rest) = self.block.split_at(end);
        self.block = rest.get(1..)?;
        Some(string)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // A damaged count may promise more than there is room for.
        (0, Some(self.block.len().min(self.left as usize)))
    }
}

fn word(image: &[u8], at: usize) -> Option<u32> {
    image.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
}

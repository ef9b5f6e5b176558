//! Stamps: what a directory is known by for ever, and who made and last changed it, when.
//!
//! Every change keeps them, whatever protocol it came by. A directory that came in a whole copy without stamps, or that is
//! older than stamps, has none stored: its uuid follows from the domain's and the object id, its times are unknown.

use std::ops::{Bound, RangeBounds};

use heed::{RoTxn, RwTxn};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::record::{seal, sealed};
use crate::store::Store;
use crate::store::keys::be_u32;
use crate::view::View;

/// Longest name in a stamp, bytes; what is longer is cut.
pub const STAMP_NAME_LIMIT: usize = 255;

/// The stamp of a directory, as it lies in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// Stays with the directory from its creation on, through moves and changes, backup and restore.
    pub uuid: [u8; 16],
    /// Milliseconds since the epoch when it was made; 0 if that is not known.
    pub created: u64,
    /// Milliseconds since the epoch of the last change to its properties or place; 0 if that is not known.
    pub modified: u64,
    /// Name of the session that made it (see [`Session::name`](crate::Session::name)); empty if nobody's or not known.
    pub creator: &'a [u8],
    /// Name of the session that changed it last; empty if nobody's or not known.
    pub modifier: &'a [u8],
}

/// A stamp that owns its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StampBuf {
    /// See [`Stamp::uuid`].
    pub uuid: [u8; 16],
    /// See [`Stamp::created`].
    pub created: u64,
    /// See [`Stamp::modified`].
    pub modified: u64,
    /// See [`Stamp::creator`].
    pub creator: Vec<u8>,
    /// See [`Stamp::modifier`].
    pub modifier: Vec<u8>,
}

impl From<Stamp<'_>> for StampBuf {
    fn from(stamp: Stamp<'_>) -> Self {
        let Stamp { uuid, created, modified, creator, modifier } = stamp;
        Self { uuid, created, modified, creator: creator.to_vec(), modifier: modifier.to_vec() }
    }
}

impl StampBuf {
    /// The same, borrowed.
    #[must_use]
    pub fn as_stamp(&self) -> Stamp<'_> {
        let Self { uuid, created, modified, creator, modifier } = self;
        Stamp { uuid: *uuid, created: *created, modified: *modified, creator, modifier }
    }
}

impl View<'_> {
    /// The stamp of a directory.
    pub fn stamp(&self, object: u32) -> Result<Stamp<'_>> {
        self.id(object)?;
        let (store, txn) = self.parts();
        match stored(store, txn, object)? {
            Some(stamp) => Ok(stamp),
            None => Ok(unknown(&self.uuid()?, object)),
        }
    }

    /// The directory with this uuid, if there is one.
    pub fn by_uuid(&self, uuid: [u8; 16]) -> Result<Option<u32>> {
        let (store, txn) = self.parts();
        if let Some(object) = store.uuids.get(txn, &uuid)? {
            return Ok(Some(be_u32(object)));
        }
        let Some(object) = derived_object(&self.uuid()?, &uuid) else { return Ok(None) };
        match self.stamp(object) {
            Ok(stamp) => Ok((stamp.uuid == uuid).then_some(object)),
            Err(Error::NoSuchDirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The stored stamp of a directory.
pub(crate) fn stored<'t>(store: &Store, txn: &'t RoTxn<'_>, object: u32) -> Result<Option<Stamp<'t>>> {
    store.stamps.get(txn, &object.to_be_bytes())?.map(|bytes| parse(object, bytes)).transpose()
}

/// Reads a stored stamp.
pub(crate) fn parse(object: u32, bytes: &[u8]) -> Result<Stamp<'_>> {
    let stamp = sealed(object, bytes).then(|| fields(&bytes[4..])).flatten();
    stamp.ok_or_else(|| Error::damaged(format!("the stamp of record {object} fails its checksum")))
}

fn fields(bytes: &[u8]) -> Option<Stamp<'_>> {
    let (uuid, rest) = bytes.split_first_chunk()?;
    let (created, rest) = rest.split_first_chunk()?;
    let (modified, rest) = rest.split_first_chunk()?;
    let (creator, rest) = name(rest)?;
    let (modifier, rest) = name(rest)?;
    let (created, modified) = (u64::from_le_bytes(*created), u64::from_le_bytes(*modified));
    rest.is_empty().then_some(Stamp { uuid: *uuid, created, modified, creator, modifier })
}

fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

pub(crate) fn encode(object: u32, stamp: Stamp<'_>) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&stamp.uuid);
    out.extend_from_slice(&stamp.created.to_le_bytes());
    out.extend_from_slice(&stamp.modified.to_le_bytes());
    for name in [stamp.creator, stamp.modifier] {
        let name = &name[..name.len().min(STAMP_NAME_LIMIT)];
        out.push(name.len() as u8);
        out.extend_from_slice(name);
    }
    seal(object, &mut out);
    out
}

/// Stores a stamp, in place of another perhaps. The uuid of the domain's data is `domain`.
///
/// # Errors
/// [`Error::DuplicateUuid`] when another directory has the uuid or could have it by derivation; nothing has been written then.
pub(crate) fn put(
    store: &Store,
    txn: &mut RwTxn<'_>,
    domain: &[u8; 16],
    object: u32,
    stamp: Stamp<'_>,
) -> Result<()> {
    if let Some(before) = stored(store, txn, object)?
        && before.uuid == stamp.uuid
    {
        let before = before.modified;
        return replace(store, txn, object, before, stamp);
    }
    let derived = owned(store, txn, domain, object, &stamp)?;
    remove(store, txn, domain, object)?;
    insert(store, txn, object, stamp, derived)
}

/// Stores a stamp in place of another with the same uuid, which was of the time `before`.
fn replace(store: &Store, txn: &mut RwTxn<'_>, object: u32, before: u64, stamp: Stamp<'_>) -> Result<()> {
    if stamp.modified != before {
        store.times.delete(txn, &time_key(before, object))?;
        if stamp.modified != 0 {
            store.times.put(txn, &time_key(stamp.modified, object), &[])?;
        }
    }
    Ok(store.stamps.put(txn, &object.to_be_bytes(), &encode(object, stamp))?)
}

/// As [`put`], for a directory that has no stamp yet.
pub(crate) fn put_new(
    store: &Store,
    txn: &mut RwTxn<'_>,
    domain: &[u8; 16],
    object: u32,
    stamp: Stamp<'_>,
) -> Result<()> {
    let derived = owned(store, txn, domain, object, &stamp)?;
    insert(store, txn, object, stamp, derived)
}

/// Whether the uuid of a stamp is derived from its object id.
fn owned(store: &Store, txn: &RwTxn<'_>, domain: &[u8; 16], object: u32, stamp: &Stamp<'_>) -> Result<bool> {
    let derived = derived_object(domain, &stamp.uuid);
    let owner = store.uuids.get(txn, &stamp.uuid)?.map(be_u32).or(derived);
    if owner.is_some_and(|owner| owner != object) {
        return Err(Error::DuplicateUuid);
    }
    Ok(derived.is_some())
}

fn insert(store: &Store, txn: &mut RwTxn<'_>, object: u32, stamp: Stamp<'_>, derived: bool) -> Result<()> {
    let key = object.to_be_bytes();
    if !derived {
        store.uuids.put(txn, &stamp.uuid, &key)?;
    }
    if stamp.modified != 0 {
        store.times.put(txn, &time_key(stamp.modified, object), &[])?;
    }
    Ok(store.stamps.put(txn, &key, &encode(object, stamp))?)
}

/// Removes the stamp of a directory, if it has one.
pub(crate) fn remove(store: &Store, txn: &mut RwTxn<'_>, domain: &[u8; 16], object: u32) -> Result<()> {
    let Some(stamp) = stored(store, txn, object)? else { return Ok(()) };
    let (uuid, modified) = (stamp.uuid, stamp.modified);
    if derived_object(domain, &uuid) != Some(object) {
        store.uuids.delete(txn, &uuid)?;
    }
    store.times.delete(txn, &time_key(modified, object))?;
    store.stamps.delete(txn, &object.to_be_bytes())?;
    Ok(())
}

/// A new uuid (RFC 9562, version 7): the time in milliseconds in front, random bits behind it. Those that are made together
/// lie together in `uuids`.
pub(crate) fn new_uuid(at: u64) -> Result<[u8; 16]> {
    let mut uuid = [0; 16];
    getrandom::fill(&mut uuid).map_err(|e| Error::Storage(format!("no random numbers: {e}")))?;
    uuid[..6].copy_from_slice(&at.to_be_bytes()[2..]);
    uuid[6] = uuid[6] & 0x0F | 0x70;
    uuid[8] = uuid[8] & 0x3F | 0x80;
    Ok(uuid)
}

/// Key of the table of times.
pub(crate) fn time_key(time: u64, object: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&time.to_be_bytes());
    key[8..].copy_from_slice(&object.to_be_bytes());
    key
}

/// The object of a key of the table of times.
pub(crate) fn timed_object(key: &[u8]) -> u32 {
    be_u32(key.get(8..).unwrap_or_default())
}

/// The keys of the table of times for times in this range; for a range that is empty, none.
pub(crate) fn time_range(from: u64, to: u64) -> TimeRange {
    TimeRange { from: time_key(from, 0), to: time_key(to.max(from.saturating_sub(1)), u32::MAX) }
}

/// A range of keys.
pub(crate) struct TimeRange {
    from: [u8; 12],
    to: [u8; 12],
}

impl RangeBounds<[u8]> for TimeRange {
    fn start_bound(&self) -> Bound<&[u8]> {
        Bound::Included(&self.from)
    }

    fn end_bound(&self) -> Bound<&[u8]> {
        Bound::Included(&self.to)
    }
}

/// The stamp of a directory that has none stored.
pub(crate) fn unknown(domain: &[u8; 16], object: u32) -> Stamp<'static> {
    Stamp { uuid: derived_uuid(domain, object), created: 0, modified: 0, creator: b"", modifier: b"" }
}

/// What all derived uuids of a domain have in common, and what their object ids are mixed with.
fn pattern(domain: &[u8; 16]) -> [u8; 16] {
    let digest = Sha256::new().chain_update(b"NetInfo directory ").chain_update(domain).finalize();
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&digest[..16]);
    // RFC 9562, version 8: made in a way of our own.
    uuid[6] = uuid[6] & 0x0F | 0x80;
    uuid[8] = uuid[8] & 0x3F | 0x80;
    uuid
}

/// The uuid of a directory that has no stamp: the same at any time, and it leads back to the object id.
pub(crate) fn derived_uuid(domain: &[u8; 16], object: u32) -> [u8; 16] {
    let mut uuid = pattern(domain);
    for (byte, part) in uuid[12..].iter_mut().zip(object.to_be_bytes()) {
        *byte ^= part;
    }
    uuid
}

/// The object id a derived uuid was made from.
pub(crate) fn derived_object(domain: &[u8; 16], uuid: &[u8; 16]) -> Option<u32> {
    let pattern = pattern(domain);
    let number = |bytes: &[u8; 16]| u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
    (uuid[..12] == pattern[..12]).then(|| number(uuid) ^ number(&pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_uuids_lead_back() {
        let domain = [7; 16];
        for object in [0, 1, 0xFFFF_FFFD] {
            let uuid = derived_uuid(&domain, object);
            assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (8, 2), "version and variant of RFC 9562");
            assert_eq!(derived_object(&domain, &uuid), Some(object));
            assert_eq!(derived_object(&[8; 16], &uuid), None);
        }
        assert_ne!(derived_uuid(&domain, 1), derived_uuid(&domain, 2));
    }
}

//! Stamps: what a directory is known by for ever, and who made and last changed it, when.
//!
//! Every change keeps them, whatever protocol it came by. A directory that came in a whole copy without stamps, or that is
//! older than stamps, has none stored: its uuid follows from the domain's and the object id, its times are unknown.

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
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
        Ok(unknown(&self.uuid()?, object))
    }

    /// The directory with this uuid, if there is one.
    pub fn by_uuid(&self, uuid: [u8; 16]) -> Result<Option<u32>> {
        let Some(object) = derived_object(&self.uuid()?, &uuid) else { return Ok(None) };
        match self.stamp(object) {
            Ok(stamp) => Ok((stamp.uuid == uuid).then_some(object)),
            Err(Error::NoSuchDirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The stamp of a directory that has none stored.
fn unknown(domain: &[u8; 16], object: u32) -> Stamp<'static> {
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
fn derived_object(domain: &[u8; 16], uuid: &[u8; 16]) -> Option<u32> {
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

//! The state record: the numbers of a domain that belong to no single directory.

use std::path::Path;

use crate::error::{Error, Result};

/// Format this program writes. A higher one is refused.
pub(crate) const FORMAT: u32 = 4;
const MAGIC: [u8; 8] = *b"NETINFO\x01";
const SIZE: usize = 68;

/// Numbers of a domain, written with every commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// Random identity of the domain's data, kept by backup and restore.
    pub(crate) uuid: [u8; 16],
    /// Sum over all directories of (object id + 1) × instance, modulo 2³².
    pub(crate) checksum: u32,
    /// Lowest object id never used.
    pub(crate) next_object: u32,
    /// Store version of the last save.
    pub(crate) version: u32,
    /// Sequence number of the last change.
    pub(crate) sequence: u64,
    /// Sequence number of the oldest change still kept.
    pub(crate) first_kept: u64,
    /// Number of directories.
    pub(crate) directories: u64,
}

impl State {
    pub(crate) fn new() -> Result<Self> {
        let mut uuid = [0; 16];
        getrandom::fill(&mut uuid).map_err(|e| Error::Storage(format!("no random numbers: {e}")))?;
        Ok(Self { uuid, checksum: 0, next_object: 0, version: 0, sequence: 0, first_kept: 1, directories: 0 })
    }

    pub(crate) fn encode(&self) -> [u8; SIZE] {
        let mut out = [0; SIZE];
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        out[12..28].copy_from_slice(&self.uuid);
        out[28..32].copy_from_slice(&self.checksum.to_le_bytes());
        out[32..36].copy_from_slice(&self.next_object.to_le_bytes());
        out[36..40].copy_from_slice(&self.version.to_le_bytes());
        out[40..48].copy_from_slice(&self.sequence.to_le_bytes());
        out[48..56].copy_from_slice(&self.first_kept.to_le_bytes());
        out[56..64].copy_from_slice(&self.directories.to_le_bytes());
        let sum = crc32c::crc32c(&out[..64]);
        out[64..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads a state record; `path` is named in errors.
    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        let refuse = |why: String| Err(Error::Unusable(format!("{}: {why}", path.display())));
        if bytes.len() < 12 || bytes[..8] != MAGIC {
            return refuse("not a NetInfo domain: the state record is foreign".into());
        }
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if u32_at(8) > FORMAT {
            return refuse(format!(
                "written by a newer version (format {}, this program knows up to {FORMAT}); use that version, or restore a backup",
                u32_at(8)
            ));
        }
        if bytes.len() != SIZE || u32_at(64) != crc32c::crc32c(&bytes[..64]) {
            return refuse("the state record is damaged; restore a backup".into());
        }
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&bytes[12..28]);
        Ok(Self {
            uuid,
            checksum: u32_at(28),
            next_object: u32_at(32),
            version: u32_at(36),
            sequence: u64_at(40),
            first_kept: u64_at(48),
            directories: u64_at(56),
        })
    }

    /// Takes a directory's term out of the checksum and puts another in.
    pub(crate) fn exchange(&mut self, object: u32, old: u32, new: u32) {
        let weight = object.wrapping_add(1);
        self.checksum =
            self.checksum.wrapping_sub(weight.wrapping_mul(old)).wrapping_add(weight.wrapping_mul(new));
    }
}

/// The format that a state record names.
pub(crate) fn format(bytes: &[u8]) -> u32 {
    bytes.get(8..12).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        let mut state = State::new().unwrap();
        (state.checksum, state.next_object, state.version) = (1, 2, 3);
        (state.sequence, state.first_kept, state.directories) = (4 << 40, 5, 6);
        let path = Path::new("/d");
        let bytes = state.encode();
        assert_eq!(State::decode(&bytes, path).unwrap(), state);

        let mut newer = bytes;
        newer[8] = 5;
        assert!(State::decode(&newer, path).unwrap_err().to_string().contains("newer version"));
        let mut bad = bytes;
        bad[30] ^= 1;
        assert!(State::decode(&bad, path).unwrap_err().to_string().contains("damaged"));
        assert!(State::decode(b"something else", path).unwrap_err().to_string().contains("foreign"));
    }
}

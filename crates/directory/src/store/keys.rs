//! Keys of the store's tables. Integers in keys are big-endian, so that they sort by number.

use sha2::{Digest, Sha256};

/// Longest key of the name index that is stored as it is; longer ones are replaced by a hash. LMDB's own limit is 511.
pub(crate) const INDEX_KEY_LIMIT: usize = 480;
/// Stands where the length of a property name would be: a hash follows. No property name is that long in a plain key.
const HASHED: u16 = u16::MAX;

/// Key of the name index: parent, property name, value.
pub(crate) struct IndexKey {
    bytes: [u8; INDEX_KEY_LIMIT],
    len: usize,
}

impl IndexKey {
    /// `parent (4) | length of name (2) | name | value`, or `parent (4) | ffff | SHA-256 of the rest`.
    pub(crate) fn new(parent: u32, name: &[u8], value: &[u8]) -> Self {
        let mut key = Self { bytes: [0; INDEX_KEY_LIMIT], len: 0 };
        key.push(&parent.to_be_bytes());
        if 6 + name.len() + value.len() <= INDEX_KEY_LIMIT {
            key.push(&(name.len() as u16).to_be_bytes());
            key.push(name);
            key.push(value);
        } else {
            let mut hash = Sha256::new();
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
            hash.update(value);
            key.push(&HASHED.to_be_bytes());
            key.push(&hash.finalize());
        }
        key
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// What it has in common with the keys of other values of the property, and the rest. The first parts of two keys are
    /// equal, or neither is the beginning of the other.
    pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
        let name = match u16::from_be_bytes([self.bytes[4], self.bytes[5]]) {
            HASHED => 0,
            len => usize::from(len),
        };
        self.as_bytes().split_at(6 + name)
    }
}

/// Key of the children table: parent, position.
pub(crate) fn child_key(parent: u32, position: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&parent.to_be_bytes());
    key[4..].copy_from_slice(&position.to_be_bytes());
    key
}

/// Reads a big-endian number out of a stored key or value; 0 where there is none (the checker reports those).
pub(crate) fn be_u32(bytes: &[u8]) -> u32 {
    bytes.get(..4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// As [`be_u32`], eight bytes.
pub(crate) fn be_u64(bytes: &[u8]) -> u64 {
    bytes.get(..8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_are_hashed_and_distinct() {
        let plain = IndexKey::new(1, b"name", &[b'x'; INDEX_KEY_LIMIT - 10]);
        assert_eq!(plain.as_bytes().len(), INDEX_KEY_LIMIT);
        let long = IndexKey::new(1, b"name", &[b'x'; INDEX_KEY_LIMIT - 9]);
        assert_eq!(long.as_bytes().len(), 38);
        let other = IndexKey::new(1, b"name", &[b'x'; INDEX_KEY_LIMIT - 8]);
        assert_ne!(long.as_bytes(), other.as_bytes());
        assert_eq!(plain.parts(), (&b"\0\0\0\x01\0\x04name"[..], &[b'x'; INDEX_KEY_LIMIT - 10][..]));
        assert_eq!(long.parts().0, b"\0\0\0\x01\xff\xff");
        // The border between name and value counts.
        assert_ne!(IndexKey::new(1, b"ab", b"c").as_bytes(), IndexKey::new(1, b"a", b"bc").as_bytes());
        let (v, w) = (vec![b'c'; 500], [b"b".to_vec(), vec![b'c'; 500]].concat());
        assert_ne!(IndexKey::new(1, b"ab", &v).as_bytes(), IndexKey::new(1, b"a", &w).as_bytes());
    }
}

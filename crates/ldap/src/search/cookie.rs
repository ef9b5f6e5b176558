//! Cookies of paged results (RFC 2696): where to go on, sealed so that only the same query of the same client goes on.
//!
//! The server keeps nothing for a cookie to be valid. What it does keep, on the connection, only saves doing again what the
//! pages before have done.

use sha2::{Digest, Sha256};

/// Bytes of a seal.
const SEAL: usize = 16;
/// Bytes of a cookie.
const LENGTH: usize = 8 + 4 + 4 + SEAL;

/// Key of the seals of one engine. Cookies of a server that was started anew are of no use.
#[derive(Clone)]
pub(crate) struct SealingKey([u8; 32]);

/// Where a paged result goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// The search on the connection that goes on, if that is still kept.
    pub(crate) search: u64,
    /// Where in the result: the object to go on at; for sorted results, how many entries were returned.
    pub(crate) position: u32,
    /// Entries returned so far.
    pub(crate) returned: u32,
}

/// What a cookie belongs to: digest of the query and of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Query([u8; 32]);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// A key of these octets, which have to be random.
    pub(crate) const fn new(octets: [u8; 32]) -> Self {
        Self(octets)
    }
}

impl Query {
    /// The digest of these parts. Their order matters, and where one ends.
    pub(crate) fn new<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

impl Cookie {
    /// The octets for the client.
    pub(crate) fn seal(&self, key: &SealingKey, query: &Query) -> [u8; LENGTH] {
        let mut out = [0; LENGTH];
        out[..8].copy_from_slice(&self.search.to_be_bytes());
        out[8..12].copy_from_slice(&self.position.to_be_bytes());
        out[12..16].copy_from_slice(&self.returned.to_be_bytes());
        let seal = seal(key, query, &out[..16]);
        out[16..].copy_from_slice(&seal);
        out
    }

    /// Reads what [`Self::seal`] made with the same key and query; `None` if it is anything else.
    pub(crate) fn open(key: &SealingKey, query: &Query, octets: &[u8]) -> Option<Self> {
        let octets: &[u8; LENGTH] = octets.try_into().ok()?;
        let (fields, sealed) = octets.split_at(LENGTH - SEAL);
        let own = seal(key, query, fields);
        let differs = own.iter().zip(sealed).fold(0, |differs, (a, b)| differs | (a ^ b));
        let number = |at: usize| Some(u32::from_be_bytes(fields.get(at..at + 4)?.try_into().ok()?));
        let search = u64::from_be_bytes(fields.get(..8)?.try_into().ok()?);
        (differs == 0).then_some(Self { search, position: number(8)?, returned: number(12)? })
    }
}

/// All that is hashed has a fixed length, and half of the digest is kept: knowing one seal does not help to make another.
fn seal(key: &SealingKey, query: &Query, fields: &[u8]) -> [u8; SEAL] {
    let digest = Sha256::new().chain_update(key.0).chain_update(query.0).chain_update(fields).finalize();
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&digest[..SEAL]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(text: &str) -> Query {
        Query::new([text.as_bytes()])
    }

    #[test]
    fn queries_differ_where_parts_end() {
        assert_ne!(Query::new([&b"ab"[..], b"c"]), Query::new([&b"a"[..], b"bc"]));
    }

    proptest! {
        #[test]
        fn only_what_was_sealed_opens(
            search in any::<u64>(), position in any::<u32>(), returned in any::<u32>(), at in 0..LENGTH, bit in 0..8,
        ) {
            let key = SealingKey::new([1; 32]);
            let cookie = Cookie { search, position, returned };
            let octets = cookie.seal(&key, &query("a"));
            prop_assert_eq!(Cookie::open(&key, &query("a"), &octets), Some(cookie));
            prop_assert_eq!(Cookie::open(&key, &query("b"), &octets), None);
            prop_assert_eq!(Cookie::open(&SealingKey::new([2; 32]), &query("a"), &octets), None);
            let mut wrong = octets;
            wrong[at] ^= 1u8 << bit;
            prop_assert_eq!(Cookie::open(&key, &query("a"), &wrong), None);
        }

        #[test]
        fn arbitrary_octets_do_not_open(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(Cookie::open(&SealingKey::new([1; 32]), &query("a"), &octets), None);
        }
    }
}

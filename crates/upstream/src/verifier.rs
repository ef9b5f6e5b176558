//! Passwords of those who have logged in, for the time that their parent cannot be asked: an argon2id hash for each, never
//! what the parent stores.
//!
//! ```text
//! u32 count, each: opaque user, opaque hash, u64 when the parent last said that it is right
//! ```

use std::collections::HashMap;

use netinfo_wire::xdr::{Error, Reader, put_opaque, put_u32, put_u64};
use zeroize::Zeroizing;

use crate::limits::MAX_VERIFIERS;

/// Longest user name and longest hash, in bytes.
const MAX_STRING: u32 = 4096;

#[derive(Clone, PartialEq, Eq)]
struct Kept {
    hash: Zeroizing<Vec<u8>>,
    at: u64,
}

/// The verifiers of one parent.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Verifiers(HashMap<Vec<u8>, Kept>);

impl Verifiers {
    /// The hash of a user who has logged in less than `time` seconds before `now`, and how long ago that was.
    pub(crate) fn get(&self, user: &[u8], now: u64, time: u64) -> Option<(Zeroizing<Vec<u8>>, u64)> {
        let kept = self.0.get(user)?;
        let age = now.saturating_sub(kept.at);
        (age < time).then(|| (kept.hash.clone(), age))
    }

    /// Keeps the hash of somebody who has just logged in.
    pub(crate) fn keep(&mut self, user: &[u8], hash: Vec<u8>, now: u64) {
        self.0.insert(user.to_vec(), Kept { hash: Zeroizing::new(hash), at: now });
        while self.0.len() > MAX_VERIFIERS {
            let oldest = self.0.iter().min_by_key(|(_, kept)| kept.at).map(|(user, _)| user.clone());
            oldest.map(|user| self.0.remove(&user));
        }
    }

    /// Removes a user; says whether there was one.
    pub(crate) fn remove(&mut self, user: &[u8]) -> bool {
        self.0.remove(user).is_some()
    }

    /// Removes those that are of no use any longer; says whether there were any.
    pub(crate) fn expire(&mut self, now: u64, time: u64) -> bool {
        let before = self.0.len();
        self.0.retain(|_, kept| now.saturating_sub(kept.at) < time);
        self.0.len() != before
    }

    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::new());
        put_u32(&mut out, u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        for (user, kept) in &self.0 {
            put_opaque(&mut out, user);
            put_opaque(&mut out, &kept.hash);
            put_u64(&mut out, kept.at);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        let mut verifiers = Self::default();
        for _ in 0..r.count(MAX_VERIFIERS as u32, 16)? {
            let (user, hash) = (r.opaque(MAX_STRING)?.to_vec(), r.opaque(MAX_STRING)?.to_vec());
            let at = r.u64()?;
            verifiers.0.insert(user, Kept { hash: Zeroizing::new(hash), at });
        }
        r.finish()?;
        Ok(verifiers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn kept_for_so_long_and_so_many() {
        let mut verifiers = Verifiers::default();
        for n in 0..=MAX_VERIFIERS as u64 {
            verifiers.keep(format!("u{n}").as_bytes(), b"hash".to_vec(), NOW + n);
        }
        assert_eq!(verifiers.0.len(), MAX_VERIFIERS);
        assert!(verifiers.get(b"u0", NOW, 100).is_none(), "the oldest went");
        assert_eq!(verifiers.get(b"u1", NOW + 51, 100).map(|(_, age)| age), Some(50));
        assert!(verifiers.get(b"u1", NOW + 101, 100).is_none());
        assert!(verifiers.get(b"u1", NOW + 2, 0).is_none());
        let read = Verifiers::decode(&verifiers.encode()).unwrap();
        assert!(read == verifiers);
        assert!(verifiers.remove(b"u1") && !verifiers.remove(b"u1"));
        assert!(verifiers.expire(NOW + 500, 400));
        assert!(
            verifiers.get(b"u50", NOW + 50, 400).is_none()
                && verifiers.get(b"u200", NOW + 500, 400).is_some()
        );
        let mut few = Verifiers::default();
        few.keep(b"jane", b"hash".to_vec(), NOW);
        let bytes = few.encode();
        assert!((0..bytes.len()).all(|at| Verifiers::decode(&bytes[..at]).is_err()));
    }
}

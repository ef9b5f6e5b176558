//! Passwords that were right a moment ago.
//!
//! Programs bind with the same password again and again, and a good hash takes tens of milliseconds. So it is remembered
//! for a while, in memory only, that a password fitted a stored hash: as a keyed digest of both, whose key is random
//! and never leaves the process. A changed or locked password has another stored hash, so that what was remembered is of no
//! more use. A wrong password is never found here, and takes as long as it always did.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Milliseconds for which a verified password is remembered.
pub const VERIFIED_MS: u64 = 10 * 60 * 1000;
/// Most passwords remembered by a domain.
pub const VERIFIED_LIMIT: usize = 20_000;

/// Digest of a directory, its stored hash and a password.
pub(crate) type Fingerprint = [u8; 32];

/// The memory of a domain.
pub(crate) struct Verified {
    /// Absent when the operating system gave no random bytes: then nothing is remembered.
    key: Option<Zeroizing<[u8; 32]>>,
    /// Until when each is remembered.
    until: Mutex<HashMap<Fingerprint, u64>>,
}

impl Default for Verified {
    fn default() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let key = getrandom::fill(key.as_mut_slice()).is_ok().then_some(key);
        Self { key, until: Mutex::default() }
    }
}

impl Verified {
    /// The digest under which the pair of `stored` hash and `password` of a directory is remembered.
    pub(crate) fn fingerprint(&self, object: u32, stored: &[u8], password: &[u8]) -> Option<Fingerprint> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?.as_slice()).ok()?;
        mac.update(&object.to_be_bytes());
        mac.update(&(stored.len() as u64).to_be_bytes());
        mac.update(stored);
        mac.update(password);
        Some(mac.finalize().into_bytes().into())
    }

    /// Randomness of this process, from which other secrets may be made; zeros when there is none.
    pub(crate) fn secret(&self, purpose: &[u8]) -> Fingerprint {
        self.fingerprint(u32::MAX, purpose, b"").unwrap_or_default()
    }

    /// Whether it was verified lately.
    pub(crate) fn holds(&self, fingerprint: &Fingerprint, at: u64) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        // The second condition: a clock that was set back does not prolong anything.
        until.get(fingerprint).is_some_and(|&until| at < until && until - at <= VERIFIED_MS)
    }

    pub(crate) fn remember(&self, fingerprint: Fingerprint, at: u64) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= VERIFIED_LIMIT && !until.contains_key(&fingerprint) {
            until.retain(|_, end| at < *end && *end - at <= VERIFIED_MS);
            if until.len() >= VERIFIED_LIMIT {
                // As good as any: it is only a matter of time saved.
                let some = until.keys().next().copied();
                some.map(|key| until.remove(&key));
            }
        }
        until.insert(fingerprint, at.saturating_add(VERIFIED_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn only_the_very_same_is_found_and_only_for_a_time() {
        let verified = Verified::default();
        let of =
            |object, stored: &[u8], password: &[u8]| verified.fingerprint(object, stored, password).unwrap();
        let right = of(7, b"$hash", b"secret");
        assert!(!verified.holds(&right, NOW));
        verified.remember(right, NOW);
        assert!(verified.holds(&right, NOW) && verified.holds(&right, NOW + VERIFIED_MS - 1));
        assert!(!verified.holds(&right, NOW + VERIFIED_MS) && !verified.holds(&right, NOW - 1));
        assert!(!verified.holds(&right, 0) && !verified.holds(&right, u64::MAX));
        for other in [
            of(8, b"$hash", b"secret"),
            of(7, b"$hash2", b"secret"),
            of(7, b"$hash", b"secret2"),
            of(7, b"$hashs", b"ecret"),
        ] {
            assert!(!verified.holds(&other, NOW));
        }
        let elsewhere = Verified::default();
        assert_ne!(
            elsewhere.fingerprint(7, b"$hash", b"secret"),
            Some(right),
            "every process has its own key"
        );
    }

    #[test]
    fn the_memory_is_bounded() {
        let verified = Verified::default();
        for n in 0..VERIFIED_LIMIT as u64 + 100 {
            let mut fingerprint = [0; 32];
            fingerprint[..8].copy_from_slice(&n.to_be_bytes());
            verified.remember(fingerprint, NOW);
            assert!(verified.holds(&fingerprint, NOW));
        }
        assert_eq!(verified.until.lock().unwrap().len(), VERIFIED_LIMIT);
        verified.remember([255; 32], NOW + VERIFIED_MS);
        assert_eq!(verified.until.lock().unwrap().len(), 1, "what is past goes first");
    }
}

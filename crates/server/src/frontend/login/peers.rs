//! Holding back callers who guess: each user of this machine may be wrong so often.
//!
//! The core counts for each account; this counts for each caller, so that somebody who runs a program over and over does
//! not keep the processors busy with hashing. Superusers are not counted: the programs that ask as such ask for others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Wrong passwords of a caller before it has to wait.
pub(crate) const PEER_ATTEMPTS: u64 = 10;
/// Milliseconds after which a caller has one more attempt.
pub(crate) const PEER_REFILL_MS: u64 = 5_000;
/// Most callers that are remembered.
pub(crate) const PEERS_LIMIT: usize = 1_000;

/// For each caller that was wrong lately, the time when all is forgotten.
#[derive(Default)]
pub(crate) struct Peers(Mutex<HashMap<u32, u64>>);

impl Peers {
    /// Takes an attempt, at a time in milliseconds. [`Peers::give_back`] returns it.
    ///
    /// # Errors
    /// Milliseconds to wait, if there is none.
    pub(super) fn take(&self, uid: u32, at: u64) -> Result<(), u64> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= PEERS_LIMIT && !peers.contains_key(&uid) {
            peers.retain(|_, full| *full > at);
            if peers.len() >= PEERS_LIMIT {
                let fullest = peers.iter().min_by_key(|(_, full)| **full).map(|(uid, _)| *uid);
                fullest.map(|uid| peers.remove(&uid));
            }
        }
        let full = peers.entry(uid).or_insert(at);
        // A clock that was set back must not make anybody wait for the difference.
        *full = (*full).clamp(at, at.saturating_add(PEER_ATTEMPTS * PEER_REFILL_MS));
        let wait = (*full - at).saturating_sub((PEER_ATTEMPTS - 1) * PEER_REFILL_MS);
        if wait > 0 {
            return Err(wait);
        }
        *full = full.saturating_add(PEER_REFILL_MS);
        Ok(())
    }

    /// Returns the attempt of somebody who was right.
    pub(super) fn give_back(&self, uid: u32) {
        if let Some(full) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&uid) {
            *full = full.saturating_sub(PEER_REFILL_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn so_many_wrong_ones_and_one_more_with_time() {
        let peers = Peers::default();
        for _ in 0..PEER_ATTEMPTS {
            peers.take(501, NOW).unwrap();
        }
        assert_eq!(peers.take(501, NOW), Err(PEER_REFILL_MS));
        peers.take(502, NOW).unwrap();
        peers.take(501, NOW + PEER_REFILL_MS).unwrap();
        assert!(peers.take(501, NOW + PEER_REFILL_MS).is_err());
        let later = NOW + 1_000 * PEER_REFILL_MS;
        assert_eq!((0..100).filter(|_| peers.take(501, later).is_ok()).count() as u64, PEER_ATTEMPTS);
    }

    #[test]
    fn right_ones_cost_nothing() {
        let peers = Peers::default();
        for _ in 0..1_000 {
            peers.take(501, NOW).unwrap();
            peers.give_back(501);
        }
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_long() {
        let peers = Peers::default();
        while peers.take(501, NOW).is_ok() {}
        assert_eq!(peers.take(501, NOW - 999_999_999), Err(PEER_REFILL_MS));
        for at in [0, u64::MAX] {
            let _ = peers.take(7, at);
        }
    }

    #[test]
    fn the_table_is_bounded() {
        let peers = Peers::default();
        for uid in 0..PEERS_LIMIT as u32 + 100 {
            peers.take(uid, NOW).unwrap();
        }
        assert!(peers.0.lock().unwrap().len() <= PEERS_LIMIT);
    }
}

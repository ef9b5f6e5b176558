//! Numbers of transactions in half a word.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counts the transactions of a domain since it was opened.
pub(super) struct Stamps {
    /// Number of the transaction that stamps are counted from.
    base: u64,
    /// Stamp before which nothing holds.
    floor: AtomicU32,
}

impl Stamps {
    /// For a domain that is opened by transaction `opening`.
    pub(super) fn new(opening: usize) -> Self {
        Self { base: opening.saturating_sub(1) as u64, floor: AtomicU32::new(0) }
    }

    /// The stamp of a transaction; never 0. After four thousand million transactions nothing is remembered any more until the
    /// domain is opened again.
    pub(super) fn of(&self, transaction: usize) -> Option<u32> {
        let number = (transaction as u64).checked_sub(self.base)? + 1;
        u32::try_from(number).ok().filter(|&stamp| stamp < u32::MAX)
    }

    /// Transaction `writer` is about to change everything.
    pub(super) fn raise_floor(&self, writer: usize) {
        self.floor.store(self.of(writer).unwrap_or(u32::MAX), Ordering::Release);
    }

    /// Stamp before which nothing holds.
    pub(super) fn floor(&self) -> u32 {
        self.floor.load(Ordering::Acquire)
    }
}

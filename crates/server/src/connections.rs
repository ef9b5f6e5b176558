//! All stream connections of the daemon: how many there are, from where, and which was used least recently.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// The table of open connections.
pub(crate) struct Connections {
    open: Mutex<HashMap<u64, Arc<Entry>>>,
    next: AtomicU64,
    started: Instant,
    limit: usize,
    limit_per_address: usize,
}

/// One connection, as the table sees it.
pub(crate) struct Entry {
    address: Option<IpAddr>,
    /// Milliseconds after the table's start at which data came last.
    used: AtomicU64,
    /// Told when the connection has to go because there are too many.
    pub(crate) evict: Notify,
}

/// A connection's place in the table; dropping it gives the place back.
pub(crate) struct Place {
    table: Arc<Connections>,
    id: u64,
    entry: Arc<Entry>,
}

impl Connections {
    pub(crate) fn new(limit: usize, limit_per_address: usize) -> Self {
        let (open, next) = (Mutex::default(), AtomicU64::new(0));
        Self { open, next, started: Instant::now(), limit, limit_per_address }
    }

    /// Adds a connection. If there are too many then, in all or from one address, the least recently used of them is told
    /// to go.
    ///
    /// `address` is absent for peers that count only in the total: this host's own.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Place {
        let entry = Arc::new(Entry { address, used: AtomicU64::new(self.now()), evict: Notify::new() });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if address.is_some() && open.values().filter(|e| e.address == address).count() >= self.limit_per_address {
            evict_oldest(open.values().filter(|e| e.address == address));
        } else if open.len() >= self.limit {
            evict_oldest(open.values());
        }
        open.insert(id, entry.clone());
        Place { table: self.clone(), id, entry }
    }

    /// Number of open connections.
    pub(crate) fn len(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn evict_oldest<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>) {
    if let Some(oldest) = entries.min_by_key(|e| e.used.load(Ordering::Relaxed)) {
        // Not chosen again while it is on its way out.
        oldest.used.store(u64::MAX, Ordering::Relaxed);
        oldest.evict.notify_one();
    }
}

impl Place {
    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Data has come.
    pub(crate) fn touch(&self) {
        self.entry.used.store(self.table.now(), Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn evicted(place: &Place) -> bool {
        place.entry.used.load(Ordering::Relaxed) == u64::MAX
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let table = Arc::new(Connections::new(3, 2));
        let a = table.admit(None);
        let b = table.admit(None);
        let c = table.admit(None);
        std::thread::sleep(Duration::from_millis(3));
        a.touch();
        c.touch();
        let d = table.admit(None);
        assert!(evicted(&b) && !evicted(&a) && !evicted(&c) && !evicted(&d));
        drop((a, b, c, d));
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn one_address_cannot_take_all() {
        let table = Arc::new(Connections::new(100, 2));
        let other = table.admit(Some([10, 0, 0, 2].into()));
        let first = table.admit(Some([10, 0, 0, 1].into()));
        std::thread::sleep(Duration::from_millis(3));
        let second = table.admit(Some([10, 0, 0, 1].into()));
        let third = table.admit(Some([10, 0, 0, 1].into()));
        assert!(evicted(&first));
        assert!(!evicted(&other) && !evicted(&second) && !evicted(&third));
    }
}

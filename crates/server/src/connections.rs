//! All stream connections of the daemon: how many there are, from where, which was used least recently, and how much
//! memory each holds.
//!
//! The least recently used connection is found without touching the table on every request: a connection only stores
//! the time in its entry, and the order catches up when somebody has to go. Whoever is told to go leaves the order at
//! once, so that the number of connections that stay never exceeds the limit.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::limits::HELD_FREELY;

/// The table of open connections.
pub(crate) struct Connections {
    table: Mutex<Table>,
    started: Instant,
    limit: usize,
    limit_per_address: usize,
    /// Bytes all connections together may hold.
    limit_held: usize,
}

/// Why a connection has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There are too many.
    TooMany,
    /// It holds most when all together hold too much.
    Memory,
}

/// One connection, as the table sees it.
pub(crate) struct Entry {
    /// Milliseconds after the table's start at which it was used last.
    used: AtomicU64,
    reason: AtomicU8,
    evict: Notify,
}

/// A connection's place in the table; dropping it gives the place back.
pub(crate) struct Place {
    table: Arc<Connections>,
    id: u64,
    entry: Arc<Entry>,
    held: usize,
}

#[derive(Default)]
struct Table {
    open: HashMap<u64, Slot>,
    /// (time of last use as known here, id) of the connections that stay.
    order: BTreeSet<(u64, u64)>,
    /// The same of those from each foreign address.
    addresses: HashMap<IpAddr, BTreeSet<(u64, u64)>>,
    next: u64,
    /// Bytes held by the connections that stay.
    held: usize,
}

struct Slot {
    entry: Arc<Entry>,
    address: Option<IpAddr>,
    /// The time under which it stands in the orders.
    known: u64,
    held: usize,
    leaving: bool,
}

impl Connections {
    pub(crate) fn new(limit: usize, limit_per_address: usize, limit_held: usize) -> Self {
        Self { table: Mutex::default(), started: Instant::now(), limit, limit_per_address, limit_held }
    }

    /// Adds a connection. If there are too many then, in all or from one address, the least recently used of them is told
    /// to go.
    ///
    /// `address` is absent for peers that count only in the total: this host's own.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Place {
        let known = self.now();
        let entry =
            Arc::new(Entry { used: AtomicU64::new(known), reason: AtomicU8::new(0), evict: Notify::new() });
        let mut table = self.lock();
        let of_address = address.and_then(|a| table.addresses.get(&a)).map_or(0, BTreeSet::len);
        if of_address >= self.limit_per_address {
            table.evict_oldest(address);
        } else if table.order.len() >= self.limit {
            table.evict_oldest(None);
        }
        let id = table.next;
        table.next += 1;
        table.order.insert((known, id));
        if let Some(address) = address {
            table.addresses.entry(address).or_default().insert((known, id));
        }
        let slot = Slot { entry: entry.clone(), address, known, held: 0, leaving: false };
        table.open.insert(id, slot);
        drop(table);
        Place { table: self.clone(), id, entry, held: 0 }
    }

    /// Number of open connections, those told to go included.
    pub(crate) fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Bytes held by all connections that stay.
    pub(crate) fn held(&self) -> usize {
        self.lock().held
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Tells the least recently used connection to go, of all or of those from one address.
    fn evict_oldest(&mut self, address: Option<IpAddr>) {
        loop {
            let order = match address {
                Some(address) => self.addresses.get(&address),
                None => Some(&self.order),
            };
            let Some(&(_, id)) = order.and_then(BTreeSet::first) else { return };
            let Some(slot) = self.open.get(&id) else { return };
            let used = slot.entry.used.load(Ordering::Relaxed);
            if used <= slot.known {
                return self.evict(id, Reason::TooMany);
            }
            self.reorder(id, Some(used));
        }
    }

    /// Tells the connection to go that holds most.
    fn evict_largest(&mut self) {
        let staying = self.open.iter().filter(|(_, slot)| !slot.leaving);
        if let Some((&id, _)) = staying.max_by_key(|(_, slot)| slot.held) {
            self.evict(id, Reason::Memory);
        }
    }

    fn evict(&mut self, id: u64, reason: Reason) {
        self.reorder(id, None);
        let Some(slot) = self.open.get_mut(&id) else { return };
        slot.leaving = true;
        self.held -= slot.held;
        slot.entry.reason.store(reason as u8, Ordering::Relaxed);
        slot.entry.evict.notify_one();
    }

    /// Takes a connection out of the orders and, with a time, puts it back where that belongs.
    fn reorder(&mut self, id: u64, used: Option<u64>) {
        let Some(slot) = self.open.get_mut(&id) else { return };
        let key = (slot.known, id);
        self.order.remove(&key);
        let mut of_address = slot.address.and_then(|address| self.addresses.get_mut(&address));
        if let Some(order) = &mut of_address {
            order.remove(&key);
        }
        if let Some(used) = used {
            slot.known = used;
            self.order.insert((used, id));
            if let Some(order) = &mut of_address {
                order.insert((used, id));
            }
        }
        if let Some(address) = slot.address
            && self.addresses.get(&address).is_some_and(BTreeSet::is_empty)
        {
            self.addresses.remove(&address);
        }
    }
}

impl Entry {
    /// Returns, with the reason, once the connection has to go.
    pub(crate) async fn evicted(&self) -> Reason {
        self.evict.notified().await;
        match self.reason.load(Ordering::Relaxed) {
            reason if reason == Reason::Memory as u8 => Reason::Memory,
            _ => Reason::TooMany,
        }
    }
}

impl Place {
    /// Number of the connection, unique while the daemon runs.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Data has come, or gone.
    pub(crate) fn touch(&self) {
        self.entry.used.store(self.table.now(), Ordering::Relaxed);
    }

    /// Says how many bytes the connection holds now. If that makes too many for all together, the one that holds most
    /// is told to go. The first [`HELD_FREELY`] bytes are not counted.
    pub(crate) fn hold(&mut self, bytes: usize) {
        let bytes = if bytes <= HELD_FREELY { 0 } else { bytes };
        if bytes == self.held {
            return;
        }
        self.held = bytes;
        let mut table = self.table.lock();
        let Some(slot) = table.open.get_mut(&self.id).filter(|slot| !slot.leaving) else { return };
        let before = std::mem::replace(&mut slot.held, bytes);
        table.held = table.held - before + bytes;
        if bytes > before && table.held > self.table.limit_held {
            table.evict_largest();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        table.reorder(self.id, None);
        if let Some(slot) = table.open.remove(&self.id)
            && !slot.leaving
        {
            table.held -= slot.held;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MUCH: usize = 1 << 20;

    fn evicted(place: &Place) -> bool {
        place.table.lock().open[&place.id].leaving
    }

    fn from(last: u8) -> Option<IpAddr> {
        Some([10, 0, 0, last].into())
    }

    fn wait() {
        std::thread::sleep(Duration::from_millis(3));
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let table = Arc::new(Connections::new(3, 2, MUCH));
        let a = table.admit(None);
        let b = table.admit(None);
        let c = table.admit(None);
        wait();
        a.touch();
        c.touch();
        let d = table.admit(None);
        assert!(evicted(&b) && !evicted(&a) && !evicted(&c) && !evicted(&d));
        wait();
        // One that is on its way out counts no more, and a late request of it changes nothing.
        b.touch();
        c.touch();
        d.touch();
        let e = table.admit(None);
        assert!(evicted(&a) && !evicted(&c) && !evicted(&d) && !evicted(&e));
        drop((a, b, c, d, e));
        assert_eq!(table.len(), 0);
        assert!(table.lock().order.is_empty());
    }

    #[test]
    fn one_address_cannot_take_all() {
        let table = Arc::new(Connections::new(100, 2, MUCH));
        let other = table.admit(from(2));
        let first = table.admit(from(1));
        wait();
        let second = table.admit(from(1));
        let third = table.admit(from(1));
        assert!(evicted(&first));
        assert!(!evicted(&other) && !evicted(&second) && !evicted(&third));
        drop((other, first, second, third));
        assert!(table.lock().addresses.is_empty());
    }

    #[test]
    fn the_one_that_holds_most_goes_when_memory_is_short() {
        let table = Arc::new(Connections::new(10, 10, MUCH));
        let mut small = table.admit(None);
        let mut large = table.admit(None);
        let mut free = table.admit(None);
        small.hold(MUCH / 4);
        large.hold(MUCH / 2);
        free.hold(HELD_FREELY);
        assert_eq!(table.held(), MUCH * 3 / 4);
        small.hold(MUCH / 2 - 1);
        assert!(!evicted(&small) && !evicted(&large));
        small.hold(MUCH / 2 + 1);
        assert!(evicted(&small) && !evicted(&large) && !evicted(&free));
        assert_eq!(table.held(), MUCH / 2);
        small.hold(0);
        large.hold(0);
        assert_eq!(table.held(), 0);
        large.hold(MUCH);
        drop((small, large));
        assert_eq!(table.held(), 0);
    }

    #[test]
    fn the_reason_is_told() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let table = Arc::new(Connections::new(1, 1, MUCH));
        let first = table.admit(None);
        let mut second = table.admit(None);
        assert_eq!(runtime.block_on(first.entry().evicted()), Reason::TooMany);
        second.hold(2 * MUCH);
        assert_eq!(runtime.block_on(second.entry().evicted()), Reason::Memory);
    }

    /// A flood must not cost more for each connection the more there are.
    #[test]
    fn many_connections_are_admitted_fast() {
        const COUNT: usize = 20_000;
        let table = Arc::new(Connections::new(COUNT, COUNT / 2, MUCH));
        let begin = Instant::now();
        let places: Vec<Place> = (0..3 * COUNT).map(|_| table.admit(from(1))).collect();
        assert_eq!(places.iter().filter(|p| !evicted(p)).count(), COUNT / 2);
        // Scanning all of them at each admission would take minutes.
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

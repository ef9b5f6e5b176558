//! A whole tree on its way into a store, in place of the one that is there.

use heed::RwTxn;

use crate::access::Counters;
use crate::apply::{Applier, Policy};
use crate::bulk::Bulk;
use crate::error::Result;
use crate::model::ROOT;
use crate::record::Record;
use crate::stamp::{self, Stamp, StampBuf};
use crate::store::Store;
use crate::store::keys::child_key;
use crate::store::tail::Tail;
use crate::transfer::unfit;

/// A tree that grows, in one transaction. Whatever comes in the order of its table is appended.
pub(crate) struct Loading<'a, 'e> {
    pub(crate) applier: Applier<'a, 'e>,
    records: Tail,
    secrets: Tail,
    children: Tail,
    versions: Tail,
    stamps: Stamps,
    /// Not in the indexes yet.
    bulk: Bulk,
}

impl<'a, 'e> Loading<'a, 'e> {
    /// Takes the tree away that is there.
    pub(crate) fn begin(store: &'a Store, counters: &'a Counters, policy: Policy) -> Result<Self>
    where
        'a: 'e,
    {
        let mut applier = Applier::begin(store, &store.env, counters, policy)?;
        store.clear_tree(&mut applier.txn)?;
        let state = &mut applier.state;
        (state.checksum, state.directories, state.next_object) = (0, 0, 0);
        let tail = |table| Tail::new(table, &applier.txn);
        let (records, secrets) = (tail(store.records)?, tail(store.secrets)?);
        let (children, versions) = (tail(store.children)?, tail(store.versions)?);
        let stamps = Stamps { tail: tail(store.stamps)?, uuids: Vec::new(), times: Vec::new() };
        Ok(Self { records, secrets, children, versions, stamps, bulk: Bulk::new(store), applier })
    }

    /// Puts a directory that is not there yet into the store, with the next version.
    pub(crate) fn insert(&mut self, object: u32, mut record: Record, stamp: Option<&StampBuf>) -> Result<()> {
        let key = object.to_be_bytes();
        let Applier { store, txn, state, .. } = &mut self.applier;
        state.version = state.version.wrapping_add(1);
        if state.version == u32::MAX {
            // Stands for "the highest" in the protocol. There are no others that must be passed over.
            state.version = 0;
        }
        record.header.version = state.version;
        let encoded = record.encode(object)?;
        self.versions.put(txn, &state.version.to_be_bytes(), &key)?;
        if object != ROOT {
            let place = child_key(record.header.parent, record.header.position);
            self.children.put(txn, &place, &key)?;
        }
        self.records.put(txn, &key, &encoded.record)?;
        if let Some(secrets) = encoded.secrets {
            self.secrets.put(txn, &key, &secrets)?;
        }
        state.exchange(object, 0, record.header.instance);
        state.directories += 1;
        if let Some(stamp) = stamp {
            self.stamps.add(store, txn, &state.uuid, object, stamp.as_stamp())?;
        }
        let parent = (object != ROOT).then_some(record.header.parent);
        if self.bulk.add(parent, object, &record.properties)? {
            self.bulk.drain(store, txn)?;
        }
        Ok(())
    }

    /// Makes the indexes.
    pub(crate) fn finish(self) -> Result<Applier<'a, 'e>> {
        let Self { mut applier, bulk, mut stamps, .. } = self;
        bulk.finish(applier.store, &mut applier.txn)?;
        stamps.drain(applier.store, &mut applier.txn)?;
        Ok(applier)
    }
}

/// Stamps are stored as they come, and found by uuid and time once these have been sorted.
struct Stamps {
    tail: Tail,
    uuids: Vec<([u8; 16], u32)>,
    times: Vec<[u8; 12]>,
}

/// Stamps that are gathered before they are sorted.
const STAMPS_GATHERED: usize = 4 << 20;

impl Stamps {
    fn add(
        &mut self,
        store: &Store,
        txn: &mut RwTxn<'_>,
        domain: &[u8; 16],
        object: u32,
        stamp: Stamp<'_>,
    ) -> Result<()> {
        let uuid = if stamp.uuid == [0; 16] { stamp::unknown(domain, object).uuid } else { stamp.uuid };
        let stamp = Stamp { uuid, ..stamp };
        match stamp::derived_object(domain, &stamp.uuid) {
            None => self.uuids.push((stamp.uuid, object)),
            Some(derived) if derived == object => {}
            Some(_) => return Err(unfit(format!("the uuid of directory {object} belongs to another"))),
        }
        if stamp.modified != 0 {
            self.times.push(stamp::time_key(stamp.modified, object));
        }
        self.tail.put(txn, &object.to_be_bytes(), &stamp::encode(object, stamp))?;
        if self.uuids.len() >= STAMPS_GATHERED { self.drain(store, txn) } else { Ok(()) }
    }

    fn drain(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        self.uuids.sort_unstable();
        let mut tail = Tail::new(store.uuids, txn)?;
        for (uuid, object) in self.uuids.drain(..) {
            if !tail.is_behind(&uuid) && tail.get(txn, &uuid)?.is_some() {
                return Err(unfit(format!("directory {object} has the uuid of another")));
            }
            tail.put(txn, &uuid, &object.to_be_bytes())?;
        }
        self.times.sort_unstable();
        let mut tail = Tail::new(store.times, txn)?;
        self.times.drain(..).try_for_each(|time| tail.put(txn, &time, &[]))
    }
}

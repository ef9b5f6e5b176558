//! Carrying out one change inside a write transaction.
//!
//! Every check comes before the first byte is written, in the order the protocol fixes: existence, instance, indices,
//! access, procedure-specific. A change that is refused leaves the transaction as it was.

use std::ops::Bound;
use std::rc::Rc;

use heed::RwTxn;

use crate::access::{Counters, Lists, Tree, permit};
use crate::account;
use crate::change::{Change, Committed, Outcome};
use crate::error::{Error, Result};
use crate::feed;
use crate::held::{Above, Held};
use crate::model::{Id, MASK, Property, ROOT, Target, is_secret};
use crate::moves::Places;
use crate::pending::{self, Known};
use crate::record::{Header, Record, check_limits};
use crate::session::Session;
use crate::siblings;
use crate::stamp::{self, Stamp, StampBuf};
use crate::store::Store;
use crate::store::keys::{be_u32, child_key};
use crate::store::state::State;

/// Highest object id a directory can have; the two above have meanings of their own in the protocol.
pub(crate) const HIGHEST_OBJECT: u32 = 0xFFFF_FFFD;

/// What stays the same for all changes of a domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// The historical behaviour to the letter.
    pub(crate) historical: bool,
    /// Changes kept in the feed.
    pub(crate) feed_retention: u64,
}

/// One open write transaction and the domain's numbers as they will be after it.
pub(crate) struct Applier<'a, 'e> {
    pub(crate) store: &'a Store,
    pub(crate) txn: RwTxn<'e>,
    pub(crate) state: State,
    pub(crate) counters: &'a Counters,
    pub(crate) policy: Policy,
    /// Directories whose entries in the indexes are still to be made.
    pub(crate) known: Known,
    /// In a batch: what is not in the store yet.
    pub(crate) held: Option<Held>,
    /// Directories whose password has been changed, for [`crate::account::note_new_passwords`].
    pub(crate) new_passwords: Vec<u32>,
}

impl<'a, 'e> Applier<'a, 'e> {
    pub(crate) fn begin(
        store: &'a Store,
        env: &'e heed::Env<heed::WithoutTls>,
        counters: &'a Counters,
        policy: Policy,
    ) -> Result<Self> {
        let txn = env.write_txn()?;
        let state = store.state(&txn)?;
        Ok(Self {
            store,
            txn,
            state,
            counters,
            policy,
            known: Known::default(),
            held: None,
            new_passwords: Vec::new(),
        })
    }

    /// Makes everything applied so far durable.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.release(None)?;
        self.forget_old_changes()?;
        self.store.put_state(&mut self.txn, &self.state)?;
        self.store.remembered.make_room(self.txn.id(), self.state.directories);
        Ok(self.txn.commit()?)
    }

    /// Carries out one change and writes its change record. `at` is milliseconds since the epoch.
    pub(crate) fn apply(&mut self, session: &Session, mut change: Change, at: u64) -> Result<Outcome> {
        self.release(Some(&change))?;
        let outcome = self.dispatch(session, &mut change)?;
        self.stamp(session, &change, outcome, at)?;
        self.note_instance(&mut change, outcome);
        self.state.sequence += 1;
        let committed =
            Committed { sequence: self.state.sequence, at, by: session.name().to_vec(), change, outcome };
        self.store.changes.put(
            &mut self.txn,
            &committed.sequence.to_be_bytes(),
            &feed::encode(&committed),
        )?;
        Ok(outcome)
    }

    /// Takes those out of the feed that are not kept any longer.
    fn forget_old_changes(&mut self) -> Result<()> {
        let first = (self.state.sequence + 1).saturating_sub(self.policy.feed_retention);
        if first > self.state.first_kept {
            let old = (Bound::Unbounded, Bound::Excluded(&first.to_be_bytes()[..]));
            self.store.changes.delete_range(&mut self.txn, &old)?;
            self.state.first_kept = first;
        }
        Ok(())
    }

    /// Fills in the instance that was current when the change was made, so that a replica can check it.
    fn note_instance(&self, change: &mut Change, outcome: Outcome) {
        let before = Some(outcome.id.instance.wrapping_sub(1));
        match change {
            Change::Create { parent: t, .. }
            | Change::Destroy { parent: t, .. }
            | Change::Write { directory: t, .. }
            | Change::CreateProperty { directory: t, .. }
            | Change::DestroyProperty { directory: t, .. }
            | Change::WriteProperty { directory: t, .. }
            | Change::RenameProperty { directory: t, .. }
            | Change::CreateValue { directory: t, .. }
            | Change::DestroyValue { directory: t, .. }
            | Change::WriteValue { directory: t, .. }
            | Change::Move { from: t, .. } => t.instance = before,
            Change::SetStamp { directory, .. } => directory.instance = Some(outcome.id.instance),
        }
    }

    fn dispatch(&mut self, session: &Session, change: &mut Change) -> Result<Outcome> {
        let tree = Tree { store: self.store, txn: &self.txn };
        let settled = permit(tree, session, change, self.counters, self.policy.historical)?;
        let session = settled.as_ref().unwrap_or(session);
        match change {
            Change::Create { parent, properties, position } => {
                self.create(session, *parent, properties, *position)
            }
            Change::Destroy { parent, child } => self.destroy(session, *parent, child),
            Change::Move { from, child, to, position } => {
                self.move_directory(session, Places { from: *from, child, to, position: *position })
            }
            Change::SetStamp { directory, stamp } => self.set_stamp(session, *directory, stamp),
            Change::Write { directory, properties } => {
                let before = self.current(*directory)?;
                self.access(session, &before.properties).directory()?;
                self.keep_masked(&before.properties, properties);
                check_limits(properties)?;
                self.save(directory.object, &before, properties.clone())
            }
            other => self.edit(session, other),
        }
    }

    /// The changes to single properties and values.
    fn edit(&mut self, session: &Session, change: &mut Change) -> Result<Outcome> {
        let object = change.directory().object;
        let before = self.current(change.directory())?;
        let mut after = before.properties.clone();
        match change {
            Change::CreateProperty { property, position, .. } => {
                self.access(session, &before.properties).directory()?;
                let at = (*position as usize).min(after.len());
                after.insert(at, property.clone());
            }
            Change::DestroyProperty { index, .. } => {
                let index = property_index(&after, *index)?;
                self.access(session, &before.properties).directory()?;
                after.remove(index);
            }
            Change::RenameProperty { index, name, .. } => {
                let index = property_index(&after, *index)?;
                self.access(session, &before.properties).directory()?;
                if is_secret(&after[index].name) && !is_secret(name) && !session.sees_secrets() {
                    return Err(Error::Permission); // would turn password material into plain values
                }
                after[index].name.clone_from(name);
            }
            Change::WriteProperty { index, values, .. } => {
                let index = property_index(&after, *index)?;
                self.access(session, &before.properties).directory_or_property(&after[index].name)?;
                self.keep_masked_values(&before.properties[index], values);
                after[index].values.clone_from(values);
            }
            Change::CreateValue { index, value, position, .. } => {
                let property = &mut after[property_index(&before.properties, *index)?];
                self.access(session, &before.properties).value(&property.name)?;
                let at = (*position as usize).min(property.values.len());
                property.values.insert(at, value.clone());
            }
            Change::DestroyValue { index, value_index, .. } => {
                let property = &mut after[property_index(&before.properties, *index)?];
                let at = value_position(property, *value_index)?;
                self.access(session, &before.properties).value(&property.name)?;
                property.values.remove(at);
            }
            Change::WriteValue { index, value_index, value, .. } => {
                let property = &mut after[property_index(&before.properties, *index)?];
                let at = value_position(property, *value_index)?;
                self.access(session, &before.properties).value(&property.name)?;
                if self.masks(&property.name) && value == MASK {
                    value.clone_from(&property.values[at]); // the feed tells values, not masks
                }
                property.values[at].clone_from(value);
            }
            Change::Create { .. }
            | Change::Destroy { .. }
            | Change::Write { .. }
            | Change::Move { .. }
            | Change::SetStamp { .. } => {
                return Err(Error::Storage("not a change to a property".into()));
            }
        }
        check_limits(&after)?;
        self.save(object, &before, after)
    }

    fn create(
        &mut self,
        session: &Session,
        parent: Target,
        properties: &mut Vec<Property>,
        position: u32,
    ) -> Result<Outcome> {
        let (header, above, known) = match self.held.as_mut().and_then(|held| held.above(parent.object)) {
            Some(held) => (held.header, held.properties.clone(), held.position(position)),
            None => {
                let Record { header, properties } = self.load(parent.object)?;
                (header, properties.into(), None)
            }
        };
        is_current(parent, header)?;
        self.access(session, &above).directory()?;
        check_limits(properties)?;
        let object = self.allocate()?;
        let place = match known {
            Some(place) => place,
            None => {
                // What numbers the siblings anew saves their records: the one above is not among them.
                siblings::position(self.store, &mut self.txn, parent.object, header.children, position)?
            }
        };
        let version = self.next_version(object, None)?;
        let own = Header { instance: 0, version, parent: parent.object, children: 0, position: place };
        let record = Record { header: own, properties: std::mem::take(properties) };
        self.insert(object, &record)?;
        *properties = record.properties;
        let id = match self.held.is_some() {
            true => self.hold_above(parent.object, header, above, position, place),
            false => self.touch(parent.object, header, 1)?,
        };
        Ok(Outcome { id, created: Some(Id { object, instance: 0 }) })
    }

    /// As [`Applier::touch`] for a directory that has got a child at `place`, but nothing is written yet.
    fn hold_above(
        &mut self,
        object: u32,
        before: Header,
        properties: Rc<[Property]>,
        wanted: u32,
        place: u64,
    ) -> Id {
        let instance = before.instance.wrapping_add(1);
        self.state.exchange(object, before.instance, instance);
        let header = Header { instance, children: before.children.wrapping_add(1), ..before };
        if let Some(held) = &mut self.held {
            // A child further in front may have had all of them numbered anew.
            let last = (wanted >= before.children).then_some(place);
            held.put_above(Above { object, header, properties, last });
        }
        Id { object, instance }
    }

    fn destroy(&mut self, session: &Session, parent: Target, child: &mut Target) -> Result<Outcome> {
        let before = self.current(parent)?;
        self.access(session, &before.properties).directory()?;
        let doomed = self.current(*child)?;
        if doomed.header.children > 0 {
            return Err(Error::NotEmpty);
        }
        if doomed.header.parent != parent.object || child.object == ROOT {
            return Err(Error::Unrelated);
        }
        child.instance = Some(doomed.header.instance);
        self.remove(child.object, &doomed)?;
        let id = self.touch(parent.object, before.header, -1)?;
        Ok(Outcome { id, created: None })
    }

    fn set_stamp(&mut self, session: &Session, directory: Target, stamp: &mut StampBuf) -> Result<Outcome> {
        let before = self.current(directory)?;
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        if stamp.uuid == [0; 16] {
            stamp.uuid = self.uuid(directory.object)?;
        }
        match &mut self.held {
            Some(held) if held.has_stamp(directory.object) => {
                let (store, uuid) = (self.store, &self.state.uuid);
                stamp::put_new(store, &mut self.txn, uuid, directory.object, stamp.as_stamp())?;
                held.drop_stamp(directory.object);
            }
            _ => self.put_stamp(directory.object, stamp.as_stamp())?,
        }
        let id = Id { object: directory.object, instance: before.header.instance };
        Ok(Outcome { id, created: None })
    }

    /// The uuid that a directory has.
    fn uuid(&self, object: u32) -> Result<[u8; 16]> {
        if let Some(held) = self.held.as_ref().and_then(|held| held.stamp(object)) {
            return Ok(held.uuid);
        }
        let stored = stamp::stored(self.store, &self.txn, object)?.map(|stamp| stamp.uuid);
        Ok(stored.unwrap_or_else(|| stamp::unknown(&self.state.uuid, object).uuid))
    }

    /// Notes who made a change, and when, in the stamp of the directory it was made to.
    fn stamp(&mut self, session: &Session, change: &Change, outcome: Outcome, at: u64) -> Result<()> {
        let by = session.name();
        match change {
            Change::Create { .. } => {
                let Some(Id { object, .. }) = outcome.created else { return Ok(()) };
                let uuid = stamp::new_uuid(at)?;
                let stamp = Stamp { uuid, created: at, modified: at, creator: by, modifier: by };
                match &mut self.held {
                    Some(held) => held.put_stamp(object, stamp.into()),
                    None => self.put_stamp(object, stamp)?,
                }
                Ok(())
            }
            Change::Destroy { child, .. } => {
                stamp::remove(self.store, &mut self.txn, &self.state.uuid, child.object)
            }
            Change::Move { child, .. } => self.stamp_changed(child.object, by, at),
            Change::SetStamp { .. } => Ok(()),
            _ => self.stamp_changed(outcome.id.object, by, at),
        }
    }

    fn stamp_changed(&mut self, object: u32, by: &[u8], at: u64) -> Result<()> {
        let before = stamp::stored(self.store, &self.txn, object)?.map(StampBuf::from);
        let before = before.unwrap_or_else(|| stamp::unknown(&self.state.uuid, object).into());
        self.put_stamp(object, Stamp { modified: at, modifier: by, ..before.as_stamp() })
    }

    pub(crate) fn put_stamp(&mut self, object: u32, stamp: Stamp<'_>) -> Result<()> {
        stamp::put(self.store, &mut self.txn, &self.state.uuid, object, stamp)
    }

    /// As [`Applier::put_stamp`], for a directory that has none yet.
    pub(crate) fn put_new_stamp(&mut self, object: u32, stamp: Stamp<'_>) -> Result<()> {
        stamp::put_new(self.store, &mut self.txn, &self.state.uuid, object, stamp)
    }

    /// The directory to be written, if it exists and the caller knows its current instance.
    pub(crate) fn current(&self, target: Target) -> Result<Record> {
        let record = self.load(target.object)?;
        is_current(target, record.header)?;
        Ok(record)
    }

    fn load(&self, object: u32) -> Result<Record> {
        self.store.load(&self.txn, object)?.ok_or(Error::NoSuchDirectory)
    }

    pub(crate) fn access<'s>(&'s self, session: &'s Session, properties: &'s [Property]) -> Lists<'s> {
        Lists { session, properties, counters: self.counters }
    }

    /// Whether values of a property called `name` are masked in reads here, so that a mask coming back means "keep".
    fn masks(&self, name: &[u8]) -> bool {
        !self.policy.historical && is_secret(name)
    }

    /// Puts the stored secret wherever the caller sent back the mask it had read.
    fn keep_masked(&self, before: &[Property], after: &mut [Property]) {
        for i in 0..after.len() {
            if !self.masks(&after[i].name) {
                continue;
            }
            let nth = after[..i].iter().filter(|p| p.name == after[i].name).count();
            if let Some(old) = before.iter().filter(|p| p.name == after[i].name).nth(nth) {
                self.keep_masked_values(old, &mut after[i].values);
            }
        }
    }

    fn keep_masked_values(&self, before: &Property, after: &mut [Vec<u8>]) {
        if !self.masks(&before.name) {
            return;
        }
        for (value, old) in after.iter_mut().zip(&before.values) {
            if value == MASK {
                value.clone_from(old);
            }
        }
    }

    /// Takes the lowest object id that is not in use.
    fn allocate(&mut self) -> Result<u32> {
        if let Some((key, _)) = self.store.free.first(&self.txn)? {
            let object = be_u32(key);
            self.store.free.delete(&mut self.txn, &object.to_be_bytes())?;
            return Ok(object);
        }
        let object = self.state.next_object;
        if object > HIGHEST_OBJECT {
            return Err(Error::NoSpace("all object ids are in use".into()));
        }
        self.state.next_object += 1;
        Ok(object)
    }

    /// The next store version, now belonging to `object` (whose last one was `old`).
    pub(crate) fn next_version(&mut self, object: u32, old: Option<u32>) -> Result<u32> {
        if let Some(old) = old {
            self.store.versions.delete(&mut self.txn, &old.to_be_bytes())?;
        }
        // After 2³² saves the counter starts again: versions that directories still bear are passed over, and so is the
        // one that stands for "the highest" in the protocol.
        loop {
            self.state.version = self.state.version.wrapping_add(1);
            let version = self.state.version;
            if version != u32::MAX && self.store.versions.get(&self.txn, &version.to_be_bytes())?.is_none() {
                break;
            }
        }
        self.store.versions.put(&mut self.txn, &self.state.version.to_be_bytes(), &object.to_be_bytes())?;
        Ok(self.state.version)
    }

    /// Puts a record that is new to the store into all tables but `versions` and those of stamps.
    pub(crate) fn insert(&mut self, object: u32, record: &Record) -> Result<()> {
        self.insert_unindexed(object, record)?;
        let parent = record.header.parent;
        pending::enter(self.store, &mut self.txn, &mut self.known, object, parent, &record.properties)
    }

    /// As [`Applier::insert`], leaving both indexes to the caller.
    pub(crate) fn insert_unindexed(&mut self, object: u32, record: &Record) -> Result<()> {
        if object != ROOT {
            let key = child_key(record.header.parent, record.header.position);
            self.store.children.put(&mut self.txn, &key, &object.to_be_bytes())?;
        }
        self.store.save(&mut self.txn, object, record, false)?;
        self.state.exchange(object, 0, record.header.instance);
        self.state.directories += 1;
        Ok(())
    }

    fn remove(&mut self, object: u32, record: &Record) -> Result<()> {
        let (parent, key) = (record.header.parent, object.to_be_bytes());
        pending::leave(self.store, &mut self.txn, &mut self.known, object, parent, &record.properties)?;
        self.store.children.delete(&mut self.txn, &child_key(parent, record.header.position))?;
        self.store.delete(&mut self.txn, object)?;
        self.store.versions.delete(&mut self.txn, &record.header.version.to_be_bytes())?;
        self.store.free.put(&mut self.txn, &key, &[])?;
        self.state.exchange(object, record.header.instance, 0);
        self.state.directories -= 1;
        Ok(())
    }

    /// Replaces the properties of a directory and raises its instance.
    fn save(&mut self, object: u32, before: &Record, properties: Vec<Property>) -> Result<Outcome> {
        if account::is_new_password(&before.properties, &properties) {
            self.new_passwords.push(object);
        }
        let had_secrets = before.properties.iter().any(|p| is_secret(&p.name));
        let header = self.raised(object, before.header)?;
        let after = Record { header, properties };
        self.store.save(&mut self.txn, object, &after, had_secrets)?;
        let parent = header.parent;
        let (old, new) = (&before.properties, &after.properties);
        pending::change(self.store, &mut self.txn, &mut self.known, object, parent, old, new)?;
        Ok(Outcome { id: Id { object, instance: header.instance }, created: None })
    }

    /// Raises the instance of a directory whose child list changed by `children`.
    pub(crate) fn touch(&mut self, object: u32, before: Header, children: i32) -> Result<Id> {
        let mut header = self.raised(object, before)?;
        header.children = header.children.wrapping_add_signed(children);
        self.store.save_header(&mut self.txn, object, header)?;
        Ok(Id { object, instance: header.instance })
    }

    pub(crate) fn raised(&mut self, object: u32, before: Header) -> Result<Header> {
        let version = self.next_version(object, Some(before.version))?;
        let instance = before.instance.wrapping_add(1);
        self.state.exchange(object, before.instance, instance);
        Ok(Header { instance, version, ..before })
    }

    /// Makes the root directory of an empty store: instance 1, no properties.
    pub(crate) fn create_root(&mut self, at: u64) -> Result<()> {
        self.state.next_object = self.state.next_object.max(1);
        let version = self.next_version(ROOT, None)?;
        let header = Header { instance: 1, version, parent: ROOT, children: 0, position: 0 };
        self.insert(ROOT, &Record { header, properties: Vec::new() })?;
        let unknown = stamp::unknown(&self.state.uuid, ROOT);
        self.put_stamp(ROOT, Stamp { created: at, modified: at, ..unknown })
    }
}

/// Whether the caller knows the current instance of a directory, if it says that it does.
fn is_current(target: Target, header: Header) -> Result<()> {
    match target.instance {
        Some(instance) if instance != header.instance => Err(Error::Stale),
        _ => Ok(()),
    }
}

fn property_index(properties: &[Property], index: u32) -> Result<usize> {
    let index = index as usize;
    if index < properties.len() { Ok(index) } else { Err(Error::NoSuchProperty) }
}

fn value_position(property: &Property, index: u32) -> Result<usize> {
    let index = index as usize;
    if index < property.values.len() { Ok(index) } else { Err(Error::NoSuchValue) }
}

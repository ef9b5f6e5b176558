//! Many changes in one commit, made by somebody who looks at the outcome of each before the next: what an import needs.
//!
//! A proposal ([`Domain::write`]) has to know all of its changes beforehand, and sees the domain as it was. A batch runs
//! on the writer's thread inside the transaction: it reads what it has written, learns the ids of new directories, and a
//! change that is refused leaves the others as they are.

use crate::access::Counters;
use crate::apply::Applier;
use crate::change::{Change, Outcome};
use crate::domain::{Domain, Underway};
use crate::error::{Error, Result};
use crate::held::Held;
use crate::machines::Role;
use crate::model::{Id, Property, is_secret};
use crate::pending::{self, Gathered};
use crate::session::Session;
use crate::store::keys::be_u32;

/// From so many changes on, a batch makes its entries of the indexes itself: whoever makes the next batch looks there.
const SETTLED: u64 = 64;

/// An open batch. What it has changed is on disk once [`Domain::batch`] returns, or not at all.
pub struct Batch<'b, 'a, 'e> {
    applier: &'b mut Applier<'a, 'e>,
    session: &'b Session,
    at: u64,
    discarded: bool,
    /// The store failed: the transaction cannot be used any more.
    failed: bool,
}

impl Domain {
    /// Runs `work` with an open batch and commits what it has changed; nothing of it if it returns an error. No other
    /// change is made meanwhile, so `work` is to be short: some thousand changes. `at` is the time in milliseconds since
    /// the epoch. Blocks; not for async code, and not to be called on the writer's own thread.
    ///
    /// # Errors
    /// [`Error::Permission`] if the session is not a superuser's, [`Error::ReadOnly`] for a clone; what `work` returns.
    pub fn batch<T: Send + 'static>(
        &self,
        session: &Session,
        at: u64,
        work: impl FnOnce(&mut Batch<'_, '_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.batch_later(session, at, work)?.wait()
    }

    /// As [`Domain::batch`], without waiting: what comes next can be got ready meanwhile.
    ///
    /// # Errors
    /// [`Error::Permission`] and [`Error::ReadOnly`]; the others are told by [`Underway::wait`].
    pub fn batch_later<T: Send + 'static>(
        &self,
        session: &Session,
        at: u64,
        work: impl FnOnce(&mut Batch<'_, '_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<Underway<T>> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        if !session.update && matches!(self.role(), Role::Clone { .. }) {
            return Err(Error::ReadOnly);
        }
        let (policy, session) = (self.policy(), session.clone());
        Ok(self.exclusive_later(move |store| {
            let counters = Counters::default();
            let mut applier = Applier::begin(store, &store.env, &counters, policy)?;
            // Whoever has to be judged is judged by what the indexes say.
            applier.known.gathered = (!session.read_only).then(Gathered::default);
            applier.held = Some(Held::default());
            let before = applier.state.sequence;
            let mut batch =
                Batch { applier: &mut applier, session: &session, at, discarded: false, failed: false };
            let result = work(&mut batch);
            let (discarded, failed) = (batch.discarded, batch.failed);
            if result.is_ok() && failed {
                return Err(Error::Storage("the batch went on after the store had failed".into()));
            }
            if result.is_ok() && !discarded && applier.state.sequence > before {
                let gathered = applier.known.gathered.take().unwrap_or_default();
                if applier.state.sequence - before >= SETTLED {
                    gathered.settle(store, &mut applier.txn)?;
                } else {
                    gathered.leave_notes(store, &mut applier.txn)?;
                }
                applier.commit()?;
            }
            result
        }))
    }
}

impl Batch<'_, '_, '_> {
    /// Makes a change. One that is refused leaves the batch as it was; after [`Error::Storage`], [`Error::Damaged`] and
    /// [`Error::NoSpace`] the batch has to be given up.
    ///
    /// # Errors
    /// As for any write.
    pub fn apply(&mut self, change: Change) -> Result<Outcome> {
        let outcome = self.applier.apply(self.session, change, self.at);
        self.failed |= matches!(outcome, Err(Error::Storage(_) | Error::Damaged(_) | Error::NoSpace(_)));
        outcome
    }

    /// Nothing of the batch will be kept: for finding out what it would do.
    pub fn discard(&mut self) {
        self.discarded = true;
    }

    /// The current id of a directory.
    ///
    /// # Errors
    /// [`Error::NoSuchDirectory`].
    pub fn id(&self, object: u32) -> Result<Id> {
        if let Some(header) = self.applier.held.as_ref().and_then(|held| held.header(object)) {
            return Ok(Id { object, instance: header.instance });
        }
        let record = self.applier.store.record(&self.applier.txn, object)?.ok_or(Error::NoSuchDirectory)?;
        Ok(record.id())
    }

    /// The properties of a directory with all values, secrets too.
    ///
    /// # Errors
    /// [`Error::NoSuchDirectory`].
    pub fn properties(&self, object: u32) -> Result<Vec<Property>> {
        let record = self.applier.store.load(&self.applier.txn, object)?;
        Ok(record.ok_or(Error::NoSuchDirectory)?.properties)
    }

    /// Object ids of the children in order. The directory is not checked to exist.
    ///
    /// # Errors
    /// When the store fails.
    pub fn children(&self, object: u32) -> Result<Vec<u32>> {
        let entries = self.applier.store.children.prefix_iter(&self.applier.txn, &object.to_be_bytes())?;
        entries.map(|entry| Ok(be_u32(entry?.1))).collect()
    }

    /// All children whose first property `key` has `value` among its values, in the order of their ids. Secret properties
    /// are not looked at.
    ///
    /// # Errors
    /// When the store fails.
    pub fn lookup(&self, directory: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>> {
        if is_secret(key) {
            return Ok(Vec::new());
        }
        let Applier { store, txn, known, .. } = &*self.applier;
        match &known.gathered {
            Some(gathered) => gathered.children_with(store, txn, directory, key, value),
            None => pending::children_with(store, txn, directory, key, value),
        }
    }
}

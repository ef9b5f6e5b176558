//! A whole domain loaded as it comes: parents before their children, which nobody has counted yet.

use crate::access::Counters;
use crate::apply::HIGHEST_OBJECT;
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::loading::Loading;
use crate::model::{Property, ROOT};
use crate::record::{Header, Record};
use crate::session::Session;
use crate::siblings::{FIRST, STEP};
use crate::stamp::StampBuf;
use crate::store::Store;

/// A directory on its way into a domain that is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Object id of its parent, which has come before; the root names itself.
    pub parent: u32,
    /// Properties with all values.
    pub properties: Vec<Property>,
    /// Its stamp, if one is known; a uuid of zeros is none.
    pub stamp: Option<StampBuf>,
}

impl Domain {
    /// Puts the given directories in place of what is there, in one commit; nothing is changed on an error. The first is
    /// the root; each gets the next object id, counted from 0, and stands behind the siblings that came before it. Returns
    /// their number.
    ///
    /// # Errors
    /// [`Error::Permission`] if the session is not a superuser's; [`Error::Unusable`] when a parent has not come yet, or
    /// nothing comes at all; what `next` returns.
    pub fn fill(
        &self,
        session: &Session,
        mut next: impl FnMut() -> Result<Option<Filled>> + Send + 'static,
    ) -> Result<u64> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        let policy = self.policy();
        let directories = self.exclusive(move |store| {
            let counters = Counters::default();
            let loading = Loading::begin(store, &counters, policy)?;
            let mut filling = Filling { loading, counts: Vec::new() };
            while let Some(directory) = next()? {
                filling.add(directory)?;
            }
            filling.finish(store)
        })?;
        self.refresh_master()?;
        Ok(directories)
    }
}

/// A tree that grows in the order of its object ids.
struct Filling<'a, 'e> {
    loading: Loading<'a, 'e>,
    /// Children of each directory so far, by object id.
    counts: Vec<u32>,
}

impl Filling<'_, '_> {
    fn add(&mut self, directory: Filled) -> Result<()> {
        let Filled { parent, properties, stamp } = directory;
        let number = self.counts.len();
        if number > HIGHEST_OBJECT as usize {
            return Err(Error::NoSpace("all object ids are in use".into()));
        }
        let object = number as u32;
        self.counts.push(0);
        let mut position = 0;
        if object != ROOT {
            let count = self.counts[..number].get_mut(parent as usize);
            let count = count.ok_or_else(|| {
                Error::Unusable(format!("directory {object} stands below {parent}, which is not there"))
            })?;
            position = FIRST + u64::from(*count) * STEP;
            *count += 1;
        }
        let parent = if object == ROOT { ROOT } else { parent };
        let header = Header { instance: 0, version: 0, parent, children: 0, position };
        self.loading.insert(object, Record { header, properties }, stamp.as_ref())
    }

    /// Tells the parents how many children they have, and commits.
    fn finish(self, store: &Store) -> Result<u64> {
        if self.counts.is_empty() {
            return Err(Error::Unusable("there is no root directory".into()));
        }
        let mut applier = self.loading.finish()?;
        for (object, children) in self.counts.iter().enumerate().filter(|(_, children)| **children > 0) {
            let object = object as u32;
            let Some(record) = store.record(&applier.txn, object)? else { continue };
            // As many writes as a directory would have seen that got them one by one.
            let header = Header { children: *children, instance: *children, ..record.header() };
            applier.state.exchange(object, record.id().instance, header.instance);
            store.save_header(&mut applier.txn, object, header)?;
        }
        let directories = self.counts.len() as u64;
        applier.state.next_object = self.counts.len() as u32;
        store.changes.clear(&mut applier.txn)?;
        applier.state.sequence += 1;
        applier.state.first_kept = applier.state.sequence + 1;
        applier.commit()?;
        Ok(directories)
    }
}

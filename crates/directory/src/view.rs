//! Reading: a consistent snapshot of one domain, seen with the rights of one session.

use std::cell::Cell;
use std::ops::{Bound, Deref};
use std::sync::Arc;

use heed::{RoTxn, WithoutTls};

use crate::access::Tree;
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::model::{Form, Id, ROOT, is_secret};
use crate::pending;
use crate::record::{RecordRef, Values};
use crate::store::Store;
use crate::store::keys::{IndexKey, be_u32, be_u64, child_key};

/// Object number that asks for a directory by store version (see [`View::resolve`]).
pub const BY_VERSION: u32 = 0xFFFF_FFFF;
/// Object number that asks for the store version of a directory.
pub const VERSION_OF: u32 = 0xFFFF_FFFE;

/// A snapshot. Keep it for microseconds, never across an await: it pins old pages of the store.
pub struct View<'d> {
    store: Held<'d>,
    txn: RoTxn<'d, WithoutTls>,
    entitled: bool,
    /// The id told last: questions in a row tend to be about the children of one directory.
    recent: Cell<Option<Id>>,
}

/// Where the store of a snapshot is.
enum Held<'d> {
    Borrowed(&'d Store),
    Shared(Arc<Domain>),
}

impl Deref for Held<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        match self {
            Self::Borrowed(store) => store,
            Self::Shared(domain) => domain.store(),
        }
    }
}

impl View<'static> {
    /// A snapshot that keeps its domain open.
    pub(crate) fn shared(domain: Arc<Domain>, entitled: bool) -> Result<Self> {
        let txn = domain.store().env.clone().static_read_txn()?;
        Ok(Self { store: Held::Shared(domain), txn, entitled, recent: Cell::default() })
    }
}

impl<'d> View<'d> {
    pub(crate) fn new(store: &'d Store, entitled: bool) -> Result<Self> {
        let txn = store.env.read_txn()?;
        Ok(Self { store: Held::Borrowed(store), txn, entitled, recent: Cell::default() })
    }

    /// The store and the transaction, for questions asked in other modules.
    pub(crate) fn parts(&self) -> (&Store, &RoTxn<'d, WithoutTls>) {
        (&self.store, &self.txn)
    }

    /// The snapshot for those who need no more.
    pub(crate) fn tree(&self) -> Tree<'_> {
        Tree { store: &self.store, txn: &self.txn }
    }

    /// Number of the state that the snapshot shows. Snapshots of one domain with the same number show the same; after every
    /// commit there is another number.
    #[must_use]
    pub fn state_number(&self) -> u64 {
        self.txn.id() as u64
    }

    /// Whether password material is shown.
    #[must_use]
    pub fn sees_secrets(&self) -> bool {
        self.entitled
    }

    /// The domain's checksum: sum of (object id + 1) × instance.
    pub fn checksum(&self) -> Result<u32> {
        Ok(self.store.state(&self.txn)?.checksum)
    }

    /// Number of directories.
    pub fn directories(&self) -> Result<u64> {
        Ok(self.store.state(&self.txn)?.directories)
    }

    /// Sequence number of the last change.
    pub fn sequence(&self) -> Result<u64> {
        Ok(self.store.state(&self.txn)?.sequence)
    }

    /// Identity of the domain's data.
    pub fn uuid(&self) -> Result<[u8; 16]> {
        Ok(self.store.state(&self.txn)?.uuid)
    }

    /// Highest object id in use.
    pub fn highest_object(&self) -> Result<u32> {
        Ok(self.store.highest(&self.txn)?.unwrap_or(ROOT))
    }

    /// The current id of a directory.
    pub fn id(&self, object: u32) -> Result<Id> {
        match self.recent.get() {
            Some(id) if id.object == object => Ok(id),
            _ => {
                let id = self.masked(object)?.id();
                self.recent.set(Some(id));
                Ok(id)
            }
        }
    }

    /// As [`View::id`], with the two special object numbers: [`BY_VERSION`] finds the directory whose last save had
    /// store version `instance` (or the highest version, for 2³²−1) and answers (object, version); [`VERSION_OF`] answers
    /// (`instance`, store version of that object), the version being 2³²−1 where there is no such object.
    pub fn resolve(&self, object: u32, instance: u32) -> Result<Id> {
        match object {
            BY_VERSION if instance == u32::MAX => {
                let last = self.store.versions.last(&self.txn)?.ok_or(Error::NoSuchDirectory)?;
                Ok(Id { object: be_u32(last.1), instance: be_u32(last.0) })
            }
            BY_VERSION => {
                let found = self.store.versions.get(&self.txn, &instance.to_be_bytes())?;
                Ok(Id { object: be_u32(found.ok_or(Error::NoSuchDirectory)?), instance })
            }
            VERSION_OF => {
                let record = self.store.record(&self.txn, instance)?;
                Ok(Id { object: instance, instance: record.map_or(u32::MAX, |r| r.header().version) })
            }
            _ => self.id(object),
        }
    }

    /// A directory, with password material as far as the session may see it.
    pub fn record(&self, object: u32) -> Result<RecordRef<'_>> {
        let record = if self.entitled {
            self.store.record_with_secrets(&self.txn, object)?
        } else {
            self.store.record(&self.txn, object)?
        };
        record.ok_or(Error::NoSuchDirectory)
    }

    /// Appends to `out` what `render` makes of a directory, and gives the directory's id. Without rights to see password
    /// material it is remembered until the directory changes, and the next time only copied: there is one form for a domain, and
    /// every caller's `render` has to make the same bytes of a directory.
    pub fn render(
        &self,
        object: u32,
        out: &mut Vec<u8>,
        render: impl FnOnce(&RecordRef<'_>, &mut Vec<u8>),
    ) -> Result<Id> {
        let put = |instance: u32, bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Id { object, instance }
        };
        if let Some(id) = self.rendering(object, Form::PLAIN, put) {
            return Ok(id);
        }
        let (record, start) = (self.record(object)?, out.len());
        render(&record, out);
        self.keep_rendering(&record, Form::PLAIN, &out[start..]);
        Ok(record.id())
    }

    /// What `read` makes of what [`View::keep_rendering`] was given of a directory in this form, and of its instance; `None` if
    /// that is not known, or the directory has changed since. Without rights to see password material only. `read` has to be
    /// quick: others wait for it.
    pub fn rendering<T>(&self, object: u32, form: Form, read: impl FnOnce(u32, &[u8]) -> T) -> Option<T> {
        let remembered = Some(&self.store.remembered).filter(|_| !self.entitled)?;
        remembered.read_rendering(self.txn.id(), (object, form), read)
    }

    /// Remembers what was made of a directory of this snapshot in a form, until the directory changes. It must not depend on
    /// anything but the directory's own properties and the form, and without rights to see password material only it is taken.
    pub fn keep_rendering(&self, record: &RecordRef<'_>, form: Form, bytes: &[u8]) {
        if !self.entitled {
            let (Id { object, instance }, snapshot) = (record.id(), self.txn.id());
            self.store.remembered.keep_rendering(snapshot, (object, form), instance, bytes);
        }
    }

    fn masked(&self, object: u32) -> Result<RecordRef<'_>> {
        self.store.record(&self.txn, object)?.ok_or(Error::NoSuchDirectory)
    }

    /// Object id of the directory that holds this one; the root's is its own.
    pub fn parent(&self, object: u32) -> Result<u32> {
        Ok(self.masked(object)?.header().parent)
    }

    /// The directories on the way from `object` up to the root: first its parent, last the root. Nothing for the root.
    pub fn ancestors(&self, object: u32) -> Result<impl Iterator<Item = Result<u32>> + '_> {
        let mut left = self.directories()?;
        let mut at = Some(object).filter(|&object| object != ROOT);
        Ok(std::iter::from_fn(move || {
            let parent = self.parent(at.take()?).and_then(|parent| {
                left = left.checked_sub(1).ok_or_else(|| Error::damaged("the tree has a loop"))?;
                Ok(parent)
            });
            at = parent.as_ref().ok().copied().filter(|&parent| parent != ROOT);
            Some(parent)
        }))
    }

    /// Object ids of the children in order. The directory is not checked to exist.
    pub fn children(&self, object: u32) -> Result<impl Iterator<Item = Result<u32>> + '_> {
        let entries = self.store.children.prefix_iter(&self.txn, &object.to_be_bytes())?;
        Ok(entries.map(|entry| Ok(be_u32(entry?.1))))
    }

    /// The children in order from a position on, each with its position: what a listing made in pieces needs. Positions grow
    /// along the children; one stands for the same child as long as its siblings are not moved.
    pub fn children_from(
        &self,
        object: u32,
        position: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, u32)>> + '_> {
        let (low, high) = (child_key(object, position), child_key(object, u64::MAX));
        let range = (Bound::Included(&low[..]), Bound::Included(&high[..]));
        let entries = self.store.children.range(&self.txn, &range)?;
        Ok(entries.map(|entry| {
            let (key, child) = entry?;
            Ok((be_u64(key.get(4..).unwrap_or_default()), be_u32(child)))
        }))
    }

    /// The first child, in order, whose first property `key` has `value` among its values.
    pub fn lookup_first(&self, directory: u32, key: &[u8], value: &[u8]) -> Result<Option<u32>> {
        if is_secret(key) {
            return Ok(self.scan_secrets(directory, key, value)?.first().copied());
        }
        let remembered = &self.store.remembered;
        let question = remembered.question(directory, key, value);
        if let Some(object) = remembered.get(self.txn.id(), question) {
            return Ok(Some(object));
        }
        if !pending::is_empty(&self.store, &self.txn)? {
            return Ok(self.indexed(directory, key, value)?.first().copied());
        }
        let term = IndexKey::new(directory, key, value);
        let Some(mut hits) = self.store.index.get_duplicates(&self.txn, term.as_bytes())? else {
            return Ok(None);
        };
        let Some(first) = hits.next().transpose()?.map(|(_, v)| be_u32(v)) else { return Ok(None) };
        if hits.next().is_none() {
            remembered.put(self.txn.id(), question, first);
            return Ok(Some(first));
        }
        Ok(self.indexed(directory, key, value)?.first().copied())
    }

    /// All children, in order, whose first property `key` has `value` among its values.
    pub fn lookup(&self, directory: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>> {
        if is_secret(key) {
            return self.scan_secrets(directory, key, value);
        }
        let question = self.store.remembered.question(directory, key, value);
        match self.store.remembered.get(self.txn.id(), question) {
            Some(object) => Ok(vec![object]),
            None => self.indexed(directory, key, value),
        }
    }

    /// As [`View::lookup`], from the index, for what is not secret.
    fn indexed(&self, directory: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>> {
        let mut hits = pending::children_with(&self.store, &self.txn, directory, key, value)?;
        if hits.len() > 1 {
            let mut placed = Vec::with_capacity(hits.len());
            for object in hits {
                placed.push((self.masked(object)?.header().position, object));
            }
            placed.sort_unstable();
            hits = placed.into_iter().map(|(_, object)| object).collect();
        }
        if let [object] = hits[..] {
            let remembered = &self.store.remembered;
            remembered.put(self.txn.id(), remembered.question(directory, key, value), object);
        }
        Ok(hits)
    }

    /// Password material is not indexed: those who may see it get it by looking at every child, others find nothing.
    fn scan_secrets(&self, directory: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>> {
        let mut hits = Vec::new();
        if self.entitled {
            for child in self.children(directory)? {
                let child = child?;
                if self.record(child)?.property(key).is_some_and(|p| p.values.contains(value)) {
                    hits.push(child);
                }
            }
        }
        Ok(hits)
    }

    /// What a listing by `key` shows of a child: the values of its first property of that name that has any.
    #[must_use]
    pub fn listed<'r>(record: &RecordRef<'r>, key: &[u8]) -> Option<Values<'r>> {
        record.properties().find(|p| p.name == key && !p.values.is_empty()).map(|p| p.values)
    }

    /// The first child of `directory` with this `name`.
    pub fn child_named(&self, directory: u32, name: &[u8]) -> Result<Option<u32>> {
        self.lookup_first(directory, b"name", name)
    }

    /// Follows names from the root; `None` where one is missing.
    pub fn path(&self, names: &[&[u8]]) -> Result<Option<u32>> {
        let mut object = ROOT;
        for name in names {
            match self.child_named(object, name)? {
                Some(child) => object = child,
                None => return Ok(None),
            }
        }
        Ok(Some(object))
    }
}

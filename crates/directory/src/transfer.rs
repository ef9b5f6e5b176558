//! Whole-domain copies: walking a snapshot, the backup stream, and putting a copy in place of what is there.
//!
//! The backup format is laid down in `docs/file-format.md`. A backup holds password material: keep it as safe as the store.

use std::collections::HashMap;
use std::io::{Read, Write};

use sha2::{Digest, Sha256};

use crate::access::Counters;
use crate::apply::{Applier, HIGHEST_OBJECT, Policy};
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::loading::Loading;
use crate::model::{Id, Property, RECORD_LIMIT, ROOT};
use crate::record::{Header, Record, RecordRef};
use crate::session::Session;
use crate::siblings::{FIRST, STEP};
use crate::stamp::{self, Stamp, StampBuf};
use crate::store::Store;
use crate::store::keys::be_u32;
use crate::view::View;

const MAGIC: &[u8; 8] = b"NIBACKUP";
/// Backup format this program writes; a higher one is refused.
const FORMAT: u32 = 2;
/// The format without stamps.
const WITHOUT_STAMPS: u32 = 1;
/// Most object ids below the highest one that a copy may leave unused: each takes room in the list of free ids.
pub const UNUSED_LIMIT: u64 = 1 << 24;
/// Largest frame of a backup: a record and the list of its children.
const FRAME_LIMIT: usize = RECORD_LIMIT + (64 << 20);

/// A directory on its way from one store to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferObject {
    /// Object id and instance.
    pub id: Id,
    /// Object id of the parent.
    pub parent: u32,
    /// Children in order.
    pub children: Vec<u32>,
    /// Properties with all values.
    pub properties: Vec<Property>,
    /// Its stamp, if it has one and the copy tells it.
    pub stamp: Option<StampBuf>,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupHeader {
    /// Tag of the domain it was made of.
    pub tag: String,
    /// Identity of the domain's data.
    pub uuid: [u8; 16],
    /// Checksum of the domain.
    pub checksum: u32,
    /// Number of directories.
    pub directories: u64,
    /// Sequence number of the last change in it.
    pub sequence: u64,
}

impl View<'_> {
    /// Calls `each` with every directory and its children, depth first, parents before children, siblings in order; stops
    /// when it returns `false`.
    pub fn walk(&self, mut each: impl FnMut(RecordRef<'_>, &[u32]) -> Result<bool>) -> Result<()> {
        let mut stack = vec![ROOT];
        let mut children = Vec::new();
        let mut left = self.directories()?;
        while let Some(object) = stack.pop() {
            left = left.checked_sub(1).ok_or_else(|| {
                Error::damaged("the tree has a loop, or more directories than were counted")
            })?;
            children.clear();
            for child in self.children(object)? {
                children.push(child?);
            }
            if !each(self.record(object)?, &children)? {
                return Ok(());
            }
            stack.extend(children.iter().rev());
        }
        Ok(())
    }
}

impl Domain {
    /// Writes a consistent copy of the domain to `out` while reads and writes go on. `progress` is called with directories
    /// written and their total.
    pub fn backup(
        &self,
        session: &Session,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BackupHeader> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        let view = View::new(self.store(), true)?;
        let header = BackupHeader {
            tag: self.tag().into(),
            uuid: view.uuid()?,
            checksum: view.checksum()?,
            directories: view.directories()?,
            sequence: view.sequence()?,
        };
        let mut out = HashingWriter { out, hash: Sha256::new() };
        out.put(&header.encode())?;
        let mut frame = Vec::new();
        let mut done = 0;
        let (store, txn) = view.parts();
        view.walk(|record, children| {
            encode_object(&record, children, stamp::stored(store, txn, record.id().object)?, &mut frame);
            out.put(&(frame.len() as u32).to_le_bytes())?;
            out.put(&crc32c::crc32c(&frame).to_le_bytes())?;
            out.put(&frame)?;
            done += 1;
            progress(done, header.directories);
            Ok(true)
        })?;
        out.put(&0u32.to_le_bytes())?;
        out.put(&done.to_le_bytes())?;
        let digest = out.hash.finalize();
        out.out.write_all(&digest)?;
        out.out.flush()?;
        Ok(header)
    }

    /// Puts the domain a backup holds in place of what is there, in one commit. On any error the domain stays as it was.
    pub fn restore(
        &self,
        session: &Session,
        source: impl Read + Send + 'static,
        mut progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<BackupHeader> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        let policy = self.policy();
        let header = self.exclusive(move |store| {
            let mut reader = BackupReader::new(source)?;
            let header = reader.header.clone();
            let mut next = || {
                let object = reader.next()?;
                if object.is_some() {
                    progress(reader.count, header.directories);
                }
                Ok(object)
            };
            replace(store, policy, Some(header.uuid), &mut next)?;
            Ok(header)
        })?;
        self.refresh_master()?;
        Ok(header)
    }

    /// Puts the given directories in place of what is there, in one commit. Their order does not matter.
    pub fn replace(
        &self,
        session: &Session,
        mut next: impl FnMut() -> Result<Option<TransferObject>> + Send + 'static,
    ) -> Result<()> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        let policy = self.policy();
        self.exclusive(move |store| replace(store, policy, None, &mut next))?;
        self.refresh_master()
    }
}

struct HashingWriter<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
}

impl HashingWriter<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        Ok(self.out.write_all(bytes)?)
    }
}

impl BackupHeader {
    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&self.uuid);
        out.extend_from_slice(&self.checksum.to_le_bytes());
        out.extend_from_slice(&self.directories.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.push(self.tag.len() as u8);
        out.extend_from_slice(self.tag.as_bytes());
        out
    }
}

fn encode_object(record: &RecordRef<'_>, children: &[u32], stamp: Option<Stamp<'_>>, out: &mut Vec<u8>) {
    out.clear();
    let mut put = |n: u32| out.extend_from_slice(&n.to_le_bytes());
    put(record.id().object);
    put(record.id().instance);
    put(record.parent());
    put(children.len() as u32);
    for child in children {
        put(*child);
    }
    put(record.property_count() as u32);
    let bytes = |out: &mut Vec<u8>, b: &[u8]| {
        out.extend_from_slice(&(b.len() as u32).to_le_bytes());
        out.extend_from_slice(b);
    };
    for property in record.properties() {
        bytes(out, property.name);
        out.extend_from_slice(&(property.values.len() as u32).to_le_bytes());
        for value in property.values {
            bytes(out, value);
        }
    }
    out.push(u8::from(stamp.is_some()));
    if let Some(stamp) = stamp {
        out.extend_from_slice(&stamp.uuid);
        out.extend_from_slice(&stamp.created.to_le_bytes());
        out.extend_from_slice(&stamp.modified.to_le_bytes());
        bytes(out, stamp.creator);
        bytes(out, stamp.modifier);
    }
}

fn decode_object(frame: &[u8], stamps: bool) -> Option<TransferObject> {
    struct Cursor<'a>(&'a [u8]);
    impl<'a> Cursor<'a> {
        fn take(&mut self, n: usize) -> Option<&'a [u8]> {
            let (head, rest) = self.0.split_at_checked(n)?;
            self.0 = rest;
            Some(head)
        }
        fn u32(&mut self) -> Option<u32> {
            Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
        }
        fn u64(&mut self) -> Option<u64> {
            Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
        }
        fn bytes(&mut self) -> Option<Vec<u8>> {
            let n = self.u32()? as usize;
            self.take(n).map(<[u8]>::to_vec)
        }
        fn stamp(&mut self) -> Option<Option<StampBuf>> {
            match self.take(1)? {
                [0] => Some(None),
                [1] => {
                    let uuid = self.take(16)?.try_into().ok()?;
                    let (created, modified) = (self.u64()?, self.u64()?);
                    let (creator, modifier) = (self.bytes()?, self.bytes()?);
                    Some(Some(StampBuf { uuid, created, modified, creator, modifier }))
                }
                _ => None,
            }
        }
    }
    let mut c = Cursor(frame);
    let id = Id { object: c.u32()?, instance: c.u32()? };
    let parent = c.u32()?;
    let n = c.u32()?;
    let children = (0..n).map(|_| c.u32()).collect::<Option<_>>()?;
    let n = c.u32()?;
    let properties = (0..n)
        .map(|_| {
            let name = c.bytes()?;
            let n = c.u32()?;
            Some(Property { name, values: (0..n).map(|_| c.bytes()).collect::<Option<_>>()? })
        })
        .collect::<Option<_>>()?;
    let stamp = if stamps { c.stamp()? } else { None };
    c.0.is_empty().then_some(TransferObject { id, parent, children, properties, stamp })
}

/// Reads a backup stream, verifying it as it goes.
pub(crate) struct BackupReader<R> {
    source: R,
    hash: Sha256,
    format: u32,
    header: BackupHeader,
    count: u64,
}

fn bad_backup(why: &str) -> Error {
    Error::Unusable(format!("the backup cannot be used: {why}"))
}

impl<R: Read> BackupReader<R> {
    pub(crate) fn new(source: R) -> Result<Self> {
        let header =
            BackupHeader { tag: String::new(), uuid: [0; 16], checksum: 0, directories: 0, sequence: 0 };
        let mut reader = Self { source, hash: Sha256::new(), format: FORMAT, header, count: 0 };
        if reader.array::<8>().map_err(|_| bad_backup("it is not a NetInfo backup"))? != *MAGIC {
            return Err(bad_backup("it is not a NetInfo backup"));
        }
        let format = reader.u32()?;
        if !(WITHOUT_STAMPS..=FORMAT).contains(&format) {
            return Err(bad_backup(&format!(
                "it is of format {format}, this program knows {WITHOUT_STAMPS} to {FORMAT}; it was written by a newer version"
            )));
        }
        reader.format = format;
        reader.header.uuid = reader.array()?;
        reader.header.checksum = reader.u32()?;
        reader.header.directories = u64::from_le_bytes(reader.array()?);
        reader.header.sequence = u64::from_le_bytes(reader.array()?);
        let len = usize::from(reader.array::<1>()?[0]);
        let tag = reader.take(len)?;
        reader.header.tag = String::from_utf8(tag).map_err(|_| bad_backup("its tag is not text"))?;
        Ok(reader)
    }

    /// The next directory; `None` after the last, when count and digest agree.
    pub(crate) fn next(&mut self) -> Result<Option<TransferObject>> {
        let len = self.u32()? as usize;
        if len == 0 {
            let count = u64::from_le_bytes(self.array()?);
            let digest = self.hash.clone().finalize();
            if count != self.count || self.array::<32>()? != digest[..] {
                return Err(bad_backup("its digest does not match; it is damaged"));
            }
            return Ok(None);
        }
        if len > FRAME_LIMIT {
            return Err(bad_backup("a frame is too large; it is damaged"));
        }
        let crc = self.u32()?;
        let frame = self.take(len)?;
        if crc32c::crc32c(&frame) != crc {
            return Err(bad_backup(&format!("record {} fails its checksum", self.count + 1)));
        }
        self.count += 1;
        decode_object(&frame, self.format > WITHOUT_STAMPS)
            .map(Some)
            .ok_or_else(|| bad_backup(&format!("record {} makes no sense", self.count)))
    }

    fn take(&mut self, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.source).take(len as u64).read_to_end(&mut bytes)?;
        if bytes.len() < len {
            return Err(bad_backup("it ends too early; it is truncated"));
        }
        self.hash.update(&bytes);
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(&self.take(N)?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}

type Source<'a> = &'a mut dyn FnMut() -> Result<Option<TransferObject>>;

/// Replaces the tree in one transaction; the change feed starts anew behind it.
fn replace(store: &Store, policy: Policy, uuid: Option<[u8; 16]>, next: Source<'_>) -> Result<()> {
    let counters = Counters::default();
    let mut loading = Loading::begin(store, &counters, policy)?;
    let state = &mut loading.applier.state;
    state.uuid = uuid.unwrap_or(state.uuid);
    let mut filling =
        Filling { loading, places: HashMap::from([(ROOT, (ROOT, 0))]), waiting: HashMap::new() };
    while let Some(object) = next()? {
        filling.add(object)?;
    }
    let mut applier = filling.finish()?;
    store.changes.clear(&mut applier.txn)?;
    applier.state.sequence += 1;
    applier.state.first_kept = applier.state.sequence + 1;
    applier.commit()
}

/// A tree being filled.
struct Filling<'a, 'e> {
    loading: Loading<'a, 'e>,
    /// Parent, and place among its siblings, of every child announced by its parent and not seen yet.
    places: HashMap<u32, (u32, u64)>,
    /// Directories that came before their parents.
    waiting: HashMap<u32, TransferObject>,
}

impl<'a, 'e> Filling<'a, 'e> {
    fn add(&mut self, object: TransferObject) -> Result<()> {
        let id = object.id.object;
        if !self.places.contains_key(&id) {
            return match self.waiting.insert(id, object) {
                Some(_) => Err(unfit(format!("directory {id} stands in the copy twice"))),
                None => Ok(()),
            };
        }
        // With this directory its children that came early can be placed, with them theirs, and so on.
        let mut ready = vec![object];
        while let Some(object) = ready.pop() {
            for child in self.insert(object)? {
                ready.extend(self.waiting.remove(&child));
            }
        }
        Ok(())
    }

    /// Puts a directory in its place; returns its children.
    fn insert(&mut self, object: TransferObject) -> Result<Vec<u32>> {
        let id = object.id;
        let Some((parent, position)) = self.places.remove(&id.object) else {
            return Err(unfit(format!("directory {} has no place in the copy", id.object)));
        };
        if id.object > HIGHEST_OBJECT {
            return Err(unfit(format!("object id {} cannot be used", id.object)));
        }
        if object.parent != parent {
            return Err(unfit(format!(
                "directory {} names {} as its parent, but is listed by {parent}",
                id.object, object.parent
            )));
        }
        let mut place = FIRST - (object.children.len() as u64 / 2) * STEP;
        for child in &object.children {
            if self.places.insert(*child, (id.object, place)).is_some() {
                return Err(unfit(format!("directory {child} has two parents in the copy")));
            }
            place += STEP;
        }
        let children = object.children.len() as u32;
        let header = Header { instance: id.instance, version: 0, parent, children, position };
        let record = Record { header, properties: object.properties };
        self.loading.insert(id.object, record, object.stamp.as_ref())?;
        Ok(object.children)
    }

    /// Refuses a copy whose links do not fit, and notes the ids that are not in use.
    fn finish(self) -> Result<Applier<'a, 'e>> {
        if let Some(child) = self.places.keys().min() {
            return Err(unfit(format!("directory {child} is missing in the copy, or stands in it twice")));
        }
        if let Some(id) = self.waiting.keys().min() {
            return Err(unfit(format!("directory {id} has no parent in the copy, or stands in it twice")));
        }
        let mut applier = self.loading.finish()?;
        let store = applier.store;
        let highest = store.highest(&applier.txn)?.unwrap_or(ROOT);
        let unused = u64::from(highest) + 1 - applier.state.directories;
        if unused > UNUSED_LIMIT {
            return Err(unfit(format!("its ids go up to {highest} with {unused} of them unused")));
        }
        let mut expected = 0;
        let mut gaps = Vec::new();
        for entry in store.records.iter(&applier.txn)? {
            let object = be_u32(entry?.0);
            gaps.extend(expected..object);
            expected = object + 1;
        }
        for gap in gaps {
            store.free.put(&mut applier.txn, &gap.to_be_bytes(), &[])?;
        }
        applier.state.next_object = expected;
        Ok(applier)
    }
}

pub(crate) fn unfit(why: String) -> Error {
    Error::Unusable(format!("the copy cannot be used: {why}"))
}

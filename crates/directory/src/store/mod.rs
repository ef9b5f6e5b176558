//! One domain's LMDB environment: its tables and the state record.
//!
//! Everything in here is bytes and transactions; what the bytes mean is written in `docs/file-format.md`, what may be
//! changed and by whom is decided above.

pub(crate) mod keys;
pub(crate) mod pages;
pub(crate) mod preflight;
pub(crate) mod state;
pub(crate) mod tail;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use heed::types::Bytes;
use heed::{Database, DatabaseFlags, Env, EnvFlags, EnvOpenOptions, RoTxn, RwTxn, WithoutTls};

use crate::error::{Error, Result};
use crate::record::{Header, Record, RecordRef, Secrets, sealed};
use crate::remembered::Remembered;
use keys::be_u32;
use state::{FORMAT, State};

/// Name of LMDB's data file in a domain's directory.
pub(crate) const DATA_FILE: &str = "data.mdb";
/// Name of LMDB's table of readers there.
pub(crate) const READERS_FILE: &str = "lock.mdb";
/// Sparse address space reserved for one domain's file unless configured otherwise.
pub const DEFAULT_MAP_SIZE: usize = 64 << 30;
/// Simultaneous read transactions of one domain.
const MAX_READERS: u32 = 2048;

/// Most tables of one domain.
const MAX_TABLES: u32 = 32;

/// Bytes of LMDB's lock file for each reader, and in front of them (at most).
const READER_SLOT: u64 = 64;
const LOCK_FILE_HEAD: u64 = 4096;
/// Key of the state record in table `meta`.
const STATE_KEY: &[u8] = b"state";
/// Map sizes are rounded up to a multiple of this: no system has larger pages.
const MAP_UNIT: usize = 1 << 16;

/// A raw table: bytes to bytes.
pub(crate) type Table = Database<Bytes, Bytes>;

/// The open store of one domain.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) env: Env<WithoutTls>,
    /// `state` → [`State`].
    pub(crate) meta: Table,
    /// Object id → record.
    pub(crate) records: Table,
    /// Object id → values of secret properties.
    pub(crate) secrets: Table,
    /// Parent and position → object id.
    pub(crate) children: Table,
    /// Parent, property and value → object ids (sorted duplicates).
    pub(crate) index: Table,
    /// Property, fold of a value and chunk → objects that have it.
    pub(crate) values: Table,
    /// Chunk, property and piece of a value → objects that have it.
    pub(crate) pieces: Table,
    /// Block number → notes about directories whose entries in the three tables above are still to be made.
    pub(crate) pending: Table,
    /// Object id → stamp.
    pub(crate) stamps: Table,
    /// Uuid → object id, where it is not derived from it.
    pub(crate) uuids: Table,
    /// Time of the last change and object id → nothing.
    pub(crate) times: Table,
    /// Store version → object id last saved with it.
    pub(crate) versions: Table,
    /// Object ids given back by destroyed directories.
    pub(crate) free: Table,
    /// Sequence number → change record.
    pub(crate) changes: Table,
    /// Object id → bytes of a record that could not be repaired.
    pub(crate) quarantine: Table,
    /// What `index` and `pending` have answered together, and what was made of `records`.
    pub(crate) remembered: Arc<Remembered>,
    path: PathBuf,
}

impl Store {
    /// Opens (or with `create` makes) the store in directory `path`.
    pub(crate) fn open(path: &Path, map_size: usize, create: bool) -> Result<Self> {
        if create {
            preflight::make_directory(path)?;
        } else {
            preflight::examine(path)?;
        }
        preflight::reserve_lock_file(path, u64::from(MAX_READERS) * READER_SLOT + LOCK_FILE_HEAD)?;
        let env = open_env(path, map_size)?;
        let mut txn = env.write_txn()?;
        let plain = DatabaseFlags::empty();
        let meta = open_table(&env, &mut txn, path, "meta", plain, create)?;
        // Before the other tables are looked for: a newer version may have others.
        let found = if create { FORMAT } else { format_of(meta, &txn, path)? };
        let mut newer = |name: &str| open_table(&env, &mut txn, path, name, plain, create || found < FORMAT);
        let (values, pieces, stamps) = (newer("values")?, newer("pieces")?, newer("stamps")?);
        let (uuids, times, pending) = (newer("uuids")?, newer("times")?, newer("pending")?);
        let mut table = |name: &str, flags| open_table(&env, &mut txn, path, name, flags, create);
        let records = table("records", plain)?;
        let directories = records.len(&txn)?;
        let mut table = |name: &str, flags| open_table(&env, &mut txn, path, name, flags, create);
        let store = Self {
            meta,
            records,
            secrets: table("secrets", plain)?,
            children: table("children", plain)?,
            index: table("index", DatabaseFlags::DUP_SORT | DatabaseFlags::DUP_FIXED)?,
            values,
            pieces,
            pending,
            stamps,
            uuids,
            times,
            versions: table("versions", plain)?,
            free: table("free", plain)?,
            changes: table("changes", plain)?,
            quarantine: table("quarantine", plain)?,
            remembered: Arc::new(Remembered::new(txn.id(), directories)),
            env: env.clone(),
            path: path.to_owned(),
        };
        if create {
            store.put_state(&mut txn, &State::new()?)?;
        } else if found < FORMAT {
            let state = store.state(&txn)?;
            upgrade::upgrade(&store, &mut txn, found)?;
            store.put_state(&mut txn, &state)?;
        }
        txn.commit()?;
        Ok(store)
    }

    /// Directory of the store's files.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn state(&self, txn: &RoTxn<'_>) -> Result<State> {
        read_state(self.meta, txn, &self.path)
    }

    pub(crate) fn put_state(&self, txn: &mut RwTxn<'_>, state: &State) -> Result<()> {
        Ok(self.meta.put(txn, STATE_KEY, &state.encode())?)
    }

    /// The stored record, secrets masked.
    pub(crate) fn record<'t>(&self, txn: &'t RoTxn<'_>, object: u32) -> Result<Option<RecordRef<'t>>> {
        match self.records.get(txn, &object.to_be_bytes())? {
            Some(bytes) => RecordRef::parse(object, bytes).map(Some),
            None => Ok(None),
        }
    }

    /// The stored record with its secrets shown.
    pub(crate) fn record_with_secrets<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        object: u32,
    ) -> Result<Option<RecordRef<'t>>> {
        let Some(record) = self.record(txn, object)? else { return Ok(None) };
        if !record.has_secrets() {
            return Ok(Some(record));
        }
        let bytes = self.secrets.get(txn, &object.to_be_bytes())?;
        match bytes {
            Some(b) if sealed(object, b) => Ok(Some(record.with_secrets(Secrets::Shown(&b[4..])))),
            _ => Err(Error::damaged(format!(
                "the secrets of record {object} are missing or fail their checksum"
            ))),
        }
    }

    /// A copy of the record for changing, secrets included.
    pub(crate) fn load(&self, txn: &RoTxn<'_>, object: u32) -> Result<Option<Record>> {
        Ok(self.record_with_secrets(txn, object)?.map(RecordRef::to_record))
    }

    /// Writes a record and its secrets.
    pub(crate) fn save(
        &self,
        txn: &mut RwTxn<'_>,
        object: u32,
        record: &Record,
        had_secrets: bool,
    ) -> Result<()> {
        let encoded = record.encode(object)?;
        let key = object.to_be_bytes();
        self.remembered.mark_record(txn.id(), object);
        self.records.put(txn, &key, &encoded.record)?;
        match encoded.secrets {
            // Those of most changes are as they were, and the page they are on need not be written.
            Some(secrets) if had_secrets && self.secrets.get(txn, &key)? == Some(&secrets[..]) => {}
            Some(secrets) => self.secrets.put(txn, &key, &secrets)?,
            None if had_secrets => {
                self.secrets.delete(txn, &key)?;
            }
            None => {}
        }
        Ok(())
    }

    /// Takes a record and its secrets away.
    pub(crate) fn delete(&self, txn: &mut RwTxn<'_>, object: u32) -> Result<()> {
        let key = object.to_be_bytes();
        self.remembered.mark_record(txn.id(), object);
        self.records.delete(txn, &key)?;
        self.secrets.delete(txn, &key)?;
        Ok(())
    }

    /// Changes the numbers in front of a record and leaves its properties alone.
    pub(crate) fn save_header(&self, txn: &mut RwTxn<'_>, object: u32, header: Header) -> Result<()> {
        let Some(record) = self.record(txn, object)? else {
            return Err(Error::damaged(format!("record {object} is missing")));
        };
        let bytes = record.with_header(header);
        self.remembered.mark_record(txn.id(), object);
        Ok(self.records.put(txn, &object.to_be_bytes(), &bytes)?)
    }

    /// The error with its cause where LMDB hides it: a write that ran out of disk half way is a mere input/output error
    /// to LMDB.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match error {
            Error::Storage(text) if preflight::disk_is_full(&self.path) => {
                Error::NoSpace(format!("the disk is full ({text})"))
            }
            other => other,
        }
    }

    /// Highest object id in use, if any.
    pub(crate) fn highest(&self, txn: &RoTxn<'_>) -> Result<Option<u32>> {
        Ok(self.records.last(txn)?.map(|(key, _)| be_u32(key)))
    }

    /// Empties every table of the tree; the change feed stays.
    pub(crate) fn clear_tree(&self, txn: &mut RwTxn<'_>) -> Result<()> {
        self.remembered.mark_all(txn.id());
        let index = [self.index, self.values, self.pieces, self.pending];
        let stamps = [self.stamps, self.uuids, self.times];
        let tree = [self.records, self.secrets, self.children, self.versions, self.free];
        for table in tree.into_iter().chain(index).chain(stamps) {
            table.clear(txn)?;
        }
        Ok(())
    }
}

fn open_table(
    env: &Env<WithoutTls>,
    txn: &mut RwTxn<'_>,
    path: &Path,
    name: &str,
    flags: DatabaseFlags,
    create: bool,
) -> Result<Table> {
    let mut options = env.database_options().types::<Bytes, Bytes>();
    options.name(name).flags(flags);
    if create {
        return Ok(options.create(txn)?);
    }
    options.open(txn)?.ok_or_else(|| {
        Error::Unusable(format!(
            "{} is an LMDB file, but not a NetInfo domain: it has no table \"{name}\"",
            path.display()
        ))
    })
}

fn read_state(meta: Table, txn: &RoTxn<'_>, path: &Path) -> Result<State> {
    State::decode(state_bytes(meta, txn, path)?, path)
}

/// The format of a store whose state record is good.
fn format_of(meta: Table, txn: &RoTxn<'_>, path: &Path) -> Result<u32> {
    let bytes = state_bytes(meta, txn, path)?;
    State::decode(bytes, path)?;
    Ok(state::format(bytes))
}

fn state_bytes<'t>(meta: Table, txn: &'t RoTxn<'_>, path: &Path) -> Result<&'t [u8]> {
    meta.get(txn, STATE_KEY)?.ok_or_else(|| {
        Error::Unusable(format!("{}: not a NetInfo domain: it has no state record", path.display()))
    })
}

#[allow(unsafe_code)]
fn open_env(path: &Path, map_size: usize) -> Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    let map_size = map_size.checked_next_multiple_of(MAP_UNIT).unwrap_or(DEFAULT_MAP_SIZE);
    options.map_size(map_size).max_readers(MAX_READERS).max_dbs(MAX_TABLES);
    // SAFETY: no read-ahead is a hint only. The file is ours: the node holds an exclusive lock on the data
    // directory, and `preflight` has refused network filesystems, foreign and truncated files.
    let env = unsafe {
        options.flags(EnvFlags::NO_READ_AHEAD);
        options.open(path)
    };
    env.map_err(|e| match e {
        heed::Error::Io(io) if preflight::is_full(&io) => io.into(),
        heed::Error::Io(io) => Error::Unusable(format!("cannot open the store in {}: {io}", path.display())),
        other => Error::Unusable(format!("cannot open the store in {}: {other}", path.display())),
    })
}

//! The store without the core: LMDB's tables opened directly, to look at bytes and to damage them.

use std::path::Path;

use heed::types::Bytes;
use heed::{Database, Env, EnvOpenOptions, RwTxn, WithoutTls};

pub(crate) type Table = Database<Bytes, Bytes>;

/// The tables of the format, in the order in which it describes them.
pub(crate) const TABLES: [&str; 15] = [
    "meta",
    "records",
    "secrets",
    "children",
    "index",
    "values",
    "pieces",
    "pending",
    "stamps",
    "uuids",
    "times",
    "versions",
    "free",
    "changes",
    "quarantine",
];

pub(crate) struct Raw {
    tables: Vec<(&'static str, Table)>,
}

impl Raw {
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&'static str, Table)> + '_ {
        self.tables.iter().copied()
    }

    pub(crate) fn table(&self, name: &str) -> Table {
        self.tables.iter().find(|(n, _)| *n == name).unwrap().1
    }

    /// All entries of a table.
    pub(crate) fn dump(&self, txn: &RwTxn<'_>, name: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let entries = self.table(name).iter(txn).unwrap();
        entries.map(|e| e.map(|(k, v)| (k.to_vec(), v.to_vec())).unwrap()).collect()
    }

    pub(crate) fn get(&self, txn: &RwTxn<'_>, name: &str, key: &[u8]) -> Vec<u8> {
        self.table(name).get(txn, key).unwrap().unwrap().to_vec()
    }

    pub(crate) fn put(&self, txn: &mut RwTxn<'_>, name: &str, key: &[u8], value: &[u8]) {
        self.table(name).put(txn, key, value).unwrap();
    }

    pub(crate) fn delete(&self, txn: &mut RwTxn<'_>, name: &str, key: &[u8]) {
        assert!(self.table(name).delete(txn, key).unwrap(), "nothing to delete in {name}");
    }

    /// Changes a record's bytes and gives them the right checksum.
    pub(crate) fn edit_record(&self, txn: &mut RwTxn<'_>, object: u32, edit: impl FnOnce(&mut Vec<u8>)) {
        let key = object.to_be_bytes();
        let mut bytes = self.get(txn, "records", &key);
        edit(&mut bytes);
        seal(&key, &mut bytes);
        self.put(txn, "records", &key, &bytes);
    }

    /// Changes the state record and gives it the right checksum.
    pub(crate) fn edit_state(&self, txn: &mut RwTxn<'_>, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.get(txn, "meta", b"state");
        edit(&mut bytes);
        let end = bytes.len() - 4;
        let sum = crc32c::crc32c(&bytes[..end]);
        bytes[end..].copy_from_slice(&sum.to_le_bytes());
        self.put(txn, "meta", b"state", &bytes);
    }
}

/// The checksum of a record or its secrets: CRC-32C over the key and everything behind the checksum.
pub(crate) fn seal(key: &[u8], bytes: &mut [u8]) {
    let sum = crc32c::crc32c_append(crc32c::crc32c(key), &bytes[4..]);
    bytes[..4].copy_from_slice(&sum.to_le_bytes());
}

/// Opens an LMDB environment. No domain may be open there.
#[allow(unsafe_code)]
pub(crate) fn environment(path: &Path) -> Env<WithoutTls> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(1 << 30).max_dbs(16);
    // SAFETY: nobody else has the file; the node of the test is closed.
    unsafe { options.open(path).unwrap() }
}

/// Runs `work` on the tables of the domain stored in `path`, and commits.
pub(crate) fn with_store<T>(path: &Path, work: impl FnOnce(&Raw, &mut RwTxn<'_>) -> T) -> T {
    let env = environment(path);
    let mut txn = env.write_txn().unwrap();
    let open = |name| (name, env.open_database::<Bytes, Bytes>(&txn, Some(name)).unwrap().unwrap());
    let raw = Raw { tables: TABLES.into_iter().map(open).collect() };
    let result = work(&raw, &mut txn);
    txn.commit().unwrap();
    env.prepare_for_closing().wait();
    result
}

//! Making folders.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::codec::{self, class_of};
use super::database::{Database, Directory, Layout};
use super::error::{StoreError, StoreErrorKind};
use super::files::{FolderMut, OsFolder};
use super::layout::{
    CLEAN, COLLECTION, CONFIG, CONFIG_BYTES, EXTENSION, INDEX, SMALL_COLLECTION, store_name,
};
use super::legacy::{self, SLOT_BYTES, SMALL_SLOT_BYTES};
use super::load::{self, index_entry};
use super::place::Placing;
use super::scan::Location;
use super::stored::{ORDER_KEY, Properties, StoredRecord};
use super::tree;
use crate::Loss;

/// Highest id that is written in the legacy layout, where the number of the slots goes up to the highest id.
pub const MAX_LEGACY_ID: u32 = (1 << 20) - 1;

/// The byte order of a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// 68k, PowerPC.
    Big,
    /// Intel.
    Little,
}

impl ByteOrder {
    /// That of this machine.
    pub const HOST: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Big => Self::Little,
            Self::Little => Self::Big,
        }
    }

    pub(crate) const fn bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Big => number.to_be_bytes(),
            Self::Little => number.to_le_bytes(),
        }
    }
}

/// How a folder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// Replace a folder that exists.
    pub replace: bool,
    /// Modern layout: write `Index`, and `Clean` in the byte order of the machine that shall read the folder. Without
    /// them every server makes its own when it first opens the folder.
    pub index_for: Option<ByteOrder>,
}

/// Writes the directories as a folder of the modern layout. The folder is made as `TAG.temp` beside its place and
/// renamed, so that there is never half of it. Versions are kept if they are distinct, and given anew if not.
///
/// # Errors
///
/// `WriteFailed`, also if the folder exists and is not to be replaced; `NoRootRecord`; `ConstraintViolation` if the
/// directories are no tree ([`Database::mend`] makes them one); `InvalidRecord` for a directory that is too large.
pub fn write_modern(
    database: &Database,
    folder: &Path,
    options: WriteOptions,
) -> Result<Vec<Loss>, StoreError> {
    check_tree(database)?;
    let mut losses = Vec::new();
    let lines = lines(database);
    let renumber = !distinct_versions(database);
    let mut records = BTreeMap::new();
    for (number, directory) in (1..).zip(database.directories.values()) {
        let line = lines.get(&directory.id).copied().unwrap_or_default();
        let mut record = StoredRecord::with_properties(&carried(directory, line, &mut losses));
        record.id = directory.id;
        record.serial = directory.instance;
        record.version = if renumber { number } else { directory.version };
        (record.parent, record.children) = (directory.parent, directory.children.clone());
        records.insert(directory.id, record);
    }
    let mut placing = Placing::begin(folder, options.replace)?;
    write_records(&records, placing.files(), options.index_for)?;
    placing.finish()?;
    Ok(losses)
}

/// Writes records into an empty folder.
pub(crate) fn write_records(
    records: &BTreeMap<u32, StoredRecord>,
    files: &mut OsFolder,
    index_for: Option<ByteOrder>,
) -> Result<(), StoreError> {
    let mut stores: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    let mut index = Vec::new();
    for record in records.values() {
        let block = codec::encode(record).ok_or_else(|| too_large(record.id))?;
        let class = class_of(block.len());
        let store = stores.entry(class).or_default();
        let slot = store.len() / class;
        store.extend_from_slice(&block);
        store.resize((slot + 1) * class, 0);
        index.extend_from_slice(&index_entry(record, Location { class, slot }));
    }
    let mut write = |name: &str, bytes: &[u8]| files.write(name, bytes).map_err(|error| failed(name, error));
    write(CONFIG, &CONFIG_BYTES)?;
    for (class, store) in &stores {
        write(&store_name(*class), store)?;
    }
    if let Some(order) = index_for {
        write(INDEX, &index)?;
        write(CLEAN, &order.bytes(load::checksum(records)))?;
    }
    Ok(())
}

fn too_large(id: u32) -> StoreError {
    let detail = format!("directory {id} is larger than {} bytes", codec::MAX_RECORD_BYTES);
    StoreError::about(StoreErrorKind::InvalidRecord, detail)
}

fn failed(name: &str, error: io::Error) -> StoreError {
    StoreError::io(StoreErrorKind::WriteFailed, name, error)
}

/// The same as a folder of the legacy layout: with slots of 256 bytes if the directories come from such a folder, else
/// with slots of 512.
///
/// # Errors
///
/// As [`write_modern`]; `InvalidRecord` if an id is above [`MAX_LEGACY_ID`].
pub fn write_legacy(
    database: &Database,
    folder: &Path,
    options: WriteOptions,
) -> Result<Vec<Loss>, StoreError> {
    let mut placing = Placing::begin(folder, options.replace)?;
    let losses = write_slots(database, &mut placing)?;
    placing.finish()?;
    Ok(losses)
}

/// Writes the legacy layout into an empty folder.
pub(crate) fn write_slots(database: &Database, placing: &mut Placing) -> Result<Vec<Loss>, StoreError> {
    check_tree(database)?;
    let highest = database.highest_id();
    if highest > MAX_LEGACY_ID {
        let detail = format!("directory {highest}: the layout has no ids above {MAX_LEGACY_ID}");
        return Err(StoreError::about(StoreErrorKind::InvalidRecord, detail));
    }
    let (name, slot_bytes) = match database.layout {
        Layout::Collection256 => (SMALL_COLLECTION, SMALL_SLOT_BYTES),
        Layout::Collection512 | Layout::Modern => (COLLECTION, SLOT_BYTES),
    };
    let mut losses = Vec::new();
    let lines = lines(database);
    let mut slots = BufWriter::new(placing.files().create(name).map_err(|error| failed(name, error))?);
    for id in 0..=highest {
        let mut slot = match database.directories.get(&id) {
            None => legacy::free_slot(slot_bytes),
            Some(directory) => {
                let line = lines.get(&id).copied().unwrap_or_default();
                let properties = carried(directory, line, &mut losses).into_owned();
                let bytes = legacy::encode(&Directory { properties, ..directory.clone() });
                if bytes.len() > codec::MAX_RECORD_BYTES {
                    return Err(too_large(id));
                }
                if bytes.len() > slot_bytes {
                    let name = format!("{EXTENSION}{id}");
                    placing.files().write(&name, &bytes).map_err(|error| failed(&name, error))?;
                }
                bytes
            }
        };
        slot.resize(slot_bytes, 0);
        slots.write_all(&slot).map_err(|error| failed(name, error))?;
    }
    let file = slots.into_inner().map_err(|error| failed(name, error.into_error()))?;
    file.sync_all().map_err(|error| failed(name, error))?;
    Ok(losses)
}

/// Directories must be a tree below directory 0.
fn check_tree(database: &Database) -> Result<(), StoreError> {
    if !database.directories.contains_key(&0) {
        return Err(StoreErrorKind::NoRootRecord.into());
    }
    let mut copy = tree::of(&database.directories);
    match tree::mend(&mut copy).into_vec().first() {
        None => Ok(()),
        Some(finding) => Err(StoreError::about(StoreErrorKind::ConstraintViolation, finding.to_string())),
    }
}

/// The numbers of the directories in the stream of the database, from 1.
fn lines(database: &Database) -> HashMap<u32, u64> {
    database.preorder().into_iter().zip(1..).collect()
}

fn distinct_versions(database: &Database) -> bool {
    let mut seen = HashSet::new();
    database.directories.values().all(|directory| seen.insert(directory.version))
}

/// The properties that a folder can hold: texts end at a NUL, and one name is taken.
fn carried<'a>(directory: &'a Directory, line: u64, losses: &mut Vec<Loss>) -> Cow<'a, Properties> {
    let reserved = |name: &[u8]| name.strip_prefix(b"_") == Some(ORDER_KEY);
    let inner = |text: &Vec<u8>| text.contains(&0);
    let odd =
        |(name, values): &(Vec<u8>, Vec<Vec<u8>>)| reserved(name) || inner(name) || values.iter().any(inner);
    if !directory.properties.iter().any(odd) {
        return Cow::Borrowed(&directory.properties);
    }
    let whole = |text: &Vec<u8>| text.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let mut kept = Vec::new();
    for property in &directory.properties {
        let (name, values) = property;
        let mut lose = |why| losses.push(Loss { line, property: name.clone(), why });
        if reserved(name) {
            lose("the name is taken by the format");
            continue;
        }
        if odd(property) {
            lose("what comes behind a NUL is cut off");
        }
        kept.push((whole(name), values.iter().map(whole).collect()));
    }
    Cow::Owned(kept)
}

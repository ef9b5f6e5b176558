//! A folder of either layout, read as the historical server would after it has opened it, in memory alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::codec::{self, HEADER_BYTES, MAX_RECORD_BYTES};
use super::database::Layout;
use super::datum::kind;
use super::error::{StoreError, StoreErrorKind};
use super::files::{self, Folder, OsFolder};
use super::finding::{Finding, FindingKind, Findings};
use super::layout::{
    CLEAN, COLLECTION, CONFIG, CONFIG_BYTES, CREATE, DELETE, INDEX, INDEX_ENTRY_BYTES, SMALL_COLLECTION,
    TEMP, TEMP_INDEX,
};
use super::scan::{self, Location, Scan};
use super::stored::StoredRecord;
use super::write::ByteOrder;
use super::{load_legacy, term, tree};

/// What a folder holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) layout: Layout,
    pub(crate) records: BTreeMap<u32, StoredRecord>,
    pub(crate) findings: Findings,
    /// The checksum that the server has after it has opened the folder.
    pub(crate) opened_checksum: u32,
}

/// Opens a folder of the file system for reading, with the lock that writers take.
pub(crate) fn open(path: &Path) -> Result<(OsFolder, Findings), StoreError> {
    let shown = || path.display().to_string();
    let mut folder = OsFolder::new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            StoreError::io(StoreErrorKind::InvalidDatastore, &shown(), error)
        }
        _ => StoreError::io(StoreErrorKind::ReadFailed, &shown(), error),
    })?;
    let mut findings = Findings::default();
    // A folder on a medium that cannot lock, or without `Config`, is read without.
    let regular = matches!(folder.info(CONFIG), Ok(Some(info)) if info.regular);
    if regular && matches!(folder.lock(false), Ok(false)) {
        let detail = "another process is changing it; what is read may be half of a change";
        findings.push(Finding::new(FindingKind::InUse, detail));
    }
    Ok((folder, findings))
}

/// Which layout a folder has.
///
/// # Errors
///
/// `InvalidDatastore` if it is no database, `ReadFailed` if it cannot be listed.
pub(crate) fn layout(folder: &dyn Folder) -> Result<Layout, StoreError> {
    Ok(Names::of(folder)?.layout)
}

/// What the names in a folder say.
struct Names {
    names: Vec<String>,
    config: bool,
    layout: Layout,
    /// There are files of several layouts.
    several: bool,
}

impl Names {
    fn of(folder: &dyn Folder) -> Result<Self, StoreError> {
        let names = scan::names(folder)?;
        let has = |name: &str| names.iter().any(|found| found == name);
        let (config, large, small) = (has(CONFIG), has(COLLECTION), has(SMALL_COLLECTION));
        let stores = names.iter().any(|name| super::layout::store_class(name).is_some());
        let layout = match (config, large, small, stores) {
            (true, ..) => Layout::Modern,
            (false, true, ..) => Layout::Collection512,
            (false, false, true, _) => Layout::Collection256,
            (false, false, false, true) => Layout::Modern,
            (false, false, false, false) => return Err(StoreErrorKind::InvalidDatastore.into()),
        };
        let several = [config || stores, large, small].into_iter().filter(|there| *there).count() > 1;
        Ok(Self { names, config, layout, several })
    }
}

/// Reads a folder.
///
/// # Errors
///
/// `InvalidDatastore` if it is no database, `ReadFailed` if it cannot be listed.
pub(crate) fn load(folder: &dyn Folder) -> Result<Loaded, StoreError> {
    let Names { names, config, layout, several } = Names::of(folder)?;
    let mut loaded = match layout {
        Layout::Modern => load_modern(folder)?,
        Layout::Collection512 | Layout::Collection256 => load_legacy::load(folder, &names, layout),
    };
    if !config && layout == Layout::Modern {
        let detail = "it is missing: servers make a new one";
        loaded.findings.push(Finding::new(FindingKind::MissingConfig, detail).in_file(CONFIG));
    }
    if several {
        let detail = "the folder holds files of several layouts; those of the newest count";
        loaded.findings.push(Finding::new(FindingKind::BothLayouts, detail));
    }
    Ok(loaded)
}

fn load_modern(folder: &dyn Folder) -> Result<Loaded, StoreError> {
    let mut scan = Scan::run(folder)?;
    judge_small_files(folder, &mut scan);
    let mut checksum = checksum(&scan.records);
    let pending = replay(folder, &mut scan, &mut checksum);
    if !pending {
        judge_index(folder, &mut scan, checksum);
    }
    scan.judge_values();
    judge_versions(&mut scan);
    let mut records = scan.records;
    let mut findings = scan.findings;
    let mut links = tree::links(&records);
    findings.extend(tree::mend(&mut links));
    if pending {
        save(tree::apply(links, &mut records), &mut records, &mut checksum);
    }
    Ok(Loaded { layout: Layout::Modern, records, findings, opened_checksum: checksum })
}

/// Σ (id + 1) · serial.
pub(crate) fn checksum(records: &BTreeMap<u32, StoredRecord>) -> u32 {
    records.values().fold(0, |sum, record| sum.wrapping_add(term(record.id, record.serial)))
}

/// Counts changed records up, as a save does.
pub(crate) fn save(changed: Vec<u32>, records: &mut BTreeMap<u32, StoredRecord>, checksum: &mut u32) {
    let mut version = records.values().map(|record| record.version).max().unwrap_or(0);
    for id in changed {
        if let Some(record) = records.get_mut(&id) {
            version = version.wrapping_add(1);
            record.version = version;
            record.serial = record.serial.wrapping_add(1);
            *checksum = checksum.wrapping_add(term(id, 1));
        }
    }
}

fn judge_small_files(folder: &dyn Folder, scan: &mut Scan) {
    match files::read_small(folder, CONFIG, CONFIG_BYTES.len() as u64) {
        Ok(None) => {}
        Ok(Some(bytes)) if bytes == CONFIG_BYTES => {}
        _ => {
            let detail = "it is not the number 1; no server minds";
            scan.findings.push(Finding::new(FindingKind::OddConfig, detail).in_file(CONFIG));
        }
    }
    for name in [TEMP, TEMP_INDEX] {
        if matches!(folder.info(name), Ok(Some(_))) {
            let detail = "a file that was being written; servers remove it";
            scan.findings.push(Finding::new(FindingKind::Leftover, detail).in_file(name));
        }
    }
}

/// The record in a left-over `Create`, if it is whole.
pub(crate) fn pending_create(folder: &dyn Folder, scan: &mut Scan) -> Option<StoredRecord> {
    let bytes = match files::read_small(folder, CREATE, MAX_RECORD_BYTES as u64) {
        Ok(bytes) => bytes?,
        Err(error) => {
            scan.unreadable(CREATE, &error);
            return None;
        }
    };
    let whole = codec::header(&bytes).is_some_and(|(kind, stated)| {
        kind == kind::RECORD && u64::from(stated) + HEADER_BYTES as u64 == bytes.len() as u64
    });
    let decoded = bytes.get(HEADER_BYTES..).filter(|_| whole).and_then(codec::decode);
    let Some((record, length)) = decoded else {
        let detail = "it holds no whole record and is passed over";
        scan.findings.push(Finding::new(FindingKind::BadRecord, detail).in_file(CREATE));
        return None;
    };
    if length + HEADER_BYTES != bytes.len() {
        scan.wrong_length(CREATE, record.id, bytes.len() - HEADER_BYTES, length);
    }
    let detail = "a record that was being saved; it is taken over";
    scan.findings.push(Finding::new(FindingKind::PendingCreate, detail).in_file(CREATE).of(record.id));
    Some(record)
}

/// The id in a left-over `Delete`, in the byte order that names a record.
pub(crate) fn pending_delete(folder: &dyn Folder, scan: &mut Scan) -> Option<u32> {
    let bytes = match files::read_small(folder, DELETE, 4) {
        Ok(bytes) => bytes?,
        Err(error) => {
            scan.unreadable(DELETE, &error);
            return None;
        }
    };
    let Ok(word) = <[u8; 4]>::try_from(bytes) else {
        scan.findings.push(Finding::new(FindingKind::Leftover, "it holds no id").in_file(DELETE));
        return None;
    };
    // Half-way through, the record may be there in part.
    let known =
        |id: &u32| scan.records.contains_key(id) || scan.debris.iter().any(|debris| debris.id == Some(*id));
    let orders = [u32::from_be_bytes(word), u32::from_le_bytes(word)];
    let named = orders.into_iter().filter(known).min();
    let mut report = |kind, detail: &str| scan.findings.push(Finding::new(kind, detail).in_file(DELETE));
    match named {
        None => {
            report(FindingKind::Leftover, "the directory it names is gone already");
            None
        }
        Some(0) => {
            report(FindingKind::Leftover, "it names the root, which cannot be removed");
            None
        }
        Some(id) => {
            let detail = "the directory was being removed; it is left out";
            scan.findings.push(Finding::new(FindingKind::PendingDelete, detail).in_file(DELETE).of(id));
            Some(id)
        }
    }
}

/// Carries out in memory what a crash interrupted. Whether there was anything.
fn replay(folder: &dyn Folder, scan: &mut Scan, checksum: &mut u32) -> bool {
    let exists = |name| matches!(folder.info(name), Ok(Some(_)));
    let pending = exists(CREATE) || exists(DELETE);
    let created = pending_create(folder, scan);
    let id = created.as_ref().map(|record| record.id);
    let mut forget = |record: Option<StoredRecord>| {
        if let Some(record) = record {
            *checksum = checksum.wrapping_sub(term(record.id, record.serial));
        }
    };
    if let Some(record) = created {
        // The sum of the server has the new record only after its next start.
        forget(scan.records.insert(record.id, record));
    }
    if let Some(removed) = pending_delete(folder, scan).filter(|removed| Some(*removed) != id) {
        forget(scan.records.remove(&removed));
    }
    pending
}

/// Holds `Index` and `Clean` against the records. One without the other has no meaning.
fn judge_index(folder: &dyn Folder, scan: &mut Scan, checksum: u32) {
    let exists = |name| matches!(folder.info(name), Ok(Some(info)) if info.bytes > 0);
    if !exists(INDEX) || !exists(CLEAN) {
        return;
    }
    if let Some(trouble) = index_trouble(folder, scan) {
        scan.findings.push(Finding::new(FindingKind::WrongIndex, trouble).in_file(INDEX));
    }
    if clean_order(folder, scan).is_none() {
        let detail = format!("it is not the checksum, {checksum}, in either byte order");
        scan.findings.push(Finding::new(FindingKind::WrongChecksum, detail).in_file(CLEAN));
    }
}

/// The byte order of `Clean`, if it holds the checksum. If both orders are the same, that of this machine.
pub(crate) fn clean_order(folder: &dyn Folder, scan: &Scan) -> Option<ByteOrder> {
    let word = <[u8; 4]>::try_from(files::read_small(folder, CLEAN, 4).ok()??).ok()?;
    let checksum = checksum(&scan.records);
    [ByteOrder::HOST, ByteOrder::HOST.other()].into_iter().find(|order| order.bytes(checksum) == word)
}

/// What is wrong with `Index`.
pub(crate) fn index_trouble(folder: &dyn Folder, scan: &Scan) -> Option<String> {
    let bytes = folder.info(INDEX).ok().flatten().map_or(0, |info| info.bytes);
    let count = bytes / INDEX_ENTRY_BYTES as u64;
    if count != scan.records.len() as u64 {
        return Some(format!("it has {count} entries for {} records", scan.records.len()));
    }
    let Ok(mut file) = folder.open(INDEX) else { return Some("it cannot be read".to_owned()) };
    for (record, at) in scan.records.values().zip(scan.places.values()) {
        let mut entry = [0; INDEX_ENTRY_BYTES];
        if file.read_exact(&mut entry).is_err() {
            return Some("it cannot be read".to_owned());
        }
        if entry != index_entry(record, *at) {
            return Some(format!("its entry for directory {} is wrong", record.id));
        }
    }
    None
}

/// The entry of `Index` for a record.
pub(crate) fn index_entry(record: &StoredRecord, at: Location) -> [u8; INDEX_ENTRY_BYTES] {
    let mut entry = [0; INDEX_ENTRY_BYTES];
    // Classes and slots have 32 bits: the folder is not larger than [`files::MAX_FOLDER_BYTES`].
    let (class, slot) = (at.class as u32, at.slot as u32);
    for (part, number) in entry.chunks_exact_mut(4).zip([record.id, record.version, class, slot]) {
        part.copy_from_slice(&number.to_be_bytes());
    }
    entry
}

/// Versions are distinct, or all 0 after they were reset.
fn judge_versions(scan: &mut Scan) {
    let mut versions: Vec<u32> = scan.records.values().map(|record| record.version).collect();
    versions.sort_unstable();
    let doubled = versions.windows(2).filter(|pair| pair[0] == pair[1] && pair[0] != 0).count();
    if doubled > 0 {
        let detail = format!("{doubled} records have the version of another");
        scan.findings.push(Finding::new(FindingKind::DuplicateVersion, detail));
    }
}

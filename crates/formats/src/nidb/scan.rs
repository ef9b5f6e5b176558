//! All records of the store files.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::error::{StoreError, StoreErrorKind};
use super::files::{FileInfo, Folder, MAX_FOLDER_BYTES};
use super::finding::{Finding, FindingKind, Findings};
use super::layout::{self, Slot};
use super::order;
use super::stored::{Attribute, StoredRecord};

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    /// Size class: the number in the name of the file.
    pub(crate) class: usize,
    /// Number of the slot in the file.
    pub(crate) slot: usize,
}

/// A slot that is occupied although no record is taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Debris {
    pub(crate) at: Location,
    /// The id that it claims.
    pub(crate) id: Option<u32>,
}

/// What the store files hold.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The records, of each id the one with the highest version and serial.
    pub(crate) records: BTreeMap<u32, StoredRecord>,
    /// Where they are.
    pub(crate) places: BTreeMap<u32, Location>,
    /// Of every file by its class, which slots are occupied.
    pub(crate) occupied: BTreeMap<usize, Vec<bool>>,
    /// What else occupies slots.
    pub(crate) debris: Vec<Debris>,
    /// Ids that more than one record has.
    pub(crate) duplicates: Vec<u32>,
    /// What is odd.
    pub(crate) findings: Findings,
    /// Ids that debris claims which is no record.
    claims: Vec<u32>,
    /// Bytes read so far, of [`MAX_FOLDER_BYTES`].
    bytes: u64,
}

impl Scan {
    /// Reads all store files of a folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be listed. Files that cannot be read are findings.
    pub(crate) fn run(folder: &dyn Folder) -> Result<Self, StoreError> {
        let mut scan = Self::default();
        for name in names(folder)? {
            if let Some(class) = layout::store_class(&name) {
                scan.file(folder, &name, class);
            } else if layout::is_stray_store(&name) {
                let detail = "its name is nearly that of a store file: historical servers trip over it";
                scan.findings.push(Finding::new(FindingKind::StrayFile, detail).in_file(name));
            }
        }
        scan.judge_claims();
        Ok(scan)
    }

    /// Allows for another file of so many bytes.
    pub(crate) fn admit(&mut self, name: &str, info: FileInfo) -> bool {
        let trouble = if !info.regular {
            "it is no ordinary file"
        } else if info.bytes > MAX_FOLDER_BYTES - self.bytes {
            "it makes the folder larger than can be read"
        } else {
            self.bytes += info.bytes;
            return true;
        };
        self.findings.push(Finding::new(FindingKind::UnreadableFile, trouble).in_file(name));
        false
    }

    fn file(&mut self, folder: &dyn Folder, name: &str, class: usize) {
        let outcome = folder.info(name).and_then(|info| match info {
            Some(info) if self.admit(name, info) => self.slots(folder, name, class, info.bytes),
            _ => Ok(()),
        });
        if let Err(error) = outcome {
            self.unreadable(name, &error);
        }
    }

    pub(crate) fn unreadable(&mut self, name: &str, error: &io::Error) {
        let detail = format!("it cannot be read: {}", error.kind());
        self.findings.push(Finding::new(FindingKind::UnreadableFile, detail).in_file(name));
    }

    fn slots(&mut self, folder: &dyn Folder, name: &str, class: usize, bytes: u64) -> io::Result<()> {
        let count = usize::try_from(bytes / class as u64).map_err(io::Error::other)?;
        if !bytes.is_multiple_of(class as u64) {
            let detail = format!("{} bytes behind the last slot", bytes % class as u64);
            self.findings.push(Finding::new(FindingKind::PartialSlot, detail).in_file(name));
        }
        self.occupied.insert(class, vec![false; count]);
        if count == 0 {
            return Ok(());
        }
        let mut file = folder.open(name)?;
        let mut slot = vec![0; class];
        for number in 0..count {
            file.read_exact(&mut slot)?;
            let found = layout::read_slot(&slot);
            if matches!(found, Slot::Free) {
                continue;
            }
            if let Some(occupied) = self.occupied.get_mut(&class).and_then(|slots| slots.get_mut(number)) {
                *occupied = true;
            }
            self.slot(name, Location { class, slot: number }, found);
        }
        Ok(())
    }

    fn slot(&mut self, name: &str, at: Location, found: Slot) {
        let id = found.id();
        let (kind, trouble) = match found {
            Slot::Free => return,
            Slot::Record { record, stated, length } => {
                if stated != length {
                    self.wrong_length(name, record.id, stated, length);
                }
                return self.record(name, at, record);
            }
            Slot::NoRecord(kind) => (FindingKind::BadSlot, format!("type {kind} instead of a record")),
            Slot::WrongClass { class, .. } => {
                (FindingKind::WrongClass, format!("a record whose length is for Store.{class}"))
            }
            Slot::Broken { .. } => (FindingKind::BadRecord, "a record that leads out of its slot".to_owned()),
        };
        let detail = format!("slot {} holds {trouble}", at.slot);
        self.findings.push(Finding { id, ..Finding::new(kind, detail).in_file(name) });
        self.claims.extend(id);
        self.debris.push(Debris { at, id });
    }

    /// Slots without a record that can be read may claim the id of one that can.
    fn judge_claims(&mut self) {
        for id in std::mem::take(&mut self.claims) {
            if self.records.contains_key(&id) {
                let detail = "a record that cannot be read has its id too";
                self.findings.push(Finding::new(FindingKind::DuplicateId, detail).of(id));
            }
        }
    }

    pub(crate) fn wrong_length(&mut self, name: &str, id: u32, stated: usize, length: usize) {
        let detail = format!("its length is {length}, not {stated} as is said before it");
        self.findings.push(Finding::new(FindingKind::WrongLength, detail).in_file(name).of(id));
    }

    fn record(&mut self, name: &str, at: Location, record: StoredRecord) {
        let id = record.id;
        let rank = |record: &StoredRecord| (record.version, record.serial);
        let known = self.records.get(&id).map(rank);
        if let Some(known) = known {
            self.duplicates.push(id);
            let kept = known.max(rank(&record)).0;
            let detail = format!("two records have its id; that of version {kept} counts");
            self.findings.push(Finding::new(FindingKind::DuplicateId, detail).in_file(name).of(id));
        }
        let mut debris = |at| self.debris.push(Debris { at, id: Some(id) });
        if known.is_some_and(|known| known >= rank(&record)) {
            return debris(at);
        }
        self.records.insert(id, record);
        if let Some(older) = self.places.insert(id, at) {
            debris(older);
        }
    }

    /// Looks at the keys and values of all records.
    pub(crate) fn judge_values(&mut self) {
        for record in self.records.values() {
            judge(record, &mut self.findings);
        }
    }
}

/// The names in a folder.
pub(crate) fn names(folder: &dyn Folder) -> Result<Vec<String>, StoreError> {
    folder.names().map_err(|error| StoreError::io(StoreErrorKind::ReadFailed, "the folder", error))
}

/// At most one finding of a kind for a record.
fn judge(record: &StoredRecord, findings: &mut Findings) {
    let (mut odd, mut inner) = (0_usize, 0_usize);
    let attributes = record.attributes.iter().chain(record.metas.iter().filter(|meta| !meta.is_order()));
    let data = |attribute: &Attribute| {
        std::iter::once(&attribute.key).chain(&attribute.values).for_each(|datum| {
            odd += usize::from(!datum.is_text() || datum.data.last() != Some(&0));
            inner += usize::from(datum.bytes().contains(&0));
        });
    };
    attributes.for_each(data);
    if odd > 0 {
        let detail = format!("{odd} keys or values are not texts that end with a NUL");
        findings.push(Finding::new(FindingKind::OddValue, detail).of(record.id));
    }
    if inner > 0 {
        let detail = format!("{inner} keys or values have a NUL inside: servers show what is before it");
        findings.push(Finding::new(FindingKind::InnerNul, detail).of(record.id));
    }
    if order::ordered(record).1 {
        let detail = "the list of the order of its properties does not fit them";
        findings.push(Finding::new(FindingKind::BadOrder, detail).of(record.id));
    }
}

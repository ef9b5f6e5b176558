//! Looking after folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::database::{Database, Layout};
use super::error::{StoreError, StoreErrorKind};
use super::files::Folder;
use super::finding::{Finding, FindingKind};
use super::layout::CONFIG;
use super::load::{self, Loaded};
use super::order;
use super::place::Placing;
use super::stored::StoredRecord;
use super::tree;
use super::write;

/// What a repaired folder's predecessor is called: its name with this behind it.
pub const BEFORE_REPAIR: &str = ".before-repair";

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The layout of the folder.
    pub layout: Layout,
    /// How many directories there are.
    pub directories: usize,
    /// Everything odd.
    pub findings: Vec<Finding>,
}

impl Check {
    /// Whether nothing needs repair: everything that is odd is [harmless](FindingKind::is_harmless).
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.kind.is_harmless())
    }

    fn of(loaded: &Loaded) -> Self {
        let findings = loaded.findings.clone().into_vec();
        Self { layout: loaded.layout, directories: loaded.records.len(), findings }
    }
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was odd before.
    pub before: Check,
    /// What was changed, in words, one line each; nothing was written if it is empty.
    pub changes: Vec<String>,
    /// Where the folder is now that was there before.
    pub kept: Option<PathBuf>,
    /// What is odd now.
    pub after: Check,
}

/// Which layout a folder has.
///
/// # Errors
///
/// `InvalidDatastore` if it is no database, `ReadFailed` if it cannot be listed.
pub fn layout(folder: &Path) -> Result<Layout, StoreError> {
    load::layout(&load::open(folder)?.0)
}

/// Looks at a folder of either layout, with or without a root, and changes nothing.
///
/// # Errors
///
/// `InvalidDatastore` if the folder is no database, `ReadFailed` if it cannot be listed.
pub fn check(folder: &Path) -> Result<Check, StoreError> {
    let (files, mut findings) = load::open(folder)?;
    let mut loaded = load::load(&files)?;
    findings.extend(std::mem::take(&mut loaded.findings));
    loaded.findings = findings;
    Ok(Check::of(&loaded))
}

/// Makes a folder of either layout sound: finishes or drops what a crash left, keeps one record of each id, and makes
/// lists of children and parents agree. Nothing that can be reached is lost, and what cannot comes below the root.
///
/// The repaired folder is written beside the old one and takes its place; the old one is kept, with
/// [`BEFORE_REPAIR`] behind its name. A sound folder is left alone.
///
/// # Errors
///
/// As [`check`]; `ReadFailed` if a file cannot be read, for what it holds would be lost; `WriteFailed`, `Locked`.
pub fn repair(folder: &Path) -> Result<Repair, StoreError> {
    let (mut files, _) = load::open(folder)?;
    if matches!(files.info(CONFIG), Ok(Some(info)) if info.regular) && matches!(files.lock(true), Ok(false)) {
        return Err(StoreErrorKind::Locked.into());
    }
    let mut loaded = load::load(&files)?;
    let before = Check::of(&loaded);
    if before.is_sound() {
        return Ok(Repair { after: before.clone(), before, changes: Vec::new(), kept: None });
    }
    if let Some(finding) = before.findings.iter().find(|found| found.kind == FindingKind::UnreadableFile) {
        return Err(StoreError::about(StoreErrorKind::ReadFailed, finding.to_string()));
    }
    let mut changes: Vec<String> = before.findings.iter().filter_map(outcome).collect();
    changes.extend(set_right(&mut loaded.records));
    let mut placing = Placing::begin(folder, true)?;
    match loaded.layout {
        Layout::Modern => write::write_records(&loaded.records, placing.files(), None)?,
        Layout::Collection512 | Layout::Collection256 => {
            let database = Database::of(loaded)?;
            write::write_slots(&database, &mut placing)?;
        }
    }
    let kept = placing.finish_keeping(BEFORE_REPAIR)?;
    changes.push("all records were written anew".to_owned());
    Ok(Repair { before, changes, kept, after: check(folder)? })
}

/// What becomes of something that is not about the tree.
fn outcome(finding: &Finding) -> Option<String> {
    use FindingKind::{
        BadRecord, BadSlot, DuplicateId, Leftover, PartialSlot, PendingCreate, PendingDelete,
        PendingTransaction, StrayFile, WrongClass,
    };
    match finding.kind {
        PendingCreate | PendingDelete => Some(format!("finished: {finding}")),
        StrayFile | Leftover | PartialSlot | BadSlot | WrongClass | BadRecord | DuplicateId
        | PendingTransaction => Some(format!("left out: {finding}")),
        _ => None,
    }
}

/// Makes the records a tree, with lists of the order of properties that make sense.
fn set_right(records: &mut BTreeMap<u32, StoredRecord>) -> Vec<String> {
    let mut changes = Vec::new();
    records.entry(0).or_insert_with(|| {
        changes.push("a root without properties was made".to_owned());
        StoredRecord::default()
    });
    let mut links = tree::links(records);
    tree::mend(&mut links);
    let mut changed = tree::apply(links, records);
    changes.extend(changed.iter().map(|id| format!("directory {id}: parent and children were set right")));
    for (id, record) in records.iter_mut() {
        if order::ordered(record).1 {
            record.drop_order();
            changed.push(*id);
            changes.push(format!("directory {id}: the order of its properties was dropped"));
        }
    }
    changed.sort_unstable();
    changed.dedup();
    load::save(changed, records, &mut 0);
    changes
}

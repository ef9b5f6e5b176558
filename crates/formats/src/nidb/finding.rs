//! What is odd about a folder.

use std::fmt;

/// Most findings that are kept of one folder.
pub const MAX_FINDINGS: usize = 10_000;

/// Something about a folder that is not as the format wants it. Values are never part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The file it is about.
    pub file: Option<String>,
    /// The id of the directory it is about.
    pub id: Option<u32>,
    /// The particulars, in words; one line.
    pub detail: String,
}

/// What can be odd. [`name`](Self::name) is for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// A file is named like one of the format but is none that it can have: a stray copy of a store file, say, which
    /// keeps the historical server from starting.
    StrayFile,
    /// `Config` is missing.
    MissingConfig,
    /// The folder holds both layouts; the modern one counts.
    BothLayouts,
    /// Another process works on the folder.
    InUse,
    /// A file cannot be read, is no file, or is too large.
    UnreadableFile,
    /// A file ends in the middle of a slot or record.
    PartialSlot,
    /// A slot holds something that is no record.
    BadSlot,
    /// A record whose length does not fit the file it is in.
    WrongClass,
    /// A record that cannot be decoded.
    BadRecord,
    /// Two records have one id; the one with the higher version counts.
    DuplicateId,
    /// A crash left a whole new record, which is taken over.
    PendingCreate,
    /// A crash left an unfinished removal, which is carried out.
    PendingDelete,
    /// A crash left a file that means nothing.
    Leftover,
    /// `Index` disagrees with the records.
    WrongIndex,
    /// `Clean` disagrees with the records in either byte order.
    WrongChecksum,
    /// A `Transaction` file holds something that is not applied.
    PendingTransaction,
    /// There is no directory 0.
    NoRoot,
    /// The parent of the root is not itself.
    RootParent,
    /// A directory lists a child that does not exist.
    MissingChild,
    /// A directory lists a child twice, or itself, or the root, or its parent.
    BadChild,
    /// A directory lists a child that belongs to another directory.
    ForeignChild,
    /// A directory names a parent that does not exist.
    MissingParent,
    /// A directory is not in the list of its parent.
    Unlisted,
    /// A directory is its own ancestor.
    Loop,
    /// Two records have one version.
    DuplicateVersion,
    /// The list of the order of the properties makes no sense.
    BadOrder,
    /// A key or value of a type that NetInfo does not have, or without the NUL at its end.
    OddValue,
    /// A text with a NUL inside: servers show what is before it.
    InnerNul,
    /// Something of the legacy layout that the conversion of the historical server passes over.
    Unconverted,
    /// `Config` holds another number than 1, which no server looks at.
    OddConfig,
    /// The length before a record is not the one it has.
    WrongLength,
    /// There were more findings than are kept.
    More,
}

impl FindingKind {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StrayFile => "stray-file",
            Self::MissingConfig => "missing-config",
            Self::BothLayouts => "both-layouts",
            Self::InUse => "in-use",
            Self::UnreadableFile => "unreadable-file",
            Self::PartialSlot => "partial-slot",
            Self::BadSlot => "bad-slot",
            Self::WrongClass => "wrong-class",
            Self::BadRecord => "bad-record",
            Self::DuplicateId => "duplicate-id",
            Self::PendingCreate => "pending-create",
            Self::PendingDelete => "pending-delete",
            Self::Leftover => "leftover",
            Self::WrongIndex => "wrong-index",
            Self::WrongChecksum => "wrong-checksum",
            Self::PendingTransaction => "pending-transaction",
            Self::NoRoot => "no-root",
            Self::RootParent => "root-parent",
            Self::MissingChild => "missing-child",
            Self::BadChild => "bad-child",
            Self::ForeignChild => "foreign-child",
            Self::MissingParent => "missing-parent",
            Self::Unlisted => "unlisted",
            Self::Loop => "loop",
            Self::DuplicateVersion => "duplicate-version",
            Self::BadOrder => "bad-order",
            Self::OddValue => "odd-value",
            Self::InnerNul => "inner-nul",
            Self::Unconverted => "unconverted",
            Self::OddConfig => "odd-config",
            Self::WrongLength => "wrong-length",
            Self::More => "more",
        }
    }

    /// Whether it is merely worth knowing: nothing is wrong with the tree, and nothing needs repair.
    pub const fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::BothLayouts
                | Self::InUse
                | Self::OddValue
                | Self::InnerNul
                | Self::DuplicateVersion
                | Self::Unconverted
        )
    }
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, detail: impl Into<String>) -> Self {
        Self { kind, file: None, id: None, detail: detail.into() }
    }

    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(crate) const fn of(mut self, id: u32) -> Self {
        self.id = Some(id);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.escape_debug())?;
        }
        if let Some(id) = self.id {
            write!(f, "directory {id}: ")?;
        }
        write!(f, "{} ({})", self.detail, self.kind.name())
    }
}

/// Collects findings, up to [`MAX_FINDINGS`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    more: u64,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        if self.list.len() < MAX_FINDINGS {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Whether there is one of a kind among those that are kept.
    pub(crate) fn has(&self, kind: FindingKind) -> bool {
        self.list.iter().any(|finding| finding.kind == kind)
    }

    pub(crate) fn extend(&mut self, other: Self) {
        other.list.into_iter().for_each(|finding| self.push(finding));
        self.more += other.more;
    }

    /// All of them; the last one tells how many there are beyond.
    pub(crate) fn into_vec(mut self) -> Vec<Finding> {
        if self.more > 0 {
            let detail = format!("{} more findings are not shown", self.more);
            self.list.push(Finding::new(FindingKind::More, detail));
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_bounded() {
        let mut findings = Findings::default();
        for id in 0..MAX_FINDINGS as u32 + 2 {
            findings.push(Finding::new(FindingKind::BadChild, "x").of(id));
        }
        let list = findings.into_vec();
        assert_eq!(list.len(), MAX_FINDINGS + 1);
        assert_eq!(list[MAX_FINDINGS].to_string(), "2 more findings are not shown (more)");
    }

    #[test]
    fn findings_name_the_file_and_the_directory() {
        let finding = Finding::new(FindingKind::WrongClass, "its length 110 is for Store.128");
        assert_eq!(finding.to_string(), "its length 110 is for Store.128 (wrong-class)");
        let finding = finding.in_file("Store.96").of(7);
        assert_eq!(
            finding.to_string(),
            "Store.96: directory 7: its length 110 is for Store.128 (wrong-class)"
        );
    }
}

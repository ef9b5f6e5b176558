//! Why a folder could not be opened or changed, with the numbers of the historical engine.

use std::fmt;
use std::io;

/// The errors of the storage engine. [`code`](Self::code) is the number that the historical tools end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The folder is no database, or one that cannot be opened as it is.
    InvalidDatastore = 1001,
    /// A file that must be there is missing.
    NoSuchFile = 1002,
    /// The operating system could not read a file.
    ReadFailed = 1003,
    /// The operating system could not write a file, or the folder was opened for reading only.
    WriteFailed = 1004,
    /// A change on a clone.
    InvalidUpdate = 1005,
    /// Two records have one id.
    DuplicateRecord = 1006,
    /// There are records but no record 0.
    NoRootRecord = 1007,
    /// Another process works on the folder.
    Locked = 1008,
    /// A record that cannot be decoded or stored.
    InvalidRecord = 2001,
    /// There is nothing to work on.
    NoData = 2002,
    /// A record cannot have this id, or the operation is not possible on it.
    InvalidRecordId = 2003,
    /// No record has this id or path.
    InvalidPath = 2004,
    /// No such property.
    InvalidKey = 2005,
    /// The record was changed since it was fetched.
    Stale = 2006,
    /// The path leads out of the folder.
    PathNotLocal = 2007,
    /// A change that would break the tree.
    ConstraintViolation = 2008,
    /// A name that cannot be.
    NamingViolation = 2009,
    /// A record without what its class needs.
    ObjectClassViolation = 2010,
    /// Not in this mode of a session.
    InvalidSessionMode = 3001,
    /// No such session.
    InvalidSession = 3002,
    /// Not allowed.
    AccessRestricted = 4001,
    /// Reading is not allowed.
    ReadRestricted = 4002,
    /// Writing is not allowed.
    WriteRestricted = 4003,
    /// Anything else.
    Failed = 9999,
}

impl StoreErrorKind {
    /// The number, 1001 to 9999.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The text that historical tools print for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidDatastore => "Invalid Datastore",
            Self::NoSuchFile => "No Such File",
            Self::ReadFailed => "Read Failed",
            Self::WriteFailed => "Write Failed",
            Self::InvalidUpdate => "Invalid Update on Clone",
            Self::DuplicateRecord => "Duplicate Record in Datastore",
            Self::NoRootRecord => "No Root Record in Datastore",
            Self::Locked => "Datastore Locked",
            Self::InvalidRecord => "Invalid Record",
            Self::NoData => "No Data",
            Self::InvalidRecordId => "Invalid Record ID",
            Self::InvalidPath => "Invalid Path",
            Self::InvalidKey => "Invalid Key",
            Self::Stale => "Stale Record Serial Number",
            Self::PathNotLocal => "Path Not Local to Datastore",
            Self::ConstraintViolation => "Constraint Violation",
            Self::NamingViolation => "Naming Violation",
            Self::ObjectClassViolation => "Object Class Violation",
            Self::InvalidSessionMode => "Invalid Session Mode",
            Self::InvalidSession => "Invalid Session",
            Self::AccessRestricted => "Access Restricted",
            Self::ReadRestricted => "Read Access Restricted",
            Self::WriteRestricted => "Write Access Restricted",
            Self::Failed => "Operation Failed",
        }
    }
}

/// What went wrong, and where.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    detail: Option<String>,
    source: Option<io::Error>,
}

impl StoreError {
    pub(crate) const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, detail: None, source: None }
    }

    /// With the file, record or rule that it is about.
    pub(crate) fn about(kind: StoreErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), source: None }
    }

    /// An error of the operating system at a file.
    pub(crate) fn io(kind: StoreErrorKind, file: &str, source: io::Error) -> Self {
        Self { kind, detail: Some(file.to_owned()), source: Some(source) }
    }

    /// Which error it is.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Its number: 1001 … 9999. Programs of old end with its lowest eight bits.
    pub const fn code(&self) -> u32 {
        self.kind.code()
    }

    /// Its historical text, without details.
    pub const fn name(&self) -> &'static str {
        self.kind.name()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_those_of_the_engine() {
        let error = StoreError::about(StoreErrorKind::InvalidDatastore, "Config");
        assert_eq!((error.code(), error.code() as u8, error.name()), (1001, 233, "Invalid Datastore"));
        assert_eq!(error.to_string(), "Invalid Datastore: Config");
        assert_eq!(StoreErrorKind::Failed.code() as u8, 15);
        assert_eq!(StoreErrorKind::Stale.code(), 2006);
    }

    #[test]
    fn errors_of_the_system_name_the_file() {
        let error =
            StoreError::io(StoreErrorKind::ReadFailed, "Store.64", io::ErrorKind::PermissionDenied.into());
        assert_eq!(error.to_string(), "Read Failed: Store.64: permission denied");
    }
}

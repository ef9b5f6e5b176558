//! The one error type of the core.
//!
//! Front-ends translate it by an exhaustive match: to a NetInfo status, an LDAP result code, an HTTP status.

use std::io;

/// Why the core refused or failed an operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No directory has this object id, or a look-up had no hit.
    #[error("no such directory")]
    NoSuchDirectory,
    /// The property index is past the end.
    #[error("no such property")]
    NoSuchProperty,
    /// The value index is past the end.
    #[error("no such value")]
    NoSuchValue,
    /// The caller's instance number is not the current one.
    #[error("write attempted on a stale version of the directory")]
    Stale,
    /// The domain is a clone, or the directory carries `_locked`.
    #[error("no writes allowed here")]
    ReadOnly,
    /// The access lists do not admit the caller.
    #[error("permission denied")]
    Permission,
    /// A directory with children cannot be destroyed.
    #[error("directory has children")]
    NotEmpty,
    /// The directory to destroy is not a child of the given parent.
    #[error("not a child of this parent")]
    Unrelated,
    /// Another directory has this uuid.
    #[error("another directory has this uuid")]
    DuplicateUuid,
    /// A directory cannot be moved to a place below itself.
    #[error("a directory cannot be moved below itself")]
    Loop,
    /// The credential names a user that has no record.
    #[error("no such user")]
    NoUser,
    /// The password did not match.
    #[error("authentication failed")]
    Authentication,
    /// The password, or what else proves an identity, was right, but nobody may use the account.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The same, because the time of the account is over.
    #[error("the account has expired")]
    AccountExpired,
    /// Too many passwords for this account, or from this address, were wrong lately. For the log; callers are told no more
    /// than of [`Error::Authentication`].
    #[error("too many wrong passwords {whose}; none is checked for another {wait_ms} ms")]
    TooManyAttempts {
        /// "for this account" or "from this address".
        whose: &'static str,
        /// Milliseconds until the next attempt is looked at.
        wait_ms: u64,
    },
    /// The operation makes no sense on a clone.
    #[error("this server holds a clone of the domain, not the master")]
    NotMaster,
    /// The domain is being shut down, or too much work of this kind is under way.
    #[error("the domain is busy")]
    Busy,
    /// The disk, the quota or the store's map is full. Nothing was lost; reads go on.
    #[error("no space left for the write: {0}")]
    NoSpace(String),
    /// A size limit of the core was exceeded.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in the unit of the thing (bytes, or a count).
        limit: usize,
    },
    /// No domain has this tag.
    #[error("no domain with tag \"{0}\"")]
    NoSuchDomain(String),
    /// A domain with this tag exists.
    #[error("a domain with tag \"{0}\" exists already")]
    DuplicateTag(String),
    /// The tag cannot name a domain.
    #[error(
        "\"{0}\" cannot be the tag of a domain: use 1 to 64 letters, digits, '.', '-' or '_', not starting with '.' or '-'"
    )]
    BadTag(String),
    /// The data on disk cannot be used; the text says why and what to do.
    #[error("{0}")]
    Unusable(String),
    /// A stored record does not pass its checksum or contradicts another.
    #[error("the store is damaged: {0}; run \"netinfo check\"")]
    Damaged(String),
    /// The store failed below the core.
    #[error("storage failure: {0}")]
    Storage(String),
}

impl Error {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

impl From<heed::Error> for Error {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Io(e) => e.into(),
            heed::Error::Mdb(heed::MdbError::MapFull) => {
                Self::NoSpace("the store's map is full (raise store.map_size)".into())
            }
            heed::Error::Mdb(heed::MdbError::ReadersFull) => Self::Busy,
            other => Self::Storage(other.to_string()),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSPC) => Self::NoSpace("the disk is full".into()),
            Some(libc::EDQUOT) => Self::NoSpace("the disk quota is used up".into()),
            _ => Self::Storage(error.to_string()),
        }
    }
}

/// Result of a core operation.
pub type Result<T> = std::result::Result<T, Error>;

//! What can go wrong: with reading, and with what a client asks to be written.

use netinfo_directory as directory;
use netinfo_schema::check::{Finding, Violation};

use crate::name::NameError;

/// Why an entry cannot be found or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The core refused or failed.
    #[error(transparent)]
    Directory(#[from] directory::Error),
    /// The text is no distinguished name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The schema of the domain cannot be made. The text says of which element, and why.
    #[error("the schema of the domain cannot be used: {0}")]
    Schema(String),
}

/// Result of reading.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a write is not made. Each has the name of the LDAP result it becomes (RFC 4511 §4.1.9).
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// There is no entry of that name.
    NoSuchObject,
    /// There is an entry of that name already.
    EntryAlreadyExists,
    /// The entry would not fit its object classes.
    ObjectClassViolation,
    /// An object class cannot be changed so.
    ObjectClassModsProhibited,
    /// A value is not allowed: too many of them, not unique in the domain, or only the server writes it.
    ConstraintViolation,
    /// A value is not one of its syntax.
    InvalidAttributeSyntax,
    /// The schema does not know the attribute.
    UndefinedAttributeType,
    /// The name cannot be that of an entry there.
    NamingViolation,
    /// The text is no distinguished name.
    InvalidDnSyntax,
    /// A value by which the entry is named would go.
    NotAllowedOnRdn,
    /// The entry has entries below it.
    NotAllowedOnNonLeaf,
    /// The entry has no such attribute or value.
    NoSuchAttribute,
    /// The entry has the value already.
    AttributeOrValueExists,
    /// The new place is in another domain.
    AffectsMultipleDsas,
    /// The access rules do not admit it.
    InsufficientAccess,
    /// This cannot be done, for the reason the words give.
    UnwillingToPerform,
    /// The request makes no sense: an addition without a value.
    Protocol,
    /// The core refused or failed.
    Directory(directory::Error),
}

/// A write that is not made, and why. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// In words, for the client; never with a secret value.
    pub message: String,
    /// For [`Reason::NoSuchObject`], the lowest entry above the missing one that exists.
    pub matched: Option<u32>,
}

impl Refusal {
    /// A refusal for `reason`, in these words.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), matched: None }
    }

    /// No entry; the lowest one above it that exists is `matched`.
    pub fn no_such_object(matched: Option<u32>) -> Self {
        Self { matched, ..Self::new(Reason::NoSuchObject, "there is no such entry") }
    }
}

impl From<directory::Error> for Refusal {
    fn from(error: directory::Error) -> Self {
        Self { message: error.to_string(), reason: Reason::Directory(error), matched: None }
    }
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        Self::new(Reason::InvalidDnSyntax, error.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Directory(error) => error.into(),
            Error::Name(error) => error.into(),
            Error::Schema(_) => Self::new(Reason::UnwillingToPerform, error.to_string()),
        }
    }
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Self {
        let reason = match &finding.violation {
            Violation::NoClass
            | Violation::NoStructuralClass
            | Violation::StructuralClasses(..)
            | Violation::Missing(_)
            | Violation::NotAllowed => Reason::ObjectClassViolation,
            Violation::UnknownClass(_) | Violation::Syntax { .. } => Reason::InvalidAttributeSyntax,
            Violation::UnknownAttribute | Violation::BadDescription => Reason::UndefinedAttributeType,
            Violation::SingleValue(_) | Violation::NotModifiable => Reason::ConstraintViolation,
            Violation::Duplicate(_) => Reason::AttributeOrValueExists,
        };
        Self::new(reason, finding.to_string())
    }
}

//! What can be wrong with a value, a description, a table or a whole schema.
//!
//! None of these errors carries a value: values may be secret. They carry names of schema elements, and places.

/// Why a value is not one of its syntax, or cannot be prepared for a matching rule.
///
/// In a filter, all of these make the assertion Undefined (RFC 4511 §4.5.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A value of this syntax has at least one character.
    #[error("the value is empty")]
    Empty,
    /// The octets are not UTF-8.
    #[error("the value is not valid UTF-8")]
    NotUtf8,
    /// A character this syntax does not have, at this byte.
    #[error("the character at byte {0} is not allowed")]
    Character(usize),
    /// A code point which string preparation prohibits (RFC 4518 §2.4).
    #[error("the value has a prohibited code point")]
    Prohibited,
    /// Not of the form that is named.
    #[error("the value is not {0}")]
    Malformed(&'static str),
    /// A number, a date or a size outside what is named.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// The matching rule does not do what was asked, as a substring match with an equality rule.
    #[error("the matching rule does not apply")]
    NotApplicable,
}

/// Why a schema description cannot be read (RFC 4512 §4.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// Something else is needed at this byte of the text.
    #[error("{expected} is needed at byte {at}")]
    Expected {
        /// What is needed.
        expected: &'static str,
        /// Byte offset in the text.
        at: usize,
    },
    /// A word that this kind of description does not have.
    #[error("unknown word {0}")]
    UnknownWord(String),
    /// A word that stands twice.
    #[error("{0} stands twice")]
    Repeated(String),
    /// A word without which the description means nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The value behind a word is not one of those it can have.
    #[error("{word} cannot be {value}")]
    BadValue {
        /// The word.
        word: &'static str,
        /// What stands behind it.
        value: String,
    },
    /// The text is longer than [`DESCRIPTION_LIMIT`](crate::description::DESCRIPTION_LIMIT).
    #[error("the description is longer than {} bytes", crate::description::DESCRIPTION_LIMIT)]
    TooLong,
}

/// Why a schema cannot be what a change would make it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {fault}")]
pub struct Problem {
    /// First name, or OID, of the element at fault.
    pub element: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with one element.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not an object identifier in dotted decimals.
    #[error("\"{0}\" is not an object identifier")]
    BadOid(String),
    /// Not a short name.
    #[error("\"{0}\" is not a name")]
    BadName(String),
    /// The OID belongs to another element, which is named.
    #[error("its object identifier is that of {0}")]
    DuplicateOid(String),
    /// The name belongs to another element of the kind.
    #[error("the name {0} belongs to another element")]
    DuplicateName(String),
    /// The supertype or superclass is not defined.
    #[error("its superior {0} is not defined")]
    UnknownSuperior(String),
    /// The element is its own superior, directly or through others.
    #[error("it is among its own superiors")]
    Cycle,
    /// More superiors, near and far, than this.
    #[error("it has more than {0} superiors")]
    TooManySuperiors(usize),
    /// A kind of class cannot be derived from another, or a type from one with another usage.
    #[error("it cannot have {0} as superior")]
    WrongSuperior(String),
    /// The syntax is not known here.
    #[error("its syntax {0} is not known")]
    UnknownSyntax(String),
    /// Neither a syntax nor a supertype to take it from.
    #[error("it has neither a syntax nor a supertype")]
    NoSyntax,
    /// The matching rule is not known here.
    #[error("the matching rule {0} is not known")]
    UnknownRule(String),
    /// The matching rule is of another kind than its place (as an ordering rule after EQUALITY).
    #[error("the matching rule {0} cannot stand there")]
    WrongRule(String),
    /// An attribute in MUST or MAY is not defined.
    #[error("its attribute {0} is not defined")]
    UnknownAttribute(String),
    /// The flags contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// An element that is to be removed does not exist.
    #[error("it is not defined")]
    NotDefined,
    /// The schema would have more than this many elements.
    #[error("a schema has at most {0} elements")]
    TooMany(usize),
}

/// Why a table or schema file cannot be read at a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl LineError {
    pub(crate) fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

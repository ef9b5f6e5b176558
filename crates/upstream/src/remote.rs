//! What a parent is asked, whatever it speaks.

use netinfo_lookup::Table;

use crate::item::{Item, Question};

/// Why a parent gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be asked now: no connection, no answer, not who it should be.
    #[error("{0}")]
    Away(String),
    /// It is there, and refused or could not answer this question.
    #[error("{0}")]
    Refused(String),
}

/// What a parent says of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the user's.
    Right,
    /// It is the user's, and has to be changed before anything else.
    MustChange,
    /// It is not.
    Wrong,
    /// There is no such user any more.
    NoUser,
    /// The account is disabled or locked.
    Disabled,
    /// The account or its password has expired.
    Expired,
    /// It cannot be verified there as things are; the text says why, and what to do.
    Impossible(String),
}

/// What came of the change of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The new one is in force.
    Done,
    /// The old one was not the user's.
    Wrong,
    /// The parent does not take the new one, or not now; in words for the user.
    Refused(String),
    /// It cannot be changed there as things are; the text says why.
    Impossible(String),
}

/// A parent as one thread asks it: connections are made when they are needed, and made anew after failures.
pub(crate) trait Remote: Send {
    /// The records that a question finds, at most [`MAX_FOUND`](crate::limits::MAX_FOUND).
    fn find(&mut self, question: &Question) -> Result<Vec<Item>, Fault>;

    /// All records of a table, at most [`MAX_LISTED`](crate::limits::MAX_LISTED).
    fn list(&mut self, table: Table) -> Result<Vec<Item>, Fault>;

    /// A number that changes with the content; `None` if there is none.
    fn stamp(&mut self) -> Result<Option<u64>, Fault>;

    /// Its clock, in seconds since 1970; `None` if it does not tell.
    fn time(&mut self) -> Result<Option<i64>, Fault> {
        Ok(None)
    }

    /// Whether a password is the user's. `Away` only where nobody has looked at it.
    fn verify(&mut self, user: &[u8], password: &[u8]) -> Result<Verdict, Fault>;

    /// Changes a password, by the right that the old one gives.
    fn change(&mut self, user: &[u8], old: &[u8], new: &[u8]) -> Result<Changed, Fault>;
}

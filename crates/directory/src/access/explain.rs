//! Why something is allowed or not, in words.

use std::fmt;

use super::Action;
use super::compiled::RuleSource;

/// A decision and what decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it is allowed.
    pub allowed: bool,
    /// What was asked for.
    pub action: Action,
    /// On which property; `None` for the directory itself.
    pub property: Option<Vec<u8>>,
    /// Path of the directory.
    pub path: Vec<u8>,
    /// What decided.
    pub reason: Reason,
    /// Text of the rule, if one did.
    pub rule: Option<String>,
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Superusers may do everything.
    Superuser,
    /// Password material is told to superusers only, whatever a rule says.
    Secret,
    /// The session cannot write: it logged in with an application password.
    ReadOnly,
    /// The session's user has to change the password before anything else.
    PasswordDue,
    /// The root directory cannot be removed.
    Root,
    /// Everybody reads over protocols that know no access rules.
    Everybody,
    /// The directory has the property `_locked`.
    Locked,
    /// A rule.
    Rule {
        /// Whether it allows.
        allows: bool,
        /// Where it stands.
        source: RuleSource,
    },
    /// A rule that cannot be read; it denies everything.
    Unreadable(RuleSource),
    /// `_writers` of the directory (of its parent, to delete it) admits the user, or everybody.
    Writers,
    /// The property's own list `_writers_<property>` does.
    PropertyWriters,
    /// Users may write this of their own directory.
    Own,
    /// Users read everything that is not secret.
    UsersRead,
    /// The root's `_anonymous` lets anonymous callers read everything.
    AnonymousReads,
    /// It is public POSIX data.
    Public,
    /// Anonymous callers do not read it.
    NotPublic,
    /// Nothing gives the right.
    Nothing,
}

impl Reason {
    /// Whether this is a reason to allow.
    #[must_use]
    pub fn allows(self) -> bool {
        match self {
            Self::Superuser
            | Self::Everybody
            | Self::Writers
            | Self::PropertyWriters
            | Self::Own
            | Self::UsersRead
            | Self::AnonymousReads
            | Self::Public => true,
            Self::Rule { allows, .. } => allows,
            Self::Secret
            | Self::ReadOnly
            | Self::PasswordDue
            | Self::Root
            | Self::Locked
            | Self::Unreadable(_)
            | Self::NotPublic
            | Self::Nothing => false,
        }
    }
}

impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(n) => write!(f, "rule {n} of the configuration"),
            Self::Tree(n) => write!(f, "value {n} of _access in the root directory"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superuser => write!(f, "superusers may do everything"),
            Self::Secret => write!(f, "password material is told to superusers only"),
            Self::ReadOnly => {
                write!(f, "the session cannot write: it logged in with an application password")
            }
            Self::PasswordDue => write!(f, "the user has to change the password first"),
            Self::Root => write!(f, "the root directory cannot be removed"),
            Self::Everybody => write!(f, "this protocol knows no rules for reading"),
            Self::Locked => write!(f, "the directory has the property _locked"),
            Self::Rule { source, .. } => write!(f, "{source}"),
            Self::Unreadable(source) => write!(f, "{source} cannot be read, and so denies everything"),
            Self::Writers => {
                write!(f, "_writers of the directory (of its parent, to delete) admits the user")
            }
            Self::PropertyWriters => write!(f, "the property's own list of writers admits the user"),
            Self::Own => write!(f, "users may write this of their own directory (_self_write)"),
            Self::UsersRead => write!(f, "users may read everything that is not secret"),
            Self::AnonymousReads => {
                write!(f, "anonymous callers may read everything that is not secret (_anonymous)")
            }
            Self::Public => write!(f, "it is public POSIX data (_anonymous)"),
            Self::NotPublic => write!(f, "anonymous callers may not read it (_anonymous)"),
            Self::Nothing => write!(f, "no rule and no list gives the right"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "allowed" } else { "denied" };
        write!(f, "{verdict}: {}", self.action)?;
        if let Some(property) = &self.property {
            write!(f, " {}", String::from_utf8_lossy(property))?;
        }
        write!(f, " of {}: {}", String::from_utf8_lossy(&self.path), self.reason)?;
        self.rule.as_ref().map_or(Ok(()), |rule| write!(f, ": {rule}"))
    }
}

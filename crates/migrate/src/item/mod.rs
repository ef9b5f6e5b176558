//! What an import brings, one directory, entry or change after another; and how it travels to a daemon (`codec`).

mod codec;

use std::fmt;

use netinfo_directory::{Property, StampBuf};
use netinfo_formats::{Place, Record};
use netinfo_mapping::write::Operation;

pub use codec::{Decoder, MAX_ITEM, encode};

/// Something to be imported.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// The line it began on, from 1; in formats without lines its number.
    pub line: u64,
    /// What it is.
    pub what: What,
}

/// What an item is.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// Another stream begins: numbers of directories are counted anew.
    Begin,
    /// A directory.
    Directory(Directory),
    /// An LDAP entry, as exports have it: its DN, and its attributes with all their values.
    Entry(Vec<u8>, Attributes),
    /// A change to an LDAP entry.
    Change(Vec<u8>, Change),
}

/// Attribute descriptions with their values, in order.
pub type Attributes = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// A directory with its properties.
#[derive(Clone, PartialEq, Eq)]
pub struct Directory {
    /// Where it stands.
    pub place: Where,
    /// Properties in order.
    pub properties: Vec<Property>,
    /// What is known of it, if anything.
    pub stamp: Option<StampBuf>,
}

/// Where a directory stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// Below the container of this name.
    In(Vec<u8>),
    /// It is the place of the import itself.
    Root,
    /// Below the directory with this number in the stream, counted from 0.
    Below(u64),
}

/// A change to an LDAP entry.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// A new entry.
    Add(Attributes),
    /// The entry goes.
    Delete,
    /// Its attributes change, step by step.
    Modify(Vec<Step>),
    /// It gets another name.
    Rename {
        /// First part of the new name.
        new_rdn: Vec<u8>,
        /// Whether the values of the old name go.
        delete_old: bool,
        /// The new parent, if it moves.
        new_superior: Option<Vec<u8>>,
    },
}

/// A step of a modification: what it does, to which attribute, with which values.
pub type Step = (Operation, Vec<u8>, Vec<Vec<u8>>);

impl From<Record> for Item {
    fn from(record: Record) -> Self {
        let place = match record.place {
            Place::In(container) => Where::In(container.into()),
            Place::Root => Where::Root,
            Place::Below(number) => Where::Below(number),
        };
        let properties =
            record.properties.into_iter().map(|(name, values)| Property { name, values }).collect();
        Self { line: record.line, what: What::Directory(Directory { place, properties, stamp: None }) }
    }
}

impl Item {
    /// Roughly the bytes it holds.
    #[must_use]
    pub fn weight(&self) -> usize {
        let lists = |lists: &Attributes| -> usize {
            lists
                .iter()
                .map(|(name, values)| name.len() + values.iter().map(|v| v.len() + 8).sum::<usize>() + 16)
                .sum()
        };
        32 + match &self.what {
            What::Directory(directory) => directory
                .properties
                .iter()
                .map(|p| p.name.len() + p.values.iter().map(|v| v.len() + 8).sum::<usize>() + 16)
                .sum(),
            What::Entry(dn, attributes) | What::Change(dn, Change::Add(attributes)) => {
                dn.len() + lists(attributes)
            }
            What::Change(dn, Change::Modify(steps)) => {
                dn.len()
                    + steps
                        .iter()
                        .map(|(_, name, values)| {
                            name.len() + values.iter().map(|v| v.len() + 8).sum::<usize>()
                        })
                        .sum::<usize>()
            }
            What::Change(dn, _) => dn.len() + 64,
            What::Begin => 0,
        }
    }
}

/// Values may be passwords: never shown.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.line, self.what)
    }
}

impl fmt::Debug for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str("begin"),
            Self::Directory(directory) => directory.fmt(f),
            Self::Entry(dn, attributes) => {
                write!(f, "{}: {} attributes", dn.escape_ascii(), attributes.len())
            }
            Self::Change(dn, change) => write!(f, "{}: {change:?}", dn.escape_ascii()),
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} properties", self.place, self.properties.len())
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(attributes) => write!(f, "add {} attributes", attributes.len()),
            Self::Delete => f.write_str("delete"),
            Self::Modify(steps) => write!(f, "modify in {} steps", steps.len()),
            Self::Rename { new_rdn, .. } => write!(f, "rename to {}", new_rdn.escape_ascii()),
        }
    }
}

//! The search policy of look-ups: the domains from the machine's own up to the root, seen as one set of users, groups,
//! hosts and so on.
//!
//! A [`View`] is made of [`Source`]s in the order in which they are asked. It knows no socket and no clock; a source is a
//! snapshot of a domain ([`DomainSource`]), or whatever else can say which records have a value: a domain on another
//! machine, a cache of one.
//!
//! | module | holds |
//! |---|---|
//! | `view` | one entry: who is asked in which order, who hides whom |
//! | `enumerate` | all entries, page by page |
//! | `groups` | groups with their members from all domains; the groups of a user |
//! | `netgroup` | netgroups and what is in them |
//! | `records` | records as they are stored: the historical query |
//! | `entries`, `keys` | a record as a typed entry; the spellings under which a key may be stored |
//! | `source`, `domain` | what is asked; a domain of this node |
//! | `trace` | a source that keeps an account of the questions |
//!
//! # Rules
//!
//! * A name belongs to the nearest source that has it. Records of the same name farther away are hidden, whatever they are
//!   looked up by; so an entry that is found by number is always the one found by its name.
//! * Members of a group are those of all sources. So are the groups of a user, and netgroups.
//! * Who the superuser of a machine is, its own domain says: users of uid 0 are known from the nearest source only.
//! * A source is asked about the tables that it [covers](Source::covers); the nearest is the first that covers a table.
//! * A record that lacks what its entry must have, such as a user without uid, is passed over.
//! * Sources that cannot be asked are passed over, too; where nothing was found, the answer is then "try again".

#![forbid(unsafe_code)]

mod domain;
mod entries;
mod enumerate;
mod groups;
mod keys;
mod netgroup;
mod records;
mod source;
mod trace;
mod view;

pub use domain::DomainSource;
pub use enumerate::{PAGE_BYTES, PAGE_ENTRIES, Page};
pub use netgroup::{MAX_NETGROUPS, MAX_TRIPLES};
pub use records::{RECORDS_BYTES, Records};
pub use source::{INDEXED, Record, Source, Table, Unavailable, ValuesOf};
pub use trace::{Asked, Traced};
pub use view::View;

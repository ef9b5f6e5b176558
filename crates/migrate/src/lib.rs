//! Bringing directories in and out of domains.
//!
//! An import reads the [`source::Part`]s of files and folders as a stream of [`item::Item`]s and hands them in batches to a
//! [`import::Target`], which puts each in its place and says what came of it. What is to be done with a directory that is
//! there already is decided in [`plan`]. A domain that is not at hand is copied before it is exported or compared.
//!
//! | module | holds |
//! |---|---|
//! | [`source`] | files and folders: formats by name, telling which it is, their items |
//! | [`item`] | directories, entries and changes on their way; how they travel to a daemon |
//! | [`plan`], `place` | what becomes of a record that is there; where a directory belongs in a tree |
//! | `passwords` | passwords that are none, and those nobody can use |
//! | [`import`](mod@import) | an import from beginning to end |
//! | `local`, `entries`, `remote` | targets: a domain at hand, LDAP entries in it, a daemon, any server |
//! | `waiting` | LDAP entries that come before those above them |
//! | [`fill`] | the fast way into a fresh domain |
//! | [`scratch`], [`gather`] | domains for a while: copies, and those made of files |
//! | [`export`](mod@export), [`convert`](mod@convert), [`diff`](mod@diff) | out, from format to format, differences |
//! | [`losses`] | what a format could not carry |
//! | [`duplicates`](mod@duplicates) | what records share although they should not |
//! | [`report`], `words` | what came of an import; names and differences in words |
//! | `error` | what ends everything |

#![forbid(unsafe_code)]

pub mod convert;
pub mod diff;
pub mod duplicates;
mod entries;
mod error;
pub mod export;
pub mod fill;
pub mod gather;
pub mod import;
pub mod item;
mod local;
pub mod losses;
mod passwords;
mod place;
pub mod plan;
mod remote;
pub mod report;
pub mod scratch;
pub mod source;
mod waiting;
mod words;

pub use error::{Error, Result};
pub use local::Local;
pub use place::{Options, Placer, Tree};
pub use remote::{Calls, Daemon, names_from_json, names_to_json};

//! NetInfo directories seen as entries of an LDAP tree, and changes of entries as changes of directories.
//!
//! Knows no protocol: front-ends bring names and values as octets, and take entries attribute by attribute. Access is the
//! core's business; what a session may not see, its [`View`](netinfo_directory::View) does not show.
//!
//! A [`Namespace`] says how one domain is seen: its suffix, layout and schema. With a view it makes a [`Tree`], which finds
//! entries by name and reads them as [`Entry`]; [`mod@write`] makes lists of changes for the core.
//!
//! | module | holds |
//! |---|---|
//! | `namespace`, `suffix` | how a domain is seen; under which name |
//! | `context`, `table`, `transform` | which attribute a property is, below which directory, and how values differ (`data/`) |
//! | [`mod@name`], `tree`, `resolve` | names, and the way between them and directories |
//! | `standing` | what has the same answer for all until the next commit |
//! | `entry` | attributes of an entry: stored, derived, operational |
//! | `wanted`, `lookup` | what filters and searches ask for: attributes, and where an index finds them |
//! | [`mod@write`] | additions, modifications, renaming and deletion as changes |
//! | [`admin`] | application passwords; why somebody may do something |
//! | [`settings`] | settings of a domain as administrators give them |
//! | [`transfer`] | whole entries for bulk loads |
//! | [`foreign`] | the tables for readers of other directories |

#![forbid(unsafe_code)]

pub mod admin;
mod context;
mod entry;
mod error;
pub mod foreign;
mod lookup;
pub mod name;
mod namespace;
mod resolve;
pub mod settings;
mod standing;
mod suffix;
mod table;
pub mod transfer;
mod transform;
mod tree;
mod wanted;
pub mod write;

pub use entry::{Attribute, AttributeValues, Entry, Told, timestamp};
pub use error::{Error, Reason, Refusal, Result};
pub use lookup::{Lookup, Lookups};
pub use namespace::{Layout, Namespace, SUBSCHEMA};
pub use resolve::Resolution;
pub use standing::KEPT_LIMIT;
pub use tree::{CHAIN_LIMIT, Tree};
pub use wanted::{Selection, Wanted};

//! The place of a domain in the hierarchy: who is above it.
//!
//! | module | holds |
//! |---|---|
//! | `parent` | a domain on another machine, and how it is written |
//!
//! Nothing here opens a socket or reads a clock.

mod parent;

pub use parent::{LdapParent, PARENT_TEXT_LIMIT, Parent, ParentError, ParentName};

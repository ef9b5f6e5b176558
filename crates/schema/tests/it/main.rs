//! The schema crate from outside: built-in tables, look-ups, changes, schema files, checks of entries.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![forbid(unsafe_code)]

mod builtin;
mod changes;
mod checks;
mod descriptions;
mod files;

//! Integration tests: look-ups over domains in scratch directories, and over sources made up in memory.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod domains;
mod enumeration;
mod groups;
mod netgroups;
mod policy;
mod records;
mod support;

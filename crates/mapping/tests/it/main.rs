//! Integration tests: entries of domains in scratch directories.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod access;
mod groups;
mod loads;
mod names;
mod organisation;
mod properties;
mod renames;
mod support;
mod writes;

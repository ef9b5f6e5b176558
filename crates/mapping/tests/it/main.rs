//! Integration tests: entries of domains in scratch directories.

mod access;
mod groups;
mod names;
mod organisation;
mod properties;
mod renames;
mod support;
mod writes;

//! The readers over whole files.

#![forbid(unsafe_code)]

mod arbitrary;
mod fixtures;
mod ldif;
mod nidb;
mod raw;

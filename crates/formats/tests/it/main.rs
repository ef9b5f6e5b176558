//! The readers over whole files.

#![forbid(unsafe_code)]

mod arbitrary;
mod fixtures;
mod nidb;
mod ldif;

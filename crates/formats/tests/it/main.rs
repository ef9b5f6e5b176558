//! The readers over whole files.

#![forbid(unsafe_code)]

mod arbitrary;
mod dslocal;
mod dumps;
mod fixtures;
mod json5;
mod jsonl;
mod ldif;
mod nidb;
mod raw;
mod support;

//! The readers over whole files.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

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

//! Tests of parents against the servers that people have.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod pieces;
mod slapd;

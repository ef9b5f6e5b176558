//! The client against servers in this process.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

mod calls;
mod control;
mod database;
mod edits;
mod fake;
mod finding;

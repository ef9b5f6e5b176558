//! The tools against a running node, against database folders and against data directories, in process.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

mod bench;
mod fixtures;
mod flat;
mod lookupd;
mod nicl;
mod nicl_raw;
mod nidomain;
mod nifind;
mod niutil;
mod raw;
mod usage;

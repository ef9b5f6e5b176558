//! Formats into each other, and into domains.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod macs;
mod pairs;
mod rules;
mod targets;

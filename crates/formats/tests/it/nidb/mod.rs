//! Database folders.

mod fixtures;
mod texts;

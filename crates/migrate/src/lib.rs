//! Bringing directories in and out of domains.

#![forbid(unsafe_code)]

pub mod convert;
pub mod diff;
mod entries;
mod error;
pub mod export;
pub mod fill;
pub mod gather;
pub mod import;
pub mod item;
mod local;
mod place;
pub mod plan;
mod remote;
pub mod report;
pub mod scratch;
pub mod source;

pub use error::{Error, Result};
pub use local::Local;
pub use place::{Options, Placer, Tree, difference};
pub use remote::{Calls, Daemon, names_from_json, names_to_json};

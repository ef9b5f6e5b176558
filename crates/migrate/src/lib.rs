//! Bringing directories in and out of domains.

#![forbid(unsafe_code)]

mod entries;
mod error;
pub mod item;
mod local;
mod place;
pub mod plan;
pub mod report;

pub use error::{Error, Result};
pub use local::Local;
pub use place::{Options, Placer, Tree, difference};

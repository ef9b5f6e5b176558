//! Flat files: the administrative files of a Unix system, one entry a line.

pub(crate) mod accounts;
mod draft;
mod format;
pub(crate) mod hosts;
mod joined;
pub mod shadow;
pub(crate) mod tables;
pub mod tool;

pub use format::{Format, Records};

//! The table of local look-ups, as docs/table-format.md lays it out: users, groups, services and group lists in one file
//! that every process maps.
//!
//! * [`Builder`] makes an image of [`Passwd`], [`Group`], [`Service`] and group lists;
//! * [`Table`] answers from the bytes of an image, whatever they are: it stays within them and allocates nothing;
//! * [`Publisher`] puts images where readers map them, and retires them;
//! * [`status`] is what stands in front of an image.
//!
//! Mapping a file is not done here: it cannot be done without `unsafe`, and is the affair of the NSS module.

#![forbid(unsafe_code)]

mod builder;
mod hash;
mod index;
mod layout;
mod publish;
mod reader;
pub mod status;

pub use builder::{BuildError, Builder, Group, Passwd, Service, Use};
pub use layout::{MAX_IMAGE, MAX_KEY, MAX_PROBES, Section};
pub use publish::{Publisher, Switch};
pub use reader::{Damage, Found, Record, Strings, Table};

/// Where the daemon publishes the table, and the NSS module looks for it.
pub const PATH: &str = "/run/netinfo/table";

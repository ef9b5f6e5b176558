//! The first start on a machine: what `/etc` knows becomes the contents of the domain `local`.
//!
//! [`collect()`] reads the files, with the rights `shadow` takes; [`apply()`] stores what was read, later and with any
//! rights; its [`Summary`] says what became of each file.
//!
//! # What is made
//!
//! Below the root, in this order: `users`, `groups`, `machines`, `networks`, `protocols`, `rpcs`, `services` with the
//! records of the files, `aliases` with the customary mail aliases, and `mounts` and `printers`, empty. The root gets
//! `trusted_networks` without values, so that the domain, which now holds this machine's passwords, serves this
//! machine alone (NetInfo protocol, connection admission). It is set before the first record is stored.
//!
//! Of several lines for one name the first counts, as it does for the look-ups in the files themselves. A line of
//! `hosts` about this machine is merged into the record that a new domain has of it already.
//!
//! # Interruptions
//!
//! The root property `_seeded` appears without a value in the first commit and gets its value, the [`FORMAT`] of the
//! seeding, in the last one, alone. In between, and as long as a domain holds nothing but what a new one does,
//! [`is_needed`] says that [`apply()`] has to run (again). It makes what is missing and passes over every record whose
//! first name (for services: and port) is there, so running it again does no harm.

mod apply;
mod collect;
mod summary;

pub use apply::{ALIASES, CONTAINERS, FORMAT, IN_FLIGHT, apply, is_complete, is_needed};
pub use collect::{Collected, collect};
pub use summary::{FileSummary, MAX_SHOWN, Skipped, Summary};

#[cfg(test)]
mod tests;

//! Tests of the core through its public door, and of what it leaves on disk.
//!
//! | module | shows |
//! |---|---|
//! | `fresh` | a new domain to the last id; the protocol's worked example of checksums |
//! | `writes`, `lists` | every procedure: effect, order of errors; access lists and their counters |
//! | `auth`, `roles` | who a caller is; master, clone, trusted networks, machines |
//! | `secrets` | password material never leaves for those who may not see it |
//! | `model` | random histories against a naive model of the protocol |
//! | `order` | places among siblings, to the point where they are numbered anew |
//! | `groups` | proposals are all or nothing, groups keep order, the feed replays |
//! | `copies` | backup, restore, whole-domain copies |
//! | `stamps` | uuids, times and names; moves; stores without stamps |
//! | `answers` | what is remembered of the name index, beside writers
//! | `values` | the value index of the whole domain |
//! | `layout` | the file format, byte by byte |
//! | `damage`, `derived` | every kind of damage is found and repaired |
//! | `starts`, `disks` | stores and disks that cannot be used, or not any more |

#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod access;
mod answers;
mod auth;
mod batches;
mod copies;
mod damage;
mod derived;
mod disks;
mod fresh;
mod groups;
mod layout;
mod lists;
mod logins;
mod model;
mod order;
mod raw;
mod roles;
mod secrets;
mod stamps;
mod starts;
mod support;
mod values;
mod writes;

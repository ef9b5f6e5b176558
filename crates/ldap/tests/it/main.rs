//! Tests of the protocol through its public door: connections driven with encoded messages, over a real domain.
//!
//! | module | shows |
//! |---|---|
//! | `order` | messages in order, writes that are under way together, ids, notices of disconnection |
//! | `binds` | every way to prove an identity, and every way to fail |
//! | `server` | the root DSE, the subschema and changes of it |
//! | `writes`, `names` | add, modify, delete; rename and move |
//! | `together` | many clients at once: nothing lost, nothing twice |
//! | `controls` | controls of writes and compares |
//! | `extended`, `verify` | StartTLS, "Who am I?", password modify, cancel; verify credentials |
//! | `elsewhere` | referrals, copies, names outside |
//! | `searches`, `portions`, `searching` | searches, their pages and order |
//! | `bounds` | what searches may cost |
//! | `org`, `clients` | searches in a whole organisation; what known programs ask of it |
//! | `copies` | copies that clients keep |
//! | `remembered` | entries that are remembered as they were sent |
//! | `hostile` | any bytes: no panic, and the connection is usable or closed with a notice |

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod binds;
mod bounds;
mod clients;
mod compares;
mod controls;
mod copies;
mod elsewhere;
mod extended;
mod hostile;
mod lockout;
mod names;
mod order;
mod org;
mod policy;
mod portions;
mod remembered;
mod searches;
mod searching;
mod server;
mod support;
mod together;
mod verify;
mod writes;

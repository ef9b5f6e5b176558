//! LDAP version 3 (RFC 4511) over NetInfo domains: the protocol without sockets, threads or clocks.
//!
//! An [`Engine`] serves the domains of a node as [`NamingContext`]s. Each client has a [`Connection`]: the driver hands
//! it whole messages and the time, it appends responses to a buffer and says by a [`Step`] what else has to be done: a
//! change has to go to the writer, a password has to be hashed where that disturbs nobody, a long result has to be made
//! page by page.
//!
//! | module | holds |
//! |---|---|
//! | [`engine`], [`context`], [`settings`] | what all connections share: domains by suffix, how they are served |
//! | [`connection`] | one client: order of messages, binds, what is under way, disconnection |
//! | [`peer`], [`step`] | what the driver says of a client; what it is told to do |
//! | `operation`, `controls`, `failure` | one operation: on whose behalf, with which controls, how it failed |
//! | `bind`, `identity`, `extended` | who the client is; StartTLS, "Who am I?", password modify, cancel |
//! | `verify` | whether a password is right, for a client that stays who it is |
//! | `policy` | what clients are told of the rules about accounts and passwords |
//! | `update`, `compare` | add, modify, delete, rename; compare |
//! | `referral` | names that lead elsewhere |
//! | `search` | searches and what comes with them |
//! | `root_dse`, `subschema`, `plain` | the entries that belong to no domain |
//! | [`limits`] | every limit, in one place |

#![forbid(unsafe_code)]

pub(crate) mod bind;
pub(crate) mod compare;
pub mod connection;
pub mod context;
pub(crate) mod controls;
pub mod engine;
pub(crate) mod extended;
pub(crate) mod failure;
pub(crate) mod identity;
pub mod limits;
pub(crate) mod operation;
pub mod peer;
pub(crate) mod plain;
mod policy;
pub(crate) mod referral;
pub(crate) mod root_dse;
pub(crate) mod scram;
mod search;
pub mod settings;
pub mod step;
pub(crate) mod subschema;
pub(crate) mod update;
mod verify;

pub use connection::Connection;
pub use context::NamingContext;
pub use engine::Engine;
pub use peer::{Certificate, Peer};
pub use settings::{RequireTls, Settings};
pub use step::{Page, Pages, Step, Ticket, Work, Worked, Write};

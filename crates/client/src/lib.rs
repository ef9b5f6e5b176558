//! A blocking NetInfo client: standard library sockets, no async runtime, few dependencies, so that it can be
//! linked into name service and login modules as well as into commands.
//!
//! | module | what it does |
//! |---|---|
//! | [`rpc`] | [`Connection`]: calls over TCP and UNIX streams; [`rpc::udp`]: calls by datagram |
//! | [`portmap`], [`binder`] | the portmapper and the binder of a host |
//! | [`finder`] | from a host and a tag to a [`Domain`]; [`hierarchy`] walks parents and named child domains |
//! | [`domain`] | [`Domain`]: the 29 procedures of the NetInfo protocol, typed |
//! | [`path`] | `/users/uid=501`: parsing, formatting, searching |
//! | [`edit`], [`tree`] | read-modify-write with retries; creating, copying and destroying whole trees |
//! | [`control`] | administration of this project's daemon over its local socket |
//! | [`login`] | what login modules ask that daemon |
//! | [`lookup`] | users, groups, hosts as that daemon finds them |
//! | [`limits`] | every time-out and size limit |
//! | [`error`] | the one [`Error`], with the NetInfo status and a hint |
//!
//! ```no_run
//! use netinfo_client::{Finder, Path, Server};
//!
//! let mut domain = Finder::default().open(&Server::local_socket("/run/netinfo/netinfod.sock"), Some("network"))?;
//! let alice = domain.resolve(&Path::parse(b"/users/alice")?)?;
//! let (_, properties) = domain.read(alice)?;
//! # Ok::<(), netinfo_client::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod binder;
pub mod control;
pub mod domain;
pub mod edit;
pub mod error;
pub mod finder;
pub mod hierarchy;
pub mod limits;
pub mod login;
pub mod lookup;
pub mod path;
pub mod portmap;
pub mod rpc;
pub mod tree;

pub use control::Control;
pub use domain::Domain;
pub use error::{Error, Result};
pub use finder::{Finder, Server};
pub use netinfo_wire::netinfo::{Entry, Id, Property, Status};
pub use path::{Component, Path, PathError};
pub use rpc::{Connection, Credentials, Endpoint};

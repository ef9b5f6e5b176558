//! What is on a port, and should it be there? The library behind `netinfo port`.
//!
//! | module | what it does |
//! |---|---|
//! | [`selection`] | which ports are asked for: `945`, `389/tcp`, `600-1023`, `ldap` |
//! | [`socket`] | one socket of this machine; [`sockets`] lists them all |
//! | [`process`] | one process with its unit or container; [`holders`] finds who holds which socket |
//! | [`meaning`] | what a number means: range, IANA's registry, a NetInfo domain's `/services`, history |
//! | [`probe`] | finds out by asking: ONC RPC, NetInfo, LDAP, TLS, whoever speaks first |
//! | [`finding`] | what an operator should look at |
//! | [`report`] | all of it together; [`json`] is the same for programs |
//! | [`elsewhere`] | the commands of systems on which this crate cannot look |
//! | [`limits`] | every time-out and limit |
//!
//! ```no_run
//! use netinfo_port::{Inspection, Registry, json};
//!
//! let registry = Registry::embedded();
//! let wanted = vec!["945".parse()?, "389/tcp".parse()?];
//! let report = Inspection::new(wanted, &registry).run()?;
//! println!("{:#}", json::report(&report));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod elsewhere;
pub mod finding;
pub mod holders;
pub mod json;
pub mod limits;
pub mod meaning;
pub mod probe;
pub mod process;
pub mod report;
pub mod selection;
pub mod socket;
pub mod sockets;

pub use meaning::Registry;
pub use report::{Inspection, Report};
pub use selection::Selection;
pub use socket::{Socket, State, Transport};

/// Why this machine's sockets, or a registry, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system does not tell of its sockets.
    #[error("cannot list the sockets of this machine: {0}")]
    Sockets(std::io::Error),
    /// This crate does not know how to look on this operating system; [`elsewhere`] knows who does.
    #[error("this system's sockets cannot be looked at from here")]
    Elsewhere,
    /// A registry cannot be read.
    #[error("cannot read the registry {file}: {reason}")]
    Registry {
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// More ports are to be probed than one command may.
    #[error("at most {limit} ports are probed at once, not {asked}")]
    TooMany {
        /// How many were asked for.
        asked: usize,
        /// The limit.
        limit: usize,
    },
    /// A host to probe has no address.
    #[error("cannot find host \"{host}\": {source}")]
    UnknownHost {
        /// The name.
        host: String,
        /// The resolver's reason.
        source: std::io::Error,
    },
}

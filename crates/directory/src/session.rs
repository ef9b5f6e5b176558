//! Who is asking: credentials, the channel they came by, and the session made of both.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// What a caller presents to prove who it is.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// Nothing.
    None,
    /// A user id and a password in the clear (NetInfo's use of AUTH_SYS).
    UidPassword {
        /// Numeric user id, compared as signed decimal text.
        uid: i32,
        /// The password.
        password: &'a [u8],
    },
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "None"),
            Self::UidPassword { uid, .. } => write!(f, "uid {uid} with a password"),
        }
    }
}

/// Where a call came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The daemon itself, or an offline command that holds the data directory.
    Internal,
    /// A local socket; the kernel vouches for the user id.
    Local {
        /// Peer's user id.
        uid: u32,
    },
    /// The network.
    Network {
        /// Peer's address.
        address: IpAddr,
        /// The address is one of this host's own.
        own: bool,
        /// The source port is one that only privileged processes can bind.
        privileged_port: bool,
    },
}

impl Origin {
    /// Whether the caller is the superuser of this very host.
    #[must_use]
    pub fn is_local_root(&self) -> bool {
        match *self {
            Self::Internal => true,
            Self::Local { uid } => uid == 0,
            Self::Network { own, privileged_port, .. } => own && privileged_port,
        }
    }
}

/// On whose behalf a session acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// May do everything.
    Superuser,
    /// The user of this name.
    User(Arc<[u8]>),
    /// Nobody in particular.
    Anonymous,
}

/// A caller, known as far as it let itself be known. Made only by [`Domain::authenticate`](crate::Domain::authenticate).
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) principal: Principal,
    /// May see password material.
    pub(crate) entitled: bool,
    /// The call is an update a clone accepts from its master.
    pub(crate) update: bool,
}

impl Session {
    /// The session of the daemon itself.
    pub(crate) fn internal() -> Self {
        Self { principal: Principal::Superuser, entitled: true, update: true }
    }

    /// On whose behalf the session acts.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the session may do everything.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.principal == Principal::Superuser
    }

    /// Whether reads of this session show password hashes.
    #[must_use]
    pub fn sees_secrets(&self) -> bool {
        self.entitled
    }

    /// Whether this is a clone's master speaking: its changes are made, though others are refused there.
    #[must_use]
    pub fn is_update(&self) -> bool {
        self.update
    }

    /// Name for logs and the change feed.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match &self.principal {
            Principal::Superuser => b"root",
            Principal::User(name) => name,
            Principal::Anonymous => b"",
        }
    }
}

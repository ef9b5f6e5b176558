//! Who is asking: credentials, the channel they came by, and the session made of both.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::account::{Condition, State};
use crate::password::scram::Keys;

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
    /// A directory of the domain and a password in the clear, or one of its application passwords.
    Password {
        /// Object id of the directory that holds the hash in `passwd`.
        object: u32,
        /// The password.
        password: &'a [u8],
    },
    /// A name that belongs to no directory, and a password. Never accepted; costs what [`Credentials::Password`] costs, so
    /// that a stranger does not learn which names exist.
    Nobody {
        /// The name as it was given, in a form that is the same for all ways to write it.
        name: &'a [u8],
        /// The password.
        password: &'a [u8],
    },
    /// Proof of a password by SCRAM-SHA-256 (RFC 5802), without the password.
    Scram {
        /// Object id of the directory that holds the password, `None` for a name that belongs to nobody.
        object: Option<u32>,
        /// The name as it was given, in a form that is the same for all ways to write it.
        name: &'a [u8],
        /// What [`Domain::scram_keys`](crate::Domain::scram_keys) gave for it at the beginning of the exchange.
        keys: &'a Keys,
        /// The messages of the exchange that are proved and signed (`AuthMessage`).
        messages: &'a [u8],
        /// The client's proof.
        proof: &'a [u8],
    },
    /// The identity outside the tree that the root's `_admin_dn` names, by the password in `_admin_passwd`.
    Administrator {
        /// The password.
        password: &'a [u8],
    },
    /// A directory of the domain; the front-end itself has proof of it (a client certificate, an administrator who
    /// acts for somebody else).
    Vouched {
        /// Object id of the user.
        object: u32,
    },
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "None"),
            Self::UidPassword { uid, .. } => write!(f, "uid {uid} with a password"),
            Self::Password { object, .. } => write!(f, "directory {object} with a password"),
            Self::Nobody { .. } => write!(f, "an unknown name with a password"),
            Self::Scram { object, .. } => write!(f, "directory {object:?} with a proof"),
            Self::Administrator { .. } => write!(f, "the administrator's password"),
            Self::Vouched { object } => write!(f, "directory {object}, vouched for"),
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

    /// Whether the kernel itself says so: a port number proves nothing where access rules govern.
    pub(crate) fn is_local_superuser(&self) -> bool {
        matches!(self, Self::Internal | Self::Local { uid: 0 })
    }

    /// The peer's address, where it has one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match *self {
            Self::Network { address, .. } => Some(address.to_canonical()),
            Self::Internal | Self::Local { .. } => None,
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

/// What governs a session besides the access lists of the NetInfo protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Governance {
    /// Everybody reads everything but secrets; who may write, the access lists say (NetInfo protocol).
    Lists,
    /// Reads and writes are subject to the domain's access rules.
    Rules,
}

/// A caller, known as far as it let itself be known. Made only by [`Domain::authenticate`](crate::Domain::authenticate),
/// [`Domain::login`](crate::Domain::login) and [`Domain::anonymous`](crate::Domain::anonymous).
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) principal: Principal,
    /// May see password material.
    pub(crate) entitled: bool,
    /// The call is an update a clone accepts from its master.
    pub(crate) update: bool,
    /// The directory of the user.
    pub(crate) object: Option<u32>,
    /// Name for logs and the feed, where it is not the principal's.
    pub(crate) alias: Option<Arc<[u8]>>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) governance: Governance,
    /// Cannot write anything: it was made by an application password.
    pub(crate) read_only: bool,
    /// Is the identity outside the tree.
    pub(crate) administrator: bool,
    /// Label of the application password that made it.
    pub(crate) application: Option<Arc<[u8]>>,
    /// What the account is good for, of a user who has proved a password.
    pub(crate) condition: Condition,
    /// The change at hand has been allowed; nobody else need be asked.
    pub(crate) settled: bool,
}

impl Session {
    /// A session with nothing but a principal, under the access lists.
    pub(crate) fn of(principal: Principal) -> Self {
        Self {
            principal,
            entitled: false,
            update: false,
            object: None,
            alias: None,
            address: None,
            governance: Governance::Lists,
            read_only: false,
            administrator: false,
            application: None,
            condition: State::Usable.into(),
            settled: false,
        }
    }

    /// The session of the daemon itself.
    pub(crate) fn internal() -> Self {
        Self { entitled: true, update: true, ..Self::of(Principal::Superuser) }
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

    /// Whether nobody in particular is calling.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.principal == Principal::Anonymous
    }

    /// Whether this is the identity outside the tree, which the root's `_admin_dn` names. It is a superuser.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.administrator
    }

    /// Object id of the user's own directory, for users who have one. A promoted user is a superuser and has one, too.
    #[must_use]
    pub fn object(&self) -> Option<u32> {
        self.object
    }

    /// Whether the session was made by an application password, or another credential that gives no right to write.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// What the account is good for, of a user who has proved a password. While that has to be changed the session can do
    /// nothing else, where access rules govern.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Label of the application password that made the session.
    #[must_use]
    pub fn application(&self) -> Option<&[u8]> {
        self.application.as_deref()
    }

    /// Address of the caller, where it came over the network.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
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

    /// Name for logs and the change feed: a user's first name, `_admin_dn` of the administrator, `root`, or nothing.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match (&self.alias, &self.principal) {
            (Some(alias), _) => alias,
            (None, Principal::Superuser) => b"root",
            (None, Principal::User(name)) => name,
            (None, Principal::Anonymous) => b"",
        }
    }
}

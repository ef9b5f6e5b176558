//! How LDAP is served, the same for all domains of a node.

use std::time::Duration;

use netinfo_wire::ldap::{MAX_MESSAGE_BOUND, MAX_MESSAGE_UNBOUND};

use crate::limits::{CHAINED, LOOK_THROUGH, SIZE_LIMIT, SORTED_ENTRIES, TIME_LIMIT};

/// What has to go over protected connections. Sockets of this machine (`ldapi`) count as protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequireTls {
    /// Nothing.
    #[default]
    Off,
    /// Passwords, except from this machine itself.
    ForBind,
    /// Everything but StartTLS and the root DSE, from wherever.
    Always,
}

/// How LDAP is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What has to be protected.
    pub require_tls: RequireTls,
    /// Whether clients have to bind before they may do anything but read the root DSE.
    pub require_authentication: bool,
    /// Whether the driver can do TLS, so that StartTLS is offered.
    pub start_tls: bool,
    /// Entries a search returns at most; superusers are not bound by it.
    pub size_limit: u32,
    /// How long a search takes at most; superusers are not bound by it.
    pub time_limit: Duration,
    /// Entries a search looks at at most where no index helps; superusers are not bound by it.
    pub look_through: u64,
    /// Entries that are sorted, or shown in a list view, at most.
    pub sorted_entries: usize,
    /// Entries that an in-chain match reaches at most.
    pub chained: u64,
    /// Longest message in bytes from a client that has not bound.
    pub message_unbound: usize,
    /// Longest message in bytes from a client that has bound.
    pub message_bound: usize,
    /// URLs of servers to ask about what no domain here holds (superior referral).
    pub referrals: Vec<String>,
    /// Version of the server, for the root DSE.
    pub version: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            require_tls: RequireTls::default(),
            require_authentication: false,
            start_tls: false,
            size_limit: SIZE_LIMIT,
            time_limit: Duration::from_secs(TIME_LIMIT.into()),
            look_through: LOOK_THROUGH,
            sorted_entries: SORTED_ENTRIES,
            chained: CHAINED,
            message_unbound: MAX_MESSAGE_UNBOUND,
            message_bound: MAX_MESSAGE_BOUND,
            referrals: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

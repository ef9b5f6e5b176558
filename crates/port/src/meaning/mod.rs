//! What the number of a port means.
//!
//! * [`registry`] — IANA's table of service names, built in or from a file;
//! * [`history`] — a few words on the numbers that matter here;
//! * [`node`] — what a NetInfo domain says in its `/services`.

pub mod history;
pub mod node;
pub mod registry;

pub use node::NodeRecord;
pub use registry::{Registered, Registry};

/// The ranges of port numbers (RFC 6335 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 0-1023, assigned by IANA after review; on most systems only for the privileged.
    System,
    /// 1024-49151, assigned by IANA on request.
    User,
    /// 49152-65535, never assigned: for anybody and for a while.
    Dynamic,
}

impl Range {
    /// The range of a port.
    pub const fn of(port: u16) -> Self {
        match port {
            0..=1023 => Self::System,
            1024..=49151 => Self::User,
            _ => Self::Dynamic,
        }
    }

    /// `System`, `User` or `Dynamic`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::User => "User",
            Self::Dynamic => "Dynamic",
        }
    }

    /// First and last port, as text.
    pub const fn bounds(self) -> &'static str {
        match self {
            Self::System => "0-1023",
            Self::User => "1024-49151",
            Self::Dynamic => "49152-65535",
        }
    }
}

/// How a port stands in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// For at least one service.
    Assigned,
    /// Set aside by IANA, without a service.
    Reserved,
    /// Free to be assigned.
    Unassigned,
    /// Of the dynamic range: never assigned.
    Never,
}

impl Status {
    /// The word shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Reserved => "reserved",
            Self::Unassigned => "unassigned",
            Self::Never => "never assigned",
        }
    }
}

/// What a number means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The port.
    pub port: u16,
    /// Its range.
    pub range: Range,
    /// How it stands in the registry.
    pub status: Status,
    /// Its entries in the registry.
    pub registered: Vec<Registered>,
    /// What it has been used for, where that matters here.
    pub history: Option<&'static str>,
    /// What a NetInfo domain says of it.
    pub node: Vec<NodeRecord>,
}

impl Meaning {
    /// What the registry and history know of a port.
    pub fn of(port: u16, registry: &Registry) -> Self {
        let registered = registry.lookup(port);
        let range = Range::of(port);
        let status = match range {
            _ if registered.iter().any(|entry| !entry.name.is_empty()) => Status::Assigned,
            _ if !registered.is_empty() => Status::Reserved,
            Range::Dynamic => Status::Never,
            _ => Status::Unassigned,
        };
        Self { port, range, status, registered, history: history::of(port), node: Vec::new() }
    }

    /// The registered name of the port for one transport.
    pub fn name(&self, protocol: &str) -> Option<&str> {
        registry::name(&self.registered, protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let ends = [
            (0, "System"),
            (1023, "System"),
            (1024, "User"),
            (49151, "User"),
            (49152, "Dynamic"),
            (65535, "Dynamic"),
        ];
        for (port, name) in ends {
            assert_eq!(Range::of(port).name(), name, "{port}");
        }
    }

    #[test]
    fn meanings() {
        let registry = Registry::embedded();
        let status = |port| Meaning::of(port, &registry).status;
        assert_eq!(status(389), Status::Assigned);
        assert_eq!(status(945), Status::Unassigned);
        assert_eq!(status(1023), Status::Reserved);
        assert_eq!(status(50_000), Status::Never);
        assert!(Meaning::of(945, &registry).history.is_some());
    }
}

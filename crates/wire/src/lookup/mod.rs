//! Look-ups on the machine itself: what the C library's modules ask the daemon over a UNIX socket, framed as ONC RPC
//! records.
//!
//! | # | procedure | argument | result |
//! |---|---|---|---|
//! | 0 | NULL | void | void |
//! | 1 | FIND | [`Query`] | outcome, then an [`Entry`] if found |
//! | 2 | ALL | category, [`Cookie`] | outcome, then a [`Page`] if found |
//! | 3 | INITGROUPS | user name | outcome, then group ids if found |
//! | 4 | INNETGR | [`Innetgr`] | outcome: found means "is a member" |
//! | 5 | TRACE | [`Query`] | [`Step`]s, then as FIND |
//! | 6 | RECORDS | [`Pattern`] | outcome, then a property list for each record if found |
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | the calls: to be encoded by clients, decoded by the daemon |
//! | [`answer`] | the results: the other way round |
//! | [`entry`] | the typed entries |
//! | [`list`] | lists that stay encoded, within entries |
//!
//! Everything that is decoded borrows from the bytes and allocates nothing. Strings are bytes: names need not be text.
//! A client that knows no other part of this project needs no more than this module: [`Request::put_record`] makes the
//! bytes to be sent to [`SOCKET`], a [`Decoder`](crate::record::Decoder) limited to [`MAX_REPLY`] takes the reply,
//! [`answer::results`] opens it.

pub mod answer;
pub mod entry;
pub mod list;
pub mod request;

pub use answer::{Answer, Entries, Gids, Page, Records, Step, Steps};
pub use entry::{
    Alias, Entry, EntryBuf, Ether, Group, Host, Netgroup, Network, Passwd, Protocol, Rpc, Service, Shadow,
    Triple,
};
pub use list::{List, ListBuf};
pub use request::{Cookie, Innetgr, Key, Pattern, Query, Request};

use crate::xdr::Error;

/// Program number, from the range that RFC 5531 §13 leaves to users; next to that of [`control`](crate::control).
pub const PROGRAM: u32 = 0x2e71_0946;
/// The only version of the program.
pub const VERSION: u32 = 1;

/// Where the daemon listens for look-ups. Everybody may connect.
pub const SOCKET: &str = "/run/netinfo/lookup.sock";

/// Longest key of a query, in bytes: names of users, groups, hosts, and of protocols.
pub const MAX_KEY: u32 = 1024;
/// Longest string in an entry, in bytes: that of a value in a domain.
pub const MAX_STRING: u32 = 65_535;
/// Most elements of a list in an entry, such as members of a group: two full records.
pub const MAX_LIST: u32 = 131_072;
/// Most group ids in the answer to INITGROUPS: what the kernel takes (`NGROUPS_MAX`).
pub const MAX_GIDS: u32 = 65_536;
/// Most entries of a page.
pub const MAX_PAGE: u32 = 4096;
/// Most steps of a trace.
pub const MAX_STEPS: u32 = 256;
/// Longest call as a record, in bytes.
pub const MAX_CALL: usize = 64 << 10;
/// Longest reply as a record, in bytes.
pub const MAX_REPLY: usize = 8 << 20;
/// Longest encoded entry, in bytes: what leaves room for the other entries of a page.
pub const MAX_ENTRY: usize = MAX_REPLY - (512 << 10);

/// What is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Category {
    /// Users, without password material.
    Passwd = 0,
    /// Password material of users; for the superuser only.
    Shadow = 1,
    /// Groups.
    Group = 2,
    /// Hosts and their addresses.
    Host = 3,
    /// Networks.
    Network = 4,
    /// Services and their ports.
    Service = 5,
    /// Protocols above IP.
    Protocol = 6,
    /// ONC RPC programs.
    Rpc = 7,
    /// Ethernet addresses of hosts.
    Ether = 8,
    /// Mail aliases.
    Alias = 9,
    /// Netgroups.
    Netgroup = 10,
}

impl Category {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Passwd,
        Self::Shadow,
        Self::Group,
        Self::Host,
        Self::Network,
        Self::Service,
        Self::Protocol,
        Self::Rpc,
        Self::Ether,
        Self::Alias,
        Self::Netgroup,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The name that `nsswitch.conf` has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::Shadow => "shadow",
            Self::Group => "group",
            Self::Host => "hosts",
            Self::Network => "networks",
            Self::Service => "services",
            Self::Protocol => "protocols",
            Self::Rpc => "rpc",
            Self::Ether => "ethers",
            Self::Alias => "aliases",
            Self::Netgroup => "netgroup",
        }
    }
}

impl TryFrom<u32> for Category {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(index).copied().ok_or(Error::BadValue(number))
    }
}

/// A procedure of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Procedure {
    /// Nothing.
    Null = 0,
    /// At most one entry.
    Find = 1,
    /// All entries, page by page.
    All = 2,
    /// The groups of a user.
    Initgroups = 3,
    /// Whether somebody is in a netgroup.
    Innetgr = 4,
    /// FIND, and how the answer came about.
    Trace = 5,
    /// Records as they are in the domains.
    Records = 6,
}

impl Procedure {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Null, Self::Find, Self::All, Self::Initgroups, Self::Innetgr, Self::Trace, Self::Records];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

impl TryFrom<u32> for Procedure {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(index).copied().ok_or(Error::BadValue(number))
    }
}

#[cfg(test)]
mod tests;

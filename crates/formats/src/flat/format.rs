//! The flat files as one enumeration.

use super::{accounts, hosts, shadow, tables};
use crate::problem::Problem;
use crate::record::Record;
use crate::writer::RecordWriter;
use std::io::{BufRead, Write};

/// The records of a file, or what is wrong with its lines.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record, Problem>> + 'a>;

/// A kind of administrative file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `passwd`, seven fields.
    Passwd,
    /// `master.passwd` of BSD systems, ten fields.
    MasterPasswd,
    /// `shadow`.
    Shadow,
    /// `group`.
    Group,
    /// `hosts`.
    Hosts,
    /// `networks`.
    Networks,
    /// `protocols`.
    Protocols,
    /// `rpc`.
    Rpc,
    /// `services`.
    Services,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] =
        [Self::Passwd, Self::Group, Self::Hosts, Self::Networks, Self::Protocols, Self::Rpc, Self::Services];

    /// The name of the format, which is that of the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::MasterPasswd => "master.passwd",
            Self::Shadow => "shadow",
            Self::Group => "group",
            Self::Hosts => "hosts",
            Self::Networks => "networks",
            Self::Protocols => "protocols",
            Self::Rpc => "rpc",
            Self::Services => "services",
        }
    }

    /// Other names that [`from_name`](Self::from_name) takes.
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Passwd => &["passwd.43"],
            Self::Group => &["groups"],
            _ => &[],
        }
    }

    /// The format with this name or alias.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name || format.aliases().contains(&name))
    }

    /// The child of the root in which the records stand.
    pub const fn container(self) -> &'static str {
        match self {
            Self::Passwd | Self::MasterPasswd | Self::Shadow => "users",
            Self::Group => "groups",
            Self::Hosts => "machines",
            Self::Networks => "networks",
            Self::Protocols => "protocols",
            Self::Rpc => "rpcs",
            Self::Services => "services",
        }
    }

    /// Reads a file.
    pub fn read<'a>(self, input: impl BufRead + 'a) -> Records<'a> {
        match self {
            Self::Passwd => Box::new(accounts::read_passwd(input)),
            Self::MasterPasswd => Box::new(accounts::read_master_passwd(input)),
            Self::Shadow => Box::new(shadow::read_shadow(input)),
            Self::Group => Box::new(accounts::read_group(input)),
            Self::Hosts => Box::new(hosts::read_hosts(input)),
            Self::Networks => Box::new(tables::read_networks(input)),
            Self::Protocols => Box::new(tables::read_protocols(input)),
            Self::Rpc => Box::new(tables::read_rpc(input)),
            Self::Services => Box::new(tables::read_services(input)),
        }
    }

    /// Writes a file.
    pub fn writer<'a>(self, out: impl Write + 'a) -> Box<dyn RecordWriter + 'a> {
        match self {
            Self::Passwd => Box::new(accounts::write_passwd(out)),
            Self::MasterPasswd => Box::new(accounts::write_master_passwd(out)),
            Self::Shadow => Box::new(accounts::write_shadow(out)),
            Self::Group => Box::new(accounts::write_group(out)),
            Self::Hosts => Box::new(hosts::write_hosts(out)),
            Self::Networks => Box::new(tables::write_networks(out)),
            Self::Protocols => Box::new(tables::write_protocols(out)),
            Self::Rpc => Box::new(tables::write_rpc(out)),
            Self::Services => Box::new(tables::write_services(out)),
        }
    }
}

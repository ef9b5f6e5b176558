//! The flat files as one enumeration.

use super::{
    accounts, aliases, ethernet, exports, hosts, mountmap, mounts, netgroup, printcap, resolver, shadow,
    tables,
};
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
    /// `aliases` of the mail system.
    Aliases,
    /// `fstab`, or a list of mounted file systems.
    Fstab,
    /// `exports`.
    Exports,
    /// `printcap`.
    Printcap,
    /// `ethers`.
    Ethers,
    /// `bootptab` of NeXT systems.
    Bootptab,
    /// `bootparams`.
    Bootparams,
    /// `netgroup`.
    Netgroup,
    /// A map of the automounter, such as `auto_master` or `auto.home`.
    MountMap,
    /// `resolv.conf`.
    ResolvConf,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 19] = [
        Self::Passwd,
        Self::MasterPasswd,
        Self::Shadow,
        Self::Group,
        Self::Hosts,
        Self::Networks,
        Self::Protocols,
        Self::Rpc,
        Self::Services,
        Self::Aliases,
        Self::Fstab,
        Self::Exports,
        Self::Printcap,
        Self::Ethers,
        Self::Bootptab,
        Self::Bootparams,
        Self::Netgroup,
        Self::MountMap,
        Self::ResolvConf,
    ];

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
            Self::Aliases => "aliases",
            Self::Fstab => "fstab",
            Self::Exports => "exports",
            Self::Printcap => "printcap",
            Self::Ethers => "ethers",
            Self::Bootptab => "bootptab",
            Self::Bootparams => "bootparams",
            Self::Netgroup => "netgroup",
            Self::MountMap => "mountmap",
            Self::ResolvConf => "resolv.conf",
        }
    }

    /// Other names that [`from_name`](Self::from_name) takes.
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Passwd => &["passwd.43"],
            Self::MasterPasswd => &["master_passwd"],
            Self::Group => &["groups"],
            Self::Rpc => &["rpcs"],
            Self::Fstab => &["mounts", "mtab"],
            Self::Printcap => &["printers"],
            Self::Netgroup => &["netgroups"],
            Self::MountMap => &["mountmaps", "automount"],
            Self::ResolvConf => &["resolver"],
            _ => &[],
        }
    }

    /// The format with this name or alias.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name || format.aliases().contains(&name))
    }

    /// The child of the root in which the records stand. Those of [`MountMap`](Self::MountMap) stand below the map there.
    pub const fn container(self) -> &'static str {
        match self {
            Self::Passwd | Self::MasterPasswd | Self::Shadow => "users",
            Self::Group => "groups",
            Self::Hosts | Self::Ethers | Self::Bootptab | Self::Bootparams => "machines",
            Self::Networks => "networks",
            Self::Protocols => "protocols",
            Self::Rpc => "rpcs",
            Self::Services => "services",
            Self::Aliases => "aliases",
            Self::Fstab => "mounts",
            Self::Exports => "exports",
            Self::Printcap => "printers",
            Self::Netgroup => "netgroups",
            Self::MountMap => "mountmaps",
            Self::ResolvConf => "locations",
        }
    }

    /// Reads a file. The map of [`MountMap`](Self::MountMap) is called [`DEFAULT_MAP`](super::DEFAULT_MAP).
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
            Self::Aliases => Box::new(aliases::read_aliases(input)),
            Self::Fstab => Box::new(mounts::read_fstab(input)),
            Self::Exports => Box::new(exports::read_exports(input)),
            Self::Printcap => Box::new(printcap::read_printcap(input)),
            Self::Ethers => Box::new(ethernet::read_ethers(input)),
            Self::Bootptab => Box::new(ethernet::read_bootptab(input)),
            Self::Bootparams => Box::new(ethernet::read_bootparams(input)),
            Self::Netgroup => Box::new(netgroup::read_netgroup(input)),
            Self::MountMap => Box::new(mountmap::read_mountmap(input, mountmap::DEFAULT_MAP)),
            Self::ResolvConf => Box::new(resolver::read_resolv_conf(input)),
        }
    }

    /// Reads a file of this name, without its directory: the map of [`MountMap`](Self::MountMap) is called like the file.
    pub fn read_named<'a>(self, file_name: &str, input: impl BufRead + 'a) -> Records<'a> {
        match self {
            Self::MountMap => Box::new(mountmap::read_mountmap(input, file_name)),
            _ => self.read(input),
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
            Self::Aliases => Box::new(aliases::write_aliases(out)),
            Self::Fstab => Box::new(mounts::write_fstab(out)),
            Self::Exports => Box::new(exports::write_exports(out)),
            Self::Printcap => Box::new(printcap::write_printcap(out)),
            Self::Ethers => Box::new(ethernet::write_ethers(out)),
            Self::Bootptab => Box::new(ethernet::write_bootptab(out)),
            Self::Bootparams => Box::new(ethernet::write_bootparams(out)),
            Self::Netgroup => Box::new(netgroup::write_netgroup(out)),
            Self::MountMap => Box::new(mountmap::write_mountmap(out)),
            Self::ResolvConf => Box::new(resolver::write_resolv_conf(out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_format() {
        let mut names: Vec<_> =
            Format::ALL.iter().flat_map(|format| [&[format.name()], format.aliases()].concat()).collect();
        for name in &names {
            assert!(Format::from_name(name).is_some(), "{name}");
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(Format::from_name("passwords"), None);
    }

    #[test]
    fn a_map_is_called_like_its_file() {
        let name = |records: Records<'_>| {
            let records: Vec<_> = records.map(Result::unwrap).collect();
            String::from_utf8(records[0].first("name").unwrap().to_vec()).unwrap()
        };
        assert_eq!(name(Format::MountMap.read(&b"a srv:/a"[..])), "auto_home");
        assert_eq!(name(Format::MountMap.read_named("auto.misc", &b"a srv:/a"[..])), "auto.misc");
        assert_eq!(name(Format::Hosts.read_named("auto.misc", &b"::1 a"[..])), "a");
    }
}

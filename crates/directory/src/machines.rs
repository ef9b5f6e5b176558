//! What `/machines` says of servers: who is master, who serves this domain, its children, its parent.

use std::net::Ipv4Addr;

use crate::error::{Error, Result};
use crate::model::ROOT;
use crate::record::RecordRef;
use crate::view::View;

/// What this server is for the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The master: takes writes.
    Master,
    /// A clone: takes writes only from the master.
    Clone {
        /// Address of the master, if `/machines` has one.
        master: Option<Ipv4Addr>,
        /// Tag of the domain on the master's host.
        tag: String,
    },
}

impl Role {
    /// `master` or `clone`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Clone { .. } => "clone",
        }
    }
}

/// A place where a domain may be found: address and tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// IPv4 address of the host.
    pub address: Ipv4Addr,
    /// Tag of the domain there.
    pub tag: String,
}

/// Another tag under which a domain is known to hosts of certain networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The tag clients ask for.
    pub name: String,
    /// Address and mask of each network.
    pub networks: Vec<(Ipv4Addr, Ipv4Addr)>,
}

/// Splits a `serves` or `master` value at its first `/`.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|&b| b == b'/')?;
    Some((&value[..at], &value[at + 1..]))
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

impl View<'_> {
    /// Decides this server's role for the domain `tag` from the root's `master` property.
    pub fn role(&self, tag: &str, hostname: &str, own: &dyn Fn(Ipv4Addr) -> bool) -> Result<Role> {
        if tag == "local" {
            return Ok(Role::Master);
        }
        let root = self.record(ROOT)?;
        let Some((host, master_tag)) = root.first_value(b"master").and_then(split) else {
            return Err(Error::Unusable(format!(
                "domain \"{tag}\" cannot be served: its root directory has no property master = HOST/TAG; set it offline"
            )));
        };
        let master = self.machine_address(host)?;
        // A host without a network is known by its name alone.
        let is_this_host = master.map_or_else(|| host == hostname.as_bytes(), own);
        if is_this_host && master_tag == tag.as_bytes() {
            Ok(Role::Master)
        } else {
            Ok(Role::Clone { master, tag: text(master_tag) })
        }
    }

    fn machine_address(&self, name: &[u8]) -> Result<Option<Ipv4Addr>> {
        let Some(machine) = self.path(&[b"machines", name])? else { return Ok(None) };
        Ok(self.record(machine)?.first_value(b"ip_address").and_then(address))
    }

    /// Calls `each` with every child of `/machines`.
    fn machines(&self, mut each: impl FnMut(RecordRef<'_>)) -> Result<()> {
        if let Some(machines) = self.child_named(ROOT, b"machines")? {
            for machine in self.children(machines)? {
                each(self.record(machine?)?);
            }
        }
        Ok(())
    }

    /// `ADDRESS/TAG` for every server of this domain, in machine order (the `domain_servers` statistic).
    pub fn domain_servers(&self) -> Result<Vec<Vec<u8>>> {
        let mut servers = Vec::new();
        self.machines(|machine| {
            let Some(serves) = machine.property(b"serves") else { return };
            for value in serves.values {
                let Some(tag) = value.strip_prefix(b"./") else { continue };
                if let Some(addresses) = machine.property(b"ip_address") {
                    servers.extend(addresses.values.map(|a| [a, b"/", tag].concat()));
                }
            }
        })?;
        Ok(servers)
    }

    /// Servers of this domain other than this one: the first address of each machine with `./TAG`.
    pub fn clones(&self, own_tag: &str, own: &dyn Fn(Ipv4Addr) -> bool) -> Result<Vec<Server>> {
        let mut servers = Vec::new();
        self.machines(|machine| {
            let Some(address) = machine.first_value(b"ip_address").and_then(address) else { return };
            let Some(serves) = machine.property(b"serves") else { return };
            for tag in serves.values.filter_map(|v| v.strip_prefix(b"./")) {
                if !(own(address) && tag == own_tag.as_bytes()) {
                    servers.push(Server { address, tag: text(tag) });
                }
            }
        })?;
        Ok(servers)
    }

    /// Whether the host with this address serves this domain: one of its `serves` values begins with `./`.
    pub fn is_server(&self, host: Ipv4Addr) -> Result<bool> {
        let Some(machines) = self.child_named(ROOT, b"machines")? else { return Ok(false) };
        for machine in self.lookup(machines, b"ip_address", host.to_string().as_bytes())? {
            let record = self.record(machine)?;
            if record.property(b"serves").is_some_and(|p| p.values.into_iter().any(|v| v.starts_with(b"./")))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether this domain regards the domain `tag` on the host with this address as one of its children.
    pub fn serves_child(&self, host: Ipv4Addr, tag: &[u8]) -> Result<bool> {
        let Some(machines) = self.child_named(ROOT, b"machines")? else { return Ok(false) };
        let Some(machine) = self.lookup_first(machines, b"ip_address", host.to_string().as_bytes())? else {
            return Ok(false);
        };
        let record = self.record(machine)?;
        let serves = record.property(b"serves").map(|p| p.values);
        Ok(serves
            .into_iter()
            .flatten()
            .filter_map(split)
            .any(|(domain, t)| t == tag && domain != b"." && domain != b".."))
    }

    /// Where this domain's parent may be served, in machine order: one candidate per machine with a `../TAG` value.
    /// `None` when there is no `/machines`. Addresses that are no dotted quads are passed over.
    pub fn parent_candidates(&self) -> Result<Option<Vec<Server>>> {
        if self.child_named(ROOT, b"machines")?.is_none() {
            return Ok(None);
        }
        let mut candidates = Vec::new();
        self.machines(|machine| {
            let Some(address) = machine.first_value(b"ip_address").and_then(address) else { return };
            let Some(serves) = machine.property(b"serves") else { return };
            let parent = serves.values.filter_map(split).find(|(domain, _)| *domain == b"..");
            if let Some((_, tag)) = parent.filter(|_| !address.is_unspecified()) {
                candidates.push(Server { address, tag: text(tag) });
            }
        })?;
        Ok(Some(candidates))
    }

    /// Tag alias of this domain (root properties `alias_name`, `alias_addrs`): the name, and the networks (address and
    /// mask) from which it stands for this domain. Malformed pairs are passed over.
    pub fn alias(&self) -> Result<Option<Alias>> {
        let root = self.record(ROOT)?;
        let Some(name) = root.first_value(b"alias_name") else { return Ok(None) };
        let Some(networks) = root.property(b"alias_addrs") else { return Ok(None) };
        let pairs = networks.values.filter_map(|value| {
            let at = value.iter().position(|b| matches!(b, b'/' | b'&'))?;
            Some((address(&value[..at])?, address(&value[at + 1..])?))
        });
        Ok(Some(Alias { name: text(name), networks: pairs.collect() }))
    }
}

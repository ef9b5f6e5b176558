//! Domains named by their place in the hierarchy (NetInfo client library, resolving domain names).
//!
//! `.` is the domain one starts from, `..` its parent, `/` the topmost one, `/sales/alpha` two levels down from
//! there, `tag@host` a domain on a named host. A backslash makes the next character literal.

use std::net::{IpAddr, Ipv4Addr};

use crate::Status;
use crate::domain::{Domain, ROOT};
use crate::error::{Error, Result};
use crate::finder::{Finder, Server};
use crate::limits::MAX_LEVELS;

/// One server of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its address.
    pub addr: Ipv4Addr,
    /// Tag of the domain there.
    pub tag: Vec<u8>,
}

/// Whether a domain is named by its place, and not by its tag.
pub fn is_path(name: &str) -> bool {
    name.starts_with('/')
        || name == "."
        || name == ".."
        || name.starts_with("./")
        || name.starts_with("../")
        || name.contains('@')
}

impl Finder {
    /// The parent of a domain.
    ///
    /// # Errors
    /// [`Status::NetRoot`] if it has none, [`Status::NoResponse`] while its server is looking for one; errors of a call.
    pub fn parent(&self, domain: &mut Domain) -> Result<Domain> {
        let binding = domain.rparent()?;
        // A server whose parent is on its own host may name it by an address that means only itself.
        let address = match domain.connection().addresses() {
            Some((_, server)) if binding.addr.is_loopback() => server.ip().to_canonical(),
            _ => IpAddr::V4(binding.addr),
        };
        self.open_host(address, &binding.tag)
    }

    /// The domain at `path`, seen from `base`.
    ///
    /// # Errors
    /// [`Status::InvalidDomain`] if there is no such child domain; errors of a call.
    pub fn open_path(&self, mut base: Domain, path: &str) -> Result<Domain> {
        let (components, absolute) = components(path);
        if let Some(last) = components.last()
            && let Some((tag, host)) = split_at(last)
        {
            let mut failure = None;
            for server in Server::parse(host)? {
                match self.open(&server, Some(tag)) {
                    Ok(domain) => return Ok(domain),
                    Err(error) => failure = Some(error),
                }
            }
            return Err(failure.unwrap_or(Error::Status(Status::InvalidDomain)));
        }
        if absolute {
            base = self.topmost(base)?;
        }
        for component in components {
            base = match component.as_str() {
                "." => base,
                ".." => self.parent(&mut base)?,
                name => self.child(&mut base, name.as_bytes())?,
            };
        }
        Ok(base)
    }

    /// Climbs as far as there are parents that can be reached.
    fn topmost(&self, mut domain: Domain) -> Result<Domain> {
        for _ in 0..MAX_LEVELS {
            match self.parent(&mut domain) {
                Ok(parent) => domain = parent,
                Err(error) if error.is(Status::NetRoot) => return Ok(domain),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Status(Status::InvalidDomain))
    }

    /// The child domain `name`, on the first of its servers that answers.
    fn child(&self, domain: &mut Domain, name: &[u8]) -> Result<Domain> {
        let mut failure = Error::Status(Status::InvalidDomain);
        for replica in domain.servers_of(name)? {
            match self.open_host(IpAddr::V4(replica.addr), &replica.tag) {
                Ok(domain) => return Ok(domain),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

impl Domain {
    /// The servers of child domain `name`, as `/machines` lists them; `.` is this domain itself.
    ///
    /// # Errors
    /// [`Error::Status`] if `/machines` is missing; errors of a call.
    pub fn servers_of(&mut self, name: &[u8]) -> Result<Vec<Replica>> {
        let machines = self.lookup_first(ROOT, b"name", b"machines")?;
        let (entries, _) = self.list(machines, b"serves")?;
        let mut replicas = Vec::new();
        for entry in entries {
            let tags: Vec<Vec<u8>> = entry
                .names
                .iter()
                .flatten()
                .filter_map(|value| tag_of(value, name))
                .map(<[u8]>::to_vec)
                .collect();
            if tags.is_empty() {
                continue;
            }
            for addr in self.addresses_of(entry.id)? {
                replicas.extend(tags.iter().map(|tag| Replica { addr, tag: tag.clone() }));
            }
        }
        Ok(replicas)
    }

    /// The host that holds the master of this domain, as the root directory names it, and its addresses.
    ///
    /// # Errors
    /// [`Status::NoProp`] if the root names none; errors of a call.
    pub fn master(&mut self) -> Result<(Vec<u8>, Vec<Replica>)> {
        let values = self.property(ROOT, b"master")?;
        let (host, tag) = values.first().and_then(|v| split_slash(v)).ok_or(Error::Status(Status::NoProp))?;
        let machines = self.lookup_first(ROOT, b"name", b"machines")?;
        let machine = self.lookup_first(machines, b"name", host)?;
        let addresses = self.addresses_of(machine)?;
        let replicas = addresses.into_iter().map(|addr| Replica { addr, tag: tag.to_vec() }).collect();
        Ok((host.to_vec(), replicas))
    }

    fn addresses_of(&mut self, machine: u32) -> Result<Vec<Ipv4Addr>> {
        let values = match self.property(machine, b"ip_address") {
            Err(error) if error.is(Status::NoProp) => return Ok(Vec::new()),
            values => values?,
        };
        Ok(values.iter().filter_map(|v| std::str::from_utf8(v).ok()?.parse().ok()).collect())
    }
}

fn split_slash(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|b| *b == b'/')?;
    Some((value.get(..at)?, value.get(at + 1..)?))
}

/// The tag in a `serves` value `name/tag` for this name.
fn tag_of<'v>(value: &'v [u8], name: &[u8]) -> Option<&'v [u8]> {
    split_slash(value).filter(|(n, tag)| *n == name && !tag.is_empty()).map(|(_, tag)| tag)
}

/// `tag@host`.
fn split_at(component: &str) -> Option<(&str, &str)> {
    component.split_once('@').filter(|(tag, host)| !tag.is_empty() && !host.is_empty())
}

/// The steps of a domain path without their escapes, and whether it starts at the top.
fn components(path: &str) -> (Vec<String>, bool) {
    let mut components = Vec::new();
    let mut component = String::new();
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' if component.is_empty() => {}
            '/' => components.push(std::mem::take(&mut component)),
            '\\' => component.extend(chars.next()),
            c => component.push(c),
        }
    }
    if !component.is_empty() {
        components.push(component);
    }
    (components, path.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_paths() {
        let of = |path| components(path);
        assert_eq!(of("/"), (vec![], true));
        assert_eq!(of("/sales//alpha/"), (vec!["sales".into(), "alpha".into()], true));
        assert_eq!(of("../x"), (vec!["..".into(), "x".into()], false));
        assert_eq!(of(r"/a\/b"), (vec!["a/b".into()], true));
        for path in ["/", "/a", ".", "..", "../a", "network@10.0.0.1"] {
            assert!(is_path(path), "{path}");
        }
        assert!(!is_path("network"));
        assert!(!is_path(".hidden"));
    }

    #[test]
    fn serves_values() {
        assert_eq!(tag_of(b"./network", b"."), Some(&b"network"[..]));
        assert_eq!(tag_of(b"sales/local", b"sales"), Some(&b"local"[..]));
        assert_eq!(tag_of(b"sales/", b"sales"), None);
        assert_eq!(tag_of(b"sales/x", b"."), None);
        assert_eq!(tag_of(b"noslash", b"noslash"), None);
    }
}

//! A domain as the historical client library holds it: the list of its servers, a connection to one of them, and on
//! demand to the one that is the master; its parent, its child domains and its name in the hierarchy.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use netinfo_client::domain::ROOT;
use netinfo_client::hierarchy::Replica;
use netinfo_client::limits::MAX_LEVELS;
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Credentials, Domain, Error, Result, Server, Status};
use zeroize::Zeroizing;

use crate::reach::{LOCAL, Place, Reach, address};

/// Pause between two questions for a parent that is being looked for.
const PARENT_PAUSE: Duration = Duration::from_secs(1);

/// User and password that a tool was given.
#[derive(Clone)]
pub(crate) struct Login {
    /// Name of the user.
    pub(crate) user: Vec<u8>,
    /// Password.
    pub(crate) password: Zeroizing<Vec<u8>>,
}

/// An open domain.
#[derive(Debug)]
pub(crate) struct Handle {
    reach: Reach,
    timeouts: Timeouts,
    /// The servers; the first is the current one.
    servers: Vec<Place>,
    /// The first server is to be used and no other: it is the master.
    pinned: bool,
    credentials: Option<Credentials>,
    domain: Option<Domain>,
}

impl Handle {
    /// The domain at one place. Nothing is connected yet.
    pub(crate) fn at(reach: &Reach, place: Place, timeouts: Timeouts) -> Self {
        Self::of(reach, vec![place], timeouts)
    }

    fn of(reach: &Reach, servers: Vec<Place>, timeouts: Timeouts) -> Self {
        Self { reach: reach.clone(), timeouts, servers, pinned: false, credentials: None, domain: None }
    }

    /// The local domain of this host, connected.
    pub(crate) fn local(reach: &Reach, timeouts: Timeouts) -> Result<Self> {
        let mut local = Self::at(reach, Place::at(Ipv4Addr::LOCALHOST, LOCAL), timeouts);
        local.domain()?;
        Ok(local)
    }

    /// The domain with this name: `.`, `..`, `/`, `/a/b`, `../a`, `tag@host`.
    ///
    /// # Errors
    /// Whatever the reason, historical tools know one only: communication failed.
    pub(crate) fn open(reach: &Reach, name: &[u8], timeouts: Timeouts) -> Result<Self> {
        let failed = Error::Status(Status::Failed);
        if name.first() != Some(&b'/') {
            return Self::walk(reach, None, name, timeouts);
        }
        let mut base = Self::local(reach, timeouts)?;
        for _ in 0..MAX_LEVELS {
            match base.parent() {
                Ok(parent) => base = parent,
                Err(_) => break,
            }
        }
        let slashes = name.iter().take_while(|byte| **byte == b'/').count();
        match name.get(slashes..) {
            Some(rest) if !rest.is_empty() => Self::walk(reach, Some(base), rest, timeouts),
            Some(_) => Ok(base),
            None => Err(failed),
        }
    }

    /// Follows a relative name from `base`, or from the local domain.
    fn walk(reach: &Reach, base: Option<Self>, name: &[u8], timeouts: Timeouts) -> Result<Self> {
        let components = split(name);
        let Some(last) = components.last().filter(|_| !name.is_empty()) else {
            return Err(Error::Status(Status::Failed));
        };
        if let Some(place) = tag_at_host(last)? {
            return Ok(Self::at(reach, place, timeouts));
        }
        let mut at = base;
        for component in components {
            at = Some(match (at, component.as_slice()) {
                (None, b".") => Self::local(reach, timeouts)?,
                (None, b"..") => Self::local(reach, timeouts)?.parent()?,
                (None, _) => return Err(Error::Status(Status::Failed)),
                (Some(mut base), b"..") => base.parent()?,
                (Some(mut base), name) => base.child(name)?,
            });
        }
        at.ok_or(Error::Status(Status::Failed))
    }

    /// The domain, connected.
    ///
    /// # Errors
    /// Those of the last server tried.
    pub(crate) fn domain(&mut self) -> Result<&mut Domain> {
        if self.domain.is_none() {
            let mut opened = self.connect()?;
            opened.set_credentials(self.credentials.clone());
            self.domain = Some(opened);
        }
        self.domain.as_mut().ok_or(Error::Status(Status::Failed))
    }

    /// Connects to the first server that answers, this host's first, and moves it to the front.
    fn connect(&mut self) -> Result<Domain> {
        if !self.pinned && self.servers.len() > 1 {
            let own = |place: &Place| place.addr().is_some_and(|addr| self.reach.is_own(addr));
            let (mut near, far): (Vec<Place>, Vec<Place>) = self.servers.drain(..).partition(own);
            near.extend(far);
            self.servers = near;
        }
        let tries = if self.pinned { 1 } else { self.servers.len() };
        let mut failure = Error::Status(Status::Failed);
        for index in 0..tries {
            let Some(place) = self.servers.get(index) else { break };
            match self.reach.open(place, self.timeouts) {
                Ok(domain) => {
                    self.servers.swap(0, index);
                    return Ok(domain);
                }
                // Whether the host, its binder or the tag is missing is all the same to the historical library.
                Err(Error::Status(_) | Error::OtherDomain { .. }) => {
                    failure = Error::Status(Status::Failed);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Sends this user's number and password with every call from now on. A user that the domain does not have is
    /// taken for whoever runs the tool, as historical tools do it.
    ///
    /// # Errors
    /// [`Error::Password`]; errors of a call.
    pub(crate) fn log_in(&mut self, login: &Login) -> Result<()> {
        let own = nix::unistd::getuid().as_raw();
        let uid = match self.uid_of(&login.user) {
            Ok(uid) => uid.unwrap_or(own),
            Err(Error::Status(_)) => own,
            Err(error) => return Err(error),
        };
        let credentials = Credentials::new(uid, &login.password)?;
        self.credentials = Some(credentials.clone());
        self.domain()?.set_credentials(Some(credentials));
        Ok(())
    }

    /// The number of a user of this domain; only digits count.
    fn uid_of(&mut self, user: &[u8]) -> Result<Option<u32>> {
        let domain = self.domain()?;
        let users = domain.lookup_first(ROOT, b"name", b"users")?;
        let (_, properties) = domain.lookup_read(users, b"name", user)?;
        let uid = properties.into_iter().find(|p| p.name == b"uid").and_then(|p| p.values.into_iter().next());
        Ok(uid.and_then(|uid| String::from_utf8(uid).ok()?.parse().ok()))
    }

    /// Goes to the master of the domain, for whoever is going to write.
    ///
    /// # Errors
    /// [`Status::Failed`] if it is none of the servers; errors of a call.
    pub(crate) fn go_to_master(&mut self) -> Result<()> {
        if self.pinned || self.servers.len() == 1 {
            self.pinned = true;
            return Ok(());
        }
        let (_, replicas) = self.domain()?.master()?;
        let of_master = |place: &Place| {
            replicas.iter().any(|r| place.addr() == Some(IpAddr::V4(r.addr)) && r.tag == place.tag)
        };
        let index = self.servers.iter().position(of_master).ok_or(Error::Status(Status::Failed))?;
        if index != 0 {
            self.servers.swap(0, index);
            self.domain = None;
        }
        self.pinned = true;
        Ok(())
    }

    /// Address and tag of the parent's server, as this domain's server tells.
    ///
    /// # Errors
    /// [`Status::NetRoot`] without a parent; errors of a call.
    pub(crate) fn rparent(&mut self) -> Result<Replica> {
        let patience = Instant::now() + self.timeouts.read;
        loop {
            match self.domain()?.rparent() {
                Ok(binding) => return Ok(Replica { addr: binding.addr, tag: binding.tag }),
                Err(error) if error.is(Status::NoResponse) && Instant::now() + PARENT_PAUSE < patience => {
                    std::thread::sleep(PARENT_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The parent domain. Users differ from domain to domain, so the parent gets no credentials.
    ///
    /// # Errors
    /// As [`Handle::rparent`].
    pub(crate) fn parent(&mut self) -> Result<Self> {
        let found = self.rparent()?;
        let mut parent = Self::at(&self.reach, Place::at(found.addr, &found.tag), self.timeouts);
        let mut servers = parent.servers_of(b".")?;
        let told = IpAddr::V4(found.addr);
        match servers.iter().position(|place| place.addr() == Some(told)) {
            Some(index) => {
                servers.swap(0, index);
                parent.servers = servers;
                Ok(parent)
            }
            None if servers.is_empty() => Err(Error::Status(Status::Failed)),
            // A server that is not on its own list is not to be trusted with more.
            None => Ok(Self::of(&self.reach, servers, self.timeouts)),
        }
    }

    /// Tag of the domain on its current server.
    pub(crate) fn tag(&self) -> &[u8] {
        self.servers.first().map(|place| place.tag.as_slice()).unwrap_or_default()
    }

    /// Whether the current servers of both are the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.tag() == other.tag() && self.is_on_host_of(other)
    }

    /// Whether the current servers of both are on one host.
    pub(crate) fn is_on_host_of(&self, other: &Self) -> bool {
        let addr = |handle: &Self| handle.servers.first().and_then(Place::addr);
        match (addr(self), addr(other)) {
            (Some(one), Some(two)) => one == two || (self.reach.is_own(one) && self.reach.is_own(two)),
            _ => false,
        }
    }

    /// A child domain. Nothing is connected yet.
    pub(crate) fn child(&mut self, name: &[u8]) -> Result<Self> {
        let servers = self.servers_of(name)?;
        if servers.is_empty() {
            return Err(Error::Status(Status::Failed));
        }
        Ok(Self::of(&self.reach, servers, self.timeouts))
    }

    /// The servers of a child domain, or of this one for `.`.
    pub(crate) fn servers_of(&mut self, name: &[u8]) -> Result<Vec<Place>> {
        if name == b"." {
            let statistics = self.domain()?.statistics()?;
            let values = statistics.into_iter().find(|p| p.name == b"domain_servers").map(|p| p.values);
            let listed: Vec<Place> =
                values.unwrap_or_default().iter().filter_map(|value| place_of(value)).collect();
            if !listed.is_empty() {
                return Ok(listed);
            }
        }
        let replicas = self.domain()?.servers_of(name)?;
        Ok(replicas.into_iter().map(|r| Place::at(r.addr, &r.tag)).collect())
    }

    /// The name of the domain from the root: empty for the root itself.
    ///
    /// # Errors
    /// Only if the domain itself cannot be reached. A parent that cannot be reached counts as none.
    pub(crate) fn path_name(&mut self) -> Result<Vec<u8>> {
        self.domain()?;
        Ok(self.path_name_below(MAX_LEVELS))
    }

    fn path_name_below(&mut self, levels: usize) -> Vec<u8> {
        let Some(levels) = levels.checked_sub(1) else { return Vec::new() };
        let Ok(mut parent) = self.parent() else { return Vec::new() };
        let mut name = parent.path_name_below(levels);
        name.push(b'/');
        name.extend(self.name_in(&mut parent));
        name
    }

    /// The name that `parent` has for this domain.
    pub(crate) fn name_in(&self, parent: &mut Self) -> Vec<u8> {
        let Some(place) = self.servers.first() else { return b"###UNKNOWN###".to_vec() };
        let addr = place.addr().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut candidates = vec![addr];
        if self.reach.is_own(addr) {
            candidates.extend(self.reach.own().iter().map(|own| IpAddr::V4(*own)));
        }
        let named = candidates.iter().find_map(|addr| parent.name_of(&addr.to_string(), &place.tag).ok()?);
        named.unwrap_or_else(|| [place.tag.as_slice(), b"@", addr.to_string().as_bytes()].concat())
    }

    /// The name under which the machine with this address serves the tag.
    fn name_of(&mut self, addr: &str, tag: &[u8]) -> Result<Option<Vec<u8>>> {
        let domain = self.domain()?;
        let machines = domain.lookup_first(ROOT, b"name", b"machines")?;
        let machine = domain.lookup_first(machines, b"ip_address", addr.as_bytes())?;
        let serves = domain.property(machine, b"serves")?;
        Ok(serves.iter().find_map(|value| {
            let slash = value.iter().rposition(|byte| *byte == b'/')?;
            (value.get(slash + 1..)? == tag).then(|| escaped(value.get(..slash).unwrap_or_default()))
        }))
    }
}

/// `addr/tag`.
fn place_of(value: &[u8]) -> Option<Place> {
    let slash = value.iter().position(|byte| *byte == b'/')?;
    let (addr, tag) = (address(value.get(..slash)?)?, value.get(slash + 1..)?);
    (!tag.is_empty()).then(|| Place::at(addr, tag))
}

/// A name with a backslash before each slash and backslash.
fn escaped(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    for byte in name {
        if matches!(byte, b'/' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

/// `tag@host`, split at the first `@`.
fn tag_at_host(component: &[u8]) -> Result<Option<Place>> {
    let Some(at) = component.iter().position(|byte| *byte == b'@') else { return Ok(None) };
    let host = String::from_utf8_lossy(component.get(at + 1..).unwrap_or_default()).into_owned();
    let server = Server::parse(&host)?.into_iter().next().ok_or(Error::Status(Status::Failed))?;
    Ok(Some(Place { server, tag: component.get(..at).unwrap_or_default().to_vec() }))
}

/// The components of a relative domain name, without escapes. Slashes in a row are one; a slash at the end leaves an
/// empty component behind it, which no domain has.
fn split(name: &[u8]) -> Vec<Vec<u8>> {
    let mut components = vec![Vec::new()];
    let mut bytes = name.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'/' => {
                while bytes.next_if(|next| **next == b'/').is_some() {}
                components.push(Vec::new());
            }
            b'\\' => components.iter_mut().last().into_iter().for_each(|last| last.extend(bytes.next())),
            byte => components.iter_mut().last().into_iter().for_each(|last| last.push(*byte)),
        }
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_slashes() {
        let of = |name: &str| -> Vec<String> {
            split(name.as_bytes()).into_iter().map(|c| String::from_utf8(c).unwrap()).collect()
        };
        assert_eq!(of("../..//x"), ["..", "..", "x"]);
        assert_eq!(of(r"a\/b/c"), ["a/b", "c"]);
        assert_eq!(of("a/"), ["a", ""]);
        assert_eq!(of(""), [""]);
        assert_eq!(of(r"x\"), ["x"]);
    }

    #[test]
    fn places() {
        assert_eq!(place_of(b"10.0.0.1/network"), Some(Place::at(Ipv4Addr::new(10, 0, 0, 1), b"network")));
        assert_eq!(place_of(b"10.0.0.1/"), None);
        assert_eq!(place_of(b"alpha/network"), None);
        let place = tag_at_host(b"a@192.0.2.1").unwrap().unwrap();
        assert_eq!((place.tag.as_slice(), place.addr()), (&b"a"[..], Some("192.0.2.1".parse().unwrap())));
        assert!(tag_at_host(b"plain").unwrap().is_none());
        assert_eq!(escaped(b"a/b\\"), br"a\/b\\");
    }
}

//! Asks a candidate whether it is there, and who is above it. Blocking: to be done on a thread that may wait.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use netinfo_client::binder::Binder;
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Connection, Credentials, Domain, Error, Finder, Server, Status};
use netinfo_directory::binding::{Answer, LdapParent, Parent, ParentName, Refusal, State, ends_loop};

use crate::limits::CHAIN_LIMIT;
use crate::node::Running;
use crate::served::Served;

/// Longest wait for a connection to the common port of a node, which a historical host does not have.
const CONNECTING: Duration = Duration::from_millis(800);
/// Longest wait for an answer.
const ANSWERING: Duration = Duration::from_secs(2);
/// Longest time spent on finding out who is above a parent.
const CLIMBING: Duration = Duration::from_secs(2);
/// Ports of LDAP, without and with TLS.
const LDAP_PORT: u16 = 389;
const LDAPS_PORT: u16 = 636;

/// A question to one candidate.
pub(super) struct Question {
    pub(super) node: Arc<Running>,
    /// The domain that searches.
    pub(super) tag: String,
    pub(super) name: ParentName,
    /// Whether to ask the candidate's binder if it serves this machine, so that it may add the machine to its domain.
    pub(super) introduce: bool,
}

/// How this node calls other servers when it looks for parents.
pub(super) fn finder() -> Finder {
    let timeouts = Timeouts { read: ANSWERING, write: ANSWERING };
    Finder { timeouts, probe: CONNECTING, ..Finder::default() }
}

/// Addresses of a host, IPv4 first.
pub(super) fn resolve(host: &str) -> Result<Vec<IpAddr>, Refusal> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![address.to_canonical()]);
    }
    let unknown = |why: String| Refusal::Unreachable(format!("cannot find the address of \"{host}\": {why}"));
    let found = (host, 0).to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip().to_canonical()).collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    if addresses.is_empty() { Err(unknown("it has none".into())) } else { Ok(addresses) }
}

impl Question {
    /// Asks. The second part of the answer says whether the domains above could be followed to the root.
    ///
    /// # Errors
    /// Why the candidate is not the parent.
    pub(super) fn ask(&self) -> Result<(Answer, bool), Refusal> {
        match &self.name {
            ParentName::NetInfo { tag, host, port } => {
                let mut refusal = Refusal::Late;
                for address in resolve(host)? {
                    match self.ask_netinfo(tag, address, *port) {
                        Err(why) => refusal = why,
                        answer => return answer,
                    }
                }
                Err(refusal)
            }
            ParentName::Ldap(ldap) => {
                let latency = ask_ldap(ldap)?;
                let parent = Parent::Ldap(ldap.clone());
                Ok((Answer { parent, here: false, latency, above: Vec::new(), loops: None }, true))
            }
        }
    }

    fn ask_netinfo(&self, tag: &str, address: IpAddr, port: Option<u16>) -> Result<(Answer, bool), Refusal> {
        let parent = Parent::NetInfo { tag: tag.to_owned(), address, port };
        if self.node.own.contains(address) && self.is_ours(port) {
            if tag == self.tag {
                return Err(Refusal::Itself);
            }
            // What this node does not serve, another server on this machine may.
            if let Some(served) = self.node.served(tag) {
                return Ok((self.ask_here(parent, served), true));
            }
        }
        let failed = |error: Error| Refusal::Unreachable(words(&error));
        let mut domain = open(&parent).map_err(failed)?;
        let begin = Instant::now();
        domain.ping().map_err(failed)?;
        let latency = begin.elapsed();
        if self.introduce {
            self.introduce(&mut domain, tag, port);
        }
        let (above, complete, loops) = self.climb(domain, &parent);
        Ok((Answer { parent, here: false, latency, above, loops }, complete))
    }

    /// Whether a port of this host belongs to this node.
    fn is_ours(&self, port: Option<u16>) -> bool {
        let common = self.node.endpoints().ipcserver.map(|pair| pair.tcp.port());
        port.is_none_or(|port| common == Some(port))
    }

    /// A candidate that this node serves.
    fn ask_here(&self, parent: Parent, served: Arc<Served>) -> Answer {
        // Domains of one node may form a loop among themselves.
        let mut members = vec![parent.clone()];
        let mut at = Some(served);
        let mut loops = None;
        while let Some(served) = at.take() {
            let State::Bound(bound) = served.binding.search().state().clone() else { break };
            let Parent::NetInfo { tag: above, .. } = &bound.answer.parent else { break };
            if !bound.answer.here || members.contains(&bound.answer.parent) {
                break;
            }
            members.push(bound.answer.parent.clone());
            if *above == self.tag {
                loops = Some(ends_loop(&bound.answer.parent, &members));
                break;
            }
            at = self.node.served(above);
        }
        Answer { parent, here: true, latency: Duration::ZERO, above: Vec::new(), loops }
    }

    /// Asks the binder of the parent whether it serves this domain. It may take that as the wish to be added; what it says does
    /// not matter, because a parent that was chosen by its address need not know its children.
    fn introduce(&self, domain: &mut Domain, server_tag: &str, port: Option<u16>) {
        let Some((own, server)) = domain.connection().addresses() else { return };
        let IpAddr::V4(own) = own.ip().to_canonical() else { return };
        let ask = |connection: &mut Connection| {
            connection.set_credentials(Credentials::machine(&self.node.hostname).ok());
            let asked = Binder::new(&mut *connection).bind(own, self.tag.as_bytes(), server_tag.as_bytes());
            connection.set_credentials(None);
            asked
        };
        let asked = match port {
            Some(_) => ask(domain.connection_mut()),
            None => finder().binder(server.ip()).and_then(|mut connection| ask(&mut connection)),
        };
        match asked {
            Ok(listed) => tracing::debug!(tag = self.tag, listed, "asked {server_tag} whether it serves us"),
            Err(error) => tracing::debug!(tag = self.tag, %error, "cannot ask the parent's binder"),
        }
    }

    /// The domains above `parent`, whether they are all of them, and what they say about loops.
    fn climb(&self, mut domain: Domain, parent: &Parent) -> (Vec<Parent>, bool, Option<bool>) {
        let begin = Instant::now();
        let mut above: Vec<Parent> = Vec::new();
        let Parent::NetInfo { address, port, .. } = parent else { return (above, true, None) };
        let (mut address, mut port) = (*address, *port);
        while above.len() < CHAIN_LIMIT {
            let binding = match domain.rparent() {
                Ok(binding) => binding,
                Err(error) => return (above, error.is(Status::NetRoot), None),
            };
            let Ok(tag) = String::from_utf8(binding.tag) else { return (above, false, None) };
            let next = beyond(address, binding.addr);
            // Only a parent on the same host is known to be behind the same port.
            port = port.filter(|_| next == address);
            address = next;
            let next = Parent::NetInfo { tag: tag.clone(), address, port };
            if tag == self.tag && self.node.own.contains(address) {
                let members = std::iter::once(parent).chain(&above).chain(std::iter::once(&next));
                let ends = ends_loop(&next, members);
                return (above, true, Some(ends));
            }
            if next == *parent || above.contains(&next) {
                return (above, true, None);
            }
            let opened = open(&next);
            above.push(next);
            match opened {
                Ok(opened) if begin.elapsed() < CLIMBING => domain = opened,
                _ => return (above, false, None),
            }
        }
        (above, true, None)
    }
}

/// Where a server's parent is: one that names it by its own loopback means its own host.
fn beyond(server: IpAddr, parent: Ipv4Addr) -> IpAddr {
    if parent.is_loopback() { server } else { parent.into() }
}

/// Opens a NetInfo parent.
///
/// # Errors
/// Of a call; [`Error::Status`] `INVALIDDOMAIN` for an LDAP directory.
pub(super) fn open(parent: &Parent) -> Result<Domain, Error> {
    match parent {
        Parent::NetInfo { tag, address, port: Some(port) } => {
            finder().open(&Server::Port(SocketAddr::new(*address, *port)), Some(tag))
        }
        Parent::NetInfo { tag, address, port: None } => finder().open_host(*address, tag.as_bytes()),
        Parent::Ldap(_) => Err(Error::Status(Status::InvalidDomain)),
    }
}

/// Whether somebody listens there, and how long a connection takes.
///
/// # Errors
/// Why not.
pub(super) fn ask_ldap(ldap: &LdapParent) -> Result<Duration, Refusal> {
    let (host, port) = ldap.place().map_err(|error| Refusal::Unreachable(error.to_string()))?;
    let usual = if ldap.url.starts_with("ldaps:") { LDAPS_PORT } else { LDAP_PORT };
    let mut refusal = Refusal::Late;
    for address in resolve(&host)? {
        let begin = Instant::now();
        match TcpStream::connect_timeout(&SocketAddr::new(address, port.unwrap_or(usual)), ANSWERING) {
            Ok(_) => return Ok(begin.elapsed()),
            Err(error) => refusal = Refusal::Unreachable(error.to_string()),
        }
    }
    Err(refusal)
}

/// An error for people.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::NoServer { attempts, .. } => attempts.join("; "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_is_that_of_the_server() {
        let server = IpAddr::from([10, 0, 0, 5]);
        assert_eq!(beyond(server, Ipv4Addr::LOCALHOST), server);
        assert_eq!(beyond(server, Ipv4Addr::new(10, 0, 0, 6)), IpAddr::from([10, 0, 0, 6]));
    }

    #[test]
    fn names_that_are_addresses() {
        assert_eq!(resolve("::ffff:10.0.0.1"), Ok(vec![IpAddr::from([10, 0, 0, 1])]));
        assert!(matches!(resolve("no.such.host.invalid"), Err(Refusal::Unreachable(_))));
    }
}

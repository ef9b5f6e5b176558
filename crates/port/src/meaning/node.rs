//! What a NetInfo domain says of a port, in its `/services`.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use netinfo_client::domain::ROOT;
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Domain, Finder, Property, Result, Server};

use crate::limits::{MAX_NODE_PORTS, MAX_NODE_RECORDS, NODE_PATIENCE};

/// A record of `/services`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// Name of the service and its aliases.
    pub names: Vec<Vec<u8>>,
    /// The protocols it is for: `tcp`, `udp`.
    pub protocols: Vec<Vec<u8>>,
}

/// Asks a domain for its records of some ports, the first [`MAX_NODE_PORTS`] of them. A domain that cannot be reached,
/// or does not answer within [`NODE_PATIENCE`], says nothing.
pub fn ask(server: Server, tag: Option<String>, ports: &[u16]) -> BTreeMap<u16, Vec<NodeRecord>> {
    let ports: Vec<u16> = ports.iter().copied().take(MAX_NODE_PORTS).collect();
    if ports.is_empty() || matches!(&server, Server::Local(path) if !path.exists()) {
        return BTreeMap::new();
    }
    let (tell, hear) = mpsc::channel();
    // Connecting to a UNIX socket has no time-out of its own.
    thread::spawn(move || {
        // If it has taken too long nobody is listening.
        let _ = tell.send(records(&server, tag.as_deref(), &ports));
    });
    hear.recv_timeout(NODE_PATIENCE).ok().and_then(Result::ok).unwrap_or_default()
}

fn records(server: &Server, tag: Option<&str>, ports: &[u16]) -> Result<BTreeMap<u16, Vec<NodeRecord>>> {
    let timeouts = Timeouts { read: NODE_PATIENCE, write: NODE_PATIENCE };
    let mut domain = Finder { timeouts, ..Finder::default() }.open(server, tag)?;
    let services = domain.lookup_first(ROOT, b"name", b"services")?;
    let mut found = BTreeMap::new();
    for port in ports {
        // No record of a port is no reason not to look for those of the next.
        if let Ok(records) = of_port(&mut domain, services, *port) {
            found.insert(*port, records);
        }
    }
    Ok(found)
}

fn of_port(domain: &mut Domain, services: u32, port: u16) -> Result<Vec<NodeRecord>> {
    let (hits, _) = domain.lookup(services, b"port", port.to_string().as_bytes())?;
    let mut records = Vec::new();
    for hit in hits.into_iter().take(MAX_NODE_RECORDS) {
        let (_, properties) = domain.read(hit)?;
        records.push(NodeRecord {
            names: values(&properties, b"name"),
            protocols: values(&properties, b"protocol"),
        });
    }
    Ok(records)
}

fn values(properties: &[Property], key: &[u8]) -> Vec<Vec<u8>> {
    properties.iter().find(|p| p.name == key).map(|p| p.values.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_there_says_nothing() {
        let server = || Server::Local("/nonexistent/socket".into());
        assert!(ask(server(), None, &[945]).is_empty());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        // One that accepts and never answers.
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let start = std::time::Instant::now();
        assert!(ask(Server::Local(path), None, &[945]).is_empty());
        assert!(start.elapsed() < NODE_PATIENCE * 3);
    }
}

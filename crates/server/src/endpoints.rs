//! The endpoints file: where the daemon listens, for tests, scripts and tools on the same machine.
//!
//! ```json
//! {
//!   "ipcserver": { "tcp": "127.0.0.1:945", "udp": "127.0.0.1:945" },
//!   "local": "/run/netinfo/netinfod.sock",
//!   "ldap": "127.0.0.1:389",
//!   "ldaps": "127.0.0.1:636",
//!   "ldapi": "/run/netinfo/ldapi",
//!   "lookup": "/run/netinfo/lookup.sock",
//!   "login": "/run/netinfo/login.sock",
//!   "domains": { "network": { "tcp": "127.0.0.1:1022", "udp": "127.0.0.1:1022", "role": "master" } }
//! }
//! ```
//!
//! It is written in one step, once everything listens: a reader sees either nothing or all of it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Permissions of the endpoints file: no secrets, everybody may read.
const MODE: u32 = 0o644;

/// Where everything listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The endpoint on which every RPC program of the node is reachable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ipcserver: Option<PairAddress>,
    /// The binder's own port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binder: Option<PairAddress>,
    /// The portmapper, when this daemon serves it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub portmap: Option<PairAddress>,
    /// The UNIX socket.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local: Option<PathBuf>,
    /// LDAP, with StartTLS.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ldap: Option<SocketAddr>,
    /// LDAP over TLS.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ldaps: Option<SocketAddr>,
    /// LDAP on a UNIX socket.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ldapi: Option<PathBuf>,
    /// The UNIX socket of look-ups.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lookup: Option<PathBuf>,
    /// The UNIX socket of login modules.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<PathBuf>,
    /// Each served domain by tag.
    #[serde(default)]
    pub domains: BTreeMap<String, DomainAddress>,
}

/// Addresses of one TCP and UDP service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairAddress {
    /// Address for TCP.
    pub tcp: SocketAddr,
    /// Address for UDP.
    pub udp: SocketAddr,
}

/// Addresses of one domain's server. A domain without ports of its own is reached through the ipcserver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainAddress {
    /// Its ports.
    #[serde(flatten)]
    pub address: Option<PairAddress>,
    /// Whether this node is the domain's master or a clone.
    pub role: Role,
}

/// What this node is to a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It takes changes.
    Master,
    /// It holds a copy.
    Clone,
}

impl Endpoints {
    /// Writes the file at `path`: into a new file beside it, synced, then renamed over it.
    ///
    /// # Errors
    /// What the system reported; an earlier file is then still whole.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let temporary = dir.join(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        let written = write_synced(&temporary, text.as_bytes()).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        File::open(dir)?.sync_all()
    }

    /// Reads a file that [`Endpoints::write`] wrote.
    ///
    /// # Errors
    /// What the system reported, or `InvalidData` for anything but such a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from)
    }
}

impl PairAddress {
    /// What a client on this machine uses to reach sockets bound to the addresses `tcp` and `udp`.
    /// `None` when either list is empty.
    pub fn of(tcp: &[SocketAddr], udp: &[SocketAddr]) -> Option<Self> {
        Some(Self { tcp: client_address(tcp)?, udp: client_address(udp)? })
    }
}

/// The address of `bound` a client on this machine uses: the first IPv4 one, else the first; the loopback
/// address in place of a wildcard.
pub fn client_address(bound: &[SocketAddr]) -> Option<SocketAddr> {
    let chosen = bound.iter().find(|address| address.is_ipv4()).or_else(|| bound.first())?;
    Some(reachable(*chosen))
}

/// `bound` with the loopback address in place of a wildcard.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A file left by a killed process of the same id is in the way of `create_new`.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(tcp: &str, udp: &str) -> PairAddress {
        PairAddress { tcp: tcp.parse().unwrap(), udp: udp.parse().unwrap() }
    }

    fn sample() -> Endpoints {
        let network =
            DomainAddress { address: Some(pair("127.0.0.1:1022", "127.0.0.1:1023")), role: Role::Master };
        let copy = DomainAddress { address: None, role: Role::Clone };
        Endpoints {
            ipcserver: Some(pair("127.0.0.1:945", "127.0.0.1:945")),
            local: Some("/run/netinfo/netinfod.sock".into()),
            ldap: Some("127.0.0.1:389".parse().unwrap()),
            ldaps: Some("[::1]:636".parse().unwrap()),
            ldapi: Some("/run/netinfo/ldapi".into()),
            lookup: Some("/run/netinfo/lookup.sock".into()),
            login: Some("/run/netinfo/login.sock".into()),
            domains: [("network".to_owned(), network), ("copy".to_owned(), copy)].into(),
            ..Endpoints::default()
        }
    }

    #[test]
    fn file_has_the_documented_shape_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("endpoints.json");
        sample().write(&path).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "ipcserver": { "tcp": "127.0.0.1:945", "udp": "127.0.0.1:945" },
                "local": "/run/netinfo/netinfod.sock",
                "ldap": "127.0.0.1:389",
                "ldaps": "[::1]:636",
                "ldapi": "/run/netinfo/ldapi",
                "lookup": "/run/netinfo/lookup.sock",
                "login": "/run/netinfo/login.sock",
                "domains": {
                    "copy": { "role": "clone" },
                    "network": { "tcp": "127.0.0.1:1022", "udp": "127.0.0.1:1023", "role": "master" },
                },
            })
        );
        assert_eq!(Endpoints::read(&path).unwrap(), sample());
    }

    #[test]
    fn replaces_an_earlier_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("endpoints.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        sample().write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, MODE);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn failure_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::create_dir_all(path.join("full")).unwrap();
        sample().write(&path).unwrap_err();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn clients_are_given_an_address_they_can_use() {
        let list = |text: &[&str]| -> Vec<SocketAddr> { text.iter().map(|a| a.parse().unwrap()).collect() };
        let of = |text: &[&str]| client_address(&list(text)).map(|address| address.to_string());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["[::]:945", "0.0.0.0:946"]).unwrap(), "127.0.0.1:946");
        assert_eq!(of(&["[::]:945"]).unwrap(), "[::1]:945");
        assert_eq!(of(&["192.0.2.7:1", "127.0.0.1:2"]).unwrap(), "192.0.2.7:1");
        assert_eq!(PairAddress::of(&list(&["0.0.0.0:1"]), &[]), None);
    }
}

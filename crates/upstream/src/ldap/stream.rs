//! Bytes to and from an LDAP server: over TCP, TLS or a socket of this machine.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netinfo_wire::ldap::url::{Scheme, Url};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::limits::{MAX_SECRET_FILE, STEP};
use crate::remote::Fault;

/// Where Debian and others keep the certificates of authorities that are trusted.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A connected socket.
pub(super) enum Stream {
    /// As it is.
    Tcp(TcpStream),
    /// A socket of this machine.
    Unix(UnixStream),
    /// Encrypted, with the server's certificate verified.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Connects to the server of a URL, without TLS.
    pub(super) fn connect(url: &Url<'_>) -> Result<Self, Fault> {
        let away = |error: io::Error| Fault::Away(format!("cannot connect to {}: {error}", url.host));
        if url.scheme == Scheme::Ldapi {
            let stream = UnixStream::connect(url.host.as_ref()).map_err(away)?;
            let timed =
                stream.set_read_timeout(Some(STEP)).and_then(|()| stream.set_write_timeout(Some(STEP)));
            return timed.map(|()| Self::Unix(stream)).map_err(away);
        }
        let port = url.port.unwrap_or(if url.scheme == Scheme::Ldaps { 636 } else { 389 });
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses(&url.host, port).map_err(away)? {
            match TcpStream::connect_timeout(&address, STEP) {
                Ok(stream) => {
                    let ready = stream
                        .set_nodelay(true)
                        .and_then(|()| stream.set_read_timeout(Some(STEP)))
                        .and_then(|()| stream.set_write_timeout(Some(STEP)));
                    return ready.map(|()| Self::Tcp(stream)).map_err(away);
                }
                Err(error) => last = error,
            }
        }
        Err(away(last))
    }

    /// Goes on encrypted. The certificate must be one for `host` from an authority in `ca_file`, or of the system's.
    pub(super) fn encrypt(self, host: &str, ca_file: Option<&Path>) -> Result<Self, Fault> {
        let Self::Tcp(mut tcp) = self else { return Ok(self) };
        let away = |error: &dyn std::fmt::Display| Fault::Away(format!("no TLS with {host}: {error}"));
        let config = config(ca_file)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| away(&error))?;
        let mut tls = ClientConnection::new(config, name).map_err(|error| away(&error))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).map_err(|error| away(&error))?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, tcp))))
    }

    /// Whether nobody on the way can read or change what is sent.
    pub(super) fn is_protected(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback()),
            Self::Unix(_) | Self::Tls(_) => true,
        }
    }

    /// How long each piece of an answer is waited for.
    pub(super) fn be_patient(&self, patience: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.set_read_timeout(Some(patience)),
            Self::Unix(unix) => unix.set_read_timeout(Some(patience)),
            Self::Tls(tls) => tls.sock.set_read_timeout(Some(patience)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(buf),
            Self::Unix(unix) => unix.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(buf),
            Self::Unix(unix) => unix.write(buf),
            Self::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.flush(),
            Self::Unix(unix) => unix.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// The addresses of a host. `/etc/hosts` is read here: the C library might ask this very daemon.
fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let found = in_hosts(&hosts, host);
    if !found.is_empty() {
        return Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect());
    }
    Ok((host, port).to_socket_addrs()?.collect())
}

/// The addresses of a host in the text of `/etc/hosts`.
fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let of_line = |line: &str| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    };
    text.lines().filter_map(of_line).collect()
}

fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Fault> {
    let system = || AUTHORITIES.iter().map(Path::new).find(|path| path.exists());
    let path = ca_file.or_else(system).ok_or_else(|| {
        Fault::Away("there is no file of trusted certificates; name one in the binding".into())
    })?;
    let unusable = |error: &dyn std::fmt::Display| {
        Fault::Away(format!("cannot read the certificates in {}: {error}", path.display()))
    };
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SECRET_FILE).read_to_end(&mut pem))
        .map_err(|error| unusable(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        match roots.add(certificate) {
            Err(error) if ca_file.is_some() => return Err(unusable(&error)),
            // The system's file may hold one that is of no use here.
            _ => {}
        }
    }
    if roots.is_empty() {
        return Err(unusable(&"there is none"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_the_system() {
        let text = "127.0.0.1 localhost\n10.0.0.1\tdc1.example.com DC1 # 10.0.0.9 dc1\n::5 dc1\nbad dc1\n#1.1.1.1 dc1";
        assert_eq!(in_hosts(text, "dc1"), ["10.0.0.1".parse::<IpAddr>().unwrap(), "::5".parse().unwrap()]);
        assert_eq!(in_hosts(text, "dc1.Example.com").len(), 1);
        assert_eq!(in_hosts(text, "10.0.0.9").len(), 0);
    }
}

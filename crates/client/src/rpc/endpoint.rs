//! Where a connection goes, and the stream that leads there.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::libc::MSG_NOSIGNAL;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use super::reserved;
use crate::error::{Error, Result};

/// Where a server listens for streams.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

/// The port a TCP connection comes from. Servers take a reserved one for a sign of privilege.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourcePort {
    /// A reserved one for the superuser, any for others.
    #[default]
    Usual,
    /// A reserved one for whoever may have it: a daemon that kept the capability without being the superuser. Any
    /// other where that is not permitted.
    Reserved,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A connected stream of either kind.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Connects, waiting at most `timeout`.
    pub(crate) fn connect(endpoint: &Endpoint, source: SourcePort, timeout: Duration) -> Result<Self> {
        let stream = match endpoint {
            Endpoint::Tcp(addr) => connect_tcp(addr, source, timeout).map(Self::Tcp),
            Endpoint::Unix(path) => connect_unix(path, timeout).map(Self::Unix),
        };
        stream.map_err(|source| Error::Connect { endpoint: endpoint.to_string(), source })
    }

    /// Limits the next read; `timeout` must not be zero.
    pub(crate) fn limit_read(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(timeout)),
            Self::Unix(stream) => stream.set_read_timeout(Some(timeout)),
        }
    }

    /// Limits the next write; `timeout` must not be zero.
    pub(crate) fn limit_write(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(Some(timeout)),
            Self::Unix(stream) => stream.set_write_timeout(Some(timeout)),
        }
    }

    /// Local and remote address of a TCP connection.
    pub(crate) fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        match self {
            Self::Tcp(stream) => Some((stream.local_addr().ok()?, stream.peer_addr().ok()?)),
            Self::Unix(_) => None,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buf),
            Self::Unix(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(buf),
            // A peer that is gone must not kill a program that has linked this and knows nothing of it.
            Self::Unix(stream) => SockRef::from(&*stream).send_with_flags(buf, MSG_NOSIGNAL),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Connects, waiting at most `timeout` for a server that takes no connections.
fn connect_unix(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(timeout))?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket.into())
}

/// Connects from a reserved port where that is permitted, from any port otherwise.
fn connect_tcp(addr: &SocketAddr, source: SourcePort, timeout: Duration) -> io::Result<TcpStream> {
    if source == SourcePort::Reserved || reserved::wanted() {
        for port in reserved::ports() {
            let socket = tcp_socket(addr)?;
            // A connection that was just closed keeps its port busy for its own peer only.
            socket.set_reuse_address(true)?;
            match reserved::bind(&socket, addr, port) {
                Ok(()) => {}
                Err(error) if reserved::try_next(&error) => continue,
                Err(_) => break,
            }
            match socket.connect_timeout(&(*addr).into(), timeout) {
                Ok(()) => return ready(socket),
                // An old connection from the same port to the same server is not quite gone.
                Err(error) if reserved::try_next(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let socket = tcp_socket(addr)?;
    socket.connect_timeout(&(*addr).into(), timeout)?;
    ready(socket)
}

fn tcp_socket(addr: &SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(*addr), Type::STREAM, Some(Protocol::TCP))
}

/// Calls are small and wait for their replies: send them at once.
fn ready(socket: Socket) -> io::Result<TcpStream> {
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_server_that_takes_no_connections_is_not_waited_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let server = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        server.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        server.listen(0).unwrap();
        let (patience, begin) = (Duration::from_millis(200), Instant::now());
        let mut waiting = Vec::new();
        let error = loop {
            match connect_unix(&path, patience) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
            assert!(waiting.len() < 10);
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        // The kernel counts in ticks of its own, and may end one of them early.
        assert!(begin.elapsed() >= patience / 2 && begin.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_peer_that_is_gone_is_an_error() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(there);
        assert_eq!(Stream::Unix(here).write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

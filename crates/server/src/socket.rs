//! A connected stream socket of either kind.

use std::io;
use std::net::Shutdown;

use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Handle;

/// A connected socket.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// The same socket on another event loop.
    pub(crate) fn adopt(self, worker: &Handle) -> io::Result<Self> {
        let _context = worker.enter();
        match self {
            Self::Tcp(s) => TcpStream::from_std(s.into_std()?).map(Self::Tcp),
            Self::Unix(s) => UnixStream::from_std(s.into_std()?).map(Self::Unix),
        }
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.readable().await,
            Self::Unix(s) => s.readable().await,
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.writable().await,
            Self::Unix(s) => s.writable().await,
        }
    }

    /// Reads what there is. The event loop is not told where less came than there was room for, although that means that nothing
    /// is left: the next request of a quick client is there by the time its connection comes to read again, and a wait is saved
    /// (docs/performance-ldap.md, "Where the time goes").
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.try_read(buffer),
            Self::Unix(s) => s.try_read(buffer),
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.try_write(bytes),
            Self::Unix(s) => s.try_write(bytes),
        }
    }

    pub(crate) fn try_write_vectored(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.try_write_vectored(pieces),
            Self::Unix(s) => s.try_write_vectored(pieces),
        }
    }

    /// Tells the peer that nothing more will be sent.
    pub(crate) fn finish(&self) -> io::Result<()> {
        match self {
            Self::Tcp(s) => SockRef::from(s).shutdown(Shutdown::Write),
            Self::Unix(s) => SockRef::from(s).shutdown(Shutdown::Write),
        }
    }
}

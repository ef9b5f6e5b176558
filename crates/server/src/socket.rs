//! A connected stream socket of either kind.

use std::io::{self, Read};
use std::net::Shutdown;

use socket2::{SockRef, Socket as Plain};
use tokio::io::Interest;
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

    /// Reads what there is, as far as there is room. Where there was more room than that, the next wait for more begins without
    /// asking the kernel again, which would say that there is nothing.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        let read = match self {
            Self::Tcp(s) => s.try_io(Interest::READABLE, || drain(&SockRef::from(s), buffer, &mut filled)),
            Self::Unix(s) => s.try_io(Interest::READABLE, || drain(&SockRef::from(s), buffer, &mut filled)),
        };
        match read {
            Err(error) if filled == 0 || error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(filled),
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

/// Reads once. `WouldBlock` tells the event loop that nothing is left, also where something was read: for a stream socket a
/// read of less than there was room for means that (epoll(7)).
fn drain(mut socket: &Plain, buffer: &mut [u8], filled: &mut usize) -> io::Result<()> {
    *filled = socket.read(buffer)?;
    if (1..buffer.len()).contains(filled) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;
    use tokio::time::timeout;

    use super::*;

    /// Whether the event loop takes the socket for readable now.
    async fn is_ready(socket: &Socket) -> bool {
        timeout(Duration::from_millis(50), socket.readable()).await.is_ok()
    }

    async fn reads_say_when_nothing_is_left(mut far: impl AsyncWriteExt + Unpin, near: Socket) {
        let mut buffer = [0; 4];
        // A new one may be taken for readable until it has been tried.
        assert_eq!(near.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!is_ready(&near).await);
        far.write_all(b"sevens!").await.unwrap();
        assert!(is_ready(&near).await);
        assert_eq!((near.try_read(&mut buffer).unwrap(), &buffer), (4, b"seve"));
        // There was no room for more: perhaps there is.
        assert!(is_ready(&near).await);
        assert_eq!((near.try_read(&mut buffer).unwrap(), &buffer[..3]), (3, &b"ns!"[..]));
        assert!(!is_ready(&near).await);
        assert_eq!(near.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        // What comes later is not missed, and neither is the end, be it there already.
        far.write_all(b"more").await.unwrap();
        assert!(is_ready(&near).await);
        assert_eq!(near.try_read(&mut buffer).unwrap(), 4);
        far.write_all(b"end").await.unwrap();
        far.shutdown().await.unwrap();
        assert!(is_ready(&near).await);
        assert_eq!(near.try_read(&mut buffer).unwrap(), 3);
        assert!(is_ready(&near).await);
        assert_eq!(near.try_read(&mut buffer).unwrap(), 0);
    }

    #[tokio::test]
    async fn both_kinds_of_sockets() {
        let (far, near) = UnixStream::pair().unwrap();
        reads_say_when_nothing_is_left(far, Socket::Unix(near)).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let near = listener.accept().await.unwrap().0;
        reads_say_when_nothing_is_left(far, Socket::Tcp(near)).await;
    }
}

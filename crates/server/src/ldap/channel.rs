//! The bytes of a connection: plain, or protected by TLS.

use std::io::{self, Read, Write};
use std::mem;

use netinfo_ldap::Certificate;
use rustls::ServerConnection;
use zeroize::Zeroize;

use super::certificate;
use crate::limits::{HELD_FREELY, READ_BUFFER};
use crate::socket::Socket;

/// Bytes encrypted before they are sent.
const SEND_AT_ONCE: usize = READ_BUFFER;

/// A socket, and TLS on it.
pub(super) struct Channel {
    socket: Socket,
    tls: Option<Box<ServerConnection>>,
}

/// Where a worker reads into.
#[derive(Default)]
pub(super) struct Scratch {
    /// As it comes.
    raw: Vec<u8>,
    /// Decrypted.
    plain: Vec<u8>,
    /// Bytes of `raw` or `plain` that were filled last.
    filled: usize,
    decrypted: bool,
}

/// What reading has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    /// Bytes of the protocol, in the scratch.
    Bytes,
    /// Something for TLS alone, or nothing.
    Nothing,
    /// The end.
    End,
}

impl Scratch {
    /// What was read last.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.decrypted { &self.plain } else { &self.raw[..self.filled] }
    }

    /// Overwrites what was read last.
    pub(super) fn wipe(&mut self) {
        match self.decrypted {
            true => self.plain.zeroize(),
            false => self.raw[..self.filled].zeroize(),
        }
    }
}

impl Channel {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, tls: None }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Whether the handshake is under way.
    pub(super) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Expects a TLS handshake from now on.
    pub(super) fn protect(&mut self, tls: ServerConnection) {
        self.tls = Some(Box::new(tls));
    }

    /// What the client's certificate says, if it has shown one.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        let chain = self.tls.as_ref()?.peer_certificates()?;
        certificate::describe(chain.first()?)
    }

    /// Reads what there is.
    ///
    /// # Errors
    /// Those of the socket; `WouldBlock` if there is nothing. `InvalidData` when what came is not TLS: an alert is then
    /// to be sent.
    pub(super) fn read(&mut self, scratch: &mut Scratch) -> io::Result<Got> {
        if scratch.raw.is_empty() {
            scratch.raw = vec![0; READ_BUFFER];
        }
        let n = self.socket.try_read(&mut scratch.raw)?;
        (scratch.filled, scratch.decrypted) = (n, self.tls.is_some());
        let Some(tls) = &mut self.tls else {
            return Ok(if n == 0 { Got::End } else { Got::Bytes });
        };
        scratch.plain.clear();
        let mut rest = &scratch.raw[..n];
        while !rest.is_empty() {
            if tls.read_tls(&mut rest)? == 0 {
                break; // the peer has said goodbye; what follows is not for us
            }
            let state =
                tls.process_new_packets().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
            let at = scratch.plain.len();
            scratch.plain.resize(at + state.plaintext_bytes_to_read(), 0);
            tls.reader().read_exact(&mut scratch.plain[at..])?;
            if state.peer_has_closed() {
                return Ok(if scratch.plain.is_empty() { Got::End } else { Got::Bytes });
            }
        }
        Ok(match (n, scratch.plain.is_empty()) {
            (0, _) => Got::End,
            (_, true) => Got::Nothing,
            (_, false) => Got::Bytes,
        })
    }

    /// Sends from the front of `out` what the socket takes, and returns how many bytes of it need no further thought.
    /// Less than all means that the socket has to become writable.
    pub(super) fn write(&mut self, out: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => unless_blocked(self.socket.try_write(out)),
            Some(tls) => {
                let mut taken = 0;
                loop {
                    if !send(tls, &self.socket)? || taken == out.len() {
                        return Ok(taken);
                    }
                    let piece = &out[taken..out.len().min(taken + SEND_AT_ONCE)];
                    tls.writer().write_all(piece)?;
                    taken += piece.len();
                }
            }
        }
    }

    /// Whether bytes wait to be sent that were taken by [`Channel::write`], or that TLS has to say by itself.
    pub(super) fn has_to_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Says goodbye as TLS has it, if there is room for that.
    pub(super) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // The connection ends either way.
            let _ = send(tls, &self.socket);
        }
    }
}

/// Sends what TLS has encrypted. `false` when the socket takes no more.
fn send(tls: &mut ServerConnection, socket: &Socket) -> io::Result<bool> {
    while tls.wants_write() {
        match tls.write_tls(&mut Out(socket)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn unless_blocked(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

/// The socket as TLS writes to it.
struct Out<'a>(&'a Socket);

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that have come and wait. They may hold passwords, so they are overwritten when they go.
#[derive(Default)]
pub(super) struct Backlog(Vec<u8>);

impl Backlog {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes of memory taken.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Adds what has come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // A buffer that grows by itself leaves its content behind.
            let mut larger = Vec::with_capacity(needed.max(2 * self.0.capacity()));
            larger.extend_from_slice(&self.0);
            mem::replace(&mut self.0, larger).zeroize();
        }
        self.0.extend_from_slice(bytes);
    }

    /// Removes bytes from the front.
    pub(super) fn consume(&mut self, count: usize) {
        let rest = self.0.len() - count;
        self.0.copy_within(count.., 0);
        self.0[rest..].zeroize();
        self.0.truncate(rest);
        if rest == 0 && self.0.capacity() > HELD_FREELY {
            self.0 = Vec::new();
        }
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backlog_keeps_order_and_gives_memory_back() {
        let mut backlog = Backlog::default();
        backlog.push(b"one");
        backlog.push(&[b'x'; 2 * HELD_FREELY]);
        backlog.push(b"three");
        backlog.consume(3);
        assert_eq!(backlog.bytes().len(), 2 * HELD_FREELY + 5);
        backlog.consume(2 * HELD_FREELY);
        assert_eq!(backlog.bytes(), b"three");
        backlog.consume(5);
        assert!(backlog.is_empty());
        assert_eq!(backlog.capacity(), 0);
    }
}

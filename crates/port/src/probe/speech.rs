//! What a server says unasked, or in answer to what it does not understand, and who says such things.

use std::io::Read;
use std::net::TcpStream;
use std::time::Instant;

use super::budget::{Timed, is_timeout};
use crate::limits::MAX_BANNER;

/// What a server does when nobody says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speech {
    /// It says this.
    Says(Vec<u8>),
    /// It waits too.
    Waits,
    /// It closes the connection.
    HangsUp,
}

/// Listens until a moment, or until there is something.
pub fn listen(stream: &TcpStream, until: Instant) -> Speech {
    let mut buf = [0; MAX_BANNER];
    match Timed::new(stream, until).read(&mut buf) {
        Ok(0) => Speech::HangsUp,
        Ok(n) => Speech::Says(buf.get(..n).unwrap_or_default().to_vec()),
        Err(error) if is_timeout(&error) => Speech::Waits,
        Err(_) => Speech::HangsUp,
    }
}

/// How protocols begin when the server speaks, and what they are called.
const BEGINNINGS: [(&[u8], &str); 15] = [
    (b"SSH-", "SSH"),
    (b"HTTP/", "HTTP"),
    (b"<!DOCTYPE", "HTTP"),
    (b"<html", "HTTP"),
    (b"220 ", "SMTP or FTP"),
    (b"220-", "SMTP or FTP"),
    (b"+OK", "POP3"),
    (b"* OK", "IMAP"),
    (b"-ERR", "Redis or POP3"),
    (b"RFB ", "VNC"),
    (b"@RSYNCD:", "rsync"),
    (b"AMQP", "AMQP"),
    (b"\xff\xfb", "Telnet"),
    (b"\xff\xfd", "Telnet"),
    (b"<stream:", "XMPP"),
];

/// The protocol that begins like this.
pub fn sounds_like(said: &[u8]) -> Option<&'static str> {
    if is_mysql(said) {
        return Some("MySQL");
    }
    BEGINNINGS.iter().find(|(beginning, _)| said.starts_with(beginning)).map(|(_, name)| *name)
}

/// MySQL's greeting: three bytes of length, sequence number 0, protocol 10, the version as text.
fn is_mysql(said: &[u8]) -> bool {
    matches!(said, [_, _, 0, 0, 10, version, ..] if version.is_ascii_digit())
}

/// Whether this is a record of TLS: an alert or a handshake (RFC 8446 §5.1).
pub fn is_tls(said: &[u8]) -> bool {
    matches!(said, [0x15 | 0x16, 3, 0..=4, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        assert_eq!(sounds_like(b"SSH-2.0-OpenSSH_9.2p1\r\n"), Some("SSH"));
        assert_eq!(sounds_like(b"HTTP/1.1 400 Bad Request\r\n"), Some("HTTP"));
        assert_eq!(sounds_like(b"\x4a\0\0\0\x0a8.0.33\0"), Some("MySQL"));
        assert_eq!(sounds_like(b"hello"), None);
        assert_eq!(sounds_like(b""), None);
        assert!(is_tls(b"\x15\x03\x01\0\x02\x02\x46") && !is_tls(b"\x15\x02") && !is_tls(b""));
    }
}

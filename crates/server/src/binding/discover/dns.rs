//! Servers of the service in a DNS domain, asked of the nameservers in `/etc/resolv.conf`.
//!
//! The system's resolver is not used: it knows no SRV records, and its look-ups may come back to this daemon.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use netinfo_directory::binding::ParentName;
use simple_dns::TYPE;

use super::records::{Heard, question};
use super::{SERVICE, left};
use crate::limits::{DNS_ANSWER, NAMESERVERS};

const RESOLVERS: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// How long one nameserver is waited for before the question goes to the next.
const TURN: Duration = Duration::from_millis(1000);

/// The servers in `domain`, those of lowest priority number first.
///
/// # Errors
/// When no nameserver can be asked.
pub(super) fn find(domain: &str, usual_tag: &str, deadline: Instant) -> io::Result<Vec<ParentName>> {
    let nameservers = nameservers(&std::fs::read_to_string(RESOLVERS)?);
    let name = format!("{SERVICE}.{}", domain.trim_end_matches('.'));
    let mut heard = Heard::default();
    ask(&nameservers, &name, TYPE::SRV, &mut heard, deadline)?;
    let targets: Vec<String> = heard.without_address().map(str::to_owned).collect();
    for target in targets {
        for of in [TYPE::A, TYPE::AAAA] {
            ask(&nameservers, &target, of, &mut heard, deadline)?;
        }
    }
    // Without it the usual tag is meant.
    if let Err(error) = ask(&nameservers, &name, TYPE::TXT, &mut heard, deadline) {
        tracing::debug!(%error, "no answer about the tag of the parent");
    }
    Ok(heard.parents(usual_tag))
}

/// The nameservers of a `resolv.conf`; without any, this host (resolv.conf(5)).
fn nameservers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| -> Option<IpAddr> {
        let mut words = line.split_whitespace();
        // A scope, as in fe80::1%eth0, is of no use without the interface's number.
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok()).flatten()
    };
    let mut found: Vec<SocketAddr> =
        text.lines().filter_map(address).take(NAMESERVERS).map(|address| (address, PORT).into()).collect();
    if found.is_empty() {
        found.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    found
}

/// Asks one nameserver after the other until one answers.
fn ask(
    nameservers: &[SocketAddr],
    name: &str,
    of: TYPE,
    heard: &mut Heard,
    deadline: Instant,
) -> io::Result<()> {
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    for nameserver in nameservers {
        let Some(turn) = left(deadline, TURN) else { break };
        match ask_one(*nameserver, name, of, heard, turn) {
            Ok(()) => return Ok(()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn ask_one(server: SocketAddr, name: &str, of: TYPE, heard: &mut Heard, turn: Duration) -> io::Result<()> {
    let mut seed = [0; 2];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let id = u16::from_be_bytes(seed);
    let bad = |_| io::Error::other(format!("\"{name}\" is no DNS name"));
    let message = question(id, name, of, true).map_err(bad)?;
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(&message)?;
    let mut buffer = [0; DNS_ANSWER];
    let end = Instant::now() + turn;
    while let Some(wait) = left(end, turn) {
        socket.set_read_timeout(Some(wait))?;
        let length = match socket.recv(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            received => received?,
        };
        match heard.hear(Some(id), buffer.get(..length).unwrap_or_default()) {
            Some(false) => return Ok(()),
            Some(true) => return ask_stream(server, id, &message, heard, turn),
            None => {}
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The same over TCP, for answers that do not fit a datagram (RFC 7766).
fn ask_stream(
    server: SocketAddr,
    id: u16,
    message: &[u8],
    heard: &mut Heard,
    turn: Duration,
) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&server, turn)?;
    stream.set_read_timeout(Some(turn))?;
    stream.set_write_timeout(Some(turn))?;
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    heard.hear(Some(id), &answer).map(drop).ok_or_else(|| io::Error::other("an answer to another question"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers() {
        let text =
            "# x\nnameserver 10.0.0.1\nsearch a b\n nameserver ::1\nnameserver fe80::1%eth0\nnameserver\n";
        assert_eq!(nameservers(text), ["10.0.0.1:53".parse().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(nameservers(""), ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(nameservers(&"nameserver 10.0.0.1\n".repeat(9)).len(), NAMESERVERS);
    }
}

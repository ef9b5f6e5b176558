//! Questions to the nameservers in `/etc/resolv.conf`. Blocking: to be asked on a thread that may wait.
//!
//! The system's resolver is not used: it knows no SRV records, and its look-ups may come back to this daemon.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, TYPE};

use crate::limits::{DNS_ANSWER, DNS_SEARCH, NAMESERVERS};

const RESOLVERS: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// How long one nameserver is waited for before the question goes to the next.
const TURN: Duration = Duration::from_millis(1000);

/// A message could not be made: the name is no DNS name.
#[derive(Debug)]
pub(crate) struct BadName;

/// Takes an answer in, with the number of the question: `Some(true)` if it was cut short, `None` if it is not the answer.
pub(crate) type Hear<'h> = &'h mut dyn FnMut(u16, &[u8]) -> Option<bool>;

/// Who is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolvers {
    /// The nameservers, in order.
    pub(crate) nameservers: Vec<SocketAddr>,
    /// Domains in which names without a dot are looked up, in lower case.
    pub(crate) search: Vec<String>,
}

/// What is configured.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn configured() -> io::Result<Resolvers> {
    Ok(Resolvers::parse(&std::fs::read_to_string(RESOLVERS)?))
}

impl Resolvers {
    /// What a `resolv.conf` says; without nameservers, this host is meant (resolv.conf(5)).
    fn parse(text: &str) -> Self {
        let address = |line: &str| -> Option<IpAddr> {
            let mut words = line.split_whitespace();
            // A scope, as in fe80::1%eth0, is of no use without the interface's number.
            (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok()).flatten()
        };
        let nameservers = text.lines().filter_map(address).take(NAMESERVERS);
        let mut nameservers: Vec<SocketAddr> = nameservers.map(|address| (address, PORT).into()).collect();
        if nameservers.is_empty() {
            nameservers.push((Ipv4Addr::LOCALHOST, PORT).into());
        }
        // The last of these lines is the one that counts.
        let search = text.lines().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            matches!(words.next(), Some("search" | "domain")).then_some(words)
        });
        let search = search.into_iter().flatten().take(DNS_SEARCH);
        let search = search.map(|domain| domain.trim_end_matches('.').to_ascii_lowercase());
        Self { nameservers, search: search.filter(|domain| !domain.is_empty()).collect() }
    }
}

/// The time until `deadline`, at most `longest`; `None` when it is over.
pub(crate) fn left(deadline: Instant, longest: Duration) -> Option<Duration> {
    let left = deadline.saturating_duration_since(Instant::now()).min(longest);
    (!left.is_zero()).then_some(left)
}

/// Asks one nameserver after the other until one answers what is taken.
///
/// # Errors
/// When none does.
pub(crate) fn ask(
    nameservers: &[SocketAddr],
    name: &str,
    of: TYPE,
    deadline: Instant,
    hear: Hear<'_>,
) -> io::Result<()> {
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    for nameserver in nameservers {
        let Some(turn) = left(deadline, TURN) else { break };
        match ask_one(*nameserver, name, of, hear, turn) {
            Ok(()) => return Ok(()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn ask_one(server: SocketAddr, name: &str, of: TYPE, hear: Hear<'_>, turn: Duration) -> io::Result<()> {
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
        match hear(id, buffer.get(..length).unwrap_or_default()) {
            Some(false) => return Ok(()),
            Some(true) => return ask_stream(server, id, &message, hear, turn),
            None => {}
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The same over TCP, for answers that do not fit a datagram (RFC 7766).
fn ask_stream(server: SocketAddr, id: u16, message: &[u8], hear: Hear<'_>, turn: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&server, turn)?;
    stream.set_read_timeout(Some(turn))?;
    stream.set_write_timeout(Some(turn))?;
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    hear(id, &answer).map(drop).ok_or_else(|| io::Error::other("an answer to another question"))
}

/// A question for records of some type, as a message.
///
/// # Errors
/// [`BadName`].
pub(crate) fn question(id: u16, name: &str, of: TYPE, recursion: bool) -> Result<Vec<u8>, BadName> {
    let mut packet = Packet::new_query(id);
    if recursion {
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    let name = Name::new(name).map_err(|_| BadName)?;
    packet.questions.push(Question::new(name, QTYPE::TYPE(of), CLASS::IN.into(), false));
    packet.build_bytes_vec().map_err(|_| BadName)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers() {
        let text =
            "# x\nnameserver 10.0.0.1\nsearch a b\n nameserver ::1\nnameserver fe80::1%eth0\nnameserver\n";
        assert_eq!(Resolvers::parse(text).search, ["a", "b"]);
        let nameservers = |text: &str| Resolvers::parse(text).nameservers;
        assert_eq!(nameservers(text), ["10.0.0.1:53".parse().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(Resolvers::parse("search a\ndomain Office.Example.\n").search, ["office.example"]);
        assert_eq!(Resolvers::parse(&format!("search{}", " a".repeat(9))).search.len(), DNS_SEARCH);
        assert_eq!(nameservers(""), ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(nameservers(&"nameserver 10.0.0.1\n".repeat(9)).len(), NAMESERVERS);
    }
}

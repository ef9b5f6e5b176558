//! The questions over UDP, where only RPC is asked for: most other protocols do not answer what they do not know.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use super::budget::{self, Budget};
use super::rpc::{self, Call, Caller, Reply};
use super::speech;
use super::tcp::Outcome;
use super::verdict::Verdict;
use crate::limits::{ANSWER_WAIT, MAX_ANSWER, MAX_BANNER, UDP_SENDS};
use crate::socket::Transport;

/// Asks what is at a UDP port.
pub fn ask(target: SocketAddr) -> Verdict {
    let mut budget = Budget::default();
    let mut caller = match connect(target) {
        Ok(socket) => Datagrams { socket, xid: rpc::start(), refused: false },
        Err(error) => return Verdict::Unreachable(netinfo_client::error::plain(&error)),
    };
    match caller.call(rpc::FIRST, &mut budget) {
        Ok(reply) => Verdict::Rpc(rpc::inquire(&mut caller, reply, target, Transport::Udp, &mut budget)),
        Err(Outcome::Said(said)) => Verdict::Speaks { sounds_like: speech::sounds_like(&said), said },
        Err(_) if caller.refused => Verdict::Closed,
        Err(_) => Verdict::NoAnswer,
    }
}

/// A socket on any port that hears nobody but the target.
fn connect(target: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(target)?;
    Ok(socket)
}

struct Datagrams {
    socket: UdpSocket,
    xid: u32,
    /// Whether the host said that nothing listens there.
    refused: bool,
}

impl Caller for Datagrams {
    fn call(&mut self, call: Call, budget: &mut Budget) -> Result<Reply, Outcome> {
        let end = budget.question().ok_or(Outcome::Silent)?;
        self.xid = self.xid.wrapping_add(1);
        let mut message = Vec::new();
        rpc::put(&mut message, self.xid, call);
        let mut stray = None;
        for round in 1..=UDP_SENDS {
            let until = end.min(Instant::now() + ANSWER_WAIT / UDP_SENDS);
            match self.socket.send(&message).and_then(|_| self.receive(until, &mut stray)) {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    self.refused = true;
                    return Err(Outcome::HungUp);
                }
                Err(error) if round == UDP_SENDS => return Err(Outcome::of(&error)),
                Err(_) => {}
            }
        }
        Err(stray.map_or(Outcome::Silent, Outcome::Said))
    }
}

impl Datagrams {
    /// Waits for the reply to the last call; what else comes is kept in `stray`.
    fn receive(&self, until: Instant, stray: &mut Option<Vec<u8>>) -> io::Result<Option<Reply>> {
        let mut buf = vec![0; MAX_ANSWER];
        loop {
            let Ok(left) = budget::left(until) else { return Ok(None) };
            self.socket.set_read_timeout(Some(left))?;
            let datagram = match self.socket.recv(&mut buf) {
                Ok(n) => buf.get(..n).unwrap_or_default(),
                Err(error) if budget::is_timeout(&error) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            match rpc::reply(datagram, self.xid) {
                Some(reply) => return Ok(Some(reply)),
                None => *stray = Some(datagram.iter().copied().take(MAX_BANNER).collect()),
            }
        }
    }
}

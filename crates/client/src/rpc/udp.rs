//! Calls by datagram, sent again until a reply comes.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use netinfo_wire::rpc::{Credential, Outcome, parse_reply, put_call};
use socket2::{Domain, Protocol, Socket, Type};

use super::reserved;
use crate::error::{Error, Result};
use crate::limits::{MAX_DATAGRAM, UDP_TRIES};

/// What to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpCall {
    /// Program number.
    pub program: u32,
    /// Version of the program.
    pub version: u32,
    /// Procedure of that version.
    pub procedure: u32,
    /// Time for the whole call; it is transmitted [`UDP_TRIES`] times at even intervals.
    pub timeout: Duration,
}

/// Calls a procedure at `server` and returns its results, still encoded. Datagrams that are not the reply to
/// this call are ignored.
///
/// # Errors
/// [`Error::Timeout`] without a reply, [`Error::Connect`] or [`Error::Io`] if the network says that none will
/// come, [`Error::Rejected`] and [`Error::Denied`] if the server does not execute the call.
pub fn call(server: SocketAddr, call: UdpCall, args: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>> {
    let endpoint = format!("{server}/udp");
    let connect_failed = |source| Error::Connect { endpoint: endpoint.clone(), source };
    let io_failed = |source| Error::Io { endpoint: endpoint.clone(), source };
    let socket = socket(&server).map_err(connect_failed)?;
    socket.connect(server).map_err(connect_failed)?;
    let xid = getrandom::u32().unwrap_or_else(|_| std::process::id());
    let mut message = Vec::new();
    put_call(&mut message, xid, call.program, call.version, call.procedure, &Credential::None);
    args(&mut message);

    let start = Instant::now();
    let mut buf = vec![0; MAX_DATAGRAM];
    for round in 1..=UDP_TRIES {
        match socket.send(&message) {
            // A refusal of an earlier datagram is reported here; the server may have started since.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && round < UDP_TRIES => {}
            result => drop(result.map_err(io_failed)?),
        }
        let deadline = start + call.timeout * round / UDP_TRIES;
        while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            socket.set_read_timeout(Some(left)).map_err(io_failed)?;
            match socket.recv(&mut buf) {
                Ok(n) => {
                    if let Some(outcome) = answer(&endpoint, xid, call, buf.get(..n).unwrap_or_default()) {
                        return outcome;
                    }
                }
                Err(error) if is_timeout(&error) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The port is closed. That is known for certain only on this very host.
                Err(error)
                    if error.kind() == io::ErrorKind::ConnectionRefused && server.ip().is_loopback() =>
                {
                    return Err(connect_failed(error));
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::thread::sleep(left);
                }
                Err(error) => return Err(io_failed(error)),
            }
        }
    }
    Err(Error::Timeout { endpoint, after: call.timeout })
}

/// The outcome in a datagram, if it answers call `xid`.
fn answer(endpoint: &str, xid: u32, call: UdpCall, datagram: &[u8]) -> Option<Result<Vec<u8>>> {
    let reply = parse_reply(datagram).ok().filter(|reply| reply.xid == xid)?;
    let endpoint = endpoint.to_owned();
    Some(match reply.outcome {
        Outcome::Success(results) => Ok(results.to_vec()),
        Outcome::Failed(stat) => Err(Error::Rejected { endpoint, program: call.program, stat }),
        Outcome::Denied(denial) => Err(Error::Denied { endpoint, denial }),
    })
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// A socket on a reserved port where that is permitted.
fn socket(server: &SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(*server), Type::DGRAM, Some(Protocol::UDP))?;
    if reserved::wanted() {
        for port in reserved::ports() {
            match reserved::bind(&socket, server, port) {
                Err(error) if reserved::try_next(&error) => {}
                _ => break,
            }
        }
    }
    Ok(socket.into())
}

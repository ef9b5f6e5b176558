//! Asking other RPC servers over UDP: the portmapper, binders, domains.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netinfo_wire::rpc::{Credential, Outcome, parse_reply, put_call};
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::limits::{MAX_QUESTIONS, MAX_UDP_DATAGRAM};

/// A procedure of a program at an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) prog: u32,
    pub(crate) vers: u32,
    pub(crate) proc: u32,
}

/// How long to wait, and when to send again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) total: Duration,
    pub(crate) resend: Duration,
}

/// Calls over UDP with no credential; the encoded results, or `None` when there was no answer in time or it was not a
/// successful one.
pub(crate) async fn call(target: Target, args: &[u8], patience: Patience) -> Option<Vec<u8>> {
    match attempt(target, args, patience).await {
        Ok(results) => results,
        Err(error) => {
            tracing::debug!(%error, address = %target.address, "RPC over UDP failed");
            None
        }
    }
}

async fn attempt(target: Target, args: &[u8], patience: Patience) -> io::Result<Option<Vec<u8>>> {
    // Each takes a socket; whoever makes us ask must not make us run out of them.
    static QUESTIONS: Semaphore = Semaphore::const_new(MAX_QUESTIONS);
    let _permit = QUESTIONS.acquire().await;
    static XID: AtomicU32 = AtomicU32::new(0);
    if XID.load(Ordering::Relaxed) == 0 {
        let mut seed = [0; 4];
        // Any number will do; a random one keeps restarts from meeting old answers.
        let _ = getrandom::fill(&mut seed);
        XID.store(u32::from_ne_bytes(seed) | 1, Ordering::Relaxed);
    }
    let xid = XID.fetch_add(1, Ordering::Relaxed);
    let any: IpAddr = match target.address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(target.address).await?;
    let mut message = Vec::with_capacity(64 + args.len());
    put_call(&mut message, xid, target.prog, target.vers, target.proc, &Credential::None);
    message.extend_from_slice(args);
    let deadline = Instant::now() + patience.total;
    let mut buffer = vec![0; MAX_UDP_DATAGRAM];
    while Instant::now() < deadline {
        socket.send(&message).await?;
        let again = deadline.min(Instant::now() + patience.resend);
        while let Ok(received) = timeout_at(again, socket.recv(&mut buffer)).await {
            let Ok(reply) = parse_reply(&buffer[..received?]) else { continue };
            if reply.xid == xid {
                return Ok(match reply.outcome {
                    Outcome::Success(body) => Some(body.to_vec()),
                    _ => None,
                });
            }
        }
    }
    Ok(None)
}

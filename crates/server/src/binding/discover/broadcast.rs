//! Asks the attached networks, by broadcast, who serves this machine: BIND of the binder, through the portmapper's indirect
//! call. Those who do not know this machine as a child stay silent.

use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use netinfo_directory::binding::ParentName;
use netinfo_wire::nibind::{self, BindArgs};
use netinfo_wire::portmap::v2::{CallItArgs, CallItResult, Procedure};
use netinfo_wire::portmap::{PORT, PORTMAP_VERSION, PROGRAM};
use netinfo_wire::rpc::{AuthSys, Credential, Outcome, parse_reply, put_call};

use crate::dns::left;
use crate::interfaces::InterfaceAddress;
use crate::limits::MAX_UDP_DATAGRAM;

/// Waits after each transmission to all.
const ROUNDS: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];

/// A question on one network for one tag.
struct Asked<'t> {
    socket: UdpSocket,
    to: Ipv4Addr,
    message: Vec<u8>,
    xid: u32,
    tag: &'t str,
}

/// The first that answers.
///
/// # Errors
/// When no network can be asked.
pub(super) fn find(
    interfaces: &[InterfaceAddress],
    hostname: &str,
    tag: &str,
    tags: &[String],
    deadline: Instant,
) -> io::Result<Vec<ParentName>> {
    let asked = questions(interfaces, hostname, tag, tags)?;
    for wait in ROUNDS {
        for question in &asked {
            // A network that cannot be asked has no answer.
            let _ = question.socket.send_to(&question.message, (question.to, PORT));
        }
        let end = (Instant::now() + wait).min(deadline);
        while let Some(pause) = left(end, Duration::from_millis(10)) {
            for question in &asked {
                if let Some(from) = answer(question) {
                    let (tag, host) = (question.tag.to_owned(), from.to_string());
                    return Ok(vec![ParentName::NetInfo { tag, host, port: None }]);
                }
            }
            if asked.is_empty() {
                break;
            }
            std::thread::sleep(pause);
        }
    }
    Ok(Vec::new())
}

fn questions<'t>(
    interfaces: &[InterfaceAddress],
    hostname: &str,
    tag: &str,
    tags: &'t [String],
) -> io::Result<Vec<Asked<'t>>> {
    let mut seed = [0; 4];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let mut xid = u32::from_be_bytes(seed);
    let mut asked = Vec::new();
    for interface in interfaces {
        let (IpAddr::V4(own), Some(to)) = (interface.address, interface.broadcast) else { continue };
        for server_tag in tags {
            let socket = UdpSocket::bind((own, 0))?;
            socket.set_broadcast(true)?;
            socket.set_nonblocking(true)?;
            xid = xid.wrapping_add(1);
            let message = message(xid, own, hostname, tag, server_tag);
            asked.push(Asked { socket, to, message, xid, tag: server_tag });
        }
    }
    Ok(asked)
}

fn message(xid: u32, own: Ipv4Addr, hostname: &str, tag: &str, server_tag: &str) -> Vec<u8> {
    let mut inner = Vec::new();
    let (client_tag, server_tag) = (tag.as_bytes(), server_tag.as_bytes());
    BindArgs { client_addr: own, client_tag, server_tag }.encode(&mut inner);
    let credential = Credential::Sys(AuthSys { machine: hostname.as_bytes(), ..AuthSys::default() });
    let mut message = Vec::new();
    put_call(&mut message, xid, PROGRAM, PORTMAP_VERSION, Procedure::CallIt.code(), &credential);
    let (prog, vers, proc) = (nibind::PROGRAM, nibind::VERSION, nibind::Procedure::Bind.code());
    CallItArgs { prog, vers, proc, args: &inner }.encode(&mut message);
    message
}

/// Who has answered a question, if somebody has. What cannot be read is passed over.
fn answer(question: &Asked<'_>) -> Option<IpAddr> {
    let mut buffer = [0; MAX_UDP_DATAGRAM];
    while let Ok((length, from)) = question.socket.recv_from(&mut buffer) {
        let Ok(reply) = parse_reply(buffer.get(..length)?) else { continue };
        if let Outcome::Success(body) = reply.outcome
            && reply.xid == question.xid
            && CallItResult::decode(body).is_ok()
        {
            return Some(from.ip());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_the_classic_one() {
        let message = message(7, Ipv4Addr::new(10, 0, 0, 5), "ada", "local", "network");
        let call = netinfo_wire::rpc::parse_call(&message).unwrap();
        assert_eq!((call.xid, call.prog, call.vers, call.proc), (7, PROGRAM, 2, 5));
        let outer = CallItArgs::decode(call.args).unwrap();
        assert_eq!((outer.prog, outer.vers, outer.proc), (200_100_001, 1, 8));
        let inner = BindArgs::decode(outer.args).unwrap();
        assert_eq!(inner.client_addr, Ipv4Addr::new(10, 0, 0, 5));
        assert_eq!((inner.client_tag, inner.server_tag), (&b"local"[..], &b"network"[..]));
    }
}

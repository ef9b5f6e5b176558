//! Servers of the service on the attached networks: one-shot questions of multicast DNS (RFC 6762 section 5.1).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use netinfo_directory::binding::ParentName;
use simple_dns::TYPE;
use socket2::SockRef;

use super::SERVICE;
use super::records::Heard;
use crate::dns::{left, question};
use crate::interfaces::InterfaceAddress;
use crate::limits::DNS_ANSWER;

const GROUP: (Ipv4Addr, u16) = (Ipv4Addr::new(224, 0, 0, 251), 5353);
/// How long answers to one question are collected: responders wait up to 120 ms, and lost packets are asked for again.
const COLLECTING: Duration = Duration::from_millis(700);
/// Rounds of questions: instances; their servers; the addresses of these; and one for a lost packet.
const ROUNDS: usize = 4;

/// The servers that answer.
///
/// # Errors
/// When no network can be asked.
pub(super) fn find(
    interfaces: &[InterfaceAddress],
    usual_tag: &str,
    deadline: Instant,
) -> io::Result<Vec<ParentName>> {
    let mut sockets = Vec::new();
    for interface in interfaces {
        if let IpAddr::V4(own) = interface.address {
            let socket = UdpSocket::bind((own, 0))?;
            SockRef::from(&socket).set_multicast_if_v4(&own)?;
            socket.set_nonblocking(true)?;
            sockets.push(socket);
        }
    }
    let mut heard = Heard::default();
    for _ in 0..ROUNDS {
        let questions = open_questions(&heard);
        if questions.is_empty() || left(deadline, COLLECTING).is_none() || sockets.is_empty() {
            break;
        }
        for message in &questions {
            for socket in &sockets {
                // A network that cannot be asked has no answer.
                let _ = socket.send_to(message, GROUP);
            }
        }
        collect(&sockets, &mut heard, deadline);
    }
    Ok(heard.parents(usual_tag))
}

/// What is not known yet, as messages.
fn open_questions(heard: &Heard) -> Vec<Vec<u8>> {
    let service = format!("{SERVICE}.local");
    let mut wanted: Vec<(&str, TYPE)> = Vec::new();
    if heard.instances.is_empty() {
        wanted.push((&service, TYPE::PTR));
    }
    for instance in heard.without_server() {
        wanted.extend([(instance.as_str(), TYPE::SRV), (instance.as_str(), TYPE::TXT)]);
    }
    wanted.extend(heard.without_address().map(|target| (target, TYPE::A)));
    // Names that cannot be asked for were never those of servers.
    wanted.into_iter().filter_map(|(name, of)| question(0, name, of, false).ok()).collect()
}

/// Takes in what comes, until it has been collected long enough or nothing is left to ask.
fn collect(sockets: &[UdpSocket], heard: &mut Heard, deadline: Instant) {
    let end = (Instant::now() + COLLECTING).min(deadline);
    let mut buffer = [0; DNS_ANSWER];
    while let Some(wait) = left(end, Duration::from_millis(10)) {
        let mut quiet = true;
        for socket in sockets {
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                quiet = false;
                if is_responder(from) {
                    heard.hear(None, buffer.get(..length).unwrap_or_default());
                }
            }
        }
        if quiet {
            std::thread::sleep(wait);
        }
    }
}

/// Answers come from the port of multicast DNS; others are not from a responder (RFC 6762 section 6).
fn is_responder(from: SocketAddr) -> bool {
    from.port() == GROUP.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_first() {
        assert_eq!(open_questions(&Heard::default()).len(), 1);
        assert!(is_responder("10.0.0.1:5353".parse().unwrap()));
        assert!(!is_responder("10.0.0.1:53".parse().unwrap()));
    }
}

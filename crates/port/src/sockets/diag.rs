//! The kernel's own list of sockets, over netlink: sock_diag(7).

use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, nlas::Nla,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket as Netlink, SocketAddr as NetlinkAddr};

use super::Which;
use crate::limits::NETLINK_BUFFER;
use crate::socket::{Socket, State, Transport};

/// The attribute that names the control group of a socket's maker (`INET_DIAG_CGROUP_ID`, since Linux 5.9).
const CGROUP_ID: u16 = 21;

/// Lists sockets, in the kernel's order.
///
/// # Errors
/// Those of the netlink socket; [`io::ErrorKind::InvalidData`] for an answer that cannot be understood.
pub fn list(which: Which) -> io::Result<Vec<Socket>> {
    let mut netlink = Netlink::new(NETLINK_SOCK_DIAG)?;
    netlink.bind_auto()?;
    netlink.connect(&NetlinkAddr::new(0, 0))?;
    let mut sockets = Vec::new();
    for transport in Transport::ALL {
        for family in [AF_INET, AF_INET6] {
            dump(&netlink, request(family, transport, which), transport, &mut sockets)?;
        }
    }
    Ok(sockets)
}

fn request(family: u8, transport: Transport, which: Which) -> Vec<u8> {
    let (protocol, listening) = match transport {
        Transport::Tcp => (IPPROTO_TCP, StateFlags::LISTEN),
        // A UDP socket without a peer counts as closed.
        Transport::Udp => (IPPROTO_UDP, StateFlags::CLOSE),
    };
    let states = match which {
        Which::Listening => listening,
        Which::All => StateFlags::all(),
    };
    let socket_id = if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() };
    let extensions = ExtensionFlags::empty();
    let request = InetRequest { family, protocol, extensions, states, socket_id };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut buf = vec![0; message.buffer_len()];
    message.serialize(&mut buf);
    buf
}

fn dump(netlink: &Netlink, request: Vec<u8>, transport: Transport, out: &mut Vec<Socket>) -> io::Result<()> {
    netlink.send(&request, 0)?;
    let mut buf = Vec::with_capacity(NETLINK_BUFFER);
    loop {
        buf.clear();
        netlink.recv(&mut buf, 0)?;
        if !messages(&buf, transport, out)? {
            return Ok(());
        }
    }
}

/// Takes the messages of one answer; `false` after the last of all.
fn messages(mut rest: &[u8], transport: Transport, out: &mut Vec<Socket>) -> io::Result<bool> {
    let invalid =
        |error: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    while !rest.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(|e| invalid(&e))?;
        match message.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                out.extend(socket(&response, transport));
            }
            NetlinkPayload::Done(_) => return Ok(false),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            _ => {}
        }
        // Messages are aligned to four bytes.
        let taken = (message.header.length as usize).next_multiple_of(4);
        if taken == 0 {
            return Err(invalid(&"a netlink message without a length"));
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(true)
}

fn socket(response: &InetResponse, transport: Transport) -> Option<Socket> {
    let header = &response.header;
    let id = &header.socket_id;
    let v6_only = response.nlas.iter().find_map(|nla| match nla {
        Nla::SkV6Only(only) => Some(*only),
        _ => None,
    });
    let group = response.nlas.iter().find_map(|nla| match nla {
        Nla::Other(other) => group_of(other),
        _ => None,
    });
    let remote = SocketAddr::new(id.destination_address, id.destination_port);
    Some(Socket {
        transport,
        state: State::from_code(transport, header.state)?,
        local: SocketAddr::new(id.source_address, id.source_port),
        remote: (remote.port() != 0).then_some(remote),
        v6_only,
        uid: header.uid,
        inode: header.inode.into(),
        group,
    })
    // A socket that was made and never used has no port.
    .filter(|socket| socket.local.port() != 0)
}

/// The number of the control group, in the byte order of the machine.
fn group_of(nla: &netlink_packet_core::DefaultNla) -> Option<u64> {
    use netlink_packet_core::Nla as _;

    let mut value = [0; size_of::<u64>()];
    if nla.kind() != CGROUP_ID || nla.value_len() != value.len() {
        return None;
    }
    nla.emit_value(&mut value);
    Some(u64::from_ne_bytes(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_process_is_seen() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let there = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let listening = list(Which::Listening).unwrap();
        let has = |sockets: &[Socket], transport, state, local, remote| {
            let is =
                |s: &&Socket| (s.transport, s.state, s.local, s.remote) == (transport, state, local, remote);
            sockets.iter().filter(is).count() == 1
        };
        let (tcp, udp, here) =
            (tcp.local_addr().unwrap(), udp.local_addr().unwrap(), there.local_addr().unwrap());
        assert!(has(&listening, Transport::Tcp, State::Listening, tcp, None));
        assert!(has(&listening, Transport::Udp, State::Listening, udp, None));
        assert!(listening.iter().all(Socket::listens));
        let all = list(Which::All).unwrap();
        assert!(has(&all, Transport::Tcp, State::Listening, tcp, None));
        assert!(has(&all, Transport::Tcp, State::Connected, here, Some(tcp)));
    }

    proptest! {
        #[test]
        fn any_answer_is_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = messages(&bytes, Transport::Tcp, &mut Vec::new());
        }
    }
}

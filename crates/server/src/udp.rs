//! UDP with the local address of each datagram, so that an answer leaves from the address that was asked.
//!
//! A socket bound to the wildcard address would otherwise answer from whatever address routing prefers,
//! which a client that asked another one drops. IPv4 uses `IP_PKTINFO`, IPv6 `IPV6_PKTINFO` (RFC 3542 §6).

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket as StdUdpSocket};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage, recvmsg,
    sendmsg, setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Bytes for the ancillary data of one datagram: either packet-info message with its header fits.
const CONTROL_SIZE: usize = 64;

/// Ancillary data must be aligned as its header, which is the size of a machine word.
#[repr(align(16))]
struct Control([u8; CONTROL_SIZE]);

/// Where a datagram arrived, and so where its answer leaves from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// This machine's address. For a broadcast the address of the interface it came in by; unspecified
    /// when only the system knows (an IPv6 multicast).
    pub ip: IpAddr,
    /// Index of the interface it came in by; 0: unknown.
    pub interface: u32,
}

/// One received datagram; its bytes are at the start of the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes in the buffer.
    pub len: usize,
    /// Whether the datagram was longer than the buffer; the rest is lost.
    pub truncated: bool,
    /// Who sent it.
    pub peer: SocketAddr,
    /// Where it arrived.
    pub local: Local,
    /// The destination it was sent to, which may be a broadcast or multicast address.
    pub destination: IpAddr,
}

/// A UDP socket that knows the local address of each datagram.
#[derive(Debug)]
pub struct UdpPort {
    socket: UdpSocket,
    bound: SocketAddr,
}

impl UdpPort {
    /// Takes over a bound, non-blocking socket. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// What the system reported when the socket was registered.
    pub fn new(socket: StdUdpSocket) -> io::Result<Self> {
        enable_packet_info(&socket)?;
        let bound = socket.local_addr()?;
        Ok(Self { socket: UdpSocket::from_std(socket)?, bound })
    }

    /// The address it is bound to.
    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// Waits for a datagram and puts it into `buffer`. May be dropped while waiting without loss.
    ///
    /// # Errors
    /// What the system reported; the socket stays usable.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.socket.async_io(Interest::READABLE, || self.recv_now(buffer)).await
    }

    /// Sends `bytes` to `peer` from `local`, waiting for room in the send buffer.
    ///
    /// # Errors
    /// What the system reported, such as `AddrNotAvailable` when `local` is gone by now.
    pub async fn send_from(&self, bytes: &[u8], peer: SocketAddr, local: Local) -> io::Result<()> {
        self.socket.async_io(Interest::WRITABLE, || self.send_now(bytes, peer, local)).await
    }

    fn recv_now(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let mut control = Control([0; CONTROL_SIZE]);
        let mut parts = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let message =
            recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut control.0), MsgFlags::MSG_DONTWAIT)?;
        let peer = message.address.as_ref().and_then(socket_addr).ok_or(Errno::EAFNOSUPPORT)?;
        let mut local = Local { ip: self.bound.ip(), interface: 0 };
        let mut destination = self.bound.ip();
        for item in message.cmsgs()? {
            match item {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    local.ip = ipv4(info.ipi_spec_dst).into();
                    local.interface = u32::try_from(info.ipi_ifindex).unwrap_or(0);
                    destination = ipv4(info.ipi_addr).into();
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let ip = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    destination = ip.into();
                    local.ip = if ip.is_multicast() { Ipv6Addr::UNSPECIFIED } else { ip }.into();
                    local.interface = info.ipi6_ifindex;
                }
                _ => {}
            }
        }
        let truncated = message.flags.contains(MsgFlags::MSG_TRUNC);
        Ok(Received { len: message.bytes, truncated, peer, local, destination })
    }

    fn send_now(&self, bytes: &[u8], peer: SocketAddr, local: Local) -> io::Result<()> {
        let fd = self.socket.as_raw_fd();
        let parts = [IoSlice::new(bytes)];
        let to = SockaddrStorage::from(peer);
        let flags = MsgFlags::MSG_DONTWAIT;
        match local.ip {
            IpAddr::V4(ip) => {
                // No interface: the route to the peer decides, as for any answer.
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from(ip).to_be() },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                sendmsg(fd, &parts, &[ControlMessage::Ipv4PacketInfo(&info)], flags, Some(&to))?;
            }
            IpAddr::V6(ip) => {
                // A link-local address means nothing without its interface.
                let scoped = ip.is_unspecified() || ip.is_unicast_link_local();
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: ip.octets() },
                    ipi6_ifindex: if scoped { local.interface } else { 0 },
                };
                sendmsg(fd, &parts, &[ControlMessage::Ipv6PacketInfo(&info)], flags, Some(&to))?;
            }
        }
        Ok(())
    }
}

/// Asks the kernel for the local address of each datagram received on `socket`.
///
/// # Errors
/// What `setsockopt` reported.
pub fn enable_packet_info(socket: &StdUdpSocket) -> io::Result<()> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?,
    }
    Ok(())
}

fn ipv4(address: libc::in_addr) -> Ipv4Addr {
    Ipv4Addr::from(u32::from_be(address.s_addr))
}

fn socket_addr(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(from_v4(v4));
    }
    address.as_sockaddr_in6().map(from_v6)
}

fn from_v4(v4: &SockaddrIn) -> SocketAddr {
    SocketAddr::from((v4.ip(), v4.port()))
}

fn from_v6(v6: &SockaddrIn6) -> SocketAddr {
    SocketAddrV6::new(v6.ip(), v6.port(), v6.flowinfo(), v6.scope_id()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    }

    fn port(address: &str) -> UdpPort {
        let socket = StdUdpSocket::bind(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        UdpPort::new(socket).unwrap()
    }

    /// Asks `target` on a wildcard socket and returns what arrived there and who answered the client.
    fn ask(wildcard: &str, client: &str, target: &str) -> (Received, SocketAddr, SocketAddr) {
        run(async {
            let server = port(wildcard);
            let client = StdUdpSocket::bind(client).unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            let asked = SocketAddr::new(target.parse().unwrap(), server.bound().port());
            client.send_to(b"question", asked).unwrap();

            let mut buffer = [0; 64];
            let got = tokio::time::timeout(PATIENCE, server.recv(&mut buffer)).await.unwrap().unwrap();
            assert_eq!(&buffer[..got.len], b"question");
            assert_eq!(got.peer, client.local_addr().unwrap());
            server.send_from(b"answer", got.peer, got.local).await.unwrap();

            let (len, from) = client.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], b"answer");
            (got, from, asked)
        })
    }

    #[test]
    fn answer_leaves_from_the_ipv4_address_that_was_asked() {
        // Routing would pick 127.0.0.1 as the source.
        let (got, from, asked) = ask("0.0.0.0:0", "127.0.0.1:0", "127.0.0.2");
        assert_eq!(from, asked);
        assert_eq!(got.local.ip, asked.ip());
        assert_eq!(got.destination, asked.ip());
        assert_ne!(got.local.interface, 0);
        assert!(!got.truncated);
    }

    #[test]
    fn broadcast_is_answered_from_the_interface_address() {
        run(async {
            let server = port("0.0.0.0:0");
            let client = StdUdpSocket::bind("127.0.0.1:0").unwrap();
            client.set_broadcast(true).unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            client.send_to(b"?", ("127.255.255.255", server.bound().port())).unwrap();
            let mut buffer = [0; 16];
            let got = tokio::time::timeout(PATIENCE, server.recv(&mut buffer)).await.unwrap().unwrap();
            assert_eq!(got.destination, IpAddr::from([127, 255, 255, 255]));
            assert_eq!(got.local.ip, IpAddr::from([127, 0, 0, 1]));
            server.send_from(b"!", got.peer, got.local).await.unwrap();
            let (_, from) = client.recv_from(&mut buffer).unwrap();
            assert_eq!(from.ip(), IpAddr::from([127, 0, 0, 1]));
        });
    }

    #[test]
    fn answer_leaves_from_the_ipv6_address_that_was_asked() {
        if StdUdpSocket::bind("[::1]:0").is_err() {
            eprintln!("no IPv6 here");
            return;
        }
        let (got, from, asked) = ask("[::]:0", "[::1]:0", "::1");
        assert_eq!(from, asked);
        assert_eq!(got.local.ip, IpAddr::V6(Ipv6Addr::LOCALHOST));
        assert_ne!(got.local.interface, 0);

        // A second address, where the machine has one: asked from ::1, it must answer by its own name.
        let other =
            crate::interfaces::up_interfaces().unwrap().into_iter().find_map(|own| match own.address {
                IpAddr::V6(v6) if !v6.is_loopback() && !v6.is_unicast_link_local() => Some(v6.to_string()),
                _ => None,
            });
        if let Some(other) = other {
            let (got, from, asked) = ask("[::]:0", "[::1]:0", &other);
            assert_eq!((from, got.local.ip), (asked, asked.ip()));
        }
    }

    #[test]
    fn datagram_longer_than_the_buffer_is_marked() {
        run(async {
            let server = port("127.0.0.1:0");
            let client = StdUdpSocket::bind("127.0.0.1:0").unwrap();
            client.send_to(&[7; 100], server.bound()).unwrap();
            client.send_to(&[], server.bound()).unwrap();
            let mut buffer = [0; 10];
            let got = server.recv(&mut buffer).await.unwrap();
            assert_eq!((got.len, got.truncated), (10, true));
            let got = server.recv(&mut buffer).await.unwrap();
            assert_eq!((got.len, got.truncated), (0, false));
        });
    }

    #[test]
    fn vanished_source_address_is_an_error() {
        run(async {
            let server = port("0.0.0.0:0");
            let gone = Local { ip: "203.0.113.77".parse().unwrap(), interface: 0 };
            let error = server.send_from(b"x", "127.0.0.1:9".parse().unwrap(), gone).await.unwrap_err();
            assert!(error.raw_os_error().is_some(), "{error}");
        });
    }
}

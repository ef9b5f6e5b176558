//! The kernel's list of sockets as files: `/proc/net/tcp`, `tcp6`, `udp`, `udp6` (proc_pid_net(5)).
//!
//! Addresses are in hexadecimal, each word of four bytes in the byte order of the machine.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Which;
use crate::socket::{Socket, State, Transport};

/// The files, and what they hold.
const FILES: [(&str, Transport); 4] = [
    ("/proc/net/tcp", Transport::Tcp),
    ("/proc/net/tcp6", Transport::Tcp),
    ("/proc/net/udp", Transport::Udp),
    ("/proc/net/udp6", Transport::Udp),
];

/// Lists sockets, in the kernel's order.
///
/// # Errors
/// If the files cannot be read; a system without IPv6 has only two of them.
pub fn list(which: Which) -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for (path, transport) in FILES {
        match File::open(path) {
            Ok(file) => read(BufReader::new(file), transport, which, &mut sockets)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.ends_with('6') => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sockets)
}

fn read(
    mut lines: impl BufRead,
    transport: Transport,
    which: Which,
    out: &mut Vec<Socket>,
) -> io::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let socket = parse(&line, transport);
        out.extend(socket.filter(|socket| which == Which::All || socket.listens()));
        line.clear();
    }
    Ok(())
}

/// Reads one line; `None` for the headline and for what is neither listening nor connected.
pub fn parse(line: &[u8], transport: Transport) -> Option<Socket> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let number = words.next()?;
    number.strip_suffix(':')?.parse::<u32>().ok()?;
    let local = address(words.next()?)?;
    let remote = address(words.next()?)?;
    let state = State::from_code(transport, u8::from_str_radix(words.next()?, 16).ok()?)?;
    let uid = words.nth(3)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    let remote = (remote.port() != 0).then_some(remote);
    let socket = Socket { transport, state, local, remote, v6_only: None, uid, inode, group: None };
    (local.port() != 0).then_some(socket)
}

/// `0100007F:03B1`, or four such words and a port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let word = u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (i, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(i * 8)?);
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn lines() {
        let line = b"   0: 0100007F:03B1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 98765 1 0";
        let socket = parse(line, Transport::Tcp).unwrap();
        assert_eq!(
            (socket.local.to_string(), socket.uid, socket.inode),
            ("127.0.0.1:945".into(), 1000, 98765)
        );
        assert_eq!((socket.state, socket.remote), (State::Listening, None));
        let line = b"  12: 0000000000000000FFFF00000100007F:0185 0000000000000000FFFF00000200000A:C001 01 0:0 0:0 0 0 0 7 1";
        let socket = parse(line, Transport::Tcp).unwrap();
        assert_eq!(socket.local.ip().to_canonical().to_string(), "127.0.0.1");
        assert_eq!(socket.remote_text(), "10.0.0.2:49153");
        assert_eq!(parse(b"  sl  local_address rem_address   st tx_queue", Transport::Tcp), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_files_and_the_kernel_agree() {
        let _tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _udp = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let pid = std::process::id();
        let mine = |sockets: Vec<Socket>| {
            // Only this process keeps its sockets while both lists are read.
            let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
            let links: Vec<_> = links.filter_map(|l| std::fs::read_link(l.unwrap().path()).ok()).collect();
            let held =
                |s: &Socket| links.iter().any(|l| l.to_str() == Some(&format!("socket:[{}]", s.inode)));
            let mut mine: Vec<_> = sockets.into_iter().filter(held).collect();
            mine.iter_mut().for_each(|socket| (socket.v6_only, socket.group) = (None, None));
            mine.sort_by_cached_key(Socket::order);
            mine
        };
        let (files, kernel) =
            (mine(list(Which::Listening).unwrap()), mine(super::super::list(Which::Listening).unwrap()));
        assert!(files.len() >= 2);
        assert_eq!(files, kernel);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_skipped(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line, Transport::Udp);
        }

        #[test]
        fn any_address_survives(ip in any::<u128>(), port in 1..=u16::MAX) {
            let words: String = ip.to_be_bytes().chunks(4)
                .map(|w| format!("{:08X}", u32::from_ne_bytes(w.try_into().unwrap()))).collect();
            let line = format!("1: {words}:{port:04X} {words}:0000 0A 0 0 0 5 0 6");
            let socket = parse(line.as_bytes(), Transport::Tcp).unwrap();
            prop_assert_eq!(socket.local, SocketAddr::new(Ipv6Addr::from(ip).into(), port));
        }
    }
}

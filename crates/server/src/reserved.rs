//! Reserved ports: numbers below 1024 which only a privileged process can use.
//!
//! A caller on one counts as the super-user of its machine, and updates between master and clones are
//! accepted from them alone. The range is that of the BSD `bindresvport` service, 600–1023, tried from the
//! top down.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// Lowest reserved port handed out.
pub const LOWEST: u16 = 600;

/// Highest reserved port handed out.
pub const HIGHEST: u16 = 1023;

/// Numbers in the range that are left alone, because another service of the same machine may want them
/// later: IPP, LDAPS, Kerberos administration, rsync, DNS over TLS, ipcserver, FTPS, Telnets, IMAPS, POP3S.
pub const LEFT_ALONE: &[u16] = &[631, 636, 749, 853, 873, 945, 989, 990, 992, 993, 995];

/// Tries `bind` on each reserved port from [`HIGHEST`] down to [`LOWEST`] and returns the first success.
///
/// # Errors
/// `AddrInUse` when all are taken; any other error `bind` reports, at once (without privilege that is
/// `PermissionDenied` on the first number).
pub fn scan<T>(mut bind: impl FnMut(u16) -> io::Result<T>) -> io::Result<T> {
    for port in (LOWEST..=HIGHEST).rev().filter(|port| !LEFT_ALONE.contains(port)) {
        match bind(port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every reserved port from 600 to 1023 is in use"))
}

/// A non-blocking TCP socket with a reserved source port, not yet connected, for a call to `target`
/// (binder registration, clone transfer, update push).
///
/// # Errors
/// As [`scan`]. When every port is taken, one may free up soon: try again after a short while.
pub fn outgoing_tcp(target: IpAddr) -> io::Result<Socket> {
    let any = match target {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    };
    scan(|port| {
        let address = SocketAddr::new(any, port);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        Ok(socket)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_down_from_the_top_past_used_numbers() {
        let mut tried = Vec::new();
        let got = scan(|port| {
            tried.push(port);
            if port > 1021 { Err(io::ErrorKind::AddrInUse.into()) } else { Ok(port) }
        });
        assert_eq!((got.unwrap(), tried), (1021, vec![1023, 1022, 1021]));
    }

    #[test]
    fn other_errors_end_the_search_at_once() {
        let mut tries = 0;
        let error = scan(|_| -> io::Result<()> {
            tries += 1;
            Err(io::ErrorKind::PermissionDenied.into())
        });
        assert_eq!((error.unwrap_err().kind(), tries), (io::ErrorKind::PermissionDenied, 1));
    }

    #[test]
    fn exhausted_range_reports_address_in_use_and_leaves_known_services_alone() {
        let mut tried = Vec::new();
        let error = scan(|port| -> io::Result<()> {
            tried.push(port);
            Err(io::ErrorKind::AddrInUse.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(tried.len(), 424 - LEFT_ALONE.len());
        assert!(tried.iter().all(|port| (600..1024).contains(port) && *port != 945 && *port != 636));
    }

    #[test]
    fn outgoing_socket_has_a_reserved_port_when_privileged() {
        match outgoing_tcp(IpAddr::from([127, 0, 0, 1])) {
            Ok(socket) => {
                let port = socket.local_addr().unwrap().as_socket().unwrap().port();
                assert!((LOWEST..=HIGHEST).contains(&port), "{port}");
            }
            Err(error) => {
                assert!(!nix::unistd::geteuid().is_root(), "{error}");
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            }
        }
    }
}

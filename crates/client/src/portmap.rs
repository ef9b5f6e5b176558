//! The portmapper of a host (RFC 1833 §3): on which port a program is.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netinfo_wire::portmap::v2::{Mapping, Procedure, decode_dump, decode_port};
use netinfo_wire::portmap::{PORTMAP_VERSION, PROGRAM};

use crate::error::{Error, Result};
use crate::rpc::udp::{self, UdpCall};
use crate::rpc::{Call, Connection, Endpoint, Timeouts};

pub use netinfo_wire::portmap::{IPPROTO_TCP, IPPROTO_UDP, PORT};

/// Asks over UDP for the port of a program; `None` if it is not registered. `server` is the portmapper itself,
/// normally at [`PORT`].
///
/// # Errors
/// Errors of a call.
pub fn get_port(
    server: SocketAddr,
    program: u32,
    version: u32,
    protocol: u32,
    timeout: Duration,
) -> Result<Option<u16>> {
    let call =
        UdpCall { program: PROGRAM, version: PORTMAP_VERSION, procedure: Procedure::GetPort.code(), timeout };
    let mapping = Mapping { prog: program, vers: version, prot: protocol, port: 0 };
    let results = udp::call(server, call, |buf| mapping.encode(buf))?;
    decode_port(&results).map_err(|e| Error::from_xdr(&server.to_string(), e))
}

/// Asks over TCP for everything that is registered.
///
/// # Errors
/// Errors of a call.
pub fn dump(server: SocketAddr, timeouts: Timeouts) -> Result<Vec<Mapping>> {
    let mut connection = Connection::new(Endpoint::Tcp(server), timeouts);
    let call = Call {
        program: PROGRAM,
        version: PORTMAP_VERSION,
        procedure: Procedure::Dump.code(),
        timeout: timeouts.read,
        repeat: true,
    };
    let results = connection.call(call, |_| {})?;
    decode_dump(&results).map_err(|e| Error::from_xdr(connection.name(), e))
}

/// The address of the portmapper of `host`.
pub const fn at(host: IpAddr) -> SocketAddr {
    SocketAddr::new(host, PORT)
}

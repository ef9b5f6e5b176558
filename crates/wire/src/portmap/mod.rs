//! Program 100000: the portmapper (version 2) and rpcbind (versions 3 and 4), RFC 1833.
//!
//! * [`v2`] — mappings of program, version and protocol to a port, and indirect calls;
//! * [`rpcbind`] — the same with universal addresses;
//! * [`uaddr`] — universal addresses as text, to and from socket addresses.

pub mod rpcbind;
pub mod uaddr;
pub mod v2;

/// Program number.
pub const PROGRAM: u32 = 100_000;
/// Version of the portmapper proper.
pub const PORTMAP_VERSION: u32 = 2;
/// First version of rpcbind.
pub const RPCBIND_VERSION_3: u32 = 3;
/// Second version of rpcbind.
pub const RPCBIND_VERSION_4: u32 = 4;
/// The port of the portmapper, TCP and UDP.
pub const PORT: u16 = 111;

/// Protocol number of TCP in a mapping.
pub const IPPROTO_TCP: u32 = 6;
/// Protocol number of UDP in a mapping.
pub const IPPROTO_UDP: u32 = 17;

//! Tests of replication without sockets.

mod copies;
mod masters;
mod recordings;
mod simulation;
mod sockets;

use std::net::Ipv4Addr;

use netinfo_directory::Server;

/// The `n`th clone.
fn server(n: u8) -> Server {
    Server { address: Ipv4Addr::new(192, 0, 2, n), tag: "network".into() }
}

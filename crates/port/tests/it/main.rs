//! The port inspector against real sockets, processes and servers.
//!
//! Most of it happens in a network of its own: it needs root, and the packages iproute2 and rpcbind. The LDAP server is
//! the one that `scripts/clients.sh` unpacks.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

mod hostile;
mod servers;
mod sockets;

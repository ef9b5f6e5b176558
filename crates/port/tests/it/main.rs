//! The port inspector against real sockets, processes and servers.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

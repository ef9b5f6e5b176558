//! The module in real programs: glibc loads it as `netinfo` of an `nsswitch.conf` of the test's own, in a mount namespace
//! of the test's own. These tests need root and a C compiler.

#![allow(clippy::unwrap_used, reason = "a failed test may panic, also in a helper")]

mod c_program;
mod daemon;
mod getent;
mod node;
mod stage;
mod tables;
mod trouble;

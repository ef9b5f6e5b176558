//! `netinfo` against a running daemon.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

mod active_directory;
mod directories;
mod enable_login;
mod golden_tools;
mod hierarchy;
mod ldap;
mod lookup;
mod migrate;
mod nidb;
mod node;
mod parents;
mod people;
mod port;
mod programs;
mod reaching;
mod shell;
mod ssh;
mod tool;
mod unit;

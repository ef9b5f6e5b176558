//! Integration tests of the daemon.

#![allow(clippy::unwrap_used, reason = "a failed test may panic, also in a helper")]

mod access;
mod agents;
mod ahead;
mod auth;
mod binder;
mod binding;
mod check_config;
mod clients;
mod clone;
mod concurrency;
mod crash;
mod debian;
mod errors;
mod example_file;
mod golden;
mod hierarchy;
mod hostile;
mod ipcserver;
mod ldap;
mod load;
mod login;
mod lookup;
mod notify;
mod portmap;
mod process;
mod replication;
mod rpcbind;
mod secrets;
mod statistics;
mod table;
mod transcripts;
mod tree;
mod trust;
mod unix;
mod unprivileged;
mod upstream;
mod users;

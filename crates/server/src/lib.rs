//! The NetInfo daemon: what `netinfod` is made of.
//!
//! Start-up, in order of use:
//!
//! * [`cli`] – the command line; [`config`] – the configuration file; [`settings`] – both resolved,
//! * [`logging`] – messages to standard error or the journal,
//! * [`listen`] – sockets, with [`reserved`] ports and the fallbacks of an unprivileged daemon,
//! * [`privileges`] – the user to run as, and the ports that prove privilege,
//! * [`endpoints`] – the file that says where everything listens; [`notify`] – the service manager.
//!
//! While serving:
//!
//! * [`udp`] – datagrams with their local address,
//! * [`interfaces`] – the addresses of this machine,
//! * [`limits`] – every number that bounds what a client may use up.

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod endpoints;
pub mod interfaces;
pub mod limits;
pub mod listen;
pub mod logging;
pub mod notify;
pub mod privileges;
pub mod reserved;
pub mod settings;
pub mod udp;

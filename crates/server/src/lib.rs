//! The NetInfo daemon: what `netinfod` is made of.
//!
//! Start-up, in order of use:
//!
//! * [`cli`] – the command line; [`config`] – the configuration file; [`settings`] – both resolved,
//! * [`logging`] – messages to standard error or the journal,
//! * [`listen`] – sockets, with [`reserved`] ports and the fallbacks of an unprivileged daemon,
//! * [`privileges`] – the user to run as, and the ports that prove privilege,
//! * [`seed`] – what a new domain takes over from the machine's files,
//! * [`endpoints`] – the file that says where everything listens; [`notify`] – the service manager.
//!
//! While serving:
//!
//! * [`serve`] – start and stop; `node` – the running node, its tables and listeners,
//! * `connection` (with `socket`), `datagram` – drivers of sockets; `connections` – how many there may be, and what they
//!   may hold; `stream` – long replies; `throttle` – how often peers may make us log,
//! * `passwords` – checking them; `permits` – how much may be changed at once,
//! * `frontend` – the RPC programs: NetInfo, binder, portmapper, control,
//! * `served` – a domain with its figures; `parent` – its parent; `binding` – the domains above, on other machines; `replica` – its clones or its master,
//! * `lookups` – the domains in which look-ups look; `table` – the table of them that other processes map,
//! * `rpc_client`, `dns` – questions to other servers, to nameservers; [`rpcbind`] – announcing ourselves to the host's portmapper,
//! * [`udp`] – datagrams with their local address,
//! * [`interfaces`] – the addresses of this machine,
//! * [`limits`] – every number that bounds what a client may use up.

#![forbid(unsafe_code)]

mod binding;
pub mod cli;
pub mod config;
mod connection;
mod connections;
mod datagram;
mod dns;
pub mod endpoints;
mod frontend;
pub mod interfaces;
pub mod ldap;
pub mod limits;
pub mod listen;
pub mod logging;
mod lookups;
mod node;
pub mod notify;
mod parent;
mod passwords;
mod permits;
pub mod privileges;
mod replica;
pub mod reserved;
mod rpc_client;
pub mod rpcbind;
pub mod seed;
pub mod serve;
mod served;
pub mod settings;
mod socket;
mod stream;
mod table;
mod throttle;
pub mod udp;
mod workers;

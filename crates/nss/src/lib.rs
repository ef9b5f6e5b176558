//! The module of glibc's name service switch, `libnss_netinfo.so.2`: what `netinfo` in `/etc/nsswitch.conf` stands for.
//!
//! A look-up runs in somebody else's process, whatever that may be: it may have threads, have forked, have closed all
//! descriptors, run as root for somebody else. So the module keeps no descriptor, starts no thread, reads no
//! environment, waits no longer than `client` says and lets no panic out.
//!
//! What C calls:
//!
//! * `passwd`, `shadow`, `group` – accounts; `hosts`, `networks`, `ethers` – addresses,
//! * `services`, `numbered` – ports, protocols, RPC programs; `netgroup`, `aliases` – the rest.
//!
//! What answers:
//!
//! * `map` – the table that the daemon publishes (docs/table-format.md): no system call, no lock, no waiting,
//! * `client` – the daemon itself, for all else: one connection per call,
//! * `find` – one entry, from the one or the other,
//! * `enumeration` – from the one or the other, entry by entry.
//!
//! Between them: `boundary`, where C's arguments become Rust's and results become statuses, and `arena`, the
//! caller's buffer.
//!
//! The daemon must never ask itself: it would wait for its own answer. A caller that finds its own process at the other
//! end of the connection is told that the service is unavailable.

#![warn(clippy::undocumented_unsafe_blocks)]

mod aliases;
mod arena;
mod boundary;
mod client;
mod enumeration;
mod ethers;
mod find;
mod group;
mod hosts;
mod map;
mod netgroup;
mod networks;
mod numbered;
mod passwd;
mod services;
mod shadow;

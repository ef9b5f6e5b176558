//! Readers of administrative file formats as record streams.
//!
//! A reader takes any [`BufRead`](std::io::BufRead) and yields [`Record`]s ready to be stored under a container of a
//! domain. It opens no file and knows no directory; what to do with the records is the caller's business.
//!
//! | file | of [`flat`], [`flat::Format`] has them all | container |
//! |---|---|---|
//! | `passwd` | [`read_passwd`], with `shadow`: [`read_users`]; [`write_passwd`](flat::write_passwd) | `users` |
//! | `master.passwd` | [`read_master_passwd`](flat::read_master_passwd), [`write_master_passwd`](flat::write_master_passwd) | `users` |
//! | `shadow` | [`Shadow`], [`read_shadow`](flat::read_shadow), [`write_shadow`](flat::write_shadow) | `users` |
//! | `group` | [`read_group`], [`write_group`](flat::write_group) | `groups` |
//! | `hosts` | [`read_hosts`], [`write_hosts`](flat::write_hosts) | `machines` |
//! | `ethers` | [`read_ethers`](flat::read_ethers), [`write_ethers`](flat::write_ethers) | `machines` |
//! | `bootptab` | [`read_bootptab`](flat::read_bootptab), [`write_bootptab`](flat::write_bootptab) | `machines` |
//! | `bootparams` | [`read_bootparams`](flat::read_bootparams), [`write_bootparams`](flat::write_bootparams) | `machines` |
//! | `networks` | [`read_networks`], [`write_networks`](flat::write_networks) | `networks` |
//! | `protocols` | [`read_protocols`], [`write_protocols`](flat::write_protocols) | `protocols` |
//! | `rpc` | [`read_rpc`], [`write_rpc`](flat::write_rpc) | `rpcs` |
//! | `services` | [`read_services`], [`write_services`](flat::write_services) | `services` |
//! | `aliases` | [`read_aliases`](flat::read_aliases), [`write_aliases`](flat::write_aliases) | `aliases` |
//! | `fstab`, `mtab` | [`read_fstab`](flat::read_fstab), [`write_fstab`](flat::write_fstab) | `mounts` |
//! | `exports` | [`read_exports`](flat::read_exports), [`write_exports`](flat::write_exports) | `exports` |
//! | `printcap` | [`read_printcap`](flat::read_printcap), [`write_printcap`](flat::write_printcap) | `printers` |
//! | `netgroup` | [`read_netgroup`](flat::read_netgroup), [`write_netgroup`](flat::write_netgroup) | `netgroups` |
//! | `auto_master`, `auto.home` … | [`read_mountmap`](flat::read_mountmap), [`write_mountmap`](flat::write_mountmap) | `mountmaps` |
//! | `resolv.conf` | [`read_resolv_conf`](flat::read_resolv_conf), [`write_resolv_conf`](flat::write_resolv_conf) | `locations` |
//!
//! One bad line is one [`Problem`], and the next line is read; only a failing input ends a stream early. Comments
//! and blank lines are passed over without a word. Values are bytes: nothing demands UTF-8, but a NUL makes a line
//! bad, because no consumer of these records can hold one.
//!
//! What holds more than records of one container:
//!
//! | module | holds |
//! |---|---|
//! | [`ldif`] | LDAP entries and changes as text (RFC 2849) |
//! | [`raw`] | the raw text of a directory and all below it |
//! | [`nidb`] | the database folders of historical servers |
//! | [`dslocal`] | the folders of a Mac's local directory, and their hashes |
//! | [`json5`] | domain files of QEMU's `netinfo-server` |
//! | [`jsonl`] | records as lines of JSON, nothing lost |
//! | [`sudoers`] | rules of sudo, written only |
//!
//! Behind them, `lines` cuts the input into bounded lines and fields, `stream` turns a line parser into an iterator,
//! `record`, `problem` and `writer` are what all have in common.

#![forbid(unsafe_code)]

mod containers;
pub mod dslocal;
pub mod flat;
mod hex;
pub mod json5;
pub mod jsonl;
pub mod ldif;
mod lines;
pub mod nidb;
mod problem;
pub mod raw;
mod record;
mod stream;
pub mod sudoers;
mod writer;

pub use flat::shadow::{self, Shadow};
pub use flat::{
    read_group, read_hosts, read_networks, read_passwd, read_protocols, read_rpc, read_services, read_users,
};
pub use lines::MAX_LINE_BYTES;
pub use problem::{Problem, Reason};
pub use record::{Identity, Place, Record};
pub use stream::MAX_MERGED_VALUES;
pub use writer::{Loss, RecordWriter};

//! Flat files: the administrative files of a Unix system, one entry a line.
//!
//! [`Format`] names them all, each with its reader and its writer; [`tool`] has the forms of the old tools.
//!
//! Modules: `accounts` (passwd, master.passwd, group), [`shadow`], `hosts`, `tables` (networks, protocols, rpc, services),
//! `aliases`, `mounts` (fstab), `exports`, `printcap`, `ethernet` (ethers, bootptab, bootparams), `netgroup`, `mountmap`
//! (maps of the automounter), `resolver` (resolv.conf). `format` and `recognise` are about all of them. `joined` joins lines to entries, `words` has quotes and escapes,
//! `draft` is what the writers have in common.

mod accounts;
mod aliases;
mod draft;
mod ethernet;
mod exports;
mod format;
mod hosts;
mod joined;
mod mountmap;
mod mounts;
mod netgroup;
mod printcap;
mod recognise;
mod resolver;
pub mod shadow;
mod tables;
pub mod tool;
mod words;

pub use accounts::{
    read_group, read_master_passwd, read_passwd, read_users, write_group, write_master_passwd, write_passwd,
    write_passwd_shadowed, write_shadow,
};
pub use aliases::{read_aliases, write_aliases};
pub use ethernet::{
    read_bootparams, read_bootptab, read_ethers, write_bootparams, write_bootptab, write_ethers,
};
pub use exports::{read_exports, write_exports};
pub use format::{Format, Records};
pub use hosts::{read_hosts, write_hosts};
pub use mountmap::{DEFAULT_MAP, read_mountmap, write_mountmap};
pub use mounts::{read_fstab, write_fstab};
pub use netgroup::{read_netgroup, write_netgroup};
pub use printcap::{read_printcap, write_printcap};
pub use recognise::HEAD_BYTES;
pub use resolver::{read_resolv_conf, write_resolv_conf};
pub use shadow::read_shadow;
pub use tables::{
    read_networks, read_protocols, read_rpc, read_services, write_networks, write_protocols, write_rpc,
    write_services,
};

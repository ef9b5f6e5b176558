//! What a look-up of users and groups costs a program, through glibc, from each of the services that can answer: this
//! project's table and its socket, plain files, nscd, nslcd and SSSD, the last three with OpenLDAP's slapd behind them.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | the command line of `netinfo-bench nss` |
//! | [`run`] | the order of a run |
//! | [`source`] | the services: how each is configured and started |
//! | [`stage`] | the machine they run on: mounts and a network of its own, users in files and in slapd |
//! | [`caller`] | the C program that makes the calls |
//! | [`figures`], [`report`] | results, and how they are shown |

pub mod caller;
pub mod figures;
pub mod options;
pub mod report;
pub mod run;
pub mod source;
pub mod stage;

//! How fast is a node? A load generator, and measurements whose figures can be compared because they come from one run.
//!
//! Every figure of a server has its yardsticks beside it: the same server's PING with the same number of connections and
//! calls under way, and a bare server that only moves bytes of the same sizes. Durable writes stand beside the time the
//! disk takes for the smallest durable write there is.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | the command line, and what a run measures for how long |
//! | [`run`] | the order of a run |
//! | [`people`], [`data`] | users, always the same ones, and domains filled with them |
//! | [`daemon`], [`echo`] | the servers under load: `netinfod`, and the bare server for comparison |
//! | [`calls`], [`load`] | encoded calls, and the generator that sends them and checks the answers |
//! | [`reads`], [`listing`], [`writes`], [`disk`] | the measurements |
//! | [`ldap`] | the same for LDAP, beside OpenLDAP's slapd: `netinfo-bench ldap` |
//! | [`nss`] | look-ups of users and groups beside files, nscd, nslcd and SSSD: `netinfo-bench nss` |
//! | [`child`], [`process`], [`machine`] | child processes, and what the system says of a process and of itself |
//! | [`figures`], [`aims`], [`report`], [`sheet`] | results, what they are held against, and how they are shown |
//!
//! Counts of instructions, which do not depend on what else the machine is doing, are in `benches/instructions.rs`.

#![forbid(unsafe_code)]

pub mod aims;
pub mod calls;
pub mod child;
pub mod daemon;
pub mod data;
pub mod disk;
pub mod echo;
pub mod figures;
pub mod ldap;
pub mod listing;
pub mod load;
pub mod machine;
pub mod nss;
pub mod options;
pub mod people;
pub mod process;
pub mod reads;
pub mod report;
pub mod run;
pub mod sheet;
pub mod writes;

/// Why a measurement could not be made, in words for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The usual result of this crate.
pub type Result<T> = std::result::Result<T, Failure>;

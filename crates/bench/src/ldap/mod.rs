//! LDAP: OpenLDAP's slapd and netinfod in one run, with the same directory, taking turns.
//!
//! Both are started on ports of the loopback interface, both answer a write when it is on disk, and for both the
//! generator does exactly the same. Before the clock starts their answers are compared.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | the command line, and what a run measures for how long |
//! | [`run`] | the order of a run |
//! | [`tree`] | the directory that is measured |
//! | [`slapd`], [`netinfod`], [`server`] | the servers: loading them, starting them |
//! | [`requests`], [`load`], [`paging`] | encoded requests, and the generator; enumeration page by page |
//! | [`client`], [`compare`] | a connection that looks at the answers; whether they are the same |
//! | [`figures`], [`aims`], [`report`] | results, what they are held against, and how they are shown |

pub mod aims;
pub mod client;
pub mod compare;
pub mod figures;
pub mod load;
pub mod netinfod;
pub mod options;
pub mod paging;
pub mod report;
pub mod requests;
pub mod run;
pub mod server;
pub mod slapd;
pub mod tree;

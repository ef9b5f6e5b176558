//! Readers of administrative file formats as record streams.
//!
//! A reader takes any [`BufRead`](std::io::BufRead) and yields [`Record`]s ready to be stored under a container of a
//! domain. It opens no file and knows no directory; what to do with the records is the caller's business.
//!
//! | file | reader | container |
//! |---|---|---|
//! | `passwd` | [`read_passwd`], with `shadow`: [`read_users`] | `users` |
//! | `group` | [`read_group`] | `groups` |
//! | `hosts` | [`read_hosts`] | `machines` |
//! | `networks` | [`read_networks`] | `networks` |
//! | `protocols` | [`read_protocols`] | `protocols` |
//! | `rpc` | [`read_rpc`] | `rpcs` |
//! | `services` | [`read_services`] | `services` |
//!
//! One bad line is one [`Problem`], and the next line is read; only a failing input ends a stream early. Comments
//! and blank lines are passed over without a word. Values are bytes: nothing demands UTF-8, but a NUL makes a line
//! bad, because no consumer of these records can hold one.
//!
//! Modules: `lines` cuts the input into bounded lines and fields, `stream` turns a line parser into an iterator,
//! [`flat`] has the flat files, [`nidb`] the database folders of historical servers.

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

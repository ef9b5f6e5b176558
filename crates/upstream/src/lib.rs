//! Domains on other machines: asked over the NetInfo protocol or over LDAP, remembered on disk, told from memory while they
//! are away.
//!
//! An [`Upstream`] is one parent. Look-ups read what is remembered of it as a [`Source`](netinfo_lookup::Source) and never
//! wait: what is missing is noted in [`Wants`], [`Upstream::ask`]ed without a snapshot being held, and looked at once more.
//! Passwords are verified and changed at the parent; whoever has logged in is recognised without it for a while.
//!
//! | module | holds |
//! |---|---|
//! | `upstream`, `source` | a parent; what look-ups see of it |
//! | `cache`, `verifier` | what is remembered: records, logins |
//! | `file` | the files in which it is kept |
//! | `breaker`, `worker` | whether a parent is asked at all; the threads that ask |
//! | `remote` | what a parent is asked |
//! | `netinfo`, `ldap` | how it is asked |
//! | `item` | records without their secrets; questions |
//! | [`policy`], [`limits`] | how long what is said is believed; every time-out and size |
//!
//! # Rules
//!
//! * Nobody waits for a parent that has not answered the last time: it is asked again in the background.
//! * No hash that a parent shows is kept. What is kept of a login is an argon2id hash of its own.
//! * Passwords go over connections whose other end is known and that nobody can read, unless the policy says otherwise.

#![forbid(unsafe_code)]

mod breaker;
mod cache;
mod file;
mod item;
mod ldap;
pub mod limits;
mod netinfo;
pub mod policy;
mod remote;
mod source;
mod upstream;
mod verifier;
mod worker;

pub use item::{Question, fnv as identity};
pub use policy::Policy;
pub use remote::{Changed, Fault, Verdict};
pub use source::{Remembered, Want, Wants};
pub use upstream::{Login, State, Upstream, change_at};

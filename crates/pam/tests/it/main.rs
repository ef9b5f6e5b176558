//! The module in the hands of real programs: pamtester, su, passwd, sshd. Each test has mounts and a network of its own.

#![allow(clippy::unwrap_used, reason = "a failed test may panic, also in a helper")]

mod changes;
mod homes;
mod logins;
mod programs;
mod setting;

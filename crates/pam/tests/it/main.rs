//! The module in the hands of real programs: pamtester, su, passwd, sshd. Each test has mounts and a network of its own.

mod changes;
mod homes;
mod logins;
mod programs;
mod setting;

//! The command line, and what a run measures for how long.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::calls::Call;
use crate::data::CLIENT_LIMIT;
use crate::ldap::options::LdapOptions;
use crate::nss::options::NssOptions;

/// Durable writes of one kind end after this many, however fast they are.
pub const WRITE_LIMIT: u64 = 500_000;
/// Repetitions of one listing end after this many.
pub const LIST_LIMIT: usize = 10;
/// Users in the largest domain that can be asked for: a directory lists at most 1,048,576 children.
pub const USERS_LIMIT: u32 = 1_000_000;

/// Measures a NetInfo node beside its own PING and a bare server of the same message sizes.
#[derive(Debug, Parser)]
#[command(name = "netinfo-bench", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// A single step instead of a run.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to measure.
    #[command(flatten)]
    pub options: Options,
}

/// Single steps, for profilers, and a part this program plays for itself.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a data directory for netinfod whose domain "local" has users in it
    Fill {
        /// The directory; must not exist
        dir: PathBuf,
        /// Number of users
        #[arg(value_parser = clap::value_parser!(u32).range(100..=i64::from(USERS_LIMIT)))]
        users: u32,
    },
    /// Puts one load on a daemon that serves such a directory, and says what came of it
    Load(LoadOptions),
    /// Puts one load of durable writes on such a daemon, and says what came of it
    Write(WriteOptions),
    /// Measures LDAP: OpenLDAP's slapd and netinfod with the same directory
    Ldap(LdapOptions),
    /// Measures look-ups of users and groups beside files, nscd, nslcd and SSSD; as root
    Nss(NssOptions),
    /// The bare server for comparison: prints its address, serves until its input ends
    #[command(hide = true)]
    Echo,
}

/// One load.
#[derive(Debug, Clone, Args)]
pub struct LoadOptions {
    /// What to call
    #[arg(long, value_enum, default_value = "lookupread-name")]
    pub call: CallName,
    /// Address of the domain's TCP port, as in the daemon's endpoints file
    #[arg(long)]
    pub address: SocketAddr,
    /// Process id of the daemon
    #[arg(long)]
    pub pid: u32,
    /// Number of users in the domain
    #[arg(long, value_parser = clap::value_parser!(u32).range(100..=i64::from(USERS_LIMIT)))]
    pub users: u32,
    /// Connections
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub connections: u16,
    /// Calls under way on each
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub depth: u16,
    /// How long, in seconds
    #[arg(long, value_parser = seconds, default_value = "5")]
    pub seconds: Duration,
}

/// One load of writes.
#[derive(Debug, Clone, Args)]
pub struct WriteOptions {
    /// What to call
    #[arg(long, value_enum, default_value = "create")]
    pub call: WriteName,
    /// Address of the domain's TCP port, as in the daemon's endpoints file
    #[arg(long)]
    pub address: SocketAddr,
    /// Process id of the daemon
    #[arg(long)]
    pub pid: u32,
    /// Number of the first user to create; the domain's own begin with 0
    #[arg(long, default_value_t = 2 * USERS_LIMIT)]
    pub first: u32,
    /// Clients, each with a connection and a directory of its own
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=i64::from(CLIENT_LIMIT)))]
    pub clients: u16,
    /// Calls under way on each
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub depth: u16,
    /// How long, in seconds
    #[arg(long, value_parser = seconds, default_value = "5")]
    pub seconds: Duration,
}

/// Writes that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WriteName {
    /// A user is made
    Create,
    /// A property of a user is changed
    Writeprop,
}

/// Calls that can be asked for by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CallName {
    /// The empty procedure
    Ping,
    /// A user by name
    LookupreadName,
    /// A user by uid
    LookupreadUid,
    /// A user by object id
    Read,
}

impl From<CallName> for Call {
    fn from(name: CallName) -> Self {
        match name {
            CallName::Ping => Self::Ping,
            CallName::LookupreadName => Self::LookupReadName,
            CallName::LookupreadUid => Self::LookupReadUid,
            CallName::Read => Self::Read,
        }
    }
}

/// What to measure, with what, and where the results go.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A smoke test: 1,000 and 100,000 users, a second each
    #[arg(long)]
    pub quick: bool,

    /// Sizes of the domains, in users, instead of 1000, 100000 and 1000000
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(100..=i64::from(USERS_LIMIT)))]
    pub users: Vec<u32>,

    /// Seconds for each figure of reads and writes
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<Duration>,

    /// The daemon to measure [default: netinfod beside this program]
    #[arg(long, value_name = "FILE")]
    pub netinfod: Option<PathBuf>,

    /// Where to make the databases (2 GB); they are removed afterwards [default: beside this program]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write the tables, with a description of the machine, to this file
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,

    /// A line for the description of the machine, such as what else it was doing
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// A run: sizes and times, every option resolved.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Sizes of the domains, in users, ascending.
    pub users: Vec<u32>,
    /// Rounds of every figure of a read; the calls compared with each other take turns.
    pub rounds: usize,
    /// Length of a round.
    pub round: Duration,
    /// Load before the first round of a shape.
    pub warm_up: Duration,
    /// Time for each figure of durable writes.
    pub write: Duration,
    /// Time for the repetitions of a listing.
    pub list: Duration,
    /// Starts of the daemon, of which the median counts.
    pub starts: usize,
    /// Time for the bare durable writes.
    pub disk: Duration,
}

impl Plan {
    /// The plan `options` ask for.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        let (users, rounds, default, starts): (&[u32], _, _, _) = match options.quick {
            true => (&[1000, 100_000], 2, Duration::from_millis(400), 3),
            false => (&[1000, 100_000, 1_000_000], 3, Duration::from_secs(2), 5),
        };
        let mut users = if options.users.is_empty() { users.to_vec() } else { options.users.clone() };
        users.sort_unstable();
        users.dedup();
        let figure = options.seconds.unwrap_or(default);
        Self {
            users,
            rounds,
            round: figure / rounds as u32,
            warm_up: figure / 10,
            write: figure,
            list: figure,
            starts,
            disk: figure,
        }
    }
}

/// A number of seconds, as the command line gives it.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("\"{text}\" is not a number of seconds"))?;
    match (0.05..=600.0).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("from 0.05 to 600 seconds".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn options(args: &[&str]) -> Result<Options, clap::Error> {
        Cli::try_parse_from([&["netinfo-bench"], args].concat()).map(|cli| cli.options)
    }

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn plans() {
        let full = Plan::of(&options(&[]).unwrap());
        assert_eq!(full.users, [1000, 100_000, 1_000_000]);
        assert_eq!(full.starts, 5);
        let quick = Plan::of(&options(&["--quick"]).unwrap());
        assert_eq!(quick.users, [1000, 100_000]);
        let own = Plan::of(&options(&["--users", "5000,200,5000", "--seconds", "0.3"]).unwrap());
        assert_eq!(own.users, [200, 5000]);
        assert_eq!(own.round * 3, Duration::from_millis(300));
    }

    #[test]
    fn limits_are_named_in_errors() {
        let error = |args: &[&str]| options(args).unwrap_err().to_string();
        assert!(error(&["--users", "1000001"]).contains("1000000"));
        assert!(error(&["--seconds", "0"]).contains("0.05"));
    }
}

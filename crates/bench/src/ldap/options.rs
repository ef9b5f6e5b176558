//! The command line of `netinfo-bench ldap`, and what a run measures for how long.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::requests::Operation;
use super::server::Name;
use super::slapd;
use super::tree::{MEMBERS, USERS_MIN};
use crate::load::Shape;
use crate::options::{USERS_LIMIT, seconds};

/// The shapes of load: unpipelined with one connection and with eight, and pipelined.
pub const SHAPES: [Shape; 3] = [
    Shape { connections: 1, depth: 1 },
    Shape { connections: 8, depth: 1 },
    Shape { connections: 32, depth: 8 },
];

/// What to measure, with what, and where the results go.
#[derive(Debug, Clone, Args)]
pub struct LdapOptions {
    /// A smoke test: 10,000 users, less than half a second for each figure
    #[arg(long)]
    pub quick: bool,

    /// Sizes of the directories, in users, instead of 10000, 100000 and 1000000
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = users)]
    pub users: Vec<u32>,

    /// Seconds for each figure
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<Duration>,

    /// Measure only these servers
    #[arg(long, value_name = "SERVER,SERVER", value_delimiter = ',', value_enum)]
    pub only: Vec<Name>,

    /// Measure only these operations, and leave enumeration out
    #[arg(long, value_name = "OPERATION,OPERATION", value_delimiter = ',', value_enum)]
    pub operations: Vec<Operation>,

    /// Measure only loads of these shapes, connections × requests under way on each [default: 1x1,8x1,32x8]
    #[arg(long, value_name = "CxD,CxD", value_delimiter = ',', value_parser = shape)]
    pub shapes: Vec<Shape>,

    /// The daemon to measure [default: netinfod beside this program]
    #[arg(long, value_name = "FILE")]
    pub netinfod: Option<PathBuf>,

    /// OpenLDAP's server
    #[arg(long, value_name = "FILE", default_value = slapd::PROGRAM)]
    pub slapd: PathBuf,

    /// Where to make the databases (6 GB); they are removed afterwards [default: beside this program]
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
    /// Sizes of the directories, in users, ascending.
    pub users: Vec<u32>,
    /// The servers, in the order in which they take turns.
    pub servers: Vec<Name>,
    /// The operations.
    pub operations: Vec<Operation>,
    /// The shapes of load.
    pub shapes: Vec<Shape>,
    /// Whether all users are enumerated.
    pub enumerate: bool,
    /// Rounds of every figure.
    pub rounds: usize,
    /// Length of a round.
    pub round: Duration,
    /// Load before the first round of a shape.
    pub warm_up: Duration,
    /// Starts of a server, of which the median counts.
    pub starts: usize,
    /// Time for the bare durable writes.
    pub disk: Duration,
}

impl Plan {
    /// The plan `options` ask for.
    #[must_use]
    pub fn of(options: &LdapOptions) -> Self {
        let (users, rounds, default, starts): (&[u32], _, _, _) = match options.quick {
            true => (&[10_000], 2, Duration::from_millis(400), 3),
            false => (&[10_000, 100_000, 1_000_000], 3, Duration::from_secs(3), 5),
        };
        let mut users = if options.users.is_empty() { users.to_vec() } else { options.users.clone() };
        users.sort_unstable();
        users.dedup();
        let all = [Name::Slapd, Name::Netinfod];
        let of = |name: &Name| options.only.is_empty() || options.only.contains(name);
        let wanted =
            |operation: &Operation| options.operations.is_empty() || options.operations.contains(operation);
        let figure = options.seconds.unwrap_or(default);
        Self {
            users,
            servers: all.into_iter().filter(of).collect(),
            operations: Operation::ALL.into_iter().filter(wanted).collect(),
            shapes: if options.shapes.is_empty() { SHAPES.to_vec() } else { options.shapes.clone() },
            enumerate: options.operations.is_empty(),
            rounds,
            round: figure / rounds as u32,
            warm_up: figure / 10,
            starts,
            disk: figure.min(Duration::from_secs(3)),
        }
    }
}

/// A number of users, as the command line gives it.
fn users(text: &str) -> Result<u32, String> {
    let wanted = format!("expected a multiple of {MEMBERS} from {USERS_MIN} to {USERS_LIMIT}");
    match text.parse::<u32>() {
        Ok(n) if n % MEMBERS == 0 && (USERS_MIN..=USERS_LIMIT).contains(&n) => Ok(n),
        _ => Err(wanted),
    }
}

/// A shape of load, as the command line gives it.
fn shape(text: &str) -> Result<Shape, String> {
    let parsed = text.split_once('x').and_then(|(c, d)| Some((c.parse().ok()?, d.parse().ok()?)));
    match parsed {
        Some((connections @ 1..=256, depth @ 1..=256)) => Ok(Shape { connections, depth }),
        _ => Err("expected two numbers from 1 to 256, such as 32x8".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Cli, Command};
    use clap::Parser;

    fn options(args: &[&str]) -> Result<LdapOptions, clap::Error> {
        let cli = Cli::try_parse_from([&["netinfo-bench", "ldap"], args].concat())?;
        let Some(Command::Ldap(options)) = cli.command else { panic!("another command") };
        Ok(options)
    }

    #[test]
    fn plans() {
        let full = Plan::of(&options(&[]).unwrap());
        assert_eq!(full.users, [10_000, 100_000, 1_000_000]);
        assert_eq!(full.servers, [Name::Slapd, Name::Netinfod]);
        assert_eq!(full.operations, Operation::ALL);
        assert!(full.enumerate);
        let own = ["--users", "2000,1000", "--only", "slapd", "--operations", "read,add", "--seconds", "0.3"];
        let own = Plan::of(&options(&own).unwrap());
        assert_eq!((own.users, own.servers), (vec![1000, 2000], vec![Name::Slapd]));
        assert_eq!(own.operations, [Operation::Read, Operation::Add]);
        let shapes = Plan::of(&options(&["--shapes", "32x8,2x3"]).unwrap()).shapes;
        assert_eq!(shapes, [SHAPES[2], Shape { connections: 2, depth: 3 }]);
        assert!(options(&["--shapes", "32x0"]).unwrap_err().to_string().contains("from 1 to 256"));
        assert_eq!(own.round, Duration::from_millis(100));
    }

    #[test]
    fn odd_numbers_of_users_are_refused() {
        for odd in ["900", "1050", "1000100", "x"] {
            let error = options(&["--users", odd]).unwrap_err().to_string();
            assert!(error.contains("a multiple of 100 from 1000 to 1000000"), "{error}");
        }
    }
}

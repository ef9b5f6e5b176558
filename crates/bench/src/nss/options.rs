//! The command line of `netinfo-bench nss`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::source::Source;
use crate::options::seconds;

/// Fewest users: those that the caller asks for, warm and cold, are different ones.
pub const USERS_MIN: u32 = 5_000;
/// Most users.
pub const USERS_MAX: u32 = 1_000_000;

/// What to measure, with what, and where the results go.
#[derive(Debug, Clone, Args)]
pub struct NssOptions {
    /// A smoke test: 10,000 users, a tenth of a second for each figure
    #[arg(long)]
    pub quick: bool,

    /// Numbers of users, instead of 10000 and 100000
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(i64::from(USERS_MIN)..=i64::from(USERS_MAX)))]
    pub users: Vec<u32>,

    /// Seconds for each figure [default: 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<Duration>,

    /// Measure only these services
    #[arg(long, value_name = "SERVICE,SERVICE", value_delimiter = ',', value_enum)]
    pub only: Vec<Source>,

    /// Directory with netinfod and libnss_netinfo.so [default: that of this program]
    #[arg(long, value_name = "DIR")]
    pub binaries: Option<PathBuf>,

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

impl NssOptions {
    /// Numbers of users, ascending.
    #[must_use]
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes = match (self.users.is_empty(), self.quick) {
            (false, _) => self.users.clone(),
            (true, true) => vec![10_000],
            (true, false) => vec![10_000, 100_000],
        };
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The services, in the order in which they are measured.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        Source::ALL.into_iter().filter(|source| self.only.is_empty() || self.only.contains(source)).collect()
    }

    /// Time for each figure.
    #[must_use]
    pub fn time(&self) -> Duration {
        let usual = if self.quick { 100 } else { 1000 };
        self.seconds.unwrap_or_else(|| Duration::from_millis(usual))
    }
}

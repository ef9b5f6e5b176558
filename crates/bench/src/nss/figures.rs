//! Results.

use serde::Serialize;

use super::source::Source;
use crate::machine::Machine;

/// Times of one kind of call, in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// Median.
    pub median: f64,
    /// 99th percentile; of batches, where calls are short.
    pub p99: f64,
}

/// What a caller makes, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `getpwnam_r` of somebody.
    Getpwnam,
    /// `getpwuid_r` of somebody.
    Getpwuid,
    /// `getpwnam_r` of nobody.
    GetpwnamMiss,
    /// `getgrnam_r` of a group of ten.
    Getgrnam,
    /// `getgrouplist` of somebody in a hundred groups.
    Initgroups,
    /// The module's part of `getpwnam_r`.
    Module,
    /// The same of nobody.
    ModuleMiss,
    /// The module's part of `getgrouplist`.
    ModuleGroups,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Getpwnam,
        Self::Getpwuid,
        Self::GetpwnamMiss,
        Self::Getgrnam,
        Self::Initgroups,
        Self::Module,
        Self::ModuleMiss,
        Self::ModuleGroups,
    ];

    /// What the caller calls it.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Getpwnam => "getpwnam",
            Self::Getpwuid => "getpwuid",
            Self::GetpwnamMiss => "getpwnam-miss",
            Self::Getgrnam => "getgrnam",
            Self::Initgroups => "initgroups",
            Self::Module => "module",
            Self::ModuleMiss => "module-miss",
            Self::ModuleGroups => "module-groups",
        }
    }

    /// As tables name it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Getpwnam => "getpwnam",
            Self::Getpwuid => "getpwuid",
            Self::GetpwnamMiss => "getpwnam, nobody",
            Self::Getgrnam => "getgrnam, 10 members",
            Self::Initgroups => "initgroups, 100 groups",
            Self::Module => "getpwnam, the module's part",
            Self::ModuleMiss => "nobody, the module's part",
            Self::ModuleGroups => "initgroups, the module's part",
        }
    }

    /// Whether the module is called without glibc around it.
    #[must_use]
    pub const fn is_of_module(self) -> bool {
        matches!(self, Self::Module | Self::ModuleMiss | Self::ModuleGroups)
    }
}

/// Calls over and over.
#[derive(Debug, Clone, Serialize)]
pub struct Warm {
    /// What was called.
    pub operation: Operation,
    /// Threads that did so at the same time.
    pub threads: u32,
    /// Times of a call.
    pub times: Times,
}

/// One service with so many users.
#[derive(Debug, Clone, Serialize)]
pub struct SourceFigures {
    /// The service.
    pub source: Source,
    /// How many users it has.
    pub users: u32,
    /// The first look-up of a process, of many processes.
    pub first: Times,
    /// Look-ups of users whom nobody has asked for since the service was started.
    pub cold: Times,
    /// `ls -l` of a directory with files of a thousand owners, as a whole.
    pub listing: Times,
    /// The rest.
    pub warm: Vec<Warm>,
}

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where it was made.
    pub machine: Machine,
    /// The services, one after the other.
    pub sources: Vec<SourceFigures>,
    /// `stat` of `/etc/nsswitch.conf`, which glibc does at every look-up.
    pub stat: Option<Times>,
    /// `ls -l` of the same directory without names (`ls -ln`).
    pub listing_of_numbers: Option<Times>,
    /// Load average of the minute after the run.
    pub load_after: String,
    /// How long it took.
    pub seconds: f64,
}

impl SourceFigures {
    /// Times of a call, if they were measured.
    #[must_use]
    pub fn of(&self, operation: Operation, threads: u32) -> Option<Times> {
        self.warm
            .iter()
            .find(|warm| (warm.operation, warm.threads) == (operation, threads))
            .map(|warm| warm.times)
    }
}

/// Median and 99th percentile of times, in nanoseconds.
///
/// # Panics
/// Without any.
#[must_use]
pub fn times(mut all: Vec<f64>) -> Times {
    all.sort_by(f64::total_cmp);
    Times { median: all[all.len() / 2], p99: all[all.len() - 1 - all.len() / 100] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_is_all_of_them() {
        let one = times(vec![7.0]);
        assert_eq!((one.median, one.p99), (7.0, 7.0));
        let many = times((0..1000).rev().map(f64::from).collect());
        assert_eq!((many.median, many.p99), (500.0, 989.0));
    }
}

//! `[lookup]`: how domains on other machines are asked, and for how long what they say is believed; which files are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use netinfo_directory::binding::Parent;
use netinfo_upstream::{Policy, policy};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::order::OrderTable;
use super::value::Count;

/// Longest time that an answer is believed without asking again, in seconds.
pub const LONGEST_SECONDS: u64 = 7 * 86_400;
/// Longest time that a parent may be away, in days.
pub const LONGEST_DAYS: u64 = 3_650;

/// `[lookup]`. Absent keys leave the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupTable {
    /// Seconds for which the records of a parent are told without asking again.
    pub live_seconds: Option<Count<0, LONGEST_SECONDS>>,
    /// Seconds for which it is told that a parent has no such record.
    pub negative_seconds: Option<Count<0, LONGEST_SECONDS>>,
    /// Days for which records are told while the parent cannot be asked.
    pub offline_days: Option<Count<0, LONGEST_DAYS>>,
    /// Days after a login for which the same password lets in while the parent cannot be asked.
    pub offline_login_days: Option<Count<0, LONGEST_DAYS>>,
    /// Whether passwords may be sent to parents without encryption.
    pub plain_passwords: Option<bool>,
    /// Where the master of a domain takes new passwords, by tag, for domains of which this node has a clone.
    pub masters: Option<BTreeMap<String, Master>>,
    /// Directory of the files that are looked in where `[lookup.order]` has them.
    pub files: Option<PathBuf>,
    /// `[lookup.order]`: who is asked about what.
    #[serde(default)]
    pub order: OrderTable,
}

/// A master, written like a parent with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Master(pub Parent);

impl<'de> Deserialize<'de> for Master {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl LookupTable {
    /// The masters that are to be asked elsewhere than the domains say.
    #[must_use]
    pub fn masters(&self) -> BTreeMap<String, Parent> {
        let masters = self.masters.iter().flatten();
        masters.map(|(tag, master)| (tag.clone(), master.0.clone())).collect()
    }

    /// The table with its defaults.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let default = Policy::default();
        let days = |days: u64| days * 86_400;
        Policy {
            time_to_live: self.live_seconds.map_or(policy::TIME_TO_LIVE, |n| n.get()),
            negative_time: self.negative_seconds.map_or(policy::NEGATIVE_TIME, |n| n.get()),
            offline_time: self.offline_days.map_or(policy::OFFLINE_TIME, |n| days(n.get())),
            offline_login_time: self.offline_login_days.map_or(policy::OFFLINE_LOGIN_TIME, |n| days(n.get())),
            plain_passwords: self.plain_passwords.unwrap_or(default.plain_passwords),
        }
    }
}

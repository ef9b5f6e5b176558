//! The place of the domains served here in the hierarchy: each is bound to a parent, which is found, checked and found anew
//! in the background ([`netinfo_directory::binding`] decides, this asks).
//!
//! | module | holds |
//! |---|---|
//! | `driver` | the task of each domain: does what its search wants, tells what came of it |
//! | `plan` | who may be the parent: what was configured, what `/machines` says, what may be asked besides |
//! | `discover` | finds candidates by DNS, multicast DNS and broadcast |
//! | `probe` | asks a candidate whether it is there, and who is above it |
//! | `kept` | files of the data directory: configured parents, and who the parent was last |
//! | `above` | the domains on other machines, for whoever looks things up in them |
//! | `welcome` | answers BIND, and adds machines that may add themselves |
//! | `doctor` | what is wrong between the domains from here to the root |
//! | `report` | what is told to administrators |

mod above;
mod discover;
mod doctor;
mod driver;
mod kept;
mod plan;
mod probe;
mod report;
mod welcome;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use netinfo_directory::binding::{Parent, Policy, Search, State};
use tokio::sync::{Notify, watch};

pub(crate) use above::{Above, tell};
pub(crate) use doctor::examine;
pub(crate) use driver::{settled, start};
pub(crate) use kept::Configured;
pub(crate) use report::{bind, unbind, whereabouts};
pub(crate) use welcome::answer;

use crate::limits::{HISTORICAL_NO_PARENT_TIME, NO_PARENT_TIME};
use crate::node::Running;
use crate::settings::BindingSettings;

/// The binding of one served domain.
pub(crate) struct Binding {
    search: Mutex<Search>,
    /// About the last plan. Taken after `search`, if both are.
    planned: Mutex<Planned>,
    /// Whether the domain, or what is configured, has changed since the plan was made.
    dirty: AtomicBool,
    /// Wakes the task of the domain.
    nudge: Notify,
    /// Held while a machine is added.
    adding: tokio::sync::Mutex<()>,
    /// Counts what happens.
    news: watch::Sender<u64>,
}

/// When a plan was made, how long that took, and what was said in the log since.
struct Planned {
    at: Instant,
    took: Duration,
    /// The parent, or that there is none.
    told: Option<Option<Parent>>,
}

impl Binding {
    pub(crate) fn new(settings: &BindingSettings, historical: bool) -> Self {
        let usual = if historical { HISTORICAL_NO_PARENT_TIME } else { NO_PARENT_TIME };
        let policy = Policy {
            answer: settings.answer,
            grace: settings.answer / 4,
            check: settings.check,
            no_parent: settings.no_parent.unwrap_or(usual),
        };
        Self {
            search: Mutex::new(Search::new(policy)),
            planned: Mutex::new(Planned { at: Instant::now(), took: Duration::ZERO, told: None }),
            dirty: AtomicBool::new(true),
            nudge: Notify::new(),
            adding: tokio::sync::Mutex::default(),
            news: watch::Sender::new(0),
        }
    }

    /// Text of the `binding` statistic.
    pub(crate) fn describe(&self, forced_root: bool) -> String {
        if forced_root {
            return "forcedRoot".into();
        }
        match self.search().state() {
            State::Searching => "notResponding".into(),
            State::Bound(bound) => match &bound.answer.parent {
                Parent::NetInfo { tag, address, .. } => format!("{address}/{tag}"),
                ldap => ldap.to_string(),
            },
            State::Alone(_) => "root".into(),
        }
    }

    /// Forgets what was found, as after a change of the network.
    pub(crate) fn forget(&self) {
        self.search().restart();
        self.dirty.store(true, Ordering::Release);
        self.changed();
    }

    fn search(&self) -> MutexGuard<'_, Search> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who wait, and the task of the domain.
    fn changed(&self) {
        self.news.send_modify(|count| *count += 1);
        self.nudge.notify_one();
    }
}

/// The time that searches go by.
fn now(node: &Running) -> Duration {
    node.started.elapsed()
}

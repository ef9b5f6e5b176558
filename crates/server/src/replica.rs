//! Being a master with clones, or a clone of a master.

use std::sync::Arc;
use std::time::Instant;

use crate::node::Running;
use crate::served::Served;

/// Replication state of one domain.
pub(crate) struct Replica {
    since: Instant,
}

impl Default for Replica {
    fn default() -> Self {
        Self { since: Instant::now() }
    }
}

impl Replica {
    /// Threads that push changes to clones now.
    pub(crate) fn pushing(&self) -> u64 {
        0
    }

    /// Changes that wait to be pushed.
    pub(crate) fn pending(&self) -> u64 {
        0
    }

    /// The `write_locked` statistic of a clone.
    pub(crate) fn lock_text(&self) -> &'static str {
        "clone"
    }

    /// Seconds until the periodic work of an interval of `wait` seconds.
    pub(crate) fn seconds_to_cleanup(&self, wait: i64) -> i64 {
        let passed = i64::try_from(self.since.elapsed().as_secs()).unwrap_or(i64::MAX);
        wait - passed % wait.max(1) - 1
    }
}

/// Begins replication of a domain that is now served.
pub(crate) fn start(_node: &Arc<Running>, _served: &Arc<Served>) {}

/// A master tells that it has restarted.
pub(crate) fn crashed(_node: &Arc<Running>, _served: &Arc<Served>, _checksum: u32) {}

/// Somebody asks for a fresh start of replication.
pub(crate) fn resync(_node: &Arc<Running>, served: &Arc<Served>) {
    served.parent.forget();
}

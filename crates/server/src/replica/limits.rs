//! The times and sizes of replication.

use std::time::Duration;

/// Longest wait for a clone's answer to one call, and for the next piece of a whole copy (NetInfo protocol,
/// replication).
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait at each step of finding a server: portmapper, binder, connection.
pub(crate) const FIND_TIMEOUT: Duration = Duration::from_secs(3);

/// First and longest pause before a clone asks its master again after a failure; it doubles in between.
pub(crate) const RETRY_FIRST: Duration = Duration::from_secs(2);
/// See [`RETRY_FIRST`].
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(300);
/// First and longest pause before a master sends RESYNC again to a clone that misses changes; it doubles in between.
pub(crate) const REMIND_FIRST: Duration = Duration::from_secs(15);
/// See [`REMIND_FIRST`].
pub(crate) const REMIND_MAX: Duration = Duration::from_secs(600);
/// Shortest time between two checks of a clone, and between two readings of a master's list of clones: anybody may ask
/// for them.
pub(crate) const QUIET: Duration = Duration::from_secs(1);
/// How long a clone may be told that the master is busy before it is served all the same.
pub(crate) const BUSY_PATIENCE: Duration = Duration::from_secs(60);

/// How often a driver looks at its state at most: commits come by the thousand.
pub(crate) const TURN: Duration = Duration::from_millis(20);

/// Clones served at once, whatever `subthreads` says: each takes a thread.
pub(crate) const MAX_PUSHES: usize = 64;
/// Changes read from the feed at once while pushing.
pub(crate) const PUSH_CHUNK: usize = 64;
/// Directories that wait between the connection to the master and the writer.
pub(crate) const COPY_QUEUE: usize = 256;

/// The pause after the given number of failures in a row.
pub(crate) fn pause(first: Duration, longest: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (first * (1 << doublings)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds = |failures| pause(RETRY_FIRST, RETRY_MAX, failures).as_secs();
        assert_eq!([1, 2, 3, 8, 9, u32::MAX].map(seconds), [2, 4, 8, 256, 300, 300]);
        assert_eq!(seconds(0), 2);
    }
}

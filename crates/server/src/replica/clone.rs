//! When a clone checks with its master, without sockets and clocks (NetInfo protocol, replication).
//!
//! A check asks the master for everything unless the checksums are equal. One runs at a time; what calls for another
//! meanwhile is remembered once. After a failure the clone tries again at growing intervals, and does not wait for the
//! next period as historical clones do.

use std::time::{Duration, Instant};

use super::limits::{QUIET, RETRY_FIRST, RETRY_MAX, pause};

/// The checks of one clone.
#[derive(Debug)]
pub(super) struct Checks {
    period: Option<Duration>,
    running: bool,
    /// Something happened while a check was running that it may not have seen.
    again: bool,
    due: Option<Instant>,
    /// When the last check began; before the first, when the clone did.
    last: Instant,
    checked: bool,
    failures: u32,
}

impl Checks {
    /// A clone that has just been started: it checks at once, then every `period` (`cleanup_wait`; `None`: never of
    /// itself).
    pub(super) fn new(period: Option<Duration>, now: Instant) -> Self {
        Self { period, running: false, again: false, due: Some(now), last: now, checked: false, failures: 0 }
    }

    /// Takes over what the root directory says by now.
    pub(super) fn configure(&mut self, period: Option<Duration>) {
        self.period = period;
    }

    /// Something calls for a check: RESYNC, CRASHED with another checksum, an update that did not fit.
    pub(super) fn trigger(&mut self, now: Instant) {
        if self.running {
            self.again = true;
        } else {
            let soonest = self.soonest(now);
            self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
        }
    }

    /// An update of the master was made: a copy under way may lack it.
    pub(super) fn updated(&mut self) {
        self.again |= self.running;
    }

    /// Whether a check is to be begun now, and else when to ask again if nothing happens before.
    pub(super) fn poll(&mut self, now: Instant) -> (bool, Option<Instant>) {
        if self.running {
            return (false, None);
        }
        let next = self.due.into_iter().chain(self.period.map(|period| self.last + period)).min();
        if next.is_some_and(|at| at <= now) {
            (self.running, self.due, self.last, self.checked) = (true, None, now, true);
            return (true, None);
        }
        (false, next)
    }

    /// The check has ended: the clone has what the master had, or it does not.
    pub(super) fn ended(&mut self, success: bool, now: Instant) {
        self.running = false;
        let again = std::mem::take(&mut self.again);
        if success {
            self.failures = 0;
            self.due = again.then(|| self.soonest(now));
        } else {
            self.failures = self.failures.saturating_add(1);
            self.due = Some(now + pause(RETRY_FIRST, RETRY_MAX, self.failures));
        }
    }

    /// When the last check began.
    pub(super) fn last(&self) -> Instant {
        self.last
    }

    fn soonest(&self, now: Instant) -> Instant {
        if self.checked { now.max(self.last + QUIET) } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1800);

    /// A clone that has made its first check at the time returned.
    fn checked(period: Option<Duration>) -> (Checks, Instant) {
        let now = Instant::now();
        let mut checks = Checks::new(period, now);
        assert_eq!(checks.poll(now), (true, None), "at the start");
        checks.ended(true, now);
        (checks, now)
    }

    #[test]
    fn checks_at_the_start_and_periodically() {
        let (mut checks, start) = checked(Some(PERIOD));
        assert_eq!(checks.poll(start), (false, Some(start + PERIOD)));
        assert_eq!(checks.poll(start + PERIOD), (true, None));
        let (mut never, start) = checked(None);
        assert_eq!(never.poll(start + PERIOD * 1000), (false, None));
    }

    #[test]
    fn one_check_at_a_time_and_one_remembered() {
        let (mut checks, start) = checked(None);
        let later = start + Duration::from_secs(10);
        checks.trigger(later);
        assert_eq!(checks.poll(later), (true, None));
        checks.trigger(later);
        checks.trigger(later);
        assert_eq!(checks.poll(later), (false, None), "while one runs");
        let end = later + Duration::from_secs(5);
        checks.ended(true, end);
        assert_eq!(checks.poll(end), (true, None));
        checks.ended(true, end);
        assert_eq!(checks.poll(end + PERIOD), (false, None), "both triggers are served by one check");
    }

    #[test]
    fn an_update_during_a_check_calls_for_another() {
        let (mut checks, start) = checked(None);
        let later = start + Duration::from_secs(10);
        checks.updated();
        assert_eq!(checks.poll(later), (false, None), "no check was running");
        checks.trigger(later);
        assert!(checks.poll(later).0);
        checks.updated();
        checks.ended(true, later);
        assert_eq!(checks.poll(later), (false, Some(later + QUIET)));
    }

    #[test]
    fn failures_are_retried_at_growing_intervals() {
        let (mut checks, mut now) = checked(None);
        now += Duration::from_secs(10);
        checks.trigger(now);
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(checks.poll(now), (true, None));
            checks.ended(false, now);
            now += Duration::from_secs(seconds);
            assert_eq!(checks.poll(now - Duration::from_millis(1)), (false, Some(now)));
        }
        assert!(checks.poll(now).0);
        checks.ended(true, now);
        assert_eq!(checks.poll(now + PERIOD), (false, None), "enough");
    }

    #[test]
    fn many_triggers_make_few_checks() {
        let (mut checks, start) = checked(None);
        let mut made = 0;
        for millis in (0..10_000).step_by(10) {
            let now = start + Duration::from_millis(millis);
            checks.trigger(now);
            if checks.poll(now).0 {
                made += 1;
                checks.ended(true, now);
            }
        }
        assert_eq!(made, 9);
    }
}

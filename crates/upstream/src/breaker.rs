//! Whether a parent is to be asked at all: after a failure not before a pause, which doubles with every further one.
//! Nobody waits for a parent in the meantime. The clock is a parameter.

use std::time::Duration;

use crate::limits::{FIRST_PAUSE, LONGEST_PAUSE};

/// The state of one parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Breaker {
    failures: u32,
    /// When it is to be asked again; `None`: it answers.
    until: Option<Duration>,
    reason: String,
}

impl Breaker {
    /// Whether it may be asked by those who wait for the answer.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.until.is_none()
    }

    /// Time until it is to be asked again, if it cannot be asked now.
    #[must_use]
    pub(crate) fn pause(&self, now: Duration) -> Option<Duration> {
        self.until.map(|until| until.saturating_sub(now))
    }

    /// Why it cannot be asked.
    #[must_use]
    pub(crate) fn reason(&self) -> Option<&str> {
        self.until.map(|_| self.reason.as_str())
    }

    /// It could not be asked at the time `now`. Says whether that is news.
    pub(crate) fn failed(&mut self, now: Duration, reason: &str) -> bool {
        let news = self.is_closed();
        let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.until = Some(now + doubled.min(LONGEST_PAUSE));
        self.failures = self.failures.saturating_add(1);
        reason.clone_into(&mut self.reason);
        news
    }

    /// It has answered. Says whether that is news.
    pub(crate) fn answered(&mut self) -> bool {
        let news = !self.is_closed();
        *self = Self::default();
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_with_an_answer() {
        let mut breaker = Breaker::default();
        assert!(breaker.is_closed());
        let mut now = Duration::from_secs(100);
        assert!(breaker.failed(now, "no route"));
        assert_eq!(breaker.reason(), Some("no route"));
        let mut pauses = Vec::new();
        for _ in 0..70 {
            let pause = breaker.pause(now).unwrap();
            pauses.push(pause);
            now += pause;
            assert_eq!(breaker.pause(now), Some(Duration::ZERO));
            assert!(!breaker.failed(now, "no route"), "not news");
        }
        assert_eq!(pauses[..3], [1, 2, 4].map(Duration::from_secs));
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE));
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
        assert!(breaker.answered() && breaker.is_closed() && !breaker.answered());
        breaker.failed(now, "");
        assert_eq!(breaker.pause(now), Some(FIRST_PAUSE));
    }
}

//! Keeps peers from filling the log: a few lines a second of one kind, the others are counted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::LOG_LINES;

/// Lines of one kind.
pub(crate) struct Throttle(Mutex<Option<Second>>);

struct Second {
    begin: Instant,
    lines: u32,
    /// Lines left out since the last one that was written.
    left_out: u64,
}

impl Throttle {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Calls `write` with the number of lines that were left out before this one, unless this one is left out too.
    pub(crate) fn line(&self, write: impl FnOnce(u64)) {
        if let Some(more) = self.admit(Instant::now()) {
            write(more);
        }
    }

    fn admit(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = state.get_or_insert(Second { begin: now, lines: 0, left_out: 0 });
        if now.duration_since(second.begin) >= Duration::from_secs(1) {
            (second.begin, second.lines) = (now, 0);
        }
        if second.lines == LOG_LINES {
            second.left_out += 1;
            return None;
        }
        second.lines += 1;
        Some(std::mem::take(&mut second.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lines_a_second() {
        let throttle = Throttle::new();
        let begin = Instant::now();
        let admitted: Vec<_> = (0..LOG_LINES + 5).map(|_| throttle.admit(begin)).collect();
        assert!(admitted[..LOG_LINES as usize].iter().all(|line| *line == Some(0)));
        assert!(admitted[LOG_LINES as usize..].iter().all(Option::is_none));
        let later = begin + Duration::from_secs(1);
        assert_eq!(throttle.admit(later), Some(5));
        assert_eq!(throttle.admit(later), Some(0));
    }
}

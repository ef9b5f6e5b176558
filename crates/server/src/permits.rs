//! Permits for changes, as one connection takes them: all connections together want so much changed at once and no more
//! ([`CHANGE_PERMITS`](crate::limits::CHANGE_PERMITS)).

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::limits::change_permits;

/// What goes with a change until it is answered.
pub(crate) type Permit = Option<OwnedSemaphorePermit>;

/// The permits of one connection. It is small, and does not hold the permits of all: idle connections are many.
#[derive(Default)]
pub(crate) struct Permits {
    /// For the next change.
    held: Permit,
    /// To be waited for before the next change is looked at again.
    wanted: u32,
}

impl Permits {
    /// Whether a change whose request has `len` bytes may be taken now, by the permits of `all`. If not, it is noted what
    /// it needs.
    pub(crate) fn admit(&mut self, all: &Arc<Semaphore>, len: usize) -> bool {
        if self.held.is_none() {
            let wanted = change_permits(len);
            match all.clone().try_acquire_many_owned(wanted) {
                Ok(permit) => self.held = Some(permit),
                Err(_) => self.wanted = wanted,
            }
        }
        self.held.is_some()
    }

    /// What was noted, to be waited for; nothing if nothing was. The result is for [`Permits::put`].
    pub(crate) fn wanted(
        &mut self,
        all: &Arc<Semaphore>,
    ) -> Option<impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + use<>> {
        let wanted = std::mem::take(&mut self.wanted);
        (wanted > 0).then(|| all.clone().acquire_many_owned(wanted))
    }

    /// For the next change.
    pub(crate) fn put(&mut self, permit: Permit) {
        self.held = permit;
    }

    /// The permit of the change that is made now.
    pub(crate) fn take(&mut self) -> Permit {
        self.held.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::CHANGE_UNIT;

    #[tokio::test]
    async fn a_change_that_finds_no_permits_waits_for_as_many() {
        let all = Arc::new(Semaphore::new(3));
        let (mut one, mut other) = (Permits::default(), Permits::default());
        assert!(one.admit(&all, 0) && one.admit(&all, 9 * CHANGE_UNIT), "a permit that is held is enough");
        assert!(one.wanted(&all).is_none());
        assert!(!other.admit(&all, 2 * CHANGE_UNIT));
        let waiting = tokio::spawn(other.wanted(&all).unwrap());
        assert!(other.wanted(&all).is_none());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(one.take());
        other.put(waiting.await.unwrap().ok());
        assert!(other.admit(&all, 0));
        assert_eq!(all.available_permits(), 0);
        drop(other);
        assert_eq!(all.available_permits(), 3);
    }
}

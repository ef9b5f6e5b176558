//! A thread that asks a parent, so that nobody waits longer than he wants to. What is asked is carried out in its turn, also
//! when nobody waits for it any longer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::limits::MAX_WAITING;
use crate::remote::Remote;

type Job = Box<dyn FnOnce(&mut dyn Remote) + Send>;

/// What a worker does when nothing is asked: returns how long until it is to be called again.
pub(crate) type Idle = Box<dyn FnMut(&mut dyn Remote) -> Option<Duration> + Send>;

/// How long a worker rests when nothing is to be done.
const REST: Duration = Duration::from_secs(1);

/// The way to one thread. The thread ends when this is dropped.
pub(crate) struct Worker {
    jobs: Option<SyncSender<Job>>,
}

impl Worker {
    /// Begins a thread that asks `remote`. It does nothing but fail if there is no thread to be had.
    pub(crate) fn start(name: &str, remote: Box<dyn Remote>, idle: Idle) -> Self {
        let (jobs, queue) = sync_channel(MAX_WAITING);
        let started = thread::Builder::new().name(name.into()).spawn(move || run(remote, idle, &queue));
        if let Err(error) = &started {
            tracing::error!("no thread to ask a parent: {error}");
        }
        Self { jobs: started.is_ok().then_some(jobs) }
    }

    /// Asks, and waits for the answer as long as `patience` says. `None`: there is none yet, or there never will be.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        ask: impl FnOnce(&mut dyn Remote) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, wait) = sync_channel(1);
        let job: Job = Box::new(move |remote| drop(answer.try_send(ask(remote))));
        match self.jobs.as_ref()?.try_send(job) {
            Ok(()) => wait.recv_timeout(patience).ok(),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => None,
        }
    }
}

/// Panics are caught: a thread lost to a defect would be missed for as long as the daemon runs.
fn run(mut remote: Box<dyn Remote>, mut idle: Idle, queue: &Receiver<Job>) {
    loop {
        let rest = catch_unwind(AssertUnwindSafe(|| idle(&mut *remote))).unwrap_or_default();
        let rest = rest.unwrap_or(REST).clamp(Duration::from_millis(1), REST);
        match queue.recv_timeout(rest) {
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(|| job(&mut *remote)))),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Item, Question};
    use crate::remote::{Changed, Fault, Verdict};
    use netinfo_lookup::Table;

    struct Nothing;

    impl Remote for Nothing {
        fn find(&mut self, _: &Question) -> Result<Vec<Item>, Fault> {
            Ok(Vec::new())
        }

        fn list(&mut self, _: Table) -> Result<Vec<Item>, Fault> {
            Ok(Vec::new())
        }

        fn stamp(&mut self) -> Result<Option<u64>, Fault> {
            Ok(None)
        }

        fn verify(&mut self, _: &[u8], _: &[u8]) -> Result<Verdict, Fault> {
            Ok(Verdict::Wrong)
        }

        fn change(&mut self, _: &[u8], _: &[u8], _: &[u8]) -> Result<Changed, Fault> {
            Ok(Changed::Wrong)
        }
    }

    #[test]
    fn a_panic_does_not_end_the_thread() {
        let patience = Duration::from_secs(20);
        let worker = Worker::start("test", Box::new(Nothing), Box::new(|_| panic!("a defect")));
        assert_eq!(worker.ask(patience, |_| 1), Some(1));
        assert_eq!(worker.ask(patience, |_| -> u8 { panic!("another") }), None);
        assert_eq!(worker.ask(patience, |_| 2), Some(2));
    }
}

//! The threads that serve connections.
//!
//! Each has an event loop of its own, and a connection stays with the thread it was given to. A runtime whose threads
//! take work from each other wakes an idle one for every connection that becomes ready, and connections wander between
//! processors: on two of them a client that asks one thing at a time got a third of the answers it gets now.
//!
//! Work that takes longer still leaves the way free: where a connection says so (`block_in_place`), its thread hands the
//! event loop to another one meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

/// The event loops. They end when this is dropped, which must not happen on one of them.
pub(crate) struct Workers(Vec<Runtime>);

/// Gives connections to the event loops in turn.
#[derive(Clone)]
pub(crate) struct Assign {
    loops: Arc<[Handle]>,
    next: Arc<AtomicUsize>,
}

impl Workers {
    /// As many as there are processors.
    pub(crate) fn start() -> io::Result<Self> {
        let count = available_parallelism().map_or(1, usize::from);
        (0..count).map(|n| event_loop(&format!("serve {n}"))).collect::<io::Result<_>>().map(Self)
    }

    pub(crate) fn assign(&self) -> Assign {
        Assign {
            loops: self.0.iter().map(|runtime| runtime.handle().clone()).collect(),
            next: Arc::default(),
        }
    }

    /// Ends the event loops, waiting at most `patience` in all for what they still do.
    pub(crate) fn shut_down(self, patience: Duration) {
        let deadline = Instant::now() + patience;
        for runtime in self.0 {
            runtime.shutdown_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

impl Assign {
    /// The event loop whose turn it is.
    pub(crate) fn next(&self) -> &Handle {
        &self.loops[self.next.fetch_add(1, Ordering::Relaxed) % self.loops.len()]
    }
}

/// An event loop on one thread, which can hand it over.
pub(crate) fn event_loop(name: &str) -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_gets_its_turn() {
        let workers = Workers::start().unwrap();
        let assign = workers.assign();
        let ids: Vec<_> = (0..2 * workers.0.len()).map(|_| assign.next().id()).collect();
        let (first, second) = ids.split_at(workers.0.len());
        assert_eq!(first, second);
        assert!(first.iter().enumerate().all(|(n, id)| !first[..n].contains(id)));
        let name = assign.next().spawn(async { std::thread::current().name().map(str::to_owned) });
        let name = event_loop("test").unwrap().block_on(name).unwrap().unwrap();
        assert!(name.starts_with("serve "), "{name}");
        workers.shut_down(Duration::from_secs(1));
    }
}

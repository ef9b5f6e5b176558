//! A domain being served: the core's domain, its ports, and what is counted about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use netinfo_directory::{Credentials, Domain, Origin, Result, View};
use netinfo_wire::netinfo::Procedure;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::binding::Binding;
use crate::replica::Replica;

/// A domain and everything the daemon keeps about it while serving it.
pub(crate) struct Served {
    pub(crate) domain: Arc<Domain>,
    pub(crate) tally: Tally,
    pub(crate) connections: ConnectionFigures,
    pub(crate) binding: Binding,
    pub(crate) replica: Replica,
    /// The tasks that listen on the domain's own ports.
    listeners: std::sync::Mutex<Vec<AbortHandle>>,
    gone: watch::Sender<bool>,
}

impl Served {
    pub(crate) fn new(domain: Arc<Domain>, binding: Binding) -> Self {
        Self {
            domain,
            tally: Tally::default(),
            connections: ConnectionFigures::default(),
            binding,
            replica: Replica::default(),
            listeners: std::sync::Mutex::default(),
            gone: watch::Sender::new(false),
        }
    }

    /// A snapshot as the daemon itself sees it.
    pub(crate) fn view(&self) -> Result<View<'_>> {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal)?;
        self.domain.read(&session)
    }

    pub(crate) fn add_listener(&self, task: AbortHandle) {
        self.listeners.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(task);
    }

    /// Stops listening and makes the connections that are for this domain close, so that nobody holds its store.
    pub(crate) fn retire(&self) {
        self.gone.send_replace(true);
        self.stop_listening();
    }

    /// Takes no new connections; the open ones go on.
    pub(crate) fn stop_listening(&self) {
        for task in self.listeners.lock().unwrap_or_else(std::sync::PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Returns once the domain is no longer served.
    pub(crate) async fn until_gone(&self) {
        let mut gone = self.gone.subscribe();
        // The sender lives as long as `self`, so there is no error to wait out.
        let _ = gone.wait_for(|gone| *gone).await;
    }
}

/// Calls and time by procedure.
pub(crate) struct Tally([(AtomicU64, AtomicU64); Procedure::ALL.len()]);

impl Default for Tally {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Default::default()))
    }
}

impl Tally {
    pub(crate) fn count(&self, procedure: Procedure, time: Duration) {
        let (calls, nanos) = &self.0[procedure.code() as usize];
        calls.fetch_add(1, Ordering::Relaxed);
        nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Completed calls and their total time in microseconds.
    pub(crate) fn of(&self, procedure: Procedure) -> (u64, u64) {
        let (calls, nanos) = &self.0[procedure.code() as usize];
        (calls.load(Ordering::Relaxed), nanos.load(Ordering::Relaxed) / 1000)
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|(calls, _)| calls.load(Ordering::Relaxed)).sum()
    }
}

/// Stream connections of one domain.
#[derive(Default)]
pub(crate) struct ConnectionFigures {
    current: AtomicU64,
    peak: AtomicU64,
    closed: AtomicU64,
}

impl ConnectionFigures {
    pub(crate) fn opened(&self) {
        let now = self.current.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.current.fetch_sub(1, Ordering::Relaxed);
    }

    /// One was closed because there were too many.
    pub(crate) fn evicted(&self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn current(&self) -> u64 {
        self.current.load(Ordering::Relaxed)
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn closed(&self) -> u64 {
        self.closed.load(Ordering::Relaxed)
    }
}

/// Holds a connection's place in the figures of its domain.
pub(crate) struct Counted(Arc<Served>);

impl Counted {
    pub(crate) fn new(served: Arc<Served>) -> Self {
        served.connections.opened();
        Self(served)
    }

    pub(crate) fn is_of(&self, served: &Arc<Served>) -> bool {
        Arc::ptr_eq(&self.0, served)
    }

    pub(crate) fn evicted(&self) {
        self.0.connections.evicted();
    }

    /// Returns once the domain is no longer served.
    pub(crate) async fn until_gone(&self) {
        self.0.until_gone().await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.ended();
    }
}

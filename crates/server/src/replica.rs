//! Being a master with clones, or a clone of a master (NetInfo protocol, replication).
//!
//! | module | what it does |
//! |---|---|
//! | `master`, `clone` | what is to be done and when: pure state machines |
//! | `push` | changes of the feed as calls |
//! | `peer` | other servers, over sockets |
//! | `copy` | a whole copy on its way into the store |
//! | `driver` | the task that moves all this |
//! | `limits` | its times and sizes |

mod clone;
mod copy;
mod driver;
mod limits;
mod master;
mod peer;
mod push;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use netinfo_directory::{Done, Error, Id, Outcome, Result, Role, Session, View};
use tokio::sync::Notify;

use crate::node::Running;
use crate::served::Served;
use clone::Checks;
use master::{Master, Reading};

/// Seconds between two checks of a clone, or two resyncs of a master, when the root directory says nothing else.
pub(crate) const CLEANUP_WAIT: i64 = 1800;

/// Replication state of one domain.
pub(crate) struct Replica {
    machine: Mutex<Machine>,
    wake: Arc<Wake>,
    /// A clone is taking everything from its master.
    copying: AtomicBool,
    /// Whether the next check is to look whether the master knows us.
    sanity: AtomicBool,
    /// What `cloneReplyReadall` said at the start or at the last RESYNC, when historical clones read it.
    gives: AtomicBool,
    since: Instant,
}

/// What this server is.
enum Machine {
    /// Nothing yet.
    Idle,
    Master(Master),
    Clone(Checks),
}

/// How the writer reaches the driver.
#[derive(Default)]
struct Wake {
    /// The last change.
    sequence: AtomicU64,
    notify: Notify,
}

impl Default for Replica {
    fn default() -> Self {
        Self {
            machine: Mutex::new(Machine::Idle),
            wake: Arc::default(),
            copying: AtomicBool::new(false),
            sanity: AtomicBool::new(true),
            gives: AtomicBool::new(false),
            since: Instant::now(),
        }
    }
}

impl Replica {
    /// Calls to clones under way.
    pub(crate) fn pushing(&self) -> usize {
        match &*self.lock() {
            Machine::Master(master) => master.running(),
            _ => 0,
        }
    }

    /// Changes that wait to be pushed.
    pub(crate) fn pending(&self) -> u64 {
        match &mut *self.lock() {
            Machine::Master(master) => {
                // The driver may not have looked since the last commit.
                master.committed(self.wake.sequence.load(Ordering::Acquire), Instant::now());
                master.pending()
            }
            _ => 0,
        }
    }

    /// Clones in the master's list; `None` before there was one.
    pub(crate) fn known(&self) -> Option<usize> {
        match &*self.lock() {
            Machine::Master(master) => master.known(),
            _ => None,
        }
    }

    /// The `write_locked` statistic of a clone.
    pub(crate) fn lock_text(&self) -> &'static str {
        if self.copying.load(Ordering::Acquire) { "clone (reading all)" } else { "clone" }
    }

    /// Seconds until the periodic work of an interval of `wait` seconds.
    pub(crate) fn seconds_to_cleanup(&self, wait: i64) -> i64 {
        let since = match &*self.lock() {
            Machine::Idle => self.since,
            Machine::Master(master) => master.resynced(),
            Machine::Clone(checks) => checks.last(),
        };
        let passed = i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX);
        (wait - passed - 1).max(0)
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins replication of a domain that is now served.
pub(crate) fn start(node: &Arc<Running>, served: &Arc<Served>) {
    let now = Instant::now();
    let read = || -> Result<_> {
        let view = served.view()?;
        served.replica.gives.store(gives_copies(&view)?, Ordering::Release);
        Ok((driver::settings(&view)?, view.sequence()?))
    };
    let (settings, sequence) = match read() {
        Ok(read) => read,
        Err(error) => {
            tracing::error!(%error, tag = served.domain.tag(), "replication is off: the domain cannot be read");
            return;
        }
    };
    let wake = served.replica.wake.clone();
    *served.replica.lock() = match served.domain.role() {
        Role::Master => {
            wake.sequence.fetch_max(sequence, Ordering::AcqRel);
            served.domain.watch(Arc::new(move |sequence| {
                wake.sequence.fetch_max(sequence, Ordering::AcqRel);
                wake.notify.notify_one();
            }));
            Machine::Master(Master::new(settings, sequence, now))
        }
        Role::Clone { .. } => Machine::Clone(Checks::new(settings.period, now)),
    };
    tokio::spawn(driver::run(node.clone(), served.clone()));
}

/// A master tells that it has restarted.
pub(crate) fn crashed(served: &Served, checksum: u32) {
    if let Machine::Clone(checks) = &mut *served.replica.lock() {
        let equal = served.view().and_then(|view| view.checksum()).is_ok_and(|own| own == checksum);
        if !equal {
            checks.trigger(Instant::now());
            served.replica.wake.notify.notify_one();
        }
    }
}

/// Somebody asks for a fresh start of replication: a master tells its clones, a clone checks with its master.
pub(crate) fn resync(served: &Served) {
    served.binding.forget();
    match served.view().and_then(|view| gives_copies(&view)) {
        Ok(gives) => served.replica.gives.store(gives, Ordering::Release),
        Err(error) => tracing::warn!(%error, tag = served.domain.tag(), "cannot read cloneReplyReadall"),
    }
    match &mut *served.replica.lock() {
        Machine::Idle => {}
        Machine::Master(master) => master.resync(Instant::now()),
        Machine::Clone(checks) => {
            served.replica.sanity.store(true, Ordering::Release);
            checks.trigger(Instant::now());
        }
    }
    served.replica.wake.notify.notify_one();
}

/// Whether a clone lets others copy from it.
///
/// # Errors
/// When the root directory cannot be read.
pub(crate) fn clone_gives_copies(node: &Running, served: &Served, view: &View<'_>) -> Result<bool> {
    if node.historical { Ok(served.replica.gives.load(Ordering::Acquire)) } else { gives_copies(view) }
}

fn gives_copies(view: &View<'_>) -> Result<bool> {
    view.root_flag(b"cloneReplyReadall", false)
}

/// What is to be called when a change is done: if it is an update that a clone's master sends, the clone notes whether it
/// fits. One that does not tells that something was missed; so does a directory that got another id than at the master.
pub(crate) fn observe(served: &Arc<Served>, session: &Session, target: Option<Id>, done: Done) -> Done {
    if !session.is_update() {
        return done;
    }
    let served = Arc::downgrade(served);
    Box::new(move |result| {
        let served = served.upgrade();
        if let Some(Machine::Clone(checks)) = served.as_ref().map(|s| s.replica.lock()).as_deref_mut() {
            if fits(target, &result) {
                checks.updated();
            } else {
                checks.trigger(Instant::now());
            }
        }
        if let Some(served) = served {
            served.replica.wake.notify.notify_one();
        }
        done(result);
    })
}

fn fits(target: Option<Id>, result: &Result<Vec<Outcome>>) -> bool {
    let expected =
        |outcome: &Outcome| outcome.created.is_none() || target.is_none() || outcome.created == target;
    result.as_ref().is_ok_and(|outcomes| outcomes.iter().all(expected))
}

/// A READALL being answered. Dropped without [`ReadAll::complete`], it counts as cut short.
pub(crate) struct ReadAll {
    served: Arc<Served>,
    reading: Option<Reading>,
}

/// A READALL from `caller` comes in; `whole` unless the caller's checksum is current.
///
/// # Errors
/// [`Error::Busy`] while changes are on their way to other clones.
pub(crate) fn begin_read_all(
    node: &Running,
    served: &Arc<Served>,
    view: &View<'_>,
    caller: Option<IpAddr>,
    whole: bool,
) -> Result<ReadAll> {
    let address = caller.and_then(ipv4);
    let mut reading = None;
    if let Machine::Master(master) = &mut *served.replica.lock() {
        let now = Instant::now();
        // The driver may not have looked since the last commit.
        master.configure(driver::settings(view)?);
        master.committed(view.sequence()?, now);
        // Perhaps a clone that was added since the list was read.
        if whole && address.is_some_and(|address| master.is_unknown(address)) {
            let clones = driver::clones(node, served, view)?;
            if clones.iter().any(|server| Some(server.address) == address) {
                master.list(clones, view.sequence()?, now);
                served.replica.wake.notify.notify_one();
            }
        }
        reading = Some(master.begin_copy(address, whole, now).map_err(|master::Busy| Error::Busy)?);
    }
    Ok(ReadAll { served: served.clone(), reading })
}

fn ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address.to_canonical() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

impl ReadAll {
    /// The caller was given everything up to the change `sequence`.
    pub(crate) fn complete(mut self, sequence: u64) {
        self.end(Some(sequence));
    }

    fn end(&mut self, sequence: Option<u64>) {
        let Some(reading) = self.reading.take() else { return };
        if let Machine::Master(master) = &mut *self.served.replica.lock() {
            master.end_copy(reading, sequence, Instant::now());
        }
        self.served.replica.wake.notify.notify_one();
    }
}

impl Drop for ReadAll {
    fn drop(&mut self) {
        self.end(None);
    }
}

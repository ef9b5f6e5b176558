//! What moves the two state machines: clocks, commits, sockets.
//!
//! One task per domain looks at the state whenever something happened or became due. Calls to other servers run on
//! threads that may block and hold the domain only while they read it, so that it can be destroyed meanwhile.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use netinfo_client::{Error as ClientError, Status};
use netinfo_directory::{Committed, Credentials, Error, Origin, Result as CoreResult, Role, Server, View};
use tokio::time::{sleep, sleep_until};

use super::Machine;
use super::copy::{self, CheckError, Outcome};
use super::limits::{MAX_PUSHES, PUSH_CHUNK, RETRY_FIRST, TURN};
use super::master::{Done, Job, Settings, Start, Ticket};
use super::peer::{self, Ports};
use super::push::{self, Push};
use crate::node::Running;
use crate::served::Served;

/// Longest sleep, where nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Serves the replication of one domain until it is destroyed or the daemon stops.
pub(super) async fn run(node: Arc<Running>, served: Arc<Served>) {
    loop {
        let next = turn(&node, &served).unwrap_or_else(|error| {
            tracing::warn!(%error, tag = served.domain.tag(), "replication cannot read the domain");
            Some(Instant::now() + RETRY_FIRST)
        });
        let next = next.unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            () = served.replica.wake.notify.notified() => {}
            () = sleep_until(next.into()) => {}
            () = served.until_gone() => return,
            () = node.stopped() => return,
        }
        sleep(TURN).await;
    }
}

/// Begins what is due; returns when something will be.
fn turn(node: &Arc<Running>, served: &Arc<Served>) -> CoreResult<Option<Instant>> {
    if served.is_gone() {
        return Ok(None);
    }
    let now = Instant::now();
    let view = served.view()?;
    let settings = settings(&view)?;
    let mut starts = Vec::new();
    let mut check = false;
    let next = match &mut *served.replica.lock() {
        Machine::Idle => None,
        Machine::Master(master) => {
            master.configure(settings);
            master.committed(view.sequence()?, now);
            if master.wants_list(now) {
                let clones = clones(node, served, &view)?;
                master.list(clones, view.sequence()?, now);
            }
            let (jobs, next) = master.poll(now);
            starts = jobs;
            next
        }
        Machine::Clone(checks) => {
            checks.configure(settings.period);
            let (due, next) = checks.poll(now);
            check = due;
            next
        }
    };
    drop(view);
    starts.into_iter().for_each(|start| begin(node, served, start));
    if check {
        begin_check(node, served);
    }
    Ok(next)
}

/// The clones in `/machines`, as `view` has it.
pub(super) fn clones(node: &Running, served: &Served, view: &View<'_>) -> CoreResult<Vec<Server>> {
    view.clones(served.domain.tag(), &|address| node.own.contains(address.into()))
}

/// What the root directory says.
pub(super) fn settings(view: &View<'_>) -> CoreResult<Settings> {
    let latency = view.root_number(b"update_latency", 2, 1..=7200, false)?;
    let threads = view.root_number(b"subthreads", 5, 0..=1024, true)?;
    let period = view.root_number(b"cleanup_wait", super::CLEANUP_WAIT, 60..=36_000, true)?;
    Ok(Settings {
        latency: Duration::from_secs(latency.unsigned_abs()),
        threads: usize::try_from(threads).map_or(MAX_PUSHES, |n| n.min(MAX_PUSHES)),
        period: u64::try_from(period).ok().map(Duration::from_secs),
    })
}

/// Tells one clone something.
fn begin(node: &Arc<Running>, served: &Arc<Served>, start: Start) {
    let (node, served) = (node.clone(), Arc::downgrade(served));
    tokio::spawn(async move {
        let ticket = start.ticket;
        let work = served.clone();
        let ended = tokio::task::spawn_blocking(move || deliver(&node, &work, &start)).await;
        if let Some(served) = served.upgrade() {
            if let Machine::Master(master) = &mut *served.replica.lock() {
                master.ended(ticket, ended.unwrap_or(Done::Failed), Instant::now());
            }
            served.replica.wake.notify.notify_one();
        }
    });
}

/// Why a job was not finished.
enum Stop {
    Clone(ClientError),
    Core(Error),
    /// The clone has to copy everything.
    Copy,
    /// Nobody waits for it any more.
    Gone,
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Clone(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

fn deliver(node: &Running, served: &Weak<Served>, start: &Start) -> Done {
    let Start { server, job, .. } = start;
    let clone = format_args!("{}/{}", server.address, server.tag);
    match attempt(node, served, start) {
        Ok(()) => {
            tracing::debug!(%clone, ?job, "told a clone");
            Done::Delivered
        }
        Err(Stop::Gone) => Done::Failed,
        Err(Stop::Core(Error::Stale)) => {
            tracing::info!(%clone, "too many changes for a clone that was away; it has to copy everything");
            Done::Lost
        }
        Err(Stop::Copy) => {
            tracing::info!(%clone, "a directory was moved; the clone has to copy everything");
            Done::Lost
        }
        Err(Stop::Core(error)) => {
            tracing::error!(%clone, %error, "changes cannot be read to be pushed");
            Done::Failed
        }
        Err(Stop::Clone(error)) => {
            match job {
                Job::Resync => tracing::info!(%clone, %error, "a clone cannot be reached, or refuses"),
                _ => tracing::warn!(%clone, %error, "a clone is out of sync until it answers"),
            }
            Done::Failed
        }
    }
}

fn attempt(node: &Running, served: &Weak<Served>, start: &Start) -> Result<(), Stop> {
    let mut clone = peer::connect(&start.server, Ports::default())?;
    match start.job {
        Job::Crashed => {
            let checksum = here(node, served)?.view()?.checksum()?;
            Ok(peer::crashed(&mut clone, checksum)?)
        }
        Job::Resync => Ok(peer::resync(&mut clone)?),
        Job::Changes { mut after, upto } => {
            while after < upto {
                for (sequence, push) in chunk(&*here(node, served)?, after, upto)? {
                    wanted(node, served, start.ticket)?;
                    match push {
                        Push::Call(call) => peer::push(&mut clone, &call)?,
                        Push::Nothing => {}
                        Push::Copy => return Err(Stop::Copy),
                    }
                    after = sequence;
                }
            }
            Ok(())
        }
    }
}

/// Stops a job that is of no use any more.
fn wanted(node: &Running, served: &Weak<Served>, ticket: Ticket) -> Result<(), Stop> {
    match &*here(node, served)?.replica.lock() {
        Machine::Master(master) if master.wants(ticket) => Ok(()),
        _ => Err(Stop::Gone),
    }
}

/// Some of the changes after `after`, and how they are told.
fn chunk(served: &Served, after: u64, upto: u64) -> CoreResult<Vec<(u64, Push)>> {
    let session = served.domain.authenticate(Credentials::None, Origin::Internal)?;
    let mut pushes = Vec::with_capacity(PUSH_CHUNK);
    let count = usize::try_from(upto - after).map_or(PUSH_CHUNK, |n| n.min(PUSH_CHUNK));
    let each = |committed: Committed| pushes.push((committed.sequence, push::push(&committed)));
    served.domain.changes(&session, after, count, each)?;
    // The feed has no holes; if it had one, the clone would need a copy.
    if pushes.is_empty() { Err(Error::Stale) } else { Ok(pushes) }
}

/// The domain, while it is served and the daemon runs.
fn here(node: &Running, served: &Weak<Served>) -> Result<Arc<Served>, Stop> {
    served.upgrade().filter(|served| !served.is_gone() && !node.is_stopping()).ok_or(Stop::Gone)
}

/// Lets a clone check with its master.
fn begin_check(node: &Arc<Running>, served: &Arc<Served>) {
    let (node, served) = (node.clone(), Arc::downgrade(served));
    tokio::spawn(async move {
        let work = served.clone();
        let checked = tokio::task::spawn_blocking(move || check(&node, &work)).await;
        let Some(served) = served.upgrade() else { return };
        let tag = served.domain.tag();
        let result = checked.unwrap_or(Err(CheckError::Stopped));
        match &result {
            Ok(Outcome::Current) => tracing::debug!(tag, "up to date with the master"),
            Ok(Outcome::Copied { directories }) => {
                tracing::info!(tag, directories, "copied everything from the master");
            }
            Err(CheckError::Stopped) => {}
            Err(CheckError::Master(error)) if error.is(Status::MasterBusy) => {
                tracing::info!(tag, "the master is busy; asking again later");
            }
            Err(error) => tracing::warn!(tag, %error, "cannot check with the master; trying again"),
        }
        served.replica.copying.store(false, Ordering::Release);
        if let Machine::Clone(checks) = &mut *served.replica.lock() {
            checks.ended(result.is_ok(), Instant::now());
        }
        served.replica.wake.notify.notify_one();
    });
}

fn check(node: &Running, served: &Weak<Served>) -> Result<Outcome, CheckError> {
    let gone = |_: Stop| CheckError::Stopped;
    let (server, own) = {
        let served = here(node, served).map_err(gone)?;
        served.domain.refresh_master()?;
        let Role::Clone { master, tag } = served.domain.role() else { return Err(CheckError::Stopped) };
        let address = master.ok_or(CheckError::NoMaster)?;
        (Server { address, tag }, served.view()?.checksum()?)
    };
    let master = peer::connect(&server, Ports::default())?;
    let outcome = copy::take(
        |each| peer::read_all(master, own, each),
        || {
            let served = served.upgrade()?;
            served.replica.copying.store(true, Ordering::Release);
            Some(served.domain.clone())
        },
        || here(node, served).is_err(),
    )?;
    let served = here(node, served).map_err(gone)?;
    if served.replica.sanity.swap(false, Ordering::AcqRel) {
        check_sanity(node, &served, &server);
    }
    Ok(outcome)
}

/// With `sanitycheck` in the root directory, says so in the log if the master would not push to this clone.
fn check_sanity(node: &Running, served: &Served, master: &Server) {
    let tag = served.domain.tag();
    let wanted = served.view().and_then(|view| view.root_flag(b"sanitycheck", false));
    if !wanted.unwrap_or(false) {
        return;
    }
    let own = node.own.announced_v4();
    match peer::connect(master, Ports::default()).and_then(|master| peer::lists_us(master, &own, tag)) {
        Ok(true) => tracing::debug!(tag, "the master knows this clone"),
        Ok(false) => tracing::warn!(
            tag,
            "the master's /machines has no record of this host with serves = ./{tag}: changes will not be pushed here"
        ),
        Err(error) => tracing::warn!(tag, %error, "cannot ask the master for its clones"),
    }
}

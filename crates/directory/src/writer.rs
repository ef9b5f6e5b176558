//! The writer of a domain: one thread, one queue, many changes a commit.
//!
//! Whoever wants something changed queues a job and is called back once it is on disk. While one commit waits for
//! the disk the queue fills, and the next commit takes all of it: the more writers, the larger the group. [`queue`]
//! keeps those together who write at the same time.

mod queue;

use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::access::Counters;
use crate::account;
use crate::apply::{Applier, Policy};
use crate::change::{Change, Outcome};
use crate::error::{Error, Result};
use crate::login::Gate;
use crate::pending;
use crate::session::Session;
use crate::store::Store;
use queue::{Queue, Wait};

/// Most jobs of one commit.
pub const GROUP_JOBS: usize = 1024;
/// A commit takes no further job once its changes hold this many bytes.
pub const GROUP_BYTES: usize = 8 << 20;

/// Time without jobs after which pending entries of the indexes are made.
const SETTLE_AFTER: Duration = Duration::from_millis(200);

/// Called with the outcomes, one for each change, once they are durable; or with the reason why nothing was changed.
pub type Done = Box<dyn FnOnce(Result<Vec<Outcome>>) + Send>;

/// Something to do for the writer.
pub(crate) enum Job {
    /// Apply all changes or none.
    Propose(Proposal),
    /// Run alone, between commits.
    Exclusive(Work),
}

/// What an exclusive job does. The second argument tells the watchers, if anything was committed.
pub(crate) type Work = Box<dyn FnOnce(&Store, &dyn Fn()) + Send>;

/// Called by the writer after each commit with the sequence number of its last change.
pub type Watcher = Arc<dyn Fn(u64) + Send + Sync>;

/// What the writer shares with the domain.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    pub(crate) gate: Gate,
    pub(crate) watchers: RwLock<Vec<Watcher>>,
}

/// Handle of the writer thread; dropping it finishes the queue and ends the thread.
pub(crate) struct Writer {
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(tag: &str, store: Store, shared: Arc<Shared>, policy: Policy) -> Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let worker = Worker { store, shared, policy };
        let thread = thread::Builder::new()
            .name(format!("write {tag}"))
            .spawn(move || worker.run(Queue::new(jobs)))
            .map_err(|e| Error::Storage(format!("cannot start the writer: {e}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(crate) fn submit(&self, job: Job) {
        let rejected = match &self.queue {
            Some(queue) => queue.send(job).err().map(|e| e.0),
            None => Some(job),
        };
        if let Some(Job::Propose(proposal)) = rejected {
            (proposal.done)(Err(Error::Busy));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The last handle may be dropped by a callback on the writer's own thread.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

struct Worker {
    store: Store,
    shared: Arc<Shared>,
    policy: Policy,
}

/// Changes that somebody wants made, and whom to tell.
pub(crate) struct Proposal {
    pub(crate) session: Session,
    pub(crate) changes: Vec<Change>,
    /// Milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) done: Done,
}

impl Worker {
    fn run(&self, mut queue: Queue) {
        while let Some(job) = self.next(&mut queue) {
            match job {
                Job::Exclusive(run) => {
                    let before = self.sequence();
                    run(&self.store, &|| self.notify(before, self.sequence()));
                }
                Job::Propose(first) => {
                    let group = queue.group(first);
                    let (size, begin) = (group.len(), Instant::now());
                    let results = self.commit_group(&group);
                    tracing::trace!(proposals = size, took = ?begin.elapsed(), "commit");
                    queue.committed(size, begin.elapsed());
                    for (proposal, result) in group.into_iter().zip(results) {
                        (proposal.done)(result);
                    }
                }
            }
        }
        self.settle(1);
    }

    /// Waits for the next job; `None` when there will be no more. Makes pending entries when there are many, or when there
    /// is time.
    fn next(&self, queue: &mut Queue) -> Option<Job> {
        self.settle(pending::BLOCKS_KEPT);
        let mut limit = Some(SETTLE_AFTER);
        loop {
            match queue.next(limit.take()) {
                Wait::Job(job) => return Some(job),
                Wait::Nothing => self.settle(1),
                Wait::End => return None,
            }
        }
    }

    /// Makes the entries of the indexes that are pending, if there are at least so many blocks of notes. That it fails
    /// does no harm: the notes stay, and it is tried again after the next commit.
    fn settle(&self, least: u64) {
        let settle = || -> Result<()> {
            let blocks = {
                let txn = self.store.env.read_txn()?;
                self.store.pending.len(&txn)?
            };
            if blocks < least {
                return Ok(());
            }
            let mut txn = self.store.env.write_txn()?;
            pending::settle(&self.store, &mut txn)?;
            Ok(txn.commit()?)
        };
        if let Err(error) = settle().map_err(|error| self.store.explain(error)) {
            tracing::debug!(%error, "entries of the indexes stay pending");
        }
    }

    /// Commits a group in one transaction; if the store fails, each proposal in a transaction of its own, so that a
    /// change that does not fit takes no others down with it.
    fn commit_group(&self, group: &[Proposal]) -> Vec<Result<Vec<Outcome>>> {
        match self.attempt(group) {
            Ok(results) => results,
            Err(error) if group.len() == 1 => vec![Err(error)],
            Err(error) => {
                tracing::warn!(%error, proposals = group.len(), "group commit failed; committing one by one");
                let alone = |proposal| self.attempt(std::slice::from_ref(proposal));
                group.iter().map(|p| alone(p)?.pop().unwrap_or(Err(Error::Busy))).collect()
            }
        }
    }

    /// Sequence number of the last change on disk.
    fn sequence(&self) -> u64 {
        let state = self.store.env.read_txn().map_err(Error::from).and_then(|txn| self.store.state(&txn));
        state.map_or(0, |s| s.sequence)
    }

    fn notify(&self, before: u64, sequence: u64) {
        if sequence > before {
            let watchers = self.shared.watchers.read().unwrap_or_else(PoisonError::into_inner);
            for watcher in watchers.iter() {
                watcher(sequence);
            }
        }
    }

    /// Applies a group in one transaction. The outer error is the store's; the inner ones are refusals.
    fn attempt(&self, group: &[Proposal]) -> Result<Vec<Result<Vec<Outcome>>>> {
        self.try_group(group).map_err(|error| self.store.explain(error))
    }

    fn try_group(&self, group: &[Proposal]) -> Result<Vec<Result<Vec<Outcome>>>> {
        let mut applier = Applier::begin(&self.store, &self.store.env, &self.shared.counters, self.policy)?;
        let before = applier.state.sequence;
        let mut results = Vec::with_capacity(group.len());
        for proposal in group {
            results.push(apply_all(&mut applier, proposal)?);
        }
        let sequence = applier.state.sequence;
        if sequence > before {
            applier.commit()?;
            self.notify(before, sequence);
        }
        Ok(results)
    }
}

/// Applies one proposal, all or nothing.
fn apply_all(applier: &mut Applier<'_, '_>, proposal: &Proposal) -> Result<Result<Vec<Outcome>>> {
    applier.new_passwords.clear();
    if let [change] = &proposal.changes[..] {
        let outcome = separate(applier.apply(&proposal.session, change.clone(), proposal.at))?;
        return outcome
            .map_or_else(|refusal| Ok(Err(refusal)), |outcome| noted(applier, proposal, vec![outcome]));
    }
    // Several changes: a refusal in the middle must take back what came before it.
    let state = applier.state.clone();
    let nested = applier.store.env.nested_write_txn(&mut applier.txn)?;
    let mut inner = Applier {
        store: applier.store,
        txn: nested,
        state: state.clone(),
        counters: applier.counters,
        policy: applier.policy,
        // If the changes come to nothing, what is known of the notes is found out anew.
        known: std::mem::take(&mut applier.known),
        held: None,
        new_passwords: Vec::new(),
    };
    let mut outcomes = Vec::with_capacity(proposal.changes.len());
    let mut created = None;
    for change in &proposal.changes {
        let mut change = change.clone();
        if let Some(object) = created {
            change.name_created(object);
        }
        match separate(inner.apply(&proposal.session, change, proposal.at))? {
            Ok(outcome) => {
                created = outcome.created.map(|id| id.object).or(created);
                outcomes.push(outcome);
            }
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    let outcomes = noted(&mut inner, proposal, outcomes)?;
    let (state, known) = (inner.state.clone(), std::mem::take(&mut inner.known));
    inner.txn.commit()?;
    (applier.state, applier.known) = (state, known);
    Ok(outcomes)
}

/// Adds what goes with new passwords. The outcomes tell of the directories as they are after that.
fn noted(
    applier: &mut Applier<'_, '_>,
    proposal: &Proposal,
    mut outcomes: Vec<Outcome>,
) -> Result<Result<Vec<Outcome>>> {
    for id in account::note_new_passwords(applier, &proposal.session, proposal.at)? {
        outcomes.iter_mut().filter(|o| o.id.object == id.object).for_each(|outcome| outcome.id = id);
    }
    Ok(Ok(outcomes))
}

/// Tells refusals (the caller's affair) from failures of the store (which spoil the transaction).
fn separate<T>(result: Result<T>) -> Result<Result<T>> {
    match result {
        Err(error @ (Error::Storage(_) | Error::Damaged(_) | Error::NoSpace(_))) => Err(error),
        other => Ok(other),
    }
}

/// Roughly the bytes a change brings.
fn weight(changes: &[Change]) -> usize {
    let values = |list: &[Vec<u8>]| list.iter().map(Vec::len).sum::<usize>();
    let one = |p: &crate::model::Property| p.name.len() + values(&p.values);
    changes
        .iter()
        .map(|change| match change {
            Change::Create { properties, .. } | Change::Write { properties, .. } => {
                properties.iter().map(one).sum()
            }
            Change::CreateProperty { property, .. } => one(property),
            Change::WriteProperty { values: list, .. } => values(list),
            Change::CreateValue { value, .. } | Change::WriteValue { value, .. } => value.len(),
            Change::RenameProperty { name, .. } => name.len(),
            Change::SetStamp { stamp, .. } => stamp.creator.len() + stamp.modifier.len(),
            Change::Destroy { .. }
            | Change::DestroyProperty { .. }
            | Change::DestroyValue { .. }
            | Change::Move { .. } => 0,
        })
        .sum()
}

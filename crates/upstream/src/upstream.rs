//! One parent: its memory, the threads that ask it, and whether it can be asked.

mod logins;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use netinfo_directory::binding::Parent;
use netinfo_lookup::Table;
use zeroize::Zeroizing;

use crate::breaker::Breaker;
use crate::cache::{Cache, Items, Known};
use crate::file::{self, Kind};
use crate::item::Question;
use crate::ldap::{self, Ldap};
use crate::limits::{FIND_WAIT, LIST_STEP, LIST_WAIT, MAX_LISTED, SAVE_PAUSE, STEP};
use crate::netinfo::NetInfo;
use crate::policy::Policy;
use crate::remote::{Fault, Remote};
use crate::source::Want;
use crate::verifier::Verifiers;
use crate::worker::{Idle, Worker};

pub use logins::{Login, change_at};

/// A stamp found out less than so many seconds ago is the parent's now.
const STAMP_TIME: u64 = 5;

/// A parent.
pub struct Upstream {
    parent: Parent,
    shared: Arc<Shared>,
    /// Asks short questions.
    short: Worker,
    /// Asks for whole tables, and about passwords.
    long: Worker,
}

/// What the threads that ask have in common.
struct Shared {
    /// For people.
    name: String,
    /// The parent as it is written: files are kept under this.
    text: String,
    by_ldap: bool,
    policy: Policy,
    folder: PathBuf,
    cache: RwLock<Cache>,
    verifiers: Mutex<Verifiers>,
    /// Users who have to change their passwords, as the parent has said when it verified them.
    due: Mutex<HashSet<Vec<u8>>>,
    breaker: Mutex<Breaker>,
    began: Instant,
    /// Version of the memory that is on disk.
    saved: AtomicU64,
    save: Mutex<Instant>,
    /// Whether nothing of it is to be on disk any longer.
    forgotten: AtomicBool,
}

/// How it stands with a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its name for people.
    pub name: String,
    /// Why it cannot be asked now; `None`: it can, as far as is known.
    pub away: Option<String>,
    /// Answers and listed records that are remembered.
    pub remembered: usize,
    /// When it was last heard, in seconds since 1970, as far as that is remembered.
    pub heard: Option<u64>,
}

impl Upstream {
    /// A parent, with what is remembered of it in the directory `folder`. It is asked when somebody wants to know something.
    #[must_use]
    pub fn open(parent: &Parent, policy: Policy, folder: &Path) -> Arc<Self> {
        let text = parent.to_string();
        let name = text.split('?').next().unwrap_or_default().to_owned();
        let cache = file::read(folder, &text, Kind::Records);
        let unusable = |error| tracing::warn!("what is remembered of {name} is begun anew: {error}");
        let cache = cache.and_then(|bytes| Cache::decode(&bytes).map_err(unusable).ok()).unwrap_or_default();
        let logins = file::read(folder, &text, Kind::Logins).map(Zeroizing::new);
        let verifiers =
            logins.and_then(|bytes| Verifiers::decode(&bytes).map_err(unusable).ok()).unwrap_or_default();
        let now = Instant::now();
        let shared = Arc::new(Shared {
            name,
            text,
            by_ldap: matches!(parent, Parent::Ldap(_)),
            policy,
            folder: folder.to_owned(),
            saved: AtomicU64::new(cache.version()),
            cache: RwLock::new(cache),
            verifiers: Mutex::new(verifiers),
            due: Mutex::default(),
            breaker: Mutex::default(),
            began: now,
            save: Mutex::new(now),
            forgotten: AtomicBool::new(false),
        });
        let short = Worker::start("parent", remote(parent, policy, STEP), idle(&shared, true));
        let long = Worker::start("parent, long", remote(parent, policy, LIST_STEP), idle(&shared, false));
        Arc::new(Self { parent: parent.clone(), shared, short, long })
    }

    /// Removes what is remembered of it on disk, for good: the parent was given up.
    pub fn forget(&self) {
        self.shared.forgotten.store(true, Ordering::SeqCst);
        for kind in [Kind::Records, Kind::Logins] {
            if let Err(error) = file::remove(&self.shared.folder, &self.shared.text, kind) {
                tracing::warn!(parent = self.shared.name, "what is remembered cannot be removed: {error}");
            }
        }
    }

    /// What it was made from.
    #[must_use]
    pub fn parent(&self) -> &Parent {
        &self.parent
    }

    /// Its clock, in seconds since 1970, if it is a directory that tells it. Takes up to [`FIND_WAIT`].
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        self.short.ask(FIND_WAIT, |remote| remote.time())?.ok()?
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// How long what it says is believed.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.shared.policy
    }

    /// How it stands with it.
    #[must_use]
    pub fn state(&self) -> State {
        let away = self.shared.breaker().reason().map(str::to_owned);
        let cache = self.shared.cache();
        State { name: self.shared.name.clone(), away, remembered: cache.len(), heard: cache.newest() }
    }

    /// What is remembered. With `asked` whatever is there is good enough. The error is why there is nothing to tell; `None`:
    /// it is to be asked.
    pub(crate) fn remembered(&self, want: &Want, asked: bool) -> Result<Items, Option<String>> {
        let shared = &self.shared;
        let now = now();
        let known = match want {
            Want::Find(question) => shared.cache().find(&shared.canonical(question), now, &shared.policy),
            Want::List(table) => shared.cache().list(*table, now, &shared.policy),
        };
        if let Known::Fresh(items) = known {
            return Ok(items);
        }
        let reason = shared.breaker().reason().map(str::to_owned);
        if reason.is_none() && !asked {
            return Err(None);
        }
        if let Known::Stale(items) = known {
            return Ok(items);
        }
        if let Want::Find(question) = want {
            let scraps = shared.cache().scraps(&shared.canonical(question), now, &shared.policy);
            if !scraps.is_empty() {
                return Ok(scraps);
            }
        }
        Err(Some(reason.unwrap_or_else(|| "no answer in time".into())))
    }

    /// Whether something has to be asked before it can be told.
    #[must_use]
    pub fn lacks(&self, want: &Want) -> bool {
        matches!(self.remembered(want, false), Err(None))
    }

    /// Asks the parent, and waits for the answers for a while: for [`FIND_WAIT`] all in all, or for [`LIST_WAIT`] if a table
    /// is among them. What comes later is remembered, too.
    pub fn ask(&self, wants: &[Want]) {
        let begin = Instant::now();
        for want in wants {
            let shared = self.shared.clone();
            let (worker, patience) = match want {
                Want::Find(_) => (&self.short, FIND_WAIT),
                Want::List(_) => (&self.long, LIST_WAIT),
            };
            let want = want.clone();
            let left = patience.saturating_sub(begin.elapsed());
            let answered = worker.ask(left, move |remote| shared.carry_out(remote, &want));
            if answered.is_none() {
                // Nobody is to wait for it again before it has answered once.
                let text = format!("no answer within {} seconds", patience.as_secs_f32());
                self.shared.failed(&text);
                return;
            }
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.save();
    }
}

/// A parent as one thread asks it.
fn remote(parent: &Parent, policy: Policy, patience: Duration) -> Box<dyn Remote> {
    let plain = policy.plain_passwords;
    match parent {
        Parent::NetInfo { tag, address, port } => {
            Box::new(NetInfo::new(tag, (*address, *port), plain, patience))
        }
        Parent::Ldap(ldap) => Box::new(Ldap::new(ldap.clone(), plain)),
    }
}

/// What a thread does from time to time. One of them sees whether a parent that was away is back, and writes to disk.
fn idle(shared: &Arc<Shared>, busy: bool) -> Idle {
    let shared = Arc::downgrade(shared);
    Box::new(move |remote| {
        let shared = shared.upgrade().filter(|_| busy)?;
        if shared.save.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= SAVE_PAUSE {
            shared.save();
        }
        let pause = shared.breaker().pause(shared.began.elapsed())?;
        if !pause.is_zero() {
            return Some(pause);
        }
        match remote.stamp() {
            Ok(stamp) => {
                shared.cache_mut().stamped(stamp, now());
                shared.answered();
            }
            Err(Fault::Refused(_)) => shared.answered(),
            Err(Fault::Away(reason)) => shared.failed(&reason),
        }
        None
    })
}

impl Shared {
    fn cache(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache_mut(&self) -> RwLockWriteGuard<'_, Cache> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn canonical<'q>(&self, question: &'q Question) -> std::borrow::Cow<'q, Question> {
        if self.by_ldap { ldap::canonical(question) } else { std::borrow::Cow::Borrowed(question) }
    }

    fn failed(&self, reason: &str) {
        if self.breaker().failed(self.began.elapsed(), reason) {
            tracing::warn!(parent = self.name, "a parent is away: {reason}");
        }
    }

    fn answered(&self) {
        if self.breaker().answered() {
            tracing::info!(parent = self.name, "a parent is back");
        }
    }

    /// Asks and remembers the answer. Does nothing while the parent is away.
    fn carry_out(&self, remote: &mut dyn Remote, want: &Want) {
        if !self.breaker().is_closed() {
            return;
        }
        match self.try_carry_out(remote, want) {
            Ok(()) => self.answered(),
            Err(Fault::Away(reason)) => self.failed(&reason),
            Err(Fault::Refused(reason)) => {
                tracing::warn!(parent = self.name, "a parent does not answer a question: {reason}");
                self.answered();
            }
        }
    }

    fn try_carry_out(&self, remote: &mut dyn Remote, want: &Want) -> Result<(), Fault> {
        match want {
            Want::Find(question) => {
                let question = self.canonical(question).into_owned();
                let Some(stamp) = self.stamp(remote, |cache| cache.stamp_of(&question))? else {
                    return Ok(());
                };
                let items = remote.find(&question)?;
                self.cache_mut().answered(question, items, stamp, now());
            }
            Want::List(table) => self.list(remote, *table)?,
        }
        Ok(())
    }

    fn list(&self, remote: &mut dyn Remote, table: Table) -> Result<(), Fault> {
        let Some(stamp) = self.stamp(remote, |cache| cache.stamp_of_list(table))? else { return Ok(()) };
        let items = remote.list(table)?;
        let complete = items.len() < MAX_LISTED;
        if !complete {
            let (parent, table) = (&self.name, table.directory());
            tracing::warn!(parent, "more than {MAX_LISTED} records in {table}: not all are listed");
        }
        self.cache_mut().listed(table, items, complete, stamp, now());
        Ok(())
    }

    /// The parent's stamp before a question; `None`: what is known was said under this one, and need not be asked again.
    fn stamp(
        &self,
        remote: &mut dyn Remote,
        known: impl Fn(&Cache) -> Option<u64>,
    ) -> Result<Option<Option<u64>>, Fault> {
        if self.by_ldap {
            return Ok(Some(None));
        }
        let known = known(&self.cache());
        if known.is_none()
            && let Some(stamp) = self.cache().recent_stamp(now(), STAMP_TIME)
        {
            return Ok(Some(Some(stamp)));
        }
        let stamp = remote.stamp()?;
        self.cache_mut().stamped(stamp, now());
        Ok(if stamp.is_some() && stamp == known { None } else { Some(stamp) })
    }

    /// Replaces a file, unless the parent is forgotten. Whoever forgets it meanwhile removes the file, or it is done here.
    fn keep(&self, kind: Kind, bytes: &[u8]) -> std::io::Result<()> {
        if !self.forgotten.load(Ordering::SeqCst) {
            file::write(&self.folder, &self.text, kind, bytes)?;
        }
        if self.forgotten.load(Ordering::SeqCst) {
            file::remove(&self.folder, &self.text, kind)?;
        }
        Ok(())
    }

    /// Writes what is remembered, if it has changed.
    fn save(&self) {
        *self.save.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let (version, bytes) = {
            let cache = self.cache();
            if cache.version() == self.saved.load(Ordering::Acquire) {
                return;
            }
            let mut bytes = Vec::new();
            cache.encode(&mut bytes);
            (cache.version(), bytes)
        };
        match self.keep(Kind::Records, &bytes) {
            Ok(()) => self.saved.store(version, Ordering::Release),
            Err(error) => tracing::warn!(parent = self.name, "what is known cannot be kept: {error}"),
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

//! A domain: the only door to its data.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError, RwLock, mpsc};

use crate::access::{Access, AttributeNames, Rule};
use crate::account::{Condition, Standing, State, lockout};
use crate::apply::{Applier, Policy};
use crate::auth::Authenticator;
use crate::change::{Change, Committed, Outcome};
use crate::error::{Error, Result};
use crate::feed;
use crate::machines::Role;
use crate::model::{Property, ROOT, Target};
use crate::password::scram::Keys;
use crate::session::{Credentials, Governance, Origin, Principal, Session};
use crate::store::keys::be_u64;
use crate::store::{DEFAULT_MAP_SIZE, Store};
use crate::view::View;
use crate::writer::{Done, Job, Proposal, Shared, Watcher, Writer};

/// Changes kept in the feed unless configured otherwise.
pub const DEFAULT_FEED_RETENTION: u64 = 100_000;
/// How often a change that the server makes of an account is derived, while others change the account.
const ACCOUNT_CHANGES: usize = 32;

/// What a domain needs to know of the node it lives on.
#[derive(Clone)]
pub struct Options {
    /// Name of this host, as `/machines` and `master` use it.
    pub hostname: String,
    /// Addresses a new domain records for this host.
    pub addresses: Vec<Ipv4Addr>,
    /// Whether an address is one of this host's own.
    pub own: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// The historical behaviour to the letter, unsafe parts included.
    pub historical: bool,
    /// Sparse address space for the store, bytes.
    pub map_size: usize,
    /// Changes kept in the feed.
    pub feed_retention: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hostname: "localhost".into(),
            addresses: Vec::new(),
            own: Arc::new(|address| address.is_loopback()),
            historical: false,
            map_size: DEFAULT_MAP_SIZE,
            feed_retention: DEFAULT_FEED_RETENTION,
        }
    }
}

impl Options {
    fn policy(&self) -> Policy {
        Policy { historical: self.historical, feed_retention: self.feed_retention.max(1) }
    }
}

/// Figures of the `authentications` statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticationFigures {
    /// Passwords that matched.
    pub good: u64,
    /// Attempts that failed.
    pub bad: u64,
    /// Grants by access lists.
    pub write_good: u64,
    /// Refusals by access lists.
    pub write_bad: u64,
}

/// One open domain.
pub struct Domain {
    // First, so that dropping the domain finishes the queue before anything else goes.
    writer: Writer,
    tag: String,
    store: Store,
    shared: Arc<Shared>,
    role: RwLock<Role>,
    options: Options,
}

impl Domain {
    /// Opens the domain stored in directory `path`; for `rescue` as a master, whatever its root says.
    pub(crate) fn open(tag: &str, path: &Path, options: &Options, rescue: bool) -> Result<Self> {
        let store = Store::open(path, options.map_size, false)?;
        let own = options.own.clone();
        let role = match rescue {
            true => Role::Master,
            false => View::new(&store, true)?.role(tag, &options.hostname, &|a| own(IpAddr::V4(a)))?,
        };
        let shared = Arc::new(Shared::default());
        let policy = options.policy();
        let writer = Writer::start(tag, store.clone(), shared.clone(), policy)?;
        Ok(Self { tag: tag.into(), store, shared, role: RwLock::new(role), options: options.clone(), writer })
    }

    /// Makes a new store in `path` whose root carries `master` and whose `/machines` has one server of the domain.
    pub(crate) fn create(path: &Path, options: &Options, fresh: &Fresh) -> Result<()> {
        let store = Store::open(path, options.map_size, true)?;
        let counters = crate::access::Counters::default();
        let mut applier = Applier::begin(&store, &store.env, &counters, options.policy())?;
        applier.create_root(fresh.at)?;
        let session = Session::internal();
        let master = Property::new("master", [format!("{}/{}", fresh.host, fresh.tag)]);
        let create = |parent: u32, properties: Vec<Property>| Change::Create {
            parent: Target::any(parent),
            properties,
            position: u32::MAX,
        };
        let at = fresh.at;
        let directory = Target::any(ROOT);
        applier.apply(
            &session,
            Change::CreateProperty { directory, property: master, position: u32::MAX },
            at,
        )?;
        let machines =
            applier.apply(&session, create(ROOT, vec![Property::new("name", ["machines"])]), at)?;
        let machines = machines.created.map_or(1, |id| id.object);
        let host = vec![
            Property::new("name", [fresh.host.as_str()]),
            Property::new("ip_address", fresh.addresses.iter().map(ToString::to_string)),
            Property::new("serves", [format!("./{}", fresh.tag)]),
        ];
        applier.apply(&session, create(machines, host), at)?;
        applier.commit()?;
        let closing = store.env.clone().prepare_for_closing();
        drop(store);
        closing.wait();
        Ok(())
    }

    /// The domain's tag on this node.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// What this server is for the domain.
    pub fn role(&self) -> Role {
        self.role.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads anew, for a clone, where its master is; done after every whole copy. Whether the server is master or clone
    /// is decided once, at the opening.
    pub fn refresh_master(&self) -> Result<()> {
        if let Role::Clone { .. } = self.role() {
            let role = View::new(&self.store, true)?.role(&self.tag, "", &|_| false)?;
            *self.role.write().unwrap_or_else(PoisonError::into_inner) = role;
        }
        Ok(())
    }

    /// Directory of the domain's files.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Bytes the store occupies on disk.
    pub fn disk_size(&self) -> Result<u64> {
        Ok(self.store.env.real_disk_size()?)
    }

    /// Finds out who is calling. Reads need no credentials; their sessions come from [`Credentials::None`].
    ///
    /// May take tens of milliseconds of processor time when a password has to be hashed.
    pub fn authenticate(&self, credentials: Credentials<'_>, origin: Origin) -> Result<Session> {
        if origin == Origin::Internal {
            return Ok(Session::internal());
        }
        let view = View::new(&self.store, true)?;
        self.authenticator(&view, &self.role(), None).authenticate(credentials, origin)
    }

    /// As [`Domain::authenticate`], holding back those who guess ([`Error::TooManyAttempts`]) and remembering for a while
    /// which passwords were right. `at` is the time in milliseconds since the epoch.
    pub fn authenticate_at(&self, credentials: Credentials<'_>, origin: Origin, at: u64) -> Result<Session> {
        if origin == Origin::Internal {
            return Ok(Session::internal());
        }
        let (result, failed) = {
            let view = View::new(&self.store, true)?;
            let role = self.role();
            let authenticator = self.authenticator(&view, &role, Some(at));
            (authenticator.authenticate(credentials, origin), authenticator.failed.get())
        };
        failed.into_iter().for_each(|object| self.note_failure(object, at));
        result
    }

    /// Finds out who is calling, where access rules govern what the caller reads and writes: LDAP and its like.
    ///
    /// * [`Credentials::None`]: the user the kernel vouches for on a local socket (uid 0 is the superuser), otherwise anonymous.
    /// * A password: the user's, one of its application passwords (the session is read-only then), or the
    ///   administrator's. May take tens of milliseconds of processor time; repeated soon, microseconds.
    ///
    /// `at` is the time in milliseconds since the epoch. Errors are [`Error::NoUser`], [`Error::Authentication`] and
    /// [`Error::TooManyAttempts`]; callers are to be told the same for all of them, the log the difference.
    pub fn login(&self, credentials: Credentials<'_>, origin: Origin, at: u64) -> Result<Session> {
        if origin == Origin::Internal {
            return Ok(Session::internal());
        }
        let (result, failed) = {
            let view = View::new(&self.store, true)?;
            let role = self.role();
            let authenticator = self.authenticator(&view, &role, Some(at));
            (authenticator.login(credentials, origin, at), authenticator.failed.get())
        };
        failed.into_iter().for_each(|object| self.note_failure(object, at));
        let login = result?;
        if let Some(object) = login
            .session
            .object
            .filter(|_| !matches!(credentials, Credentials::Vouched { .. } | Credentials::None))
        {
            self.forget_failures(object, at);
        }
        if let Some(upgrade) = login.upgrade {
            self.upgrade_password(upgrade, at);
        }
        Ok(login.session)
    }

    /// What a client is told, and later held to, that begins to prove the password of a directory by SCRAM-SHA-256, for
    /// [`Credentials::Scram`]. Nobody, and whoever has no password of a scheme that allows it, has keys as well, which
    /// nothing proves. May take a millisecond.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn scram_keys(&self, object: Option<u32>, name: &[u8]) -> Result<Keys> {
        let view = View::new(&self.store, true)?;
        self.authenticator(&view, &self.role(), None).scram_keys(object, name)
    }

    /// Counts a wrong password for a user, where the domain wants it so. It is on disk before anybody is told that it was
    /// wrong: attempts made at once count all.
    fn note_failure(&self, object: u32, at: u64) {
        self.change_account(object, at, |view| lockout::noted(view, object, at));
    }

    /// Forgets what was counted of a user.
    fn forget_failures(&self, object: u32, at: u64) {
        self.change_account(object, at, |view| Ok(lockout::forgotten(&view.record(object)?)));
    }

    /// Makes a change that the server makes of itself, anew when others were faster. Copies change nothing.
    fn change_account(&self, object: u32, at: u64, derive: impl Fn(&View<'_>) -> Result<Option<Change>>) {
        if !matches!(self.role(), Role::Master) {
            return;
        }
        for _ in 0..ACCOUNT_CHANGES {
            let change = View::new(&self.store, true).and_then(|view| derive(&view));
            let result = match change {
                Ok(Some(change)) => self.write_blocking(&Session::internal(), vec![change], at).map(drop),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => return,
                Err(Error::Stale) => {}
                Err(error) => {
                    tracing::warn!(object, %error, "wrong passwords of an account cannot be counted");
                    return;
                }
            }
        }
        tracing::warn!(object, "wrong passwords of an account cannot be counted: it changes all the time");
    }

    /// Stores a password anew. If it has been changed in the meantime that is refused, and nothing is lost.
    fn upgrade_password(&self, change: Change, at: u64) {
        let object = change.directory().object;
        let done: Done = Box::new(move |result| match result {
            Ok(_) => {
                tracing::info!(object, "a password stored by a weak scheme is now stored by a strong one")
            }
            Err(error) => tracing::debug!(object, %error, "a weakly stored password stays as it is"),
        });
        self.write(&Session::internal(), vec![change], at, done);
    }

    /// As [`Domain::login`] with [`Credentials::Password`], but only if the password has been verified lately, so that no
    /// hash has to be computed: takes microseconds. `None` says nothing about the password.
    pub fn login_remembered(
        &self,
        object: u32,
        password: &[u8],
        origin: Origin,
        at: u64,
    ) -> Result<Option<Session>> {
        let view = View::new(&self.store, true)?;
        self.authenticator(&view, &self.role(), Some(at)).remembered(object, password, origin, at)
    }

    /// What the account of a session's user is good for by now: that a password had to be changed is over once it is.
    ///
    /// # Errors
    /// [`Error::NoSuchDirectory`] where the user is gone, and those of the store.
    pub fn condition(&self, session: &Session, at: u64) -> Result<Condition> {
        let Some(object) = session.object else { return Ok(State::Usable.into()) };
        let view = View::new(&self.store, true)?;
        Ok(Standing::of(&view.record(object)?, at).condition())
    }

    /// The session of nobody in particular, where access rules govern. Costs nothing.
    #[must_use]
    pub fn anonymous(&self, origin: Origin) -> Session {
        let mut session = Session::of(Principal::Anonymous);
        session.governance = Governance::Rules;
        session.address = origin.address();
        session
    }

    /// Answers what `session` may do with the directories of `view`, a snapshot of this domain.
    pub fn access<'a>(&self, view: &'a View<'_>, session: &'a Session) -> Result<Access<'a>> {
        Access::new(view.tree(), session, &self.shared.counters, Some(view.state_number()))
    }

    /// Replaces the access rules of the node's configuration, which come before those in the tree.
    pub fn set_access_rules(&self, rules: Vec<Rule>) {
        self.shared.counters.rules.set_rules(rules);
    }

    /// Lets access rules call properties by other names, too.
    pub fn set_attribute_names(&self, names: AttributeNames) {
        self.shared.counters.rules.set_names(names);
    }

    fn authenticator<'a>(&'a self, view: &'a View<'a>, role: &'a Role, at: Option<u64>) -> Authenticator<'a> {
        Authenticator {
            view,
            tag: &self.tag,
            role,
            historical: self.options.historical,
            counters: &self.shared.counters,
            gate: &self.shared.gate,
            at,
            failed: Cell::new(None),
        }
    }

    /// A snapshot of the domain as `session` may see it.
    pub fn read(&self, session: &Session) -> Result<View<'_>> {
        View::new(&self.store, session.sees_secrets())
    }

    /// As [`Domain::read`], but the snapshot keeps the domain: for several calls answered in a row, which save the making
    /// of a snapshot each. A domain that is being destroyed waits for it.
    pub fn snapshot(self: &Arc<Self>, session: &Session) -> Result<View<'static>> {
        View::shared(self.clone(), session.sees_secrets())
    }

    /// Queues changes, all or none; `done` is called on the writer's thread once they are durable or refused. `at` is
    /// the time in milliseconds since the epoch. Changes queued by one thread are made in that order.
    pub fn write(&self, session: &Session, changes: Vec<Change>, at: u64, done: Done) {
        if !session.update && matches!(self.role(), Role::Clone { .. }) {
            return done(Err(Error::ReadOnly));
        }
        self.writer.submit(Job::Propose(Proposal { session: session.clone(), changes, at, done }));
    }

    /// As [`Domain::write`], waiting for the result. Not for async code.
    pub fn write_blocking(&self, session: &Session, changes: Vec<Change>, at: u64) -> Result<Vec<Outcome>> {
        let (tx, rx) = mpsc::sync_channel(1);
        self.write(session, changes, at, Box::new(move |result| drop(tx.send(result))));
        rx.recv().unwrap_or(Err(Error::Busy))
    }

    /// Runs `work` on the writer's thread, between commits, and waits for it.
    pub(crate) fn exclusive<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.exclusive_later(work).wait()
    }

    /// As [`Domain::exclusive`], without waiting.
    pub(crate) fn exclusive_later<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Underway<T> {
        let (tx, rx) = mpsc::sync_channel(1);
        self.writer.submit(Job::Exclusive(Box::new(move |store, notify| {
            let result = work(store).map_err(|error| store.explain(error));
            notify();
            drop(tx.send(result));
        })));
        Underway(rx)
    }

    /// Calls `watcher` after every commit, on the writer's thread, with the sequence number of its last change.
    pub fn watch(&self, watcher: Watcher) {
        self.shared.watchers.write().unwrap_or_else(PoisonError::into_inner).push(watcher);
    }

    /// The change feed: calls `each` with up to `limit` changes after sequence number `since`, in order.
    ///
    /// Change records hold password material: only a superuser may read them. When changes after `since` are no
    /// longer kept, [`Error::Stale`] says so, and the reader has to start from a full copy.
    pub fn changes(
        &self,
        session: &Session,
        since: u64,
        limit: usize,
        mut each: impl FnMut(Committed),
    ) -> Result<()> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        let txn = self.store.env.read_txn()?;
        let state = self.store.state(&txn)?;
        if since.saturating_add(1) < state.first_kept {
            return Err(Error::Stale);
        }
        let start = since.saturating_add(1).to_be_bytes();
        let range = (std::ops::Bound::Included(&start[..]), std::ops::Bound::Unbounded);
        for entry in self.store.changes.range(&txn, &range)?.take(limit) {
            let (key, value) = entry?;
            each(feed::decode(be_u64(key), value)?);
        }
        Ok(())
    }

    /// Figures counted since the domain was opened.
    pub fn authentication_figures(&self) -> AuthenticationFigures {
        let counters = &self.shared.counters;
        AuthenticationFigures {
            good: counters.good.load(Ordering::Relaxed),
            bad: counters.bad.load(Ordering::Relaxed),
            write_good: counters.write_good.load(Ordering::Relaxed),
            write_bad: counters.write_bad.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        self.options.policy()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

/// Something that the writer has been asked to do. It is done whether or not anybody waits for it.
pub struct Underway<T>(Receiver<Result<T>>);

impl<T> Underway<T> {
    /// Waits until it is done. Not for async code.
    ///
    /// # Errors
    /// Those of the work; [`Error::Busy`] when the domain is closed before.
    pub fn wait(self) -> Result<T> {
        self.0.recv().unwrap_or(Err(Error::Busy))
    }
}

/// Contents of a new domain.
pub(crate) struct Fresh {
    /// Name of the master's host.
    pub(crate) host: String,
    /// Tag of the domain there.
    pub(crate) tag: String,
    /// Addresses of that host.
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// Time in milliseconds since the epoch.
    pub(crate) at: u64,
}

//! Domains on other machines in look-ups: what is remembered of them is looked at, what is missing is asked between two looks.
//! So no snapshot of a domain is held while another machine is waited for, and whoever must not wait need not.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use netinfo_directory::Result;
use netinfo_directory::binding::{Parent, REMEMBERED_FOLDER};
use netinfo_lookup::{Asked, Source, Table, Traced, View};
use netinfo_upstream::{Policy, Remembered, Upstream, Want, Wants};

use super::dns::Resolver;
use super::{chain, source};
use crate::config::Agent;
use crate::limits::ASK_ROUNDS;
use crate::node::Running;

/// How long a parent that was given up may take to go: after that it has gone for another reason.
const GIVING_UP: Duration = Duration::from_secs(60);

/// The domains above on other machines.
pub(crate) struct Parents {
    now: ArcSwap<Vec<Arc<Upstream>>>,
    policy: Policy,
    folder: PathBuf,
    /// Parents of which one was given up at that time: what goes with it is forgotten.
    given_up: Mutex<Option<(Instant, Vec<Parent>)>>,
}

impl Parents {
    pub(super) fn new(policy: Policy, data: PathBuf) -> Self {
        Self {
            now: ArcSwap::default(),
            policy,
            folder: data.join(REMEMBERED_FOLDER),
            given_up: Mutex::default(),
        }
    }

    /// How long what they say is believed, and what passwords may be sent over.
    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// Those of now, the nearest first.
    pub(crate) fn now(&self) -> Arc<Vec<Arc<Upstream>>> {
        self.now.load_full()
    }

    /// Takes `above` from now on. Those that stay keep their connections.
    fn set(&self, above: &[Parent]) {
        let known = self.now();
        let upstream = |parent: &Parent| {
            let same = known.iter().find(|upstream| upstream.parent() == parent);
            same.cloned().unwrap_or_else(|| Upstream::open(parent, self.policy, &self.folder))
        };
        self.now.store(Arc::new(above.iter().map(upstream).collect()));
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, list)) = given_up.as_ref().filter(|(since, _)| since.elapsed() < GIVING_UP) else {
            return;
        };
        let gone = |upstream: &&Arc<Upstream>| {
            list.contains(upstream.parent()) && !above.contains(upstream.parent())
        };
        if known.iter().filter(gone).map(|upstream| upstream.forget()).count() > 0 {
            *given_up = None;
        }
    }

    /// Somebody has given up a parent: if it goes, what is remembered of it and those above it goes as well.
    pub(crate) fn give_up(&self) {
        let list = self.now().iter().map(|upstream| upstream.parent().clone()).collect();
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        *given_up = Some((Instant::now(), list));
    }
}

/// Follows the changes of the domains above.
pub(crate) async fn follow(node: Arc<Running>) {
    let mut changes = node.above_changes();
    loop {
        let above = changes.borrow_and_update().clone();
        let to = node.clone();
        // Files are read.
        let set = tokio::task::spawn_blocking(move || {
            to.lookups.parents.set(&above);
            to.table.changed(None);
        });
        if let Err(error) = set.await {
            tracing::error!("the domains above cannot be taken into use: {error}");
        }
        // The sender lives as long as the node.
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// A clock, and where questions are noted.
pub(super) type Account<'t> = (&'t dyn Fn() -> Duration, &'t RefCell<Vec<Asked>>);

fn traced<'s, S: Source + 's>(source: S, account: Option<Account<'s>>) -> Box<dyn Source + 's> {
    match account {
        Some((now, account)) => Box::new(Traced::new(source, now, account)),
        None => Box::new(source),
    }
}

/// One question to all domains, with what has to be asked for it.
pub(crate) struct Inquiry {
    parents: Arc<Vec<Arc<Upstream>>>,
    wants: Vec<Wants>,
    /// What the DNS has to be asked.
    dns: Wants,
}

impl Inquiry {
    /// A question for which other machines may be asked.
    pub(crate) fn new(node: &Running) -> Self {
        let parents = node.lookups.parents.now();
        let wants = parents.iter().map(|_| Wants::default()).collect();
        Self { parents, wants, dns: Wants::default() }
    }

    /// A question that is answered from what is known.
    pub(crate) fn settled(node: &Running) -> Self {
        let parents = node.lookups.parents.now();
        let wants = parents.iter().map(|_| Wants::settled()).collect();
        Self { parents, wants, dns: Wants::settled() }
    }

    /// The same without the DNS: what would be asked of it are all hosts of a listing.
    #[must_use]
    pub(crate) fn without_dns(self) -> Self {
        Self { dns: Wants::settled(), ..self }
    }

    /// The domains on other machines, as they are numbered in views behind those served here.
    pub(crate) fn parents(&self) -> &[Arc<Upstream>] {
        &self.parents
    }

    /// The number of a domain, counted from `local` over those served here to those on other machines, by the number of
    /// its source in views; `None` if that is of somebody before the domains.
    pub(crate) fn domain(node: &Running, source: usize) -> Option<usize> {
        source.checked_sub(node.lookups.agents.count_before())
    }

    /// Looks at all domains. What comes of it is to be believed if then [nothing is missing](Inquiry::is_missing).
    pub(crate) fn look<T>(
        &self,
        node: &Running,
        secrets: bool,
        look: impl FnOnce(&View<'_>) -> T,
    ) -> Result<T> {
        self.look_traced(node, secrets, None, look)
    }

    /// The same; the questions to each domain are noted in `account`.
    pub(super) fn look_traced<T>(
        &self,
        node: &Running,
        secrets: bool,
        account: Option<Account<'_>>,
        look: impl FnOnce(&View<'_>) -> T,
    ) -> Result<T> {
        let chain = chain(node)?;
        let agents = &node.lookups.agents;
        let mut sources: Vec<Box<dyn Source + '_>> = Vec::with_capacity(chain.len() + self.parents.len());
        sources.extend(agents.beside(false, &self.dns).map(|source| traced(source, account)));
        for served in &chain {
            sources.push(traced(agents.domain(source(served, secrets)?), account));
        }
        for (upstream, wants) in self.parents.iter().zip(&self.wants) {
            sources.push(traced(agents.domain(Remembered::new(upstream, wants)), account));
        }
        sources.extend(agents.beside(true, &self.dns).map(|source| traced(source, account)));
        Ok(look(&View::new(sources)))
    }

    /// Whether something has to be asked.
    pub(crate) fn is_missing(&self) -> bool {
        self.dns.is_missing() || self.wants.iter().any(Wants::is_missing)
    }

    /// Notes that whole tables will be wanted.
    pub(crate) fn want_all(&self, node: &Running, table: Table) {
        if !node.lookups.agents.order.agents(table).contains(&Agent::Domains) {
            return;
        }
        for (upstream, wants) in self.parents.iter().zip(&self.wants) {
            let want = Want::List(table);
            if upstream.lacks(&want) {
                wants.note(want);
            }
        }
    }

    /// Asks what is missing, the nearest parent or the DNS only: its answer may make the others needless. Waits for it for a
    /// while.
    pub(crate) fn ask(&self, node: &Running) -> Option<(&str, Vec<Want>)> {
        let agents = &node.lookups.agents;
        let mut asked = if agents.is_dns_before() { self.ask_dns(&agents.resolver) } else { None };
        for (upstream, wants) in self.parents.iter().zip(&self.wants) {
            if asked.is_none() && wants.is_missing() {
                let list = wants.take();
                upstream.ask(&list);
                asked = Some((upstream.name(), list));
            }
            wants.clear();
        }
        if asked.is_none() {
            asked = self.ask_dns(&agents.resolver);
        }
        self.dns.clear();
        asked
    }

    fn ask_dns(&self, resolver: &Resolver) -> Option<(&str, Vec<Want>)> {
        if !self.dns.is_missing() {
            return None;
        }
        let list = self.dns.take();
        resolver.ask(&list);
        Some(("dns", list))
    }

    /// Looks, and asks, until nothing is missing.
    pub(crate) fn wait<T>(
        &self,
        node: &Running,
        secrets: bool,
        mut look: impl FnMut(&View<'_>) -> T,
    ) -> Result<T> {
        let mut round = 0;
        loop {
            let found = self.look(node, secrets, &mut look)?;
            round += 1;
            if !self.is_missing() || round == ASK_ROUNDS {
                return Ok(found);
            }
            self.ask(node);
        }
    }

    /// Asks until nothing is missing, and keeps an account of that.
    pub(super) fn wait_traced(
        &self,
        node: &Running,
        secrets: bool,
        mut look: impl FnMut(&View<'_>),
    ) -> Result<Vec<Asked>> {
        let mut account = Vec::new();
        for _ in 0..ASK_ROUNDS {
            self.look(node, secrets, &mut look)?;
            let began = Instant::now();
            let Some((source, wants)) = self.ask(node) else { break };
            let wants: Vec<String> = wants.iter().map(ToString::to_string).collect();
            let outcome = format!("asked: {}", wants.join(", "));
            account.push(Asked { source: source.to_owned(), outcome, time: began.elapsed() });
        }
        Ok(account)
    }
}

//! The domains in which this machine's users, groups and hosts are looked up: `local` and those above it that this node
//! serves, then those above them on other machines (`above`). Where it is configured so, the `files` of this machine and the
//! `dns` (`answers` reads its messages) are asked as well, in the order that `agents` keeps.

mod above;
mod agents;
mod answers;
mod dns;
mod files;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netinfo_directory::{Credentials, Origin, Result, Session};
use netinfo_lookup::{Asked, DomainSource};
use netinfo_upstream::Policy;
use netinfo_wire::lookup::{Answer, EntryBuf, Query};
use tokio::sync::Semaphore;

use crate::config::Order;
use crate::limits::{ASKING, CHAIN_LIMIT, SCANS};
use crate::node::{DEFAULT_TAG, Running};
use crate::served::Served;
pub(crate) use above::{Inquiry, Parents, follow};
use agents::Agents;

/// A chain that took longer to be found is believed for [`BELIEVED`], whatever changes meanwhile: machines are many, and
/// what they say of parents changes rarely.
const DEAR: Duration = Duration::from_millis(1);
const BELIEVED: Duration = Duration::from_secs(1);

/// What is kept from look-up to look-up.
pub(crate) struct Lookups {
    chain: Mutex<Option<Chain>>,
    /// Look-ups under way that may read very many records.
    pub(crate) scans: Arc<Semaphore>,
    /// Look-ups under way that may have to ask another machine.
    pub(crate) asking: Arc<Semaphore>,
    /// Domains on other machines.
    pub(crate) parents: Parents,
    /// Who else is asked.
    pub(crate) agents: Agents,
}

impl Lookups {
    /// With nobody above; what is remembered of those who will be is in the directory `data`. Who else is asked is in `order`,
    /// the files that are looked in are in `files`.
    pub(crate) fn new(policy: Policy, data: PathBuf, order: Order, files: PathBuf) -> Self {
        Self {
            chain: Mutex::default(),
            scans: Arc::new(Semaphore::new(SCANS)),
            asking: Arc::new(Semaphore::new(ASKING)),
            parents: Parents::new(policy, data),
            agents: Agents::new(order, files),
        }
    }
}

/// The domains from `local` up, and what they were found from.
struct Chain {
    domains: Vec<Arc<Served>>,
    /// The states of these domains.
    states: Vec<u64>,
    /// All domains served then.
    served: Vec<Arc<Served>>,
    /// What was configured then.
    configured: u64,
    at: Instant,
    took: Duration,
}

/// The domains in which look-ups look, the nearest first.
///
/// # Errors
/// When a domain cannot be read.
pub(crate) fn chain(node: &Running) -> Result<Vec<Arc<Served>>> {
    let mut known = node.lookups.chain.lock().unwrap_or_else(PoisonError::into_inner);
    let served = node.all_served();
    if let Some(chain) = &*known
        && same(&chain.served, &served)
        && chain.configured == node.configured.version()
        && ((chain.took > DEAR && chain.at.elapsed() < BELIEVED) || states(&chain.domains)? == chain.states)
    {
        return Ok(chain.domains.clone());
    }
    let at = Instant::now();
    let configured = node.configured.version();
    let domains = find(node)?;
    let states = states(&domains)?;
    let took = at.elapsed();
    *known = Some(Chain { domains: domains.clone(), states, served, configured, at, took });
    Ok(domains)
}

fn same(a: &[Arc<Served>], b: &[Arc<Served>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}

fn states(domains: &[Arc<Served>]) -> Result<Vec<u64>> {
    domains.iter().map(|served| Ok(served.view()?.state_number())).collect()
}

/// As [`chain`], found anew. Climbs from `local` as long as the parent is served here. Loops end where they close.
pub(crate) fn find(node: &Running) -> Result<Vec<Arc<Served>>> {
    let mut chain: Vec<Arc<Served>> = Vec::new();
    let mut next = node.served(DEFAULT_TAG);
    while let Some(served) = next.filter(|next| !chain.iter().any(|known| Arc::ptr_eq(known, next))) {
        next = parent(node, &served)?;
        chain.push(served);
        if chain.len() >= CHAIN_LIMIT {
            break;
        }
    }
    Ok(chain)
}

fn parent(node: &Running, served: &Served) -> Result<Option<Arc<Served>>> {
    let view = served.view()?;
    if view.root_flag(b"isRoot", false)? {
        return Ok(None);
    }
    let configured = node.configured.here(served.domain.tag(), &node.own);
    if let Some(parent) = configured.into_iter().find_map(|tag| node.served(&tag)) {
        return Ok(Some(parent));
    }
    let candidates = view.parent_candidates()?.unwrap_or_default();
    let mut here = candidates.iter().filter(|candidate| {
        node.own.contains(candidate.address.into()) && candidate.tag != served.domain.tag()
    });
    Ok(here.find_map(|candidate| node.served(&candidate.tag)))
}

pub(crate) fn source(served: &Served, secrets: bool) -> Result<DomainSource<'_>> {
    let view = served.domain.read(&session(served, secrets)?)?;
    Ok(DomainSource::new(served.domain.tag(), view))
}

/// Whose rights a snapshot has: the daemon's own, or nobody's.
pub(crate) fn session(served: &Served, secrets: bool) -> Result<Session> {
    match secrets {
        true => served.domain.authenticate(Credentials::None, Origin::Internal),
        false => Ok(served.domain.anonymous(Origin::Internal)),
    }
}

/// Looks one entry up and keeps an account of it. May wait for other machines.
///
/// # Errors
/// When a domain cannot be read.
pub(crate) fn trace(
    node: &Running,
    secrets: bool,
    query: &Query<'_>,
) -> Result<(Vec<Asked>, Answer<EntryBuf>)> {
    let inquiry = Inquiry::new(node);
    let mut told = inquiry.wait_traced(node, secrets, |view| drop(view.find(query)))?;
    let began = Instant::now();
    let now = || began.elapsed();
    let account = RefCell::default();
    let answer = inquiry.look_traced(node, secrets, Some((&now, &account)), |view| view.find(query))?;
    told.append(&mut account.into_inner());
    Ok((told, answer))
}

//! What the connections of a node share.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use netinfo_directory::Domain;
use netinfo_mapping::name::Name;

use crate::context::NamingContext;
use crate::limits::LOG_LINES;
use crate::limits::SYNCHRONIZATIONS;
use crate::settings::Settings;

/// The domains a node serves over LDAP, and how.
#[derive(Debug)]
pub struct Engine {
    settings: ArcSwap<Settings>,
    contexts: ArcSwap<Vec<Arc<NamingContext>>>,
    figures: Figures,
    refused: Throttle,
    /// Names of entries that are being added: domain, and parent with relative name.
    names: Mutex<HashSet<(usize, Vec<u8>)>>,
    /// Copies that are kept up to date.
    copies: AtomicUsize,
}

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Figures {
    /// Requests by kind, in the order of [`OPERATIONS`].
    operations: [AtomicU64; OPERATIONS.len()],
    /// Binds that were refused.
    failed_binds: AtomicU64,
    /// Writes that had to be derived anew because others had changed the entry meanwhile.
    repeated_writes: AtomicU64,
}

/// Names of the kinds of requests that are counted.
pub const OPERATIONS: [&str; 10] =
    ["bind", "unbind", "search", "modify", "add", "delete", "modify_dn", "compare", "abandon", "extended"];

impl Figures {
    /// How many requests of each kind there were, in the order of [`OPERATIONS`].
    pub fn operations(&self) -> [u64; OPERATIONS.len()] {
        std::array::from_fn(|kind| self.operations[kind].load(Ordering::Relaxed))
    }

    /// How many binds were refused.
    pub fn failed_binds(&self) -> u64 {
        self.failed_binds.load(Ordering::Relaxed)
    }

    /// How many writes had to be derived anew because others had changed the entry meanwhile.
    pub fn repeated_writes(&self) -> u64 {
        self.repeated_writes.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, kind: usize) {
        if let Some(counter) = self.operations.get(kind) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn count_failed_bind(&self) {
        self.failed_binds.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_repeated_write(&self) {
        self.repeated_writes.fetch_add(1, Ordering::Relaxed);
    }
}

impl Engine {
    /// An engine without domains.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: ArcSwap::from_pointee(settings),
            contexts: ArcSwap::default(),
            figures: Figures::default(),
            refused: Throttle::default(),
            names: Mutex::default(),
            copies: AtomicUsize::new(0),
        }
    }

    /// Serves these domains, the most important first, and no others any more. Domains that were served already keep
    /// their context. Returns those that cannot be served and why.
    pub fn set_domains(
        &self,
        domains: impl IntoIterator<Item = Arc<Domain>>,
    ) -> Vec<(String, netinfo_directory::Error)> {
        let before = self.contexts.load_full();
        let (mut contexts, mut failed) = (Vec::new(), Vec::new());
        for domain in domains {
            let known = before.iter().find(|context| Arc::ptr_eq(context.domain(), &domain));
            match known.cloned().map_or_else(|| NamingContext::new(domain.clone()).map(Arc::new), Ok) {
                Ok(context) => contexts.push(context),
                Err(error) => failed.push((domain.tag().to_owned(), error)),
            }
        }
        self.contexts.store(Arc::new(contexts));
        failed
    }

    /// The naming contexts, the most important first.
    pub fn contexts(&self) -> Arc<Vec<Arc<NamingContext>>> {
        self.contexts.load_full()
    }

    /// The context that a name belongs to: of those whose suffix it ends in, the one with the longest.
    pub fn context_of(&self, name: &Name<'_>) -> Option<Arc<NamingContext>> {
        let contexts = self.contexts.load();
        let below = contexts.iter().filter_map(|context| Some((context.namespace().depth(name)?, context)));
        // The first of several with the same suffix.
        below.min_by_key(|(depth, _)| *depth).map(|(_, context)| context.clone())
    }

    /// How LDAP is served.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Changes how LDAP is served, for requests from now on.
    pub fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// What has been counted.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Counts one more copy that a client keeps; `None` if there are too many.
    pub(crate) fn count_copy(self: &Arc<Self>) -> Option<CountedCopy> {
        let more = |copies| (copies < SYNCHRONIZATIONS).then_some(copies + 1);
        self.copies.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(CountedCopy(self.clone()))
    }

    /// Whether a line about a refused bind may be written to the log now; then, how many were left out before.
    pub(crate) fn may_log(&self, now: u64) -> Option<u64> {
        self.refused.admit(now)
    }

    /// Keeps a name for an entry that is being added or renamed, so that no other gets the same meanwhile. `None` if
    /// it is taken.
    pub(crate) fn reserve(self: &Arc<Self>, domain: &Arc<Domain>, name: Vec<u8>) -> Option<Reservation> {
        let key = (Arc::as_ptr(domain) as usize, name);
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(key.clone()).then(|| Reservation { engine: self.clone(), key })
    }
}

/// A copy that counts until this is dropped.
pub(crate) struct CountedCopy(Arc<Engine>);

impl Drop for CountedCopy {
    fn drop(&mut self) {
        self.0.copies.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets [`LOG_LINES`] things a second through.
#[derive(Debug, Default)]
struct Throttle {
    /// Which second, and how many were let through in it.
    current: Mutex<(u64, u64)>,
    left_out: AtomicU64,
}

impl Throttle {
    /// Whether one may pass at `now` (milliseconds); then, how many could not since the last one.
    fn admit(&self, now: u64) -> Option<u64> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let second = now / 1000;
        if current.0 != second {
            *current = (second, 0);
        }
        if current.1 == LOG_LINES {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        current.1 += 1;
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

/// A name that is kept until this is dropped.
pub(crate) struct Reservation {
    engine: Arc<Engine>,
    key: (usize, Vec<u8>),
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.engine.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_limited_each_second() {
        let throttle = Throttle::default();
        for _ in 0..LOG_LINES {
            assert_eq!(throttle.admit(5_000), Some(0));
        }
        assert_eq!(throttle.admit(5_999), None);
        assert_eq!(throttle.admit(5_999), None);
        assert_eq!(throttle.admit(6_000), Some(2));
        assert_eq!(throttle.admit(6_001), Some(0));
    }
}

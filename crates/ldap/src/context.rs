//! Naming contexts: a domain and how its directories are named and shown as entries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use netinfo_directory::{Credentials, Domain, Origin, Result, Session, Trust};
use netinfo_mapping::Namespace;

use crate::peer::Peer;

/// A domain served over LDAP.
///
/// Its [`Namespace`] (suffix, layout, schema) comes from the domain's root directory and is made anew when that changes,
/// before the change is acknowledged to whoever made it.
pub struct NamingContext {
    domain: Arc<Domain>,
    namespace: ArcSwap<Namespace>,
    /// Who may reach the domain from elsewhere.
    trust: ArcSwap<Trust>,
    /// Number of the domain's last commit; raised by the writer.
    committed: Arc<AtomicU64>,
    /// Number of the commit that the namespace has been compared with last.
    compared: AtomicU64,
    /// Held while the namespace is compared.
    comparing: Mutex<()>,
    /// Sees the whole domain.
    internal: Session,
}

impl std::fmt::Debug for NamingContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamingContext").field("tag", &self.domain.tag()).finish_non_exhaustive()
    }
}

impl NamingContext {
    /// The context of a domain.
    ///
    /// # Errors
    /// When the root directory cannot be read, or its schema definitions contradict each other.
    pub fn new(domain: Arc<Domain>) -> Result<Self> {
        let internal = domain.authenticate(Credentials::None, Origin::Internal)?;
        let view = domain.read(&internal)?;
        let namespace = Namespace::new(&view, domain.tag())?;
        let trust = ArcSwap::from_pointee(view.trust()?);
        let sequence = view.sequence()?;
        drop(view);
        let namespace = Arc::new(namespace);
        name_properties(&domain, &namespace);
        let committed = Arc::new(AtomicU64::new(sequence));
        let watched = Arc::downgrade(&committed);
        domain.watch(Arc::new(move |sequence| {
            if let Some(committed) = watched.upgrade() {
                committed.store(sequence, Ordering::Release);
            }
        }));
        Ok(Self {
            domain,
            namespace: ArcSwap::new(namespace),
            trust,
            committed,
            // What was committed while all this was set up is found by the first comparison.
            compared: AtomicU64::new(0),
            comparing: Mutex::default(),
            internal,
        })
    }

    /// The domain.
    pub fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    /// How the domain is named and shown, as of its last commit.
    pub fn namespace(&self) -> Arc<Namespace> {
        if self.committed.load(Ordering::Acquire) != self.compared.load(Ordering::Acquire) {
            self.compare();
        }
        self.namespace.load_full()
    }

    /// Whether the domain is served to a peer: one on this machine, or one that `trusted_networks` of the root admits. For
    /// others it is not there.
    pub(crate) fn admits(&self, peer: &Peer) -> bool {
        if self.committed.load(Ordering::Acquire) != self.compared.load(Ordering::Acquire) {
            self.compare();
        }
        self.trust.load().admits(peer.origin)
    }

    /// Number of the domain's last commit.
    pub(crate) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// A session that sees everything, for look-ups whose result is not shown.
    pub(crate) fn internal(&self) -> &Session {
        &self.internal
    }

    /// Makes the namespace anew if the root directory is another one. A root that cannot be used leaves the namespace as
    /// it was.
    fn compare(&self) {
        let _comparing = self.comparing.lock().unwrap_or_else(PoisonError::into_inner);
        let committed = self.committed.load(Ordering::Acquire);
        if committed == self.compared.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.refresh() {
            tracing::error!(%error, tag = self.domain.tag(), "settings for LDAP cannot be read; the former ones stay");
        }
        self.compared.store(committed, Ordering::Release);
    }

    fn refresh(&self) -> Result<()> {
        let view = self.domain.read(&self.internal)?;
        self.trust.store(Arc::new(view.trust()?));
        if !self.namespace.load().is_current(&view)? {
            let namespace = Arc::new(Namespace::new(&view, self.domain.tag())?);
            name_properties(&self.domain, &namespace);
            self.namespace.store(namespace);
        }
        Ok(())
    }
}

/// Lets the access rules of a domain call properties as LDAP does.
fn name_properties(domain: &Domain, namespace: &Arc<Namespace>) {
    let namespace = namespace.clone();
    domain.set_attribute_names(Arc::new(move |name| {
        std::str::from_utf8(name).map_or_else(|_| Vec::new(), |name| namespace.properties_of(name))
    }));
}

//! Who is asked besides the domains, and in which order.

use std::ops::ControlFlow;
use std::path::PathBuf;

use netinfo_lookup::{Record, Source, Table, Unavailable};
use netinfo_upstream::Wants;

use super::dns::{DnsSource, Resolver};
use super::files::{Files, FilesSource};
use crate::config::{Agent, Order};

/// The agents of a node.
pub(crate) struct Agents {
    pub(crate) order: Order,
    /// Those before the domains, and those after them.
    before: Vec<Agent>,
    after: Vec<Agent>,
    files: Files,
    pub(super) resolver: Resolver,
}

impl Agents {
    /// Asks in this `order`; the files are in the directory `files`.
    pub(super) fn new(order: Order, files: PathBuf) -> Self {
        let (before, after) = (order.beside(false), order.beside(true));
        Self { order, before, after, files: Files::new(files), resolver: Resolver::default() }
    }

    /// How many there are before the domains.
    pub(super) fn count_before(&self) -> usize {
        self.before.len()
    }

    /// Whether the DNS is asked before the domains.
    pub(super) fn is_dns_before(&self) -> bool {
        self.before.contains(&Agent::Dns)
    }

    /// Those before, or after, the domains, as one look-up sees them.
    pub(super) fn beside<'a>(
        &'a self,
        after: bool,
        wants: &'a Wants,
    ) -> impl Iterator<Item = Ordered<'a, Box<dyn Source + 'a>>> {
        let list = if after { &self.after } else { &self.before };
        list.iter().map(move |agent| {
            let source: Box<dyn Source + 'a> = match agent {
                Agent::Dns => Box::new(DnsSource::new(&self.resolver, wants)),
                Agent::Files | Agent::Domains => Box::new(FilesSource::new(&self.files)),
            };
            Ordered { source, order: &self.order, agent: *agent, after }
        })
    }

    /// A domain, asked about what domains are asked about.
    pub(super) fn domain<S: Source>(&self, source: S) -> Ordered<'_, S> {
        Ordered { source, order: &self.order, agent: Agent::Domains, after: false }
    }
}

/// A source that is asked about those tables only that the order has its agent for, at this place.
pub(super) struct Ordered<'o, S> {
    source: S,
    order: &'o Order,
    agent: Agent,
    after: bool,
}

impl<S: Source> Source for Ordered<'_, S> {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn shows_secrets(&self) -> bool {
        self.source.shows_secrets()
    }

    fn covers(&self, table: Table) -> bool {
        match self.agent {
            Agent::Domains => self.order.agents(table).contains(&Agent::Domains),
            agent => self.order.is_asked(agent, table, self.after),
        }
    }

    fn has_shadow(&self) -> bool {
        self.source.has_shadow()
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        self.source.find(table, key, value, each)
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        self.source.list(table, from, each)
    }
}

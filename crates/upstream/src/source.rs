//! A parent as look-ups see it: what is remembered of it. What would have to be asked is noted; whoever looks up lets it be
//! asked, and looks once more. So no snapshot of a domain is kept while somebody waits for another machine.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use netinfo_lookup::{Record, Source, Table, Unavailable};

use crate::cache::Items;
use crate::item::Question;
use crate::upstream::Upstream;

/// Something that a parent is to be asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Want {
    /// Records that have a value.
    Find(Question),
    /// A whole table.
    List(Table),
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Find(Question { table, key, value }) => {
                write!(f, "{}/{}={}", table.directory(), key.escape_ascii(), value.escape_ascii())
            }
            Self::List(table) => f.write_str(table.directory()),
        }
    }
}

impl Want {
    /// The table that is wanted whole.
    fn listed(&self) -> Option<Table> {
        match self {
            Self::List(table) => Some(*table),
            Self::Find(_) => None,
        }
    }
}

/// What one look-up wants to know from one parent.
#[derive(Debug, Default)]
pub struct Wants {
    missing: RefCell<Vec<Want>>,
    /// What has been asked for this look-up: whatever came of it is good enough.
    asked: RefCell<HashSet<Want>>,
    /// Whatever is there is good enough.
    settled: bool,
}

impl Wants {
    /// Nothing is to be asked: what is remembered is all that is told.
    #[must_use]
    pub fn settled() -> Self {
        Self { settled: true, ..Self::default() }
    }

    /// Whether something has to be asked.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        !self.missing.borrow().is_empty()
    }

    /// Takes what is to be asked, to ask it now. Where a whole table is, single records of it are not.
    #[must_use]
    pub fn take(&self) -> Vec<Want> {
        let mut wants = self.missing.take();
        let listed: Vec<Table> = wants.iter().filter_map(Want::listed).collect();
        wants.retain(|want| match want {
            Want::Find(question) => !listed.contains(&question.table),
            Want::List(_) => true,
        });
        self.asked.borrow_mut().extend(wants.iter().cloned());
        wants
    }

    /// Forgets what was noted in a look at it that is not the last.
    pub fn clear(&self) {
        self.missing.borrow_mut().clear();
    }

    /// Whether something has been asked for this look-up, or nothing is to be: whatever came of it is good enough.
    #[must_use]
    pub fn has_asked(&self, want: &Want) -> bool {
        self.settled || self.asked.borrow().contains(want)
    }

    /// Notes that something is wanted.
    pub fn note(&self, want: Want) {
        let mut missing = self.missing.borrow_mut();
        if !missing.contains(&want) {
            missing.push(want);
        }
    }
}

/// What is remembered of a parent.
pub struct Remembered<'u> {
    upstream: &'u Arc<Upstream>,
    wants: &'u Wants,
}

impl<'u> Remembered<'u> {
    /// Reads what is remembered of `upstream`, and notes in `wants` what is not.
    #[must_use]
    pub fn new(upstream: &'u Arc<Upstream>, wants: &'u Wants) -> Self {
        Self { upstream, wants }
    }

    fn items(&self, want: Want) -> Result<Items, Unavailable> {
        let asked = self.wants.has_asked(&want);
        match self.upstream.remembered(&want, asked) {
            Ok(items) => Ok(items),
            Err(Some(reason)) => Err(Unavailable(reason)),
            Err(None) => {
                self.wants.note(want);
                Err(Unavailable("to be asked".into()))
            }
        }
    }
}

impl Source for Remembered<'_> {
    fn name(&self) -> &str {
        self.upstream.name()
    }

    /// There are none in its records, nor anything that stands for one but a mark.
    fn shows_secrets(&self) -> bool {
        true
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let question = Question { table, key: key.to_vec(), value: value.to_vec() };
        for item in self.items(Want::Find(question))?.iter() {
            if each(item.record()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let items = self.items(Want::List(table))?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for (place, item) in (0..).zip(items.iter()).skip(from) {
            if each(place, item.record()).is_break() {
                break;
            }
        }
        Ok(())
    }
}

//! Keeping an account of what was asked.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::source::{Record, Source, Table, Unavailable};

/// One question to one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Name of the source.
    pub source: String,
    /// The question and what came of it, in a few words.
    pub outcome: String,
    /// How long that took.
    pub time: Duration,
}

/// A source whose answers are timed and written down.
pub struct Traced<'t, S> {
    inner: S,
    now: &'t dyn Fn() -> Duration,
    account: &'t RefCell<Vec<Asked>>,
}

impl<'t, S: Source> Traced<'t, S> {
    /// Asks `inner`, and adds every question to `account`. `now` tells the time since whenever.
    pub fn new(inner: S, now: &'t dyn Fn() -> Duration, account: &'t RefCell<Vec<Asked>>) -> Self {
        Self { inner, now, account }
    }

    fn note(&self, began: Duration, question: String, records: usize, result: &Result<(), Unavailable>) {
        let outcome = match (result, records) {
            (Err(error), _) => format!("{question}: {error}"),
            (Ok(()), 0) => format!("{question}: nothing"),
            (Ok(()), 1) => format!("{question}: 1 record"),
            (Ok(()), n) => format!("{question}: {n} records"),
        };
        let time = (self.now)().saturating_sub(began);
        self.account.borrow_mut().push(Asked { source: self.inner.name().to_owned(), outcome, time });
    }
}

impl<S: Source> Source for Traced<'_, S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn shows_secrets(&self) -> bool {
        self.inner.shows_secrets()
    }

    fn covers(&self, table: Table) -> bool {
        self.inner.covers(table)
    }

    fn has_shadow(&self) -> bool {
        self.inner.has_shadow()
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let (began, mut records) = ((self.now)(), 0);
        let result = self.inner.find(table, key, value, &mut |record| {
            records += 1;
            each(record)
        });
        let question = format!("{}/{}={}", table.directory(), key.escape_ascii(), value.escape_ascii());
        self.note(began, question, records, &result);
        result
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let (began, mut records) = ((self.now)(), 0);
        let result = self.inner.list(table, from, &mut |place, record| {
            records += 1;
            each(place, record)
        });
        self.note(began, table.directory().to_owned(), records, &result);
        result
    }
}

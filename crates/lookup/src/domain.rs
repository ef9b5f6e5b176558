//! A domain of this node as a source.

use std::cell::OnceCell;
use std::ops::ControlFlow;

use netinfo_directory::{Error, ROOT, View};

use crate::source::{Record, Source, Table, Unavailable};

/// A snapshot of a domain. As snapshots are, it is to be kept for microseconds.
pub struct DomainSource<'d> {
    tag: String,
    view: View<'d>,
    /// Object ids of the tables asked for so far.
    tables: [OnceCell<Option<u32>>; Table::COUNT],
}

impl<'d> DomainSource<'d> {
    /// The domain `tag` as `view` shows it, passwords included if it shows them.
    pub fn new(tag: impl Into<String>, view: View<'d>) -> Self {
        Self { tag: tag.into(), view, tables: Default::default() }
    }

    /// Object id of a table, if the domain has it.
    fn table(&self, table: Table) -> Result<Option<u32>, Error> {
        let known = &self.tables[table as usize];
        if let Some(id) = known.get() {
            return Ok(*id);
        }
        let id = self.view.child_named(ROOT, table.directory().as_bytes())?;
        Ok(*known.get_or_init(|| id))
    }

    fn unavailable(&self, error: &Error) -> Unavailable {
        tracing::warn!(domain = %self.tag, %error, "look-ups pass over a domain that cannot be read");
        Unavailable(error.to_string())
    }
}

impl Source for DomainSource<'_> {
    fn name(&self) -> &str {
        &self.tag
    }

    fn shows_secrets(&self) -> bool {
        self.view.sees_secrets()
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let mut find = || {
            let Some(directory) = self.table(table)? else { return Ok(()) };
            for object in self.view.lookup(directory, key, value)? {
                if each(Record::Stored(self.view.record(object)?)).is_break() {
                    break;
                }
            }
            Ok(())
        };
        find().map_err(|error| self.unavailable(&error))
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        let mut list = || {
            let Some(directory) = self.table(table)? else { return Ok(()) };
            for child in self.view.children_from(directory, from)? {
                let (position, object) = child?;
                if each(position, Record::Stored(self.view.record(object)?)).is_break() {
                    break;
                }
            }
            Ok(())
        };
        list().map_err(|error| self.unavailable(&error))
    }
}

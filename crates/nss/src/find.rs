//! One entry of a category that the table has: from the table, or from the daemon where the table does not know.

use netinfo_table::{Found, Record, Table};
use netinfo_wire::lookup::{Category, Key};

use crate::boundary::Failure;
use crate::client;
use crate::enumeration::Item;
use crate::map::pin;

/// Asks the table, and the daemon where the table does not know.
pub(crate) fn find<T>(
    category: Category,
    key: Key<'_>,
    look: impl for<'t> FnOnce(&Table<'t>) -> Found<Record<'t>>,
    make: impl FnOnce(Item<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(pinned) = pin()
        && let Some(table) = pinned.table()
    {
        match look(table) {
            Found::Hit(record) => return make(Item::Record(record)),
            Found::Miss => return Err(Failure::NotFound),
            Found::Unsure => {}
        }
    }
    client::find(category, key, |entry| make(Item::Entry(entry)))
}

//! One entry of a category that the table has: from the table, or from the daemon where the table does not know.
//! `look_ups!` makes C's two functions for users and for groups of it.

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

/// The functions of C that look somebody up: by name, and by id.
macro_rules! look_ups {
    ($category:expr, $made:ty, $make:ident, $by_name:ident => $name_of:ident, $by_id:ident => $id_of:ident) => {
        /// By name.
        ///
        /// # Safety
        /// As [`answer`](crate::boundary::answer); `name` as [`text`](crate::boundary::text).
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $by_name(
            name: *const std::ffi::c_char,
            result: *mut $made,
            buffer: *mut std::ffi::c_char,
            length: usize,
            errno: *mut std::ffi::c_int,
        ) -> std::ffi::c_int {
            use crate::boundary::{Buffer, Errors, answer, text};
            // SAFETY: the caller's promise.
            let name = unsafe { text(name) };
            let look = |arena: &mut Arena<'_>| {
                let make = |item: Item<'_>| $make(arena, item);
                crate::find::find($category, Key::Name(name), |table| table.$name_of(name), make)
            };
            // SAFETY: the caller's promise.
            unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), look) }
        }

        /// By id.
        ///
        /// # Safety
        /// As [`answer`](crate::boundary::answer).
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $by_id(
            id: u32,
            result: *mut $made,
            buffer: *mut std::ffi::c_char,
            length: usize,
            errno: *mut std::ffi::c_int,
        ) -> std::ffi::c_int {
            use crate::boundary::{Buffer, Errors, answer};
            let look = |arena: &mut Arena<'_>| {
                let make = |item: Item<'_>| $make(arena, item);
                crate::find::find($category, Key::Number(id), |table| table.$id_of(id), make)
            };
            // SAFETY: the caller's promise.
            unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), look) }
        }
    };
}
pub(crate) use look_ups;

//! Mail aliases.

use std::ffi::{c_char, c_int};

use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::{self, unexpected};
use crate::enumeration::{Item, enumeration};

/// `struct aliasent`.
#[repr(C)]
struct Aliasent {
    alias_name: *mut c_char,
    alias_members_len: usize,
    alias_members: *mut *mut c_char,
    alias_local: c_int,
}

enumeration!(
    Category::Alias,
    _nss_netinfo_setaliasent(),
    _nss_netinfo_endaliasent,
    _nss_netinfo_getaliasent_r -> Aliasent,
    make
);

/// An alias by name.
///
/// # Safety
/// As [`answer`]; `name` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getaliasbyname_r(
    name: *const c_char,
    result: *mut Aliasent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let key = Key::Name(unsafe { text(name) });
    let find =
        |arena: &mut Arena<'_>| client::find(Category::Alias, key, |entry| make(arena, Item::Entry(entry)));
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<Aliasent, Failure> {
    let Item::Entry(Entry::Alias(alias)) = item else { return unexpected() };
    Ok(Aliasent {
        alias_name: arena.string(alias.name)?,
        alias_members_len: alias.members.len(),
        alias_members: arena.strings(alias.members.len(), alias.members.iter())?,
        alias_local: alias.local.into(),
    })
}

//! Password material, which the daemon gives to the superuser only. It is never in the table.

use std::ffi::{c_char, c_int, c_ulong};

use libc::spwd;
use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::{self, unexpected};
use crate::enumeration::{Item, enumeration};

enumeration!(
    Category::Shadow,
    _nss_netinfo_setspent(StayOpen),
    _nss_netinfo_endspent,
    _nss_netinfo_getspent_r -> spwd,
    make
);

/// The password material of a user.
///
/// # Safety
/// As [`answer`]; `name` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getspnam_r(
    name: *const c_char,
    result: *mut spwd,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let key = Key::Name(unsafe { text(name) });
    let find =
        |arena: &mut Arena<'_>| client::find(Category::Shadow, key, |entry| make(arena, Item::Entry(entry)));
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<spwd, Failure> {
    let Item::Entry(Entry::Shadow(user)) = item else { return unexpected() };
    Ok(spwd {
        sp_namp: arena.string(user.name)?,
        sp_pwdp: arena.string(user.passwd)?,
        sp_lstchg: user.last_change,
        sp_min: user.min,
        sp_max: user.max,
        sp_warn: user.warn,
        sp_inact: user.inactive,
        sp_expire: user.expire,
        // Reserved, and "not set" is what the files say.
        sp_flag: c_ulong::MAX,
    })
}

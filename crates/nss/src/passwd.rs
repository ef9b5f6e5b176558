//! Users.

use std::ffi::{c_char, c_int};

use libc::{passwd, uid_t};
use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::unexpected;
use crate::enumeration::{Item, enumeration};
use crate::find::find;

enumeration!(
    Category::Passwd,
    _nss_netinfo_setpwent(StayOpen),
    _nss_netinfo_endpwent,
    _nss_netinfo_getpwent_r -> passwd,
    make
);

/// A user by name.
///
/// # Safety
/// As [`answer`]; `name` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getpwnam_r(
    name: *const c_char,
    result: *mut passwd,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) };
    let find = |arena: &mut Arena<'_>| {
        find(Category::Passwd, Key::Name(name), |table| table.passwd_by_name(name), |item| make(arena, item))
    };
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

/// A user by id.
///
/// # Safety
/// As [`answer`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getpwuid_r(
    uid: uid_t,
    result: *mut passwd,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    let find = |arena: &mut Arena<'_>| {
        find(Category::Passwd, Key::Number(uid), |table| table.passwd_by_uid(uid), |item| make(arena, item))
    };
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<passwd, Failure> {
    match item {
        Item::Record(user) => {
            let mut strings = user.strings();
            let mut string = || arena.string(strings.next().ok_or(Failure::Unavailable(libc::EIO))?);
            Ok(passwd {
                pw_name: string()?,
                pw_passwd: string()?,
                pw_gecos: string()?,
                pw_dir: string()?,
                pw_shell: string()?,
                pw_uid: user.number,
                pw_gid: user.second,
            })
        }
        Item::Entry(Entry::Passwd(user)) => Ok(passwd {
            pw_name: arena.string(user.name)?,
            pw_passwd: arena.string(user.passwd)?,
            pw_gecos: arena.string(user.gecos)?,
            pw_dir: arena.string(user.home)?,
            pw_shell: arena.string(user.shell)?,
            pw_uid: user.uid,
            pw_gid: user.gid,
        }),
        Item::Entry(_) => unexpected(),
    }
}

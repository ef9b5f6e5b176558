//! Groups, and the groups of a user.

use std::ffi::{c_char, c_int, c_long};
use std::mem::size_of;

use libc::{gid_t, group};
use netinfo_table::Found;
use netinfo_wire::lookup::answer::decode_initgroups;
use netinfo_wire::lookup::{Category, Entry, Key, Request};

use crate::arena::Arena;
use crate::boundary::{Errors, Failure, finish, guarded, text};
use crate::client::{self, found, unexpected};
use crate::enumeration::{Item, enumeration};
use crate::find::look_ups;
use crate::map::pin;

enumeration!(
    Category::Group,
    _nss_netinfo_setgrent(StayOpen),
    _nss_netinfo_endgrent,
    _nss_netinfo_getgrent_r -> group,
    make
);

look_ups!(
    Category::Group, group, make,
    _nss_netinfo_getgrnam_r => group_by_name,
    _nss_netinfo_getgrgid_r => group_by_gid
);

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<group, Failure> {
    match item {
        Item::Record(group) => {
            let mut strings = group.strings();
            let mut string = || arena.string(strings.next().ok_or(Failure::Unavailable(libc::EIO))?);
            let (name, passwd) = (string()?, string()?);
            // Its further names come first, and are no members.
            let members = strings.skip(group.second as usize);
            let most = members.size_hint().1.unwrap_or_default();
            Ok(fields(name, passwd, group.number, arena.strings(most, members)?))
        }
        Item::Entry(Entry::Group(group)) => {
            let (name, passwd) = (arena.string(group.name)?, arena.string(group.passwd)?);
            let members = arena.strings(group.members.len(), group.members.iter())?;
            Ok(fields(name, passwd, group.gid, members))
        }
        Item::Entry(_) => unexpected(),
    }
}

fn fields(name: *mut c_char, passwd: *mut c_char, gid: gid_t, members: *mut *mut c_char) -> group {
    group { gr_name: name, gr_passwd: passwd, gr_gid: gid, gr_mem: members }
}

/// The caller's list of groups, in memory of `malloc`.
struct Groups {
    used: *mut c_long,
    room: *mut c_long,
    list: *mut *mut gid_t,
    /// The most there may be; none if not positive.
    limit: c_long,
}

/// Adds the groups of a user to those the caller has, except `skip`, which it has already.
///
/// # Safety
/// `user` as [`text`]; `start` and `size` are how many ids `list` has and has room for, all three can be written, and
/// `*list` is memory of `malloc`; `errno` can be written or is null.
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_initgroups_dyn(
    user: *const c_char,
    skip: gid_t,
    start: *mut c_long,
    size: *mut c_long,
    list: *mut *mut gid_t,
    limit: c_long,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let user = unsafe { text(user) };
    let groups = Groups { used: start, room: size, list, limit };
    let outcome = guarded(|| {
        if let Some(pinned) = pin()
            && let Some(table) = pinned.table()
        {
            match table.groups_of(user) {
                Found::Hit(record) => return add(&groups, skip, record.gids()),
                Found::Miss => return Err(Failure::NotFound),
                Found::Unsure => {}
            }
        }
        let reply = client::call(&Request::Initgroups(user))?;
        add(&groups, skip, found(decode_initgroups(reply.results()?))?.iter())
    });
    // SAFETY: the caller's promise.
    unsafe { finish(outcome, Errors::errno(errno)) }
}

fn add(groups: &Groups, skip: gid_t, gids: impl Iterator<Item = u32>) -> Result<(), Failure> {
    for gid in gids.filter(|gid| *gid != skip) {
        // SAFETY: as the caller of `initgroups_dyn` has promised.
        if !unsafe { groups.push(gid) }? {
            break;
        }
    }
    Ok(())
}

impl Groups {
    /// Adds an id, with more room if need be; `false` if there are as many as there may be.
    ///
    /// # Safety
    /// As `_nss_netinfo_initgroups_dyn`.
    unsafe fn push(&self, gid: gid_t) -> Result<bool, Failure> {
        // SAFETY: the caller's promise, for both.
        let (used, room) = unsafe { (*self.used, *self.room) };
        if self.limit > 0 && used >= self.limit {
            return Ok(false);
        }
        if used >= room {
            let wanted = room.saturating_mul(2).max(16);
            let wanted = if self.limit > 0 { wanted.min(self.limit) } else { wanted };
            let bytes =
                usize::try_from(wanted).ok().and_then(|wanted| wanted.checked_mul(size_of::<gid_t>()));
            let bytes = bytes.ok_or(Failure::NoMemory)?;
            // SAFETY: memory of `malloc`.
            let grown = unsafe { libc::realloc((*self.list).cast(), bytes) };
            if grown.is_null() {
                return Err(Failure::NoMemory);
            }
            // SAFETY: both can be written, and the list has as much room now.
            unsafe { (*self.list, *self.room) = (grown.cast(), wanted) };
        }
        let used = usize::try_from(used).map_err(|_| Failure::NoMemory)?;
        // SAFETY: there is room for one more than are used.
        unsafe { (*self.list).add(used).write(gid) };
        // SAFETY: it can be written.
        unsafe { *self.used += 1 };
        Ok(true)
    }
}

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
                Found::Hit(record) => return add(&groups, skip, record.gids().len(), record.gids()),
                Found::Miss => return Err(Failure::NotFound),
                Found::Unsure => {}
            }
        }
        let reply = client::call(&Request::Initgroups(user))?;
        let gids = found(decode_initgroups(reply.results()?))?;
        add(&groups, skip, gids.len(), gids.iter())
    });
    // SAFETY: the caller's promise.
    unsafe { finish(outcome, Errors::errno(errno)) }
}

fn add(groups: &Groups, skip: gid_t, most: usize, gids: impl Iterator<Item = u32>) -> Result<(), Failure> {
    // SAFETY: as the caller of `initgroups_dyn` has promised.
    unsafe { groups.extend(most, gids.filter(|gid| *gid != skip)) }
}

impl Groups {
    /// Adds ids, `most` of them at most, with more room if need be; those beyond the limit are left out.
    ///
    /// # Safety
    /// As `_nss_netinfo_initgroups_dyn`.
    unsafe fn extend(&self, most: usize, gids: impl Iterator<Item = gid_t>) -> Result<(), Failure> {
        // SAFETY: the caller's promise, for both.
        let (used, room) = unsafe { (*self.used, *self.room) };
        let [used, mut room] = [used, room].map(|count| usize::try_from(count).unwrap_or(0));
        let most = used.checked_add(most).ok_or(Failure::NoMemory)?;
        let most = match usize::try_from(self.limit) {
            Ok(limit @ 1..) => most.min(limit),
            _ => most,
        };
        if most > room {
            let bytes = most.checked_mul(size_of::<gid_t>()).ok_or(Failure::NoMemory)?;
            let counted = c_long::try_from(most).map_err(|_| Failure::NoMemory)?;
            // SAFETY: memory of `malloc`.
            let grown = unsafe { libc::realloc((*self.list).cast(), bytes) };
            if grown.is_null() {
                return Err(Failure::NoMemory);
            }
            // SAFETY: both can be written, and the list has as much room now.
            unsafe { (*self.list, *self.room) = (grown.cast(), counted) };
            room = most;
        }
        // SAFETY: the list can be read.
        let list = unsafe { *self.list };
        let mut end = used;
        // Whatever `gids` says of itself, no more than there is room for.
        for gid in gids.take(most.min(room).saturating_sub(used)) {
            // SAFETY: there is room for one more than are used.
            unsafe { list.add(end).write(gid) };
            end += 1;
        }
        // SAFETY: it can be written; no more than fit into a `c_long`, as the room does.
        unsafe { *self.used = end as c_long };
        Ok(())
    }
}

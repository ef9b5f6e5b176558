//! Ethernet addresses of hosts.

use std::ffi::{c_char, c_int};

use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::{self, unexpected};
use crate::enumeration::{Item, enumeration};

/// `struct ether_addr`.
type Address = [u8; 6];

/// `struct etherent`.
#[repr(C)]
struct Etherent {
    e_name: *const c_char,
    e_addr: Address,
}

enumeration!(
    Category::Ether,
    _nss_netinfo_setetherent(StayOpen),
    _nss_netinfo_endetherent,
    _nss_netinfo_getetherent_r -> Etherent,
    make
);

/// The address of a host.
///
/// # Safety
/// As [`answer`]; `name` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_gethostton_r(
    name: *const c_char,
    result: *mut Etherent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let key = Key::Name(unsafe { text(name) });
    let find = |arena: &mut Arena<'_>| find(arena, key);
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

/// The host with an address.
///
/// # Safety
/// As [`answer`]; `address` can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getntohost_r(
    address: *const Address,
    result: *mut Etherent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let address = unsafe { address.read() };
    let find = |arena: &mut Arena<'_>| find(arena, Key::Address(&address));
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

fn find(arena: &mut Arena<'_>, key: Key<'_>) -> Result<Etherent, Failure> {
    client::find(Category::Ether, key, |entry| make(arena, Item::Entry(entry)))
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<Etherent, Failure> {
    let Item::Entry(Entry::Ether(entry)) = item else { return unexpected() };
    Ok(Etherent { e_name: arena.string(entry.name)?, e_addr: entry.address })
}

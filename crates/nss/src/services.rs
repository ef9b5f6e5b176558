//! Services and their ports.

use std::ffi::{c_char, c_int};

use libc::servent;
use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::unexpected;
use crate::enumeration::{Item, enumeration};
use crate::find::find;

enumeration!(
    Category::Service,
    _nss_netinfo_setservent(StayOpen),
    _nss_netinfo_endservent,
    _nss_netinfo_getservent_r -> servent,
    make
);

/// A service by name; of any protocol, if none is given.
///
/// # Safety
/// As [`answer`]; `name` and `protocol` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getservbyname_r(
    name: *const c_char,
    protocol: *const c_char,
    result: *mut servent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) };
    // SAFETY: the caller's promise.
    let protocol = unsafe { text(protocol) };
    let find = |arena: &mut Arena<'_>| {
        find(
            Category::Service,
            Key::Service { name, protocol },
            |table| table.service_by_name(name, protocol),
            |item| make(arena, item),
        )
    };
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

/// A service by port, in network order; of any protocol, if none is given.
///
/// # Safety
/// As [`answer`]; `protocol` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getservbyport_r(
    port: c_int,
    protocol: *const c_char,
    result: *mut servent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // The upper half of the number is nothing to anybody.
    let port = u16::from_be(port as u16);
    // SAFETY: the caller's promise.
    let protocol = unsafe { text(protocol) };
    let find = |arena: &mut Arena<'_>| {
        find(
            Category::Service,
            Key::Port { port, protocol },
            |table| table.service_by_port(port, protocol),
            |item| make(arena, item),
        )
    };
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<servent, Failure> {
    let (name, protocol, port, aliases) = match item {
        Item::Record(service) => {
            let mut strings = service.strings();
            let mut string = || arena.string(strings.next().ok_or(Failure::Unavailable(libc::EIO))?);
            let (name, protocol) = (string()?, string()?);
            let most = strings.size_hint().1.unwrap_or_default();
            (name, protocol, service.number as u16, arena.strings(most, strings)?)
        }
        Item::Entry(Entry::Service(service)) => {
            let (name, protocol) = (arena.string(service.name)?, arena.string(service.protocol)?);
            (name, protocol, service.port, arena.strings(service.aliases.len(), service.aliases.iter())?)
        }
        Item::Entry(_) => return unexpected(),
    };
    Ok(servent { s_name: name, s_aliases: aliases, s_port: port.to_be().into(), s_proto: protocol })
}

//! Networks.

use std::ffi::{c_char, c_int};

use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::{self, unexpected};
use crate::enumeration::{self, Item};

/// `struct netent`.
#[repr(C)]
struct Netent {
    n_name: *mut c_char,
    n_aliases: *mut *mut c_char,
    n_addrtype: c_int,
    n_net: u32,
}

/// Begins from the start.
#[unsafe(no_mangle)]
extern "C" fn _nss_netinfo_setnetent(_: c_int) -> c_int {
    crate::boundary::reset(Category::Network)
}

/// Gives up what the enumeration holds.
#[unsafe(no_mangle)]
extern "C" fn _nss_netinfo_endnetent() -> c_int {
    crate::boundary::reset(Category::Network)
}

/// The next network.
///
/// # Safety
/// As [`answer`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getnetent_r(
    result: *mut Netent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let next =
        |arena: &mut Arena<'_>| enumeration::next(Category::Network, |item| make(&mut arena.again(), item));
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors(errno, h_errno), next) }
}

/// A network by name.
///
/// # Safety
/// As [`answer`]; `name` as [`text`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getnetbyname_r(
    name: *const c_char,
    result: *mut Netent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let key = Key::Name(unsafe { text(name) });
    let find = |arena: &mut Arena<'_>| find(arena, key);
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors(errno, h_errno), find) }
}

/// A network by number, in host order, with all four bytes as `getnetent` has it or without zeros behind.
///
/// # Safety
/// As [`answer`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getnetbyaddr_r(
    number: u32,
    family: c_int,
    result: *mut Netent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let find = |arena: &mut Arena<'_>| {
        if !matches!(family, libc::AF_UNSPEC | libc::AF_INET) {
            return Err(Failure::NotFound);
        }
        for number in significant(number) {
            match find(arena, Key::Number(number)) {
                Err(Failure::NotFound) => {}
                other => return other,
            }
        }
        Err(Failure::NotFound)
    };
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors(errno, h_errno), find) }
}

fn find(arena: &mut Arena<'_>, key: Key<'_>) -> Result<Netent, Failure> {
    client::find(Category::Network, key, |entry| make(arena, Item::Entry(entry)))
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<Netent, Failure> {
    let Item::Entry(Entry::Network(network)) = item else { return unexpected() };
    Ok(Netent {
        n_name: arena.string(network.name)?,
        n_aliases: arena.strings(network.aliases.len(), network.aliases.iter())?,
        n_addrtype: libc::AF_INET,
        n_net: whole(network.number),
    })
}

/// A right-justified number with all four bytes, as glibc has it: 10.0.0.0 for 10.
fn whole(number: u32) -> u32 {
    match number {
        0 => 0,
        number => number << (number.leading_zeros() / 8 * 8),
    }
}

/// The numbers, right-justified, that a network given with zeros behind may have: 192.168.0.0 is 192.168 or 192.168.0.
fn significant(number: u32) -> impl Iterator<Item = u32> {
    let zeros = if number == 0 { 0 } else { number.trailing_zeros() / 8 };
    (0..=zeros).rev().map(move |bytes| number >> (8 * bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_justified_both_ways() {
        for (right, left) in [(10, 0x0a00_0000), (0xac10, 0xac10_0000), (0x00c0_2aac, 0xc02a_ac00), (0, 0)] {
            assert_eq!(whole(right), left);
            assert_eq!(significant(left).next(), Some(right));
            assert!(significant(right).any(|number| number == right));
        }
        assert_eq!(significant(0xc0a8_0000).collect::<Vec<_>>(), [0xc0a8, 0xc0_a800, 0xc0a8_0000]);
        assert_eq!(whole(0xc0a8_0000), 0xc0a8_0000);
    }
}

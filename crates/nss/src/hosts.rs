//! Hosts and their addresses.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::slice;

use libc::{hostent, socklen_t};
use netinfo_wire::lookup::{Category, Entry, Host, Key};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::{self, unexpected};
use crate::enumeration::{self, Item};

/// `struct gaih_addrtuple`.
#[repr(C)]
struct Tuple {
    next: *mut Self,
    name: *mut c_char,
    family: c_int,
    address: [u32; 4],
    scope: u32,
}

/// Begins from the start.
#[unsafe(no_mangle)]
extern "C" fn _nss_netinfo_sethostent(_: c_int) -> c_int {
    crate::boundary::reset(Category::Host)
}

/// Gives up what the enumeration holds.
#[unsafe(no_mangle)]
extern "C" fn _nss_netinfo_endhostent() -> c_int {
    crate::boundary::reset(Category::Host)
}

/// The next host that has an IPv4 address, or else an IPv6 address.
///
/// # Safety
/// As [`answer`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_gethostent_r(
    result: *mut hostent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let next = |arena: &mut Arena<'_>| {
        enumeration::next(Category::Host, |item| {
            let Item::Entry(Entry::Host(host)) = item else { return unexpected() };
            let made = match make(&mut arena.again(), &host, libc::AF_INET) {
                Err(Failure::NoData) => make(&mut arena.again(), &host, libc::AF_INET6),
                made => made,
            };
            // A host without any address is passed over.
            made.map_err(|failure| if failure == Failure::NoData { Failure::NotFound } else { failure })
        })
    };
    // SAFETY: the caller's promise.
    unsafe { answer(result, Buffer(buffer, length), Errors(errno, h_errno), next) }
}

/// A function of C that finds a host: what it is asked, what comes behind the arguments that all of them have, and how it finds
/// the host. It is given a name, or an address with its length.
macro_rules! host_function {
    ($(#[$doc:meta])* $function:ident($($argument:ident: $kind:ty),*; $($behind:ident: $behind_kind:ty),*), $find:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// As [`answer`]; a name as [`text`]; an address has as many bytes as said; `canonical` can be written or is null.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $function(
            $($argument: $kind,)*
            result: *mut hostent,
            buffer: *mut c_char,
            length: usize,
            errno: *mut c_int,
            h_errno: *mut c_int,
            $($behind: $behind_kind,)*
        ) -> c_int {
            let find = |arena: &mut Arena<'_>| {
                // SAFETY: the caller's promise.
                unsafe { $find(arena) }
            };
            // SAFETY: the caller's promise.
            unsafe { answer(result, Buffer(buffer, length), Errors(errno, h_errno), find) }
        }
    };
}

host_function!(
    /// A host by name, with its addresses of one family; the canonical name once more, and how long that is good for, which is
    /// not known.
    _nss_netinfo_gethostbyname3_r(name: *const c_char, family: c_int; _time: *mut i32, canonical: *mut *mut c_char),
    |arena: &mut Arena<'_>| by_name(text(name), |host| make(arena, host, family)).inspect(|found| {
        if !canonical.is_null() {
            canonical.write(found.h_name);
        }
    })
);

host_function!(
    /// A host by name, with its addresses of one family.
    _nss_netinfo_gethostbyname2_r(name: *const c_char, family: c_int;),
    |arena: &mut Arena<'_>| by_name(text(name), |host| make(arena, host, family))
);

host_function!(
    /// A host by name, with its IPv4 addresses.
    _nss_netinfo_gethostbyname_r(name: *const c_char;),
    |arena: &mut Arena<'_>| by_name(text(name), |host| make(arena, host, libc::AF_INET))
);

host_function!(
    /// A host by address; how long that is good for is not known.
    _nss_netinfo_gethostbyaddr2_r(address: *const c_void, size: socklen_t, family: c_int; _time: *mut i32),
    |arena: &mut Arena<'_>| by_address(arena, address, size, family)
);

host_function!(
    /// A host by address.
    _nss_netinfo_gethostbyaddr_r(address: *const c_void, size: socklen_t, family: c_int;),
    |arena: &mut Arena<'_>| by_address(arena, address, size, family)
);

/// All addresses of a host, for `getaddrinfo`. The first goes where `list` points to, if that is anywhere.
///
/// # Safety
/// As [`answer`]; `name` as [`text`]; `list` can be written, and what it points to, too, if it is not null.
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_gethostbyname4_r(
    name: *const c_char,
    list: *mut *mut Tuple,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
    _time: *mut i32,
) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) };
    // SAFETY: the caller's promise.
    let given = unsafe { *list };
    let find = |arena: &mut Arena<'_>| {
        by_name(name, |host| {
            // SAFETY: the caller's promise.
            unsafe { tuples(arena, host, given) }
        })
    };
    let mut first = ptr::null_mut();
    // SAFETY: a variable of our own, and else the caller's promise.
    let status = unsafe { answer(&raw mut first, Buffer(buffer, length), Errors(errno, h_errno), find) };
    if !first.is_null() {
        // SAFETY: the caller's promise.
        unsafe { list.write(first) };
    }
    status
}

fn by_name<T>(name: &[u8], make: impl FnOnce(&Host<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    client::find(Category::Host, Key::Name(name), |entry| match entry {
        Entry::Host(host) => make(&host),
        _ => unexpected(),
    })
}

/// # Safety
/// `address` has `size` bytes, or is null.
unsafe fn by_address(
    arena: &mut Arena<'_>,
    address: *const c_void,
    size: socklen_t,
    family: c_int,
) -> Result<hostent, Failure> {
    let wanted = address_size(family)?;
    if address.is_null() || size as usize != wanted {
        return Err(Failure::NotFound);
    }
    // SAFETY: as many bytes as the caller says.
    let address = unsafe { slice::from_raw_parts(address.cast::<u8>(), wanted) };
    client::find(Category::Host, Key::Address(address), |entry| match entry {
        Entry::Host(host) => make(arena, &host, family),
        _ => unexpected(),
    })
}

/// Bytes of an address.
fn address_size(family: c_int) -> Result<usize, Failure> {
    match family {
        libc::AF_INET => Ok(4),
        libc::AF_INET6 => Ok(16),
        _ => Err(Failure::Unavailable(libc::EAFNOSUPPORT)),
    }
}

fn make(arena: &mut Arena<'_>, host: &Host<'_>, family: c_int) -> Result<hostent, Failure> {
    let size = address_size(family)?;
    let addresses = || host.addresses.iter().filter(|address| address.len() == size);
    let count = addresses().count();
    if count == 0 {
        return Err(Failure::NoData);
    }
    // Addresses first: they want alignment.
    let list = arena.list(count, addresses(), Arena::bytes)?;
    Ok(hostent {
        h_name: arena.string(host.name)?,
        h_aliases: arena.strings(host.aliases.len(), host.aliases.iter())?,
        h_addrtype: family,
        h_length: size as c_int,
        h_addr_list: list,
    })
}

/// A chain of all addresses.
///
/// # Safety
/// `given` can be written, or is null.
unsafe fn tuples(arena: &mut Arena<'_>, host: &Host<'_>, given: *mut Tuple) -> Result<*mut Tuple, Failure> {
    let name = arena.string(host.name)?;
    let mut chain = Vec::new();
    for address in host.addresses.iter() {
        let mut words = [0; 4];
        let family = if address.len() == 4 { libc::AF_INET } else { libc::AF_INET6 };
        for (word, bytes) in words.iter_mut().zip(address.as_chunks::<4>().0) {
            *word = u32::from_ne_bytes(*bytes);
        }
        chain.push((family, words));
    }
    let mut next = ptr::null_mut();
    for (number, (family, address)) in chain.into_iter().enumerate().rev() {
        let place = if number == 0 && !given.is_null() { given } else { arena.room::<Tuple>(1)? };
        // SAFETY: room in the caller's buffer, or what the caller gave.
        unsafe { place.write(Tuple { next, name, family, address, scope: 0 }) };
        next = place;
    }
    if next.is_null() { Err(Failure::NoData) } else { Ok(next) }
}

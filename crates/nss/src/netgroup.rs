//! Netgroups: their triples, one by one. glibc makes `innetgr` of them.

use std::ffi::{c_char, c_int, c_ulong, c_void};
use std::ptr;
use std::slice;

use netinfo_wire::lookup::{Category, Entry, Key};

use crate::boundary::{Buffer, Errors, Failure, RETURN, SUCCESS, answer, finish, guarded, text};
use crate::client::{self, unexpected};

/// `triple_val` of `struct __netgrent`.
const TRIPLE: c_int = 0;
/// Strings of a triple.
const FIELDS: usize = 3;

/// The part of `struct __netgrent` that modules use. Behind it are glibc's own fields.
#[repr(C)]
struct Netgrent {
    kind: c_int,
    triple: [*const c_char; FIELDS],
    /// Memory of ours, from `malloc`: the strings of the triples, each with its NUL.
    data: *mut c_char,
    data_size: usize,
    /// Where in it the next triple begins.
    position: c_ulong,
}

/// Begins with a netgroup.
///
/// # Safety
/// `group` as [`text`]; `state` can be written, and its `data` is null or what was put there before.
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_setnetgrent(group: *const c_char, state: *mut Netgrent) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { text(group) };
    let outcome = guarded(|| {
        client::find(Category::Netgroup, Key::Name(name), |entry| {
            let Entry::Netgroup(group) = entry else { return unexpected() };
            let triples: Vec<&[u8]> = group.triples.iter().collect();
            // A triple that C cannot be told is left out.
            let triples =
                triples.chunks_exact(FIELDS).filter(|triple| !triple.iter().any(|field| field.contains(&0)));
            let mut strings = Vec::new();
            for field in triples.flatten() {
                strings.extend_from_slice(field);
                strings.push(0);
            }
            Ok(strings)
        })
    });
    let outcome = outcome.and_then(|strings| {
        // SAFETY: the caller's promise.
        unsafe { keep(state, &strings) }
    });
    // SAFETY: no errors are asked for.
    unsafe { finish(outcome, Errors(ptr::null_mut(), ptr::null_mut())) }
}

/// # Safety
/// As [`_nss_netinfo_setnetgrent`].
unsafe fn keep(state: *mut Netgrent, strings: &[u8]) -> Result<(), Failure> {
    // SAFETY: one byte more than there are, so that it is never none.
    let data = unsafe { libc::malloc(strings.len() + 1) }.cast::<u8>();
    if data.is_null() {
        return Err(Failure::NoMemory);
    }
    // SAFETY: new memory, as long as the strings at least.
    unsafe { ptr::copy_nonoverlapping(strings.as_ptr(), data, strings.len()) };
    // SAFETY: the caller's promise.
    let state = unsafe { &mut *state };
    // SAFETY: null, or what was put there before.
    unsafe { libc::free(state.data.cast::<c_void>()) };
    (state.data, state.data_size, state.position) = (data.cast(), strings.len(), 0);
    Ok(())
}

/// The next triple.
///
/// # Safety
/// `state` as [`_nss_netinfo_setnetgrent`] has left it; the rest as [`answer`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_getnetgrent_r(
    state: *mut Netgrent,
    buffer: *mut c_char,
    length: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let state = unsafe { &mut *state };
    let data = match state.data.is_null() {
        true => &[][..],
        // SAFETY: memory of ours, filled so far.
        false => unsafe { slice::from_raw_parts(state.data.cast::<u8>(), state.data_size) },
    };
    let rest = usize::try_from(state.position).ok().and_then(|at| data.get(at..)).unwrap_or_default();
    if rest.is_empty() {
        return RETURN;
    }
    let mut made = ([ptr::null(); FIELDS], 0);
    // SAFETY: a variable of our own, and else the caller's promise.
    let status = unsafe {
        answer(&raw mut made, Buffer(buffer, length), Errors::errno(errno), |arena| {
            let mut triple = [ptr::null(); FIELDS];
            let mut used = 0;
            for (field, string) in triple.iter_mut().zip(rest.split(|byte| *byte == 0)) {
                used += string.len() + 1;
                // A field that stands for anything is none.
                if !string.is_empty() {
                    *field = arena.string(string)?.cast_const();
                }
            }
            Ok((triple, used))
        })
    };
    if status == SUCCESS {
        state.kind = TRIPLE;
        state.triple = made.0;
        state.position += made.1 as c_ulong;
    }
    status
}

/// Gives up what is held.
///
/// # Safety
/// As [`_nss_netinfo_setnetgrent`].
#[unsafe(no_mangle)]
unsafe extern "C" fn _nss_netinfo_endnetgrent(state: *mut Netgrent) -> c_int {
    // SAFETY: the caller's promise.
    let state = unsafe { &mut *state };
    // SAFETY: null, or what was put there before.
    unsafe { libc::free(state.data.cast::<c_void>()) };
    (state.data, state.data_size, state.position) = (ptr::null_mut(), 0, 0);
    SUCCESS
}

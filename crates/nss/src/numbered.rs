//! Names of numbers: protocols above IP, and ONC RPC programs.

use std::ffi::{c_char, c_int};

use libc::protoent;
use netinfo_wire::lookup::{Category, Entry, Key, List};

use crate::arena::Arena;
use crate::boundary::{Buffer, Errors, Failure, answer, text};
use crate::client::{self, unexpected};
use crate::enumeration::{Item, enumeration};

/// `struct rpcent`: as [`protoent`], by other names.
type Rpcent = protoent;

enumeration!(
    Category::Protocol,
    _nss_netinfo_setprotoent(StayOpen),
    _nss_netinfo_endprotoent,
    _nss_netinfo_getprotoent_r -> protoent,
    make
);

enumeration!(
    Category::Rpc,
    _nss_netinfo_setrpcent(StayOpen),
    _nss_netinfo_endrpcent,
    _nss_netinfo_getrpcent_r -> Rpcent,
    make
);

/// The two functions that look a category up.
macro_rules! look_ups {
    ($category:expr, $by_name:ident, $by_number:ident) => {
        /// By name.
        ///
        /// # Safety
        /// As [`answer`]; `name` as [`text`].
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $by_name(
            name: *const c_char,
            result: *mut protoent,
            buffer: *mut c_char,
            length: usize,
            errno: *mut c_int,
        ) -> c_int {
            // SAFETY: the caller's promise.
            let key = Key::Name(unsafe { text(name) });
            let find = |arena: &mut Arena<'_>| find(arena, $category, key);
            // SAFETY: the caller's promise.
            unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
        }

        /// By number.
        ///
        /// # Safety
        /// As [`answer`].
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $by_number(
            number: c_int,
            result: *mut protoent,
            buffer: *mut c_char,
            length: usize,
            errno: *mut c_int,
        ) -> c_int {
            let key = Key::Number(number.cast_unsigned());
            let find = |arena: &mut Arena<'_>| find(arena, $category, key);
            // SAFETY: the caller's promise.
            unsafe { answer(result, Buffer(buffer, length), Errors::errno(errno), find) }
        }
    };
}

look_ups!(Category::Protocol, _nss_netinfo_getprotobyname_r, _nss_netinfo_getprotobynumber_r);
look_ups!(Category::Rpc, _nss_netinfo_getrpcbyname_r, _nss_netinfo_getrpcbynumber_r);

fn find(arena: &mut Arena<'_>, category: Category, key: Key<'_>) -> Result<protoent, Failure> {
    client::find(category, key, |entry| make(arena, Item::Entry(entry)))
}

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<protoent, Failure> {
    let (name, aliases, number): (&[u8], List<'_>, u32) = match item {
        Item::Entry(Entry::Protocol(entry)) => (entry.name, entry.aliases, entry.number),
        Item::Entry(Entry::Rpc(entry)) => (entry.name, entry.aliases, entry.number),
        _ => return unexpected(),
    };
    Ok(protoent {
        p_name: arena.string(name)?,
        p_aliases: arena.strings(aliases.len(), aliases.iter())?,
        p_proto: number.cast_signed(),
    })
}

//! Bytes to messages and back, and nothing else: no sockets, no clocks, no threads.
//!
//! | module | what it speaks | source |
//! |---|---|---|
//! | [`xdr`] | the primitive encodings | RFC 4506 |
//! | [`rpc`] | call and reply envelopes, `AUTH_NONE`, `AUTH_SYS` | RFC 5531 |
//! | [`record`] | record marking on byte streams | RFC 5531 §11 |
//! | [`netinfo`] | the NetInfo protocol, program 200100000 version 2 | NetInfo protocol |
//! | [`nibind`] | the binder, program 200100001 version 1 | NetInfo protocol, binder |
//! | [`portmap`] | portmapper version 2, rpcbind versions 3 and 4 | RFC 1833 |
//! | [`ber`] | the encoding rules of LDAP: tags, lengths, message boundaries | RFC 4511 §5.1, X.690 |
//! | [`ldap`] | LDAP version 3: messages, filters, names, controls | RFC 4511, 4514, 4515, 4516 |
//! | [`control`] | the local socket of this project's own daemon | [`control`] itself |
//! | [`lookup`] | what the modules of the C library ask this project's own daemon | [`lookup`] itself |
//! | [`login`] | the socket that login modules of this machine ask | [`login`] itself |
//!
//! Decoders borrow from the input wherever the message allows it. Whatever bytes arrive, a decoder
//! returns a value or an error: it does not panic, and it never reserves memory for an element that
//! has not arrived. Borrowing decoders allocate nothing; decoders that return owned lists keep to
//! [`MAX_EXPANSION`].
//!
//! No `Debug` output shows passwords or other contents of messages, only their sizes.
//!
//! Encoders append to a `Vec<u8>` that the caller owns, so a reply is written once, in place.

#![forbid(unsafe_code)]

pub mod ber;
pub mod control;
pub mod ldap;
pub mod login;
pub mod lookup;
pub mod netinfo;
pub mod nibind;
pub mod portmap;
pub mod record;
mod redact;
pub mod rpc;
pub mod xdr;

/// The most bytes of heap an owned decode result holds, per byte of input; a short list may take up to
/// 1 KiB regardless, because vectors begin with room for a few elements.
///
/// The worst case is an empty string in a list: four bytes on the wire (its length word) become one
/// `Vec` header of 24 bytes on a 64-bit machine. Contents of strings add at most their own length.
pub const MAX_EXPANSION: usize = 8;

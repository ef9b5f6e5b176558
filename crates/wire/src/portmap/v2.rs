//! Portmapper version 2 (RFC 1833 §3).

use std::fmt;

use crate::redact::Hidden;
use crate::xdr::{Error, Reader, put_bool, put_opaque, put_u32};

/// Longest arguments or results of an indirect call, in bytes: what fits in a UDP datagram.
pub const MAX_CALLIT: u32 = 65_535;
/// Most mappings accepted in a DUMP result. The protocol has no limit; a host has dozens.
pub const MAX_MAPPINGS: usize = 65_535;

/// A procedure of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Procedure {
    /// Nothing.
    Null = 0,
    /// [`Mapping`] → bool: adds a mapping.
    Set = 1,
    /// [`Mapping`] → bool: removes those of a program and version.
    Unset = 2,
    /// [`Mapping`] → port, 0 if there is none.
    GetPort = 3,
    /// void → list of [`Mapping`].
    Dump = 4,
    /// [`CallItArgs`] → [`CallItResult`]: calls a procedure of another program on this host; no reply
    /// unless it succeeds.
    CallIt = 5,
}

impl Procedure {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

impl TryFrom<u32> for Procedure {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        Ok(match number {
            0 => Self::Null,
            1 => Self::Set,
            2 => Self::Unset,
            3 => Self::GetPort,
            4 => Self::Dump,
            5 => Self::CallIt,
            other => return Err(Error::BadValue(other)),
        })
    }
}

/// Where a program is reached. Argument of SET, UNSET (port and, historically, protocol unused) and
/// GETPORT (port unused).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// Program number.
    pub prog: u32,
    /// Version of the program.
    pub vers: u32,
    /// [`IPPROTO_TCP`](super::IPPROTO_TCP) or [`IPPROTO_UDP`](super::IPPROTO_UDP).
    pub prot: u32,
    /// Port number; a word on the wire.
    pub port: u32,
}

impl Mapping {
    /// Bytes of a mapping on the wire.
    pub const SIZE: usize = 16;

    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self { prog: r.u32()?, vers: r.u32()?, prot: r.u32()?, port: r.u32()? })
    }

    /// Decodes the argument of SET, UNSET and GETPORT; bytes after it are ignored.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn decode(args: &[u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(args))
    }

    /// Appends the mapping.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        for word in [self.prog, self.vers, self.prot, self.port] {
            put_u32(buf, word);
        }
    }
}

/// Decodes the result of GETPORT; `None` if the program is not registered.
///
/// # Errors
/// [`Error::Truncated`], [`Error::BadValue`] for a number that is no port.
pub fn decode_port(results: &[u8]) -> Result<Option<u16>, Error> {
    let port = Reader::new(results).u32()?;
    let port = u16::try_from(port).map_err(|_| Error::BadValue(port))?;
    Ok((port != 0).then_some(port))
}

/// Appends the result of GETPORT.
pub fn put_port(buf: &mut Vec<u8>, port: Option<u16>) {
    put_u32(buf, port.unwrap_or_default().into());
}

/// Decodes the result of SET and UNSET.
///
/// # Errors
/// [`Error::Truncated`].
pub fn decode_done(results: &[u8]) -> Result<bool, Error> {
    Reader::new(results).bool()
}

/// Appends the result of SET and UNSET.
pub fn put_done(buf: &mut Vec<u8>, done: bool) {
    put_bool(buf, done);
}

/// Decodes the linked list of a DUMP result.
///
/// # Errors
/// [`Error::Truncated`], [`Error::TooLong`] above [`MAX_MAPPINGS`].
pub fn decode_dump(results: &[u8]) -> Result<Vec<Mapping>, Error> {
    let r = &mut Reader::new(results);
    let mut mappings = Vec::new();
    while r.bool()? {
        if mappings.len() == MAX_MAPPINGS {
            return Err(Error::TooLong { len: MAX_MAPPINGS as u32 + 1, max: MAX_MAPPINGS as u32 });
        }
        mappings.push(Mapping::read(r)?);
    }
    Ok(mappings)
}

/// Appends a DUMP result.
pub fn put_dump(buf: &mut Vec<u8>, mappings: impl IntoIterator<Item = Mapping>) {
    for mapping in mappings {
        put_bool(buf, true);
        mapping.encode(buf);
    }
    put_bool(buf, false);
}

/// Argument of CALLIT, and of rpcbind's BCAST and INDIRECT, which is the same on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallItArgs<'a> {
    /// Program to call.
    pub prog: u32,
    /// Its version.
    pub vers: u32,
    /// Its procedure.
    pub proc: u32,
    /// Encoded arguments for it. The historical broadcast client announces and sends four bytes more
    /// than it means.
    pub args: &'a [u8],
}

impl fmt::Debug for CallItArgs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallItArgs")
            .field("prog", &self.prog)
            .field("vers", &self.vers)
            .field("proc", &self.proc)
            .field("args", &Hidden(self.args))
            .finish()
    }
}

impl<'a> CallItArgs<'a> {
    /// Decodes the argument; bytes after it are ignored.
    ///
    /// # Errors
    /// [`Error::TooLong`] above [`MAX_CALLIT`], [`Error::Truncated`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let r = &mut Reader::new(args);
        Ok(Self { prog: r.u32()?, vers: r.u32()?, proc: r.u32()?, args: r.opaque(MAX_CALLIT)? })
    }

    /// Appends the argument, with the exact length of the inner arguments.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        for word in [self.prog, self.vers, self.proc] {
            put_u32(buf, word);
        }
        put_opaque(buf, self.args);
    }
}

/// Result of CALLIT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallItResult<'a> {
    /// Port of the program that was called.
    pub port: u32,
    /// Its encoded results.
    pub results: &'a [u8],
}

impl fmt::Debug for CallItResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallItResult")
            .field("port", &self.port)
            .field("results", &Hidden(self.results))
            .finish()
    }
}

impl<'a> CallItResult<'a> {
    /// Decodes the result.
    ///
    /// # Errors
    /// [`Error::TooLong`] above [`MAX_CALLIT`], [`Error::Truncated`].
    pub fn decode(results: &'a [u8]) -> Result<Self, Error> {
        let r = &mut Reader::new(results);
        Ok(Self { port: r.u32()?, results: r.opaque(MAX_CALLIT)? })
    }

    /// Appends the result.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.port);
        put_opaque(buf, self.results);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn procedures_and_ports() {
        let found: Vec<_> = (0..7).map(|n| Procedure::try_from(n).map(Procedure::code)).collect();
        assert_eq!(found, [Ok(0), Ok(1), Ok(2), Ok(3), Ok(4), Ok(5), Err(Error::BadValue(6))]);
        assert_eq!(decode_port(&[0, 0, 0, 0]), Ok(None));
        assert_eq!(decode_port(&[0, 0, 3, 177]), Ok(Some(945)));
        assert_eq!(decode_port(&[0, 1, 0, 0]), Err(Error::BadValue(65_536)));
    }

    #[test]
    fn indirect_calls_and_dumps_are_limited() {
        let mut buf = vec![0; 12];
        put_opaque(&mut buf, &vec![0; MAX_CALLIT as usize]);
        assert!(CallItArgs::decode(&buf).is_ok());
        assert!(CallItResult::decode(&buf[8..]).is_ok());
        buf.truncate(12);
        put_opaque(&mut buf, &vec![0; MAX_CALLIT as usize + 1]);
        let too_long = Error::TooLong { len: MAX_CALLIT + 1, max: MAX_CALLIT };
        assert_eq!(CallItArgs::decode(&buf), Err(too_long));
        assert_eq!(CallItResult::decode(&buf[8..]), Err(too_long));

        let mapping = Mapping { prog: 1, vers: 2, prot: 6, port: 111 };
        let dump = |count| {
            let mut buf = Vec::new();
            put_dump(&mut buf, std::iter::repeat_n(mapping, count));
            decode_dump(&buf).map(|list| list.len())
        };
        assert_eq!(dump(MAX_MAPPINGS), Ok(MAX_MAPPINGS));
        assert_eq!(dump(MAX_MAPPINGS + 1), Err(Error::TooLong { len: 65_536, max: 65_535 }));
    }
}

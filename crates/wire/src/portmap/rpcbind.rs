//! rpcbind versions 3 and 4 (RFC 1833 §2). Strings are bytes; see [`uaddr`](super::uaddr) for the
//! addresses among them.

use std::fmt;

use super::uaddr::MAX_TEXT;
use super::{RPCBIND_VERSION_3, RPCBIND_VERSION_4};
use crate::redact::Hidden;
use crate::xdr::{Error, Reader, put_bool, put_opaque, put_u32};

pub use super::v2::CallItArgs;

/// Most elements accepted in a DUMP or GETADDRLIST result. The protocol has no limit.
pub const MAX_ENTRIES: usize = 65_535;

/// A procedure of version 3 or 4. Numbers up to 8 are common to both; version 4 adds the rest and
/// calls number 5 BCAST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Procedure {
    /// Nothing.
    Null = 0,
    /// [`Rpcb`] → bool: adds a mapping.
    Set = 1,
    /// [`Rpcb`] → bool: removes those of a program and version.
    Unset = 2,
    /// [`Rpcb`] → universal address, empty if there is none.
    GetAddr = 3,
    /// void → list of [`Rpcb`].
    Dump = 4,
    /// [`CallItArgs`] → [`CallItResult`]; CALLIT in version 3. No reply unless it succeeds.
    Bcast = 5,
    /// void → seconds since 1970-01-01 UTC.
    GetTime = 6,
    /// Universal address → transport address.
    Uaddr2Taddr = 7,
    /// Transport address → universal address.
    Taddr2Uaddr = 8,
    /// Version 4. As GETADDR, for exactly the version asked for.
    GetVersAddr = 9,
    /// Version 4. As BCAST, but failures are answered too.
    Indirect = 10,
    /// Version 4. [`Rpcb`] → list of [`AddrEntry`]: all transports of a program and version.
    GetAddrList = 11,
    /// Version 4. void → [`Statistics`], one per version.
    GetStat = 12,
}

impl Procedure {
    const ALL: [Self; 13] = [
        Self::Null,
        Self::Set,
        Self::Unset,
        Self::GetAddr,
        Self::Dump,
        Self::Bcast,
        Self::GetTime,
        Self::Uaddr2Taddr,
        Self::Taddr2Uaddr,
        Self::GetVersAddr,
        Self::Indirect,
        Self::GetAddrList,
        Self::GetStat,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The procedure with this number in a version of rpcbind.
    ///
    /// # Errors
    /// [`Error::BadValue`] if the version does not have it.
    pub fn in_version(vers: u32, number: u32) -> Result<Self, Error> {
        let last = match vers {
            RPCBIND_VERSION_3 => Self::Taddr2Uaddr,
            RPCBIND_VERSION_4 => Self::GetStat,
            _ => return Err(Error::BadValue(vers)),
        };
        let found = Self::ALL.into_iter().find(|p| p.code() == number && number <= last.code());
        found.ok_or(Error::BadValue(number))
    }
}

/// A mapping: argument of SET, UNSET, GETADDR, GETVERSADDR and GETADDRLIST, element of DUMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rpcb<'a> {
    /// Program number.
    pub prog: u32,
    /// Version of the program.
    pub vers: u32,
    /// Transport identifier: `udp`, `tcp`, `udp6`, `tcp6`, `local`, …
    pub netid: &'a [u8],
    /// Universal address.
    pub addr: &'a [u8],
    /// Who registered it; informative.
    pub owner: &'a [u8],
}

impl<'a> Rpcb<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { prog: r.u32()?, vers: r.u32()?, netid: text(r)?, addr: text(r)?, owner: text(r)? })
    }

    /// Decodes an argument; bytes after it are ignored.
    ///
    /// # Errors
    /// [`Error::TooLong`] for a string above [`MAX_TEXT`], [`Error::Truncated`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(args))
    }

    /// Appends the mapping.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.prog);
        put_u32(buf, self.vers);
        for text in [self.netid, self.addr, self.owner] {
            put_opaque(buf, text);
        }
    }
}

/// One transport of a program, element of GETADDRLIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddrEntry<'a> {
    /// Universal address.
    pub maddr: &'a [u8],
    /// Transport identifier.
    pub netid: &'a [u8],
    /// Semantics of the transport: 1 connectionless, 2 connection-oriented, 3 with orderly release.
    pub semantics: u32,
    /// Protocol family: `inet`, `inet6`, …
    pub family: &'a [u8],
    /// Protocol name: `udp`, `tcp`, …
    pub proto: &'a [u8],
}

impl<'a> AddrEntry<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { maddr: text(r)?, netid: text(r)?, semantics: r.u32()?, family: text(r)?, proto: text(r)? })
    }

    /// Appends the entry.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.maddr);
        put_opaque(buf, self.netid);
        put_u32(buf, self.semantics);
        put_opaque(buf, self.family);
        put_opaque(buf, self.proto);
    }
}

/// Result of BCAST and INDIRECT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallItResult<'a> {
    /// Universal address of the program that was called.
    pub addr: &'a [u8],
    /// Its encoded results.
    pub results: &'a [u8],
}

impl fmt::Debug for CallItResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallItResult")
            .field("addr", &self.addr.escape_ascii().to_string())
            .field("results", &Hidden(self.results))
            .finish()
    }
}

impl<'a> CallItResult<'a> {
    /// Decodes the result.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Truncated`].
    pub fn decode(results: &'a [u8]) -> Result<Self, Error> {
        let r = &mut Reader::new(results);
        Ok(Self { addr: text(r)?, results: r.opaque(super::v2::MAX_CALLIT)? })
    }

    /// Appends the result.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.addr);
        put_opaque(buf, self.results);
    }
}

fn text<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    r.opaque(MAX_TEXT)
}

/// Decodes a string: result of GETADDR, GETVERSADDR and TADDR2UADDR (an address, empty if there is
/// none), argument of UADDR2TADDR.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_TEXT`], [`Error::Truncated`].
pub fn decode_text(bytes: &[u8]) -> Result<&[u8], Error> {
    text(&mut Reader::new(bytes))
}

/// Appends a string. The caller keeps to [`MAX_TEXT`].
pub fn put_text(buf: &mut Vec<u8>, text: &[u8]) {
    put_opaque(buf, text);
}

/// Decodes the result of GETTIME: seconds since 1970-01-01 UTC, as the 32 bits of the protocol have it.
///
/// # Errors
/// [`Error::Truncated`].
pub fn decode_time(results: &[u8]) -> Result<u32, Error> {
    Reader::new(results).u32()
}

/// Appends the result of GETTIME.
pub fn put_time(buf: &mut Vec<u8>, seconds: u32) {
    put_u32(buf, seconds);
}

/// A transport address (`netbuf`): argument of TADDR2UADDR, result of UADDR2TADDR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Netbuf<'a> {
    /// Size of the buffer the address came from.
    pub maxlen: u32,
    /// The address in the form of the operating system that made it.
    pub bytes: &'a [u8],
}

impl<'a> Netbuf<'a> {
    /// Decodes a transport address.
    ///
    /// # Errors
    /// [`Error::TooLong`] above [`MAX_TEXT`], [`Error::Truncated`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let r = &mut Reader::new(bytes);
        Ok(Self { maxlen: r.u32()?, bytes: text(r)? })
    }

    /// Appends the transport address.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.maxlen);
        put_opaque(buf, self.bytes);
    }
}

/// Reads a linked list of at most [`MAX_ENTRIES`] elements.
fn linked<'a, T>(r: &mut Reader<'a>, read: fn(&mut Reader<'a>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut list = Vec::new();
    while r.bool()? {
        if list.len() == MAX_ENTRIES {
            return Err(Error::TooLong { len: MAX_ENTRIES as u32 + 1, max: MAX_ENTRIES as u32 });
        }
        list.push(read(r)?);
    }
    Ok(list)
}

/// Appends a linked list.
fn put_linked<T>(buf: &mut Vec<u8>, list: impl IntoIterator<Item = T>, put: impl Fn(&T, &mut Vec<u8>)) {
    for element in list {
        put_bool(buf, true);
        put(&element, buf);
    }
    put_bool(buf, false);
}

/// Decodes the result of DUMP.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_ENTRIES`] or [`MAX_TEXT`], [`Error::Truncated`].
pub fn decode_dump(results: &[u8]) -> Result<Vec<Rpcb<'_>>, Error> {
    linked(&mut Reader::new(results), Rpcb::read)
}

/// Appends the result of DUMP.
pub fn put_dump<'r>(buf: &mut Vec<u8>, mappings: impl IntoIterator<Item = Rpcb<'r>>) {
    put_linked(buf, mappings, Rpcb::encode);
}

/// Decodes the result of GETADDRLIST.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_ENTRIES`] or [`MAX_TEXT`], [`Error::Truncated`].
pub fn decode_addr_list(results: &[u8]) -> Result<Vec<AddrEntry<'_>>, Error> {
    linked(&mut Reader::new(results), AddrEntry::read)
}

/// Appends the result of GETADDRLIST.
pub fn put_addr_list<'r>(buf: &mut Vec<u8>, entries: impl IntoIterator<Item = AddrEntry<'r>>) {
    put_linked(buf, entries, AddrEntry::encode);
}

/// Versions that GETSTAT reports on, in order: 2, 3, 4.
pub const STAT_VERSIONS: usize = 3;
/// Procedures counted per version; counters of procedures a version lacks stay 0.
pub const STAT_PROCEDURES: usize = 13;

/// How often an address was asked for, element of [`Statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrStat<'a> {
    /// Program asked for.
    pub prog: u32,
    /// Version asked for.
    pub vers: u32,
    /// Answers with an address.
    pub success: u32,
    /// Answers without.
    pub failure: u32,
    /// Transport identifier.
    pub netid: &'a [u8],
}

/// How often a procedure was called indirectly, element of [`Statistics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndirectStat<'a> {
    /// Program called.
    pub prog: u32,
    /// Version called.
    pub vers: u32,
    /// Procedure called.
    pub proc: u32,
    /// Calls that succeeded.
    pub success: u32,
    /// Calls that failed.
    pub failure: u32,
    /// Whether through INDIRECT (1) or BCAST (0).
    pub indirect: u32,
    /// Transport identifier.
    pub netid: &'a [u8],
}

/// Result of GETSTAT for one version.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Statistics<'a> {
    /// Calls by procedure.
    pub calls: [u32; STAT_PROCEDURES],
    /// Successful SETs.
    pub sets: u32,
    /// Successful UNSETs.
    pub unsets: u32,
    /// Addresses asked for.
    pub addrs: Vec<AddrStat<'a>>,
    /// Indirect calls.
    pub indirect: Vec<IndirectStat<'a>>,
}

impl<'a> Statistics<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let mut calls = [0; STAT_PROCEDURES];
        for count in &mut calls {
            *count = r.u32()?;
        }
        Ok(Self {
            calls,
            sets: r.u32()?,
            unsets: r.u32()?,
            addrs: linked(r, AddrStat::read)?,
            indirect: linked(r, IndirectStat::read)?,
        })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        for count in self.calls.iter().chain([&self.sets, &self.unsets]) {
            put_u32(buf, *count);
        }
        put_linked(buf, &self.addrs, |stat, buf| {
            for word in [stat.prog, stat.vers, stat.success, stat.failure] {
                put_u32(buf, word);
            }
            put_opaque(buf, stat.netid);
        });
        put_linked(buf, &self.indirect, |stat, buf| {
            for word in [stat.prog, stat.vers, stat.proc, stat.success, stat.failure, stat.indirect] {
                put_u32(buf, word);
            }
            put_opaque(buf, stat.netid);
        });
    }
}

impl<'a> AddrStat<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { prog: r.u32()?, vers: r.u32()?, success: r.u32()?, failure: r.u32()?, netid: text(r)? })
    }
}

impl<'a> IndirectStat<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            prog: r.u32()?,
            vers: r.u32()?,
            proc: r.u32()?,
            success: r.u32()?,
            failure: r.u32()?,
            indirect: r.u32()?,
            netid: text(r)?,
        })
    }
}

/// Decodes the result of GETSTAT: versions 2, 3 and 4.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_ENTRIES`] or [`MAX_TEXT`], [`Error::Truncated`].
pub fn decode_statistics(results: &[u8]) -> Result<[Statistics<'_>; STAT_VERSIONS], Error> {
    let r = &mut Reader::new(results);
    Ok([Statistics::read(r)?, Statistics::read(r)?, Statistics::read(r)?])
}

/// Appends the result of GETSTAT.
pub fn put_statistics(buf: &mut Vec<u8>, statistics: &[Statistics<'_>; STAT_VERSIONS]) {
    for version in statistics {
        version.encode(buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_4_has_more_procedures() {
        assert_eq!(Procedure::in_version(3, 8), Ok(Procedure::Taddr2Uaddr));
        assert_eq!(Procedure::in_version(3, 9), Err(Error::BadValue(9)));
        assert_eq!(Procedure::in_version(4, 12), Ok(Procedure::GetStat));
        assert_eq!(Procedure::in_version(4, 13), Err(Error::BadValue(13)));
        assert_eq!(Procedure::in_version(2, 0), Err(Error::BadValue(2)));
        for (i, p) in Procedure::ALL.into_iter().enumerate() {
            assert_eq!(p.code() as usize, i);
        }
    }

    #[test]
    fn texts_and_lists_are_limited() {
        let text = |len| {
            let mut buf = Vec::new();
            put_text(&mut buf, &vec![b'x'; len]);
            decode_text(&buf).map(<[u8]>::len)
        };
        assert_eq!(text(MAX_TEXT as usize), Ok(255));
        assert_eq!(text(256), Err(Error::TooLong { len: 256, max: MAX_TEXT }));
        let list = |count| {
            let mut buf = Vec::new();
            put_dump(
                &mut buf,
                std::iter::repeat_n(Rpcb { prog: 0, vers: 0, netid: b"", addr: b"", owner: b"" }, count),
            );
            decode_dump(&buf).map(|list| list.len())
        };
        assert_eq!(list(MAX_ENTRIES), Ok(MAX_ENTRIES));
        assert_eq!(list(MAX_ENTRIES + 1), Err(Error::TooLong { len: 65_536, max: 65_535 }));
    }
}

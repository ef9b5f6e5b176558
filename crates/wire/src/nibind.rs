//! The binder: program 200100001 version 1, nine procedures (NetInfo protocol, binder).
//!
//! Arguments and results borrow. As everywhere in NetInfo, results begin with a
//! [`Status`] and nothing follows one that is not `Ok`; bytes after arguments
//! are ignored, which matters here because the historical broadcast client always sends four too many.

use std::net::Ipv4Addr;

use crate::netinfo::{Answer, Status, name, put_name, put_status, result::expect_ok};
use crate::xdr::{Error, Reader, put_u32};

pub use crate::netinfo::decode_status;

/// Program number.
pub const PROGRAM: u32 = 200_100_001;
/// The only version of the program.
pub const VERSION: u32 = 1;

/// Most registrations in a LISTREG result.
pub const MAX_REGISTRATIONS: u32 = 32;
/// Bytes of the smallest registration: an empty tag and two ports.
const MIN_REGISTRATION: usize = 12;

/// A procedure of the binder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Procedure {
    /// Nothing; allowed over UDP.
    Ping = 0,
    /// [`Registration`] → status; privileged.
    Register = 1,
    /// Tag → status; privileged.
    Unregister = 2,
    /// Tag → status and [`Addrinfo`]; allowed over UDP.
    GetRegister = 3,
    /// void → status and registrations; allowed over UDP.
    ListReg = 4,
    /// Tag → status; privileged.
    CreateMaster = 5,
    /// [`CloneArgs`] → status; privileged.
    CreateClone = 6,
    /// Tag → status; privileged.
    DestroyDomain = 7,
    /// [`BindArgs`] → void, or no success at all; allowed over UDP.
    Bind = 8,
}

impl Procedure {
    /// All procedures, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Ping,
        Self::Register,
        Self::Unregister,
        Self::GetRegister,
        Self::ListReg,
        Self::CreateMaster,
        Self::CreateClone,
        Self::DestroyDomain,
        Self::Bind,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The name of the procedure, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Register => "register",
            Self::Unregister => "unregister",
            Self::GetRegister => "getregister",
            Self::ListReg => "listreg",
            Self::CreateMaster => "createmaster",
            Self::CreateClone => "createclone",
            Self::DestroyDomain => "destroydomain",
            Self::Bind => "bind",
        }
    }

    /// Whether the procedure is executed when the call came over UDP, also through the portmapper's
    /// CALLIT. All others are denied there with [`AuthStat::TooWeak`](crate::rpc::AuthStat::TooWeak),
    /// unknown numbers included: a call relayed by the portmapper would seem to come from a privileged
    /// local caller.
    pub const fn allowed_over_udp(self) -> bool {
        matches!(self, Self::Ping | Self::GetRegister | Self::ListReg | Self::Bind)
    }

    /// Whether only the superuser of the host may call it.
    pub const fn is_privileged(self) -> bool {
        !self.allowed_over_udp()
    }
}

impl TryFrom<u32> for Procedure {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        let index = usize::try_from(number).map_err(|_| Error::BadValue(number))?;
        Self::ALL.get(index).copied().ok_or(Error::BadValue(number))
    }
}

/// The ports of one domain server. UDP comes first on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Addrinfo {
    /// UDP port; a word on the wire, unchecked by the historical binder.
    pub udp_port: u32,
    /// TCP port.
    pub tcp_port: u32,
}

impl Addrinfo {
    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self { udp_port: r.u32()?, tcp_port: r.u32()? })
    }

    /// Appends the ports.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.udp_port);
        put_u32(buf, self.tcp_port);
    }
}

/// Argument of REGISTER, and one element of a LISTREG result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Registration<'a> {
    /// Tag of the domain.
    pub tag: &'a [u8],
    /// Its ports.
    pub addrs: Addrinfo,
}

impl<'a> Registration<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { tag: name(r)?, addrs: Addrinfo::read(r)? })
    }

    /// Decodes the argument of REGISTER.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(args))
    }

    /// Appends the registration.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_name(buf, self.tag);
        self.addrs.encode(buf);
    }
}

/// Argument of CREATECLONE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloneArgs<'a> {
    /// Tag of the new domain server here.
    pub tag: &'a [u8],
    /// Host name of the master.
    pub master_name: &'a [u8],
    /// Address of the master.
    pub master_addr: Ipv4Addr,
    /// Tag of the domain on the master.
    pub master_tag: &'a [u8],
}

impl<'a> CloneArgs<'a> {
    /// Decodes the argument of CREATECLONE.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let r = &mut Reader::new(args);
        Ok(Self {
            tag: name(r)?,
            master_name: name(r)?,
            master_addr: Ipv4Addr::from(r.u32()?),
            master_tag: name(r)?,
        })
    }

    /// Appends the argument.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_name(buf, self.tag);
        put_name(buf, self.master_name);
        put_u32(buf, self.master_addr.into());
        put_name(buf, self.master_tag);
    }
}

/// Argument of BIND: "do you serve me?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BindArgs<'a> {
    /// Address of the host that looks for its parent.
    pub client_addr: Ipv4Addr,
    /// Tag of its domain.
    pub client_tag: &'a [u8],
    /// Tag of the domain it asks for.
    pub server_tag: &'a [u8],
}

impl<'a> BindArgs<'a> {
    /// Decodes the argument of BIND.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let r = &mut Reader::new(args);
        Ok(Self { client_addr: Ipv4Addr::from(r.u32()?), client_tag: name(r)?, server_tag: name(r)? })
    }

    /// Appends the argument.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.client_addr.into());
        put_name(buf, self.client_tag);
        put_name(buf, self.server_tag);
    }
}

/// Decodes the argument of UNREGISTER, GETREGISTER, CREATEMASTER and DESTROYDOMAIN: a tag.
///
/// # Errors
/// [`Error::Truncated`] or [`Error::TooLong`].
pub fn decode_tag(args: &[u8]) -> Result<&[u8], Error> {
    name(&mut Reader::new(args))
}

/// Appends a tag.
pub fn put_tag(buf: &mut Vec<u8>, tag: &[u8]) {
    put_name(buf, tag);
}

/// Appends a successful GETREGISTER result.
pub fn put_getregister_res(buf: &mut Vec<u8>, addrs: Addrinfo) {
    put_status(buf, Status::Ok);
    addrs.encode(buf);
}

/// Decodes a GETREGISTER result.
///
/// # Errors
/// [`Failure`](crate::netinfo::Failure).
pub fn decode_getregister_res(results: &[u8]) -> Answer<Addrinfo> {
    let r = &mut Reader::new(results);
    expect_ok(r)?;
    Ok(Addrinfo::read(r)?)
}

/// Appends a successful LISTREG result. The protocol has room for [`MAX_REGISTRATIONS`]; the rest is
/// left out, for a longer reply could not be decoded by anyone.
pub fn put_listreg_res<'r>(buf: &mut Vec<u8>, registrations: impl IntoIterator<Item = Registration<'r>>) {
    put_status(buf, Status::Ok);
    let list = crate::netinfo::ListWriter::begin(buf);
    let mut count = 0;
    for registration in registrations.into_iter().take(MAX_REGISTRATIONS as usize) {
        registration.encode(buf);
        count += 1;
    }
    list.end(buf, count);
}

/// Decodes a LISTREG result.
///
/// # Errors
/// [`Failure`](crate::netinfo::Failure).
pub fn decode_listreg_res(results: &[u8]) -> Answer<Vec<Registration<'_>>> {
    let r = &mut Reader::new(results);
    expect_ok(r)?;
    let count = r.count(MAX_REGISTRATIONS, MIN_REGISTRATION)?;
    let mut registrations = Vec::with_capacity(count as usize);
    for _ in 0..count {
        registrations.push(Registration::read(r)?);
    }
    Ok(registrations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn procedures() {
        for (i, p) in Procedure::ALL.into_iter().enumerate() {
            assert_eq!(p.code() as usize, i);
            assert_eq!(Procedure::try_from(p.code()), Ok(p));
        }
        assert_eq!(Procedure::try_from(9), Err(Error::BadValue(9)));
        let udp: Vec<_> =
            Procedure::ALL.into_iter().filter(|p| p.allowed_over_udp()).map(Procedure::code).collect();
        assert_eq!(udp, [0, 3, 4, 8]);
        let privileged: Vec<_> =
            Procedure::ALL.into_iter().filter(|p| p.is_privileged()).map(Procedure::name).collect();
        assert_eq!(privileged, ["register", "unregister", "createmaster", "createclone", "destroydomain"]);
    }

    #[test]
    fn more_registrations_than_the_protocol_allows_are_refused() {
        let mut buf = Vec::new();
        put_status(&mut buf, Status::Ok);
        put_u32(&mut buf, MAX_REGISTRATIONS + 1);
        buf.resize(buf.len() + 12 * 33, 0);
        let too_long = Error::TooLong { len: 33, max: MAX_REGISTRATIONS };
        assert_eq!(decode_listreg_res(&buf), Err(too_long.into()));
    }
}

//! Credentials: `AUTH_NONE` (RFC 5531 §10.1), `AUTH_SYS` (appendix A), and the NetInfo convention that
//! carries a password in the machine name of the latter.

use std::fmt;

use zeroize::Zeroizing;

use super::MAX_AUTH_BODY;
use crate::redact::Hidden;
use crate::xdr::{self, Reader, put_opaque, put_u32};

/// Flavor number of `AUTH_NONE`.
pub const AUTH_NONE: u32 = 0;
/// Flavor number of `AUTH_SYS`, formerly `AUTH_UNIX`.
pub const AUTH_SYS: u32 = 1;
/// Longest machine name in an `AUTH_SYS` credential, in bytes.
pub const MAX_MACHINE_NAME: u32 = 255;
/// Most group ids in an `AUTH_SYS` credential.
pub const MAX_GIDS: usize = 16;

/// Why a call was denied with `AUTH_ERROR` (RFC 5531 §9, `auth_stat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthStat {
    /// 1: the credential is malformed.
    BadCred,
    /// 2: the server does not accept this credential; the client must begin a new session.
    RejectedCred,
    /// 3: the verifier is malformed.
    BadVerf,
    /// 4: the verifier has expired or is replayed.
    RejectedVerf,
    /// 5: refused for reasons of security; NetInfo answers so to what is not allowed over UDP.
    TooWeak,
    /// 6: the verifier of a reply is invalid.
    InvalidResp,
    /// 7: failed for an unknown reason.
    Failed,
    /// Any other number.
    Other(u32),
}

impl AuthStat {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        match self {
            Self::BadCred => 1,
            Self::RejectedCred => 2,
            Self::BadVerf => 3,
            Self::RejectedVerf => 4,
            Self::TooWeak => 5,
            Self::InvalidResp => 6,
            Self::Failed => 7,
            Self::Other(code) => code,
        }
    }
}

impl From<u32> for AuthStat {
    fn from(code: u32) -> Self {
        match code {
            1 => Self::BadCred,
            2 => Self::RejectedCred,
            3 => Self::BadVerf,
            4 => Self::RejectedVerf,
            5 => Self::TooWeak,
            6 => Self::InvalidResp,
            7 => Self::Failed,
            code => Self::Other(code),
        }
    }
}

/// Who the caller says it is. Only the flavors that are accepted exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Credential<'a> {
    /// `AUTH_NONE`: nobody in particular.
    #[default]
    None,
    /// `AUTH_SYS`: numbers the caller claims, unverified.
    Sys(AuthSys<'a>),
}

/// An `AUTH_SYS` credential. NetInfo clients put their password into the machine name, so `Debug`
/// shows only its length.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthSys<'a> {
    /// An arbitrary number of the caller, usually its time.
    pub stamp: u32,
    /// Name of the caller's machine, at most [`MAX_MACHINE_NAME`] bytes; see [`auth_password`].
    pub machine: &'a [u8],
    /// User id of the caller.
    pub uid: u32,
    /// Group id of the caller.
    pub gid: u32,
    /// Supplementary group ids of the caller.
    pub gids: Gids,
}

impl fmt::Debug for AuthSys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSys")
            .field("stamp", &self.stamp)
            .field("machine", &Hidden(self.machine))
            .field("uid", &self.uid)
            .field("gid", &self.gid)
            .field("gids", &self.gids)
            .finish()
    }
}

/// At most [`MAX_GIDS`] group ids, held in place.
#[derive(Clone, Copy, Default)]
pub struct Gids {
    ids: [u32; MAX_GIDS],
    len: usize,
}

impl Gids {
    /// The first [`MAX_GIDS`] of `ids`.
    pub fn new(ids: &[u32]) -> Self {
        let mut gids = Self::default();
        for (slot, id) in gids.ids.iter_mut().zip(ids) {
            *slot = *id;
        }
        gids.len = ids.len().min(MAX_GIDS);
        gids
    }

    /// The ids.
    pub fn as_slice(&self) -> &[u32] {
        &self.ids[..self.len]
    }
}

impl PartialEq for Gids {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Gids {}

impl fmt::Debug for Gids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl<'a> AuthSys<'a> {
    /// Decodes the body of the credential. Bytes after the last field are ignored, as historical
    /// servers ignore them.
    ///
    /// # Errors
    /// [`xdr::Error`] for a machine name over [`MAX_MACHINE_NAME`], more than [`MAX_GIDS`] groups, or a
    /// body too short for its fields.
    pub fn decode(body: &'a [u8]) -> Result<Self, xdr::Error> {
        let mut r = Reader::new(body);
        let stamp = r.u32()?;
        let machine = r.opaque(MAX_MACHINE_NAME)?;
        let uid = r.u32()?;
        let gid = r.u32()?;
        let len = r.count(MAX_GIDS as u32, xdr::UNIT)? as usize;
        let mut gids = Gids { ids: [0; MAX_GIDS], len };
        for slot in &mut gids.ids[..len] {
            *slot = r.u32()?;
        }
        Ok(Self { stamp, machine, uid, gid, gids })
    }

    fn encode_body(&self, buf: &mut Vec<u8>) {
        let machine = self.machine.get(..MAX_MACHINE_NAME as usize).unwrap_or(self.machine);
        put_u32(buf, self.stamp);
        put_opaque(buf, machine);
        put_u32(buf, self.uid);
        put_u32(buf, self.gid);
        put_u32(buf, self.gids.len as u32);
        for gid in self.gids.as_slice() {
            put_u32(buf, *gid);
        }
    }
}

impl Credential<'_> {
    /// Appends flavor and body. A machine name over [`MAX_MACHINE_NAME`] is cut to it.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        match self {
            Self::None => put_opaque_auth_none(buf),
            Self::Sys(sys) => {
                put_u32(buf, AUTH_SYS);
                let at = buf.len();
                put_u32(buf, 0);
                sys.encode_body(buf);
                let len = (buf.len() - at - xdr::UNIT) as u32;
                xdr::patch_u32(buf, at, len);
            }
        }
    }
}

/// Appends an `AUTH_NONE` credential or verifier.
pub(super) fn put_opaque_auth_none(buf: &mut Vec<u8>) {
    put_u32(buf, AUTH_NONE);
    put_u32(buf, 0);
}

/// Reads flavor and body of a credential or verifier.
pub(super) fn opaque_auth<'a>(r: &mut Reader<'a>) -> Result<(u32, &'a [u8]), xdr::Error> {
    Ok((r.u32()?, r.opaque(MAX_AUTH_BODY)?))
}

/// The password a NetInfo client hid in the machine name: each byte complemented, up to the first NUL.
/// The memory is wiped when it is dropped; `Debug` of this type does show it.
pub fn auth_password(machine: &[u8]) -> Zeroizing<Vec<u8>> {
    let end = machine.iter().position(|b| *b == 0).unwrap_or(machine.len());
    complement(&machine[..end])
}

/// Each byte inverted: turns a password into the machine name that carries it, and back. This hides
/// nothing from anyone who looks.
pub fn complement(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    out.extend(bytes.iter().map(|b| !b));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(machine_len: u32, machine: usize, gids: u32) -> Vec<u8> {
        let mut buf = Vec::new();
        put_u32(&mut buf, 1);
        put_u32(&mut buf, machine_len);
        buf.resize(buf.len() + machine.next_multiple_of(4), b'm');
        put_u32(&mut buf, 10);
        put_u32(&mut buf, 20);
        put_u32(&mut buf, gids);
        (0..gids).for_each(|gid| put_u32(&mut buf, gid));
        buf
    }

    #[test]
    fn machine_name_and_groups_are_limited() {
        let most = body(MAX_MACHINE_NAME, 255, MAX_GIDS as u32);
        let sys = AuthSys::decode(&most).unwrap();
        assert_eq!((sys.machine.len(), sys.gids.as_slice().len()), (255, 16));
        assert_eq!((sys.stamp, sys.uid, sys.gid), (1, 10, 20));
        assert!(AuthSys::decode(&body(256, 256, 0)).is_err());
        assert!(AuthSys::decode(&body(1, 1, 17)).is_err());
        for end in 0..most.len() {
            assert!(AuthSys::decode(&most[..end]).is_err());
        }
    }

    #[test]
    fn the_largest_credential_fits_the_envelope() {
        let sys = AuthSys { machine: &[b'm'; 255], gids: Gids::new(&[7; 20]), ..AuthSys::default() };
        let mut buf = Vec::new();
        Credential::Sys(sys).encode(&mut buf);
        assert!(buf.len() - 8 <= MAX_AUTH_BODY as usize);
        assert_eq!(AuthSys::decode(&buf[8..]), Ok(sys));
        assert_eq!(sys.gids.as_slice(), [7; MAX_GIDS]);
        // A machine name that is too long is cut, so that the credential stays well-formed.
        let mut cut = Vec::new();
        Credential::Sys(AuthSys { machine: &[b'm'; 300], ..sys }).encode(&mut cut);
        assert_eq!(cut, buf);
    }

    #[test]
    fn debug_does_not_show_the_machine_name() {
        let sys = AuthSys { machine: b"hidden", uid: 501, ..AuthSys::default() };
        let text = format!("{:?}", Credential::Sys(sys));
        assert!(text.contains("<6 bytes>") && text.contains("501"), "{text}");
        assert!(!text.contains("hidden") && !text.contains("104"), "{text}");
    }

    #[test]
    fn passwords_are_complemented_and_end_at_a_nul() {
        assert_eq!(complement(b"secret").as_slice(), [0x8c, 0x9a, 0x9c, 0x8d, 0x9a, 0x8b]);
        assert_eq!(auth_password(&complement(b"secret")).as_slice(), b"secret");
        assert_eq!(auth_password(&complement(b"pass\xffword")).as_slice(), b"pass");
        assert_eq!(auth_password(b"").as_slice(), b"");
    }

    #[test]
    fn auth_stats_keep_their_numbers() {
        for code in 0..20 {
            assert_eq!(AuthStat::from(code).code(), code);
        }
    }
}

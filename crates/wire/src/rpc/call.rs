//! Call messages (RFC 5531 §9), and which malformed ones deserve an answer.

use super::auth::{AUTH_NONE, AUTH_SYS, AuthStat, AuthSys, Credential, opaque_auth, put_opaque_auth_none};
use super::{CALL, RPC_VERSION};
use crate::xdr::{self, Reader, put_u32};

/// A well-formed call; arguments are still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Transaction id, to be repeated in the reply.
    pub xid: u32,
    /// Program number.
    pub prog: u32,
    /// Version of the program.
    pub vers: u32,
    /// Procedure of that version.
    pub proc: u32,
    /// Who calls. The verifier is not kept: with these flavors it means nothing.
    pub cred: Credential<'a>,
    /// Everything after the verifier.
    pub args: &'a [u8],
}

/// What to do with bytes that are not an acceptable call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Send nothing: not a call, another RPC version, or a header that cannot be read.
    #[error("not a well-formed RPC call")]
    Silent,
    /// Send [`put_denied`](super::put_denied) with these.
    #[error("credential refused: {auth:?}")]
    Denied {
        /// Transaction id of the call.
        xid: u32,
        /// The reason to send.
        auth: AuthStat,
    },
}

impl From<xdr::Error> for CallError {
    fn from(_: xdr::Error) -> Self {
        Self::Silent
    }
}

/// Reads the header of a call.
///
/// The whole header, verifier included, is read before the credential is judged: a call that cannot be
/// parsed is never answered, whatever its credential.
///
/// # Errors
/// [`CallError::Silent`] if the message is not a `CALL`, the RPC version is not 2, the header ends early,
/// or a credential or verifier body exceeds [`MAX_AUTH_BODY`](super::MAX_AUTH_BODY).
/// [`CallError::Denied`] with [`AuthStat::BadCred`] for a malformed `AUTH_SYS` body, with
/// [`AuthStat::RejectedCred`] for any other flavor but `AUTH_NONE`.
pub fn parse_call(message: &[u8]) -> Result<Call<'_>, CallError> {
    let mut r = Reader::new(message);
    let xid = r.u32()?;
    if r.u32()? != CALL || r.u32()? != RPC_VERSION {
        return Err(CallError::Silent);
    }
    let prog = r.u32()?;
    let vers = r.u32()?;
    let proc = r.u32()?;
    let (flavor, body) = opaque_auth(&mut r)?;
    opaque_auth(&mut r)?;
    let cred = match flavor {
        AUTH_NONE => Credential::None,
        AUTH_SYS => match AuthSys::decode(body) {
            Ok(sys) => Credential::Sys(sys),
            Err(_) => return Err(CallError::Denied { xid, auth: AuthStat::BadCred }),
        },
        _ => return Err(CallError::Denied { xid, auth: AuthStat::RejectedCred }),
    };
    Ok(Call { xid, prog, vers, proc, cred, args: r.remaining() })
}

/// Appends the header of a call, with an `AUTH_NONE` verifier; the arguments follow.
pub fn put_call(buf: &mut Vec<u8>, xid: u32, prog: u32, vers: u32, proc: u32, cred: &Credential<'_>) {
    for word in [xid, CALL, RPC_VERSION, prog, vers, proc] {
        put_u32(buf, word);
    }
    cred.encode(buf);
    put_opaque_auth_none(buf);
}

//! Call messages (RFC 5531 §9), and which malformed ones deserve an answer.

use std::fmt;

use super::auth::{AUTH_NONE, AUTH_SYS, AuthStat, AuthSys, Credential, opaque_auth, put_opaque_auth_none};
use super::{CALL, RPC_VERSION};
use crate::redact::Hidden;
use crate::xdr::{self, Reader, put_u32};

/// A well-formed call; arguments are still encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
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

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("xid", &self.xid)
            .field("prog", &self.prog)
            .field("vers", &self.vers)
            .field("proc", &self.proc)
            .field("cred", &self.cred)
            .field("args", &Hidden(self.args))
            .finish()
    }
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

/// Program and procedure of a call, without a look at the rest of it.
#[must_use]
pub fn peek_call(message: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u32::from_be_bytes(*message.get(at..)?.first_chunk()?));
    Some((word(12)?, word(20)?))
}

/// Appends the header of a call, with an `AUTH_NONE` verifier; the arguments follow.
pub fn put_call(buf: &mut Vec<u8>, xid: u32, prog: u32, vers: u32, proc: u32, cred: &Credential<'_>) {
    for word in [xid, CALL, RPC_VERSION, prog, vers, proc] {
        put_u32(buf, word);
    }
    cred.encode(buf);
    put_opaque_auth_none(buf);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::MAX_AUTH_BODY;

    /// A call with credential and verifier of these flavors and body lengths.
    fn call(direction: u32, rpcvers: u32, cred: (u32, u32), verf: (u32, u32)) -> Vec<u8> {
        let mut buf = Vec::new();
        for word in [7, direction, rpcvers, 100, 2, 3] {
            put_u32(&mut buf, word);
        }
        for (flavor, len) in [cred, verf] {
            put_u32(&mut buf, flavor);
            xdr::put_opaque(&mut buf, &vec![0; len as usize]);
        }
        buf.extend_from_slice(b"args");
        buf
    }

    const NONE: (u32, u32) = (0, 0);

    fn denied(auth: AuthStat) -> Result<Call<'static>, CallError> {
        Err(CallError::Denied { xid: 7, auth })
    }

    #[test]
    fn a_call_can_be_peeked_at() {
        let mut message = Vec::new();
        put_call(&mut message, 7, 100, 2, 13, &Credential::None);
        assert_eq!(peek_call(&message), Some((100, 13)));
        assert_eq!(peek_call(&message[..23]), None);
    }

    #[test]
    fn the_verifier_is_skipped() {
        let expected = Call { xid: 7, prog: 100, vers: 2, proc: 3, cred: Credential::None, args: b"args" };
        assert_eq!(parse_call(&call(0, 2, NONE, NONE)), Ok(expected));
        assert_eq!(parse_call(&call(0, 2, (0, 12), (99, MAX_AUTH_BODY))), Ok(expected));
    }

    #[test]
    fn what_is_no_call_is_not_answered() {
        for message in [
            call(1, 2, NONE, NONE),
            call(2, 2, NONE, NONE),
            call(0, 3, NONE, NONE),
            call(0, 2, (0, MAX_AUTH_BODY + 1), NONE),
            call(0, 2, NONE, (0, MAX_AUTH_BODY + 1)),
            call(0, 2, (1, MAX_AUTH_BODY + 1), NONE),
        ] {
            assert_eq!(parse_call(&message), Err(CallError::Silent));
        }
        let whole = call(0, 2, (1, 20), (0, 8));
        for end in 0..whole.len() - b"args".len() {
            assert_eq!(parse_call(&whole[..end]), Err(CallError::Silent), "{end}");
        }
    }

    #[test]
    fn credentials_are_judged_after_the_whole_header() {
        assert_eq!(parse_call(&call(0, 2, (1, 16), NONE)), denied(AuthStat::BadCred));
        assert_eq!(parse_call(&call(0, 2, (1, 0), NONE)), denied(AuthStat::BadCred));
        assert!(matches!(parse_call(&call(0, 2, (1, 20), NONE)), Ok(Call { cred: Credential::Sys(_), .. })));
        for flavor in [2, 3, 6, 7, u32::MAX] {
            assert_eq!(parse_call(&call(0, 2, (flavor, 4), NONE)), denied(AuthStat::RejectedCred));
            assert_eq!(parse_call(&call(0, 2, (flavor, 4), (0, 401))), Err(CallError::Silent));
        }
    }
}

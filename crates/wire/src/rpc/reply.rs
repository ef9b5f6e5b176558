//! Reply messages (RFC 5531 §9).

use std::fmt;

use super::auth::{AuthStat, opaque_auth, put_opaque_auth_none};
use super::{REPLY, RPC_VERSION};
use crate::redact::Hidden;
use crate::xdr::{self, Reader, put_u32};

const MSG_ACCEPTED: u32 = 0;
const MSG_DENIED: u32 = 1;
const RPC_MISMATCH: u32 = 0;
const AUTH_ERROR: u32 = 1;

/// How an accepted call went (`accept_stat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AcceptStat {
    /// 0: executed; the result follows.
    Success,
    /// 1: no such program here.
    ProgUnavail,
    /// 2: no such version of the program here.
    ProgMismatch {
        /// Lowest version served.
        low: u32,
        /// Highest version served.
        high: u32,
    },
    /// 3: no such procedure in this version.
    ProcUnavail,
    /// 4: the arguments do not decode.
    GarbageArgs,
    /// 5: the server failed; NetInfo answers a refused BIND so.
    SystemErr,
}

impl AcceptStat {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        match self {
            Self::Success => 0,
            Self::ProgUnavail => 1,
            Self::ProgMismatch { .. } => 2,
            Self::ProcUnavail => 3,
            Self::GarbageArgs => 4,
            Self::SystemErr => 5,
        }
    }
}

/// Why a call was not accepted (`reject_stat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    /// The server speaks other RPC versions.
    RpcMismatch {
        /// Lowest RPC version served.
        low: u32,
        /// Highest RPC version served.
        high: u32,
    },
    /// The credential was refused.
    Auth(AuthStat),
}

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It was executed; these are the encoded results.
    Success(&'a [u8]),
    /// It was accepted and not executed; never [`AcceptStat::Success`].
    Failed(AcceptStat),
    /// It was not accepted.
    Denied(Denial),
}

impl fmt::Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(results) => f.debug_tuple("Success").field(&Hidden(results)).finish(),
            Self::Failed(stat) => f.debug_tuple("Failed").field(stat).finish(),
            Self::Denied(denial) => f.debug_tuple("Denied").field(denial).finish(),
        }
    }
}

/// A reply; results are still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// Transaction id of the call it answers.
    pub xid: u32,
    /// What became of the call.
    pub outcome: Outcome<'a>,
}

/// Why bytes are not a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The message type is not `REPLY`.
    #[error("not an RPC reply")]
    NotReply,
    /// The header cannot be read.
    #[error("malformed RPC reply: {0}")]
    Malformed(#[from] xdr::Error),
}

/// Appends the header of an accepted reply with an `AUTH_NONE` verifier. After
/// [`AcceptStat::Success`] the results follow; the other states are complete.
pub fn put_accepted(buf: &mut Vec<u8>, xid: u32, stat: AcceptStat) {
    for word in [xid, REPLY, MSG_ACCEPTED] {
        put_u32(buf, word);
    }
    put_opaque_auth_none(buf);
    put_u32(buf, stat.code());
    if let AcceptStat::ProgMismatch { low, high } = stat {
        put_u32(buf, low);
        put_u32(buf, high);
    }
}

/// Appends a whole reply that denies a call because of its credential.
pub fn put_denied(buf: &mut Vec<u8>, xid: u32, auth: AuthStat) {
    for word in [xid, REPLY, MSG_DENIED, AUTH_ERROR, auth.code()] {
        put_u32(buf, word);
    }
}

/// Appends a whole reply that denies a call because of its RPC version. NetInfo servers do not send
/// it; other servers do.
pub fn put_rpc_mismatch(buf: &mut Vec<u8>, xid: u32) {
    for word in [xid, REPLY, MSG_DENIED, RPC_MISMATCH, RPC_VERSION, RPC_VERSION] {
        put_u32(buf, word);
    }
}

/// Reads the header of a reply.
///
/// # Errors
/// [`ReplyError::NotReply`] for another message type, [`ReplyError::Malformed`] for a header that ends
/// early or holds an unknown discriminant.
pub fn parse_reply(message: &[u8]) -> Result<Reply<'_>, ReplyError> {
    let mut r = Reader::new(message);
    let xid = r.u32()?;
    if r.u32()? != REPLY {
        return Err(ReplyError::NotReply);
    }
    let outcome = match r.u32()? {
        MSG_ACCEPTED => accepted(&mut r)?,
        MSG_DENIED => Outcome::Denied(match r.u32()? {
            RPC_MISMATCH => Denial::RpcMismatch { low: r.u32()?, high: r.u32()? },
            AUTH_ERROR => Denial::Auth(AuthStat::from(r.u32()?)),
            other => return Err(xdr::Error::BadValue(other).into()),
        }),
        other => return Err(xdr::Error::BadValue(other).into()),
    };
    Ok(Reply { xid, outcome })
}

fn accepted<'a>(r: &mut Reader<'a>) -> Result<Outcome<'a>, xdr::Error> {
    opaque_auth(r)?;
    Ok(Outcome::Failed(match r.u32()? {
        0 => return Ok(Outcome::Success(r.remaining())),
        1 => AcceptStat::ProgUnavail,
        2 => AcceptStat::ProgMismatch { low: r.u32()?, high: r.u32()? },
        3 => AcceptStat::ProcUnavail,
        4 => AcceptStat::GarbageArgs,
        5 => AcceptStat::SystemErr,
        other => return Err(xdr::Error::BadValue(other)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_reply_is_refused() {
        let bad = |words: &[u32]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            parse_reply(&bytes).map(|reply| reply.xid)
        };
        assert_eq!(bad(&[1, 0, 0, 0, 0, 0]), Err(ReplyError::NotReply));
        assert_eq!(bad(&[1, 1, 2, 0, 0, 0]), Err(ReplyError::Malformed(xdr::Error::BadValue(2))));
        assert_eq!(bad(&[1, 1, 0, 0, 0, 6]), Err(ReplyError::Malformed(xdr::Error::BadValue(6))));
        assert_eq!(bad(&[1, 1, 1, 2, 0]), Err(ReplyError::Malformed(xdr::Error::BadValue(2))));
        for whole in
            [&[1, 1, 0, 0, 0, 0][..], &[1, 1, 0, 0, 0, 2, 1, 1], &[1, 1, 1, 0, 2, 2], &[1, 1, 1, 1, 5]]
        {
            assert!(bad(whole).is_ok());
            assert_eq!(bad(&whole[..whole.len() - 1]), Err(ReplyError::Malformed(xdr::Error::Truncated)));
        }
    }

    #[test]
    fn the_verifier_is_skipped_and_limited() {
        let reply = |len: u32| {
            let mut buf = Vec::new();
            for word in [1, REPLY, MSG_ACCEPTED, 9] {
                put_u32(&mut buf, word);
            }
            xdr::put_opaque(&mut buf, &vec![0xff; len as usize]);
            put_u32(&mut buf, 0);
            buf
        };
        assert_eq!(parse_reply(&reply(400)), Ok(Reply { xid: 1, outcome: Outcome::Success(&[]) }));
        let too_long = xdr::Error::TooLong { len: 401, max: 400 };
        assert_eq!(parse_reply(&reply(401)), Err(ReplyError::Malformed(too_long)));
    }
}

//! Calls, encoded before the clock starts, so that sending one costs the generator as little as can be.

use netinfo_wire::netinfo::{Id, LookupArgs, PROGRAM, Procedure, VERSION};
use netinfo_wire::record;
use netinfo_wire::rpc::{Credential, put_call};

use crate::data::{FIRST_USER, USERS};
use crate::{echo, people};

/// Calls of one ring. With a million users this many touch more of the database than any processor cache holds.
pub const RING: usize = 1 << 17;

/// Encoded calls, sent one after the other and then from the beginning. Call number `i` has transaction id `i`.
#[derive(Debug)]
pub struct Ring {
    bytes: Vec<u8>,
    /// Where each call ends in `bytes`.
    ends: Vec<usize>,
    /// Whether a result begins with a NetInfo status.
    pub with_status: bool,
}

/// What is called. The users are picked at random, always the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// PING: nothing but the envelope.
    Ping,
    /// LOOKUPREAD of a user by `name`.
    LookupReadName,
    /// LOOKUPREAD of a user by `uid`.
    LookupReadUid,
    /// READ of a user by object id.
    Read,
    /// To the bare server: a call of so many bytes with a reply of so many.
    Echo(usize, usize),
}

impl Call {
    /// As tables name it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Ping => "PING".into(),
            Self::LookupReadName => "LOOKUPREAD name".into(),
            Self::LookupReadUid => "LOOKUPREAD uid".into(),
            Self::Read => "READ".into(),
            Self::Echo(call, reply) => format!("bare {call}/{reply} B"),
        }
    }

    /// The users whose records the calls of a ring answer with, in the order of the calls.
    pub fn users(users: u32) -> impl Iterator<Item = u32> {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        (0..RING).map(move |_| {
            // xorshift64: good enough to have no pattern a cache could follow.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (((state >> 32) * u64::from(users)) >> 32) as u32
        })
    }

    /// Encodes a ring of this call for a domain with `users` users.
    #[must_use]
    pub fn ring(self, users: u32) -> Ring {
        let mut ring = Ring { bytes: Vec::new(), ends: Vec::with_capacity(RING), with_status: true };
        ring.with_status = !matches!(self, Self::Ping | Self::Echo(..));
        for (xid, user) in Self::users(users).enumerate() {
            self.put(&mut ring.bytes, xid as u32, user);
            ring.ends.push(ring.bytes.len());
        }
        ring
    }

    fn put(self, buf: &mut Vec<u8>, xid: u32, user: u32) {
        match self {
            Self::Ping => put(buf, xid, Procedure::Ping, |_| {}),
            Self::LookupReadName => lookup_read(buf, xid, b"name", people::name(user).as_bytes()),
            Self::LookupReadUid => lookup_read(buf, xid, b"uid", people::uid(user).as_bytes()),
            Self::Read => put(buf, xid, Procedure::Read, |buf| Id::new(FIRST_USER + user, 0).encode(buf)),
            Self::Echo(len, reply) => echo::put_call(buf, xid, len, reply),
        }
    }
}

impl Ring {
    /// The bytes of the calls `first..first + count`; both within the ring.
    #[must_use]
    pub fn calls(&self, first: usize, count: usize) -> &[u8] {
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        &self.bytes[start..self.ends[first + count - 1]]
    }

    /// Bytes of a call, on average.
    #[must_use]
    pub fn call_size(&self) -> usize {
        self.bytes.len() / self.ends.len()
    }
}

/// Appends a NetInfo call as a record: no credentials, arguments by `args`.
pub fn put(buf: &mut Vec<u8>, xid: u32, procedure: Procedure, args: impl FnOnce(&mut Vec<u8>)) {
    let mark = record::begin(buf);
    put_call(buf, xid, PROGRAM, VERSION, procedure.code(), &Credential::None);
    args(buf);
    record::end(buf, mark);
}

fn lookup_read(buf: &mut Vec<u8>, xid: u32, key: &[u8], value: &[u8]) {
    put(buf, xid, Procedure::LookupRead, |buf| LookupArgs { id: Id::new(USERS, 0), key, value }.encode(buf));
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::record::Decoder;
    use netinfo_wire::rpc::parse_call;

    #[test]
    fn rings_hold_whole_calls() {
        let ring = Call::LookupReadName.ring(1000);
        let user = Call::users(1000).nth(5).unwrap();
        let mut decoder = Decoder::new(1000);
        let bytes = ring.calls(5, 1);
        let (taken, message) = decoder.next(bytes).unwrap();
        assert_eq!(taken, bytes.len());
        let call = parse_call(message.unwrap()).unwrap();
        assert_eq!((call.xid, call.proc), (5, Procedure::LookupRead.code()));
        assert_eq!(LookupArgs::decode(call.args).unwrap().value, people::name(user).as_bytes());
        assert_eq!(ring.calls(0, RING).len() / RING, ring.call_size());
    }

    #[test]
    fn users_are_in_range_and_spread() {
        let picked: std::collections::HashSet<u32> = Call::users(1000).collect();
        assert_eq!(picked.len(), 1000);
        assert!(picked.iter().all(|user| *user < 1000));
    }

    #[test]
    fn bare_calls_have_the_size_asked_for() {
        assert_eq!(Call::Echo(88, 300).ring(100).call_size(), 88);
    }
}

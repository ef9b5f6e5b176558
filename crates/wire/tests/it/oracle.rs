//! Envelopes compared with an independent implementation, the `onc-rpc` crate. Its messages include
//! the record mark; its limit for credentials is 200 bytes.

use netinfo_wire::record;
use netinfo_wire::rpc::{
    AcceptStat, AuthStat, AuthSys, Credential, Denial, Gids, Outcome, parse_call, parse_reply, put_accepted,
    put_call, put_denied,
};
use onc_rpc::auth::{AuthFlavor, AuthUnixParams};
use onc_rpc::{
    AcceptedReply, AcceptedStatus, AuthError, CallBody, MessageType, RejectedReply, ReplyBody, RpcMessage,
};
use proptest::prelude::*;

type Theirs<'a> = RpcMessage<&'a [u8], &'a [u8]>;

fn ours_as_record(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buf = Vec::new();
    let mark = record::begin(&mut buf);
    put(&mut buf);
    record::end(&mut buf, mark);
    buf
}

fn check_call(numbers: (u32, u32, u32, u32), cred: Credential<'_>, flavor: AuthFlavor<&[u8]>, args: &[u8]) {
    let (xid, prog, vers, proc) = numbers;
    let body = CallBody::new(prog, vers, proc, flavor, AuthFlavor::AuthNone(None), args);
    let theirs = Theirs::new(xid, MessageType::Call(body));
    let bytes = theirs.serialise().unwrap();
    let ours = ours_as_record(|buf| {
        put_call(buf, xid, prog, vers, proc, &cred);
        buf.extend_from_slice(args);
    });
    assert_eq!(ours, bytes);
    let call = parse_call(&bytes[4..]).unwrap();
    assert_eq!((call.xid, call.prog, call.vers, call.proc), numbers);
    assert_eq!((call.cred, call.args), (cred, args));
    assert_eq!(Theirs::try_from(ours.as_slice()).unwrap(), theirs);
}

fn accepted() -> impl Strategy<Value = AcceptStat> {
    prop_oneof![
        Just(AcceptStat::Success),
        Just(AcceptStat::ProgUnavail),
        any::<(u32, u32)>().prop_map(|(low, high)| AcceptStat::ProgMismatch { low, high }),
        Just(AcceptStat::ProcUnavail),
        Just(AcceptStat::GarbageArgs),
        Just(AcceptStat::SystemErr),
    ]
}

proptest! {
    #[test]
    fn calls_with_auth_none(numbers in any::<(u32, u32, u32, u32)>(), args in proptest::collection::vec(any::<u8>(), 0..50)) {
        check_call(numbers, Credential::None, AuthFlavor::AuthNone(None), &args);
    }

    #[test]
    fn calls_with_auth_sys(
        numbers in any::<(u32, u32, u32, u32)>(),
        (stamp, uid, gid) in any::<(u32, u32, u32)>(),
        machine in proptest::collection::vec(any::<u8>(), 0..100),
        gids in proptest::collection::vec(any::<u32>(), 0..=16),
        args in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let sys = AuthSys { stamp, machine: &machine, uid, gid, gids: Gids::new(&gids) };
        let theirs = AuthUnixParams::new(stamp, machine.as_slice(), uid, gid, gids.iter().copied());
        check_call(numbers, Credential::Sys(sys), AuthFlavor::AuthUnix(theirs), &args);
    }

    #[test]
    fn accepted_replies(xid in any::<u32>(), stat in accepted(), results in proptest::collection::vec(any::<u8>(), 0..50)) {
        let status = match stat {
            AcceptStat::Success => AcceptedStatus::Success(results.as_slice()),
            AcceptStat::ProgUnavail => AcceptedStatus::ProgramUnavailable,
            AcceptStat::ProgMismatch { low, high } => AcceptedStatus::ProgramMismatch { low, high },
            AcceptStat::ProcUnavail => AcceptedStatus::ProcedureUnavailable,
            AcceptStat::GarbageArgs => AcceptedStatus::GarbageArgs,
            AcceptStat::SystemErr => AcceptedStatus::SystemError,
        };
        let expected = match stat {
            AcceptStat::Success => Outcome::Success(&results),
            stat => Outcome::Failed(stat),
        };
        let body = ReplyBody::Accepted(AcceptedReply::new(AuthFlavor::AuthNone(None), status));
        let bytes = Theirs::new(xid, MessageType::Reply(body)).serialise().unwrap();
        let ours = ours_as_record(|buf| {
            put_accepted(buf, xid, stat);
            if stat == AcceptStat::Success {
                buf.extend_from_slice(&results);
            }
        });
        prop_assert_eq!(&ours, &bytes);
        let reply = parse_reply(&bytes[4..]).unwrap();
        prop_assert_eq!((reply.xid, reply.outcome), (xid, expected));
    }
}

#[test]
fn denied_replies() {
    for (ours, theirs) in [
        (AuthStat::BadCred, AuthError::BadCredentials),
        (AuthStat::RejectedCred, AuthError::RejectedCredentials),
        (AuthStat::BadVerf, AuthError::BadVerifier),
        (AuthStat::RejectedVerf, AuthError::RejectedVerifier),
        (AuthStat::TooWeak, AuthError::TooWeak),
        (AuthStat::InvalidResp, AuthError::InvalidResponseVerifier),
        (AuthStat::Failed, AuthError::Failed),
    ] {
        let body = ReplyBody::Denied(RejectedReply::AuthError(theirs));
        let bytes = Theirs::new(7, MessageType::Reply(body)).serialise().unwrap();
        assert_eq!(ours_as_record(|buf| put_denied(buf, 7, ours)), bytes);
        assert_eq!(parse_reply(&bytes[4..]).unwrap().outcome, Outcome::Denied(Denial::Auth(ours)));
    }
    let body = ReplyBody::Denied(RejectedReply::RpcVersionMismatch { low: 2, high: 2 });
    let bytes = Theirs::new(7, MessageType::Reply(body)).serialise().unwrap();
    assert_eq!(ours_as_record(|buf| netinfo_wire::rpc::put_rpc_mismatch(buf, 7)), bytes);
}

//! Every recorded call and reply of the historical programs: decoded into values and encoded again,
//! the bytes are the same. Arguments the historical server called garbage do not decode.

use netinfo_testkit::golden::{Recorded, sessions, transcripts};
use netinfo_wire::netinfo::*;
use netinfo_wire::nibind::{self, BindArgs, CloneArgs, Registration};
use netinfo_wire::portmap::{self, v2};
use netinfo_wire::rpc::{
    AcceptStat, AuthStat, Call, CallError, Denial, Outcome, parse_call, parse_reply, put_accepted, put_call,
    put_denied,
};
use netinfo_wire::xdr::Error;

type Encoded = Result<Vec<u8>, Error>;

/// Decodes as `$ty` and encodes again.
macro_rules! again {
    ($ty:ident, $bytes:expr) => {
        $ty::decode($bytes).map(|value| bytes(|buf| value.encode(buf)))
    };
}

fn bytes(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buf = Vec::new();
    put(&mut buf);
    buf
}

fn netinfo_args(procedure: Procedure, args: &[u8]) -> Encoded {
    match procedure {
        Procedure::Ping
        | Procedure::Statistics
        | Procedure::Root
        | Procedure::RParent
        | Procedure::Resync => Ok(Vec::new()),
        Procedure::SelfId
        | Procedure::Parent
        | Procedure::Read
        | Procedure::Children
        | Procedure::ListProps
        | Procedure::ListAll => again!(Id, args),
        Procedure::Create => again!(CreateArgs, args),
        Procedure::Destroy => again!(DestroyArgs, args),
        Procedure::Write => again!(PropListArgs, args),
        Procedure::Lookup | Procedure::LookupRead => again!(LookupArgs, args),
        Procedure::List => again!(NameArgs, args),
        Procedure::CreateProp => again!(CreatePropArgs, args),
        Procedure::DestroyProp | Procedure::ReadProp => again!(PropArgs, args),
        Procedure::WriteProp => again!(WritePropArgs, args),
        Procedure::RenameProp => again!(PropNameArgs, args),
        Procedure::CreateName => again!(CreateNameArgs, args),
        Procedure::DestroyName | Procedure::ReadName => again!(NameIndexArgs, args),
        Procedure::WriteName => again!(WriteNameArgs, args),
        Procedure::Bind => again!(Binding, args),
        Procedure::ReadAll | Procedure::Crashed => {
            decode_checksum(args).map(|sum| bytes(|buf| put_checksum(buf, sum)))
        }
    }
}

fn nibind_args(procedure: nibind::Procedure, args: &[u8]) -> Encoded {
    use nibind::Procedure;
    match procedure {
        Procedure::Ping | Procedure::ListReg => Ok(Vec::new()),
        Procedure::Register => again!(Registration, args),
        Procedure::Unregister
        | Procedure::GetRegister
        | Procedure::CreateMaster
        | Procedure::DestroyDomain => {
            nibind::decode_tag(args).map(|tag| bytes(|buf| nibind::put_tag(buf, tag)))
        }
        Procedure::CreateClone => again!(CloneArgs, args),
        Procedure::Bind => again!(BindArgs, args),
    }
}

fn portmap_args(procedure: v2::Procedure, args: &[u8]) -> Encoded {
    use v2::{CallItArgs, Mapping, Procedure};
    match procedure {
        Procedure::Null | Procedure::Dump => Ok(Vec::new()),
        Procedure::Set | Procedure::Unset | Procedure::GetPort => again!(Mapping, args),
        Procedure::CallIt => again!(CallItArgs, args),
    }
}

/// The arguments encoded again; `None` for a procedure that does not exist.
fn args_again(call: &Call<'_>) -> Option<Encoded> {
    Some(match (call.prog, call.vers) {
        (PROGRAM, VERSION) => netinfo_args(Procedure::try_from(call.proc).ok()?, call.args),
        (nibind::PROGRAM, nibind::VERSION) => {
            nibind_args(nibind::Procedure::try_from(call.proc).ok()?, call.args)
        }
        (portmap::PROGRAM, portmap::PORTMAP_VERSION) => {
            portmap_args(v2::Procedure::try_from(call.proc).ok()?, call.args)
        }
        _ => return None,
    })
}

fn put_names(buf: &mut Vec<u8>, names: &[Vec<u8>]) {
    let mut list = NameListWriter::new(buf);
    names.iter().for_each(|name| list.name(name));
}

fn put_props(buf: &mut Vec<u8>, props: &[Property]) {
    let mut list = PropListWriter::new(buf);
    props.iter().for_each(|p| list.property_with(&p.name, &p.values));
}

fn put_ids(buf: &mut Vec<u8>, ids: &[u32]) {
    let mut list = IdListWriter::new(buf);
    ids.iter().for_each(|id| list.id(*id));
}

fn put_entries(buf: &mut Vec<u8>, entries: &[Entry]) {
    put_count(buf, entries.len() as u32);
    for entry in entries {
        put_count(buf, entry.id);
        put_bool(buf, entry.names.is_some());
        if let Some(names) = &entry.names {
            put_names(buf, names);
        }
    }
}

/// Encodes a NetInfo result again; the status has been written unless the result has none.
fn put_netinfo_result(buf: &mut Vec<u8>, procedure: Procedure, results: &[u8]) -> Answer<()> {
    match procedure {
        Procedure::Ping
        | Procedure::Bind
        | Procedure::Crashed
        | Procedure::Statistics
        | Procedure::Resync => {}
        Procedure::Parent => {
            let (parent, id) = decode_parent_res(results)?;
            put_count(buf, parent);
            put_id(buf, id);
        }
        Procedure::Create => {
            let created = decode_create_res(results)?;
            put_id(buf, created.id);
            put_id(buf, created.parent);
        }
        Procedure::Read | Procedure::LookupRead => {
            let (id, props) = decode_proplist_res(results)?;
            put_id(buf, id);
            put_props(buf, &props);
        }
        Procedure::Children | Procedure::Lookup => {
            let (ids, id) = decode_children_res(results)?;
            put_ids(buf, &ids);
            put_id(buf, id);
        }
        Procedure::List => {
            let (entries, id) = decode_list_res(results)?;
            put_entries(buf, &entries);
            put_id(buf, id);
        }
        Procedure::ListAll => {
            let (id, lists) = decode_listall_res(results)?;
            put_id(buf, id);
            put_count(buf, lists.len() as u32);
            lists.iter().for_each(|props| put_props(buf, props));
        }
        Procedure::ReadProp | Procedure::ListProps => {
            let (names, id) = decode_namelist_res(results)?;
            put_names(buf, &names);
            put_id(buf, id);
        }
        Procedure::ReadName => {
            let (id, name) = decode_readname_res(results)?;
            put_id(buf, id);
            put_name(buf, &name);
        }
        Procedure::RParent => {
            let parent = decode_rparent_res(results)?;
            put_binding(buf, &parent.tag, parent.addr);
        }
        Procedure::ReadAll => {
            let all = ReadAll::decode(results)?;
            put_readall_head(buf, all.checksum, all.highest_id);
            for object in all {
                object?.encode(buf);
            }
            put_more(buf, false);
        }
        Procedure::Root | Procedure::SelfId => put_id(buf, decode_id_res(results)?),
        _ => {
            assert!(procedure.is_write(), "{procedure:?}");
            put_id(buf, decode_id_res(results)?);
        }
    }
    Ok(())
}

fn netinfo_result(procedure: Procedure, results: &[u8]) -> Vec<u8> {
    match procedure {
        Procedure::Ping | Procedure::Bind | Procedure::Crashed => Vec::new(),
        Procedure::Statistics => bytes(|buf| put_props(buf, &decode_statistics(results).unwrap())),
        _ => {
            let mut buf = bytes(|buf| put_status(buf, Status::Ok));
            match put_netinfo_result(&mut buf, procedure, results) {
                Ok(()) => buf,
                Err(Failure::Status(status)) => bytes(|buf| put_status(buf, status)),
                Err(Failure::Malformed(error)) => panic!("{procedure:?}: {error}"),
            }
        }
    }
}

fn nibind_result(procedure: nibind::Procedure, results: &[u8]) -> Vec<u8> {
    use nibind::Procedure;
    let encoded =
        match procedure {
            Procedure::Ping | Procedure::Bind => return Vec::new(),
            Procedure::GetRegister => nibind::decode_getregister_res(results)
                .map(|a| bytes(|buf| nibind::put_getregister_res(buf, a))),
            Procedure::ListReg => nibind::decode_listreg_res(results)
                .map(|list| bytes(|buf| nibind::put_listreg_res(buf, list))),
            _ => decode_status(results).map(|()| bytes(|buf| put_status(buf, Status::Ok))),
        };
    match encoded {
        Ok(buf) => buf,
        Err(Failure::Status(status)) => bytes(|buf| put_status(buf, status)),
        Err(Failure::Malformed(error)) => panic!("{procedure:?}: {error}"),
    }
}

fn portmap_result(procedure: v2::Procedure, results: &[u8]) -> Vec<u8> {
    use v2::Procedure;
    match procedure {
        Procedure::Null => Vec::new(),
        Procedure::Set | Procedure::Unset => {
            bytes(|buf| v2::put_done(buf, v2::decode_done(results).unwrap()))
        }
        Procedure::GetPort => bytes(|buf| v2::put_port(buf, v2::decode_port(results).unwrap())),
        Procedure::Dump => bytes(|buf| v2::put_dump(buf, v2::decode_dump(results).unwrap())),
        Procedure::CallIt => bytes(|buf| v2::CallItResult::decode(results).unwrap().encode(buf)),
    }
}

fn results_again(call: &Call<'_>, results: &[u8]) -> Vec<u8> {
    match call.prog {
        PROGRAM => netinfo_result(call.proc.try_into().unwrap(), results),
        nibind::PROGRAM => nibind_result(call.proc.try_into().unwrap(), results),
        portmap::PROGRAM => portmap_result(call.proc.try_into().unwrap(), results),
        other => panic!("program {other}"),
    }
}

/// The whole reply, decoded and encoded again.
fn reply_again(call: Option<&Call<'_>>, reply: &[u8]) -> Vec<u8> {
    let parsed = parse_reply(reply).unwrap();
    bytes(|buf| match parsed.outcome {
        Outcome::Success(results) => {
            put_accepted(buf, parsed.xid, AcceptStat::Success);
            buf.extend(results_again(call.expect("a success answers a proper call"), results));
        }
        Outcome::Failed(stat) => put_accepted(buf, parsed.xid, stat),
        Outcome::Denied(Denial::Auth(auth)) => put_denied(buf, parsed.xid, auth),
        Outcome::Denied(other) => panic!("{other:?}"),
    })
}

fn outcome(recorded: &Recorded) -> Option<Outcome<'_>> {
    recorded.reply.as_deref().map(|reply| parse_reply(reply).unwrap().outcome)
}

/// A call that the envelope already disqualifies was answered by the historical server as we would.
fn check_refusal(recorded: &Recorded, error: CallError) {
    let expected = match error {
        CallError::Silent => None,
        CallError::Denied { auth, .. } => Some(Outcome::Denied(Denial::Auth(auth))),
    };
    assert_eq!(outcome(recorded), expected, "{}", recorded.label());
}

/// Compares arguments; returns whether they came back exactly.
fn check_args(recorded: &Recorded, call: &Call<'_>) -> bool {
    let garbage = outcome(recorded) == Some(Outcome::Failed(AcceptStat::GarbageArgs));
    match args_again(call) {
        None => {
            let failed = matches!(outcome(recorded), Some(Outcome::Failed(_)));
            assert!(failed, "{}: answered without a procedure", recorded.label());
            true
        }
        Some(Err(_)) => {
            assert!(garbage, "{}: arguments do not decode", recorded.label());
            true
        }
        Some(Ok(args)) => {
            assert!(!garbage, "{}: garbage decodes", recorded.label());
            args == call.args
        }
    }
}

fn check_all(recordings: &[Recorded]) -> Vec<String> {
    let mut inexact = Vec::new();
    for recorded in recordings {
        let call = parse_call(&recorded.request);
        if let Some(reply) = &recorded.reply {
            assert_eq!(&reply_again(call.as_ref().ok(), reply), reply, "{}", recorded.label());
        }
        let call = match call {
            Ok(call) => call,
            Err(error) => {
                check_refusal(recorded, error);
                continue;
            }
        };
        let header = &recorded.request[..recorded.request.len() - call.args.len()];
        let ours = bytes(|buf| put_call(buf, call.xid, call.prog, call.vers, call.proc, &call.cred));
        assert_eq!(ours, header, "{}", recorded.label());
        let denied = matches!(outcome(recorded), Some(Outcome::Denied(Denial::Auth(AuthStat::TooWeak))));
        if !denied && !check_args(recorded, &call) {
            inexact.push(recorded.label());
        }
    }
    inexact
}

#[test]
fn sessions_come_back_byte_for_byte() {
    let expected = [
        "master 19 self with trailing junk after the id: accepted",
        "master 147 create with a NUL byte inside a value",
    ];
    assert_eq!(check_all(&sessions()), expected);
}

#[test]
fn transcripts_come_back_byte_for_byte() {
    assert_eq!(check_all(&transcripts()), [""; 0]);
}

#[test]
fn a_nul_cuts_the_recorded_value() {
    let sessions = sessions();
    let recorded = sessions.iter().find(|call| call.text("name").contains("NUL byte")).unwrap();
    let call = parse_call(&recorded.request).unwrap();
    let args = CreateArgs::decode(call.args).unwrap();
    assert_eq!(args.props.to_vec(), [Property::new("name", ["nul"])]);
}

//! The portmapper (version 2) and rpcbind (versions 3 and 4), for nodes where no other runs.
//!
//! Indirect calls are passed on to the binder only, and of it only to the procedures that are open to everybody: an
//! indirect call seems to come from this host, and must not gain anything by that.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use netinfo_directory::Origin;
use netinfo_wire::netinfo as ni;
use netinfo_wire::nibind;
use netinfo_wire::portmap::rpcbind::{self, AddrEntry, Rpcb};
use netinfo_wire::portmap::v2::{self, CallItArgs, Mapping};
use netinfo_wire::portmap::{
    IPPROTO_TCP, IPPROTO_UDP, PORTMAP_VERSION, PROGRAM, RPCBIND_VERSION_3, RPCBIND_VERSION_4, uaddr,
};
use netinfo_wire::rpc::{AcceptStat, Call, Outcome, parse_reply, put_accepted};
use netinfo_wire::xdr;

use super::{Caller, Context, Port, Step, Transport, accepted, now, refuse};
use crate::node::Running;

/// Most programs other processes of this host may register.
pub(crate) const MAX_MAPPINGS: usize = 1024;

/// Programs other processes have registered here.
#[derive(Default)]
pub(crate) struct Mappings(Mutex<Vec<Mapping>>);

impl Mappings {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Mapping>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers one call.
pub(crate) fn call(node: &Arc<Running>, context: &Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    let answered = match call.vers {
        PORTMAP_VERSION => match v2::Procedure::try_from(call.proc) {
            Ok(procedure) => portmap(node, &context.caller, procedure, call, out),
            Err(_) => return refuse(out, call.xid, AcceptStat::ProcUnavail),
        },
        RPCBIND_VERSION_3 | RPCBIND_VERSION_4 => match rpcbind::Procedure::in_version(call.vers, call.proc) {
            Ok(procedure) => rpcbind_call(node, &context.caller, procedure, call, out),
            Err(_) => return refuse(out, call.xid, AcceptStat::ProcUnavail),
        },
        _ => {
            let stat = AcceptStat::ProgMismatch { low: PORTMAP_VERSION, high: RPCBIND_VERSION_4 };
            return refuse(out, call.xid, stat);
        }
    };
    answered.unwrap_or_else(|_| {
        out.clear();
        refuse(out, call.xid, AcceptStat::GarbageArgs)
    })
}

type Answered = Result<Step, xdr::Error>;

fn portmap(
    node: &Arc<Running>,
    caller: &Caller,
    procedure: v2::Procedure,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Answered {
    let mark = out.len();
    put_accepted(out, call.xid, AcceptStat::Success);
    match procedure {
        v2::Procedure::Null => {}
        v2::Procedure::Set => {
            let mapping = Mapping::decode(call.args)?;
            v2::put_done(out, set(node, caller, mapping));
        }
        v2::Procedure::Unset => {
            let mapping = Mapping::decode(call.args)?;
            v2::put_done(out, unset(node, caller, mapping.prog, mapping.vers));
        }
        v2::Procedure::GetPort => {
            let wanted = Mapping::decode(call.args)?;
            v2::put_port(out, find(node, &wanted).and_then(|m| u16::try_from(m.port).ok()));
        }
        v2::Procedure::Dump if amplifies(caller) => out.truncate(mark),
        v2::Procedure::Dump => v2::put_dump(out, all(node)),
        v2::Procedure::CallIt => {
            out.truncate(mark);
            let args = CallItArgs::decode(call.args)?;
            return Ok(indirect(node, caller, &args, call, Answer::Portmap));
        }
    }
    Ok(Step::Done)
}

fn rpcbind_call(
    node: &Arc<Running>,
    caller: &Caller,
    procedure: rpcbind::Procedure,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Answered {
    use rpcbind::Procedure as P;
    let mark = out.len();
    put_accepted(out, call.xid, AcceptStat::Success);
    match procedure {
        P::Null => {}
        P::Set => {
            let args = Rpcb::decode(call.args)?;
            let done = mapping_of(&args).is_some_and(|m| set(node, caller, m));
            v2::put_done(out, done);
        }
        P::Unset => {
            let args = Rpcb::decode(call.args)?;
            v2::put_done(out, unset(node, caller, args.prog, args.vers));
        }
        P::GetAddr | P::GetVersAddr => {
            let args = Rpcb::decode(call.args)?;
            let found = match_program(node, caller, args.prog, args.vers, procedure == P::GetVersAddr);
            let text =
                found.map(|port| uaddr::format(SocketAddr::new(local_ip(caller), port))).unwrap_or_default();
            rpcbind::put_text(out, text.as_bytes());
        }
        P::Dump if amplifies(caller) => out.truncate(mark),
        P::Dump => put_rpcb_dump(node, out),
        P::GetTime => rpcbind::put_time(out, u32::try_from(now() / 1000).unwrap_or(u32::MAX)),
        P::GetAddrList => {
            let args = Rpcb::decode(call.args)?;
            put_addr_list(node, caller, args.prog, args.vers, out);
        }
        P::Bcast | P::Indirect => {
            out.truncate(mark);
            let args = CallItArgs::decode(call.args)?;
            let answer = if procedure == P::Indirect { Answer::Indirect } else { Answer::Rpcbind };
            return Ok(indirect(node, caller, &args, call, answer));
        }
        P::Uaddr2Taddr | P::Taddr2Uaddr | P::GetStat => {
            out.truncate(mark);
            return Ok(refuse(out, call.xid, AcceptStat::ProcUnavail));
        }
    }
    Ok(Step::Done)
}

/// A list sent to an address that nobody has proved to be his would serve to flood others: over UDP only this host
/// gets it. `rpcinfo -p` asks over TCP.
fn amplifies(caller: &Caller) -> bool {
    caller.transport == Transport::Udp && matches!(caller.origin, Origin::Network { own: false, .. })
}

/// Every mapping: the portmapper's own, the binder's, then what others registered.
fn all(node: &Running) -> Vec<Mapping> {
    let mut list = Vec::new();
    if let Some(pair) = node.portmap_ports() {
        for vers in [RPCBIND_VERSION_4, RPCBIND_VERSION_3, PORTMAP_VERSION] {
            list.push(Mapping { prog: PROGRAM, vers, prot: IPPROTO_TCP, port: pair.tcp.port().into() });
            list.push(Mapping { prog: PROGRAM, vers, prot: IPPROTO_UDP, port: pair.udp.port().into() });
        }
    }
    if let Some(pair) = node.binder_ports() {
        let (prog, vers) = (nibind::PROGRAM, nibind::VERSION);
        list.push(Mapping { prog, vers, prot: IPPROTO_UDP, port: pair.udp.port().into() });
        list.push(Mapping { prog, vers, prot: IPPROTO_TCP, port: pair.tcp.port().into() });
    }
    list.extend(node.mappings.lock().iter().copied());
    list
}

/// GETPORT: the version asked for, else any version of the program.
fn find(node: &Running, wanted: &Mapping) -> Option<Mapping> {
    let list: Vec<_> =
        all(node).into_iter().filter(|m| m.prog == wanted.prog && m.prot == wanted.prot).collect();
    list.iter().find(|m| m.vers == wanted.vers).or_else(|| list.first()).copied()
}

fn protocol(caller: &Caller) -> u32 {
    if caller.transport == Transport::Udp { IPPROTO_UDP } else { IPPROTO_TCP }
}

fn match_program(node: &Running, caller: &Caller, prog: u32, vers: u32, exactly: bool) -> Option<u16> {
    let wanted = Mapping { prog, vers, prot: protocol(caller), port: 0 };
    find(node, &wanted).filter(|m| !exactly || m.vers == vers).and_then(|m| u16::try_from(m.port).ok())
}

fn local_ip(caller: &Caller) -> IpAddr {
    caller.local.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_canonical()
}

/// Programs may be registered by processes of this host only; our own never, and those of others with a reserved port
/// only by the superuser.
fn set(node: &Running, caller: &Caller, mapping: Mapping) -> bool {
    let mut list = node.mappings.lock();
    let taken = list.iter().any(|m| (m.prog, m.vers, m.prot) == (mapping.prog, mapping.vers, mapping.prot));
    if !may_register(caller, mapping.prog, mapping.port) || taken || list.len() >= MAX_MAPPINGS {
        return false;
    }
    list.push(mapping);
    true
}

fn unset(node: &Running, caller: &Caller, prog: u32, vers: u32) -> bool {
    let mut list = node.mappings.lock();
    let before = list.len();
    list.retain(|m| (m.prog, m.vers) != (prog, vers) || !may_register(caller, prog, m.port));
    list.len() < before
}

fn may_register(caller: &Caller, prog: u32, port: u32) -> bool {
    let own = match caller.origin {
        Origin::Network { own, .. } => own && caller.transport != Transport::Udp,
        _ => true,
    };
    let ours = matches!(prog, PROGRAM | nibind::PROGRAM | ni::PROGRAM);
    (own || caller.origin.is_local_root())
        && !ours
        && port <= 0xFFFF
        && (port >= 1024 || caller.origin.is_local_root())
}

fn mapping_of(args: &Rpcb<'_>) -> Option<Mapping> {
    let prot = match args.netid {
        b"tcp" | b"tcp6" => IPPROTO_TCP,
        b"udp" | b"udp6" => IPPROTO_UDP,
        _ => return None,
    };
    let port = uaddr::parse(args.addr).ok()?.port().into();
    Some(Mapping { prog: args.prog, vers: args.vers, prot, port })
}

fn put_rpcb_dump(node: &Running, out: &mut Vec<u8>) {
    let any = IpAddr::from([0, 0, 0, 0]);
    let list = all(node);
    let texts: Vec<String> = list
        .iter()
        .map(|m| uaddr::format(SocketAddr::new(any, u16::try_from(m.port).unwrap_or(0))))
        .collect();
    let entries = list.iter().zip(&texts).map(|(m, text)| Rpcb {
        prog: m.prog,
        vers: m.vers,
        netid: if m.prot == IPPROTO_TCP { b"tcp" } else { b"udp" },
        addr: text.as_bytes(),
        owner: b"superuser",
    });
    rpcbind::put_dump(out, entries);
}

fn put_addr_list(node: &Running, caller: &Caller, prog: u32, vers: u32, out: &mut Vec<u8>) {
    let found: Vec<_> = all(node).into_iter().filter(|m| m.prog == prog && m.vers == vers).collect();
    let ip = local_ip(caller);
    let texts: Vec<String> = found
        .iter()
        .map(|m| uaddr::format(SocketAddr::new(ip, u16::try_from(m.port).unwrap_or(0))))
        .collect();
    let entries = found.iter().zip(&texts).map(|(m, text)| {
        let stream = m.prot == IPPROTO_TCP;
        AddrEntry {
            maddr: text.as_bytes(),
            netid: if stream { b"tcp" } else { b"udp" },
            semantics: if stream { 3 } else { 1 },
            family: b"inet",
            proto: if stream { b"tcp" } else { b"udp" },
        }
    });
    rpcbind::put_addr_list(out, entries);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Portmap,
    Rpcbind,
    Indirect,
}

/// CALLIT and its kin: silent unless the inner call succeeds (INDIRECT answers failures too).
fn indirect(
    node: &Arc<Running>,
    caller: &Caller,
    args: &CallItArgs<'_>,
    outer: &Call<'_>,
    answer: Answer,
) -> Step {
    let xid = outer.xid;
    let silent = || match answer {
        Answer::Indirect => Step::Later(Box::pin(async move {
            let mut out = Vec::new();
            put_accepted(&mut out, xid, AcceptStat::SystemErr);
            out
        })),
        _ => Step::Done,
    };
    let open = nibind::Procedure::try_from(args.proc).is_ok_and(nibind::Procedure::allowed_over_udp);
    let Some(ports) = node.binder_ports().filter(|_| args.prog == nibind::PROGRAM && open) else {
        return silent();
    };
    // The inner call is made over a datagram whatever carried the outer one: only open procedures pass.
    let inner_caller = Caller { transport: Transport::Udp, ..*caller };
    let context = Context::new(0, inner_caller, Port::Binder);
    let inner = Call {
        xid,
        prog: args.prog,
        vers: args.vers,
        proc: args.proc,
        // Nothing that passes is allowed more for it; BIND takes the name of the machine from it.
        cred: outer.cred,
        args: args.args,
    };
    let mut out = Vec::new();
    let step = super::binder::call(node, &context, &inner, &mut out);
    let address = SocketAddr::new(local_ip(caller), ports.udp.port());
    Step::Later(Box::pin(async move {
        let reply = match step {
            Step::Done => out,
            Step::Later(future) => future.await,
            Step::Propose(_) | Step::Pages(_) | Step::Stream(_) => Vec::new(),
        };
        match parse_reply(&reply).map(|r| r.outcome) {
            Ok(Outcome::Success(results)) => wrap(xid, answer, address, results),
            _ if answer == Answer::Indirect => {
                let mut out = Vec::new();
                put_accepted(&mut out, xid, AcceptStat::SystemErr);
                out
            }
            _ => Vec::new(),
        }
    }))
}

fn wrap(xid: u32, answer: Answer, address: SocketAddr, results: &[u8]) -> Vec<u8> {
    let mut out = accepted(xid);
    if answer == Answer::Portmap {
        v2::CallItResult { port: address.port().into(), results }.encode(&mut out);
    } else {
        let text = uaddr::format(address);
        rpcbind::CallItResult { addr: text.as_bytes(), results }.encode(&mut out);
    }
    out
}

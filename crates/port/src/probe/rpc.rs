//! ONC RPC (RFC 5531): which of the programs that matter here answer, and what they tell.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use netinfo_wire::netinfo::{self, Procedure as NetInfo, Property, decode_statistics};
use netinfo_wire::nibind::{self, Procedure as Binder, decode_listreg_res};
use netinfo_wire::portmap::v2::{self, Mapping};
use netinfo_wire::portmap::{IPPROTO_TCP, IPPROTO_UDP, PORT, PORTMAP_VERSION, PROGRAM as PORTMAP};
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::{Credential, Outcome as Answer, parse_reply, put_call};

use super::budget::{Budget, Timed};
use super::tcp::{self, Outcome};
use super::verdict::{Domain, Rpc, ServedDomain, Verdict};
use crate::limits::{MAX_ANSWER, MAX_BANNER, MAX_LISTED};
use crate::socket::Transport;

/// The null procedure that every program has.
const NULL: u32 = 0;

/// A procedure of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    program: u32,
    version: u32,
    procedure: u32,
}

/// The null procedure of the binder: the first question, which any RPC server answers in one way or another.
pub(super) const FIRST: Call = Call { program: nibind::PROGRAM, version: nibind::VERSION, procedure: NULL };

/// What came of a call.
pub(super) enum Reply {
    /// Its results.
    Done(Vec<u8>),
    /// An RPC server that did not carry it out.
    Refused,
}

/// A way to call procedures.
pub(super) trait Caller {
    /// Calls a procedure without arguments.
    fn call(&mut self, call: Call, budget: &mut Budget) -> Result<Reply, Outcome>;
}

/// Asks over a new connection.
pub(super) fn ask(stream: TcpStream, target: SocketAddr, budget: &mut Budget) -> Outcome {
    let mut caller = Stream { stream, decoder: Decoder::new(MAX_ANSWER), xid: start() };
    match caller.call(FIRST, budget) {
        Ok(reply) => Outcome::Found(Box::new(Verdict::Rpc(inquire(
            &mut caller,
            reply,
            target,
            Transport::Tcp,
            budget,
        )))),
        Err(outcome) => outcome,
    }
}

/// Asks everything else, after the answer to [`FIRST`] has shown an RPC server.
pub(super) fn inquire(
    caller: &mut dyn Caller,
    first: Reply,
    target: SocketAddr,
    transport: Transport,
    budget: &mut Budget,
) -> Rpc {
    let mut rpc = Rpc::default();
    let mut results =
        |program, version, procedure| match caller.call(Call { program, version, procedure }, budget) {
            Ok(Reply::Done(results)) => Some(results),
            _ => None,
        };
    if matches!(first, Reply::Done(_)) {
        let list = results(nibind::PROGRAM, nibind::VERSION, Binder::ListReg.code());
        rpc.binder = Some(list.map(|list| domains(&list)).unwrap_or_default());
    }
    if results(netinfo::PROGRAM, netinfo::VERSION, NULL).is_some() {
        let told = results(netinfo::PROGRAM, netinfo::VERSION, NetInfo::Statistics.code());
        rpc.domain = Some(told.map(|told| statistics(&told)).unwrap_or_default());
    }
    if results(PORTMAP, PORTMAP_VERSION, NULL).is_some() {
        let list = results(PORTMAP, PORTMAP_VERSION, v2::Procedure::Dump.code());
        rpc.mappings = Some(list.map(|list| mappings(&list)).unwrap_or_default());
    }
    if rpc.is_netinfo() && rpc.domain.as_ref().is_none_or(|domain| domain.version.is_none()) {
        rpc.domain = elsewhere(&rpc, target, transport, budget).or(rpc.domain);
    }
    if rpc == Rpc::default() {
        rpc.registered = registered(target, transport, budget);
    }
    rpc
}

/// Asks for the statistics over TCP, of the first domain of a binder on a port of its own: binders have none, and over
/// UDP they may be too long for an answer.
fn elsewhere(rpc: &Rpc, target: SocketAddr, transport: Transport, budget: &mut Budget) -> Option<Domain> {
    let served = rpc.binder.iter().flatten().filter_map(|domain| u16::try_from(domain.tcp).ok());
    let own = (transport == Transport::Udp && rpc.domain.is_some()).then(|| target.port());
    let port = own.into_iter().chain(served).find(|port| *port != 0)?;
    let call =
        Call { program: netinfo::PROGRAM, version: netinfo::VERSION, procedure: NetInfo::Statistics.code() };
    match single(SocketAddr::new(target.ip(), port), call, budget)? {
        Reply::Done(results) => Some(statistics(&results)),
        Reply::Refused => None,
    }
}

/// Asks the portmapper of the host what it knows at this port.
fn registered(target: SocketAddr, transport: Transport, budget: &mut Budget) -> Vec<(u32, u32)> {
    let protocol = match transport {
        Transport::Tcp => IPPROTO_TCP,
        Transport::Udp => IPPROTO_UDP,
    };
    let call = Call { program: PORTMAP, version: PORTMAP_VERSION, procedure: v2::Procedure::Dump.code() };
    let Some(Reply::Done(list)) = single(SocketAddr::new(target.ip(), PORT), call, budget) else {
        return Vec::new();
    };
    let here = |m: &Mapping| m.port == u32::from(target.port()) && m.prot == protocol;
    let mut found: Vec<_> = mappings(&list).into_iter().filter(here).map(|m| (m.prog, m.vers)).collect();
    found.truncate(MAX_LISTED);
    found
}

/// One call over a connection of its own.
fn single(target: SocketAddr, call: Call, budget: &mut Budget) -> Option<Reply> {
    let stream = tcp::connect(target, budget).ok()?;
    let mut caller = Stream { stream, decoder: Decoder::new(MAX_ANSWER), xid: start() };
    caller.call(call, budget).ok()
}

fn domains(results: &[u8]) -> Vec<ServedDomain> {
    let list = decode_listreg_res(results).unwrap_or_default();
    let domain = |r: nibind::Registration<'_>| ServedDomain {
        tag: r.tag.to_vec(),
        tcp: r.addrs.tcp_port,
        udp: r.addrs.udp_port,
    };
    list.into_iter().take(MAX_LISTED).map(domain).collect()
}

fn statistics(results: &[u8]) -> Domain {
    let properties = decode_statistics(results).unwrap_or_default();
    let value = |key: &[u8], at: usize| {
        let property = properties.iter().find(|p: &&Property| p.name == key)?;
        property.values.get(at).map(|value| value.iter().copied().take(MAX_BANNER).collect())
    };
    Domain {
        version: value(b"server_version", 0),
        tag: value(b"tag", 0),
        role: value(b"tag", 1),
        hostname: value(b"hostname", 0),
    }
}

fn mappings(results: &[u8]) -> Vec<Mapping> {
    v2::decode_dump(results).unwrap_or_default()
}

/// The first transaction id.
pub(super) fn start() -> u32 {
    getrandom::u32().unwrap_or_else(|_| std::process::id())
}

/// Appends a call without arguments.
pub(super) fn put(buf: &mut Vec<u8>, xid: u32, call: Call) {
    put_call(buf, xid, call.program, call.version, call.procedure, &Credential::None);
}

/// The reply to call `xid` in a message; `None` if it is none.
pub(super) fn reply(message: &[u8], xid: u32) -> Option<Reply> {
    let reply = parse_reply(message).ok().filter(|reply| reply.xid == xid)?;
    Some(match reply.outcome {
        Answer::Success(results) => Reply::Done(results.to_vec()),
        Answer::Failed(_) | Answer::Denied(_) => Reply::Refused,
    })
}

/// Calls over TCP, as records (RFC 5531 §11).
struct Stream {
    stream: TcpStream,
    decoder: Decoder,
    xid: u32,
}

impl Caller for Stream {
    fn call(&mut self, call: Call, budget: &mut Budget) -> Result<Reply, Outcome> {
        let until = budget.question().ok_or(Outcome::Silent)?;
        self.xid = self.xid.wrapping_add(1);
        let mut message = Vec::new();
        let mark = record::begin(&mut message);
        put(&mut message, self.xid, call);
        record::end(&mut message, mark);
        let mut stream = Timed::new(&self.stream, until);
        stream.write_all(&message).map_err(|e| Outcome::of(&e))?;
        let mut said = Vec::new();
        let mut buf = [0; 4096];
        // The decoder limits what it takes, and the moment `until` how long it may take.
        loop {
            let input = match stream.read(&mut buf) {
                Ok(0) => return Err(said_or(said, &io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => buf.get(..n).unwrap_or_default(),
                Err(error) => return Err(said_or(said, &error)),
            };
            let room = MAX_BANNER.saturating_sub(said.len());
            said.extend(input.iter().take(room));
            match self.decoder.next(input) {
                Ok((_, Some(message))) => return reply(message, self.xid).ok_or(Outcome::Said(said)),
                Ok((_, None)) => {}
                Err(_) => return Err(Outcome::Said(said)),
            }
        }
    }
}

/// What was said before an error, if anything was.
fn said_or(said: Vec<u8>, error: &io::Error) -> Outcome {
    if said.is_empty() { Outcome::of(error) } else { Outcome::Said(said) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_results_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(domains(&bytes).len() <= MAX_LISTED);
            let _ = (statistics(&bytes), mappings(&bytes), reply(&bytes, 1).is_some());
        }
    }
}

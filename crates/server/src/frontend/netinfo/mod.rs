//! The NetInfo program: 29 procedures on a domain.

mod ahead;
mod bind;
mod listing;
mod reads;
mod statistics;
mod status;
mod writes;

pub(crate) use ahead::look_ahead;
pub(crate) use bind::admits;
pub(crate) use status::status_of;
pub(crate) use writes::{change, encode_outcome};

use std::sync::Arc;
use std::time::Instant;

use netinfo_directory::Credentials;
use netinfo_wire::netinfo::{PROGRAM, Procedure, Status, VERSION, decode_checksum, put_status};
use netinfo_wire::rpc::{AcceptStat, Call, put_accepted};
use netinfo_wire::xdr;

use super::{Context, OwnedCredentials, Port, Proposal, Selected, Step, Transport, deny_too_weak, refuse};
use crate::node::Running;
use crate::served::Served;

/// Why a procedure has no result.
pub(crate) enum Refusal {
    /// The arguments do not decode.
    Garbage,
    /// The core refused.
    Core(netinfo_directory::Error),
}

impl From<xdr::Error> for Refusal {
    fn from(_: xdr::Error) -> Self {
        Self::Garbage
    }
}

impl From<netinfo_directory::Error> for Refusal {
    fn from(error: netinfo_directory::Error) -> Self {
        Self::Core(error)
    }
}

/// Answers one call.
pub(crate) fn call(node: &Arc<Running>, context: &mut Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    if call.vers != VERSION {
        return refuse(out, call.xid, AcceptStat::ProgMismatch { low: VERSION, high: VERSION });
    }
    let procedure = Procedure::try_from(call.proc);
    if context.caller.transport == Transport::Udp && !procedure.is_ok_and(Procedure::allowed_over_udp) {
        return deny_too_weak(out, call.xid);
    }
    let Ok(procedure) = procedure else {
        return refuse(out, call.xid, AcceptStat::ProcUnavail);
    };
    if procedure == Procedure::Ping {
        put_accepted(out, call.xid, AcceptStat::Success);
        if let Some(served) = context.domain() {
            served.tally.count(procedure, std::time::Duration::ZERO);
        }
        return Step::Done;
    }
    if procedure == Procedure::Bind {
        context.clock.pause();
        return bind::call(node, context, call, out);
    }
    if select(node, context).is_none() {
        return deny_too_weak(out, call.xid);
    }
    let start = context.clock.begin();
    let mark = out.len();
    let result = if procedure.is_write() {
        propose(context, procedure, call)
    } else {
        put_accepted(out, call.xid, AcceptStat::Success);
        match reads::answers(procedure) {
            true => read(context, procedure, call.args, out),
            false => other(node, context, procedure, call, out),
        }
    };
    match result {
        Ok(Some(Step::Propose(proposal))) => return Step::Propose(proposal),
        Ok(Some(step)) => {
            out.truncate(mark);
            count(context, procedure, start);
            return step;
        }
        Ok(None) => {}
        Err(refusal) => {
            write_refusal(out, mark, call.xid, &refusal);
            if matches!(refusal, Refusal::Garbage) {
                // Not executed, so not counted.
                return Step::Done;
            }
        }
    }
    count(context, procedure, start);
    Step::Done
}

/// Notes how long a call has taken.
fn count(context: &mut Context, procedure: Procedure, start: Instant) {
    let time = context.clock.end(start);
    if let Some(selected) = &context.selected {
        selected.served.tally.count(procedure, time);
    }
}

/// Puts a refusal in place of whatever was written since `mark`.
fn write_refusal(out: &mut Vec<u8>, mark: usize, xid: u32, refusal: &Refusal) {
    out.truncate(mark);
    match refusal {
        Refusal::Garbage => put_accepted(out, xid, AcceptStat::GarbageArgs),
        Refusal::Core(error) => {
            put_accepted(out, xid, AcceptStat::Success);
            put_status(out, status_of(error));
        }
    }
}

/// A change for the writer.
fn propose(context: &Context, procedure: Procedure, call: &Call<'_>) -> Result<Option<Step>, Refusal> {
    let Some(Selected { served, .. }) = &context.selected else { return Err(Refusal::Garbage) };
    let (change, target) = change(procedure, call.args)?;
    let credentials = OwnedCredentials::of(&call.cred);
    let served = served.clone();
    Ok(Some(Step::Propose(Box::new(Proposal {
        xid: call.xid,
        procedure,
        served,
        change,
        target,
        credentials,
    }))))
}

/// What a look at one directory answers. The head of a successful reply is already in `out`, here and below.
fn read(
    context: &mut Context,
    procedure: Procedure,
    args: &[u8],
    out: &mut Vec<u8>,
) -> Result<Option<Step>, Refusal> {
    let Some(selected) = &mut context.selected else { return Err(Refusal::Garbage) };
    reads::answer(selected.view()?, procedure, args, out)?;
    Ok(None)
}

/// Everything but PING, BIND, the changes and looks at one directory.
fn other(
    node: &Arc<Running>,
    context: &Context,
    procedure: Procedure,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Result<Option<Step>, Refusal> {
    let Some(Selected { served, reader, .. }) = &context.selected else { return Err(Refusal::Garbage) };
    match procedure {
        Procedure::Statistics => statistics::write(node, served, &call.cred, out)?,
        Procedure::RParent => {
            return Ok(Some(Step::Later(crate::parent::rparent(node, served, context.caller, call.xid))));
        }
        Procedure::Crashed => {
            let checksum = decode_checksum(call.args)?;
            crate::replica::crashed(served, checksum);
        }
        Procedure::Resync => {
            put_status(out, Status::Ok);
            crate::replica::resync(served);
        }
        Procedure::ReadAll => return listing::readall(node, context, served, reader, call, out),
        Procedure::Children | Procedure::List | Procedure::ListAll => {
            return listing::call(served, reader, procedure, call, out);
        }
        _ => return Err(Refusal::Garbage),
    }
    Ok(None)
}

/// Makes sure that there is a domain the call is for; `None` if the caller may not reach it.
fn select(node: &Arc<Running>, context: &mut Context) -> Option<()> {
    if context.selected.is_none() {
        let served = match &context.port {
            Port::Domain(served) => served.clone(),
            _ => node.served(crate::node::DEFAULT_TAG)?,
        };
        bind::enter(context, served)?;
    }
    if context.selected.as_ref()?.served.is_gone() {
        context.selected = None;
    }
    context.selected.as_ref().map(drop)
}

/// The session for reads by this caller.
fn reader(context: &Context, served: &Served) -> Option<netinfo_directory::Session> {
    served.domain.authenticate(Credentials::None, context.caller.origin).ok()
}

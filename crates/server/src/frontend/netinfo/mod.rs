//! The NetInfo program: 29 procedures on a domain.

mod bind;
mod listing;
mod reads;
mod statistics;
mod status;
mod writes;

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
        return bind::call(node, context, call, out);
    }
    let Some(served) = selected(node, context) else {
        return deny_too_weak(out, call.xid);
    };
    let start = Instant::now();
    let mark = out.len();
    let result = if procedure.is_write() {
        change(procedure, call.args).map(|(change, target)| {
            let credentials = OwnedCredentials::of(&call.cred);
            let proposal =
                Proposal { xid: call.xid, procedure, served: served.clone(), change, target, credentials };
            Some(Step::Propose(Box::new(proposal)))
        })
    } else {
        put_accepted(out, call.xid, AcceptStat::Success);
        other(node, context, &served, procedure, call, out)
    };
    match result {
        Ok(Some(Step::Propose(proposal))) => return Step::Propose(proposal),
        Ok(Some(step)) => {
            out.truncate(mark);
            count(context, &served, procedure, start);
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
    count(context, &served, procedure, start);
    Step::Done
}

/// Notes how long a call has taken.
fn count(context: &mut Context, served: &Served, procedure: Procedure, start: Instant) {
    let time = start.elapsed();
    context.spent += time;
    served.tally.count(procedure, time);
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

/// Everything but PING, BIND and the changes. The head of a successful reply is already in `out`.
fn other(
    node: &Arc<Running>,
    context: &mut Context,
    served: &Arc<Served>,
    procedure: Procedure,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Result<Option<Step>, Refusal> {
    let Some(Selected { reader, .. }) = &context.selected else { return Err(Refusal::Garbage) };
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
        simple => {
            let Some(selected) = &mut context.selected else { return Err(Refusal::Garbage) };
            reads::answer(selected.view()?, simple, call.args, out)?;
        }
    }
    Ok(None)
}

/// The domain the call is for; `None` if the caller may not reach it.
fn selected(node: &Arc<Running>, context: &mut Context) -> Option<Arc<Served>> {
    if context.selected.is_none() {
        let served = match &context.port {
            Port::Domain(served) => served.clone(),
            _ => node.served(crate::node::DEFAULT_TAG)?,
        };
        bind::enter(context, served)?;
    }
    let selected = context.selected.as_ref()?;
    if selected.served.is_gone() {
        context.selected = None;
        return None;
    }
    Some(selected.served.clone())
}

/// The session for reads by this caller.
fn reader(context: &Context, served: &Served) -> Option<netinfo_directory::Session> {
    served.domain.authenticate(Credentials::None, context.caller.origin).ok()
}

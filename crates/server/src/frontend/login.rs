//! The login program: what login modules of this machine ask on a socket of their own.

use std::sync::Arc;

use netinfo_wire::login::{PROGRAM, Procedure, VERSION};
use netinfo_wire::rpc::{AcceptStat, Call};

use super::{Context, Step, refuse};
use crate::node::Running;

/// Answers one call.
pub(crate) fn call(_node: &Arc<Running>, _context: &Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    if call.vers != VERSION {
        return refuse(out, call.xid, AcceptStat::ProgMismatch { low: VERSION, high: VERSION });
    }
    match Procedure::try_from(call.proc) {
        Ok(Procedure::Null) => refuse(out, call.xid, AcceptStat::Success),
        _ => refuse(out, call.xid, AcceptStat::ProcUnavail),
    }
}

//! BIND: "are you my parent?" on a domain's own port; on the node's common port it selects the domain of the connection.

use std::sync::Arc;
use std::time::Instant;

use netinfo_directory::Origin;
use netinfo_wire::netinfo::{Binding, Procedure};
use netinfo_wire::rpc::{AcceptStat, Call};

use super::super::{Context, Port, Selected, Step, Transport, refuse};
use super::reader;
use crate::node::Running;
use crate::served::Served;

pub(super) fn call(node: &Arc<Running>, context: &mut Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    let start = Instant::now();
    let Ok(binding) = Binding::decode(call.args) else {
        return refuse(out, call.xid, AcceptStat::GarbageArgs);
    };
    let served = match (&context.port, context.caller.transport) {
        (Port::Domain(served), _) => Some(served.clone()),
        // Datagrams have no connection to select a domain for: the default domain answers the classic question.
        (_, Transport::Udp) => node.served(crate::node::DEFAULT_TAG),
        _ => {
            let chosen = String::from_utf8(binding.tag.to_vec()).ok().and_then(|tag| node.served(&tag));
            let selected = chosen.is_some_and(|served| select(context, served));
            let stat = if selected { AcceptStat::Success } else { AcceptStat::SystemErr };
            return refuse(out, call.xid, stat);
        }
    };
    let Some(served) = served else { return refuse(out, call.xid, AcceptStat::SystemErr) };
    let step = crate::binding::answer(&served, &binding, &context.caller, &call.cred, call.xid, out);
    served.tally.count(Procedure::Bind, start.elapsed());
    step
}

/// Makes `served` the domain of the connection if the caller may reach it.
fn select(context: &mut Context, served: Arc<Served>) -> bool {
    enter(context, served).is_some()
}

pub(super) fn enter(context: &mut Context, served: Arc<Served>) -> Option<()> {
    // On a domain's own port the peer was admitted when it connected.
    let admitted = matches!(context.port, Port::Domain(_)) || admits(&served, context.caller.origin);
    let session = admitted.then(|| reader(context, &served)).flatten()?;
    context.selected = Some(Selected::new(served, session));
    Some(())
}

/// Whether `trusted_networks` admits a caller.
pub(crate) fn admits(served: &Served, origin: Origin) -> bool {
    served.view().and_then(|view| view.trust()).is_ok_and(|trust| trust.admits(origin))
}

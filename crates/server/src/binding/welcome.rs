//! Machines that ask whether a domain serves them, and may be added to it for that
//! ([`netinfo_directory::binding::Admission`]).

use std::net::IpAddr;
use std::sync::Arc;

use netinfo_directory::binding::{Admission, Newcomer};
use netinfo_directory::{Credentials, Origin, Role};
use netinfo_wire::netinfo::Binding;
use netinfo_wire::rpc::{AcceptStat, Credential, put_accepted};

use crate::frontend::{Caller, Step, now, refuse};
use crate::served::Served;
use crate::throttle::Throttle;

static FOREIGN: Throttle = Throttle::new();

/// Answers BIND: whether the domain regards the caller's domain as its child, or does so from now on.
pub(crate) fn answer(
    served: &Arc<Served>,
    binding: &Binding<'_>,
    caller: &Caller,
    credential: &Credential<'_>,
    xid: u32,
    out: &mut Vec<u8>,
) -> Step {
    if served.view().and_then(|view| view.serves_child(binding.addr, binding.tag)).unwrap_or(false) {
        return refuse(out, xid, AcceptStat::Success);
    }
    let name = match credential {
        Credential::Sys(sys) => Some(sys.machine),
        Credential::None => None,
    };
    let newcomer = Newcomer { address: binding.addr, name, tag: binding.tag };
    if admission(served, &newcomer, caller).is_none() {
        return refuse(out, xid, AcceptStat::SystemErr);
    }
    let (served, name, tag, caller) =
        (served.clone(), name.map(<[u8]>::to_vec), binding.tag.to_vec(), *caller);
    let address = binding.addr;
    Step::Later(Box::pin(async move {
        let newcomer = Newcomer { address, name: name.as_deref(), tag: &tag };
        let added = add(&served, &newcomer, &caller).await;
        let mut out = Vec::with_capacity(32);
        put_accepted(&mut out, xid, if added { AcceptStat::Success } else { AcceptStat::SystemErr });
        out
    }))
}

/// How to add a machine, if that is allowed. It has to ask for itself: a request that another machine sends counts only if it
/// comes from this one, whose portmapper passes on what it was asked.
fn admission(served: &Served, newcomer: &Newcomer<'_>, caller: &Caller) -> Option<Admission> {
    if served.domain.role() != Role::Master {
        return None;
    }
    let found = served.view().and_then(|view| view.admission(newcomer, now() / 1000));
    let admission = found.unwrap_or_else(|error| {
        tracing::warn!(tag = served.domain.tag(), %error, "cannot read the rules for new machines");
        None
    })?;
    let itself = match caller.origin {
        Origin::Network { address, own, .. } => own || address == IpAddr::V4(newcomer.address),
        _ => true,
    };
    if !itself {
        FOREIGN.line(|more| {
            let address = newcomer.address;
            tracing::warn!(%address, more, "another machine asked to add this one; it was not added");
        });
        return None;
    }
    Some(admission)
}

async fn add(served: &Served, newcomer: &Newcomer<'_>, caller: &Caller) -> bool {
    // Whoever asks twice at the same time is added once.
    let _one = served.binding.adding.lock().await;
    let known = served.view().and_then(|view| view.serves_child(newcomer.address, newcomer.tag));
    if known.unwrap_or(false) {
        return true;
    }
    let Some(Admission { change, name, rule }) = admission(served, newcomer, caller) else { return false };
    let (told, hear) = tokio::sync::oneshot::channel();
    let Ok(session) = served.domain.authenticate(Credentials::None, Origin::Internal) else { return false };
    // If nobody hears it, the caller is gone; the machine is added all the same.
    served.domain.write(&session, vec![change], now(), Box::new(move |result| drop(told.send(result))));
    let (tag, address) = (served.domain.tag(), newcomer.address);
    match hear.await {
        Ok(Ok(_)) => {
            tracing::info!(tag, rule, %address, "machine \"{name}\" added, as a rule allows");
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(tag, rule, %address, "machine \"{name}\" not added: {error}");
            false
        }
        Err(_) => false,
    }
}

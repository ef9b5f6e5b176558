//! Finds candidates for parents. Blocking: to be done on a thread that may wait.
//!
//! `dns` asks the system's nameservers, `mdns` the attached networks, both for the service `_netinfo._tcp`; `broadcast` asks
//! the binders of the attached networks who knows this machine as a child. `records` reads what DNS messages say.

mod broadcast;
mod dns;
mod mdns;
mod records;

use std::time::Instant;

use netinfo_directory::binding::{Candidate, Via};

use crate::node::Running;

/// The service as SRV records name it (RFC 2782).
const SERVICE: &str = "_netinfo._tcp";

/// Candidates for the parent of the domain `tag`, the best first; `tags` are those to ask for by broadcast.
pub(super) fn find(node: &Running, tag: &str, tags: &[String], via: Via) -> Vec<Candidate> {
    let settings = &node.binding;
    // The search does not wait longer than this; what comes later would be in vain.
    let deadline = Instant::now() + settings.answer.saturating_sub(settings.answer / 10);
    let interfaces: Vec<_> = node.own.interfaces().iter().filter(|own| !own.loopback).cloned().collect();
    let found = match via {
        Via::Dns => settings.dns.as_deref().map(|domain| dns::find(domain, &settings.tag, deadline)),
        Via::Mdns => Some(mdns::find(&interfaces, &settings.tag, deadline)),
        Via::Broadcast => Some(broadcast::find(&interfaces, &node.hostname, tag, tags, deadline)),
        Via::Configured | Via::Serves => None,
    };
    match found.unwrap_or_else(|| Ok(Vec::new())) {
        Ok(names) => names.into_iter().map(|name| Candidate { name, via }).collect(),
        Err(error) => {
            tracing::warn!(tag, "cannot look for parents by {}: {error}", super::report::via_name(via));
            Vec::new()
        }
    }
}

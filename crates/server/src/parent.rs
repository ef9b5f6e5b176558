//! The answer to RPARENT: the domain above a served one, as far as the protocol can name it.
//!
//! The parent is found and checked in the background ([`crate::binding`]). Whoever asks while a search is under way waits for
//! its end, and nobody else does. The protocol names a parent by an IPv4 address and a tag: one that is an LDAP directory, has
//! another address, or a port that clients would not find is not told, and the domain is the root for them.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use netinfo_client::limits::IPCSERVER_PORT;
use netinfo_directory::binding::{Bound, Parent, State};
use netinfo_wire::netinfo::{Status, put_binding, put_status};

use crate::binding::settled;
use crate::frontend::{Caller, accepted};
use crate::node::Running;
use crate::served::Served;

/// The reply to RPARENT.
pub(crate) fn rparent(
    node: &Arc<Running>,
    served: &Arc<Served>,
    caller: Caller,
    xid: u32,
) -> Pin<Box<dyn Future<Output = Vec<u8>> + Send>> {
    let (node, served) = (node.clone(), served.clone());
    Box::pin(async move {
        let mut out = accepted(xid);
        match settled(&node, &served).await {
            State::Bound(bound) => match named(&bound, &caller) {
                Some((tag, address)) => {
                    put_status(&mut out, Status::Ok);
                    put_binding(&mut out, tag.as_bytes(), address);
                }
                None => put_status(&mut out, Status::NetRoot),
            },
            // A parent that does not answer is none: clients wait for ever for one that is only said to be late.
            State::Alone(_) => put_status(&mut out, Status::NetRoot),
            State::Searching => put_status(&mut out, Status::NoResponse),
        }
        out
    })
}

/// Tag and address of a parent for a caller.
fn named<'b>(bound: &'b Bound, caller: &Caller) -> Option<(&'b str, Ipv4Addr)> {
    let Parent::NetInfo { tag, address: IpAddr::V4(address), port } = &bound.answer.parent else {
        return None;
    };
    if bound.answer.here {
        // Our loopback is not the caller's: another machine is told the address by which it has found us.
        let seen = match caller.local.map(|local| local.to_canonical()) {
            Some(IpAddr::V4(local)) if address.is_loopback() && !local.is_unspecified() => local,
            _ => *address,
        };
        return Some((tag, seen));
    }
    port.is_none_or(|port| port == IPCSERVER_PORT).then_some((tag, *address))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use netinfo_directory::Origin;
    use netinfo_directory::binding::{Answer, Candidate, Via};

    use super::*;
    use crate::frontend::Transport;

    fn told(parent: &str, here: bool, local: &str) -> Option<(String, String)> {
        let parent: Parent = parent.parse().unwrap();
        let bound = Bound {
            candidate: Candidate { name: parent.to_string().parse().unwrap(), via: Via::Configured },
            answer: Answer { parent, here, latency: Duration::ZERO, above: Vec::new(), loops: None },
            since: Duration::ZERO,
            checked: Duration::ZERO,
        };
        let local = Some(local.parse().unwrap());
        let caller = Caller { origin: Origin::Internal, transport: Transport::Tcp, peer: None, local };
        named(&bound, &caller).map(|(tag, address)| (tag.to_owned(), address.to_string()))
    }

    #[test]
    fn only_what_clients_can_find_is_told() {
        let pair = |tag: &str, address: &str| Some((tag.to_owned(), address.to_owned()));
        assert_eq!(told("n@10.0.0.1", false, "10.0.0.9"), pair("n", "10.0.0.1"));
        assert_eq!(told("n@10.0.0.1:945", false, "10.0.0.9"), pair("n", "10.0.0.1"));
        assert_eq!(told("n@10.0.0.1:946", false, "10.0.0.9"), None);
        assert_eq!(told("n@[2001:db8::1]", false, "10.0.0.9"), None);
        assert_eq!(told("ldap://x/dc=y", false, "10.0.0.9"), None);
        assert_eq!(told("n@127.0.0.1", true, "10.0.0.9"), pair("n", "10.0.0.9"));
        assert_eq!(told("n@127.0.0.1", true, "127.0.0.1"), pair("n", "127.0.0.1"));
        assert_eq!(told("n@10.0.0.2", true, "10.0.0.9"), pair("n", "10.0.0.2"));
    }
}

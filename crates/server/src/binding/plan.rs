//! Who may be the parent of a domain.
//!
//! In this order: what was configured with `netinfo bind`; what the `../TAG` values under `/machines` say, this host first,
//! then attached networks, then the rest, in a random order among equals that stays the same while the node runs; and, if the
//! configuration file says so, what is found by DNS, by multicast DNS, and by broadcast.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr};

use netinfo_directory::binding::{Candidate, ParentName, Plan, Step, Via};
use netinfo_directory::{Result, Server};

use crate::interfaces::InterfaceAddress;
use crate::node::{DEFAULT_TAG, Running};
use crate::served::Served;

/// The plan for a domain; none for one that is to be the root.
///
/// # Errors
/// When the domain cannot be read.
pub(super) fn of(node: &Running, served: &Served) -> Result<Plan> {
    let view = served.view()?;
    let tag = served.domain.tag();
    if view.root_flag(b"isRoot", false)? {
        return Ok(Plan::new());
    }
    let mut plan = Plan::new();
    let configured: Vec<Candidate> =
        node.configured.of(tag).into_iter().map(|name| Candidate { name, via: Via::Configured }).collect();
    if !configured.is_empty() {
        plan.push(Step::Ask(configured));
    }
    let listed = view.parent_candidates()?.unwrap_or_default();
    let broadcast = listed.iter().any(|server| server.address.is_broadcast());
    let listed = nearest_first(node, listed, tag);
    if !listed.is_empty() {
        plan.push(Step::Ask(listed));
    }
    let settings = &node.binding;
    // Other domains have servers on several machines, each of which would find another parent or a fellow server.
    if tag == DEFAULT_TAG {
        let ways = [(settings.dns.is_some(), Via::Dns), (settings.mdns, Via::Mdns)];
        plan.extend(ways.into_iter().filter(|(on, _)| *on).map(|(_, way)| Step::Discover(way)));
    }
    if settings.broadcast && (broadcast || tag == DEFAULT_TAG) {
        plan.push(Step::Discover(Via::Broadcast));
    }
    Ok(plan)
}

/// Tags that `/machines` wants to be asked for by broadcast; the usual one if it names none.
pub(super) fn broadcast_tags(node: &Running, served: &Served) -> Vec<String> {
    let listed = served.view().and_then(|view| view.parent_candidates());
    let mut tags: Vec<String> = Vec::new();
    for server in listed.ok().flatten().unwrap_or_default() {
        if server.address.is_broadcast() && !tags.contains(&server.tag) {
            tags.push(server.tag);
        }
    }
    if tags.is_empty() {
        tags.push(node.binding.tag.clone());
    }
    tags
}

fn nearest_first(node: &Running, mut listed: Vec<Server>, own_tag: &str) -> Vec<Candidate> {
    let own = |address: Ipv4Addr| node.own.contains(address.into());
    let itself = |server: &Server| own(server.address) && server.tag == own_tag;
    listed.retain(|server| !(server.address.is_broadcast() || itself(server)));
    let interfaces = node.own.interfaces();
    listed.sort_by_cached_key(|server| {
        let distance = match () {
            () if own(server.address) => 0,
            () if interfaces.iter().any(|interface| attached(interface, server.address)) => 1,
            () => 2,
        };
        (distance, node.shuffle.hash_one((server.address, &server.tag)))
    });
    let name = |server: Server| ParentName::NetInfo {
        tag: server.tag,
        host: server.address.to_string(),
        port: None,
    };
    listed.into_iter().map(|server| Candidate { name: name(server), via: Via::Serves }).collect()
}

/// Whether an address is on the network of an interface.
fn attached(interface: &InterfaceAddress, address: Ipv4Addr) -> bool {
    match (interface.address, interface.netmask) {
        (IpAddr::V4(own), Some(IpAddr::V4(mask))) => {
            let network = |ip: Ipv4Addr| u32::from(ip) & u32::from(mask);
            network(own) == network(address)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let interface = InterfaceAddress {
            interface: "eth0".into(),
            address: "10.0.1.5".parse().unwrap(),
            netmask: Some("255.255.255.0".parse().unwrap()),
            broadcast: None,
            loopback: false,
        };
        assert!(attached(&interface, Ipv4Addr::new(10, 0, 1, 200)));
        assert!(!attached(&interface, Ipv4Addr::new(10, 0, 2, 5)));
    }
}

//! What administrators ask: where this node is in the hierarchy, and that it be bound otherwise.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use netinfo_directory::Error;
use netinfo_directory::binding::{Parent, ParentName, Refusal, Search, State, Via};
use netinfo_wire::netinfo::Status;
use serde_json::{Value, json};

use super::{driver, now, probe};
use crate::frontend::control::{Answer, Failure, blocking, member};
use crate::limits::CONFIGURED_PARENTS;
use crate::node::{DEFAULT_TAG, Running};
use crate::served::Served;

/// How a way to become a candidate is called.
pub(super) fn via_name(via: Via) -> &'static str {
    match via {
        Via::Configured => "configured",
        Via::Serves => "serves",
        Via::Dns => "dns",
        Via::Mdns => "mdns",
        Via::Broadcast => "broadcast",
    }
}

/// The chain from a domain (`tag`, by default `local`) to the root: `domains`, each with its state. Parents on other machines
/// are asked now.
pub(crate) async fn whereabouts(node: &Arc<Running>, request: &Value) -> Answer {
    let tag = request["tag"].as_str().unwrap_or(DEFAULT_TAG);
    let mut domains = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some(served(node, tag)?);
    let mut above = Vec::new();
    let mut ring = None;
    while let Some(served) = next.take() {
        let tag = served.domain.tag().to_owned();
        if seen.contains(&tag) {
            ring = Some(tag);
            break;
        }
        let state = driver::settled(node, &served).await;
        domains.push(describe(node, &served, &state));
        seen.push(tag);
        if let Some(bound) = served.binding.search().last() {
            match &bound.answer.parent {
                Parent::NetInfo { tag, .. } if bound.answer.here => next = node.served(tag),
                parent => above.extend(std::iter::once(parent).chain(&bound.answer.above).cloned()),
            }
        }
    }
    let asked: Vec<_> =
        above.into_iter().map(|parent| tokio::task::spawn_blocking(move || ask(&parent))).collect();
    for answer in asked {
        domains.extend(answer.await);
    }
    add_memory(node, &mut domains);
    Ok(json!({ "domains": domains, "loop": ring }))
}

fn describe(node: &Running, served: &Served, state: &State) -> Value {
    let search = served.binding.search();
    let seconds = |at: Duration| now(node).saturating_sub(at).as_secs();
    let mut value =
        json!({ "domain": served.domain.tag(), "here": true, "state": state_name(&search, state) });
    match state {
        State::Bound(bound) => {
            value["parent"] = json!(bound.answer.parent.to_string());
            value["via"] = json!(via_name(bound.candidate.via));
            value["since_seconds"] = json!(seconds(bound.since));
            value["checked_seconds"] = json!(seconds(bound.checked));
        }
        State::Alone(since) => value["since_seconds"] = json!(seconds(*since)),
        State::Searching => {}
    }
    let tried = search.tried().iter().map(|(candidate, why)| {
        json!({ "name": candidate.name.to_string(), "via": via_name(candidate.via), "why": why.to_string(),
                "loop": matches!(why, Refusal::Loop | Refusal::Itself) })
    });
    value["tried"] = tried.collect();
    value
}

/// `searching`, `bound`, `unreachable` (there should be a parent, and none answers) or `root`.
fn state_name(search: &Search, state: &State) -> &'static str {
    match state {
        State::Searching => "searching",
        State::Bound(_) => "bound",
        State::Alone(_) if search.tried().is_empty() && search.last().is_none() => "root",
        State::Alone(_) => "unreachable",
    }
}

/// A parent on another machine, asked now.
fn ask(parent: &Parent) -> Value {
    let latency = match parent {
        Parent::NetInfo { .. } => probe::open(parent).and_then(|mut domain| {
            let begin = Instant::now();
            domain.ping()?;
            Ok(begin.elapsed())
        }),
        Parent::Ldap(ldap) => {
            return described(parent, probe::ask_ldap(ldap).map_err(|why| why.to_string()));
        }
    };
    described(parent, latency.map_err(|error| probe::words(&error)))
}

/// What look-ups remember of the parents, and how old the newest of it is.
fn add_memory(node: &Running, domains: &mut [Value]) {
    let now = crate::frontend::now() / 1000;
    for upstream in node.lookups.parents.now().iter() {
        let name = upstream.parent().to_string();
        let Some(domain) = domains.iter_mut().find(|domain| domain["domain"] == json!(name)) else {
            continue;
        };
        let state = upstream.state();
        domain["remembered"] = json!(state.remembered);
        domain["heard_seconds_ago"] = json!(state.heard.map(|heard| now.saturating_sub(heard)));
    }
}

fn described(parent: &Parent, latency: Result<Duration, String>) -> Value {
    let mut value = json!({ "domain": parent.to_string(), "here": false });
    match latency {
        Ok(latency) => {
            value["state"] = json!("reachable");
            value["latency_us"] = json!(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        }
        Err(why) => {
            value["state"] = json!("unreachable");
            value["why"] = json!(why);
        }
    }
    value
}

/// Binds a domain (`tag`) to the first of `parents` that answers, durably, and tells where that leads.
pub(crate) async fn bind(node: &Arc<Running>, request: &Value) -> Answer {
    let tag = member(request, "tag")?;
    let served = served(node, tag)?;
    let texts = request["parents"].as_array().map(Vec::as_slice).unwrap_or_default();
    if texts.is_empty() || texts.len() > CONFIGURED_PARENTS {
        return Err(Failure::new(
            Status::Serial,
            format!("a domain is bound to 1 to {CONFIGURED_PARENTS} parents"),
        ));
    }
    let mut parents = Vec::new();
    for text in texts {
        parents.push(checked(node, tag, text.as_str().unwrap_or_default())?);
    }
    if node.configured.of(tag).iter().any(|parent| !parents.contains(parent)) {
        node.lookups.parents.give_up();
    }
    change(node, &served, parents).await?;
    whereabouts(node, request).await
}

/// Forgets the parents that were configured for a domain (`tag`), and tells where that leads.
pub(crate) async fn unbind(node: &Arc<Running>, request: &Value) -> Answer {
    let tag = member(request, "tag")?;
    let served = served(node, tag)?;
    if node.configured.of(tag).is_empty() {
        return Err(Failure::new(Status::NoName, format!("no parent is configured for \"{tag}\""))
            .hint("a parent that comes from a serves value ../TAG in /machines is removed there"));
    }
    node.lookups.parents.give_up();
    change(node, &served, Vec::new()).await?;
    whereabouts(node, request).await
}

async fn change(node: &Arc<Running>, served: &Arc<Served>, parents: Vec<ParentName>) -> Result<(), Failure> {
    let (work, tag) = (node.clone(), served.domain.tag().to_owned());
    blocking(move || {
        let kept = work.configured.set(&tag, parents);
        kept.map_err(|error| Failure::new(Status::SystemErr, format!("cannot keep the parents: {error}")))
    })
    .await?;
    // The table of look-ups may be made of other domains now.
    node.table.changed(None);
    // However long the last plan took to be made: whoever has changed it wants to see what comes of it.
    served.binding.planned().took = Duration::ZERO;
    served.binding.dirty.store(true, Ordering::Release);
    served.binding.nudge.notify_one();
    Ok(())
}

/// A parent fit to be bound to.
fn checked(node: &Running, tag: &str, text: &str) -> Result<ParentName, Failure> {
    let refuse = |why: String| Failure::new(Status::Serial, why);
    let name: ParentName = text.parse().map_err(|error| refuse(format!("{error}")))?;
    match &name {
        ParentName::NetInfo { tag: parent, host, port: None } => {
            let own = host.parse().is_ok_and(|address| node.own.contains(address));
            if own && parent == tag {
                return Err(refuse(format!("\"{text}\" is this domain itself")));
            }
        }
        ParentName::NetInfo { .. } => {}
        ParentName::Ldap(ldap) => {
            for file in [&ldap.ca_file, &ldap.password_file].into_iter().flatten() {
                if file.is_relative() {
                    return Err(refuse(format!("{} is not an absolute path", file.display())));
                }
                File::open(file).map_err(|error| {
                    refuse(format!("netinfod cannot read {}: {error}", file.display()))
                        .hint("the user that netinfod runs as must be able to read it")
                })?;
            }
        }
    }
    Ok(name)
}

fn served(node: &Running, tag: &str) -> Result<Arc<Served>, Failure> {
    node.served(tag).ok_or_else(|| Error::NoSuchDomain(tag.into()).into())
}

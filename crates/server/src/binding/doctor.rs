//! What is wrong between the domains from here to the root: parents that do not answer, loops, clocks, and names and numbers
//! that mean different users or groups in different domains.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use netinfo_client::rpc::{Call, udp};
use netinfo_directory::binding::Parent;
use netinfo_lookup::{Record, Source, Table};
use netinfo_upstream::{Remembered, Want, Wants};
use netinfo_wire::portmap::{self, rpcbind};
use serde_json::{Value, json};

use super::{probe, report};
use crate::frontend::control::{Answer, blocking};
use crate::frontend::now;
use crate::limits::{CLOCK_TOLERANCE, DOCTOR_FINDINGS, DOCTOR_RECORDS};
use crate::lookups;
use crate::node::Running;

/// How long the time of another machine is waited for.
const TIME: Duration = Duration::from_secs(1);

/// Users or groups of a domain, in its order: names and numbers.
type Entries = Vec<(String, Option<u32>)>;

/// A domain and what it tells.
type Told = (String, Entries);

/// Something that is wrong (`error`, `warning`), or that one may want to know (`note`).
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    severity: &'static str,
    kind: &'static str,
    domain: String,
    text: String,
}

/// Examines the domains from `local` to the root; `findings`, and the chain as `where` tells it.
pub(crate) async fn examine(node: &Arc<Running>) -> Answer {
    let chain = report::whereabouts(node, &json!({})).await?;
    let mut findings = of_chain(&chain);
    let work = node.clone();
    let more = blocking(move || {
        let mut found = clocks(&work);
        for (table, what, key) in [(Table::Users, "user", "uid"), (Table::Groups, "group", "gid")] {
            let (domains, gaps) = entries(&work, table, key)?;
            found.extend(gaps);
            found.extend(clashes(&domains, what, key));
        }
        Ok(found)
    })
    .await?;
    findings.extend(more);
    let truncated = findings.len() > DOCTOR_FINDINGS;
    findings.truncate(DOCTOR_FINDINGS);
    let findings: Vec<Value> = findings
        .iter()
        .map(|f| json!({ "severity": f.severity, "kind": f.kind, "domain": f.domain, "text": f.text }))
        .collect();
    Ok(json!({ "findings": findings, "truncated": truncated, "domains": chain["domains"] }))
}

/// What the states of the chain mean.
fn of_chain(chain: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut add = |kind, domain: &str, text| {
        findings.push(Finding { severity: "error", kind, domain: domain.to_owned(), text });
    };
    for domain in chain["domains"].as_array().into_iter().flatten() {
        let name = text(&domain["domain"]);
        if domain["state"] == "unreachable" {
            let why = domain["why"].as_str().unwrap_or("none of its parents answers");
            add("unreachable", &name, why.to_owned());
        }
        for tried in domain["tried"].as_array().into_iter().flatten() {
            let kind = if tried["loop"] == json!(true) { "loop" } else { "parent" };
            add(kind, &name, format!("not bound to {}: {}", text(&tried["name"]), text(&tried["why"])));
        }
    }
    if let Some(tag) = chain["loop"].as_str() {
        add("loop", tag, "its parents lead back to it".to_owned());
    }
    findings
}

/// Clocks of parents that differ from ours, and parents that can be reached and do not tell theirs.
fn clocks(node: &Running) -> Vec<Finding> {
    let mut findings = Vec::new();
    for upstream in node.lookups.parents.now().iter() {
        let theirs = match upstream.parent() {
            Parent::Ldap(_) => upstream.time(),
            Parent::NetInfo { .. } => time_of(upstream.parent()).map(i64::from),
        };
        let (severity, text) = match theirs {
            Some(theirs) => {
                let difference = theirs - i64::try_from(now() / 1000).unwrap_or(i64::MAX);
                if difference.unsigned_abs() <= CLOCK_TOLERANCE.as_secs() {
                    continue;
                }
                let way = if difference > 0 { "ahead" } else { "behind" };
                ("warning", format!("its clock is {} seconds {way}", difference.unsigned_abs()))
            }
            None if upstream.state().away.is_some() => continue,
            None => ("note", "it does not tell its time: whether its clock is right is not known".to_owned()),
        };
        findings.push(Finding { severity, kind: "clock", domain: upstream.name().to_owned(), text });
    }
    findings
}

/// The time at a NetInfo parent, in seconds since 1970: rpcbind's GETTIME, of the host's portmapper, or of the node itself.
fn time_of(parent: &Parent) -> Option<u32> {
    let Parent::NetInfo { address, .. } = parent else { return None };
    let (program, version) = (portmap::PROGRAM, portmap::RPCBIND_VERSION_3);
    let procedure = rpcbind::Procedure::GetTime.code();
    let call = udp::UdpCall { program, version, procedure, timeout: TIME };
    let told = udp::call(SocketAddr::new(*address, portmap::PORT), call, |_| {}).or_else(|_| {
        let call = Call { program, version, procedure, timeout: TIME, repeat: true };
        probe::open(parent)?.connection_mut().call(call, |_| {})
    });
    rpcbind::decode_time(&told.ok()?).ok()
}

/// The entries of a table by domain, the nearest first, and the domains that do not tell them.
fn entries(node: &Running, table: Table, key: &str) -> netinfo_directory::Result<(Vec<Told>, Vec<Finding>)> {
    let mut domains = Vec::new();
    let mut gaps = Vec::new();
    for served in lookups::chain(node)? {
        let source = lookups::source(&served, false)?;
        // A domain served here tells everything.
        domains.push((served.domain.tag().to_owned(), list(&source, table, key).unwrap_or_default()));
    }
    for upstream in node.lookups.parents.now().iter() {
        upstream.ask(&[Want::List(table)]);
        let wants = Wants::settled();
        match list(&Remembered::new(upstream, &wants), table, key) {
            Some(entries) => domains.push((upstream.name().to_owned(), entries)),
            None => gaps.push(Finding {
                severity: "warning",
                kind: "unknown",
                domain: upstream.name().to_owned(),
                text: format!("/{} could not be read and was not examined", table.directory()),
            }),
        }
    }
    Ok((domains, gaps))
}

fn list(source: &dyn Source, table: Table, key: &str) -> Option<Entries> {
    let mut entries = Entries::new();
    let mut each = |_, record: Record<'_>| {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let number = record.first(key.as_bytes()).and_then(|value| text(value).parse().ok());
        entries.extend(record.first(b"name").map(|name| (text(name), number)));
        if entries.len() < DOCTOR_RECORDS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    source.list(table, 0, &mut each).ok()?;
    Some(entries)
}

/// Names that a nearer domain hides, and numbers that belong to different names.
fn clashes(domains: &[Told], what: &str, key: &str) -> Vec<Finding> {
    let mut names: HashMap<&str, (&str, Option<u32>)> = HashMap::new();
    let mut numbers: HashMap<u32, (&str, &str)> = HashMap::new();
    let mut findings = Vec::new();
    for (domain, entries) in domains {
        let mut add = |severity, kind, text| {
            findings.push(Finding { severity, kind, domain: domain.clone(), text });
        };
        for (name, number) in entries {
            match names.get(name.as_str()) {
                Some((nearer, _)) if nearer == domain => {}
                Some((nearer, same)) if same == number => {
                    add("note", "shadowed", format!("{what} {name} is hidden by the one in {nearer}"));
                }
                Some((nearer, other)) => {
                    let show = |number: &Option<u32>| number.map_or_else(|| "none".into(), |n| n.to_string());
                    let text = format!(
                        "{what} {name} ({key} {}) is hidden by the one in {nearer} ({key} {})",
                        show(number),
                        show(other)
                    );
                    add("warning", "shadowed", text);
                }
                None => {
                    names.insert(name, (domain, *number));
                    let Some(number) = number else { continue };
                    if let Some((other, nearer)) = numbers.get(number) {
                        add(
                            "warning",
                            "clash",
                            format!("{what} {name} has {key} {number}, as {other} in {nearer} has"),
                        );
                    } else {
                        numbers.insert(*number, (name, domain));
                    }
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let domain = |name: &str, users: &[(&str, u32)]| {
            (name.to_owned(), users.iter().map(|(name, uid)| ((*name).to_owned(), Some(*uid))).collect())
        };
        let domains = [
            domain("local", &[("root", 0), ("jane", 501), ("jane", 501)]),
            domain("network", &[("root", 0), ("jane", 600), ("joe", 501), ("ann", 502)]),
        ];
        let found: Vec<(&str, String)> =
            clashes(&domains, "user", "uid").into_iter().map(|f| (f.severity, f.text)).collect();
        assert_eq!(
            found,
            [
                ("note", "user root is hidden by the one in local".to_owned()),
                ("warning", "user jane (uid 600) is hidden by the one in local (uid 501)".to_owned()),
                ("warning", "user joe has uid 501, as jane in local has".to_owned()),
            ]
        );
    }

    #[test]
    fn chains() {
        let chain = json!({ "loop": "network", "domains": [
            { "domain": "local", "state": "unreachable", "tried": [
                { "name": "n@10.0.0.9", "why": "no answer in time", "loop": false },
                { "name": "n@10.0.0.8", "why": "back", "loop": true } ] },
            { "domain": "n@10.0.0.1", "state": "reachable" } ]});
        let kinds: Vec<&str> = of_chain(&chain).iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, ["unreachable", "parent", "loop", "loop"]);
    }
}

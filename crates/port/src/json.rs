//! Reports for programs. The fields are described in the manual, `docs/port.md`.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::meaning::{Meaning, NodeRecord, Registered};
use crate::probe::verdict::{Ldap, Make, Rpc, program_name};
use crate::probe::{Probe, Verdict};
use crate::process::Process;
use crate::report::{Held, PortReport, Report};

/// A whole report.
pub fn report(report: &Report) -> Value {
    json!({
        "registry": report.registry,
        "host": report.host,
        "ports": report.ports.iter().map(port).collect::<Vec<_>>(),
        "hidden_sockets": report.hidden,
    })
}

fn port(port: &PortReport) -> Value {
    let mut value = meaning(&port.meaning);
    value["something"] = port.is_something().into();
    value["netinfo"] = port.is_netinfo().into();
    value["sockets"] = port.sockets.iter().map(socket).collect();
    value["probes"] = port.probes.iter().map(probe).collect();
    let finding = |f: &crate::finding::Finding| json!({ "kind": f.kind.name(), "text": f.text });
    value["findings"] = port.findings.iter().map(finding).collect();
    value
}

fn meaning(meaning: &Meaning) -> Value {
    json!({
        "port": meaning.port,
        "range": meaning.range.name().to_lowercase(),
        "status": meaning.status.name(),
        "registered": meaning.registered.iter().map(registered).collect::<Vec<_>>(),
        "history": meaning.history,
        "services": meaning.node.iter().map(service).collect::<Vec<_>>(),
    })
}

fn registered(entry: &Registered) -> Value {
    json!({
        "name": entry.name,
        "protocols": entry.protocols,
        "description": entry.description,
        "first": entry.ports.0,
        "last": entry.ports.1,
    })
}

fn service(record: &NodeRecord) -> Value {
    json!({ "names": texts(&record.names), "protocols": texts(&record.protocols) })
}

/// A socket and who holds it.
pub fn socket(held: &Held) -> Value {
    let socket = &held.socket;
    let hold = |(process, user): &(Process, Option<String>)| self::process(process, user.as_deref());
    json!({
        "transport": socket.transport.name(),
        "state": socket.state.name(),
        "local": address(socket.local),
        "remote": socket.remote.map(address),
        "v6_only": socket.v6_only,
        "uid": socket.uid,
        "user": held.user,
        "inode": socket.inode,
        "processes": held.holders.iter().map(hold).collect::<Vec<_>>(),
        "hidden": held.hidden,
        "unit": held.unit,
        "container": held.container,
    })
}

fn process(process: &Process, user: Option<&str>) -> Value {
    let since =
        |started: SystemTime| started.duration_since(SystemTime::UNIX_EPOCH).ok().map(|d| d.as_secs());
    json!({
        "pid": process.pid,
        "name": process.name,
        "program": process.program.as_ref().map(|path| path.to_string_lossy()),
        "replaced": process.replaced,
        "uid": process.uid,
        "user": user,
        "unit": process.unit,
        "container": process.container,
        "started": process.started.and_then(since),
    })
}

fn probe(probe: &Probe) -> Value {
    let mut value = json!({
        "address": address(probe.target),
        "transport": probe.transport.name(),
        "verdict": probe.verdict.word(),
        "summary": probe.verdict.summary(),
    });
    match &probe.verdict {
        Verdict::Rpc(found) => value["rpc"] = rpc(found),
        Verdict::Ldap(found) => value["ldap"] = ldap(found),
        Verdict::Tls { version } => value["tls"] = json!({ "version": version }),
        Verdict::Speaks { sounds_like, said } => {
            value["speaks"] = json!({ "sounds_like": sounds_like, "said": text(said) });
        }
        _ => {}
    }
    value
}

fn rpc(rpc: &Rpc) -> Value {
    let make = match rpc.make() {
        Make::Ours => "netinfod",
        Make::Historical => "historical",
        Make::Unknown => "unknown",
    };
    let domain = rpc.domain.as_ref().map(|domain| {
        let part = |value: &Option<Vec<u8>>| value.as_deref().map(text);
        json!({
            "version": part(&domain.version),
            "tag": part(&domain.tag),
            "role": part(&domain.role),
            "hostname": part(&domain.hostname),
        })
    });
    let domains = rpc.binder.as_ref().map(|list| {
        let each = list.iter().map(|d| json!({ "tag": text(&d.tag), "tcp": d.tcp, "udp": d.udp }));
        each.collect::<Vec<_>>()
    });
    let mappings = rpc.mappings.as_ref().map(|list| {
        let each = list.iter().map(|m| {
            json!({ "program": m.prog, "name": program_name(m.prog), "version": m.vers, "protocol": m.prot, "port": m.port })
        });
        each.collect::<Vec<_>>()
    });
    let registered = rpc.registered.iter().map(|(program, version)| {
        json!({ "program": program, "name": program_name(*program), "version": version })
    });
    json!({
        "make": rpc.is_netinfo().then_some(make),
        "domain": domain,
        "domains": domains,
        "portmapper": mappings,
        "registered": registered.collect::<Vec<_>>(),
    })
}

fn ldap(ldap: &Ldap) -> Value {
    json!({
        "vendor": ldap.vendor.as_deref().map(text),
        "version": ldap.version.as_deref().map(text),
        "contexts": texts(&ldap.contexts),
        "tls": ldap.tls,
        "refused": ldap.refused,
    })
}

fn address(address: SocketAddr) -> Value {
    json!({ "address": address.ip().to_canonical().to_string(), "port": address.port() })
}

/// Text as such; bytes that are none in the form of [`slice::escape_ascii`].
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

fn texts(values: &[Vec<u8>]) -> Vec<String> {
    values.iter().map(|value| text(value)).collect()
}

//! Requests that have one answer.

use std::sync::Arc;

use netinfo_directory::{Change, Credentials, Error, Origin, Session};
use netinfo_mapping::settings::Setting;
use netinfo_wire::netinfo::Status;
use serde_json::{Value, json};

use super::{Answer, Failure, Request, blocking, member, settings, users};
use crate::binding;
use crate::frontend::now;
use crate::node::Running;
use crate::served::Served;

/// Changes of the feed in one answer at most.
const CHANGES_LIMIT: u64 = 1000;

pub(super) async fn answer(node: Arc<Running>, root: bool, request: Request) -> Answer {
    let value = request.parse()?;
    let op = member(&value, "op")?;
    if !root && !matches!(op, "status" | "domains" | "where" | "domain-settings" | "schema") {
        return Err(Failure::new(Status::Perm, "this takes the superuser")
            .hint("run it as root, for example with sudo"));
    }
    match op {
        "status" => status(&node),
        "domains" => domains(&node),
        "create-domain" => {
            let tag = member(&value, "tag")?.to_owned();
            create(&node, tag, settings::wanted(&value)?).await
        }
        "configure-domain" => settings::configure(node, &value).await,
        "domain-settings" => settings::describe(&node, member(&value, "tag")?),
        "schema" => settings::schema(&node, &value),
        "create-clone" => create_clone(&node, &value).await,
        "destroy-domain" => {
            let tag = member(&value, "tag")?;
            served(&node, tag)?;
            let path = node.destroy_domain(tag).await?;
            Ok(json!({ "moved_to": path }))
        }
        "where" => binding::whereabouts(&node, &value).await,
        "doctor" => binding::examine(&node).await,
        "bind" => binding::bind(&node, &value).await,
        "unbind" => binding::unbind(&node, &value).await,
        "changes" => changes(&node, &value),
        other => match users::answer(&node, other, &value).await {
            Some(answer) => answer,
            None => Err(Failure::new(Status::BadOp, format!("there is no operation \"{other}\""))),
        },
    }
}

pub(super) fn served(node: &Running, tag: &str) -> Result<Arc<Served>, Failure> {
    node.served(tag).ok_or_else(|| Error::NoSuchDomain(tag.into()).into())
}

pub(super) fn internal(domain: &netinfo_directory::Domain) -> Result<Session, Failure> {
    Ok(domain.authenticate(Credentials::None, Origin::Internal)?)
}

fn started(node: &Arc<Running>, tag: &str) -> Answer {
    node.start_domain(tag).map_err(|e| Failure::new(Status::SystemErr, e.to_string()))?;
    Ok(describe(node, &*served(node, tag)?))
}

/// Makes a domain; one whose settings are refused is not made.
async fn create(node: &Arc<Running>, tag: String, wanted: Vec<(Setting, Vec<String>)>) -> Answer {
    let (work, made) = (node.clone(), tag.clone());
    blocking(move || Ok(work.core.create_master(&made, now()).map(drop)?)).await?;
    let described = started(node, &tag)?;
    if let Err(failure) = settings::apply(node, &tag, wanted).await {
        node.destroy_domain(&tag).await?;
        return Err(failure);
    }
    Ok(described)
}

async fn create_clone(node: &Arc<Running>, value: &Value) -> Answer {
    let tag = member(value, "tag")?.to_owned();
    let (name, master_tag) =
        (member(value, "master_name")?.to_owned(), member(value, "master_tag")?.to_owned());
    let address = member(value, "master_address")?;
    let address = address.parse().map_err(|_| {
        Failure::new(Status::CantFindAddress, format!("\"{address}\" is not an IPv4 address"))
    })?;
    let (work, made) = (node.clone(), tag.clone());
    blocking(move || Ok(work.core.create_clone(&made, &name, address, &master_tag, now()).map(drop)?))
        .await?;
    started(node, &tag)
}

fn status(node: &Running) -> Answer {
    let endpoints = node.endpoints();
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "hostname": node.hostname,
        "pid": std::process::id(),
        "uptime_seconds": node.started.elapsed().as_secs(),
        "data": node.core.path(),
        "compat": node.historical.then_some("netinfo-369"),
        "connections": {
            "current": node.connections.len(),
            "maximum": node.max_connections,
            "accepted": node.accepted(),
            "held_bytes": node.connections.held(),
        },
        "endpoints": endpoints,
        "domains": domains(node)?,
    }))
}

fn domains(node: &Running) -> Answer {
    Ok(Value::Array(node.all_served().iter().map(|served| describe(node, served)).collect()))
}

fn describe(node: &Running, served: &Served) -> Value {
    let domain = &served.domain;
    let ports = node.registry.ports(domain.tag().as_bytes());
    let numbers = || -> netinfo_directory::Result<_> {
        let view = served.view()?;
        Ok((view.checksum()?, view.directories()?, view.sequence()?, domain.disk_size()?))
    };
    let (checksum, directories, sequence, disk) = match numbers() {
        Ok(numbers) => numbers,
        Err(error) => {
            return json!({ "tag": domain.tag(), "role": domain.role().name(), "error": error.to_string() });
        }
    };
    json!({
        "tag": domain.tag(),
        "role": domain.role().name(),
        "checksum": checksum,
        "directories": directories,
        "sequence": sequence,
        "disk_bytes": disk,
        "tcp": ports.map(|p| p.tcp_port),
        "udp": ports.map(|p| p.udp_port),
        "calls": served.tally.total(),
        "path": domain.path(),
    })
}

/// The change feed without the values: what changed, when, by whom.
fn changes(node: &Running, value: &Value) -> Answer {
    let served = served(node, member(value, "domain")?)?;
    let since = value["since"].as_u64().unwrap_or(0);
    let limit = value["limit"].as_u64().unwrap_or(100).min(CHANGES_LIMIT);
    let session = internal(&served.domain)?;
    let mut list = Vec::new();
    let result = served.domain.changes(&session, since, limit as usize, |c| {
        list.push(json!({
            "sequence": c.sequence,
            "at_ms": c.at,
            "by": String::from_utf8_lossy(&c.by),
            "change": kind(&c.change),
            "object": c.outcome.id.object,
            "instance": c.outcome.id.instance,
            "created": c.outcome.created.map(|id| id.object),
        }));
    });
    match result {
        Ok(()) => Ok(Value::Array(list)),
        Err(Error::Stale) => {
            Err(Failure::new(Status::Stale, format!("changes after {since} are no longer kept"))
                .hint("start from a full copy: netinfo backup"))
        }
        Err(error) => Err(error.into()),
    }
}

fn kind(change: &Change) -> &'static str {
    match change {
        Change::Create { .. } => "create",
        Change::Destroy { .. } => "destroy",
        Change::Write { .. } => "write",
        Change::CreateProperty { .. } => "createprop",
        Change::DestroyProperty { .. } => "destroyprop",
        Change::WriteProperty { .. } => "writeprop",
        Change::RenameProperty { .. } => "renameprop",
        Change::CreateValue { .. } => "createname",
        Change::DestroyValue { .. } => "destroyname",
        Change::WriteValue { .. } => "writename",
        Change::Move { .. } => "move",
        Change::SetStamp { .. } => "stamp",
    }
}

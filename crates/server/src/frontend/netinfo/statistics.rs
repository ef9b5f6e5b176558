//! STATISTICS: what a domain's server tells of itself.

use netinfo_directory::{ROOT, Result, Role};
use netinfo_wire::netinfo::{Procedure, PropListWriter};
use netinfo_wire::rpc::{Credential, auth_password};

use crate::node::Running;
use crate::replica::CLEANUP_WAIT;
use crate::served::Served;

/// Writes the property list. A caller whose password is the word `checksum` gets the checksum only.
pub(super) fn write(
    node: &Running,
    served: &Served,
    credential: &Credential<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let view = served.view()?;
    let checksum = view.checksum()?.to_string();
    let mut list = PropListWriter::new(out);
    list.property_with(b"checksum", [&checksum]);
    if matches!(credential, Credential::Sys(sys) if auth_password(sys.machine).as_slice() == b"checksum") {
        return Ok(());
    }
    let domain = &served.domain;
    let role = domain.role();
    let master = role == Role::Master;
    list.property_with(b"server_version", [node.server_version()]);
    let mut tag = vec![domain.tag().to_owned(), role.name().to_owned()];
    if master {
        let clones = match served.replica.known() {
            Some(clones) => clones,
            None => view.clones(domain.tag(), &|a| node.own.contains(a.into()))?.len(),
        };
        tag.push(clones.to_string());
    }
    list.property_with(b"tag", tag);
    let mut addresses: Vec<_> = node.own.announced_v4().iter().map(ToString::to_string).collect();
    if addresses.is_empty() {
        addresses.push("0.0.0.0".into());
    }
    list.property_with(b"ip_address", addresses);
    list.property_with(b"hostname", [&node.hostname]);
    list.property_with(b"domain_servers", view.domain_servers()?);
    // Writes are never locked here: whole-database reads come from a snapshot.
    list.property_with(b"write_locked", [if master { "No" } else { served.replica.lock_text() }]);
    let threads = match master {
        true => [
            served.replica.pushing().to_string(),
            view.root_number(b"subthreads", 5, 0..=1024, true)?.to_string(),
            view.root_number(b"update_latency", 2, 1..=7200, false)?.to_string(),
        ],
        false => ["0".into(), "0".into(), "0".into()],
    };
    list.property_with(b"notify_threads", threads);
    list.property_with(b"notifications_pending", [served.replica.pending().to_string()]);
    let figures = domain.authentication_figures();
    let figures = [figures.good, figures.bad, figures.write_good, figures.write_bad];
    list.property_with(b"authentications", figures.map(|n| n.to_string()));
    let proxies = view.root_number(b"readall_proxies", 0, 0..=424, true)?;
    let root = view.record(ROOT)?;
    let manner = root.property(b"readall_proxies").and_then(|mut p| p.values.nth(1));
    let strict = master && manner.is_none_or(|word| word.eq_ignore_ascii_case(b"strict"));
    list.property_with(
        b"readall_proxies",
        [proxies.to_string(), if strict { "strict" } else { "loose" }.into()],
    );
    let wait = view.root_number(b"cleanup_wait", CLEANUP_WAIT, 60..=36_000, true)?;
    let left = if wait < 0 { -1 } else { served.replica.seconds_to_cleanup(wait) / 60 };
    let minutes = if wait < 0 { -1 } else { wait / 60 };
    list.property_with(b"cleanup_wait", [minutes.to_string(), left.to_string()]);
    list.property_with(b"total_calls", [served.tally.total().to_string()]);
    list.property_with(b"binding", [served.binding.describe(view.root_flag(b"isRoot", false)?)]);
    let c = &served.connections;
    list.property_with(
        b"connections",
        [c.current(), c.peak(), node.max_connections, c.closed()].map(|n| n.to_string()),
    );
    for procedure in Procedure::ALL {
        let (calls, micros) = served.tally.of(procedure);
        let figures = [u64::from(procedure.code()), calls, micros];
        list.property_with(procedure.name().as_bytes(), figures.map(|n| n.to_string()));
    }
    Ok(())
}

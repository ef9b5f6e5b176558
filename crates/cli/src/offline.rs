//! The commands that work on a data directory while the daemon is stopped: the same core, without a network. The
//! directory's lock keeps a daemon and these commands apart.

pub(crate) mod settings;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use netinfo_directory::binding::{self, ParentName};
use netinfo_directory::{Credentials, Domain, Error, Finding, Node, Observer, Options, Origin, Session};
use netinfo_mapping::admin::AdminError;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use serde_json::{Value, json};

use crate::command::domain::print;
use crate::command::node::Report;
use crate::command::settings::Wanted;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::output::safe;
use crate::progress::Progress;

/// A data directory whose lock this process holds, and the domains in it that cannot be opened.
struct Open {
    node: Node,
    damaged: Vec<(String, Error)>,
}

fn open(data: &Path, create: bool) -> Result<Open> {
    let addresses = own_addresses();
    let own: HashSet<IpAddr> = addresses.iter().copied().map(IpAddr::V4).collect();
    let hostname = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let options = Options {
        hostname: hostname.unwrap_or_else(|| "localhost".into()),
        addresses,
        own: Arc::new(move |address| address.is_loopback() || own.contains(&address)),
        ..Options::default()
    };
    let (node, damaged) = Node::open(data, options, create)?;
    Ok(Open { node, damaged })
}

/// IPv4 addresses of the interfaces that are up, without loopback: what a new domain records for this host.
fn own_addresses() -> Vec<Ipv4Addr> {
    let interfaces = getifaddrs().into_iter().flatten();
    let usable = interfaces.filter(|i| {
        i.flags.contains(InterfaceFlags::IFF_UP) && !i.flags.contains(InterfaceFlags::IFF_LOOPBACK)
    });
    usable.filter_map(|i| Some(i.address?.as_sockaddr_in()?.ip())).collect()
}

/// Milliseconds since the epoch.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

impl Open {
    fn domain(&self, tag: &str) -> Result<Arc<Domain>> {
        if let Some(domain) = self.node.domain(tag) {
            return Ok(domain);
        }
        let damaged = self.damaged.iter().find(|(damaged, _)| damaged == tag);
        Err(damaged.map_or_else(
            || Error::NoSuchDomain(tag.into()).into(),
            |(_, error)| Failure::new(safe(error.to_string().as_bytes())),
        ))
    }
}

/// The session of whoever can open the files.
pub(crate) fn session(domain: &Domain) -> Result<Session> {
    Ok(domain.authenticate(Credentials::None, Origin::Internal)?)
}

/// Does something with a domain of a data directory; it is told the time in milliseconds since the epoch.
pub(crate) fn with<T>(
    data: &Path,
    tag: &str,
    work: impl FnOnce(&Domain, u64) -> Result<T, AdminError>,
) -> Result<T> {
    let domain = open(data, false)?.domain(tag)?;
    Ok(work(&domain, now())?)
}

/// A domain of a data directory whose lock is held as long.
pub(crate) struct Held {
    domain: Arc<Domain>,
    open: Arc<Open>,
    /// It was made to be held.
    made: bool,
}

impl Held {
    /// The domain.
    pub(crate) fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    /// Another domain of the same directory, or this one again.
    pub(crate) fn beside(&self, tag: &str) -> Result<Self> {
        Ok(Self { domain: self.open.domain(tag)?, open: self.open.clone(), made: false })
    }

    /// Checks that no other domain of the directory has one of the names of this one, or one of these suffixes.
    pub(crate) fn check_names<'s>(&self, suffixes: impl Iterator<Item = &'s str> + Clone) -> Result<()> {
        settings::check_beside(&self.open, self.domain.tag(), suffixes)?;
        settings::check_names(&self.open, &self.domain)
    }

    /// Moves the domain aside if it was made in vain.
    pub(crate) fn give_up(self) {
        let Self { domain, open, made } = self;
        if made {
            let tag = domain.tag().to_owned();
            drop(domain);
            let _ = open.node.destroy(&tag, now());
        }
    }
}

/// Opens a domain of a data directory.
pub(crate) fn hold(data: &Path, tag: &str) -> Result<Held> {
    let open = open(data, false)?;
    Ok(Held { domain: open.domain(tag)?, open: Arc::new(open), made: false })
}

/// Opens a domain of a data directory; makes what is missing.
pub(crate) fn hold_or_create(data: &Path, tag: &str) -> Result<Held> {
    let open = open(data, true)?;
    let (domain, made) = match open.domain(tag) {
        Err(failure) if failure.exit() == Exit::NotFound => (open.node.create_master(tag, now())?, true),
        found => (found?, false),
    };
    Ok(Held { domain, open: Arc::new(open), made })
}

/// Configures the parents of a domain of a data directory; none to forget them. What is remembered of other machines goes
/// when a parent goes.
pub(crate) fn bind(data: &Path, tag: &str, parents: Vec<ParentName>) -> Result<()> {
    let held = hold(data, tag)?;
    let mut all = binding::read_parents(data)?;
    let before = all.remove(tag).unwrap_or_default();
    if before.is_empty() && parents.is_empty() {
        return Err(Failure::new(format!("no parent is configured for \"{tag}\"")).with_exit(Exit::NotFound));
    }
    let goes = before.iter().any(|parent| !parents.contains(parent));
    if !parents.is_empty() {
        all.insert(tag.to_owned(), parents);
    }
    binding::write_parents(data, &all)?;
    if goes {
        binding::forget_remembered(data)?;
    }
    drop(held);
    Ok(())
}

/// The configured parents of a domain of a data directory.
pub(crate) fn parents(data: &Path, tag: &str) -> Result<Vec<ParentName>> {
    Ok(binding::read_parents(data)?.remove(tag).unwrap_or_default())
}

/// Makes a domain in a data directory.
pub(crate) fn make(data: &Path, tag: &str) -> Result<Held> {
    let open = open(data, true)?;
    Ok(Held { domain: open.node.create_master(tag, now())?, open: Arc::new(open), made: true })
}

/// Lists the domains.
pub(crate) fn list(context: &mut Context, data: &Path) -> Result<()> {
    let open = open(data, false)?;
    let mut domains: Vec<Value> = open.node.domains().iter().map(|domain| describe(domain)).collect();
    domains.extend(open.damaged.iter().map(|(tag, error)| json!({ "tag": tag, "error": error.to_string() })));
    print(context, &Value::Array(domains))
}

fn describe(domain: &Domain) -> Value {
    let numbers = || -> Result<_> {
        let session = session(domain)?;
        let view = domain.read(&session)?;
        Ok((view.checksum()?, view.directories()?, view.sequence()?, domain.disk_size()?))
    };
    match numbers() {
        Ok((checksum, directories, sequence, disk)) => json!({
            "tag": domain.tag(),
            "role": domain.role().name(),
            "checksum": checksum,
            "directories": directories,
            "sequence": sequence,
            "disk_bytes": disk,
        }),
        Err(failure) => json!({ "tag": domain.tag(), "error": failure.to_string() }),
    }
}

/// Makes a domain, and the data directory if it is missing.
pub(crate) fn create(context: &mut Context, data: &Path, tag: &str, wanted: &Wanted) -> Result<()> {
    let open = open(data, true)?;
    let made = open.node.create_master(tag, now())?;
    let named = settings::apply(&made, wanted).and_then(|()| settings::check_names(&open, &made));
    if let Err(failure) = named {
        drop(made);
        let _ = open.node.destroy(tag, now());
        return Err(failure);
    }
    context.out.either(|| format!("created domain {tag}\n"), || describe(&made))
}

/// Moves a domain aside.
pub(crate) fn delete(context: &mut Context, data: &Path, tag: &str) -> Result<()> {
    let moved = open(data, false)?.node.destroy(tag, now())?;
    let moved = moved.display().to_string();
    context.out.either(
        || format!("deleted domain {tag}; its data is now in {}\n", safe(moved.as_bytes())),
        || json!({ "moved_to": moved }),
    )
}

/// Hears what a check finds in one domain.
struct Listener<'r, 'o> {
    report: &'r mut Report<'o>,
    tag: &'r str,
}

impl Observer for Listener<'_, '_> {
    fn progress(&mut self, done: u64, total: u64) {
        self.report.progress(done, total);
    }

    fn finding(&mut self, finding: Finding) {
        let Finding { kind, object, text } = finding;
        self.report.fault(json!({ "domain": self.tag, "kind": kind, "object": object, "text": text }));
    }
}

/// Checks one domain, or all.
pub(crate) fn check(context: &mut Context, data: &Path, repair: bool) -> Result<Exit> {
    let tag = context.options.domain.as_ref().map(|_| context.tag()).transpose()?;
    let open = open(data, false)?;
    let domains = match &tag {
        Some(tag) => vec![open.domain(tag)?],
        None => open.node.domains(),
    };
    let mut report = Report::new(&mut context.out);
    let mut summaries = Vec::new();
    for domain in domains {
        let session = session(&domain)?;
        let mut listener = Listener { report: &mut report, tag: domain.tag() };
        let found = if repair {
            domain.repair(&session, &mut listener)
        } else {
            domain.check(&session, &mut listener)
        }?;
        summaries.push(json!({
            "tag": domain.tag(),
            "directories": found.directories,
            "findings": found.findings,
            "repaired": found.repaired,
        }));
    }
    if tag.is_none() {
        for (tag, error) in &open.damaged {
            report
                .fault(json!({ "domain": tag, "kind": "store", "object": null, "text": error.to_string() }));
            summaries.push(json!({ "tag": tag, "directories": 0, "findings": 1, "repaired": false }));
        }
    }
    report.finish(&json!({ "domains": summaries }))
}

/// Writes a backup and returns its summary.
pub(crate) fn backup(data: &Path, tag: &str, target: &mut dyn Write) -> Result<Value> {
    let open = open(data, false)?;
    let domain = open.domain(tag)?;
    let progress = Progress::items("backing up", Some(0));
    let mut counting = Counting { inner: target, total: 0 };
    let header = domain.backup(&session(&domain)?, &mut counting, &mut |done, total| {
        progress.of(total);
        progress.at(done);
    })?;
    Ok(json!({ "directories": header.directories, "bytes": counting.total, "checksum": header.checksum }))
}

/// Puts a backup in place and returns its summary.
pub(crate) fn restore(data: &Path, tag: &str, create: bool, source: Box<dyn Read + Send>) -> Result<Value> {
    let open = open(data, create)?;
    let domain = if create { open.node.create_master(tag, now())? } else { open.domain(tag)? };
    let progress = Progress::items("restoring", Some(0));
    let restored = session(&domain).and_then(|session| {
        Ok(domain.restore(&session, source, move |done, total| {
            progress.of(total);
            progress.at(done);
        })?)
    });
    if create && restored.is_err() {
        // What was made for the restore goes again with it.
        drop(domain);
        let _ = open.node.destroy(tag, now());
    }
    Ok(json!({ "directories": restored?.directories }))
}

/// Counts what is written.
struct Counting<'w> {
    inner: &'w mut dyn Write,
    total: u64,
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.total += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

//! `domain`: the domains of a server.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use netinfo_client::binder::Binder;
use netinfo_client::rpc::{Connection, Endpoint};
use netinfo_client::{Domain, Finder, Property, Server, Status};
use serde_json::{Value, json};

use super::settings::{self, Settings};
use crate::context::Context;
use crate::failure::{Failure, Result, When};
use crate::offline;
use crate::output::{json_properties, safe, table};

/// The commands about domains.
#[derive(Debug, Subcommand)]
pub(crate) enum DomainCommand {
    /// List the domains of a server
    #[command(visible_alias = "ls")]
    List,
    /// Make a server serve a new domain
    Create(Create),
    /// Make a server give up a domain
    ///
    /// A daemon of this project keeps the data aside and tells where. A historical server deletes it.
    #[command(visible_alias = "rm")]
    Delete {
        /// Tag of the domain
        tag: String,
    },
    /// Show what a domain's server says about it
    Info,
    /// Change how a domain is served over LDAP
    Set(settings::Set),
}

/// Arguments of `domain create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Tag of the new domain
    tag: String,
    /// Make it a clone of a domain on another host: the name of the master in its /machines, and the tag there
    #[arg(long, value_name = "HOST/TAG", value_parser = host_and_tag)]
    clone_of: Option<(String, String)>,
    /// Address of the master [default: what the host's name means here]
    #[arg(long, value_name = "ADDRESS", requires = "clone_of")]
    master_address: Option<std::net::Ipv4Addr>,
    #[command(flatten)]
    settings: Box<Settings>,
}

fn host_and_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((host, tag)) if !host.is_empty() && !tag.is_empty() => Ok((host.to_owned(), tag.to_owned())),
        _ => Err("HOST/TAG is needed, such as boss/network".to_owned()),
    }
}

/// Carries out a command about domains.
pub(crate) fn run(context: &mut Context, command: DomainCommand) -> Result<()> {
    if let Some(data) = context.options.data.clone() {
        return match command {
            DomainCommand::List => offline::list(context, &data).when(|| "list the domains"),
            DomainCommand::Create(Create { tag, clone_of: None, settings, .. }) => {
                let wanted = settings.wanted()?;
                offline::create(context, &data, &tag, &wanted).when(|| format!("create domain \"{tag}\""))
            }
            DomainCommand::Delete { tag } => {
                offline::delete(context, &data, &tag).when(|| format!("delete domain \"{tag}\""))
            }
            DomainCommand::Create(_) => {
                Err(Failure::usage("a clone is made while the daemon runs, without --data"))
            }
            DomainCommand::Info => {
                let tag = context.tag()?;
                let about =
                    settings::describe(context, &tag).when(|| format!("describe domain \"{tag}\""))?;
                context.out.either(|| settings::text(&about), || about.clone())
            }
            DomainCommand::Set(args) => settings::set(context, &args),
        };
    }
    match command {
        DomainCommand::List => list(context).when(|| "list the domains"),
        DomainCommand::Create(args) => {
            create(context, &args).when(|| format!("create domain \"{}\"", args.tag))
        }
        DomainCommand::Delete { tag } => delete(context, &tag).when(|| format!("delete domain \"{tag}\"")),
        DomainCommand::Info => info(context),
        DomainCommand::Set(args) => settings::set(context, &args),
    }
}

/// A request to the daemon on this machine; `repeat` says that asking twice does no harm.
pub(super) fn request(context: &Context, request: &Value, repeat: bool) -> Result<Value> {
    let answer = context.control()?.request(request.to_string().as_bytes(), repeat)?;
    parse(&answer)
}

/// The daemon's answer.
pub(super) fn parse(answer: &[u8]) -> Result<Value> {
    serde_json::from_slice(answer)
        .map_err(|error| Failure::new(format!("the daemon's answer is not JSON: {error}")))
}

/// Runs `attempt` for each address of the server until one can be reached.
fn at_server<T>(
    context: &Context,
    mut attempt: impl FnMut(&Server) -> netinfo_client::Result<T>,
) -> Result<T> {
    let mut failure = Failure::new("the server has no address");
    for server in context.servers()? {
        match attempt(&server) {
            Err(error) if error.is_unreachable() => failure = error.into(),
            done => return Ok(done?),
        }
    }
    Err(failure)
}

fn list(context: &mut Context) -> Result<()> {
    if context.options.server.is_none() {
        let domains = request(context, &json!({ "op": "domains" }), true)?;
        return print(context, &domains);
    }
    let registered = at_server(context, |server| Finder::default().list(server))?;
    let domains = registered
        .iter()
        .map(|r| json!({ "tag": safe(&r.tag), "tcp": r.ports.tcp_port, "udp": r.ports.udp_port }))
        .collect();
    print(context, &domains)
}

/// Prints descriptions of domains, of which a remote server tells less than the daemon on this machine.
pub(crate) fn print(context: &mut Context, domains: &Value) -> Result<()> {
    let rows = || domains.as_array().into_iter().flatten();
    context.out.either(|| domain_table(rows()), || domains.clone())
}

/// The columns that any of the descriptions has.
pub(super) fn domain_table<'v>(rows: impl Iterator<Item = &'v Value> + Clone) -> String {
    let columns = ["tag", "role", "directories", "checksum", "disk_bytes", "tcp", "udp", "error"];
    let columns: Vec<&str> =
        columns.into_iter().filter(|c| *c == "tag" || rows.clone().any(|row| !row[*c].is_null())).collect();
    let numbers: Vec<usize> =
        (0..columns.len()).filter(|i| !matches!(columns[*i], "tag" | "role" | "error")).collect();
    let headers: Vec<&str> = columns.iter().map(|c| if *c == "disk_bytes" { "disk" } else { *c }).collect();
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => "-".to_owned(),
        Value::String(text) => safe(text.as_bytes()),
        Value::Number(n) if column == "disk_bytes" => n.as_u64().map_or_else(|| n.to_string(), size),
        other => other.to_string(),
    };
    table(&headers, &numbers, rows.map(|row| columns.iter().map(|column| cell(row, column)).collect()))
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" || value >= 100.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

fn create(context: &mut Context, args: &Create) -> Result<()> {
    let tag = args.tag.as_str();
    let master = match &args.clone_of {
        None => None,
        Some((host, master_tag)) => {
            let address = match args.master_address {
                Some(address) => address,
                None => first_ipv4(host)?,
            };
            Some((host.as_str(), address, master_tag.as_str()))
        }
    };
    let text = || format!("created domain {tag}\n");
    let wanted = args.settings.wanted()?;
    let remote = context.options.server.is_some();
    if !wanted.is_empty() && (remote || master.is_some()) {
        return Err(Failure::usage(match remote {
            true => "settings for LDAP are given on the machine itself, without --server",
            false => "a clone has the settings of its master",
        }));
    }
    if context.options.server.is_some() {
        at_binder(context, |binder| match master {
            None => binder.create_master(tag.as_bytes()),
            Some((host, address, master_tag)) => {
                binder.create_clone(tag.as_bytes(), host.as_bytes(), address, master_tag.as_bytes())
            }
        })?;
        return context.out.either(text, || json!({ "tag": tag }));
    }
    let question = match master {
        None => json!({ "op": "create-domain", "tag": tag, "settings": settings::as_json(&wanted) }),
        Some((host, address, master_tag)) => json!({
            "op": "create-clone",
            "tag": tag,
            "master_name": host,
            "master_tag": master_tag,
            "master_address": address.to_string(),
        }),
    };
    let made = request(context, &question, false)?;
    context.out.either(text, || made)
}

/// The first IPv4 address of a host: the protocol has no room for any other kind.
fn first_ipv4(host: &str) -> Result<std::net::Ipv4Addr> {
    let servers = Server::parse(host)?;
    let address = servers.into_iter().find_map(|server| match server {
        Server::Host(IpAddr::V4(address)) => Some(address),
        _ => None,
    });
    address.ok_or_else(|| {
        Failure::new(format!("host \"{host}\" has no IPv4 address")).with_hint("give one: --master-address")
    })
}

fn at_binder(context: &Context, call: impl Fn(&mut Binder<'_>) -> netinfo_client::Result<()>) -> Result<()> {
    at_server(context, |server| {
        let mut connection = binder_connection(server)?;
        call(&mut Binder::new(&mut connection))
    })
}

/// A connection on which the binder of a host answers.
fn binder_connection(server: &Server) -> netinfo_client::Result<Connection> {
    let finder = Finder::default();
    match server {
        Server::Local(path) => Ok(Connection::new(Endpoint::Unix(path.clone()), finder.timeouts)),
        Server::Port(addr) => Ok(Connection::new(Endpoint::Tcp(*addr), finder.timeouts)),
        Server::Host(host) => finder.binder(*host),
    }
}

fn delete(context: &mut Context, tag: &str) -> Result<()> {
    if context.options.server.is_some() {
        at_binder(context, |binder| binder.destroy_domain(tag.as_bytes()))?;
        return context.out.either(|| format!("deleted domain {tag}\n"), || json!({ "tag": tag }));
    }
    let done = request(context, &json!({ "op": "destroy-domain", "tag": tag }), false)?;
    let text = || match done["moved_to"].as_str() {
        Some(path) => format!("deleted domain {tag}; its data is now in {}\n", safe(path.as_bytes())),
        None => format!("deleted domain {tag}\n"),
    };
    context.out.either(text, || done.clone())
}

/// What STATISTICS says, without the counters of procedures.
fn info(context: &mut Context) -> Result<()> {
    let domain = context.domain()?;
    let statistics = domain.statistics().when(|| "ask for statistics")?;
    let parent = parent_of(domain);
    let about: Vec<Property> = statistics.into_iter().filter(|p| !is_counter(&p.name)).collect();
    let ldap = ldap_of(context, &about);
    context.out.either(
        || info_text(&about, &parent) + &ldap.as_ref().map(settings::text).unwrap_or_default(),
        || json!({ "statistics": json_properties(&about), "parent": parent.as_ref().ok(), "ldap": ldap }),
    )
}

/// How the daemon on this machine serves the domain over LDAP; nothing where another server was asked, or one of an
/// older kind.
fn ldap_of(context: &Context, statistics: &[Property]) -> Option<Value> {
    if context.options.server.is_some() {
        return None;
    }
    let tag = statistics.iter().find(|p| p.name == b"tag").and_then(|p| p.values.first())?;
    let question = json!({ "op": "domain-settings", "tag": safe(tag) });
    request(context, &question, true).ok()
}

/// Where the parent domain is, or why that is not known.
fn parent_of(domain: &mut Domain) -> Result<String, String> {
    match domain.rparent() {
        Ok(binding) => Ok(format!("{}@{}", safe(&binding.tag), binding.addr)),
        Err(error) if error.is(Status::NetRoot) => Err("none, this is the topmost domain".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a statistic is one of the counters, which are of use to programs only.
fn is_counter(name: &[u8]) -> bool {
    netinfo_wire::netinfo::Procedure::ALL.iter().any(|p| p.name().as_bytes() == name)
}

fn info_text(about: &[Property], parent: &Result<String, String>) -> String {
    let mut text = crate::output::text_properties(about);
    let parent = match parent {
        Ok(parent) | Err(parent) => parent,
    };
    text.push_str(&format!("parent: {parent}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_columns_that_are_known() {
        let local = json!([
            { "tag": "local", "role": "master", "checksum": 5, "directories": 3, "disk_bytes": 57344, "tcp": 1033, "udp": 1033 },
            { "tag": "odd", "role": "clone", "error": "damaged" },
        ]);
        insta::assert_snapshot!(domain_table(local.as_array().unwrap().iter()), @r"
        TAG    ROLE    DIRECTORIES  CHECKSUM      DISK   TCP   UDP  ERROR
        local  master            3         5  56.0 KiB  1033  1033  -
        odd    clone             -         -         -     -     -  damaged
        ");
        let remote = json!([{ "tag": "network", "tcp": 700, "udp": 701 }]);
        insta::assert_snapshot!(domain_table(remote.as_array().unwrap().iter()), @r"
        TAG      TCP  UDP
        network  700  701
        ");
    }

    #[test]
    fn sizes() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(500 << 20), "500 MiB");
        assert_eq!(size(u64::MAX), "16777216 TiB");
    }

    #[test]
    fn masters() {
        assert_eq!(host_and_tag("boss/network"), Ok(("boss".into(), "network".into())));
        for bad in ["boss", "/network", "boss/"] {
            assert!(host_and_tag(bad).is_err());
        }
    }

    #[test]
    fn information_leaves_counters_out() {
        let statistics = [Property::new("checksum", ["5"]), Property::new("tag", ["network", "master", "0"])];
        assert!(is_counter(b"lookupread") && !is_counter(b"tag"));
        insta::assert_snapshot!(info_text(&statistics, &Ok("root@192.0.2.1".into())), @r"
        checksum: 5
        tag: network
             master
             0
        parent: root@192.0.2.1
        ");
    }
}

//! `host`: the records below `/machines`.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::{Args, Subcommand};
use netinfo_client::Property;
use serde_json::json;

use super::host_rules;
use super::records::Kind;
use crate::args::Text;
use crate::context::Context;
use crate::failure::{Result, When};
use crate::output::safe;

const HOST: Kind = Kind { container: "machines", one: "host" };

/// The commands about hosts.
#[derive(Debug, Subcommand)]
pub(crate) enum HostCommand {
    /// Add a host
    Add(AddHost),
    /// Remove a host
    #[command(visible_alias = "rm")]
    Del {
        /// Name of the host
        name: Text,
    },
    /// List all hosts
    #[command(visible_alias = "ls")]
    List,
    /// Show a host
    Show {
        /// Name of the host
        name: Text,
    },
    /// Let machines of a network add themselves when they look for their parent
    Allow(host_rules::Allow),
    /// List the rules by which machines may add themselves
    Rules,
    /// Remove such a rule; the machines it has added stay
    Disallow {
        /// Name of the rule
        rule: Text,
    },
}

/// Arguments of `host add`.
#[derive(Debug, Args)]
pub(crate) struct AddHost {
    /// Name of the host
    name: Text,
    /// Further names
    #[arg(value_name = "ALIAS")]
    aliases: Vec<Text>,
    /// IPv4 address; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<Ipv4Addr>,
    /// IPv6 address; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    ipv6: Vec<Ipv6Addr>,
    /// Ethernet address; may be repeated, in the order of the IPv4 addresses
    #[arg(long, value_name = "MAC", value_parser = ethernet)]
    ethernet: Vec<String>,
    /// Domain the host serves: "NAME/TAG", where "." means this domain and ".." its parent; may be repeated
    #[arg(long, value_name = "NAME/TAG", value_parser = serves)]
    serves: Vec<String>,
}

/// Carries out a command about hosts.
pub(crate) fn run(context: &mut Context, command: HostCommand) -> Result<()> {
    match command {
        HostCommand::Add(args) => add(context, &args).when(|| HOST.action("add", &args.name)),
        HostCommand::Del { name } => context
            .domain()
            .and_then(|domain| HOST.delete(domain, &name))
            .when(|| HOST.action("remove", &name)),
        HostCommand::List => {
            HOST.list(context, &["name", "ip_address", "en_address", "serves"], &[]).when(|| "list hosts")
        }
        HostCommand::Show { name } => HOST.show(context, &name).when(|| HOST.action("show", &name)),
        HostCommand::Allow(args) => host_rules::allow(context, &args).when(|| "add a rule for new hosts"),
        HostCommand::Rules => host_rules::rules(context).when(|| "list the rules for new hosts"),
        HostCommand::Disallow { rule } => {
            host_rules::disallow(context, &rule).when(|| "remove a rule for new hosts")
        }
    }
}

fn add(context: &mut Context, args: &AddHost) -> Result<()> {
    let properties = record(args);
    let object = HOST.create(context.domain()?, &args.name, "name", |_| Ok(properties.clone()))?;
    let name = safe(&args.name.0);
    context.out.either(|| format!("added host {name}\n"), || json!({ "name": name, "id": object }))
}

fn record(args: &AddHost) -> Vec<Property> {
    let mut properties = vec![Property::new("name", std::iter::once(&args.name).chain(&args.aliases))];
    let mut add = |key: &str, values: Vec<String>| {
        if !values.is_empty() {
            properties.push(Property::new(key, values));
        }
    };
    add("ip_address", args.ip.iter().map(ToString::to_string).collect());
    add("ipv6_address", args.ipv6.iter().map(ToString::to_string).collect());
    add("en_address", args.ethernet.clone());
    add("serves", args.serves.clone());
    properties
}

/// An Ethernet address as records hold it: octets without leading zeros.
fn ethernet(text: &str) -> Result<String, String> {
    let octets: Option<Vec<String>> = text
        .split([':', '-'])
        .map(|octet| {
            let digits = octet.len() <= 2 && octet.bytes().all(|b| b.is_ascii_hexdigit());
            u8::from_str_radix(octet, 16).ok().filter(|_| digits).map(|octet| format!("{octet:x}"))
        })
        .collect();
    octets
        .filter(|octets| octets.len() == 6)
        .map(|octets| octets.join(":"))
        .ok_or_else(|| "six octets in hexadecimal are needed, such as 0:5:2:a:b:c".to_owned())
}

fn serves(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((name, tag)) if !name.is_empty() && !tag.is_empty() => Ok(text.to_owned()),
        _ => Err("NAME/TAG is needed, such as ./network or client/local".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::text_properties;

    #[test]
    fn ethernet_addresses() {
        assert_eq!(ethernet("00:05:02:0A:0b:c").unwrap(), "0:5:2:a:b:c");
        assert_eq!(ethernet("00-05-02-0a-0b-0c").unwrap(), "0:5:2:a:b:c");
        for bad in ["", "1:2:3:4:5", "1:2:3:4:5:6:7", "1:2:3:4:5:g", "100:2:3:4:5:6", "+1:2:3:4:5:6"] {
            assert!(ethernet(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_record() {
        let args = AddHost {
            name: Text(b"boss".into()),
            aliases: vec![Text(b"boss.example".into())],
            ip: vec!["192.0.2.1".parse().unwrap()],
            ipv6: Vec::new(),
            ethernet: vec!["0:5:2:a:b:c".into()],
            serves: vec!["./network".into()],
        };
        insta::assert_snapshot!(text_properties(&record(&args)), @r"
        name: boss
              boss.example
        ip_address: 192.0.2.1
        en_address: 0:5:2:a:b:c
        serves: ./network
        ");
        assert!(serves("nothing").is_err());
    }
}

//! `host allow`, `host rules` and `host disallow`: machines that may add themselves.

use clap::Args;
use netinfo_client::{Component, Path, Property, Status};
use netinfo_directory::binding::{HOST_RULES, network};
use serde_json::{Value, json};

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::output::{joined, json_record, safe, table};

/// Arguments of `host allow`.
#[derive(Debug, Args)]
pub(crate) struct Allow {
    /// IPv4 networks from which machines may add themselves: ADDRESS/BITS, or one address
    #[arg(required = true, value_name = "NETWORK", value_parser = checked_network)]
    networks: Vec<String>,
    /// Name of the rule [default: the first network]
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Only machines whose name fits the pattern, in which * and ? stand for any text and any character
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// How many machines the rule may add [default: 1000]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    most: Option<u32>,
    /// The last day of the rule (UTC), as 2027-12-31
    #[arg(long, value_name = "DATE", value_parser = end_of)]
    until: Option<i64>,
}

/// Adds a rule.
pub(crate) fn allow(context: &mut Context, args: &Allow) -> Result<()> {
    let name = args.rule.clone().or_else(|| args.networks.first().cloned()).unwrap_or_default();
    let domain = context.domain()?;
    let rules = domain.create_path(&rules_path())?.object;
    match domain.lookup_first(rules, b"name", name.as_bytes()) {
        Err(error) if error.is(Status::NoDir) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => {
            return Err(Failure::new(format!("there is a rule \"{name}\" already"))
                .with_hint("\"netinfo host disallow\" removes it; --rule gives this one another name"));
        }
    }
    domain.create_child(rules, &properties(args, &name))?;
    context.out.either(
        || {
            format!(
                "machines of {} may add themselves: rule {}\n",
                args.networks.join(", "),
                safe(name.as_bytes())
            )
        },
        || json!({ "rule": name }),
    )
}

/// Lists the rules.
pub(crate) fn rules(context: &mut Context) -> Result<()> {
    let domain = context.domain()?;
    let mut records: Vec<Vec<Property>> = Vec::new();
    match domain.resolve(&rules_path()) {
        Err(error) if error.is(Status::NoDir) => {}
        Err(error) => return Err(error.into()),
        Ok(rules) => {
            domain.list_all_each(rules, |record| {
                records.push(record);
                Ok(())
            })?;
        }
    }
    let columns = ["name", "network", "pattern", "most", "until"];
    let row = |record: &Vec<Property>| columns.iter().map(|column| shown(record, column)).collect();
    context.out.either(
        || table(&columns, &[3], records.iter().map(row)),
        || records.iter().map(|record| json_record(record)).collect::<Value>(),
    )
}

/// Removes a rule.
pub(crate) fn disallow(context: &mut Context, name: &Text) -> Result<()> {
    let path = rules_path().child(Component::name(name.0.clone()));
    let domain = context.domain()?;
    let rule = domain.resolve(&path).map_err(|error| match error.status() {
        Status::NoDir => Failure::new(format!("there is no rule \"{}\"", safe(&name.0)))
            .with_exit(Exit::NotFound)
            .with_hint("\"netinfo host rules\" shows them all"),
        _ => error.into(),
    })?;
    domain.destroy_tree(rule, |_| {})?;
    let name = safe(&name.0);
    context.out.either(|| format!("removed rule {name}\n"), || json!({ "removed": name }))
}

fn rules_path() -> Path {
    HOST_RULES.iter().fold(Path::root(), |path, name| path.child(Component::name(*name)))
}

fn properties(args: &Allow, name: &str) -> Vec<Property> {
    let mut properties = vec![Property::new("name", [name]), Property::new("network", &args.networks)];
    let mut add = |key: &str, value: Option<String>| {
        properties.extend(value.map(|value| Property::new(key, [value])));
    };
    add("pattern", args.name.clone());
    add("most", args.most.map(|most| most.to_string()));
    add("until", args.until.map(|until| until.to_string()));
    properties
}

/// A column of a rule; times as dates.
fn shown(record: &[Property], column: &str) -> String {
    let text = joined(record, column);
    let at = (column == "until").then(|| jiff::Timestamp::from_second(text.parse().ok()?).ok()).flatten();
    at.map_or(text, |at| at.strftime("%Y-%m-%d").to_string())
}

fn checked_network(text: &str) -> Result<String, String> {
    let hint = "an IPv4 network such as 10.0.0.0/24 is needed, without bits beyond the mask";
    network(text).map(|_| text.to_owned()).ok_or_else(|| hint.to_owned())
}

/// The last second of a day, since 1970.
fn end_of(text: &str) -> Result<i64, String> {
    let bad = |error: jiff::Error| format!("a date such as 2027-12-31 is needed: {error}");
    let date: jiff::civil::Date = text.parse().map_err(bad)?;
    let next = date.tomorrow().and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC)).map_err(bad)?;
    Ok(next.timestamp().as_second() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::text_properties;

    #[test]
    fn a_rule() {
        let args = Allow {
            networks: vec!["10.0.0.0/24".into()],
            rule: None,
            name: Some("ws*".into()),
            most: Some(20),
            until: Some(end_of("2027-12-31").unwrap()),
        };
        let rule = properties(&args, "lab");
        insta::assert_snapshot!(text_properties(&rule), @r"
        name: lab
        network: 10.0.0.0/24
        pattern: ws*
        most: 20
        until: 1830297599
        ");
        assert_eq!(shown(&rule, "until"), "2027-12-31");
        assert_eq!(rules_path().to_string(), "/config/host_rules");
        assert!(checked_network("10.0.0.1/24").is_err() && end_of("tomorrow").is_err());
    }
}

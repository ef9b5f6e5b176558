//! `access`: who may read and change what.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use netinfo_mapping::admin;
use serde_json::{Value, json};

use super::domain::request;
use crate::context::Context;
use crate::failure::{Result, When};
use crate::offline;
use crate::output::safe;

/// The commands about access.
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Say what somebody may do with a directory over LDAP, and why
    ///
    /// Rules in the configuration of the server count only when the daemon is asked, without --data.
    Test(Test),
}

/// Arguments of `access test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Who: name, path or DN of a user, or "anonymous"
    #[arg(long = "as", value_name = "WHO")]
    who: String,
    /// Address the caller comes from [default: this machine]
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,
    /// Path or DN of the directory
    target: String,
    /// Property; without one, the directory as a whole
    property: Option<String>,
}

/// Carries out a command about access.
pub(crate) fn run(context: &mut Context, command: AccessCommand) -> Result<()> {
    let AccessCommand::Test(args) = command;
    let tag = context.tag()?;
    test(context, &tag, &args).when(|| "test access")
}

fn test(context: &mut Context, tag: &str, args: &Test) -> Result<()> {
    let Test { who, from, target, property } = args;
    let found = match context.options.data.clone() {
        Some(data) => offline::with(&data, tag, |domain, at| {
            let found = admin::explain(domain, who, *from, target, property.as_deref(), at)?;
            let one = found.iter().map(
                |e| json!({ "action": e.action.to_string(), "allowed": e.allowed, "why": e.to_string() }),
            );
            Ok(one.collect::<Value>())
        })?,
        None => {
            let question = json!({
                "op": "access", "tag": tag, "as": who, "from": from, "target": target, "property": property,
            });
            request(context, &question, true)?
        }
    };
    let line = |one: &Value| safe(one["why"].as_str().unwrap_or_default().as_bytes()) + "\n";
    context.out.either(|| found.as_array().into_iter().flatten().map(line).collect(), || found.clone())
}

//! `group`: the records below `/groups`.

use clap::{Args, Subcommand};
use netinfo_client::{Domain, Property};
use serde_json::json;

use super::records::Kind;
use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::safe;

pub(super) const GROUP: Kind = Kind { container: "groups", one: "group" };

/// The commands about groups.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Add a group
    Add(AddGroup),
    /// Remove a group
    #[command(visible_alias = "rm")]
    Del {
        /// Name of the group
        name: Text,
    },
    /// List all groups
    #[command(visible_alias = "ls")]
    List,
    /// Show a group
    Show {
        /// Name of the group
        name: Text,
    },
    /// Make users members of a group
    Join(Members),
    /// End the membership of users in a group
    Leave(Members),
}

/// Arguments of `group add`.
#[derive(Debug, Args)]
pub(crate) struct AddGroup {
    /// Name of the group
    name: Text,
    /// Members
    #[arg(value_name = "USER")]
    members: Vec<Text>,
    /// Number of the group [default: the first free one from 1000]
    #[arg(long, value_name = "N")]
    gid: Option<u32>,
}

/// Arguments of `group join` and `group leave`.
#[derive(Debug, Args)]
pub(crate) struct Members {
    /// Name of the group
    name: Text,
    /// Login names
    #[arg(value_name = "USER", required = true)]
    members: Vec<Text>,
}

/// Carries out a command about groups.
pub(crate) fn run(context: &mut Context, command: GroupCommand) -> Result<()> {
    match command {
        GroupCommand::Add(args) => add(context, &args).when(|| GROUP.action("add", &args.name)),
        GroupCommand::Del { name } => context
            .domain()
            .and_then(|domain| GROUP.delete(domain, &name))
            .when(|| GROUP.action("remove", &name)),
        GroupCommand::List => GROUP.list(context, &["name", "gid", "users"], &[1]).when(|| "list groups"),
        GroupCommand::Show { name } => GROUP.show(context, &name).when(|| GROUP.action("show", &name)),
        GroupCommand::Join(Members { name, members }) => context
            .domain()
            .and_then(|domain| join(domain, &name, &members))
            .when(|| GROUP.action("change", &name)),
        GroupCommand::Leave(Members { name, members }) => context
            .domain()
            .and_then(|domain| leave(domain, &name, &members))
            .when(|| GROUP.action("change", &name)),
    }
}

fn add(context: &mut Context, args: &AddGroup) -> Result<()> {
    let mut taken = 0;
    let object = GROUP.create(context.domain()?, &args.name, "gid", |numbers| {
        taken = numbers.take(args.gid, "gid")?;
        let mut properties = vec![
            Property::new("name", [&args.name]),
            Property::new("passwd", ["*"]),
            Property::new("gid", [taken.to_string()]),
        ];
        if !args.members.is_empty() {
            properties.push(Property::new("users", &args.members));
        }
        Ok(properties)
    })?;
    let name = safe(&args.name.0);
    context.out.either(
        || format!("added group {name}, gid {taken}\n"),
        || json!({ "name": name, "gid": taken, "id": object }),
    )
}

/// Makes users members of a group. They need not be users of this domain: they may come from a parent.
pub(super) fn join(domain: &mut Domain, name: &Text, members: &[Text]) -> Result<()> {
    let object = GROUP.find(domain, name)?;
    Ok(domain.merge_values(object, b"users", members).map(drop)?)
}

fn leave(domain: &mut Domain, name: &Text, members: &[Text]) -> Result<()> {
    let object = GROUP.find(domain, name)?;
    match domain.remove_values(object, b"users", members)? {
        0 => Err(Failure::new("none of them is a member").with_exit(Exit::NotFound)),
        _ => Ok(()),
    }
}

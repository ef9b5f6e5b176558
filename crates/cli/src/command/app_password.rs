//! `app-password`: secrets of a user for one program each.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use netinfo_mapping::admin;
use serde_json::{Value, json};

use super::domain::request;
use crate::context::Context;
use crate::failure::{Result, When};
use crate::offline;
use crate::output::{safe, table};

/// The commands about application passwords.
#[derive(Debug, Subcommand)]
pub(crate) enum AppPasswordCommand {
    /// Make up a password for a program of a user, and show it once
    ///
    /// The program can log in with it over LDAP as the user, and read; it cannot change anything.
    Add(Label),
    /// List the application passwords of a user
    #[command(visible_alias = "ls")]
    List {
        /// Name, path or DN of the user
        user: String,
    },
    /// Make an application password worthless
    #[command(visible_alias = "rm")]
    Revoke(Label),
}

/// A user and what an application password of it is called.
#[derive(Debug, Args)]
pub(crate) struct Label {
    /// Name, path or DN of the user
    user: String,
    /// What the password is called, such as the name of the program
    label: String,
}

/// Carries out a command about application passwords.
pub(crate) fn run(context: &mut Context, command: AppPasswordCommand) -> Result<()> {
    let tag = context.tag()?;
    match command {
        AppPasswordCommand::Add(args) => add(context, &tag, &args).when(|| "make an application password"),
        AppPasswordCommand::List { user } => list(context, &tag, &user).when(|| "list application passwords"),
        AppPasswordCommand::Revoke(args) => {
            revoke(context, &tag, &args).when(|| "revoke an application password")
        }
    }
}

fn add(context: &mut Context, tag: &str, Label { user, label }: &Label) -> Result<()> {
    let made = match context.options.data.clone() {
        Some(data) => offline::with(&data, tag, |domain, at| {
            let secret = admin::add_application_password(domain, user, label, at)?;
            Ok(json!({ "label": label, "password": secret.as_str() }))
        })?,
        None => {
            let question = json!({ "op": "add-app-password", "tag": tag, "user": user, "label": label });
            request(context, &question, false)?
        }
    };
    let text = || format!("{}\n", safe(made["password"].as_str().unwrap_or_default().as_bytes()));
    context.out.either(text, || made.clone())
}

fn list(context: &mut Context, tag: &str, user: &str) -> Result<()> {
    let found = match context.options.data.clone() {
        Some(data) => offline::with(&data, tag, |domain, _| {
            let all = admin::application_passwords(domain, user)?;
            let one =
                all.iter().map(|p| json!({ "label": p.label, "created_ms": p.created, "scope": p.scope }));
            Ok(one.collect())
        })?,
        None => request(context, &json!({ "op": "app-passwords", "tag": tag, "user": user }), true)?,
    };
    context.out.either(|| text(&found), || found.clone())
}

fn text(list: &Value) -> String {
    let rows = list.as_array().into_iter().flatten().map(|one| {
        let time = one["created_ms"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let time = time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d").to_string());
        let shown = |name: &str| safe(one[name].as_str().unwrap_or_default().as_bytes());
        vec![shown("label"), time, shown("scope")]
    });
    table(&["label", "created", "scope"], &[], rows)
}

fn revoke(context: &mut Context, tag: &str, Label { user, label }: &Label) -> Result<()> {
    match context.options.data.clone() {
        Some(data) => offline::with(&data, tag, |domain, at| {
            admin::revoke_application_password(domain, user, label, at)
        })?,
        None => {
            let question = json!({ "op": "revoke-app-password", "tag": tag, "user": user, "label": label });
            request(context, &question, false).map(drop)?;
        }
    }
    context.out.either(|| format!("revoked \"{}\"\n", safe(label.as_bytes())), || json!({ "label": label }))
}

//! The commands. Each module declares the arguments of its commands and carries them out.

pub(crate) mod access;
pub(crate) mod app_password;
pub(crate) mod bind;
pub(crate) mod changes;
pub(crate) mod doctor;
pub(crate) mod domain;
pub(crate) mod edit;
pub(crate) mod enable_login;
pub(crate) mod find;
pub(crate) mod generate;
pub(crate) mod group;
pub(crate) mod host;
mod host_rules;
pub(crate) mod list;
pub(crate) mod lookup;
mod lookup_text;
pub(crate) mod migrate;
pub(crate) mod moving;
pub(crate) mod nidb;
pub(crate) mod node;
pub(crate) mod port;
mod port_text;
mod records;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod ssh_keys;
mod switch;
pub(crate) mod tool;
pub(crate) mod transfer;
pub(crate) mod user;

use crate::args::{Command, PlainCommand};
use crate::context::Context;
use crate::failure::{Exit, Result};
use crate::shell;

/// Carries out a command of the command line.
pub(crate) fn run(context: &mut Context, command: Command) -> Result<Exit> {
    match command {
        Command::Plain(command) => return run_plain(context, command),
        Command::Port(args) => return port::port(context, &args),
        Command::Nidb(command) => return nidb::run(context, command),
        Command::SshKeys(args) => ssh_keys::ssh_keys(context, &args)?,
        Command::EnableLogin(args) => enable_login::enable_login(context, &args)?,
        Command::Shell => shell::run(context)?,
        // These tools have options, output and exit codes of their own.
        Command::Tool(args) => return tool::run(context, args),
        Command::Completions(args) => generate::completions(context, &args)?,
        Command::Man(args) => generate::man(&args)?,
    }
    Ok(Exit::Ok)
}

/// Carries out a command that the interactive mode has too.
pub(crate) fn run_plain(context: &mut Context, command: PlainCommand) -> Result<Exit> {
    match command {
        PlainCommand::Ls(args) => list::ls(context, &args)?,
        PlainCommand::Cat(args) => list::cat(context, &args)?,
        PlainCommand::Tree(args) => list::tree(context, &args)?,
        PlainCommand::Find(args) => return find::find(context, &args),
        PlainCommand::Mkdir(args) => edit::mkdir(context, &args)?,
        PlainCommand::Rm(args) => edit::rm(context, &args)?,
        PlainCommand::Mv(args) => moving::mv(context, &args)?,
        PlainCommand::Set(args) => edit::set(context, &args)?,
        PlainCommand::Add(args) => edit::add(context, &args)?,
        PlainCommand::Unset(args) => edit::unset(context, &args)?,
        PlainCommand::User(command) => user::run(context, command)?,
        PlainCommand::Group(command) => group::run(context, command)?,
        PlainCommand::Host(command) => host::run(context, command)?,
        PlainCommand::Domain(command) => domain::run(context, command)?,
        PlainCommand::Schema(command) => schema::run(context, command)?,
        PlainCommand::AppPassword(command) => app_password::run(context, command)?,
        PlainCommand::Access(command) => access::run(context, command)?,
        PlainCommand::Lookup(args) => return lookup::lookup(context, &args),
        PlainCommand::Bind(args) => return bind::bind(context, &args),
        PlainCommand::Unbind => return bind::unbind(context),
        PlainCommand::Doctor => return doctor::doctor(context),
        PlainCommand::Where => return bind::whereabouts(context),
        PlainCommand::Status => node::status(context)?,
        PlainCommand::Changes(args) => changes::changes(context, &args)?,
        PlainCommand::Check(args) => return node::check(context, &args),
        PlainCommand::Backup(args) => transfer::backup(context, &args)?,
        PlainCommand::Restore(args) => transfer::restore(context, &args)?,
        PlainCommand::Import(args) => return migrate::import(context, &args),
        PlainCommand::Export(args) => migrate::export(context, &args)?,
        PlainCommand::Convert(args) => return migrate::convert(context, &args),
        PlainCommand::Diff(args) => return migrate::diff(context, &args),
    }
    Ok(Exit::Ok)
}

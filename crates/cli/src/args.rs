//! The command line as a whole.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{domain, edit, find, generate, group, host, list, moving, node, transfer, user};
use crate::failure::EXIT_CODES;

/// Look at and change NetInfo domains.
#[derive(Debug, Parser)]
#[command(name = "netinfo", version, max_term_width = 100, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What the command works on.
    #[command(flatten)]
    pub(crate) options: Options,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which domain")]
pub(crate) struct Options {
    /// Domain to work on: its tag, or its place: ".", "..", "/", "/NAME/NAME", TAG@HOST [default: local]
    #[arg(short, long, global = true, value_name = "TAG|PATH")]
    pub(crate) domain: Option<String>,

    /// Server to ask instead of the daemon on this machine
    ///
    /// Without a port: port 945, then the portmapper and binder of the host, as historical NetInfo hosts have them.
    /// With a port: the common port of a node, or that of a single domain. Run by root, the connection comes from a
    /// privileged port.
    #[arg(long, global = true, value_name = "HOST[:PORT]", conflicts_with_all = ["socket", "data"])]
    pub(crate) server: Option<String>,

    /// UNIX socket of the daemon [default: $NETINFO_SOCKET, /run/netinfo/netinfod.sock, ./netinfo-data/netinfod.sock]
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "data")]
    pub(crate) socket: Option<PathBuf>,

    /// Data directory of a daemon that is not running; for domain, check, backup and restore
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// User of the domain to act as
    ///
    /// The password comes from --password-file, from $NETINFO_PASSWORD, or is asked for. Never give a password on
    /// the command line: others see it there.
    #[arg(short, long = "user", global = true, value_name = "USER")]
    pub(crate) acting_user: Option<String>,

    /// File whose first line is the password of USER
    #[arg(long, global = true, value_name = "FILE", requires = "acting_user")]
    pub(crate) password_file: Option<PathBuf>,

    /// Print results as JSON; bytes that are not UTF-8 text become {"hex": "…"}
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Commands that need no shell around them.
    #[command(flatten)]
    Plain(PlainCommand),
    /// Work interactively, with a current directory, history and completion
    Shell,
    /// Print a completion script for a shell
    Completions(generate::Completions),
    /// Write the manual pages of all commands into a directory
    Man(generate::Man),
}

/// The commands that the interactive mode has too.
#[derive(Debug, Subcommand)]
pub(crate) enum PlainCommand {
    /// List the directories below a directory
    Ls(list::Ls),
    /// Show the properties of a directory
    Cat(list::Cat),
    /// Show a directory and everything below it as a tree
    Tree(list::Tree),
    /// Find directories by a property, below a directory
    Find(find::Find),
    /// Make a directory
    Mkdir(edit::Mkdir),
    /// Remove a directory
    Rm(edit::Rm),
    /// Rename or move a directory
    Mv(moving::Mv),
    /// Set a property to some values, replacing those it has
    Set(edit::Set),
    /// Add values to a property
    Add(edit::Add),
    /// Remove a property, or some of its values
    Unset(edit::Unset),
    /// Users of a domain
    #[command(subcommand)]
    User(user::UserCommand),
    /// Groups of a domain
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Hosts of a domain
    #[command(subcommand)]
    Host(host::HostCommand),
    /// Domains of a server
    #[command(subcommand)]
    Domain(domain::DomainCommand),
    /// Show what the daemon is doing
    Status,
    /// Check the database of a domain, or of all domains
    Check(node::Check),
    /// Save a domain to a file
    Backup(transfer::Backup),
    /// Put a saved domain in place
    Restore(transfer::Restore),
}

/// An argument taken as bytes: paths, names and values of NetInfo have no character set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<u8>);

impl From<OsString> for Text {
    fn from(text: OsString) -> Self {
        Self(text.into_vec())
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_anywhere() {
        let cli = Cli::try_parse_from(["netinfo", "ls", "-d", "network", "/users", "--json"]).unwrap();
        assert_eq!(cli.options.domain.as_deref(), Some("network"));
        assert!(cli.options.json);
        for wrong in [
            &["netinfo", "ls", "--server", "h", "--data", "/d"][..],
            &["netinfo", "ls", "--password-file", "/f"],
            &["netinfo", "set", "/x"],
            &["netinfo"],
        ] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn arguments_are_bytes() {
        let odd = OsString::from_vec(b"/users/\xff".to_vec());
        let cli = Cli::try_parse_from([OsString::from("netinfo"), "cat".into(), odd]).unwrap();
        let Command::Plain(PlainCommand::Cat(cat)) = cli.command else { panic!("cat expected") };
        assert_eq!(cat.path.0, b"/users/\xff");
    }
}

//! The command line as a whole.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command::{
    access, app_password, bind, changes, domain, edit, enable_login, find, generate, group, host, list,
    lookup, migrate, moving, nidb, node, port, schema, ssh_keys, tool, transfer, user,
};
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

/// The heading of the options of every command.
const HEADING: &str = "Which domain";

/// The declaration of the command line. The short help of each command shows its own options only.
pub(crate) fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command.get_subcommands_mut().for_each(shorten);
    command
}

fn shorten(command: &mut clap::Command) {
    let common = |arg: &clap::Arg| arg.get_help_heading() == Some(HEADING);
    *command =
        std::mem::take(command).mut_args(|arg| if common(&arg) { arg.hide_short_help(true) } else { arg });
    command.get_subcommands_mut().for_each(shorten);
}

impl Cli {
    /// Reads the command line of this process.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::from_arg_matches(&command().try_get_matches()?)
    }
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
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

    /// Data directory of a daemon that is not running; for bind, domain, schema, app-password, access, check, backup, restore,
    /// import, export and diff
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// User of the domain to act as
    ///
    /// The password comes from --password-file, from $NETINFO_PASSWORD, or is asked for. Never give a password on
    /// the command line: others see it there.
    #[arg(short = 'u', long = "user", global = true, value_name = "USER")]
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
    /// Show what is on a port, what its number means, and what answers there
    Port(port::Port),
    /// Look at, change and repair database folders of historical servers
    #[command(subcommand)]
    Nidb(nidb::NidbCommand),
    /// Print the SSH keys of a user, as sshd wants them (AuthorizedKeysCommand)
    SshKeys(ssh_keys::SshKeys),
    /// Let users of NetInfo log in on this system, and check that root still can
    EnableLogin(enable_login::EnableLogin),
    /// Work interactively, with a current directory, history and completion
    Shell,
    /// Run one of the historical tools: niutil, nicl, nidump, niload, nigrep, nifind, nireport, nidomain, lookupd
    Tool(tool::Tool),
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
    /// Attribute types and object classes that a domain adds to the schema
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// Passwords of a user for one program each, which can read and nothing else
    #[command(subcommand)]
    AppPassword(app_password::AppPasswordCommand),
    /// Who may read and change what over LDAP
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// Look up users, groups, hosts and so on, as programs on this machine see them
    Lookup(lookup::Lookup),
    /// Bind a domain of this machine to the domain above it
    Bind(bind::Bind),
    /// Forget the parents that were given with "bind"
    Unbind,
    /// Show the domains from here to the root, and whether they can be reached
    Where,
    /// Examine the domains from here to the root: parents, loops, clocks, clashes
    ///
    /// The exit code is 1 if there is an error or a warning; notes do not count.
    Doctor,
    /// Show what the daemon is doing
    Status,
    /// Show what was changed in a domain, when and by whom
    Changes(changes::Changes),
    /// Check the database of a domain, or of all domains
    Check(node::Check),
    /// Save a domain to a file
    Backup(transfer::Backup),
    /// Put a saved domain in place
    Restore(transfer::Restore),
    /// Bring files and folders of other systems into a domain
    Import(migrate::Import),
    /// Write a domain in the format of another system
    Export(migrate::Export),
    /// Turn a file or folder of one format into another, without a server
    Convert(migrate::Convert),
    /// Compare domains, files and folders, record by record
    Diff(migrate::Diff),
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
    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_anywhere() {
        let cli = Cli::try_parse_from(["netinfo", "ls", "-d", "network", "-u", "alice", "/users", "--json"])
            .unwrap();
        assert_eq!(cli.options.domain.as_deref(), Some("network"));
        assert_eq!(cli.options.acting_user.as_deref(), Some("alice"));
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

    /// The short help of a command.
    fn help(words: &[&str]) -> String {
        let mut root = command();
        let mut command = &mut root;
        for word in words {
            command = command.find_subcommand_mut(word).unwrap();
        }
        command.clone().term_width(100).render_help().to_string()
    }

    #[test]
    fn help_of_the_program() {
        insta::assert_snapshot!(help(&[]), @r#"
        Look at and change NetInfo domains

        Usage: netinfo [OPTIONS] <COMMAND>

        Commands:
          ls            List the directories below a directory
          cat           Show the properties of a directory
          tree          Show a directory and everything below it as a tree
          find          Find directories by a property, below a directory
          mkdir         Make a directory
          rm            Remove a directory
          mv            Rename or move a directory
          set           Set a property to some values, replacing those it has
          add           Add values to a property
          unset         Remove a property, or some of its values
          user          Users of a domain
          group         Groups of a domain
          host          Hosts of a domain
          domain        Domains of a server
          schema        Attribute types and object classes that a domain adds to the schema
          app-password  Passwords of a user for one program each, which can read and nothing else
          access        Who may read and change what over LDAP
          lookup        Look up users, groups, hosts and so on, as programs on this machine see them
          bind          Bind a domain of this machine to the domain above it
          unbind        Forget the parents that were given with "bind"
          where         Show the domains from here to the root, and whether they can be reached
          doctor        Examine the domains from here to the root: parents, loops, clocks, clashes
          status        Show what the daemon is doing
          changes       Show what was changed in a domain, when and by whom
          check         Check the database of a domain, or of all domains
          backup        Save a domain to a file
          restore       Put a saved domain in place
          import        Bring files and folders of other systems into a domain
          export        Write a domain in the format of another system
          convert       Turn a file or folder of one format into another, without a server
          diff          Compare domains, files and folders, record by record
          port          Show what is on a port, what its number means, and what answers there
          nidb          Look at, change and repair database folders of historical servers
          ssh-keys      Print the SSH keys of a user, as sshd wants them (AuthorizedKeysCommand)
          enable-login  Let users of NetInfo log in on this system, and check that root still can
          shell         Work interactively, with a current directory, history and completion
          tool          Run one of the historical tools: niutil, nicl, nidump, niload, nigrep, nifind,
                        nireport, nidomain, lookupd
          completions   Print a completion script for a shell
          man           Write the manual pages of all commands into a directory
          help          Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        Which domain:
          -d, --domain <TAG|PATH>     Domain to work on: its tag, or its place: ".", "..", "/",
                                      "/NAME/NAME", TAG@HOST [default: local]
              --server <HOST[:PORT]>  Server to ask instead of the daemon on this machine
              --socket <PATH>         UNIX socket of the daemon [default: $NETINFO_SOCKET,
                                      /run/netinfo/netinfod.sock, ./netinfo-data/netinfod.sock]
              --data <DIR>            Data directory of a daemon that is not running; for bind, domain,
                                      schema, app-password, access, check, backup, restore, import, export
                                      and diff
          -u, --user <USER>           User of the domain to act as
              --password-file <FILE>  File whose first line is the password of USER
              --json                  Print results as JSON; bytes that are not UTF-8 text become {"hex":
                                      "…"}

        Exit codes:
          0  done
          1  failed
          2  the command line is wrong
          3  not found: no such directory, property, domain or user
          4  permission denied, or wrong password
          5  the server cannot be reached
        "#);
    }

    #[test]
    fn help_of_the_groups() {
        insta::assert_snapshot!(help(&["user"]), @r"
        Users of a domain

        Usage: netinfo user [OPTIONS] <COMMAND>

        Commands:
          add     Add a user
          del     Remove a user, from all groups too [alias: rm]
          passwd  Change the password of a user
          list    List all users [alias: ls]
          show    Show a user
          set     Set a property of a user
          help    Print this message or the help of the given subcommand(s)

        Options:
          -h, --help  Print help (see more with '--help')
        ");
        insta::assert_snapshot!(help(&["group"]), @r"
        Groups of a domain

        Usage: netinfo group [OPTIONS] <COMMAND>

        Commands:
          add    Add a group
          del    Remove a group [alias: rm]
          list   List all groups [alias: ls]
          show   Show a group
          join   Make users members of a group
          leave  End the membership of users in a group
          help   Print this message or the help of the given subcommand(s)

        Options:
          -h, --help  Print help (see more with '--help')
        ");
        insta::assert_snapshot!(help(&["host"]), @r"
        Hosts of a domain

        Usage: netinfo host [OPTIONS] <COMMAND>

        Commands:
          add       Add a host
          del       Remove a host [alias: rm]
          list      List all hosts [alias: ls]
          show      Show a host
          allow     Let machines of a network add themselves when they look for their parent
          rules     List the rules by which machines may add themselves
          disallow  Remove such a rule; the machines it has added stay
          help      Print this message or the help of the given subcommand(s)

        Options:
          -h, --help  Print help (see more with '--help')
        ");
        insta::assert_snapshot!(help(&["domain"]), @r"
        Domains of a server

        Usage: netinfo domain [OPTIONS] <COMMAND>

        Commands:
          list    List the domains of a server [alias: ls]
          create  Make a server serve a new domain
          delete  Make a server give up a domain [alias: rm]
          info    Show what a domain's server says about it
          set     Change how a domain is served over LDAP
          help    Print this message or the help of the given subcommand(s)

        Options:
          -h, --help  Print help (see more with '--help')
        ");
    }

    #[test]
    fn help_of_the_commands() {
        insta::assert_snapshot!(help(&["find"]), @r"
        Find directories by a property, below a directory

        Usage: netinfo find [OPTIONS] [PATH] KEY=VALUE
               netinfo find [OPTIONS] [PATH] KEY~GLOB

        Options:
          -L, --depth <N>  Deepest level to search; 1 means the directory's own children
          -h, --help       Print help (see more with '--help')

        Searches below PATH, or the current directory. KEY=VALUE finds directories whose property KEY has
        exactly this value; KEY~GLOB those with a value that matches the pattern: * any text, ? one
        character, [a-z] one of a set. Prints their paths; the exit code is 3 if there is none.
        ");
        insta::assert_snapshot!(help(&["mkdir"]), @r"
        Make a directory

        Usage: netinfo mkdir [OPTIONS] <PATH> [KEY=VALUE]...

        Arguments:
          <PATH>          Directory to make; its last part is its name, or KEY=VALUE for another property
          [KEY=VALUE]...  Properties: KEY=VALUE; a KEY given again gets one more value, a KEY alone has no
                          value

        Options:
          -p, --parents  Make missing directories on the way, and accept that the directory exists
          -h, --help     Print help (see more with '--help')
        ");
        insta::assert_snapshot!(help(&["set"]), @r"
        Set a property to some values, replacing those it has

        Usage: netinfo set [OPTIONS] <PATH> <KEY> [VALUE]...

        Arguments:
          <PATH>      Directory to change
          <KEY>       Property
          [VALUE]...  Its new values; none makes a property without values

        Options:
          -h, --help  Print help (see more with '--help')
        ");
        insta::assert_snapshot!(help(&["mv"]), @r"
        Rename or move a directory

        Usage: netinfo mv [OPTIONS] <PATH> <NEW_PATH>

        Arguments:
          <PATH>      Directory to move
          <NEW_PATH>  Its new path; must not exist

        Options:
          -h, --help  Print help (see more with '--help')
        ");
        insta::assert_snapshot!(help(&["user", "add"]), @r#"
        Add a user

        Usage: netinfo user add [OPTIONS] <NAME>

        Arguments:
          <NAME>  Login name

        Options:
              --uid <N>           Number of the user [default: the first free one from 1000]
              --gid <N>           Number of the user's main group [default: that of the group "users", or
                                  100]
              --realname <TEXT>   Full name
              --home <PATH>       Home directory [default: /home/NAME]
              --shell <PATH>      Login shell [default: /bin/sh]
              --groups <GROUP,…>  Groups to join
              --password-stdin    Read the password from the first line of standard input; without it the
                                  user cannot log in yet
              --hash <SCHEME>     How the password is stored [default: argon2id, if the server is one of
                                  this project] [possible values: argon2id, scram-sha256, des]
          -h, --help              Print help (see more with '--help')
        "#);
        insta::assert_snapshot!(help(&["restore"]), @r#"
        Put a saved domain in place

        Usage: netinfo restore [OPTIONS] <FILE>

        Arguments:
          <FILE>  File to read; "-" is standard input

        Options:
              --create  Make the domain, which must not exist yet
          -h, --help    Print help (see more with '--help')
        "#);
    }

    #[test]
    fn arguments_are_bytes() {
        let odd = OsString::from_vec(b"/users/\xff".to_vec());
        let cli = Cli::try_parse_from([OsString::from("netinfo"), "cat".into(), odd]).unwrap();
        let Command::Plain(PlainCommand::Cat(cat)) = cli.command else { panic!("cat expected") };
        assert_eq!(cat.path.0, b"/users/\xff");
    }
}

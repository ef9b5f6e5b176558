//! The command line of `netinfod`. It reads no environment variables.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::listen::ListenArg;
use crate::config::value::{Hostname, TableChoice};
use crate::config::{Compat, LogFormat, Seed};

/// The NetInfo daemon: serves the domains of one machine to its network.
#[derive(Debug, Clone, Parser)]
#[command(name = "netinfod", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `netinfod` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the domains of this machine
    ///
    /// Runs in the foreground until SIGTERM or SIGINT. SIGHUP re-reads the network's state. On the first start with a
    /// data directory the domain "local" is made and, unless --seed says otherwise, filled from the files in /etc.
    Serve(ServeArgs),

    /// Check a configuration file and say what is wrong with it
    ///
    /// Prints "FILE: OK" and exits with 0, or names the line and key in question and exits with 1. Nothing
    /// is opened or changed.
    CheckConfig {
        /// The configuration file (TOML)
        file: PathBuf,
    },
}

/// Options of `netinfod serve`. What is given here overrides the configuration file.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Directory of the databases; created when missing. Needed here or in the file
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Configuration file (TOML). No file is read without this option
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Name of this machine in the directory [default: the system's host name]
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<Hostname>,

    /// Address to announce for this machine, instead of those of its interfaces
    ///
    /// Recorded in new domains and told in statistics. For a machine that others reach by an address it does not carry
    /// itself, such as the outside of a NAT, or by one of several.
    #[arg(long, value_name = "IP")]
    pub address: Option<IpAddr>,

    /// Where to listen: NAME=ADDR:PORT, NAME=off or NAME=default. May be repeated
    ///
    /// NAME is one of
    ///   ipcserver    every RPC program of this machine (TCP and UDP port 945)
    ///   portmap      the portmapper (port 111, unless rpcbind runs)
    ///   binder       the binder's own port (a free reserved port)
    ///   local        UNIX socket, given as a path (/run/netinfo/netinfod.sock)
    ///   ldap         LDAP, with StartTLS (TCP port 389)
    ///   ldaps        LDAP over TLS (TCP port 636)
    ///   ldapi        LDAP on a UNIX socket, given as a path (/run/netinfo/ldapi)
    ///   lookup       UNIX socket of look-ups, given as a path (/run/netinfo/lookup.sock)
    ///   login        UNIX socket of login modules, given as a path (/run/netinfo/login.sock)
    ///   domain.TAG   own port of one domain (1033 for "local", else a free reserved port)
    /// A port of 0 lets the system choose; see --endpoints. Several addresses for one NAME add up.
    #[arg(long, value_name = "NAME=ADDR:PORT", verbatim_doc_comment)]
    pub listen: Vec<ListenArg>,

    /// Write the addresses in use to this file (JSON) once everything listens
    #[arg(long, value_name = "FILE")]
    pub endpoints: Option<PathBuf>,

    /// Publish the table of local look-ups in this file [default: /run/netinfo/table beside the socket there]
    ///
    /// The modules of the C library look for it there and nowhere else.
    #[arg(long, value_name = "FILE|off")]
    pub table: Option<TableChoice>,

    /// What a new "local" domain starts with [default: machine]
    #[arg(long, value_enum, value_name = "machine|none", hide_possible_values = true)]
    pub seed: Option<Seed>,

    /// Agree with an older implementation in every detail a client can see [possible: netinfo-369]
    #[arg(long, value_enum, value_name = "VERSION", hide_possible_values = true)]
    pub compat: Option<Compat>,

    /// User to run as once the ports are open, when started as root
    ///
    /// Default: "netinfo" where that user exists and can reach the data directory, else root. "root" stays
    /// root.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// Form of the log on standard error [default: text]
    ///
    /// NETINFO_LOG in the environment selects what is logged, such as "debug" or
    /// "info,netinfo_server=trace".
    #[arg(long, value_enum, value_name = "text|json", hide_possible_values = true)]
    pub log: Option<LogFormat>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// `serve` by itself.
    #[derive(Debug, Parser)]
    struct Serve {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn serve(args: &[&str]) -> Result<ServeArgs, clap::Error> {
        Serve::try_parse_from([&["serve"], args].concat()).map(|serve| serve.args)
    }

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
        Serve::command().debug_assert();
    }

    #[test]
    fn every_serve_option_is_read() {
        let args = serve(&[
            "--data",
            "/d",
            "--config",
            "/c",
            "--hostname",
            "ada",
            "--address",
            "192.0.2.1",
            "--listen",
            "ipcserver=127.0.0.1:0",
            "--listen",
            "portmap=off",
            "--endpoints",
            "/e",
            "--table",
            "off",
            "--seed",
            "none",
            "--compat",
            "netinfo-369",
            "--user",
            "nobody",
            "--log",
            "json",
        ])
        .unwrap();
        assert_eq!(args.data, Some("/d".into()));
        assert_eq!(args.hostname.unwrap().as_str(), "ada");
        assert_eq!(args.listen.len(), 2);
        assert_eq!(args.table, Some(TableChoice::Off));
        assert_eq!(args.seed, Some(Seed::None));
        assert_eq!(args.compat, Some(Compat::Netinfo369));
        assert_eq!(args.log, Some(LogFormat::Json));
    }

    #[test]
    fn bad_values_are_explained() {
        let error = |args: &[&str]| serve(args).unwrap_err().to_string();
        assert!(error(&["--listen", "ipcserver=945"]).contains("127.0.0.1:945"));
        assert!(error(&["--hostname", "a/b"]).contains("cannot be part of a host name"));
        assert!(error(&["--log", "xml"]).contains("text"));
        assert!(error(&["--table", "no"]).contains("a path with a slash"));
        assert!(error(&["--compat", "netinfo-1"]).contains("netinfo-369"));
    }

    #[test]
    fn help_stands_alone() {
        let help = Serve::command().render_long_help().to_string();
        for word in ["domain.TAG", "rpcbind", "netinfo-369", "NETINFO_LOG", "machine|none", "text|json"] {
            assert!(help.contains(word), "{word} missing in\n{help}");
        }
    }
}

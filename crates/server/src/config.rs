//! The configuration file (TOML).
//!
//! Every key is optional and unknown keys are refused. `packaging/netinfod.toml` shows all of them with
//! their defaults. Map:
//!
//! * [`Config`] – the file's content, one field per key; the command line overrides it (`settings`),
//! * [`listen`] – addresses to listen on; [`ldap`] – how LDAP is served; [`lookup`] – how parents are asked, [`order`] –
//!   who else,
//!   [`binding`] – how they are found,
//! * [`value`] – numbers with bounds, byte sizes,
//! * [`diagnose`] – errors that name file, line and key, and say what is allowed.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use crate::limits;

pub mod binding;
pub mod diagnose;
pub mod ldap;
pub mod listen;
pub mod lookup;
pub mod order;
pub mod value;

pub use binding::BindingTable;
pub use diagnose::ConfigError;
pub use ldap::LdapTable;
pub use listen::{Listen, ListenAddr, ListenName, ListenTable};
pub use lookup::LookupTable;
pub use order::{Agent, Order};
use value::{Count, Hostname, Size, TableChoice};

/// Longest configuration file read, in bytes.
pub const MAX_CONFIG_SIZE: u64 = 1024 * 1024;

/// Bounds of the store's map, in bytes.
pub const MAP_SIZE_RANGE: (u64, u64) = (16 << 20, 16 << 40);

/// Address space each domain's store may grow into. The file itself grows with its content only.
pub const DEFAULT_MAP_SIZE: u64 = netinfo_directory::DEFAULT_MAP_SIZE as u64;

/// Bounds for the number of changes kept.
pub const RETENTION_RANGE: (u64, u64) = (1000, 1_000_000_000);

/// Changes kept per domain for readers that come back later.
pub const DEFAULT_RETENTION: u64 = netinfo_directory::DEFAULT_FEED_RETENTION;

const MAX_SECONDS: u64 = limits::SECONDS_RANGE.1;

/// Content of a configuration file. An absent key leaves the default, or what the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Directory of the databases. Relative paths here and below start at the file's own directory.
    pub data: Option<PathBuf>,
    /// Name of this machine in the directory. Default: the system's host name.
    pub hostname: Option<Hostname>,
    /// Address of this machine to announce, besides those of its interfaces.
    pub address: Option<IpAddr>,
    /// User to run as once the ports are open, when started as root. Default: `netinfo` where it exists.
    pub user: Option<String>,
    /// Form of the log on standard error.
    pub log: Option<LogFormat>,
    /// Least severe messages that are logged. The environment variable `NETINFO_LOG` overrides it.
    pub log_level: Option<LogLevel>,
    /// What a new `local` domain starts with.
    pub seed: Option<Seed>,
    /// Older implementation whose every detail is to be reproduced.
    pub compat: Option<Compat>,
    /// File to write the addresses in use to.
    pub endpoints: Option<PathBuf>,
    /// File in which the table of local look-ups is published.
    pub table: Option<TableChoice>,
    /// `[listen]`: addresses to listen on.
    #[serde(default)]
    pub listen: ListenTable,
    /// `[limits]`: what clients may use up.
    #[serde(default)]
    pub limits: LimitsTable,
    /// `[ldap]`: how LDAP is served.
    #[serde(default)]
    pub ldap: LdapTable,
    /// `[lookup]`: how domains on other machines are asked.
    #[serde(default)]
    pub lookup: LookupTable,
    /// `[binding]`: how parents are found.
    #[serde(default)]
    pub binding: BindingTable,
    /// `[store]`: the database files.
    #[serde(default)]
    pub store: StoreTable,
    /// `[rpcbind]`: the system's portmapper.
    #[serde(default)]
    pub rpcbind: RpcbindTable,
}

/// `[limits]`. See [`limits::Limits`] for the meaning of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsTable {
    /// Connections open at once; the least recently used one above it is closed.
    pub connections: Option<Count<{ limits::CONNECTIONS_RANGE.0 }, { limits::CONNECTIONS_RANGE.1 }>>,
    /// Connections open at once from one address of another machine.
    pub connections_per_address:
        Option<Count<{ limits::CONNECTIONS_RANGE.0 }, { limits::CONNECTIONS_RANGE.1 }>>,
    /// Longest request, in bytes.
    pub record_size: Option<Size<{ limits::RECORD_SIZE_RANGE.0 }, { limits::RECORD_SIZE_RANGE.1 }>>,
    /// Seconds without a request after which a connection is closed; 0: never.
    pub idle_seconds: Option<Count<0, MAX_SECONDS>>,
    /// Seconds a peer may stall within a request or leave a reply unread.
    pub stall_seconds: Option<Count<{ limits::SECONDS_RANGE.0 }, MAX_SECONDS>>,
    /// Bytes of unread replies per connection, above which no further request of it is read.
    pub queued_replies: Option<Size<{ limits::QUEUED_REPLIES_RANGE.0 }, { limits::QUEUED_REPLIES_RANGE.1 }>>,
    /// Bytes held by all connections: unfinished requests and unread replies. Above it the connection that holds most
    /// is closed.
    pub held: Option<Size<{ limits::HELD_RANGE.0 }, { limits::HELD_RANGE.1 }>>,
    /// Whole-database transfers at once.
    pub readall: Option<Count<{ limits::READALL_RANGE.0 }, { limits::READALL_RANGE.1 }>>,
    /// Users and groups of the table of local look-ups, above which they are left to its socket.
    pub table_records: Option<Count<{ limits::TABLE_RECORDS_RANGE.0 }, { limits::TABLE_RECORDS_RANGE.1 }>>,
}

/// `[store]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreTable {
    /// Address space each domain's store may grow into, in bytes.
    pub map_size: Option<Size<{ MAP_SIZE_RANGE.0 }, { MAP_SIZE_RANGE.1 }>>,
    /// Changes kept per domain for clones and watchers that come back later.
    pub change_feed_retention: Option<Count<{ RETENTION_RANGE.0 }, { RETENTION_RANGE.1 }>>,
}

/// `[rpcbind]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcbindTable {
    /// Whether to register the binder with a running rpcbind.
    pub register: Option<bool>,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people; with priorities and without time stamps for the system journal.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Least severe messages that are logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Failures that need somebody.
    Error,
    /// Things that go on, but not as configured.
    Warn,
    /// Starts, stops, bindings, rejected peers.
    #[default]
    Info,
    /// One line per request.
    Debug,
    /// Everything.
    Trace,
}

/// What a new `local` domain starts with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Seed {
    /// The users, groups, hosts, networks, protocols, RPC programs and services found in /etc.
    #[default]
    Machine,
    /// An entry for this machine, with its addresses and what it serves.
    None,
}

/// An older implementation to agree with in every detail a client can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
pub enum Compat {
    /// The last NetInfo of Mac OS X.
    #[serde(rename = "netinfo-369")]
    #[value(name = "netinfo-369")]
    Netinfo369,
}

impl Config {
    /// Reads and checks the file at `path`; relative paths in it become absolute.
    ///
    /// # Errors
    /// [`ConfigError`] with the line and key in question.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_CONFIG_SIZE + 1).read_to_string(&mut text));
        read.map_err(|error| ConfigError::new(path, None, format!("cannot read: {error}")))?;
        if text.len() as u64 > MAX_CONFIG_SIZE {
            return Err(ConfigError::new(path, None, format!("longer than {MAX_CONFIG_SIZE} bytes")));
        }
        let mut config = Self::parse(&text, path)?;
        let absolute = std::path::absolute(path)
            .map_err(|error| ConfigError::new(path, None, format!("cannot resolve: {error}")))?;
        if let Some(base) = absolute.parent() {
            config.rebase(base);
        }
        Ok(config)
    }

    /// Checks `text`, the content of a file called `path` in errors.
    ///
    /// # Errors
    /// [`ConfigError`] with the line and key in question.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| diagnose::explain(&error, text, path))?;
        config.ldap.check().map_err(|message| ConfigError::new(path, None, message))?;
        config.binding.check().map_err(|message| ConfigError::new(path, None, message))?;
        Ok(config)
    }

    /// Makes relative paths start at `base`.
    fn rebase(&mut self, base: &Path) {
        for path in [&mut self.data, &mut self.endpoints, &mut self.lookup.files].into_iter().flatten() {
            *path = base.join(&*path);
        }
        if let Some(TableChoice::At(path)) = &mut self.table {
            *path = base.join(&*path);
        }
        self.listen.rebase(base);
        self.ldap.rebase(base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("n.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn empty_file_changes_nothing() {
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn every_key_is_read() {
        let config = parse(
            r#"
            data = "db"
            hostname = "ada"
            address = "192.0.2.7"
            user = "netinfo"
            log = "json"
            log_level = "debug"
            seed = "none"
            compat = "netinfo-369"
            endpoints = "/run/e.json"
            table = "off"
            [listen]
            ipcserver = ["192.0.2.7:945", "[::1]:945"]
            portmap = "off"
            local = "sock"
            binder = "0.0.0.0:0"
            "domain.local" = "127.0.0.1:1033"
            domain.network = "off"
            [limits]
            connections = 10
            connections_per_address = 3
            record_size = "1 MiB"
            idle_seconds = 0
            stall_seconds = 5
            queued_replies = 65536
            held = "64 MiB"
            readall = 2
            [store]
            map_size = "1 GiB"
            change_feed_retention = 5000
            [rpcbind]
            register = false
            "#
            .replace("\"sock\"", "\"./sock\"")
            .as_str(),
        )
        .unwrap();
        assert_eq!(config.hostname.unwrap().as_str(), "ada");
        assert_eq!(config.log, Some(LogFormat::Json));
        assert_eq!(config.compat, Some(Compat::Netinfo369));
        assert_eq!(config.table, Some(TableChoice::Off));
        assert_eq!(config.limits.record_size.unwrap().get(), 1 << 20);
        assert_eq!(config.store.map_size.unwrap().get(), 1 << 30);
        assert_eq!(config.listen.get(&ListenName::Portmap), Some(&Listen::Off));
        assert_eq!(config.listen.get(&ListenName::Domain("network".into())), Some(&Listen::Off));
        let local = config.listen.get(&ListenName::Domain("local".into())).unwrap();
        assert_eq!(local.to_string(), "127.0.0.1:1033");
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netinfod.toml");
        std::fs::write(&path, "data = 'db'\nendpoints = '/e'\ntable = './t'\nlisten.local = './s'\n")
            .unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.data, Some(dir.path().join("db")));
        assert_eq!(config.endpoints, Some("/e".into()));
        assert_eq!(config.table, Some(TableChoice::At(dir.path().join("./t"))));
        let local = config.listen.get(&ListenName::Local).unwrap();
        assert_eq!(*local, Listen::At(vec![ListenAddr::Unix(dir.path().join("s"))]));
    }

    #[test]
    fn missing_and_overlong_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let absent = dir.path().join("absent.toml");
        let error = Config::load(&absent).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: cannot read: No such file", absent.display())), "{error}");
        let long = dir.path().join("long.toml");
        std::fs::write(&long, "#".repeat(MAX_CONFIG_SIZE as usize + 1)).unwrap();
        let error = Config::load(&long).unwrap_err().to_string();
        assert!(error.ends_with("longer than 1048576 bytes"), "{error}");
    }
}

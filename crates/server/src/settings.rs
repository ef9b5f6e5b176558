//! What one daemon runs with: configuration file, overridden by the command line, completed by defaults.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use netinfo_directory::Rule;
use netinfo_directory::binding::Parent;
use netinfo_upstream::Policy;

use crate::cli::ServeArgs;
use crate::config::ldap::{ClientCertificates, LdapTable, MinTls, RequireTls};
use crate::config::value::{Hostname, TableChoice};
use crate::config::{
    BindingTable, Compat, Config, ConfigError, DEFAULT_MAP_SIZE, DEFAULT_RETENTION, LimitsTable, Listen,
    ListenName, ListenTable, LogFormat, LogLevel, Order, Seed,
};
use crate::limits::{self, Limits};

/// Directory of the files that look-ups look in, unless another is configured.
const FILES: &str = "/etc";

/// Settings of one daemon. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Directory of the databases; may not exist yet.
    pub data: PathBuf,
    /// The configuration file in use.
    pub config: Option<PathBuf>,
    /// Name of this machine in the directory.
    pub hostname: Hostname,
    /// Address to announce, besides those of the interfaces.
    pub address: Option<IpAddr>,
    /// User to run as when started as root.
    pub user: UserChoice,
    /// Form of the log.
    pub log: LogFormat,
    /// Least severe messages logged, unless the environment says otherwise.
    pub log_level: LogLevel,
    /// What a new `local` domain starts with.
    pub seed: Seed,
    /// Older implementation to reproduce.
    pub compat: Option<Compat>,
    /// File to write the addresses in use to.
    pub endpoints: Option<PathBuf>,
    /// Where the table of local look-ups is published.
    pub table: TableChoice,
    /// Where to listen.
    pub listen: ListenSettings,
    /// What clients may use up.
    pub limits: Limits,
    /// How LDAP is served.
    pub ldap: LdapSettings,
    /// How domains on other machines are asked.
    pub lookup: Policy,
    /// Where passwords are changed, by tag, if not where a clone's domain says.
    pub masters: BTreeMap<String, Parent>,
    /// Who is asked in look-ups, in which order.
    pub order: Order,
    /// Directory of the files that look-ups look in.
    pub files: PathBuf,
    /// How parents are found.
    pub binding: BindingSettings,
    /// The database files.
    pub store: StoreSettings,
    /// Whether to register the binder with a running rpcbind.
    pub register_with_rpcbind: bool,
}

/// Where everything listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenSettings {
    /// The endpoint for every RPC program.
    pub ipcserver: Listen,
    /// The portmapper.
    pub portmap: Listen,
    /// The UNIX socket.
    pub local: Listen,
    /// The binder's own port.
    pub binder: Listen,
    /// LDAP.
    pub ldap: Listen,
    /// LDAP over TLS.
    pub ldaps: Listen,
    /// LDAP on a UNIX socket.
    pub ldapi: Listen,
    /// The UNIX socket of look-ups.
    pub lookup: Listen,
    /// The UNIX socket of login modules.
    pub login: Listen,
    /// Own ports of the domains something was said about, by tag.
    pub domains: BTreeMap<String, Listen>,
}

/// How LDAP is served. What is not said is left to the protocol's own defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LdapSettings {
    /// Keys and certificates.
    pub tls: TlsSettings,
    /// What has to be protected by TLS.
    pub require_tls: RequireTls,
    /// Whether clients have to bind before they may do anything but read the root DSE.
    pub require_authentication: bool,
    /// Entries a search returns at most.
    pub size_limit: Option<u32>,
    /// How long a search takes at most.
    pub time_limit: Option<Duration>,
    /// Entries a search that no index helps looks at, at most.
    pub look_through: Option<u64>,
    /// Longest request of a client that has bound, in bytes.
    pub message_size: Option<usize>,
    /// Longest request of a client that has not bound, in bytes.
    pub message_size_unbound: Option<usize>,
    /// URLs of servers to ask about what no domain here holds.
    pub referrals: Vec<String>,
    /// Access rules that come before those of each domain.
    pub access: Vec<Rule>,
}

/// Keys and certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM files of certificate and key; `None`: of our own making, in the data directory.
    pub files: Option<(PathBuf, PathBuf)>,
    /// Oldest version that is spoken.
    pub minimum: MinTls,
    /// Whether clients are asked for certificates.
    pub clients: ClientCertificates,
    /// PEM file of the authorities whose client certificates are accepted.
    pub client_ca: Option<PathBuf>,
}

/// How parents are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingSettings {
    /// Time between two checks of a parent.
    pub check: Duration,
    /// Time a candidate has to answer.
    pub answer: Duration,
    /// Time that "no parent" is believed; `None`: as long as usual.
    pub no_parent: Option<Duration>,
    /// DNS domain to ask.
    pub dns: Option<String>,
    /// Whether to ask by multicast DNS.
    pub mdns: bool,
    /// Whether to ask by broadcast.
    pub broadcast: bool,
    /// Tag of the parent where nobody says it.
    pub tag: String,
}

/// The database files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Address space each domain's store may grow into, in bytes.
    pub map_size: u64,
    /// Changes kept per domain.
    pub change_feed_retention: u64,
}

/// The user to run as when started as root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum UserChoice {
    /// [`crate::privileges::DEFAULT_USER`] where it exists and can reach the data, else root.
    #[default]
    Default,
    /// This one and no other.
    Named(String),
}

/// Why the settings are not complete or not consistent.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The configuration file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nowhere to keep the databases.
    #[error("no data directory; give --data DIR, or data = \"DIR\" in the configuration file")]
    NoData,
    /// The `--listen` options contradict each other.
    #[error("--listen: {0}")]
    Listen(String),
    /// The system's host name cannot be used.
    #[error("cannot use the system's host name: {0}; give --hostname NAME")]
    Hostname(String),
    /// A relative path could not be resolved.
    #[error("cannot resolve {path}: {source}")]
    Path {
        /// The path as given.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

impl Settings {
    /// Reads the configuration file `args` names, if any, and puts `args` over it.
    ///
    /// # Errors
    /// [`SettingsError`], fit to be shown as is.
    pub fn load(args: &ServeArgs) -> Result<Self, SettingsError> {
        let config = match &args.config {
            Some(path) => Config::load(path)?,
            None => Config::default(),
        };
        Self::resolve(config, args)
    }

    /// Puts `args` over `config`. Touches nothing but the system's host name and working directory.
    ///
    /// # Errors
    /// [`SettingsError`], fit to be shown as is.
    pub fn resolve(mut config: Config, args: &ServeArgs) -> Result<Self, SettingsError> {
        config.listen.override_with(&args.listen).map_err(SettingsError::Listen)?;
        let data = args.data.clone().or(config.data).ok_or(SettingsError::NoData)?;
        let hostname = match args.hostname.clone().or(config.hostname) {
            Some(name) => name,
            None => system_hostname()?,
        };
        let user = args.user.clone().or(config.user);
        Ok(Self {
            data: absolute(data)?,
            config: args.config.clone().map(absolute).transpose()?,
            hostname,
            address: args.address.or(config.address),
            user: user.map_or(UserChoice::Default, UserChoice::Named),
            log: args.log.or(config.log).unwrap_or_default(),
            log_level: config.log_level.unwrap_or_default(),
            seed: args.seed.or(config.seed).unwrap_or_default(),
            compat: args.compat.or(config.compat),
            endpoints: args.endpoints.clone().or(config.endpoints).map(absolute).transpose()?,
            table: match args.table.clone().or(config.table).unwrap_or_default() {
                TableChoice::At(path) => TableChoice::At(absolute(path)?),
                other => other,
            },
            listen: listen_settings(config.listen)?,
            limits: client_limits(&config.limits),
            ldap: LdapSettings::of(config.ldap)?,
            lookup: config.lookup.policy(),
            masters: config.lookup.masters(),
            order: Order::of_table(config.lookup.order),
            files: absolute(config.lookup.files.unwrap_or_else(|| FILES.into()))?,
            binding: BindingSettings::of(config.binding),
            store: StoreSettings {
                map_size: config.store.map_size.map_or(DEFAULT_MAP_SIZE, |size| size.get()),
                change_feed_retention: config
                    .store
                    .change_feed_retention
                    .map_or(DEFAULT_RETENTION, |count| count.get()),
            },
            register_with_rpcbind: config.rpcbind.register.unwrap_or(true),
        })
    }
}

impl ListenSettings {
    /// What to do for the own port of the domain `tag`.
    pub fn domain(&self, tag: &str) -> &Listen {
        self.domains.get(tag).unwrap_or(&Listen::Default)
    }
}

impl BindingSettings {
    fn of(table: BindingTable) -> Self {
        let seconds = |given: Option<u64>, default| Duration::from_secs(given.unwrap_or(default));
        Self {
            check: seconds(table.check_seconds.map(|n| n.get()), limits::CHECK_SECONDS),
            answer: seconds(table.answer_seconds.map(|n| n.get()), limits::ANSWER_SECONDS),
            no_parent: table.no_parent_seconds.map(|n| Duration::from_secs(n.get())),
            dns: table.dns,
            mdns: table.mdns.unwrap_or(false),
            broadcast: table.broadcast.unwrap_or(false),
            tag: table.tag.unwrap_or_else(|| "network".into()),
        }
    }
}

impl LdapSettings {
    /// Completes `table`, which has been checked.
    ///
    /// # Errors
    /// [`SettingsError::Path`].
    pub fn of(table: LdapTable) -> Result<Self, SettingsError> {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let files = match (table.certificate, table.key) {
            (Some(certificate), Some(key)) => Some((absolute(certificate)?, absolute(key)?)),
            _ => None,
        };
        Ok(Self {
            tls: TlsSettings {
                files,
                minimum: table.min_tls.unwrap_or_default(),
                clients: table.client_certificates.unwrap_or_default(),
                client_ca: table.client_ca.map(absolute).transpose()?,
            },
            require_tls: table.require_tls.unwrap_or_default(),
            require_authentication: table.require_authentication.unwrap_or_default(),
            size_limit: table.size_limit.map(|n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
            time_limit: table.time_limit_seconds.map(|n| Duration::from_secs(n.get())),
            look_through: table.look_through.map(|n| n.get()),
            message_size: table.message_size.map(|n| size(n.get())),
            message_size_unbound: table.message_size_unbound.map(|n| size(n.get())),
            referrals: table.referrals.unwrap_or_default(),
            access: table.access.into_iter().flatten().map(|rule| rule.0).collect(),
        })
    }
}

fn listen_settings(mut table: ListenTable) -> Result<ListenSettings, SettingsError> {
    let here = absolute(PathBuf::from("."))?;
    table.rebase(&here);
    Ok(ListenSettings {
        ipcserver: table.resolve(&ListenName::Ipcserver),
        portmap: table.resolve(&ListenName::Portmap),
        local: table.resolve(&ListenName::Local),
        binder: table.resolve(&ListenName::Binder),
        ldap: table.resolve(&ListenName::Ldap),
        ldaps: table.resolve(&ListenName::Ldaps),
        ldapi: table.resolve(&ListenName::Ldapi),
        lookup: table.resolve(&ListenName::Lookup),
        login: table.resolve(&ListenName::Login),
        domains: table.domains().map(|(tag, listen)| (tag.to_owned(), listen.clone())).collect(),
    })
}

fn client_limits(table: &LimitsTable) -> Limits {
    let default = Limits::default();
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
        connections: table.connections.map_or(default.connections, |n| size(n.get())),
        connections_per_address: table
            .connections_per_address
            .map_or(default.connections_per_address, |n| size(n.get())),
        record_size: table.record_size.map_or(default.record_size, |n| size(n.get())),
        idle: match table.idle_seconds.map(|n| n.get()) {
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => default.idle,
        },
        stall: table.stall_seconds.map_or(default.stall, |n| Duration::from_secs(n.get())),
        queued_replies: table.queued_replies.map_or(default.queued_replies, |n| size(n.get())),
        held: table.held.map_or(default.held, |n| size(n.get())),
        readall: table.readall.map_or(default.readall, |n| size(n.get())),
        table_records: table.table_records.map_or(default.table_records, |n| size(n.get())),
    }
}

fn system_hostname() -> Result<Hostname, SettingsError> {
    let name = nix::unistd::gethostname().map_err(|error| SettingsError::Hostname(error.to_string()))?;
    Hostname::new(name.to_string_lossy()).map_err(SettingsError::Hostname)
}

fn absolute(path: PathBuf) -> Result<PathBuf, SettingsError> {
    std::path::absolute(Path::new(&path)).map_err(|source| SettingsError::Path { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ListenAddr;

    fn config(text: &str) -> Config {
        Config::parse(text, Path::new("n.toml")).unwrap()
    }

    #[test]
    fn data_directory_is_needed_once() {
        let error = Settings::resolve(Config::default(), &ServeArgs::default()).unwrap_err();
        assert!(matches!(error, SettingsError::NoData));
        let settings = Settings::resolve(config("data = '/file'"), &ServeArgs::default()).unwrap();
        assert_eq!(settings.data, Path::new("/file"));
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let settings = Settings::resolve(config("data = '/d'"), &ServeArgs::default()).unwrap();
        assert_eq!(settings.limits, Limits::default());
        assert_eq!(settings.user, UserChoice::Default);
        assert_eq!((settings.log, settings.log_level), (LogFormat::Text, LogLevel::Info));
        assert_eq!((settings.seed, settings.compat), (Seed::Machine, None));
        assert_eq!(settings.listen, ListenSettings::default());
        assert_eq!(*settings.listen.domain("local"), Listen::Default);
        assert_eq!((settings.store.map_size, settings.store.change_feed_retention), (64 << 30, 100_000));
        assert!(settings.register_with_rpcbind);
        assert_eq!(settings.hostname.as_str(), nix::unistd::gethostname().unwrap().to_string_lossy());
    }

    #[test]
    fn command_line_goes_over_the_file() {
        let file = config(
            "data = '/file'\nhostname = 'file'\nuser = 'file'\nlog = 'json'\nseed = 'none'\n\
             address = '192.0.2.1'\nendpoints = '/file.json'\ntable = '/file'\nlog_level = 'warn'\n\
             [listen]\nipcserver = 'off'\ndomain.x = 'off'\n\
             [limits]\nidle_seconds = 7\nstall_seconds = 8\nreadall = 9\n[rpcbind]\nregister = false",
        );
        let args = ServeArgs {
            data: Some("/args".into()),
            hostname: Some("args".parse().unwrap()),
            user: Some("args".into()),
            log: Some(LogFormat::Text),
            seed: Some(Seed::Machine),
            address: Some("192.0.2.2".parse().unwrap()),
            endpoints: Some("relative.json".into()),
            table: Some(TableChoice::At("table".into())),
            listen: vec!["ipcserver=127.0.0.1:0".parse().unwrap(), "local=./s".parse().unwrap()],
            ..ServeArgs::default()
        };
        let settings = Settings::resolve(file, &args).unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(settings.data, Path::new("/args"));
        assert_eq!(settings.hostname.as_str(), "args");
        assert_eq!(settings.user, UserChoice::Named("args".into()));
        assert_eq!((settings.log, settings.log_level), (LogFormat::Text, LogLevel::Warn));
        assert_eq!(settings.seed, Seed::Machine);
        assert_eq!(settings.address, Some("192.0.2.2".parse().unwrap()));
        assert_eq!(settings.endpoints, Some(here.join("relative.json")));
        assert_eq!(settings.table, TableChoice::At(here.join("table")));
        assert_eq!(settings.listen.ipcserver.to_string(), "127.0.0.1:0");
        assert_eq!(settings.listen.local, Listen::At(vec![ListenAddr::Unix(here.join("s"))]));
        assert_eq!(*settings.listen.domain("x"), Listen::Off);
        assert_eq!(settings.limits.idle, Some(Duration::from_secs(7)));
        assert_eq!((settings.limits.stall, settings.limits.readall), (Duration::from_secs(8), 9));
        assert!(!settings.register_with_rpcbind);
    }

    #[test]
    fn contradictions_are_refused() {
        let args = ServeArgs {
            data: Some("/d".into()),
            listen: vec!["binder=off".parse().unwrap(), "binder=127.0.0.1:0".parse().unwrap()],
            ..ServeArgs::default()
        };
        let error = Settings::resolve(Config::default(), &args).unwrap_err().to_string();
        assert!(error.starts_with("--listen: binder is given"), "{error}");
    }
}

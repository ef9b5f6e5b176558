//! `netinfod serve`: from settings to a running node, and back down again.
//!
//! The order matters. What needs privilege (reserved ports, the shadow file) comes first, while there is one thread;
//! then privileges are dropped, the store is opened, and domains begin to listen with the one capability kept.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use caps::Capability;
use netinfo_directory::{Node, Options};
use netinfo_wire::{nibind, portmap};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::value::Hostname;
use crate::config::{Compat, Config, Seed};
use crate::endpoints::PairAddress;
use crate::frontend::{Port, control::remove_leftovers, now};
use crate::interfaces::OwnAddresses;
use crate::ldap::tls::{Names, Tls};
use crate::ldap::{self, Ldap};
use crate::listen::{self, Bound, BoundTcp, LocalListener};
use crate::node::{DEFAULT_TAG, Parts, Running};
use crate::passwords::Passwords;
use crate::settings::{LdapSettings, Settings, UserChoice};
use crate::workers::{Workers, event_loop};
use crate::{binding, limits, logging, lookups, notify, privileges, rpcbind, seed, table};

/// Why the daemon could not start or go on, in words for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The name every machine has for itself.
const LOCALHOST: &str = "localhost";

/// What was opened while there was privilege.
struct Opened {
    ipcserver: Bound,
    binder: Bound,
    portmap: Bound,
    local: Option<LocalListener>,
    ldap: BoundTcp,
    ldaps: BoundTcp,
    ldapi: Option<LocalListener>,
    lookup: Option<LocalListener>,
    login: Option<LocalListener>,
    /// Content of the machine's files, when the data directory is new.
    seed: Option<seed::Collected>,
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// Anything that keeps it from serving, fit to be shown.
pub fn run(settings: Settings) -> Result<(), Failure> {
    let log = logging::init(settings.log, settings.log_level)?;
    let descriptors = limits::raise_descriptor_limit()?;
    let max_connections = settings.limits.connections_within(descriptors);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&settings.data)
        .map_err(|e| format!("cannot create the data directory {}: {e}", settings.data.display()))?;
    let account = privileges::choose(&settings.user, &settings.data)?;
    let account =
        account.filter(|account| endpoints_writable(&settings, account.uid.as_raw(), account.gid.as_raw()));
    let fresh =
        !settings.data.join(format!("{DEFAULT_TAG}.domain")).exists() || seeding_mark(&settings).exists();
    let own = Arc::new(OwnAddresses::new(settings.address)?);
    let opened = open(&settings, fresh)?;
    let socket = opened.lookup.as_ref().map(|lookup| lookup.file.path());
    let table = table::open(&settings.table, socket, account.as_ref());
    let tls = tls(&settings, &opened, &own)?;
    if let Some(account) = &account {
        privileges::chown_tree(&settings.data, account.uid, account.gid)?;
        privileges::drop_to(account, &[Capability::CAP_NET_BIND_SERVICE])?;
    }
    let (core, failed) = Node::open(&settings.data, options(&settings, &own), true)?;
    if let Err(error) = remove_leftovers(&settings.data) {
        tracing::warn!("cannot remove what is left of unfinished uploads: {error}");
    }
    for (tag, error) in failed {
        tracing::error!(tag, "domain is not served: {error}");
    }
    let workers = Workers::start()?;
    let parts = Parts {
        workers: workers.assign(),
        passwords: Passwords::start()?,
        ldap: Ldap::new(&settings.ldap, tls),
        core,
        hostname: settings.hostname.to_string(),
        own,
        historical: settings.compat == Some(Compat::Netinfo369),
        limits: settings.limits,
        max_connections,
        privileged_ports: privileges::privileged_port_limit(),
        listen: settings.listen.clone(),
        binding: settings.binding.clone(),
        endpoints_file: settings.endpoints.clone(),
        lookup: settings.lookup,
        masters: settings.masters.clone(),
        order: settings.order.clone(),
        files: settings.files.clone(),
        data: settings.data.clone(),
    };
    let runtime = event_loop("netinfod")?;
    let node = Running::new(parts);
    if let Some(table) = table {
        table::keep_current(&node, table)?;
    }
    let result = runtime.block_on(serve(node, opened, settings, &log));
    // Work on threads that may block, such as a check, is not waited for longer than connections are.
    runtime.shutdown_timeout(limits::DRAIN_TIMEOUT);
    workers.shut_down(limits::DRAIN_TIMEOUT);
    result
}

/// Whether a default user could write the endpoints file; if not, a warning, and the daemon stays root.
fn endpoints_writable(settings: &Settings, uid: u32, gid: u32) -> bool {
    let Some(folder) = settings.endpoints.as_deref().and_then(Path::parent) else { return true };
    let Ok(stat) = std::fs::metadata(folder) else { return true };
    let bits = match () {
        () if stat.uid() == uid => 0o300,
        () if stat.gid() == gid => 0o030,
        () => 0o003,
    };
    let writable = stat.mode() & bits == bits;
    if !writable && settings.user == UserChoice::Default {
        tracing::warn!("staying root: the default user could not write {}", folder.display());
    }
    writable || settings.user != UserChoice::Default
}

fn open(settings: &Settings, fresh: bool) -> Result<Opened, Failure> {
    let listen = &settings.listen;
    Ok(Opened {
        ipcserver: listen::ipcserver(&listen.ipcserver)?,
        binder: listen::binder(&listen.binder)?,
        portmap: listen::portmap(&listen.portmap)?,
        local: listen::local(&listen.local, &settings.data)?,
        ldap: listen::ldap(&listen.ldap)?,
        ldaps: listen::ldaps(&listen.ldaps)?,
        ldapi: listen::ldapi(&listen.ldapi, &settings.data)?,
        lookup: listen::lookup(&listen.lookup, &settings.data)?,
        login: listen::login(&listen.login, &settings.data)?,
        seed: (fresh && settings.seed == Seed::Machine).then(|| seed::collect(Path::new("/etc"))),
    })
}

/// Keys and certificates, unless nobody could use them.
fn tls(settings: &Settings, opened: &Opened, own: &OwnAddresses) -> Result<Option<Tls>, Failure> {
    if opened.ldap.listeners.is_empty() && opened.ldaps.listeners.is_empty() {
        return Ok(None);
    }
    Ok(Some(Tls::load(&settings.ldap.tls, &settings.data, &names(&settings.hostname, own))?))
}

/// What this machine is called, for a certificate of our own making.
fn names(hostname: &Hostname, own: &OwnAddresses) -> Names {
    let mut hosts = vec![hostname.to_string()];
    // OpenLDAP's clients take the system's name for localhost.
    let system = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    for host in system.into_iter().chain([LOCALHOST.to_owned()]) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let announced = own.announced_v4().into_iter().map(IpAddr::V4);
    let link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    for address in announced.chain(own.interfaces().iter().map(|interface| interface.address)) {
        if !addresses.contains(&address) && !link_local(&address) {
            addresses.push(address);
        }
    }
    Names { hosts, addresses }
}

fn options(settings: &Settings, own: &Arc<OwnAddresses>) -> Options {
    let known = own.clone();
    Options {
        hostname: settings.hostname.to_string(),
        addresses: own.announced_v4(),
        own: Arc::new(move |address: IpAddr| known.contains(address)),
        historical: settings.compat == Some(Compat::Netinfo369),
        map_size: usize::try_from(settings.store.map_size).unwrap_or(usize::MAX),
        feed_retention: settings.store.change_feed_retention,
    }
}

async fn serve(
    node: Arc<Running>,
    opened: Opened,
    settings: Settings,
    log: &logging::Reload,
) -> Result<(), Failure> {
    first_start(&node, opened.seed, &seeding_mark(&settings))?;
    let signals = Signals::catch()?;
    let local_file = opened.local.as_ref().map(|l| l.file.path().to_owned());
    let (ipcserver, binder) = (opened.ipcserver.client_address(), opened.binder.client_address());
    let portmap = opened.portmap.client_address();
    let (ldap, ldaps) = (opened.ldap.client_address(), opened.ldaps.client_address());
    let ldapi = opened.ldapi.as_ref().map(|l| l.file.path().to_owned());
    let lookup = opened.lookup.as_ref().map(|l| l.file.path().to_owned());
    let login = opened.login.as_ref().map(|l| l.file.path().to_owned());
    node.announce(
        |e| {
            (e.ipcserver, e.binder, e.portmap) = (ipcserver, binder, portmap);
            e.local.clone_from(&local_file);
            (e.ldap, e.ldaps) = (ldap, ldaps);
            e.ldapi.clone_from(&ldapi);
            e.lookup.clone_from(&lookup);
            e.login.clone_from(&login);
        },
        false,
    )?;
    let mut domains = node.core.domains();
    // The binder lists them in the order in which they start. On historical hosts `local` comes last, because it looks
    // for its parent first.
    domains.sort_by_key(|domain| domain.tag() == "local");
    for domain in domains {
        node.start_domain(domain.tag())?;
    }
    node.listen_all(opened.ipcserver, &Port::Ipcserver);
    node.listen_all(opened.binder, &Port::Binder);
    node.listen_all(opened.portmap, &Port::Portmap);
    ldap::listen(&node, opened.ldap, false);
    ldap::listen(&node, opened.ldaps, true);
    // Kept until the end: dropping them removes the files of the sockets.
    let mut _socket_files = Vec::new();
    if let Some(local) = opened.local {
        node.listen_local(local.listener, Port::Local)?;
        _socket_files.push(local.file);
    }
    if let Some(ldapi) = opened.ldapi {
        ldap::listen_unix(&node, ldapi.listener)?;
        _socket_files.push(ldapi.file);
    }
    if let Some(lookup) = opened.lookup {
        node.listen_local(lookup.listener, Port::Lookup)?;
        _socket_files.push(lookup.file);
    }
    if let Some(login) = opened.login {
        node.listen_local(login.listener, Port::Login)?;
        _socket_files.push(login.file);
    }
    let registration = register(&settings, portmap, binder.or(ipcserver)).await;
    let file = settings.endpoints.as_deref().unwrap_or_else(|| Path::new("")).display();
    node.announce(|_| {}, true).map_err(|e| format!("cannot write the endpoints file {file}: {e}"))?;
    node.keep(tokio::spawn(binding::tell(node.clone())).abort_handle());
    node.keep(tokio::spawn(lookups::follow(node.clone())).abort_handle());
    describe(&node);
    notify::ready(&format!("serving {} domains", node.all_served().len()));
    until_stopped(&node, &settings, log, signals).await?;
    notify::stopping();
    tracing::info!("stopping");
    if let Some(registration) = registration {
        // A portmapper that is gone by now needs no telling.
        let _ = tokio::task::spawn_blocking(move || drop(registration)).await;
    }
    node.drain().await;
    if let Some(file) = &settings.endpoints {
        // Nothing listens any more. A file that is gone already is as good.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// Stands in the data directory from before `local` is made until it is filled, so that an interrupted first start is
/// finished by the next one.
fn seeding_mark(settings: &Settings) -> PathBuf {
    settings.data.join("seeding")
}

/// Makes the domain `local` if it is not there, and fills it from the machine's files.
fn first_start(node: &Running, collected: Option<seed::Collected>, mark: &Path) -> Result<(), Failure> {
    // A domain that is on disk and could not be opened is nobody's to replace.
    let missing = !node.core.path().join(format!("{DEFAULT_TAG}.domain")).exists();
    if missing && collected.is_some() {
        File::create(mark)?.sync_all()?;
    }
    let domain = match node.core.domain(DEFAULT_TAG) {
        Some(domain) => domain,
        None if missing => node.core.create_master(DEFAULT_TAG, now())?,
        None => return Ok(()),
    };
    let Some(collected) = collected else { return Ok(()) };
    if seed::is_needed(&domain)? {
        let summary = seed::apply(&domain, &collected, now())?;
        for line in summary.to_string().lines() {
            tracing::info!("first start: {line}");
        }
    }
    std::fs::remove_file(mark)?;
    Ok(())
}

/// Tells a running rpcbind where the binder is, unless we are the portmapper.
async fn register(
    settings: &Settings,
    own_portmap: Option<PairAddress>,
    binder: Option<PairAddress>,
) -> Option<rpcbind::Registration> {
    let binder = binder?;
    let wanted = settings.register_with_rpcbind && own_portmap.is_none() && listen::rpcbind_runs();
    if !wanted || settings.listen.portmap == crate::config::Listen::Off {
        return None;
    }
    let programs = [
        (nibind::PROGRAM, nibind::VERSION, portmap::IPPROTO_UDP, binder.udp.port()),
        (nibind::PROGRAM, nibind::VERSION, portmap::IPPROTO_TCP, binder.tcp.port()),
    ];
    let registered = tokio::task::spawn_blocking(move || rpcbind::register(&programs)).await;
    match registered {
        Ok(Ok(registration)) => Some(registration),
        Ok(Err(error)) => {
            tracing::warn!(
                "not registered with rpcbind, so remote NetInfo clients will not find this node: {error}"
            );
            None
        }
        Err(_) => None,
    }
}

/// Says in the log where everything is.
fn describe(node: &Running) {
    let endpoints = node.endpoints();
    let show = |pair: Option<PairAddress>| pair.map_or_else(|| "off".into(), |p| p.tcp.to_string());
    tracing::info!(
        ipcserver = show(endpoints.ipcserver),
        binder = show(endpoints.binder),
        portmap = show(endpoints.portmap),
        local = endpoints.local.map(|p| p.display().to_string()),
        ldap = endpoints.ldap.map_or_else(|| "off".into(), |address| address.to_string()),
        ldaps = endpoints.ldaps.map_or_else(|| "off".into(), |address| address.to_string()),
        ldapi = endpoints.ldapi.map(|p| p.display().to_string()),
        lookup = endpoints.lookup.map(|p| p.display().to_string()),
        login = endpoints.login.map(|p| p.display().to_string()),
        "netinfod {} is serving",
        env!("CARGO_PKG_VERSION")
    );
}

/// The signals the daemon acts on. Whoever has seen it serve may send them, so they are caught before.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Waits for SIGTERM or SIGINT; SIGHUP reloads.
async fn until_stopped(
    node: &Arc<Running>,
    settings: &Settings,
    log: &logging::Reload,
    mut signals: Signals,
) -> std::io::Result<()> {
    let mut in_use = settings.config.as_deref().and_then(|file| Config::load(file).ok());
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.hangup.recv() => {
                notify::reloading();
                if let Some(file) = &settings.config {
                    reload_config(file, &mut in_use, log);
                }
                node.own.refresh();
                node.table.changed(None);
                reload_ldap(node, settings, in_use.as_ref());
                reload_parents(node);
                for served in node.all_served() {
                    served.binding.forget();
                    crate::replica::resync(&served);
                }
                notify::ready("reloaded");
                tracing::info!("reloaded: configuration, certificates, interfaces, parents, replicas");
            }
        }
    }
}

/// Reads again which parents were configured. Those that were and are no longer are given up.
fn reload_parents(node: &Running) {
    match node.configured.reload() {
        Ok(true) => node.lookups.parents.give_up(),
        Ok(false) => {}
        Err(error) => tracing::error!("the configured parents stay as they were: {error}"),
    }
}

/// Reads keys and certificates again, and does as the configuration now says about LDAP.
fn reload_ldap(node: &Running, settings: &Settings, config: Option<&Config>) {
    let new =
        config.map_or_else(|| Ok(settings.ldap.clone()), |config| LdapSettings::of(config.ldap.clone()));
    let new = match new {
        Ok(new) => new,
        Err(error) => return tracing::error!("LDAP goes on as it was: {error}"),
    };
    node.ldap.configure(&new);
    ldap::refresh(node);
    let Some(tls) = &node.ldap.tls else { return };
    if let Err(error) = tls.reload(&new.tls, &settings.data, &names(&settings.hostname, &node.own)) {
        tracing::error!("TLS goes on with the keys and certificates it has: {error}");
    }
}

/// Reads the configuration file again. The log level and `[ldap]` change at once; a file with errors changes nothing.
fn reload_config(file: &Path, in_use: &mut Option<Config>, log: &logging::Reload) {
    let new = match Config::load(file) {
        Ok(new) => new,
        Err(error) => return tracing::error!("configuration not reloaded: {error}"),
    };
    if let Err(error) = log.set(new.log_level.unwrap_or_default()) {
        tracing::error!("log level not changed: {error}");
    }
    let (log_level, ldap) = (new.log_level, new.ldap.clone());
    let same = in_use.as_ref().is_some_and(|old| Config { log_level, ldap, ..old.clone() } == new);
    if !same {
        tracing::warn!(
            "{}: keys other than log_level and those of [ldap] take effect at the next start",
            file.display()
        );
    }
    *in_use = Some(new);
}

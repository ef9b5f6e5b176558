//! The running node: its domains, tables and limits, and the tasks that listen.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use netinfo_directory::binding::Parent;
use netinfo_directory::{Credentials, Domain, Error, Node, Origin};
use netinfo_upstream::Policy;
use netinfo_wire::nibind::Addrinfo;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;

use crate::binding::{self, Above, Binding, Configured};
use crate::config::Order;
use crate::connection::Connection;
use crate::connections::{Connections, Place};
use crate::datagram;
use crate::endpoints::{DomainAddress, Endpoints, PairAddress, Role};
use crate::frontend::binder::Registry;
use crate::frontend::control::Uploads;
use crate::frontend::login::Peers;
use crate::frontend::portmap::Mappings;
use crate::frontend::{Caller, Context, Port, Transport, netinfo};
use crate::interfaces::OwnAddresses;
use crate::ldap::{self, Ldap};
use crate::limits::{CHANGE_PERMITS, Limits, MAX_STREAMS, pages_at_once};
use crate::listen::{self, Bound, DomainPort, ListenError, Pair};
use crate::lookups::Lookups;
use crate::passwords::Passwords;
use crate::served::Served;
use crate::settings::{BindingSettings, ListenSettings};
use crate::socket::Socket;
use crate::table::Feed;
use crate::throttle::Throttle;
use crate::udp::UdpPort;
use crate::workers::Assign;

/// The domain calls are for when nothing else was said.
pub(crate) const DEFAULT_TAG: &str = "local";
/// Pause after a failed accept for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

static ACCEPT_FAILED: Throttle = Throttle::new();
static UNTRUSTED: Throttle = Throttle::new();

/// Everything the front-ends share.
pub(crate) struct Running {
    pub(crate) core: Node,
    pub(crate) hostname: String,
    pub(crate) own: Arc<OwnAddresses>,
    pub(crate) historical: bool,
    pub(crate) limits: Limits,
    /// Connections served at once.
    pub(crate) max_connections: u64,
    pub(crate) connections: Arc<Connections>,
    pub(crate) registry: Registry,
    pub(crate) mappings: Mappings,
    pub(crate) uploads: Uploads,
    pub(crate) readall_permits: Arc<Semaphore>,
    pub(crate) passwords: Passwords,
    /// The domains in which look-ups look.
    pub(crate) lookups: Lookups,
    /// What is told to the table of look-ups.
    pub(crate) table: Arc<Feed>,
    /// Wrong passwords of those who ask the login program.
    pub(crate) logins: Peers,
    /// Wrong passwords of users of domains on other machines: given here, and elsewhere.
    pub(crate) guesses: [Peers; 2],
    pub(crate) ldap: Ldap,
    /// Domains on other machines.
    pub(crate) above: Above,
    /// Where passwords are changed, by tag, if not where a clone's domain says.
    pub(crate) masters: BTreeMap<String, Parent>,
    /// How parents are found, and those that were configured.
    pub(crate) binding: BindingSettings,
    pub(crate) configured: Configured,
    /// The order among candidates of equal rank.
    pub(crate) shuffle: RandomState,
    /// Changes under way, by weight.
    pub(crate) change_permits: Arc<Semaphore>,
    /// Pages of long replies being made.
    pub(crate) page_permits: Semaphore,
    /// Long answers of the control program under way.
    pub(crate) stream_permits: Arc<Semaphore>,
    pub(crate) started: Instant,
    workers: Assign,
    privileged_ports: u16,
    listen: ListenSettings,
    domains: RwLock<BTreeMap<String, Arc<Served>>>,
    endpoints: Mutex<Endpoints>,
    endpoints_file: Option<PathBuf>,
    stop: watch::Sender<bool>,
    /// Streams accepted since the start.
    accepted: AtomicU64,
    listeners: Mutex<Vec<AbortHandle>>,
}

/// What a node is made of.
pub(crate) struct Parts {
    pub(crate) workers: Assign,
    pub(crate) passwords: Passwords,
    pub(crate) ldap: Ldap,
    pub(crate) core: Node,
    pub(crate) hostname: String,
    pub(crate) own: Arc<OwnAddresses>,
    pub(crate) historical: bool,
    pub(crate) limits: Limits,
    pub(crate) max_connections: usize,
    pub(crate) privileged_ports: u16,
    pub(crate) listen: ListenSettings,
    pub(crate) binding: BindingSettings,
    pub(crate) endpoints_file: Option<PathBuf>,
    /// How domains on other machines are asked, and where what they say is kept.
    pub(crate) lookup: Policy,
    pub(crate) masters: BTreeMap<String, Parent>,
    /// Who else is asked in look-ups, and the directory of the files among them.
    pub(crate) order: Order,
    pub(crate) files: PathBuf,
    pub(crate) data: PathBuf,
}

impl Running {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let configured = Configured::load(parts.core.path());
        let Parts { core, hostname, own, historical, limits, max_connections, .. } = parts;
        Arc::new(Self {
            core,
            hostname,
            own,
            historical,
            max_connections: max_connections as u64,
            connections: Arc::new(Connections::new(
                max_connections,
                limits.connections_per_address,
                limits.held_in_all(),
            )),
            registry: Registry::default(),
            mappings: Mappings::default(),
            uploads: Uploads::default(),
            readall_permits: Arc::new(Semaphore::new(limits.readall)),
            passwords: parts.passwords,
            lookups: Lookups::new(parts.lookup, parts.data, parts.order, parts.files),
            table: Feed::new(),
            logins: Peers::default(),
            guesses: Default::default(),
            ldap: parts.ldap,
            above: Above::default(),
            masters: parts.masters,
            binding: parts.binding,
            configured,
            shuffle: RandomState::new(),
            change_permits: Arc::new(Semaphore::new(CHANGE_PERMITS as usize)),
            page_permits: Semaphore::new(pages_at_once()),
            stream_permits: Arc::new(Semaphore::new(MAX_STREAMS)),
            started: Instant::now(),
            limits,
            workers: parts.workers,
            privileged_ports: parts.privileged_ports,
            listen: parts.listen,
            domains: RwLock::default(),
            endpoints: Mutex::default(),
            endpoints_file: parts.endpoints_file,
            stop: watch::Sender::new(false),
            accepted: AtomicU64::new(0),
            listeners: Mutex::default(),
        })
    }

    /// The served domain with this tag.
    pub(crate) fn served(&self, tag: &str) -> Option<Arc<Served>> {
        self.domains.read().unwrap_or_else(PoisonError::into_inner).get(tag).cloned()
    }

    /// All served domains by tag.
    pub(crate) fn all_served(&self) -> Vec<Arc<Served>> {
        self.domains.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The domains on other machines that are above those served here, the nearest first: those `local` is bound to, whether
    /// or not they can be reached now. Never waits; kept current in the background.
    pub(crate) fn above(&self) -> Arc<[Parent]> {
        self.above.now()
    }

    /// Tells of changes of [`Running::above`].
    pub(crate) fn above_changes(&self) -> watch::Receiver<Arc<[Parent]>> {
        self.above.changes()
    }

    /// Name and version told in STATISTICS.
    pub(crate) fn server_version(&self) -> &'static str {
        if self.historical { "netinfo-369.1.5" } else { concat!("netinfo-open-", env!("CARGO_PKG_VERSION")) }
    }

    /// Where a network call comes from.
    pub(crate) fn origin(&self, peer: SocketAddr) -> Origin {
        let address = peer.ip().to_canonical();
        Origin::Network {
            address,
            own: self.own.contains(address),
            privileged_port: peer.port() != 0 && peer.port() < self.privileged_ports,
        }
    }

    /// Where everything listens now.
    pub(crate) fn endpoints(&self) -> Endpoints {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ports of our own portmapper, if it is on.
    pub(crate) fn portmap_ports(&self) -> Option<PairAddress> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).portmap
    }

    /// Ports on which the binder is announced: its own, else the node's common ones.
    pub(crate) fn binder_ports(&self) -> Option<PairAddress> {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        endpoints.binder.or(endpoints.ipcserver)
    }

    /// Streams accepted since the start.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Changes what is announced, and writes the endpoints file if it exists already or `create` says so.
    pub(crate) fn announce(&self, change: impl FnOnce(&mut Endpoints), create: bool) -> std::io::Result<()> {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut endpoints);
        match &self.endpoints_file {
            Some(file) if create || file.exists() => endpoints.write(file),
            _ => Ok(()),
        }
    }

    /// Serves an open domain of the core: opens its ports and registers it with the binder.
    pub(crate) fn start_domain(self: &Arc<Self>, tag: &str) -> Result<(), ListenError> {
        let Some(domain) = self.core.domain(tag) else { return Ok(()) };
        let served = Arc::new(Served::new(domain.clone(), Binding::new(&self.binding, self.historical)));
        let asked = root_port(&domain);
        let bound = listen::domain(tag, self.listen.domain(tag), asked)?;
        let address = bound.client_address();
        for pair in bound.pairs {
            for task in self.listen_on(pair, Port::Domain(served.clone())) {
                served.add_listener(task);
            }
        }
        let common = self.endpoints().ipcserver;
        if let Some(ports) = address.or(common) {
            let ports = Addrinfo { udp_port: ports.udp.port().into(), tcp_port: ports.tcp.port().into() };
            self.registry.register(tag.as_bytes(), ports, true);
        }
        let role = match domain.role() {
            netinfo_directory::Role::Master => Role::Master,
            netinfo_directory::Role::Clone { .. } => Role::Clone,
        };
        self.domains.write().unwrap_or_else(PoisonError::into_inner).insert(tag.into(), served.clone());
        self.table.watch(&domain);
        self.table.changed(None);
        let announced = self.announce(
            |e| {
                e.domains.insert(tag.into(), DomainAddress { address, role });
            },
            false,
        );
        if let Err(error) = announced {
            tracing::warn!(%error, "cannot write the endpoints file");
        }
        ldap::refresh(self);
        crate::replica::start(self, &served);
        binding::start(self, &served);
        let tcp = address.map(|a| tracing::field::display(a.tcp));
        let udp = address.map(|a| tracing::field::display(a.udp));
        tracing::info!(tag, role = domain.role().name(), tcp, udp, "serving domain");
        Ok(())
    }

    /// Stops serving a domain, moves its data aside and returns where to.
    pub(crate) async fn destroy_domain(self: &Arc<Self>, tag: &str) -> Result<PathBuf, Error> {
        self.registry.unregister(tag.as_bytes());
        let served = self.domains.write().unwrap_or_else(PoisonError::into_inner).remove(tag);
        if let Some(served) = served {
            served.retire();
        }
        self.table.changed(None);
        ldap::refresh(self);
        let announced = self.announce(
            |e| {
                e.domains.remove(tag);
            },
            false,
        );
        if let Err(error) = announced {
            tracing::warn!(%error, "cannot write the endpoints file");
        }
        let (node, tag) = (self.clone(), tag.to_owned());
        let moved =
            tokio::task::spawn_blocking(move || node.core.destroy(&tag, crate::frontend::now())).await;
        let path = moved.unwrap_or(Err(Error::Busy))?;
        tracing::info!(path = %path.display(), "domain destroyed; its data was moved aside");
        Ok(path)
    }

    /// Listens on the sockets of a service.
    pub(crate) fn listen_all(self: &Arc<Self>, bound: Bound, port: &Port) {
        for pair in bound.pairs {
            let tasks = self.listen_on(pair, port.clone());
            self.listeners.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        }
    }

    fn listen_on(self: &Arc<Self>, pair: Pair, port: Port) -> Vec<AbortHandle> {
        let mut tasks = Vec::new();
        match TcpListener::from_std(pair.tcp) {
            Ok(listener) => {
                tasks.push(tokio::spawn(accept_tcp(self.clone(), listener, port.clone())).abort_handle())
            }
            Err(error) => tracing::error!(%error, address = %pair.tcp_addr, "cannot listen"),
        }
        let worker = self.workers.next();
        let context = worker.enter();
        let socket = UdpPort::new(pair.udp);
        drop(context);
        match socket {
            Ok(socket) => {
                tasks.push(worker.spawn(datagram::run(self.clone(), Arc::new(socket), port)).abort_handle());
            }
            Err(error) => tracing::error!(%error, address = %pair.udp_addr, "cannot listen"),
        }
        tasks
    }

    /// Listens on a UNIX socket, for the programs of `port`.
    pub(crate) fn listen_local(
        self: &Arc<Self>,
        listener: std::os::unix::net::UnixListener,
        port: Port,
    ) -> std::io::Result<()> {
        listener.set_nonblocking(true)?;
        // Who asks one thing and goes is served where it was accepted: to wake another thread takes longer than the answer.
        let home = self.workers.next();
        let _context = home.enter();
        let listener = UnixListener::from_std(listener)?;
        let task = home.spawn(accept_unix(self.clone(), listener, port, home.clone())).abort_handle();
        self.keep(task);
        Ok(())
    }

    /// Keeps a task that listens, to be ended when the daemon stops.
    pub(crate) fn keep(&self, task: AbortHandle) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Gives a connection that was accepted to one of the event loops. `address` is that of another machine, which
    /// counts.
    pub(crate) fn adopt<F: Future<Output = ()> + Send + 'static>(
        &self,
        socket: Socket,
        address: Option<IpAddr>,
        serve: impl FnOnce(Socket, Place) -> F,
    ) {
        let worker = self.workers.next();
        match socket.adopt(worker) {
            Ok(socket) => self.start(worker, socket, address, serve),
            Err(error) => tracing::debug!(%error, "connection lost while it was accepted"),
        }
    }

    /// Serves a connection on the event loop that has accepted it.
    fn start<F: Future<Output = ()> + Send + 'static>(
        &self,
        worker: &Handle,
        socket: Socket,
        address: Option<IpAddr>,
        serve: impl FnOnce(Socket, Place) -> F,
    ) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let place = self.connections.admit(address);
        worker.spawn(serve(socket, place));
    }

    /// Takes no new connections, tells the open ones to finish, and waits for them a while.
    pub(crate) async fn drain(&self) {
        for task in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
        for served in self.all_served() {
            served.stop_listening();
        }
        self.stop.send_replace(true);
        let deadline = Instant::now() + crate::connection::DRAIN;
        while self.connections.len() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether the daemon is stopping.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Returns once the daemon is stopping.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives as long as the node, so an error cannot happen while somebody waits here.
        let _ = stop.wait_for(|stopping| *stopping).await;
    }
}

/// What the root directory says about the domain's ports.
fn root_port(domain: &Domain) -> DomainPort {
    let read = || -> netinfo_directory::Result<DomainPort> {
        let session = domain.authenticate(Credentials::None, Origin::Internal)?;
        let view = domain.read(&session)?;
        Ok(DomainPort { port: view.configured_port()?, loopback_only: view.is_loopback_only()? })
    };
    read().unwrap_or_else(|error| {
        tracing::warn!(%error, tag = domain.tag(), "cannot read the root directory; using default ports");
        DomainPort::default()
    })
}

async fn accept_tcp(node: Arc<Running>, listener: TcpListener, port: Port) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                accept_failed(&error).await;
                continue;
            }
        };
        let origin = node.origin(peer);
        if let Port::Domain(served) = &port
            && !netinfo::admits(served, origin)
        {
            let tag = served.domain.tag();
            UNTRUSTED.line(|more| tracing::info!(%peer, tag, more, "untrusted network: connection refused"));
            continue;
        }
        // A reply must not wait for the acknowledgement of the one before it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let local = stream.local_addr().ok().map(|a| a.ip());
        let own = matches!(origin, Origin::Network { own: true, .. });
        let caller = Caller { origin, transport: Transport::Tcp, peer: Some(peer), local };
        let counted_address = (!own).then(|| peer.ip().to_canonical());
        spawn(&node, Socket::Tcp(stream), caller, port.clone(), counted_address);
    }
}

/// Accepts on the event loop `home`, which serves a connection itself unless it serves another one of this socket already.
async fn accept_unix(node: Arc<Running>, listener: UnixListener, port: Port, home: Handle) {
    let at_home = Arc::new(());
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(peer) = stream.peer_cred() else { continue };
                let origin = Origin::Local { uid: peer.uid() };
                let caller = Caller { origin, transport: Transport::Unix, peer: None, local: None };
                let socket = Socket::Unix(stream);
                if Arc::strong_count(&at_home) > 1 {
                    spawn(&node, socket, caller, port.clone(), None);
                    continue;
                }
                let (guest, port) = (at_home.clone(), port.clone());
                node.start(&home, socket, None, |socket, place| {
                    let served = connection(&node, socket, place, caller, port);
                    async move {
                        served.await;
                        drop(guest);
                    }
                });
            }
            Err(error) => accept_failed(&error).await,
        }
    }
}

/// Waits after a failed accept, unless the failure is the affair of the one connection that was to be accepted.
pub(crate) async fn accept_failed(error: &std::io::Error) {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
            ACCEPT_FAILED.line(|more| tracing::warn!(%error, more, "accept failed"));
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
        _ => tracing::debug!(%error, "accept failed"),
    }
}

fn spawn(node: &Arc<Running>, socket: Socket, caller: Caller, port: Port, address: Option<IpAddr>) {
    node.adopt(socket, address, |socket, place| connection(node, socket, place, caller, port));
}

/// A connection, served until it ends.
fn connection(
    node: &Arc<Running>,
    socket: Socket,
    place: Place,
    caller: Caller,
    port: Port,
) -> impl Future<Output = ()> + Send + 'static {
    let context = Context::new(place.id(), caller, port);
    Connection::new(node.clone(), socket, place, context).run()
}

//! LDAP: sockets, TLS and threads around the protocol, which is `netinfo-ldap`.
//!
//! * [`tls`] – keys and certificates; [`self_signed`] – one of our own making; `certificate` – what a client's says,
//! * `driver`, `sending` – one connection; `channel` – its bytes, plain or protected.

mod certificate;
mod channel;
mod driver;
pub mod self_signed;
mod sending;
pub mod tls;

use std::net::SocketAddr;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::sync::Arc;

use arc_swap::ArcSwap;
use netinfo_directory::{Origin, ROOT, Rule};
use netinfo_ldap::{Connection, Engine, Peer};
use tokio::net::{TcpListener, UnixListener};

use crate::config::ldap::RequireTls;
use crate::listen::BoundTcp;
use crate::node::{DEFAULT_TAG, Running, accept_failed};
use crate::served::Served;
use crate::settings::LdapSettings;
use crate::socket::Socket;
use channel::Channel;
use driver::Driver;
use tls::Tls;

/// What all LDAP connections share.
pub(crate) struct Ldap {
    pub(crate) engine: Arc<Engine>,
    /// Absent where nobody could use it.
    pub(crate) tls: Option<Tls>,
    /// Access rules of the configuration.
    access: ArcSwap<Vec<Rule>>,
}

impl Ldap {
    pub(crate) fn new(settings: &LdapSettings, tls: Option<Tls>) -> Self {
        let engine = Engine::new(protocol(settings, tls.is_some()));
        Self { engine: Arc::new(engine), tls, access: ArcSwap::from_pointee(settings.access.clone()) }
    }

    /// Takes changed settings over.
    pub(crate) fn configure(&self, settings: &LdapSettings) {
        self.engine.set_settings(protocol(settings, self.tls.is_some()));
        self.access.store(Arc::new(settings.access.clone()));
    }
}

/// The settings as the protocol takes them.
fn protocol(settings: &LdapSettings, start_tls: bool) -> netinfo_ldap::Settings {
    let default = netinfo_ldap::Settings::default();
    netinfo_ldap::Settings {
        require_tls: match settings.require_tls {
            RequireTls::Off => netinfo_ldap::RequireTls::Off,
            RequireTls::ForBind => netinfo_ldap::RequireTls::ForBind,
            RequireTls::Always => netinfo_ldap::RequireTls::Always,
        },
        require_authentication: settings.require_authentication,
        start_tls,
        size_limit: settings.size_limit.unwrap_or(default.size_limit),
        time_limit: settings.time_limit.unwrap_or(default.time_limit),
        look_through: settings.look_through.unwrap_or(default.look_through),
        message_unbound: settings.message_size_unbound.unwrap_or(default.message_unbound),
        message_bound: settings.message_size.unwrap_or(default.message_bound),
        referrals: settings.referrals.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..default
    }
}

/// Serves the domains of the node, and no others any more.
///
/// The first is the default one of clients that ask: one that was given a suffix rather than one without, and another
/// one rather than that of this machine alone.
pub(crate) fn refresh(node: &Running) {
    let mut served = node.all_served();
    let rules = node.ldap.access.load_full();
    for served in &served {
        served.domain.set_access_rules(rules.to_vec());
    }
    served.sort_by_cached_key(|served| (!has_suffix(served), served.domain.tag() == DEFAULT_TAG));
    let failed = node.ldap.engine.set_domains(served.iter().map(|served| served.domain.clone()));
    for (tag, error) in failed {
        tracing::error!(tag, "domain is not served over LDAP: {error}");
    }
}

fn has_suffix(served: &Served) -> bool {
    let read = || -> netinfo_directory::Result<bool> {
        Ok(served.view()?.record(ROOT)?.first_value(b"_suffix").is_some())
    };
    // A domain that cannot be read is not served over LDAP anyway.
    read().unwrap_or(false)
}

/// Listens for connections that begin with a TLS handshake (`protected`), or with LDAP.
pub(crate) fn listen(node: &Arc<Running>, bound: BoundTcp, protected: bool) {
    for (listener, address) in bound.listeners {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                node.keep(tokio::spawn(accept_tcp(node.clone(), listener, protected)).abort_handle());
            }
            Err(error) => tracing::error!(%error, %address, "cannot listen"),
        }
    }
}

/// Listens on the UNIX socket.
pub(crate) fn listen_unix(node: &Arc<Running>, listener: StdUnixListener) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    node.keep(tokio::spawn(accept_unix(node.clone(), listener)).abort_handle());
    Ok(())
}

async fn accept_tcp(node: Arc<Running>, listener: TcpListener, protected: bool) {
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                accept_failed(&error).await;
                continue;
            }
        };
        // A response must not wait for the acknowledgement of the one before it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        serve(&node, Socket::Tcp(stream), node.origin(address), Some(address), protected);
    }
}

async fn accept_unix(node: Arc<Running>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(peer) = stream.peer_cred() else { continue };
                serve(&node, Socket::Unix(stream), Origin::Local { uid: peer.uid() }, None, false);
            }
            Err(error) => accept_failed(&error).await,
        }
    }
}

fn serve(node: &Arc<Running>, socket: Socket, origin: Origin, address: Option<SocketAddr>, protected: bool) {
    let tls = match (protected, &node.ldap.tls) {
        (false, _) => None,
        (true, Some(tls)) => match tls.accept() {
            Ok(tls) => Some(tls),
            Err(error) => return tracing::error!(%error, "TLS"),
        },
        (true, None) => return,
    };
    let own = !matches!(origin, Origin::Network { own: false, .. });
    let counted = address.filter(|_| !own).map(|address| address.ip().to_canonical());
    node.adopt(socket, counted, |socket, place| {
        let mut channel = Channel::new(socket);
        if let Some(tls) = tls {
            channel.protect(tls);
        }
        let client = Connection::new(node.ldap.engine.clone(), Peer::new(origin, address));
        let mut driver = Driver::new(node.clone(), channel, place, client);
        async move { driver.run().await }
    });
}

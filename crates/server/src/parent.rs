//! Finding the parent domain (RPARENT).
//!
//! Candidates come from the `../TAG` values under `/machines`. One that this very node serves is the parent at once; others
//! are asked, over UDP, whether they are there: portmapper, binder, domain. Nobody but the asking caller waits for that.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netinfo_directory::{Server, binding};
use netinfo_wire::netinfo::{self as ni, Procedure, Status, put_binding, put_status};
use netinfo_wire::{nibind, portmap};

use crate::frontend::accepted;
use crate::node::{DEFAULT_TAG, Running};
use crate::rpc_client::{Patience, Target, call};
use crate::served::Served;

/// How long "no parent" is believed; the historical server believes it for ten minutes.
const NO_PARENT_TIME: Duration = Duration::from_secs(30);
const HISTORICAL_NO_PARENT_TIME: Duration = Duration::from_secs(600);
/// Each step of asking a candidate.
const STEP: Patience = Patience { total: Duration::from_secs(2), resend: Duration::from_millis(500) };

/// Parent of a domain as far as it is known.
#[derive(Default)]
pub(crate) struct Parent {
    state: Mutex<State>,
    /// The last search: when it began and what it found. Held while one is under way, so that many who ask at once make
    /// one search and not one each.
    search: tokio::sync::Mutex<Option<(Instant, Option<Server>)>>,
}

#[derive(Default)]
enum State {
    #[default]
    Unknown,
    Bound(Server),
    /// None was found; when.
    Root(Instant),
}

impl Parent {
    /// Text of the `binding` statistic.
    pub(crate) fn describe(&self, forced_root: bool) -> String {
        if forced_root {
            return "forcedRoot".into();
        }
        match &*self.lock() {
            State::Unknown => "unknown".into(),
            State::Bound(server) => format!("{}/{}", server.address, server.tag),
            State::Root(_) => "root".into(),
        }
    }

    /// Forgets what was found, as after a change of the network.
    pub(crate) fn forget(&self) {
        *self.lock() = State::Unknown;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reply to RPARENT.
pub(crate) fn rparent(
    node: &Arc<Running>,
    served: &Arc<Served>,
    xid: u32,
) -> Pin<Box<dyn Future<Output = Vec<u8>> + Send>> {
    let (node, served) = (node.clone(), served.clone());
    Box::pin(async move {
        let mut out = accepted(xid);
        match find(&node, &served).await {
            Some(parent) => {
                put_status(&mut out, Status::Ok);
                put_binding(&mut out, parent.tag.as_bytes(), parent.address);
            }
            None => put_status(&mut out, Status::NetRoot),
        }
        out
    })
}

async fn find(node: &Running, served: &Served) -> Option<Server> {
    let asked = Instant::now();
    let mut last = served.parent.search.lock().await;
    // What somebody else found answers this question too, if the search began after it was asked.
    if let Some((begun, found)) = &*last
        && *begun >= asked
    {
        return found.clone();
    }
    let begun = Instant::now();
    let found = search(node, served).await;
    if served.domain.tag() == DEFAULT_TAG {
        let elsewhere = found.iter().filter(|parent| !node.own.contains(parent.address.into()));
        let parent = |parent: &Server| binding::Parent::NetInfo {
            tag: parent.tag.clone(),
            address: parent.address.into(),
            port: None,
        };
        node.above.set(elsewhere.map(parent).collect());
    }
    *last = Some((begun, found.clone()));
    found
}

async fn search(node: &Running, served: &Served) -> Option<Server> {
    let known = match &*served.parent.lock() {
        State::Bound(server) => Some(server.clone()),
        State::Root(since) => {
            let hold = if node.historical { HISTORICAL_NO_PARENT_TIME } else { NO_PARENT_TIME };
            if since.elapsed() < hold {
                return None;
            }
            None
        }
        State::Unknown => None,
    };
    if let Some(server) = known
        && is_there(node, &server).await
    {
        return Some(server);
    }
    let candidates = candidates(node, served);
    let mut found = None;
    if let Some(candidates) = &candidates {
        for candidate in candidates {
            if is_there(node, candidate).await {
                found = Some(candidate.clone());
                break;
            }
        }
    }
    *served.parent.lock() = match (&found, candidates) {
        (Some(server), _) => State::Bound(server.clone()),
        // An empty list is remembered, the lack of `/machines` is not.
        (None, Some(_)) => State::Root(Instant::now()),
        (None, None) => State::Unknown,
    };
    found
}

/// Candidates in order of nearness: this host, then the others as listed. Never the domain itself, never a broadcast.
fn candidates(node: &Running, served: &Served) -> Option<Vec<Server>> {
    let view = served.view().ok()?;
    if view.root_flag(b"isRoot", false).ok()? {
        return Some(Vec::new());
    }
    let mut list = view.parent_candidates().ok()??;
    let itself = |c: &Server| node.own.contains(c.address.into()) && c.tag == served.domain.tag();
    list.retain(|c| !c.address.is_broadcast() && !itself(c));
    list.sort_by_key(|c| !node.own.contains(c.address.into()));
    Some(list)
}

/// Whether a domain answers at a candidate's place.
async fn is_there(node: &Running, server: &Server) -> bool {
    if node.own.contains(server.address.into()) && node.served(&server.tag).is_some() {
        return true;
    }
    ping(server).await.is_some()
}

async fn ping(server: &Server) -> Option<()> {
    let at = |port: u32| Some(SocketAddr::new(Ipv4Addr::into(server.address), u16::try_from(port).ok()?));
    let mut args = Vec::new();
    let mapping = portmap::v2::Mapping {
        prog: nibind::PROGRAM,
        vers: nibind::VERSION,
        prot: portmap::IPPROTO_UDP,
        port: 0,
    };
    mapping.encode(&mut args);
    let (prog, vers) = (portmap::PROGRAM, portmap::PORTMAP_VERSION);
    let target = Target {
        address: at(portmap::PORT.into())?,
        prog,
        vers,
        proc: portmap::v2::Procedure::GetPort.code(),
    };
    let port = portmap::v2::decode_port(&call(target, &args, STEP).await?).ok()??;

    args.clear();
    nibind::put_tag(&mut args, server.tag.as_bytes());
    let (prog, vers) = (nibind::PROGRAM, nibind::VERSION);
    let target =
        Target { address: at(port.into())?, prog, vers, proc: nibind::Procedure::GetRegister.code() };
    let ports = nibind::decode_getregister_res(&call(target, &args, STEP).await?).ok()?;

    let (prog, vers, proc) = (ni::PROGRAM, ni::VERSION, Procedure::Ping.code());
    call(Target { address: at(ports.udp_port)?, prog, vers, proc }, &[], STEP).await.map(|_| ())
}

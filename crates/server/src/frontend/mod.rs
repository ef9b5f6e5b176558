//! Front-ends: RPC programs as thin adapters between the wire and the core.
//!
//! A call comes in as bytes with a [`Context`] (who calls, over which transport, on which of our ports) and leaves as a
//! [`Step`]: most answers are written at once; changes wait for the writer; long answers are streamed. The drivers
//! ([`crate::connection`], [`crate::datagram`]) know nothing of programs, the programs nothing of sockets.

pub(crate) mod binder;
pub(crate) mod control;
pub(crate) mod login;
pub(crate) mod lookup;
pub(crate) mod netinfo;
pub(crate) mod portmap;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netinfo_directory::{Change, Credentials, Id, Origin, Session, View};
use netinfo_wire::rpc::{
    AcceptStat, AuthStat, Call, CallError, Credential, auth_password, put_accepted, put_denied,
};
use netinfo_wire::{
    control as control_wire, login as login_wire, lookup as lookup_wire, netinfo as ni, nibind, portmap as pm,
};
use zeroize::Zeroizing;

use crate::limits::Limits;
use crate::node::Running;
use crate::served::Served;
use crate::stream::{Pages, Stream};

/// What carries a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Udp,
    Unix,
}

/// Where a call comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) origin: Origin,
    pub(crate) transport: Transport,
    /// Absent on the local socket.
    pub(crate) peer: Option<SocketAddr>,
    /// Our address as the caller sees it, where known.
    pub(crate) local: Option<IpAddr>,
}

/// Which programs a port serves.
#[derive(Clone)]
pub(crate) enum Port {
    /// One domain's own port: its NetInfo program and nothing else.
    Domain(Arc<Served>),
    /// The node's port for everything.
    Ipcserver,
    /// The binder's own port.
    Binder,
    /// The portmapper's port.
    Portmap,
    /// The UNIX socket: everything, and the control program.
    Local,
    /// The UNIX socket of look-ups: the look-up program and nothing else.
    Lookup,
    /// The UNIX socket of login modules: the login program and nothing else.
    Login,
}

impl Port {
    /// Longest record taken here, in bytes.
    pub(crate) fn record_size(&self, limits: &Limits) -> usize {
        match self {
            Self::Lookup => lookup_wire::MAX_CALL.min(limits.record_size),
            Self::Login => login_wire::MAX_RECORD.min(limits.record_size),
            _ => limits.record_size,
        }
    }

    /// Whether what comes in is to be wiped once it has been looked at.
    pub(crate) fn brings_passwords(&self) -> bool {
        matches!(self, Self::Login)
    }
}

/// What is known about a caller from call to call.
pub(crate) struct Context {
    /// Number of the connection; 0 for datagrams.
    pub(crate) connection: u64,
    pub(crate) caller: Caller,
    pub(crate) port: Port,
    /// Domain that NetInfo calls are for: the port's own, or the one BIND selected.
    pub(crate) selected: Option<Selected>,
    pub(crate) clock: Clock,
}

/// How long calls take. They are timed for the statistics, and asking for the time costs as much as a step of a look-up: of
/// calls that came together each begins when the one before has ended.
#[derive(Default)]
pub(crate) struct Clock {
    /// Time that calls have taken since they began to be taken together.
    pub(crate) spent: Duration,
    /// When the one before has ended.
    ended: Option<Instant>,
}

impl Clock {
    pub(crate) fn begin(&mut self) -> Instant {
        self.ended.take().unwrap_or_else(Instant::now)
    }

    /// Something else is done that is not the next call's.
    pub(crate) fn pause(&mut self) {
        self.ended = None;
    }

    /// The time since a call began.
    pub(crate) fn end(&mut self, start: Instant) -> Duration {
        let end = Instant::now();
        let time = end.saturating_duration_since(start);
        self.spent += time;
        self.ended = Some(end);
        time
    }
}

/// A selected domain and the session reads of it use.
pub(crate) struct Selected {
    pub(crate) served: Arc<Served>,
    pub(crate) reader: Session,
    /// Kept while calls that came together are answered. Only ever reached through `&mut`: the lock is there because a
    /// snapshot cannot be shared by threads, and a connection must be.
    snapshot: Mutex<Option<View<'static>>>,
}

impl Selected {
    pub(crate) fn new(served: Arc<Served>, reader: Session) -> Self {
        Self { served, reader, snapshot: Mutex::default() }
    }

    /// The snapshot from which calls that came together are answered.
    pub(crate) fn view(&mut self) -> netinfo_directory::Result<&View<'static>> {
        let snapshot = self.snapshot.get_mut().unwrap_or_else(PoisonError::into_inner);
        match snapshot {
            Some(view) => Ok(view),
            none => Ok(none.insert(self.served.domain.snapshot(&self.reader)?)),
        }
    }

    /// Gives the snapshot back. To be done before anything is waited for.
    pub(crate) fn forget_view(&mut self) {
        *self.snapshot.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What became of a call.
pub(crate) enum Step {
    /// The reply, if any, is in the buffer.
    Done,
    /// A change for the writer; the reply follows from its outcome.
    Propose(Box<Proposal>),
    /// The reply message takes a while.
    Later(Pin<Box<dyn Future<Output = Vec<u8>> + Send>>),
    /// The reply message is too long to be kept in memory; it is made as it is sent.
    Pages(Pages),
    /// The same, made on a thread that may block.
    Stream(Stream),
}

/// A change and on whose behalf it is to be made.
pub(crate) struct Proposal {
    pub(crate) xid: u32,
    pub(crate) procedure: ni::Procedure,
    pub(crate) served: Arc<Served>,
    pub(crate) change: Change,
    /// Id that the new directory of a CREATE has at the master that replays it.
    pub(crate) target: Option<Id>,
    pub(crate) credentials: OwnedCredentials,
}

/// Credentials that outlive the call's bytes.
pub(crate) enum OwnedCredentials {
    None,
    UidPassword { uid: i32, password: Zeroizing<Vec<u8>> },
}

impl OwnedCredentials {
    pub(crate) fn of(credential: &Credential<'_>) -> Self {
        match credential {
            Credential::None => Self::None,
            Credential::Sys(sys) => {
                Self::UidPassword { uid: sys.uid as i32, password: auth_password(sys.machine) }
            }
        }
    }

    pub(crate) fn borrow(&self) -> Credentials<'_> {
        match self {
            Self::None => Credentials::None,
            Self::UidPassword { uid, password } => Credentials::UidPassword { uid: *uid, password },
        }
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Handles one call message; what can be answered at once is appended to `out` (a bare reply message).
pub(crate) fn handle(
    node: &Arc<Running>,
    context: &mut Context,
    call: &Result<Call<'_>, CallError>,
    out: &mut Vec<u8>,
) -> Step {
    match call {
        Ok(call) => dispatch(node, context, call, out),
        Err(CallError::Silent) => Step::Done,
        Err(CallError::Denied { xid, auth }) => {
            put_denied(out, *xid, *auth);
            Step::Done
        }
    }
}

/// Finds the program of a call among those its port serves.
pub(crate) fn dispatch(
    node: &Arc<Running>,
    context: &mut Context,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Step {
    let (everything, local) = match context.port {
        Port::Local => (true, true),
        Port::Ipcserver => (true, false),
        _ => (false, false),
    };
    if call.prog != ni::PROGRAM {
        context.clock.pause();
    }
    match (call.prog, &context.port) {
        (ni::PROGRAM, Port::Domain(_)) => netinfo::call(node, context, call, out),
        (ni::PROGRAM, _) if everything => netinfo::call(node, context, call, out),
        (nibind::PROGRAM, Port::Binder) => binder::call(node, context, call, out),
        (nibind::PROGRAM, _) if everything => binder::call(node, context, call, out),
        (pm::PROGRAM, Port::Portmap) => portmap::call(node, context, call, out),
        (pm::PROGRAM, _) if everything => portmap::call(node, context, call, out),
        (lookup_wire::PROGRAM, Port::Lookup | Port::Local) => lookup::call(node, context, call, out),
        (login_wire::PROGRAM, Port::Login) => login::call(node, context, call, out),
        (control_wire::PROGRAM, _) if local => control::call(node, context, call, out),
        _ => refuse(out, call.xid, AcceptStat::ProgUnavail),
    }
}

/// How a call has to be scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A change without credentials. It may be taken while others of the same connection are still with the writer,
    /// because the writer keeps their order.
    OpenChange,
    /// A change whose credentials have to be checked first.
    Change,
    /// Anything else.
    Other,
}

/// Tells changes from other messages.
pub(crate) fn kind(call: &Result<Call<'_>, CallError>) -> Kind {
    match call {
        Ok(call)
            if call.prog == ni::PROGRAM
                && ni::Procedure::try_from(call.proc).is_ok_and(ni::Procedure::is_write) =>
        {
            if matches!(call.cred, Credential::None) { Kind::OpenChange } else { Kind::Change }
        }
        _ => Kind::Other,
    }
}

pub(crate) fn refuse(out: &mut Vec<u8>, xid: u32, stat: AcceptStat) -> Step {
    put_accepted(out, xid, stat);
    Step::Done
}

pub(crate) fn deny_too_weak(out: &mut Vec<u8>, xid: u32) -> Step {
    put_denied(out, xid, AuthStat::TooWeak);
    Step::Done
}

/// A bare reply message with a successful head.
pub(crate) fn accepted(xid: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    put_accepted(&mut out, xid, AcceptStat::Success);
    out
}

impl Context {
    pub(crate) fn new(connection: u64, caller: Caller, port: Port) -> Self {
        Self { connection, caller, port, selected: None, clock: Clock::default() }
    }

    /// The domain the connection is for, as far as it is decided.
    pub(crate) fn domain(&self) -> Option<&Arc<Served>> {
        match (&self.selected, &self.port) {
            (Some(selected), _) => Some(&selected.served),
            (None, Port::Domain(served)) => Some(served),
            (None, _) => None,
        }
    }
}

//! The binder: which domains this host serves, on which ports; creating and destroying them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netinfo_directory::{Error, Origin};
use netinfo_wire::netinfo::{self as ni, Binding, Status, put_status};
use netinfo_wire::nibind::{
    Addrinfo, BindArgs, CloneArgs, MAX_REGISTRATIONS, PROGRAM, Procedure, Registration, VERSION, decode_tag,
    put_getregister_res, put_listreg_res,
};
use netinfo_wire::rpc::{AcceptStat, Call, Credential, auth_password, put_accepted};
use netinfo_wire::xdr;
use zeroize::Zeroizing;

use super::netinfo::status_of;
use super::{Caller, Context, OwnedCredentials, Port, Step, Transport, accepted, deny_too_weak, now, refuse};
use crate::node::Running;
use crate::rpc_client::{Patience, Target, call as call_udp};

/// How long a server registered by another process may take to answer a ping, or a BIND passed on to it.
const PING: Patience = Patience { total: Duration::from_secs(1), resend: Duration::from_secs(1) };
const FORWARD: Patience = Patience { total: Duration::from_secs(2), resend: Duration::from_millis(500) };

/// The table of registered servers, in order of registration.
#[derive(Default)]
pub(crate) struct Registry(Mutex<Vec<Entry>>);

#[derive(Clone)]
struct Entry {
    tag: Vec<u8>,
    ports: Addrinfo,
    /// Served by this very process.
    own: bool,
}

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds or replaces the entry of a tag. Entries beyond what LISTREG can carry are refused.
    pub(crate) fn register(&self, tag: &[u8], ports: Addrinfo, own: bool) -> bool {
        let mut table = self.lock();
        let entry = Entry { tag: tag.to_vec(), ports, own };
        let known = table.iter().position(|e| e.tag == tag);
        match known {
            Some(at) => table[at] = entry,
            None if table.len() >= MAX_REGISTRATIONS as usize && !own => return false,
            None => table.push(entry),
        }
        true
    }

    pub(crate) fn unregister(&self, tag: &[u8]) {
        self.lock().retain(|e| e.tag != tag);
    }

    fn find(&self, tag: &[u8]) -> Option<Entry> {
        self.lock().iter().find(|e| e.tag == tag).cloned()
    }

    /// Ports of a registered tag.
    pub(crate) fn ports(&self, tag: &[u8]) -> Option<Addrinfo> {
        self.find(tag).map(|e| e.ports)
    }
}

/// Answers one call.
pub(crate) fn call(node: &Arc<Running>, context: &Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    if call.vers != VERSION {
        return refuse(out, call.xid, AcceptStat::ProgMismatch { low: VERSION, high: VERSION });
    }
    let procedure = Procedure::try_from(call.proc);
    if context.caller.transport == Transport::Udp && !procedure.is_ok_and(Procedure::allowed_over_udp) {
        return deny_too_weak(out, call.xid);
    }
    let Ok(procedure) = procedure else {
        return refuse(out, call.xid, AcceptStat::ProcUnavail);
    };
    let root = context.caller.origin.is_local_root();
    if !root
        && takes_root(procedure)
        && let Some(password) = root_password(node, call)
    {
        return Step::Later(Box::pin(verified(node.clone(), context.caller, procedure, password, call)));
    }
    answer(node, context, root, procedure, call, out)
        .unwrap_or_else(|_| refuse(out, call.xid, AcceptStat::GarbageArgs))
}

fn takes_root(procedure: Procedure) -> bool {
    use Procedure as P;
    matches!(procedure, P::Register | P::Unregister | P::CreateMaster | P::CreateClone | P::DestroyDomain)
}

/// What is said to be the root password of the domain `local`: with the historical behaviour, and only then, whoever
/// knows it is the superuser.
fn root_password(node: &Running, call: &Call<'_>) -> Option<Zeroizing<Vec<u8>>> {
    match &call.cred {
        Credential::Sys(sys) if node.historical => Some(auth_password(sys.machine)),
        _ => None,
    }
}

/// The reply to a call whose credential has to be verified first, which takes processor time.
fn verified(
    node: Arc<Running>,
    caller: Caller,
    procedure: Procedure,
    password: Zeroizing<Vec<u8>>,
    call: &Call<'_>,
) -> impl Future<Output = Vec<u8>> + Send + use<> {
    let (xid, prog, vers, proc, args) = (call.xid, call.prog, call.vers, call.proc, call.args.to_vec());
    async move {
        let credentials = OwnedCredentials::UidPassword { uid: 0, password };
        let root = match node.served(crate::node::DEFAULT_TAG) {
            Some(local) => {
                let session = node.passwords.check(local, credentials, caller.origin).await;
                session.is_ok_and(|session| session.is_superuser())
            }
            None => false,
        };
        let mut out = Vec::new();
        let step = {
            let call = Call { xid, prog, vers, proc, cred: Credential::None, args: &args };
            let context = Context::new(0, caller, Port::Binder);
            answer(&node, &context, root, procedure, &call, &mut out)
                .unwrap_or_else(|_| refuse(&mut out, xid, AcceptStat::GarbageArgs))
        };
        match step {
            Step::Later(future) => future.await,
            _ => out,
        }
    }
}

fn answer(
    node: &Arc<Running>,
    context: &Context,
    root: bool,
    procedure: Procedure,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Result<Step, xdr::Error> {
    let xid = call.xid;
    Ok(match procedure {
        Procedure::Ping => refuse(out, xid, AcceptStat::Success),
        Procedure::ListReg => {
            put_accepted(out, xid, AcceptStat::Success);
            let table = node.registry.lock();
            let shown = table.iter().take(MAX_REGISTRATIONS as usize);
            put_listreg_res(out, shown.map(|e| Registration { tag: &e.tag, addrs: e.ports }));
            Step::Done
        }
        Procedure::GetRegister => get_register(node, context, decode_tag(call.args)?, xid, out),
        Procedure::Bind => bind(node, context, &BindArgs::decode(call.args)?, call, out),
        Procedure::Register => {
            let args = Registration::decode(call.args)?;
            privileged(node, root, call, out, |_| {
                let room = node.registry.register(args.tag, args.addrs, false);
                if room { Status::Ok } else { Status::NoSpace }
            })
        }
        Procedure::Unregister => {
            let tag = decode_tag(call.args)?;
            privileged(node, root, call, out, |_| {
                node.registry.unregister(tag);
                Status::Ok
            })
        }
        Procedure::CreateMaster => {
            let tag = text(decode_tag(call.args)?);
            let (work, made) = (node.clone(), tag.clone());
            let make = move || work.core.create_master(&made, now()).map(drop);
            create(node, root, call, tag, out, make)
        }
        Procedure::CreateClone => {
            let args = CloneArgs::decode(call.args)?;
            let (tag, master, master_tag) = (text(args.tag), text(args.master_name), text(args.master_tag));
            let (address, work, made) = (args.master_addr, node.clone(), tag.clone());
            let make = move || work.core.create_clone(&made, &master, address, &master_tag, now()).map(drop);
            create(node, root, call, tag, out, make)
        }
        Procedure::DestroyDomain => destroy(node, root, call, text(decode_tag(call.args)?), out),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Answers a status at once, if the caller is the superuser of this host.
fn privileged(
    node: &Running,
    root: bool,
    call: &Call<'_>,
    out: &mut Vec<u8>,
    work: impl FnOnce(&Running) -> Status,
) -> Step {
    put_accepted(out, call.xid, AcceptStat::Success);
    let status = if root { work(node) } else { Status::Perm };
    put_status(out, status);
    Step::Done
}

fn get_register(node: &Arc<Running>, context: &Context, tag: &[u8], xid: u32, out: &mut Vec<u8>) -> Step {
    let address = match context.caller.peer {
        Some(SocketAddr::V4(peer)) => *peer.ip(),
        _ => Ipv4Addr::LOCALHOST,
    };
    let tag = resolve_alias(node, tag, address);
    let Some(entry) = node.registry.find(&tag) else {
        put_accepted(out, xid, AcceptStat::Success);
        put_status(out, Status::NoTag);
        return Step::Done;
    };
    if entry.own {
        put_accepted(out, xid, AcceptStat::Success);
        put_getregister_res(out, entry.ports);
        return Step::Done;
    }
    Step::Later(Box::pin(async move {
        let mut out = accepted(xid);
        match call_udp(ni_target(entry.ports, ni::Procedure::Ping), &[], PING).await {
            Some(_) => put_getregister_res(&mut out, entry.ports),
            None => put_status(&mut out, Status::NoResponse),
        }
        out
    }))
}

fn ni_target(ports: Addrinfo, procedure: ni::Procedure) -> Target {
    let port = u16::try_from(ports.udp_port).unwrap_or(0);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Target { address, prog: ni::PROGRAM, vers: ni::VERSION, proc: procedure.code() }
}

fn bind(
    node: &Arc<Running>,
    context: &Context,
    args: &BindArgs<'_>,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Step {
    let xid = call.xid;
    let tag = resolve_alias(node, args.server_tag, args.client_addr);
    let binding = Binding { tag: args.client_tag, addr: args.client_addr };
    let entry = node.registry.find(&tag);
    if let Some(served) = entry.as_ref().filter(|e| e.own).and_then(|_| node.served(&text(&tag))) {
        return crate::binding::answer(&served, &binding, &context.caller, &call.cred, xid, out);
    }
    let Some(entry) = entry else {
        return refuse(out, xid, AcceptStat::SystemErr);
    };
    let mut args = Vec::new();
    binding.encode(&mut args);
    Step::Later(Box::pin(async move {
        let served = call_udp(ni_target(entry.ports, ni::Procedure::Bind), &args, FORWARD).await.is_some();
        let mut out = Vec::with_capacity(32);
        put_accepted(&mut out, xid, if served { AcceptStat::Success } else { AcceptStat::SystemErr });
        out
    }))
}

/// The tag a client at `address` means by `tag`: a domain may stand under another name for some networks.
fn resolve_alias(node: &Running, tag: &[u8], address: Ipv4Addr) -> Vec<u8> {
    for served in node.all_served() {
        let Ok(Some(alias)) = served.view().and_then(|view| view.alias()) else { continue };
        let matches = |(network, mask): &(Ipv4Addr, Ipv4Addr)| {
            u32::from(address) & u32::from(*mask) == u32::from(*network)
        };
        if alias.name.as_bytes() == tag && alias.networks.iter().any(matches) {
            return served.domain.tag().as_bytes().to_vec();
        }
    }
    tag.to_vec()
}

/// Makes a domain and serves it before the answer leaves.
fn create(
    node: &Arc<Running>,
    root: bool,
    call: &Call<'_>,
    tag: String,
    out: &mut Vec<u8>,
    make: impl FnOnce() -> Result<(), Error> + Send + 'static,
) -> Step {
    // A tag that another process has registered is taken, too.
    if node.registry.find(tag.as_bytes()).is_some() || !root {
        return privileged(node, root, call, out, |_| Status::DupTag);
    }
    let (node, xid) = (node.clone(), call.xid);
    Step::Later(Box::pin(async move {
        let made = tokio::task::spawn_blocking(make).await.unwrap_or(Err(Error::Busy));
        let status = match made {
            Ok(()) => node.start_domain(&tag).map_or(Status::SystemErr, |()| Status::Ok),
            // Historical callers know no other word for a tag that cannot be a directory name.
            Err(Error::BadTag(tag)) => {
                tracing::warn!(tag, "refused to create a domain with this tag");
                Status::SystemErr
            }
            Err(error) => status_of(&error),
        };
        let mut out = accepted(xid);
        put_status(&mut out, status);
        out
    }))
}

fn destroy(node: &Arc<Running>, root: bool, call: &Call<'_>, tag: String, out: &mut Vec<u8>) -> Step {
    let Some(entry) = node.registry.find(tag.as_bytes()).filter(|_| root) else {
        return privileged(node, root, call, out, |_| Status::NoTag);
    };
    // A domain of ours stays ours when its registration was renewed from outside.
    if !entry.own && node.served(&tag).is_none() {
        // Somebody else's server: all there is to end here is its registration.
        node.registry.unregister(tag.as_bytes());
        put_accepted(out, call.xid, AcceptStat::Success);
        put_status(out, Status::Ok);
        return Step::Done;
    }
    let (node, xid) = (node.clone(), call.xid);
    Step::Later(Box::pin(async move {
        let result = node.destroy_domain(&tag).await;
        let mut out = accepted(xid);
        put_status(&mut out, result.map_or_else(|e| status_of(&e), |_| Status::Ok));
        out
    }))
}

/// Whether the origin may use the control program: the superuser on the local socket.
pub(crate) fn is_local_superuser(origin: Origin) -> bool {
    matches!(origin, Origin::Local { uid: 0 })
}

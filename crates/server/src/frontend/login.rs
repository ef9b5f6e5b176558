//! The login program: what login modules of this machine ask on a socket of their own.
//!
//! Superusers ask about everybody, as the programs do that let people in. Anybody else, such as a screen locker, asks
//! about nobody but the user that the kernel says it runs as, and only so often with a wrong password.
//!
//! | module | holds |
//! |---|---|
//! | `chain` | where this machine's users are, and the record of a user |
//! | `peers` | how often callers may be wrong |
//! | `questions` | AUTHENTICATE, ACCOUNT and KEYS |
//! | `change` | CHANGE |
//! | `elsewhere` | both for users of domains on other machines |

mod chain;
mod change;
mod elsewhere;
mod peers;
mod questions;

pub(crate) use peers::Peers;

use std::net::IpAddr;
use std::sync::Arc;

use netinfo_directory::account::{Condition, State};
use netinfo_directory::{Error, Origin};
use netinfo_wire::login::{
    Account, Answer, Authenticate, Change, MAX_MESSAGE, Outcome, PROGRAM, Place, Procedure, VERSION,
    decode_keys_args,
};
use netinfo_wire::rpc::{AcceptStat, Call};
use netinfo_wire::xdr;
use zeroize::Zeroizing;

use super::{Context, Step, accepted, refuse};
use crate::lookups::Inquiry;
use crate::node::Running;
use crate::throttle::Throttle;
use chain::Found;

/// Lines about passwords that do not match.
static FAILED_LOGINS: Throttle = Throttle::new();

/// Who asks.
#[derive(Clone, Copy)]
struct Peer {
    /// As the kernel says.
    uid: u32,
}

/// A decision and what is said with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    outcome: Outcome,
    uid: Option<u32>,
    days_left: Option<u32>,
    wait_seconds: Option<u32>,
    message: String,
}

impl Peer {
    fn is_superuser(self) -> bool {
        self.uid == 0
    }

    /// Whether the caller may ask about the user.
    fn may_ask_about(self, found: &Found) -> bool {
        self.is_superuser() || self.uid == found.uid
    }
}

impl From<Outcome> for Decision {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, uid: None, days_left: None, wait_seconds: None, message: String::new() }
    }
}

impl From<Condition> for Decision {
    fn from(condition: Condition) -> Self {
        let outcome = match condition.state {
            State::Usable => Outcome::Ok,
            State::Reset | State::PasswordExpired | State::PasswordAged => Outcome::MustChange,
            State::Expired => Outcome::Expired,
            State::Disabled => Outcome::Disabled,
        };
        Self { days_left: condition.days_left, ..outcome.into() }
    }
}

impl From<&Error> for Decision {
    /// What is told of a failure. The log has the rest.
    fn from(error: &Error) -> Self {
        match error {
            Error::Authentication | Error::NoUser => Outcome::Bad.into(),
            Error::AccountDisabled => Outcome::Disabled.into(),
            Error::AccountExpired => Outcome::Expired.into(),
            Error::TooManyAttempts { wait_ms, .. } => Self::later(*wait_ms),
            Error::Permission => {
                Self::refused("the domain does not let this password be changed by its user")
            }
            Error::ReadOnly => Self::refused("the record of this user is locked"),
            Error::NotMaster => Self::refused(
                "the password cannot be changed on this machine, only on the master of its domain",
            ),
            other => {
                tracing::warn!("a login cannot be decided: {other}");
                Outcome::Unavailable.into()
            }
        }
    }
}

impl Decision {
    fn later(wait_ms: u64) -> Self {
        let seconds = wait_ms.div_ceil(1000);
        Self { wait_seconds: Some(u32::try_from(seconds).unwrap_or(u32::MAX)), ..Outcome::Later.into() }
    }

    fn refused(message: &str) -> Self {
        Self { message: message.into(), ..Outcome::Refused.into() }
    }

    fn about(self, found: &Found) -> Self {
        Self { uid: Some(found.uid), ..self }
    }

    fn answer(&self) -> Answer<'_> {
        debug_assert!(self.message.len() <= MAX_MESSAGE as usize);
        let Self { outcome, uid, days_left, wait_seconds, ref message } = *self;
        Answer { outcome, uid, days_left, wait_seconds, message: message.as_bytes() }
    }
}

/// A place that outlives the call's bytes.
struct OwnedPlace {
    service: String,
    host: Option<String>,
}

impl OwnedPlace {
    fn of(place: &Place<'_>) -> Self {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let host = place.host.filter(|host| !host.is_empty()).map(text);
        Self { service: text(place.service), host }
    }

    /// Where a password comes from. What the superuser says of a remote host is believed: so those who guess from there
    /// are held back as everywhere else, and do not lock out who is here.
    fn origin(&self, node: &Running, peer: Peer) -> Origin {
        let address = self.host.as_deref().and_then(|host| host.parse::<IpAddr>().ok());
        match address.map(|address| address.to_canonical()) {
            Some(address) if peer.is_superuser() && !node.own.contains(address) => {
                Origin::Network { address, own: false, privileged_port: false }
            }
            _ => Origin::Local { uid: peer.uid },
        }
    }
}

/// Answers one call.
pub(crate) fn call(node: &Arc<Running>, context: &Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    if call.vers != VERSION {
        return refuse(out, call.xid, AcceptStat::ProgMismatch { low: VERSION, high: VERSION });
    }
    let Ok(procedure) = Procedure::try_from(call.proc) else {
        return refuse(out, call.xid, AcceptStat::ProcUnavail);
    };
    // Whoever came another way than by a UNIX socket is not known, and has no business here.
    let Origin::Local { uid } = context.caller.origin else {
        return refuse(out, call.xid, AcceptStat::ProgUnavail);
    };
    let Ok(about) = About::of(procedure, call.args) else {
        return refuse(out, call.xid, AcceptStat::GarbageArgs);
    };
    match about.is_known(node) {
        true => answer(node, Peer { uid }, procedure, (call.xid, call.args), out),
        false => after_asking(node, about, Peer { uid }, procedure, call),
    }
}

/// Whom a question is about.
struct About {
    user: Vec<u8>,
    groups: Vec<Vec<u8>>,
}

impl About {
    fn of(procedure: Procedure, args: &[u8]) -> Result<Self, xdr::Error> {
        let (user, mut groups) = match procedure {
            Procedure::Null => (&b""[..], Vec::new()),
            Procedure::Authenticate => (Authenticate::decode(args)?.user, Vec::new()),
            Procedure::Account => {
                let Account { user, one_of, all_of, .. } = Account::decode(args)?;
                (user, one_of.iter().chain(all_of.iter()).map(|group| group.to_vec()).collect())
            }
            Procedure::Change => (Change::decode(args)?.user, Vec::new()),
            Procedure::Keys => (decode_keys_args(args)?, Vec::new()),
        };
        groups.dedup();
        Ok(Self { user: user.to_vec(), groups })
    }

    /// Whether no other machine has to be asked.
    fn is_known(&self, node: &Running) -> bool {
        let inquiry = Inquiry::new(node);
        if self.user.is_empty() || inquiry.parents().is_empty() {
            return true;
        }
        let looked = inquiry.look(node, false, |view| chain::look_up(view, &self.user, &self.groups));
        looked.is_err() || !inquiry.is_missing()
    }
}

/// Answers one call after other machines have been asked about the user.
fn after_asking(
    node: &Arc<Running>,
    about: About,
    peer: Peer,
    procedure: Procedure,
    call: &Call<'_>,
) -> Step {
    let (node, xid, args) = (node.clone(), call.xid, Zeroizing::new(call.args.to_vec()));
    Step::Later(Box::pin(async move {
        // Never closed, and without a permit it would be asked all the same.
        let _permit = node.lookups.asking.clone().acquire_owned().await;
        let to = node.clone();
        let asked = tokio::task::spawn_blocking(move || {
            Inquiry::new(&to).wait(&to, false, |view| chain::look_up(view, &about.user, &about.groups))
        });
        // What could not be found out is not known to the answer either.
        if let Ok(Err(error)) = asked.await {
            tracing::warn!(%error, "a user cannot be looked up");
        }
        let mut out = Vec::new();
        match answer(&node, peer, procedure, (xid, &args), &mut out) {
            Step::Later(later) => later.await,
            _ => out,
        }
    }))
}

/// Answers one call from what is known.
fn answer(
    node: &Arc<Running>,
    peer: Peer,
    procedure: Procedure,
    (xid, args): (u32, &[u8]),
    out: &mut Vec<u8>,
) -> Step {
    try_answer(node, peer, procedure, (xid, args), out)
        .unwrap_or_else(|_| refuse(out, xid, AcceptStat::GarbageArgs))
}

fn try_answer(
    node: &Arc<Running>,
    peer: Peer,
    procedure: Procedure,
    (xid, args): (u32, &[u8]),
    out: &mut Vec<u8>,
) -> Result<Step, xdr::Error> {
    let keep = |password: &[u8]| Zeroizing::new(password.to_vec());
    Ok(match procedure {
        Procedure::Null => refuse(out, xid, AcceptStat::Success),
        Procedure::Authenticate => {
            let Authenticate { user, password, place } = Authenticate::decode(args)?;
            let asked = questions::authenticate(node, peer, user, keep(password), OwnedPlace::of(&place));
            later(node, xid, asked)
        }
        Procedure::Account => {
            let account = Account::decode(args)?;
            done(out, xid, &questions::account(node, peer, &account))
        }
        Procedure::Change => {
            let Change { user, old, new, place } = Change::decode(args)?;
            let asked = change::change(node, peer, user, old.map(keep), keep(new), OwnedPlace::of(&place));
            later(node, xid, asked)
        }
        Procedure::Keys => {
            let user = decode_keys_args(args)?;
            refuse(out, xid, AcceptStat::Success);
            questions::keys(node, user, out);
            Step::Done
        }
    })
}

/// What came of looking at a question: a decision, or work that hashes.
enum Asked {
    Decided(Decision),
    Work(Box<dyn FnOnce() -> Decision + Send>),
}

/// Answers after the work has been done on a thread for passwords.
fn later(node: &Arc<Running>, xid: u32, asked: Asked) -> Step {
    let node = node.clone();
    Step::Later(Box::pin(async move {
        let decision = match asked {
            Asked::Decided(decision) => decision,
            Asked::Work(work) => {
                node.passwords.run(work).await.unwrap_or_else(|_| Outcome::Unavailable.into())
            }
        };
        let mut out = accepted(xid);
        decision.answer().encode(&mut out);
        out
    }))
}

fn done(out: &mut Vec<u8>, xid: u32, decision: &Decision) -> Step {
    let step = refuse(out, xid, AcceptStat::Success);
    decision.answer().encode(out);
    step
}

/// Notes a password that was not right, or not looked at.
fn log_failure(user: &[u8], found: &Found, peer: Peer, place: &OwnedPlace, error: &Error) {
    FAILED_LOGINS.line(|more| {
        let (user, service, host) = (user.escape_ascii(), &place.service, place.host.as_deref());
        let tag = found.domain();
        tracing::warn!(%user, service, host, tag, uid = peer.uid, more, "login failed: {error}");
    });
}

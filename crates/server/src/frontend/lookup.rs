//! The look-up program: what the modules of the C library ask, on a socket that is open to everybody.
//!
//! Short questions are answered on the spot from a snapshot and from what is remembered of domains on other machines. Those
//! that may read very many records are answered on a thread that may take its time, a few at once; so are those for which
//! another machine has to be asked.

use std::sync::Arc;

use netinfo_directory::{Origin, Result};
use netinfo_lookup::{Asked, Page, Table, View};
use netinfo_wire::lookup::answer::{put_gids, put_page, put_records, put_steps};
use netinfo_wire::lookup::{
    Answer, Category, EntryBuf, PROGRAM, Pattern, Procedure, Request, Step as Traced, VERSION,
};
use netinfo_wire::rpc::{AcceptStat, Call};
use tokio::sync::Semaphore;

use super::{Context, Step, accepted, refuse};
use crate::limits::ASK_ROUNDS;
use crate::lookups::{self, Inquiry};
use crate::node::Running;

/// Answers one call.
pub(crate) fn call(node: &Arc<Running>, context: &Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    if call.vers != VERSION {
        return refuse(out, call.xid, AcceptStat::ProgMismatch { low: VERSION, high: VERSION });
    }
    let Ok(procedure) = Procedure::try_from(call.proc) else {
        return refuse(out, call.xid, AcceptStat::ProcUnavail);
    };
    let Ok(request) = Request::decode(procedure, call.args) else {
        return refuse(out, call.xid, AcceptStat::GarbageArgs);
    };
    let superuser = matches!(context.caller.origin, Origin::Local { uid: 0 });
    if reads_much(&request) {
        return later(node, &node.lookups.scans, superuser, procedure, call);
    }
    let at = out.len();
    out.extend_from_slice(&accepted(call.xid));
    let inquiry = Inquiry::new(node);
    answer(node, &inquiry, superuser, &request, out);
    if inquiry.is_missing() {
        out.truncate(at);
        return later(node, &node.lookups.asking, superuser, procedure, call);
    }
    Step::Done
}

/// Whether a question may take longer than others on the same thread should wait.
fn reads_much(request: &Request<'_>) -> bool {
    match request {
        Request::All { .. } | Request::Innetgr(_) | Request::Records(_) | Request::Trace(_) => true,
        Request::Find(query) => query.category == Category::Netgroup,
        Request::Null | Request::Initgroups(_) => false,
    }
}

/// Answers on another thread, when it is the question's turn among those of its kind.
fn later(
    node: &Arc<Running>,
    turn: &Arc<Semaphore>,
    superuser: bool,
    procedure: Procedure,
    call: &Call<'_>,
) -> Step {
    let (node, turn, xid, args) = (node.clone(), turn.clone(), call.xid, call.args.to_vec());
    Step::Later(Box::pin(async move {
        // Never closed, and without a permit it would be answered all the same.
        let _permit = turn.acquire_owned().await;
        let work = tokio::task::spawn_blocking(move || {
            let mut out = accepted(xid);
            match Request::decode(procedure, &args) {
                Ok(request) => wait(&node, superuser, &request, &mut out),
                Err(_) => Answer::<()>::TryAgain.put_outcome(&mut out),
            }
            out
        });
        work.await.unwrap_or_else(|_| {
            let mut out = accepted(xid);
            Answer::<()>::TryAgain.put_outcome(&mut out);
            out
        })
    }))
}

/// Appends the results of a question, for which other machines are asked where that is needed.
fn wait(node: &Running, superuser: bool, request: &Request<'_>, out: &mut Vec<u8>) {
    let at = out.len();
    let mut inquiry = Inquiry::new(node);
    if let Request::All { category, .. } = request {
        inquiry = inquiry.without_dns();
        inquiry.want_all(node, Table::of_category(*category));
        while inquiry.ask(node).is_some() {}
    }
    for _ in 0..ASK_ROUNDS {
        out.truncate(at);
        answer(node, &inquiry, superuser, request, out);
        if inquiry.ask(node).is_none() {
            return;
        }
    }
}

/// Appends the results of a question.
fn answer(node: &Running, inquiry: &Inquiry, superuser: bool, request: &Request<'_>, out: &mut Vec<u8>) {
    let at = out.len();
    if let Err(error) = try_answer(node, inquiry, superuser, request, out) {
        tracing::warn!(%error, "a look-up failed");
        out.truncate(at);
        if matches!(request, Request::Trace(_)) {
            put_steps(out, [].into_iter());
        }
        Answer::<()>::TryAgain.put_outcome(out);
    }
}

fn try_answer(
    node: &Running,
    inquiry: &Inquiry,
    superuser: bool,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    // Others than the superuser get snapshots that do not show passwords, so that nothing can go wrong later.
    let secrets = |category| superuser && category == Category::Shadow;
    match request {
        Request::Null => {}
        Request::Find(query) => {
            let look = |view: &View<'_>| view.find(query);
            put_entry(&inquiry.look(node, secrets(query.category), look)?, out);
        }
        Request::Trace(query) => {
            let (account, answer) = lookups::trace(node, secrets(query.category), query)?;
            put_steps(out, account.iter().map(step));
            put_entry(&answer, out);
        }
        Request::All { category, cookie } => {
            let look = |view: &View<'_>| view.all(*category, *cookie);
            let answer = inquiry.look(node, secrets(*category), look)?;
            answer.put_outcome(out);
            if let Answer::Found(Page { entries, next }) = &answer {
                put_page(out, entries.iter().map(EntryBuf::as_bytes), *next);
            }
        }
        Request::Initgroups(user) => {
            let answer = inquiry.look(node, false, |view| view.initgroups(user))?;
            answer.put_outcome(out);
            if let Answer::Found(gids) = &answer {
                put_gids(out, gids);
            }
        }
        Request::Innetgr(args) => {
            inquiry.look(node, false, |view| view.innetgr(args))?.put_outcome(out);
        }
        Request::Records(pattern) => put_found(node, inquiry, pattern, out)?,
    }
    Ok(())
}

fn put_entry(answer: &Answer<EntryBuf>, out: &mut Vec<u8>) {
    answer.put_outcome(out);
    if let Answer::Found(entry) = answer {
        out.extend_from_slice(entry.as_bytes());
    }
}

fn put_found(node: &Running, inquiry: &Inquiry, pattern: &Pattern<'_>, out: &mut Vec<u8>) -> Result<()> {
    let answer = inquiry.look(node, false, |view| view.records(pattern))?;
    answer.put_outcome(out);
    if let Answer::Found(found) = &answer {
        put_records(out, found.records.iter().map(|record| record.as_list()), found.more);
    }
    Ok(())
}

fn step(asked: &Asked) -> Traced<'_> {
    Traced {
        source: asked.source.as_bytes(),
        outcome: asked.outcome.as_bytes(),
        nanos: u32::try_from(asked.time.as_nanos()).unwrap_or(u32::MAX),
    }
}

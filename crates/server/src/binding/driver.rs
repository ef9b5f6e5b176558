//! The task of each domain: does what its search wants, and tells what came of it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use netinfo_directory::binding::{Action, Answer, Candidate, Parent, Refusal, State, Via};
use tokio::sync::Semaphore;

use super::{discover, now, plan, probe};
use crate::limits::{CANDIDATES_AT_ONCE, CHAIN_LIMIT};
use crate::node::{DEFAULT_TAG, Running};
use crate::served::Served;

/// A plan that took longer to be made is not made again for [`BELIEVED`], whatever changes meanwhile: machines are many, and
/// what they say of parents changes rarely.
const DEAR: Duration = Duration::from_millis(10);
const BELIEVED: Duration = Duration::from_secs(1);
/// Pause between two plans that are made because something was written.
const PLANNING: Duration = Duration::from_millis(100);
/// Longest sleep; a clock that stood still is noticed then.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
/// Whoever asks for the parent hears of one that was checked within this time.
const FRESH: Duration = Duration::from_secs(2);
/// How long whoever asks for the parent waits for a search to end.
const SETTLING: Duration = Duration::from_secs(8);

/// Finds and keeps the parent of a domain from now on.
pub(crate) fn start(node: &Arc<Running>, served: &Arc<Served>) {
    if let Some(bound) = node.configured.last(served.domain.tag()) {
        served.binding.search().remember(bound);
    }
    let watched = Arc::downgrade(served);
    served.domain.watch(Arc::new(move |_| {
        // Who writes much does not wake the task each time.
        if let Some(served) = watched.upgrade()
            && !served.binding.dirty.swap(true, Ordering::AcqRel)
        {
            served.binding.nudge.notify_one();
        }
    }));
    let (node, served) = (node.clone(), served.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = served.until_gone() => return,
                () = node.stopped() => return,
                () = round(&node, &served) => {}
            }
        }
    });
}

/// What is known of the parent once no question is open, or after a while.
pub(crate) async fn settled(node: &Arc<Running>, served: &Arc<Served>) -> State {
    let binding = &served.binding;
    // What was written before the question counts, even if that has to be waited for.
    if let Some(pause) = replan(node, served, Duration::ZERO) {
        tokio::time::sleep(pause).await;
        replan(node, served, Duration::ZERO);
    }
    binding.search().refresh(now(node), FRESH);
    let mut news = binding.news.subscribe();
    binding.nudge.notify_one();
    let quiet = async { while binding.search().is_busy(now(node)) && news.changed().await.is_ok() {} };
    // In vain is as good: what is known is told then.
    let _ = tokio::time::timeout(SETTLING, quiet).await;
    binding.search().state().clone()
}

/// One round: what is to be done is begun, and something new is waited for.
async fn round(node: &Arc<Running>, served: &Arc<Served>) {
    let binding = &served.binding;
    let again = replan(node, served, PLANNING);
    let actions = binding.search().act(now(node));
    for action in actions {
        let (node, served) = (node.clone(), Arc::downgrade(served));
        tokio::spawn(async move { perform(node, served, action).await });
    }
    binding.news.send_modify(|count| *count += 1);
    log(served);
    publish(node, served).await;
    let wake = binding.search().wake().map(|wake| wake.saturating_sub(now(node)));
    let pause = wake.unwrap_or(LONGEST_SLEEP).min(again.unwrap_or(LONGEST_SLEEP)).min(LONGEST_SLEEP);
    tokio::select! {
        () = binding.nudge.notified() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// Makes the plan if what it is made from has changed; when to try again if that is too soon: the last one was made less than
/// `pause` ago, or was dear.
fn replan(node: &Running, served: &Served, pause: Duration) -> Option<Duration> {
    let binding = &served.binding;
    if !binding.dirty.load(Ordering::Acquire) {
        return None;
    }
    let (at, took) = {
        let planned = binding.planned();
        (planned.at, planned.took)
    };
    let pause = if took > DEAR { BELIEVED } else { pause };
    // The first one is made at once.
    if !took.is_zero() && at.elapsed() < pause {
        return Some(pause.saturating_sub(at.elapsed()));
    }
    binding.dirty.store(false, Ordering::Release);
    let begin = Instant::now();
    match plan::of(node, served) {
        Ok(plan) => binding.search().follow(plan),
        Err(error) => {
            tracing::warn!(tag = served.domain.tag(), %error, "cannot read who the parent is to be");
        }
    }
    let mut planned = binding.planned();
    (planned.at, planned.took) = (begin, begin.elapsed());
    None
}

async fn perform(node: Arc<Running>, served: Weak<Served>, action: Action) {
    match action {
        Action::Ask(ticket, candidate) => {
            let said = ask(&node, &served, candidate).await;
            let Some(served) = served.upgrade() else { return };
            served.binding.search().answered(now(&node), ticket, said);
            served.binding.changed();
        }
        Action::Discover(ticket, via) => {
            let found = find(&node, &served, via).await;
            let Some(served) = served.upgrade() else { return };
            served.binding.search().found(ticket, found);
            served.binding.changed();
        }
    }
}

async fn ask(node: &Arc<Running>, served: &Weak<Served>, candidate: Candidate) -> Result<Answer, Refusal> {
    static QUESTIONS: Semaphore = Semaphore::const_new(CANDIDATES_AT_ONCE);
    let _permit = QUESTIONS.acquire().await;
    let Some(asking) = served.upgrade() else { return Err(Refusal::Late) };
    let tag = asking.domain.tag().to_owned();
    let first = !matches!(asking.binding.search().state(), State::Bound(_));
    let before = asking.binding.search().last().map(|bound| bound.answer.clone());
    drop(asking);
    let question = probe::Question { node: node.clone(), tag, name: candidate.name, introduce: first };
    let asked = tokio::task::spawn_blocking(move || question.ask()).await;
    let (mut answer, complete) = asked.unwrap_or(Err(Refusal::Late))?;
    // Of domains that cannot be asked now, what they said before is still the best that is known.
    if let Some(before) = before.filter(|before| !complete && before.parent == answer.parent)
        && before.above.starts_with(&answer.above)
    {
        answer.above = before.above;
    }
    Ok(answer)
}

async fn find(node: &Arc<Running>, served: &Weak<Served>, via: Via) -> Vec<Candidate> {
    let Some(asking) = served.upgrade() else { return Vec::new() };
    let tag = asking.domain.tag().to_owned();
    let tags = plan::broadcast_tags(node, &asking);
    drop(asking);
    let node = node.clone();
    tokio::task::spawn_blocking(move || discover::find(&node, &tag, &tags, via)).await.unwrap_or_default()
}

/// Says in the log when the parent has become another one.
fn log(served: &Served) {
    let tag = served.domain.tag();
    let search = served.binding.search();
    let parent = match search.state() {
        State::Bound(bound) => Some(bound.answer.parent.clone()),
        State::Alone(_) => None,
        State::Searching => return,
    };
    let mut planned = served.binding.planned();
    if planned.told.as_ref() == Some(&parent) {
        return;
    }
    match (&parent, search.tried()) {
        (Some(parent), _) => tracing::info!(tag, "bound to {parent}"),
        (None, []) => tracing::info!(tag, "has no parent: it is the root"),
        (None, tried) => {
            let why: Vec<String> =
                tried.iter().map(|(candidate, why)| format!("{}: {why}", candidate.name)).collect();
            tracing::warn!(tag, "no parent answers: {}", why.join("; "));
        }
    }
    planned.told = Some(parent);
}

/// Tells everybody who is above, and keeps it for the next start.
async fn publish(node: &Arc<Running>, served: &Arc<Served>) {
    let last = served.binding.search().last().cloned();
    let searching = *served.binding.search().state() == State::Searching;
    node.above.set(chain(node));
    // While a search goes on, what is remembered is not less true than before.
    if (last.is_none() && searching) || node.configured.is_last(served.domain.tag(), last.as_ref()) {
        return;
    }
    let (kept, tag) = (node.clone(), served.domain.tag().to_owned());
    let work = move || kept.configured.remember(&tag, last.as_ref());
    // An error is in the log.
    let _ = tokio::task::spawn_blocking(work).await;
}

/// The domains on other machines above `local`: those above the last domain served here.
fn chain(node: &Running) -> Vec<Parent> {
    let mut seen: Vec<String> = Vec::new();
    let mut next = node.served(DEFAULT_TAG);
    let mut above = Vec::new();
    while let Some(served) = next.take().filter(|served| !seen.iter().any(|tag| tag == served.domain.tag())) {
        seen.push(served.domain.tag().to_owned());
        let search = served.binding.search();
        let Some(bound) = search.last() else { break };
        match &bound.answer.parent {
            Parent::NetInfo { tag, .. } if bound.answer.here => next = node.served(tag),
            parent => above.extend(std::iter::once(parent).chain(&bound.answer.above).cloned()),
        }
    }
    let own = |parent: &Parent| match parent {
        Parent::NetInfo { tag, address, .. } => node.own.contains(*address) && seen.contains(tag),
        Parent::Ldap(_) => false,
    };
    let end = above.iter().position(own).unwrap_or(above.len());
    above.truncate(end.min(CHAIN_LIMIT));
    above
}

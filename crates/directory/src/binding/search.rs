//! Finding the parent of one domain and keeping an eye on it: a state machine.
//!
//! A [`Plan`] says who may be the parent, in steps: candidates to ask, or a way to find candidates. [`Search::act`] tells what
//! is to be done now; whoever does it reports to [`Search::answered`] or [`Search::found`], or not at all: every question has
//! a time-out here. Of the candidates of a step the first in order wins that answers; one that is late by more than
//! [`Policy::grace`] after another has answered loses to it. A parent is asked again from time to time; when it does not
//! answer, or leads back to the domain itself, the search begins anew. "No parent" is believed for [`Policy::no_parent`].
//!
//! Time is given as a duration since any fixed moment.

use std::collections::VecDeque;
use std::time::Duration;

use super::parent::{Parent, ParentName};

/// Most candidates of one step; more are left out.
pub const CANDIDATES_LIMIT: usize = 32;
/// Checks that find a loop which another domain should end, until this one ends it.
pub const LOOP_PATIENCE: u32 = 3;

/// How long things are waited for, and believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Time a candidate, or a way to find some, has to answer.
    pub answer: Duration,
    /// Time that a better candidate still has when another one has answered.
    pub grace: Duration,
    /// Time between two checks of the parent.
    pub check: Duration,
    /// Time that "no parent" is believed.
    pub no_parent: Duration,
}

/// How a candidate became one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// It was configured.
    Configured,
    /// A `serves` value `../TAG` in `/machines`.
    Serves,
    /// SRV records of the DNS.
    Dns,
    /// Multicast DNS.
    Mdns,
    /// A broadcast answered by those who know this machine as a child.
    Broadcast,
}

/// Who may be the parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// As it was named.
    pub name: ParentName,
    /// By what.
    pub via: Via,
}

/// A step of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Candidates, the best first.
    Ask(Vec<Candidate>),
    /// A way to find some.
    Discover(Via),
}

/// The steps of a search, taken until one of them leads to a parent. No steps: the domain is the root.
pub type Plan = Vec<Step>;

/// What a candidate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The candidate with its address.
    pub parent: Parent,
    /// Whether it is a domain of this very node.
    pub here: bool,
    /// How long a question took.
    pub latency: Duration,
    /// The domains above it, nearest first, as far as they could be followed.
    pub above: Vec<Parent>,
    /// Whether the domains above it lead back to the domain that searches, and if so, whether it is this one that should end
    /// the loop ([`ends_loop`]).
    pub loops: Option<bool>,
}

/// Why a candidate is not the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be reached, or does not serve the domain; in words for people.
    Unreachable(String),
    /// It is the domain itself.
    Itself,
    /// Its own parents lead back here.
    Loop,
    /// It has not answered in time.
    Late,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => f.write_str(why),
            Self::Itself => f.write_str("it is this domain itself"),
            Self::Loop => f.write_str("its own parents lead back to this domain"),
            Self::Late => f.write_str("no answer in time"),
        }
    }
}

/// The parent a domain is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Which candidate it is.
    pub candidate: Candidate,
    /// What it said last.
    pub answer: Answer,
    /// Since when.
    pub since: Duration,
    /// When it answered last.
    pub checked: Duration,
}

/// What is known of the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Searching,
    /// Who it is.
    Bound(Box<Bound>),
    /// That there is none, or none that answers; since when.
    Alone(Duration),
}

/// Something to do. Reports about it carry its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask a candidate.
    Ask(u64, Candidate),
    /// Find candidates.
    Discover(u64, Via),
}

/// The search for the parent of one domain.
#[derive(Debug)]
pub struct Search {
    policy: Policy,
    plan: Plan,
    state: State,
    doing: Doing,
    rest: VecDeque<Step>,
    tickets: u64,
    tried: Vec<(Candidate, Refusal)>,
    /// The parent of the last success, as long as it is a candidate.
    last: Option<Bound>,
    /// Checks in a row that found a loop.
    looped: u32,
}

#[derive(Debug)]
enum Doing {
    /// Nothing until this time.
    Resting(Option<Duration>),
    /// The next step of a search is due.
    Stepping,
    Asking {
        questions: Vec<Question>,
        deadline: Duration,
        check: bool,
    },
    Discovering {
        ticket: u64,
        sent: bool,
        via: Via,
        deadline: Duration,
    },
}

#[derive(Debug)]
struct Question {
    ticket: u64,
    sent: bool,
    candidate: Candidate,
    answer: Option<Result<Answer, Refusal>>,
}

impl Search {
    /// A search without a plan: until there is one, nothing is done.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            plan: Plan::new(),
            state: State::Searching,
            doing: Doing::Resting(None),
            rest: VecDeque::new(),
            tickets: 0,
            tried: Vec::new(),
            last: None,
            looped: 0,
        }
    }

    /// What is known now.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The present plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Those who were asked in the last search and are not the parent.
    #[must_use]
    pub fn tried(&self) -> &[(Candidate, Refusal)] {
        &self.tried
    }

    /// The parent, or the last one if there is none that answers now.
    #[must_use]
    pub fn last(&self) -> Option<&Bound> {
        self.last.as_ref()
    }

    /// Takes over what an earlier run of the node was bound to last, until something else is found.
    pub fn remember(&mut self, bound: Bound) {
        self.last.get_or_insert(bound);
    }

    /// Whether what is known is about to change: an answer is awaited, or a question is due.
    #[must_use]
    pub fn is_busy(&self, now: Duration) -> bool {
        let resting = match self.doing {
            Doing::Resting(until) => until.is_none_or(|until| until > now),
            _ => false,
        };
        self.state == State::Searching || !resting
    }

    /// Follows another plan, if it is another one: a parent that is a candidate still is kept and checked, otherwise the
    /// search begins anew.
    pub fn follow(&mut self, plan: Plan) {
        if plan == self.plan && !matches!((&self.state, &self.doing), (State::Searching, Doing::Resting(_))) {
            return;
        }
        self.plan = plan;
        let discovers = |via| self.plan.iter().any(|step| matches!(step, Step::Discover(v) if *v == via));
        let stays = |bound: &Bound| match bound.candidate.via {
            Via::Configured | Via::Serves => self.plan.iter().any(|step| match step {
                Step::Ask(candidates) => candidates.contains(&bound.candidate),
                Step::Discover(_) => false,
            }),
            via => discovers(via),
        };
        if !self.last.as_ref().is_some_and(stays) {
            self.last = None;
        }
        self.restart();
    }

    /// Begins anew, as after a change of the network: nothing that was found is believed any more.
    pub fn restart(&mut self) {
        self.state = State::Searching;
        self.tried.clear();
        self.looped = 0;
        self.rest = self.plan.iter().cloned().collect();
        self.doing = Doing::Stepping;
    }

    /// Makes sure that what is known is not older than `age`: a parent that has not been checked since is checked now.
    pub fn refresh(&mut self, now: Duration, age: Duration) {
        if let (State::Bound(bound), Doing::Resting(_)) = (&self.state, &self.doing)
            && now.saturating_sub(bound.checked) >= age
        {
            self.doing = Doing::Resting(Some(now));
        }
    }

    /// When [`Search::act`] has something to do if nothing is reported before.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        match &self.doing {
            Doing::Resting(until) => *until,
            Doing::Stepping => Some(Duration::ZERO),
            Doing::Asking { deadline, .. } | Doing::Discovering { deadline, .. } => Some(*deadline),
        }
    }

    /// What is to be done now.
    pub fn act(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        loop {
            self.expire(now);
            match &mut self.doing {
                Doing::Resting(Some(until)) if *until <= now => self.wake_up(now),
                Doing::Stepping => self.next_step(now),
                Doing::Resting(_) => return actions,
                Doing::Asking { questions, .. } => {
                    for question in questions.iter_mut().filter(|question| !question.sent) {
                        question.sent = true;
                        actions.push(Action::Ask(question.ticket, question.candidate.clone()));
                    }
                    return actions;
                }
                Doing::Discovering { ticket, sent, via, .. } => {
                    if !std::mem::replace(sent, true) {
                        actions.push(Action::Discover(*ticket, *via));
                    }
                    return actions;
                }
            }
        }
    }

    /// A candidate has answered, or it is known that it will not.
    pub fn answered(&mut self, now: Duration, ticket: u64, said: Result<Answer, Refusal>) {
        let grace = self.policy.grace;
        let Doing::Asking { questions, deadline, .. } = &mut self.doing else { return };
        let Some(question) = questions.iter_mut().find(|q| q.ticket == ticket && q.answer.is_none()) else {
            return;
        };
        if said.is_ok() {
            *deadline = (*deadline).min(now + grace);
        }
        question.answer = Some(said);
        self.decide(now, false);
    }

    /// A way to find candidates has led to these; none is an answer, too.
    pub fn found(&mut self, ticket: u64, candidates: Vec<Candidate>) {
        let Doing::Discovering { ticket: wanted, .. } = &self.doing else { return };
        if ticket == *wanted {
            self.rest.push_front(Step::Ask(candidates));
            self.doing = Doing::Stepping;
        }
    }

    fn expire(&mut self, now: Duration) {
        match &self.doing {
            Doing::Asking { deadline, .. } if *deadline <= now => self.decide(now, true),
            Doing::Discovering { deadline, .. } if *deadline <= now => self.doing = Doing::Stepping,
            _ => {}
        }
    }

    /// The time of rest is over: the parent is checked, or looked for again.
    fn wake_up(&mut self, now: Duration) {
        match &self.state {
            State::Bound(bound) => {
                let candidate = bound.candidate.clone();
                self.ask(now, vec![candidate], true);
            }
            State::Searching | State::Alone(_) => {
                self.tried.clear();
                self.rest = self.plan.iter().cloned().collect();
                self.doing = Doing::Stepping;
            }
        }
    }

    fn next_step(&mut self, now: Duration) {
        match self.rest.pop_front() {
            Some(Step::Ask(mut candidates)) => {
                candidates.truncate(CANDIDATES_LIMIT);
                if !candidates.is_empty() {
                    self.ask(now, candidates, false);
                }
            }
            Some(Step::Discover(via)) => {
                let ticket = self.ticket();
                let deadline = now + self.policy.answer;
                self.doing = Doing::Discovering { ticket, sent: false, via, deadline };
            }
            None => {
                if !matches!(self.state, State::Alone(_)) {
                    self.state = State::Alone(now);
                }
                let again = (!self.plan.is_empty()).then(|| now + self.policy.no_parent);
                self.doing = Doing::Resting(again);
            }
        }
    }

    fn ask(&mut self, now: Duration, candidates: Vec<Candidate>, check: bool) {
        let mut questions = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            questions.push(Question { ticket: self.ticket(), sent: false, candidate, answer: None });
        }
        self.doing = Doing::Asking { questions, deadline: now + self.policy.answer, check };
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// Decides about a step once the first that answered has no better one before it, or when time is over.
    fn decide(&mut self, now: Duration, over: bool) {
        let Doing::Asking { questions, check, .. } = &mut self.doing else { return };
        let check = *check;
        for question in questions.iter_mut() {
            if let Some(Ok(answer)) = &question.answer
                && let Some(mine) = answer.loops
            {
                // Whoever closes a loop opens it again at once; one that others have closed is theirs to end for a while.
                if !check || mine || self.looped + 1 >= LOOP_PATIENCE {
                    question.answer = Some(Err(Refusal::Loop));
                }
            }
        }
        let open = |question: &Question| question.answer.is_none();
        let good = |question: &Question| matches!(question.answer, Some(Ok(_)));
        let winner = questions.iter().position(good);
        let waiting = questions.iter().take(winner.unwrap_or(questions.len())).any(open);
        if waiting && !over {
            return;
        }
        let questions = std::mem::take(questions);
        let mut won = None;
        for (at, question) in questions.into_iter().enumerate() {
            match question.answer {
                Some(Ok(answer)) if Some(at) == winner => won = Some((question.candidate, answer)),
                Some(Err(refusal)) => self.tried.push((question.candidate, refusal)),
                None if winner.is_none_or(|winner| at < winner) => {
                    self.tried.push((question.candidate, Refusal::Late));
                }
                _ => {}
            }
        }
        match won {
            Some((candidate, answer)) => self.bind(now, candidate, answer),
            None if check => {
                let refusals = std::mem::take(&mut self.tried);
                self.restart();
                // A parent that leads back here is not to be asked again at once: the loop is there still.
                if refusals.iter().any(|(_, refusal)| *refusal == Refusal::Loop) {
                    self.rest.retain_mut(|step| match step {
                        Step::Ask(candidates) => {
                            candidates.retain(|c| !refusals.iter().any(|(refused, _)| refused == c));
                            !candidates.is_empty()
                        }
                        Step::Discover(_) => true,
                    });
                    self.tried = refusals;
                    self.last = None;
                }
            }
            None => self.doing = Doing::Stepping,
        }
    }

    fn bind(&mut self, now: Duration, candidate: Candidate, answer: Answer) {
        self.looped = if answer.loops.is_some() { self.looped + 1 } else { 0 };
        let since = match &self.state {
            State::Bound(bound) if bound.answer.parent == answer.parent => bound.since,
            _ => now,
        };
        let bound = Bound { candidate, answer, since, checked: now };
        self.last = Some(bound.clone());
        self.state = State::Bound(Box::new(bound));
        self.rest.clear();
        self.doing = Doing::Resting(Some(now + self.policy.check));
    }
}

/// Whether the domain that others call `itself` is the one that should end a loop through `others`: all members of a loop
/// come to the same conclusion, so one of them does.
#[must_use]
pub fn ends_loop<'p>(itself: &Parent, others: impl IntoIterator<Item = &'p Parent>) -> bool {
    let itself = itself.to_string();
    others.into_iter().all(|other| itself <= other.to_string())
}

#[cfg(test)]
mod tests;

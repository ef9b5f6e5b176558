//! What waits for the writer, and how long the writer waits for more.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{GROUP_BYTES, GROUP_JOBS, Job, Proposal, weight};

/// Longest time the writer waits for those whom it has just answered.
const GATHER: Duration = Duration::from_millis(2);

/// The queue.
///
/// Those who were just answered are the likeliest to want something next. A commit that begins before they are back goes
/// without them, and they wait for all of it: then every other commit is a small one. So the writer waits for as many as
/// there seem to be, though not for long.
pub(super) struct Queue {
    jobs: Receiver<Job>,
    /// Taken out of the channel.
    waiting: VecDeque<Job>,
    /// Proposals that may belong to the next commit: those that were waiting when the last one ended, and those that it
    /// answered.
    expected: usize,
    /// Until when they are waited for.
    deadline: Instant,
}

/// What came of waiting for a job.
pub(super) enum Wait {
    Job(Job),
    /// Nothing came in time.
    Nothing,
    /// There will be no more.
    End,
}

impl Queue {
    pub(super) fn new(jobs: Receiver<Job>) -> Self {
        Self { jobs, waiting: VecDeque::new(), expected: 0, deadline: Instant::now() }
    }

    /// Waits for a job, for ever if no limit is given.
    pub(super) fn next(&mut self, limit: Option<Duration>) -> Wait {
        if let Some(job) = self.waiting.pop_front() {
            return Wait::Job(job);
        }
        match limit.map_or_else(|| Ok(self.jobs.recv()?), |limit| self.jobs.recv_timeout(limit)) {
            Ok(job) => Wait::Job(job),
            Err(RecvTimeoutError::Timeout) => Wait::Nothing,
            Err(RecvTimeoutError::Disconnected) => Wait::End,
        }
    }

    /// The proposals that go into one commit with `first`.
    pub(super) fn group(&mut self, first: Proposal) -> Vec<Proposal> {
        let mut size = weight(&first.changes);
        let mut group = vec![first];
        while group.len() < GROUP_JOBS && size < GROUP_BYTES {
            let job = match self.waiting.pop_front() {
                Some(job) => job,
                None => match self.more(group.len()) {
                    Some(job) => job,
                    None => break,
                },
            };
            match job {
                Job::Propose(proposal) => {
                    size += weight(&proposal.changes);
                    group.push(proposal);
                }
                other => {
                    self.waiting.push_front(other);
                    break;
                }
            }
        }
        group
    }

    /// A job for a group that has `gathered` proposals.
    fn more(&self, gathered: usize) -> Option<Job> {
        if let Ok(job) = self.jobs.try_recv() {
            return Some(job);
        }
        if gathered >= self.expected {
            return None;
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { None } else { self.jobs.recv_timeout(left).ok() }
    }

    /// To be called when a commit of `size` proposals that took this long is about to be answered.
    pub(super) fn committed(&mut self, size: usize, took: Duration) {
        self.waiting.extend(self.jobs.try_iter());
        self.expected = self.waiting.len() + size;
        self.deadline = Instant::now() + (took / 2).min(GATHER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Principal, Session};
    use std::sync::mpsc::{Sender, channel};

    fn propose(jobs: &Sender<Job>) {
        let session = Session::of(Principal::Superuser);
        let proposal = Proposal { session, changes: Vec::new(), at: 0, done: Box::new(drop) };
        assert!(jobs.send(Job::Propose(proposal)).is_ok());
    }

    fn first(queue: &mut Queue) -> Proposal {
        match queue.next(None) {
            Wait::Job(Job::Propose(proposal)) => proposal,
            _ => panic!("no proposal"),
        }
    }

    #[test]
    fn a_group_waits_for_those_who_were_answered_and_for_nobody_else() {
        let (jobs, receiver) = channel();
        let mut queue = Queue::new(receiver);
        propose(&jobs);
        let one = first(&mut queue);
        assert_eq!(queue.group(one).len(), 1);
        // One was answered, one waits: two are expected, and the first comes back late.
        propose(&jobs);
        queue.committed(1, Duration::from_secs(9));
        assert!(queue.deadline <= Instant::now() + GATHER);
        queue.deadline = Instant::now() + Duration::from_secs(600);
        let late = jobs.clone();
        let back = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            propose(&late);
        });
        let one = first(&mut queue);
        assert_eq!(queue.group(one).len(), 2);
        back.join().unwrap();
        // Both were answered, and only one comes back.
        queue.committed(2, Duration::from_millis(1));
        propose(&jobs);
        let one = first(&mut queue);
        assert_eq!(queue.group(one).len(), 1);
        // What is not a proposal comes behind those before it.
        propose(&jobs);
        assert!(jobs.send(Job::Exclusive(Box::new(|_, _| {}))).is_ok());
        propose(&jobs);
        let one = first(&mut queue);
        assert_eq!(queue.group(one).len(), 1);
        assert!(matches!(queue.next(None), Wait::Job(Job::Exclusive(_))));
        assert!(matches!(queue.next(Some(Duration::ZERO)), Wait::Job(Job::Propose(_))));
        assert!(matches!(queue.next(Some(Duration::from_millis(1))), Wait::Nothing));
        drop(jobs);
        assert!(matches!(queue.next(None), Wait::End));
    }
}

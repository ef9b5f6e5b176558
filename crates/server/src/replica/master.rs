//! A master and its clones, without sockets and clocks (NetInfo protocol, replication).
//!
//! For each clone the master knows how far it is in the change feed, or that it missed something. A commit starts the
//! update latency; at its end every clone that is not busy gets a [`Job`] with all changes since its position. A clone
//! that fails is out of sync: nothing is pushed to it until it accepted a RESYNC, which is sent to it again and again at
//! growing intervals, or took a whole copy. What is to be done follows from the state alone, so that nothing is lost
//! when something happens while the master is busy.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use netinfo_directory::Server;

use super::limits::{BUSY_PATIENCE, QUIET, REMIND_FIRST, REMIND_MAX, pause};

/// What the root directory says of replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// Time from a change to its push (`update_latency`).
    pub(super) latency: Duration,
    /// Clones served at once (`subthreads`).
    pub(super) threads: usize,
    /// Time between two resyncs (`cleanup_wait`); `None`: none of itself.
    pub(super) period: Option<Duration>,
}

/// Something to tell a clone over one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// CRASHED: this master has just started.
    Crashed,
    /// The changes after sequence number `after`, up to and including `upto`.
    Changes { after: u64, upto: u64 },
    /// RESYNC.
    Resync,
}

/// A job to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) ticket: Ticket,
    pub(super) server: Server,
    pub(super) job: Job,
}

/// Names a job when its result is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ticket {
    peer: u64,
    job: u64,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// All of it was accepted.
    Delivered,
    /// Something failed; the rest was not sent.
    Failed,
    /// The changes are no longer kept.
    Lost,
}

/// A READALL being answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The clone that asked, if it is known which.
    peer: Option<u64>,
    whole: bool,
}

/// Another server must not be served now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// What the master knows of a clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has all changes up to this one.
    In { position: u64 },
    /// It misses something; when to remind it.
    Out { again: Instant },
}

#[derive(Debug)]
struct Peer {
    id: u64,
    server: Server,
    standing: Standing,
    /// The job under way, and the last change when it began.
    job: Option<(Ticket, Job, u64)>,
    /// Number of its last job.
    turn: u64,
    /// To be told that the master started.
    greet: bool,
    /// To be told RESYNC once it has the changes up to this one.
    resync: Option<u64>,
    failures: u32,
    /// Whether it has ever answered. Nobody waits for one that may not exist.
    heard: bool,
    /// Whole copies under way; nothing is pushed meanwhile.
    copies: u32,
    /// When pushing may begin after a copy: the clone has to put it in place.
    hold: Option<Instant>,
    /// Since when it is refused a copy.
    refused: Option<Instant>,
}

/// The state of one master.
#[derive(Debug)]
pub(super) struct Master {
    settings: Settings,
    /// Whether there has been a clone; before that the list is read after changes.
    started: bool,
    /// When the list is to be read for want of a clone.
    list_at: Option<Instant>,
    listed: Instant,
    peers: Vec<Peer>,
    /// The last change.
    sequence: u64,
    /// Changes up to this one are due.
    due: u64,
    wake: Option<Instant>,
    resynced: Instant,
    /// When a resync that was asked for may be made.
    resync_at: Option<Instant>,
    numbers: u64,
}

impl Master {
    /// A master whose last change is `sequence`. It wants the list of its clones at once.
    pub(super) fn new(settings: Settings, sequence: u64, now: Instant) -> Self {
        Self {
            settings,
            started: false,
            list_at: Some(now),
            listed: now,
            peers: Vec::new(),
            sequence,
            due: sequence,
            wake: None,
            resynced: now,
            resync_at: None,
            numbers: 0,
        }
    }

    /// Takes over what the root directory says by now.
    pub(super) fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Something was committed; `sequence` is its last change.
    pub(super) fn committed(&mut self, sequence: u64, now: Instant) {
        if sequence <= self.sequence {
            return;
        }
        self.sequence = sequence;
        if self.started {
            self.wake.get_or_insert(now + self.settings.latency);
        } else {
            self.list_at.get_or_insert_with(|| now.max(self.listed + QUIET));
        }
    }

    /// Somebody asks for a resync.
    pub(super) fn resync(&mut self, now: Instant) {
        self.resync_at.get_or_insert_with(|| now.max(self.resynced + QUIET));
    }

    /// Whether the list of clones is wanted: before the first clone, and when a resync is due.
    pub(super) fn wants_list(&self, now: Instant) -> bool {
        self.list_at.into_iter().chain(self.resync_due()).any(|at| at <= now)
    }

    /// Takes the list of clones, read together with `sequence`.
    pub(super) fn list(&mut self, servers: Vec<Server>, sequence: u64, now: Instant) {
        let resync = self.resync_due().is_some_and(|at| at <= now);
        if resync {
            (self.resynced, self.resync_at) = (now, None);
        }
        self.committed(sequence, now);
        let starting = !self.started && !servers.is_empty();
        self.merge(servers);
        if starting {
            self.started = true;
            self.due = self.sequence;
            self.peers.iter_mut().for_each(|peer| (peer.greet, peer.resync) = (true, None));
        } else if resync {
            self.peers.iter_mut().for_each(|peer| peer.resync = Some(self.sequence));
        }
        (self.list_at, self.listed) = (None, now);
    }

    /// Keeps the clones that stay, with what is known of them; the others are new.
    fn merge(&mut self, servers: Vec<Server>) {
        let mut known = std::mem::take(&mut self.peers);
        let mut seen = HashSet::new();
        for server in servers {
            if !seen.insert((server.address, server.tag.clone())) {
                continue;
            }
            let place = known.iter().position(|peer| peer.server == server);
            let peer = match place {
                Some(place) => known.swap_remove(place),
                None => {
                    self.numbers += 1;
                    Peer::new(self.numbers, server, self.sequence)
                }
            };
            self.peers.push(peer);
        }
    }

    /// The jobs to begin now, and when to ask again if nothing happens before.
    pub(super) fn poll(&mut self, now: Instant) -> (Vec<Start>, Option<Instant>) {
        if self.wake.is_some_and(|at| at <= now) {
            (self.wake, self.due) = (None, self.sequence);
        }
        let free = self.settings.threads.max(1).saturating_sub(self.running());
        let (due, sequence) = (self.due, self.sequence);
        let mut waiting: Vec<_> =
            self.peers.iter_mut().filter_map(|p| p.next(due, sequence, now).map(|job| (p, job))).collect();
        // Who was served longest ago comes first, so that busy clones leave room for others.
        waiting.sort_by_key(|(peer, _)| peer.turn);
        let mut starts = Vec::new();
        for (peer, job) in waiting.into_iter().take(free) {
            self.numbers += 1;
            starts.push(peer.begin(job, self.numbers, sequence));
        }
        (starts, self.deadline(now))
    }

    /// The next moment after `now` at which something becomes due by itself.
    fn deadline(&self, now: Instant) -> Option<Instant> {
        let peers =
            self.peers.iter().filter(|p| p.job.is_none() && p.copies == 0).filter_map(|p| match p.standing {
                Standing::Out { again } => Some(again),
                Standing::In { .. } => p.hold,
            });
        peers.chain(self.wake).chain(self.list_at).chain(self.resync_due()).filter(|at| *at > now).min()
    }

    fn resync_due(&self) -> Option<Instant> {
        let periodic = self.settings.period.map(|period| self.resynced + period);
        self.resync_at.into_iter().chain(periodic).min()
    }

    /// Whether a job is still of use: not if the clone began to take a whole copy, or left the list.
    pub(super) fn wants(&self, ticket: Ticket) -> bool {
        self.peers.iter().any(|peer| peer.job.is_some_and(|(running, ..)| running == ticket))
    }

    /// A job has ended.
    pub(super) fn ended(&mut self, ticket: Ticket, done: Done, now: Instant) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == ticket.peer) else { return };
        let Some((_, job, at)) = peer.job.take_if(|(running, ..)| *running == ticket) else { return };
        peer.heard |= done == Done::Delivered;
        match (done, job) {
            (Done::Delivered, Job::Crashed) => peer.greet = false,
            (Done::Delivered, Job::Changes { upto, .. }) => {
                peer.standing = Standing::In { position: upto };
                peer.failures = 0;
            }
            (Done::Delivered, Job::Resync) => {
                if let Standing::Out { .. } = peer.standing {
                    // From here on it is in the books as the protocol has it; its check brings what is before.
                    peer.standing = Standing::In { position: at };
                    if at < self.sequence {
                        self.wake.get_or_insert(now + self.settings.latency);
                    }
                }
            }
            (Done::Failed, _) => peer.out_of_sync(now),
            (Done::Lost, _) => {
                peer.out_of_sync(now);
                peer.standing = Standing::Out { again: now };
            }
        }
    }

    /// Whether the list has no clone with this address.
    pub(super) fn is_unknown(&self, address: Ipv4Addr) -> bool {
        self.peers.iter().all(|peer| peer.server.address != address)
    }

    /// A READALL from `address` comes in; `whole` unless the caller's checksum is current.
    ///
    /// # Errors
    /// [`Busy`] while changes are on their way to other clones: the caller is to come back later. A clone that keeps
    /// coming back is served after [`BUSY_PATIENCE`], or steady writes would keep it away for ever.
    pub(super) fn begin_copy(
        &mut self,
        address: Option<Ipv4Addr>,
        whole: bool,
        now: Instant,
    ) -> Result<Reading, Busy> {
        let mut at_address = self.peers.iter().filter(|peer| Some(peer.server.address) == address);
        let who = at_address.next().filter(|_| at_address.next().is_none()).map(|peer| peer.id);
        let waits = |peer: &Peer| peer.heard && peer.lag(self.sequence) > 0;
        let busy = self.peers.iter().any(|peer| Some(peer.id) != who && waits(peer));
        let peer = self.peers.iter_mut().find(|peer| Some(peer.id) == who);
        if whole && busy {
            let refused = peer.map(|peer| *peer.refused.get_or_insert(now));
            if refused.is_none_or(|since| now < since + BUSY_PATIENCE) {
                return Err(Busy);
            }
        }
        if let Some(peer) = self.peers.iter_mut().find(|peer| whole && Some(peer.id) == who) {
            // What is under way to it is of no consequence any more, and stops.
            (peer.copies, peer.job) = (peer.copies + 1, None);
        }
        Ok(Reading { peer: who, whole })
    }

    /// A READALL was answered completely, from a snapshot whose last change is `snapshot`; or it was not.
    pub(super) fn end_copy(&mut self, copy: Reading, snapshot: Option<u64>, now: Instant) {
        let Some(peer) = self.peers.iter_mut().find(|peer| Some(peer.id) == copy.peer) else { return };
        if copy.whole {
            peer.copies -= 1;
        } else if matches!(peer.standing, Standing::In { .. }) {
            // Equal checksums are no proof that it has what is still to be pushed to it.
            return;
        }
        let Some(position) = snapshot else { return peer.out_of_sync(now) };
        (peer.standing, peer.failures, peer.refused) = (Standing::In { position }, 0, None);
        peer.heard = true;
        if copy.whole {
            peer.greet = false;
            peer.hold = Some(now + self.settings.latency);
        }
        if position < self.sequence {
            self.wake.get_or_insert(now + self.settings.latency);
        }
    }

    /// Number of clones in the list; `None` before there was one.
    pub(super) fn known(&self) -> Option<usize> {
        self.started.then_some(self.peers.len())
    }

    /// Jobs under way.
    pub(super) fn running(&self) -> usize {
        self.peers.iter().filter(|peer| peer.job.is_some()).count()
    }

    /// Changes that not all clones in sync have.
    pub(super) fn pending(&self) -> u64 {
        self.peers.iter().map(|peer| peer.lag(self.sequence)).max().unwrap_or(0)
    }

    /// When the last resync was.
    pub(super) fn resynced(&self) -> Instant {
        self.resynced
    }
}

impl Peer {
    fn new(id: u64, server: Server, position: u64) -> Self {
        Self {
            id,
            server,
            standing: Standing::In { position },
            job: None,
            turn: 0,
            greet: false,
            resync: Some(position),
            failures: 0,
            heard: false,
            copies: 0,
            hold: None,
            refused: None,
        }
    }

    /// Changes on their way to it.
    fn lag(&self, sequence: u64) -> u64 {
        match self.standing {
            Standing::In { position } => sequence.saturating_sub(position),
            Standing::Out { .. } => 0,
        }
    }

    /// What it is to be told now.
    fn next(&self, due: u64, sequence: u64, now: Instant) -> Option<Job> {
        if self.job.is_some() || self.copies > 0 {
            return None;
        }
        match self.standing {
            _ if self.greet => Some(Job::Crashed),
            Standing::Out { again } => (self.resync.is_some() || again <= now).then_some(Job::Resync),
            Standing::In { .. } if self.hold.is_some_and(|at| at > now) => None,
            Standing::In { position } => match self.resync {
                Some(behind) if position >= behind => Some(Job::Resync),
                Some(_) => Some(Job::Changes { after: position, upto: sequence }),
                None => (position < due).then_some(Job::Changes { after: position, upto: sequence }),
            },
        }
    }

    fn begin(&mut self, job: Job, number: u64, sequence: u64) -> Start {
        let ticket = Ticket { peer: self.id, job: number };
        self.job = Some((ticket, job, sequence));
        self.turn = number;
        if job == Job::Resync {
            self.resync = None;
        }
        if let Job::Changes { .. } = job {
            self.hold = None;
        }
        Start { ticket, server: self.server.clone(), job }
    }

    fn out_of_sync(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        (self.greet, self.resync, self.hold) = (false, None, None);
        self.standing = Standing::Out { again: now + pause(REMIND_FIRST, REMIND_MAX, self.failures) };
    }
}

//! The driver of one stream connection, TCP or UNIX: bytes in, records to the front-ends, replies out in order.
//!
//! Reads are answered on the spot. Changes go to the writer and the connection takes further changes meanwhile, so that
//! pipelined ones share a commit; anything else waits until they are answered. An idle connection holds no buffers.
//!
//! What a connection holds (a record that is not complete, replies nobody reads) is reported to its [`Place`], and what
//! it wants changed takes permits of all connections together, so that many peers cannot take more than a few.
//! Whatever a connection waits for except the writer, it may be told to go meanwhile.
//!
//! [`replies`] sends.

mod replies;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netinfo_directory::{Credentials, Outcome};
use netinfo_wire::netinfo::Procedure;
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::{Call, CallError, parse_call};
use tokio::sync::oneshot;
use tokio::time::timeout;
use zeroize::Zeroize;

use crate::connections::{Place, Reason};
use crate::frontend::netinfo::{self, encode_outcome};
use crate::frontend::{self, Clock, Context, Kind, OwnedCredentials, Proposal, Step, now};
use crate::limits::{HELD_FREELY, LARGE_CALL, LINGER, PIPELINED_CHANGES, READ_BUFFER, TURN};
use crate::node::Running;
use crate::permits::{Permit, Permits};
use crate::replica;
use crate::served::{Counted, Served};
use crate::socket::Socket;
use crate::throttle::Throttle;

thread_local! {
    /// Where a worker reads into; what is not used at once is copied.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// Lines about peers that misbehave.
static MISBEHAVIOUR: Throttle = Throttle::new();
/// Lines about passwords that do not match.
static FAILED_LOGINS: Throttle = Throttle::new();

/// Why a connection ends.
enum End {
    Closed,
    Failed(io::Error),
    Evicted(Reason),
    /// The daemon stops.
    Stopping,
    /// A record too long, or a stalled peer.
    Refused(&'static str),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A change on its way.
struct Pending {
    xid: u32,
    procedure: Procedure,
    served: Arc<Served>,
    start: Instant,
    result: oneshot::Receiver<netinfo_directory::Result<Vec<Outcome>>>,
    _permit: Permit,
}

/// One connection.
pub(crate) struct Connection {
    node: Arc<Running>,
    socket: Socket,
    place: Place,
    context: Context,
    decoder: Decoder,
    /// Bytes read and not yet looked at.
    backlog: Vec<u8>,
    out: Vec<u8>,
    /// Bytes kept for the pages of a reply that are still to come.
    kept: usize,
    pending: VecDeque<Pending>,
    /// For changes.
    permits: Permits,
    counted: Option<Counted>,
    /// When data came last.
    active: Instant,
}

impl Connection {
    pub(crate) fn new(node: Arc<Running>, socket: Socket, place: Place, context: Context) -> Self {
        let decoder = Decoder::new(context.port.record_size(&node.limits));
        let (backlog, out, pending) = (Vec::new(), Vec::new(), VecDeque::new());
        let (permits, counted, active) = (Permits::default(), None, Instant::now());
        Self {
            node,
            socket,
            place,
            context,
            decoder,
            backlog,
            out,
            kept: 0,
            pending,
            permits,
            counted,
            active,
        }
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(mut self) {
        self.recount();
        let end = self.serve().await;
        self.node.uploads.abandon(self.context.connection);
        self.conclude(&end);
        if matches!(end, End::Stopping) && self.active.elapsed() < LINGER {
            self.linger().await;
        }
    }

    fn conclude(&self, end: &End) {
        let peer = self.context.caller.peer;
        match end {
            End::Closed | End::Stopping => tracing::debug!(?peer, "connection closed"),
            End::Failed(error) => tracing::debug!(?peer, %error, "connection lost"),
            End::Evicted(reason) => {
                if let Some(counted) = &self.counted {
                    counted.evicted();
                }
                match reason {
                    Reason::TooMany => tracing::debug!(?peer, "connection closed: too many are open"),
                    Reason::Memory => {
                        MISBEHAVIOUR.line(|more| {
                            tracing::info!(?peer, more, "connection closed: it holds too much memory");
                        });
                    }
                }
            }
            End::Refused(why) => {
                MISBEHAVIOUR.line(|more| tracing::info!(?peer, more, "connection closed: {why}"));
            }
        }
    }

    async fn serve(&mut self) -> End {
        loop {
            match self.turn().await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// One round: take what is there, answer it, send the answers.
    async fn turn(&mut self) -> Result<(), End> {
        let begin = Instant::now();
        let step = if self.backlog.is_empty() {
            self.wait_for_data().await?;
            self.read_and_process()?
        } else {
            self.wait_for_permits().await?;
            let backlog = std::mem::take(&mut self.backlog);
            self.process(&backlog)?
        };
        self.settle().await;
        if let Some(step) = step {
            // Rare and large: an idle connection should not carry its state.
            Box::pin(self.perform(step)).await?;
        }
        self.flush().await?;
        // A peer that always has something to say must not keep the others waiting.
        if begin.elapsed() > TURN {
            tokio::task::yield_now().await;
        } else {
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    async fn wait_for_data(&mut self) -> Result<(), End> {
        if self.out.capacity() > HELD_FREELY {
            self.out = Vec::new();
        }
        let idle = self.decoder.is_idle();
        if idle {
            // Gives back what a long record took.
            self.decoder = Decoder::new(self.context.port.record_size(&self.node.limits));
        }
        self.place.hold(self.held());
        // In the middle of a record the peer may not stall; between records it may rest.
        let patience = if idle { self.node.limits.idle } else { Some(self.node.limits.stall) };
        let wait = async {
            tokio::select! {
                biased;
                end = self.told_to_go() => Err(end),
                () = self.node.stopped() => Err(End::Stopping),
                ready = self.socket.readable() => ready.map_err(End::from),
            }
        };
        match patience {
            Some(limit) => timeout(limit, wait).await.unwrap_or(Err(End::Refused("no data in time"))),
            None => wait.await,
        }
    }

    /// Returns once this connection has to go, or the domain it is for is no longer served.
    async fn told_to_go(&self) -> End {
        let gone = async {
            match &self.counted {
                Some(counted) => counted.until_gone().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            reason = self.place.entry().evicted() => End::Evicted(reason),
            () = gone => End::Closed,
        }
    }

    /// Bytes this connection holds.
    fn held(&self) -> usize {
        self.out.capacity() + self.backlog.capacity() + 2 * self.decoder.buffered() + self.kept
    }

    fn read_and_process(&mut self) -> Result<Option<Step>, End> {
        SCRATCH.with_borrow_mut(|scratch| match self.socket.try_read(scratch) {
            Ok(0) => Err(End::Closed),
            Ok(n) => {
                self.place.touch();
                self.active = Instant::now();
                let step = self.process(&scratch[..n]);
                if self.context.port.brings_passwords() {
                    scratch[..n].zeroize();
                }
                step
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Handles the records in `input` until one needs more than an answer on the spot; the rest is kept.
    fn process(&mut self, input: &[u8]) -> Result<Option<Step>, End> {
        self.context.clock = Clock::default();
        let (mut rest, mut unseen) = (input, input.len());
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(0));
        let result = loop {
            if rest.len() <= unseen && decoder.is_idle() {
                unseen = rest.len() - self.look_ahead(rest);
            }
            let (taken, message) = match decoder.next(rest) {
                Ok(next) => next,
                Err(error) => {
                    let peer = self.context.caller.peer;
                    MISBEHAVIOUR.line(|more| tracing::info!(?peer, more, %error, "bad record"));
                    break Err(End::Refused("bad record"));
                }
            };
            rest = &rest[taken..];
            let Some(message) = message else { break Ok(None) };
            let call = parse_call(message);
            let kind = frontend::kind(&call);
            if !self.admits(kind, message.len()) || self.context.clock.spent > TURN {
                record::put_fragment_header(&mut self.backlog, message.len() as u32, true);
                self.backlog.extend_from_slice(message);
                break Ok(None);
            }
            let step = match message.len() > LARGE_CALL {
                // To decode it may take a while, during which another thread does this worker's work.
                true => tokio::task::block_in_place(|| self.handle(&call)),
                false => self.handle(&call),
            };
            match step {
                Step::Done => {}
                Step::Propose(proposal) if kind == Kind::OpenChange => {
                    self.submit(*proposal, Credentials::None)
                }
                step => break Ok(Some(step)),
            }
        };
        if let Some(selected) = &mut self.context.selected {
            selected.forget_view();
        }
        self.decoder = decoder;
        self.backlog.extend_from_slice(rest);
        result
    }

    /// Has what the calls in front will ask for fetched; gives the length of what has been looked at.
    fn look_ahead(&mut self, input: &[u8]) -> usize {
        self.context.selected.as_mut().map_or(0, |selected| netinfo::look_ahead(selected, input))
    }

    /// Whether a call may be taken now. A change gets its permits here, or they are noted as wanted.
    fn admits(&mut self, kind: Kind, len: usize) -> bool {
        if self.out.len() > self.node.limits.queued_replies || self.pending.len() >= PIPELINED_CHANGES {
            return false;
        }
        if kind != Kind::OpenChange && !self.pending.is_empty() {
            return false;
        }
        if kind == Kind::Other {
            return true;
        }
        self.permits.admit(&self.node.change_permits, len)
    }

    /// Waits until the change at the front of the backlog may be taken.
    async fn wait_for_permits(&mut self) -> Result<(), End> {
        let Some(permit) = self.permits.wanted(&self.node.change_permits) else { return Ok(()) };
        self.place.hold(self.held());
        let permit = tokio::select! {
            permit = permit => permit,
            end = self.told_to_go() => return Err(end),
        };
        self.permits.put(permit.ok());
        Ok(())
    }

    /// Lets the front-ends answer one message into the output.
    fn handle(&mut self, call: &Result<Call<'_>, CallError>) -> Step {
        let mark = record::begin(&mut self.out);
        let body = self.out.len();
        let step = frontend::handle(&self.node, &mut self.context, call, &mut self.out);
        if !matches!(step, Step::Propose(_)) {
            drop(self.permits.take());
        }
        if matches!(step, Step::Done) && self.out.len() > body {
            record::end(&mut self.out, mark);
        } else {
            self.out.truncate(mark);
        }
        self.recount();
        step
    }

    /// Keeps the figures of the domain this connection is for.
    fn recount(&mut self) {
        let domain = self.context.domain();
        let same = match (&self.counted, domain) {
            (Some(counted), Some(served)) => counted.is_of(served),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.counted = domain.cloned().map(Counted::new);
        }
    }

    /// Authenticates without a password and hands the change to the writer.
    fn submit(&mut self, proposal: Proposal, credentials: Credentials<'_>) {
        let Proposal { xid, procedure, served, change, target, .. } = proposal;
        let (tx, result) = oneshot::channel();
        let start = Instant::now();
        match served.domain.authenticate(credentials, self.context.caller.origin) {
            Ok(session) => {
                let done = Box::new(move |outcome| drop(tx.send(outcome)));
                let done = replica::observe(&served, &session, target, done);
                served.domain.write(&session, vec![change], now(), done);
            }
            Err(error) => drop(tx.send(Err(error))),
        }
        let _permit = self.permits.take();
        self.pending.push_back(Pending { xid, procedure, served, start, result, _permit });
    }

    /// Waits for the changes under way and writes their replies.
    async fn settle(&mut self) {
        while let Some(pending) = self.pending.pop_front() {
            let result = pending.result.await.unwrap_or(Err(netinfo_directory::Error::Busy));
            self.reply(|out| encode_outcome(pending.xid, pending.procedure, &result, out));
            pending.served.tally.count(pending.procedure, pending.start.elapsed());
        }
    }

    fn reply(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mark = record::begin(&mut self.out);
        write(&mut self.out);
        record::end(&mut self.out, mark);
    }

    /// What could not be answered on the spot.
    async fn perform(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::Done => {}
            Step::Propose(proposal) => {
                self.propose(*proposal).await;
                self.settle().await;
            }
            Step::Later(future) => {
                let message = future.await;
                if !message.is_empty() {
                    self.reply(|out| out.extend_from_slice(&message));
                }
            }
            Step::Pages(pages) => {
                self.flush().await?;
                self.pages(pages).await?;
            }
            Step::Stream(stream) => {
                self.flush().await?;
                self.stream(stream).await?;
            }
        }
        Ok(())
    }

    /// A change whose credentials may cost processor time to verify.
    async fn propose(&mut self, mut proposal: Proposal) {
        let credentials = std::mem::replace(&mut proposal.credentials, OwnedCredentials::None);
        if matches!(credentials, OwnedCredentials::None) {
            return self.submit(proposal, Credentials::None);
        }
        let uid = match &credentials {
            OwnedCredentials::UidPassword { uid, .. } => Some(*uid),
            OwnedCredentials::None => None,
        };
        let (served, caller) = (proposal.served.clone(), self.context.caller);
        let session = self.node.passwords.check(served, credentials, caller.origin).await;
        if let (Err(error), Some(uid)) = (&session, uid) {
            let address = caller.peer.map_or_else(|| "local socket".into(), |p| p.to_string());
            let tag = proposal.served.domain.tag();
            FAILED_LOGINS
                .line(|more| tracing::warn!(uid, address, tag, more, "authentication failed: {error}"));
        }
        let Proposal { xid, procedure, served, change, .. } = proposal;
        let (tx, result) = oneshot::channel();
        let start = Instant::now();
        match session {
            Ok(session) => {
                let done = Box::new(move |outcome| drop(tx.send(outcome)));
                served.domain.write(&session, vec![change], now(), done);
            }
            Err(error) => drop(tx.send(Err(error))),
        }
        let _permit = self.permits.take();
        self.pending.push_back(Pending { xid, procedure, served, start, result, _permit });
    }
}

/// How long a draining daemon waits for connections to finish what they are doing.
pub(crate) const DRAIN: Duration = crate::limits::DRAIN_TIMEOUT;

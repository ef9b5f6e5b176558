//! The driver of one stream connection, TCP or UNIX: bytes in, records to the front-ends, replies out in order.
//!
//! Reads are answered on the spot. Changes go to the writer and the connection takes further changes meanwhile, so that
//! pipelined ones share a commit; anything else waits until they are answered. An idle connection holds no buffers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netinfo_directory::{Credentials, Outcome};
use netinfo_wire::netinfo::Procedure;
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::parse_call;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::connections::Place;
use crate::frontend::netinfo::encode_outcome;
use crate::frontend::{self, Context, OwnedCredentials, Proposal, Step, may_overlap, now};
use crate::limits::{PIPELINED_CHANGES, READ_BUFFER};
use crate::node::Running;
use crate::served::{Counted, Served};
use crate::stream::{self, Piece};

thread_local! {
    /// Where a worker reads into; what is not used at once is copied.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// A connected socket.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.readable().await,
            Self::Unix(s) => s.readable().await,
        }
    }

    async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.writable().await,
            Self::Unix(s) => s.writable().await,
        }
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.try_read(buffer),
            Self::Unix(s) => s.try_read(buffer),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(s) => s.try_write(bytes),
            Self::Unix(s) => s.try_write(bytes),
        }
    }
}

/// Why a connection ends.
enum End {
    Closed,
    Failed(io::Error),
    Evicted,
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
    pending: VecDeque<Pending>,
    counted: Option<Counted>,
}

impl Connection {
    pub(crate) fn new(node: Arc<Running>, socket: Socket, place: Place, context: Context) -> Self {
        let decoder = Decoder::new(node.limits.record_size);
        let (backlog, out, pending) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { node, socket, place, context, decoder, backlog, out, pending, counted: None }
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(mut self) {
        self.recount();
        let peer = self.context.caller.peer;
        match self.serve().await {
            End::Closed => tracing::debug!(?peer, "connection closed"),
            End::Failed(error) => tracing::debug!(?peer, %error, "connection lost"),
            End::Evicted => {
                if let Some(counted) = &self.counted {
                    counted.evicted();
                }
                tracing::debug!(?peer, "connection closed: too many are open");
            }
            End::Refused(why) => tracing::info!(?peer, "connection closed: {why}"),
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
        let step = if self.backlog.is_empty() {
            self.wait_for_data().await?;
            self.read_and_process()?
        } else {
            let backlog = std::mem::take(&mut self.backlog);
            self.process(&backlog)?
        };
        self.settle().await;
        if let Some(step) = step {
            self.perform(step).await?;
        }
        self.flush().await
    }

    async fn wait_for_data(&self) -> Result<(), End> {
        // In the middle of a record the peer may not stall; between records it may rest.
        let patience =
            if self.decoder.is_idle() { self.node.limits.idle } else { Some(self.node.limits.stall) };
        let entry = self.place.entry().clone();
        let wait = async {
            tokio::select! {
                ready = self.socket.readable() => ready.map_err(End::from),
                () = entry.evict.notified() => Err(End::Evicted),
                () = self.node.stopped() => Err(End::Closed),
                () = self.domain_gone() => Err(End::Closed),
            }
        };
        match patience {
            Some(limit) => timeout(limit, wait).await.unwrap_or(Err(End::Refused("no data in time"))),
            None => wait.await,
        }
    }

    /// Returns once the domain this connection is for is no longer served; never, if it is for none.
    async fn domain_gone(&self) {
        match &self.counted {
            Some(counted) => counted.until_gone().await,
            None => std::future::pending().await,
        }
    }

    fn read_and_process(&mut self) -> Result<Option<Step>, End> {
        SCRATCH.with_borrow_mut(|scratch| match self.socket.try_read(scratch) {
            Ok(0) => Err(End::Closed),
            Ok(n) => {
                self.place.touch();
                self.process(&scratch[..n])
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Handles the records in `input` until one needs more than an answer on the spot; the rest is kept.
    fn process(&mut self, input: &[u8]) -> Result<Option<Step>, End> {
        let mut rest = input;
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(0));
        let result = loop {
            let (taken, message) = match decoder.next(rest) {
                Ok(next) => next,
                Err(error) => {
                    tracing::info!(peer = ?self.context.caller.peer, %error, "bad record");
                    break Err(End::Refused("bad record"));
                }
            };
            rest = &rest[taken..];
            let Some(message) = message else { break Ok(None) };
            let overlaps = parse_call(message).is_ok_and(|call| may_overlap(&call));
            let full =
                self.out.len() > self.node.limits.queued_replies || self.pending.len() >= PIPELINED_CHANGES;
            if full || (!self.pending.is_empty() && !overlaps) {
                record::put_fragment_header(&mut self.backlog, message.len() as u32, true);
                self.backlog.extend_from_slice(message);
                break Ok(None);
            }
            match self.handle(message) {
                Step::Done => {}
                Step::Propose(proposal) if overlaps => self.submit(*proposal, Credentials::None),
                step => break Ok(Some(step)),
            }
        };
        self.decoder = decoder;
        self.backlog.extend_from_slice(rest);
        result
    }

    /// Lets the front-ends answer one message into the output.
    fn handle(&mut self, message: &[u8]) -> Step {
        let mark = record::begin(&mut self.out);
        let body = self.out.len();
        let step = frontend::handle(&self.node, &mut self.context, message, &mut self.out);
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
        let Proposal { xid, procedure, served, change, .. } = proposal;
        let (tx, result) = oneshot::channel();
        let start = Instant::now();
        match served.domain.authenticate(credentials, self.context.caller.origin) {
            Ok(session) => {
                let done = Box::new(move |outcome| drop(tx.send(outcome)));
                served.domain.write(&session, vec![change], now(), done);
            }
            Err(error) => drop(tx.send(Err(error))),
        }
        self.pending.push_back(Pending { xid, procedure, served, start, result });
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
            Step::Stream(make) => {
                self.flush().await?;
                self.stream(make).await?;
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
        let (served, origin, peer) =
            (proposal.served.clone(), self.context.caller.origin, self.context.caller.peer);
        let permit = self.node.password_permits.clone().acquire_owned().await;
        let checked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let result = served.domain.authenticate(credentials.borrow(), origin);
            if let (Err(error), OwnedCredentials::UidPassword { uid, .. }) = (&result, &credentials) {
                let address = peer.map_or_else(|| "local socket".into(), |p| p.to_string());
                tracing::warn!(uid, address, tag = served.domain.tag(), "authentication failed: {error}");
            }
            result
        });
        let session = checked.await.unwrap_or(Err(netinfo_directory::Error::Busy));
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
        self.pending.push_back(Pending { xid, procedure, served, start, result });
    }

    /// Sends a reply made piece by piece as one record of several fragments.
    async fn stream(&mut self, make: Box<dyn FnOnce(&mut stream::Sink) + Send>) -> Result<(), End> {
        let (mut sink, mut pieces) = stream::channel();
        tokio::task::spawn_blocking(move || make(&mut sink));
        loop {
            let (piece, last) = match pieces.recv().await {
                Some(Piece::More(piece)) => (piece, false),
                Some(Piece::Last(piece)) => (piece, true),
                None => return Err(End::Refused("a reply could not be finished")),
            };
            record::put_fragment_header(&mut self.out, piece.len() as u32, last);
            self.out.extend_from_slice(&piece);
            self.flush().await?;
            self.place.touch();
            if last {
                return Ok(());
            }
        }
    }

    /// Sends all output. A peer that takes nothing for too long loses the connection.
    async fn flush(&mut self) -> Result<(), End> {
        let mut sent = 0;
        while sent < self.out.len() {
            match self.socket.try_write(&self.out[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let stall = self.node.limits.stall;
                    let ready = timeout(stall, self.socket.writable()).await;
                    ready.unwrap_or_else(|_| {
                        Err(io::Error::new(io::ErrorKind::TimedOut, "replies are not read"))
                    })?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.out.clear();
        if self.out.capacity() > READ_BUFFER {
            self.out = Vec::new();
        }
        Ok(())
    }
}

/// How long a draining daemon waits for connections to finish what they are doing.
pub(crate) const DRAIN: Duration = crate::limits::DRAIN_TIMEOUT;

//! The driver of one LDAP connection: bytes in, messages to the protocol, responses out in order.
//!
//! All messages that came together are handled before anything is sent. Most are answered on the spot; writes go to the
//! writer together, so that pipelined ones share a commit; passwords are hashed on threads of their own; long results
//! are sent page by page ([`super::sending`]). While the connection waits for one of these it looks at what the client
//! says meanwhile, so that an operation can be abandoned.
//!
//! As for other connections, what it holds is reported to its [`Place`], and whatever it waits for except the writer, it
//! may be told to go meanwhile. An idle connection holds no buffers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use netinfo_directory::{Error, Outcome};
use netinfo_ldap::limits::GLANCED_MESSAGES;
use netinfo_ldap::{Connection, Step, Ticket, Work, Write};
use netinfo_wire::ber::{Frame, Reader, Tag};
use netinfo_wire::ldap::frame;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::channel::{Backlog, Channel, Got, Scratch};
use crate::connections::{Place, Reason};
use crate::frontend::now;
use crate::limits::{HANDSHAKE_TIMEOUT, HELD_FREELY, READ_BUFFER, TURN};
use crate::node::Running;
use crate::permits::{Permit, Permits};
use crate::throttle::Throttle;

thread_local! {
    /// Where a worker reads into; what is not used at once is copied.
    pub(super) static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Lines about peers that misbehave.
static MISBEHAVIOUR: Throttle = Throttle::new();

/// Why a connection ends.
pub(super) enum End {
    /// By the client, or after the last response.
    Closed,
    Failed(io::Error),
    Evicted(Reason),
    /// The daemon stops.
    Stopping,
    /// A stalled or misbehaving peer.
    Refused(&'static str),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A write on its way.
struct Pending {
    ticket: Ticket,
    result: oneshot::Receiver<netinfo_directory::Result<Vec<Outcome>>>,
    _permit: Permit,
}

/// One connection.
pub(super) struct Driver {
    pub(super) node: Arc<Running>,
    pub(super) channel: Channel,
    pub(super) place: Place,
    pub(super) client: Connection,
    /// Bytes read and not yet handled.
    backlog: Backlog,
    /// Bytes of the backlog that were looked at while an operation was under way, and messages among them.
    glanced: (usize, usize),
    pub(super) out: Vec<u8>,
    /// Bytes kept for the pages of a result that are still to come.
    pub(super) kept: usize,
    /// The client has said all it has to say.
    ended: bool,
    writes: VecDeque<Pending>,
    /// For changes.
    permits: Permits,
    since: Instant,
}

/// What handling messages has come to.
enum Next {
    /// All that is whole has been handled.
    Done,
    /// Something has to be waited for; what follows is in the backlog.
    Step(Step),
    /// As [`Next::Done`], but others come first.
    Later,
}

impl Driver {
    pub(super) fn new(node: Arc<Running>, channel: Channel, place: Place, client: Connection) -> Self {
        Self {
            node,
            channel,
            place,
            client,
            backlog: Backlog::default(),
            glanced: (0, 0),
            out: Vec::new(),
            kept: 0,
            ended: false,
            writes: VecDeque::new(),
            permits: Permits::default(),
            since: Instant::now(),
        }
    }

    /// Serves the connection until it ends.
    // By reference: the state of a method that takes `self` would have room for two of them.
    pub(super) async fn run(&mut self) {
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        self.conclude(&end);
        self.farewell(&end).await;
    }

    /// Tells the client why the connection ends, as far as it still listens.
    async fn farewell(&mut self, end: &End) {
        match end {
            End::Failed(error) if error.kind() != io::ErrorKind::InvalidData => return,
            End::Failed(_) => self.out.clear(),
            End::Closed => {}
            End::Stopping => self.client.shut_down("the server stops", &mut self.out),
            End::Evicted(_) => self.client.shut_down("too many connections", &mut self.out),
            End::Refused(why) => self.client.shut_down(why, &mut self.out),
        }
        // There may be no room for it, and then it is not said.
        let out = std::mem::take(&mut self.out);
        if !self.channel.is_handshaking() && self.channel.write(&out).is_err() {
            return;
        }
        self.channel.say_goodbye();
        self.linger().await;
    }

    fn conclude(&self, end: &End) {
        let peer = self.client.peer();
        match end {
            End::Closed | End::Stopping => tracing::debug!(%peer, "LDAP connection closed"),
            End::Failed(error) if error.kind() == io::ErrorKind::InvalidData => {
                MISBEHAVIOUR.line(|more| tracing::info!(%peer, more, "LDAP connection closed: TLS: {error}"));
            }
            End::Failed(error) => tracing::debug!(%peer, %error, "LDAP connection lost"),
            End::Evicted(Reason::TooMany) => {
                tracing::debug!(%peer, "LDAP connection closed: too many are open");
            }
            End::Evicted(Reason::Memory) => {
                MISBEHAVIOUR.line(|more| {
                    tracing::info!(%peer, more, "LDAP connection closed: it holds too much memory");
                });
            }
            End::Refused(why) => {
                MISBEHAVIOUR.line(|more| tracing::info!(%peer, more, "LDAP connection closed: {why}"));
            }
        }
    }

    /// One round: take what is there, answer it, send the answers.
    async fn turn(&mut self) -> Result<(), End> {
        let begin = Instant::now();
        let next = if self.ended && !self.has_message() {
            return Err(End::Closed);
        } else if self.has_message() {
            self.wait_for_permits().await?;
            self.process_backlog()?
        } else {
            self.wait_for_data().await?;
            self.receive()?
        };
        let later = matches!(next, Next::Later);
        if let Next::Step(step) = next {
            // Rare and large: an idle connection should not carry its state.
            Box::pin(self.perform(step)).await?;
        }
        self.settle().await?;
        self.flush().await?;
        // A peer that always has something to say must not keep the others waiting.
        if later || begin.elapsed() > TURN {
            tokio::task::yield_now().await;
        } else {
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    /// Whether a whole message waits, or what cannot become one.
    fn has_message(&self) -> bool {
        let waiting = self.backlog.bytes();
        let limit = self.client.message_limit();
        !waiting.is_empty() && !matches!(frame(waiting, limit), Ok(Frame::Need(_)))
    }

    async fn wait_for_data(&mut self) -> Result<(), End> {
        if self.out.capacity() > HELD_FREELY {
            self.out = Vec::new();
        }
        self.place.hold(self.held());
        // In the middle of a message the peer may not stall; between messages it may rest.
        let patience = match (self.channel.is_handshaking(), self.backlog.is_empty()) {
            (true, _) => Some(HANDSHAKE_TIMEOUT.saturating_sub(self.since.elapsed())),
            (false, true) => self.node.limits.idle,
            (false, false) => Some(self.node.limits.stall),
        };
        let wait = async {
            tokio::select! {
                biased;
                end = self.told_to_go() => Err(end),
                () = self.node.stopped() => Err(End::Stopping),
                ready = self.channel.socket().readable() => ready.map_err(End::from),
            }
        };
        match patience {
            Some(limit) => timeout(limit, wait).await.unwrap_or(Err(End::Refused("no data in time"))),
            None => wait.await,
        }
    }

    /// Returns once this connection has to go.
    pub(super) async fn told_to_go(&self) -> End {
        End::Evicted(self.place.entry().evicted().await)
    }

    /// Bytes this connection holds.
    pub(super) fn held(&self) -> usize {
        self.out.capacity() + self.backlog.capacity() + self.kept
    }

    /// Reads what there is and handles it.
    fn receive(&mut self) -> Result<Next, End> {
        let mut scratch = SCRATCH.take();
        let result = self.read(&mut scratch).and_then(|got| match got {
            Got::Nothing => Ok(Next::Done),
            Got::End => Err(End::Closed),
            Got::Bytes if self.backlog.is_empty() => {
                let (next, taken, secret) = self.process(scratch.bytes());
                self.backlog.push(&scratch.bytes()[taken..]);
                if secret {
                    scratch.wipe();
                }
                next
            }
            Got::Bytes => {
                self.backlog.push(scratch.bytes());
                scratch.wipe();
                self.process_backlog()
            }
        });
        SCRATCH.set(scratch);
        result
    }

    /// Reads what there is; goes on with TLS if that is all.
    fn read(&mut self, scratch: &mut Scratch) -> Result<Got, End> {
        let handshaking = self.channel.is_handshaking();
        match self.channel.read(scratch) {
            Ok(got) => {
                self.place.touch();
                if handshaking && !self.channel.is_handshaking() {
                    self.client.secured(self.channel.certificate());
                }
                Ok(got)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Got::Nothing),
            Err(error) => {
                // The alert that says why.
                self.channel.say_goodbye();
                Err(error.into())
            }
        }
    }

    fn process_backlog(&mut self) -> Result<Next, End> {
        let backlog = std::mem::take(&mut self.backlog);
        let (next, taken, _) = self.process(backlog.bytes());
        self.backlog = backlog;
        self.backlog.consume(taken);
        self.glanced = (0, 0);
        next
    }

    /// Handles the messages in `input` until one needs more than an answer on the spot. Returns also how many bytes
    /// were handled, and whether there may have been passwords among them.
    fn process(&mut self, input: &[u8]) -> (Result<Next, End>, usize, bool) {
        let (begin, now) = (Instant::now(), now());
        let (mut taken, mut secret) = (0, false);
        let next = loop {
            let rest = &input[taken..];
            if rest.is_empty() {
                break Ok(Next::Done);
            }
            let len = match frame(rest, self.client.message_limit()) {
                Ok(Frame::Complete(len)) => len,
                Ok(Frame::Need(_)) => break Ok(Next::Done),
                Err(error) => {
                    self.client.refuse(&error, &mut self.out);
                    break Ok(Next::Step(Step::Close));
                }
            };
            let kind = Kind::of(&rest[..len]);
            if !self.admits(kind, len) || begin.elapsed() > TURN {
                break Ok(Next::Later);
            }
            let step = self.client.handle(&rest[..len], now, &mut self.out);
            secret |= kind != Kind::Other;
            match step {
                Step::Done => {
                    taken += len;
                    drop(self.permits.take());
                }
                Step::Write(write) => {
                    taken += len;
                    self.submit(write, false);
                }
                Step::Wait if self.writes.is_empty() => {
                    break Err(End::Refused("an operation waits for nothing"));
                }
                Step::Wait => break Ok(Next::Later),
                Step::StartTls => {
                    taken += len;
                    // Whatever came behind the request was not protected, and may be somebody else's.
                    break match taken == input.len() {
                        true => Ok(Next::Step(Step::StartTls)),
                        false => Err(End::Refused("bytes after StartTLS")),
                    };
                }
                step => {
                    taken += len;
                    break Ok(Next::Step(step));
                }
            }
        };
        self.client.release();
        (next, taken, secret)
    }

    /// Whether a message may be taken now. A write gets its permits here, or they are noted as wanted.
    fn admits(&mut self, kind: Kind, len: usize) -> bool {
        if self.out.len() > self.node.limits.queued_replies {
            return false;
        }
        if kind != Kind::Change {
            return true;
        }
        self.permits.admit(&self.node.change_permits, len)
    }

    /// Waits until the write at the front of the backlog may be taken.
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

    /// Hands a change to the writer. One that is made anew keeps its turn.
    fn submit(&mut self, write: Write, anew: bool) {
        let Write { domain, session, changes, at, ticket } = write;
        let (tx, result) = oneshot::channel();
        domain.write(&session, changes, at, Box::new(move |outcome| drop(tx.send(outcome))));
        let pending = Pending { ticket, result, _permit: self.permits.take() };
        match anew {
            true => self.writes.push_front(pending),
            false => self.writes.push_back(pending),
        }
    }

    /// Waits for the writes under way and writes their responses.
    async fn settle(&mut self) -> Result<(), End> {
        while let Some(Pending { ticket, result, _permit }) = self.writes.pop_front() {
            let result = result.await.unwrap_or(Err(Error::Busy));
            let step = self.client.settle(ticket, result, now(), &mut self.out);
            self.client.release();
            self.permits.put(_permit);
            match step {
                Step::Write(write) => self.submit(write, true),
                Step::Done => {}
                step => Box::pin(self.perform(step)).await?,
            }
            drop(self.permits.take());
        }
        Ok(())
    }

    /// What could not be answered on the spot.
    async fn perform(&mut self, mut step: Step) -> Result<(), End> {
        loop {
            step = match step {
                Step::Done | Step::Wait => return Ok(()),
                Step::Close => {
                    self.flush().await?;
                    return Err(End::Closed);
                }
                Step::StartTls => {
                    self.flush().await?;
                    return self.start_tls();
                }
                Step::Write(write) => {
                    self.submit(write, false);
                    return Ok(());
                }
                Step::Pages(pages) => {
                    self.flush().await?;
                    return self.pages(pages).await;
                }
                Step::Work(work) => {
                    self.flush().await?;
                    self.work(work).await?
                }
            };
        }
    }

    /// Has a password hashed.
    async fn work(&mut self, work: Work) -> Result<Step, End> {
        let mut worked = self.node.passwords.run(move || work.run());
        self.look()?;
        let worked = loop {
            let listens = self.listens();
            tokio::select! {
                biased;
                worked = &mut worked => break worked,
                end = self.told_to_go() => return Err(end),
                ready = self.channel.socket().readable(), if listens => ready?,
            }
            self.glance()?;
        };
        let Ok(worked) = worked else { return Err(End::Refused("the operation was interrupted")) };
        let step = self.client.resume(worked, now(), &mut self.out);
        self.client.release();
        Ok(step)
    }

    fn start_tls(&mut self) -> Result<(), End> {
        let tls = self.node.ldap.tls.as_ref().map(|tls| tls.accept());
        let Some(Ok(tls)) = tls else { return Err(End::Refused("TLS cannot be started")) };
        self.since = Instant::now();
        self.channel.protect(tls);
        Ok(())
    }

    /// Whether to hear what the client says while an operation is under way. A client may say much before it is answered;
    /// what is more than this waits where it is.
    pub(super) fn listens(&self) -> bool {
        !self.ended && self.backlog.bytes().len() < READ_BUFFER && self.glanced.1 < GLANCED_MESSAGES
    }

    /// Takes what the client has said while an operation is under way, and looks whether it abandons that.
    pub(super) fn glance(&mut self) -> Result<(), End> {
        if self.listens() {
            let mut scratch = SCRATCH.take();
            let read = self.read(&mut scratch);
            if let Ok(Got::Bytes) = read {
                self.backlog.push(scratch.bytes());
                scratch.wipe();
            }
            SCRATCH.set(scratch);
            self.ended |= read? == Got::End;
        }
        self.look()
    }

    /// Looks at the messages that wait.
    pub(super) fn look(&mut self) -> Result<(), End> {
        while self.glanced.1 < GLANCED_MESSAGES {
            let rest = &self.backlog.bytes()[self.glanced.0..];
            let Ok(Frame::Complete(len)) = frame(rest, self.client.message_limit()) else { break };
            if self.client.glance(&rest[..len]) {
                return Err(End::Closed);
            }
            self.glanced = (self.glanced.0 + len, self.glanced.1 + 1);
        }
        Ok(())
    }
}

/// How a message has to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A write, which may hold passwords.
    Change,
    /// Anything else that may hold passwords.
    Secret,
    /// Anything else.
    Other,
}

impl Kind {
    const BIND: Tag = Tag::application_constructed(0);
    const MODIFY: Tag = Tag::application_constructed(6);
    const ADD: Tag = Tag::application_constructed(8);
    const DELETE: Tag = Tag::application(10);
    const MODIFY_DN: Tag = Tag::application_constructed(12);
    const COMPARE: Tag = Tag::application_constructed(14);
    const EXTENDED: Tag = Tag::application_constructed(23);

    /// Looks at the tag of the operation in a whole message.
    fn of(message: &[u8]) -> Self {
        let tag = Reader::new(message).nested(Tag::SEQUENCE).and_then(|mut inner| {
            inner.element()?;
            Ok(inner.peek())
        });
        match tag {
            Ok(Some(Self::ADD | Self::MODIFY | Self::DELETE | Self::MODIFY_DN)) => Self::Change,
            Ok(Some(Self::BIND | Self::COMPARE | Self::EXTENDED)) => Self::Secret,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::ldap::request::DeleteRequest;
    use netinfo_wire::ldap::{Message, Request};

    #[test]
    fn kinds_of_messages() {
        let kind = |request: Request<'_>| {
            let mut bytes = Vec::new();
            Message::new(7, request).encode(&mut bytes);
            Kind::of(&bytes)
        };
        assert_eq!(kind(Request::Delete(DeleteRequest { dn: b"cn=x" })), Kind::Change);
        assert_eq!(kind(Request::Unbind), Kind::Other);
        assert_eq!(Kind::of(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"), Kind::Secret);
        assert_eq!(Kind::of(b""), Kind::Other);
    }
}

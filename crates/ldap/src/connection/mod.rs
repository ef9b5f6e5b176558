//! One client: its messages in order, what is under way for it, how it ends.
//!
//! Messages are taken one after the other and answered in that order, except that writes which do not depend on each
//! other are with the writer together: their responses follow in the order of the writes. A request that has to see
//! them waits ([`Step::Wait`]). While a long result is sent or a password is hashed no message is taken, but
//! [`Connection::glance`] looks whether one of those that wait abandons or cancels it.

mod dispatch;
mod outstanding;

use std::sync::Arc;

use netinfo_directory::Outcome as Changed;
use netinfo_wire::ber::FrameError;
use netinfo_wire::ldap::extended::Cancel;
use netinfo_wire::ldap::response::ExtendedResponse;
use netinfo_wire::ldap::{
    Envelope, LdapResult, Message, Payload, Request, Response, ResultCode, message, oid,
};

use crate::engine::Engine;
use crate::failure::Outcome;
use crate::operation::Caller;
use crate::peer::{Certificate, Peer};
use crate::step::{Step, Ticket, Worked};
use crate::update::{self, Update};
use crate::{bind, compare, verify};

pub(crate) use outstanding::Outstanding;

/// What work beside the connections has come to.
pub(crate) enum Suspended {
    /// A bind.
    Bind(Box<bind::Proved>),
    /// A password that was to be verified; whether the client wants to be told what the rules say.
    Verify(Box<bind::Proved>, bool),
    /// The keys of a SASL exchange have been looked at.
    Exchange(Box<bind::Begun>),
    /// A write whose passwords have been hashed, or why they could not be.
    Update(Box<Update>, Outcome<()>),
    /// A comparison with a password.
    Compare(compare::Compared),
}

/// One client.
pub struct Connection {
    caller: Caller,
    outstanding: Outstanding,
    closed: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.caller.peer)
            .field("dn", &self.caller.identity.dn)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// A client that has just connected.
    pub fn new(engine: Arc<Engine>, peer: Peer) -> Self {
        Self { caller: Caller::new(engine, peer), outstanding: Outstanding::default(), closed: false }
    }

    /// The client.
    pub fn peer(&self) -> &Peer {
        &self.caller.peer
    }

    /// DN of who the client is; empty for nobody.
    pub fn dn(&self) -> &str {
        &self.caller.identity.dn
    }

    /// Longest message in bytes that is taken now: the limit for [`netinfo_wire::ldap::frame`].
    pub fn message_limit(&self) -> usize {
        let settings = self.caller.engine.settings();
        let bound = !self.caller.identity.is_anonymous();
        if bound { settings.message_bound } else { settings.message_unbound }
    }

    /// Takes one whole message, as delimited by [`netinfo_wire::ldap::frame`], at `now` (milliseconds since the epoch).
    pub fn handle(&mut self, message: &[u8], now: u64, out: &mut Vec<u8>) -> Step {
        if self.closed {
            return Step::Close;
        }
        self.outstanding.begin();
        self.caller.now = now;
        let envelope = match Envelope::decode(message) {
            Ok(envelope) => envelope,
            Err(error) => return self.disconnect(ResultCode::ProtocolError, &error.to_string(), out),
        };
        let request = match envelope.request() {
            Ok(request) => request,
            Err(error) => return self.malformed(&envelope, error, out),
        };
        if self.outstanding.has(envelope.id) {
            let text = "the message id is that of an operation under way";
            return self.disconnect(ResultCode::ProtocolError, text, out);
        }
        if self.has_to_wait(&request) {
            self.release();
            return Step::Wait;
        }
        let step = self.dispatch(message, &envelope, &request, out);
        match step {
            Step::Done => Step::Done,
            Step::Pages(pages) => self.outstanding.watch(envelope.id, envelope.tag, pages),
            step => {
                if let Step::Work(_) = step {
                    self.outstanding.work(envelope.id);
                }
                self.release();
                step
            }
        }
    }

    /// Looks at a whole message that waits while a long result is sent or work is done: an abandon or cancel of that
    /// operation takes effect at once. The message is to be handed to [`Self::handle`] all the same, at its turn.
    /// Looking again is of no effect. `true` if the client says goodbye: nothing more has to be sent.
    pub fn glance(&mut self, message: &[u8]) -> bool {
        let Ok(Message { op, .. }) = Message::<Request<'_>>::decode(message) else { return false };
        match op {
            Request::Unbind => return true,
            Request::Abandon(id) => self.outstanding.abandon(id),
            Request::Extended(extended) if extended.name == oid::CANCEL => {
                if let Some(Ok(Cancel { id })) = extended.value.map(Cancel::decode) {
                    self.outstanding.cancel(id);
                }
            }
            _ => {}
        }
        false
    }

    /// Takes the result of [`Step::Work`]. The step can be one of that kind again.
    pub fn resume(&mut self, worked: Worked, now: u64, out: &mut Vec<u8>) -> Step {
        self.outstanding.begin();
        self.caller.now = now;
        if self.closed {
            return Step::Close;
        }
        match worked.0 {
            Suspended::Bind(proved) => bind::finish(&mut self.caller, *proved, out),
            Suspended::Verify(proved, policy) => verify::finish(&self.caller, *proved, policy, out),
            Suspended::Exchange(begun) => bind::continued(&mut self.caller, *begun, out),
            Suspended::Compare(compared) => {
                compare::answer(&compared, out);
                Step::Done
            }
            Suspended::Update(update, hashed) => {
                let step = match hashed {
                    // The message has been taken: it cannot wait any more.
                    Ok(()) => update::proceed(&mut self.caller, update, &Outstanding::default(), out),
                    Err(failure) => update.refuse(&failure, out),
                };
                self.track(step)
            }
        }
    }

    /// Takes the result of a [`Step::Write`]; results have to come in the order in which writes were given out. The
    /// step is [`Step::Done`], or [`Step::Write`] if the change has to be made anew.
    pub fn settle(
        &mut self,
        ticket: Ticket,
        result: netinfo_directory::Result<Vec<Changed>>,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Step {
        self.release();
        self.caller.now = now;
        self.outstanding.settled(ticket.0.id());
        let step = update::settle(&mut self.caller, ticket.0, result, out);
        self.track_first(step)
    }

    /// Gives snapshots back that are kept while messages that came together are handled. To be called before anything
    /// is waited for.
    pub fn release(&mut self) {
        self.caller.release();
    }

    /// The TLS handshake after [`Step::StartTls`] is done.
    pub fn secured(&mut self, certificate: Option<Certificate>) {
        self.caller.peer.tls = true;
        self.caller.peer.certificate = certificate;
    }

    /// Ends a connection whose bytes are no message of LDAP, or too long a one: appends a notice of disconnection.
    pub fn refuse(&mut self, error: &FrameError, out: &mut Vec<u8>) {
        self.disconnect(ResultCode::ProtocolError, &error.to_string(), out);
    }

    /// Ends a connection that the server cannot serve any longer: appends a notice of disconnection with `unavailable`.
    pub fn shut_down(&mut self, why: &str, out: &mut Vec<u8>) {
        self.disconnect(ResultCode::Unavailable, why, out);
    }

    /// Notice of disconnection (RFC 4511 §4.4.1).
    fn disconnect(&mut self, code: ResultCode, why: &str, out: &mut Vec<u8>) -> Step {
        if !self.closed {
            let notice = ExtendedResponse::notice_of_disconnection(code, why.as_bytes());
            Message::new(message::UNSOLICITED, Response::Extended(notice)).encode(out);
        }
        self.closed = true;
        self.release();
        Step::Close
    }

    /// Answers a message whose operation cannot be decoded, if it can be answered.
    fn malformed(
        &mut self,
        envelope: &Envelope<'_>,
        error: netinfo_wire::ldap::Error,
        out: &mut Vec<u8>,
    ) -> Step {
        let text = error.to_string();
        let result = LdapResult::new(error.result_code(), text.as_bytes());
        match Response::to_request(envelope.tag, result) {
            Some(response) if envelope.id != message::UNSOLICITED => {
                Message::new(envelope.id, response).encode(out);
                Step::Done
            }
            _ => self.disconnect(ResultCode::ProtocolError, &text, out),
        }
    }

    /// Whether writes under way have to be settled before a request. Writes wait only for those they depend on, which
    /// shows when they are derived.
    fn has_to_wait(&self, request: &Request<'_>) -> bool {
        match request {
            Request::Unbind | Request::Abandon(_) => false,
            Request::Extended(extended) if extended.name == oid::CANCEL => false,
            Request::Add(_) | Request::Modify(_) | Request::Delete(_) | Request::ModifyDn(_) => {
                self.outstanding.is_full()
            }
            _ => self.outstanding.has_writes(),
        }
    }
}

//! One connection to one server: made on demand, remade once when the server closed it while it was idle
//! (NetInfo client library, issuing a call).

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use netinfo_wire::netinfo::{self, Binding};
use netinfo_wire::record;
use netinfo_wire::rpc::{AcceptStat, Credential, put_call};
use zeroize::Zeroize;

use super::channel::{Channel, Patience};
use super::credentials::Credentials;
use super::endpoint::{Endpoint, SourcePort};
use super::reply::{End, Sink};
use crate::error::{Error, Result};
use crate::limits::{ATTEMPTS, MAX_REPLY, PIPELINE_WINDOW, READ_TIMEOUT, WRITE_TIMEOUT};

/// Messages up to this length, in bytes, are wiped once they are sent.
const SHORT: usize = 4096;

/// How long calls wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For connecting and for calls that read.
    pub read: Duration,
    /// For calls that write.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { read: READ_TIMEOUT, write: WRITE_TIMEOUT }
    }
}

/// Which procedure to call, and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Program number.
    pub program: u32,
    /// Version of the program.
    pub version: u32,
    /// Procedure of that version.
    pub procedure: u32,
    /// Time for the whole call; where results are streamed, the longest silence.
    pub timeout: Duration,
    /// Whether the call may be sent again when the server closed the connection instead of answering.
    pub repeat: bool,
}

/// A connection to a server.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    /// The endpoint as text, for messages.
    name: String,
    timeouts: Timeouts,
    credentials: Option<Credentials>,
    /// Tag of the domain that BIND selects on every new connection.
    selected: Option<Vec<u8>>,
    source: SourcePort,
    channel: Option<Channel>,
    xid: u32,
}

impl Connection {
    /// A connection that will be made when it is first needed.
    pub fn new(endpoint: Endpoint, timeouts: Timeouts) -> Self {
        let name = endpoint.to_string();
        let xid = getrandom::u32().unwrap_or_else(|_| std::process::id());
        let source = SourcePort::default();
        Self { endpoint, name, timeouts, credentials: None, selected: None, source, channel: None, xid }
    }

    /// A connection made now, waiting at most `patience`.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub fn open(endpoint: Endpoint, timeouts: Timeouts, patience: Duration) -> Result<Self> {
        Self::open_from(SourcePort::default(), endpoint, timeouts, patience)
    }

    /// A connection made now from a port of the given kind, waiting at most `patience`.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub fn open_from(
        source: SourcePort,
        endpoint: Endpoint,
        timeouts: Timeouts,
        patience: Duration,
    ) -> Result<Self> {
        let mut connection = Self { source, ..Self::new(endpoint, timeouts) };
        connection.channel = Some(Channel::connect(&connection.endpoint, source, patience)?);
        Ok(connection)
    }

    /// Where it leads.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where it leads, as text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long its calls wait.
    pub const fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Lets its calls wait this long from now on.
    pub const fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
    }

    /// What it sends with every call.
    pub const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Sends `credentials` with every call from now on; without any, `AUTH_NONE`.
    pub fn set_credentials(&mut self, credentials: Option<Credentials>) {
        self.credentials = credentials;
    }

    /// Local and remote address while connected over TCP.
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.channel.as_ref().and_then(|channel| channel.addresses())
    }

    /// Closes the connection; the next call makes a new one.
    pub fn close(&mut self) {
        self.channel = None;
    }

    /// The domain selected with [`Connection::select`].
    pub fn selected(&self) -> Option<&[u8]> {
        self.selected.as_deref()
    }

    /// Selects a domain on the common endpoint of a node, now and whenever the connection is remade.
    ///
    /// # Errors
    /// [`Error::Rejected`] with `SystemErr` if the node has no such domain; errors of a call.
    pub fn select(&mut self, tag: &[u8]) -> Result<()> {
        self.ensure()?;
        let mut selected = self.bind(tag);
        if selected.as_ref().is_err_and(Error::is_closed) {
            self.selected = None;
            self.ensure()?;
            selected = self.bind(tag);
        }
        selected?;
        self.selected = Some(tag.to_vec());
        Ok(())
    }

    /// Calls a procedure and returns its results, still encoded.
    ///
    /// # Errors
    /// [`Error::Rejected`] or [`Error::Denied`] if the server does not execute the call,
    /// [`Error::ReplyTooLong`] above [`MAX_REPLY`], errors of the connection.
    pub fn call(&mut self, call: Call, args: impl Fn(&mut Vec<u8>)) -> Result<Vec<u8>> {
        self.repeating(call, |connection| {
            let mut results = Vec::new();
            let name = connection.name.clone();
            let patience = Patience::Until(Instant::now() + call.timeout);
            let outcome = connection.once(call, &args, patience, &mut |data| {
                if results.len() + data.len() > MAX_REPLY {
                    return Err(Error::ReplyTooLong { endpoint: name.clone(), limit: MAX_REPLY });
                }
                results.extend_from_slice(data);
                Ok(())
            });
            (outcome.map(|()| std::mem::take(&mut results)), true)
        })
    }

    /// Calls a procedure and hands its results to `sink` as they arrive, without a limit on their length. An
    /// error of `sink` ends the call and closes the connection.
    ///
    /// # Errors
    /// As [`Connection::call`], and those of `sink`.
    pub fn call_streaming(
        &mut self,
        call: Call,
        args: impl Fn(&mut Vec<u8>),
        mut sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.repeating(call, |connection| {
            let mut untouched = true;
            let outcome = connection.once(call, &args, Patience::Silence, &mut |data| {
                untouched = false;
                sink(data)
            });
            (outcome, untouched)
        })
    }

    /// Calls a procedure `count` times, sending up to [`PIPELINE_WINDOW`] calls ahead of the replies. `args`
    /// encodes the arguments of one call (they should be short), `reply` gets its results. Only for procedures
    /// that may be repeated.
    ///
    /// # Errors
    /// The first error of a call or of `reply`; later replies are then discarded with the connection.
    pub fn call_many(
        &mut self,
        call: Call,
        count: usize,
        args: impl Fn(usize, &mut Vec<u8>),
        mut reply: impl FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut done = 0;
        let mut lost = 0;
        while done < count {
            let before = done;
            match self.pipeline(call, &mut done, count, &args, &mut reply) {
                Ok(()) => {}
                Err(error) => {
                    self.channel = None;
                    lost = if done > before { 1 } else { lost + 1 };
                    if !error.is_closed() || lost >= ATTEMPTS {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    fn pipeline(
        &mut self,
        call: Call,
        done: &mut usize,
        count: usize,
        args: &impl Fn(usize, &mut Vec<u8>),
        reply: &mut impl FnMut(usize, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.ensure()?;
        let mut sent = *done;
        let mut xids = std::collections::VecDeque::with_capacity(PIPELINE_WINDOW);
        let mut results = Vec::new();
        while *done < count {
            let mut batch = Vec::new();
            while sent < count && xids.len() < PIPELINE_WINDOW {
                xids.push_back(self.put(call, &mut batch, &|buf| args(sent, buf)));
                sent += 1;
            }
            let deadline = Patience::Until(Instant::now() + call.timeout);
            self.send(&batch, call.timeout)?;
            // Half a window is read before more is sent, so that calls travel in batches both ways.
            let keep = if sent < count { PIPELINE_WINDOW / 2 } else { 0 };
            while xids.len() > keep {
                let Some(xid) = xids.pop_front() else { break };
                results.clear();
                let name = self.name.clone();
                self.receive(call, xid, deadline, &mut |data| {
                    if results.len() + data.len() > MAX_REPLY {
                        return Err(Error::ReplyTooLong { endpoint: name.clone(), limit: MAX_REPLY });
                    }
                    results.extend_from_slice(data);
                    Ok(())
                })?;
                let index = *done;
                *done += 1;
                reply(index, &results)?;
            }
        }
        Ok(())
    }

    /// Runs `attempt`, which returns its outcome and whether it may be repeated, again if the server closed the
    /// connection.
    fn repeating<T>(
        &mut self,
        call: Call,
        mut attempt: impl FnMut(&mut Self) -> (Result<T>, bool),
    ) -> Result<T> {
        let mut attempts = 1;
        loop {
            let (outcome, repeatable) = self.ensure().map_or_else(|e| (Err(e), true), |()| attempt(self));
            match outcome {
                Err(error) => {
                    let again = call.repeat && repeatable && error.is_closed() && attempts < ATTEMPTS;
                    if !matches!(error, Error::Rejected { .. } | Error::Denied { .. }) {
                        self.channel = None;
                    }
                    if !again {
                        return Err(error);
                    }
                    attempts += 1;
                }
                ok => return ok,
            }
        }
    }

    fn once(
        &mut self,
        call: Call,
        args: &impl Fn(&mut Vec<u8>),
        patience: Patience,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let mut message = Vec::with_capacity(SHORT);
        let xid = self.put(call, &mut message, args);
        let sent = self.send(&message, call.timeout);
        if message.len() <= SHORT {
            // Passwords come in such.
            message.zeroize();
        }
        sent?;
        self.receive(call, xid, patience, sink)
    }

    /// Appends one call as a record and returns its transaction id.
    fn put(&mut self, call: Call, buf: &mut Vec<u8>, args: &impl Fn(&mut Vec<u8>)) -> u32 {
        self.xid = self.xid.wrapping_add(1);
        let mark = record::begin(buf);
        let credential = self.credentials.as_ref().map_or(Credential::None, Credentials::as_wire);
        put_call(buf, self.xid, call.program, call.version, call.procedure, &credential);
        args(buf);
        record::end(buf, mark);
        self.xid
    }

    /// Sends the BIND that selects a domain.
    fn bind(&mut self, tag: &[u8]) -> Result<()> {
        let call = Call {
            program: netinfo::PROGRAM,
            version: netinfo::VERSION,
            procedure: netinfo::Procedure::Bind.code(),
            timeout: self.timeouts.read,
            repeat: false,
        };
        let patience = Patience::Until(Instant::now() + call.timeout);
        let args = |buf: &mut Vec<u8>| Binding { tag, addr: Ipv4Addr::UNSPECIFIED }.encode(buf);
        let bound = self.once(call, &args, patience, &mut |_| Ok(()));
        if bound.is_err() {
            self.channel = None;
        }
        bound
    }

    /// Makes the connection if there is none that this process may use.
    fn ensure(&mut self) -> Result<()> {
        if self.channel.as_ref().is_some_and(|channel| channel.is_ours()) {
            return Ok(());
        }
        self.channel = Some(Channel::connect(&self.endpoint, self.source, self.timeouts.read)?);
        match self.selected.clone() {
            Some(tag) => self.bind(&tag),
            None => Ok(()),
        }
    }

    fn send(&mut self, message: &[u8], timeout: Duration) -> Result<()> {
        let Some(channel) = self.channel.as_mut() else {
            return Err(Error::Closed { endpoint: self.name.clone() });
        };
        channel.send(&self.name, message, timeout)
    }

    fn receive(&mut self, call: Call, xid: u32, patience: Patience, sink: &mut Sink<'_>) -> Result<()> {
        let Some(channel) = self.channel.as_mut() else {
            return Err(Error::Closed { endpoint: self.name.clone() });
        };
        let endpoint = || self.name.clone();
        match channel.receive(&self.name, xid, call.timeout, patience, sink)? {
            End::Complete => Ok(()),
            End::Failed(stat) => Err(Error::Rejected { endpoint: endpoint(), program: call.program, stat }),
            End::Denied(denial) => Err(Error::Denied { endpoint: endpoint(), denial }),
        }
    }
}

impl Error {
    /// Whether the server accepted the call and said that it could not execute it.
    pub(crate) const fn is_system_err(&self) -> bool {
        matches!(self, Self::Rejected { stat: AcceptStat::SystemErr, .. })
    }
}

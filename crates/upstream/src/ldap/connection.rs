//! Messages to and from an LDAP server (RFC 4511), one question after the other or many searches at once.

use std::io::{Read, Write};
use std::time::Duration;

use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::control::paging::PagedResults;
use netinfo_wire::ldap::control::policy::PasswordPolicy;
use netinfo_wire::ldap::extended::PasswordModify;
use netinfo_wire::ldap::message::{Envelope, frame};
use netinfo_wire::ldap::request::{
    Authentication, BindRequest, ExtendedRequest, ModifyRequest, Scope, SearchRequest, VERSION,
};
use netinfo_wire::ldap::url::{Scheme, Url};
use netinfo_wire::ldap::writer::MessageWriter;
use netinfo_wire::ldap::{
    ModificationsBuf, ModifyOp, Payload, Request, Response, ResultCode, attribute::SelectionBuf,
    filter::FilterBuf, oid,
};
use zeroize::Zeroize;

use super::stream::Stream;
use crate::limits::{LDAP_PAGE, LDAP_WINDOW, MAX_LDAP_MESSAGE, MAX_PAGES};
use crate::remote::Fault;

/// An entry that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) dn: String,
    /// Names in the server's spelling, and values.
    pub(super) attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Found {
    /// The values of an attribute.
    pub(super) fn values(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values)
    }
}

/// What is looked for, and where.
#[derive(Clone, Copy)]
pub(super) struct Search<'s> {
    pub(super) base: &'s str,
    pub(super) scope: Scope,
    /// As text.
    pub(super) filter: &'s str,
    pub(super) attributes: &'s [&'s str],
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: ResultCode,
    pub(super) message: String,
    /// What the server says of the password policy.
    pub(super) policy: Option<PasswordPolicy>,
    /// Where the next page begins; empty at the end.
    cookie: Vec<u8>,
}

impl Ended {
    /// A fault, for a code that was not expected.
    pub(super) fn fault(&self, what: &str) -> Fault {
        let text = match self.message.as_str() {
            "" => format!("{what}: {}", self.code.name()),
            message => format!("{what}: {}: {message}", self.code.name()),
        };
        match self.code {
            ResultCode::Busy | ResultCode::Unavailable => Fault::Away(text),
            _ => Fault::Refused(text),
        }
    }
}

/// A connection.
pub(super) struct Connection {
    stream: Stream,
    next_id: u32,
    buffer: Vec<u8>,
}

/// Where a server is and how it proves who it is.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) url: &'p str,
    pub(super) start_tls: bool,
    pub(super) ca_file: Option<&'p std::path::Path>,
}

impl Connection {
    /// Connects, with TLS if that is wanted.
    pub(super) fn open(place: Place<'_>) -> Result<Self, Fault> {
        let url = Url::parse(place.url).map_err(|error| Fault::Away(format!("{}: {error}", place.url)))?;
        let mut stream = Stream::connect(&url)?;
        if url.scheme == Scheme::Ldaps {
            stream = stream.encrypt(&url.host, place.ca_file)?;
        }
        let mut connection = Self { stream, next_id: 1, buffer: Vec::new() };
        if place.start_tls && url.scheme == Scheme::Ldap {
            let request = Request::Extended(ExtendedRequest { name: oid::START_TLS, value: None });
            let ended = connection.call(&request, |_| {})?;
            if ended.code != ResultCode::Success {
                let (Fault::Away(text) | Fault::Refused(text)) = ended.fault("no TLS");
                return Err(Fault::Away(text));
            }
            // Whatever came in the clear behind the answer was not said by the server alone.
            if !connection.buffer.is_empty() {
                return Err(Fault::Away("no TLS: there was more than an answer".into()));
            }
            connection.stream = connection.stream.encrypt(&url.host, place.ca_file)?;
        }
        Ok(connection)
    }

    /// Whether a password may be sent.
    pub(super) fn is_protected(&self) -> bool {
        self.stream.is_protected()
    }

    /// How long each piece of an answer is waited for.
    pub(super) fn be_patient(&self, patience: Duration) -> Result<(), Fault> {
        self.stream.be_patient(patience).map_err(|error| Fault::Away(error.to_string()))
    }

    /// Becomes somebody, by a password that is not empty: an empty one would be no proof.
    pub(super) fn bind(&mut self, dn: &str, password: &[u8]) -> Result<Ended, Fault> {
        debug_assert!(!password.is_empty());
        let authentication = Authentication::Simple(password);
        let bind = BindRequest { version: VERSION, name: dn.as_bytes(), authentication };
        self.call(&Request::Bind(bind), |writer| writer.control(oid::PASSWORD_POLICY, false))
    }

    /// Changes a password (RFC 3062).
    pub(super) fn change(&mut self, dn: &str, old: &[u8], new: &[u8]) -> Result<Ended, Fault> {
        let mut value = Vec::new();
        PasswordModify { user: Some(dn.as_bytes()), old: Some(old), new: Some(new) }.encode(&mut value);
        let request = Request::Extended(ExtendedRequest { name: oid::PASSWORD_MODIFY, value: Some(&value) });
        let ended = self.call(&request, |writer| writer.control(oid::PASSWORD_POLICY, false));
        value.zeroize();
        ended
    }

    /// Takes one value away from an attribute and adds another one, in one step (RFC 4511 §4.6).
    pub(super) fn exchange(
        &mut self,
        dn: &str,
        attribute: &str,
        old: &[u8],
        new: &[u8],
    ) -> Result<Ended, Fault> {
        let mut changes = ModificationsBuf::new();
        changes.add(ModifyOp::Delete, attribute, [old]);
        changes.add(ModifyOp::Add, attribute, [new]);
        let request = ModifyRequest { dn: dn.as_bytes(), changes: changes.as_list() };
        let ended = self.call(&Request::Modify(request), |_| {});
        changes.into_octets().zeroize();
        ended
    }

    /// The entries that a search finds, `limit` of them at most. No such base is no entries.
    pub(super) fn search(&mut self, search: Search<'_>, limit: usize) -> Result<Vec<Found>, Fault> {
        let (mut found, mut cookie) = (Vec::new(), Vec::new());
        for _ in 0..MAX_PAGES {
            let id = self.send_search(search, Some(&cookie))?;
            let ended = self.entries(id, &mut found, limit)?;
            match ended.code {
                ResultCode::Success => {}
                ResultCode::NoSuchObject | ResultCode::Referral => return Ok(found),
                // A server that does not give all gives some.
                ResultCode::SizeLimitExceeded | ResultCode::AdminLimitExceeded if !found.is_empty() => {
                    return Ok(found);
                }
                _ => return Err(ended.fault("a search failed")),
            }
            if ended.cookie.is_empty() || found.len() >= limit {
                return Ok(found);
            }
            cookie = ended.cookie;
        }
        Err(Fault::Refused(format!("a search failed: it has more than {MAX_PAGES} pages")))
    }

    /// The first entry that each of many searches finds. Those that fail find nothing.
    pub(super) fn search_each(&mut self, searches: &[Search<'_>]) -> Result<Vec<Option<Found>>, Fault> {
        let mut all = Vec::with_capacity(searches.len());
        for window in searches.chunks(LDAP_WINDOW) {
            let mut ids = Vec::with_capacity(window.len());
            for search in window {
                ids.push(self.send_search(*search, None)?);
            }
            // Answers may come in any order, those of one search never mixed up.
            let mut found: Vec<Option<Found>> = vec![None; window.len()];
            let mut open = window.len();
            while open > 0 {
                let (id, what) = self.receive(|id, response, _| match response {
                    Response::SearchEntry(entry) => (id, Some(Some(entry_of(&entry)))),
                    Response::SearchDone(_) => (id, None),
                    _ => (id, Some(None)),
                })?;
                let Some(at) = ids.iter().position(|known| *known == id) else { continue };
                match what {
                    None => open -= 1,
                    Some(Some(entry)) if found[at].is_none() => found[at] = Some(entry),
                    Some(_) => {}
                }
            }
            all.append(&mut found);
        }
        Ok(all)
    }

    fn send_search(&mut self, search: Search<'_>, page: Option<&[u8]>) -> Result<u32, Fault> {
        let filter = FilterBuf::parse(search.filter)
            .map_err(|error| Fault::Refused(format!("{}: {error}", search.filter)))?;
        let mut attributes = SelectionBuf::default();
        search.attributes.iter().for_each(|name| attributes.push(name.as_bytes()));
        let request = SearchRequest {
            attributes: attributes.as_list(),
            ..SearchRequest::new(search.base.as_bytes(), search.scope, filter.as_filter())
        };
        self.send(&Request::Search(request), |writer| {
            if let Some(cookie) = page {
                writer.payload(false, &PagedResults { size: LDAP_PAGE, cookie });
            }
        })
    }

    /// Takes the entries of a search until it ends.
    fn entries(&mut self, id: u32, found: &mut Vec<Found>, limit: usize) -> Result<Ended, Fault> {
        loop {
            let ended = self.receive(|at, response, envelope| match response {
                _ if at != id => None,
                Response::SearchEntry(entry) => {
                    if found.len() < limit {
                        found.push(entry_of(&entry));
                    }
                    None
                }
                Response::SearchDone(result) => Some(ended(&result, envelope)),
                _ => None,
            })?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// Sends a request and waits for its answer.
    fn call(
        &mut self,
        request: &Request<'_>,
        controls: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Result<Ended, Fault> {
        let id = self.send(request, controls)?;
        loop {
            let ended = self.receive(|at, response, envelope| match response {
                _ if at != id => None,
                Response::Bind(bind) => Some(ended(&bind.result, envelope)),
                Response::Modify(result) => Some(ended(&result, envelope)),
                Response::Extended(extended) => Some(ended(&extended.result, envelope)),
                _ => None,
            })?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    fn send(
        &mut self,
        request: &Request<'_>,
        controls: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Result<u32, Fault> {
        let id = self.next_id;
        self.next_id = if id >= i32::MAX.cast_unsigned() { 1 } else { id + 1 };
        let mut message = Vec::new();
        let mut writer = MessageWriter::begin(&mut message, id);
        writer.request(request);
        controls(&mut writer);
        writer.finish();
        let sent = self.stream.write_all(&message).and_then(|()| self.stream.flush());
        // It may hold a password.
        message.zeroize();
        sent.map_err(|error| Fault::Away(format!("the connection failed: {error}")))?;
        Ok(id)
    }

    /// Takes the next message and lets `read` make something of it.
    fn receive<T>(&mut self, read: impl FnOnce(u32, Response<'_>, &Envelope<'_>) -> T) -> Result<T, Fault> {
        let away = |what: &dyn std::fmt::Display| Fault::Away(format!("the connection failed: {what}"));
        loop {
            match frame(&self.buffer, MAX_LDAP_MESSAGE).map_err(|error| away(&error))? {
                Frame::Complete(len) => {
                    let envelope = Envelope::decode(&self.buffer[..len]).map_err(|error| away(&error))?;
                    let response = envelope.response().map_err(|error| away(&error))?;
                    if envelope.id == 0 {
                        return Err(away(&"the server ends it"));
                    }
                    let result = read(envelope.id, response, &envelope);
                    self.buffer.drain(..len);
                    return Ok(result);
                }
                Frame::Need(_) => {
                    let mut piece = [0; 16 << 10];
                    match self.stream.read(&mut piece) {
                        Ok(0) => return Err(away(&"the server has closed it")),
                        Ok(n) => self.buffer.extend_from_slice(&piece[..n]),
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(away(&error)),
                    }
                }
            }
        }
    }
}

fn ended(result: &netinfo_wire::ldap::response::LdapResult<'_>, envelope: &Envelope<'_>) -> Ended {
    let paged = envelope.controls.get::<PagedResults<'_>>().ok().flatten();
    let policy = envelope.controls.get::<PasswordPolicy>().ok().flatten();
    Ended {
        code: result.code,
        message: String::from_utf8_lossy(result.message).trim().to_owned(),
        policy: policy.map(|(policy, _)| policy),
        cookie: paged.map(|(page, _)| page.cookie.to_vec()).unwrap_or_default(),
    }
}

fn entry_of(entry: &netinfo_wire::ldap::response::SearchEntry<'_>) -> Found {
    let attributes = entry.attributes.iter().map(|attribute| {
        let values = attribute.values.iter().map(<[u8]>::to_vec).collect();
        (String::from_utf8_lossy(attribute.name).into_owned(), values)
    });
    Found { dn: String::from_utf8_lossy(entry.dn).into_owned(), attributes: attributes.collect() }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread::spawn;

    use netinfo_wire::ldap::response::LdapResult;

    use super::*;

    /// Says of each page of a search that it is empty and that there is another one.
    fn serve_without_end(mut stream: TcpStream) {
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(got @ 1..) = stream.read(&mut piece) {
            bytes.extend_from_slice(&piece[..got]);
            while let Ok(Frame::Complete(length)) = frame(&bytes, 1 << 20) {
                let id = Envelope::decode(&bytes[..length]).unwrap().id;
                let mut answer = Vec::new();
                let mut writer = MessageWriter::begin(&mut answer, id);
                writer.response(&Response::SearchDone(LdapResult::new(ResultCode::Success, b"")));
                writer.payload(false, &PagedResults { size: 0, cookie: b"more" });
                writer.finish();
                stream.write_all(&answer).unwrap();
                bytes.drain(..length);
            }
        }
    }

    #[test]
    fn a_listing_without_end_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let server = spawn(move || serve_without_end(listener.accept().unwrap().0));
        let mut connection = Connection::open(Place { url: &url, start_tls: false, ca_file: None }).unwrap();
        let search = Search { base: "dc=x", scope: Scope::Subtree, filter: "(uid=*)", attributes: &["uid"] };
        let fault = connection.search(search, 10).unwrap_err();
        assert_eq!(fault, Fault::Refused(format!("a search failed: it has more than {MAX_PAGES} pages")));
        drop(connection);
        server.join().unwrap();
    }
}

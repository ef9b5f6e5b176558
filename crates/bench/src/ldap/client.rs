//! What the generator needs of an LDAP client: a connection, and no more of the answers than has to be looked at.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use netinfo_wire::ber::{Frame, Reader, Tag};
use netinfo_wire::ldap::control::paging::PagedResults;
use netinfo_wire::ldap::response::SearchEntry;
use netinfo_wire::ldap::{Message, MessageWriter, Request, Response, ResultCode, SearchRequest, frame};

use super::requests::{self, Identity};
use crate::Result;
use crate::child::PATIENCE;

/// Longest answer.
const LIMIT: usize = 4 << 20;
/// Bytes a connection can take at once, at first.
const BUFFER: usize = 256 * 1024;

/// A search entry: more answers to the same request follow.
const ENTRY: Tag = Tag::application_constructed(4);
/// A search reference, likewise.
const REFERENCE: Tag = Tag::application_constructed(19);
/// Something before the answer proper, likewise.
const INTERMEDIATE: Tag = Tag::application_constructed(25);

/// An answer, as far as the generator looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Message id.
    pub id: u32,
    /// How the operation went; none if more answers follow.
    pub code: Option<ResultCode>,
    /// Whether this is an entry.
    pub is_entry: bool,
}

/// The answer at the front of `bytes` and its length; none if not all of it is there.
///
/// # Errors
/// It is no LDAP message.
pub fn head(bytes: &[u8]) -> Result<Option<(usize, Head)>> {
    let len = match frame(bytes, LIMIT)? {
        Frame::Complete(len) => len,
        Frame::Need(_) => return Ok(None),
    };
    let mut message = Reader::new(&bytes[..len]).nested(Tag::SEQUENCE)?;
    let id = message.unsigned(Tag::INTEGER)?;
    let (tag, contents) = message.element()?;
    let code = match tag {
        ENTRY | REFERENCE | INTERMEDIATE => None,
        _ => Some(ResultCode::from_code(Reader::new(contents).enumerated()?)),
    };
    Ok(Some((len, Head { id, code, is_entry: tag == ENTRY })))
}

/// What a result that is no success says.
#[must_use]
pub fn words(message: &[u8]) -> String {
    let result = match Message::<Response<'_>>::decode(message).map(|message| message.op) {
        Ok(Response::Bind(bind)) => bind.result,
        Ok(Response::Extended(extended)) => extended.result,
        Ok(
            Response::SearchDone(r)
            | Response::Modify(r)
            | Response::Add(r)
            | Response::Delete(r)
            | Response::ModifyDn(r)
            | Response::Compare(r),
        ) => r,
        other => return format!("{other:?}"),
    };
    format!("{} {}", result.code, String::from_utf8_lossy(result.message))
}

/// A connection, with bytes that have arrived and have not been taken.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// What the system reported.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; BUFFER], start: 0, end: 0 })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// What the system reported.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Waits for bytes and takes what there is.
    ///
    /// # Errors
    /// What the system reported; `UnexpectedEof` if the peer has closed.
    pub fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        match self.stream.read(&mut self.buffer[self.end..])? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server has closed the connection")),
            n => {
                self.end += n;
                Ok(())
            }
        }
    }

    /// The next answer with its bytes, if all of it has arrived.
    ///
    /// # Errors
    /// What has arrived is no LDAP message.
    pub fn answer(&mut self) -> Result<Option<(Head, &[u8])>> {
        let Some((len, head)) = head(&self.buffer[self.start..self.end])? else { return Ok(None) };
        let start = self.start;
        self.start += len;
        Ok(Some((head, &self.buffer[start..start + len])))
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// A connection for one request at a time.
#[derive(Debug)]
pub struct Client {
    link: Link,
    last: u32,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// What the system reported.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { link: Link::open(address)?, last: 0 })
    }

    /// Connects and binds.
    ///
    /// # Errors
    /// What the system reported, or the server does not accept the password.
    pub fn bound(address: SocketAddr, identity: Identity) -> Result<Self> {
        let mut client = Self::open(address)?;
        if let Some(dn) = identity.dn() {
            client.send(&requests::bind(&dn), None)?;
            client.finish(&mut |_| Ok(())).map_err(|error| format!("bind as {dn}: {error}"))?;
        }
        Ok(client)
    }

    /// The connection, with nothing under way.
    #[must_use]
    pub fn into_link(self) -> Link {
        self.link
    }

    /// Searches and gives each entry to `each`; for `page`, a size and where the page before has ended, one page.
    /// Returns where it ended, empty at the end of all.
    ///
    /// # Errors
    /// What the system reported, or the search fails.
    pub fn search(
        &mut self,
        search: SearchRequest<'_>,
        page: Option<(u32, &[u8])>,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<u8>> {
        self.send(&Request::Search(search), page)?;
        self.finish(each)
    }

    fn send(&mut self, request: &Request<'_>, page: Option<(u32, &[u8])>) -> Result<()> {
        let mut bytes = Vec::new();
        self.last += 1;
        let mut message = MessageWriter::begin(&mut bytes, self.last);
        message.request(request);
        if let Some((size, cookie)) = page {
            message.payload(true, &PagedResults { size, cookie });
        }
        message.finish();
        Ok(self.link.send(&bytes)?)
    }

    /// Takes the answers to the request under way.
    fn finish(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Vec<u8>> {
        loop {
            while let Some((head, bytes)) = self.link.answer()? {
                match head.code {
                    None if head.is_entry => each(bytes)?,
                    None => {}
                    Some(ResultCode::Success) => return cookie(bytes),
                    Some(_) => return Err(words(bytes).into()),
                }
            }
            self.link.fill()?;
        }
    }
}

/// Where the page ends whose last message this is.
fn cookie(bytes: &[u8]) -> Result<Vec<u8>> {
    let message = Message::<Response<'_>>::decode(bytes)?;
    let control = message.controls.get::<PagedResults<'_>>()?;
    Ok(control.map(|(page, _)| page.cookie.to_vec()).unwrap_or_default())
}

/// Decodes an entry and gives it to `see`.
///
/// # Errors
/// It is none.
pub fn entry<T>(bytes: &[u8], see: impl FnOnce(&SearchEntry<'_>) -> T) -> Result<T> {
    match Message::<Response<'_>>::decode(bytes)?.op {
        Response::SearchEntry(entry) => Ok(see(&entry)),
        other => Err(format!("instead of an entry: {other:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::ldap::{EntryWriter, LdapResult, UrisBuf};

    #[test]
    fn heads_say_whose_answer_it_is_and_whether_more_follow() {
        let mut bytes = Vec::new();
        EntryWriter::begin(&mut bytes, 300, b"dc=x").end().finish();
        let entry = bytes.len();
        let done = LdapResult::new(ResultCode::SizeLimitExceeded, b"enough");
        Message::new(300, Response::SearchDone(done)).encode(&mut bytes);
        assert_eq!(head(&bytes[..entry - 1]).unwrap(), None);
        let (len, first) = head(&bytes).unwrap().unwrap();
        assert_eq!((len, first), (entry, Head { id: 300, code: None, is_entry: true }));
        let (_, second) = head(&bytes[len..]).unwrap().unwrap();
        assert_eq!(second.code, Some(ResultCode::SizeLimitExceeded));
        assert_eq!(words(&bytes[len..]), "sizeLimitExceeded (4) enough");
        let uris = UrisBuf::new();
        let references = Response::SearchReference(uris.as_list());
        bytes.clear();
        Message::new(1, references).encode(&mut bytes);
        assert_eq!(head(&bytes).unwrap().unwrap().1, Head { id: 1, code: None, is_entry: false });
    }
}

//! A client that sends what it is told to, and nothing else.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::{
    Authentication, BindRequest, FilterBuf, Message, Request, Response, ResultCode, Scope, SearchRequest,
    frame,
};

/// Longest message that is taken from a server.
const LIMIT: usize = 1 << 30;

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// An entry of this name.
    Entry(u32, String),
    /// The end of an operation.
    Result(u32, ResultCode),
    /// An unsolicited notification: code and name.
    Notice(ResultCode, String),
    /// Anything else.
    Other(u32),
}

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Said>> {
        let mut chunk = [0; 65_536];
        loop {
            if let Frame::Complete(len) = frame(&self.buffer, LIMIT).unwrap() {
                let said = told(&self.buffer[..len]);
                self.buffer.drain(..len);
                return Ok(Some(said));
            }
            match self.stream.read(&mut chunk)? {
                0 => return Ok(None),
                n => self.buffer.extend_from_slice(&chunk[..n]),
            }
        }
    }

    /// The next message, which has to come.
    #[track_caller]
    pub(crate) fn expect(&mut self) -> Said {
        self.receive().unwrap().unwrap()
    }

    /// Everything up to the result of this operation.
    pub(crate) fn result(&mut self, id: u32) -> (Vec<String>, ResultCode) {
        let mut entries = Vec::new();
        loop {
            match self.expect() {
                Said::Entry(other, dn) if other == id => entries.push(dn),
                Said::Result(other, code) if other == id => return (entries, code),
                said => panic!("{said:?} instead of an answer to {id}"),
            }
        }
    }

    /// Binds with a name and a password.
    pub(crate) fn bind(&mut self, name: &str, password: &str) -> ResultCode {
        self.send(&bind(1, name, password));
        self.result(1).1
    }
}

fn told(message: &[u8]) -> Said {
    let Message { id, op, .. } = Message::<Response<'_>>::decode(message).unwrap();
    match op {
        Response::SearchEntry(entry) => Said::Entry(id, String::from_utf8(entry.dn.to_vec()).unwrap()),
        Response::Extended(response) if id == 0 => {
            let name = response.name.unwrap_or_default();
            Said::Notice(response.result.code, name.to_owned())
        }
        Response::Bind(response) => Said::Result(id, response.result.code),
        Response::Extended(response) => Said::Result(id, response.result.code),
        Response::SearchDone(result)
        | Response::Modify(result)
        | Response::Add(result)
        | Response::Delete(result)
        | Response::ModifyDn(result)
        | Response::Compare(result) => Said::Result(id, result.code),
        Response::SearchReference(_) | Response::Intermediate(_) => Said::Other(id),
    }
}

/// A message with this operation.
pub(crate) fn message(id: u32, op: Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Message::new(id, op).encode(&mut bytes);
    bytes
}

/// A simple bind.
pub(crate) fn bind(id: u32, name: &str, password: &str) -> Vec<u8> {
    let (name, authentication) = (name.as_bytes(), Authentication::Simple(password.as_bytes()));
    message(id, Request::Bind(BindRequest { version: 3, name, authentication }))
}

/// A search for all attributes.
pub(crate) fn search(id: u32, base: &str, scope: Scope, filter: &str) -> Vec<u8> {
    let filter = FilterBuf::parse(filter).unwrap();
    message(id, Request::Search(SearchRequest::new(base.as_bytes(), scope, filter.as_filter())))
}

//! LDAP: the root DSE, which a server tells to everybody (RFC 4512 §5.1).

use std::io::{Read, Write};
use std::net::TcpStream;

use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::{
    Attributes, Envelope, FilterBuf, Message, Request, Response, ResultCode, Scope, SearchRequest,
    SelectionBuf, frame,
};

use super::budget::{Budget, Timed};
use super::tcp::Outcome;
use super::verdict::{Ldap, Verdict};
use crate::limits::{MAX_ANSWER, MAX_BANNER, MAX_LISTED};

/// What is asked for.
const ATTRIBUTES: [&str; 3] = ["vendorName", "vendorVersion", "namingContexts"];

/// Asks over a new connection.
pub(super) fn ask(stream: &TcpStream, budget: &mut Budget) -> Outcome {
    let Some(until) = budget.question() else { return Outcome::Silent };
    search(&mut Timed::new(stream, until), false)
}

/// Asks over any stream, which is to end by itself.
pub(super) fn search(stream: &mut (impl Read + Write), tls: bool) -> Outcome {
    let Some(request) = request() else { return Outcome::Silent };
    if let Err(error) = stream.write_all(&request).and_then(|()| stream.flush()) {
        return Outcome::of(&error);
    }
    let mut answer = Vec::new();
    let mut found = Ldap { tls, ..Ldap::default() };
    let mut buf = [0; 4096];
    while answer.len() < MAX_ANSWER {
        match stream.read(&mut buf) {
            Ok(0) => return if answer.is_empty() { Outcome::HungUp } else { said(&answer) },
            Ok(n) => answer.extend_from_slice(buf.get(..n).unwrap_or_default()),
            Err(error) => return if answer.is_empty() { Outcome::of(&error) } else { said(&answer) },
        }
        match take(&mut answer, &mut found) {
            Taken::More => {}
            Taken::End => return Outcome::Found(Box::new(Verdict::Ldap(found))),
            Taken::Foreign => return said(&answer),
        }
    }
    said(&answer)
}

fn said(answer: &[u8]) -> Outcome {
    Outcome::Said(answer.iter().copied().take(MAX_BANNER).collect())
}

fn request() -> Option<Vec<u8>> {
    let filter = FilterBuf::parse("(objectClass=*)").ok()?;
    let selection: SelectionBuf = ATTRIBUTES.iter().map(|name| name.as_bytes()).collect();
    let mut search = SearchRequest::new(b"", Scope::Base, filter.as_filter());
    search.attributes = selection.as_list();
    search.size_limit = 1;
    let mut request = Vec::new();
    Message::new(1, Request::Search(search)).encode(&mut request);
    Some(request)
}

/// Whether there is more to come.
enum Taken {
    More,
    End,
    Foreign,
}

/// Takes the whole messages off the front of what has arrived.
fn take(answer: &mut Vec<u8>, found: &mut Ldap) -> Taken {
    loop {
        let length = match frame(answer, MAX_ANSWER) {
            Ok(Frame::Complete(length)) => length,
            Ok(Frame::Need(_)) => return Taken::More,
            Err(_) => return Taken::Foreign,
        };
        let message = answer.get(..length).unwrap_or_default();
        let Ok(envelope) = Envelope::decode(message) else { return Taken::Foreign };
        match envelope.response() {
            Ok(Response::SearchEntry(entry)) => read(&entry.attributes, found),
            Ok(Response::SearchDone(result)) => {
                found.refused = (result.code != ResultCode::Success).then(|| result.code.code());
                return Taken::End;
            }
            // A notice of disconnection: it speaks LDAP and wants something else first, such as TLS.
            Ok(Response::Extended(response)) => {
                found.refused = Some(response.result.code.code());
                return Taken::End;
            }
            Ok(_) => {}
            Err(_) => return Taken::Foreign,
        }
        answer.drain(..length);
    }
}

fn read(attributes: &Attributes<'_>, found: &mut Ldap) {
    let short = |value: &[u8]| value.iter().copied().take(MAX_BANNER).collect::<Vec<u8>>();
    let first = |name: &str| attributes.get(name).and_then(|values| values.iter().next()).map(short);
    found.vendor = first("vendorName");
    found.version = first("vendorVersion");
    if let Some(contexts) = attributes.get("namingContexts") {
        found.contexts = contexts.iter().take(MAX_LISTED).map(short).collect();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_question_is_small() {
        assert!(request().unwrap().len() < 128);
    }

    proptest! {
        #[test]
        fn any_answer_is_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut answer = bytes;
            answer.insert(0, 0x30);
            let _ = take(&mut answer, &mut Ldap::default());
        }
    }
}

//! The same for LDAP: messages, payloads, filters and names.

use netinfo_wire::MAX_EXPANSION;
use netinfo_wire::ber::{Frame, FrameError, Tag};
use netinfo_wire::ldap::control::{deref, entry, paging, policy, sync};
use netinfo_wire::ldap::filter::{Node, ValuesFilter};
use netinfo_wire::ldap::url::{MAX_URL, Url};
use netinfo_wire::ldap::{
    self, Controls, Dn, Envelope, Error, Filter, FilterBuf, LdapResult, Message, Payload, Request, Response,
    dn, extended,
};

use super::encoded;

/// [`ldap::frame`], [`Message`] in both directions, all payloads, and the binary filter.
pub fn message(bytes: &[u8]) {
    frame(bytes);
    if let Ok(message) = Message::<Request<'_>>::decode(bytes) {
        let again = encoded(|buf| message.encode(buf));
        assert_eq!(Message::<Request<'_>>::decode(&again), Ok(message));
        request(&message.op);
        controls(message.controls);
    }
    if let Ok(message) = Message::<Response<'_>>::decode(bytes) {
        let again = encoded(|buf| message.encode(buf));
        assert_eq!(Message::<Response<'_>>::decode(&again), Ok(message));
        controls(message.controls);
    }
    if let Ok(envelope) = Envelope::decode(bytes)
        && let Err(error) = envelope.request()
        && !matches!(error, Error::Operation(_))
        && let Some(response) =
            Response::to_request(envelope.tag, LdapResult::new(error.result_code(), b"no"))
    {
        // Whatever is wrong with a request, it can be answered.
        let answer = Message::new(envelope.id, response);
        assert_eq!(Message::<Response<'_>>::decode(&encoded(|buf| answer.encode(buf))), Ok(answer));
    }
    payloads(bytes);
    if let Ok(filter) = Filter::decode(bytes) {
        binary_filter(filter);
    }
}

/// What arrives in pieces is framed as if it came at once, and the frame stays within the limit.
fn frame(bytes: &[u8]) {
    const LIMIT: usize = 100;
    let whole = ldap::frame(bytes, LIMIT);
    for arrived in 0..bytes.len() {
        match ldap::frame(&bytes[..arrived], LIMIT) {
            Ok(Frame::Need(more)) => assert!(more > 0 && arrived + more <= LIMIT + 6),
            Ok(Frame::Complete(len)) => assert!(len <= arrived && whole == Ok(Frame::Complete(len))),
            Err(error) => assert_eq!(whole, Err(error)),
        }
    }
    match whole {
        Ok(Frame::Complete(len)) => {
            assert!(len <= bytes.len().min(LIMIT) && bytes[0] == Tag::SEQUENCE.octet());
        }
        Err(FrameError::TooLarge { len, limit }) => assert!(len > limit),
        _ => {}
    }
}

fn request(request: &Request<'_>) {
    assert!(!format!("{request:?}").is_empty());
    match request {
        Request::Search(search) => binary_filter(search.filter),
        Request::Modify(modify) => {
            for change in modify.changes {
                assert_eq!(change.attribute.values.iter().count(), change.attribute.values.len());
            }
            name(modify.dn);
        }
        Request::Add(add) => {
            assert_eq!(add.attributes.iter().count(), add.attributes.len());
            name(add.dn);
        }
        Request::Extended(extended) => payloads(extended.value.unwrap_or_default()),
        _ => {}
    }
}

fn controls(controls: Controls<'_>) {
    assert_eq!(controls.iter().count(), controls.len());
    for control in controls {
        payloads(control.value.unwrap_or_default());
    }
}

/// Decodes, encodes, decodes again, compares.
macro_rules! payloads {
    ($bytes:expr, $($ty:ty),* $(,)?) => { $(
        if let Ok(payload) = <$ty>::decode($bytes) {
            assert_eq!(<$ty>::decode(&encoded(|buf| payload.encode(buf))), Ok(payload));
            assert!(!format!("{payload:?}").is_empty());
        }
    )* };
}

fn payloads(bytes: &[u8]) {
    payloads!(
        bytes,
        paging::PagedResults<'_>,
        paging::SortRequest<'_>,
        paging::SortResponse<'_>,
        paging::VlvRequest<'_>,
        paging::VlvResponse<'_>,
        entry::AssertionControl<'_>,
        entry::PreReadRequest<'_>,
        entry::PreReadResponse<'_>,
        entry::PostReadRequest<'_>,
        entry::PostReadResponse<'_>,
        entry::Subentries,
        entry::ProxiedAuthorization<'_>,
        sync::SyncRequest<'_>,
        sync::SyncState<'_>,
        sync::SyncDone<'_>,
        sync::SyncInfo<'_>,
        deref::DerefRequest<'_>,
        deref::DerefResponse<'_>,
        policy::PasswordPolicy,
        extended::PasswordModify<'_>,
        extended::PasswordModified<'_>,
        extended::Cancel,
        extended::Turn<'_>,
        ValuesFilter<'_>,
    );
}

/// Walks a filter; its text, where it parses, has itself as its text.
fn binary_filter(filter: Filter<'_>) {
    let again = encoded(|buf| filter.encode(buf));
    assert_eq!((Filter::decode(&again), again.len()), (Ok(filter), filter.encoded_len()));
    assert!(walk(filter) <= ldap::filter::MAX_FILTER_NODES);
    let text = filter.to_string();
    if let Ok(parsed) = FilterBuf::parse(&text) {
        assert_eq!(parsed.to_string(), text);
    }
}

fn walk(filter: Filter<'_>) -> usize {
    1 + match filter.node() {
        Node::And(children) | Node::Or(children) => children.map(walk).sum(),
        Node::Not(child) => walk(child),
        _ => 0,
    }
}

/// [`FilterBuf::parse`].
pub fn filter_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(filter) = FilterBuf::parse(text) else { return };
    let binary = encoded(|buf| filter.as_filter().encode(buf));
    assert!(2 * binary.len() <= MAX_EXPANSION * text.len());
    assert_eq!(Filter::decode(&binary), Ok(filter.as_filter()));
    // The canonical text is that of an equal filter.
    let canonical = filter.to_string();
    let again = FilterBuf::parse(&canonical);
    assert_eq!(again.as_ref(), Ok(&filter));
    assert_eq!(filter.to_string(), canonical);
}

/// [`Dn::parse`] and [`Url::parse`].
pub fn names(bytes: &[u8]) {
    name(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(url) = Url::parse(text) else { return };
    let canonical = url.to_string();
    if canonical.len() <= MAX_URL {
        assert_eq!(Url::parse(&canonical), Ok(url));
    }
}

fn name(bytes: &[u8]) {
    let Ok(name) = Dn::parse(bytes) else { return };
    assert_eq!(name.rdns().count(), name.len());
    assert_eq!(std::iter::successors(name.parent(), Dn::parent).count(), name.len());
    for pair in name.rdns().flat_map(|rdn| rdn.pairs()) {
        let value = pair.value();
        assert!(value.octets().is_none_or(|octets| octets.len() <= bytes.len()));
    }
    let canonical = name.to_string();
    if canonical.len() <= dn::MAX_DN {
        let again = Dn::parse(canonical.as_bytes());
        assert_eq!(again, Ok(name));
        assert_eq!(again.map(|name| name.to_string()), Ok(canonical.clone()));
    }
}

/// Every function above.
pub fn all(bytes: &[u8]) {
    for exercise in [message, filter_text, names] {
        exercise(bytes);
    }
}

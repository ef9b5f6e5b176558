//! Content synchronization (RFC 4533): a client keeps a copy of the entries that a search finds.
//!
//! A copy has come to a change of the domain, which its cookie names. A client without cookie gets all entries; one with a
//! cookie gets those that have changed since and the UUIDs of the others, and takes what was not mentioned to be gone
//! ("present phase"). Then, if it wants to persist, it is told of every change.
//!
//! What the server computes from other entries, or from what is sent anyway, is not part of the content: `memberOf`,
//! `hasSubordinates`, `entryDN` and the like. Referrals are part of it as entries, whether or not the client has asked to
//! manage them; aliases are not followed. An entry whose DN has changed because one above it was renamed or moved has
//! changed.
//!
//! | module | holds |
//! |---|---|
//! | `cookie` | cookies |
//! | `touched` | the directories that changes concern |
//! | `refresh`, `persist` | both stages |

mod cookie;
mod persist;
mod refresh;
mod touched;

use std::sync::Arc;

use netinfo_directory::View;
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::control::sync::{
    SyncDone, SyncEntryState, SyncInfo, SyncMode, SyncRequest, SyncState, Uuid,
};
use netinfo_wire::ldap::response::IntermediateResponse;
use netinfo_wire::ldap::{
    EntryWriter, LdapResult, Message, MessageWriter, Payload, Response, ResultCode, SearchRequest, oid,
};

use self::cookie::{Content, Sent};
use self::persist::Telling;
use self::refresh::Refresh;
use super::ground::{Ground, Subject};
use super::reach::Reach;
use super::run::Search;
use super::special;
use super::start;
use crate::engine::{CountedCopy, Engine};
use crate::failure::{Failure, Outcome};
use crate::limits::SYNC_REFRESH;
use crate::operation::{Operation, Place};
use crate::step::{Page, Pages, Step};

/// What a filter of a copy may not name, in lower case: whether an entry matches changes when other entries do, which
/// nobody notices. The names of `memberOf`, and the rule "in chain".
const COMPUTED: [&str; 3] = ["memberof", "1.2.840.113556.1.2.102", "1.2.840.113556.1.4.1941"];

/// A copy that a client keeps.
pub(super) struct Mirror {
    /// What belongs to the content.
    search: Box<Search>,
    /// The snapshot that the copy has come to.
    seen: View<'static>,
    /// Number of the last change in it.
    sequence: u64,
    stage: Stage,
    persists: bool,
    content: Content,
    sent: Sent,
    engine: Arc<Engine>,
    /// Counts it.
    _counted: CountedCopy,
}

enum Stage {
    Refresh(Refresh),
    Waiting,
    Telling(Box<Telling>),
}

/// Begins to synchronize a copy.
///
/// # Errors
/// What the final response says instead of success.
pub(super) fn begin(
    operation: &Operation<'_, '_>,
    place: &Place,
    base: &Name<'_>,
    request: &SearchRequest<'_>,
    sync: &SyncRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    let refuse = |why: &'static str| Err(Failure::new(ResultCode::UnwillingToPerform, why));
    let controls = &operation.controls;
    if controls.paged.is_some() || controls.sort.is_some() || controls.vlv.is_some() {
        return refuse("a copy has no order and no pages");
    }
    let mut filter = Vec::with_capacity(request.filter.encoded_len());
    request.filter.encode(&mut filter);
    if COMPUTED.iter().any(|name| contains(&filter, name.as_bytes())) {
        return refuse("a copy cannot be of what follows from other entries");
    }
    let engine = operation.caller.engine.clone();
    let Some(counted) = engine.count_copy() else {
        return Err(Failure::new(ResultCode::Busy, "too many copies are being kept up to date"));
    };
    let seen = place.context.domain().snapshot(&place.session)?;
    let Some(mut search) = start::begin(operation, place, &seen, base, request, out)? else {
        return Ok(Step::Done);
    };
    if search.kinds.follow {
        return refuse("aliases are not followed for a copy");
    }
    search.kinds.manage = true;
    search.shown.lasting();
    let longest = u64::try_from(SYNC_REFRESH.as_millis()).unwrap_or(u64::MAX);
    search.limits.deadline = search.limits.deadline.min(operation.caller.now.saturating_add(longest));
    let content = content(operation, place, &seen, request, &filter)?;
    let sent = Sent::read(sync.cookie.unwrap_or_default(), content);
    let since = sent.sequence;
    let mut copy = Mirror {
        sequence: seen.sequence()?,
        search,
        seen,
        stage: Stage::Waiting,
        persists: sync.mode == SyncMode::RefreshAndPersist,
        content,
        sent,
        engine,
        _counted: counted,
    };
    copy.stage = Stage::Refresh(Refresh::new(&copy, since)?);
    Ok(Step::Pages(Pages(Box::new(move |now, out| copy.next(now, out)))))
}

/// Whether a text occurs, in any case.
fn contains(haystack: &[u8], lower: &[u8]) -> bool {
    haystack.windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower))
}

/// Everything that says which entries belong to the copy, and what of them.
fn content(
    operation: &Operation<'_, '_>,
    place: &Place,
    view: &View<'_>,
    request: &SearchRequest<'_>,
    filter: &[u8],
) -> Outcome<Content> {
    let attributes: Vec<u8> =
        request.attributes.into_iter().flat_map(|attribute| [attribute, b"\0"].concat()).collect();
    let base = request.base.to_ascii_lowercase();
    let scope = request.scope.code().to_be_bytes();
    let flags = [u8::from(request.types_only), u8::from(place.session.sees_secrets())];
    let who = operation.identity().dn.as_bytes();
    let suffix = place.namespace.suffix().as_bytes();
    Ok(Content::new([&view.uuid()?[..], suffix, &base, &scope, filter, &attributes, &flags, who]))
}

/// The entry of a directory, if it belongs to the content.
fn included<'s>(
    search: &Search,
    reach: &Reach,
    ground: &'s Ground<'_>,
    object: u32,
) -> Outcome<Option<Subject<'s>>> {
    let Some(subject) = ground.subject(object)? else { return Ok(None) };
    if !reach.takes_in(ground.view(), subject.record())? {
        return Ok(None);
    }
    let kind = special::of(subject.record());
    if !search.kinds.admit(kind, search.reach.scope()) || !search.filter.evaluate(&subject)?.is_true() {
        return Ok(None);
    }
    Ok(Some(subject))
}

/// Appends an entry and what has become of it.
fn write(
    search: &Search,
    ground: &Ground<'_>,
    subject: &Subject<'_>,
    state: SyncEntryState,
    uuid: Uuid,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let state = SyncState { state, uuid, cookie: None };
    search.shown.write_entry(ground, subject, search.id, out, |message| message.payload(false, &state))?;
    Ok(())
}

impl Mirror {
    /// Appends the next messages.
    fn next(&mut self, now: u64, out: &mut Vec<u8>) -> Page {
        let next = match &self.stage {
            Stage::Refresh(_) => self.refresh(now, out),
            Stage::Waiting => self.wait(),
            Stage::Telling(_) => self.tell(out),
        };
        next.unwrap_or_else(|failure| {
            failure.with(|result| Message::new(self.search.id, Response::SearchDone(result)).encode(out));
            Page::Last
        })
    }

    /// Bytes kept for it, about.
    fn size(&self) -> usize {
        size_of::<Self>() + self.search.size()
    }

    fn cookie(&self) -> Vec<u8> {
        self.sent.cookie(self.sequence, self.content)
    }

    /// Appends that an entry is gone.
    fn write_gone(&self, subject: &Subject<'_>, uuid: Uuid, out: &mut Vec<u8>) -> Outcome<()> {
        let dn = subject.dn()?;
        let mut message = EntryWriter::begin(out, self.search.id, dn.as_bytes()).end();
        message.payload(false, &SyncState { state: SyncEntryState::Delete, uuid, cookie: None });
        message.finish();
        Ok(())
    }

    /// Appends an intermediate message.
    fn inform(&self, info: &SyncInfo<'_>, out: &mut Vec<u8>) {
        let mut value = Vec::new();
        info.encode(&mut value);
        let response = IntermediateResponse { name: Some(oid::SYNC_INFO), value: Some(&value) };
        Message::new(self.search.id, Response::Intermediate(response)).encode(out);
    }

    /// Appends the final response: with the cookie, and whether what was not mentioned stays.
    fn finish(&self, code: ResultCode, done: Option<(&[u8], bool)>, out: &mut Vec<u8>) {
        let mut message = MessageWriter::begin(out, self.search.id);
        message.response(&Response::SearchDone(LdapResult::new(code, b"")));
        if let Some((cookie, refresh_deletes)) = done {
            message.payload(false, &SyncDone { cookie: Some(cookie), refresh_deletes });
        }
        message.finish();
    }
}

//! Content synchronization (RFC 4533).

use super::Payload;
use crate::ber::{self, Reader, Tag};
use crate::ldap::list::{Kind, List};
use crate::ldap::{Error, at, enumeration, oid};
use crate::redact::{Hidden, debug_fields};

/// Most entries that one sync info message names.
pub const MAX_SYNC_UUIDS: usize = 65_536;

const NEW_COOKIE: Tag = Tag::context(0);
const REFRESH_DELETE: Tag = Tag::context_constructed(1);
const REFRESH_PRESENT: Tag = Tag::context_constructed(2);
const SYNC_ID_SET: Tag = Tag::context_constructed(3);

/// An entry's `entryUUID`, as bytes.
pub type Uuid = [u8; 16];

enumeration! {
    /// What a client wants to be told.
    SyncMode, "sync mode" {
        /// What has changed until now.
        RefreshOnly = 1,
        /// That, and then every change.
        RefreshAndPersist = 3,
    }
}

/// Keep a copy up to date: the control of the search request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SyncRequest<'a> {
    /// For how long.
    pub mode: SyncMode,
    /// What the client has: the last cookie it got.
    pub cookie: Option<&'a [u8]>,
    /// Whether the client prefers to begin anew if the cookie is too old.
    pub reload_hint: bool,
}

debug_fields!(SyncRequest { mode: shown, cookie: hidden_option, reload_hint: shown });

impl<'a> Payload<'a> for SyncRequest<'a> {
    const OID: &'static str = oid::SYNC_REQUEST;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("sync request"))?;
        let mode = SyncMode::read_as(&mut r, Tag::ENUMERATED)?;
        let cookie = r.optional(Tag::OCTET_STRING).map_err(at("sync cookie"))?;
        let reload_hint = r.boolean_or(Tag::BOOLEAN, false).map_err(at("reloadHint"))?;
        r.finish_extensible().map_err(at("sync request"))?;
        Ok(Self { mode, cookie, reload_hint })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        self.mode.put_as(buf, Tag::ENUMERATED);
        put_cookie(buf, self.cookie);
        put_unless_default(buf, self.reload_hint, false);
        ber::end(buf, control);
    }
}

enumeration! {
    /// What has become of an entry.
    SyncEntryState, "state of the entry" {
        /// Unchanged.
        Present = 0,
        /// New.
        Add = 1,
        /// Changed.
        Modify = 2,
        /// Gone, or no longer found.
        Delete = 3,
    }
}

/// The control of each search result entry and reference.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SyncState<'a> {
    /// What has become of the entry.
    pub state: SyncEntryState,
    /// Which entry.
    pub uuid: Uuid,
    /// What the client has, with this entry.
    pub cookie: Option<&'a [u8]>,
}

debug_fields!(SyncState { state: shown, uuid: shown, cookie: hidden_option });

impl<'a> Payload<'a> for SyncState<'a> {
    const OID: &'static str = oid::SYNC_STATE;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("sync state"))?;
        let state = SyncEntryState::read_as(&mut r, Tag::ENUMERATED)?;
        let uuid = uuid(&mut r)?;
        let cookie = r.optional(Tag::OCTET_STRING).map_err(at("sync cookie"))?;
        r.finish_extensible().map_err(at("sync state"))?;
        Ok(Self { state, uuid, cookie })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        self.state.put_as(buf, Tag::ENUMERATED);
        ber::put(buf, Tag::OCTET_STRING, &self.uuid);
        put_cookie(buf, self.cookie);
        ber::end(buf, control);
    }
}

/// The control of the search result done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SyncDone<'a> {
    /// What the client has now.
    pub cookie: Option<&'a [u8]>,
    /// Whether what was not mentioned stays; else it is gone.
    pub refresh_deletes: bool,
}

debug_fields!(SyncDone { cookie: hidden_option, refresh_deletes: shown });

impl<'a> Payload<'a> for SyncDone<'a> {
    const OID: &'static str = oid::SYNC_DONE;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("sync done"))?;
        let cookie = r.optional(Tag::OCTET_STRING).map_err(at("sync cookie"))?;
        let refresh_deletes = r.boolean_or(Tag::BOOLEAN, false).map_err(at("refreshDeletes"))?;
        r.finish_extensible().map_err(at("sync done"))?;
        Ok(Self { cookie, refresh_deletes })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        put_cookie(buf, self.cookie);
        put_unless_default(buf, self.refresh_deletes, false);
        ber::end(buf, control);
    }
}

/// The intermediate response.
#[derive(Clone, Copy, PartialEq)]
pub enum SyncInfo<'a> {
    /// What the client has now.
    NewCookie(&'a [u8]),
    /// A phase that names what is gone ends.
    RefreshDelete {
        /// What the client has now.
        cookie: Option<&'a [u8]>,
        /// Whether the refresh is over.
        done: bool,
    },
    /// A phase that names what is there ends.
    RefreshPresent {
        /// What the client has now.
        cookie: Option<&'a [u8]>,
        /// Whether the refresh is over.
        done: bool,
    },
    /// Several entries at once.
    IdSet {
        /// What the client has now.
        cookie: Option<&'a [u8]>,
        /// Whether these are gone; else they are there.
        refresh_deletes: bool,
        /// Which entries.
        uuids: List<'a, UuidKind>,
    },
}

impl std::fmt::Debug for SyncInfo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NewCookie(cookie) => f.debug_tuple("NewCookie").field(&Hidden(cookie)).finish(),
            Self::RefreshDelete { done, .. } => f.debug_struct("RefreshDelete").field("done", done).finish(),
            Self::RefreshPresent { done, .. } => {
                f.debug_struct("RefreshPresent").field("done", done).finish()
            }
            Self::IdSet { refresh_deletes, uuids, .. } => f
                .debug_struct("IdSet")
                .field("refresh_deletes", refresh_deletes)
                .field("uuids", &uuids.len())
                .finish(),
        }
    }
}

impl<'a> Payload<'a> for SyncInfo<'a> {
    const OID: &'static str = oid::SYNC_INFO;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let (tag, contents) = Reader::new(value).element().map_err(at("sync info"))?;
        if tag == NEW_COOKIE {
            return Ok(Self::NewCookie(contents));
        }
        let mut r = Reader::new(contents);
        let cookie = r.optional(Tag::OCTET_STRING).map_err(at("sync cookie"))?;
        let mut flag = |what, default| r.boolean_or(Tag::BOOLEAN, default).map_err(at(what));
        let info = match tag {
            REFRESH_DELETE => Self::RefreshDelete { cookie, done: flag("refreshDone", true)? },
            REFRESH_PRESENT => Self::RefreshPresent { cookie, done: flag("refreshDone", true)? },
            SYNC_ID_SET => {
                let refresh_deletes = flag("refreshDeletes", false)?;
                Self::IdSet { cookie, refresh_deletes, uuids: List::read(&mut r, Tag::SET)? }
            }
            tag => return Err(Error::Number { what: "kind of sync info", number: tag.octet().into() }),
        };
        r.finish_extensible().map_err(at("sync info"))?;
        Ok(info)
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let (tag, cookie) = match self {
            Self::NewCookie(cookie) => return ber::put(buf, NEW_COOKIE, cookie),
            Self::RefreshDelete { cookie, .. } => (REFRESH_DELETE, cookie),
            Self::RefreshPresent { cookie, .. } => (REFRESH_PRESENT, cookie),
            Self::IdSet { cookie, .. } => (SYNC_ID_SET, cookie),
        };
        let info = ber::begin(buf, tag);
        put_cookie(buf, *cookie);
        match self {
            Self::RefreshDelete { done, .. } | Self::RefreshPresent { done, .. } => {
                put_unless_default(buf, *done, true);
            }
            Self::IdSet { refresh_deletes, uuids, .. } => {
                put_unless_default(buf, *refresh_deletes, false);
                uuids.encode(buf, Tag::SET);
            }
            Self::NewCookie(_) => {}
        }
        ber::end(buf, info);
    }
}

/// A [`Uuid`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum UuidKind {}

impl Kind for UuidKind {
    type Item<'a> = Uuid;

    const WHAT: &'static str = "UUIDs";
    const MAX: usize = MAX_SYNC_UUIDS;

    fn read(r: &mut Reader<'_>) -> Result<Uuid, Error> {
        uuid(r)
    }

    fn put(buf: &mut Vec<u8>, item: Uuid) {
        ber::put(buf, Tag::OCTET_STRING, &item);
    }

    fn show(item: &Uuid, to: &mut std::fmt::DebugList<'_, '_>) {
        to.entry(item);
    }
}

fn uuid(r: &mut Reader<'_>) -> Result<Uuid, Error> {
    let bytes = r.octets().map_err(at("UUID"))?;
    bytes.try_into().map_err(|_| Error::Invalid("UUID that is not of 16 bytes"))
}

fn put_cookie(buf: &mut Vec<u8>, cookie: Option<&[u8]>) {
    if let Some(cookie) = cookie {
        ber::put(buf, Tag::OCTET_STRING, cookie);
    }
}

fn put_unless_default(buf: &mut Vec<u8>, truth: bool, default: bool) {
    if truth != default {
        ber::put_boolean(buf, Tag::BOOLEAN, truth);
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;
    use crate::ldap::ListBuf;

    #[test]
    fn defaults_are_left_out() {
        assert_eq!(encoded(&SyncInfo::RefreshDelete { cookie: None, done: true }), b"\xa1\0");
        assert_eq!(encoded(&SyncInfo::RefreshPresent { cookie: None, done: false }), b"\xa2\x03\x01\x01\0");
        assert_eq!(encoded(&SyncDone { cookie: Some(b"c"), refresh_deletes: false }), b"\x30\x03\x04\x01c");
        let request = SyncRequest { mode: SyncMode::RefreshAndPersist, cookie: None, reload_hint: true };
        assert_eq!(encoded(&request), b"\x30\x06\x0a\x01\x03\x01\x01\xff");
        assert_eq!(SyncInfo::decode(b"\xa1\0"), Ok(SyncInfo::RefreshDelete { cookie: None, done: true }));
    }

    #[test]
    fn numbers_without_meaning() {
        assert!(SyncRequest::decode(b"\x30\x03\x0a\x01\x02").is_err());
        assert!(SyncInfo::decode(b"\xa4\0").is_err());
        let mut state = encoded(&SyncState { state: SyncEntryState::Delete, uuid: [7; 16], cookie: None });
        state[4] = 4;
        assert_eq!(SyncState::decode(&state), Err(Error::Number { what: "state of the entry", number: 4 }));
        assert_eq!(
            SyncState::decode(b"\x30\x07\x0a\x01\0\x04\x02ab"),
            Err(Error::Invalid("UUID that is not of 16 bytes"))
        );
    }

    #[test]
    fn id_sets_are_limited() {
        let set = |n: usize| {
            let uuids: ListBuf<UuidKind> = (0..n).map(|_| [1; 16]).collect();
            let info = SyncInfo::IdSet { cookie: None, refresh_deletes: true, uuids: uuids.as_list() };
            SyncInfo::decode(&encoded(&info)).map(|decoded| assert_eq!(decoded, info))
        };
        assert_eq!(set(MAX_SYNC_UUIDS), Ok(()));
        assert_eq!(set(MAX_SYNC_UUIDS + 1), Err(Error::TooMany { what: "UUIDs", limit: MAX_SYNC_UUIDS }));
    }
}

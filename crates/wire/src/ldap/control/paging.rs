//! Parts of a result: paged results (RFC 2696), server-side sorting (RFC 2891), virtual list views
//! (draft-ietf-ldapext-ldapv3-vlv-09).

use std::fmt::{self, DebugList};

use super::Payload;
use crate::ber::{self, Reader, Tag};
use crate::ldap::list::{Kind, List};
use crate::ldap::{Error, ResultCode, at, oid};
use crate::redact::{Hidden, debug_fields};

/// Most keys of one sort request.
pub const MAX_SORT_KEYS: usize = 16;

const SORT_RULE: Tag = Tag::context(0);
const SORT_REVERSE: Tag = Tag::context(1);
const SORT_ATTRIBUTE: Tag = Tag::context(0);
const BY_OFFSET: Tag = Tag::context_constructed(0);
const BY_VALUE: Tag = Tag::context(1);

/// Paged results: the request and the response control.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PagedResults<'a> {
    /// Request: entries wanted in this page. Response: estimated number of all, 0 if unknown.
    pub size: u32,
    /// Where to go on: what the server gave with the page before, empty at the beginning and the end.
    pub cookie: &'a [u8],
}

debug_fields!(PagedResults { size: shown, cookie: hidden });

impl<'a> Payload<'a> for PagedResults<'a> {
    const OID: &'static str = oid::PAGED_RESULTS;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("paged results"))?;
        let size = r.unsigned(Tag::INTEGER).map_err(at("page size"))?;
        let cookie = r.octets().map_err(at("page cookie"))?;
        r.finish_extensible().map_err(at("paged results"))?;
        Ok(Self { size, cookie })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::INTEGER, self.size.into());
        ber::put(buf, Tag::OCTET_STRING, self.cookie);
        ber::end(buf, control);
    }
}

/// What the result is sorted by, the most significant key first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SortRequest<'a> {
    /// The keys, at least one.
    pub keys: List<'a, SortKeyKind>,
}

impl<'a> Payload<'a> for SortRequest<'a> {
    const OID: &'static str = oid::SORT_REQUEST;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let keys: List<'_, SortKeyKind> = List::read(&mut Reader::new(value), Tag::SEQUENCE)?;
        if keys.is_empty() {
            return Err(Error::Invalid("sort request without keys"));
        }
        Ok(Self { keys })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.keys.encode(buf, Tag::SEQUENCE);
    }
}

/// An attribute to sort by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SortKey<'a> {
    /// Attribute description.
    pub attribute: &'a [u8],
    /// Ordering rule; the attribute's own if there is none.
    pub rule: Option<&'a [u8]>,
    /// The greatest first.
    pub reverse: bool,
}

debug_fields!(SortKey { attribute: text, rule: text_option, reverse: shown });

/// [`SortKey`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum SortKeyKind {}

impl Kind for SortKeyKind {
    type Item<'a> = SortKey<'a>;

    const WHAT: &'static str = "sort keys";
    const MAX: usize = MAX_SORT_KEYS;

    fn read<'a>(r: &mut Reader<'a>) -> Result<SortKey<'a>, Error> {
        let mut fields = r.nested(Tag::SEQUENCE).map_err(at("sort key"))?;
        let attribute = fields.octets().map_err(at("attribute of the sort key"))?;
        let rule = fields.optional(SORT_RULE).map_err(at("rule of the sort key"))?;
        let reverse = fields.boolean_or(SORT_REVERSE, false).map_err(at("order of the sort key"))?;
        fields.finish_extensible().map_err(at("sort key"))?;
        Ok(SortKey { attribute, rule, reverse })
    }

    fn put(buf: &mut Vec<u8>, item: SortKey<'_>) {
        let key = ber::begin(buf, Tag::SEQUENCE);
        ber::put(buf, Tag::OCTET_STRING, item.attribute);
        if let Some(rule) = item.rule {
            ber::put(buf, SORT_RULE, rule);
        }
        if item.reverse {
            ber::put_boolean(buf, SORT_REVERSE, true);
        }
        ber::end(buf, key);
    }

    fn show(item: &SortKey<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

/// Whether the result is sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SortResponse<'a> {
    /// `success` if it is.
    pub code: ResultCode,
    /// The first attribute it could not be sorted by.
    pub attribute: Option<&'a [u8]>,
}

debug_fields!(SortResponse { code: shown, attribute: text_option });

impl<'a> Payload<'a> for SortResponse<'a> {
    const OID: &'static str = oid::SORT_RESPONSE;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("sort response"))?;
        let code = ResultCode::from_code(r.enumerated().map_err(at("sort result"))?);
        let attribute = r.optional(SORT_ATTRIBUTE).map_err(at("attribute of the sort response"))?;
        r.finish_extensible().map_err(at("sort response"))?;
        Ok(Self { code, attribute })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::ENUMERATED, self.code.code().into());
        if let Some(attribute) = self.attribute {
            ber::put(buf, SORT_ATTRIBUTE, attribute);
        }
        ber::end(buf, control);
    }
}

/// A window onto a sorted result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VlvRequest<'a> {
    /// Entries wanted before the target.
    pub before: u32,
    /// Entries wanted after the target.
    pub after: u32,
    /// The target.
    pub target: VlvTarget<'a>,
    /// What the server gave with the window before.
    pub context: Option<&'a [u8]>,
}

debug_fields!(VlvRequest { before: shown, after: shown, target: shown, context: hidden_option });

/// Which entry a window is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VlvTarget<'a> {
    /// By its place.
    Offset {
        /// The place, from 1, out of `count`; 0 of any other count is the first.
        offset: u32,
        /// How many the client thinks there are; 0 stands for the server's own count.
        count: u32,
    },
    /// The first whose sort key is not less than this value.
    GreaterOrEqual(&'a [u8]),
}

impl fmt::Debug for VlvTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset { offset, count } => write!(f, "Offset({offset} of {count})"),
            Self::GreaterOrEqual(value) => f.debug_tuple("GreaterOrEqual").field(&Hidden(value)).finish(),
        }
    }
}

impl<'a> Payload<'a> for VlvRequest<'a> {
    const OID: &'static str = oid::VLV_REQUEST;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("list view request"))?;
        let before = r.unsigned(Tag::INTEGER).map_err(at("beforeCount"))?;
        let after = r.unsigned(Tag::INTEGER).map_err(at("afterCount"))?;
        let target = match r.element().map_err(at("target of the list view"))? {
            (BY_OFFSET, contents) => {
                let mut fields = Reader::new(contents);
                let offset = fields.unsigned(Tag::INTEGER).map_err(at("offset of the list view"))?;
                let count = fields.unsigned(Tag::INTEGER).map_err(at("contentCount"))?;
                fields.finish_extensible().map_err(at("target of the list view"))?;
                VlvTarget::Offset { offset, count }
            }
            (BY_VALUE, value) => VlvTarget::GreaterOrEqual(value),
            (tag, _) => {
                return Err(Error::Number { what: "target of the list view", number: tag.octet().into() });
            }
        };
        let context = r.optional(Tag::OCTET_STRING).map_err(at("context of the list view"))?;
        r.finish_extensible().map_err(at("list view request"))?;
        Ok(Self { before, after, target, context })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::INTEGER, self.before.into());
        ber::put_integer(buf, Tag::INTEGER, self.after.into());
        match self.target {
            VlvTarget::Offset { offset, count } => {
                let target = ber::begin(buf, BY_OFFSET);
                ber::put_integer(buf, Tag::INTEGER, offset.into());
                ber::put_integer(buf, Tag::INTEGER, count.into());
                ber::end(buf, target);
            }
            VlvTarget::GreaterOrEqual(value) => ber::put(buf, BY_VALUE, value),
        }
        if let Some(context) = self.context {
            ber::put(buf, Tag::OCTET_STRING, context);
        }
        ber::end(buf, control);
    }
}

/// Where a window lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VlvResponse<'a> {
    /// Place of the target, from 1.
    pub position: u32,
    /// How many there are.
    pub count: u32,
    /// How it went.
    pub code: ResultCode,
    /// To be sent back for the next window.
    pub context: Option<&'a [u8]>,
}

debug_fields!(VlvResponse { position: shown, count: shown, code: shown, context: hidden_option });

impl<'a> Payload<'a> for VlvResponse<'a> {
    const OID: &'static str = oid::VLV_RESPONSE;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("list view response"))?;
        let position = r.unsigned(Tag::INTEGER).map_err(at("targetPosition"))?;
        let count = r.unsigned(Tag::INTEGER).map_err(at("contentCount"))?;
        let code = ResultCode::from_code(r.enumerated().map_err(at("result of the list view"))?);
        let context = r.optional(Tag::OCTET_STRING).map_err(at("context of the list view"))?;
        r.finish_extensible().map_err(at("list view response"))?;
        Ok(Self { position, count, code, context })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::INTEGER, self.position.into());
        ber::put_integer(buf, Tag::INTEGER, self.count.into());
        ber::put_integer(buf, Tag::ENUMERATED, self.code.code().into());
        if let Some(context) = self.context {
            ber::put(buf, Tag::OCTET_STRING, context);
        }
        ber::end(buf, control);
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;
    use crate::ldap::ListBuf;

    #[test]
    fn known_bytes() {
        assert_eq!(encoded(&PagedResults { size: 1000, cookie: b"c" }), b"\x30\x07\x02\x02\x03\xe8\x04\x01c");
        let key = SortKey { attribute: b"cn", rule: Some(b"2.5.13.3"), reverse: true };
        let keys: ListBuf<SortKeyKind> = [key].into_iter().collect();
        assert_eq!(
            encoded(&SortRequest { keys: keys.as_list() }),
            b"\x30\x13\x30\x11\x04\x02cn\x80\x082.5.13.3\x81\x01\xff"
        );
        let target = VlvTarget::Offset { offset: 1, count: 0 };
        assert_eq!(
            encoded(&VlvRequest { before: 0, after: 9, target, context: None }),
            b"\x30\x0e\x02\x01\0\x02\x01\x09\xa0\x06\x02\x01\x01\x02\x01\0"
        );
    }

    #[test]
    fn sizes_are_not_negative() {
        assert!(PagedResults::decode(b"\x30\x05\x02\x01\xff\x04\0").is_err());
        assert!(VlvRequest::decode(b"\x30\x08\x02\x01\xff\x02\x01\0\x81\0").is_err());
        assert!(VlvRequest::decode(b"\x30\x08\x02\x01\0\x02\x01\0\x83\0").is_err());
    }

    #[test]
    fn sort_keys_are_limited() {
        let request = |n: usize| {
            let keys: ListBuf<SortKeyKind> =
                (0..n).map(|_| SortKey { attribute: b"cn", rule: None, reverse: false }).collect();
            SortRequest::decode(&encoded(&SortRequest { keys: keys.as_list() })).map(|_| ())
        };
        assert_eq!(request(0), Err(Error::Invalid("sort request without keys")));
        assert_eq!(request(MAX_SORT_KEYS), Ok(()));
        let error = Error::TooMany { what: "sort keys", limit: MAX_SORT_KEYS };
        assert_eq!(request(MAX_SORT_KEYS + 1), Err(error));
    }
}

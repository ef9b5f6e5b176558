//! What servers answer (RFC 4511 §4.1.9, §4.2.2, §4.5.2, §4.12, §4.13).

use super::attribute::Attributes;
use super::list::{List, ListBuf, octet_kind};
use super::{Error, MAX_URIS, ResultCode, at, oid, oid_text, request};
use crate::ber::{self, Reader, Tag};
use crate::redact::{Text, debug_fields};

/// Tags of the responses.
pub(super) mod tag {
    use crate::ber::Tag;

    pub(crate) const BIND: Tag = Tag::application_constructed(1);
    pub(crate) const SEARCH_ENTRY: Tag = Tag::application_constructed(4);
    pub(crate) const SEARCH_DONE: Tag = Tag::application_constructed(5);
    pub(crate) const MODIFY: Tag = Tag::application_constructed(7);
    pub(crate) const ADD: Tag = Tag::application_constructed(9);
    pub(crate) const DELETE: Tag = Tag::application_constructed(11);
    pub(crate) const MODIFY_DN: Tag = Tag::application_constructed(13);
    pub(crate) const COMPARE: Tag = Tag::application_constructed(15);
    pub(crate) const SEARCH_REFERENCE: Tag = Tag::application_constructed(19);
    pub(crate) const EXTENDED: Tag = Tag::application_constructed(24);
    pub(crate) const INTERMEDIATE: Tag = Tag::application_constructed(25);
}

const REFERRAL: Tag = Tag::context_constructed(3);
const SERVER_CREDENTIALS: Tag = Tag::context(7);
const RESPONSE_NAME: Tag = Tag::context(10);
const RESPONSE_VALUE: Tag = Tag::context(11);
const INTERMEDIATE_NAME: Tag = Tag::context(0);
const INTERMEDIATE_VALUE: Tag = Tag::context(1);

octet_kind! {
    /// LDAP URLs of other servers.
    pub UriKind, "URIs", MAX_URIS, Text
}

/// Where to ask instead, any of these.
pub type Uris<'a> = List<'a, UriKind>;

/// [`Uris`] to be filled.
pub type UrisBuf = ListBuf<UriKind>;

/// A response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Response<'a> {
    /// To a bind.
    Bind(BindResponse<'a>),
    /// One entry of a search.
    SearchEntry(SearchEntry<'a>),
    /// Another place to continue a search at.
    SearchReference(Uris<'a>),
    /// The end of a search.
    SearchDone(LdapResult<'a>),
    /// To a modify.
    Modify(LdapResult<'a>),
    /// To an add.
    Add(LdapResult<'a>),
    /// To a delete.
    Delete(LdapResult<'a>),
    /// To a modify DN.
    ModifyDn(LdapResult<'a>),
    /// To a compare.
    Compare(LdapResult<'a>),
    /// To an extended request, or an unsolicited notification.
    Extended(ExtendedResponse<'a>),
    /// Before the real response.
    Intermediate(IntermediateResponse<'a>),
}

/// How an operation went (`LDAPResult`).
#[derive(Clone, Copy, PartialEq, Default)]
pub struct LdapResult<'a> {
    /// The result code.
    pub code: ResultCode,
    /// DN of the nearest entry that exists, for `noSuchObject` and its like.
    pub matched_dn: &'a [u8],
    /// What to tell a person.
    pub message: &'a [u8],
    /// Where to ask instead, for `referral`.
    pub referral: Option<Uris<'a>>,
}

debug_fields!(LdapResult { code: shown, matched_dn: hidden, message: hidden, referral: shown });

/// The response to a bind.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct BindResponse<'a> {
    /// How it went.
    pub result: LdapResult<'a>,
    /// What the SASL mechanism sends.
    pub server_credentials: Option<&'a [u8]>,
}

debug_fields!(BindResponse { result: shown, server_credentials: hidden_option });

/// An entry found.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct SearchEntry<'a> {
    /// Its DN.
    pub dn: &'a [u8],
    /// Those of its attributes that were asked for and may be seen.
    pub attributes: Attributes<'a>,
}

debug_fields!(SearchEntry { dn: hidden, attributes: shown });

/// The response to an extended request.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct ExtendedResponse<'a> {
    /// How it went.
    pub result: LdapResult<'a>,
    /// Which operation.
    pub name: Option<&'a str>,
    /// What it returns; see [`super::extended`].
    pub value: Option<&'a [u8]>,
}

debug_fields!(ExtendedResponse { result: shown, name: shown, value: hidden_option });

/// A message before the real response.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct IntermediateResponse<'a> {
    /// Which kind.
    pub name: Option<&'a str>,
    /// What it says.
    pub value: Option<&'a [u8]>,
}

debug_fields!(IntermediateResponse { name: shown, value: hidden_option });

impl<'a> LdapResult<'a> {
    /// A result with this code and this text for people.
    pub const fn new(code: ResultCode, message: &'a [u8]) -> Self {
        Self { code, matched_dn: b"", message, referral: None }
    }

    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let code = ResultCode::from_code(r.enumerated().map_err(at("result code"))?);
        let matched_dn = r.octets().map_err(at("matched DN"))?;
        let message = r.octets().map_err(at("diagnostic message"))?;
        Ok(Self { code, matched_dn, message, referral: Uris::read_optional(r, REFERRAL)? })
    }

    fn put(&self, buf: &mut Vec<u8>) {
        ber::put_integer(buf, Tag::ENUMERATED, self.code.code().into());
        ber::put(buf, Tag::OCTET_STRING, self.matched_dn);
        ber::put(buf, Tag::OCTET_STRING, self.message);
        if let Some(referral) = self.referral {
            referral.encode(buf, REFERRAL);
        }
    }
}

impl<'a> SearchEntry<'a> {
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let dn = r.octets().map_err(at("DN of the entry"))?;
        Ok(Self { dn, attributes: Attributes::read(r, Tag::SEQUENCE)? })
    }

    pub(super) fn put(&self, buf: &mut Vec<u8>) {
        ber::put(buf, Tag::OCTET_STRING, self.dn);
        self.attributes.encode(buf, Tag::SEQUENCE);
    }
}

impl<'a> ExtendedResponse<'a> {
    /// The notice of disconnection (RFC 4511 §4.4.1), sent with message id 0 before the server closes
    /// a connection: `protocolError`, `strongerAuthRequired` or `unavailable`, and why.
    pub const fn notice_of_disconnection(code: ResultCode, message: &'a [u8]) -> Self {
        let result = LdapResult::new(code, message);
        Self { result, name: Some(oid::NOTICE_OF_DISCONNECTION), value: None }
    }
}

impl<'a> Response<'a> {
    /// The response that ends the operation whose request has this tag; `None` for requests without a
    /// response and for what is no request. A bind, extended or search request that cannot be decoded
    /// is answered so.
    pub fn to_request(tag: Tag, result: LdapResult<'a>) -> Option<Self> {
        match tag {
            request::tag::BIND => Some(Self::Bind(BindResponse { result, server_credentials: None })),
            request::tag::SEARCH => Some(Self::SearchDone(result)),
            request::tag::MODIFY => Some(Self::Modify(result)),
            request::tag::ADD => Some(Self::Add(result)),
            request::tag::DELETE => Some(Self::Delete(result)),
            request::tag::MODIFY_DN => Some(Self::ModifyDn(result)),
            request::tag::COMPARE => Some(Self::Compare(result)),
            request::tag::EXTENDED => {
                Some(Self::Extended(ExtendedResponse { result, ..ExtendedResponse::default() }))
            }
            _ => None,
        }
    }

    /// The result, of those responses that end an operation.
    pub const fn result(&self) -> Option<&LdapResult<'a>> {
        match self {
            Self::Bind(bind) => Some(&bind.result),
            Self::Extended(extended) => Some(&extended.result),
            Self::SearchDone(result)
            | Self::Modify(result)
            | Self::Add(result)
            | Self::Delete(result)
            | Self::ModifyDn(result)
            | Self::Compare(result) => Some(result),
            Self::SearchEntry(_) | Self::SearchReference(_) | Self::Intermediate(_) => None,
        }
    }

    /// Decodes the operation with this tag from what is inside it.
    ///
    /// # Errors
    /// [`Error::Operation`] if no response has this tag; else [`Error`] about a part.
    pub fn decode(tag: Tag, contents: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(contents);
        let response = match tag {
            tag::BIND => {
                let result = LdapResult::read(&mut r)?;
                let server_credentials = r.optional(SERVER_CREDENTIALS).map_err(at("server credentials"))?;
                Self::Bind(BindResponse { result, server_credentials })
            }
            tag::SEARCH_ENTRY => Self::SearchEntry(SearchEntry::read(&mut r)?),
            tag::SEARCH_REFERENCE => return Uris::decode(contents).map(Self::SearchReference),
            tag::SEARCH_DONE => Self::SearchDone(LdapResult::read(&mut r)?),
            tag::MODIFY => Self::Modify(LdapResult::read(&mut r)?),
            tag::ADD => Self::Add(LdapResult::read(&mut r)?),
            tag::DELETE => Self::Delete(LdapResult::read(&mut r)?),
            tag::MODIFY_DN => Self::ModifyDn(LdapResult::read(&mut r)?),
            tag::COMPARE => Self::Compare(LdapResult::read(&mut r)?),
            tag::EXTENDED => {
                let result = LdapResult::read(&mut r)?;
                let name = r.optional(RESPONSE_NAME).map_err(at("name of the extended response"))?;
                let value = r.optional(RESPONSE_VALUE).map_err(at("value of the extended response"))?;
                Self::Extended(ExtendedResponse { result, name: name.map(oid_text).transpose()?, value })
            }
            tag::INTERMEDIATE => {
                let name = r.optional(INTERMEDIATE_NAME).map_err(at("name of the intermediate response"))?;
                let value =
                    r.optional(INTERMEDIATE_VALUE).map_err(at("value of the intermediate response"))?;
                Self::Intermediate(IntermediateResponse { name: name.map(oid_text).transpose()?, value })
            }
            tag => return Err(Error::Operation(tag)),
        };
        r.finish_extensible().map_err(at("response"))?;
        Ok(response)
    }

    /// Appends the operation.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        let response = ber::begin(buf, self.tag());
        if let Some(result) = self.result() {
            result.put(buf);
        }
        let mut optional = |tag, value: Option<&[u8]>| {
            if let Some(value) = value {
                ber::put(buf, tag, value);
            }
        };
        match self {
            Self::Bind(bind) => optional(SERVER_CREDENTIALS, bind.server_credentials),
            Self::Extended(extended) => {
                optional(RESPONSE_NAME, extended.name.map(str::as_bytes));
                optional(RESPONSE_VALUE, extended.value);
            }
            Self::Intermediate(intermediate) => {
                optional(INTERMEDIATE_NAME, intermediate.name.map(str::as_bytes));
                optional(INTERMEDIATE_VALUE, intermediate.value);
            }
            Self::SearchEntry(entry) => entry.put(buf),
            Self::SearchReference(uris) => buf.extend_from_slice(uris.raw()),
            _ => {}
        }
        ber::end(buf, response);
    }

    /// The tag of the operation.
    pub const fn tag(&self) -> Tag {
        match self {
            Self::Bind(_) => tag::BIND,
            Self::SearchEntry(_) => tag::SEARCH_ENTRY,
            Self::SearchReference(_) => tag::SEARCH_REFERENCE,
            Self::SearchDone(_) => tag::SEARCH_DONE,
            Self::Modify(_) => tag::MODIFY,
            Self::Add(_) => tag::ADD,
            Self::Delete(_) => tag::DELETE,
            Self::ModifyDn(_) => tag::MODIFY_DN,
            Self::Compare(_) => tag::COMPARE,
            Self::Extended(_) => tag::EXTENDED,
            Self::Intermediate(_) => tag::INTERMEDIATE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_limited() {
        assert!(Uris::decode(&b"\x04\0".repeat(MAX_URIS)).is_ok());
        let error = Error::TooMany { what: "URIs", limit: MAX_URIS };
        assert_eq!(Uris::decode(&b"\x04\0".repeat(MAX_URIS + 1)), Err(error));
    }

    #[test]
    fn every_request_with_an_answer_has_one_with_its_result() {
        let result = LdapResult::new(ResultCode::Busy, b"later");
        let answered: Vec<_> = (0..=30)
            .flat_map(|number| [Tag::application(number), Tag::application_constructed(number)])
            .filter_map(|tag| Some((tag.number(), Response::to_request(tag, result)?)))
            .collect();
        let numbers: Vec<_> = answered.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 3, 6, 8, 10, 12, 14, 23]);
        for (number, response) in answered {
            assert_eq!(response.result(), Some(&result));
            // Responses follow their requests, but for the search, which has three.
            assert_eq!(response.tag().number(), number + if number == 3 { 2 } else { 1 });
        }
    }

    #[test]
    fn what_entries_and_results_say_is_not_shown() {
        let result = LdapResult { matched_dn: b"hidden", ..LdapResult::new(ResultCode::Success, b"hidden") };
        let entry = SearchEntry { dn: b"hidden", attributes: Attributes::EMPTY };
        let bind = BindResponse { result, server_credentials: Some(b"hidden") };
        let extended = ExtendedResponse { result, name: Some("1.2"), value: Some(b"hidden") };
        let text = format!("{entry:?} {bind:?} {extended:?}");
        assert!(!text.contains("hidden") && !text.contains("104, 105") && text.contains("1.2"), "{text}");
    }
}

//! What clients ask (RFC 4511 §4.2 to §4.12).

mod bind;
mod search;

pub use bind::{Authentication, BindRequest, VERSION};
pub use search::{DerefAliases, Scope, SearchRequest};

use super::attribute::{Attributes, Modifications};
use super::filter::Assertion;
use super::{Error, at, oid_text};
use crate::ber::{self, Reader, Tag};
use crate::redact::debug_fields;

/// Tags of the requests.
pub(super) mod tag {
    use crate::ber::Tag;

    pub(crate) const BIND: Tag = Tag::application_constructed(0);
    pub(crate) const UNBIND: Tag = Tag::application(2);
    pub(crate) const SEARCH: Tag = Tag::application_constructed(3);
    pub(crate) const MODIFY: Tag = Tag::application_constructed(6);
    pub(crate) const ADD: Tag = Tag::application_constructed(8);
    pub(crate) const DELETE: Tag = Tag::application(10);
    pub(crate) const MODIFY_DN: Tag = Tag::application_constructed(12);
    pub(crate) const COMPARE: Tag = Tag::application_constructed(14);
    pub(crate) const ABANDON: Tag = Tag::application(16);
    pub(crate) const EXTENDED: Tag = Tag::application_constructed(23);
}

const NEW_SUPERIOR: Tag = Tag::context(0);
const REQUEST_NAME: Tag = Tag::context(0);
const REQUEST_VALUE: Tag = Tag::context(1);

/// A request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request<'a> {
    /// Authenticate.
    Bind(BindRequest<'a>),
    /// Close the connection; there is no response.
    Unbind,
    /// Find entries.
    Search(SearchRequest<'a>),
    /// Change the attributes of an entry.
    Modify(ModifyRequest<'a>),
    /// Create an entry.
    Add(AddRequest<'a>),
    /// Delete an entry.
    Delete(DeleteRequest<'a>),
    /// Rename or move an entry.
    ModifyDn(ModifyDnRequest<'a>),
    /// Ask whether an entry has a value.
    Compare(CompareRequest<'a>),
    /// Give up the operation with this message id; there is no response.
    Abandon(u32),
    /// Anything else.
    Extended(ExtendedRequest<'a>),
}

/// Changes to one entry, done together or not at all.
#[derive(Clone, Copy, PartialEq)]
pub struct ModifyRequest<'a> {
    /// DN of the entry.
    pub dn: &'a [u8],
    /// The changes, in order.
    pub changes: Modifications<'a>,
}

debug_fields!(ModifyRequest { dn: hidden, changes: shown });

/// A new entry.
#[derive(Clone, Copy, PartialEq)]
pub struct AddRequest<'a> {
    /// Its DN.
    pub dn: &'a [u8],
    /// Its attributes.
    pub attributes: Attributes<'a>,
}

debug_fields!(AddRequest { dn: hidden, attributes: shown });

/// An entry to delete.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeleteRequest<'a> {
    /// Its DN.
    pub dn: &'a [u8],
}

debug_fields!(DeleteRequest { dn: hidden });

/// A new name for an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ModifyDnRequest<'a> {
    /// DN of the entry.
    pub dn: &'a [u8],
    /// Its new RDN.
    pub new_rdn: &'a [u8],
    /// Whether the old naming values are deleted from the entry.
    pub delete_old_rdn: bool,
    /// DN of its new parent, if it moves.
    pub new_superior: Option<&'a [u8]>,
}

debug_fields!(ModifyDnRequest {
    dn: hidden,
    new_rdn: hidden,
    delete_old_rdn: shown,
    new_superior: hidden_option,
});

/// A value that an entry may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompareRequest<'a> {
    /// DN of the entry.
    pub dn: &'a [u8],
    /// Attribute and value.
    pub assertion: Assertion<'a>,
}

debug_fields!(CompareRequest { dn: hidden, assertion: shown });

/// An operation by its object identifier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExtendedRequest<'a> {
    /// Which operation.
    pub name: &'a str,
    /// Its arguments; see [`super::extended`].
    pub value: Option<&'a [u8]>,
}

debug_fields!(ExtendedRequest { name: shown, value: hidden_option });

impl<'a> Request<'a> {
    /// Decodes the operation with this tag from what is inside it.
    ///
    /// # Errors
    /// [`Error::Operation`] if no request has this tag; else [`Error`] about a part.
    pub fn decode(tag: Tag, contents: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(contents);
        let request = match tag {
            tag::BIND => Self::Bind(BindRequest::read(&mut r)?),
            tag::SEARCH => Self::Search(SearchRequest::read(&mut r)?),
            tag::MODIFY => {
                let dn = r.octets().map_err(at("entry to modify"))?;
                Self::Modify(ModifyRequest { dn, changes: Modifications::read(&mut r, Tag::SEQUENCE)? })
            }
            tag::ADD => {
                let dn = r.octets().map_err(at("entry to add"))?;
                Self::Add(AddRequest { dn, attributes: Attributes::read(&mut r, Tag::SEQUENCE)? })
            }
            tag::MODIFY_DN => Self::ModifyDn(ModifyDnRequest::read(&mut r).map_err(at("modify DN request"))?),
            tag::COMPARE => {
                let dn = r.octets().map_err(at("entry to compare"))?;
                let assertion = r.contents(Tag::SEQUENCE).map_err(at("assertion"))?;
                Self::Compare(CompareRequest { dn, assertion: Assertion::decode(assertion)? })
            }
            tag::EXTENDED => Self::Extended(ExtendedRequest::read(&mut r)?),
            // What follows has no elements inside: the contents are the value.
            tag::UNBIND => return Ok(Self::Unbind),
            tag::DELETE => return Ok(Self::Delete(DeleteRequest { dn: contents })),
            tag::ABANDON => return ber::unsigned(contents).map(Self::Abandon).map_err(at("abandoned id")),
            tag => return Err(Error::Operation(tag)),
        };
        r.finish_extensible().map_err(at("request"))?;
        Ok(request)
    }

    /// Appends the operation.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Unbind => return ber::put_null(buf, tag::UNBIND),
            Self::Delete(delete) => return ber::put(buf, tag::DELETE, delete.dn),
            Self::Abandon(id) => return ber::put_integer(buf, tag::ABANDON, (*id).into()),
            _ => {}
        }
        let request = ber::begin(buf, self.tag());
        match self {
            Self::Bind(bind) => bind.put(buf),
            Self::Search(search) => search.put(buf),
            Self::Modify(modify) => {
                ber::put(buf, Tag::OCTET_STRING, modify.dn);
                modify.changes.encode(buf, Tag::SEQUENCE);
            }
            Self::Add(add) => {
                ber::put(buf, Tag::OCTET_STRING, add.dn);
                add.attributes.encode(buf, Tag::SEQUENCE);
            }
            Self::ModifyDn(rename) => rename.put(buf),
            Self::Compare(compare) => {
                ber::put(buf, Tag::OCTET_STRING, compare.dn);
                compare.assertion.encode(buf, Tag::SEQUENCE);
            }
            Self::Extended(extended) => extended.put(buf),
            Self::Unbind | Self::Delete(_) | Self::Abandon(_) => {}
        }
        ber::end(buf, request);
    }

    /// The tag of the operation.
    pub const fn tag(&self) -> Tag {
        match self {
            Self::Bind(_) => tag::BIND,
            Self::Unbind => tag::UNBIND,
            Self::Search(_) => tag::SEARCH,
            Self::Modify(_) => tag::MODIFY,
            Self::Add(_) => tag::ADD,
            Self::Delete(_) => tag::DELETE,
            Self::ModifyDn(_) => tag::MODIFY_DN,
            Self::Compare(_) => tag::COMPARE,
            Self::Abandon(_) => tag::ABANDON,
            Self::Extended(_) => tag::EXTENDED,
        }
    }
}

impl<'a> ModifyDnRequest<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, ber::Error> {
        Ok(Self {
            dn: r.octets()?,
            new_rdn: r.octets()?,
            delete_old_rdn: r.boolean(Tag::BOOLEAN)?,
            new_superior: r.optional(NEW_SUPERIOR)?,
        })
    }

    fn put(&self, buf: &mut Vec<u8>) {
        ber::put(buf, Tag::OCTET_STRING, self.dn);
        ber::put(buf, Tag::OCTET_STRING, self.new_rdn);
        ber::put_boolean(buf, Tag::BOOLEAN, self.delete_old_rdn);
        if let Some(superior) = self.new_superior {
            ber::put(buf, NEW_SUPERIOR, superior);
        }
    }
}

impl<'a> ExtendedRequest<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let name = oid_text(r.contents(REQUEST_NAME).map_err(at("name of the extended request"))?)?;
        let value = r.optional(REQUEST_VALUE).map_err(at("value of the extended request"))?;
        Ok(Self { name, value })
    }

    fn put(&self, buf: &mut Vec<u8>) {
        ber::put(buf, REQUEST_NAME, self.name.as_bytes());
        if let Some(value) = self.value {
            ber::put(buf, REQUEST_VALUE, value);
        }
    }
}

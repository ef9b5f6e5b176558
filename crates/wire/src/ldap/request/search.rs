//! Search (RFC 4511 §4.5.1).

use crate::ber::{self, Reader, Tag};
use crate::ldap::attribute::Selection;
use crate::ldap::filter::Filter;
use crate::ldap::{Error, at, enumeration};
use crate::redact::debug_fields;

enumeration! {
    /// How far below the base a search goes.
    Scope, "search scope" {
        /// The base itself.
        Base = 0,
        /// Its children.
        One = 1,
        /// The base and all below.
        Subtree = 2,
        /// All below, without the base (draft-sermersheim-ldap-subordinate-scope).
        Subordinate = 3,
    }
}

enumeration! {
    /// When aliases are followed.
    #[derive(Default)]
    DerefAliases, "alias handling" {
        /// Not at all.
        #[default]
        Never = 0,
        /// Below the base.
        InSearching = 1,
        /// To find the base.
        FindingBase = 2,
        /// Always.
        Always = 3,
    }
}

/// Which entries a client wants, and what of them.
#[derive(Clone, Copy, PartialEq)]
pub struct SearchRequest<'a> {
    /// DN of the base.
    pub base: &'a [u8],
    /// How far below it.
    pub scope: Scope,
    /// When aliases are followed.
    pub deref: DerefAliases,
    /// Most entries to return; 0 is the server's own limit.
    pub size_limit: u32,
    /// Longest time to take, in seconds; 0 is the server's own limit.
    pub time_limit: u32,
    /// Return attribute descriptions without values.
    pub types_only: bool,
    /// Which entries.
    pub filter: Filter<'a>,
    /// Which attributes.
    pub attributes: Selection<'a>,
}

debug_fields!(SearchRequest {
    base: hidden,
    scope: shown,
    deref: shown,
    size_limit: shown,
    time_limit: shown,
    types_only: shown,
    filter: shown,
    attributes: shown,
});

impl<'a> SearchRequest<'a> {
    /// All user attributes of the entries that match, without limits.
    pub const fn new(base: &'a [u8], scope: Scope, filter: Filter<'a>) -> Self {
        Self {
            base,
            scope,
            deref: DerefAliases::Never,
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            filter,
            attributes: Selection::EMPTY,
        }
    }
}

impl<'a> SearchRequest<'a> {
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let base = r.octets().map_err(at("search base"))?;
        Ok(Self {
            base,
            scope: Scope::read_as(r, Tag::ENUMERATED)?,
            deref: DerefAliases::read_as(r, Tag::ENUMERATED)?,
            size_limit: r.unsigned(Tag::INTEGER).map_err(at("size limit"))?,
            time_limit: r.unsigned(Tag::INTEGER).map_err(at("time limit"))?,
            types_only: r.boolean(Tag::BOOLEAN).map_err(at("typesOnly"))?,
            filter: Filter::read(r)?,
            attributes: Selection::read(r, Tag::SEQUENCE)?,
        })
    }

    pub(super) fn put(&self, buf: &mut Vec<u8>) {
        ber::put(buf, Tag::OCTET_STRING, self.base);
        self.scope.put_as(buf, Tag::ENUMERATED);
        self.deref.put_as(buf, Tag::ENUMERATED);
        ber::put_integer(buf, Tag::INTEGER, self.size_limit.into());
        ber::put_integer(buf, Tag::INTEGER, self.time_limit.into());
        ber::put_boolean(buf, Tag::BOOLEAN, self.types_only);
        self.filter.encode(buf);
        self.attributes.encode(buf, Tag::SEQUENCE);
    }
}

//! Dereference (draft-masarati-ldap-deref-00): attributes of the entries that an attribute names are
//! returned together with the entry that names them.

use std::fmt::DebugList;

use super::Payload;
use crate::ber::{self, Reader, Tag};
use crate::ldap::attribute::{Attributes, Selection};
use crate::ldap::list::{Kind, List};
use crate::ldap::{Error, MAX_VALUES, at, oid};
use crate::redact::debug_fields;

/// Most attributes that one request dereferences.
pub const MAX_DEREF_SPECS: usize = 16;

const ATTRIBUTES: Tag = Tag::context_constructed(0);

/// The control of the search request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DerefRequest<'a> {
    /// What to dereference, at least one.
    pub specs: List<'a, DerefSpecKind>,
}

impl<'a> Payload<'a> for DerefRequest<'a> {
    const OID: &'static str = oid::DEREF;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let specs: List<'_, DerefSpecKind> = List::read(&mut Reader::new(value), Tag::SEQUENCE)?;
        if specs.is_empty() {
            return Err(Error::Invalid("dereference request without attributes"));
        }
        Ok(Self { specs })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.specs.encode(buf, Tag::SEQUENCE);
    }
}

/// One attribute to dereference.
#[derive(Clone, Copy, PartialEq)]
pub struct DerefSpec<'a> {
    /// The attribute, whose values are DNs.
    pub attribute: &'a [u8],
    /// What to return of the entries it names.
    pub attributes: Selection<'a>,
}

debug_fields!(DerefSpec { attribute: text, attributes: shown });

/// [`DerefSpec`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum DerefSpecKind {}

impl Kind for DerefSpecKind {
    type Item<'a> = DerefSpec<'a>;

    const WHAT: &'static str = "attributes to dereference";
    const MAX: usize = MAX_DEREF_SPECS;

    fn read<'a>(r: &mut Reader<'a>) -> Result<DerefSpec<'a>, Error> {
        let mut fields = r.nested(Tag::SEQUENCE).map_err(at("attribute to dereference"))?;
        let attribute = fields.octets().map_err(at("attribute to dereference"))?;
        let attributes = Selection::read(&mut fields, Tag::SEQUENCE)?;
        fields.finish_extensible().map_err(at("attribute to dereference"))?;
        Ok(DerefSpec { attribute, attributes })
    }

    fn put(buf: &mut Vec<u8>, item: DerefSpec<'_>) {
        let spec = ber::begin(buf, Tag::SEQUENCE);
        ber::put(buf, Tag::OCTET_STRING, item.attribute);
        item.attributes.encode(buf, Tag::SEQUENCE);
        ber::end(buf, spec);
    }

    fn show(item: &DerefSpec<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

/// The control of a search result entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DerefResponse<'a> {
    /// The entries that this entry's attributes name.
    pub results: List<'a, DerefResultKind>,
}

impl<'a> Payload<'a> for DerefResponse<'a> {
    const OID: &'static str = oid::DEREF;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { results: List::read(&mut Reader::new(value), Tag::SEQUENCE)? })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.results.encode(buf, Tag::SEQUENCE);
    }
}

/// One entry that an attribute names.
#[derive(Clone, Copy, PartialEq)]
pub struct DerefResult<'a> {
    /// The attribute.
    pub attribute: &'a [u8],
    /// DN of the entry.
    pub dn: &'a [u8],
    /// Its attributes; empty if it does not exist or may not be seen.
    pub attributes: Attributes<'a>,
}

debug_fields!(DerefResult { attribute: text, dn: hidden, attributes: shown });

/// [`DerefResult`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum DerefResultKind {}

impl Kind for DerefResultKind {
    type Item<'a> = DerefResult<'a>;

    const WHAT: &'static str = "dereferenced entries";
    const MAX: usize = MAX_VALUES;

    fn read<'a>(r: &mut Reader<'a>) -> Result<DerefResult<'a>, Error> {
        let mut fields = r.nested(Tag::SEQUENCE).map_err(at("dereferenced entry"))?;
        let attribute = fields.octets().map_err(at("dereferenced attribute"))?;
        let dn = fields.octets().map_err(at("DN of the dereferenced entry"))?;
        let attributes = Attributes::read_optional(&mut fields, ATTRIBUTES)?.unwrap_or_default();
        fields.finish_extensible().map_err(at("dereferenced entry"))?;
        Ok(DerefResult { attribute, dn, attributes })
    }

    fn put(buf: &mut Vec<u8>, item: DerefResult<'_>) {
        let result = ber::begin(buf, Tag::SEQUENCE);
        ber::put(buf, Tag::OCTET_STRING, item.attribute);
        ber::put(buf, Tag::OCTET_STRING, item.dn);
        if !item.attributes.is_empty() {
            item.attributes.encode(buf, ATTRIBUTES);
        }
        ber::end(buf, result);
    }

    fn show(item: &DerefResult<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;
    use crate::ldap::ListBuf;

    #[test]
    fn requests_are_limited() {
        let request = |n: usize| {
            let spec = DerefSpec { attribute: b"member", attributes: Selection::EMPTY };
            let specs: ListBuf<DerefSpecKind> = std::iter::repeat_n(spec, n).collect();
            DerefRequest::decode(&encoded(&DerefRequest { specs: specs.as_list() })).map(|_| ())
        };
        assert_eq!(request(0), Err(Error::Invalid("dereference request without attributes")));
        assert_eq!(request(MAX_DEREF_SPECS), Ok(()));
        let error = Error::TooMany { what: "attributes to dereference", limit: MAX_DEREF_SPECS };
        assert_eq!(request(MAX_DEREF_SPECS + 1), Err(error));
    }

    #[test]
    fn attributes_of_a_result_may_be_left_out() {
        let result = DerefResult { attribute: b"member", dn: b"cn=x", attributes: Attributes::EMPTY };
        let results: ListBuf<DerefResultKind> = [result].into_iter().collect();
        let bytes = encoded(&DerefResponse { results: results.as_list() });
        assert_eq!(bytes, b"\x30\x10\x30\x0e\x04\x06member\x04\x04cn=x");
        assert_eq!(DerefResponse::decode(&bytes).unwrap().results.iter().next(), Some(result));
    }
}

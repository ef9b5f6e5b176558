//! The filter of the matched values control (RFC 3876 §2): a list of simple items, any of which a value
//! must match to be returned.

use std::fmt::{self, DebugList};

use super::{Filter, MAX_FILTER_BYTES, MAX_FILTER_NODES, Node};
use crate::ber::{Reader, Tag};
use crate::ldap::list::{Kind, List, ListBuf};
use crate::ldap::{Error, Payload, oid};

/// Items that are neither and, or, nor not, and whose extensible matches do not ask for DN attributes.
#[derive(Clone, Copy, PartialEq)]
pub struct ValuesFilter<'a> {
    /// The items, at least one.
    pub items: List<'a, ItemKind>,
}

impl fmt::Debug for ValuesFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValuesFilter").field("items", &self.items).finish()
    }
}

impl<'a> Payload<'a> for ValuesFilter<'a> {
    const OID: &'static str = oid::MATCHED_VALUES;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        if value.len() > MAX_FILTER_BYTES {
            return Err(Error::TooLong { what: "matched values filter", limit: MAX_FILTER_BYTES });
        }
        let mut r = Reader::new(value);
        let items: List<'_, ItemKind> = List::read(&mut r, Tag::SEQUENCE)?;
        r.finish().map_err(super::at("matched values"))?;
        if items.is_empty() {
            return Err(Error::Invalid("matched values filter without items"));
        }
        Ok(Self { items })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.items.encode(buf, Tag::SEQUENCE);
    }
}

/// An item of a [`ValuesFilter`].
#[derive(Clone, Copy, Debug)]
pub enum ItemKind {}

impl Kind for ItemKind {
    type Item<'a> = Filter<'a>;

    const WHAT: &'static str = "matched values filter items";
    const MAX: usize = MAX_FILTER_NODES;

    fn read<'a>(r: &mut Reader<'a>) -> Result<Filter<'a>, Error> {
        let filter = Filter::shallow(r)?;
        if !matches!(filter.tag, super::node::AND | super::node::OR | super::node::NOT) {
            let node = filter.item()?;
            if !matches!(node, Node::Extensible(matching) if matching.dn_attributes) {
                return Ok(filter);
            }
        }
        Err(Error::Invalid("matched values filter with an item that is not simple"))
    }

    fn put(buf: &mut Vec<u8>, item: Filter<'_>) {
        item.encode(buf);
    }

    fn show(item: &Filter<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(&item.node());
    }
}

/// A list of the items.
pub type ItemsBuf = ListBuf<ItemKind>;

#[cfg(test)]
mod tests {
    use super::super::FilterBuf;
    use super::*;

    fn items(texts: &[&str]) -> ItemsBuf {
        let filters: Vec<_> = texts.iter().map(|text| FilterBuf::parse(text).unwrap()).collect();
        filters.iter().map(FilterBuf::as_filter).collect()
    }

    fn round_trip(texts: &[&str]) -> Result<(), Error> {
        let items = items(texts);
        let filter = ValuesFilter { items: items.as_list() };
        let mut buf = Vec::new();
        filter.encode(&mut buf);
        ValuesFilter::decode(&buf).map(|decoded| assert_eq!(decoded, filter))
    }

    #[test]
    fn simple_items_only() {
        assert_eq!(round_trip(&["(mail=*@example.com)", "(cn:caseExactMatch:=x)", "(sn=*)"]), Ok(()));
        for bad in [&[][..], &["(&(a=b))"], &["(!(a=b))"], &["(|)"], &["(cn:dn:=x)"]] {
            assert!(matches!(round_trip(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn items_are_limited() {
        let most = vec!["(a=*)"; MAX_FILTER_NODES];
        assert_eq!(round_trip(&most), Ok(()));
        assert!(round_trip(&vec!["(a=*)"; MAX_FILTER_NODES + 1]).is_err());
        let limit = Error::TooLong { what: "matched values filter", limit: MAX_FILTER_BYTES };
        assert_eq!(ValuesFilter::decode(&vec![0; MAX_FILTER_BYTES + 1]), Err(limit));
    }
}

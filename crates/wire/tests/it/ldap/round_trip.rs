//! Any message or filter, encoded and decoded, is itself.

use netinfo_testkit::exercise;
use netinfo_wire::ldap::attribute::{Modification, ValueKind};
use netinfo_wire::ldap::filter::{Assertion, Filter, Node, Substring};
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, DerefAliases, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::response::{BindResponse, ExtendedResponse, IntermediateResponse, SearchEntry};
use netinfo_wire::ldap::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Attr, attrs, filter_text, number, octets, oid};

/// Encodes after other bytes, decodes, compares; every cut fails.
macro_rules! both_ways {
    ($ty:ident, $id:expr, $op:expr) => {{
        let message = Message::<$ty<'_>>::new($id, $op);
        let mut buf = b"before".to_vec();
        message.encode(&mut buf);
        let bytes = &buf[6..];
        prop_assert_eq!(Message::<$ty<'_>>::decode(bytes), Ok(message));
        for end in 0..bytes.len() {
            prop_assert!(Message::<$ty<'_>>::decode(&bytes[..end]).is_err());
            prop_assert!(matches!(frame(&bytes[..end], 1 << 20), Ok(netinfo_wire::ber::Frame::Need(_))));
        }
    }};
}

fn attributes(attrs: &[Attr]) -> AttributesBuf {
    let mut list = AttributesBuf::new();
    attrs.iter().for_each(|(name, values)| list.add(name, values));
    list
}

/// Holds what a result borrows.
#[derive(Debug)]
struct Held {
    code: i32,
    matched_dn: Vec<u8>,
    message: Vec<u8>,
    referral: Option<UrisBuf>,
}

fn held() -> impl Strategy<Value = Held> {
    let uris = vec(octets(), 0..3).prop_map(|uris| uris.iter().map(Vec::as_slice).collect());
    (any::<i32>(), octets(), octets(), option::of(uris))
        .prop_map(|(code, matched_dn, message, referral)| Held { code, matched_dn, message, referral })
}

impl Held {
    fn result(&self) -> LdapResult<'_> {
        LdapResult {
            code: ResultCode::from_code(self.code),
            matched_dn: &self.matched_dn,
            message: &self.message,
            referral: self.referral.as_ref().map(ListBuf::as_list),
        }
    }
}

/// What is `Copy` owns no heap memory, so decoding it allocates nothing.
#[test]
fn decoded_messages_own_nothing() {
    fn owns_nothing<T: Copy>() {}
    owns_nothing::<Message<'_, Request<'_>>>();
    owns_nothing::<Message<'_, Response<'_>>>();
    owns_nothing::<Envelope<'_>>();
    owns_nothing::<Node<'_>>();
    owns_nothing::<Dn<'_>>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn binds(id in 1u32..1000, version in 1u8..=127, name in octets(), secret in octets(), mechanism in octets(), credentials in option::of(octets())) {
        for authentication in [
            Authentication::Simple(&secret),
            Authentication::Sasl { mechanism: &mechanism, credentials: credentials.as_deref() },
        ] {
            both_ways!(Request, id, Request::Bind(BindRequest { version, name: &name, authentication }));
        }
    }

    #[test]
    fn searches(
        base in octets(),
        (scope, deref, types_only) in (0i32..4, 0i32..4, any::<bool>()),
        (size_limit, time_limit) in (number(), number()),
        filter in filter_text(),
        names in vec(octets(), 0..4),
    ) {
        let filter = FilterBuf::parse(&filter).unwrap();
        let names: SelectionBuf = names.iter().map(Vec::as_slice).collect();
        let search = SearchRequest {
            base: &base,
            scope: Scope::from_code(scope).unwrap(),
            deref: DerefAliases::from_code(deref).unwrap(),
            size_limit,
            time_limit,
            types_only,
            filter: filter.as_filter(),
            attributes: names.as_list(),
        };
        both_ways!(Request, 1, Request::Search(search));
    }

    #[test]
    fn updates(dn in octets(), other in octets(), attrs in attrs(), ops in vec(0i32..4, 4), superior in option::of(octets()), delete_old_rdn in any::<bool>()) {
        let list = attributes(&attrs);
        let attributes = list.as_list();
        prop_assert_eq!(attributes.iter().map(|a| (a.name.to_vec(), a.values.iter().map(<[u8]>::to_vec).collect())).collect::<Vec<Attr>>(), attrs);
        let changes: ModificationsBuf = attributes.iter().zip(&ops).map(|(attribute, op)| {
            Modification { op: ModifyOp::from_code(*op).unwrap(), attribute }
        }).collect();
        both_ways!(Request, 1, Request::Add(AddRequest { dn: &dn, attributes }));
        both_ways!(Request, 1, Request::Modify(ModifyRequest { dn: &dn, changes: changes.as_list() }));
        let rename = ModifyDnRequest { dn: &dn, new_rdn: &other, delete_old_rdn, new_superior: superior.as_deref() };
        both_ways!(Request, 1, Request::ModifyDn(rename));
    }

    #[test]
    fn small_requests(id in 1u32..=i32::MAX as u32, dn in octets(), attribute in octets(), value in octets(), other in number(), name in oid(), argument in option::of(octets())) {
        both_ways!(Request, id, Request::Unbind);
        both_ways!(Request, id, Request::Delete(DeleteRequest { dn: &dn }));
        both_ways!(Request, id, Request::Abandon(other));
        let assertion = Assertion { attribute: &attribute, value: &value };
        both_ways!(Request, id, Request::Compare(CompareRequest { dn: &dn, assertion }));
        both_ways!(Request, id, Request::Extended(ExtendedRequest { name: &name, value: argument.as_deref() }));
    }

    #[test]
    fn results(id in number(), held in held(), credentials in option::of(octets()), name in option::of(oid()), value in option::of(octets())) {
        let result = held.result();
        let (name, value) = (name.as_deref(), value.as_deref());
        for response in [
            Response::SearchDone(result),
            Response::Modify(result),
            Response::Add(result),
            Response::Delete(result),
            Response::ModifyDn(result),
            Response::Compare(result),
            Response::Bind(BindResponse { result, server_credentials: credentials.as_deref() }),
            Response::Extended(ExtendedResponse { result, name, value }),
            Response::Intermediate(IntermediateResponse { name, value }),
        ] {
            both_ways!(Response, id, response);
        }
    }

    #[test]
    fn entries_and_references(dn in octets(), attrs in attrs(), uris in vec(octets(), 0..4)) {
        let list = attributes(&attrs);
        let entry = SearchEntry { dn: &dn, attributes: list.as_list() };
        both_ways!(Response, 1, Response::SearchEntry(entry));
        let uris: UrisBuf = uris.iter().map(Vec::as_slice).collect();
        both_ways!(Response, 1, Response::SearchReference(uris.as_list()));

        // Written value by value it is the same.
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        Message::new(1, Response::SearchEntry(entry)).encode(&mut whole);
        let mut writer = EntryWriter::begin(&mut parts, 1, &dn);
        for (name, values) in &attrs {
            let mut writer = writer.attribute(name);
            values.iter().for_each(|value| writer.value(value));
        }
        writer.end().finish();
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn controls(controls in vec((oid(), any::<bool>(), option::of(octets())), 0..5)) {
        let list: ControlsBuf = controls.iter().map(|(oid, critical, value)| {
            Control { oid, critical: *critical, value: value.as_deref() }
        }).collect();
        let message = Message { id: 1, op: Request::Unbind, controls: list.as_list() };
        let mut buf = Vec::new();
        message.encode(&mut buf);
        prop_assert_eq!(Message::<Request<'_>>::decode(&buf), Ok(message));
        let response = Message { id: 1, op: Response::Add(LdapResult::default()), controls: list.as_list() };
        buf.clear();
        response.encode(&mut buf);
        prop_assert_eq!(Message::<Response<'_>>::decode(&buf), Ok(response));
    }

    #[test]
    fn filters_from_text(text in filter_text()) {
        exercise::ldap::filter_text(text.as_bytes());
        let filter = FilterBuf::parse(&text).unwrap();
        let mut buf = Vec::new();
        filter.as_filter().encode(&mut buf);
        for end in 0..buf.len() {
            prop_assert!(Filter::decode(&buf[..end]).is_err());
        }
    }

    #[test]
    fn filters_with_any_value(attribute in "[a-z]{1,5}", value in octets(), pieces in vec(octets(), 2..5)) {
        // From the binary form to text and back, whatever the bytes.
        let mut buf = Vec::new();
        let assertion = Assertion { attribute: attribute.as_bytes(), value: &value };
        for number in [3, 5, 6, 8] {
            buf.clear();
            assertion.encode(&mut buf, netinfo_wire::ber::Tag::context_constructed(number));
            let filter = Filter::decode(&buf).unwrap();
            prop_assert_eq!(FilterBuf::parse(&filter.to_string()), Ok(filter.into()));
        }
        let values: ListBuf<ValueKind> = pieces.iter().map(Vec::as_slice).collect();
        let text: Vec<String> = values.as_list().iter().map(|piece| {
            piece.iter().map(|byte| format!("\\{byte:02x}")).collect()
        }).collect();
        let filter = FilterBuf::parse(&format!("({attribute}={})", text.join("*"))).unwrap();
        let found: Vec<_> = match filter.as_filter().node() {
            Node::Substrings(filter) => filter.pieces.iter().map(Substring::value).collect(),
            // Two empty pieces.
            Node::Present(_) => Vec::new(),
            node => panic!("{node:?}"),
        };
        let not_empty = |pieces: Vec<&[u8]>| pieces.into_iter().filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>();
        prop_assert_eq!(not_empty(found), not_empty(pieces.iter().map(Vec::as_slice).collect()));
    }
}

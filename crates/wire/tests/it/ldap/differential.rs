//! The codec beside another one (`rasn-ldap`, made from the ASN.1 of RFC 4511): what this one writes the other reads, field
//! by field, and what the other writes then is the same message here.

use netinfo_wire::ldap::attribute::Modification;
use netinfo_wire::ldap::filter::{Assertion, ExtensibleMatch, Filter, FilterBuf, Node, Substring};
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, DerefAliases, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::response::{BindResponse, ExtendedResponse, IntermediateResponse, SearchEntry};
use netinfo_wire::ldap::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rasn_ldap::{self as other, LdapMessage, ProtocolOp};

use super::{filter_text, number, octets, oid};

/// The other codec takes names for text in UTF-8, as the ASN.1 says.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[ -~é☃]{0,12}", 1 => "[a-z=,é]{120,300}"]
}

fn attrs() -> impl Strategy<Value = Vec<(String, Vec<Vec<u8>>)>> {
    vec((text(), vec(octets(), 1..4)), 0..4)
}

/// A code of RFC 4511 that the other codec knows.
fn code() -> impl Strategy<Value = i32> {
    prop_oneof![0i32..=8, 10i32..=14, 16i32..=21, 32i32..=34, 48i32..=54, 64i32..=69, Just(71), Just(80)]
}

/// What the other codec makes of a message; its bytes are read back here and must be the same message.
macro_rules! through {
    ($ty:ident, $message:expr) => {{
        let message: Message<'_, $ty<'_>> = $message;
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        let read: Result<LdapMessage, _> = rasn::ber::decode(&bytes);
        prop_assert!(read.is_ok(), "{read:?} from {message:?}");
        let read = read.unwrap();
        let written = rasn::ber::encode(&read).unwrap();
        let back = Message::<$ty<'_>>::decode(&written);
        prop_assert!(back.is_ok(), "{back:?} from {read:?}");
        // What the other one writes of a set is in another order; sets are equal in any.
        let mut bytes = Vec::new();
        back.unwrap().encode(&mut bytes);
        let again: Option<LdapMessage> = rasn::ber::decode(&bytes).ok();
        prop_assert_eq!(again.as_ref(), Some(&read));
        prop_assert_eq!(read.message_id, message.id);
        read
    }};
}

/// The operation of a message, which has to be this one.
macro_rules! operation {
    ($read:expr, $kind:ident) => {
        match $read.protocol_op {
            ProtocolOp::$kind(operation) => operation,
            other => panic!("{other:?}"),
        }
    };
}

fn bytes(value: &Option<impl AsRef<[u8]>>) -> Option<&[u8]> {
    value.as_ref().map(AsRef::as_ref)
}

/// Whether both filters are the same.
fn same(ours: Filter<'_>, theirs: &other::Filter) -> bool {
    fn pair(ours: Assertion<'_>, theirs: &other::AttributeValueAssertion) -> bool {
        ours.attribute == theirs.attribute_desc.as_bytes() && ours.value == &theirs.assertion_value[..]
    }
    let list = |ours: &mut dyn Iterator<Item = Filter<'_>>, theirs: Vec<&other::Filter>| {
        let ours: Vec<_> = ours.collect();
        ours.len() == theirs.len() && ours.into_iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
    };
    match (ours.node(), theirs) {
        (Node::And(ours), other::Filter::And(theirs)) | (Node::Or(ours), other::Filter::Or(theirs)) => {
            list(&mut { ours }, theirs.to_vec())
        }
        (Node::Not(ours), other::Filter::Not(theirs)) => same(ours, theirs),
        (Node::Equality(ours), other::Filter::EqualityMatch(theirs))
        | (Node::GreaterOrEqual(ours), other::Filter::GreaterOrEqual(theirs))
        | (Node::LessOrEqual(ours), other::Filter::LessOrEqual(theirs))
        | (Node::Approx(ours), other::Filter::ApproxMatch(theirs)) => pair(ours, theirs),
        (Node::Present(ours), other::Filter::Present(theirs)) => ours == theirs.as_bytes(),
        (Node::Substrings(ours), other::Filter::Substrings(theirs)) => {
            let pieces = ours.pieces.iter().zip(&theirs.substrings).all(|pair| match pair {
                (Substring::Initial(ours), other::SubstringChoice::Initial(theirs))
                | (Substring::Any(ours), other::SubstringChoice::Any(theirs))
                | (Substring::Final(ours), other::SubstringChoice::Final(theirs)) => ours == &theirs[..],
                _ => false,
            });
            pieces
                && ours.attribute == theirs.r#type.as_bytes()
                && ours.pieces.iter().count() == theirs.substrings.len()
        }
        (Node::Extensible(ours), other::Filter::ExtensibleMatch(theirs)) => {
            let ExtensibleMatch { rule, attribute, value, dn_attributes } = ours;
            let text = |text: &Option<other::LdapString>| text.as_ref().map(|text| text.as_bytes().to_vec());
            rule.map(<[u8]>::to_vec) == text(&theirs.matching_rule)
                && attribute.map(<[u8]>::to_vec) == text(&theirs.r#type)
                && value == &theirs.match_value[..]
                && dn_attributes == theirs.dn_attributes
        }
        _ => false,
    }
}

fn values_of(attribute: &other::PartialAttribute) -> (String, Vec<Vec<u8>>) {
    (attribute.r#type.0.clone(), attribute.vals.to_vec().iter().map(|value| value.to_vec()).collect())
}

fn list_of(attrs: &[(String, Vec<Vec<u8>>)]) -> AttributesBuf {
    let mut list = AttributesBuf::new();
    attrs.iter().for_each(|(name, values)| list.add(name.as_bytes(), values));
    list
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn binds(id in 1u32..=i32::MAX as u32, name in text(), secret in octets(), mechanism in text(), credentials in option::of(octets())) {
        let bind = |authentication| Request::Bind(BindRequest { version: 3, name: name.as_bytes(), authentication });
        let simple = operation!(through!(Request, Message::new(id, bind(Authentication::Simple(&secret)))), BindRequest);
        prop_assert_eq!((simple.version, &simple.name.0), (3, &name));
        prop_assert!(matches!(simple.authentication, other::AuthenticationChoice::Simple(read) if read[..] == secret[..]));
        let sasl = Authentication::Sasl { mechanism: mechanism.as_bytes(), credentials: credentials.as_deref() };
        let sasl = operation!(through!(Request, Message::new(id, bind(sasl))), BindRequest);
        let other::AuthenticationChoice::Sasl(sasl) = sasl.authentication else { panic!("{sasl:?}") };
        prop_assert_eq!((&sasl.mechanism.0, bytes(&sasl.credentials)), (&mechanism, credentials.as_deref()));
    }

    #[test]
    fn searches(
        base in text(),
        (scope, deref, types_only) in (0i32..3, 0i32..4, any::<bool>()),
        (size_limit, time_limit) in (number(), number()),
        filter in filter_text(),
        names in vec(text(), 0..4),
    ) {
        let filter = FilterBuf::parse(&filter).unwrap();
        let attributes: SelectionBuf = names.iter().map(String::as_bytes).collect();
        let search = SearchRequest {
            base: base.as_bytes(),
            scope: Scope::from_code(scope).unwrap(),
            deref: DerefAliases::from_code(deref).unwrap(),
            size_limit,
            time_limit,
            types_only,
            filter: filter.as_filter(),
            attributes: attributes.as_list(),
        };
        let read = operation!(through!(Request, Message::new(1, Request::Search(search))), SearchRequest);
        prop_assert_eq!((&read.base_object.0, read.scope as i32, read.deref_aliases as i32), (&base, scope, deref));
        prop_assert_eq!((read.size_limit, read.time_limit, read.types_only), (size_limit, time_limit, types_only));
        prop_assert_eq!(read.attributes.iter().map(|name| name.0.clone()).collect::<Vec<_>>(), names);
        prop_assert!(same(filter.as_filter(), &read.filter), "{:?} is not {:?}", filter.as_filter(), read.filter);
    }

    #[test]
    fn updates(dn in text(), rdn in text(), attrs in attrs(), ops in vec(0i32..3, 4), superior in option::of(text()), delete_old_rdn in any::<bool>()) {
        let list = list_of(&attrs);
        let (attributes, name) = (list.as_list(), dn.as_bytes());
        let add = operation!(through!(Request, Message::new(1, Request::Add(AddRequest { dn: name, attributes }))), AddRequest);
        let read: Vec<_> = add.attributes.iter().map(|a| (a.r#type.0.clone(), a.vals.to_vec().iter().map(|v| v.to_vec()).collect())).collect();
        prop_assert_eq!((&add.entry.0, &read), (&dn, &attrs));

        let changes: ModificationsBuf = attributes.iter().zip(&ops).map(|(attribute, op)| {
            Modification { op: ModifyOp::from_code(*op).unwrap(), attribute }
        }).collect();
        let modify = ModifyRequest { dn: name, changes: changes.as_list() };
        let modify = operation!(through!(Request, Message::new(1, Request::Modify(modify))), ModifyRequest);
        let read: Vec<_> = modify.changes.iter().map(|change| values_of(&change.modification)).collect();
        prop_assert_eq!((&modify.object.0, &read), (&dn, &attrs));
        prop_assert!(modify.changes.iter().zip(&ops).all(|(change, op)| change.operation as i32 == *op));

        let rename = ModifyDnRequest { dn: name, new_rdn: rdn.as_bytes(), delete_old_rdn, new_superior: superior.as_ref().map(String::as_bytes) };
        let rename = operation!(through!(Request, Message::new(1, Request::ModifyDn(rename))), ModDnRequest);
        prop_assert_eq!((&rename.entry.0, &rename.new_rdn.0, rename.delete_old_rdn), (&dn, &rdn, delete_old_rdn));
        prop_assert_eq!(rename.new_superior.map(|name| name.0), superior);
    }

    #[test]
    fn small_requests(dn in text(), attribute in text(), value in octets(), number in number(), name in oid(), argument in option::of(octets())) {
        let message = |request| Message::new(7, request);
        prop_assert!(matches!(through!(Request, message(Request::Unbind)).protocol_op, ProtocolOp::UnbindRequest(_)));
        let delete = operation!(through!(Request, message(Request::Delete(DeleteRequest { dn: dn.as_bytes() }))), DelRequest);
        prop_assert_eq!(&delete.0.0, &dn);
        let abandon = operation!(through!(Request, message(Request::Abandon(number))), AbandonRequest);
        prop_assert_eq!(abandon.0, number);
        let assertion = Assertion { attribute: attribute.as_bytes(), value: &value };
        let compare = CompareRequest { dn: dn.as_bytes(), assertion };
        let compare = operation!(through!(Request, message(Request::Compare(compare))), CompareRequest);
        prop_assert_eq!((&compare.entry.0, &compare.ava.attribute_desc.0, &compare.ava.assertion_value[..]), (&dn, &attribute, &value[..]));
        let extended = ExtendedRequest { name: &name, value: argument.as_deref() };
        let extended = operation!(through!(Request, message(Request::Extended(extended))), ExtendedReq);
        prop_assert_eq!((&extended.request_name[..], bytes(&extended.request_value)), (name.as_bytes(), argument.as_deref()));
    }

    #[test]
    fn results(code in code(), dn in text(), text in text(), uris in option::of(vec(text(), 1..3)), credentials in option::of(octets()), name in option::of(oid()), value in option::of(octets())) {
        let referral: Option<UrisBuf> = uris.as_ref().map(|uris| uris.iter().map(String::as_bytes).collect());
        let result = LdapResult {
            code: ResultCode::from_code(code),
            matched_dn: dn.as_bytes(),
            message: text.as_bytes(),
            referral: referral.as_ref().map(ListBuf::as_list),
        };
        let message = |response| Message::new(7, response);
        let all = |read: &Option<other::Referral>| read.as_ref().map(|read| read.iter().map(|uri| uri.0.clone()).collect::<Vec<_>>());
        macro_rules! plain {
            ($ours:ident, $theirs:ident) => {{
                let read = operation!(through!(Response, message(Response::$ours(result))), $theirs).0;
                prop_assert_eq!((read.result_code as i32, &read.matched_dn.0, &read.diagnostic_message.0), (code, &dn, &text));
                prop_assert_eq!(all(&read.referral), uris.clone());
            }};
        }
        plain!(SearchDone, SearchResDone);
        plain!(Modify, ModifyResponse);
        plain!(Add, AddResponse);
        plain!(Delete, DelResponse);
        plain!(ModifyDn, ModDnResponse);
        plain!(Compare, CompareResponse);
        let bind = BindResponse { result, server_credentials: credentials.as_deref() };
        let bind = operation!(through!(Response, message(Response::Bind(bind))), BindResponse);
        prop_assert_eq!((bind.result_code as i32, &bind.matched_dn.0, bytes(&bind.server_sasl_creds)), (code, &dn, credentials.as_deref()));
        let extended = ExtendedResponse { result, name: name.as_deref(), value: value.as_deref() };
        let extended = operation!(through!(Response, message(Response::Extended(extended))), ExtendedResp);
        prop_assert_eq!((extended.result_code as i32, all(&extended.referral)), (code, uris.clone()));
        let (name, value) = (name.as_deref(), value.as_deref());
        prop_assert_eq!((bytes(&extended.response_name), bytes(&extended.response_value)), (name.map(str::as_bytes), value));
        let between = Response::Intermediate(IntermediateResponse { name, value });
        let between = operation!(through!(Response, message(between)), IntermediateResponse);
        prop_assert_eq!((bytes(&between.response_name), bytes(&between.response_value)), (name.map(str::as_bytes), value));
    }

    #[test]
    fn entries_references_and_controls(dn in text(), attrs in attrs(), uris in vec(text(), 1..4), controls in vec((oid(), any::<bool>(), option::of(octets())), 1..4)) {
        let list = list_of(&attrs);
        let entry = Response::SearchEntry(SearchEntry { dn: dn.as_bytes(), attributes: list.as_list() });
        let entry = operation!(through!(Response, Message::new(1, entry)), SearchResEntry);
        prop_assert_eq!((&entry.object_name.0, entry.attributes.iter().map(values_of).collect::<Vec<_>>()), (&dn, attrs));
        let list: UrisBuf = uris.iter().map(String::as_bytes).collect();
        let reference = operation!(through!(Response, Message::new(1, Response::SearchReference(list.as_list()))), SearchResRef);
        prop_assert_eq!(reference.0.iter().map(|uri| uri.0.clone()).collect::<Vec<_>>(), uris);
        let list: ControlsBuf = controls.iter().map(|(oid, critical, value)| {
            Control { oid, critical: *critical, value: value.as_deref() }
        }).collect();
        let read = through!(Request, Message { id: 1, op: Request::Unbind, controls: list.as_list() });
        let read: Vec<_> = read.controls.unwrap().iter().map(|control| {
            (String::from_utf8(control.control_type.to_vec()).unwrap(), control.criticality, control.control_value.as_ref().map(|value| value.to_vec()))
        }).collect();
        prop_assert_eq!(read, controls);
    }
}

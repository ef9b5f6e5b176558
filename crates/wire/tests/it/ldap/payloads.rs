//! What controls and extended operations carry, encoded and decoded, is itself.

use netinfo_wire::ldap::control::deref::{
    DerefRequest, DerefResponse, DerefResult, DerefResultKind, DerefSpec, DerefSpecKind,
};
use netinfo_wire::ldap::control::entry::{
    AssertionControl, AuthzId, PostReadRequest, PostReadResponse, PreReadRequest, PreReadResponse,
    ProxiedAuthorization, Subentries,
};
use netinfo_wire::ldap::control::paging::{
    PagedResults, SortKey, SortKeyKind, SortRequest, SortResponse, VlvRequest, VlvResponse, VlvTarget,
};
use netinfo_wire::ldap::control::policy::{PasswordPolicy, PolicyError, PolicyWarning};
use netinfo_wire::ldap::control::sync::{
    SyncDone, SyncEntryState, SyncInfo, SyncMode, SyncRequest, SyncState, UuidKind,
};
use netinfo_wire::ldap::extended::{
    Cancel, CredentialsVerified, PasswordModified, PasswordModify, Turn, VerifyCredentials,
};
use netinfo_wire::ldap::filter::ValuesFilter;
use netinfo_wire::ldap::response::SearchEntry;
use netinfo_wire::ldap::{
    AttributesBuf, Authentication, ControlsBuf, FilterBuf, ListBuf, Payload, ResultCode, SelectionBuf,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{attrs, filter_text, number, octets};

/// Encodes and decodes; no cut that still decodes is taken for the whole.
macro_rules! both_ways {
    ($ty:ident, $value:expr) => {{
        let value = $value;
        let mut buf = Vec::new();
        value.encode(&mut buf);
        prop_assert_eq!($ty::decode(&buf), Ok(value));
        for end in 0..buf.len() {
            prop_assert!($ty::decode(&buf[..end]) != Ok(value));
        }
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn paging(size in number(), cookie in octets(), code in any::<i32>(), attribute in option::of(octets())) {
        both_ways!(PagedResults, PagedResults { size, cookie: &cookie });
        both_ways!(SortResponse, SortResponse { code: ResultCode::from_code(code), attribute: attribute.as_deref() });
    }

    #[test]
    fn sorting(keys in vec((octets(), option::of(octets()), any::<bool>()), 1..5)) {
        let keys: ListBuf<SortKeyKind> = keys.iter().map(|(attribute, rule, reverse)| {
            SortKey { attribute, rule: rule.as_deref(), reverse: *reverse }
        }).collect();
        both_ways!(SortRequest, SortRequest { keys: keys.as_list() });
    }

    #[test]
    fn list_views(numbers in [number(), number(), number(), number()], value in octets(), context in option::of(octets()), code in any::<i32>()) {
        let [before, after, offset, count] = numbers;
        let context = context.as_deref();
        for target in [VlvTarget::Offset { offset, count }, VlvTarget::GreaterOrEqual(&value)] {
            both_ways!(VlvRequest, VlvRequest { before, after, target, context });
        }
        both_ways!(VlvResponse, VlvResponse { position: offset, count, code: ResultCode::from_code(code), context });
    }

    #[test]
    fn entries(dn in octets(), attrs in attrs(), names in vec(octets(), 0..4), filter in filter_text(), visible in any::<bool>()) {
        let names: SelectionBuf = names.iter().map(Vec::as_slice).collect();
        both_ways!(PreReadRequest, PreReadRequest { attributes: names.as_list() });
        both_ways!(PostReadRequest, PostReadRequest { attributes: names.as_list() });
        let mut attributes = AttributesBuf::new();
        attrs.iter().for_each(|(name, values)| attributes.add(name, values));
        let entry = SearchEntry { dn: &dn, attributes: attributes.as_list() };
        both_ways!(PreReadResponse, PreReadResponse { entry });
        both_ways!(PostReadResponse, PostReadResponse { entry });
        let filter = FilterBuf::parse(&filter).unwrap();
        both_ways!(AssertionControl, AssertionControl { filter: filter.as_filter() });
        both_ways!(Subentries, Subentries { visible });
        // The empty DN is nobody's.
        let name = [b"cn=", &dn[..]].concat();
        for identity in [AuthzId::Anonymous, AuthzId::Dn(&name), AuthzId::User(&dn)] {
            both_ways!(ProxiedAuthorization, ProxiedAuthorization { identity });
        }
    }

    #[test]
    fn matched_values(values in vec("[a-z]{0,5}", 1..5)) {
        let filters: Vec<_> = values.iter().map(|v| FilterBuf::parse(&format!("(a={v})")).unwrap()).collect();
        let items: ListBuf<_> = filters.iter().map(FilterBuf::as_filter).collect();
        both_ways!(ValuesFilter, ValuesFilter { items: items.as_list() });
    }

    #[test]
    fn synchronization(cookie in option::of(octets()), flag in any::<bool>(), mode in prop_oneof![Just(1), Just(3)], state in 0i32..4, uuids in vec(any::<[u8; 16]>(), 1..5)) {
        let cookie = cookie.as_deref();
        let mode = SyncMode::from_code(mode).unwrap();
        both_ways!(SyncRequest, SyncRequest { mode, cookie, reload_hint: flag });
        let state = SyncEntryState::from_code(state).unwrap();
        both_ways!(SyncState, SyncState { state, uuid: uuids[0], cookie });
        both_ways!(SyncDone, SyncDone { cookie, refresh_deletes: flag });
        let list: ListBuf<UuidKind> = uuids.iter().copied().collect();
        for info in [
            SyncInfo::NewCookie(cookie.unwrap_or_default()),
            SyncInfo::RefreshDelete { cookie, done: flag },
            SyncInfo::RefreshPresent { cookie, done: flag },
            SyncInfo::IdSet { cookie, refresh_deletes: flag, uuids: list.as_list() },
        ] {
            both_ways!(SyncInfo, info);
        }
    }

    #[test]
    fn dereference(attribute in octets(), dn in octets(), attrs in attrs(), names in vec(octets(), 0..4), count in 1usize..4) {
        let names: SelectionBuf = names.iter().map(Vec::as_slice).collect();
        let spec = DerefSpec { attribute: &attribute, attributes: names.as_list() };
        let specs: ListBuf<DerefSpecKind> = std::iter::repeat_n(spec, count).collect();
        both_ways!(DerefRequest, DerefRequest { specs: specs.as_list() });
        let mut attributes = AttributesBuf::new();
        attrs.iter().for_each(|(name, values)| attributes.add(name, values));
        let result = DerefResult { attribute: &attribute, dn: &dn, attributes: attributes.as_list() };
        let results: ListBuf<DerefResultKind> = std::iter::repeat_n(result, count).collect();
        both_ways!(DerefResponse, DerefResponse { results: results.as_list() });
    }

    #[test]
    fn password_policy(seconds in option::of(number()), grace in option::of(number()), error in option::of(0i32..9)) {
        let warning = seconds.map(PolicyWarning::TimeBeforeExpiration).or_else(|| grace.map(PolicyWarning::GraceLogins));
        both_ways!(PasswordPolicy, PasswordPolicy { warning, error: error.and_then(PolicyError::from_code) });
    }

    #[test]
    fn extended_operations(parts in vec(option::of(octets()), 3), id in number(), mutual in any::<bool>(), identifier in octets()) {
        let [user, old, new] = [0, 1, 2].map(|index: usize| parts[index].as_deref());
        both_ways!(PasswordModify, PasswordModify { user, old, new });
        both_ways!(PasswordModified, PasswordModified { generated: user });
        both_ways!(Cancel, Cancel { id });
        both_ways!(Turn, Turn { mutual, identifier: &identifier });
    }

    #[test]
    fn credentials(parts in vec(option::of(octets()), 3), name in octets(), code in any::<i32>(), flags in vec("1(\\.[0-9]{1,4}){1,4}", 0..4)) {
        let [cookie, sasl, message] = [0, 1, 2].map(|index: usize| parts[index].as_deref());
        let mut list = ControlsBuf::new();
        flags.iter().for_each(|flag| list.flag(flag, flag.len() > 6));
        let controls = list.as_list();
        for authentication in [
            Authentication::Simple(&name),
            Authentication::Sasl { mechanism: b"PLAIN", credentials: sasl },
        ] {
            both_ways!(VerifyCredentials, VerifyCredentials { cookie, name: &name, authentication, controls });
        }
        let message = message.unwrap_or_default();
        let code = ResultCode::from_code(code);
        both_ways!(CredentialsVerified, CredentialsVerified { code, message, cookie, credentials: sasl, controls });
    }
}

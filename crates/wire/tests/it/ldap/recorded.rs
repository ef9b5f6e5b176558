//! Compared with what ldap3 and libldap encode (`data/ldap/README.md` of the test kit): their bytes
//! decode to the expected value, and the value encodes to their bytes.

use netinfo_wire::ldap::control::deref::{DerefRequest, DerefSpec, DerefSpecKind};
use netinfo_wire::ldap::control::entry::AssertionControl;
use netinfo_wire::ldap::control::paging::{
    PagedResults, SortKey, SortKeyKind, SortRequest, VlvRequest, VlvTarget,
};
use netinfo_wire::ldap::control::sync::SyncInfo;
use netinfo_wire::ldap::extended::{Cancel, PasswordModify};
use netinfo_wire::ldap::filter::{Assertion, Filter};
use netinfo_wire::ldap::request::{
    AddRequest, CompareRequest, DeleteRequest, DerefAliases, ExtendedRequest, ModifyDnRequest, ModifyRequest,
};
use netinfo_wire::ldap::response::{BindResponse, ExtendedResponse, IntermediateResponse, SearchEntry};
use netinfo_wire::ldap::*;

use super::recording;

/// The recorded bytes with this name.
fn recorded(file: &str, name: &str) -> Vec<u8> {
    recording(file).into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name} in {file}")).1
}

/// What both libraries were asked to send; the message ids differ.
fn check_request(name: &str, op: Request<'_>, controls: Controls<'_>) {
    for file in ["ldap3.tsv", "libldap.tsv"] {
        // Each misses some.
        let Some((_, bytes)) = recording(file).into_iter().find(|(n, _)| n == name) else { continue };
        let decoded = Message::<Request<'_>>::decode(&bytes).unwrap();
        assert_eq!((decoded.op, decoded.controls), (op, controls), "{name} of {file}");
        let mut buf = Vec::new();
        Message { id: decoded.id, op, controls }.encode(&mut buf);
        assert_eq!(buf, bytes, "{name} of {file}");
    }
}

fn request(name: &str, op: Request<'_>) {
    check_request(name, op, Controls::EMPTY);
}

fn response(name: &str, id: u32, op: Response<'_>) {
    let bytes = recorded("ldap3.tsv", name);
    assert_eq!(Message::<Response<'_>>::decode(&bytes), Ok(Message::new(id, op)), "{name}");
    let mut buf = Vec::new();
    Message::new(id, op).encode(&mut buf);
    assert_eq!(buf, bytes, "{name}");
}

fn payload<'a, P: Payload<'a> + PartialEq + std::fmt::Debug>(name: &str, bytes: &'a [u8], payload: &P) {
    assert_eq!(P::decode(bytes).as_ref(), Ok(payload), "{name}");
    let mut buf = Vec::new();
    payload.encode(&mut buf);
    assert_eq!(buf, bytes, "{name}");
}

#[test]
fn binds() {
    let bind = |name, authentication| Request::Bind(BindRequest { version: 3, name, authentication });
    request("bind-simple", bind(b"cn=admin,dc=example,dc=com", Authentication::Simple(b"secret")));
    request("bind-anonymous", bind(b"", Authentication::Simple(b"")));
    let credentials = Some(&b"\0alice\0secret"[..]);
    request("bind-sasl", bind(b"", Authentication::Sasl { mechanism: b"PLAIN", credentials }));
    request("unbind", Request::Unbind);
}

#[test]
fn searches() {
    let filter = FilterBuf::parse("(&(uid=a*)(!(cn=b)))").unwrap();
    let names: SelectionBuf = [&b"cn"[..], b"*", b"+"].into_iter().collect();
    let mut controls = ControlsBuf::new();
    controls.add(true, &PagedResults { size: 500, cookie: b"cookie" });
    controls.flag(oid::MANAGE_DSA_IT, false);
    let search = SearchRequest {
        base: b"dc=example,dc=com",
        scope: Scope::Subtree,
        deref: DerefAliases::Never,
        size_limit: 100,
        time_limit: 30,
        types_only: true,
        filter: filter.as_filter(),
        attributes: names.as_list(),
    };
    // The two libraries differ in whether aliases are followed by default.
    for (file, deref) in [("ldap3.tsv", DerefAliases::Always), ("libldap.tsv", DerefAliases::Never)] {
        let bytes = recorded(file, "search");
        let decoded = Message::<Request<'_>>::decode(&bytes).unwrap();
        let Request::Search(found) = decoded.op else { panic!() };
        assert_eq!(found, SearchRequest { deref: found.deref, ..search }, "{file}");
        assert_eq!(decoded.controls, controls.as_list());
        let op = Request::Search(SearchRequest { deref, ..search });
        let mut buf = Vec::new();
        Message { id: decoded.id, op, controls: controls.as_list() }.encode(&mut buf);
        assert_eq!(buf, bytes, "{file}");
    }
}

#[test]
fn updates() {
    let mut changes = ModificationsBuf::new();
    changes.add(ModifyOp::Add, "a", ["1", "2"]);
    changes.add(ModifyOp::Delete, "b", [""; 0]);
    changes.add(ModifyOp::Replace, "c", ["3"]);
    changes.add(ModifyOp::Increment, "d", ["1"]);
    request("modify", Request::Modify(ModifyRequest { dn: b"cn=x", changes: changes.as_list() }));
    let mut attributes = AttributesBuf::new();
    attributes.add("objectClass", ["top", "person"]);
    attributes.add("sn", ["s"]);
    request("add", Request::Add(AddRequest { dn: b"cn=x", attributes: attributes.as_list() }));
    request("delete", Request::Delete(DeleteRequest { dn: b"cn=x" }));
    let rename = ModifyDnRequest {
        dn: b"cn=x,o=a",
        new_rdn: b"cn=y",
        delete_old_rdn: true,
        new_superior: Some(b"o=b"),
    };
    request("modify-dn", Request::ModifyDn(rename));
}

#[test]
fn other_requests() {
    let assertion = Assertion { attribute: b"sn", value: b"s" };
    request("compare", Request::Compare(CompareRequest { dn: b"cn=x", assertion }));
    for (file, id) in [("ldap3.tsv", 300), ("libldap.tsv", 3)] {
        let bytes = recorded(file, "abandon");
        assert_eq!(Message::<Request<'_>>::decode(&bytes).unwrap().op, Request::Abandon(id));
    }
    request("start-tls", Request::Extended(ExtendedRequest { name: oid::START_TLS, value: None }));
    request("who-am-i", Request::Extended(ExtendedRequest { name: oid::WHO_AM_I, value: None }));
    let mut value = Vec::new();
    PasswordModify { user: Some(b"cn=x"), old: Some(b"old"), new: Some(b"new") }.encode(&mut value);
    let modify = ExtendedRequest { name: PasswordModify::OID, value: Some(&value) };
    request("password-modify", Request::Extended(modify));
    let mut value = Vec::new();
    Cancel { id: 300 }.encode(&mut value);
    request("cancel", Request::Extended(ExtendedRequest { name: Cancel::OID, value: Some(&value) }));
}

#[test]
fn results() {
    let result = |code, matched_dn, message| LdapResult {
        code: ResultCode::from_code(code),
        matched_dn,
        message,
        referral: None,
    };
    let bind = result(14, b"", b"more");
    let server_credentials = Some(&b"challenge"[..]);
    response("bind-response", 7, Response::Bind(BindResponse { result: bind, server_credentials }));
    let uris: UrisBuf = [&b"ldap://a/"[..], b"ldap://b/"].into_iter().collect();
    let done = LdapResult { referral: Some(uris.as_list()), ..result(10, b"dc=com", b"there") };
    response("search-done", 7, Response::SearchDone(done));
    response("modify-response", 7, Response::Modify(result(0, b"", b"")));
    response("add-response", 7, Response::Add(result(68, b"cn=x", b"exists")));
    response("delete-response", 7, Response::Delete(result(66, b"", b"")));
    response("modify-dn-response", 7, Response::ModifyDn(result(32, b"dc=com", b"")));
    response("compare-response", 7, Response::Compare(result(6, b"", b"")));
    let notice = ExtendedResponse::notice_of_disconnection(ResultCode::Unavailable, b"bye");
    response("extended-response", 0, Response::Extended(ExtendedResponse { value: Some(b"v"), ..notice }));
    let mut value = Vec::new();
    SyncInfo::RefreshDelete { cookie: None, done: true }.encode(&mut value);
    let intermediate = IntermediateResponse { name: Some(SyncInfo::OID), value: Some(&value) };
    response("intermediate", 7, Response::Intermediate(intermediate));
}

#[test]
fn entries_and_references() {
    let mut attributes = AttributesBuf::new();
    attributes.add("cn", [&b"x"[..], b"\xff\0"]);
    attributes.add("sn", [""; 0]);
    let entry = SearchEntry { dn: b"cn=x", attributes: attributes.as_list() };
    response("search-entry", 7, Response::SearchEntry(entry));
    let uris: UrisBuf = [&b"ldap://a/cn=x??sub"[..], b"ldap://b/"].into_iter().collect();
    response("search-reference", 7, Response::SearchReference(uris.as_list()));
}

#[test]
fn controls() {
    let bytes = |name: &str| recorded("libldap.tsv", &format!("control-{name}"));
    payload("paged", &bytes("paged"), &PagedResults { size: 500, cookie: b"cookie" });
    let keys = [
        SortKey { attribute: b"sn", rule: None, reverse: false },
        SortKey { attribute: b"cn", rule: Some(b"2.5.13.3"), reverse: true },
    ];
    let keys: ListBuf<SortKeyKind> = keys.into_iter().collect();
    payload("sort", &bytes("sort"), &SortRequest { keys: keys.as_list() });
    let target = VlvTarget::Offset { offset: 4, count: 500 };
    let view = VlvRequest { before: 2, after: 3, target, context: Some(b"ctx") };
    payload("vlv-offset", &bytes("vlv-offset"), &view);
    let view = VlvRequest { target: VlvTarget::GreaterOrEqual(b"m"), context: None, ..view };
    payload("vlv-value", &bytes("vlv-value"), &view);
    let filter = FilterBuf::parse("(cn=x)").unwrap();
    payload("assertion", &bytes("assertion"), &AssertionControl { filter: filter.as_filter() });
    let [some, one]: [SelectionBuf; 2] =
        [[&b"uid"[..], b"cn"].into_iter().collect(), [&b"cn"[..]].into_iter().collect()];
    let specs = [
        DerefSpec { attribute: b"member", attributes: some.as_list() },
        DerefSpec { attribute: b"memberOf", attributes: one.as_list() },
    ];
    let specs: ListBuf<DerefSpecKind> = specs.into_iter().collect();
    payload("deref", &bytes("deref"), &DerefRequest { specs: specs.as_list() });
}

#[test]
fn filters() {
    for (file, count) in [("ldap3.tsv", 30), ("libldap.tsv", 32)] {
        let filters: Vec<_> = recording(file).into_iter().filter(|(name, _)| name.starts_with('(')).collect();
        assert_eq!(filters.len(), count, "{file}");
        for (text, bytes) in filters {
            let parsed = FilterBuf::parse(&text).unwrap();
            let mut buf = Vec::new();
            parsed.as_filter().encode(&mut buf);
            assert_eq!(buf, bytes, "{text} of {file}");
            let decoded = Filter::decode(&bytes).unwrap();
            assert_eq!(FilterBuf::parse(&decoded.to_string()).unwrap().as_filter(), decoded, "{text}");
        }
    }
}

#[test]
fn names() {
    let text = std::fs::read_to_string(netinfo_testkit::data("ldap/libldap-dns.tsv")).unwrap();
    assert_eq!(text.lines().count(), 14);
    for (name, parts) in text.lines().map(|line| line.split_once('\t').unwrap()) {
        let pair = |pair: dn::Pair<'_>| {
            let value = match pair.value() {
                dn::Value::String(value) => value.into_owned(),
                dn::Value::Ber(ber) => ber,
            };
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}={hex}", pair.attribute)
        };
        let rdn = |rdn: Rdn<'_>| rdn.pairs().map(pair).collect::<Vec<_>>().join("+");
        let found: Vec<_> = Dn::parse(name.as_bytes()).unwrap().rdns().map(rdn).collect();
        assert_eq!(found.join(","), parts, "{name}");
    }
}

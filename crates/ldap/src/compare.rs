//! Compare (RFC 4511 §4.10).
//!
//! Passwords are stored as hashes: whoever may read these can also ask whether a password in the clear is one of them, as
//! with a server that stores what it is given. To others `userPassword` is as if it was not there.

use netinfo_directory::{MAX_PASSWORD_VALUES, View, password};
use netinfo_mapping::name::Name;
use netinfo_schema::ValueError;
use netinfo_wire::ber::Tag;
use netinfo_wire::ldap::filter::Assertion;
use netinfo_wire::ldap::request::CompareRequest;
use netinfo_wire::ldap::{Filter, LdapResult, Message, Response, ResultCode};
use zeroize::Zeroizing;

use crate::connection::Suspended;
use crate::failure::{Failure, Outcome};
use crate::operation::{Operation, Place, parse};
use crate::step::{Step, Work, Worked};
use crate::{referral, root_dse, search, subschema, update};

/// The property passwords are kept in.
const PASSWORD: &[u8] = b"passwd";
/// Tag of an equality filter (RFC 4511 §4.5.1).
const EQUALITY: Tag = Tag::context_constructed(3);

/// What is known of a comparison.
enum Verdict {
    Equal(bool),
    /// It takes a while to compare a password with these hashes.
    Hashes(Vec<Zeroizing<Vec<u8>>>),
}

/// A comparison that has taken a while.
pub(crate) struct Compared {
    id: u32,
    equal: bool,
}

/// Answers whether an entry has a value, at once or once it has been found out.
pub(crate) fn begin(
    operation: &mut Operation<'_, '_>,
    request: &CompareRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    let id = operation.id;
    match compare(operation, request)? {
        Verdict::Equal(equal) => {
            answer(&Compared { id, equal }, out);
            Ok(Step::Done)
        }
        Verdict::Hashes(hashes) => {
            let password = Zeroizing::new(request.assertion.value.to_vec());
            Ok(Step::Work(Work(Box::new(move || {
                let equal =
                    hashes.iter().any(|hash| password::verify(hash, &password) == password::Verdict::Match);
                Worked(Suspended::Compare(Compared { id, equal }))
            }))))
        }
    }
}

/// Appends the response.
pub(crate) fn answer(compared: &Compared, out: &mut Vec<u8>) {
    let code = if compared.equal { ResultCode::CompareTrue } else { ResultCode::CompareFalse };
    Message::new(compared.id, Response::Compare(LdapResult::new(code, b""))).encode(out);
}

fn compare(operation: &mut Operation<'_, '_>, request: &CompareRequest<'_>) -> Outcome<Verdict> {
    let name = parse(request.dn)?;
    let engine = operation.caller.engine.clone();
    if name.rdns.is_empty() {
        let schema = subschema::default_schema(&engine);
        return root_dse::entry(operation.caller).compare(&schema, request.assertion).map(Verdict::Equal);
    }
    if let Some(context) = subschema::context_named(&engine, &name) {
        let schema = context.namespace().schema().clone();
        let entry = subschema::entry(&context, request.dn, &schema)?;
        return entry.compare(&schema, request.assertion).map(Verdict::Equal);
    }
    let place = operation.place(&name)?;
    if operation.controls.dont_use_copy {
        update::not_a_copy(&place)?;
    }
    let view = operation.take_view(&place)?;
    let result = compare_entry(operation, &place, &view, &name, request.assertion);
    operation.put_view(&place, view);
    result
}

fn compare_entry(
    operation: &Operation<'_, '_>,
    place: &Place,
    view: &View<'_>,
    name: &Name<'_>,
    assertion: Assertion<'_>,
) -> Outcome<Verdict> {
    let access = place.context.domain().access(view, &place.session)?;
    let tree = place.namespace.tree(view).restricted(&access);
    let object = referral::find(&tree, &access, name, operation.controls.manage_dsa_it, None)?;
    if let Some(filter) = operation.controls.assertion
        && !search::matches(place, view, object, filter)?
    {
        return Err(Failure::new(ResultCode::AssertionFailed, "the entry does not match the assertion"));
    }
    let undefined = || Failure::new(ResultCode::UndefinedAttributeType, "the attribute type is not defined");
    let description = std::str::from_utf8(assertion.attribute).map_err(|_| undefined())?;
    let wanted = place.namespace.wanted(description).ok_or_else(undefined)?;
    let schema = place.namespace.schema();
    let entry = tree.entry(object)?;
    let Some(attribute) = wanted.attribute(schema) else {
        // What the schema does not know may be there all the same; its values are octets.
        if !entry.has(&wanted)? {
            return Err(undefined());
        }
        return equal(&entry, &wanted, |value| Ok::<_, ValueError>(value == assertion.value));
    };
    if !entry.has(&wanted)? {
        return Err(Failure::new(ResultCode::NoSuchAttribute, "the entry has no such attribute"));
    }
    if search::is_of_class(&place.namespace, &wanted, assertion.value) {
        return is_of_class(place, view, object, assertion);
    }
    if search::is_meaningless(&place.namespace, &wanted, assertion.value) {
        return Err(Failure::new(ResultCode::InvalidAttributeSyntax, "no value can be equal to that"));
    }
    if place.session.sees_secrets() && update::is_clear_password(assertion.attribute, assertion.value) {
        let stored = view.record(object)?.property(PASSWORD).into_iter().flat_map(|property| property.values);
        let hashes = stored.take(MAX_PASSWORD_VALUES).map(|value| Zeroizing::new(value.to_vec()));
        return Ok(Verdict::Hashes(hashes.collect()));
    }
    let Some(rule) = attribute.equality() else {
        return Err(Failure::new(ResultCode::InappropriateMatching, "the attribute has no equality rule"));
    };
    let mut key = Vec::new();
    rule.normalise(schema, assertion.value, &mut key)
        .map_err(|error| Failure::new(ResultCode::InvalidAttributeSyntax, error.to_string()))?;
    equal(&entry, &wanted, |value| rule.compare_key(schema, &key, value).map(|order| order.is_eq()))
}

/// Whether an entry is of a class, be it by those that its classes are made of (RFC 4512 §3.3).
fn is_of_class(place: &Place, view: &View<'_>, object: u32, assertion: Assertion<'_>) -> Outcome<Verdict> {
    let mut filter = Vec::new();
    assertion.encode(&mut filter, EQUALITY);
    search::matches(place, view, object, Filter::decode(&filter)?).map(Verdict::Equal)
}

/// Whether one of the values passes. Values that cannot be compared do not.
fn equal(
    entry: &netinfo_mapping::Entry<'_>,
    wanted: &netinfo_mapping::Wanted,
    test: impl Fn(&[u8]) -> Result<bool, ValueError>,
) -> Outcome<Verdict> {
    let mut found = false;
    entry.values(wanted, &mut |value| {
        found = test(value).unwrap_or(false);
        !found
    })?;
    Ok(Verdict::Equal(found))
}

//! Compare (RFC 4511 §4.10).

use netinfo_mapping::name::Name;
use netinfo_schema::ValueError;
use netinfo_wire::ldap::filter::Assertion;
use netinfo_wire::ldap::request::CompareRequest;
use netinfo_wire::ldap::{LdapResult, Message, Response, ResultCode};

use crate::failure::{Failure, Outcome};
use crate::operation::{Operation, Place, parse};
use crate::{referral, root_dse, search, subschema, update};

/// Answers whether an entry has a value.
pub(crate) fn answer(
    operation: &mut Operation<'_, '_>,
    request: &CompareRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let equal = compare(operation, request)?;
    let code = if equal { ResultCode::CompareTrue } else { ResultCode::CompareFalse };
    Message::new(operation.id, Response::Compare(LdapResult::new(code, b""))).encode(out);
    Ok(())
}

fn compare(operation: &mut Operation<'_, '_>, request: &CompareRequest<'_>) -> Outcome<bool> {
    let name = parse(request.dn)?;
    let engine = operation.caller.engine.clone();
    if name.rdns.is_empty() {
        let schema = subschema::default_schema(&engine);
        return root_dse::entry(operation.caller).compare(&schema, request.assertion);
    }
    if let Some(context) = subschema::context_named(&engine, &name) {
        let schema = context.namespace().schema().clone();
        return subschema::entry(&context, request.dn, &schema)?.compare(&schema, request.assertion);
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
    view: &netinfo_directory::View<'_>,
    name: &Name<'_>,
    assertion: Assertion<'_>,
) -> Outcome<bool> {
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
    let Some(rule) = attribute.equality() else {
        return Err(Failure::new(ResultCode::InappropriateMatching, "the attribute has no equality rule"));
    };
    let mut key = Vec::new();
    rule.normalise(schema, assertion.value, &mut key)
        .map_err(|error| Failure::new(ResultCode::InvalidAttributeSyntax, error.to_string()))?;
    equal(&entry, &wanted, |value| rule.compare_key(schema, &key, value).map(|order| order.is_eq()))
}

/// Whether one of the values passes. Values that cannot be compared do not.
fn equal(
    entry: &netinfo_mapping::Entry<'_>,
    wanted: &netinfo_mapping::Wanted,
    test: impl Fn(&[u8]) -> Result<bool, ValueError>,
) -> Outcome<bool> {
    let mut found = false;
    entry.values(wanted, &mut |value| {
        found = test(value).unwrap_or(false);
        !found
    })?;
    Ok(found)
}

//! The subschema: the schema of a domain as an entry (RFC 4512 §4.2).
//!
//! `cn=subschema` is the schema of the first domain, `cn=subschema` below the suffix of a domain is its own. `cn=schema`
//! is taken for the same.

use std::sync::{Arc, LazyLock};

use netinfo_mapping::name::Name;
use netinfo_schema::{Schema, Variant};
use netinfo_wire::ldap::{ResultCode, Scope, SearchRequest};

use crate::context::NamingContext;
use crate::engine::Engine;
use crate::failure::{Failure, Outcome};
use crate::operation::Operation;
use crate::plain::PlainEntry;

/// Name of the subschema of the first domain.
pub(crate) const NAME: &str = netinfo_mapping::SUBSCHEMA;

/// For a server without domains.
static BUILTIN: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::builtin(Variant::default()).unwrap_or_else(|_| Schema::empty())));

/// The schema by which the root DSE is read: that of the first domain.
pub(crate) fn default_schema(engine: &Engine) -> Arc<Schema> {
    match engine.contexts().first() {
        Some(context) => context.namespace().schema().clone(),
        None => BUILTIN.clone(),
    }
}

/// Whose schema a name stands for: nobody's, the first domain's, or that of the domain it is below the suffix of.
pub(crate) fn context_named(engine: &Engine, name: &Name<'_>) -> Option<Arc<NamingContext>> {
    let [part] = &name.rdns.first()?.parts[..] else { return None };
    let is = |word: &[u8]| part.value.eq_ignore_ascii_case(word);
    let named = part.kind.eq_ignore_ascii_case("cn") || part.kind == "2.5.4.3";
    match name.rdns.len() {
        1 if named && (is(b"subschema") || is(b"schema")) => engine.contexts().first().cloned(),
        // One level below the suffix.
        _ if named && is(b"subschema") => {
            engine.context_of(name).filter(|context| context.namespace().depth(name) == Some(1))
        }
        _ => None,
    }
}

/// Does a search whose base is the subschema of `context`.
pub(crate) fn search(
    operation: &Operation<'_, '_>,
    context: &NamingContext,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let schema = context.namespace().schema().clone();
    let entry = match request.scope {
        Scope::Base | Scope::Subtree => entry(context, request.base, &schema)?,
        // Nothing is below it.
        Scope::One | Scope::Subordinate => PlainEntry::new(String::new()),
    };
    entry.search(operation, &schema, request, out)
}

/// The subschema as an entry with this name.
pub(crate) fn entry(context: &NamingContext, dn: &[u8], schema: &Schema) -> Outcome<PlainEntry> {
    let view = context.domain().read(context.internal())?;
    let stamp = view.stamp(netinfo_directory::ROOT)?;
    let mut entry = PlainEntry::new(String::from_utf8_lossy(dn).into_owned());
    entry.user("objectClass", ["top", "subentry", "subschema", "extensibleObject"]);
    entry.user("cn", ["subschema"]);
    entry.operational("structuralObjectClass", ["subentry"]);
    entry.operational("subtreeSpecification", ["{ }"]);
    entry.operational("entryDN", [dn]);
    entry.operational("subschemaSubentry", [NAME]);
    entry.operational("hasSubordinates", ["FALSE"]);
    for (name, time) in [("createTimestamp", stamp.created), ("modifyTimestamp", stamp.modified)] {
        entry.operational(name, (time > 0).then(|| netinfo_mapping::timestamp(time)));
    }
    entry.operational("ldapSyntaxes", schema.published_syntaxes());
    entry.operational("matchingRules", schema.published_matching_rules());
    entry.operational("matchingRuleUse", schema.published_matching_rule_uses());
    entry.operational("attributeTypes", schema.published_attribute_types());
    entry.operational("objectClasses", schema.published_object_classes());
    Ok(entry)
}

/// The refusal of what cannot be done with the root DSE or a subschema.
pub(crate) fn not_served() -> Failure {
    Failure::new(ResultCode::UnwillingToPerform, "this cannot be done with the entry of the server itself")
}

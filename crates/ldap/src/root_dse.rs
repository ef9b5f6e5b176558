//! The root DSE: what the server is and can (RFC 4512 §5.1). Only what works is told.

use netinfo_wire::ldap::{SearchRequest, oid};

use crate::bind;
use crate::controls;
use crate::failure::Outcome;
use crate::operation::{Caller, Operation};
use crate::plain::PlainEntry;
use crate::subschema;

/// Features that need no control or extended operation.
const FEATURES: [&str; 4] = [
    oid::MODIFY_INCREMENT,
    oid::ALL_OPERATIONAL_ATTRIBUTES,
    oid::OBJECT_CLASS_SELECTION,
    oid::ABSOLUTE_FILTERS,
];

/// Reads the root DSE.
pub(crate) fn search(
    operation: &Operation<'_, '_>,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let schema = subschema::default_schema(&operation.caller.engine);
    entry(operation.caller).search(operation, &schema, request, out)
}

/// The root DSE as this client sees it: what it can do depends on how it is connected.
pub(crate) fn entry(caller: &Caller) -> PlainEntry {
    let contexts = caller.engine.contexts();
    let settings = caller.engine.settings();
    let admitting = contexts.iter().filter(|context| context.admits(&caller.peer));
    let suffixes: Vec<String> = admitting.map(|context| context.namespace().suffix().to_owned()).collect();
    let mut entry = PlainEntry::new(String::new());
    entry.user("objectClass", ["top", "extensibleObject"]);
    entry.operational("defaultNamingContext", suffixes.first().cloned());
    entry.operational("namingContexts", suffixes);
    entry.operational("subschemaSubentry", [subschema::NAME]);
    entry.operational("entryDN", [""]);
    entry.operational("supportedLDAPVersion", ["3"]);
    entry.operational("supportedControl", controls::served());
    let mut extensions = vec![oid::PASSWORD_MODIFY, oid::WHO_AM_I, oid::CANCEL, oid::VERIFY_CREDENTIALS];
    if settings.start_tls && caller.peer.uid().is_none() {
        extensions.push(oid::START_TLS);
    }
    entry.operational("supportedExtension", extensions);
    entry.operational("supportedFeatures", FEATURES);
    entry.operational("supportedSASLMechanisms", bind::mechanisms(caller));
    entry.operational("altServer", settings.referrals.iter().cloned());
    entry.operational("vendorName", ["NetInfo"]);
    entry.operational("vendorVersion", [settings.version.as_str()]);
    entry
}

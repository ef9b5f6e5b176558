//! Settings of domains in a data directory.

use std::path::Path;

use netinfo_mapping::Namespace;
use netinfo_mapping::settings;
use serde_json::{Map, Value, json};

use super::{now, open, session};
use crate::command::settings::Wanted;
use crate::failure::Result;

/// Gives a domain these settings, and returns how it is served then.
pub(crate) fn configure(data: &Path, tag: &str, wanted: &Wanted) -> Result<Value> {
    let domain = open(data, false)?.domain(tag)?;
    apply(&domain, wanted)?;
    description(&domain)
}

/// Gives an open domain these settings.
pub(super) fn apply(domain: &netinfo_directory::Domain, wanted: &Wanted) -> Result<()> {
    let session = session(domain)?;
    let changes = settings::plan(&domain.read(&session)?, wanted)?;
    domain.write_blocking(&session, changes, now())?;
    Ok(())
}

/// How a domain is served over LDAP.
pub(crate) fn describe(data: &Path, tag: &str) -> Result<Value> {
    description(&*open(data, false)?.domain(tag)?)
}

fn description(domain: &netinfo_directory::Domain) -> Result<Value> {
    let session = session(domain)?;
    let view = domain.read(&session)?;
    let namespace = Namespace::new(&view, domain.tag())?;
    let set: Map<String, Value> = settings::read(&view)?
        .into_iter()
        .map(|(setting, values)| (setting.name().to_owned(), json!(values)))
        .collect();
    Ok(json!({
        "tag": domain.tag(),
        "suffix": namespace.suffix(),
        "settings": set,
        "problems": namespace.problems(),
    }))
}

/// The whole schema of a domain, as it is published.
pub(crate) fn schema(data: &Path, tag: &str) -> Result<Value> {
    let domain = open(data, false)?.domain(tag)?;
    let session = session(&domain)?;
    let namespace = Namespace::new(&domain.read(&session)?, tag)?;
    let schema = namespace.schema();
    Ok(json!({
        "attributeTypes": schema.published_attribute_types().collect::<Vec<_>>(),
        "objectClasses": schema.published_object_classes().collect::<Vec<_>>(),
    }))
}

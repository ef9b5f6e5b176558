//! Settings of domains in a data directory.

use std::path::Path;

use netinfo_directory::Domain;
use netinfo_mapping::Namespace;
use netinfo_mapping::settings;
use serde_json::{Map, Value, json};

use super::{Open, now, open, session};
use crate::command::settings::Wanted;
use crate::failure::Result;

/// Gives a domain these settings, and returns how it is served then.
pub(crate) fn configure(data: &Path, tag: &str, wanted: &Wanted) -> Result<Value> {
    let open = open(data, false)?;
    let domain = open.domain(tag)?;
    check_beside(&open, tag, settings::suffixes(wanted))?;
    apply(&domain, wanted)?;
    description(&domain)
}

/// Two domains of one node cannot have the same name: checks that none but `tag` has one of these suffixes.
pub(super) fn check_beside<'s>(
    open: &Open,
    tag: &str,
    suffixes: impl Iterator<Item = &'s str> + Clone,
) -> Result<()> {
    for other in open.node.domains().iter().filter(|other| other.tag() != tag) {
        settings::check_beside(suffixes.clone(), other.tag(), &namespace(other)?)?;
    }
    Ok(())
}

/// The same of a domain that is there, by all the names it is served under.
pub(super) fn check_names(open: &Open, domain: &Domain) -> Result<()> {
    check_beside(open, domain.tag(), namespace(domain)?.suffixes())
}

fn namespace(domain: &Domain) -> Result<Namespace> {
    Ok(Namespace::new(&domain.read(&session(domain)?)?, domain.tag())?)
}

/// Gives an open domain these settings.
pub(super) fn apply(domain: &Domain, wanted: &Wanted) -> Result<()> {
    let session = session(domain)?;
    let changes = settings::plan(&domain.read(&session)?, wanted)?;
    domain.write_blocking(&session, changes, now())?;
    Ok(())
}

/// How a domain is served over LDAP.
pub(crate) fn describe(data: &Path, tag: &str) -> Result<Value> {
    description(&*open(data, false)?.domain(tag)?)
}

fn description(domain: &Domain) -> Result<Value> {
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
    let namespace = namespace(&*open(data, false)?.domain(tag)?)?;
    let schema = namespace.schema();
    Ok(json!({
        "attributeTypes": schema.published_attribute_types().collect::<Vec<_>>(),
        "objectClasses": schema.published_object_classes().collect::<Vec<_>>(),
    }))
}

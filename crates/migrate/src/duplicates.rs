//! Names, numbers and addresses that several records of one kind share.

use std::collections::BTreeMap;

use netinfo_directory::{Domain, ROOT};

use crate::error::Result;
use crate::local::session;
use crate::words::shown;

/// What no two records below these directories should have in common.
const UNIQUE: [(&str, &[&str]); 4] = [
    ("users", &["name", "uid"]),
    ("groups", &["name", "gid"]),
    ("machines", &["name", "ip_address", "en_address"]),
    ("networks", &["name"]),
];

/// Something that several records share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The directory they are in.
    pub container: String,
    /// The property.
    pub property: String,
    /// Its value.
    pub value: String,
    /// Canonical names of the records, in order.
    pub records: Vec<String>,
}

/// Finds what records of a domain share although they should not; directories below the root by name, too.
///
/// # Errors
/// When the domain cannot be read.
pub fn duplicates(domain: &Domain) -> Result<Vec<Duplicate>> {
    let view = domain.read(&session(domain)?)?;
    let mut found = Vec::new();
    let containers = UNIQUE.iter().map(|(name, properties)| (Some(*name), *properties));
    for (container, properties) in [(None, &["name"][..])].into_iter().chain(containers) {
        let at = match container {
            None => Some(ROOT),
            Some(name) => view.child_named(ROOT, name.as_bytes())?,
        };
        let Some(at) = at else { continue };
        for property in properties {
            let mut owners: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
            for child in view.children(at)? {
                let child = child?;
                let record = view.record(child)?;
                for value in record.property(property.as_bytes()).into_iter().flat_map(|p| p.values) {
                    let owners = owners.entry(value.to_vec()).or_default();
                    if owners.last() != Some(&child) {
                        owners.push(child);
                    }
                }
            }
            for (value, owners) in owners.into_iter().filter(|(_, owners)| owners.len() > 1) {
                let name = |object: &u32| {
                    let record = view.record(*object)?;
                    Ok(record.first_value(b"name").map_or_else(|| format!("#{object}"), shown))
                };
                found.push(Duplicate {
                    container: format!("/{}", container.unwrap_or_default()),
                    property: (*property).to_owned(),
                    value: shown(&value),
                    records: owners.iter().map(name).collect::<Result<_>>()?,
                });
            }
        }
    }
    Ok(found)
}

//! Under which names a domain is known.

use netinfo_directory::{ROOT, Result, View};
use netinfo_schema::Schema;

use crate::name::{Name, write_value};

/// Root property with the suffix, and behind it further names of the same.
const SUFFIX: &[u8] = b"_suffix";
/// Tag of the domain every host has for itself.
const LOCAL: &str = "local";

/// A suffix: its text, and the same taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suffix {
    pub(crate) text: String,
    /// Types and values, from the lowest upward.
    rdns: Vec<Vec<(String, Vec<u8>)>>,
}

impl Suffix {
    /// Reads a name; `None` when it is none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let name = Name::parse(text).ok()?;
        let mut canonical = Vec::new();
        let mut rdns = Vec::new();
        for rdn in &name.rdns {
            if !canonical.is_empty() {
                canonical.push(b',');
            }
            for (at, part) in rdn.parts.iter().enumerate() {
                if at > 0 {
                    canonical.push(b'+');
                }
                canonical.extend_from_slice(part.kind.as_bytes());
                canonical.push(b'=');
                write_value(&part.value, &mut canonical);
            }
            rdns.push(rdn.parts.iter().map(|part| (part.kind.to_owned(), part.value.to_vec())).collect());
        }
        Some(Self { text: String::from_utf8(canonical).ok()?, rdns })
    }

    /// The types and values of its lowest relative name; none for the empty suffix.
    pub(crate) fn lowest(&self) -> &[(String, Vec<u8>)] {
        self.rdns.first().map_or(&[], |parts| parts)
    }

    /// How many relative names of `name` stand in front of this suffix; `None` when it is not below it.
    pub(crate) fn strip(&self, name: &Name<'_>, schema: &Schema) -> Option<usize> {
        let left = name.rdns.len().checked_sub(self.rdns.len())?;
        let same = name.rdns[left..].iter().zip(&self.rdns).all(|(rdn, own)| {
            rdn.parts.len() == own.len()
                && rdn.parts.iter().all(|part| own.iter().any(|known| is_same(part, known, schema)))
        });
        same.then_some(left)
    }
}

fn is_same(part: &crate::name::Part<'_>, own: &(String, Vec<u8>), schema: &Schema) -> bool {
    let quick = part.kind.eq_ignore_ascii_case(&own.0) && part.value[..] == own.1[..];
    quick || part.is_same(&crate::name::Part { kind: &own.0, value: own.1.as_slice().into() }, schema)
}

/// The names of the domain `tag`, the canonical one first: what the root directory says, else what `/machines` says of
/// the root domain, else `dc=` and the tag.
pub(crate) fn of(view: &View<'_>, tag: &str) -> Result<Vec<Suffix>> {
    let root = view.record(ROOT)?;
    let mut suffixes: Vec<Suffix> = Vec::new();
    for text in root.property(SUFFIX).into_iter().flat_map(|property| property.values) {
        match Suffix::parse(text) {
            Some(suffix) => suffixes.push(suffix),
            None => tracing::warn!(tag, "a value of the root property _suffix is no distinguished name"),
        }
    }
    if suffixes.is_empty() {
        suffixes.extend(of_machines(view)?);
    }
    let by_tag = |tag: &str| {
        let mut text = b"dc=".to_vec();
        write_value(tag.as_bytes(), &mut text);
        Suffix::parse(&text)
    };
    if suffixes.is_empty() || tag == LOCAL {
        suffixes.extend(by_tag(tag));
    }
    let mut seen: Vec<Suffix> = Vec::new();
    suffixes.retain(|suffix| {
        !seen.contains(suffix) && {
            seen.push(suffix.clone());
            true
        }
    });
    Ok(suffixes)
}

/// What the master's entry in `/machines` says: `suffix` is parallel to `serves`. Only in a domain without a parent is that
/// a complete name.
fn of_machines(view: &View<'_>) -> Result<Option<Suffix>> {
    let Some(machines) = view.child_named(ROOT, b"machines")? else { return Ok(None) };
    let root = view.record(ROOT)?;
    let Some((host, tag)) = root.first_value(b"master").and_then(split) else { return Ok(None) };
    let Some(machine) = view.child_named(machines, host)? else { return Ok(None) };
    if view.parent_candidates()?.is_some_and(|candidates| !candidates.is_empty()) {
        return Ok(None);
    }
    let machine = view.record(machine)?;
    let (Some(serves), Some(names)) = (machine.property(b"serves"), machine.property(b"suffix")) else {
        return Ok(None);
    };
    let place =
        serves.values.into_iter().position(|value| split(value).is_some_and(|(_, served)| served == tag));
    let text = place.and_then(|place| names.values.into_iter().nth(place)).filter(|text| !text.is_empty());
    Ok(text.and_then(Suffix::parse))
}

/// Splits `host/tag`.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|byte| *byte == b'/')?;
    Some((&value[..at], &value[at + 1..]))
}

#[cfg(test)]
mod tests {
    use netinfo_schema::Variant;

    use super::*;

    #[test]
    fn names_below_a_suffix() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let suffix = Suffix::parse(b"DC=example, dc=com").unwrap();
        assert_eq!(suffix.text, "DC=example,dc=com");
        let left = |name: &str| suffix.strip(&Name::parse(name.as_bytes()).unwrap(), &schema);
        assert_eq!(left("dc=Example,domainComponent=COM"), Some(0));
        assert_eq!(left("cn=a,dc=example,dc=com"), Some(1));
        assert_eq!(left(r"cn=a\,dc=example,dc=com"), None);
        assert_eq!(left("dc=com"), None);
        assert_eq!(left("dc=example,dc=org"), None);
        let empty = Suffix::parse(b"").unwrap();
        assert_eq!(empty.strip(&Name::parse(b"cn=a").unwrap(), &schema), Some(1));
        assert!(Suffix::parse(b"nonsense").is_none());
    }
}

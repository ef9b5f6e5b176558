//! What becomes of a record that may be there already. Pure: no domain, no file.

use netinfo_directory::Property;

use crate::passwords::MATERIAL;

/// How an import deals with directories that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Properties that the directory lacks are added. Where both sides have at most one value, the imported one counts;
    /// where either is a list, imported values that are missing are added behind those that are there.
    #[default]
    Merge,
    /// The directory gets the imported properties and no others; its children stay.
    Replace,
    /// The directory stays as it is.
    Skip,
}

impl Policy {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Replace => "replace",
            Self::Skip => "skip",
        }
    }

    /// The policy of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Merge, Self::Replace, Self::Skip].into_iter().find(|policy| policy.name() == name)
    }
}

/// What is to be done with a directory that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It gets these properties.
    Change(Vec<Property>),
    /// It has them already.
    Unchanged,
    /// It stays although it differs.
    Skip,
}

/// Decides about a directory with the properties `known`, of which an import says it has `wanted`. Deciding again about
/// the result changes nothing.
#[must_use]
pub fn decide(policy: Policy, known: &[Property], wanted: &[Property]) -> Decision {
    let result = match policy {
        Policy::Replace => replaced(known, wanted),
        Policy::Merge | Policy::Skip => merged(known, wanted),
    };
    if result == known {
        Decision::Unchanged
    } else if policy == Policy::Skip {
        Decision::Skip
    } else {
        Decision::Change(result)
    }
}

/// What makes a host a server of domains is not lost because a file knows nothing of it.
const KEPT: [&[u8]; 1] = [b"serves"];

fn replaced(known: &[Property], wanted: &[Property]) -> Vec<Property> {
    let named = |property: &Property| wanted.iter().any(|other| other.name == property.name);
    let kept = known.iter().filter(|property| KEPT.contains(&&property.name[..]) && !named(property));
    wanted.iter().chain(kept).cloned().collect()
}

fn merged(known: &[Property], wanted: &[Property]) -> Vec<Property> {
    let mut result = known.to_vec();
    for property in wanted {
        let Some(own) = result.iter_mut().find(|own| own.name == property.name) else {
            result.push(property.clone());
            continue;
        };
        match (own.values.len(), property.values.len()) {
            (_, 0) => {}
            (0 | 1, 1) => own.values.clone_from(&property.values),
            // The forms of one password belong together.
            _ if property.name == MATERIAL => own.values.clone_from(&property.values),
            _ => {
                let mut known: std::collections::HashSet<&[u8]> =
                    std::collections::HashSet::with_capacity(own.values.len());
                known.extend(own.values.iter().map(Vec::as_slice));
                let missing: Vec<Vec<u8>> =
                    property.values.iter().filter(|value| known.insert(value)).cloned().collect();
                own.values.extend(missing);
            }
        }
    }
    result
}

/// The names a directory is known by below its parent: the property, and its values, the canonical one first. Where
/// `_rdn` says so it is another one than `name`.
#[must_use]
pub fn names(properties: &[Property]) -> Option<(&[u8], &[Vec<u8>])> {
    let find =
        |name: &[u8]| properties.iter().find(|property| property.name == name && !property.values.is_empty());
    let named = match find(b"_rdn") {
        Some(keys) => keys.values.first().and_then(|key| find(key)),
        None => None,
    };
    let named = named.or_else(|| find(b"name"))?;
    Some((&named.name, &named.values))
}

/// Whether two directories below one parent are the same thing: the canonical name of one is among the names of the
/// other, and so are the ports of services, of which there may be several with one name.
#[must_use]
pub fn same(known: &[Property], wanted: &[Property]) -> bool {
    let (Some((key, ours)), Some((other, theirs))) = (names(known), names(wanted)) else {
        return known == wanted;
    };
    if key != other
        || !(ours.first().is_some_and(|name| theirs.contains(name))
            || theirs.first().is_some_and(|name| ours.contains(name)))
    {
        return false;
    }
    let first = |properties: &[Property], name: &[u8]| {
        properties.iter().find(|property| property.name == name).and_then(|p| p.values.first().cloned())
    };
    let further = first(wanted, b"_rdn").is_some();
    let apart = |name: &[u8]| match (first(known, name), first(wanted, name)) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    };
    !(apart(b"port") || further && rdn_differs(known, wanted))
}

/// Whether a name of several parts differs behind the first.
fn rdn_differs(known: &[Property], wanted: &[Property]) -> bool {
    let values = |properties: &[Property], name: &[u8]| {
        properties.iter().find(|property| property.name == name).map(|property| property.values.clone())
    };
    let keys = values(wanted, b"_rdn").unwrap_or_default();
    keys.iter().skip(1).any(|key| {
        let one =
            |properties: &[Property]| values(properties, key).and_then(|values| values.into_iter().next());
        one(known) != one(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(properties: &[(&str, &[&str])]) -> Vec<Property> {
        properties.iter().map(|(name, values)| Property::new(*name, values.iter().copied())).collect()
    }

    #[test]
    fn merging_adds_and_overrides_single_values() {
        let known =
            list(&[("name", &["wheel"]), ("gid", &["0"]), ("users", &["root", "ana"]), ("note", &["n"])]);
        let wanted = list(&[
            ("name", &["wheel", "admin"]),
            ("gid", &["10"]),
            ("users", &["ana", "bo"]),
            ("passwd", &["*"]),
        ]);
        let Decision::Change(result) = decide(Policy::Merge, &known, &wanted) else { panic!("not changed") };
        assert_eq!(
            result,
            list(&[
                ("name", &["wheel", "admin"]),
                ("gid", &["10"]),
                ("users", &["root", "ana", "bo"]),
                ("note", &["n"]),
                ("passwd", &["*"]),
            ])
        );
        assert_eq!(decide(Policy::Merge, &result, &wanted), Decision::Unchanged);
        let (known, wanted) = (list(&[("_shadow_passwd", &["a", "b"])]), list(&[("_shadow_passwd", &["c"])]));
        assert_eq!(decide(Policy::Merge, &known, &wanted), Decision::Change(wanted.clone()));
    }

    #[test]
    fn replacing_and_skipping() {
        let known = list(&[("name", &["a"]), ("uid", &["1"]), ("note", &["n"])]);
        let wanted = list(&[("name", &["a"]), ("uid", &["1"])]);
        assert_eq!(decide(Policy::Replace, &known, &wanted), Decision::Change(wanted.clone()));
        assert_eq!(decide(Policy::Replace, &wanted, &wanted), Decision::Unchanged);
        let server = list(&[("name", &["a"]), ("serves", &["./local"])]);
        assert_eq!(decide(Policy::Replace, &server, &list(&[("name", &["a"])])), Decision::Unchanged);
        assert_eq!(decide(Policy::Skip, &known, &wanted), Decision::Unchanged, "nothing would be added");
        assert_eq!(decide(Policy::Skip, &wanted, &known), Decision::Skip);
    }

    #[test]
    fn directories_are_known_by_name_and_port() {
        let tcp = list(&[("name", &["tempo", "newdate"]), ("port", &["103"])]);
        let other = list(&[("name", &["tempo"]), ("port", &["1103"])]);
        let alias = list(&[("name", &["newdate", "tempo"])]);
        assert!(same(&tcp, &alias) && same(&alias, &tcp));
        assert!(!same(&tcp, &other));
        assert!(
            !same(&list(&[("name", &["a", "b"])]), &list(&[("name", &["c", "b"])])),
            "a common alias is not enough"
        );
        assert!(
            same(&list(&[("key", &["x"])]), &list(&[("key", &["x"])])),
            "without names only what is equal is the same"
        );
        let named =
            |serial: &str| list(&[("name", &["a"]), ("_rdn", &["name", "serial"]), ("serial", &[serial])]);
        assert!(same(&named("1"), &named("1")) && !same(&named("1"), &named("2")));
    }

    fn properties() -> impl Strategy<Value = Vec<Property>> {
        let values = proptest::collection::vec("[ab]{0,1}", 0..3);
        proptest::collection::btree_map("[xyz]", values, 0..4)
            .prop_map(|map| map.into_iter().map(|(name, values)| Property::new(name, values)).collect())
    }

    proptest! {
        #[test]
        fn deciding_twice_changes_nothing(known in properties(), wanted in properties(), replace: bool) {
            let policy = if replace { Policy::Replace } else { Policy::Merge };
            if let Decision::Change(result) = decide(policy, &known, &wanted) {
                prop_assert_eq!(decide(policy, &result, &wanted), Decision::Unchanged);
            }
        }
    }
}

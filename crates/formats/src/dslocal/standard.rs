//! Names of DirectoryService for attributes, and those of NetInfo.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../data/ds-attributes.tsv");
const STANDARD: &str = "dsAttrTypeStandard:";
const NATIVE: &str = "dsAttrTypeNative:";

/// By directory and name; the directory `*` means every one.
type Names = HashMap<(&'static str, &'static str), &'static str>;

struct Tables {
    /// From attributes to properties.
    properties: Names,
    /// From properties to attributes.
    attributes: Names,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Tables { properties: Names::new(), attributes: Names::new() };
        for line in TABLE.lines().skip(1) {
            let mut columns = line.split('\t');
            if let (Some(directory), Some(property), Some(attribute)) =
                (columns.next(), columns.next(), columns.next())
            {
                tables.properties.entry((directory, attribute)).or_insert(property);
                tables.attributes.entry((directory, property)).or_insert(attribute);
            }
        }
        tables
    })
}

/// The name of a property for a key of a record in a folder such as `users`: names with `dsAttrTypeStandard:` are
/// translated if they are known, `dsAttrTypeNative:` is taken off, other keys are names of properties already.
pub fn native_name<'a>(folder: &str, key: &'a str) -> Cow<'a, str> {
    let Some(standard) = key.strip_prefix(STANDARD) else {
        return Cow::Borrowed(key.strip_prefix(NATIVE).unwrap_or(key));
    };
    find(&tables().properties, folder, standard).map_or(Cow::Borrowed(key), Cow::Borrowed)
}

/// What DirectoryService calls a property of a record in a folder, without `dsAttrTypeStandard:`; `None` if it is native.
pub fn standard_name(folder: &str, property: &str) -> Option<&'static str> {
    find(&tables().attributes, folder, property)
}

fn find<'a>(
    names: &'a HashMap<(&'a str, &'a str), &'static str>,
    folder: &'a str,
    name: &'a str,
) -> Option<&'static str> {
    names.get(&(folder, name)).or_else(|| names.get(&("*", name))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_translated_both_ways() {
        assert_eq!(native_name("users", "dsAttrTypeStandard:RealName"), "realname");
        assert_eq!(native_name("users", "dsAttrTypeStandard:UniqueID"), "uid");
        assert_eq!(native_name("groups", "dsAttrTypeStandard:GroupMembership"), "users");
        assert_eq!(native_name("users", "dsAttrTypeStandard:AddressLine2"), "address2");
        assert_eq!(native_name("users", "dsAttrTypeStandard:Unheard"), "dsAttrTypeStandard:Unheard");
        assert_eq!(native_name("users", "dsAttrTypeNative:picture"), "picture");
        assert_eq!(native_name("users", "realname"), "realname");
        assert_eq!(standard_name("users", "realname"), Some("RealName"));
        assert_eq!(standard_name("groups", "users"), Some("GroupMembership"));
        assert_eq!(standard_name("users", "_writers_passwd"), None);
    }
}

//! Entries as records and questions as filters, by the tables of [`netinfo_mapping::foreign`]: RFC 2307, RFC 2307bis, and
//! what Active Directory calls the same things.

use std::borrow::Cow;

use netinfo_directory::Property;
use netinfo_lookup::Table;
use netinfo_mapping::foreign::{Pair, disables, pairs};
use netinfo_wire::ldap::Dn;

use super::connection::Found;
use crate::item::{Item, Question, fnv};

/// Attributes that are taken besides those of the tables.
const USER_EXTRAS: [&str; 20] = [
    "objectClass",
    "sAMAccountName",
    "gecos",
    "displayName",
    "unixHomeDirectory",
    "shadowLastChange",
    "shadowMin",
    "shadowMax",
    "shadowWarning",
    "shadowInactive",
    "host",
    "authorizedService",
    "sshPublicKey",
    "pwdAccountLockedTime",
    "nsAccountLock",
    "userAccountControl",
    "accountExpires",
    "pwdLastSet",
    "loginDisabled",
    "altSecurityIdentities",
];
/// Attributes of users that records have under the same name.
const USER_AS_THEY_ARE: [&str; 8] = [
    "shadowLastChange",
    "shadowMin",
    "shadowMax",
    "shadowWarning",
    "shadowInactive",
    "host",
    "authorizedService",
    "sshPublicKey",
];
/// Attributes of groups besides those of the table.
const GROUP_EXTRAS: [&str; 3] = ["sAMAccountName", "member", "uniqueMember"];
/// Classes of groups.
const GROUPS: [&str; 5] = ["posixGroup", "group", "groupOfNames", "groupOfUniqueNames", "groupOfMembers"];
/// The matching rule of Active Directory that follows chains.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
/// "The password does not expire" among them.
const AD_FOR_EVER: u32 = 0x1_0000;
/// Seconds from 1601, where Active Directory begins to count, to 1970.
const FROM_1601: i64 = 11_644_473_600;
/// Times of Active Directory are tenths of microseconds.
const TICKS: i64 = 10_000_000;

/// Classes of the entries of a table; none if LDAP does not have such entries.
pub(super) fn classes(table: Table) -> &'static [&'static str] {
    match table {
        Table::Users => &["posixAccount", "user"],
        Table::Groups => &["posixGroup", "group"],
        Table::Machines => &["ipHost", "ieee802Device"],
        Table::Networks => &["ipNetwork"],
        Table::Services => &["ipService"],
        Table::Protocols => &["ipProtocol"],
        Table::Rpcs => &["oncRpc"],
        Table::Aliases => &["nisMailAlias"],
        Table::Netgroups => &["nisNetgroup"],
        Table::Mounts => &["mount"],
        Table::Printers => &["apple-printer"],
        Table::Netdomains => &[],
    }
}

/// The attributes to ask for.
pub(super) fn attributes(table: Table) -> Vec<&'static str> {
    let extras: &[&str] = match table {
        Table::Users => &USER_EXTRAS,
        Table::Groups => &GROUP_EXTRAS,
        _ => &[],
    };
    let mut list: Vec<&str> = pairs(table.directory()).map(|pair| pair.attribute).collect();
    list.extend(extras);
    list.sort_unstable();
    list.dedup();
    list
}

/// The question in the one spelling in which records have the value.
pub(super) fn canonical(question: &Question) -> Cow<'_, Question> {
    let value = match (question.table, question.key.as_slice()) {
        (Table::Machines, b"name") => Cow::Owned(question.value.to_ascii_lowercase()),
        (Table::Machines, b"en_address") => match pair(question.table, b"en_address") {
            Some(pair) => pair.assertion(&question.value),
            None => return Cow::Borrowed(question),
        },
        _ => return Cow::Borrowed(question),
    };
    if *value == question.value {
        return Cow::Borrowed(question);
    }
    Cow::Owned(Question { value: value.into_owned(), ..question.clone() })
}

/// The filter for the entries of a table.
pub(super) fn all(table: Table) -> Option<String> {
    let classes = classes(table);
    if classes.is_empty() {
        return None;
    }
    let mut filter = String::from("(&");
    any_of(&mut filter, classes.iter().map(|class| format!("(objectClass={class})")));
    match table {
        Table::Users => filter.push_str("(uidNumber=*)"),
        Table::Groups => filter.push_str("(gidNumber=*)"),
        _ => {}
    }
    filter.push(')');
    Some(filter)
}

/// The filter for entries that may be members of a group.
pub(super) fn users_and_groups() -> String {
    let groups = GROUPS.map(|class| format!("(objectClass={class})")).concat();
    format!("(|{}{groups})", all(Table::Users).unwrap_or_default())
}

/// Whether an entry is a group, with or without a number.
pub(super) fn is_group(found: &Found) -> bool {
    let is = |value: &Vec<u8>| GROUPS.iter().any(|class| value.eq_ignore_ascii_case(class.as_bytes()));
    found.values("objectClass").iter().any(is)
}

/// The filter for groups, with or without a number, that list a user by name or one of these entries. With `in_chain` the
/// directory is to look into groups in groups as well (MS-ADTS 3.1.1.3.4.4.3), and those without a number are not wanted.
pub(super) fn groups_of(user: Option<&[u8]>, entries: &[&str], in_chain: bool) -> String {
    let mut filter = String::from("(&");
    any_of(&mut filter, GROUPS.iter().map(|class| format!("(objectClass={class})")));
    if in_chain {
        filter.push_str("(gidNumber=*)");
    }
    let mut list: Vec<String> = user.iter().map(|user| format!("(memberUid={})", escaped(user))).collect();
    for entry in entries.iter().map(|entry| escaped(entry.as_bytes())) {
        if in_chain {
            list.push(format!("(member:{IN_CHAIN}:={entry})"));
        } else {
            list.extend(["member", "uniqueMember"].map(|attribute| format!("({attribute}={entry})")));
        }
    }
    any_of(&mut filter, list.into_iter());
    filter.push(')');
    filter
}

/// The filter for a question. `None` if no entry can be meant.
pub(super) fn filter(question: &Question) -> Option<String> {
    let all = all(question.table)?;
    let mut list: Vec<String> = Vec::new();
    let mut equal = |attribute: &str, value: &[u8]| list.push(format!("({attribute}={})", escaped(value)));
    if let Some(pair) = pair(question.table, &question.key) {
        if pair.property == "passwd" {
            return None;
        }
        equal(pair.attribute, &pair.assertion(&question.value));
    }
    match (question.table, question.key.as_slice()) {
        (Table::Users | Table::Groups, b"name") => equal("sAMAccountName", &question.value),
        (Table::Users, b"realname") => equal("gecos", &question.value),
        (Table::Users, b"home") => equal("unixHomeDirectory", &question.value),
        _ => {}
    }
    if list.is_empty() {
        return None;
    }
    let mut filter = all;
    filter.pop();
    any_of(&mut filter, list.into_iter());
    filter.push(')');
    Some(filter)
}

fn any_of(filter: &mut String, parts: impl ExactSizeIterator<Item = String>) {
    let many = parts.len() > 1;
    filter.push_str(if many { "(|" } else { "" });
    parts.for_each(|part| filter.push_str(&part));
    filter.push_str(if many { ")" } else { "" });
}

/// A value as it stands in the text of a filter (RFC 4515 §3).
fn escaped(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'*' | b'(' | b')' | b'\\' | 0..0x20 | 0x7f.. => text.push_str(&format!("\\{byte:02x}")),
            byte => text.push(char::from(*byte)),
        }
    }
    text
}

fn pair(table: Table, property: &[u8]) -> Option<Pair> {
    pairs(table.directory()).find(|pair| pair.property.as_bytes() == property)
}

/// An entry as a record. The members of a group that are given as names of entries are left to the caller.
pub(super) fn item(table: Table, found: &Found, members: Vec<Vec<u8>>) -> Item {
    let mut properties: Vec<Property> = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for pair in pairs(table.directory()) {
        let values = found.values(pair.attribute);
        if values.is_empty() || pair.attribute == "ipHostNumber" || taken.contains(&pair.attribute) {
            continue;
        }
        taken.push(pair.attribute);
        let values = values.iter().map(|value| pair.store(value).into_owned());
        properties.push(Property::new(pair.property, values));
    }
    match table {
        Table::Users => user(found, &mut properties),
        Table::Groups => {
            rename(found, "cn", &mut properties);
            if property(&mut properties, b"name").is_empty() {
                set(&mut properties, "name", found.values("sAMAccountName").to_vec());
            }
            let users = property(&mut properties, b"users");
            members.into_iter().for_each(|member| push_new(users, member));
        }
        Table::Machines => machine(found, &mut properties),
        _ => rename(found, "cn", &mut properties),
    }
    properties.retain(|property| !property.values.is_empty());
    Item::new(fnv(found.dn.to_ascii_lowercase().as_bytes()), properties)
}

fn user(found: &Found, properties: &mut Vec<Property>) {
    rename(found, "uid", properties);
    if property(properties, b"name").is_empty() {
        set(properties, "name", found.values("sAMAccountName").to_vec());
    }
    // In Active Directory `homeDirectory` is a share of a file server.
    for (key, attribute) in [("home", "unixHomeDirectory"), ("realname", "gecos")] {
        if let Some(value) = found.values(attribute).first() {
            set(properties, key, vec![value.clone()]);
        }
    }
    if property(properties, b"realname").is_empty() {
        set(properties, "realname", found.values("displayName").to_vec());
    }
    for name in USER_AS_THEY_ARE {
        set(properties, name, found.values(name).to_vec());
    }
    // Whatever is known of it, there is a password: who has none cannot bind.
    let locked = |value: &Vec<u8>| value.strip_prefix(b"{CRYPT}").unwrap_or(value).starts_with(b"!");
    let locked = found.values("userPassword").iter().any(locked);
    set(properties, "passwd", vec![if locked { b"!".to_vec() } else { b"*".to_vec() }]);
    if is_disabled(found) {
        set(properties, "authentication_authority", vec![b";DisabledUser;".to_vec()]);
    }
    let expires = number::<i64>(found, "accountExpires").filter(|at| (1..i64::MAX).contains(at));
    if let Some(at) = expires {
        set(properties, "expire", vec![(at / TICKS - FROM_1601).max(1).to_string().into_bytes()]);
    }
    // Somebody else has set the password, and wants it changed.
    let lasts = number::<u32>(found, "userAccountControl").is_some_and(|bits| bits & AD_FOR_EVER != 0);
    if number::<i64>(found, "pwdLastSet") == Some(0) && !lasts {
        set(properties, "change", vec![b"1".to_vec()]);
    }
}

fn is_disabled(found: &Found) -> bool {
    found.attributes.iter().any(|(name, values)| values.iter().any(|value| disables(name, value)))
}

/// Seconds since 1970 of a GeneralizedTime as `currentTime` has it, `20261123185500.0Z`.
pub(super) fn seconds(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value.strip_suffix(b"Z")?).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.len() != 14 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

fn number<N: std::str::FromStr>(found: &Found, name: &str) -> Option<N> {
    std::str::from_utf8(found.values(name).first()?).ok()?.trim().parse().ok()
}

fn machine(found: &Found, properties: &mut Vec<Property>) {
    rename(found, "cn", properties);
    property(properties, b"name").iter_mut().for_each(|name| name.make_ascii_lowercase());
    if let Some(pair) = pair(Table::Machines, b"en_address") {
        let addresses = property(properties, b"en_address");
        *addresses = addresses.iter().map(|address| pair.assertion(address).into_owned()).collect();
    }
    let (v6, v4): (Vec<_>, Vec<_>) =
        found.values("ipHostNumber").iter().cloned().partition(|address| address.contains(&b':'));
    set(properties, "ip_address", v4);
    set(properties, "ipv6_address", v6);
}

/// Puts the value by which the entry is named in front of the names (RFC 2307 §5.6).
fn rename(found: &Found, attribute: &str, properties: &mut Vec<Property>) {
    let Some(first) = naming_value(&found.dn, attribute) else { return };
    let names = property(properties, b"name");
    if let Some(at) = names.iter().position(|name| name.eq_ignore_ascii_case(&first)) {
        names[..=at].rotate_right(1);
    }
}

/// The value of an attribute in the first part of a DN.
pub(super) fn naming_value(dn: &str, attribute: &str) -> Option<Vec<u8>> {
    let parsed = Dn::parse(dn.as_bytes()).ok()?;
    let (rdn, _) = parsed.split_first()?;
    let pair = rdn.pairs().find(|pair| pair.attribute.eq_ignore_ascii_case(attribute))?;
    pair.value().octets().map(<[u8]>::to_vec)
}

/// The values of a property, which is made if it is missing.
fn property<'p>(properties: &'p mut Vec<Property>, name: &[u8]) -> &'p mut Vec<Vec<u8>> {
    let at = match properties.iter().position(|property| property.name == name) {
        Some(at) => at,
        None => {
            properties.push(Property { name: name.to_vec(), values: Vec::new() });
            properties.len() - 1
        }
    };
    &mut properties[at].values
}

fn set(properties: &mut Vec<Property>, name: &str, values: Vec<Vec<u8>>) {
    if !values.is_empty() {
        *property(properties, name.as_bytes()) = values;
    }
}

fn push_new(values: &mut Vec<Vec<u8>>, value: Vec<u8>) {
    if !values.contains(&value) {
        values.push(value);
    }
}

#[cfg(test)]
mod tests;

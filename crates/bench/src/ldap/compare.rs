//! Whether the servers give the same answers: what answers with something else is not compared by its speed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use netinfo_wire::ldap::{FilterBuf, Scope, SearchRequest, SelectionBuf};

use super::client::{Client, entry};
use super::requests::Identity;
use super::tree::{self, PEOPLE, SUFFIX};
use crate::{Result, people};

/// Users whose entries are compared.
const SAMPLE: [u32; 4] = [0, 7, 999, 500];
/// Differences told, at most.
const TOLD: usize = 10;

/// An entry: its attributes, in lower case, with their values in order.
type Entry = BTreeMap<String, BTreeSet<String>>;
/// Entries by DN.
type Entries = BTreeMap<String, Entry>;

/// Differences between the answers of the servers at these addresses, in words; `users` users are in the directory.
///
/// # Errors
/// A search fails.
pub fn differences(one: SocketAddr, other: SocketAddr, users: u32) -> Result<Vec<String>> {
    let mut clients = [Client::bound(one, Identity::User)?, Client::bound(other, Identity::User)?];
    let mut found = Vec::new();
    for i in SAMPLE.into_iter().filter(|i| *i < users) {
        let name = people::name(i);
        let groups = format!("(&(objectClass=posixGroup)(memberUid={name}))");
        let searches: [(&str, Scope, String, &[&str]); 6] = [
            (SUFFIX, Scope::Subtree, format!("(uid={name})"), &[]),
            (SUFFIX, Scope::Subtree, format!("(uid={name})"), &["uidNumber", "gidNumber"]),
            (&tree::user_dn(i), Scope::Base, "(objectClass=*)".into(), &[]),
            (SUFFIX, Scope::Subtree, groups, &["cn", "gidNumber"]),
            (PEOPLE, Scope::Subtree, format!("(cn=*{}*)", tree::piece(i % tree::PIECES)), &["uid", "cn"]),
            (SUFFIX, Scope::Subtree, "(uid=nobody has this)".into(), &[]),
        ];
        for (base, scope, filter, selection) in searches {
            let mut answers = Vec::new();
            for client in &mut clients {
                answers.push(ask(client, base, scope, &filter, selection)?);
            }
            found.extend(compare(&answers[0], &answers[1]).map(|what| format!("{filter}: {what}")));
        }
    }
    found.truncate(TOLD);
    Ok(found)
}

fn ask(client: &mut Client, base: &str, scope: Scope, filter: &str, selection: &[&str]) -> Result<Entries> {
    let filter = FilterBuf::parse(filter)?;
    let selection: SelectionBuf = selection.iter().map(|name| name.as_bytes()).collect();
    let mut search = SearchRequest::new(base.as_bytes(), scope, filter.as_filter());
    search.attributes = selection.as_list();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut entries = Entries::new();
    client.search(search, None, &mut |bytes| {
        let (dn, attributes) = entry(bytes, |found| {
            let attribute = |a: netinfo_wire::ldap::Attribute<'_>| {
                (text(a.name).to_lowercase(), a.values.iter().map(text).collect())
            };
            (text(found.dn).to_lowercase(), found.attributes.iter().map(attribute).collect())
        })?;
        entries.insert(dn, attributes);
        Ok(())
    })?;
    Ok(entries)
}

/// The first difference, in words.
fn compare(one: &Entries, other: &Entries) -> Option<String> {
    let names = |entries: &Entries| entries.keys().cloned().collect::<Vec<_>>();
    if names(one) != names(other) {
        return Some(format!("{} entries, not {}: {:?}", other.len(), one.len(), names(other).first()));
    }
    for ((dn, mine), yours) in one.iter().zip(other.values()) {
        let attributes: BTreeSet<&String> = mine.keys().chain(yours.keys()).collect();
        let differs = |a: &&&String| mine.get(**a) != yours.get(**a);
        if let Some(attribute) = attributes.iter().find(differs) {
            let (mine, yours) = (mine.get(*attribute), yours.get(*attribute));
            return Some(format!("{dn}: {attribute}: {yours:?}, not {mine:?}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found() {
        let entries = |dn: &str, value: &str| {
            let values = BTreeSet::from([value.to_owned()]);
            Entries::from([(dn.to_owned(), Entry::from([("cn".to_owned(), values)]))])
        };
        assert_eq!(compare(&entries("a", "1"), &entries("a", "1")), None);
        assert!(compare(&entries("a", "1"), &entries("b", "1")).unwrap().contains("1 entries, not 1"));
        assert!(compare(&entries("a", "1"), &entries("a", "2")).unwrap().starts_with("a: cn: "));
    }
}

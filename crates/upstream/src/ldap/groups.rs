//! Groups: their members, which entries name by the names of other entries, and groups in groups.
//!
//! A member that is a group stands for its members, and so on, [`MAX_GROUP_DEPTH`] groups deep. Who asks for the groups of a
//! user gets those of which the groups are members as well. Active Directory follows such chains itself; elsewhere they are
//! followed here, a level at a time.

use std::collections::{HashMap, HashSet};

use netinfo_lookup::Table;
use netinfo_wire::ldap::Dn;
use netinfo_wire::ldap::request::Scope;

use super::connection::{Found, Search};
use super::{Ldap, schema};
use crate::item::Item;
use crate::limits::{LDAP_WINDOW, MAX_FOUND, MAX_GROUP_DEPTH, MAX_MEMBERS, MAX_NAMES, MAX_NESTED, STEP};
use crate::remote::Fault;

/// Groups by the names of their entries in lower case.
#[derive(Default)]
struct Nested(HashMap<String, Found>);

/// The names of the entries of a group's members.
fn members(group: &Found) -> impl Iterator<Item = &str> {
    let values = ["member", "uniqueMember"].into_iter().flat_map(|name| group.values(name));
    values.filter_map(|dn| std::str::from_utf8(dn).ok())
}

impl Ldap {
    /// Groups as records, with the names of all their members.
    pub(super) fn group_items(&mut self, found: &[Found]) -> Result<Vec<Item>, Fault> {
        let nested = self.resolve(found)?;
        let item = |group: &Found| schema::item(Table::Groups, group, self.names_of_members(group, &nested));
        Ok(found.iter().map(item).collect())
    }

    /// The groups of a user, of which nobody wants to know who else is in them; `dn` is the name of the user's entry.
    pub(super) fn groups_of(&mut self, user: &[u8], dn: Option<&str>) -> Result<Vec<Item>, Fault> {
        let in_chain = dn.is_some() && self.is_active_directory()?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut filters = vec![schema::groups_of(Some(user), dn.as_slice(), in_chain)];
        for _ in 0..=MAX_GROUP_DEPTH {
            let mut level: Vec<String> = Vec::new();
            for filter in filters {
                for group in self.search(Table::Groups, &filter, MAX_FOUND, STEP)? {
                    if found.len() < MAX_FOUND && seen.insert(group.dn.to_ascii_lowercase()) {
                        level.push(group.dn.clone());
                        found.push(group);
                    }
                }
            }
            if in_chain || level.is_empty() {
                break;
            }
            let names: Vec<&str> = level.iter().map(String::as_str).collect();
            filters = names.chunks(LDAP_WINDOW).map(|names| schema::groups_of(None, names, false)).collect();
        }
        if let Some(dn) = dn {
            self.names.insert(dn.to_ascii_lowercase(), Some(user.to_vec()));
        }
        // Those without a number only lead on.
        found.retain(|group| !group.values("gidNumber").is_empty());
        Ok(found.iter().map(|group| schema::item(Table::Groups, group, vec![user.to_vec()])).collect())
    }

    /// The name of the user with this entry, as far as it is known.
    fn name_of(&self, dn: &str) -> Option<Vec<u8>> {
        let named = || schema::naming_value(dn, "uid");
        self.names.get(&dn.to_ascii_lowercase()).cloned().unwrap_or_else(named)
    }

    /// The names of the members of a group, those of the groups in it last; at most [`MAX_MEMBERS`] of the latter.
    fn names_of_members(&self, group: &Found, nested: &Nested) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut known: HashSet<Vec<u8>> = HashSet::new();
        let mut visited = HashSet::from([group.dn.to_ascii_lowercase()]);
        let mut level = vec![group];
        for depth in 0..=MAX_GROUP_DEPTH {
            let mut next = Vec::new();
            for group in level {
                let by_name = if depth > 0 { group.values("memberUid") } else { &[] };
                let by_entry = members(group).filter_map(|dn| {
                    match nested.0.get(&dn.to_ascii_lowercase()) {
                        Some(inner) if visited.insert(dn.to_ascii_lowercase()) => next.push(inner),
                        Some(_) => {}
                        None => return self.name_of(dn),
                    }
                    None
                });
                for name in by_name.iter().cloned().chain(by_entry) {
                    if (depth == 0 || names.len() < MAX_MEMBERS) && known.insert(name.clone()) {
                        names.push(name);
                    }
                }
            }
            level = next;
        }
        names
    }

    /// Finds out the names of members whose entries' names do not tell them, and the groups among them.
    fn resolve(&mut self, groups: &[Found]) -> Result<Nested, Fault> {
        if self.names.len() > MAX_NAMES {
            self.names.clear();
        }
        let mut nested = Nested::default();
        for group in groups {
            nested.0.insert(group.dn.to_ascii_lowercase(), group.clone());
        }
        let mut level: Vec<String> = groups.iter().flat_map(|group| self.unknown(group, &nested)).collect();
        for _ in 0..MAX_GROUP_DEPTH {
            level.sort_unstable();
            level.dedup();
            if level.is_empty() || nested.0.len() > groups.len() + MAX_NESTED {
                break;
            }
            let inner = self.look_at(&level)?;
            let mut next = Vec::new();
            for group in &inner {
                nested.0.insert(group.dn.to_ascii_lowercase(), group.clone());
            }
            inner.iter().for_each(|group| next.extend(self.unknown(group, &nested)));
            level = next;
        }
        Ok(nested)
    }

    /// Members of a group of which it is not known yet what they are, at most [`MAX_MEMBERS`].
    fn unknown(&self, group: &Found, nested: &Nested) -> Vec<String> {
        let is_unknown = |dn: &&str| {
            let key = dn.to_ascii_lowercase();
            schema::naming_value(dn, "uid").is_none()
                && !self.names.contains_key(&key)
                && !nested.0.contains_key(&key)
                && Dn::parse(dn.as_bytes()).is_ok()
        };
        members(group).filter(is_unknown).take(MAX_MEMBERS).map(str::to_owned).collect()
    }

    /// Looks at entries: remembers the names of users, and returns the groups.
    fn look_at(&mut self, names: &[String]) -> Result<Vec<Found>, Fault> {
        let filter = schema::users_and_groups();
        let attributes =
            ["objectClass", "uid", "sAMAccountName", "member", "uniqueMember", "memberUid"].as_slice();
        let search = |base| Search { base, scope: Scope::Base, filter: &filter, attributes };
        let searches: Vec<_> = names.iter().map(|dn| search(dn.as_str())).collect();
        let mut found = self.ask(STEP, |connection| connection.search_each(&searches))?;
        found.iter_mut().flatten().try_for_each(|entry| self.complete(entry))?;
        let mut groups = Vec::new();
        for (dn, found) in names.iter().zip(found) {
            match found {
                // Who is in it may change: it is looked at again the next time.
                Some(group) if schema::is_group(&group) => groups.push(Found { dn: dn.clone(), ..group }),
                found => {
                    let name = found.and_then(|found| {
                        let item = schema::item(Table::Users, &found, Vec::new());
                        item.first(b"name").map(<[u8]>::to_vec)
                    });
                    self.names.insert(dn.to_ascii_lowercase(), name);
                }
            }
        }
        Ok(groups)
    }
}

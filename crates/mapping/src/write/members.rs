//! The parallel lists of a group's members: short names in `users`, DNs in `member` and `uniqueMember`, identifiers in
//! `groupmembers`; and the lists that NetInfo has beside the triples of a netgroup.
//!
//! Who is added to one list that a group keeps is added to the others it keeps; and so with removals. DNs and identifiers
//! that belong to nobody stay in their lists alone.

use netinfo_directory::ROOT;

use super::draft::Draft;
use crate::context::NAME;
use crate::error::Result;
use crate::resolve::Resolution;
use crate::tree::Tree;

const USERS: &[u8] = b"users";
const MEMBER: &[u8] = b"member";
const UNIQUE_MEMBER: &[u8] = b"uniqueMember";
const GUIDS: &[u8] = b"groupmembers";
const GUID: &[u8] = b"generateduid";

/// The lists of a group at one moment.
pub(super) struct Lists {
    users: Vec<Vec<u8>>,
    dns: Vec<Vec<u8>>,
    guids: Vec<Vec<u8>>,
    triples: Vec<Vec<u8>>,
}

/// A user: directory and short name.
struct User {
    object: u32,
    name: Vec<u8>,
}

impl Lists {
    pub(super) fn of(draft: &Draft<'_>) -> Self {
        let list = |name: &[u8]| draft.property(name).map_or_else(Vec::new, |item| item.values.clone());
        Self {
            users: list(USERS),
            dns: [list(MEMBER), list(UNIQUE_MEMBER)].concat(),
            guids: list(GUIDS),
            triples: list(b"netgrouptriplet"),
        }
    }

    /// Brings the lists of an edited group together again.
    pub(super) fn synchronise(&self, draft: &mut Draft<'_>) -> Result<()> {
        match draft.context().table {
            "groups" => self.synchronise_group(draft),
            "netgroups" => {
                if Self::of(draft).triples != self.triples {
                    spread_triples(draft);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn synchronise_group(&self, draft: &mut Draft<'_>) -> Result<()> {
        let now = Self::of(draft);
        let tree = draft.tree;
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for (before, after, user) in [
            (&self.users, &now.users, by_name as fn(&Tree<'_>, &[u8]) -> Result<Option<User>>),
            (&self.dns, &now.dns, by_dn),
            (&self.guids, &now.guids, by_guid),
        ] {
            for value in missing_in(after, before) {
                joined.extend(user(tree, value)?);
            }
            for value in missing_in(before, after) {
                left.extend(user(tree, value)?);
            }
        }
        // A value that was only written in another way has neither come nor gone.
        left.retain(|user| !joined.iter().any(|other| other.object == user.object));
        for user in &left {
            remove(draft, user)?;
        }
        for user in &joined {
            join(draft, user, &now)?;
        }
        Ok(())
    }
}

/// Gives a new group the short names of the users that it names otherwise; a new netgroup its lists.
pub(super) fn mirror_new(draft: &mut Draft<'_>) -> Result<()> {
    match draft.context().table {
        "groups" => {
            let now = Lists::of(draft);
            for dn in &now.dns {
                if let Some(user) = by_dn(draft.tree, dn)? {
                    draft.add_value(USERS, &user.name);
                }
            }
            for guid in &now.guids {
                if let Some(user) = by_guid(draft.tree, guid)? {
                    draft.add_value(USERS, &user.name);
                }
            }
        }
        "netgroups" if draft.property(b"netgrouptriplet").is_some() => spread_triples(draft),
        _ => {}
    }
    Ok(())
}

fn missing_in<'v>(list: &'v [Vec<u8>], other: &[Vec<u8>]) -> Vec<&'v Vec<u8>> {
    let known: std::collections::HashSet<&[u8]> = other.iter().map(Vec::as_slice).collect();
    list.iter().filter(|value| !known.contains(value.as_slice())).collect()
}

/// Puts a user into the lists that the group keeps.
fn join(draft: &mut Draft<'_>, user: &User, now: &Lists) -> Result<()> {
    draft.add_value(USERS, &user.name);
    if draft.property(MEMBER).is_some_and(|item| !item.values.is_empty()) {
        let already = now.dns.iter().try_fold(false, |found, dn| -> Result<bool> {
            Ok(found || by_dn(draft.tree, dn)?.is_some_and(|other| other.object == user.object))
        })?;
        if !already {
            let dn = draft.tree.dn(user.object)?;
            draft.add_value(MEMBER, dn.as_bytes());
        }
    }
    if draft.property(GUIDS).is_some_and(|item| !item.values.is_empty())
        && let Some(guid) = draft.tree.view().record(user.object)?.first_value(GUID)
    {
        draft.add_value(GUIDS, guid);
    }
    Ok(())
}

/// Takes a user out of all lists.
fn remove(draft: &mut Draft<'_>, user: &User) -> Result<()> {
    let tree = draft.tree;
    let guid = tree.view().record(user.object)?.first_value(GUID).map(<[u8]>::to_vec);
    for (name, is_user) in [
        (USERS, by_name as fn(&Tree<'_>, &[u8]) -> Result<Option<User>>),
        (MEMBER, by_dn),
        (UNIQUE_MEMBER, by_dn),
    ] {
        let Some(item) = draft.property(name) else { continue };
        let mut kept = Vec::with_capacity(item.values.len());
        for value in &item.values {
            if is_user(tree, value)?.is_none_or(|other| other.object != user.object) {
                kept.push(value.clone());
            }
        }
        if kept.len() < item.values.len() {
            draft.set(name, kept);
        }
    }
    if let (Some(guid), Some(item)) = (guid, draft.property(GUIDS))
        && item.values.contains(&guid)
    {
        let kept = item.values.iter().filter(|value| **value != guid).cloned().collect();
        draft.set(GUIDS, kept);
    }
    Ok(())
}

fn by_name(tree: &Tree<'_>, name: &[u8]) -> Result<Option<User>> {
    by_key(tree, NAME, name)
}

fn by_guid(tree: &Tree<'_>, guid: &[u8]) -> Result<Option<User>> {
    by_key(tree, GUID, guid)
}

fn by_key(tree: &Tree<'_>, key: &[u8], value: &[u8]) -> Result<Option<User>> {
    let Some(users) = tree.view().child_named(ROOT, USERS)? else { return Ok(None) };
    let Some(object) = tree.view().lookup_first(users, key, value)? else { return Ok(None) };
    Ok(short_name(tree, object)?.map(|name| User { object, name }))
}

/// The user with this DN.
fn by_dn(tree: &Tree<'_>, dn: &[u8]) -> Result<Option<User>> {
    let object = match tree.resolve(dn) {
        Ok(Resolution::Found(object)) if object != ROOT => object,
        Ok(_) | Err(crate::Error::Name(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let parent = tree.view().record(object)?.parent();
    if tree.view().child_named(ROOT, USERS)? != Some(parent) {
        return Ok(None);
    }
    Ok(short_name(tree, object)?.map(|name| User { object, name }))
}

fn short_name(tree: &Tree<'_>, object: u32) -> Result<Option<Vec<u8>>> {
    Ok(tree.view().record(object)?.first_value(NAME).map(<[u8]>::to_vec))
}

/// Fills the lists `hosts`, `users` and `domains` of a netgroup from its triples.
fn spread_triples(draft: &mut Draft<'_>) {
    let triples = draft.property(b"netgrouptriplet").map_or_else(Vec::new, |item| item.values.clone());
    let mut lists: [Vec<Vec<u8>>; 3] = Default::default();
    for triple in &triples {
        let inner = triple.trim_ascii().strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
        for (field, list) in inner.unwrap_or_default().split(|byte| *byte == b',').zip(&mut lists) {
            let field = field.trim_ascii();
            if !matches!(field, b"" | b"-") && !list.iter().any(|known| known == field) {
                list.push(field.to_vec());
            }
        }
    }
    let [hosts, users, domains] = lists;
    draft.set(b"hosts", hosts);
    draft.set(USERS, users);
    draft.set(b"domains", domains);
}

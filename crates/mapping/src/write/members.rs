//! The parallel lists of a group's members: short names in `users`, DNs in `member` and `uniqueMember`, identifiers in
//! `groupmembers`; and the lists that NetInfo has beside the triples of a netgroup.
//!
//! Who is added to one list that a group keeps is added to the others it keeps; and so with removals. DNs and identifiers
//! that belong to nobody stay in their lists alone.

use std::collections::{BTreeSet, HashSet};

use netinfo_directory::ROOT;
use netinfo_schema::Rule;

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
pub(crate) const NETGROUP_TRIPLES: &[u8] = b"netgrouptriplet";
/// What NetInfo has beside the triples of a netgroup.
pub(crate) const NETGROUP_LISTS: [&[u8]; 3] = [b"hosts", USERS, b"domains"];

/// The lists of a group at one moment.
pub(super) struct Lists {
    users: Vec<Vec<u8>>,
    dns: Vec<Vec<u8>>,
    guids: Vec<Vec<u8>>,
    triples: Vec<Vec<u8>>,
}

impl Lists {
    pub(super) fn of(draft: &Draft<'_>) -> Self {
        let list = |name: &[u8]| draft.property(name).map_or_else(Vec::new, |item| item.values.clone());
        Self {
            users: list(USERS),
            dns: [list(MEMBER), list(UNIQUE_MEMBER)].concat(),
            guids: list(GUIDS),
            triples: list(NETGROUP_TRIPLES),
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
        let (mut joined, mut left) = (BTreeSet::new(), BTreeSet::new());
        for (before, after, user) in [
            (&self.users, &now.users, by_name as fn(&Tree<'_>, &[u8]) -> Result<Option<u32>>),
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
        let left: Vec<User> =
            left.difference(&joined).map(|object| User::new(tree, *object)).collect::<Result<_>>()?;
        let joined: Vec<User> =
            joined.iter().map(|object| User::new(tree, *object)).collect::<Result<_>>()?;
        remove(draft, &left);
        join(draft, &joined);
        Ok(())
    }
}

/// A user, by all that groups know of users.
struct User {
    names: Vec<Vec<u8>>,
    dn: Vec<u8>,
    guid: Option<Vec<u8>>,
}

impl User {
    fn new(tree: &Tree<'_>, object: u32) -> Result<Self> {
        let record = tree.view().record(object)?;
        let names = record.property(NAME).into_iter().flat_map(|names| names.values);
        Ok(Self {
            names: names.map(<[u8]>::to_vec).collect(),
            dn: tree.dn(object)?.into_bytes(),
            guid: record.first_value(GUID).map(<[u8]>::to_vec),
        })
    }
}

/// Gives a new group the short names of the users that it names otherwise; a new netgroup its lists.
pub(super) fn mirror_new(draft: &mut Draft<'_>) -> Result<()> {
    match draft.context().table {
        "groups" => {
            let now = Lists::of(draft);
            let mut users = BTreeSet::new();
            for dn in &now.dns {
                users.extend(by_dn(draft.tree, dn)?);
            }
            for guid in &now.guids {
                users.extend(by_guid(draft.tree, guid)?);
            }
            let mut known: HashSet<Vec<u8>> = now.users.into_iter().collect();
            for object in users {
                let name = draft.tree.view().record(object)?.first_value(NAME).map(<[u8]>::to_vec);
                if let Some(name) = name.filter(|name| known.insert(name.clone())) {
                    draft.append(USERS, &name);
                }
            }
        }
        "netgroups" if draft.property(NETGROUP_TRIPLES).is_some() => spread_triples(draft),
        _ => {}
    }
    Ok(())
}

fn missing_in<'v>(list: &'v [Vec<u8>], other: &[Vec<u8>]) -> Vec<&'v Vec<u8>> {
    let known: HashSet<&[u8]> = other.iter().map(Vec::as_slice).collect();
    list.iter().filter(|value| !known.contains(value.as_slice())).collect()
}

/// The key of a DN; the DN itself if it is none.
fn dn_key(draft: &Draft<'_>, dn: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    match Rule::DistinguishedName.normalise(draft.schema(), dn, &mut key) {
        Ok(()) => key,
        Err(_) => dn.to_vec(),
    }
}

/// Puts users into the lists that the group keeps.
fn join(draft: &mut Draft<'_>, joined: &[User]) {
    if joined.is_empty() {
        return;
    }
    let keeps =
        |draft: &Draft<'_>, name: &[u8]| draft.property(name).is_some_and(|item| !item.values.is_empty());
    let (by_dn, by_guid) = (keeps(draft, MEMBER), keeps(draft, GUIDS));
    let lists = Lists::of(draft);
    let mut names: HashSet<Vec<u8>> = lists.users.into_iter().collect();
    let mut guids: HashSet<Vec<u8>> = lists.guids.into_iter().collect();
    let mut dns: HashSet<Vec<u8>> = match by_dn {
        true => lists.dns.iter().map(|dn| dn_key(draft, dn)).collect(),
        false => HashSet::new(),
    };
    for user in joined {
        if let Some(name) = user.names.first()
            && !user.names.iter().any(|name| names.contains(name))
        {
            names.insert(name.clone());
            draft.append(USERS, name);
        }
        if by_dn && dns.insert(dn_key(draft, &user.dn)) {
            draft.append(MEMBER, &user.dn);
        }
        if let Some(guid) = user.guid.as_ref().filter(|_| by_guid)
            && guids.insert(guid.clone())
        {
            draft.append(GUIDS, guid);
        }
    }
}

/// Takes users out of all lists.
fn remove(draft: &mut Draft<'_>, left: &[User]) {
    if left.is_empty() {
        return;
    }
    let names: HashSet<&[u8]> = left.iter().flat_map(|user| &user.names).map(Vec::as_slice).collect();
    let guids: HashSet<&[u8]> = left.iter().filter_map(|user| user.guid.as_deref()).collect();
    let dns: HashSet<Vec<u8>> = left.iter().map(|user| dn_key(draft, &user.dn)).collect();
    draft.retain(USERS, |_, value| !names.contains(value));
    draft.retain(GUIDS, |_, value| !guids.contains(value));
    for name in [MEMBER, UNIQUE_MEMBER] {
        draft.retain(name, |draft, value| !dns.contains(&dn_key(draft, value)));
    }
}

fn by_name(tree: &Tree<'_>, name: &[u8]) -> Result<Option<u32>> {
    by_key(tree, NAME, name)
}

fn by_guid(tree: &Tree<'_>, guid: &[u8]) -> Result<Option<u32>> {
    by_key(tree, GUID, guid)
}

fn by_key(tree: &Tree<'_>, key: &[u8], value: &[u8]) -> Result<Option<u32>> {
    let Some(users) = tree.view().child_named(ROOT, USERS)? else { return Ok(None) };
    Ok(tree.view().lookup_first(users, key, value)?)
}

/// The user with this DN.
fn by_dn(tree: &Tree<'_>, dn: &[u8]) -> Result<Option<u32>> {
    let object = match tree.resolve(dn) {
        Ok(Resolution::Found(object)) if object != ROOT => object,
        Ok(_) | Err(crate::Error::Name(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let parent = tree.view().record(object)?.parent();
    Ok((tree.view().child_named(ROOT, USERS)? == Some(parent)).then_some(object))
}

/// Fills the lists `hosts`, `users` and `domains` of a netgroup from its triples.
fn spread_triples(draft: &mut Draft<'_>) {
    let triples = draft.property(NETGROUP_TRIPLES).map_or_else(Vec::new, |item| item.values.clone());
    let lists = netgroup_lists(triples.iter().map(Vec::as_slice));
    for (property, list) in NETGROUP_LISTS.into_iter().zip(lists) {
        draft.set(property, list.into_iter().map(<[u8]>::to_vec).collect());
    }
}

/// What the triples of a netgroup give for each of [`NETGROUP_LISTS`].
pub(crate) fn netgroup_lists<'v>(triples: impl Iterator<Item = &'v [u8]>) -> [Vec<&'v [u8]>; 3] {
    let mut lists: [Vec<&[u8]>; 3] = Default::default();
    for triple in triples {
        let inner = triple.trim_ascii().strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
        for (field, list) in inner.unwrap_or_default().split(|byte| *byte == b',').zip(&mut lists) {
            let field = field.trim_ascii();
            if !matches!(field, b"" | b"-") && !list.contains(&field) {
                list.push(field);
            }
        }
    }
    lists
}

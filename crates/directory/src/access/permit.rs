//! What the writer asks before it carries out a change of somebody who is not the superuser.
//!
//! Sessions under rules are judged here alone. For others the access lists of the NetInfo protocol decide, unless a rule has
//! something to say about all that the change does.

use super::{Access, Action, Counters, EntryAccess, Tree};
use crate::change::Change;
use crate::error::{Error, Result};
use crate::login::{is_zero, promotes};
use crate::model::{Property, ROOT, Target, is_secret};
use crate::record::RecordRef;
use crate::session::{Governance, Session};

/// Whether `session` may make the change: refused, or settled (then the lists need not be asked: the session that is
/// returned says so), or `None` where the lists decide. `historical` is the domain's option.
pub(crate) fn permit(
    tree: Tree<'_>,
    session: &Session,
    change: &Change,
    counters: &Counters,
    historical: bool,
) -> Result<Option<Session>> {
    let ruled = session.governance == Governance::Rules;
    if (session.is_superuser() && !session.read_only) || matches!(change, Change::SetStamp { .. }) {
        return Ok(None);
    }
    if !ruled && historical {
        return Ok(None);
    }
    let access = Access::new(tree, session, counters, None)?;
    if !ruled && access.live.is_empty() {
        return Ok(None);
    }
    let judge = Judge { access: &access, ruled, masks: !historical };
    let settled = judge.change(change)?;
    if ruled {
        Escalation { tree, historical }.refuse(change)?;
    }
    Ok(settled.then(|| Session { settled: true, ..session.clone() }))
}

/// Asks for every single right a change takes.
struct Judge<'a> {
    access: &'a Access<'a>,
    ruled: bool,
    /// A mask in a change stands for the secret that is there.
    masks: bool,
}

impl Judge<'_> {
    /// Whether all rights are given; for a session under lists `false` means that the rules do not say.
    fn change(&self, change: &Change) -> Result<bool> {
        match change {
            Change::Create { parent, .. } => self.directory(*parent, Action::Add),
            Change::Destroy { child, .. } => self.directory(*child, Action::Delete),
            Change::Move { child, to, .. } => {
                Ok(self.directory(*child, Action::Delete)? & self.directory(*to, Action::Add)?)
            }
            Change::SetStamp { .. } => Err(Error::Permission),
            Change::Write { directory, properties } => {
                let record = current(self.access.tree, *directory)?;
                let mut all = true;
                for name in differing(&record, properties, self.masks) {
                    all &= self.property(&record, &name)?;
                }
                Ok(all)
            }
            Change::CreateProperty { directory, property, .. } => {
                self.property(&current(self.access.tree, *directory)?, &property.name)
            }
            Change::RenameProperty { directory, index, name } => {
                let record = current(self.access.tree, *directory)?;
                Ok(self.property(&record, name_of(&record, *index)?)? & self.property(&record, name)?)
            }
            Change::DestroyProperty { directory, index }
            | Change::WriteProperty { directory, index, .. }
            | Change::CreateValue { directory, index, .. }
            | Change::DestroyValue { directory, index, .. }
            | Change::WriteValue { directory, index, .. } => {
                let record = current(self.access.tree, *directory)?;
                self.property(&record, name_of(&record, *index)?)
            }
        }
    }

    fn directory(&self, target: Target, action: Action) -> Result<bool> {
        let record = current(self.access.tree, target)?;
        self.ask(&self.access.entry(&record)?, action, None)
    }

    fn property(&self, record: &RecordRef<'_>, name: &[u8]) -> Result<bool> {
        let object = self.access.object(record.id().object)?;
        self.ask(&object, Action::Write, Some(name))
    }

    fn ask(&self, entry: &EntryAccess<'_>, action: Action, property: Option<&[u8]>) -> Result<bool> {
        if self.ruled {
            let reason = entry.decide(action, property);
            let error = if reason == super::Reason::Locked { Error::ReadOnly } else { Error::Permission };
            return if reason.allows() { Ok(true) } else { Err(error) };
        }
        match entry.by_rule(action, property) {
            Some(reason) if reason.allows() => Ok(true),
            Some(_) => Err(Error::Permission),
            None => Ok(false),
        }
    }
}

/// Refuses changes by which somebody would become the superuser, or somebody else.
struct Escalation<'a> {
    tree: Tree<'a>,
    historical: bool,
}

impl Escalation<'_> {
    fn refuse(&self, change: &Change) -> Result<()> {
        let (parent, object, before, after) = match change {
            Change::Create { parent, properties, .. } => {
                (parent.object, None, Vec::new(), properties.clone())
            }
            Change::Move { child, to, .. } => {
                let record = current(self.tree, *child)?.to_record();
                (to.object, Some(child.object), Vec::new(), record.properties)
            }
            Change::Destroy { child, .. } => {
                let record = current(self.tree, *child)?;
                (record.parent(), Some(child.object), record.to_record().properties, Vec::new())
            }
            other => {
                let record = current(self.tree, other.directory())?;
                let before = record.to_record().properties;
                let after = edited(&before, other);
                (record.parent(), Some(other.directory().object), before, after)
            }
        };
        if self.tree.child_named(ROOT, b"users")? == Some(parent) {
            self.user(parent, object, &before, &after)?;
        }
        if self.tree.child_named(ROOT, b"groups")? == Some(parent) {
            self.group(&before, &after)?;
        }
        Ok(())
    }

    fn user(&self, users: u32, object: Option<u32>, before: &[Property], after: &[Property]) -> Result<()> {
        let (old, new) = (first(before, b"name"), first(after, b"name"));
        let superuser = |properties: &[Property]| -> Result<bool> {
            let name = first(properties, b"name").unwrap_or_default();
            Ok(name == b"root"
                || first(properties, b"uid").is_some_and(is_zero)
                || promotes(self.tree, name, self.historical)?)
        };
        if superuser(after)? && !superuser(before)? {
            return Err(Error::Permission);
        }
        let Some(new) = new.filter(|_| old != new) else { return Ok(()) };
        let namesakes = self.tree.children_named(users, new)?;
        match namesakes.iter().any(|r| Some(r.id().object) != object) {
            true => Err(Error::Permission),
            false => Ok(()),
        }
    }

    /// Where members of the group `admin` are promoted, only superusers say who they are.
    fn group(&self, before: &[Property], after: &[Property]) -> Result<()> {
        let is_admin = |list: &[Property]| {
            list.iter().any(|p| p.name == b"name" && p.values.iter().any(|v| v == b"admin"))
        };
        let members = |list: &[Property]| list.iter().find(|p| p.name == b"users").cloned();
        let concerned = is_admin(before) || is_admin(after);
        let changed = is_admin(before) != is_admin(after) || members(before) != members(after);
        match concerned && changed && self.tree.root_flag(b"promote_admins", self.historical)? {
            true => Err(Error::Permission),
            false => Ok(()),
        }
    }
}

/// The directory to be written, if it exists and the caller knows its current instance.
fn current<'a>(tree: Tree<'a>, target: Target) -> Result<RecordRef<'a>> {
    let record = tree.record(target.object)?;
    match target.instance {
        Some(instance) if instance != record.id().instance => Err(Error::Stale),
        _ => Ok(record),
    }
}

fn name_of<'r>(record: &RecordRef<'r>, index: u32) -> Result<&'r [u8]> {
    record.properties().nth(index as usize).map(|p| p.name).ok_or(Error::NoSuchProperty)
}

fn first<'p>(properties: &'p [Property], name: &[u8]) -> Option<&'p [u8]> {
    properties.iter().find(|p| p.name == name)?.values.first().map(Vec::as_slice)
}

/// Names of the properties that are not the same in the list that replaces the record's: changed, new, gone, or in
/// another order among those of their name. The record shows masks for secrets; where they are not understood to stand
/// for them (`masks`), secrets count as changed.
fn differing(record: &RecordRef<'_>, properties: &[Property], masks: bool) -> Vec<Vec<u8>> {
    let before = record.to_record().properties;
    let mut names: Vec<&[u8]> = before.iter().chain(properties).map(|p| p.name.as_slice()).collect();
    names.sort_unstable();
    names.dedup();
    let same = |name: &[u8]| {
        let of = |p: &&Property| p.name == name;
        before.iter().filter(of).eq(properties.iter().filter(of)) && (masks || !is_secret(name))
    };
    names.into_iter().filter(|name| !same(name)).map(<[u8]>::to_vec).collect()
}

/// The properties as they will be after a change to one of them, or to all. Indices past the end change nothing: the
/// change is refused for that.
fn edited(before: &[Property], change: &Change) -> Vec<Property> {
    let mut after = before.to_vec();
    match change {
        Change::Write { properties, .. } => after.clone_from(properties),
        Change::CreateProperty { property, position, .. } => {
            after.insert((*position as usize).min(before.len()), property.clone());
        }
        Change::DestroyProperty { index, .. } if (*index as usize) < before.len() => {
            after.remove(*index as usize);
        }
        Change::WriteProperty { index, values, .. } => {
            after.get_mut(*index as usize).into_iter().for_each(|p| p.values.clone_from(values));
        }
        Change::RenameProperty { index, name, .. } => {
            after.get_mut(*index as usize).into_iter().for_each(|p| p.name.clone_from(name));
        }
        Change::CreateValue { index, value, position, .. } => {
            if let Some(property) = after.get_mut(*index as usize) {
                property.values.insert((*position as usize).min(property.values.len()), value.clone());
            }
        }
        Change::DestroyValue { index, value_index, .. } => {
            let property = after.get_mut(*index as usize);
            if let Some(property) = property.filter(|p| (*value_index as usize) < p.values.len()) {
                property.values.remove(*value_index as usize);
            }
        }
        Change::WriteValue { index, value_index, value, .. } => {
            let slot = after.get_mut(*index as usize).and_then(|p| p.values.get_mut(*value_index as usize));
            slot.into_iter().for_each(|slot| slot.clone_from(value));
        }
        _ => {}
    }
    after
}

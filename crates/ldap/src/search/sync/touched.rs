//! Which directories changes concern.

use netinfo_directory::{Change, Committed, Error, ROOT, View};
use netinfo_mapping::Namespace;
use roaring::RoaringBitmap;

use crate::context::NamingContext;
use crate::failure::Outcome;

/// Changes read from the feed at once.
const CHUNK: usize = 1024;

/// The directories that came, went or became different by the changes after `since`, up to `until`. `None` if not all of
/// these changes are kept any more.
pub(super) fn between(context: &NamingContext, since: u64, until: u64) -> Outcome<Option<RoaringBitmap>> {
    let mut touched = RoaringBitmap::new();
    let mut at = since;
    while at < until {
        let before = at;
        let read = context.domain().changes(context.internal(), at, CHUNK, |committed| {
            at = committed.sequence;
            if at <= until {
                touched.extend(directory(&committed));
            }
        });
        match read {
            // The feed ends before `until`: it is of other data.
            Ok(()) if at == before => return Ok(None),
            Ok(()) => {}
            Err(Error::Stale) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(touched))
}

/// The directory that a change makes different. Its parent, which has one child more or less, is the same as an entry.
fn directory(committed: &Committed) -> Option<u32> {
    match &committed.change {
        Change::Create { .. } => committed.outcome.created.map(|id| id.object),
        Change::Destroy { child, .. } | Change::Move { child, .. } => Some(child.object),
        change => Some(change.directory().object),
    }
}

/// Adds the groups that become different as entries by the changes to the users among these directories: what they tell of
/// members follows from the names of users. `before` and `after` are snapshots from before and after the changes.
pub(super) fn add_groups(
    before: &View<'_>,
    after: &View<'_>,
    namespace: &Namespace,
    touched: &mut RoaringBitmap,
) -> Outcome<()> {
    let mut found = RoaringBitmap::new();
    for object in &*touched {
        let (old, new) = (User::of(before, namespace, object)?, User::of(after, namespace, object)?);
        if old == new {
            continue;
        }
        for view in [before, after] {
            for user in old.iter().chain(&new) {
                user.add_groups(view, &mut found)?;
            }
        }
    }
    *touched |= found;
    Ok(())
}

/// The same after changes of which only the outcome is known: groups that name one of these directories, or nobody.
pub(super) fn add_groups_now(
    view: &View<'_>,
    namespace: &Namespace,
    touched: &mut RoaringBitmap,
) -> Outcome<()> {
    let mut found = RoaringBitmap::new();
    let mut forgotten = false;
    for object in &*touched {
        let user = User::of(view, namespace, object)?;
        // Another name that it had may be one that nobody has now.
        forgotten |= user.is_some() || view.record(object).is_err();
        user.map_or(Ok(()), |user| user.add_groups(view, &mut found))?;
    }
    if !forgotten {
        return Ok(());
    }
    let users = view.child_named(ROOT, b"users")?;
    let groups = view.child_named(ROOT, b"groups")?;
    for group in groups.into_iter().flat_map(|groups| view.children(groups)).flatten() {
        let group = group?;
        let record = view.record(group)?;
        for name in record.property(b"users").into_iter().flat_map(|property| property.values) {
            let known = match users {
                Some(users) => view.lookup_first(users, b"name", name)?.is_some(),
                None => false,
            };
            if !known {
                found.insert(group);
                break;
            }
        }
    }
    *touched |= found;
    Ok(())
}

/// What groups know of a user.
#[derive(PartialEq, Eq)]
struct User {
    names: Vec<Vec<u8>>,
    dn: String,
}

impl User {
    /// The user that a directory stands for, if it does.
    fn of(view: &View<'_>, namespace: &Namespace, object: u32) -> Outcome<Option<Self>> {
        let record = match view.record(object) {
            Ok(record) => record,
            Err(Error::NoSuchDirectory) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if object == ROOT || view.child_named(ROOT, b"users")? != Some(record.parent()) {
            return Ok(None);
        }
        let names = record.property(b"name").into_iter().flat_map(|property| property.values);
        let names = names.map(<[u8]>::to_vec).collect();
        Ok(Some(Self { names, dn: namespace.tree(view).dn(object)? }))
    }

    fn add_groups(&self, view: &View<'_>, found: &mut RoaringBitmap) -> Outcome<()> {
        let Some(groups) = view.child_named(ROOT, b"groups")? else { return Ok(()) };
        for name in &self.names {
            found.extend(view.lookup(groups, b"users", name)?);
        }
        Ok(())
    }
}

/// Adds everything below a directory, if that exists.
pub(super) fn add_below(view: &View<'_>, object: u32, found: &mut RoaringBitmap) -> Outcome<()> {
    let mut parents = vec![object];
    while let Some(parent) = parents.pop() {
        for child in view.children(parent)? {
            let child = child?;
            if found.insert(child) {
                parents.push(child);
            }
        }
    }
    Ok(())
}

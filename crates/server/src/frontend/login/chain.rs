//! Where the users of this machine are: in the domains in which look-ups look.

use std::sync::Arc;

use netinfo_directory::{ROOT, RecordRef, Result, View};

use crate::lookups::chain;
use crate::node::{DEFAULT_TAG, Running};
use crate::served::Served;

/// A user and the domain that owns the record.
pub(super) struct Found {
    pub(super) served: Arc<Served>,
    pub(super) object: u32,
    pub(super) uid: u32,
}

/// Looks for a user: the first domain that has one of this name decides.
///
/// Who is the superuser of this machine, the machine's own domain says and no other.
pub(super) fn find(node: &Running, name: &[u8]) -> Result<Option<Found>> {
    if name.is_empty() {
        return Ok(None);
    }
    for served in chain(node)? {
        let found = {
            let view = served.view()?;
            in_domain(&view, name)?
        };
        let Some((object, uid)) = found else { continue };
        if served.domain.tag() != DEFAULT_TAG && (uid == 0 || name == b"root") {
            continue;
        }
        return Ok(Some(Found { served, object, uid }));
    }
    Ok(None)
}

/// Object id and number of the user with this name. Who has no number is no user of a machine.
fn in_domain(view: &View<'_>, name: &[u8]) -> Result<Option<(u32, u32)>> {
    let Some(users) = view.child_named(ROOT, b"users")? else { return Ok(None) };
    let Some(object) = view.child_named(users, name)? else { return Ok(None) };
    Ok(view.record(object)?.first_value(b"uid").and_then(number).map(|uid| (object, uid)))
}

/// A user or group number: decimal, negative ones as C takes them.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    let number: i64 = str::from_utf8(text).ok()?.trim().parse().ok()?;
    u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}

/// Whether the user is a member of a group, by what any of the domains says.
pub(super) fn is_member(chain: &[Arc<Served>], user: &RecordRef<'_>, group: &[u8]) -> Result<bool> {
    let primary = user.first_value(b"gid").and_then(number);
    for served in chain {
        let view = served.view()?;
        let Some(group) = view.path(&[b"groups", group])? else { continue };
        let group = view.record(group)?;
        let listed = group.property(b"users").is_some_and(|users| {
            let names = user.property(b"name").into_iter().flat_map(|names| names.values);
            names.into_iter().any(|name| users.values.contains(name))
        });
        let gid = group.first_value(b"gid").and_then(number);
        if listed || gid.is_some_and(|gid| primary == Some(gid)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b"501"), Some(501));
        assert_eq!(number(b" 0 "), Some(0));
        assert_eq!(number(b"-2"), Some(u32::MAX - 1));
        assert_eq!(number(b"4294967294"), Some(u32::MAX - 1));
        for text in ["", "x", "4294967296", "-2147483649", "1.0"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }
}

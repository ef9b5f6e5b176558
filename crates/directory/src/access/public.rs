//! What anonymous callers read of POSIX entries, and what users write of their own.

use super::Tree;
use crate::error::Result;
use crate::model::ROOT;
use crate::record::RecordRef;

/// Properties of one directory that everybody may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readable {
    Nothing,
    Properties(&'static [&'static [u8]]),
}

impl Readable {
    pub(super) fn contains(self, property: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Properties(list) => list.contains(&property),
        }
    }
}

/// What names a directory and says what it is.
const NAMING: &[&[u8]] = &[b"name", b"_rdn", b"objectClass"];

const USER: &[&[u8]] =
    &[b"name", b"_rdn", b"objectClass", b"uid", b"gid", b"realname", b"home", b"shell", b"gecos"];

/// What the default policy shows of a directory.
pub(super) fn readable(tree: Tree<'_>, record: &RecordRef<'_>) -> Result<Readable> {
    if record.id().object == ROOT {
        return Ok(Readable::Properties(NAMING));
    }
    let mut top = *record;
    while top.parent() != ROOT {
        top = tree.record(top.parent())?;
    }
    Ok(match top.first_value(b"name") {
        Some(b"users") if top.id() != record.id() => Readable::Properties(USER),
        Some(b"users") => Readable::Properties(NAMING),
        _ => Readable::Nothing,
    })
}

/// Properties of their own directory that users may write.
pub(super) fn is_self_written(property: &[u8]) -> bool {
    property == b"passwd"
}

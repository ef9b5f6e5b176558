//! Decisions for one directory.

use super::{Access, Anonymous, public};
use crate::error::Result;
use crate::model::ROOT;
use crate::record::RecordRef;
use crate::session::{Governance, Principal};

/// What a session may do with one directory. Made by [`Access::entry`].
pub struct EntryAccess<'e> {
    access: &'e Access<'e>,
    record: RecordRef<'e>,
    /// What anonymous callers may read, if that is what decides.
    public: Option<public::Readable>,
    /// The directory is the session's own.
    own: bool,
}

impl<'e> EntryAccess<'e> {
    pub(super) fn new(access: &'e Access<'e>, record: RecordRef<'e>) -> Result<Self> {
        let session = access.session;
        let ruled = session.governance == Governance::Rules;
        let public = match access.anonymous {
            _ if !ruled || !session.is_anonymous() => None,
            Anonymous::Read => None,
            Anonymous::None => Some(public::Readable::Nothing),
            Anonymous::Posix => Some(public::readable(access.tree, &record)?),
        };
        let own = session.object == Some(record.id().object);
        Ok(Self { access, record, public, own })
    }

    /// Whether the session may know that there is such a directory. Everything else implies it.
    #[must_use]
    pub fn visible(&self) -> bool {
        self.public.as_ref().is_none_or(|p| !matches!(p, public::Readable::Nothing))
    }

    /// Whether all properties but secrets may be read, searched and compared, so that none has to be asked for.
    #[must_use]
    pub fn reads_all(&self) -> bool {
        self.public.is_none()
    }

    /// Whether the values of `property` may be told.
    #[must_use]
    pub fn reads(&self, property: &[u8]) -> bool {
        !self.access.hides(property) && self.public.as_ref().is_none_or(|p| p.contains(property))
    }

    /// Whether directories may be found, or sorted, by `property`. What may be read may be searched.
    #[must_use]
    pub fn searches(&self, property: &[u8]) -> bool {
        self.reads(property)
    }

    /// Whether a value of `property` may be compared. What may be searched may be compared.
    #[must_use]
    pub fn compares(&self, property: &[u8]) -> bool {
        self.searches(property)
    }

    /// Whether `property` may be changed, made or removed.
    #[must_use]
    pub fn writes(&self, property: &[u8]) -> bool {
        let session = self.access.session;
        if session.read_only {
            return false;
        }
        session.is_superuser()
            || (self.own && public::is_self_written(property))
            || self.listed(b"_writers")
            || self.listed(&[b"_writers_", property].concat())
    }

    /// Whether children may be made.
    #[must_use]
    pub fn adds(&self) -> bool {
        let session = self.access.session;
        !session.read_only && (session.is_superuser() || self.listed(b"_writers"))
    }

    /// Whether the directory may be removed, or moved away from its parent.
    #[must_use]
    pub fn deletes(&self) -> bool {
        let session = self.access.session;
        if session.read_only || self.record.id().object == ROOT {
            return false;
        }
        session.is_superuser()
            || self.access.object(self.record.parent()).is_ok_and(|parent| parent.listed(b"_writers"))
    }

    /// Whether the list admits the session's user, or everybody.
    fn listed(&self, list: &[u8]) -> bool {
        let Some(list) = self.record.property(list) else { return false };
        list.values.contains(b"*")
            || matches!(&self.access.session.principal, Principal::User(name) if list.values.contains(name))
    }
}

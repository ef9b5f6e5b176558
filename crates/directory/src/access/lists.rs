//! Access lists: `_locked`, `_writers`, `_writers_<property>` (NetInfo protocol, access control).

use std::sync::atomic::{AtomicU64, Ordering};

use super::compiled::RulesCache;
use crate::error::{Error, Result};
use crate::model::Property;
use crate::session::{Principal, Session};

/// Counters of the `authentications` statistics, and the rules behind them.
#[derive(Default)]
pub(crate) struct Counters {
    /// The access rules.
    pub(crate) rules: RulesCache,
    pub(crate) good: AtomicU64,
    pub(crate) bad: AtomicU64,
    pub(crate) write_good: AtomicU64,
    pub(crate) write_bad: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Decides on behalf of one session over one directory's properties.
pub(crate) struct Lists<'a> {
    pub(crate) session: &'a Session,
    pub(crate) properties: &'a [Property],
    pub(crate) counters: &'a Counters,
}

impl Lists<'_> {
    /// May the session change the directory itself: its property list, its children?
    pub(crate) fn directory(&self) -> Result<()> {
        if self.find(b"_locked").is_some() {
            return Err(Error::ReadOnly);
        }
        if self.session.is_superuser() || self.session.settled {
            count(&self.counters.write_good);
            return Ok(());
        }
        match self.find(b"_writers") {
            Some(list) => self.list(&list.values),
            None => Err(Error::Permission),
        }
    }

    /// May the session change the values of the property called `name`?
    pub(crate) fn property(&self, name: &[u8]) -> Result<()> {
        if self.session.is_superuser() || self.session.settled {
            count(&self.counters.write_good);
            return Ok(());
        }
        let list_name = [b"_writers_", name].concat();
        match self.find(&list_name) {
            Some(list) => self.list(&list.values),
            None => Err(Error::Permission),
        }
    }

    /// The rule of WRITEPROP: a locked directory is final, a refused one gives the property's own list a chance.
    pub(crate) fn directory_or_property(&self, name: &[u8]) -> Result<()> {
        match self.directory() {
            Err(Error::Permission) => self.property(name),
            other => other,
        }
    }

    /// The rule of the three value procedures: any refusal by the directory, `_locked` included, gives the property's
    /// own list the last word.
    pub(crate) fn value(&self, name: &[u8]) -> Result<()> {
        self.directory().or_else(|_| self.property(name))
    }

    fn find(&self, name: &[u8]) -> Option<&Property> {
        self.properties.iter().find(|p| p.name == name)
    }

    fn list(&self, values: &[Vec<u8>]) -> Result<()> {
        let admitted = values.iter().any(|v| v == b"*")
            || matches!(&self.session.principal, Principal::User(name) if values.iter().any(|v| v[..] == name[..]));
        if admitted {
            count(&self.counters.write_good);
            Ok(())
        } else {
            count(&self.counters.write_bad);
            Err(Error::Permission)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(principal: Principal) -> Session {
        Session::of(principal)
    }

    fn user(name: &str) -> Session {
        session(Principal::User(name.as_bytes().into()))
    }

    #[test]
    fn decisions_follow_the_lists() {
        let counters = Counters::default();
        type Rule = fn(&Lists<'_>) -> Result<()>;
        let check = |session: &Session, properties: &[Property], rule: Rule| {
            rule(&Lists { session, properties, counters: &counters })
        };
        let anybody = [Property::new("_writers", ["*"])];
        let alice = [Property::new("_writers", ["alice"]), Property::new("_writers_passwd", ["bob"])];
        let locked = [Property::new("_locked", Vec::<Vec<u8>>::new()), Property::new("_writers", ["*"])];
        let anonymous = session(Principal::Anonymous);
        let root = session(Principal::Superuser);

        assert!(check(&anonymous, &anybody, |a| a.directory()).is_ok());
        assert!(matches!(check(&anonymous, &alice, |a| a.directory()), Err(Error::Permission)));
        assert!(check(&user("alice"), &alice, |a| a.directory()).is_ok());
        assert!(check(&user("bob"), &alice, |a| a.directory_or_property(b"passwd")).is_ok());
        assert!(check(&user("bob"), &alice, |a| a.directory_or_property(b"uid")).is_err());
        assert!(check(&user("bob"), &[], |a| a.directory()).is_err());
        assert!(matches!(check(&root, &locked, |a| a.directory()), Err(Error::ReadOnly)));
        assert!(matches!(check(&root, &locked, |a| a.directory_or_property(b"x")), Err(Error::ReadOnly)));
        // `_locked` does not stop the superuser at single values, and others get "permission", not "read-only".
        assert!(check(&root, &locked, |a| a.value(b"x")).is_ok());
        assert!(matches!(check(&user("alice"), &locked, |a| a.value(b"x")), Err(Error::Permission)));
        // Only the first list of a name counts.
        let two = [Property::new("_writers", ["alice"]), Property::new("_writers", ["bob"])];
        assert!(check(&user("bob"), &two, |a| a.directory()).is_err());
    }
}

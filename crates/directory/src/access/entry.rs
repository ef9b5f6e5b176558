//! Decisions for one directory.

use super::compiled::Anonymous;
use super::explain::{Explanation, Reason};
use super::public::{Readable, readable};
use super::rule::{Step, Subject, Target};
use super::tree::{path_of, step};
use super::{Access, Action, Who};
use crate::error::Result;
use crate::model::{ROOT, is_secret};
use crate::record::RecordRef;
use crate::session::{Governance, Principal};

/// Names of LDAP attributes that hold password material where a directory stores them under their own name. They are not
/// told, found or compared any more than secret properties.
const SECRET_ATTRIBUTES: [&[u8]; 9] = [
    b"userpassword",
    b"unixuserpassword",
    b"authpassword",
    b"sambantpassword",
    b"sambalmpassword",
    b"krbprincipalkey",
    b"pwdhistory",
    b"olcrootpw",
    b"ipanthash",
];

/// What a session may do with one directory. Made by [`Access::entry`].
///
/// Properties are named as they are stored; an option behind `;` and the prefix `_ldap_` do not matter.
pub struct EntryAccess<'e> {
    access: &'e Access<'e>,
    record: RecordRef<'e>,
    /// One bit for each rule that is about this directory and this session.
    rules: u128,
    /// What is readable where no rule says so.
    public: Public,
    /// The directory is the session's own.
    own: bool,
}

#[derive(Clone, Copy)]
enum Public {
    Everything,
    Some(Readable),
}

impl<'e> EntryAccess<'e> {
    pub(super) fn new(access: &'e Access<'e>, record: RecordRef<'e>) -> Result<Self> {
        let session = access.session;
        let own = access.is_own(record.id().object);
        let public = match access.rules.anonymous {
            _ if session.governance == Governance::Lists || !session.is_anonymous() => Public::Everything,
            Anonymous::Everything => Public::Everything,
            Anonymous::Nothing => Public::Some(Readable::Nothing),
            Anonymous::Posix => Public::Some(readable(access, &record)?),
        };
        let mut entry = Self { access, record, rules: 0, public, own };
        if !access.live.is_empty() {
            entry.rules = entry.applicable()?;
        }
        Ok(entry)
    }

    /// The rules whose callers and directories fit.
    fn applicable(&self) -> Result<u128> {
        let mut bits = 0;
        let mut path = None;
        for &(number, who) in &self.access.live {
            let Ok(rule) = &self.access.rules.rules[number].rule else {
                bits |= 1 << number;
                continue;
            };
            let fits = who == Who::Always || rule.subjects.iter().any(|subject| self.is_meant(subject));
            if !fits {
                continue;
            }
            let mut covered = rule.targets.is_empty();
            for target in &rule.targets {
                covered |= match target {
                    Target::Own => self.own,
                    Target::Path { steps, below } => {
                        if path.is_none() {
                            path = Some(self.access.ancestors(&self.record)?);
                        }
                        let path: &[u32] = path.as_deref().unwrap_or_default();
                        self.lies(path, steps, *below)?
                    }
                };
            }
            bits |= u128::from(covered) << number;
        }
        Ok(bits)
    }

    /// Whether a subject that depends on the directory is the session.
    fn is_meant(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Own => self.own,
            Subject::Listed(property) => match &self.access.session.principal {
                Principal::User(name) => {
                    self.record.property(property).is_some_and(|p| p.values.contains(name))
                }
                _ => false,
            },
            other => self.access.is_subject(other).unwrap_or(false),
        }
    }

    /// Whether the directory, whose `ancestors` begin with the root, is one that the steps lead to.
    fn lies(&self, ancestors: &[u32], steps: &[Step], below: bool) -> Result<bool> {
        if self.record.id().object == ROOT {
            return Ok(steps.is_empty() && !below);
        }
        // The directory's depth counts itself, not the root.
        let depth = ancestors.len();
        if if below { depth <= steps.len() } else { depth != steps.len() } {
            return Ok(false);
        }
        for (n, wanted) in steps.iter().enumerate() {
            let fits = match ancestors.get(n + 1) {
                Some(&object) => is_step(&self.access.tree.record(object)?, wanted),
                None => is_step(&self.record, wanted),
            };
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the session may know that there is such a directory. Everything else implies it.
    #[must_use]
    pub fn visible(&self) -> bool {
        self.decide(Action::Read, None).allows()
    }

    /// Whether all properties but secrets may be read, searched and compared, so that none has to be asked for.
    #[must_use]
    pub fn reads_all(&self) -> bool {
        let session = self.access.session;
        if session.condition.must_change() {
            return false;
        }
        session.is_superuser()
            || session.governance == Governance::Lists
            || (self.rules == 0 && matches!(self.public, Public::Everything))
    }

    /// Whether the session may see password material.
    #[must_use]
    pub fn sees_secrets(&self) -> bool {
        self.access.session.sees_secrets()
    }

    /// Whether the values of `property` may be told.
    #[must_use]
    pub fn reads(&self, property: &[u8]) -> bool {
        self.allows(Action::Read, Some(property))
    }

    /// Whether directories may be found, or sorted, by `property`.
    #[must_use]
    pub fn searches(&self, property: &[u8]) -> bool {
        self.allows(Action::Search, Some(property))
    }

    /// Whether a value of `property` may be compared.
    #[must_use]
    pub fn compares(&self, property: &[u8]) -> bool {
        self.allows(Action::Compare, Some(property))
    }

    /// Whether `property` may be changed, made or removed.
    #[must_use]
    pub fn writes(&self, property: &[u8]) -> bool {
        self.allows(Action::Write, Some(property))
    }

    /// Whether children may be made.
    #[must_use]
    pub fn adds(&self) -> bool {
        self.allows(Action::Add, None)
    }

    /// Whether the directory may be removed, or moved away from its parent.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.allows(Action::Delete, None)
    }

    /// Whether `action` is allowed: on `property`, or on the directory itself.
    #[must_use]
    pub fn allows(&self, action: Action, property: Option<&[u8]>) -> bool {
        self.decide(action, property).allows()
    }

    /// The same with the reason.
    pub fn explain(&self, action: Action, property: Option<&[u8]>) -> Result<Explanation> {
        let reason = self.decide(action, property);
        let path = path_of(self.access.tree, &self.record)?;
        let source = match reason {
            Reason::Rule { source, .. } | Reason::Unreadable(source) => Some(source),
            _ => None,
        };
        let placed = self.access.rules.rules.iter().find(|placed| Some(placed.source) == source);
        let rule = placed.map(|placed| placed.text().to_owned());
        let property = property.map(<[u8]>::to_vec);
        Ok(Explanation { allowed: reason.allows(), action, property, path, reason, rule })
    }

    pub(super) fn decide(&self, action: Action, property: Option<&[u8]>) -> Reason {
        let session = self.access.session;
        let reads = matches!(action, Action::Read | Action::Search | Action::Compare);
        if reads && !session.sees_secrets() && property.is_some_and(hides) {
            return Reason::Secret;
        }
        if session.condition.must_change() && !self.is_for_new_password(action, property) {
            return Reason::PasswordDue;
        }
        if !reads && session.read_only {
            return Reason::ReadOnly;
        }
        if action == Action::Delete && self.record.id().object == ROOT {
            return Reason::Root;
        }
        if session.is_superuser() {
            return Reason::Superuser;
        }
        if session.governance == Governance::Lists && reads {
            return Reason::Everybody;
        }
        if !reads && self.record.property(b"_locked").is_some() {
            return Reason::Locked;
        }
        if let Some(reason) = self.by_rule(action, property) {
            return reason;
        }
        if reads { self.by_default(property) } else { self.by_list(action, property) }
    }

    /// Whether this is about the session's own password: all that is left to those who have to change it. That they know
    /// of their own directory goes with it.
    fn is_for_new_password(&self, action: Action, property: Option<&[u8]>) -> bool {
        let asked = match property {
            None => action == Action::Read,
            Some(property) => action == Action::Write && plain(property).eq_ignore_ascii_case(b"passwd"),
        };
        self.own && asked
    }

    /// What the first rule that fits says.
    pub(super) fn by_rule(&self, action: Action, property: Option<&[u8]>) -> Option<Reason> {
        let mut left = self.rules;
        while left != 0 {
            let number = left.trailing_zeros() as usize;
            left &= left - 1;
            let placed = &self.access.rules.rules[number];
            let Ok(rule) = &placed.rule else {
                return Some(Reason::Unreadable(placed.source));
            };
            if rule.actions.contains(&action)
                && covers(placed.names.as_deref(), rule.allows, action, property)
            {
                return Some(Reason::Rule { allows: rule.allows, source: placed.source });
            }
        }
        None
    }

    fn by_default(&self, property: Option<&[u8]>) -> Reason {
        match self.public {
            Public::Everything if self.access.session.is_anonymous() => Reason::AnonymousReads,
            Public::Everything => Reason::UsersRead,
            Public::Some(Readable::Nothing) => Reason::NotPublic,
            Public::Some(readable) => match property {
                None => Reason::Public,
                Some(property) if readable.contains(plain(property)) => Reason::Public,
                Some(_) => Reason::NotPublic,
            },
        }
    }

    /// Who may write where no rule says anything: the access lists, and users their own.
    fn by_list(&self, action: Action, property: Option<&[u8]>) -> Reason {
        let listed = match action {
            Action::Delete => match self.access.tree.record(self.record.parent()) {
                Ok(parent) => self.admits(&parent, b"_writers"),
                Err(_) => false,
            },
            _ => self.admits(&self.record, b"_writers"),
        };
        if listed {
            return Reason::Writers;
        }
        let Some(property) = property else { return Reason::Nothing };
        let list = [b"_writers_", property].concat();
        if self.admits(&self.record, &list) {
            return Reason::PropertyWriters;
        }
        let name = plain(property).to_ascii_lowercase();
        let ruled = self.access.session.governance == Governance::Rules;
        let own = property == b"_app_passwords" || self.access.rules.self_written.contains(&name);
        if self.own && ruled && own { Reason::Own } else { Reason::Nothing }
    }

    /// Whether a list admits the session's user, or everybody.
    fn admits(&self, record: &RecordRef<'_>, list: &[u8]) -> bool {
        let Some(list) = record.property(list) else { return false };
        list.values.contains(b"*")
            || matches!(&self.access.session.principal, Principal::User(name) if list.values.contains(name))
    }
}

/// Whether a rule with these names (all of them, if there are none) is about a property, or about the directory itself.
fn covers(names: Option<&[Vec<u8>]>, allows: bool, action: Action, property: Option<&[u8]>) -> bool {
    match (names, property) {
        // Rights to write everything do not include those to give rights.
        (None, Some(property)) => !(allows && action == Action::Write && is_meta(property)),
        (None, None) => true,
        (Some(names), Some(property)) => {
            let name = plain(property);
            names.iter().any(|n| n.eq_ignore_ascii_case(name) || n.eq_ignore_ascii_case(property))
        }
        // Who may read something of a directory knows that it is there; who may not read something may know all the same.
        (Some(names), None) => allows || names.iter().any(|n| n == b"entry"),
    }
}

/// Whether a property is about the directory rather than about what it stands for.
fn is_meta(property: &[u8]) -> bool {
    property.starts_with(b"_") && !property.starts_with(b"_ldap_")
}

/// The name without option and prefix.
fn plain(property: &[u8]) -> &[u8] {
    let name = property.strip_prefix(b"_ldap_").unwrap_or(property);
    name.split(|&b| b == b';').next().unwrap_or(name)
}

/// Whether the property is password material, by whatever name.
fn hides(property: &[u8]) -> bool {
    let name = plain(property);
    is_secret(name) || SECRET_ATTRIBUTES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

fn is_step(record: &RecordRef<'_>, wanted: &Step) -> bool {
    match wanted {
        Step::Any => true,
        Step::Name(name) => step(record) == Some(name),
        Step::Keyed(key, value) => record.first_value(key) == Some(value),
    }
}

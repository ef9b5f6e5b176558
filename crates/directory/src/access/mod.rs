//! Who may read and change what: one set of answers for all front-ends.
//!
//! An [`Access`] answers for one session over one snapshot; [`Access::entry`] answers for one directory of it. Questions
//! name NetInfo properties, whatever a front-end calls them. `docs/access.md` describes the rules to administrators.
//!
//! | module | holds |
//! |---|---|
//! | `entry`, `explain` | the decisions for one directory, and the reasons |
//! | `rule`, `words` | one rule and how it is read from text |
//! | `compiled` | all rules and settings of a domain, ready for questions |
//! | `public` | what anonymous callers read of POSIX entries, what users write of their own |
//! | `lists` | `_locked`, `_writers`, `_writers_<property>` of the NetInfo protocol |
//! | `permit` | what the writer asks before a change |
//! | `tree` | the tree as these see it |

mod compiled;
mod entry;
mod explain;
mod lists;
mod permit;
mod public;
mod rule;
#[cfg(test)]
mod rule_tests;
mod tree;
mod words;

pub use compiled::{AttributeNames, RULES_LIMIT, RuleSource};
pub use entry::EntryAccess;
pub use explain::{Explanation, Reason};
pub(crate) use lists::{Counters, Lists, count};
pub(crate) use permit::permit;
pub use rule::{RULE_LIMIT, Rule, RuleError};
pub(crate) use tree::{Tree, path_of};

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use compiled::{Anonymous, Compiled};
use rule::Subject;

use crate::error::{Error, Result};
use crate::model::ROOT;
use crate::record::RecordRef;
use crate::session::{Governance, Principal, Session};

/// Something to be done with a directory or with a property of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Tell the values.
    Read,
    /// Find directories by the values, or sort by them.
    Search,
    /// Tell whether a value is among them.
    Compare,
    /// Change the values.
    Write,
    /// Make a child.
    Add,
    /// Remove the directory, or move it elsewhere.
    Delete,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Search, Self::Compare, Self::Write, Self::Add, Self::Delete];
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::Compare => "compare",
            Self::Write => "write",
            Self::Add => "add",
            Self::Delete => "delete",
        })
    }
}

/// Answers for one session over one snapshot. Made by [`Domain::access`](crate::Domain::access).
pub struct Access<'a> {
    tree: Tree<'a>,
    session: &'a Session,
    /// Whether the session's own directory still is that, once it has been asked for.
    own: OnceCell<bool>,
    rules: Arc<Compiled>,
    /// Numbers of the rules that can be about this session.
    live: Vec<(usize, Who)>,
    /// The way to the directory whose child was asked for last.
    recent: RefCell<Option<(u32, Rc<[u32]>)>>,
    /// What lies in the directory of the root that was asked about last.
    container: Cell<Option<(u32, Option<&'static public::Kind>)>>,
}

/// Whether a rule is about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Always,
    /// It depends on the directory.
    Sometimes,
}

impl<'a> Access<'a> {
    /// `state` is the number of the snapshot's state; inside a change there is none.
    pub(crate) fn new(
        tree: Tree<'a>,
        session: &'a Session,
        counters: &Counters,
        state: Option<u64>,
    ) -> Result<Self> {
        let rules = counters.rules.current(tree, state)?;
        let mut access = Self {
            tree,
            session,
            own: OnceCell::new(),
            rules: rules.clone(),
            live: Vec::new(),
            recent: RefCell::default(),
            container: Cell::default(),
        };
        if !session.is_superuser() {
            for (number, placed) in rules.rules.iter().enumerate() {
                let who = match &placed.rule {
                    Ok(rule) => access.who(&rule.subjects, &rule.networks)?,
                    Err(_) => Some(Who::Always),
                };
                access.live.extend(who.map(|who| (number, who)));
            }
        }
        Ok(access)
    }

    /// Whether the session reads, searches and compares everything but secrets, so that no directory has to be asked for.
    #[must_use]
    pub fn reads_everything(&self) -> bool {
        if self.session.condition.must_change() {
            return false;
        }
        self.session.is_superuser()
            || self.session.governance == Governance::Lists
            || (self.live.is_empty()
                && (!self.session.is_anonymous() || self.rules.anonymous == Anonymous::Everything))
    }

    /// The decisions for the directory `record`, which has to be of the snapshot.
    pub fn entry<'e>(&'e self, record: &RecordRef<'e>) -> Result<EntryAccess<'e>> {
        EntryAccess::new(self, *record)
    }

    /// The decisions for a directory.
    pub fn object(&self, object: u32) -> Result<EntryAccess<'_>> {
        EntryAccess::new(self, self.tree.record(object)?)
    }

    /// Whether a directory is the session's own. It is nobody's if it cannot be read.
    fn is_own(&self, object: u32) -> bool {
        let is_there = || own(self.tree, self.session).is_ok_and(|own| own.is_some());
        self.session.object == Some(object) && *self.own.get_or_init(is_there)
    }

    fn who(&self, subjects: &[Subject], networks: &[rule::Network]) -> Result<Option<Who>> {
        if !networks.is_empty() && !networks.iter().any(|n| n.admits(self.session.address)) {
            return Ok(None);
        }
        let mut who = subjects.is_empty().then_some(Who::Always);
        for subject in subjects {
            match subject {
                Subject::Own | Subject::Listed(_) if who.is_none() && !self.session.is_anonymous() => {
                    who = Some(Who::Sometimes);
                }
                Subject::Own | Subject::Listed(_) => {}
                other if self.is_subject(other)? => return Ok(Some(Who::Always)),
                _ => {}
            }
        }
        Ok(who)
    }

    /// Whether the session is meant by a subject that does not depend on the directory.
    fn is_subject(&self, subject: &Subject) -> Result<bool> {
        Ok(match subject {
            Subject::Anyone => true,
            Subject::Anonymous => self.session.is_anonymous(),
            Subject::Users => !self.session.is_anonymous(),
            Subject::User(name) => matches!(&self.session.principal, Principal::User(n) if n[..] == name[..]),
            Subject::Group(group) => self.is_member(group)?,
            Subject::Own | Subject::Listed(_) => false,
        })
    }

    /// Whether the user is in a group: listed in its `users`, or by primary group.
    fn is_member(&self, group: &[u8]) -> Result<bool> {
        let Principal::User(name) = &self.session.principal else { return Ok(false) };
        let Some(groups) = self.tree.child_named(ROOT, b"groups")? else { return Ok(false) };
        let Some(group) = self.tree.child_named(groups, group)? else { return Ok(false) };
        let group = self.tree.record(group)?;
        if group.property(b"users").is_some_and(|p| p.values.contains(name)) {
            return Ok(true);
        }
        let (Some(gid), Some(user)) = (group.first_value(b"gid"), own(self.tree, self.session)?) else {
            return Ok(false);
        };
        let is_user = self.tree.child_named(ROOT, b"users")? == Some(user.parent());
        Ok(is_user && user.first_value(b"gid") == Some(gid))
    }

    /// The directories from the root to the parent of `record`; nothing for the root.
    fn ancestors(&self, record: &RecordRef<'_>) -> Result<Rc<[u32]>> {
        if record.id().object == ROOT {
            return Ok(Rc::default());
        }
        let parent = record.parent();
        if let Some((known, ancestors)) = &*self.recent.borrow()
            && *known == parent
        {
            return Ok(ancestors.clone());
        }
        let mut way = vec![parent];
        let mut at = parent;
        while at != ROOT {
            at = self.tree.record(at)?.parent();
            way.push(at);
        }
        way.reverse();
        let ancestors: Rc<[u32]> = way.into();
        *self.recent.borrow_mut() = Some((parent, ancestors.clone()));
        Ok(ancestors)
    }
}

/// The directory of a session's user, if it still is that: users go, and others get their object ids.
fn own<'a>(tree: Tree<'a>, session: &Session) -> Result<Option<RecordRef<'a>>> {
    let Some(object) = session.object else { return Ok(None) };
    let record = match tree.record(object) {
        Err(Error::NoSuchDirectory) => return Ok(None),
        other => other?,
    };
    let name = session.name();
    let same = match name.starts_with(b"/") {
        true => path_of(tree, &record)? == name,
        false => record.first_value(b"name") == Some(name),
    };
    Ok(same.then_some(record))
}

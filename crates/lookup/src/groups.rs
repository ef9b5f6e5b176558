//! Groups have members in all sources, and users have groups in all of them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use netinfo_wire::lookup::{Answer, Category, Entry, EntryBuf, Group, Key, ListBuf, MAX_GIDS, Query};

use crate::entries::{Want, canonical, is_member, is_name, number};
use crate::source::Table;
use crate::view::View;

impl View<'_> {
    /// A group with its members from all sources: those of every record with its name as the first, each once, in the
    /// order of the search. `None` if they are too many.
    pub(crate) fn merged(&self, group: &Group<'_>) -> Option<EntryBuf> {
        let mut members = ListBuf::new();
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let mut full = false;
        for (_, source) in self.covering(Table::Groups) {
            // Those of a source that is away are not known now.
            let _ = source.find(Table::Groups, b"name", group.name, &mut |record| {
                if record.first(b"name") == Some(group.name) {
                    for member in record.values(b"users").filter(|m| is_member(m)) {
                        full |= seen.insert(member.to_vec()) && !members.push(member);
                    }
                }
                ControlFlow::Continue(())
            });
        }
        if full {
            return None;
        }
        EntryBuf::new(&Entry::Group(Group { members: members.as_list(), ..*group }))
    }

    /// The groups of a user: the primary one first, then every group that has `user` among its members, none twice, at
    /// most [`MAX_GIDS`]. Groups are found by the index on their members, not by looking at all of them.
    ///
    /// Somebody who is in a group need not be a user of ours.
    #[must_use]
    pub fn initgroups(&self, user: &[u8]) -> Answer<Vec<u32>> {
        let mut gids = Vec::new();
        let mut away = false;
        if !is_name(user) {
            return Answer::NotFound;
        }
        let named = self.find(&Query { category: Category::Passwd, key: Key::Name(user) });
        if let Answer::Found(entry) = named
            && let Entry::Passwd(passwd) = entry.as_entry()
        {
            gids.push(passwd.gid);
        }
        let mut seen: HashSet<u32> = gids.iter().copied().collect();
        let mut names: HashSet<Vec<u8>> = HashSet::new();
        for (_, source) in self.covering(Table::Groups) {
            let mut groups = Vec::new();
            let asked = source.find(Table::Groups, b"users", user, &mut |record| {
                groups.extend(record.first(b"name").map(<[u8]>::to_vec));
                ControlFlow::Continue(())
            });
            away |= asked.is_err();
            for name in groups {
                if gids.len() >= MAX_GIDS as usize {
                    break;
                }
                if let Some(gid) = self.gid_of(&name)
                    && names.insert(name)
                    && seen.insert(gid)
                {
                    gids.push(gid);
                }
            }
        }
        match (gids.is_empty(), away) {
            (false, _) => Answer::Found(gids),
            (true, true) => Answer::TryAgain,
            (true, false) => Answer::NotFound,
        }
    }

    /// Id of the group that a name belongs to, if that is its first name: members of others are not its members.
    fn gid_of(&self, name: &[u8]) -> Option<u32> {
        let (_, _, gid) = self.owner(Category::Group, name, b"", |record| {
            let first = canonical(Category::Group, record, Want::default(), true) == Some(name);
            number(record, b"gid").filter(|_| first)
        })?;
        gid
    }
}

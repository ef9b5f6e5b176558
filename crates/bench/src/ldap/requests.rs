//! Requests, encoded before the clock starts, so that sending one costs the generator as little as can be.

use netinfo_wire::ldap::request::{AddRequest, ModifyRequest, VERSION};
use netinfo_wire::ldap::{
    AttributesBuf, Authentication, BindRequest, Filter, FilterBuf, Message, ModificationsBuf, ModifyOp,
    Request, Scope, SearchRequest, SelectionBuf,
};

use super::tree::{
    self, ADMIN, GROUPS_OF_USER, HASH, HASHES, PASSWORD, PEOPLE, PIECES, SUFFIX, USERS_OF_PIECE,
};
use crate::calls::Call;
use crate::{Result, people};

/// Users that log in again and again.
const REGULARS: u32 = 8;
/// Requests of a ring in which few different ones repeat.
const SHORT_RING: u32 = 4096;
/// Of so many requests of the mix, one modifies.
const MIX: usize = 10;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Operation {
    /// `(uid=X)` from the suffix, all attributes
    SearchAll,
    /// `(uid=X)` from the suffix, uidNumber and gidNumber
    SearchTwo,
    /// The entry with a DN, all attributes
    Read,
    /// `(uid=X)` that nobody has
    Miss,
    /// The two groups with a member, cn and gidNumber
    MemberUid,
    /// `(cn=*foo*)`, three letters, ten entries
    Substring3,
    /// `(cn=*foobarb*)`, seven letters, ten entries
    Substring7,
    /// Simple bind of a user whose password is hashed by SHA-1
    BindSha1,
    /// Simple bind of a user who has not logged in yet, argon2id
    BindFirst,
    /// Simple bind of a user who has, argon2id
    BindAgain,
    /// A new telephone number for a user
    Modify,
    /// Nine searches for all attributes, one modification
    Mix,
    /// A new user
    Add,
}

/// Who a connection is bound as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Nobody: what is measured are binds.
    Nobody,
    /// A user: access is decided entry by entry.
    User,
    /// The administrator.
    Administrator,
}

impl Operation {
    /// All, in the order in which they are measured: what makes the directory larger comes last.
    pub const ALL: [Self; 13] = [
        Self::SearchAll,
        Self::SearchTwo,
        Self::Read,
        Self::Miss,
        Self::MemberUid,
        Self::Substring3,
        Self::Substring7,
        Self::BindSha1,
        Self::BindFirst,
        Self::BindAgain,
        Self::Modify,
        Self::Mix,
        Self::Add,
    ];

    /// As tables name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SearchAll => "search uid, all attributes",
            Self::SearchTwo => "search uid, 2 attributes",
            Self::Read => "read by DN",
            Self::Miss => "search uid, miss",
            Self::MemberUid => "search memberUid",
            Self::Substring3 => "search `*foo*`, 3 letters",
            Self::Substring7 => "search `*foobarb*`, 7 letters",
            Self::BindSha1 => "bind, SHA-1",
            Self::BindFirst => "bind, argon2id, first time",
            Self::BindAgain => "bind, argon2id, again",
            Self::Modify => "modify",
            Self::Mix => "90 % search, 10 % modify",
            Self::Add => "add",
        }
    }

    /// Who does it.
    #[must_use]
    pub const fn identity(self) -> Identity {
        match self {
            Self::BindSha1 | Self::BindFirst | Self::BindAgain => Identity::Nobody,
            Self::Modify | Self::Mix | Self::Add => Identity::Administrator,
            _ => Identity::User,
        }
    }

    /// Whether a client may have several under way on a connection: binds it may not (RFC 4511 §4.2.1).
    #[must_use]
    pub const fn pipelines(self) -> bool {
        !matches!(self, Self::BindSha1 | Self::BindFirst | Self::BindAgain)
    }

    /// Whether requests that were sent have less to do when they are sent again: a value that is there already.
    #[must_use]
    pub const fn wears_off(self) -> bool {
        matches!(self, Self::BindFirst | Self::Modify | Self::Mix | Self::Add)
    }

    /// Whether a request is not to be sent twice.
    #[must_use]
    pub const fn is_once(self) -> bool {
        matches!(self, Self::BindFirst | Self::Add)
    }
}

/// Encoded requests. Number `i` has message id `i + 1`.
#[derive(Debug, Default)]
pub struct Ring {
    bytes: Vec<u8>,
    /// Where each request ends in `bytes`.
    ends: Vec<usize>,
    /// Entries that each finds.
    entries: Vec<u8>,
    /// Whether a connection stops at the end of its share, instead of beginning again.
    pub once: bool,
}

impl Ring {
    /// About `count` requests for a directory of so many users; those of [`Operation::is_once`] are about users number
    /// `from` and following, those that modify write values made from such numbers. Users that are picked at random are
    /// at most [`RING`](crate::calls::RING).
    ///
    /// # Errors
    /// A filter cannot be written, which does not happen.
    pub fn of(operation: Operation, users: u32, from: u32, count: u32) -> Result<Self> {
        let mut ring = Self { once: operation.is_once(), ..Self::default() };
        let random = || Call::users(users).take(count as usize);
        match operation {
            Operation::SearchAll => random().try_for_each(|i| ring.search_uid(&people::name(i), &[], 1))?,
            Operation::SearchTwo => {
                random()
                    .try_for_each(|i| ring.search_uid(&people::name(i), &["uidNumber", "gidNumber"], 1))?;
            }
            Operation::Read => random().for_each(|i| ring.read(&tree::user_dn(i))),
            Operation::Miss => {
                random().try_for_each(|i| ring.search_uid(&people::name(!i), &[], 0))?;
            }
            Operation::MemberUid => random().try_for_each(|i| ring.groups_of(&people::name(i)))?,
            Operation::Substring3 => {
                (0..SHORT_RING).try_for_each(|n| ring.piece(&tree::piece(n % PIECES)))?
            }
            Operation::Substring7 => {
                (0..SHORT_RING).try_for_each(|n| ring.piece(&tree::rare_word(n % PIECES)))?;
            }
            Operation::BindSha1 => random().for_each(|i| ring.bind(&tree::user_dn(i | (HASHES - 1)))),
            Operation::BindFirst => {
                (from..from + count).for_each(|n| ring.bind(&tree::user_dn(costly(n) % users)))
            }
            Operation::BindAgain => {
                (0..SHORT_RING).for_each(|n| ring.bind(&tree::user_dn(costly(n % REGULARS))))
            }
            Operation::Modify => random().zip(from..).for_each(|(i, n)| ring.modify(&tree::user_dn(i), n)),
            Operation::Mix => {
                for (i, n) in random().zip(from..) {
                    match ring.ends.len() % MIX {
                        0 => ring.modify(&tree::user_dn(i), n),
                        _ => ring.search_uid(&people::name(i), &[], 1)?,
                    }
                }
            }
            Operation::Add => (from..from + count).for_each(|i| ring.add(i)),
        }
        Ok(ring)
    }

    /// How many requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of the requests `first..first + count`; both within the ring.
    #[must_use]
    pub fn requests(&self, first: usize, count: usize) -> &[u8] {
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        &self.bytes[start..self.ends[first + count - 1]]
    }

    /// Entries that the request with this message id finds.
    #[must_use]
    pub fn entries(&self, id: u32) -> u32 {
        (id as usize).checked_sub(1).and_then(|i| self.entries.get(i)).map_or(0, |n| u32::from(*n))
    }

    fn push(&mut self, request: Request<'_>, entries: u32) {
        let id = self.ends.len() as u32 + 1;
        Message::new(id, request).encode(&mut self.bytes);
        self.ends.push(self.bytes.len());
        self.entries.push(entries as u8);
    }

    fn search(&mut self, base: &str, filter: &str, selection: &[&str], entries: u32) -> Result<()> {
        let filter = FilterBuf::parse(filter)?;
        let selection: SelectionBuf = selection.iter().map(|name| name.as_bytes()).collect();
        let mut search = SearchRequest::new(base.as_bytes(), Scope::Subtree, filter.as_filter());
        search.attributes = selection.as_list();
        self.push(Request::Search(search), entries);
        Ok(())
    }

    fn search_uid(&mut self, name: &str, selection: &[&str], entries: u32) -> Result<()> {
        self.search(SUFFIX, &format!("(uid={name})"), selection, entries)
    }

    fn groups_of(&mut self, name: &str) -> Result<()> {
        let filter = format!("(&(objectClass=posixGroup)(memberUid={name}))");
        self.search(SUFFIX, &filter, &["cn", "gidNumber"], GROUPS_OF_USER)
    }

    fn piece(&mut self, piece: &str) -> Result<()> {
        self.search(PEOPLE, &format!("(cn=*{piece}*)"), &["uid", "cn"], USERS_OF_PIECE)
    }

    fn read(&mut self, dn: &str) {
        self.push(Request::Search(SearchRequest::new(dn.as_bytes(), Scope::Base, Filter::ALL)), 1);
    }

    fn bind(&mut self, dn: &str) {
        self.push(bind(dn), 0);
    }

    fn modify(&mut self, dn: &str, number: u32) {
        let mut changes = ModificationsBuf::new();
        changes.add(ModifyOp::Replace, "telephoneNumber", [tree::telephone(number)]);
        self.push(Request::Modify(ModifyRequest { dn: dn.as_bytes(), changes: changes.as_list() }), 0);
    }

    fn add(&mut self, i: u32) {
        let mut attributes = AttributesBuf::new();
        for (name, values) in tree::user(i) {
            attributes.add(name, values);
        }
        attributes.add("userPassword", [format!("{{ARGON2}}{HASH}")]);
        let dn = tree::user_dn(i);
        self.push(Request::Add(AddRequest { dn: dn.as_bytes(), attributes: attributes.as_list() }), 0);
    }
}

/// Number of the `n`th user whose password is hashed by argon2id.
fn costly(n: u32) -> u32 {
    n / (HASHES - 1) * HASHES + n % (HASHES - 1)
}

/// A simple bind with the password that all have.
#[must_use]
pub fn bind(dn: &str) -> Request<'_> {
    let authentication = Authentication::Simple(PASSWORD.as_bytes());
    Request::Bind(BindRequest { version: VERSION, name: dn.as_bytes(), authentication })
}

impl Identity {
    /// The DN to bind as.
    #[must_use]
    pub fn dn(self) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::User => Some(tree::user_dn(0)),
            Self::Administrator => Some(ADMIN.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_hold_whole_requests() {
        for operation in Operation::ALL {
            let ring = Ring::of(operation, 1000, 2000, 50).unwrap();
            assert!(ring.len() >= 50, "{operation:?}");
            for i in [0, 7, 49] {
                let message = Message::<Request<'_>>::decode(ring.requests(i, 1)).unwrap();
                assert_eq!(message.id as usize, i + 1);
            }
        }
    }

    #[test]
    fn binds_are_of_users_with_the_hash_they_are_named_for() {
        assert!((0..100).all(|n| !tree::has_sha1(costly(n)) && costly(n) < costly(n + 1)));
        assert!((0..100).all(|i: u32| tree::has_sha1(i | (HASHES - 1))));
    }

    #[test]
    fn one_request_in_ten_of_the_mix_modifies() {
        let ring = Ring::of(Operation::Mix, 1000, 0, 1000).unwrap();
        let modifies = |i: &usize| {
            let message = Message::<Request<'_>>::decode(ring.requests(*i, 1)).unwrap();
            assert_eq!(ring.entries(message.id) == 0, matches!(message.op, Request::Modify(_)));
            matches!(message.op, Request::Modify(_))
        };
        assert_eq!((0..1000).filter(modifies).count(), 100);
    }
}

//! Access lists (NetInfo protocol, access lists): every writing procedure on every kind of directory by every kind of
//! caller.

use netinfo_testkit::Node;
use netinfo_wire::netinfo::{INDEX_NULL, Id, Status};

use crate::tree::{Props, Reply, Tree};
use crate::users::Office;

/// A procedure with arguments that suit the directory under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Create,
    Destroy,
    Write,
    CreateProp,
    DestroyProp,
    RenameProp,
    WriteProp,
    CreateName,
    DestroyName,
    WriteName,
}

const ALL: [Attempt; 10] = [
    Attempt::Create,
    Attempt::Destroy,
    Attempt::Write,
    Attempt::CreateProp,
    Attempt::DestroyProp,
    Attempt::RenameProp,
    Attempt::WriteProp,
    Attempt::CreateName,
    Attempt::DestroyName,
    Attempt::WriteName,
];

/// Index of `passwd` in the directories under test; `name` is before, the lists are after it.
const PASSWD: u32 = 1;

/// A directory under test with a child.
struct Subject {
    object: u32,
    child: u32,
}

impl Subject {
    fn new(office: &mut Office, lists: Props<'_>) -> Self {
        let mut props = vec![("name", &["subject"] as &[&str]), ("passwd", &["a", "b"])];
        props.extend_from_slice(lists);
        let object = office.root.make(0, &props);
        // A locked directory gets no children any more.
        let locked = lists.iter().any(|(name, _)| *name == "_locked");
        let child = if locked { object } else { office.root.make(object, &[("name", &["child"])]) };
        Self { object, child }
    }

    /// Lets `caller` try one procedure on property `prop`.
    fn try_out(&self, caller: &mut Tree, write: Attempt, prop: u32) -> Reply<()> {
        let id = caller.at(self.object);
        match write {
            Attempt::Create => caller.create(id, &[]).map(drop),
            Attempt::Destroy => {
                let child = caller.at(self.child);
                caller.destroy(id, child).map(drop)
            }
            Attempt::Write => caller.write(id, &[("name", &["written"])]).map(drop),
            Attempt::CreateProp => caller.create_prop(id, "new", &["v"], INDEX_NULL).map(drop),
            Attempt::DestroyProp => caller.destroy_prop(id, prop).map(drop),
            Attempt::RenameProp => caller.rename_prop(id, prop, "renamed").map(drop),
            Attempt::WriteProp => caller.write_prop(id, prop, &["c"]).map(drop),
            Attempt::CreateName => caller.create_name(id, prop, "c", 0).map(drop),
            Attempt::DestroyName => caller.destroy_name(id, prop, 0).map(drop),
            Attempt::WriteName => caller.write_name(id, prop, 0, "c").map(drop),
        }
    }
}

/// Answers to [`ALL`] as a word: `o` OK, `p` NI_PERM, `r` NI_RDONLY, `-` not tried.
fn answers(office: &mut Office, caller: &mut Tree, lists: Props<'_>, prop: u32) -> String {
    let locked = lists.iter().any(|(name, _)| *name == "_locked");
    let mut subject = Subject::new(office, lists);
    let mut word = String::new();
    for write in ALL {
        let before = office.root.read(subject.object).unwrap();
        let id = office.root.at(subject.object);
        let answer = subject.try_out(caller, write, prop);
        word.push(match answer {
            Ok(()) => 'o',
            Err(Status::Perm) => 'p',
            Err(Status::RdOnly) => 'r',
            Err(other) => panic!("{write:?} on {lists:?}: {other}"),
        });
        let same =
            office.root.at(subject.object) == id && office.root.read(subject.object).unwrap() == before;
        assert_eq!(same, answer.is_err(), "{write:?} on {lists:?}");
        if answer.is_ok() {
            assert_eq!(office.root.at(subject.object), Id::new(id.object, id.instance + 1));
            subject = Subject::new(office, lists);
        }
    }
    assert!(!locked || word.starts_with("rrrrrr"), "{lists:?}: {word}");
    word
}

/// Expected answers of nobody, alice, bob and the superuser.
type Row<'a> = (Props<'a>, [&'a str; 4]);

const NO: &str = "pppppppppp";
const YES: &str = "oooooooooo";
/// Only the values of the property.
const VALUES: &str = "ppppppoooo";
/// Locked, without a list for the property; and with one.
const LOCKED: &str = "rrrrrrrppp";
const LOCKED_VALUES: &str = "rrrrrrrooo";

#[test]
fn lists_decide_as_the_protocol_says() {
    let table: &[Row<'_>] = &[
        (&[], [NO, NO, NO, YES]),
        (&[("_writers", &["alice"])], [NO, YES, NO, YES]),
        (&[("_writers", &["bob", "alice"])], [NO, YES, YES, YES]),
        (&[("_writers", &["*"])], [YES, YES, YES, YES]),
        (&[("_writers", &["x", "*"])], [YES, YES, YES, YES]),
        (&[("_writers", &[])], [NO, NO, NO, YES]),
        (&[("_writers", &["Alice", "ali", "alice ", "a*", ""])], [NO, NO, NO, YES]),
        // Only the first list of a name counts.
        (&[("_writers", &["bob"]), ("_writers", &["alice"])], [NO, NO, YES, YES]),
        // Lists of properties: values only, and only of that property.
        (&[("_writers_passwd", &["alice"])], [NO, VALUES, NO, YES]),
        (&[("_writers_passwd", &["*"])], [VALUES, VALUES, VALUES, YES]),
        (&[("_writers_passwd", &[])], [NO, NO, NO, YES]),
        (&[("_writers_uid", &["*"])], [NO, NO, NO, YES]),
        (&[("_writers_", &["*"]), ("_writers_pass", &["*"])], [NO, NO, NO, YES]),
        (&[("_writers", &["bob"]), ("_writers_passwd", &["alice"])], [NO, VALUES, YES, YES]),
        (&[("_writers_passwd", &["bob"]), ("_writers_passwd", &["alice"])], [NO, NO, VALUES, YES]),
        // There is no such thing as a list of readers, of groups or of what is below.
        (&[("_readers", &["alice"]), ("_groups", &["*"]), ("writers", &["*"])], [NO, NO, NO, YES]),
    ];
    check(table);
}

#[test]
fn locks_hold_as_far_as_they_did() {
    let table: &[Row<'_>] = &[
        (&[("_locked", &[])], [LOCKED, LOCKED, LOCKED, LOCKED_VALUES]),
        (&[("_locked", &["no"])], [LOCKED, LOCKED, LOCKED, LOCKED_VALUES]),
        (&[("_locked", &[]), ("_writers", &["*"])], [LOCKED, LOCKED, LOCKED, LOCKED_VALUES]),
        (
            &[("_locked", &[]), ("_writers_passwd", &["alice"])],
            [LOCKED, LOCKED_VALUES, LOCKED, LOCKED_VALUES],
        ),
        (&[("_writers_passwd", &["*"]), ("_locked", &[])], [LOCKED_VALUES; 4]),
    ];
    check(table);
}

fn check(table: &[Row<'_>]) {
    let mut office = Office::historical();
    for (lists, expected) in table {
        let mut callers = [
            Tree::anonymous(office.domain),
            office.user(501, "secret"),
            office.user(502, ""),
            Tree::privileged(office.domain),
        ];
        let got = callers.each_mut().map(|caller| answers(&mut office, caller, lists, PASSWD));
        assert_eq!(got, *expected, "{lists:?}");
    }
}

#[test]
fn a_list_of_one_property_says_nothing_of_others() {
    let mut office = Office::historical();
    let mut alice = office.user(501, "secret");
    let lists: Props<'_> = &[("_writers_passwd", &["alice"])];
    assert_eq!(answers(&mut office, &mut alice, lists, 0), NO, "name");
    assert_eq!(answers(&mut office, &mut alice, lists, 2), NO, "the list itself");
    let lists: Props<'_> = &[("_writers__writers__writers", &["alice"]), ("_writers__writers", &["alice"])];
    assert_eq!(answers(&mut office, &mut alice, lists, 2), NO);
}

#[test]
fn the_list_of_a_property_goes_by_its_present_name() {
    let mut office = Office::historical();
    let object =
        office.root.make(0, &[("name", &["x"]), ("k", &["v"]), ("k", &["w"]), ("_writers_k", &["alice"])]);
    let mut alice = office.user(501, "secret");
    let id = alice.at(object);
    // Both properties of the name.
    let id = alice.write_prop(id, 1, &["1"]).unwrap();
    let id = alice.write_prop(id, 2, &["2"]).unwrap();
    let id = office.root.rename_prop(id, 1, "l").unwrap();
    assert_eq!(alice.write_prop(id, 1, &["1"]), Err(Status::Perm));
    alice.write_prop(id, 2, &["2"]).unwrap();
}

#[test]
fn writers_may_edit_their_own_list_and_shut_themselves_out() {
    let mut office = Office::historical();
    let object = office.root.make(0, &[("name", &["x"]), ("_writers", &["alice"])]);
    let (mut alice, mut bob) = (office.user(501, "secret"), office.user(502, ""));
    let id = alice.at(object);
    let id = alice.write_prop(id, 1, &["bob"]).unwrap();
    assert_eq!(alice.write_prop(id, 1, &["alice"]), Err(Status::Perm));
    let id = bob.rename_prop(id, 1, "writers").unwrap();
    assert_eq!(bob.rename_prop(id, 1, "_writers"), Err(Status::Perm));
}

#[test]
fn a_locked_directory_stays_locked_and_can_only_be_destroyed() {
    let mut office = Office::historical();
    let object = office.root.make(0, &[("name", &["x"])]);
    let id = office.root.at(object);
    let id = office.root.create_prop(id, "_locked", &["since today"], INDEX_NULL).unwrap();
    for result in [
        office.root.destroy_prop(id, 1),
        office.root.rename_prop(id, 1, "unlocked"),
        office.root.write(id, &[("name", &["x"])]),
        office.root.write_prop(id, 1, &[]),
    ] {
        assert_eq!(result, Err(Status::RdOnly));
    }
    let id = office.root.destroy_name(id, 1, 0).unwrap();
    assert_eq!(office.root.create(id, &[]), Err(Status::RdOnly));
    let parent = office.root.at(0);
    office.root.destroy(parent, id).unwrap();
}

#[test]
fn destroying_asks_the_parent_only() {
    let mut office = Office::historical();
    let open = office.root.make(0, &[("name", &["open"]), ("_writers", &["alice"])]);
    let shut = office.root.make(0, &[("name", &["shut"])]);
    let theirs = office.root.make(open, &[("name", &["bob's"]), ("_writers", &["bob"]), ("_locked", &[])]);
    let own = office.root.make(shut, &[("name", &["alice's"]), ("_writers", &["alice"])]);
    let mut alice = office.user(501, "secret");
    let (parent, child) = (alice.at(open), alice.at(theirs));
    alice.destroy(parent, child).unwrap();
    let (parent, child) = (alice.at(shut), alice.at(own));
    assert_eq!(alice.destroy(parent, child), Err(Status::Perm));
    // Nothing is inherited, either.
    let below = office.root.make(open, &[("name", &["below"])]);
    let below = alice.at(below);
    assert_eq!(alice.create(below, &[]), Err(Status::Perm));
}

#[test]
fn users_change_their_own_passwords() {
    for node in [Node::builder().historical().start(), Node::start()] {
        let mut office = Office::on(node);
        let (alice, bob) = (office.find("alice"), office.find("bob"));
        let mut caller = office.user(501, "secret");
        let id = caller.at(bob);
        assert_eq!(caller.write_prop(id, 2, &["on08nzIt14O6Y"]), Err(Status::Perm));
        let id = caller.at(alice);
        assert_eq!(caller.write_prop(id, 1, &["0"]), Err(Status::Perm), "uid");
        assert_eq!(caller.destroy_prop(id, 2), Err(Status::Perm));
        assert_eq!(caller.rename_prop(id, 2, "old"), Err(Status::Perm));
        let id = caller.write_prop(id, 2, &["on08nzIt14O6Y"]).unwrap();
        assert_eq!(
            caller.write_prop(id, 2, &[""]),
            Err(Status::AuthError),
            "the old password is no longer his"
        );
        caller.caller.set_user(Some((501, b"one")));
        let id = caller.write_name(id, 2, 0, "twWqSnNVEaM9.").unwrap();
        caller.caller.set_user(Some((501, b"two")));
        caller.create_name(id, 2, "more", INDEX_NULL).unwrap();
    }
}

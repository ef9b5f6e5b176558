//! Who a caller is (NetInfo protocol, authentication), seen from outside: what it may write.

use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{Procedure, Status, decode_statistics};

use crate::tree::{Reply, Tree};
use crate::users::{Office, SECRET};

/// What a caller turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// Let in, as nobody.
    Nobody,
    /// Let in, as the user of this name.
    User(&'static str),
    /// The superuser.
    Root,
    /// Refused, even where anybody may write.
    Refused(Status),
}

const WRONG: Is = Is::Refused(Status::AuthError);
const UNKNOWN: Is = Is::Refused(Status::NoUser);

/// Object ids of directories that tell callers apart.
struct Probes {
    anybody: u32,
    superuser: u32,
    named: Vec<(&'static str, u32)>,
}

impl Probes {
    fn new(office: &mut Office) -> Self {
        let mut probe = |lists: &[&str]| match lists {
            [] => office.root.make(0, &[("name", &["probe"])]),
            lists => office.root.make(0, &[("name", &["probe"]), ("_writers", lists)]),
        };
        let names =
            ["alice", "bob", "carol", "dave", "erin", "frank", "two-ids", "nobody", "basic", "unset", "lois"];
        let named = names.map(|name| (name, probe(&[name])));
        Self { anybody: probe(&["*"]), superuser: probe(&[]), named: named.to_vec() }
    }

    /// Finds out what `caller` is, by writing.
    fn ask(&self, caller: &mut Tree) -> Is {
        if let Err(status) = touch(caller, self.anybody) {
            return Is::Refused(status);
        }
        if touch(caller, self.superuser).is_ok() {
            return Is::Root;
        }
        let writable = self.named.iter().filter(|(_, probe)| touch(caller, *probe).is_ok());
        match writable.map(|(name, _)| *name).collect::<Vec<_>>()[..] {
            [] => Is::Nobody,
            [name] => Is::User(name),
            ref names => panic!("a caller of several names: {names:?}"),
        }
    }
}

fn touch(caller: &mut Tree, probe: u32) -> Reply<()> {
    let id = caller.at(probe);
    caller.write_name(id, 0, 0, "probe").map(drop)
}

#[test]
fn passwords_decide_who_a_caller_is() {
    let mut office = Office::historical();
    let probes = Probes::new(&mut office);
    let signed = -2_i32 as u32;
    let long = "x".repeat(255);
    let cases: &[(u32, &str, Is)] = &[
        (501, "secret", Is::User("alice")),
        (501, "Secret", WRONG),
        (501, "", WRONG),
        // Passwords end at a NUL, and traditional crypt(3) looks at eight characters; a hash is no password.
        (501, "secret\0and more", Is::User("alice")),
        (526, "long-password", Is::User("lois")),
        (526, "long-pas", Is::User("lois")),
        (526, "long-pa", WRONG),
        (501, SECRET, WRONG),
        (501, &long, WRONG),
        (999, "secret", UNKNOWN),
        // An empty password, or a property without values, lets in whatever is said; no property lets nobody in.
        (502, "", Is::User("bob")),
        (502, "anything", Is::User("bob")),
        (503, "anything", Is::User("carol")),
        (504, "", WRONG),
        // Of several users with one uid, the first whose password fits.
        (505, "one", Is::User("erin")),
        (505, "two", Is::User("frank")),
        (505, "three", WRONG),
        (0, "rootpw", Is::Root),
        (0, "toor", Is::Root),
        (0, "", WRONG),
        // Users without a name are no users; those called root are the superuser.
        (506, "secret", UNKNOWN),
        (506, "wrong", WRONG),
        (507, "secret", UNKNOWN),
        (508, "fake", Is::Root),
        (510, "secret", Is::User("two-ids")),
        (511, "secret", Is::User("two-ids")),
        (511, "one", WRONG),
        (signed, "secret", Is::User("nobody")),
        (512, "secret", UNKNOWN),
        // Passwords kept elsewhere.
        (520, "secret", Is::User("basic")),
        (520, "wrong", WRONG),
        (521, "secret", WRONG),
        (522, "", WRONG),
        (523, "", WRONG),
        (524, "secret", Is::User("unset")),
        // What is no hash fits no password, not even itself.
        (527, "*", WRONG),
        (527, "", WRONG),
        (528, "cleartext", WRONG),
        (525, "secret", WRONG),
    ];
    for (uid, password, expected) in cases {
        assert_eq!(probes.ask(&mut office.user(*uid, password)), *expected, "{uid} with {password:?}");
    }
    assert_eq!(probes.ask(&mut Tree::anonymous(office.domain)), Is::Nobody);
}

#[test]
fn a_reserved_port_of_this_machine_makes_root_whatever_the_credential() {
    let mut office = Office::historical();
    let probes = Probes::new(&mut office);
    for credential in [None, Some((501, "secret")), Some((501, "wrong")), Some((999, ""))] {
        let mut caller = Caller::tcp_privileged(office.domain.tcp);
        caller.set_user(credential.map(|(uid, password)| (uid, password.as_bytes())));
        assert_eq!(probes.ask(&mut Tree { caller }), Is::Root, "{credential:?}");
    }
    // Nothing of this is counted as authentication.
    assert_eq!(figures(&mut office.root)[..2], [0, 0]);
}

#[test]
fn without_users_nobody_is_known() {
    let node = Node::builder().historical().start();
    let domain = node.create_master("network");
    let mut caller = Tree::user(domain, 0, "");
    let root = caller.at(0);
    assert_eq!(caller.create(root, &[]), Err(Status::NoUser));
    assert_eq!(caller.write_prop(root, 9, &[]), Err(Status::NoUser), "before any other error");
    assert_eq!(Tree::anonymous(domain).create(root, &[]), Err(Status::Perm));
}

#[test]
fn only_the_first_users_directory_counts() {
    let mut office = Office::historical();
    let probes = Probes::new(&mut office);
    let second = office.root.make(0, &[("name", &["users"])]);
    office.root.make(second, &[("name", &["alice"]), ("uid", &["501"]), ("passwd", &[""])]);
    office.root.make(second, &[("name", &["zoe"]), ("uid", &["600"]), ("passwd", &[""])]);
    assert_eq!(probes.ask(&mut office.user(501, "wrong")), WRONG);
    assert_eq!(probes.ask(&mut office.user(600, "")), UNKNOWN);
}

#[test]
fn members_of_admin_are_promoted_as_the_root_directory_says() {
    let mut office = Office::historical();
    let probes = Probes::new(&mut office);
    let ask = |office: &Office, name: &str| match name {
        "wanda" => probes.ask(&mut office.user(509, "wheel")),
        _ => probes.ask(&mut office.user(501, "secret")),
    };
    let plain = Is::Nobody;
    assert_eq!(ask(&office, "wanda"), Is::Root, "promotion is on by default");
    assert_eq!(ask(&office, "alice"), Is::User("alice"));
    let values: &[(&[&str], Is)] = &[
        (&["NO"], plain),
        (&["YES"], Is::Root),
        (&["no"], plain),
        (&["Yes"], Is::Root),
        (&["0"], plain),
        (&["1"], Is::Root),
        (&["n"], plain),
        (&["y"], Is::Root),
        (&["No"], plain),
        // Anything else means the default, which is yes.
        (&["off"], Is::Root),
        (&["N"], plain),
        (&[], Is::Root),
        (&["no", "yes"], plain),
        (&[" no"], Is::Root),
        (&["Y"], Is::Root),
    ];
    for (values, expected) in values {
        office.root.set(0, "promote_admins", values);
        assert_eq!(ask(&office, "wanda"), *expected, "promote_admins {values:?}");
        assert_eq!(ask(&office, "alice"), Is::User("alice"), "promote_admins {values:?}");
    }
    office.root.unset(0, "promote_admins");
    // The list is read afresh each time; only the first group of the name counts, and gids do not.
    let admin = office.admin;
    office.root.set(admin, "users", &["x", "alice"]);
    assert_eq!(ask(&office, "wanda"), plain);
    assert_eq!(ask(&office, "alice"), Is::Root);
    let groups = office.root.lookup(0, "name", "groups").unwrap()[0];
    office.root.make(groups, &[("name", &["admin"]), ("users", &["wanda"])]);
    assert_eq!(ask(&office, "wanda"), plain);
    office.root.set(admin, "users", &["*"]);
    assert_eq!(ask(&office, "alice"), Is::User("alice"), "a star is no member");
}

#[test]
fn admins_are_not_promoted_unless_asked_for_by_default() {
    let mut office = Office::on(Node::start());
    let probes = Probes::new(&mut office);
    assert_eq!(probes.ask(&mut office.user(509, "wheel")), Is::Nobody);
    office.root.set(0, "promote_admins", &["YES"]);
    assert_eq!(probes.ask(&mut office.user(509, "wheel")), Is::Root);
}

#[test]
fn passwords_that_change_count_at_once() {
    let mut office = Office::historical();
    let probes = Probes::new(&mut office);
    let alice = office.find("alice");
    let mut caller = office.user(501, "secret");
    let id = caller.at(alice);
    caller.write_prop(id, 2, &["on08nzIt14O6Y"]).unwrap();
    assert_eq!(probes.ask(&mut caller), WRONG, "on an open connection, too");
    assert_eq!(probes.ask(&mut office.user(501, "one")), Is::User("alice"));
    office.root.set(alice, "uid", &["601"]);
    assert_eq!(probes.ask(&mut office.user(501, "one")), UNKNOWN);
    assert_eq!(probes.ask(&mut office.user(601, "one")), Is::User("alice"));
}

#[test]
fn reads_need_no_password_but_answer_wrong_ones() {
    let mut office = Office::historical();
    let users = office.users;
    let mut wrong = office.user(501, "wrong");
    let mut unknown = office.user(999, "");
    let expected = office.root.list_all(users).unwrap();
    for caller in [&mut wrong, &mut unknown, &mut Tree::anonymous(office.domain)] {
        assert_eq!(caller.list_all(users).unwrap(), expected);
        assert_eq!(caller.caller.status(Procedure::Resync, &[]), Status::Ok);
        assert!(caller.read_all(0).is_ok());
    }
    assert_eq!(figures(&mut office.root)[..2], [0, 0], "nobody was authenticated");
}

#[test]
fn authentications_are_counted() {
    let mut office = Office::historical();
    let probe =
        office.root.make(0, &[("name", &["probe"]), ("_writers", &["alice"]), ("_writers_k", &["bob"])]);
    let id = office.root.at(probe);
    office.root.create_prop(id, "k", &["v"], 1).unwrap();
    let mut before = figures(&mut office.root);
    let mut difference = |office: &mut Office| {
        let now = figures(&mut office.root);
        let difference = [0, 1, 2, 3].map(|i| now[i] - before[i]);
        before = now;
        difference
    };
    let mut alice = office.user(501, "secret");
    let mut bob = office.user(502, "");
    let mut anonymous = Tree::anonymous(office.domain);
    let mut id = alice.at(probe);

    id = alice.write_prop(id, 0, &["probe"]).unwrap();
    assert_eq!(difference(&mut office), [1, 0, 1, 0]);
    // The list of the directory refuses, that of the property grants: one of each.
    id = bob.write_prop(id, 1, &["v"]).unwrap();
    assert_eq!(difference(&mut office), [1, 0, 1, 1]);
    assert_eq!(bob.write_prop(id, 0, &["v"]), Err(Status::Perm));
    assert_eq!(difference(&mut office), [1, 0, 0, 1]);
    assert_eq!(anonymous.write_prop(id, 1, &["v"]), Err(Status::Perm));
    assert_eq!(difference(&mut office), [0, 0, 0, 2]);
    assert_eq!(office.user(501, "x").write_prop(id, 0, &["v"]), Err(Status::AuthError));
    assert_eq!(office.user(999, "x").write_prop(id, 0, &["v"]), Err(Status::NoUser));
    assert_eq!(difference(&mut office), [0, 2, 0, 0]);
    // Errors found before the lists are asked count for authentication only.
    assert_eq!(alice.write_prop(id, 99, &["v"]), Err(Status::NoProp));
    assert_eq!(difference(&mut office), [1, 0, 0, 0]);
    // A directory without lists refuses in silence; so does a locked one.
    let users = office.users;
    let plain = alice.at(users);
    assert_eq!(alice.create_prop(plain, "x", &[], 0), Err(Status::Perm));
    assert_eq!(difference(&mut office), [1, 0, 0, 0]);
    office.root.make(0, &[("name", &["locked"]), ("_locked", &[]), ("_writers", &["*"])]);
    assert_eq!(difference(&mut office), [0, 0, 1, 0], "root's own write");
    let locked = office.root.lookup(0, "name", "locked").unwrap()[0];
    let locked = alice.at(locked);
    assert_eq!(alice.write(locked, &[]), Err(Status::RdOnly));
    assert_eq!(difference(&mut office), [1, 0, 0, 0]);
}

/// The `authentications` of STATISTICS: good, bad, write-good, write-bad.
fn figures(tree: &mut Tree) -> Vec<u64> {
    let list = decode_statistics(&tree.caller.netinfo(Procedure::Statistics, &[])).unwrap();
    let property = list.into_iter().find(|property| property.name == b"authentications").unwrap();
    property.values.iter().map(|value| std::str::from_utf8(value).unwrap().parse().unwrap()).collect()
}

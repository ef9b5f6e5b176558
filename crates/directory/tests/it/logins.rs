//! Logins where access rules govern: who one is then, how guessers are held back, what is stored anew.

use hmac::{Hmac, KeyInit, Mac};
use netinfo_directory::account::State;
use netinfo_directory::{
    ACCOUNT_ATTEMPTS, ACCOUNT_REFILL_MS, ADDRESS_ATTEMPTS, APPLICATION_PASSWORDS_LIMIT,
    ApplicationPasswordError, Change, Credentials, Error, Origin, Principal, Property, ROOT, Result, Session,
    Target,
    password::{Verdict, hash_new, scram, verify},
};
use sha2::{Digest, Sha256};

use crate::support::*;

/// `secret`, salted.
const SSHA: &str = "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0";

fn user(name: &str) -> Principal {
    Principal::User(name.as_bytes().into())
}

fn bind(f: &Fixture, object: u32, password: &[u8]) -> Result<Session> {
    f.domain.login(Credentials::Password { object, password }, far(), NOW)
}

fn passwd(f: &Fixture, object: u32) -> Vec<u8> {
    let properties = f.properties(object);
    properties.into_iter().find(|p| p.name == b"passwd").unwrap().values[0].clone()
}

/// A domain whose passwords stay as they are.
fn fixture() -> Fixture {
    let f = Fixture::new("network");
    f.add(ROOT, p("_upgrade_passwords", &["NO"]));
    f
}

#[test]
fn a_directory_with_a_password_logs_in() {
    let f = fixture();
    let alice = f.user("alice", "501", vec![p("passwd", &["*", SSHA])]);
    let session = bind(&f, alice, b"secret").unwrap();
    assert_eq!(session.principal(), &user("alice"));
    assert_eq!((session.object(), session.name()), (Some(alice), &b"alice"[..]));
    assert_eq!(session.address(), Some("198.51.100.7".parse().unwrap()));
    assert!(!session.sees_secrets() && !session.is_read_only() && !session.is_administrator());
    for wrong in [&b"Secret"[..], b"", b"secret\0", b"*", SSHA.as_bytes()] {
        refused!(bind(&f, alice, wrong), Error::Authentication);
    }
    refused!(bind(&f, 9_999, b"secret"), Error::NoUser);
    let nobody = Credentials::Nobody { name: b"cn=x", password: b"secret" };
    refused!(f.domain.login(nobody, far(), NOW), Error::NoUser);
    let without = f.user("bob", "502", vec![]);
    refused!(bind(&f, without, b""), Error::Authentication);
    let empty = f.user("carol", "503", vec![p("passwd", &[""])]);
    refused!(bind(&f, empty, b""), Error::Authentication);
    let by_uid = Credentials::UidPassword { uid: 501, password: b"secret" };
    assert_eq!(f.domain.login(by_uid, far(), NOW).unwrap().name(), b"alice");
}

#[test]
fn a_password_in_the_clear_and_disabled_accounts() {
    let f = fixture();
    let clear = f.user("a", "501", vec![p("passwd", &["plain honey"])]);
    assert!(bind(&f, clear, b"plain honey").is_ok());
    // That is so here only: over the NetInfo protocol such a value is no password.
    let over_rpc = Credentials::UidPassword { uid: 501, password: b"plain honey" };
    refused!(f.domain.authenticate(over_rpc, far()), Error::Authentication);
    for (n, (authorities, admitted)) in [
        (&[";basic;"][..], true),
        (&["1.0;ShadowHash;"], true),
        (&[], true),
        (&[";ApplePasswordServer;0x1"], false),
        (&[";basic;", ";DisabledUser;"], false),
        (&[";DisabledUser;;basic;"], false),
    ]
    .into_iter()
    .enumerate()
    {
        let authority = p("authentication_authority", authorities);
        let object = f.user(&format!("u{n}"), "600", vec![authority, p("passwd", &[SSHA])]);
        assert_eq!(bind(&f, object, b"secret").is_ok(), admitted, "{authorities:?}");
        let vouched = f.domain.login(Credentials::Vouched { object }, far(), NOW);
        assert_eq!(vouched.is_ok(), !authorities.concat().contains("Disabled"), "{authorities:?}");
    }
}

#[test]
fn only_directories_in_users_are_the_users_of_their_name() {
    let f = fixture();
    let users = f.path(&["users"]);
    let secret = || p("passwd", &[SSHA]);
    let elsewhere = f.path(&["apps"]);
    let app = f.create(elsewhere, vec![p("name", &["root"]), p("uid", &["0"]), secret()]);
    let session = bind(&f, app, b"secret").unwrap();
    assert_eq!(session.principal(), &user("/apps/root"));
    let branch = f.create(users, vec![p("_rdn", &["ou"]), p("ou", &["a/b"])]);
    let nested = f.create(branch, vec![p("name", &["root"]), secret()]);
    assert_eq!(bind(&f, nested, b"secret").unwrap().name(), b"/users/a\\/b/root");
    for (name, uid, superuser) in
        [("root", "5", true), ("toor", "00", true), ("toor2", " +0", true), ("eve", "0x0", false)]
    {
        let object = f.user(name, uid, vec![secret()]);
        let session = bind(&f, object, b"secret").unwrap();
        assert_eq!(session.is_superuser(), superuser, "{name}");
        assert_eq!(session.sees_secrets(), superuser, "{name}");
        assert_eq!(session.name(), name.as_bytes());
    }
    let groups = f.path(&["groups"]);
    f.create(groups, vec![p("name", &["admin"]), p("users", &["eve2"])]);
    let member = f.user("eve2", "700", vec![secret()]);
    assert!(!bind(&f, member, b"secret").unwrap().is_superuser());
    f.add(ROOT, p("promote_admins", &["YES"]));
    assert!(bind(&f, member, b"secret").unwrap().is_superuser());
}

#[test]
fn the_administrator_is_outside_the_tree() {
    let f = fixture();
    let login = |password: &[u8]| f.domain.login(Credentials::Administrator { password }, far(), NOW);
    refused!(login(b"secret"), Error::Authentication);
    f.add(ROOT, p("_admin_dn", &["cn=admin,dc=example,dc=com"]));
    f.add(ROOT, p("_admin_passwd", &[SSHA]));
    let session = login(b"secret").unwrap();
    assert!(session.is_superuser() && session.is_administrator() && session.sees_secrets());
    assert_eq!(session.name(), b"cn=admin,dc=example,dc=com");
    assert_eq!(session.object(), None);
    refused!(login(b"wrong"), Error::Authentication);
    // Its hash is a secret like any other.
    let seen = properties(&f.domain, &f.anonymous(), ROOT);
    assert!(seen.iter().any(|p| p.name == b"_admin_passwd" && p.values == [b"********"]), "{seen:?}");
}

#[test]
fn what_needs_no_password() {
    let f = Fixture::new("local");
    let alice = f.user("alice", "501", vec![]);
    let none = |origin| f.domain.login(Credentials::None, origin, NOW).unwrap();
    assert!(none(Origin::Local { uid: 0 }).is_superuser());
    assert!(none(Origin::Internal).is_superuser());
    assert_eq!(none(Origin::Local { uid: 501 }).object(), Some(alice));
    assert!(none(Origin::Local { uid: 777 }).is_anonymous());
    // A port number proves nothing here.
    assert!(none(from("127.0.0.1", true)).is_anonymous() && none(far()).is_anonymous());
    assert!(f.domain.anonymous(Origin::Local { uid: 0 }).is_anonymous());
    let vouched = f.domain.login(Credentials::Vouched { object: alice }, far(), NOW).unwrap();
    assert_eq!(vouched.principal(), &user("alice"));
    refused!(f.domain.login(Credentials::Vouched { object: 9_999 }, far(), NOW), Error::NoSuchDirectory);
    let g = Fixture::new("network");
    g.user("alice", "501", vec![]);
    assert!(g.domain.login(Credentials::None, Origin::Local { uid: 501 }, NOW).unwrap().is_anonymous());
}

#[test]
fn guessers_wait_and_right_passwords_do_not() {
    let f = fixture();
    let alice = f.user("alice", "501", vec![p("passwd", &[SSHA])]);
    let at = |password: &[u8], address: &str, now| {
        f.domain.login(Credentials::Password { object: alice, password }, from(address, false), now)
    };
    assert!(at(b"secret", "198.51.100.1", NOW).is_ok());
    for _ in 0..ACCOUNT_ATTEMPTS {
        refused!(at(b"wrong", "203.0.113.1", NOW), Error::Authentication);
    }
    refused!(at(b"secret", "203.0.113.2", NOW), Error::TooManyAttempts { whose: "for this account", .. });
    // Whoever logged in from there before goes on, as often as wanted.
    for _ in 0..30 {
        assert!(at(b"secret", "198.51.100.1", NOW).is_ok());
    }
    assert!(at(b"secret", "203.0.113.2", NOW + ACCOUNT_REFILL_MS).is_ok());
    // Names that belong to nobody are treated alike.
    let guess = |n: u64| {
        let name = n.to_be_bytes();
        f.domain.login(
            Credentials::Nobody { name: &name, password: &[b'x'; 600] },
            from("192.0.2.77", false),
            NOW,
        )
    };
    for n in 0..ADDRESS_ATTEMPTS {
        refused!(guess(n), Error::NoUser);
    }
    refused!(guess(1_000), Error::TooManyAttempts { whose: "from this address", .. });
}

#[test]
fn a_password_that_was_right_is_checked_in_microseconds_until_it_changes() {
    let f = fixture();
    let stored = hash_new(b"correct horse").unwrap();
    let alice = f.user("alice", "501", vec![p("passwd", &[&stored])]);
    assert!(bind(&f, alice, b"correct horse").is_ok());
    let start = std::time::Instant::now();
    for _ in 0..100 {
        assert!(bind(&f, alice, b"correct horse").is_ok());
    }
    let fast = start.elapsed() / 100;
    let start = std::time::Instant::now();
    assert_eq!(verify(stored.as_bytes(), b"correct horse"), Verdict::Match);
    assert!(fast < start.elapsed() / 4, "{fast:?}");
    let index = f.properties(alice).iter().position(|p| p.name == b"passwd").unwrap() as u32;
    let directory = Target::any(alice);
    for locked in [format!("!{stored}"), "*".into(), hash_new(b"another").unwrap()] {
        let values = vec![locked.into_bytes()];
        f.write(Change::WriteProperty { directory, index, values }).unwrap();
        refused!(bind(&f, alice, b"correct horse"), Error::Authentication);
    }
}

#[test]
fn what_is_remembered_logs_in_without_a_hash() {
    let f = fixture();
    let alice = f.user("alice", "501", vec![p("passwd", &[&hash_new(b"correct horse").unwrap()])]);
    let ask = |password: &[u8]| f.domain.login_remembered(alice, password, far(), NOW).unwrap();
    assert!(ask(b"correct horse").is_none(), "nobody has logged in");
    let long = bind(&f, alice, b"correct horse").unwrap();
    let short = ask(b"correct horse").unwrap();
    assert_eq!((short.principal(), short.object()), (long.principal(), long.object()));
    assert_eq!((short.address(), short.sees_secrets()), (long.address(), long.sees_secrets()));
    assert!(ask(b"wrong").is_none());
    assert!(f.domain.login_remembered(9_999, b"correct horse", far(), NOW).unwrap().is_none());
    // Neither a changed password nor a disabled account.
    f.add(alice, p("authentication_authority", &[";DisabledUser;"]));
    assert!(ask(b"correct horse").is_none());
    // Weak hashes are to be replaced, which takes the long way.
    let bob = f.user("bob", "502", vec![p("passwd", &[SSHA])]);
    assert!(bind(&f, bob, b"secret").is_ok());
    assert!(f.domain.login_remembered(bob, b"secret", far(), NOW).unwrap().is_none());
}

#[test]
fn weak_hashes_are_replaced_at_the_next_login() {
    let f = Fixture::new("network");
    let alice = f.user("alice", "501", vec![p("passwd", &["*", SSHA])]);
    let before = f.id(alice);
    let wait = || f.write(Change::Write { directory: Target::any(9_999), properties: vec![] });
    refused!(bind(&f, alice, b"wrong"), Error::Authentication);
    refused!(wait(), Error::NoSuchDirectory);
    assert_eq!(f.id(alice), before);
    assert!(bind(&f, alice, b"secret").is_ok());
    refused!(wait(), Error::NoSuchDirectory);
    let values = f.properties(alice).into_iter().find(|p| p.name == b"passwd").unwrap().values;
    assert_eq!(values[0], b"*");
    assert!(values[1].starts_with(b"$argon2id$"));
    assert_eq!(verify(&values[1], b"secret"), Verdict::Match);
    let after = f.id(alice);
    assert!(bind(&f, alice, b"secret").is_ok());
    refused!(wait(), Error::NoSuchDirectory);
    assert_eq!(f.id(alice), after, "what is strong stays");
    // Where clients read the hashes to check them by themselves, they keep what they understand.
    f.add(ROOT, p("passwd_networks", &["192.0.2"]));
    let bob = f.user("bob", "502", vec![p("passwd", &[SSHA])]);
    assert!(bind(&f, bob, b"secret").is_ok());
    refused!(wait(), Error::NoSuchDirectory);
    assert_eq!(passwd(&f, bob), SSHA.as_bytes());
    // Nor is anything changed for those who come over the NetInfo protocol.
    let g = Fixture::new("network");
    let carol = g.user("carol", "503", vec![p("passwd", &[SSHA])]);
    let by_uid = Credentials::UidPassword { uid: 503, password: b"secret" };
    assert!(g.domain.authenticate(by_uid, far()).is_ok());
    assert_eq!(passwd(&g, carol), SSHA.as_bytes());
}

#[test]
fn accounts_that_may_not_be_used_let_nobody_in() {
    let f = fixture();
    let cases: [(_, &[&str]); 3] = [
        ("authentication_authority", &[";basic;", ";DisabledUser;"]),
        ("expire", &["1"]),
        ("passwd", &["!"]),
    ];
    for (uid, (property, values)) in (600..).zip(cases) {
        let mut properties = vec![p(property, values)];
        match property {
            "passwd" => properties[0].values.push(SSHA.into()),
            _ => properties.push(p("passwd", &[SSHA])),
        }
        let object = f.user(&format!("user{uid}"), &uid.to_string(), properties);
        refused!(bind(&f, object, b"wrong"), Error::Authentication);
        match property {
            // Where another program keeps the password, nobody here knows that it is right.
            "authentication_authority" => refused!(bind(&f, object, b"secret"), Error::Authentication),
            "expire" => refused!(bind(&f, object, b"secret"), Error::AccountExpired),
            _ => refused!(bind(&f, object, b"secret"), Error::AccountDisabled),
        }
        let vouched = f.domain.login(Credentials::Vouched { object }, far(), NOW);
        assert!(matches!(vouched, Err(Error::AccountDisabled | Error::AccountExpired)), "{property}");
        let credentials = Credentials::UidPassword { uid, password: b"secret" };
        assert!(f.domain.authenticate_at(credentials, far(), NOW).is_err(), "{property}");
    }
}

#[test]
fn who_has_to_change_the_password_can_do_nothing_else() {
    let f = fixture();
    f.add(ROOT, p("promote_admins", &["YES"]));
    let groups = f.create(ROOT, vec![p("name", &["groups"])]);
    f.create(groups, vec![p("name", &["admin"]), p("users", &["alice"])]);
    let own = |more: Vec<Property>| [vec![p("passwd", &[SSHA])], more].concat();
    let alice = f.user("alice", "501", own(vec![p("shadowLastChange", &["0"])]));
    let bob = f.user("bob", "502", own(vec![p("change", &["1"])]));
    let carol = f.user("carol", "503", own(vec![]));
    for (object, state) in [(alice, State::Reset), (bob, State::PasswordExpired)] {
        let session = bind(&f, object, b"secret").unwrap();
        assert_eq!(session.condition().state, state);
        assert!(!session.is_superuser(), "not before the password is changed");
        let view = f.domain.read(&session).unwrap();
        let access = f.domain.access(&view, &session).unwrap();
        assert!(!access.reads_everything());
        let own = access.object(object).unwrap();
        assert!(own.visible() && own.writes(b"passwd"));
        assert!(!own.reads_all() && !own.reads(b"uid") && !own.searches(b"name") && !own.writes(b"shell"));
        let other = access.object(carol).unwrap();
        assert!(!other.visible() && !other.writes(b"passwd") && !other.compares(b"uid"));
        drop(access);
        drop(view);
        let index = f.properties(object).iter().position(|p| p.name == b"passwd").unwrap() as u32;
        let write = |directory: u32, index| Change::WriteProperty {
            directory: Target::any(directory),
            index,
            values: vec![b"$6$x$y".to_vec()],
        };
        refused!(f.domain.write_blocking(&session, vec![write(object, index + 1)], NOW), Error::Permission);
        f.domain.write_blocking(&session, vec![write(object, index)], NOW).unwrap();
    }
    let session = bind(&f, carol, b"secret").unwrap();
    assert_eq!(session.condition(), State::Usable.into());
}

#[test]
fn a_record_says_when_its_password_was_changed() {
    let f = fixture();
    let today = (NOW / 86_400_000).to_string();
    let more = [p("_writers_passwd", &["alice"]), p("shadowLastChange", &["1"]), p("change", &["1"])];
    let alice = f.user("alice", "501", [vec![p("passwd", &[SSHA])], more.to_vec()].concat());
    let of = |name: &str| f.properties(alice).into_iter().find(|p| p.name == name.as_bytes()).unwrap().values;
    let index =
        |name: &str| f.properties(alice).iter().position(|p| p.name == name.as_bytes()).unwrap() as u32;
    let set = |name: &str, value: &str| Change::WriteProperty {
        directory: Target::any(alice),
        index: index(name),
        values: vec![value.into()],
    };
    let by_uid = Credentials::UidPassword { uid: 501, password: b"secret" };
    let session = f.domain.authenticate(by_uid, far()).unwrap();
    // Whoever writes something else, or may not write the date, has no say in it.
    refused!(f.write_as(&session, set("shadowLastChange", "9")), Error::Permission);
    let outcomes = f.domain.write_blocking(&session, vec![set("passwd", SSHA)], NOW).unwrap();
    assert_eq!((of("shadowLastChange"), of("change")), (vec![b"1".to_vec()], vec![b"1".to_vec()]));
    assert_eq!(outcomes[0].id, f.id(alice), "the same password is no new one");
    let outcomes = f.domain.write_blocking(&session, vec![set("passwd", "$6$a$b")], NOW).unwrap();
    assert_eq!(of("shadowLastChange"), [today.clone().into_bytes()]);
    assert_eq!(of("change"), [b"0"]);
    assert_eq!(outcomes[0].id, f.id(alice), "what the writer goes on with");
    // Who says so at the same time is believed.
    let root = f.domain.authenticate(Credentials::None, Origin::Local { uid: 0 }).unwrap();
    let mut properties = f.properties(alice);
    for property in &mut properties {
        match &property.name[..] {
            b"passwd" => property.values = vec![b"$6$c$d".to_vec()],
            b"shadowLastChange" => property.values = vec![b"0".to_vec()],
            _ => {}
        }
    }
    f.domain
        .write_blocking(&root, vec![Change::Write { directory: Target::any(alice), properties }], NOW)
        .unwrap();
    assert_eq!(of("shadowLastChange"), [b"0"]);
    // What a master tells its clone is all there is to write.
    let update = f.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    f.domain.write_blocking(&update, vec![set("passwd", "$6$e$f")], NOW).unwrap();
    assert_eq!(of("shadowLastChange"), [b"0"]);
    let bob = f.user("bob", "502", vec![p("passwd", &[SSHA])]);
    let index = f.properties(bob).iter().position(|p| p.name == b"passwd").unwrap() as u32;
    let change =
        Change::WriteProperty { directory: Target::any(bob), index, values: vec![b"$6$g$h".to_vec()] };
    let before = f.properties(bob).len();
    f.domain.write_blocking(&root, vec![change], NOW).unwrap();
    assert_eq!(f.properties(bob).len(), before, "a record without dates gets none");
}

#[test]
fn application_passwords_read_and_nothing_else() {
    let f = fixture();
    let root = f.user("root", "0", vec![p("passwd", &[SSHA])]);
    let alice = f.user("alice", "501", vec![p("passwd", &[SSHA]), p("_writers", &["alice"])]);
    let session = bind(&f, alice, b"secret").unwrap();
    let add = |label: &str| f.domain.add_application_password(&session, alice, label, NOW);
    let (mail, changes) = add("mail").unwrap();
    f.domain.write_blocking(&session, changes, NOW).unwrap();
    let (chat, changes) = add("chat").unwrap();
    f.domain.write_blocking(&session, changes, NOW).unwrap();
    assert!(matches!(add("chat"), Err(ApplicationPasswordError::Exists(_))));
    assert!(matches!(add("a;b"), Err(ApplicationPasswordError::Label)));

    let app = bind(&f, alice, mail.as_bytes()).unwrap();
    assert!(app.is_read_only() && app.application() == Some(b"mail") && app.name() == b"alice");
    let rename = |name: &str| Change::CreateProperty {
        directory: Target::any(alice),
        property: p(name, &["x"]),
        position: END,
    };
    refused!(f.write_as(&app, rename("shell")), Error::Permission);
    refused!(f.write_as(&app, rename("phonenumber")), Error::Permission);
    assert!(matches!(
        f.domain.add_application_password(&app, alice, "more", NOW),
        Err(ApplicationPasswordError::Core(Error::Permission))
    ));
    assert!(f.write_as(&session, rename("shell")).is_ok());

    let told = f.domain.application_passwords(&session, alice).unwrap();
    assert_eq!(
        told.iter().map(|p| (p.label.as_str(), p.created)).collect::<Vec<_>>(),
        [("mail", NOW), ("chat", NOW)]
    );
    assert!(f.domain.application_passwords(&f.domain.anonymous(far()), alice).is_err());
    let changes = f.domain.revoke_application_password(&session, alice, "mail").unwrap();
    f.domain.write_blocking(&session, changes, NOW).unwrap();
    refused!(bind(&f, alice, mail.as_bytes()), Error::Authentication);
    assert!(bind(&f, alice, chat.as_bytes()).is_ok());
    assert!(matches!(
        f.domain.revoke_application_password(&session, alice, "mail"),
        Err(ApplicationPasswordError::NoSuch(_))
    ));

    // The superuser's are no superusers.
    let (secret, changes) = f.domain.add_application_password(&f.root, root, "script", NOW).unwrap();
    f.domain.write_blocking(&f.root, changes, NOW).unwrap();
    let app = bind(&f, root, secret.as_bytes()).unwrap();
    assert!(!app.is_superuser() && !app.sees_secrets() && app.name() == b"root");
    refused!(f.write_as(&app, rename("home")), Error::Permission);
}

#[test]
fn application_passwords_are_limited() {
    let f = fixture();
    let value = |n: usize| format!("l{n};1;read;{SSHA}");
    let mut values: Vec<String> = (0..APPLICATION_PASSWORDS_LIMIT).map(value).collect();
    values[0] = format!("w;1;write;{SSHA}");
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let alice = f.user("alice", "501", vec![p("_app_passwords", &values)]);
    assert!(matches!(
        f.domain.add_application_password(&f.root, alice, "more", NOW),
        Err(ApplicationPasswordError::TooMany)
    ));
    assert_eq!(
        bind(&f, alice, b"secret").unwrap().application(),
        Some(&b"l1"[..]),
        "other scopes are not accepted"
    );
}

#[test]
fn a_refusal_takes_its_time_whatever_the_reason() {
    let f = fixture();
    let strong = f.user("a", "501", vec![p("passwd", &[&hash_new(b"right").unwrap()])]);
    let weak = f.user("b", "502", vec![p("passwd", &[SSHA])]);
    let locked = f.user("c", "503", vec![p("passwd", &["*"])]);
    let password = &b"wrong"[..];
    let time = |credentials| {
        // The shortest of some tries: others may want the processor, too.
        let tries = (0..5).map(|n| {
            let start = std::time::Instant::now();
            let origin = Origin::Local { uid: 7 };
            assert!(f.domain.login(credentials, origin, NOW + n * 1_000_000).is_err());
            start.elapsed()
        });
        tries.min().unwrap()
    };
    let usual = time(Credentials::Password { object: strong, password });
    for other in [
        Credentials::Password { object: weak, password },
        Credentials::Password { object: locked, password },
        Credentials::Password { object: 9_999, password },
        Credentials::Nobody { name: b"cn=nobody", password },
        Credentials::Administrator { password },
    ] {
        let taken = time(other);
        assert!(taken > usual / 3 && taken < usual * 3, "{other:?}: {taken:?}, usually {usual:?}");
    }
}

#[test]
fn clones_check_passwords_and_change_nothing() {
    let f = Fixture::new("network");
    let alice = f.user("alice", "501", vec![p("passwd", &[SSHA])]);
    let index = f.properties(ROOT).iter().position(|p| p.name == b"master").unwrap() as u32;
    let values = vec![b"elsewhere/network".to_vec()];
    f.write(Change::WriteProperty { directory: Target::any(ROOT), index, values }).unwrap();
    let f = f.reopen(|_| {});
    assert!(matches!(f.domain.role(), netinfo_directory::Role::Clone { .. }));
    let before = f.id(alice);
    let session = bind(&f, alice, b"secret").unwrap();
    assert_eq!(session.principal(), &user("alice"));
    refused!(bind(&f, alice, b"wrong"), Error::Authentication);
    refused!(f.domain.write_blocking(&session, vec![], NOW), Error::ReadOnly);
    assert_eq!((f.id(alice), passwd(&f, alice)), (before, SSHA.as_bytes().to_vec()));
}

/// The proof of a client that knows a password, as RFC 5802 §3 makes it.
fn proof(password: &[u8], keys: &scram::Keys, messages: &[u8]) -> Vec<u8> {
    let mac = |key: &[u8], data: &[u8]| -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(data);
        mac.finalize().into_bytes().into()
    };
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password, keys.salt(), keys.rounds(), &mut salted);
    let client = mac(&salted, b"Client Key");
    let signature = mac(&Sha256::digest(client), messages);
    client.iter().zip(signature).map(|(a, b)| a ^ b).collect()
}

#[test]
fn a_password_is_proved_without_being_told() {
    let f = fixture();
    let stored = "{PBKDF2-SHA256}1000$AAECAwQFBgcICQoLDA0ODw$E/oTUMTKEkmH8/eGcXW1MLzGKqMRuVlyzAyiwSqtcOI";
    let clear = f.user("alice", "501", vec![p("passwd", &["{SSHA}x", "plain honey"])]);
    let locked = f.user(
        "bob",
        "502",
        vec![p("passwd", &["plain honey"]), p("authentication_authority", &[";DisabledUser;"])],
    );
    let other = f.user("carol", "503", vec![p("passwd", &[SSHA])]);
    let hashed = f.user("dave", "504", vec![p("passwd", &[stored])]);
    let keys = |object| f.domain.scram_keys(Some(object), b"x").unwrap();
    let login = |object: u32, keys: &scram::Keys, proof: &[u8]| {
        let (object, name, messages) = (Some(object), &b"x"[..], &b"messages"[..]);
        f.domain.login(Credentials::Scram { object, name, keys, messages, proof }, far(), NOW)
    };
    let known = keys(clear);
    let session = login(clear, &known, &proof(b"plain honey", &known, b"messages")).unwrap();
    assert_eq!((session.principal(), session.object()), (&user("alice"), Some(clear)));
    refused!(login(clear, &known, &proof(b"other honey", &known, b"messages")), Error::Authentication);
    refused!(login(clear, &known, &proof(b"plain honey", &known, b"others")), Error::Authentication);
    // Keys are those of one account, and only of passwords that allow it.
    refused!(login(other, &known, &proof(b"plain honey", &known, b"messages")), Error::Authentication);
    for object in [locked, other] {
        let none = keys(object);
        assert_eq!(none, keys(object));
        for password in [&b"plain honey"[..], b"secret"] {
            refused!(login(object, &none, &proof(password, &none, b"messages")), Error::Authentication);
        }
    }
    assert_eq!((keys(hashed).rounds(), keys(hashed).salt()), (1000, &(0..16).collect::<Vec<u8>>()[..]));
    // A password that is changed during the exchange is of no more use.
    let id = f.id(clear);
    let index = f.properties(clear).iter().position(|p| p.name == b"passwd").unwrap() as u32;
    f.write(Change::WriteProperty { directory: id.into(), index, values: vec![b"new honey".to_vec()] })
        .unwrap();
    refused!(login(clear, &known, &proof(b"plain honey", &known, b"messages")), Error::Authentication);
}

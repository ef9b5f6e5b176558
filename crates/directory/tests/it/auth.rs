//! Who a caller is: the host's superuser, the kernel's word, a uid with a password.

use netinfo_directory::{
    ACCOUNT_ATTEMPTS, Credentials, Error, Origin, Principal, Property, ROOT, Result, Session,
};

use crate::support::*;

/// `password` by DES crypt(3), and a phrase by SHA-512 crypt.
const DES: &str = "xOAFZqRz5RduI";
const PHRASE: &[u8] = b"correct horse battery";
const SHA512: &str =
    "$6$openssl6$sNQKX0oUvEWHPS2ntcFvvMd0lPN/rgGoVSXLZWkxqgvQABR9xLxP9EPmlPqU37nhcMb6G8gIYpySfhs.3b.fH0";

fn login_from(f: &Fixture, origin: Origin, uid: i32, password: &[u8]) -> Result<Session> {
    f.domain.authenticate(Credentials::UidPassword { uid, password }, origin)
}

fn login(f: &Fixture, uid: i32, password: &[u8]) -> Result<Session> {
    login_from(f, far(), uid, password)
}

fn user(name: &str) -> Principal {
    Principal::User(name.as_bytes().into())
}

/// (good, bad) passwords counted while `work` runs.
fn counted(f: &Fixture, work: impl FnOnce()) -> (u64, u64) {
    let before = f.domain.authentication_figures();
    work();
    let after = f.domain.authentication_figures();
    (after.good - before.good, after.bad - before.bad)
}

#[test]
fn a_privileged_port_of_this_host_is_root_whatever_it_presents() {
    let f = Fixture::new("network");
    f.user("alice", "501", vec![p("passwd", &[DES])]);
    let as_alice = |password| Credentials::UidPassword { uid: 501, password };
    let counts = counted(&f, || {
        for origin in [from("127.0.0.1", true), from("::1", true), from("192.0.2.1", true)] {
            for credentials in [Credentials::None, as_alice(&b"password"[..]), as_alice(b"wrong")] {
                let session = f.domain.authenticate(credentials, origin).unwrap();
                assert!(session.is_superuser() && session.sees_secrets());
                assert_eq!(session.name(), b"root");
            }
        }
        let local = f.domain.authenticate(Credentials::None, Origin::Local { uid: 0 }).unwrap();
        assert!(local.is_superuser());
    });
    assert_eq!(counts, (0, 0));
    // Neither a privileged port elsewhere nor this host alone is enough.
    for origin in [from("198.51.100.7", true), from("127.0.0.1", false), from("192.0.2.1", false)] {
        let session = f.domain.authenticate(Credentials::None, origin).unwrap();
        assert_eq!(session.principal(), &Principal::Anonymous);
        assert!(!session.sees_secrets());
        refused!(login_from(&f, origin, 501, b"wrong"), Error::Authentication);
    }
}

#[test]
fn the_kernel_vouches_for_users_of_the_domain_local_only() {
    let f = Fixture::new("local");
    f.user("alice", "501", vec![p("passwd", &[DES])]);
    let users = f.path(&["users"]);
    f.create(users, vec![p("uid", &["502"])]);
    assert_eq!(f.local(501).principal(), &user("alice"));
    assert!(!f.local(501).sees_secrets());
    assert_eq!(f.local(502).principal(), &Principal::Anonymous, "a record without a name");
    assert_eq!(f.local(777).principal(), &Principal::Anonymous);
    let g = Fixture::new("network");
    g.user("alice", "501", vec![]);
    let session = g.domain.authenticate(Credentials::None, Origin::Local { uid: 501 }).unwrap();
    assert_eq!(
        session.principal(),
        &Principal::Anonymous,
        "a uid of this machine means nothing to a network"
    );
}

#[test]
fn passwords_by_two_schemes() {
    let f = Fixture::new("network");
    refused!(login(&f, 501, b"password"), Error::NoUser);
    f.path(&["users"]);
    refused!(login(&f, 501, b"password"), Error::NoUser);
    f.user("alice", "501", vec![p("passwd", &[DES, SHA512])]);
    f.user("bob", "502", vec![p("passwd", &[SHA512])]);
    let counts = counted(&f, || {
        assert_eq!(login(&f, 501, b"password").unwrap().principal(), &user("alice"));
        assert_eq!(login(&f, 502, PHRASE).unwrap().principal(), &user("bob"));
    });
    assert_eq!(counts, (2, 0));
    let counts = counted(&f, || {
        refused!(login(&f, 501, b"Password"), Error::Authentication);
        refused!(login(&f, 501, b""), Error::Authentication);
        // Only the first value counts, and a stored hash is no password.
        refused!(login(&f, 501, PHRASE), Error::Authentication);
        refused!(login(&f, 501, DES.as_bytes()), Error::Authentication);
        refused!(login(&f, 503, b"password"), Error::NoUser);
    });
    assert_eq!(counts, (0, 5));
    assert!(!login(&f, 501, b"password").unwrap().sees_secrets());
}

#[test]
fn the_first_user_whose_password_fits_is_meant() {
    let f = Fixture::new("network");
    f.user("alice", "501", vec![p("passwd", &[SHA512])]);
    let users = f.path(&["users"]);
    f.create(users, vec![p("name", &["twin"]), p("uid", &["777", "501"]), p("passwd", &[DES])]);
    f.create(users, vec![p("name", &["later"]), p("uid", &["501"]), p("passwd", &[DES])]);
    assert_eq!(login(&f, 501, PHRASE).unwrap().principal(), &user("alice"));
    assert_eq!(login(&f, 501, b"password").unwrap().principal(), &user("twin"));
    assert_eq!(login(&f, 777, b"password").unwrap().principal(), &user("twin"));
    refused!(login(&f, 501, b"no"), Error::Authentication);
    // The order is that of the children, not that of the ids.
    let first = netinfo_directory::Change::Create {
        parent: netinfo_directory::Target::any(users),
        properties: vec![p("name", &["first"]), p("uid", &["501"]), p("passwd", &[DES])],
        position: 0,
    };
    f.write(first).unwrap();
    assert_eq!(login(&f, 501, b"password").unwrap().principal(), &user("first"));
}

#[test]
fn a_matching_record_without_a_name_is_no_user() {
    let f = Fixture::new("network");
    let users = f.path(&["users"]);
    f.create(users, vec![p("uid", &["501"]), p("passwd", &[DES])]);
    f.create(users, vec![p("uid", &["502"]), p("passwd", &[DES]), p("name", &[])]);
    refused!(login(&f, 501, b"password"), Error::NoUser);
    refused!(login(&f, 502, b"password"), Error::NoUser);
    refused!(login(&f, 501, b"wrong"), Error::Authentication);
}

#[test]
fn the_uid_is_text_signed_and_exact() {
    let f = Fixture::new("network");
    f.user("nobody", "-2", vec![p("passwd", &[DES])]);
    f.user("padded", "0501", vec![p("passwd", &[DES])]);
    assert_eq!(login(&f, -2, b"password").unwrap().principal(), &user("nobody"));
    refused!(login(&f, 501, b"password"), Error::NoUser);
}

#[test]
fn root_is_uid_0_or_a_name() {
    let f = Fixture::new("network");
    f.user("toor", "0", vec![p("passwd", &[DES])]);
    f.user("root", "900", vec![p("passwd", &[DES])]);
    assert!(login(&f, 0, b"password").unwrap().is_superuser());
    assert!(login(&f, 900, b"password").unwrap().is_superuser());
    refused!(login(&f, 0, b"wrong"), Error::Authentication);
}

#[test]
fn the_authentication_authority_names_who_checks() {
    let f = Fixture::new("network");
    let mut uid = 600;
    let mut try_authority = |values: &[&str]| {
        uid += 1;
        let authority = p("authentication_authority", values);
        f.user("u", &uid.to_string(), vec![authority, p("passwd", &[DES])]);
        login(&f, uid, b"password")
    };
    assert!(try_authority(&[";basic;"]).is_ok());
    assert!(try_authority(&["1.0;basic;"]).is_ok());
    assert!(try_authority(&[";basicallyanything"]).is_ok());
    assert!(try_authority(&[]).is_ok(), "no value is as no property");
    for other in [";ShadowHash;", ";ApplePasswordServer;0x1,1 2:10.0.0.1", ";Basic;", "basic", "", ";;basic"]
    {
        refused!(try_authority(&[other]), Error::Authentication);
    }
    refused!(try_authority(&[";ShadowHash;", ";basic;"]), Error::Authentication);
    assert!(try_authority(&[";basic;", ";ShadowHash;"]).is_ok());
}

#[test]
fn an_empty_password_opens_from_this_host_only() {
    let here = [from("127.0.0.1", false), from("192.0.2.1", false), Origin::Local { uid: 5 }];
    let empty: [Vec<Property>; 2] = [vec![p("passwd", &[])], vec![p("passwd", &["", DES])]];
    for historical in [false, true] {
        let f = Fixture::with("network", |o| o.historical = historical);
        f.user("none", "500", vec![]);
        for (uid, passwd) in [501, 502].into_iter().zip(empty.clone()) {
            f.user("guest", &uid.to_string(), passwd);
            for origin in here {
                assert_eq!(login_from(&f, origin, uid, b"anything").unwrap().principal(), &user("guest"));
            }
            match historical {
                true => assert_eq!(login(&f, uid, b"").unwrap().principal(), &user("guest")),
                false => refused!(login(&f, uid, b""), Error::Authentication),
            }
        }
        // Without a property `passwd` there is no way in.
        for origin in here {
            refused!(login_from(&f, origin, 500, b""), Error::Authentication);
        }
    }
}

#[test]
fn members_of_admin_are_promoted_where_the_domain_says_so() {
    for (historical, default) in [(false, false), (true, true)] {
        let f = Fixture::with("local", |o| o.historical = historical);
        f.user("alice", "501", vec![p("passwd", &[DES])]);
        f.user("bob", "502", vec![p("passwd", &[DES])]);
        let superuser = |uid| login(&f, uid, b"password").unwrap().is_superuser();
        assert!(!superuser(501));
        let admin = f.path(&["groups", "admin"]);
        f.add(admin, p("users", &["root", "alice"]));
        f.add(admin, p("users", &["bob"]));
        assert_eq!(superuser(501), default);
        assert_eq!(f.local(501).is_superuser(), default);
        f.add(ROOT, p("promote_admins", &["YES"]));
        assert!(superuser(501) && f.local(501).is_superuser());
        assert!(!superuser(502), "only the first property of a name counts");
        let set = |values: &[&str]| {
            let directory = netinfo_directory::Target::any(ROOT);
            let values = values.iter().map(|v| v.as_bytes().to_vec()).collect();
            f.write(netinfo_directory::Change::WriteProperty { directory, index: 1, values }).unwrap();
        };
        for (value, expected) in
            [("no", false), ("0", false), ("N", false), ("1", true), ("y", true), ("nO", default)]
        {
            set(&[value]);
            assert_eq!(superuser(501), expected, "{value}");
        }
        set(&[]);
        assert_eq!(superuser(501), default);
    }
}

#[test]
fn networks_that_check_passwords_themselves_may_see_hashes() {
    let f = Fixture::new("network");
    let sees = |address: &str| {
        f.domain.authenticate(Credentials::None, from(address, false)).unwrap().sees_secrets()
    };
    assert!(!sees("198.51.100.7") && !sees("127.0.0.1"));
    f.add(ROOT, p("passwd_networks", &["198.51.100", "lab"]));
    assert!(sees("198.51.100.7") && sees("::ffff:198.51.100.99"));
    assert!(!sees("198.51.101.7") && !sees("10.1.2.3"));
    let lab = f.path(&["networks", "lab"]);
    f.add(lab, p("address", &["10.1"]));
    assert!(sees("10.1.2.3") && !sees("10.2.2.3"));
    // To see hashes is not to be anybody.
    let session = f.domain.authenticate(Credentials::None, far()).unwrap();
    assert_eq!(session.principal(), &Principal::Anonymous);
    // The historical server showed them to everybody.
    let h = Fixture::with("network", |o| o.historical = true);
    assert!(h.anonymous().sees_secrets() && !h.anonymous().is_superuser());
}

#[test]
fn a_password_is_never_in_a_debug_text() {
    let text = format!("{:?}", Credentials::UidPassword { uid: 501, password: b"opensesame" });
    assert!(text.contains("501") && !text.contains("opensesame"), "{text}");
    let bytes = format!("{:?}", b"opensesame");
    assert!(!text.contains(&bytes));
}

#[test]
fn guessers_are_held_back_where_the_time_is_known() {
    let mut f = Fixture::new("network");
    f.user("alice", "501", vec![p("passwd", &[DES])]);
    let try_once = |f: &Fixture, password: &[u8], at| {
        f.domain.authenticate_at(Credentials::UidPassword { uid: 501, password }, far(), at)
    };
    for _ in 0..ACCOUNT_ATTEMPTS {
        assert!(try_once(&f, b"password", NOW).is_ok());
        refused!(login(&f, 501, b"wrong"), Error::Authentication);
    }
    let other = from("203.0.113.9", false);
    let strange =
        |password| f.domain.authenticate_at(Credentials::UidPassword { uid: 501, password }, other, NOW);
    for _ in 0..ACCOUNT_ATTEMPTS {
        refused!(strange(b"wrong"), Error::Authentication);
    }
    refused!(strange(b"password"), Error::TooManyAttempts { .. });
    assert!(try_once(&f, b"password", NOW).is_ok(), "who was here before goes on");
    // What was remembered is of no use once the password has changed.
    let alice = f.path(&["users", "alice"]);
    let directory = netinfo_directory::Target::any(alice);
    let values = vec![b"*".to_vec()];
    f.write(netinfo_directory::Change::WriteProperty { directory, index: 2, values }).unwrap();
    refused!(try_once(&f, b"password", NOW), Error::Authentication);
    // The historical server knew no limit.
    f = Fixture::with("network", |options| options.historical = true);
    f.user("alice", "501", vec![p("passwd", &[DES])]);
    for _ in 0..3 * ACCOUNT_ATTEMPTS {
        refused!(try_once(&f, b"wrong", NOW), Error::Authentication);
    }
    assert!(try_once(&f, b"password", NOW).is_ok());
}

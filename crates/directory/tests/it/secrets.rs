//! Password material: masked, kept when a mask comes back, never indexed, never shown by accident.

use netinfo_directory::{
    Change, Committed, Credentials, Error, MASK, Property, ROOT, SECRET_PROPERTIES, Session, Target,
    is_secret,
};

use crate::support::*;

const HASH: &str = "xOAFZqRz5RduI";

/// A domain where anybody may change the user `alice`, a session far away, and one from a network that may see hashes.
struct Scene {
    f: Fixture,
    user: u32,
    far: Session,
    entitled: Session,
}

fn scene() -> Scene {
    let f = Fixture::new("network");
    f.add(ROOT, p("passwd_networks", &["203.0.113"]));
    let lists = vec![p("passwd", &[HASH, "second"]), p("net_passwd", &["n"]), p("_writers", &["*"])];
    let user = f.user("alice", "501", lists);
    let entitled = f.domain.authenticate(Credentials::None, from("203.0.113.9", false)).unwrap();
    assert!(entitled.sees_secrets() && !entitled.is_superuser());
    Scene { far: f.anonymous(), f, user, entitled }
}

fn stored(s: &Scene) -> Vec<Property> {
    s.f.properties(s.user)
}

fn mask() -> Vec<u8> {
    MASK.to_vec()
}

#[test]
fn only_the_entitled_see_hashes() {
    let s = scene();
    let masked = "********";
    let expected = [
        p("name", &["alice"]),
        p("uid", &["501"]),
        p("passwd", &[masked, masked]),
        p("net_passwd", &[masked]),
        p("_writers", &["*"]),
    ];
    assert_eq!(properties(&s.f.domain, &s.far, s.user), expected);
    let shown = properties(&s.f.domain, &s.entitled, s.user);
    assert_eq!(shown[2..4], [p("passwd", &[HASH, "second"]), p("net_passwd", &["n"])]);
    let view = s.f.domain.read(&s.far).unwrap();
    let record = view.record(s.user).unwrap();
    let flags: Vec<bool> = record.properties().map(|p| p.secret).collect();
    assert_eq!(flags, [false, false, true, true, false]);
    assert_eq!(record.first_value(b"passwd"), Some(MASK));
    // Everybody sees them where the domain is historical to the letter.
    drop(view);
    let historical = s.f.reopen(|o| o.historical = true);
    assert_eq!(
        properties(&historical.domain, &historical.anonymous(), s.user)[2],
        p("passwd", &[HASH, "second"])
    );
}

#[test]
fn every_secret_name_is_secret_wherever_it_stands() {
    let f = Fixture::new("network");
    for name in SECRET_PROPERTIES {
        let name = std::str::from_utf8(name).unwrap();
        let d = f.create(ROOT, vec![p(name, &["s"]), p(name, &["t", "u"]), p("Passwd", &["plain"])]);
        let seen = properties(&f.domain, &f.anonymous(), d);
        let masks = [p(name, &["********"]), p(name, &["********", "********"]), p("Passwd", &["plain"])];
        assert_eq!(seen, masks);
        assert_eq!(f.properties(d), [p(name, &["s"]), p(name, &["t", "u"]), p("Passwd", &["plain"])]);
    }
    assert!(is_secret(b"passwd") && !is_secret(b"passwd2") && !is_secret(b"_writers_passwd"));
    assert_clean(&f.domain);
}

#[test]
fn a_mask_written_back_keeps_the_stored_value() {
    let s = scene();
    let directory = Target::any(s.user);
    let secrets = [p("passwd", &[HASH, "second"]), p("net_passwd", &["n"])];
    let mut everything = properties(&s.f.domain, &s.far, s.user);
    everything[0] = p("name", &["alicia"]);
    for session in [&s.far, &s.entitled, &s.f.root] {
        s.f.write_as(session, Change::Write { directory, properties: everything.clone() }).unwrap();
        let values = vec![mask(), mask()];
        s.f.write_as(session, Change::WriteProperty { directory, index: 2, values }).unwrap();
        let write = Change::WriteValue { directory, index: 2, value_index: 1, value: mask() };
        s.f.write_as(session, write).unwrap();
        assert_eq!(stored(&s)[2..4], secrets);
    }
    assert_eq!(stored(&s)[0], p("name", &["alicia"]));
    // Next to a new value, and where the old list was shorter.
    let values = vec![mask(), b"new".to_vec(), mask()];
    s.f.write_as(&s.far, Change::WriteProperty { directory, index: 2, values }).unwrap();
    assert_eq!(stored(&s)[2], p("passwd", &[HASH, "new", "********"]));
    // Properties of one name are told apart by their order, wherever they move.
    s.f.add(s.user, p("passwd", &["other"]));
    let moved = vec![p("net_passwd", &["********"]), p("passwd", &["********"]), p("passwd", &["********"])];
    s.f.write_as(
        &s.far,
        Change::Write { directory, properties: [moved, vec![p("_writers", &["*"])]].concat() },
    )
    .unwrap();
    assert_eq!(stored(&s)[..3], [p("net_passwd", &["n"]), p("passwd", &[HASH]), p("passwd", &["other"])]);
    // Elsewhere the text is a value like any other.
    s.f.add(s.user, p("note", &["********"]));
    assert_eq!(stored(&s)[4], p("note", &["********"]));
    assert_clean(&s.f.domain);
}

#[test]
fn a_historical_domain_has_no_masks() {
    let f = Fixture::with("network", |o| o.historical = true);
    let d = f.create(ROOT, vec![p("passwd", &[HASH])]);
    let directory = Target::any(d);
    f.write(Change::WriteProperty { directory, index: 0, values: vec![mask()] }).unwrap();
    assert_eq!(f.properties(d), [p("passwd", &["********"])]);
}

#[test]
fn a_secret_cannot_be_renamed_into_the_open() {
    let s = scene();
    let directory = Target::any(s.user);
    let rename = |index, name: &str| Change::RenameProperty { directory, index, name: name.into() };
    refused!(s.f.write_as(&s.far, rename(2, "note")), Error::Permission);
    refused!(s.f.write_as(&s.far, rename(3, "Passwd")), Error::Permission);
    assert_eq!(stored(&s)[2], p("passwd", &[HASH, "second"]));
    s.f.write_as(&s.far, rename(2, "_shadow_passwd")).unwrap();
    assert_eq!(stored(&s)[2], p("_shadow_passwd", &[HASH, "second"]));
    assert_eq!(properties(&s.f.domain, &s.far, s.user)[2], p("_shadow_passwd", &["********", "********"]));
    s.f.write_as(&s.entitled, rename(2, "note")).unwrap();
    assert_eq!(properties(&s.f.domain, &s.far, s.user)[2], p("note", &[HASH, "second"]));
    // And back: what was open is hidden, also from the index.
    s.f.write_as(&s.far, rename(2, "passwd")).unwrap();
    let view = s.f.domain.read(&s.far).unwrap();
    assert_eq!(view.record(s.user).unwrap().first_value(b"passwd"), Some(MASK));
    let users = view.path(&[b"users"]).unwrap().unwrap();
    assert_eq!(view.lookup(users, b"note", HASH.as_bytes()).unwrap(), []);
    assert_clean(&s.f.domain);
}

#[test]
fn look_ups_by_password_are_for_the_entitled() {
    let s = scene();
    let other = s.f.user("bob", "502", vec![p("passwd", &[HASH]), p("passwd", &["later"])]);
    let look = |session: &Session, value: &[u8]| {
        let view = s.f.domain.read(session).unwrap();
        let users = view.path(&[b"users"]).unwrap().unwrap();
        let all = view.lookup(users, b"passwd", value).unwrap();
        assert_eq!(view.lookup_first(users, b"passwd", value).unwrap(), all.first().copied());
        all
    };
    for session in [&s.entitled, &s.f.root] {
        assert_eq!(look(session, HASH.as_bytes()), [s.user, other]);
        assert_eq!(look(session, b"second"), [s.user]);
        assert_eq!(look(session, b"later"), [], "only the first property of a name counts");
        assert_eq!(look(session, MASK), []);
    }
    for value in [HASH.as_bytes(), b"second", MASK, b""] {
        assert_eq!(look(&s.far, value), []);
    }
}

/// The whole data file is searched: outside the secrets table and the feed the hash must not be, and with the feed cut
/// short and the directory destroyed it must not be reachable.
#[test]
fn hashes_are_in_the_secrets_table_only() {
    let secret = "a-secret-nobody-else-has";
    let f = Fixture::with("network", |o| o.feed_retention = 1);
    let d = f.create(ROOT, vec![p("name", &["x"]), p("passwd", &[secret])]);
    f.add(d, p("note", &[]));
    f.add(d, p("more", &[]));
    let dir = f.close();
    let found = crate::raw::with_store(&dir.path().join("network.domain"), |s, txn| {
        let mut found = Vec::new();
        for (name, table) in s.tables() {
            for entry in table.iter(txn).unwrap() {
                let (key, value) = entry.unwrap();
                let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                if has(key) || has(value) {
                    found.push(name);
                }
            }
        }
        found
    });
    assert_eq!(found, ["secrets"]);
}

#[test]
fn debug_texts_hold_no_secrets() {
    let s = scene();
    let hidden = |text: String| {
        let as_bytes = format!("{:?}", HASH.as_bytes());
        assert!(!text.contains(HASH) && !text.contains(as_bytes.trim_matches(['[', ']'])), "{text}");
        text
    };
    let text = hidden(format!("{:?}", p("passwd", &[HASH])));
    assert_eq!(text, "passwd: <1 secret>");
    let text = hidden(format!("{:?}", crate::copies::objects(&s.f.domain)));
    assert!(text.contains("alice"));
    let directory = Target::any(s.user);
    let value = HASH.as_bytes().to_vec();
    let changes = [
        create(ROOT, vec![p("passwd", &[HASH])]),
        Change::Write { directory, properties: vec![p("passwd", &[HASH])] },
        Change::CreateProperty { directory, property: p("passwd", &[HASH]), position: 0 },
        Change::WriteProperty { directory, index: 0, values: vec![value.clone()] },
        Change::CreateValue { directory, index: 0, value: value.clone(), position: 0 },
        Change::WriteValue { directory, index: 0, value_index: 0, value },
    ];
    for change in &changes {
        hidden(format!("{change:?}"));
    }
    s.f.write(changes[5].clone()).unwrap();
    for committed in feed(&s.f.domain, 0).unwrap() {
        hidden(format!("{committed:?}"));
    }
    let text = hidden(format!("{:?} {:?}", s.f.root, s.far));
    assert!(text.contains("Superuser"));
}

#[test]
fn the_feed_tells_values_and_only_to_the_superuser() {
    let s = scene();
    let directory = Target::any(s.user);
    let since = s.f.domain.read(&s.f.root).unwrap().sequence().unwrap();
    let masked = properties(&s.f.domain, &s.far, s.user);
    let changes = vec![
        Change::Write { directory, properties: masked },
        Change::WriteProperty { directory, index: 2, values: vec![mask(), mask()] },
        Change::WriteValue { directory, index: 2, value_index: 0, value: mask() },
    ];
    for change in changes {
        s.f.write_as(&s.far, change).unwrap();
    }
    let told: Vec<Change> = feed(&s.f.domain, since).unwrap().into_iter().map(|c| c.change).collect();
    let Change::Write { properties, .. } = &told[0] else { panic!() };
    assert_eq!(properties[2], p("passwd", &[HASH, "second"]));
    let Change::WriteProperty { values, .. } = &told[1] else { panic!() };
    assert_eq!(values, &[HASH.as_bytes(), b"second"]);
    let Change::WriteValue { value, .. } = &told[2] else { panic!() };
    assert_eq!(value, HASH.as_bytes());
    for session in [&s.far, &s.entitled] {
        refused!(s.f.domain.changes(session, since, 9, |_: Committed| panic!("told")), Error::Permission);
        refused!(s.f.domain.backup(session, &mut Vec::new(), &mut |_, _| {}), Error::Permission);
        refused!(s.f.domain.restore(session, std::io::empty(), |_, _| {}), Error::Permission);
        refused!(s.f.domain.replace(session, || Ok(None)), Error::Permission);
        refused!(s.f.domain.check(session, &mut Findings::default()), Error::Permission);
        refused!(s.f.domain.repair(session, &mut Findings::default()), Error::Permission);
    }
}

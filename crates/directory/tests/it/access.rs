//! Access rules: what anonymous callers, users and those whom rules name may read and change.

use netinfo_directory::{
    Action, Change, Credentials, Error, Origin, Property, ROOT, Reason, RuleSource, Session, Target,
};

use crate::support::*;

/// A domain with two users, a group, and something that is nobody's business.
struct Scene {
    f: Fixture,
    alice: u32,
    bob: u32,
    staff: u32,
    secretary: u32,
}

fn scene() -> Scene {
    let f = Fixture::new("network");
    let person = |name: &str, uid: &str| {
        let more = vec![
            p("gid", &["20"]),
            p("realname", &[name]),
            p("mail", &[name]),
            p("phonenumber", &["1"]),
            p("passwd", &["*"]),
        ];
        f.user(name, uid, more)
    };
    let (alice, bob) = (person("alice", "501"), person("bob", "502"));
    let groups = f.path(&["groups"]);
    let staff = f.create(groups, vec![p("name", &["staff"]), p("gid", &["30"]), p("users", &["alice"])]);
    let config = f.path(&["config"]);
    let secretary = f.create(config, vec![p("name", &["keys"]), p("note", &["x"])]);
    Scene { f, alice, bob, staff, secretary }
}

impl Scene {
    fn anonymous(&self) -> Session {
        self.f.domain.anonymous(far())
    }

    fn user(&self, object: u32) -> Session {
        self.f.domain.login(Credentials::Vouched { object }, far(), NOW).unwrap()
    }

    fn rules(&self, rules: &[&str]) {
        self.set(p("_access", rules));
    }

    /// Puts a property into the root in the place of one of its name.
    fn set(&self, property: Property) {
        let mut properties = self.f.properties(ROOT);
        properties.retain(|p| p.name != property.name);
        properties.push(property);
        self.f.write(Change::Write { directory: Target::any(ROOT), properties }).unwrap();
    }

    fn may(&self, session: &Session, action: Action, object: u32, property: Option<&str>) -> bool {
        let view = self.f.domain.read(session).unwrap();
        let access = self.f.domain.access(&view, session).unwrap();
        access.object(object).unwrap().allows(action, property.map(str::as_bytes))
    }

    fn reads(&self, session: &Session, object: u32, property: &str) -> bool {
        self.may(session, Action::Read, object, Some(property))
    }

    fn writes(&self, session: &Session, object: u32, property: &str) -> bool {
        self.may(session, Action::Write, object, Some(property))
    }

    fn sees(&self, session: &Session, object: u32) -> bool {
        self.may(session, Action::Read, object, None)
    }

    fn explain(&self, session: &Session, action: Action, object: u32, property: Option<&str>) -> String {
        let view = self.f.domain.read(session).unwrap();
        let access = self.f.domain.access(&view, session).unwrap();
        let entry = access.object(object).unwrap();
        entry.explain(action, property.map(str::as_bytes)).unwrap().to_string()
    }

    /// Tries to replace, or make, a property.
    fn write(&self, session: &Session, object: u32, property: Property) -> netinfo_directory::Result<()> {
        let properties = self.f.properties(object);
        let directory = Target::any(object);
        let change = match properties.iter().position(|p| p.name == property.name) {
            Some(index) => Change::WriteProperty { directory, index: index as u32, values: property.values },
            None => Change::CreateProperty { directory, property, position: END },
        };
        self.f.write_as(session, change).map(drop)
    }
}

#[test]
fn anonymous_callers_read_public_posix_data() {
    let s = scene();
    let anonymous = s.anonymous();
    let users = s.f.path(&["users"]);
    for object in [ROOT, users, s.alice, s.staff, s.f.path(&["machines"])] {
        assert!(s.sees(&anonymous, object), "{object}");
    }
    assert!(!s.sees(&anonymous, s.secretary) && !s.sees(&anonymous, s.f.path(&["config"])));
    for shown in ["name", "uid", "gid", "realname", "objectClass", "cn;lang-de", "entryUUID"] {
        assert!(s.reads(&anonymous, s.alice, shown), "{shown}");
    }
    for hidden in ["mail", "phonenumber", "passwd", "userPassword", "_writers", "memberOf"] {
        assert!(!s.reads(&anonymous, s.alice, hidden), "{hidden}");
        assert!(!s.may(&anonymous, Action::Search, s.alice, Some(hidden)), "{hidden}");
        assert!(!s.may(&anonymous, Action::Compare, s.alice, Some(hidden)), "{hidden}");
    }
    assert!(s.reads(&anonymous, s.staff, "users") && !s.reads(&anonymous, s.alice, "users"));
    assert!(!s.reads(&anonymous, ROOT, "master") && !s.writes(&anonymous, s.alice, "name"));
    s.set(p("_anonymous", &["none"]));
    assert!(!s.sees(&anonymous, ROOT) && !s.reads(&anonymous, s.alice, "name"));
    s.set(p("_anonymous", &["read"]));
    assert!(s.reads(&anonymous, s.alice, "mail") && s.sees(&anonymous, s.secretary));
    assert!(!s.reads(&anonymous, s.alice, "passwd"));
    s.set(p("_anonymous", &["of course"]));
    assert!(!s.sees(&anonymous, s.alice), "what is not understood opens nothing");
}

#[test]
fn classes_say_what_entries_elsewhere_are() {
    let s = scene();
    let anonymous = s.anonymous();
    let class = |classes: &[&str]| p("objectClass", classes);
    let branch = s.f.create(ROOT, vec![p("_rdn", &["o"]), p("o", &["Sub"]), class(&["organization"])]);
    let person = s
        .f
        .create(branch, vec![p("uid", &["eve"]), class(&["person", "POSIXAccount"]), p("uidNumber", &["7"])]);
    let contact = s.f.create(branch, vec![p("cn", &["Mallory"]), class(&["inetOrgPerson"])]);
    assert!(s.sees(&anonymous, branch) && s.reads(&anonymous, branch, "o"));
    assert!(s.reads(&anonymous, person, "uidnumber") && !s.reads(&anonymous, person, "mail"));
    assert!(!s.sees(&anonymous, contact));
    // Below the users, too, what has classes must be a POSIX account to be public.
    let users = s.f.path(&["users"]);
    let guest = s.f.create(users, vec![p("name", &["guest"]), class(&["inetOrgPerson"])]);
    assert!(!s.sees(&anonymous, guest));
}

#[test]
fn users_read_the_directory_and_write_their_own() {
    let s = scene();
    let alice = s.user(s.alice);
    let view = s.f.domain.read(&alice).unwrap();
    let access = s.f.domain.access(&view, &alice).unwrap();
    assert!(access.reads_everything() && access.object(s.bob).unwrap().reads_all());
    drop(access);
    drop(view);
    assert!(s.reads(&alice, s.bob, "mail") && s.reads(&alice, s.secretary, "note"));
    for secret in ["passwd", "userPassword", "USERPASSWORD;x-y", "_app_passwords", "_ldap_sambaNTPassword"] {
        assert!(!s.reads(&alice, s.alice, secret), "{secret}");
    }
    assert!(s.writes(&alice, s.alice, "passwd") && s.writes(&alice, s.alice, "phonenumber"));
    for other in ["uid", "mail", "name", "shell", "_writers", "objectClass"] {
        assert!(!s.writes(&alice, s.alice, other), "{other}");
    }
    assert!(!s.writes(&alice, s.bob, "phonenumber"));
    assert!(s.write(&alice, s.alice, p("phonenumber", &["2"])).is_ok());
    assert!(s.write(&alice, s.alice, p("city", &["Oslo"])).is_ok());
    assert!(s.write(&alice, s.alice, p("passwd", &["{SSHA}x"])).is_ok());
    refused!(s.write(&alice, s.alice, p("mail", &["x"])), Error::Permission);
    refused!(s.write(&alice, s.bob, p("phonenumber", &["2"])), Error::Permission);
    s.set(p("_self_write", &["mail"]));
    assert!(s.writes(&alice, s.alice, "mail") && !s.writes(&alice, s.alice, "phonenumber"));
    s.set(p("_self_write", &[]));
    assert!(!s.writes(&alice, s.alice, "passwd"));
}

#[test]
fn writers_are_honoured() {
    let s = scene();
    let (alice, anonymous) = (s.user(s.alice), s.anonymous());
    let groups = s.f.path(&["groups"]);
    let child = |name: &str| create(groups, vec![p("name", &[name])]);
    refused!(s.f.write_as(&alice, child("new")), Error::Permission);
    s.f.add(groups, p("_writers", &["alice"]));
    s.f.add(s.staff, p("_writers_gid", &["*"]));
    assert!(s.may(&alice, Action::Add, groups, None) && s.may(&alice, Action::Delete, s.staff, None));
    assert!(!s.writes(&alice, s.staff, "users") && s.writes(&anonymous, s.staff, "gid"));
    assert!(s.f.write_as(&alice, child("new")).is_ok());
    assert!(s.write(&anonymous, s.staff, p("gid", &["31"])).is_ok());
    refused!(s.write(&anonymous, s.staff, p("users", &["eve"])), Error::Permission);
    // The lock is for everybody but the superuser.
    s.f.add(s.staff, p("_locked", &[]));
    refused!(s.write(&anonymous, s.staff, p("gid", &["32"])), Error::ReadOnly);
    refused!(s.f.write_as(&anonymous, child("other")), Error::Permission);
    let destroy = Change::Destroy { parent: Target::any(groups), child: Target::any(s.staff) };
    refused!(s.f.write_as(&alice, destroy), Error::ReadOnly);
}

#[test]
fn the_first_rule_that_fits_decides() {
    let s = scene();
    let (alice, bob, anonymous) = (s.user(s.alice), s.user(s.bob), s.anonymous());
    s.rules(&[
        "deny read phonenumber of /users/alice to user bob",
        "allow read mail, phonenumber of /users/* to group staff",
        "deny read mail of /users/* to users",
        "allow read name,note of /config/keys to anonymous",
        "allow write mail of self to users",
        "allow write * of /users/* to group staff",
    ]);
    assert!(s.reads(&alice, s.bob, "mail") && !s.reads(&bob, s.alice, "mail"));
    assert!(!s.reads(&bob, s.bob, "mail"));
    assert!(!s.reads(&bob, s.alice, "phonenumber") && s.reads(&bob, s.bob, "phonenumber"));
    assert!(s.sees(&bob, s.alice), "who may not read something knows that it is there");
    assert!(s.sees(&anonymous, s.secretary) && s.reads(&anonymous, s.secretary, "note"));
    assert!(!s.reads(&anonymous, s.alice, "mail"));
    assert!(s.writes(&bob, s.bob, "mail") && !s.writes(&bob, s.alice, "mail"));
    assert!(s.writes(&alice, s.bob, "shell") && !s.writes(&alice, s.staff, "users"));
    assert!(!s.writes(&alice, s.bob, "_writers"), "everything is not the right to give rights");
    assert!(s.writes(&alice, s.bob, "passwd") && !s.reads(&alice, s.bob, "passwd"));
    assert!(s.write(&alice, s.bob, p("shell", &["/bin/sh"])).is_ok());
    refused!(s.write(&alice, s.bob, p("_writers", &["alice"])), Error::Permission);
    assert_eq!(
        s.explain(&bob, Action::Read, s.alice, Some("mail")),
        "denied: read mail of /users/alice: value 3 of _access in the root directory: \
         deny read mail of /users/* to users"
    );
    assert_eq!(
        s.explain(&bob, Action::Write, s.bob, Some("phonenumber")),
        "allowed: write phonenumber of /users/bob: users may write this of their own directory (_self_write)"
    );
    assert_eq!(
        s.explain(&bob, Action::Delete, s.staff, None),
        "denied: delete of /groups/staff: no rule and no list gives the right"
    );
}

#[test]
fn subjects_paths_and_networks() {
    let s = scene();
    let (alice, bob) = (s.user(s.alice), s.user(s.bob));
    s.set(p("_anonymous", &["none"]));
    let fits = |rule: &str, session: &Session, object: u32| {
        s.rules(&[rule]);
        s.writes(session, object, "note")
    };
    assert!(fits("allow write", &s.anonymous(), s.secretary));
    assert!(fits("allow write to anonymous", &s.anonymous(), s.secretary));
    assert!(!fits("allow write to anonymous", &bob, s.secretary));
    assert!(!fits("allow write to users", &s.anonymous(), s.secretary));
    assert!(fits("allow write to user eve, user bob", &bob, s.secretary));
    assert!(
        fits("allow write to group staff", &alice, s.bob) && !fits("allow write to group staff", &bob, s.bob)
    );
    assert!(!fits("allow write to group nobody", &alice, s.bob));
    assert!(fits("allow write to self", &bob, s.bob) && !fits("allow write to self", &bob, s.alice));
    assert!(fits("allow write of self", &bob, s.bob) && !fits("allow write of self", &bob, s.alice));
    s.f.add(s.secretary, p("owner", &["bob"]));
    assert!(fits("allow write to listed owner", &bob, s.secretary));
    assert!(!fits("allow write to listed owner", &alice, s.secretary));
    // The primary group counts.
    let groups = s.f.path(&["groups"]);
    s.f.create(groups, vec![p("name", &["everyone"]), p("gid", &["20"])]);
    assert!(fits("allow write to group everyone", &bob, s.secretary));

    let users = s.f.path(&["users"]);
    for (path, root, top, below) in [
        ("/", true, false, false),
        ("/**", false, true, true),
        ("/users", false, true, false),
        ("/users/*", false, false, true),
        ("/users/**", false, false, true),
        ("/*/bob", false, false, true),
        ("/users/uid=502", false, false, true),
        ("/users/alice", false, false, false),
        ("/users/*/*", false, false, false),
        ("/groups/**", false, false, false),
    ] {
        let rule = format!("allow write of {path} to user bob");
        assert_eq!(fits(&rule, &bob, ROOT), root, "{path}");
        assert_eq!(fits(&rule, &bob, users), top, "{path}");
        assert_eq!(fits(&rule, &bob, s.bob), below, "{path}");
    }
    let deep = s.f.create(s.bob, vec![p("_rdn", &["ou"]), p("ou", &["x"])]);
    assert!(fits("allow write of /users/**", &bob, deep) && fits("allow write of /users/bob/x", &bob, deep));
    assert!(!fits("allow write of /users/*", &bob, deep));

    assert!(fits("allow write from 198.51.100.0/24", &bob, s.bob));
    assert!(!fits("allow write from 192.0.2.0/24, local", &bob, s.bob));
    let local =
        s.f.domain.login(Credentials::Vouched { object: s.bob }, Origin::Local { uid: 9 }, NOW).unwrap();
    assert!(fits("allow write from local", &local, s.bob) && !fits("allow write from ::/0", &local, s.bob));
}

#[test]
fn the_configuration_comes_first_and_knows_other_names() {
    let s = scene();
    let bob = s.user(s.bob);
    s.rules(&["allow read phonenumber", "deny read mail"]);
    let rules = vec!["deny read telephoneNumber to users".parse().unwrap()];
    let names = std::sync::Arc::new(|name: &[u8]| match name {
        b"telephonenumber" => vec![b"phonenumber".to_vec()],
        _ => vec![],
    });
    s.f.domain.set_access_rules(rules);
    s.f.domain.set_attribute_names(names);
    assert!(!s.reads(&bob, s.alice, "phonenumber") && !s.reads(&bob, s.alice, "_ldap_telephoneNumber;x"));
    assert!(!s.reads(&bob, s.alice, "mail"));
    assert!(
        s.explain(&bob, Action::Read, s.alice, Some("phonenumber")).contains("rule 1 of the configuration")
    );
    s.f.domain.set_access_rules(Vec::new());
    assert!(s.reads(&bob, s.alice, "phonenumber"));
}

#[test]
fn a_rule_that_cannot_be_read_denies() {
    let s = scene();
    let bob = s.user(s.bob);
    s.rules(&["allow read of /users/* to users", "allow reed of /groups/*"]);
    assert!(s.reads(&bob, s.alice, "mail") && !s.sees(&bob, s.staff));
    assert!(!s.reads(&s.anonymous(), s.alice, "name"));
    let view = s.f.domain.read(&bob).unwrap();
    let access = s.f.domain.access(&view, &bob).unwrap();
    let told = access.object(s.staff).unwrap().explain(Action::Read, None).unwrap();
    assert_eq!(told.reason, Reason::Unreadable(RuleSource::Tree(2)));
    assert_eq!(told.rule.as_deref(), Some("allow reed of /groups/*"));
    // Superusers are not locked out by it.
    assert!(s.reads(&s.f.root, s.staff, "name"));
}

#[test]
fn nobody_becomes_the_superuser_by_a_rule() {
    let s = scene();
    let bob = s.user(s.bob);
    s.rules(&["allow all of /users, /users/*, /groups, /groups/* to user bob"]);
    let (users, groups) = (s.f.path(&["users"]), s.f.path(&["groups"]));
    let new = |parent: u32, properties: &[Property]| s.f.write_as(&bob, create(parent, properties.to_vec()));
    assert!(new(users, &[p("name", &["dave"]), p("uid", &["505"])]).is_ok());
    refused!(new(users, &[p("name", &["eve"]), p("uid", &["0"])]), Error::Permission);
    refused!(new(users, &[p("name", &["root"]), p("uid", &["506"])]), Error::Permission);
    refused!(new(users, &[p("name", &["alice"]), p("uid", &["506"])]), Error::Permission);
    refused!(s.write(&bob, s.bob, p("uid", &["00"])), Error::Permission);
    refused!(s.write(&bob, s.bob, p("name", &["alice"])), Error::Permission);
    refused!(s.write(&bob, s.bob, p("name", &["root", "bob"])), Error::Permission);
    assert!(s.write(&bob, s.bob, p("uid", &["1502"])).is_ok());
    assert!(s.write(&bob, s.bob, p("name", &["bob", "robert"])).is_ok());
    let elsewhere = s.f.create(s.bob, vec![p("name", &["eve"]), p("uid", &["0"])]);
    let (from, child, to) = (Target::any(s.bob), Target::any(elsewhere), Target::any(users));
    s.rules(&["allow all of /** to user bob"]);
    refused!(s.f.write_as(&bob, Change::Move { from, child, to, position: END }), Error::Permission);
    // Members of the group `admin`, where they are promoted.
    assert!(new(groups, &[p("name", &["admin"]), p("users", &["carol"])]).is_ok());
    s.set(p("promote_admins", &["YES"]));
    let admin = s.f.path(&["groups", "admin"]);
    refused!(s.write(&bob, admin, p("users", &["bob"])), Error::Permission);
    refused!(new(users, &[p("name", &["carol"]), p("uid", &["700"])]), Error::Permission);
    refused!(s.write(&bob, s.staff, p("name", &["admin"])), Error::Permission);
    assert!(s.write(&bob, s.staff, p("users", &["bob"])).is_ok());
}

#[test]
fn a_whole_write_takes_the_right_to_what_differs() {
    let s = scene();
    let bob = s.user(s.bob);
    let directory = Target::any(s.bob);
    let write = |change: &dyn Fn(&mut Vec<Property>)| {
        // As the session sees it: secrets are masks.
        let mut properties = properties(&s.f.domain, &bob, s.bob);
        change(&mut properties);
        s.f.write_as(&bob, Change::Write { directory, properties })
    };
    assert!(write(&|_| {}).is_ok());
    assert!(write(&|list| list.push(p("city", &["Oslo"]))).is_ok());
    assert!(write(&|list| list.reverse()).is_ok(), "the order among properties is nobody's secret");
    refused!(write(&|list| list.push(p("shell", &["/bin/sh"]))), Error::Permission);
    refused!(write(&|list| list.retain(|p| p.name != b"mail")), Error::Permission);
    refused!(write(&|list| list.clear()), Error::Permission);
    s.set(p("_self_write", &["city"]));
    assert!(write(&|list| list.push(p("city", &["Bergen"]))).is_ok());
    let secret = |list: &mut Vec<Property>| {
        list.iter_mut().filter(|p| p.name == b"passwd").for_each(|p| p.values = vec![b"x".to_vec()]);
    };
    refused!(write(&secret), Error::Permission);
}

#[test]
fn the_netinfo_protocol_reads_as_ever_and_rules_add_to_its_lists() {
    let f = Fixture::new("local");
    let alice = f.user("alice", "501", vec![p("mail", &["x"]), p("passwd", &["*"])]);
    let directory = Target::any(alice);
    let write = |session: &Session, values: &str| {
        f.write_as(session, Change::WriteProperty { directory, index: 2, values: vec![values.into()] })
    };
    let session = f.local(501);
    // A user's own password is not writable by itself here.
    let passwd = Change::WriteProperty { directory, index: 3, values: vec![b"y".to_vec()] };
    refused!(f.write_as(&session, passwd), Error::Permission);
    refused!(write(&session, "a"), Error::Permission);
    f.add(
        ROOT,
        p("_access", &["deny read", "allow write mail of /users/* to user alice", "deny write to user eve"]),
    );
    assert!(write(&session, "b").is_ok());
    refused!(write(&f.anonymous(), "c"), Error::Permission);
    let view = f.domain.read(&session).unwrap();
    assert!(f.domain.access(&view, &session).unwrap().reads_everything());
    drop(view);
    // What a rule denies no list gives.
    f.add(alice, p("_writers", &["eve", "bob"]));
    f.user("eve", "666", vec![]);
    f.user("bob", "667", vec![]);
    refused!(write(&f.local(666), "d"), Error::Permission);
    assert!(write(&f.local(667), "d").is_ok());
}

/// Rules at random, and what a user may do by them.
fn random_rules(random: &mut Random) -> Vec<String> {
    let mut pick = |list: &[&str]| list[random.below(list.len())].to_owned();
    (0..4)
        .map(|_| {
            let verb = pick(&["allow", "allow", "deny"]);
            let what = pick(&[
                "write",
                "write mail",
                "write mail, note",
                "write *",
                "add",
                "delete",
                "add, delete",
                "all",
            ]);
            let target = pick(&[
                "",
                "of /users/*",
                "of /users/**",
                "of /users/bob",
                "of /groups, /groups/*",
                "of self",
                "of /",
            ]);
            let who = pick(&[
                "",
                "to users",
                "to self",
                "to user bob",
                "to group staff",
                "to anonymous",
                "to listed owner",
            ]);
            format!("{verb} {what} {target} {who}")
        })
        .collect()
}

#[test]
fn what_is_allowed_is_what_the_writer_does() {
    let s = scene();
    let mut random = Random(0x5DEE_CE66_D1CE_4E5B);
    let sessions = [s.user(s.alice), s.user(s.bob), s.anonymous()];
    let groups = s.f.path(&["groups"]);
    let (mut granted, mut refused) = (0, 0);
    for _ in 0..60 {
        let rules = random_rules(&mut random);
        s.rules(&rules.iter().map(String::as_str).collect::<Vec<_>>());
        for session in &sessions {
            for object in [s.alice, s.bob, s.staff, groups] {
                for name in ["mail", "note", "phonenumber"] {
                    let may = s.writes(session, object, name);
                    let done = s.write(session, object, p(name, &["x"]));
                    assert_eq!(
                        done.is_ok(),
                        may,
                        "{} {object} {name}: {rules:?}",
                        session.name().escape_ascii()
                    );
                    if may { granted += 1 } else { refused += 1 }
                }
            }
            let may = s.may(session, Action::Add, groups, None);
            let new = s.f.write_as(session, create(groups, vec![p("name", &["g"])]));
            assert_eq!(new.is_ok(), may, "{rules:?}");
            if let Ok(outcome) = new {
                let child = outcome.created.unwrap();
                let may = s.may(session, Action::Delete, child.object, None);
                let destroy = |who| {
                    let change =
                        Change::Destroy { parent: Target::any(groups), child: Target::any(child.object) };
                    s.f.write_as(who, change)
                };
                let gone = destroy(session);
                assert_eq!(gone.is_ok(), may, "{rules:?}");
                if !may {
                    destroy(&s.f.root).unwrap();
                }
            }
        }
    }
    assert!(granted > 200 && refused > 200, "{granted} granted, {refused} refused");
}

#[test]
fn a_session_owns_its_directory_only_as_long_as_it_is_that() {
    let s = scene();
    let users = s.f.path(&["users"]);
    let eve = s.f.user("eve", "600", vec![p("city", &["x"])]);
    let session = s.user(eve);
    assert!(s.writes(&session, eve, "city"));
    s.f.write(Change::Destroy { parent: Target::any(users), child: Target::any(eve) }).unwrap();
    assert_eq!(s.f.user("frank", "601", vec![p("city", &["y"])]), eve, "object ids are used again");
    assert!(!s.writes(&session, eve, "city") && s.reads(&session, s.alice, "mail"));
    refused!(s.write(&session, eve, p("city", &["z"])), Error::Permission);
    s.f.write(Change::Destroy { parent: Target::any(users), child: Target::any(eve) }).unwrap();
    assert!(!s.writes(&session, s.bob, "city"));
}

//! Below slapd, with StartTLS.

use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_directory::binding::{LdapParent, Parent};
use netinfo_lookup::{Source, View};
use netinfo_testkit::slapd::Slapd;
use netinfo_upstream::{Changed, Login, Policy, Remembered, Upstream, Verdict, Wants};
use netinfo_wire::lookup::{Answer, Category, Entry, EntryBuf, Key, Pattern, Query};
use netinfo_wire::netinfo::{PropListBuf, Property};

/// A parent that is asked again at every question, and remembered for as long as usual.
pub(crate) fn policy() -> Policy {
    Policy { time_to_live: 0, negative_time: 0, ..Policy::default() }
}

fn ldap(slapd: &Slapd) -> LdapParent {
    LdapParent {
        url: slapd.url(),
        base: "dc=example,dc=com".into(),
        start_tls: true,
        ca_file: Some(slapd.authority()),
        bind_dn: None,
        password_file: None,
    }
}

fn open(slapd: &Slapd) -> Arc<Upstream> {
    Upstream::open(&Parent::Ldap(ldap(slapd)), policy(), &slapd.folder().join("parents"))
}

/// Looks something up as the daemon does: looks, asks, looks again.
fn look<T>(parent: &Arc<Upstream>, look: impl Fn(&View<'_>) -> T) -> T {
    let wants = Wants::default();
    loop {
        let sources: Vec<Box<dyn Source + '_>> =
            vec![Box::new(Nothing), Box::new(Remembered::new(parent, &wants))];
        let found = look(&View::new(sources));
        if !wants.is_missing() {
            return found;
        }
        parent.ask(&wants.take());
    }
}

/// The machine's own domain, with nothing in it.
struct Nothing;

impl Source for Nothing {
    fn name(&self) -> &str {
        "local"
    }

    fn shows_secrets(&self) -> bool {
        true
    }

    fn find(
        &self,
        _: netinfo_lookup::Table,
        _: &[u8],
        _: &[u8],
        _: &mut dyn FnMut(netinfo_lookup::Record<'_>) -> std::ops::ControlFlow<()>,
    ) -> Result<(), netinfo_lookup::Unavailable> {
        Ok(())
    }

    fn list(
        &self,
        _: netinfo_lookup::Table,
        _: u64,
        _: &mut dyn FnMut(u64, netinfo_lookup::Record<'_>) -> std::ops::ControlFlow<()>,
    ) -> Result<(), netinfo_lookup::Unavailable> {
        Ok(())
    }
}

/// An entry as the lines of `getent` are.
fn line(entry: &Entry<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match entry {
        Entry::Passwd(user) => {
            let [name, passwd, gecos, home] = [user.name, user.passwd, user.gecos, user.home].map(text);
            format!("{name}:{passwd}:{}:{}:{gecos}:{home}", user.uid, user.gid)
        }
        Entry::Shadow(user) => format!("{}:{}", text(user.name), text(user.passwd)),
        Entry::Group(group) => {
            let members: Vec<_> = group.members.iter().map(text).collect();
            format!("{}:{}:{}", text(group.name), group.gid, members.join(","))
        }
        Entry::Host(host) => format!("{} {:?}", text(host.name), host.addresses.iter().next()),
        other => format!("{other:?}"),
    }
}

pub(crate) fn find(parent: &Arc<Upstream>, category: Category, key: Key<'_>) -> String {
    match look(parent, |view| view.find(&Query { category, key })) {
        Answer::Found(entry) => line(&entry.as_entry()),
        other => format!("{:?}", other.map(|_| ())),
    }
}

fn listed(parent: &Arc<Upstream>, category: Category) -> Vec<String> {
    let list = |view: &View<'_>| {
        let mut all = Vec::new();
        let _ = view.each(category, |entry: EntryBuf| all.push(line(&entry.as_entry())));
        all
    };
    look(parent, list)
}

fn everything_is_found(parent: &Arc<Upstream>) {
    let jane = "jane:x:5001:100:Jane Doe:/home/jane";
    assert_eq!(find(parent, Category::Passwd, Key::Name(b"jane")), jane);
    assert_eq!(find(parent, Category::Passwd, Key::Number(5001)), jane);
    assert_eq!(find(parent, Category::Passwd, Key::Name(b"Jane Doe")), jane);
    assert_eq!(find(parent, Category::Shadow, Key::Name(b"jane")), "jane:*");
    assert_eq!(find(parent, Category::Group, Key::Name(b"staff")), "staff:600:jane,ann");
    assert_eq!(find(parent, Category::Group, Key::Number(601)), "makers:601:bob,jane");
    assert_eq!(look(parent, |view| view.initgroups(b"jane")), Answer::Found(vec![100, 600, 601]));
    assert_eq!(look(parent, |view| view.initgroups(b"bob")), Answer::Found(vec![100, 601]));
    let host = "www.example.com Some([10, 0, 0, 7])";
    assert_eq!(find(parent, Category::Host, Key::Name(b"WWW.example.com")), host);
    assert_eq!(find(parent, Category::Host, Key::Address(&[10, 0, 0, 7])), host);
    assert!(find(parent, Category::Ether, Key::Address(&[0, 5, 2, 0xfe, 0xef, 0x4b])).contains("Ether"));
}

#[test]
fn records_are_found_by_every_key_and_without_the_server() {
    let mut slapd = Slapd::start();
    let parent = open(&slapd);
    everything_is_found(&parent);
    // Directories know no upper and lower case in names; systems do.
    assert_eq!(find(&parent, Category::Passwd, Key::Name(b"JANE")), "NotFound");
    assert_eq!(find(&parent, Category::Passwd, Key::Name(b"ann*)(uid=*")), "NotFound");
    slapd.stop();
    everything_is_found(&parent);
    assert_eq!(find(&parent, Category::Passwd, Key::Name(b"zoe")), "TryAgain");
    // What is remembered outlives the daemon.
    drop(parent);
    let parent = open(&slapd);
    everything_is_found(&parent);
    let begin = Instant::now();
    assert_eq!(find(&parent, Category::Passwd, Key::Name(b"zoe")), "TryAgain");
    assert!(begin.elapsed() < Duration::from_secs(2));
}

/// Groups in groups: `top` has `mid`, which has no number, and that has `makers`; `round` and `about` have each other.
const NESTED: &str = "\
dn: cn=mid,ou=groups,dc=example,dc=com
changetype: add
objectClass: groupOfNames
cn: mid
member: cn=makers,ou=groups,dc=example,dc=com

dn: cn=top,ou=groups,dc=example,dc=com
changetype: add
objectClass: groupOfNames
objectClass: extensibleObject
objectClass: group
cn: top
gidNumber: 602
member: cn=MID,ou=groups,dc=example,dc=com
member: cn=staff,ou=groups,dc=example,dc=com

dn: cn=round,ou=groups,dc=example,dc=com
changetype: add
objectClass: groupOfNames
objectClass: extensibleObject
objectClass: group
cn: round
gidNumber: 603
member: cn=about,ou=groups,dc=example,dc=com
member: cn=Bob Builder,ou=people,dc=example,dc=com

dn: cn=about,ou=groups,dc=example,dc=com
changetype: add
objectClass: groupOfNames
objectClass: extensibleObject
objectClass: group
cn: about
gidNumber: 604
member: cn=round,ou=groups,dc=example,dc=com
";

#[test]
fn groups_in_groups() {
    let mut slapd = Slapd::start();
    slapd.modify(NESTED);
    let parent = open(&slapd);
    let group = |name: &str| find(&parent, Category::Group, Key::Name(name.as_bytes()));
    let gids = |user: &str| match look(&parent, |view| view.initgroups(user.as_bytes())) {
        Answer::Found(mut gids) => {
            gids.sort_unstable();
            gids
        }
        other => panic!("{other:?}"),
    };
    let everything = || {
        assert_eq!(group("top"), "top:602:jane,ann,bob");
        assert_eq!(group("round"), "round:603:bob");
        assert_eq!(group("about"), "about:604:bob");
        assert_eq!(group("mid"), "NotFound", "it has no number");
        assert_eq!(gids("jane"), [100, 600, 601, 602]);
        assert_eq!(gids("bob"), [100, 601, 602, 603, 604]);
        // Known by name only, without an entry.
        assert!(listed(&parent, Category::Group).contains(&"top:602:jane,ann,bob".to_owned()));
    };
    everything();
    // Who leaves an inner group has left the outer ones.
    slapd.modify(
        "dn: cn=makers,ou=groups,dc=example,dc=com\nchangetype: modify\ndelete: member\n\
         member: cn=Bob Builder,ou=people,dc=example,dc=com\n",
    );
    assert_eq!(group("top"), "top:602:jane,ann");
    assert_eq!(gids("bob"), [100, 603, 604]);
    slapd.stop();
    assert_eq!(group("top"), "top:602:jane,ann");
    assert_eq!(gids("bob"), [100, 603, 604]);
}

#[test]
fn maps_of_the_automounter_are_mounts() {
    let slapd = Slapd::start();
    let map = |name: &str| {
        format!(
            "dn: nisMapName={name},dc=example,dc=com\nchangetype: add\nobjectClass: nisMap\nnisMapName: {name}\n\n"
        )
    };
    let line = |map: &str, key: &str, value: &str| {
        format!(
            "dn: cn={key},nisMapName={map},dc=example,dc=com\nchangetype: add\nobjectClass: nisObject\ncn: {key}\n\
             nisMapName: {map}\nnisMapEntry: {value}\n\n"
        )
    };
    slapd.modify(&format!(
        "{}{}{}{}",
        map("auto.master"),
        map("auto.home"),
        line("auto.master", "/home", "auto.home"),
        line("auto.home", "jane", "-rw,hard server:/export/jane")
    ));
    let parent = open(&slapd);
    let records = |properties: &[(&str, &str)]| {
        let list: Vec<Property> =
            properties.iter().map(|(name, value)| Property::new(*name, [*value])).collect();
        let list: PropListBuf = list.iter().collect();
        let pattern = Pattern { category: b"mount", properties: list.as_list(), single: false, skip: 0 };
        match look(&parent, |view| view.records(&pattern)) {
            Answer::Found(found) => found.records.len(),
            _ => 0,
        }
    };
    assert_eq!(records(&[("name", "server:/export/jane"), ("dir", "/home/jane")]), 1);
    assert_eq!(records(&[("opts", "hard")]), 1);
    assert_eq!(records(&[("dir", "/home/bob")]), 0);
    assert_eq!(records(&[]), 1);
}

#[test]
fn tables_are_listed() {
    let slapd = Slapd::start();
    let parent = open(&slapd);
    let users = listed(&parent, Category::Passwd);
    assert_eq!(users.len(), 2, "{users:?}");
    let groups = listed(&parent, Category::Group);
    assert!(groups.contains(&"makers:601:bob,jane".to_owned()) && groups.len() == 2, "{groups:?}");
}

#[test]
fn passwords_are_verified_there_and_remembered_for_a_while() {
    let mut slapd = Slapd::start();
    let parent = open(&slapd);
    let verify = |secret: &str| parent.verify(b"jane", secret.as_bytes());
    assert_eq!(verify("secret"), Login::Told(Verdict::Right));
    for wrong in ["guess", "", "Secret"] {
        assert_eq!(verify(wrong), Login::Told(Verdict::Wrong), "{wrong}");
    }
    assert_eq!(parent.verify(b"zoe", b"secret"), Login::Told(Verdict::NoUser));
    slapd.stop();
    assert_eq!(verify("secret"), Login::Remembered(true));
    assert_eq!(verify("guess"), Login::Remembered(false));
    assert!(matches!(parent.verify(b"bob", b"other"), Login::Away(_)));
    // Changed while this machine could not see it.
    slapd.restart();
    slapd.modify(
        "dn: uid=jane,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: userPassword\nuserPassword: newer\n",
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while parent.state().away.is_some() {
        assert!(Instant::now() < deadline, "{:?}", parent.state());
        sleep(Duration::from_millis(50));
    }
    assert_eq!(verify("secret"), Login::Told(Verdict::Wrong));
    slapd.stop();
    assert!(matches!(verify("secret"), Login::Away(_)), "it was refused");
    slapd.restart();
}

#[test]
fn what_is_kept_of_a_login_is_for_its_owner_and_not_the_password() {
    let slapd = Slapd::start();
    let parent = open(&slapd);
    assert_eq!(parent.verify(b"jane", b"secret"), Login::Told(Verdict::Right));
    find(&parent, Category::Passwd, Key::Name(b"jane"));
    drop(parent);
    let mut seen = 0;
    for file in fs::read_dir(slapd.folder().join("parents")).unwrap() {
        let file = file.unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let bytes = fs::read(file.path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"), "{:?}", file.path());
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn passwords_are_changed_there() {
    let mut slapd = Slapd::start();
    let parent = open(&slapd);
    assert_eq!(parent.change(b"jane", b"guess", b"battery staple"), Ok(Changed::Wrong));
    assert_eq!(parent.change(b"jane", b"secret", b"battery staple"), Ok(Changed::Done));
    assert_eq!(parent.verify(b"jane", b"secret"), Login::Told(Verdict::Wrong));
    assert_eq!(parent.verify(b"jane", b"battery staple"), Login::Told(Verdict::Right));
    slapd.stop();
    assert_eq!(parent.verify(b"jane", b"battery staple"), Login::Remembered(true));
    assert!(parent.change(b"jane", b"battery staple", b"secret").is_err());
}

#[test]
fn only_the_right_server_is_believed() {
    let slapd = Slapd::start();
    let other = Slapd::start();
    let mut wrong = ldap(&slapd);
    wrong.ca_file = Some(other.authority());
    let mut elsewhere = ldap(&slapd);
    elsewhere.url = elsewhere.url.replace("localhost", "127.0.0.1");
    for parent in [wrong, elsewhere] {
        let parent = Upstream::open(&Parent::Ldap(parent), policy(), &slapd.folder().join("parents"));
        assert_eq!(find(&parent, Category::Passwd, Key::Name(b"jane")), "TryAgain");
        assert!(matches!(parent.verify(b"jane", b"secret"), Login::Away(_)));
        let away = parent.state().away.unwrap();
        assert!(away.contains("certificate"), "{away}");
    }
}

#[test]
fn this_machine_may_have_a_name_there() {
    let slapd = Slapd::start();
    let file = slapd.folder().join("password");
    let mut parent = ldap(&slapd);
    parent.bind_dn = Some("cn=admin,dc=example,dc=com".into());
    parent.password_file = Some(file.clone());
    for (password, found) in [("admin-password\n", true), ("wrong\n", false), ("\n", false)] {
        fs::write(&file, password).unwrap();
        let parent =
            Upstream::open(&Parent::Ldap(parent.clone()), policy(), &slapd.folder().join(password.trim()));
        let known = find(&parent, Category::Passwd, Key::Name(b"jane")) != "TryAgain";
        assert_eq!(known, found, "{password:?} {:?}", parent.state());
    }
}

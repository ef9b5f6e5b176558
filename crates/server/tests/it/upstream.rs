//! A machine below a domain of another machine, which it asks: its users are known and log in, and go on doing so for a
//! while when the other machine cannot be reached.

use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::{Neighbour, ip, isolated};
use netinfo_testkit::slapd::Slapd;
use netinfo_testkit::{Caller, Node};
use netinfo_wire::control;
use netinfo_wire::login::{Account, Answer as Reply, Change, Outcome, PROGRAM, Place, Procedure, VERSION};
use netinfo_wire::lookup::answer::{decode_all, decode_find, decode_initgroups};
use netinfo_wire::lookup::{Answer, Category, Cookie, Entry, Key, Query, Request};
use netinfo_wire::netinfo as ni;
use serde_json::json;

use crate::login::password;
use crate::lookup::Asker;
use crate::replication::Network;
use crate::tree::Tree;
use crate::users::SECRET;

/// crypt("two").
const TWO: &str = "twWqSnNVEaM9.";
/// How long a change of what is above may take to be noticed: a search, the pauses after failures.
const NOTICED: Duration = Duration::from_secs(15);

/// `alpha` serves `network` with jane and the group staff, and shows its hashes to `beta`, whose `local` is below it.
fn network() -> Network {
    network_with("")
}

/// The same; `beta` has `config` in its configuration file.
fn network_with(config: &str) -> Network {
    let mut network = Network::with(config);
    let users = network.master.make(0, &[("name", &["users"])]);
    network.master.make(
        users,
        &[("name", &["jane", "jd"]), ("uid", &["501"]), ("gid", &["20"]), ("passwd", &[SECRET])],
    );
    let groups = network.master.make(0, &[("name", &["groups"])]);
    network.master.make(groups, &[("name", &["staff"]), ("gid", &["20"]), ("users", &["jane", "bob"])]);
    network.master.make(groups, &[("name", &["games"]), ("gid", &["60"]), ("users", &["jane"])]);
    network.master.set(0, "passwd_networks", &["10.0.0"]);
    let mut local = Tree { caller: Caller::unix(&network.beta.socket()) };
    let machines = local.lookup(0, "name", "machines").unwrap()[0];
    let serves: &[&str] = &["../network"];
    local.make(machines, &[("name", &["above"]), ("ip_address", &["10.0.0.1"]), ("serves", serves)]);
    let groups = local.make(0, &[("name", &["groups"])]);
    local.make(groups, &[("name", &["wheel"]), ("gid", &["7"]), ("users", &["jane"])]);
    local.caller.netinfo(ni::Procedure::RParent, &[]);
    until(&network, "jane is known", |network| find(network, Category::Passwd, Key::Name(b"jane")) == "501");
    network
}

#[track_caller]
fn until(network: &Network, what: &str, mut ready: impl FnMut(&Network) -> bool) {
    let deadline = Instant::now() + NOTICED;
    while !ready(network) {
        assert!(Instant::now() < deadline, "{what}: not yet\n{}", network.beta.log());
        sleep(Duration::from_millis(700));
    }
}

/// The number of what `beta` finds, with the members of a group; or the outcome.
fn find(network: &Network, category: Category, key: Key<'_>) -> String {
    let results = Asker::new(&network.beta.lookup()).ask(&Request::Find(Query { category, key }));
    match decode_find(&results).unwrap() {
        Answer::Found(Entry::Passwd(user)) => user.uid.to_string(),
        Answer::Found(Entry::Group(group)) => {
            let members: Vec<_> = group.members.iter().map(String::from_utf8_lossy).collect();
            format!("{}: {}", group.gid, members.join(","))
        }
        other => format!("{other:?}"),
    }
}

fn gids(network: &Network, user: &[u8]) -> Vec<u32> {
    let results = Asker::new(&network.beta.lookup()).ask(&Request::Initgroups(user));
    match decode_initgroups(&results).unwrap() {
        Answer::Found(gids) => gids.iter().collect(),
        other => panic!("{other:?}"),
    }
}

fn listed(network: &Network) -> Vec<String> {
    let request = Request::All { category: Category::Passwd, cookie: Cookie::START };
    let results = Asker::new(&network.beta.lookup()).ask(&request);
    match decode_all(&results).unwrap() {
        Answer::Found(page) => {
            page.entries.iter().map(|entry| String::from_utf8_lossy(entry.name()).into_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn login(network: &Network, secret: &str) -> Outcome {
    password(&mut Caller::unix(&network.beta.login()), "jane", secret.as_bytes(), None).0
}

fn ask(network: &Network, procedure: Procedure, put: impl Fn(&mut Vec<u8>)) -> Outcome {
    let mut args = Vec::new();
    put(&mut args);
    let mut caller = Caller::unix(&network.beta.login());
    let reply = caller.call(PROGRAM, VERSION, procedure.code(), &args).unwrap();
    Reply::decode(&reply).unwrap().outcome
}

fn account(network: &Network, groups: &[&[u8]]) -> Outcome {
    let place = Place::default();
    let account = Account {
        user: b"jane",
        place,
        by_host: false,
        by_service: false,
        one_of: Vec::new(),
        all_of: groups.to_vec(),
    };
    ask(network, Procedure::Account, |buf| account.encode(buf))
}

/// Everything that is known of jane while `alpha` is there, and while it is not.
#[track_caller]
fn jane_is_known(network: &Network) {
    assert_eq!(find(network, Category::Passwd, Key::Name(b"jane")), "501");
    assert_eq!(find(network, Category::Passwd, Key::Number(501)), "501");
    assert_eq!(find(network, Category::Group, Key::Name(b"staff")), "20: jane,bob");
    assert_eq!(find(network, Category::Group, Key::Number(7)), "7: jane");
    assert_eq!(gids(network, b"jane"), [20, 7, 60]);
    assert!(listed(network).contains(&"jane".to_owned()));
    assert_eq!(account(network, &[b"staff", b"games", b"wheel"]), Outcome::Ok);
    assert_eq!(account(network, &[b"staff", b"none"]), Outcome::NotAllowed);
    assert_eq!(login(network, "secret"), Outcome::Ok);
    assert_eq!(login(network, "guess"), Outcome::Bad);
}

#[test]
fn users_of_a_parent_that_is_asked_log_in_with_the_network_gone() {
    isolated(|| {
        let mut network = network();
        jane_is_known(&network);
        assert_eq!(find(&network, Category::Passwd, Key::Name(b"jd")), "501");
        assert_eq!(find(&network, Category::Passwd, Key::Name(b"nobody-of-this-name")), "NotFound");
        network.alpha.kill9();
        jane_is_known(&network);
        let begin = Instant::now();
        assert_eq!(find(&network, Category::Group, Key::Name(b"never-asked-for")), "TryAgain");
        assert!(begin.elapsed() < Duration::from_secs(2));
        // The machine is switched on while the other one is away.
        network.beta.terminate();
        network.restart_clone();
        let mut local = Tree { caller: Caller::unix(&network.beta.socket()) };
        local.caller.netinfo(ni::Procedure::RParent, &[]);
        until(&network, "jane is known again", |network| {
            find(network, Category::Passwd, Key::Name(b"jane")) == "501"
        });
        jane_is_known(&network);
    });
}

#[test]
fn a_password_changed_at_the_parent_counts_as_soon_as_it_is_back() {
    isolated(|| {
        let mut network = network();
        assert_eq!(login(&network, "secret"), Outcome::Ok);
        let users = network.master.lookup(0, "name", "users").unwrap()[0];
        let jane = network.master.lookup(users, "name", "jane").unwrap()[0];
        network.master.set(jane, "passwd", &[TWO]);
        assert_eq!(login(&network, "secret"), Outcome::Bad);
        assert_eq!(login(&network, "two"), Outcome::Ok);
        network.alpha.kill9();
        assert_eq!(login(&network, "secret"), Outcome::Bad);
        assert_eq!(login(&network, "two"), Outcome::Ok);
        network.alpha.launch();
        network.master = Tree::privileged(network.alpha.domain("network"));
        network.master.set(jane, "passwd", &[SECRET]);
        until(&network, "the new password", |network| login(network, "secret") == Outcome::Ok);
        assert_eq!(login(&network, "two"), Outcome::Bad);
        // An account that is locked stays so with the parent gone.
        network.master.set(jane, "passwd", &["!"]);
        assert_eq!(login(&network, "secret"), Outcome::Disabled);
        network.alpha.kill9();
        assert_ne!(login(&network, "secret"), Outcome::Ok);
    });
}

#[test]
fn passwords_are_not_sent_in_the_clear() {
    isolated(|| {
        let mut network = network();
        // `beta` is no clone either.
        network.master.unset(0, "passwd_networks");
        let beta = network.master.lookup(1, "name", "beta").unwrap()[0];
        network.master.set(beta, "serves", &["beta/local"]);
        assert_eq!(login(&network, "secret"), Outcome::Unavailable);
        let change =
            Change { user: b"jane", old: Some(b"secret"), new: b"battery staple", place: Place::default() };
        assert_eq!(ask(&network, Procedure::Change, |buf| change.encode(buf)), Outcome::Refused);
        let log = network.beta.log();
        assert!(log.contains("passwd_networks") && log.contains("plain_passwords"), "{log}");
        assert!(!log.contains("secret") && !log.contains("battery"), "{log}");
    });
}

#[test]
fn passwords_are_sent_in_the_clear_where_that_is_allowed() {
    isolated(|| {
        let mut network = network_with("lookup.plain_passwords = true");
        network.master.unset(0, "passwd_networks");
        let beta = network.master.lookup(1, "name", "beta").unwrap()[0];
        network.master.set(beta, "serves", &["beta/local"]);
        let users = network.master.lookup(0, "name", "users").unwrap()[0];
        let jane = network.master.lookup(users, "name", "jane").unwrap()[0];
        network.master.set(jane, "_writers_passwd", &["jane"]);
        assert_eq!(login(&network, "guess"), Outcome::Bad);
        assert_eq!(login(&network, "secret"), Outcome::Ok);
        let change = |old: &[u8]| {
            let change =
                Change { user: b"jane", old: Some(old), new: b"battery staple", place: Place::default() };
            ask(&network, Procedure::Change, |buf| change.encode(buf))
        };
        assert_eq!(change(b"guess"), Outcome::Bad);
        assert_eq!(login(&network, "secret"), Outcome::Ok);
        assert_eq!(change(b"secret"), Outcome::Ok);
        assert_eq!(login(&network, "secret"), Outcome::Bad);
        assert_eq!(login(&network, "battery staple"), Outcome::Ok);
        let log = network.beta.log();
        assert!(!log.contains("secret") && !log.contains("battery"), "{log}");
    });
}

/// A machine that is bound to a directory on another one, 10.0.0.2.
struct Bound {
    node: Node,
    slapd: Slapd,
    neighbour: Neighbour,
}

impl Bound {
    fn new() -> Self {
        let neighbour = Neighbour::new();
        let slapd = neighbour.enter(Slapd::start);
        let builder = Node::builder().listen("local", "DIR/netinfod.sock");
        let node = builder.listen("lookup", "DIR/lookup.sock").listen("login", "DIR/login.sock").start();
        let parent = format!(
            "{}/dc=example,dc=com????x-start-tls,x-ca-file={}",
            slapd.url_at("10.0.0.2"),
            slapd.authority().display()
        );
        let bound = Self { node, slapd, neighbour };
        bound.request(&json!({ "op": "bind", "tag": "local", "parents": [parent] }));
        bound
    }

    fn request(&self, request: &serde_json::Value) {
        let mut args = Vec::new();
        control::put_request(&mut args, request.to_string().as_bytes());
        let mut caller = Caller::unix(&self.node.socket());
        let reply = caller.call(control::PROGRAM, control::VERSION, 1, &args).unwrap();
        let response = control::Response::decode(&reply).unwrap();
        assert_eq!(response.status, ni::Status::Ok, "{}", String::from_utf8_lossy(response.json));
    }

    fn passwd(&self, key: Key<'_>) -> String {
        let query = Query { category: Category::Passwd, key };
        let results = Asker::new(&self.node.lookup()).ask(&Request::Find(query));
        match decode_find(&results).unwrap() {
            Answer::Found(Entry::Passwd(user)) => format!("{} {}", user.uid, user.home.escape_ascii()),
            other => format!("{other:?}"),
        }
    }

    fn login(&self, secret: &str) -> Outcome {
        password(&mut Caller::unix(&self.node.login()), "jane", secret.as_bytes(), None).0
    }

    #[track_caller]
    fn until(&self, what: &str, ready: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + NOTICED;
        while !ready(self) {
            assert!(Instant::now() < deadline, "{what}: not yet\n{}", self.node.log());
            sleep(Duration::from_millis(700));
        }
    }
}

#[test]
fn below_a_directory_the_link_to_which_is_cut() {
    isolated(|| {
        let bound = Bound::new();
        bound.until("jane is known", |bound| bound.passwd(Key::Name(b"jane")) == "5001 /home/jane");
        assert_eq!(bound.login("secret"), Outcome::Ok);
        assert_eq!(bound.login("guess"), Outcome::Bad);
        ip("link set net0 down");
        let begin = Instant::now();
        assert_eq!(bound.passwd(Key::Name(b"bob")), "TryAgain");
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        assert_eq!(bound.passwd(Key::Name(b"jane")), "5001 /home/jane");
        assert_eq!(bound.passwd(Key::Number(5001)), "5001 /home/jane");
        assert_eq!(bound.login("secret"), Outcome::Ok);
        assert_eq!(bound.login("guess"), Outcome::Bad);
        bound.neighbour.enter(|| {
            bound.slapd.modify(
                "dn: uid=jane,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: userPassword\n\
                 userPassword: newer\n",
            );
        });
        assert_eq!(bound.login("newer"), Outcome::Bad, "it is not known here");
        ip("link set net0 up");
        bound.until("bob is known", |bound| bound.passwd(Key::Name(b"bob")) == "5002 /home/bob");
        assert_eq!(bound.login("secret"), Outcome::Bad);
        assert_eq!(bound.login("newer"), Outcome::Ok);
        let change =
            Change { user: b"jane", old: Some(b"newer"), new: b"battery staple", place: Place::default() };
        let mut args = Vec::new();
        change.encode(&mut args);
        let mut caller = Caller::unix(&bound.node.login());
        let reply = caller.call(PROGRAM, VERSION, Procedure::Change.code(), &args).unwrap();
        assert_eq!(Reply::decode(&reply).unwrap().outcome, Outcome::Ok);
        assert_eq!(bound.login("newer"), Outcome::Bad);
        assert_eq!(bound.login("battery staple"), Outcome::Ok);
        // Whoever is given up is forgotten.
        let kept = || std::fs::read_dir(bound.node.data().join("parents")).unwrap().count();
        assert!(kept() > 0);
        bound.request(&json!({ "op": "unbind", "tag": "local" }));
        bound.until("nothing is kept", |_| kept() == 0);
        assert_eq!(bound.passwd(Key::Name(b"jane")), "NotFound");
    });
}

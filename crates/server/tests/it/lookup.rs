//! Look-ups over their own socket, as the modules of the C library ask.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use netinfo_testkit::Node;
use netinfo_testkit::namespace::need_root;
use netinfo_wire::lookup::answer::{
    decode_all, decode_find, decode_initgroups, decode_innetgr, decode_records, decode_trace, results,
};
use netinfo_wire::lookup::{
    Answer, Category, Cookie, Entry, Innetgr, Key, MAX_CALL, MAX_REPLY, PROGRAM, Pattern, Query, Request,
};
use netinfo_wire::netinfo::{PropListBuf, Property};
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::{AcceptStat, Credential, Outcome, parse_reply, put_call};

use crate::tree::{Props, Tree};

const HASH: &str = "$6$salt$hashhashhash";

/// A connection to the socket of look-ups.
pub(crate) struct Asker {
    stream: UnixStream,
    xid: u32,
}

impl Asker {
    pub(crate) fn new(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { stream, xid: 0 }
    }

    /// The next reply message.
    fn reply(&mut self) -> Vec<u8> {
        let mut decoder = Decoder::new(MAX_REPLY);
        let mut buffer = [0; 4096];
        loop {
            let n = self.stream.read(&mut buffer).unwrap();
            assert_ne!(n, 0, "closed");
            if let (_, Some(message)) = decoder.next(&buffer[..n]).unwrap() {
                return message.to_vec();
            }
        }
    }

    pub(crate) fn ask(&mut self, request: &Request<'_>) -> Vec<u8> {
        self.xid += 1;
        let mut call = Vec::new();
        request.put_record(&mut call, self.xid);
        self.stream.write_all(&call).unwrap();
        let reply = self.reply();
        results(&reply, self.xid).unwrap_or_else(|| panic!("{:?}", parse_reply(&reply))).to_vec()
    }

    /// Name of what is found, or the outcome.
    pub(crate) fn find(&mut self, category: Category, key: Key<'_>) -> String {
        let results = self.ask(&Request::Find(Query { category, key }));
        match decode_find(&results).unwrap() {
            Answer::Found(entry) => String::from_utf8_lossy(entry.name()).into_owned(),
            other => format!("{other:?}"),
        }
    }

    pub(crate) fn passwd(&mut self, name: &str) -> Option<u32> {
        let query = Query { category: Category::Passwd, key: Key::Name(name.as_bytes()) };
        let results = self.ask(&Request::Find(query));
        match decode_find(&results).unwrap() {
            Answer::Found(Entry::Passwd(passwd)) => {
                assert!(matches!(passwd.passwd, b"x" | b"*"), "{passwd:?}");
                Some(passwd.uid)
            }
            Answer::NotFound => None,
            other => panic!("{other:?}"),
        }
    }
}

fn user(tree: &mut Tree, users: u32, name: &str, uid: &str) {
    let record: Props<'_> = &[("name", &[name]), ("uid", &[uid]), ("gid", &["20"]), ("passwd", &[HASH])];
    tree.make(users, record);
}

/// A node whose domain `local` has `network` above it; the trees of both.
fn two_domains() -> (Node, Tree, Tree) {
    let node = Node::start();
    node.create_master("network");
    let mut local = Tree::privileged(node.domain("local"));
    let mut network = Tree::privileged(node.domain("network"));
    let machines = local.lookup(0, "name", "machines").unwrap()[0];
    let above: Props<'_> =
        &[("name", &["above"]), ("ip_address", &["127.0.0.1"]), ("serves", &["../network"])];
    local.make(machines, above);
    let users = local.make(0, &[("name", &["users"])]);
    user(&mut local, users, "jane", "501");
    let groups = local.make(0, &[("name", &["groups"])]);
    local.make(groups, &[("name", &["staff"]), ("gid", &["20"]), ("users", &["jane"])]);
    let users = network.make(0, &[("name", &["users"])]);
    user(&mut network, users, "jane", "900");
    user(&mut network, users, "bob", "502");
    let groups = network.make(0, &[("name", &["groups"])]);
    network.make(groups, &[("name", &["games"]), ("gid", &["60"]), ("users", &["jane", "bob"])]);
    network.make(groups, &[("name", &["staff"]), ("gid", &["77"]), ("users", &["bob"])]);
    (node, local, network)
}

#[test]
fn entries_of_both_domains_are_found() {
    let (node, ..) = two_domains();
    let mut asker = Asker::new(&node.lookup());
    assert_eq!(asker.passwd("jane"), Some(501));
    assert_eq!(asker.passwd("bob"), Some(502));
    assert_eq!(asker.passwd("nobody"), None);
    assert_eq!(asker.find(Category::Passwd, Key::Number(502)), "bob");
    assert_eq!(asker.find(Category::Passwd, Key::Number(900)), "NotFound");
    let staff = asker.ask(&Request::Find(Query { category: Category::Group, key: Key::Number(20) }));
    let Ok(Answer::Found(Entry::Group(staff))) = decode_find(&staff) else { panic!() };
    assert_eq!(staff.members.iter().collect::<Vec<_>>(), [b"jane".as_slice(), b"bob"]);
    let gids = asker.ask(&Request::Initgroups(b"jane"));
    let Ok(Answer::Found(gids)) = decode_initgroups(&gids) else { panic!() };
    assert_eq!(gids.iter().collect::<Vec<_>>(), [20, 60]);
    assert_eq!(decode_initgroups(&asker.ask(&Request::Initgroups(b"x"))), Ok(Answer::NotFound));
    assert_eq!(asker.ask(&Request::Null), b"");
}

#[test]
fn everything_is_enumerated() {
    let (node, mut local, mut network) = two_domains();
    // A few of these fill a page.
    let realname = "x".repeat(60_000);
    for (tree, name) in [(&mut local, "local"), (&mut network, "network")] {
        let users = tree.lookup(0, "name", "users").unwrap()[0];
        for n in 0..6 {
            let (name, uid) = (format!("{name}{n}"), (1000 + n).to_string());
            tree.make(users, &[("name", &[&name]), ("uid", &[&uid]), ("realname", &[&realname])]);
        }
    }
    let mut asker = Asker::new(&node.lookup());
    let mut all = |category| {
        let (mut names, mut cookie, mut pages) = (Vec::new(), Some(Cookie::START), 0);
        while let Some(from) = cookie {
            let results = asker.ask(&Request::All { category, cookie: from });
            let Ok(Answer::Found(page)) = decode_all(&results) else { panic!() };
            names.extend(page.entries.iter().map(|entry| String::from_utf8_lossy(entry.name()).into_owned()));
            cookie = page.next;
            pages += 1;
        }
        (names, pages)
    };
    let (names, pages) = all(Category::Passwd);
    assert_eq!((names.len(), pages), (14, 3));
    assert_eq!([&names[0], &names[1], &names[7], &names[13]], ["jane", "local0", "bob", "network5"]);
    assert_eq!(all(Category::Group).0, ["staff", "games"]);
    assert_eq!(all(Category::Host).0, ["alpha", "above"]);
    let netgroups = asker.ask(&Request::All { category: Category::Netgroup, cookie: Cookie::START });
    assert_eq!(decode_all(&netgroups), Ok(Answer::NotFound));
}

#[test]
fn changes_are_seen_at_once() {
    let (node, mut local, mut network) = two_domains();
    let mut asker = Asker::new(&node.lookup());
    assert_eq!(asker.passwd("carol"), None);
    let users = network.lookup(0, "name", "users").unwrap()[0];
    user(&mut network, users, "carol", "503");
    assert_eq!(asker.passwd("carol"), Some(503));
    let own = local.lookup(0, "name", "users").unwrap()[0];
    user(&mut local, own, "carol", "504");
    assert_eq!(asker.passwd("carol"), Some(504));
    // Without its parent, the domain stands alone.
    let root = local.at(0);
    local.create_prop(root, "isRoot", &["YES"], u32::MAX).unwrap();
    assert_eq!(asker.passwd("bob"), None);
    assert_eq!(asker.passwd("jane"), Some(501));
}

#[test]
fn a_trace_and_the_historical_query() {
    let (node, ..) = two_domains();
    let mut asker = Asker::new(&node.lookup());
    let query = Query { category: Category::Passwd, key: Key::Name(b"bob") };
    let traced = asker.ask(&Request::Trace(query));
    let (steps, answer) = decode_trace(&traced).unwrap();
    let steps: Vec<_> = steps.iter().map(|step| (step.source, step.outcome)).collect();
    let expected: [(&[u8], &[u8]); 2] =
        [(b"local", b"users/name=bob: nothing"), (b"network", b"users/name=bob: 1 record")];
    assert_eq!(steps, expected);
    assert!(matches!(answer, Answer::Found(Entry::Passwd(bob)) if bob.uid == 502));

    let pattern = [Property { name: b"name".to_vec(), values: vec![b"jane".to_vec()] }];
    let list: PropListBuf = pattern.iter().collect();
    let pattern = Pattern { category: b"user", properties: list.as_list(), single: false, skip: 0 };
    let records = asker.ask(&Request::Records(pattern));
    assert!(!records.windows(4).any(|w| w == &HASH.as_bytes()[8..12]), "a hash was told");
    let Ok(Answer::Found((records, false))) = decode_records(&records) else { panic!() };
    let uids: Vec<_> =
        records.iter().map(|r| r.get(b"uid").unwrap().iter().next().unwrap().to_vec()).collect();
    assert_eq!(uids, [b"501".to_vec(), b"900".to_vec()]);
}

#[test]
fn netgroups() {
    let (node, mut local, _) = two_domains();
    let users = local.lookup(0, "name", "users").unwrap()[0];
    local.make(users, &[("name", &["dan"]), ("uid", &["505"]), ("netgroups", &["desks"])]);
    let mut asker = Asker::new(&node.lookup());
    let mut innetgr = |user: &'static str| {
        let args = Innetgr { group: b"desks", host: None, user: Some(user.as_bytes()), domain: None };
        decode_innetgr(&asker.ask(&Request::Innetgr(args))).unwrap()
    };
    assert_eq!(innetgr("dan"), Answer::Found(()));
    assert_eq!(innetgr("jane"), Answer::NotFound);
    let desks = asker.ask(&Request::Find(Query { category: Category::Netgroup, key: Key::Name(b"desks") }));
    let Ok(Answer::Found(Entry::Netgroup(desks))) = decode_find(&desks) else { panic!() };
    assert_eq!(desks.iter().map(|t| t.user).collect::<Vec<_>>(), [b"dan"]);
}

#[test]
fn the_socket_is_for_everybody_and_for_look_ups_only() {
    let (node, ..) = two_domains();
    let mode = std::fs::metadata(node.lookup()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
    let mut asker = Asker::new(&node.lookup());
    let mut refused = |prog, vers, proc, args: &[u8]| {
        let mut call = Vec::new();
        let mark = record::begin(&mut call);
        put_call(&mut call, 5, prog, vers, proc, &Credential::None);
        call.extend_from_slice(args);
        record::end(&mut call, mark);
        asker.stream.write_all(&call).unwrap();
        let reply = asker.reply();
        match parse_reply(&reply).unwrap().outcome {
            Outcome::Failed(stat) => stat,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(netinfo_wire::control::PROGRAM, 1, 0, b""), AcceptStat::ProgUnavail);
    assert_eq!(refused(netinfo_wire::netinfo::PROGRAM, 2, 0, b""), AcceptStat::ProgUnavail);
    assert_eq!(refused(PROGRAM, 2, 0, b""), AcceptStat::ProgMismatch { low: 1, high: 1 });
    assert_eq!(refused(PROGRAM, 1, 7, b""), AcceptStat::ProcUnavail);
    assert_eq!(refused(PROGRAM, 1, 1, b""), AcceptStat::GarbageArgs);
    assert_eq!(refused(PROGRAM, 1, 1, &[0xff; 16]), AcceptStat::GarbageArgs);
    assert_eq!(asker.passwd("jane"), Some(501), "the connection is still good");
    // A call that is too long ends it.
    let length = 0x8000_0000 | (MAX_CALL as u32 + 1);
    asker.stream.write_all(&length.to_be_bytes()).unwrap();
    assert_eq!(asker.stream.read(&mut [0; 4]).unwrap(), 0);
}

const SOCKET: &str = "NETINFO_TEST_SOCKET";

#[test]
fn hashes_are_for_the_superuser() {
    if let Some(socket) = std::env::var_os(SOCKET) {
        // Run by nobody in particular.
        let mut asker = Asker::new(socket.as_ref());
        assert_eq!(asker.find(Category::Shadow, Key::Name(b"jane")), "Refused");
        assert_eq!(asker.find(Category::Shadow, Key::Number(501)), "Refused");
        let all = asker.ask(&Request::All { category: Category::Shadow, cookie: Cookie::START });
        assert_eq!(decode_all(&all), Ok(Answer::Refused));
        let query = Query { category: Category::Shadow, key: Key::Name(b"jane") };
        let traced = asker.ask(&Request::Trace(query));
        assert_eq!(decode_trace(&traced).unwrap().1, Answer::Refused);
        assert_eq!(asker.passwd("jane"), Some(501));
        return;
    }
    need_root("it runs itself as another user");
    let (node, ..) = two_domains();
    let mut asker = Asker::new(&node.lookup());
    let query = Query { category: Category::Shadow, key: Key::Name(b"bob") };
    let shadow = asker.ask(&Request::Find(query));
    let Ok(Answer::Found(Entry::Shadow(shadow))) = decode_find(&shadow) else { panic!() };
    assert_eq!(shadow.passwd, HASH.as_bytes());
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "lookup::hashes_are_for_the_superuser", "--nocapture"])
        .current_dir("/")
        .env(SOCKET, node.lookup())
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{}", node.log());
    assert!(!node.log().contains("hashhash"), "{}", node.log());
}

/// Puts the domain `above` above the one of this tree.
fn put_above(tree: &mut Tree, above: &str) {
    let machines = tree.lookup(0, "name", "machines").unwrap()[0];
    let serves = format!("../{above}");
    tree.make(machines, &[("name", &["above"]), ("ip_address", &["127.0.0.1"]), ("serves", &[&serves])]);
}

#[test]
fn no_more_than_so_many_domains_are_asked() {
    // `local` and 32 others.
    let node = Node::start();
    let mut below = Tree::privileged(node.domain("local"));
    for n in 1..=32 {
        let tag = format!("d{n}");
        node.create_master(&tag);
        put_above(&mut below, &tag);
        below = Tree::privileged(node.domain(&tag));
        let users = below.make(0, &[("name", &["users"])]);
        user(&mut below, users, &format!("u{n}"), &n.to_string());
    }
    let mut asker = Asker::new(&node.lookup());
    assert_eq!(asker.passwd("u31"), Some(31));
    assert_eq!(asker.passwd("u32"), None);
}

#[test]
fn many_listings_at_once_are_all_answered() {
    let (node, ..) = two_domains();
    let mut askers: Vec<_> = (0..20).map(|_| Asker::new(&node.lookup())).collect();
    let mut call = Vec::new();
    Request::All { category: Category::Passwd, cookie: Cookie::START }.put_record(&mut call, 1);
    for asker in &mut askers {
        asker.stream.write_all(&call.repeat(5)).unwrap();
    }
    for asker in &mut askers {
        let reply = asker.reply();
        let Ok(Answer::Found(page)) = decode_all(results(&reply, 1).unwrap()) else { panic!() };
        assert_eq!(page.entries.len(), 2);
    }
}

#[test]
fn loops_of_domains_end() {
    let (node, _, mut network) = two_domains();
    let machines = network.lookup(0, "name", "machines").unwrap()[0];
    let above: Props<'_> = &[("name", &["above"]), ("ip_address", &["127.0.0.1"]), ("serves", &["../local"])];
    network.make(machines, above);
    let mut asker = Asker::new(&node.lookup());
    assert_eq!(asker.passwd("bob"), Some(502));
    assert_eq!(asker.passwd("nobody"), None);
}

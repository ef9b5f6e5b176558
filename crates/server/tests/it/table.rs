//! The table of local look-ups says what the socket says, and nothing that is out of date.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_table::{Found, Record, Section, Table, status};
use netinfo_testkit::Node;
use netinfo_wire::lookup::answer::{decode_find, decode_initgroups};
use netinfo_wire::lookup::{Answer, Category, Entry, Key, Query, Request};

use crate::lookup::Asker;
use crate::tree::Tree;

/// How long a table may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node that publishes its table in a file of the test's own.
struct Published {
    node: Node,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Published {
    fn start() -> Self {
        Self::with("")
    }

    /// One with this in its configuration file.
    fn with(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("table");
        let path = dir.path().join("netinfod.toml");
        std::fs::write(&path, config).unwrap();
        let node = Node::builder().arg("--table").arg(&file).arg("--config").arg(path).start();
        Self { node, file, _dir: dir }
    }

    /// Image and generation of the table if it is to be used now.
    fn now(&self) -> Option<(Vec<u8>, u64)> {
        now(&self.file)
    }

    /// The same once it is to be used.
    fn wait(&self) -> (Vec<u8>, u64) {
        let begin = Instant::now();
        loop {
            if let Some(found) = self.now() {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "no table\n{}", self.node.log());
            sleep(Duration::from_millis(2));
        }
    }
}

fn now(file: &Path) -> Option<(Vec<u8>, u64)> {
    let mut bytes = std::fs::read(file).ok()?;
    let status = status::Status::parse(&bytes).unwrap();
    (status.state == status::LIVE).then(|| (bytes.split_off(status::PAGE), status.generation))
}

/// What the table says, as text.
fn told(found: Found<Record<'_>>, strings: usize) -> String {
    match found {
        Found::Hit(record) => {
            let strings: Vec<_> =
                record.strings().take(strings).map(|s| s.escape_ascii().to_string()).collect();
            format!("{} {} {}", record.number, record.second, strings.join(":"))
        }
        Found::Miss => "none".into(),
        Found::Unsure => "unsure".into(),
    }
}

/// What the socket says, as the same text. The table's number of names of a group is not known here.
fn asked(asker: &mut Asker, category: Category, key: Key<'_>) -> String {
    let results = asker.ask(&Request::Find(Query { category, key }));
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    match decode_find(&results).unwrap() {
        Answer::Found(Entry::Passwd(user)) => {
            let strings = [user.name, user.passwd, user.gecos, user.home, user.shell].map(text);
            format!("{} {} {}", user.uid, user.gid, strings.join(":"))
        }
        Answer::Found(Entry::Group(group)) => {
            let strings = [group.name, group.passwd].into_iter().chain(group.members.iter()).map(text);
            format!("{} {}", group.gid, strings.collect::<Vec<_>>().join(":"))
        }
        Answer::Found(Entry::Service(service)) => {
            let strings =
                [service.name, service.protocol].into_iter().chain(service.aliases.iter()).map(text);
            format!("{} 0 {}", service.port, strings.collect::<Vec<_>>().join(":"))
        }
        Answer::NotFound => "none".into(),
        other => panic!("{other:?}"),
    }
}

/// A group of the table without the further names.
fn group(found: Found<Record<'_>>) -> String {
    let Found::Hit(record) = found else { return told(found, 0) };
    let strings: Vec<_> = record.strings().map(|s| s.escape_ascii().to_string()).collect();
    let members = &strings[2 + record.second as usize..];
    let strings: Vec<_> = strings[..2].iter().chain(members).cloned().collect();
    format!("{} {}", record.number, strings.join(":"))
}

/// Two domains with everything that makes look-ups difficult.
fn fill(node: &Node) {
    node.create_master("network");
    let mut local = Tree::privileged(node.domain("local"));
    let mut network = Tree::privileged(node.domain("network"));
    let machines = local.lookup(0, "name", "machines").unwrap()[0];
    local
        .make(machines, &[("name", &["above"]), ("ip_address", &["127.0.0.1"]), ("serves", &["../network"])]);
    for (tree, uid) in [(&mut local, 500), (&mut network, 600)] {
        let users = tree.make(0, &[("name", &["users"])]);
        let mut user = |names: &[&str], uid: &str, realname: &str| {
            let record: &[(&str, &[&str])] =
                &[("name", names), ("uid", &[uid]), ("gid", &["20"]), ("realname", &[realname])];
            tree.make(users, record);
        };
        user(&["jane", "jd", "janet"], &uid.to_string(), "Jane Doe");
        // The same number twice, a name that is somebody else's second one, a name of nobody, one hidden by the other domain.
        user(&["twin"], &uid.to_string(), "Twin");
        user(&["janet"], &(uid + 1).to_string(), "Jane Doe");
        user(&[&format!("only{uid}"), "jd"], &(uid + 2).to_string(), "bob builder");
        user(&["root"], "0", "Super User");
        user(&["minus"], "-2", "Jane Doe");
        user(&["odd number"], "0501", "x");
        user(&["nonumber"], "x", "No Number");
        let groups = tree.make(0, &[("name", &["groups"])]);
        let mut group = |names: &[&str], gid: &str, users: &[&str]| {
            let record: &[(&str, &[&str])] = &[("name", names), ("gid", &[gid]), ("users", users)];
            tree.make(groups, record);
        };
        group(&["staff", "people"], "20", &["jane", &format!("only{uid}")]);
        group(&["same"], "20", &["twin", "stranger"]);
        group(&["people"], "21", &["jd"]);
        group(&[&format!("g{uid}")], &uid.to_string(), &[]);
        let services = tree.make(0, &[("name", &["services"])]);
        let mut service = |names: &[&str], port: &str, protocols: &[&str]| {
            let record: &[(&str, &[&str])] = &[("name", names), ("port", &[port]), ("protocol", protocols)];
            tree.make(services, record);
        };
        service(&["domain", "dns"], "53", &["udp", "tcp"]);
        service(&["other", "dns"], "54", &["tcp"]);
        service(&["third"], "53", &["tcp", "sctp"]);
        service(&[&format!("s{uid}"), "domain"], &uid.to_string(), &["udp"]);
    }
}

#[test]
fn the_table_and_the_socket_agree() {
    let published = Published::start();
    fill(&published.node);
    let image = published.wait().0;
    let table = Table::open(&image).unwrap();
    let mut asker = Asker::new(&published.node.lookup());
    let names = "jane jd janet twin only500 only600 root minus nonumber nobody staff people same g500 g600 \
        domain dns other third s500 s600 udp tcp stranger";
    let names = names.split_ascii_whitespace().chain([
        "Jane Doe",
        "bob builder",
        "Twin",
        "odd number",
        "Super User",
        "",
    ]);
    for name in names.map(str::as_bytes) {
        let shown = name.escape_ascii();
        let user = asked(&mut asker, Category::Passwd, Key::Name(name));
        assert_eq!(told(table.passwd_by_name(name), 5), user, "user {shown}");
        assert_eq!(
            group(table.group_by_name(name)),
            asked(&mut asker, Category::Group, Key::Name(name)),
            "group {shown}"
        );
        for protocol in [&b""[..], b"udp", b"tcp", b"sctp"] {
            let service = asked(&mut asker, Category::Service, Key::Service { name, protocol });
            assert_eq!(
                told(table.service_by_name(name, protocol), 99),
                service,
                "service {shown} {}",
                protocol.escape_ascii()
            );
        }
        let gids = asker.ask(&Request::Initgroups(name));
        let gids = match decode_initgroups(&gids).unwrap() {
            Answer::Found(gids) => gids.iter().collect(),
            _ => Vec::new(),
        };
        let told = match table.groups_of(name) {
            Found::Hit(record) => record.gids().collect(),
            Found::Miss => Vec::new(),
            Found::Unsure => panic!("groups of {shown}"),
        };
        assert_eq!(told, gids, "groups of {shown}");
    }
    for number in (0..700).chain([u32::MAX - 1, u32::MAX]) {
        let user = asked(&mut asker, Category::Passwd, Key::Number(number));
        assert_eq!(told(table.passwd_by_uid(number), 5), user, "user {number}");
        assert_eq!(
            group(table.group_by_gid(number)),
            asked(&mut asker, Category::Group, Key::Number(number)),
            "group {number}"
        );
        for protocol in [&b""[..], b"udp", b"tcp", b"sctp"] {
            let Ok(port) = u16::try_from(number) else { continue };
            let service = asked(&mut asker, Category::Service, Key::Port { port, protocol });
            assert_eq!(told(table.service_by_port(port, protocol), 99), service, "port {port}");
        }
    }
}

#[test]
fn who_has_made_a_change_is_not_answered_from_before_it() {
    let published = Published::start();
    let mut tree = Tree::privileged(published.node.domain("local"));
    let users = tree.make(0, &[("name", &["users"])]);
    for number in 0..20 {
        let name = format!("user{number}");
        if number % 3 == 0 {
            published.wait();
        }
        let user = tree.make(users, &[("name", &[&name]), ("uid", &[&number.to_string()]), ("gid", &["1"])]);
        if let Some((image, _)) = published.now() {
            assert!(matches!(Table::open(&image).unwrap().passwd_by_name(name.as_bytes()), Found::Hit(_)));
        }
        if number == 15 {
            published.wait();
            tree.set(user, "uid", &["4000"]);
            if let Some((image, _)) = published.now() {
                assert!(matches!(Table::open(&image).unwrap().passwd_by_uid(4000), Found::Hit(_)));
            }
        }
    }
    let image = published.wait().0;
    let table = Table::open(&image).unwrap();
    assert_eq!(table.len(Section::Passwd), 20);
    assert_eq!(table.passwd_by_uid(15), Found::Miss);
}

#[test]
fn changes_elsewhere_need_no_new_table() {
    let published = Published::start();
    let mut tree = Tree::privileged(published.node.domain("local"));
    let users = tree.make(0, &[("name", &["users"])]);
    let machines = tree.lookup(0, "name", "machines").unwrap()[0];
    published.wait();
    // Whatever there was before, the table made last is the one that stays.
    sleep(Duration::from_millis(200));
    let generation = published.wait().1;
    for number in 0..10 {
        let machine =
            tree.make(machines, &[("name", &[&format!("m{number}")]), ("ip_address", &["10.9.9.9"])]);
        tree.set(machine, "note", &["something"]);
        published.wait();
    }
    assert_eq!(published.wait().1, generation);
    tree.make(users, &[("name", &["x"]), ("uid", &["7"]), ("gid", &["1"])]);
    assert!(published.wait().1 > generation);
}

#[test]
fn a_table_outlives_its_daemon_and_is_taken_over() {
    let mut published = Published::start();
    let mut tree = Tree::privileged(published.node.domain("local"));
    let users = tree.make(0, &[("name", &["users"])]);
    tree.make(users, &[("name", &["x"]), ("uid", &["7"]), ("gid", &["1"])]);
    drop(tree);
    let generation = published.wait().1;
    published.node.terminate();
    let (image, same) = published.now().unwrap();
    assert_eq!(same, generation);
    assert!(matches!(Table::open(&image).unwrap().passwd_by_uid(7), Found::Hit(_)));
    published.node.launch();
    let begin = Instant::now();
    while published.now().is_none_or(|(_, now)| now == generation) {
        assert!(begin.elapsed() < PATIENCE);
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_daemon_without_a_table_serves_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("file");
    std::fs::write(&place, "").unwrap();
    // Not in a directory.
    let node = Node::builder().arg("--table").arg(place.join("table")).start();
    assert!(node.log().contains("no table of look-ups at"), "{}", node.log());
    Tree::privileged(node.domain("local")).at(0);
}

#[test]
fn what_files_are_asked_about_is_left_to_the_socket() {
    let published = Published::with("lookup.order.users = ['files', 'domains']");
    let mut tree = Tree::privileged(published.node.domain("local"));
    let users = tree.make(0, &[("name", &["users"])]);
    tree.make(users, &[("name", &["root"]), ("uid", &["77"]), ("gid", &["20"])]);
    let services = tree.make(0, &[("name", &["services"])]);
    tree.make(services, &[("name", &["shop"]), ("port", &["4000"]), ("protocol", &["tcp"])]);
    let begin = Instant::now();
    loop {
        let (image, _) = published.wait();
        let table = Table::open(&image).unwrap();
        assert_eq!(told(table.passwd_by_name(b"root"), 1), "unsure");
        assert_eq!(told(table.passwd_by_uid(77), 1), "unsure");
        assert_eq!(told(table.group_by_gid(20), 1), "unsure");
        if matches!(table.service_by_name(b"shop", b"tcp"), Found::Hit(_)) {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "the service is not in the table");
        sleep(Duration::from_millis(2));
    }
    assert_eq!(Asker::new(&published.node.lookup()).passwd("root"), Some(0), "that of /etc/passwd");
}

#[test]
fn more_people_than_the_table_takes_are_left_to_the_socket() {
    let published = Published::with("limits.table_records = 3");
    let mut tree = Tree::privileged(published.node.domain("local"));
    let users = tree.make(0, &[("name", &["users"])]);
    let groups = tree.make(0, &[("name", &["groups"])]);
    let services = tree.make(0, &[("name", &["services"])]);
    tree.make(services, &[("name", &["shop"]), ("port", &["4000"]), ("protocol", &["tcp"])]);
    tree.make(users, &[("name", &["jane"]), ("uid", &["500"]), ("gid", &["20"])]);
    tree.make(users, &[("name", &["bob"]), ("uid", &["501"]), ("gid", &["20"])]);
    tree.make(groups, &[("name", &["staff"]), ("gid", &["20"])]);
    let table = |until: &dyn Fn(&Table<'_>) -> bool| {
        let begin = Instant::now();
        while !until(&Table::open(&published.wait().0).unwrap()) {
            assert!(begin.elapsed() < PATIENCE, "no such table\n{}", published.node.log());
            sleep(Duration::from_millis(2));
        }
    };
    table(&|table| matches!(table.group_by_gid(20), Found::Hit(_)));
    table(&|table| matches!(table.passwd_by_name(b"nobody"), Found::Miss));

    tree.make(groups, &[("name", &["one too many"]), ("gid", &["21"])]);
    table(&|table| {
        let unsure = |found| matches!(found, Found::Unsure);
        unsure(table.passwd_by_name(b"jane"))
            && unsure(table.passwd_by_name(b"nobody"))
            && unsure(table.passwd_by_uid(500))
            && unsure(table.group_by_gid(20))
            && matches!(table.service_by_name(b"shop", b"tcp"), Found::Hit(_))
    });
    assert_eq!(Asker::new(&published.node.lookup()).passwd("jane"), Some(500));
}

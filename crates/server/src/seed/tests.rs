use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netinfo_directory::{Change, Credentials, Domain, Node, Options, Origin, Property, ROOT, Target, Trust};
use tempfile::TempDir;

use super::apply::Seeding;
use super::*;

const NOW: u64 = 1_700_000_000_000;

/// A data directory with a new domain `local` on this host.
struct Fixture {
    domain: Arc<Domain>,
    _node: Node,
    _data: TempDir,
}

impl Fixture {
    fn new(hostname: &str, addresses: &[[u8; 4]]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let options = Options {
            hostname: hostname.into(),
            addresses: addresses.iter().map(|a| (*a).into()).collect(),
            map_size: 64 << 20,
            ..Options::default()
        };
        let (node, failed) = Node::open(data.path(), options, true).unwrap();
        assert!(failed.is_empty());
        let domain = node.create_master("local", NOW).unwrap();
        Self { domain, _node: node, _data: data }
    }

    fn seed(&self, etc: &Path) -> Summary {
        apply(&self.domain, &collect(etc), NOW).unwrap()
    }

    /// One line for each child of `/container`: `name=value,value …`; of passwords, what `shown` makes of them.
    fn children(&self, container: &str) -> Vec<String> {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let view = self.domain.read(&session).unwrap();
        let parent =
            if container == "/" { ROOT } else { view.path(&[container.as_bytes()]).unwrap().unwrap() };
        let mut lines = Vec::new();
        for child in view.children(parent).unwrap() {
            let mut line = String::new();
            for property in view.record(child.unwrap()).unwrap().properties() {
                let values: Vec<_> =
                    property.values.into_iter().map(|v| String::from_utf8_lossy(v).into_owned()).collect();
                write!(line, " {}={}", String::from_utf8_lossy(property.name), values.join(",")).unwrap();
            }
            lines.push(line.trim_start().to_owned());
        }
        lines
    }

    fn names(&self, container: &str) -> Vec<String> {
        let first = |line: &String| {
            let name = line.strip_prefix("name=").unwrap();
            name.split([' ', ',']).next().unwrap().to_owned()
        };
        self.children(container).iter().map(first).collect()
    }

    fn tree(&self) -> BTreeMap<String, Vec<String>> {
        let names = CONTAINERS.iter().map(|name| (*name).to_owned());
        names.chain(["/".to_owned()]).map(|name| (name.clone(), self.children(&name))).collect()
    }

    fn sequence(&self) -> u64 {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        self.domain.read(&session).unwrap().sequence().unwrap()
    }
}

fn flat() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/flat")
}

/// A folder with these files.
fn etc(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

#[test]
fn files_become_containers() {
    let fixture = Fixture::new("boss", &[[192, 0, 2, 5]]);
    let summary = fixture.seed(&flat());
    assert_eq!(fixture.names("/"), CONTAINERS);
    assert_eq!(
        fixture.names("users"),
        ["root", "daemon", "alice", "bob", "amper", "noshell", "bignum", "dup", "zoë"]
    );
    assert_eq!(
        fixture.children("users")[3],
        "name=bob passwd=Fl8dgiyv2jTiM uid=5002 gid=5001 change=1649462400 realname=Bob Builder home=/home/bob \
         shell=/bin/zsh _writers_passwd=bob"
    );
    assert_eq!(fixture.children("groups")[3], "name=engineering passwd=x gid=5100 users=alice,bob,erin,judy");
    assert_eq!(
        fixture.names("machines"),
        [
            "boss",
            "localhost",
            "gw.example.com",
            "od.example.com",
            "fileserver.example.com",
            "second-name-same-address",
            "indented.example.com"
        ]
    );
    assert_eq!(fixture.children("networks")[1], "name=lab-net,lab address=192.0.2");
    assert_eq!(fixture.children("protocols").len(), 5);
    assert_eq!(fixture.children("rpcs")[2], "name=nfs,nfsprog number=100003");
    assert_eq!(fixture.names("services"), ["ssh", "domain", "tempo", "tempo", "ordered"]);
    assert_eq!(fixture.children("aliases")[0], "name=administrator members=root");
    assert_eq!(fixture.children("aliases")[7], "name=MAILER-AGENT members=postmaster");
    assert_eq!(fixture.children("aliases").len(), 8);
    assert!(fixture.children("mounts").is_empty() && fixture.children("printers").is_empty());

    let etc = flat().display().to_string();
    let expected = format!(
        "passwd: 9 users, 3 lines skipped\n  {etc}/passwd:12: NIS line skipped\n  {etc}/passwd:13: NIS line \
         skipped\n  {etc}/passwd:14: NIS line skipped\nshadow: 8 entries\ngroup: 8 groups, 1 line skipped\n  \
         {etc}/group:10: NIS line skipped\nhosts: 6 machines, 1 line skipped\n  {etc}/hosts:10: name: an address without a name\n\
         networks: 3 networks\nprotocols: 5 protocols\nrpc: 4 programs\nservices: 5 services"
    );
    assert_eq!(summary.to_string(), expected);
}

#[test]
fn network_is_shut_out_and_passwords_are_masked() {
    let fixture = Fixture::new("boss", &[]);
    fixture.seed(&flat());
    let session = fixture.domain.authenticate(Credentials::None, Origin::Local { uid: 5001 }).unwrap();
    let view = fixture.domain.read(&session).unwrap();
    assert_eq!(view.trust().unwrap(), Trust::Networks(Vec::new()));
    assert!(view.is_loopback_only().unwrap());
    let bob = view.path(&[b"users", b"bob"]).unwrap().unwrap();
    assert_eq!(view.record(bob).unwrap().first_value(b"passwd"), Some(netinfo_directory::MASK));
}

#[test]
fn no_hash_is_in_any_message() {
    let collected = collect(&flat());
    let fixture = Fixture::new("boss", &[]);
    let summary = apply(&fixture.domain, &collected, NOW).unwrap();
    let json = serde_json::to_string(&summary).unwrap();
    assert!(json.contains(r#""file":"passwd""#) && json.contains(r#""loaded":9"#), "{json}");
    for text in [json, summary.to_string(), format!("{summary:?}"), format!("{collected:?}")] {
        assert!(!text.contains("Fl8dgiyv2jTiM") && !text.contains("flatsalt"), "{text}");
    }
}

#[test]
fn missing_files_are_told_and_root_is_made() {
    let empty = etc(&[]);
    let fixture = Fixture::new("boss", &[]);
    let summary = fixture.seed(empty.path());
    assert!(summary.root_made);
    assert_eq!(
        summary.to_string(),
        "passwd: not there\nshadow: not there\ngroup: not there\nhosts: not there\nnetworks: not there\n\
         protocols: not there\nrpc: not there\nservices: not there\n\
         no user root was found; made one that cannot log in with a password"
    );
    assert_eq!(
        fixture.children("users"),
        [
            "name=root passwd=* uid=0 gid=0 change=0 expire=0 realname=System Administrator home=/root shell=/bin/sh"
        ]
    );
    assert_eq!(fixture.names("/"), CONTAINERS);
}

#[test]
fn without_shadow_nobody_has_the_placeholder_as_password() {
    let passwd = "root:x:0:0::/root:/bin/sh\nold:Fl8dgiyv2jTiM:7:7::/:/bin/sh\n";
    let dir = etc(&[("passwd", passwd)]);
    // Readable by nobody, not even the superuser.
    fs::create_dir(dir.path().join("shadow")).unwrap();
    let fixture = Fixture::new("boss", &[]);
    let summary = fixture.seed(dir.path()).to_string();
    assert!(summary.contains("\nshadow: not readable: passwords were not loaded\n"), "{summary}");
    assert!(summary.starts_with("passwd: 2 users\n"), "{summary}");
    let users = fixture.children("users");
    assert!(users[0].starts_with("name=root passwd=* uid=0 "), "{users:?}");
    assert!(users[1].starts_with("name=old passwd=Fl8dgiyv2jTiM uid=7 "), "{users:?}");

    fs::remove_dir(dir.path().join("shadow")).unwrap();
    let fixture = Fixture::new("boss", &[]);
    assert!(fixture.seed(dir.path()).to_string().contains("\nshadow: not there\n"));
    assert!(fixture.children("users")[0].starts_with("name=root passwd=* uid=0 "));
}

#[test]
fn first_of_two_lines_for_one_name_counts() {
    let dir = etc(&[
        ("passwd", "root:*:0:0::/root:/bin/sh\nana:*:7:7:One:/:\nana:*:8:8:Two:/:\n"),
        ("services", "tempo 103/tcp\ntempo 1103/udp\ntempo 103/udp\n"),
    ]);
    let fixture = Fixture::new("boss", &[]);
    let summary = fixture.seed(dir.path());
    assert_eq!(fixture.names("users"), ["root", "ana"]);
    assert!(fixture.children("users")[1].contains("realname=One"));
    let skipped = Skipped { line: 3, reason: "an earlier line defines \"ana\"".into() };
    assert_eq!(summary.files[0].skipped, [skipped]);
    assert_eq!(
        fixture.children("services"),
        ["name=tempo port=103 protocol=tcp,udp", "name=tempo port=1103 protocol=udp"]
    );
}

#[test]
fn many_bad_lines_are_counted() {
    let dir = etc(&[("rpc", &"bad\n".repeat(50))]);
    let summary = Fixture::new("boss", &[]).seed(dir.path());
    let rpc = summary.files.iter().find(|file| file.file == "rpc").unwrap();
    assert_eq!((rpc.skipped.len(), rpc.skipped_lines()), (MAX_SHOWN, 50));
    assert!(rpc.to_string().ends_with("\n  and 30 more"), "{rpc}");
}

#[test]
fn entry_of_this_machine_is_merged() {
    let hosts = "127.0.0.1 localhost Boss\n127.0.1.1 boss.example.com boss\n192.0.2.6 boss.example.com\n\
                 2001:db8::5 Boss ipv6-boss\n192.0.2.9 other\n";
    let dir = etc(&[("hosts", hosts)]);
    let fixture = Fixture::new("boss", &[[192, 0, 2, 5]]);
    let summary = fixture.seed(dir.path());
    assert_eq!(
        fixture.children("machines"),
        [
            "name=boss,boss.example.com,ipv6-boss ip_address=192.0.2.5,192.0.2.6 serves=./local \
             ipv6_address=2001:db8::5",
            "name=localhost,boss ip_address=127.0.0.1",
            "name=other ip_address=192.0.2.9",
        ]
    );
    let line = "hosts: 2 machines, 2 merged into the record of this machine";
    assert!(summary.to_string().lines().any(|l| l == line), "{summary}");

    // Where nothing else is known, the loopback has to do; and a machine called localhost keeps it in any case.
    let alone = Fixture::new("boss", &[]);
    alone.seed(etc(&[("hosts", "127.0.1.1 boss\n")]).path());
    assert_eq!(alone.children("machines"), ["name=boss ip_address=127.0.1.1 serves=./local"]);
    let nameless = Fixture::new("localhost", &[[192, 0, 2, 5]]);
    nameless.seed(etc(&[("hosts", "127.0.0.1 localhost\n::1 localhost\n")]).path());
    assert_eq!(
        nameless.children("machines"),
        ["name=localhost ip_address=192.0.2.5,127.0.0.1 serves=./local ipv6_address=::1"]
    );
}

#[test]
fn need_follows_the_marker() {
    let fixture = Fixture::new("boss", &[]);
    let state = || (is_needed(&fixture.domain).unwrap(), is_complete(&fixture.domain).unwrap());
    assert_eq!(state(), (true, false));
    Seeding::new(&fixture.domain, NOW).unwrap().begin().unwrap();
    assert_eq!(state(), (true, false));
    fixture.seed(&flat());
    assert_eq!(state(), (false, true));
    let (session, last) =
        (fixture.domain.authenticate(Credentials::None, Origin::Internal), fixture.sequence());
    let mut changes = Vec::new();
    fixture.domain.changes(&session.unwrap(), last - 1, 9, |change| changes.push(change.change)).unwrap();
    let [Change::WriteProperty { directory, values, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((directory.object, &values[..]), (ROOT, &[FORMAT.into()][..]));
}

#[test]
fn domain_in_use_is_not_to_be_seeded() {
    let fixture = Fixture::new("boss", &[]);
    let session = fixture.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let directory = Target::any(ROOT);
    let property = Property::new("port", ["1034"]);
    let change = Change::CreateProperty { directory, property, position: u32::MAX };
    fixture.domain.write_blocking(&session, vec![change], NOW).unwrap();
    assert!(!is_needed(&fixture.domain).unwrap());
    let node = &fixture._node;
    let clone = node.create_clone("other", "boss", [192, 0, 2, 77].into(), "network", NOW).unwrap();
    assert!(!is_needed(&clone).unwrap());
}

/// Whatever part of the work was on disk when the machine stopped, running it again gives the same tree.
#[test]
fn interrupted_seeding_is_taken_up_again() {
    let whole = Fixture::new("boss", &[[192, 0, 2, 5]]);
    whole.seed(&flat());
    let total: usize = collect(&flat()).sources.iter().map(|source| source.records.len()).sum();
    for done in (0..=total).step_by(7) {
        let fixture = Fixture::new("boss", &[[192, 0, 2, 5]]);
        let mut part = collect(&flat());
        let mut left = done;
        for source in &mut part.sources {
            source.records.truncate(left);
            left -= source.records.len();
        }
        let seeding = Seeding::new(&fixture.domain, NOW).unwrap();
        seeding.begin().unwrap();
        if done > 0 {
            seeding.load_all(&part).unwrap();
        }
        assert!(is_needed(&fixture.domain).unwrap());
        let summary = fixture.seed(&flat());
        assert_eq!(fixture.tree(), whole.tree(), "after {done} of {total}");
        let present: usize = summary.files.iter().map(|file| file.present).sum();
        assert_eq!(present, done);
    }
    // And once more changes nothing at all.
    let before = whole.sequence();
    whole.seed(&flat());
    assert_eq!(whole.sequence(), before);
}

#[test]
fn more_users_than_are_queued_at_a_time() {
    let mut passwd = "root:*:0:0::/root:/bin/sh\n".to_owned();
    for n in 1..=2 * IN_FLIGHT + 5 {
        writeln!(passwd, "u{n}:*:{n}:{n}::/:/bin/sh").unwrap();
    }
    let dir = etc(&[("passwd", &passwd)]);
    let fixture = Fixture::new("boss", &[]);
    let summary = fixture.seed(dir.path());
    assert_eq!(summary.files[0].loaded, 2 * IN_FLIGHT + 6);
    let names = fixture.names("users");
    assert_eq!(names.len(), 2 * IN_FLIGHT + 6);
    assert!(names.iter().skip(1).enumerate().all(|(n, name)| *name == format!("u{}", n + 1)));
}

#[test]
fn this_machine() {
    let fixture = Fixture::new("boss", &[[192, 0, 2, 5]]);
    let summary = fixture.seed(Path::new("/etc"));
    let passwd = fs::read("/etc/passwd").unwrap();
    let is_user = |line: &&[u8]| line.iter().filter(|b| **b == b':').count() == 6 && !line.starts_with(b"#");
    let users = passwd.split(|b| *b == b'\n').filter(is_user).count();
    let file = &summary.files[0];
    assert!(users > 0 && file.loaded + file.skipped_lines() >= users, "{summary}");
    assert_eq!(fixture.children("users").len(), file.loaded + usize::from(summary.root_made));
    assert!(fixture.names("users").contains(&"root".to_owned()));
    assert!(fixture.children("users").iter().all(|user| !user.contains(" passwd=x ")));
    for file in &summary.files {
        let there = Path::new(&file.path).exists();
        assert_eq!(file.missing.as_deref() != Some("not there"), there, "{summary}");
        // Only the superuser can read the passwords.
        assert!(!there || file.missing.is_none() || file.file == "shadow", "{summary}");
    }
    assert!(is_complete(&fixture.domain).unwrap());
}

//! What the tests share: a node in a scratch directory, sessions, and a plain picture of a domain.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use netinfo_directory::{
    Change, CheckReport, Committed, Credentials, Domain, Finding, Id, Node, Observer, Options, Origin,
    Outcome, Property, ROOT, Result, Session, Target,
};
use tempfile::TempDir;

/// Milliseconds since the epoch, for everything that happens in the tests.
pub(crate) const NOW: u64 = 1_800_000_000_000;
/// Address of the host the tests run "on".
pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The end of a list.
pub(crate) const END: u32 = u32::MAX;

/// Panics unless the result is an error of this shape.
macro_rules! refused {
    ($result:expr, $error:pat) => {
        match $result {
            Err($error) => {}
            other => panic!("expected {}, got {:?}", stringify!($error), other.map(drop)),
        }
    };
}
pub(crate) use refused;

/// An empty directory, in memory where the system has such a place: the tests commit thousands of times.
pub(crate) fn scratch() -> TempDir {
    let shm = Path::new("/dev/shm");
    tempfile::tempdir_in(shm).or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn options() -> Options {
    Options {
        hostname: "host".into(),
        addresses: vec![OWN],
        own: Arc::new(|a| a.is_loopback() || a == IpAddr::V4(OWN)),
        map_size: 1 << 30,
        ..Options::default()
    }
}

/// Opens a node all of whose domains can be served.
pub(crate) fn open(path: &Path, options: Options) -> Node {
    let (node, failed) = Node::open(path, options, true).unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    node
}

/// One domain of a node, and the superuser's session.
pub(crate) struct Fixture {
    pub(crate) root: Session,
    pub(crate) domain: Arc<Domain>,
    pub(crate) node: Node,
    pub(crate) dir: TempDir,
}

impl Fixture {
    pub(crate) fn new(tag: &str) -> Self {
        Self::with(tag, |_| {})
    }

    /// With other options than usual.
    pub(crate) fn with(tag: &str, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = options();
        change(&mut options);
        let dir = scratch();
        let node = open(dir.path(), options);
        let domain = node.create_master(tag, NOW).unwrap();
        Self { root: internal(&domain), domain, node, dir }
    }

    /// Closes the node; what is left is the directory.
    pub(crate) fn close(self) -> TempDir {
        let Self { domain, node, dir, .. } = self;
        drop(domain);
        drop(node);
        dir
    }

    /// Closes the node and opens it again with other options.
    pub(crate) fn reopen(self, change: impl FnOnce(&mut Options)) -> Self {
        let tag = self.domain.tag().to_owned();
        let dir = self.close();
        let mut options = options();
        change(&mut options);
        let node = open(dir.path(), options);
        let domain = node.domain(&tag).unwrap();
        Self { root: internal(&domain), domain, node, dir }
    }

    pub(crate) fn write_as(&self, session: &Session, change: Change) -> Result<Outcome> {
        write(&self.domain, session, change)
    }

    pub(crate) fn write(&self, change: Change) -> Result<Outcome> {
        self.write_as(&self.root, change)
    }

    /// A new last child; its object id.
    pub(crate) fn create(&self, parent: u32, properties: Vec<Property>) -> u32 {
        self.write(create(parent, properties)).unwrap().created.unwrap().object
    }

    /// Puts a property at the end of a directory.
    pub(crate) fn add(&self, object: u32, property: Property) {
        let directory = Target::any(object);
        self.write(Change::CreateProperty { directory, property, position: END }).unwrap();
    }

    pub(crate) fn id(&self, object: u32) -> Id {
        self.domain.read(&self.root).unwrap().id(object).unwrap()
    }

    pub(crate) fn properties(&self, object: u32) -> Vec<Property> {
        properties(&self.domain, &self.root, object)
    }

    pub(crate) fn children(&self, object: u32) -> Vec<u32> {
        let view = self.domain.read(&self.root).unwrap();
        view.children(object).unwrap().map(|c| c.unwrap()).collect()
    }

    pub(crate) fn checksum(&self) -> u32 {
        self.domain.read(&self.root).unwrap().checksum().unwrap()
    }

    /// The directory at a path of names, made where it is missing.
    pub(crate) fn path(&self, names: &[&str]) -> u32 {
        let mut object = ROOT;
        for name in names {
            let found = self.domain.read(&self.root).unwrap().child_named(object, name.as_bytes()).unwrap();
            object = found.unwrap_or_else(|| self.create(object, vec![p("name", &[name])]));
        }
        object
    }

    /// A user record with these properties behind name and uid.
    pub(crate) fn user(&self, name: &str, uid: &str, more: Vec<Property>) -> u32 {
        let users = self.path(&["users"]);
        self.create(users, [vec![p("name", &[name]), p("uid", &[uid])], more].concat())
    }

    /// The session of a user on this machine, known by the kernel. Only for the domain `local`.
    pub(crate) fn local(&self, uid: u32) -> Session {
        self.domain.authenticate(Credentials::None, Origin::Local { uid }).unwrap()
    }

    /// The session of nobody in particular, far away.
    pub(crate) fn anonymous(&self) -> Session {
        self.domain.authenticate(Credentials::None, far()).unwrap()
    }
}

pub(crate) fn internal(domain: &Domain) -> Session {
    domain.authenticate(Credentials::None, Origin::Internal).unwrap()
}

/// A caller on another host.
pub(crate) fn far() -> Origin {
    from("198.51.100.7", false)
}

pub(crate) fn from(address: &str, privileged_port: bool) -> Origin {
    let address: IpAddr = address.parse().unwrap();
    let own = address.is_loopback() || address == IpAddr::V4(OWN);
    Origin::Network { address, own, privileged_port }
}

/// A property from text.
pub(crate) fn p(name: &str, values: &[&str]) -> Property {
    Property::new(name, values.iter().copied())
}

pub(crate) fn create(parent: u32, properties: Vec<Property>) -> Change {
    Change::Create { parent: Target::any(parent), properties, position: END }
}

pub(crate) fn write(domain: &Domain, session: &Session, change: Change) -> Result<Outcome> {
    let outcomes = domain.write_blocking(session, vec![change], NOW)?;
    assert_eq!(outcomes.len(), 1);
    Ok(outcomes[0])
}

pub(crate) fn properties(domain: &Domain, session: &Session, object: u32) -> Vec<Property> {
    own_properties(&domain.read(session).unwrap().record(object).unwrap())
}

fn own_properties(record: &netinfo_directory::RecordRef<'_>) -> Vec<Property> {
    record.properties().map(|p| Property::new(p.name, p.values)).collect()
}

/// A directory as anybody would write it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) instance: u32,
    pub(crate) parent: u32,
    pub(crate) children: Vec<u32>,
    pub(crate) properties: Vec<Property>,
}

/// Everything a session sees of a domain.
pub(crate) fn picture(domain: &Domain, session: &Session) -> BTreeMap<u32, Plain> {
    let view = domain.read(session).unwrap();
    let mut picture = BTreeMap::new();
    view.walk(|record, children| {
        let plain = Plain {
            instance: record.id().instance,
            parent: record.parent(),
            children: children.to_vec(),
            properties: own_properties(&record),
        };
        assert_eq!(record.child_count() as usize, children.len());
        assert!(picture.insert(record.id().object, plain).is_none());
        Ok(true)
    })
    .unwrap();
    assert_eq!(view.directories().unwrap(), picture.len() as u64);
    assert_eq!(view.highest_object().unwrap(), *picture.keys().max().unwrap());
    picture
}

/// All changes kept after `since`.
pub(crate) fn feed(domain: &Domain, since: u64) -> Result<Vec<Committed>> {
    let mut changes = Vec::new();
    domain.changes(&internal(domain), since, usize::MAX, |c| changes.push(c))?;
    Ok(changes)
}

#[derive(Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Observer for Findings {
    fn progress(&mut self, done: u64, total: u64) {
        assert!(done <= total);
    }

    fn finding(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

pub(crate) fn check(domain: &Domain) -> (CheckReport, Vec<Finding>) {
    let mut findings = Findings::default();
    let report = domain.check(&internal(domain), &mut findings).unwrap();
    assert_eq!(report.findings, findings.0.len() as u64);
    (report, findings.0)
}

pub(crate) fn assert_clean(domain: &Domain) {
    let (report, findings) = check(domain);
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(report.directories, domain.read(&internal(domain)).unwrap().directories().unwrap());
}

/// Numbers that look random and are the same in every run (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Names the variable that tells a test it runs as its own child, and where.
const CHILD: &str = "NETINFO_TEST_CHILD";

/// Where to work, when this process is the child of a test.
pub(crate) fn child_directory() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Runs the test `name` of this binary again, in a process of its own, with `directory` as its place of work; `before` is
/// put in front of the command.
pub(crate) fn run_child(before: &[&str], name: &str, directory: &Path) -> Output {
    let program = std::env::current_exe().unwrap();
    let mut command = match before {
        [] => Command::new(&program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(&program);
            command
        }
    };
    command.args(["--exact", name, "--nocapture"]).env(CHILD, directory).output().unwrap()
}

/// As [`run_child`]; the child must pass.
pub(crate) fn pass_child(before: &[&str], name: &str, directory: &Path) {
    let output = run_child(before, name, directory);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{:?}\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "the child ran no test:\n{out}");
}

//! What the tests share: a domain in a scratch directory, and writes of entries in few words.

use std::path::Path;
use std::sync::Arc;

use netinfo_directory::{
    Change, Credentials, Domain, Node, Options, Origin, Outcome, Property, ROOT, Session, Target,
};
use netinfo_mapping::write::{self, Changes, Given, Modification, Operation, Rename};
use netinfo_mapping::{Entry, Namespace, Reason, Refusal, Resolution, Tree};
use tempfile::TempDir;

/// Milliseconds since the epoch, for everything that happens in the tests: 2027-01-15 08:00:00.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// One domain and the superuser's session.
pub(crate) struct Fixture {
    pub(crate) root: Session,
    pub(crate) domain: Arc<Domain>,
    _node: Node,
    _scratch: TempDir,
}

/// An attribute in a test: description and values.
pub(crate) type Pair<'a> = (&'a str, &'a [&'a str]);

impl Fixture {
    /// A domain `local` with these properties on its root.
    pub(crate) fn new(settings: &[(&str, &[&str])]) -> Self {
        let shm = Path::new("/dev/shm");
        let scratch = tempfile::tempdir_in(shm).or_else(|_| tempfile::tempdir()).unwrap();
        let options = Options { hostname: "host".into(), map_size: 1 << 30, ..Options::default() };
        let (node, failed) = Node::open(scratch.path(), options, true).unwrap();
        assert!(failed.is_empty(), "{failed:?}");
        let domain = node.domain("local").unwrap_or_else(|| node.create_master("local", NOW).unwrap());
        let root = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let fixture = Self { root, domain, _node: node, _scratch: scratch };
        let changes = settings.iter().map(|(name, values)| Change::CreateProperty {
            directory: Target::any(ROOT),
            property: Property::new(*name, values.iter().copied()),
            position: u32::MAX,
        });
        let changes: Vec<Change> = changes.collect();
        if !changes.is_empty() {
            fixture.write(changes);
        }
        fixture
    }

    /// A domain with the suffix `dc=example,dc=com` and further settings.
    pub(crate) fn example(settings: &[(&str, &[&str])]) -> Self {
        let suffix: (&str, &[&str]) = ("_suffix", &["dc=example,dc=com"]);
        Self::new(&[&[suffix], settings].concat())
    }

    pub(crate) fn write(&self, changes: Vec<Change>) -> Vec<Outcome> {
        self.domain.write_blocking(&self.root, changes, NOW).unwrap()
    }

    /// A directory made by another front-end.
    pub(crate) fn directory(&self, parent: u32, properties: &[Pair<'_>]) -> u32 {
        let properties =
            properties.iter().map(|(name, values)| Property::new(*name, values.iter().copied())).collect();
        let create = Change::Create { parent: Target::any(parent), properties, position: u32::MAX };
        self.write(vec![create])[0].created.unwrap().object
    }

    /// The tree as the superuser sees it.
    pub(crate) fn see<T>(&self, look: impl FnOnce(&Tree<'_>) -> T) -> T {
        let view = self.domain.read(&self.root).unwrap();
        let namespace = Namespace::new(&view, "local").unwrap();
        look(&namespace.tree(&view))
    }

    pub(crate) fn find(&self, dn: &str) -> Option<u32> {
        self.see(|tree| match tree.resolve(dn.as_bytes()).unwrap() {
            Resolution::Found(object) => Some(object),
            _ => None,
        })
    }

    pub(crate) fn object(&self, dn: &str) -> u32 {
        self.find(dn).unwrap_or_else(|| panic!("{dn} is not there"))
    }

    pub(crate) fn dn(&self, object: u32) -> String {
        self.see(|tree| tree.dn(object).unwrap())
    }

    /// The user attributes of an entry.
    pub(crate) fn entry(&self, dn: &str) -> Vec<(String, Vec<String>)> {
        let object = self.object(dn);
        self.see(|tree| listed(&tree.entry(object).unwrap()))
    }

    /// The values of one attribute, operational ones too.
    pub(crate) fn values(&self, dn: &str, description: &str) -> Vec<String> {
        let object = self.object(dn);
        self.see(|tree| {
            let wanted = tree.namespace().wanted(description).unwrap();
            let mut values = Vec::new();
            tree.entry(object)
                .unwrap()
                .values(&wanted, &mut |value| {
                    values.push(String::from_utf8_lossy(value).into_owned());
                    true
                })
                .unwrap();
            values
        })
    }

    /// The values of a property of the directory.
    pub(crate) fn property(&self, dn: &str, name: &str) -> Vec<String> {
        let object = self.object(dn);
        let view = self.domain.read(&self.root).unwrap();
        let record = view.record(object).unwrap();
        let values = record.property(name.as_bytes()).into_iter().flat_map(|property| property.values);
        values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Derives changes and makes them.
    pub(crate) fn attempt(&self, derive: impl FnOnce(&Tree<'_>) -> Changes) -> Result<Vec<Outcome>, Refusal> {
        let changes = self.see(derive)?;
        Ok(if changes.is_empty() { Vec::new() } else { self.write(changes) })
    }

    pub(crate) fn add(&self, dn: &str, attributes: &[Pair<'_>]) -> Result<Vec<Outcome>, Refusal> {
        let given: Vec<Given<'_>> = attributes.iter().map(given).collect();
        self.attempt(|tree| write::add(tree, dn.as_bytes(), &given))
    }

    pub(crate) fn modify(
        &self,
        dn: &str,
        steps: &[(Operation, &str, &[&str])],
    ) -> Result<Vec<Outcome>, Refusal> {
        let object = self.object(dn);
        let steps: Vec<Modification<'_>> = steps
            .iter()
            .map(|(operation, description, values)| Modification {
                operation: *operation,
                attribute: given(&(*description, *values)),
            })
            .collect();
        self.attempt(|tree| write::modify(tree, object, &steps, false))
    }

    pub(crate) fn rename(
        &self,
        dn: &str,
        rdn: &str,
        delete_old: bool,
        superior: Option<&str>,
    ) -> Result<Vec<Outcome>, Refusal> {
        let object = self.object(dn);
        let superior = superior.map(str::as_bytes);
        self.attempt(|tree| write::rename(tree, object, Rename { rdn: rdn.as_bytes(), delete_old, superior }))
    }

    pub(crate) fn delete(&self, dn: &str) -> Result<Vec<Outcome>, Refusal> {
        let object = self.object(dn);
        self.attempt(|tree| write::delete(tree, object))
    }
}

fn given<'a>((description, values): &Pair<'a>) -> Given<'a> {
    Given::new(description.as_bytes(), values.iter().map(|value| value.as_bytes()))
}

/// The user attributes of an entry.
pub(crate) fn listed(entry: &Entry<'_>) -> Vec<(String, Vec<String>)> {
    let attributes = entry.attributes().unwrap();
    attributes
        .iter()
        .map(|attribute| {
            let values = attribute.values().map(|value| String::from_utf8_lossy(&value).into_owned());
            (attribute.description().to_owned(), values.collect())
        })
        .collect()
}

/// Panics unless the result is a refusal for this reason.
macro_rules! refused {
    ($result:expr, $reason:ident) => {
        match $result {
            Err(refusal) => assert!(
                matches!(refusal.reason, netinfo_mapping::Reason::$reason),
                "expected {}, got {:?}",
                stringify!($reason),
                refusal
            ),
            Ok(outcomes) => panic!("expected {}, got {outcomes:?}", stringify!($reason)),
        }
    };
}
pub(crate) use refused;

/// What a missing entry lies below.
pub(crate) fn matched(result: Result<Vec<Outcome>, Refusal>) -> Option<u32> {
    match result {
        Err(Refusal { reason: Reason::NoSuchObject, matched, .. }) => matched,
        other => panic!("expected a missing entry, got {:?}", other.map(|_| ())),
    }
}

/// A user as NetInfo has it.
pub(crate) const ALICE: &[Pair<'static>] = &[
    ("name", &["alice", "al"]),
    ("passwd", &["Ld.S3BQsQ.tRo"]),
    ("uid", &["5001"]),
    ("gid", &["20"]),
    ("realname", &["Alice Liddell"]),
    ("home", &["/home/alice"]),
    ("shell", &["/bin/sh"]),
    ("_writers_passwd", &["alice"]),
];

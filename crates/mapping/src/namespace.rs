//! How one domain is seen: its names, its layout, its schema.

use std::collections::HashMap;
use std::hash::{BuildHasher, DefaultHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};

use netinfo_directory::{ROOT, RecordRef, Result, View};
use netinfo_schema::check::Mode;
use netinfo_schema::definition::Definition;
use netinfo_schema::{BuiltinError, Schema, Variant};

use crate::context::Contexts;
use crate::name::Name;
use crate::standing::{Standing, Standings};
use crate::suffix::{self, Suffix};
use crate::tree::Tree;
use crate::wanted::Wanted;

/// DN of the entry that publishes the schema, as `subschemaSubentry` names it.
pub const SUBSCHEMA: &str = "cn=Subschema";

/// Root property with definitions that the domain adds to the schema.
pub(crate) const DEFINITIONS: &[u8] = b"_schema_definitions";

/// How the directories below the root are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As Open Directory has them: `cn=users`.
    #[default]
    Apple,
    /// As RFC 2307 servers have them: `ou=people`.
    Rfc2307,
}

/// How a domain is named and shown, as its root directory says.
///
/// | root property | |
/// |---|---|
/// | `_suffix` | the suffix, and further names of it |
/// | `_layout` | `apple` or `rfc2307` |
/// | `_schema` | `open` or `strict` |
/// | `_schema_variant` | `rfc2307bis` or `rfc2307` |
/// | `_schema_definitions` | more attribute types and classes (RFC 4512 §4.1), each behind `attributeTypes:` or `objectClasses:` |
/// | `_admin_dn` | name of the administrator, who need not have an entry |
/// | `_unique` | attributes whose values no two entries below one directory share |
/// | `_referential_integrity` | `NO`: groups keep the names of users that are renamed or removed |
/// | `_nested_memberof` | `YES`: `memberOf` tells also the groups that groups belong to |
#[derive(Debug)]
pub struct Namespace {
    suffixes: Vec<Suffix>,
    layout: Layout,
    variant: Variant,
    mode: Mode,
    prepared: Arc<Prepared>,
    admin_dn: Option<String>,
    pub(crate) unique: Vec<String>,
    pub(crate) integrity: bool,
    pub(crate) nested: bool,
    /// Directories that were read, with their instances.
    watched: Vec<(u32, u32)>,
    standings: Standings,
    /// Of this namespace alone.
    key: RandomState,
}

/// A schema and the tables resolved against it.
#[derive(Debug)]
struct Prepared {
    schema: Arc<Schema>,
    contexts: Contexts,
    /// What it was made of.
    variant: Variant,
    definitions: Vec<Vec<u8>>,
    problems: Vec<String>,
    /// Attributes that were asked for, by their descriptions.
    asked: RwLock<HashMap<Box<str>, Arc<Wanted>>>,
}

/// Longest name of an attribute that is remembered, in bytes. Only names the schema has are, in lower case, so that their
/// number is bounded by the schema.
const ASKED_LIMIT: usize = 64;

impl Namespace {
    /// The attribute of this description, which `make` makes if nobody has asked for it yet.
    pub(crate) fn asked(
        &self,
        description: &str,
        make: impl FnOnce() -> Option<Arc<Wanted>>,
    ) -> Option<Arc<Wanted>> {
        let mut buffer = [0; ASKED_LIMIT];
        let lower = buffer.get_mut(..description.len()).filter(|_| !description.contains(';'));
        let lower = lower.and_then(|lower| {
            lower.copy_from_slice(description.as_bytes());
            lower.make_ascii_lowercase();
            std::str::from_utf8(lower).ok()
        });
        let Some(lower) = lower else { return make() };
        let asked = &self.prepared.asked;
        if let Some(known) = asked.read().unwrap_or_else(PoisonError::into_inner).get(lower) {
            return Some(known.clone());
        }
        let made = make()?;
        if made.attribute(self.schema()).is_some() {
            let mut asked = asked.write().unwrap_or_else(PoisonError::into_inner);
            asked.insert(lower.into(), made.clone());
        }
        Some(made)
    }
}

impl Namespace {
    /// Reads the settings of the domain `tag` from its root. A setting that makes no sense is as good as absent; see
    /// [`Namespace::problems`].
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn new(view: &View<'_>, tag: &str) -> Result<Self> {
        let root = view.record(ROOT)?;
        let word = |name: &[u8]| root.first_value(name).map(<[u8]>::to_ascii_lowercase);
        let layout = match word(b"_layout").as_deref() {
            Some(b"rfc2307" | b"rfc2307bis") => Layout::Rfc2307,
            _ => Layout::Apple,
        };
        let variant = match word(b"_schema_variant").as_deref() {
            Some(b"rfc2307") => Variant::Rfc2307,
            _ => Variant::Rfc2307bis,
        };
        let mode = match word(b"_schema").as_deref() {
            Some(b"strict") => Mode::Strict,
            _ => Mode::Open,
        };
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).ok();
        let all = |name: &[u8]| root.property(name).into_iter().flat_map(|property| property.values);
        let mut watched = vec![(ROOT, root.id().instance)];
        if let Some(machines) = view.child_named(ROOT, b"machines")? {
            watched.push((machines, view.record(machines)?.id().instance));
        }
        Ok(Self {
            suffixes: suffix::of(view, tag)?,
            layout,
            variant,
            mode,
            prepared: prepared(variant, &root),
            admin_dn: root
                .first_value(b"_admin_dn")
                .and_then(text)
                .filter(|dn| Name::parse(dn.as_bytes()).is_ok()),
            unique: all(b"_unique").filter_map(text).collect(),
            integrity: view.root_flag(b"_referential_integrity", true)?,
            nested: view.root_flag(b"_nested_memberof", false)?,
            watched,
            standings: Standings::default(),
            key: RandomState::new(),
        })
    }

    /// Whether the settings are still those that were read.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn is_current(&self, view: &View<'_>) -> Result<bool> {
        for &(object, instance) in &self.watched {
            match view.id(object) {
                Ok(id) if id.instance == instance => {}
                Ok(_) | Err(netinfo_directory::Error::NoSuchDirectory) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The canonical suffix: DN of the domain's root.
    pub fn suffix(&self) -> &str {
        self.suffixes.first().map_or("", |suffix| &suffix.text)
    }

    /// All names of the domain's root, the canonical one first.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> + Clone {
        self.suffixes.iter().map(|suffix| &suffix.text[..])
    }

    /// Whether a name is that of the domain's root or lies below it; how many relative names it has below the root.
    pub fn depth(&self, name: &Name<'_>) -> Option<usize> {
        self.suffixes.iter().find_map(|suffix| suffix.strip(name, self.schema()))
    }

    /// Whether a name is one of the domain's root, however it is written.
    pub fn is_root(&self, name: &Name<'_>) -> bool {
        self.suffixes.iter().any(|suffix| suffix.strip(name, self.schema()) == Some(0))
    }

    /// How directories below the root are named.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Which definitions are taken where RFC 2307 and its successor draft disagree.
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Whether entries are checked against the whole schema, or are open to what it does not provide for.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.prepared.schema
    }

    /// DN of the administrator, if the domain names one.
    pub fn admin_dn(&self) -> Option<&str> {
        self.admin_dn.as_deref()
    }

    /// Definitions of the domain that could not be added to the schema, and why.
    pub fn problems(&self) -> &[String] {
        &self.prepared.problems
    }

    /// The tree of entries as `view` shows it.
    pub fn tree<'a>(&'a self, view: &'a View<'a>) -> Tree<'a> {
        Tree::new(self, view)
    }

    pub(crate) fn standing(&self, view: &View<'_>) -> Arc<Standing> {
        self.standings.of(view)
    }

    /// For hashes that mean something in this namespace only, and that nobody can foresee.
    pub(crate) fn hasher(&self) -> DefaultHasher {
        self.key.build_hasher()
    }

    pub(crate) fn contexts(&self) -> &Contexts {
        &self.prepared.contexts
    }

    pub(crate) fn root_suffix(&self) -> Option<&Suffix> {
        self.suffixes.first()
    }

    /// Which of a context's lists of classes holds here.
    pub(crate) fn class_list(&self) -> usize {
        match (self.layout, self.variant) {
            (Layout::Apple, _) => 0,
            (Layout::Rfc2307, Variant::Rfc2307bis) => 1,
            (Layout::Rfc2307, Variant::Rfc2307) => 2,
        }
    }

    /// Whether groups show the DNs of their users as `member`.
    pub(crate) fn derives_members(&self) -> bool {
        self.variant == Variant::Rfc2307bis
    }
}

/// Schemas in use: making one takes milliseconds, and domains tend to have the same.
static IN_USE: Mutex<Vec<Weak<Prepared>>> = Mutex::new(Vec::new());

/// The schema of a domain whose root is `root`.
fn prepared(variant: Variant, root: &RecordRef<'_>) -> Arc<Prepared> {
    let definitions: Vec<Vec<u8>> = root
        .property(DEFINITIONS)
        .into_iter()
        .flat_map(|property| property.values)
        .map(<[u8]>::to_vec)
        .collect();
    if definitions.is_empty() {
        return Prepared::builtin(variant);
    }
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    in_use.retain(|known| known.strong_count() > 0);
    let fitting = in_use
        .iter()
        .filter_map(Weak::upgrade)
        .find(|known| known.variant == variant && known.definitions == definitions);
    if let Some(known) = fitting {
        return known;
    }
    let (schema, problems) = extended(builtin(variant), &definitions);
    for problem in &problems {
        tracing::warn!("a definition of the domain's schema is left out: {problem}");
    }
    let made = Prepared::new(schema, variant, definitions, problems);
    in_use.push(Arc::downgrade(&made));
    made
}

impl Prepared {
    fn new(
        schema: Arc<Schema>,
        variant: Variant,
        definitions: Vec<Vec<u8>>,
        problems: Vec<String>,
    ) -> Arc<Self> {
        let contexts = Contexts::new(&schema);
        Arc::new(Self { contexts, schema, variant, definitions, problems, asked: RwLock::default() })
    }

    /// What domains have that add nothing to the schema.
    fn builtin(variant: Variant) -> Arc<Self> {
        type Made = LazyLock<Arc<Prepared>>;
        fn make(variant: Variant) -> Arc<Prepared> {
            Prepared::new(builtin(variant), variant, Vec::new(), Vec::new())
        }
        static BIS: Made = LazyLock::new(|| make(Variant::Rfc2307bis));
        static PLAIN: Made = LazyLock::new(|| make(Variant::Rfc2307));
        match variant {
            Variant::Rfc2307bis => BIS.clone(),
            Variant::Rfc2307 => PLAIN.clone(),
        }
    }
}

/// The schema every domain starts with.
pub(crate) fn builtin(variant: Variant) -> Arc<Schema> {
    type Made = LazyLock<std::result::Result<Arc<Schema>, BuiltinError>>;
    static BIS: Made = LazyLock::new(|| Schema::builtin(Variant::Rfc2307bis).map(Arc::new));
    static PLAIN: Made = LazyLock::new(|| Schema::builtin(Variant::Rfc2307).map(Arc::new));
    let made = match variant {
        Variant::Rfc2307bis => &BIS,
        Variant::Rfc2307 => &PLAIN,
    };
    match &**made {
        Ok(schema) => schema.clone(),
        // The tables are part of the program, and its tests read them.
        Err(error) => {
            tracing::error!(%error, "the built-in schema is damaged");
            Arc::new(Schema::empty())
        }
    }
}

/// A schema with as many of these definitions as fit, all at once if possible; and what is wrong with the others.
pub(crate) fn extended(schema: Arc<Schema>, definitions: &[Vec<u8>]) -> (Arc<Schema>, Vec<String>) {
    let mut problems = Vec::new();
    let mut read = Vec::new();
    for text in definitions {
        match read_definition(text) {
            Ok(definition) => read.push(definition),
            Err(problem) => problems.push(problem),
        }
    }
    if read.is_empty() {
        return (schema, problems);
    }
    if let Ok(whole) = schema.extend(read.clone()) {
        return (Arc::new(whole), problems);
    }
    let mut partial = schema;
    for definition in read {
        match partial.extend(vec![definition]) {
            Ok(larger) => partial = Arc::new(larger),
            Err(found) => problems.extend(found.iter().map(ToString::to_string)),
        }
    }
    (partial, problems)
}

/// Reads a value of `_schema_definitions`.
pub(crate) fn read_definition(text: &[u8]) -> std::result::Result<Definition, String> {
    let text = std::str::from_utf8(text).map_err(|_| "a definition is not UTF-8".to_owned())?;
    let (kind, body) = text.split_once(':').ok_or_else(|| format!("no kind stands before: {text}"))?;
    let body = body.trim();
    match kind.trim().to_ascii_lowercase().as_str() {
        "attributetypes" | "attributetype" => {
            body.parse().map(Definition::Attribute).map_err(|error| format!("{error}: {body}"))
        }
        "objectclasses" | "objectclass" => {
            body.parse().map(Definition::Class).map_err(|error| format!("{error}: {body}"))
        }
        _ => Err(format!("{kind} is no kind of definition")),
    }
}

//! Whole entries for bulk loads: directories made of attributes, without a snapshot to look into.
//!
//! A [`Loader`] takes the entries of an export one after another, parents before their children, and gives directories
//! for [`Domain::replace`](netinfo_directory::Domain::replace) or changes. What other servers know of an entry (its uuid,
//! times, who made it) becomes its stamp. Entries are taken as they are: what the schema would refuse is told, and kept.

mod given;
mod plan;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use netinfo_directory::{Property, ROOT, StampBuf};
use netinfo_schema::{Rule, Schema};

use self::given::{Descriptions, Taken};
use self::plan::{Found, Made, Plan, Plans, only_part};
use crate::error::{Reason, Refusal};
use crate::name::{Name, Rdn};
use crate::resolve::Resolution;
use crate::tree::{Inner, Tree};
use crate::write::{self, Given};

/// Who is where already.
#[derive(Debug, Clone, Copy)]
struct Known {
    object: u32,
    inner: Inner,
}

/// An entry below which others come.
struct Above {
    /// Its name as it was written last.
    text: Vec<u8>,
    key: Vec<u8>,
    known: Known,
}

/// What was loaded and may not be in the tree yet, for the loader of what comes next.
#[derive(Default)]
pub struct Loading {
    known: HashMap<Vec<u8>, Known>,
    users: Option<Vec<u8>>,
}

/// Makes directories of entries.
pub struct Loader<'t> {
    /// The domain as it is before the load: only its settings are looked at, and directories that are there already.
    tree: &'t Tree<'t>,
    descriptions: Descriptions<'t>,
    plans: Plans<'t>,
    /// By the key of their DN.
    known: HashMap<Vec<u8>, Known>,
    /// Those of another loader before it.
    before: HashMap<Vec<u8>, Known>,
    /// The entry below which the last one came.
    recent: Option<Above>,
    /// Key of the DN of the users' directory.
    users: Option<Vec<u8>>,
    /// Whether entries are looked for in the tree, too.
    follows: bool,
}

/// One entry as a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Object id of its parent; its own for the root.
    pub parent: u32,
    /// Properties, in the order of the attributes.
    pub properties: Vec<Property>,
    /// What was known of it. A uuid of zeros is none.
    pub stamp: Option<StampBuf>,
    /// What is not as it should be, each in words; the directory has it all the same.
    pub warnings: Vec<String>,
}

impl<'t> Loader<'t> {
    /// For a domain that is seen as `tree` sees it.
    pub fn new(tree: &'t Tree<'t>) -> Self {
        let mut loader = Self {
            tree,
            descriptions: Descriptions::new(tree),
            plans: Plans::default(),
            known: HashMap::new(),
            before: HashMap::new(),
            recent: None,
            users: None,
            follows: false,
        };
        for suffix in tree.namespace().suffixes() {
            if let Ok(key) = key(tree.schema(), suffix.as_bytes()) {
                loader.known.insert(key, Known { object: ROOT, inner: Inner::Containers });
            }
        }
        loader
    }

    /// For entries that come to those which are there: parents are looked for in the tree, too, and among those that the
    /// loader before this one has loaded.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn following(tree: &'t Tree<'t>, before: Loading) -> crate::Result<Self> {
        let Loading { known, users } = before;
        let mut loader = Self { follows: true, before: known, users, ..Self::new(tree) };
        if loader.users.is_none()
            && let Some(users) = tree.view().child_named(ROOT, b"users")?
        {
            loader.users = key(tree.schema(), tree.dn(users)?.as_bytes()).ok();
        }
        Ok(loader)
    }

    /// What it has loaded.
    #[must_use]
    pub fn into_loading(self) -> Loading {
        Loading { known: self.known, users: self.users }
    }

    /// Object id of the entry of this name: one that was loaded, or, for a loader that follows, one of the tree.
    ///
    /// # Errors
    ///
    /// When the name is none, or lies outside the domain.
    pub fn find(&self, dn: &[u8]) -> Result<Option<u32>, Refusal> {
        let key = key(self.tree.schema(), dn)?;
        if let Some(known) = self.known.get(&key).or_else(|| self.before.get(&key)) {
            return Ok(Some(known.object));
        }
        if !self.follows {
            return Ok(None);
        }
        match self.tree.resolve(dn)? {
            Resolution::Found(object) => Ok(Some(object)),
            Resolution::Missing { .. } => Ok(None),
            Resolution::Outside => Err(self.outside()),
        }
    }

    /// Says that the directory `object` of the tree will be there as `new`.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn keep(&mut self, object: u32, new: u32) -> crate::Result<()> {
        let dn = self.tree.dn(object)?;
        let inner = self.tree.place(object)?.inner;
        if let Ok(key) = key(self.tree.schema(), dn.as_bytes()) {
            if let Inner::Context(number) = inner
                && self.tree.context(number).directory == "users"
                && self.tree.view().parent(object)? == ROOT
            {
                self.users = Some(key.clone());
            }
            self.known.insert(key, Known { object: new, inner });
        }
        Ok(())
    }

    /// What [`Loader::load`] would make of the entry of a directory that is there.
    ///
    /// # Errors
    ///
    /// As [`Loader::load`].
    pub fn reload(&mut self, object: u32, dn: &[u8], attributes: Vec<Given<'_>>) -> Result<Loaded, Refusal> {
        if object == ROOT {
            let Taken { user, stamp, warnings } = self.descriptions.take(attributes);
            let properties = self.root(&user)?;
            return Ok(Loaded { parent: ROOT, properties, stamp, warnings });
        }
        let key = key(self.tree.schema(), dn)?;
        self.known.remove(&key);
        self.before.remove(&key);
        self.recent = None;
        self.load(object, dn, attributes)
    }

    fn outside(&self) -> Refusal {
        let suffix = self.tree.namespace().suffix();
        Refusal::new(Reason::NoSuchObject, format!("it is not below \"{suffix}\", the suffix of the domain"))
    }

    /// The entry of this name, below which another comes.
    fn parent(&mut self, above: &[u8]) -> Result<Known, Refusal> {
        if let Some(recent) = self.recent.as_ref().filter(|recent| recent.text == above) {
            return Ok(recent.known);
        }
        let key = key(self.tree.schema(), above)?;
        let known = match self.known.get(&key).or_else(|| self.before.get(&key)) {
            Some(known) => *known,
            None => {
                let known = self.standing(above)?;
                self.known.insert(key.clone(), known);
                known
            }
        };
        self.recent = Some(Above { text: above.to_vec(), key, known });
        Ok(known)
    }

    /// The entry of this name in the tree, for a loader that follows.
    fn standing(&self, above: &[u8]) -> Result<Known, Refusal> {
        let missing = || Refusal::new(Reason::NoSuchObject, "there is no entry above it");
        if !self.follows {
            return Err(missing());
        }
        match self.tree.resolve(above)? {
            Resolution::Found(object) => Ok(Known { object, inner: self.tree.place(object)?.inner }),
            Resolution::Missing { .. } => Err(missing()),
            Resolution::Outside => Err(self.outside()),
        }
    }

    /// Turns an entry into the directory `object`. The entry of the suffix gives the properties of the root, behind which
    /// those come that the root has already.
    ///
    /// # Errors
    ///
    /// When the name is none, or cannot be that of an entry; when its parent has not been loaded, or it has been loaded
    /// itself.
    pub fn load(&mut self, object: u32, dn: &[u8], attributes: Vec<Given<'_>>) -> Result<Loaded, Refusal> {
        let attributes = match self.load_alike(object, dn, attributes) {
            Ok(loaded) => return Ok(loaded),
            Err(attributes) => attributes,
        };
        let tried = self.try_plan(dn, &attributes);
        let loaded = self.load_any(object, dn, attributes)?;
        if let Some(tried) = tried.filter(|_| loaded.warnings.is_empty()) {
            let holds = |made: &Made| made.0 == loaded.properties && made.1 == loaded.stamp;
            self.plans.keep(tried.filter(|(_, made)| holds(made)).map(|(plan, _)| plan));
        }
        Ok(loaded)
    }

    /// As [`Loader::load`], for an entry that is new, stands below the same one as the last, and is like others before it;
    /// gives the attributes back if it is not.
    ///
    /// # Errors
    ///
    /// The attributes.
    pub fn load_alike<'a>(
        &mut self,
        object: u32,
        dn: &[u8],
        attributes: Vec<Given<'a>>,
    ) -> Result<Loaded, Vec<Given<'a>>> {
        let Some((rdn, above)) = below(dn, self.recent.as_ref()) else { return Err(attributes) };
        let Known { object: parent, inner } = above.known;
        let Inner::Context(number) = inner else { return Err(attributes) };
        let Some((kind, value)) = only_part(rdn) else { return Err(attributes) };
        let Found::Plan(plan) = self.plans.find(number, kind, &attributes) else { return Err(attributes) };
        let (schema, plan) = (self.tree.schema(), self.plans.get(plan));
        let Ok(mut own_key) = key(schema, rdn) else { return Err(attributes) };
        if !plan.fits(&value, &attributes) {
            return Err(attributes);
        }
        own_key.push(b',');
        own_key.extend_from_slice(&above.key);
        let inner = Inner::Context(self.tree.namespace().contexts().below(number));
        if self.before.contains_key(&own_key) {
            return Err(attributes);
        }
        match self.known.entry(own_key) {
            Entry::Occupied(_) => return Err(attributes),
            Entry::Vacant(place) => place.insert(Known { object, inner }),
        };
        let (properties, stamp) = plan.apply(schema, attributes);
        Ok(Loaded { parent, properties, stamp, warnings: Vec::new() })
    }

    /// A plan for entries like this one, if there can be one, and what it makes of this one; `None` where that is known
    /// already, or cannot be told.
    fn try_plan(&mut self, dn: &[u8], attributes: &[Given<'_>]) -> Option<Option<(Plan<'t>, Made)>> {
        let (rdn, above) = dn.split_at_checked(separator(dn)?)?;
        let Inner::Context(number) = self.parent(&above[1..]).ok()?.inner else { return None };
        let (kind, value) = only_part(rdn)?;
        if !matches!(self.plans.find(number, kind, attributes), Found::Untried) {
            return None;
        }
        let Some(plan) = Plan::new(self.tree, &mut self.descriptions, number, kind, attributes) else {
            return Some(None);
        };
        let made =
            plan.fits(&value, attributes).then(|| plan.apply(self.tree.schema(), attributes.to_vec()))?;
        Some(Some((plan, made)))
    }

    /// As [`Loader::load`], step by step.
    fn load_any(&mut self, object: u32, dn: &[u8], attributes: Vec<Given<'_>>) -> Result<Loaded, Refusal> {
        let schema = self.tree.schema();
        let own_key = key(schema, dn)?;
        let name = Name::parse(dn)?;
        let Taken { user, stamp, warnings } = self.descriptions.take(attributes);
        if let Some(Known { object: ROOT, .. }) = self.known.get(&own_key) {
            let properties = self.root(&user)?;
            return Ok(Loaded { parent: ROOT, properties, stamp, warnings });
        }
        if self.known.contains_key(&own_key) || self.before.contains_key(&own_key) {
            return Err(Refusal::new(Reason::EntryAlreadyExists, "the entry stands there twice"));
        }
        let Some(rdn) = name.rdns.first() else { return Err(Refusal::no_such_object(None)) };
        let parent = self.parent(separator(dn).map_or(b"", |end| &dn[end + 1..]))?;
        let mut draft = write::new_entry(self.tree, parent.inner, rdn, &user)?;
        if draft.context().table == "groups" {
            let mut known: HashSet<Vec<u8>> = draft.values(b"users").into_iter().collect();
            for name in self.short_names(&user) {
                if known.insert(name.clone()) {
                    draft.append(b"users", &name);
                }
            }
        }
        let properties = draft.into_properties();
        let inner = self.inner(parent.inner, &properties);
        if let Inner::Context(number) = inner
            && parent.inner == Inner::Containers
            && self.tree.context(number).directory == "users"
        {
            self.users = Some(own_key.clone());
        }
        self.known.insert(own_key, Known { object, inner });
        Ok(Loaded { parent: parent.object, properties, stamp, warnings })
    }

    /// The properties of the root: those of the suffix's entry, and what makes it the root.
    fn root(&self, attributes: &[Given<'_>]) -> Result<Vec<Property>, Refusal> {
        let given = write::adopted(self.tree, ROOT, None, attributes)?;
        Ok(given.into_properties())
    }

    fn inner(&self, own: Inner, properties: &[Property]) -> Inner {
        let contexts = self.tree.namespace().contexts();
        let name = properties.iter().find(|property| property.name == b"name").and_then(|p| p.values.first());
        Inner::Context(match own {
            Inner::Containers => name.map_or(crate::context::COMMON, |name| contexts.inside(name)),
            Inner::Context(number) => contexts.below(number),
        })
    }

    /// The short names of the users that a group names by their DNs.
    fn short_names(&self, attributes: &[Given<'_>]) -> Vec<Vec<u8>> {
        let schema = self.tree.schema();
        let Some(users) = &self.users else { return Vec::new() };
        let is_member = |given: &&Given<'_>| {
            given.description.eq_ignore_ascii_case(b"member")
                || given.description.eq_ignore_ascii_case(b"uniqueMember")
        };
        let members = attributes.iter().filter(is_member).flat_map(|given| &given.values);
        let mut names = Vec::new();
        for member in members {
            let Ok(name) = Name::parse(member) else { continue };
            let Some((rdn, above)) = name.rdns.split_first() else { continue };
            let [part] = &rdn.parts[..] else { continue };
            let is_uid = schema.attribute(part.kind).is_some_and(|attribute| attribute.name() == "uid");
            if is_uid && key(schema, &text(above)).is_ok_and(|above| above == *users) {
                names.push(part.value.to_vec());
            }
        }
        names
    }
}

/// The key of a name, the same for all spellings.
fn key(schema: &Schema, dn: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut key = Vec::new();
    Rule::DistinguishedName
        .normalise(schema, dn, &mut key)
        .map_err(|_| Refusal::from(crate::name::NameError::Malformed))?;
    Ok(key)
}

/// Where the first relative name of a name ends: the place of the comma.
fn separator(dn: &[u8]) -> Option<usize> {
    let mut escaped = false;
    dn.iter().position(|byte| {
        let ends = *byte == b',' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })
}

/// The first relative name of a name, if the rest is that of `above`.
fn below<'n, 'a>(dn: &'n [u8], above: Option<&'a Above>) -> Option<(&'n [u8], &'a Above)> {
    let above = above?;
    let rdn = dn.strip_suffix(&above.text[..])?.strip_suffix(b",")?;
    // An escaped comma is none; whether there are two backslashes the long way finds out.
    (!rdn.ends_with(b"\\") && dn.len() <= crate::name::NAME_LIMIT).then_some((rdn, above))
}

/// Relative names as text.
fn text(rdns: &[Rdn<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for rdn in rdns {
        if !out.is_empty() {
            out.push(b',');
        }
        for (at, part) in rdn.parts.iter().enumerate() {
            if at > 0 {
                out.push(b'+');
            }
            out.extend_from_slice(part.kind.as_bytes());
            out.push(b'=');
            crate::name::write_value(&part.value, &mut out);
        }
    }
    out
}

//! What filters and searches ask for.

use std::hash::Hasher;
use std::sync::{Arc, OnceLock};

use netinfo_schema::{AttributeDescription, AttributeId, AttributeType, Schema};
use smallvec::SmallVec;

use crate::context::{Column, LDAP_PREFIX, Slot};
use crate::entry::is_computed;
use crate::namespace::Namespace;
use crate::transform::Transform;

/// An attribute that is asked for, looked up in the schema once: its subtypes count too, and so do more options.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The type, if the schema knows it.
    attribute: Option<AttributeId>,
    /// Name of the type, as the schema has it or as it was written.
    name: String,
    /// Options without `binary`.
    options: SmallVec<[String; 1]>,
    /// The type and its subtypes.
    types: SmallVec<[AttributeId; 2]>,
    /// All names of these.
    pub(crate) names: Vec<Vec<u8>>,
    /// For each context, the properties of the tables.
    pub(crate) columns: Vec<SmallVec<[&'static [u8]; 2]>>,
    /// How assertions are put into the form of values.
    pub(crate) transform: Transform,
    /// Values may follow from other attributes.
    made_up: bool,
    /// Values are what the server knows.
    computed: bool,
    /// Where the tables have the attribute or a subtype, each once.
    pub(crate) mapped: OnceLock<Vec<Column>>,
    /// Properties that hold it outside of the tables, in lower case.
    pub(crate) plain: OnceLock<Vec<Vec<u8>>>,
}

/// Attributes whose values may be made up or follow from others.
const DERIVED: [&str; 12] = [
    "objectClass",
    "cn",
    "sn",
    "homeDirectory",
    "gidNumber",
    "member",
    "ou",
    "dc",
    "o",
    "c",
    "l",
    "memberUid",
];

impl Namespace {
    /// An attribute description for use with [`Entry`](crate::Entry), kept for those who ask for the same later. `None` when
    /// the text is none.
    pub fn wanted(&self, description: &str) -> Option<Arc<Wanted>> {
        self.asked(description, || self.make_wanted(description).map(Arc::new))
    }

    fn make_wanted(&self, description: &str) -> Option<Wanted> {
        let parsed = AttributeDescription::parse(description)?;
        let schema = self.schema();
        let attribute = parsed.attribute(schema);
        let name = attribute.map_or_else(|| parsed.name(), AttributeType::name).to_owned();
        let options = parsed.options().filter(|option| !option.eq_ignore_ascii_case("binary"));
        let types: SmallVec<[AttributeId; 2]> = attribute
            .into_iter()
            .flat_map(|known| std::iter::once(known.id()).chain(known.descendants().iter().copied()))
            .collect();
        let mut names = Vec::new();
        for known in types.iter().map(|id| schema.attribute_by_id(*id)) {
            names.extend(known.names().iter().map(|name| name.as_bytes().to_vec()));
            names.push(known.oid().as_bytes().to_vec());
        }
        if attribute.is_none() {
            names.push(name.as_bytes().to_vec());
        }
        let transform = attribute
            .and_then(|known| {
                self.contexts().iter().find_map(|context| context.columns_of(known.id()).first())
            })
            .map_or(Transform::Copy, |column| column.transform);
        let columns = self
            .contexts()
            .iter()
            .map(|context| {
                let columns = types.iter().flat_map(|id| context.columns_of(*id));
                columns.map(|column| column.property.as_bytes()).collect()
            })
            .collect();
        let any = |is: &dyn Fn(&str) -> bool| types.iter().any(|id| is(schema.attribute_by_id(*id).name()));
        let (made_up, computed) = (any(&|name| DERIVED.contains(&name)), any(&is_computed));
        let options = options.map(str::to_owned).collect();
        Some(Wanted {
            attribute: attribute.map(AttributeType::id),
            name,
            options,
            types,
            names,
            columns,
            transform,
            made_up,
            computed,
            mapped: OnceLock::new(),
            plain: OnceLock::new(),
        })
    }
}

impl Namespace {
    /// Names of all properties that may hold values of an attribute: those the tables have for it wherever they have one, and
    /// its own names. Subtypes are not meant. Nothing for attributes the schema does not know.
    pub fn properties_of(&self, attribute: &str) -> Vec<Vec<u8>> {
        let schema = self.schema();
        let Some(known) = AttributeDescription::parse(attribute).and_then(|parsed| parsed.attribute(schema))
        else {
            return Vec::new();
        };
        let own = known.names().iter().map(|name| name.as_bytes().to_vec());
        let contexts = self.contexts().iter();
        let columns = contexts
            .flat_map(|context| context.columns_of(known.id()))
            .map(|column| column.property.as_bytes().to_vec());
        let mut names: Vec<Vec<u8>> = own.chain(columns).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Wanted {
    /// The type, if the schema knows it.
    pub fn attribute<'s>(&self, schema: &'s Schema) -> Option<&'s AttributeType> {
        self.attribute.map(|id| schema.attribute_by_id(id))
    }

    /// Name of the type: the schema's first, or as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its values are password material.
    pub(crate) fn is_secret(&self) -> bool {
        self.transform == Transform::Password
    }

    /// Options that values must have.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(String::as_str)
    }

    /// The type and its subtypes, by id.
    pub fn types(&self) -> &[AttributeId] {
        &self.types
    }

    /// Whether a property can hold the attribute in a context, judged by its name alone.
    pub(crate) fn may_be(&self, context: usize, property: &[u8]) -> bool {
        if self.columns.get(context).is_some_and(|columns| columns.contains(&property)) {
            return true;
        }
        let property = property.strip_prefix(LDAP_PREFIX).unwrap_or(property);
        self.names.iter().any(|name| {
            property.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
                && matches!(property.get(name.len()), None | Some(b';'))
        })
    }

    /// Whether an attribute of an entry is asked for.
    pub(crate) fn includes(&self, schema: &Schema, slot: &Slot<'_>) -> bool {
        match slot {
            Slot::Hidden => false,
            Slot::Known { attribute, options, .. } => {
                self.types.contains(&attribute.id()) && (self.options.is_empty() || self.has_options(options))
            }
            Slot::Unknown { description } => {
                self.attribute.is_none()
                    && AttributeDescription::parse(description).is_some_and(|parsed| {
                        parsed.name().eq_ignore_ascii_case(&self.name)
                            && (self.options.is_empty()
                                || self.has_options(&description[parsed.name().len()..]))
                    })
                    && schema.attribute(&self.name).is_none()
            }
        }
    }

    /// Whether the type, without options, is asked for.
    pub(crate) fn is_of(&self, attribute: AttributeId) -> bool {
        self.options.is_empty() && self.types.contains(&attribute)
    }

    pub(crate) fn is_derived(&self) -> bool {
        (self.made_up || self.computed) && self.options.is_empty()
    }

    /// Whether it is something that the server knows.
    pub(crate) fn is_computed(&self) -> bool {
        self.computed
    }

    /// Whether options as they are stored (`;lang-de`) have all that are asked for (RFC 3866 §3.1 for those that end with a
    /// hyphen).
    fn has_options(&self, stored: &str) -> bool {
        self.options.iter().all(|wanted| {
            stored.split(';').any(|option| {
                option.eq_ignore_ascii_case(wanted)
                    || wanted.strip_suffix('-').is_some_and(|range| {
                        option.eq_ignore_ascii_case(range)
                            || option
                                .get(..wanted.len())
                                .is_some_and(|head| head.eq_ignore_ascii_case(wanted))
                    })
            })
        })
    }
}

/// The attributes that a search returns (RFC 4511 §4.5.1.8, RFC 3673, RFC 4529).
#[derive(Debug, Clone, Default)]
pub struct Selection {
    user: bool,
    operational: bool,
    wanted: Vec<Arc<Wanted>>,
    /// Attributes of object classes that were named.
    of_classes: Vec<AttributeId>,
    /// Number of what is asked for, in its namespace, which nobody can choose. `None` if it has none.
    digest: Option<u64>,
}

impl Selection {
    /// What a request asks for: descriptions, `*` for all user attributes, `+` for all operational ones, `@class` for those
    /// of a class, `1.1` for none; nothing at all means `*`. What is not known, or no description, is passed over.
    pub fn new<'r>(namespace: &Namespace, requested: impl IntoIterator<Item = &'r [u8]>) -> Self {
        let mut selection = Self::default();
        let mut any = false;
        let mut names = namespace.hasher();
        for text in requested.into_iter().map(|text| std::str::from_utf8(text).unwrap_or_default()) {
            any = true;
            match text {
                "*" => selection.user = true,
                "+" => selection.operational = true,
                "1.1" => {}
                _ => match text.strip_prefix('@') {
                    Some(class) => selection.add_class(namespace, class),
                    None => {
                        selection.wanted.extend(namespace.wanted(text));
                        names.write_usize(text.len());
                        names.write(text.as_bytes());
                    }
                },
            }
        }
        selection.user |= !any;
        if !selection.needs_operational() {
            names.write_u8(selection.user.into());
            selection.digest = Some(names.finish());
        }
        selection
    }

    /// All user attributes.
    pub fn user() -> Self {
        Self { user: true, ..Self::default() }
    }

    /// All attributes there are.
    pub fn everything() -> Self {
        Self { user: true, operational: true, ..Self::default() }
    }

    /// A number for what is asked for and the namespace that it is asked of: two that differ have different ones, unless by a
    /// chance that nobody can further. `None` where what the server knows of an entry is asked for, or all of a class.
    pub(crate) fn digest(&self) -> Option<u64> {
        self.digest
    }

    /// Whether no attribute is asked for.
    pub fn is_empty(&self) -> bool {
        !self.user && !self.operational && self.wanted.is_empty() && self.of_classes.is_empty()
    }

    /// What is asked for by name, in the order of the request.
    pub fn named(&self) -> &[Arc<Wanted>] {
        &self.wanted
    }

    fn add_class(&mut self, namespace: &Namespace, class: &str) {
        let schema = namespace.schema();
        match schema.class(class) {
            Some(class) if class.allows_everything() => self.user = true,
            Some(class) => {
                self.of_classes.extend(class.must().iter().chain(class.may()));
            }
            None => {}
        }
    }

    /// Whether a stored attribute is returned.
    pub(crate) fn takes(&self, schema: &Schema, slot: &Slot<'_>) -> bool {
        let operational = matches!(slot, Slot::Known { attribute, .. } if attribute.is_operational());
        let all = if operational { self.operational } else { self.user };
        all || self.wanted.iter().any(|wanted| wanted.includes(schema, slot))
            || matches!(slot, Slot::Known { attribute, .. } if self.of_classes.contains(&attribute.id()))
    }

    /// Whether a derived user attribute is returned.
    pub(crate) fn takes_derived(&self, attribute: AttributeId) -> bool {
        self.user || self.names(attribute) || self.of_classes.contains(&attribute)
    }

    /// Whether an operational attribute is returned.
    pub(crate) fn takes_operational(&self, attribute: AttributeId) -> bool {
        self.operational || self.names(attribute) || self.of_classes.contains(&attribute)
    }

    fn names(&self, attribute: AttributeId) -> bool {
        self.wanted.iter().any(|wanted| wanted.is_of(attribute))
    }

    pub(crate) fn needs_derived(&self) -> bool {
        self.user || !self.of_classes.is_empty() || self.wanted.iter().any(|wanted| wanted.made_up)
    }

    pub(crate) fn needs_operational(&self) -> bool {
        self.operational || self.wanted.iter().any(|wanted| wanted.computed) || !self.of_classes.is_empty()
    }
}

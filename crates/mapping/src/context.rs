//! Contexts: which attribute a property is, by the place of its directory.
//!
//! The directory below the root in which an entry lies decides its context; entries anywhere else, and the directories
//! below the root themselves, have the common one. The tables are resolved against one schema once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use netinfo_directory::is_secret;
use netinfo_schema::check::Mode;
use netinfo_schema::{AttributeDescription, AttributeId, AttributeType, Schema};
use smallvec::SmallVec;

use crate::table;
use crate::transform::Transform;

/// Prefix of properties that hold an attribute whose own name means something else as a property.
pub(crate) const LDAP_PREFIX: &[u8] = b"_ldap_";
/// The property by which a directory is named unless `_rdn` names others.
pub(crate) const NAME: &[u8] = b"name";
/// The properties by which an entry is named, if not by `name`.
pub(crate) const RDN: &[u8] = b"_rdn";
/// The property and attribute of object classes.
pub(crate) const OBJECT_CLASS: &str = "objectClass";

/// Number of the common context.
pub(crate) const COMMON: usize = 0;
/// Number of the context below automount maps.
const AUTOMOUNT: usize = 1;
/// Number of the context of the root directory itself.
pub(crate) const AT_ROOT: usize = 2;
/// Properties of the root that configure its servers (NetInfo protocol, root-directory configuration properties). They are
/// no attributes of the domain's entry.
const SERVER_SETTINGS: [&str; 16] = [
    "master",
    "trusted_networks",
    "passwd_networks",
    "port",
    "promote_admins",
    "readall_proxies",
    "subthreads",
    "update_latency",
    "cleanup_wait",
    "isRoot",
    "cloneReplyReadall",
    "sanitycheck",
    "localBindAttempts",
    "alias_name",
    "alias_addrs",
    "serves",
];
/// The directory of automount maps.
const AUTOMOUNT_MAPS: &str = "automountmap";

/// A property that the tables name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) property: &'static str,
    /// `None`: not published.
    pub(crate) attribute: Option<AttributeId>,
    pub(crate) transform: Transform,
}

/// FNV-1a: quick for short names. The keys are those of the embedded tables, so that nobody can crowd a bucket.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The meaning of properties in one part of the tree.
#[derive(Debug)]
pub(crate) struct Context {
    /// Name of the directory below the root; empty for the common one.
    pub(crate) directory: &'static str,
    /// The same in trees of the RFC 2307 layout; empty where it has no other.
    pub(crate) unit: &'static str,
    /// Name of the table of attributes.
    pub(crate) table: &'static str,
    /// Classes of entries that store none: layout of Open Directory, RFC 2307bis, RFC 2307.
    pub(crate) classes: [&'static str; 3],
    columns: HashMap<&'static [u8], Column, BuildHasherDefault<Fnv>>,
    by_attribute: HashMap<AttributeId, SmallVec<[Column; 1]>>,
    spelled: Arc<Spelled>,
}

/// Attributes that users give, by the very names the schema has for them.
type Spelled = HashMap<Box<[u8]>, AttributeId, BuildHasherDefault<Fnv>>;

/// What a property is among the attributes of its entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot<'a> {
    /// Nothing.
    Hidden,
    /// An attribute of the schema.
    Known {
        attribute: &'a AttributeType,
        /// Its options as they are stored, behind a semicolon each; mostly none.
        options: &'a str,
        transform: Transform,
    },
    /// An attribute that the schema does not have.
    Unknown { description: &'a str },
}

impl<'a> Slot<'a> {
    /// Whether both are one attribute.
    pub(crate) fn is_same(&self, other: &Slot<'_>) -> bool {
        match (self, other) {
            (Slot::Known { attribute, options, .. }, Slot::Known { attribute: one, options: theirs, .. }) => {
                attribute.id() == one.id() && options.eq_ignore_ascii_case(theirs)
            }
            (Slot::Unknown { description }, Slot::Unknown { description: other }) => {
                description.eq_ignore_ascii_case(other)
            }
            _ => false,
        }
    }

    /// The type, if the schema has it.
    pub(crate) fn attribute(&self) -> Option<AttributeId> {
        match self {
            Slot::Known { attribute, .. } => Some(attribute.id()),
            Slot::Hidden | Slot::Unknown { .. } => None,
        }
    }

    /// Type and options as they are published.
    pub(crate) fn description(&self) -> Cow<'a, str> {
        match *self {
            Slot::Hidden => Cow::Borrowed(""),
            Slot::Unknown { description } => Cow::Borrowed(description),
            Slot::Known { attribute, options, .. } => {
                let binary = attribute.syntax().needs_binary_transfer();
                match (options, binary) {
                    ("", false) => Cow::Borrowed(attribute.name()),
                    (options, false) => Cow::Owned(format!("{}{options}", attribute.name())),
                    (options, true) => Cow::Owned(format!("{};binary{options}", attribute.name())),
                }
            }
        }
    }

    pub(crate) fn transform(&self) -> Transform {
        match self {
            Slot::Known { transform, .. } => *transform,
            _ => Transform::Copy,
        }
    }
}

impl Context {
    /// The property the tables have under this name.
    pub(crate) fn column(&self, property: &[u8]) -> Option<&Column> {
        self.columns.get(property)
    }

    /// The properties of an attribute, in the order they are read; none when the tables do not name it.
    pub(crate) fn columns_of(&self, attribute: AttributeId) -> &[Column] {
        self.by_attribute.get(&attribute).map_or(&[], |columns| columns)
    }

    /// Whether the values of an attribute are spread over several properties by what they look like.
    pub(crate) fn splits(&self, attribute: AttributeId) -> bool {
        let columns = self.columns_of(attribute);
        columns.len() > 1 && columns[0].transform == Transform::Ip
    }

    /// Whether a property of this name, in any case, is something else than the attribute of its name.
    pub(crate) fn is_taken(&self, name: &[u8]) -> bool {
        self.columns.keys().any(|known| known.eq_ignore_ascii_case(name)) || is_secret(name)
    }

    /// What a property is. `mirrored`: `name` only repeats another property by which the entry is named.
    pub(crate) fn slot<'a>(
        &self,
        schema: &'a Schema,
        mode: Mode,
        mirrored: bool,
        property: &'a [u8],
    ) -> Slot<'a> {
        if let Some(column) = self.column(property) {
            return match column.attribute {
                Some(_) if mirrored && property == NAME => Slot::Hidden,
                Some(id) => Slot::Known {
                    attribute: schema.attribute_by_id(id),
                    options: "",
                    transform: column.transform,
                },
                None => Slot::Hidden,
            };
        }
        if let Some(id) = self.spelled.get(property) {
            let (attribute, transform) = (schema.attribute_by_id(*id), Transform::Copy);
            return Slot::Known { attribute, options: "", transform };
        }
        let text = match property {
            [b'_', ..] => property.strip_prefix(LDAP_PREFIX),
            _ if is_secret(property) => None,
            _ => Some(property),
        };
        let description = text.and_then(|text| std::str::from_utf8(text).ok());
        let Some((description, parsed)) =
            description.and_then(|text| Some((text, AttributeDescription::parse(text)?)))
        else {
            return Slot::Hidden;
        };
        match parsed.attribute(schema) {
            Some(attribute) if attribute.is_no_user_modification() => Slot::Hidden,
            Some(attribute) => Slot::Known {
                attribute,
                options: &description[parsed.name().len()..],
                transform: Transform::Copy,
            },
            None if mode == Mode::Open => Slot::Unknown { description },
            None => Slot::Hidden,
        }
    }

    /// The property under which an attribute is stored where the entry does not have it yet. `sample` is a value: where
    /// the tables have several properties for the attribute, it may decide.
    pub(crate) fn property_for(
        &self,
        schema: &Schema,
        mirrored: bool,
        description: &AttributeDescription<'_>,
        sample: &[u8],
    ) -> Vec<u8> {
        let attribute = description.attribute(schema);
        let mut options: SmallVec<[&str; 2]> = description.options().collect();
        options.retain(|option| !option.eq_ignore_ascii_case("binary"));
        let columns =
            attribute.filter(|_| options.is_empty()).map_or(&[][..], |known| self.columns_of(known.id()));
        let mut usable = columns.iter().filter(|column| !(mirrored && column.property.as_bytes() == NAME));
        if let Some(first) = usable.next() {
            let second = usable.next().filter(|_| first.transform == Transform::Ip && sample.contains(&b':'));
            return second.unwrap_or(first).property.as_bytes().to_vec();
        }
        let mut name = attribute.map_or_else(|| description.name(), |known| known.name()).as_bytes().to_vec();
        for option in options {
            name.push(b';');
            name.extend_from_slice(option.as_bytes());
        }
        let taken = self.column(&name).is_some() || is_secret(&name);
        if taken { [LDAP_PREFIX, &name].concat() } else { name }
    }

    fn add(&mut self, schema: &Schema, row: table::AttributeRow) {
        let resolved = row.attribute.and_then(|(name, transform)| Some((schema.attribute(name)?, transform)));
        let column = Column {
            property: row.property,
            attribute: resolved.map(|(attribute, _)| attribute.id()),
            transform: resolved.map_or(Transform::Copy, |(_, transform)| transform),
        };
        if row.attribute.is_some() && resolved.is_none() {
            return; // an attribute that was taken out of the schema: the property stands for itself
        }
        self.columns.insert(row.property.as_bytes(), column);
        if let Some(id) = column.attribute {
            self.by_attribute.entry(id).or_default().push(column);
        }
    }

    fn new(
        schema: &Schema,
        directory: &'static str,
        unit: &'static str,
        table: &'static str,
        classes: [&'static str; 3],
        spelled: &Arc<Spelled>,
    ) -> Self {
        let (columns, by_attribute) = (HashMap::default(), HashMap::new());
        let spelled = spelled.clone();
        let mut context = Self { directory, unit, table, classes, columns, by_attribute, spelled };
        for row in table::attributes().filter(|row| !table.is_empty() && row.table == table) {
            context.add(schema, row);
        }
        for (property, name, transform) in [
            ("name", "cn", Transform::Copy),
            ("passwd", "userPassword", Transform::Password),
            (OBJECT_CLASS, OBJECT_CLASS, Transform::Copy),
        ] {
            if context.column(property.as_bytes()).is_none() {
                context
                    .add(schema, table::AttributeRow { table, property, attribute: Some((name, transform)) });
            }
        }
        context
    }

    fn at_root(schema: &Schema, spelled: &Arc<Spelled>) -> Self {
        let mut context = Self::new(schema, "", "", "", ["extensibleObject"; 3], spelled);
        for property in SERVER_SETTINGS {
            context.add(schema, table::AttributeRow { table: "", property, attribute: None });
        }
        context
    }
}

fn spelled(schema: &Schema) -> Spelled {
    let given = schema.attributes().filter(|attribute| !attribute.is_no_user_modification());
    let names = given.flat_map(|attribute| attribute.names().iter().map(|name| (name, attribute.id())));
    // Only what the name means to everybody else too.
    let names = names.filter(|(name, id)| {
        !is_secret(name.as_bytes())
            && !name.starts_with('_')
            && AttributeDescription::parse(name)
                .and_then(|parsed| parsed.attribute(schema))
                .is_some_and(|known| known.id() == *id)
    });
    names.map(|(name, id)| (name.as_bytes().into(), id)).collect()
}

/// All contexts.
#[derive(Debug)]
pub(crate) struct Contexts {
    list: Vec<Context>,
}

impl Contexts {
    pub(crate) fn new(schema: &Schema) -> Self {
        let spelled = &Arc::new(spelled(schema));
        let mut list = vec![
            Context::new(schema, "", "", "", ["extensibleObject"; 3], spelled),
            Context::new(schema, "", "", "automount", ["automount"; 3], spelled),
            Context::at_root(schema, spelled),
        ];
        for row in table::containers() {
            list.push(Context::new(schema, row.directory, row.unit, row.table, row.classes, spelled));
        }
        Self { list }
    }

    /// Whether this is the very name of an attribute that users give, without options.
    pub(crate) fn spells(&self, description: &[u8]) -> bool {
        self.list[COMMON].spelled.contains_key(description)
    }

    /// The context with this number.
    pub(crate) fn get(&self, number: usize) -> &Context {
        &self.list[number]
    }

    /// All of them, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Context> {
        self.list.iter()
    }

    /// The number of the context of what lies in the directory of this name below the root.
    pub(crate) fn inside(&self, directory: &[u8]) -> usize {
        let found = self.list.iter().position(|context| {
            !context.directory.is_empty() && directory.eq_ignore_ascii_case(context.directory.as_bytes())
        });
        found.unwrap_or(COMMON)
    }

    /// The number of the context below an entry of context `number`.
    pub(crate) fn below(&self, number: usize) -> usize {
        if self.get(number).directory == AUTOMOUNT_MAPS { AUTOMOUNT } else { number }
    }

    /// The directory below the root that is `ou=unit` in trees of the RFC 2307 layout.
    pub(crate) fn directory_of_unit(&self, unit: &[u8]) -> Option<&'static str> {
        self.list
            .iter()
            .find(|context| !context.unit.is_empty() && unit.eq_ignore_ascii_case(context.unit.as_bytes()))
            .map(|context| context.directory)
    }
}

#[cfg(test)]
mod tests {
    use netinfo_schema::Variant;

    use super::*;

    #[test]
    fn properties_and_attributes_both_ways() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let contexts = Contexts::new(&schema);
        let users = contexts.get(contexts.inside(b"users"));
        let common = contexts.get(contexts.inside(b"contacts"));
        let slot = |context: &Context, property: &'static str| {
            context.slot(&schema, Mode::Open, false, property.as_bytes()).description().into_owned()
        };
        assert_eq!(slot(users, "name"), "uid");
        assert_eq!(slot(users, "uid"), "uidNumber");
        assert_eq!(slot(users, "usercertificate"), "userCertificate;binary");
        assert_eq!(slot(common, "name"), "cn");
        assert_eq!(slot(common, "uid"), "uid");
        assert_eq!(slot(common, "passwd"), "userPassword");
        assert_eq!(slot(users, "cn;lang-de"), "cn;lang-de");
        assert_eq!(slot(users, "_ldap_home"), "home");
        assert_eq!(slot(users, "MAIL"), "mail");
        for hidden in ["_writers", "ShadowHashData", "net_passwd", "a b", "memberOf", ""] {
            assert_eq!(slot(users, hidden), "", "{hidden}");
        }
        let property = |context: &Context, description: &str, sample: &str| {
            let description = AttributeDescription::parse(description).unwrap();
            let name = context.property_for(&schema, false, &description, sample.as_bytes());
            String::from_utf8(name).unwrap()
        };
        assert_eq!(property(users, "userid", ""), "name");
        assert_eq!(property(users, "cn", ""), "realname");
        assert_eq!(property(users, "cn;LANG-de", ""), "cn;LANG-de");
        assert_eq!(property(users, "userCertificate;binary", ""), "usercertificate");
        assert_eq!(property(users, "home", ""), "_ldap_home");
        assert_eq!(property(common, "passwd", ""), "_ldap_passwd");
        assert_eq!(property(common, "UserPassword", ""), "passwd");
        assert_eq!(property(users, "displayname", ""), "displayName");
        assert_eq!(property(users, "favouriteColour", ""), "favouriteColour");
        let machines = contexts.get(contexts.inside(b"machines"));
        assert_eq!(property(machines, "ipHostNumber", "192.0.2.1"), "ip_address");
        assert_eq!(property(machines, "ipHostNumber", "2001:db8::1"), "ipv6_address");
        let mirrored = AttributeDescription::parse("cn").unwrap();
        assert_eq!(common.property_for(&schema, true, &mirrored, b""), b"cn");
    }

    #[test]
    fn strict_domains_publish_what_the_schema_has() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let contexts = Contexts::new(&schema);
        let slot = |mode| contexts.get(COMMON).slot(&schema, mode, false, b"favouriteColour");
        assert!(matches!(slot(Mode::Open), Slot::Unknown { description: "favouriteColour" }));
        assert!(matches!(slot(Mode::Strict), Slot::Hidden));
    }

    #[test]
    fn places_have_contexts() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let contexts = Contexts::new(&schema);
        let maps = contexts.inside(b"automountMap");
        assert_eq!(contexts.get(maps).table, "automountmap");
        assert_eq!(contexts.below(maps), AUTOMOUNT);
        assert_eq!(contexts.below(AUTOMOUNT), AUTOMOUNT);
        let users = contexts.inside(b"users");
        assert_eq!(contexts.below(users), users);
        assert_eq!(contexts.inside(b"elsewhere"), COMMON);
        for setting in SERVER_SETTINGS {
            let root = contexts.get(AT_ROOT).slot(&schema, Mode::Open, false, setting.as_bytes());
            assert!(matches!(root, Slot::Hidden), "{setting}");
        }
        assert_eq!(contexts.directory_of_unit(b"People"), Some("users"));
        assert_eq!(contexts.directory_of_unit(b"contacts"), None);
        assert_eq!(contexts.directory_of_unit(b""), None);
    }
}

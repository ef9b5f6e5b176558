//! Where an index finds what a filter asks for.

use std::collections::BTreeSet;

use netinfo_directory::{ROOT, Term};
use netinfo_schema::{ObjectClass, Rule};

use crate::context::{COMMON, Column, LDAP_PREFIX, NAME, OBJECT_CLASS};
use crate::entry::{NO_GROUP, NO_HOME, is_computed};
use crate::error::Result;
use crate::resolve::Resolution;
use crate::transform::Transform;
use crate::tree::{DSID, Tree};
use crate::wanted::Wanted;

/// One thing to ask of the value index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A property has this value.
    Equal {
        /// Name of the property.
        property: Vec<u8>,
        /// The value as it is stored.
        value: Vec<u8>,
    },
    /// A value of the property has this in it.
    Contains {
        /// Name of the property.
        property: Vec<u8>,
        /// The piece.
        piece: Vec<u8>,
    },
    /// The directory has the property.
    Present {
        /// Name of the property.
        property: Vec<u8>,
    },
}

impl Lookup {
    /// The same for the core's index.
    pub fn term(&self) -> Term<'_> {
        match self {
            Self::Equal { property, value } => Term::Equal { property, value },
            Self::Contains { property, piece } => Term::Contains { property, piece },
            Self::Present { property } => Term::Present { property },
        }
    }
}

/// Where all entries are that can match: the union of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    /// What to ask of the value index.
    pub terms: Vec<Lookup>,
    /// Object ids of directories that are candidates whatever the index says.
    pub objects: Vec<u32>,
    /// Object ids of directories whose children, near and far, are all candidates.
    pub below: Vec<u32>,
    /// `false`: there may be other entries, so that all have to be looked at.
    pub complete: bool,
}

impl Lookups {
    fn all() -> Self {
        Self::default()
    }

    fn none() -> Self {
        Self { complete: true, ..Self::default() }
    }
}

impl Wanted {
    /// Names of all properties that can hold the attribute, or a subtype; without options. Values with options are held by
    /// properties of these names with the options behind them.
    pub fn properties(&self) -> impl Iterator<Item = &[u8]> {
        let mapped = self.columns.iter().flatten().map(|property| -> &[u8] { property });
        mapped.chain(self.names.iter().map(Vec::as_slice)).collect::<BTreeSet<_>>().into_iter()
    }

    /// Whether entries have values of it that no index finds: they follow from other properties, or are what the server knows.
    pub fn has_hidden_values(&self) -> bool {
        self.is_derived()
    }

    /// An assertion value in the form in which values of the attribute are told: Ethernet addresses are padded, and so on.
    pub fn assertion<'v>(&self, value: &'v [u8]) -> std::borrow::Cow<'v, [u8]> {
        self.transform.assertion(value)
    }
}

impl Tree<'_> {
    /// Where entries are that may have this value: for an equality filter. The exact rule is for the caller to apply.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn lookups(&self, wanted: &Wanted, value: &[u8]) -> Result<Lookups> {
        if !wanted.is_derived() {
            return Ok(self.stored(wanted, value));
        }
        let mut lookups = match wanted.name() {
            "entryUUID" => return self.by_uuid(value),
            "entryDN" => return self.by_dn(value),
            DSID => return Ok(self.by_number(value)),
            "memberOf" => return self.members_of(value),
            name if is_computed(name) => return Ok(Lookups::all()),
            "objectClass" => match std::str::from_utf8(value).ok().and_then(|name| self.schema().class(name))
            {
                Some(class) => return self.of_class(class),
                None => self.stored(wanted, value),
            },
            _ => self.stored(wanted, value),
        };
        self.add_derived(wanted, value, &mut lookups)?;
        Ok(lookups)
    }

    /// Where entries are that have the attribute: for a presence filter.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn presence(&self, wanted: &Wanted) -> Result<Lookups> {
        if is_computed(wanted.name()) || wanted.name() == "objectClass" {
            return Ok(Lookups::all());
        }
        let mut lookups = Lookups::none();
        for property in self.plain_names(wanted) {
            lookups.terms.push(Lookup::Present { property: property.clone() });
        }
        if wanted.is_derived() {
            self.add_places(&mut lookups)?;
            if wanted.covers(self.schema(), "member") {
                lookups.terms.push(Lookup::Present { property: b"users".to_vec() });
            }
            if ["cn", "sn", "homeDirectory", "gidNumber"]
                .iter()
                .any(|name| wanted.covers(self.schema(), name))
            {
                lookups.below.extend(self.view().child_named(ROOT, b"users")?);
            }
        }
        Ok(lookups)
    }

    /// Where entries are that may have this piece in a value: for a substring filter.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn containing(&self, wanted: &Wanted, piece: &[u8]) -> Result<Lookups> {
        let covers = |name: &str| wanted.covers(self.schema(), name);
        if is_computed(wanted.name()) || covers(OBJECT_CLASS) {
            return Ok(Lookups::all());
        }
        let mut lookups = Lookups::none();
        // Where values are told in another form, the piece may not be in the stored one.
        let told_otherwise: Vec<&str> = self
            .columns(wanted)
            .iter()
            .filter(|column| matches!(column.transform, Transform::Mac | Transform::Number | Transform::Days))
            .map(|column| column.property)
            .collect();
        for property in self.plain_names(wanted) {
            let told_otherwise =
                told_otherwise.iter().any(|name| property.eq_ignore_ascii_case(name.as_bytes()));
            let property = property.clone();
            lookups.terms.push(match told_otherwise {
                true => Lookup::Present { property },
                false => Lookup::Contains { property, piece: piece.to_vec() },
            });
        }
        if !wanted.is_derived() {
            return Ok(lookups);
        }
        self.add_places(&mut lookups)?;
        if covers("cn") || covers("sn") {
            lookups.terms.push(Lookup::Contains { property: NAME.to_vec(), piece: piece.to_vec() });
        }
        if covers("sn") {
            lookups.terms.push(Lookup::Contains { property: b"realname".to_vec(), piece: piece.to_vec() });
        }
        if covers("member") || covers("memberUid") {
            lookups.terms.push(Lookup::Present { property: b"users".to_vec() });
        }
        let has =
            |whole: &[u8]| whole.windows(piece.len().max(1)).any(|part| part.eq_ignore_ascii_case(piece));
        if (covers("homeDirectory") && has(NO_HOME)) || (covers("gidNumber") && has(NO_GROUP)) {
            lookups.below.extend(self.view().child_named(ROOT, b"users")?);
        }
        Ok(lookups)
    }

    /// The stored forms of a value, in every property that can hold the attribute.
    fn stored(&self, wanted: &Wanted, value: &[u8]) -> Lookups {
        let mut lookups = Lookups::none();
        let mut add = |property: &[u8], value: &[u8]| {
            let term = Lookup::Equal { property: property.to_vec(), value: value.to_vec() };
            if !lookups.terms.contains(&term) {
                lookups.terms.push(term);
            }
        };
        for column in self.columns(wanted) {
            add(column.property.as_bytes(), value);
            add(column.property.as_bytes(), &column.transform.store(value));
            for form in column.transform.other_forms(value) {
                add(column.property.as_bytes(), &form);
            }
        }
        for property in self.plain_names(wanted) {
            add(property, value);
        }
        lookups
    }

    fn columns<'w>(&self, wanted: &'w Wanted) -> &'w [Column] {
        wanted.mapped.get_or_init(|| {
            let mut columns: Vec<Column> = Vec::new();
            for context in self.namespace().contexts().iter() {
                for column in wanted.types().iter().flat_map(|id| context.columns_of(*id)) {
                    if !columns.contains(column) {
                        columns.push(*column);
                    }
                }
            }
            columns
        })
    }

    /// Properties that hold the attribute or a subtype outside of the tables, or of their names.
    fn plain_names<'w>(&self, wanted: &'w Wanted) -> &'w [Vec<u8>] {
        wanted.plain.get_or_init(|| {
            let mut names: BTreeSet<Vec<u8>> = wanted.properties().map(<[u8]>::to_ascii_lowercase).collect();
            let contexts = self.namespace().contexts();
            let taken: Vec<Vec<u8>> = names
                .iter()
                .filter(|name| contexts.iter().any(|context| context.is_taken(name)))
                .map(|name| [LDAP_PREFIX, name].concat())
                .collect();
            names.extend(taken);
            names.into_iter().collect()
        })
    }

    fn add_derived(&self, wanted: &Wanted, value: &[u8], lookups: &mut Lookups) -> Result<()> {
        let covers = |name: &str| wanted.covers(self.schema(), name);
        self.add_places(lookups)?;
        let equal = |property: &[u8]| Lookup::Equal { property: property.to_vec(), value: value.to_vec() };
        if covers("cn") || covers("sn") {
            lookups.terms.push(equal(NAME));
        }
        if covers("sn") {
            lookups.terms.push(Lookup::Contains { property: b"realname".to_vec(), piece: value.to_vec() });
        }
        let is_made_up =
            (covers("gidNumber") && value == NO_GROUP) || (covers("homeDirectory") && value == NO_HOME);
        if is_made_up {
            lookups.below.extend(self.view().child_named(ROOT, b"users")?);
        }
        if covers("member")
            && let Ok(Resolution::Found(user)) = self.resolve(value)
        {
            let names = self.view().record(user)?.property(NAME);
            for name in names.into_iter().flat_map(|names| names.values) {
                lookups.terms.push(Lookup::Equal { property: b"users".to_vec(), value: name.to_vec() });
            }
        }
        Ok(())
    }

    /// The root, and directories below it that are named by their place.
    fn add_places(&self, lookups: &mut Lookups) -> Result<()> {
        lookups.objects.push(ROOT);
        for context in self.namespace().contexts().iter().filter(|context| !context.unit.is_empty()) {
            lookups.objects.extend(self.view().child_named(ROOT, context.directory.as_bytes())?);
        }
        Ok(())
    }

    fn by_uuid(&self, value: &[u8]) -> Result<Lookups> {
        let mut key = Vec::new();
        let uuid = match Rule::Uuid.normalise(self.schema(), value, &mut key) {
            Ok(()) => <[u8; 16]>::try_from(key).ok(),
            Err(_) => None,
        };
        let found = uuid.map(|uuid| self.view().by_uuid(uuid)).transpose()?.flatten();
        Ok(Lookups { objects: found.into_iter().collect(), ..Lookups::none() })
    }

    fn by_dn(&self, value: &[u8]) -> Result<Lookups> {
        let found = match self.resolve(value) {
            Ok(Resolution::Found(object)) => Some(object),
            Ok(_) | Err(crate::Error::Name(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(Lookups { objects: found.into_iter().collect(), ..Lookups::none() })
    }

    fn by_number(&self, value: &[u8]) -> Lookups {
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        Lookups { objects: number.into_iter().collect(), ..Lookups::none() }
    }

    /// The entries that a group names.
    fn members_of(&self, value: &[u8]) -> Result<Lookups> {
        let mut lookups = Lookups::none();
        let Ok(Resolution::Found(group)) = self.resolve(value) else { return Ok(lookups) };
        let record = self.view().record(group)?;
        let users = self.view().child_named(ROOT, b"users")?;
        for property in record.properties() {
            let is = |name: &[u8]| property.name.eq_ignore_ascii_case(name);
            for value in property.values {
                match users {
                    Some(users) if is(b"users") => {
                        lookups.objects.extend(self.view().lookup(users, NAME, value)?)
                    }
                    _ if is(b"member") || is(b"uniqueMember") => {
                        if let Ok(Resolution::Found(member)) = self.resolve(value) {
                            lookups.objects.push(member);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(lookups)
    }

    /// Where entries of a class are: those that store it or one derived from it, and those whose place implies it.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn of_class(&self, class: &ObjectClass) -> Result<Lookups> {
        let schema = self.schema();
        let mut lookups = Lookups::none();
        if class.name() == "top" || class.allows_everything() {
            return Ok(Lookups::all());
        }
        for derived in schema.classes().filter(|known| known.is_subclass_of(class)) {
            let names = derived.names().iter().map(String::as_str).chain([derived.oid()]);
            lookups.terms.extend(
                names.map(|name| Lookup::Equal { property: b"objectClass".to_vec(), value: name.into() }),
            );
        }
        let list = self.namespace().class_list();
        for (number, context) in self.namespace().contexts().iter().enumerate() {
            let implied = context.classes[list].split(',').filter_map(|name| schema.class(name));
            if implied.into_iter().any(|implied| implied.is_subclass_of(class)) {
                let directory = if number == COMMON { b"" } else { context.directory.as_bytes() };
                let directory = if directory.is_empty() { b"automountmap" } else { directory };
                lookups.below.extend(self.view().child_named(ROOT, directory)?);
            }
        }
        self.add_places(&mut lookups)?;
        if ["container", "organizationalUnit"]
            .iter()
            .any(|name| schema.class(name).is_some_and(|implied| implied.is_subclass_of(class)))
        {
            // Any directory without stored classes can be one.
            return Ok(Lookups::all());
        }
        Ok(lookups)
    }
}

impl Wanted {
    /// Whether the attribute of this name is asked for.
    pub(crate) fn covers(&self, schema: &netinfo_schema::Schema, name: &str) -> bool {
        schema.attribute(name).is_some_and(|attribute| self.types().contains(&attribute.id()))
    }
}

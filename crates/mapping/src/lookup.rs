//! Where an index finds what a filter asks for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use netinfo_directory::{ROOT, Term};
use netinfo_schema::{ObjectClass, Rule};
use smallvec::SmallVec;

use crate::context::{COMMON, Column, LDAP_PREFIX, NAME, OBJECT_CLASS};
use crate::entry::{NO_GROUP, NO_HOME, is_computed};
use crate::error::Result;
use crate::resolve::Resolution;
use crate::standing::Live;
use crate::transform::Transform;
use crate::tree::{DSID, Tree};
use crate::wanted::Wanted;

/// One thing to ask of the value index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<'l> {
    /// A property has this value.
    Equal {
        /// Name of the property.
        property: &'l [u8],
        /// The value as it is stored.
        value: Cow<'l, [u8]>,
    },
    /// A value of the property has this in it.
    Contains {
        /// Name of the property.
        property: &'l [u8],
        /// The piece.
        piece: &'l [u8],
    },
    /// The directory has the property.
    Present {
        /// Name of the property.
        property: &'l [u8],
    },
}

impl Lookup<'_> {
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
pub struct Lookups<'l> {
    /// What to ask of the value index.
    pub terms: SmallVec<[Lookup<'l>; 2]>,
    /// Object ids of directories that are candidates whatever the index says.
    pub objects: Vec<u32>,
    /// Object ids of directories whose children, near and far, are all candidates.
    pub below: Vec<u32>,
    /// `false`: there may be other entries, so that all have to be looked at.
    pub complete: bool,
}

impl Lookups<'_> {
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
    pub fn assertion<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        self.transform.assertion(value)
    }
}

impl Tree<'_> {
    /// Where entries are that may have this value: for an equality filter. The exact rule is for the caller to apply.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn lookups<'l>(&'l self, wanted: &'l Wanted, value: &'l [u8]) -> Result<Lookups<'l>> {
        if !wanted.is_derived() {
            return self.stored(wanted, value);
        }
        let mut lookups = match wanted.name() {
            "entryUUID" => return self.by_uuid(value),
            "entryDN" => return self.by_dn(value),
            DSID => return Ok(self.by_number(value)),
            "memberOf" => return self.by_group(value),
            name if is_computed(name) => return Ok(Lookups::all()),
            "objectClass" => match std::str::from_utf8(value).ok().and_then(|name| self.schema().class(name))
            {
                Some(class) => return self.of_class(class),
                None => self.stored(wanted, value)?,
            },
            _ => self.stored(wanted, value)?,
        };
        self.add_derived(wanted, value, &mut lookups)?;
        Ok(lookups)
    }

    /// Where entries are that have the attribute: for a presence filter.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn presence<'l>(&'l self, wanted: &'l Wanted) -> Result<Lookups<'l>> {
        if is_computed(wanted.name()) || wanted.name() == "objectClass" {
            return Ok(Lookups::all());
        }
        let mut lookups = Lookups::none();
        for property in self.properties_in_use(wanted)? {
            lookups.terms.push(Lookup::Present { property });
        }
        if wanted.is_derived() {
            self.add_places(&mut lookups)?;
            if wanted.covers(self.schema(), "member") {
                lookups.terms.push(Lookup::Present { property: b"users" });
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
    pub fn containing<'l>(&'l self, wanted: &'l Wanted, piece: &'l [u8]) -> Result<Lookups<'l>> {
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
        for property in self.properties_in_use(wanted)? {
            let told_otherwise =
                told_otherwise.iter().any(|name| property.eq_ignore_ascii_case(name.as_bytes()));
            lookups.terms.push(match told_otherwise {
                true => Lookup::Present { property },
                false => Lookup::Contains { property, piece },
            });
        }
        if !wanted.is_derived() {
            return Ok(lookups);
        }
        self.add_places(&mut lookups)?;
        if covers("cn") || covers("sn") {
            lookups.terms.push(Lookup::Contains { property: NAME, piece });
        }
        if covers("sn") {
            lookups.terms.push(Lookup::Contains { property: b"realname", piece });
        }
        if covers("member") || covers("memberUid") {
            lookups.terms.push(Lookup::Present { property: b"users" });
        }
        let has =
            |whole: &[u8]| whole.windows(piece.len().max(1)).any(|part| part.eq_ignore_ascii_case(piece));
        if (covers("homeDirectory") && has(NO_HOME)) || (covers("gidNumber") && has(NO_GROUP)) {
            lookups.below.extend(self.view().child_named(ROOT, b"users")?);
        }
        Ok(lookups)
    }

    /// The stored forms of a value, in every property that holds the attribute.
    fn stored<'l>(&self, wanted: &'l Wanted, value: &'l [u8]) -> Result<Lookups<'l>> {
        let mut lookups = Lookups::none();
        let mut add = |property: &'l [u8], value: Cow<'l, [u8]>| {
            let term = Lookup::Equal { property, value };
            if !lookups.terms.contains(&term) {
                lookups.terms.push(term);
            }
        };
        let live = self.live(wanted)?;
        for column in &live.columns {
            let property = column.property.as_bytes();
            add(property, Cow::Borrowed(value));
            add(property, column.transform.store(value));
            for form in column.transform.other_forms(value) {
                add(property, Cow::Owned(form));
            }
        }
        for property in self.plain_of(wanted, &live) {
            add(property, Cow::Borrowed(value));
        }
        Ok(lookups)
    }

    /// The properties that hold the attribute or a subtype, each once.
    fn properties_in_use<'l>(&self, wanted: &'l Wanted) -> Result<SmallVec<[&'l [u8]; 8]>> {
        let live = self.live(wanted)?;
        let mut properties: SmallVec<[&'l [u8]; 8]> = SmallVec::new();
        for column in &live.columns {
            let property = column.property.as_bytes();
            if !properties.iter().any(|known| known.eq_ignore_ascii_case(property)) {
                properties.push(property);
            }
        }
        properties.extend(self.plain_of(wanted, &live));
        Ok(properties)
    }

    /// Which of the attribute's places are in use.
    fn live(&self, wanted: &Wanted) -> Result<Arc<Live>> {
        let (columns, plain) = (self.columns(wanted), self.plain_names(wanted));
        Ok(self.standing().live(self.view(), wanted, columns, plain)?)
    }

    /// The properties in use outside of the tables.
    fn plain_of<'l, 'k>(
        &self,
        wanted: &'l Wanted,
        live: &'k Live,
    ) -> impl Iterator<Item = &'l [u8]> + use<'l, 'k> {
        let plain = self.plain_names(wanted);
        live.plain.iter().filter_map(|at| plain.get(usize::from(*at)).map(Vec::as_slice))
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

    fn add_derived<'l>(&'l self, wanted: &Wanted, value: &'l [u8], lookups: &mut Lookups<'l>) -> Result<()> {
        let covers = |name: &str| wanted.covers(self.schema(), name);
        self.add_places(lookups)?;
        if covers("cn") || covers("sn") {
            lookups.terms.push(Lookup::Equal { property: NAME, value: Cow::Borrowed(value) });
        }
        if covers("sn") {
            lookups.terms.push(Lookup::Contains { property: b"realname", piece: value });
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
                lookups.terms.push(Lookup::Equal { property: b"users", value: Cow::Borrowed(name) });
            }
        }
        Ok(())
    }

    /// The root, and directories below it that are named by their place.
    fn add_places(&self, lookups: &mut Lookups<'_>) -> Result<()> {
        lookups.objects.extend_from_slice(self.standing().places_named(self.namespace(), self.view())?);
        Ok(())
    }

    fn by_uuid<'l>(&self, value: &[u8]) -> Result<Lookups<'l>> {
        let mut key = Vec::new();
        let uuid = match Rule::Uuid.normalise(self.schema(), value, &mut key) {
            Ok(()) => <[u8; 16]>::try_from(key).ok(),
            Err(_) => None,
        };
        let found = uuid.map(|uuid| self.view().by_uuid(uuid)).transpose()?.flatten();
        Ok(Lookups { objects: found.into_iter().collect(), ..Lookups::none() })
    }

    fn by_dn<'l>(&self, value: &[u8]) -> Result<Lookups<'l>> {
        Ok(Lookups { objects: self.found(value)?.into_iter().collect(), ..Lookups::none() })
    }

    /// The directory of this name, if there is one.
    pub(crate) fn found(&self, dn: &[u8]) -> Result<Option<u32>> {
        match self.resolve(dn) {
            Ok(Resolution::Found(object)) => Ok(Some(object)),
            Ok(_) | Err(crate::Error::Name(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The entries that a group names.
    fn by_group<'l>(&self, value: &[u8]) -> Result<Lookups<'l>> {
        let Some(group) = self.found(value)? else { return Ok(Lookups::none()) };
        Ok(Lookups { objects: self.members_of(group)?.into_iter().collect(), ..Lookups::none() })
    }

    fn by_number<'l>(&self, value: &[u8]) -> Lookups<'l> {
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        Lookups { objects: number.into_iter().collect(), ..Lookups::none() }
    }

    /// Where entries of a class are: those that store it or one derived from it, and those whose place implies it.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn of_class(&self, class: &ObjectClass) -> Result<Lookups<'_>> {
        let schema = self.schema();
        let mut lookups = Lookups::none();
        if class.name() == "top" || class.allows_everything() {
            return Ok(Lookups::all());
        }
        for derived in schema.classes().filter(|known| known.is_subclass_of(class)) {
            let names = derived.names().iter().map(String::as_str).chain([derived.oid()]);
            lookups.terms.extend(names.map(|name| Lookup::Equal {
                property: OBJECT_CLASS.as_bytes(),
                value: Cow::Borrowed(name.as_bytes()),
            }));
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

//! The attributes of an entry as they are given: what the server knows apart, what is wrong told and left out.
//!
//! Exports repeat few descriptions, and few sets of them: what these mean is found out once.

use std::collections::{HashMap, HashSet};

use netinfo_directory::StampBuf;
use netinfo_schema::check::{self, Attribute, Mode};
use netinfo_schema::syntax::Moment;
use netinfo_schema::{AttributeDescription, AttributeType, Rule, Schema, Syntax};

use crate::entry::is_computed;
use crate::tree::Tree;
use crate::write::{self, Given};

/// Most descriptions, and most sets of them, that are remembered.
const REMEMBERED: usize = 4096;

/// What a description means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning<'s> {
    /// It is one at all.
    valid: bool,
    /// The type, if the schema has it.
    pub(super) attribute: Option<&'s AttributeType>,
    /// There are options.
    options: bool,
    /// Only the server writes it.
    server: bool,
    pub(super) password: bool,
}

impl Meaning<'_> {
    /// Whether only the server writes it.
    pub(super) fn is_server(&self) -> bool {
        self.server && self.attribute.is_some()
    }

    /// Whether it is that of classes, in whatever spelling.
    pub(super) fn is_class(&self) -> bool {
        self.attribute.is_some_and(|known| known.oid() == OBJECT_CLASS)
    }

    /// What its values must be.
    pub(super) fn syntax(&self) -> Option<Syntax> {
        self.attribute.map(AttributeType::syntax)
    }
}

/// What is known of descriptions.
pub(super) struct Descriptions<'s> {
    schema: &'s Schema,
    mode: Mode,
    meanings: HashMap<Box<[u8]>, Meaning<'s>>,
    /// Sets of attributes, with the classes of their entries, that the schema has nothing against.
    sound: HashSet<Box<[u8]>>,
}

/// Attributes on their way into a directory.
pub(super) struct Taken<'a> {
    /// What users wrote, as far as it can be stored.
    pub(super) user: Vec<Given<'a>>,
    /// What the server it comes from knew of the entry.
    pub(super) stamp: Option<StampBuf>,
    /// What is wrong, in words.
    pub(super) warnings: Vec<String>,
}

impl<'s> Descriptions<'s> {
    pub(super) fn new(tree: &Tree<'s>) -> Self {
        Self { schema: tree.schema(), mode: tree.mode(), meanings: HashMap::new(), sound: HashSet::new() }
    }

    /// Takes the attributes of an entry apart.
    pub(super) fn take<'a>(&mut self, attributes: Vec<Given<'a>>) -> Taken<'a> {
        let mut stamp = StampBuf::default();
        let mut user = Vec::with_capacity(attributes.len());
        for given in attributes {
            let meaning = self.meaning(given.description);
            match meaning.attribute.filter(|_| meaning.is_server()) {
                Some(known) => note(&mut stamp, self.schema, known, &given),
                None => user.push((given, meaning)),
            }
        }
        let mut warnings = self.findings(&user);
        let user = self.repaired(user, &mut warnings);
        Taken { user, stamp: known(stamp), warnings }
    }

    /// What a description means.
    pub(super) fn meaning(&mut self, description: &[u8]) -> Meaning<'s> {
        if let Some(known) = self.meanings.get(description) {
            return *known;
        }
        let parsed = parse(description);
        let attribute = parsed.and_then(|parsed| parsed.attribute(self.schema));
        let meaning = Meaning {
            valid: parsed.is_some(),
            attribute,
            options: description.contains(&b';'),
            server: attribute
                .is_some_and(|known| known.is_no_user_modification() || is_computed(known.name())),
            password: write::is_password(self.schema, description),
        };
        if self.meanings.len() < REMEMBERED {
            self.meanings.insert(description.into(), meaning);
        }
        meaning
    }

    /// What the schema says against an entry.
    fn findings(&mut self, attributes: &[(Given<'_>, Meaning<'s>)]) -> Vec<String> {
        let set = set_of(attributes);
        let is_wrong = |(given, meaning): &(Given<'_>, Meaning<'_>)| {
            let syntax = meaning.syntax();
            syntax.is_some_and(|syntax| given.values.iter().any(|value| syntax.validate(value).is_err()))
        };
        if self.sound.contains(&set[..]) && !attributes.iter().any(is_wrong) {
            return Vec::new();
        }
        let borrowed: Vec<(std::borrow::Cow<'_, str>, Vec<&[u8]>)> = attributes
            .iter()
            .map(|(given, _)| {
                let values = given.values.iter().map(|value| &value[..]).collect();
                (String::from_utf8_lossy(given.description), values)
            })
            .collect();
        let listed: Vec<Attribute<'_>> =
            borrowed.iter().map(|(description, values)| Attribute { description, values }).collect();
        let mode = if listed.is_empty() { Mode::Open } else { self.mode };
        let mut findings = check::structure(self.schema, mode, &listed);
        if findings.is_empty() && self.sound.len() < REMEMBERED {
            self.sound.insert(set.into());
        }
        for attribute in &listed {
            findings.extend(check::values(self.schema, attribute.description, attribute.values));
        }
        findings.iter().map(ToString::to_string).collect()
    }

    /// What can be stored: attributes that stand twice become one; values without octets, passwords in the clear, and what
    /// a strict domain would not show are left out, which is told; so are values that stand twice.
    fn repaired<'a>(
        &self,
        attributes: Vec<(Given<'a>, Meaning<'s>)>,
        warnings: &mut Vec<String>,
    ) -> Vec<Given<'a>> {
        let mut kept: Vec<(Given<'a>, Meaning<'s>)> = Vec::with_capacity(attributes.len());
        for (given, meaning) in attributes {
            let shown = || String::from_utf8_lossy(given.description).into_owned();
            if !meaning.valid {
                warnings.push(format!("{}: left out, this is no attribute description", shown()));
                continue;
            }
            if meaning.attribute.is_none() && self.mode == Mode::Strict {
                warnings.push(format!("{}: left out, the schema does not have it", shown()));
                continue;
            }
            let same = kept.iter().position(|known| {
                self.is_same((known.0.description, &known.1), (given.description, &meaning))
            });
            let is_taken =
                |value: &[u8]| !(value.is_empty() || meaning.password && write::is_cleartext(value));
            if same.is_none() && given.values.iter().all(|value| is_taken(value)) {
                kept.push((given, meaning));
                continue;
            }
            let at = same.unwrap_or_else(|| {
                kept.push((Given { description: given.description, values: Vec::new() }, meaning));
                kept.len() - 1
            });
            kept[at].0.values.reserve_exact(given.values.len());
            for value in given.values {
                let shown = || String::from_utf8_lossy(given.description).into_owned();
                if value.is_empty() {
                    warnings.push(format!("{}: a value without octets is left out", shown()));
                } else if meaning.password && write::is_cleartext(&value) {
                    warnings.push(format!("{}: a password in the clear is left out", shown()));
                } else {
                    kept[at].0.values.push(value);
                }
            }
        }
        for (given, _) in kept.iter_mut().filter(|(given, _)| given.values.len() > 1) {
            let mut seen = HashSet::with_capacity(given.values.len());
            given.values.retain(|value| seen.insert(value.clone()));
        }
        kept.into_iter().map(|(given, _)| given).filter(|given| !given.values.is_empty()).collect()
    }

    /// Whether two descriptions are one attribute.
    pub(super) fn is_same(&self, one: (&[u8], &Meaning<'s>), other: (&[u8], &Meaning<'s>)) -> bool {
        let id = |meaning: &Meaning<'_>| meaning.attribute.map(AttributeType::id);
        if id(one.1) != id(other.1) {
            return false;
        }
        if one.1.attribute.is_some() && !one.1.options && !other.1.options {
            return true;
        }
        match (parse(one.0), parse(other.0)) {
            (Some(one), Some(other)) => one.is_same(&other, self.schema),
            _ => false,
        }
    }
}

fn parse(description: &[u8]) -> Option<AttributeDescription<'_>> {
    std::str::from_utf8(description).ok().and_then(AttributeDescription::parse)
}

/// All that decides what the schema says of an entry, apart from the syntax of its values: descriptions, whether each has
/// no value, one or several, and the classes.
fn set_of(attributes: &[(Given<'_>, Meaning<'_>)]) -> Vec<u8> {
    let mut set = Vec::with_capacity(512);
    for (given, meaning) in attributes {
        // Neither octet is part of a description.
        set.extend_from_slice(given.description);
        set.extend_from_slice(&[0, given.values.len().min(2) as u8]);
        if meaning.is_class() {
            for value in &given.values {
                set.extend_from_slice(&(value.len() as u32).to_be_bytes());
                set.extend_from_slice(value);
            }
        }
    }
    set
}

/// OID of `objectClass`.
const OBJECT_CLASS: &str = "2.5.4.0";

/// A stamp, if anything has been noted in it: servers without `entryUUID` know the times all the same.
pub(super) fn known(stamp: StampBuf) -> Option<StampBuf> {
    (stamp != StampBuf::default()).then_some(stamp)
}

/// Notes what an attribute that only servers write says of an entry.
pub(super) fn note(stamp: &mut StampBuf, schema: &Schema, known: &AttributeType, given: &Given<'_>) {
    let Some(value) = given.values.first() else { return };
    let time = || Moment::parse(value).ok().map_or(0, |moment| moment.unix_seconds().max(0) as u64 * 1000);
    match known.name() {
        "entryUUID" => {
            let mut key = Vec::new();
            if Rule::Uuid.normalise(schema, value, &mut key).is_ok()
                && let Ok(uuid) = key.try_into()
            {
                stamp.uuid = uuid;
            }
        }
        "createTimestamp" => stamp.created = time(),
        "modifyTimestamp" => stamp.modified = time(),
        "creatorsName" => stamp.creator = value.to_vec(),
        "modifiersName" => stamp.modifier = value.to_vec(),
        _ => {}
    }
}

//! Settings of a domain, as its administrators give them: read from the root directory, and changed there.
//!
//! [`crate::Namespace`] says what they mean. What it would pass over is refused here, so that a mistake shows when it is
//! made.

use std::ops::RangeInclusive;

use netinfo_directory::account::MIN_CHARACTERS;
use netinfo_directory::account::lockout::{MAX_LOCK_AFTER, MAX_LOCK_SECONDS};
use netinfo_directory::password::MAX_PASSWORD_LEN;
use netinfo_directory::{Change, Property, ROOT, Target, View};
use netinfo_schema::Variant;

use crate::name::Name;
use crate::namespace::{DEFINITIONS, Namespace, builtin, extended};

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Name of the domain's root, and further names of it.
    Suffix,
    /// How directories below the root are named: `apple` or `rfc2307`.
    Layout,
    /// Whether entries are checked against the schema: `open` or `strict`.
    Schema,
    /// Which definitions hold where they disagree: `rfc2307bis` or `rfc2307`.
    SchemaVariant,
    /// What anonymous callers read: `none`, `posix` or `read`.
    Anonymous,
    /// Name of the administrator, who need not have an entry.
    AdminDn,
    /// Hash of the administrator's password.
    AdminPassword,
    /// Attributes whose values no two entries below one directory share.
    Unique,
    /// Whether groups forget users that are removed: `yes` or `no`.
    ReferentialIntegrity,
    /// Whether `memberOf` tells the groups of groups too: `no` or `yes`.
    NestedMemberOf,
    /// Wrong passwords in a row after which an account is locked.
    LockAfter,
    /// Seconds for which it is.
    LockSeconds,
    /// Fewest characters of a password that users give themselves.
    PasswordLength,
    /// Definitions of attribute types and classes that the domain adds to the schema.
    Definitions,
}

/// Why a setting cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// The core cannot do it.
    #[error(transparent)]
    Core(#[from] netinfo_directory::Error),
    /// It makes no sense; in words for people.
    #[error("{0}")]
    Invalid(String),
    /// Another domain of the node has the suffix, and two of one name cannot be told apart.
    #[error("suffix: \"{suffix}\" is that of the domain \"{tag}\"")]
    Taken {
        /// The suffix, as it was wanted.
        suffix: String,
        /// Tag of the domain that has it.
        tag: String,
    },
}

impl SettingError {
    /// What can be done about it, if that is more than to give other settings.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Core(_) | Self::Invalid(_) => None,
            Self::Taken { tag, .. } => Some(format!(
                "give one of the two another name: netinfo domain set {tag} --suffix DN for that which is there"
            )),
        }
    }
}

impl Setting {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::Suffix,
        Self::Layout,
        Self::Schema,
        Self::SchemaVariant,
        Self::Anonymous,
        Self::AdminDn,
        Self::AdminPassword,
        Self::Unique,
        Self::ReferentialIntegrity,
        Self::NestedMemberOf,
        Self::LockAfter,
        Self::LockSeconds,
        Self::PasswordLength,
        Self::Definitions,
    ];

    /// What administrators call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suffix => "suffix",
            Self::Layout => "layout",
            Self::Schema => "schema",
            Self::SchemaVariant => "schema-variant",
            Self::Anonymous => "anonymous",
            Self::AdminDn => "admin-dn",
            Self::AdminPassword => "admin-password",
            Self::Unique => "unique",
            Self::ReferentialIntegrity => "referential-integrity",
            Self::NestedMemberOf => "nested-memberof",
            Self::LockAfter => "lock-after",
            Self::LockSeconds => "lock-seconds",
            Self::PasswordLength => "password-length",
            Self::Definitions => "definitions",
        }
    }

    /// The setting that administrators call so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// The root's property that holds it.
    pub const fn property(self) -> &'static [u8] {
        match self {
            Self::Suffix => b"_suffix",
            Self::Layout => b"_layout",
            Self::Schema => b"_schema",
            Self::SchemaVariant => b"_schema_variant",
            Self::Anonymous => b"_anonymous",
            Self::AdminDn => b"_admin_dn",
            Self::AdminPassword => b"_admin_passwd",
            Self::Unique => b"_unique",
            Self::ReferentialIntegrity => b"_referential_integrity",
            Self::NestedMemberOf => b"_nested_memberof",
            Self::LockAfter => b"_lock_after",
            Self::LockSeconds => b"_lock_seconds",
            Self::PasswordLength => b"_password_length",
            Self::Definitions => DEFINITIONS,
        }
    }

    /// The values it may have, where there are few, the default one first.
    pub const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Layout => &["apple", "rfc2307"],
            Self::Schema => &["open", "strict"],
            Self::SchemaVariant => &["rfc2307bis", "rfc2307"],
            Self::Anonymous => &["posix", "none", "read"],
            Self::ReferentialIntegrity => &["yes", "no"],
            Self::NestedMemberOf => &["no", "yes"],
            _ => &[],
        }
    }

    /// The numbers it may be, where it is one.
    pub fn range(self) -> Option<RangeInclusive<i64>> {
        match self {
            Self::LockAfter => Some(1..=MAX_LOCK_AFTER),
            Self::LockSeconds => Some(0..=MAX_LOCK_SECONDS),
            Self::PasswordLength => Some(MIN_CHARACTERS as i64..=MAX_PASSWORD_LEN as i64),
            _ => None,
        }
    }

    /// Whether it may have several values.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Suffix | Self::Unique | Self::Definitions)
    }

    fn check(self, values: &[String]) -> Result<(), SettingError> {
        let invalid = |text: String| Err(SettingError::Invalid(format!("{}: {text}", self.name())));
        if values.len() > 1 && !self.is_list() {
            return invalid("there can be one only".to_owned());
        }
        for value in values {
            if !self.choices().is_empty() && !self.choices().contains(&value.as_str()) {
                return invalid(format!("\"{value}\" is none of {}", self.choices().join(", ")));
            }
            if let Some(range) = self.range()
                && !value.parse().is_ok_and(|number| range.contains(&number))
            {
                let (least, most) = range.into_inner();
                return invalid(format!("\"{value}\" is no number from {least} to {most}"));
            }
            if let Self::Suffix | Self::AdminDn = self
                && Name::parse(value.as_bytes()).map_or(true, |name| name.rdns.is_empty())
            {
                return invalid(format!("\"{value}\" is no distinguished name, such as dc=example,dc=com"));
            }
        }
        Ok(())
    }
}

/// Checks what can be checked without the domain.
///
/// # Errors
/// [`SettingError::Invalid`].
pub fn check(wanted: &[(Setting, Vec<String>)]) -> Result<(), SettingError> {
    wanted.iter().try_for_each(|(setting, values)| setting.check(values))
}

/// The suffixes among settings.
pub fn suffixes(wanted: &[(Setting, Vec<String>)]) -> impl Iterator<Item = &str> + Clone {
    let suffixes = wanted.iter().filter(|(setting, _)| *setting == Setting::Suffix);
    suffixes.flat_map(|(_, values)| values.iter().map(String::as_str))
}

/// Checks that a domain with these suffixes can be served beside another, whose tag and namespace these are.
///
/// # Errors
/// [`SettingError::Taken`].
pub fn check_beside<'s>(
    mut suffixes: impl Iterator<Item = &'s str>,
    tag: &str,
    other: &Namespace,
) -> Result<(), SettingError> {
    let is_taken = |suffix: &&str| Name::parse(suffix.as_bytes()).is_ok_and(|name| other.is_root(&name));
    match suffixes.find(is_taken) {
        Some(suffix) => Err(SettingError::Taken { suffix: suffix.to_owned(), tag: tag.to_owned() }),
        None => Ok(()),
    }
}

/// The settings the domain has of its own, in the order of [`Setting::ALL`]. Of the password there is only that it is
/// there, without values.
///
/// # Errors
/// When the core cannot read.
pub fn read(view: &View<'_>) -> netinfo_directory::Result<Vec<(Setting, Vec<String>)>> {
    let root = view.record(ROOT)?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let values = |setting: Setting| {
        let property = root.property(setting.property())?;
        let shown = setting != Setting::AdminPassword;
        Some((setting, property.values.into_iter().filter(|_| shown).map(text).collect()))
    };
    Ok(Setting::ALL.into_iter().filter_map(values).collect())
}

/// The changes that give the root these settings; others stay as they are. One without values is removed: the default
/// holds again.
///
/// # Errors
/// [`SettingError`]: a setting makes no sense, or the core cannot read.
pub fn plan(view: &View<'_>, wanted: &[(Setting, Vec<String>)]) -> Result<Vec<Change>, SettingError> {
    check(wanted)?;
    check_schema(view, wanted)?;
    let root = view.record(ROOT)?;
    let directory = Target::any(ROOT);
    let (mut changes, mut removals) = (Vec::new(), Vec::new());
    for (setting, values) in wanted {
        let index = root.properties().into_iter().position(|property| property.name == setting.property());
        let index = index.and_then(|index| u32::try_from(index).ok());
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.clone().into_bytes()).collect();
        match (index, values.is_empty()) {
            (None, true) => {}
            (None, false) => {
                let property = Property { name: setting.property().to_vec(), values };
                changes.push(Change::CreateProperty { directory, property, position: u32::MAX });
            }
            (Some(index), true) => removals.push(index),
            (Some(index), false) => changes.push(Change::WriteProperty { directory, index, values }),
        }
    }
    // From behind, so that the numbers of the others stay.
    removals.sort_unstable_by(|a, b| b.cmp(a));
    changes.extend(removals.into_iter().map(|index| Change::DestroyProperty { directory, index }));
    Ok(changes)
}

/// Checks what depends on several settings: the definitions have to fit the schema, and what is to be unique has to be
/// defined.
fn check_schema(view: &View<'_>, wanted: &[(Setting, Vec<String>)]) -> Result<(), SettingError> {
    let concerned = |setting: &Setting| {
        matches!(setting, Setting::SchemaVariant | Setting::Unique | Setting::Definitions)
    };
    if !wanted.iter().any(|(setting, _)| concerned(setting)) {
        return Ok(());
    }
    let current = read(view)?;
    let of = |setting: Setting| {
        let all = wanted.iter().chain(&current);
        all.into_iter().find(|(other, _)| *other == setting).map_or(&[][..], |(_, values)| values)
    };
    let variant = match of(Setting::SchemaVariant).first().map(String::as_str) {
        Some("rfc2307") => Variant::Rfc2307,
        _ => Variant::Rfc2307bis,
    };
    let definitions: Vec<Vec<u8>> =
        of(Setting::Definitions).iter().map(|text| text.clone().into_bytes()).collect();
    let (schema, problems) = extended(builtin(variant), &definitions);
    if let Some(problem) = problems.first() {
        return Err(SettingError::Invalid(format!("schema: {problem}")));
    }
    match of(Setting::Unique).iter().find(|name| schema.attribute(name).is_none()) {
        Some(unknown) => {
            Err(SettingError::Invalid(format!("unique: the schema has no attribute \"{unknown}\"")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_directory::{Credentials, Domain, Node, Options, Origin};
    use std::sync::Arc;

    fn domain(dir: &std::path::Path) -> (Node, Arc<Domain>) {
        let options = Options { map_size: 1 << 26, ..Options::default() };
        let (node, _) = Node::open(dir, options, true).unwrap();
        let domain = node.create_master("network", 0).unwrap();
        (node, domain)
    }

    fn set(domain: &Arc<Domain>, wanted: &[(Setting, &[&str])]) -> Result<(), String> {
        let wanted: Vec<(Setting, Vec<String>)> = wanted
            .iter()
            .map(|(setting, values)| (*setting, values.iter().map(|value| (*value).to_owned()).collect()))
            .collect();
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let view = domain.read(&session).unwrap();
        let changes = plan(&view, &wanted).map_err(|error| error.to_string())?;
        drop(view);
        domain.write_blocking(&session, changes, 1).map(drop).map_err(|error| error.to_string())
    }

    fn get(domain: &Arc<Domain>) -> Vec<(Setting, Vec<String>)> {
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        read(&domain.read(&session).unwrap()).unwrap()
    }

    #[test]
    fn settings_come_change_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let (_node, domain) = domain(dir.path());
        assert_eq!(get(&domain), []);
        set(
            &domain,
            &[
                (Setting::Suffix, &["dc=example,dc=com", "o=example"]),
                (Setting::Layout, &["rfc2307"]),
                (Setting::AdminPassword, &["$hash"]),
            ],
        )
        .unwrap();
        let suffixes = vec!["dc=example,dc=com".to_owned(), "o=example".to_owned()];
        assert_eq!(
            get(&domain),
            [
                (Setting::Suffix, suffixes.clone()),
                (Setting::Layout, vec!["rfc2307".to_owned()]),
                (Setting::AdminPassword, vec![]),
            ]
        );
        set(&domain, &[(Setting::Layout, &[]), (Setting::Unique, &["mail"]), (Setting::AdminPassword, &[])])
            .unwrap();
        assert_eq!(get(&domain), [(Setting::Suffix, suffixes), (Setting::Unique, vec!["mail".to_owned()])]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let (_node, domain) = domain(dir.path());
        for (setting, values, words) in [
            (Setting::Suffix, &["example"][..], "suffix: \"example\" is no distinguished name"),
            (Setting::Suffix, &[""], "suffix: \"\" is no distinguished name"),
            (Setting::Layout, &["flat"], "layout: \"flat\" is none of apple, rfc2307"),
            (Setting::LockAfter, &["0"], "lock-after: \"0\" is no number from 1 to 100"),
            (Setting::LockSeconds, &["soon"], "lock-seconds: \"soon\" is no number from 0 to 315360000"),
            (Setting::PasswordLength, &["7"], "password-length: \"7\" is no number from 8 to 511"),
            (Setting::AdminDn, &["cn=a", "cn=b"], "admin-dn: there can be one only"),
            (Setting::Unique, &["nonesuch"], "unique: the schema has no attribute \"nonesuch\""),
            (Setting::Definitions, &["attributeTypes: ( 1.2.3"], "schema: "),
        ] {
            let error = set(&domain, &[(setting, values)]).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
        assert_eq!(get(&domain), []);
    }

    #[test]
    fn names_of_another_domain_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (_node, domain) = domain(dir.path());
        set(&domain, &[(Setting::Suffix, &["dc=com", "dc=example,dc=com"])]).unwrap();
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let other = Namespace::new(&domain.read(&session).unwrap(), "network").unwrap();
        let check = |suffix: &str| {
            let wanted = [(Setting::Layout, vec![]), (Setting::Suffix, vec![suffix.to_owned()])];
            check_beside(suffixes(&wanted), "network", &other)
        };
        for suffix in ["dc=com", "DC=Example, domainComponent=com"] {
            let error = check(suffix).unwrap_err();
            assert_eq!(error.to_string(), format!("suffix: \"{suffix}\" is that of the domain \"network\""));
            assert!(error.hint().is_some_and(|hint| hint.contains("netinfo domain set network --suffix")));
        }
        for suffix in ["dc=sub,dc=com", "dc=org", "nonsense"] {
            check(suffix).unwrap();
        }
    }

    #[test]
    fn definitions_make_attributes() {
        let dir = tempfile::tempdir().unwrap();
        let (_node, domain) = domain(dir.path());
        let definition =
            "attributeTypes: ( 1.3.6.1.4.1.99999.1 NAME 'shoeSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
        set(&domain, &[(Setting::Definitions, &[definition]), (Setting::Unique, &["shoeSize"])]).unwrap();
        assert!(set(&domain, &[(Setting::Definitions, &[])]).is_err(), "it is in use");
    }

    #[test]
    fn every_setting_is_found_by_its_name() {
        for setting in Setting::ALL {
            assert_eq!(Setting::named(setting.name()), Some(setting));
            assert!(setting.property().starts_with(b"_"));
        }
        assert_eq!(Setting::named("nonesuch"), None);
    }
}

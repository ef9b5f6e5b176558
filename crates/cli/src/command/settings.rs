//! `domain set`, and the settings that `domain create` and `domain info` know of.

use std::path::PathBuf;

use clap::Args;
use netinfo_mapping::settings::{Setting, SettingError};
use serde_json::{Map, Value, json};

use super::domain::request;
use crate::context::Context;
use crate::failure::{Failure, Result, When};
use crate::offline;
use crate::output::safe;
use crate::password::{self, Hash};

/// Settings, and the values they are to have.
pub(crate) type Wanted = Vec<(Setting, Vec<String>)>;

/// How a domain is served over LDAP.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "LDAP")]
pub(crate) struct Settings {
    /// Name of the domain's root, such as dc=example,dc=com; given again: a further name of it
    #[arg(long, value_name = "DN")]
    suffix: Vec<String>,
    /// Names of the directories below the root: cn=users (apple) or ou=people (rfc2307) [default: apple]
    #[arg(long, value_name = "apple|rfc2307")]
    layout: Option<String>,
    /// Whether entries have to keep to the schema [default: open]
    #[arg(long, value_name = "open|strict")]
    schema: Option<String>,
    /// Which definitions hold where they disagree [default: rfc2307bis]
    #[arg(long, value_name = "rfc2307bis|rfc2307")]
    schema_variant: Option<String>,
    /// What clients read that do not authenticate: names and numbers of users and groups, nothing, or all but
    /// secrets [default: posix]
    #[arg(long, value_name = "posix|none|read")]
    anonymous: Option<String>,
    /// Name of an administrator who needs no entry, such as cn=admin,dc=example,dc=com
    #[arg(long, value_name = "DN")]
    admin_dn: Option<String>,
    /// File whose first line is the administrator's password; it is stored as an Argon2 hash
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// Attributes whose values no two entries below one directory share
    #[arg(long, value_name = "ATTRIBUTE,…", value_delimiter = ',')]
    unique: Vec<String>,
    /// Whether groups forget users that are removed [default: yes]
    #[arg(long, value_name = "yes|no")]
    referential_integrity: Option<String>,
    /// Whether memberOf tells the groups of groups too [default: no]
    #[arg(long = "nested-memberof", value_name = "yes|no")]
    nested_member_of: Option<String>,
    /// Wrong passwords in a row after which an account is locked [default: never]
    #[arg(long, value_name = "NUMBER")]
    lock_after: Option<String>,
    /// Seconds for which it is locked; 0: until it gets a new password [default: 900]
    #[arg(long, value_name = "SECONDS")]
    lock_seconds: Option<String>,
    /// Fewest characters of a password that users give themselves [default: 8]
    #[arg(long, value_name = "NUMBER")]
    password_length: Option<String>,
}

/// Arguments of `domain set`.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Tag of the domain
    tag: String,
    #[command(flatten)]
    settings: Box<Settings>,
    /// Settings that go back to their defaults, by the names of their options
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    unset: Vec<String>,
}

impl Settings {
    /// The settings with their values; a password is hashed.
    pub(crate) fn wanted(&self) -> Result<Wanted> {
        let one = |setting, value: &Option<String>| value.clone().map(|value| (setting, vec![value]));
        let many = |setting, values: &[String]| (!values.is_empty()).then(|| (setting, values.to_vec()));
        let password = match &self.admin_password_file {
            Some(file) => Some(password::hash(&password::from_file(file)?, Hash::Argon2id)?),
            None => None,
        };
        let all = [
            many(Setting::Suffix, &self.suffix),
            one(Setting::Layout, &self.layout),
            one(Setting::Schema, &self.schema),
            one(Setting::SchemaVariant, &self.schema_variant),
            one(Setting::Anonymous, &self.anonymous),
            one(Setting::AdminDn, &self.admin_dn),
            one(Setting::AdminPassword, &password),
            many(Setting::Unique, &self.unique),
            one(Setting::ReferentialIntegrity, &self.referential_integrity),
            one(Setting::NestedMemberOf, &self.nested_member_of),
            one(Setting::LockAfter, &self.lock_after),
            one(Setting::LockSeconds, &self.lock_seconds),
            one(Setting::PasswordLength, &self.password_length),
        ];
        let wanted: Wanted = all.into_iter().flatten().collect();
        netinfo_mapping::settings::check(&wanted)?;
        Ok(wanted)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        let hint = error.hint();
        let failure = match error {
            SettingError::Core(error) => error.into(),
            SettingError::Invalid(text) => Self::usage(text),
            error @ SettingError::Taken { .. } => Self::new(error.to_string()),
        };
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

/// Settings as the daemon takes them.
pub(crate) fn as_json(wanted: &Wanted) -> Value {
    let members = wanted.iter().map(|(setting, values)| (setting.name().to_owned(), json!(values)));
    Value::Object(members.collect::<Map<_, _>>())
}

/// Changes settings.
pub(crate) fn set(context: &mut Context, args: &Set) -> Result<()> {
    let mut wanted = args.settings.wanted()?;
    for name in &args.unset {
        let setting = Setting::named(name).filter(|setting| *setting != Setting::Definitions);
        let setting = setting.ok_or_else(|| Failure::usage(format!("there is no setting \"{name}\"")))?;
        if wanted.iter().any(|(other, _)| *other == setting) {
            return Err(Failure::usage(format!("{name} is set and unset")));
        }
        wanted.push((setting, Vec::new()));
    }
    if wanted.is_empty() {
        return Err(Failure::usage("nothing is to be set"));
    }
    let after = configure(context, &args.tag, wanted).when(|| format!("change domain \"{}\"", args.tag))?;
    context.out.either(|| text(&after), || after.clone())
}

/// Gives a domain these settings, and returns how it is served then.
pub(crate) fn configure(context: &Context, tag: &str, wanted: Wanted) -> Result<Value> {
    match context.options.data.clone() {
        Some(data) => offline::settings::configure(&data, tag, &wanted),
        None => {
            let question = json!({ "op": "configure-domain", "tag": tag, "settings": as_json(&wanted) });
            request(context, &question, false)
        }
    }
}

/// How a domain is served over LDAP.
pub(crate) fn describe(context: &Context, tag: &str) -> Result<Value> {
    match &context.options.data {
        Some(data) => offline::settings::describe(data, tag),
        None => request(context, &json!({ "op": "domain-settings", "tag": tag }), true),
    }
}

/// A description in lines. Definitions are left to `schema list`.
pub(crate) fn text(description: &Value) -> String {
    let shown = |value: &Value| safe(value.as_str().unwrap_or_default().as_bytes());
    let mut lines = String::new();
    let mut line = |name: &str, value: String| lines.push_str(&format!("{name}: {value}\n"));
    let settings = description["settings"].as_object();
    if settings.is_none_or(|settings| !settings.contains_key(Setting::Suffix.name())) {
        line(Setting::Suffix.name(), shown(&description["suffix"]));
    }
    for (name, values) in settings.into_iter().flatten() {
        let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
        match Setting::named(name) {
            Some(Setting::Definitions) => {
                line("schema definitions", format!("{}", values.len()));
            }
            Some(Setting::AdminPassword) => line(name, "(set)".to_owned()),
            _ => line(name, values.iter().map(shown).collect::<Vec<_>>().join(" ")),
        }
    }
    for problem in description["problems"].as_array().into_iter().flatten() {
        line("problem", shown(problem));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_in_lines() {
        let description = json!({
            "tag": "network",
            "suffix": "dc=example,dc=com",
            "settings": {
                "suffix": ["dc=example,dc=com", "o=example"],
                "layout": ["rfc2307"],
                "admin-password": [],
                "definitions": ["attributeTypes: ( 1.2.3 )"],
            },
            "problems": ["a definition\u{1b} is odd"],
        });
        insta::assert_snapshot!(text(&description), @r"
        suffix: dc=example,dc=com o=example
        layout: rfc2307
        admin-password: (set)
        schema definitions: 1
        problem: a definition\u{1b} is odd
        ");
        insta::assert_snapshot!(text(&json!({ "suffix": "dc=local", "settings": {} })), @"suffix: dc=local");
    }

    #[test]
    fn settings_as_the_daemon_takes_them() {
        let settings = Settings {
            suffix: vec!["dc=a".into(), "dc=b".into()],
            anonymous: Some("none".into()),
            ..Settings::default()
        };
        let wanted = settings.wanted().unwrap();
        assert_eq!(as_json(&wanted), json!({ "suffix": ["dc=a", "dc=b"], "anonymous": ["none"] }));
        let wrong = Settings { layout: Some("flat".into()), ..Settings::default() };
        assert_eq!(wrong.wanted().unwrap_err().to_string(), "layout: \"flat\" is none of apple, rfc2307");
    }
}

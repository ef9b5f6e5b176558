//! One directory as a line of a sudoers file.

use super::word;
use crate::record::Record;

/// What a directory becomes.
pub(super) enum Text {
    /// Lines for everybody.
    Defaults(Vec<u8>),
    /// A rule, and where it stands among the others.
    Rule {
        /// `sudoOrder`, or 0.
        order: f64,
        /// A comment with its name, and its line.
        text: Vec<u8>,
    },
}

/// The attribute because of which there is no line, if there is one, and why.
pub(super) type Refusal = (&'static str, &'static str);

const NO_RULE: Refusal = ("", "it is no rule of sudo");
const BAD_VALUE: &str = "a value cannot be written in a sudoers file";
const MISSING: &str = "it says not who, where, or what";

/// Options of a rule that are tags in the file, and the tags: as they are, and negated.
const TAGS: [(&[u8], &str, &str); 9] = [
    (b"authenticate", "PASSWD", "NOPASSWD"),
    (b"noexec", "NOEXEC", "EXEC"),
    (b"setenv", "SETENV", "NOSETENV"),
    (b"log_input", "LOG_INPUT", "NOLOG_INPUT"),
    (b"log_output", "LOG_OUTPUT", "NOLOG_OUTPUT"),
    (b"mail_always", "MAIL", "NOMAIL"),
    (b"mail_all_cmnds", "MAIL", "NOMAIL"),
    (b"sudoedit_follow", "FOLLOW", "NOFOLLOW"),
    (b"intercept", "INTERCEPT", "NOINTERCEPT"),
];

/// Makes the text of a directory.
pub(super) fn compose(record: &Record) -> Result<Text, Refusal> {
    let is_role = values(record, "objectClass").iter().any(|class| class.eq_ignore_ascii_case(b"sudoRole"));
    let users = values(record, "sudoUser");
    let name = record.first("name").unwrap_or_default();
    if name.eq_ignore_ascii_case(b"defaults") && users.is_empty() {
        return defaults(record);
    }
    if !is_role && users.is_empty() {
        return Err(NO_RULE);
    }
    let mut text = format!("\n# {}\n", name.escape_ascii()).into_bytes();
    text.extend(list(record, "sudoUser", word::user)?);
    text.push(b' ');
    text.extend(list(record, "sudoHost", word::host)?);
    text.extend_from_slice(b" = ");
    run_as(record, &mut text)?;
    times(record, &mut text)?;
    tags(record, &mut text)?;
    text.extend(list(record, "sudoCommand", word::command)?);
    text.push(b'\n');
    Ok(Text::Rule { order: order(record)?, text })
}

/// The values of an attribute, whatever capitals its name has.
fn values<'r>(record: &'r Record, property: &str) -> &'r [Vec<u8>] {
    let found = record.properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(property.as_bytes()));
    found.map_or(&[], |(_, values)| values)
}

/// The one value of an attribute, if it has any.
fn one<'r>(record: &'r Record, property: &'static str) -> Result<Option<&'r [u8]>, Refusal> {
    match values(record, property) {
        [] => Ok(None),
        [value] if word::sensible(value) => Ok(Some(value)),
        _ => Err((property, BAD_VALUE)),
    }
}

/// Values between commas, the negated ones last: in LDAP they are in no order, and a refusal counts.
fn list(
    record: &Record,
    property: &'static str,
    write: fn(&[u8]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Refusal> {
    let found = values(record, property);
    if found.is_empty() {
        return Err((property, MISSING));
    }
    let mut words = [Vec::new(), Vec::new()];
    for value in found {
        let (negated, value) = word::negation(value.trim_ascii());
        let good = Some(value).filter(|value| word::sensible(value)).and_then(write);
        let mut text = good.ok_or((property, BAD_VALUE))?;
        if negated {
            text.insert(0, b'!');
        }
        words[usize::from(negated)].push(text);
    }
    Ok(words.concat().join(&b", "[..]))
}

/// `(users : groups)`. Without either it is root, or who the defaults say.
fn run_as(record: &Record, text: &mut Vec<u8>) -> Result<(), Refusal> {
    // The one of old means the same.
    let users = match values(record, "sudoRunAsUser") {
        [] => "sudoRunAs",
        _ => "sudoRunAsUser",
    };
    let (has_users, has_groups) =
        (!values(record, users).is_empty(), !values(record, "sudoRunAsGroup").is_empty());
    if !has_users && !has_groups {
        return Ok(());
    }
    text.push(b'(');
    if has_users {
        text.extend(list(record, users, word::user)?);
    }
    if has_groups {
        text.extend_from_slice(if has_users { b" : " } else { b": " });
        text.extend(list(record, "sudoRunAsGroup", word::group)?);
    }
    text.extend_from_slice(b") ");
    Ok(())
}

fn times(record: &Record, text: &mut Vec<u8>) -> Result<(), Refusal> {
    for (property, option) in [("sudoNotBefore", "NOTBEFORE"), ("sudoNotAfter", "NOTAFTER")] {
        let Some(time) = one(record, property)? else { continue };
        if !word::time(time) {
            return Err((property, BAD_VALUE));
        }
        text.extend_from_slice(option.as_bytes());
        text.push(b'=');
        text.extend_from_slice(time);
        text.push(b' ');
    }
    Ok(())
}

/// Options that hold for this rule alone.
fn tags(record: &Record, text: &mut Vec<u8>) -> Result<(), Refusal> {
    for option in values(record, "sudoOption") {
        let (negated, name) = word::negation(option.trim_ascii());
        let tag = TAGS.iter().find(|(known, _, _)| *known == name);
        let (_, tag, opposite) =
            tag.ok_or(("sudoOption", "a sudoers file has no such option for one rule"))?;
        text.extend_from_slice(if negated { opposite } else { tag }.as_bytes());
        text.extend_from_slice(b": ");
    }
    Ok(())
}

fn order(record: &Record) -> Result<f64, Refusal> {
    let Some(value) = one(record, "sudoOrder")? else { return Ok(0.0) };
    let number = str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
    number.filter(|number| number.is_finite()).ok_or(("sudoOrder", BAD_VALUE))
}

/// Options for all rules, a line each.
fn defaults(record: &Record) -> Result<Text, Refusal> {
    let bad = ("sudoOption", BAD_VALUE);
    let mut text = Vec::new();
    for option in values(record, "sudoOption") {
        if !word::sensible(option) {
            return Err(bad);
        }
        let (negated, option) = word::negation(option.trim_ascii());
        let is_name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
        let end = option.iter().position(|byte| !is_name(byte)).unwrap_or(option.len());
        let (name, rest) = (&option[..end], option[end..].trim_ascii_start());
        let (operator, value) = match rest {
            [b'=', value @ ..] => ("=", value),
            [b'+', b'=', value @ ..] => ("+=", value),
            [b'-', b'=', value @ ..] => ("-=", value),
            [] => ("", rest),
            _ => return Err(bad),
        };
        if name.is_empty() || (negated && !operator.is_empty()) {
            return Err(bad);
        }
        text.extend_from_slice(if negated { b"Defaults !" } else { b"Defaults " });
        text.extend_from_slice(name);
        if !operator.is_empty() {
            let value = value.trim_ascii();
            let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            text.extend_from_slice(operator.as_bytes());
            text.extend(word::string(bare));
        }
        text.push(b'\n');
    }
    Ok(Text::Defaults(text))
}

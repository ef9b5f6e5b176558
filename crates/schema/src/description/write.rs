//! Writing descriptions, in the order of words that RFC 4512 §4.1 gives.

use std::fmt::{self, Display, Formatter, Write};

use crate::definition::{
    AttributeDefinition, ClassDefinition, Extensions, RuleDefinition, RuleUseDefinition, SyntaxDefinition,
    Usage,
};

impl Display for AttributeDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(f, &self.oid, &self.names, self.description.as_deref(), self.obsolete)?;
        word(f, "SUP", self.superior.as_deref())?;
        word(f, "EQUALITY", self.equality.as_deref())?;
        word(f, "ORDERING", self.ordering.as_deref())?;
        word(f, "SUBSTR", self.substrings.as_deref())?;
        word(f, "SYNTAX", self.syntax.as_deref())?;
        if let (Some(_), Some(bound)) = (&self.syntax, self.bound) {
            write!(f, "{{{bound}}}")?;
        }
        flag(f, "SINGLE-VALUE", self.single_value)?;
        flag(f, "COLLECTIVE", self.collective)?;
        flag(f, "NO-USER-MODIFICATION", self.no_user_modification)?;
        if self.usage != Usage::UserApplications {
            write!(f, " USAGE {}", self.usage)?;
        }
        tail(f, &self.extensions)
    }
}

impl Display for ClassDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(f, &self.oid, &self.names, self.description.as_deref(), self.obsolete)?;
        oids(f, "SUP", &self.superiors)?;
        write!(f, " {}", self.kind)?;
        oids(f, "MUST", &self.must)?;
        oids(f, "MAY", &self.may)?;
        tail(f, &self.extensions)
    }
}

impl Display for SyntaxDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(f, &self.oid, &[], self.description.as_deref(), false)?;
        tail(f, &self.extensions)
    }
}

impl Display for RuleDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(f, &self.oid, &self.names, self.description.as_deref(), self.obsolete)?;
        word(f, "SYNTAX", Some(&self.syntax))?;
        tail(f, &self.extensions)
    }
}

impl Display for RuleUseDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(f, &self.oid, &self.names, self.description.as_deref(), self.obsolete)?;
        oids(f, "APPLIES", &self.applies)?;
        tail(f, &self.extensions)
    }
}

fn head(
    f: &mut Formatter<'_>,
    oid: &str,
    names: &[String],
    description: Option<&str>,
    obsolete: bool,
) -> fmt::Result {
    write!(f, "( {oid}")?;
    if !names.is_empty() {
        f.write_str(" NAME")?;
        texts(f, names)?;
    }
    if let Some(description) = description {
        f.write_str(" DESC ")?;
        quoted(f, description)?;
    }
    flag(f, "OBSOLETE", obsolete)
}

fn tail(f: &mut Formatter<'_>, extensions: &Extensions) -> fmt::Result {
    for (name, values) in extensions {
        write!(f, " {name}")?;
        texts(f, values)?;
    }
    f.write_str(" )")
}

fn word(f: &mut Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {name} {value}"))
}

fn flag(f: &mut Formatter<'_>, name: &str, set: bool) -> fmt::Result {
    if set { write!(f, " {name}") } else { Ok(()) }
}

fn oids(f: &mut Formatter<'_>, name: &str, values: &[String]) -> fmt::Result {
    match values {
        [] => Ok(()),
        [one] => write!(f, " {name} {one}"),
        [first, rest @ ..] => {
            write!(f, " {name} ( {first}")?;
            rest.iter().try_for_each(|value| write!(f, " $ {value}"))?;
            f.write_str(" )")
        }
    }
}

fn texts(f: &mut Formatter<'_>, values: &[String]) -> fmt::Result {
    f.write_char(' ')?;
    if let [one] = values {
        return quoted(f, one);
    }
    f.write_str("( ")?;
    for value in values {
        quoted(f, value)?;
        f.write_char(' ')?;
    }
    f.write_char(')')
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        match c {
            '\'' => f.write_str("\\27")?,
            '\\' => f.write_str("\\5C")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('\'')
}

//! Schema elements as they are written down: unresolved, by name, in any order.
//!
//! Their text form (RFC 4512 §4.1) is read by `FromStr` and written by `Display`; see [`crate::description`].

use std::fmt;

/// Attributes of one description that begin with `X-`: the word, and its texts.
pub type Extensions = Vec<(String, Vec<String>)>;

/// One element to add to a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// An attribute type.
    Attribute(AttributeDefinition),
    /// An object class.
    Class(ClassDefinition),
}

impl Definition {
    /// The first name, or the OID when it has none: how messages call the element.
    pub fn label(&self) -> &str {
        match self {
            Self::Attribute(attribute) => label(&attribute.names, &attribute.oid),
            Self::Class(class) => label(&class.names, &class.oid),
        }
    }
}

/// The first name or, without one, the OID.
pub(crate) fn label<'a>(names: &'a [String], oid: &'a str) -> &'a str {
    names.first().map_or(oid, String::as_str)
}

/// An attribute type description (RFC 4512 §4.1.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeDefinition {
    /// Object identifier, dotted decimals.
    pub oid: String,
    /// Short names; the first is the one that is published.
    pub names: Vec<String>,
    /// Text for people.
    pub description: Option<String>,
    /// Not to be used any more.
    pub obsolete: bool,
    /// Supertype, by name or OID.
    pub superior: Option<String>,
    /// Equality rule, by name or OID.
    pub equality: Option<String>,
    /// Ordering rule, by name or OID.
    pub ordering: Option<String>,
    /// Substrings rule, by name or OID.
    pub substrings: Option<String>,
    /// Syntax, by OID.
    pub syntax: Option<String>,
    /// Suggested least upper bound of a value's length, in characters (the number in braces behind the syntax).
    pub bound: Option<u32>,
    /// At most one value.
    pub single_value: bool,
    /// A collective attribute (RFC 3671).
    pub collective: bool,
    /// Kept by the server: clients cannot write it.
    pub no_user_modification: bool,
    /// What the attribute is for.
    pub usage: Usage,
    /// `X-` words.
    pub extensions: Extensions,
}

/// An object class description (RFC 4512 §4.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassDefinition {
    /// Object identifier, dotted decimals.
    pub oid: String,
    /// Short names; the first is the one that is published.
    pub names: Vec<String>,
    /// Text for people.
    pub description: Option<String>,
    /// Not to be used any more.
    pub obsolete: bool,
    /// Superclasses, by name or OID.
    pub superiors: Vec<String>,
    /// Kind of class.
    pub kind: ClassKind,
    /// Attributes an entry of the class must have, by name or OID.
    pub must: Vec<String>,
    /// Attributes an entry of the class may have, by name or OID.
    pub may: Vec<String>,
    /// `X-` words.
    pub extensions: Extensions,
}

/// A syntax description (RFC 4512 §4.1.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyntaxDefinition {
    /// Object identifier, dotted decimals.
    pub oid: String,
    /// Text for people.
    pub description: Option<String>,
    /// `X-` words.
    pub extensions: Extensions,
}

/// A matching rule description (RFC 4512 §4.1.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleDefinition {
    /// Object identifier, dotted decimals.
    pub oid: String,
    /// Short names.
    pub names: Vec<String>,
    /// Text for people.
    pub description: Option<String>,
    /// Not to be used any more.
    pub obsolete: bool,
    /// Syntax of assertion values, by OID.
    pub syntax: String,
    /// `X-` words.
    pub extensions: Extensions,
}

/// A matching rule use description (RFC 4512 §4.1.4): the attributes a rule can be used with in extensible matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleUseDefinition {
    /// Object identifier of the matching rule.
    pub oid: String,
    /// Short names of the matching rule.
    pub names: Vec<String>,
    /// Text for people.
    pub description: Option<String>,
    /// Not to be used any more.
    pub obsolete: bool,
    /// Attributes, by name or OID.
    pub applies: Vec<String>,
    /// `X-` words.
    pub extensions: Extensions,
}

/// What an attribute is for (RFC 4512 §2.5.1). All but user applications are *operational*.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Usage {
    /// An attribute of users and their applications.
    #[default]
    UserApplications,
    /// An operational attribute of the directory.
    DirectoryOperation,
    /// An operational attribute shared among servers.
    DistributedOperation,
    /// An operational attribute of one server.
    DsaOperation,
}

impl Usage {
    /// All of them, with the words that stand for them.
    const WORDS: [(Self, &'static str); 4] = [
        (Self::UserApplications, "userApplications"),
        (Self::DirectoryOperation, "directoryOperation"),
        (Self::DistributedOperation, "distributedOperation"),
        (Self::DsaOperation, "dSAOperation"),
    ];

    /// The usage of this word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|&(usage, _)| usage)
    }

    /// Whether attributes of this usage are returned only when asked for.
    pub fn is_operational(self) -> bool {
        self != Self::UserApplications
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(usage, _)| usage == self).map_or("", |&(_, word)| word);
        f.write_str(word)
    }
}

/// Kind of an object class (RFC 4512 §2.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ClassKind {
    /// Only a base for others.
    Abstract,
    /// Says what an entry is: every entry has one.
    #[default]
    Structural,
    /// Adds to what an entry is.
    Auxiliary,
}

impl ClassKind {
    /// The kind of this word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Abstract, Self::Structural, Self::Auxiliary]
            .into_iter()
            .find(|kind| kind.word().eq_ignore_ascii_case(word))
    }

    /// The word that stands for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Abstract => "ABSTRACT",
            Self::Structural => "STRUCTURAL",
            Self::Auxiliary => "AUXILIARY",
        }
    }
}

impl fmt::Display for ClassKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

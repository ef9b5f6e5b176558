//! Filters made ready for one schema: names looked up, assertions prepared, once for all entries.

use netinfo_mapping::{Namespace, Wanted};
use netinfo_schema::check::Mode;
use netinfo_schema::{ClassId, Pattern, Rule, RuleKind, Schema, Syntax};
use netinfo_wire::ldap::filter::{
    Assertion, Children, ExtensibleMatch, Filter as Wire, Node, Substring, Substrings,
};
use roaring::RoaringBitmap;

use super::described::Described;
use super::truth::Truth;

/// In-chain matching: the value is reached by following DNs from entry to entry.
pub(crate) const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// OID of `objectClass`.
const OBJECT_CLASS: &str = "2.5.4.0";
/// OID of `structuralObjectClass`.
const STRUCTURAL_CLASS: &str = "2.5.21.9";

/// A filter in terms of one schema. Says the same of an entry as the filter it was made of.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// All are true.
    And(Vec<Self>),
    /// One is true.
    Or(Vec<Self>),
    /// It is false.
    Not(Box<Self>),
    /// The same for every entry.
    Constant(Truth),
    /// The entry has the attribute.
    Present(Described),
    /// The entry is of this class.
    Class(ClassId),
    /// A value compares so with the assertion.
    Compare(Compare),
    /// A value has these parts.
    Substrings(Box<Parts>),
    /// A value matches by a named rule.
    Matching(Box<Matching>),
    /// A value leads to this name, directly or through other entries.
    Chain(Box<Chain>),
}

/// How a value has to compare with an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// It is equal.
    Equal,
    /// It is not less.
    AtLeast,
    /// It is not greater.
    AtMost,
}

/// A comparison with an assertion.
#[derive(Debug, Clone)]
pub(crate) struct Compare {
    /// Whose values.
    pub(crate) attribute: Described,
    /// How.
    pub(crate) comparison: Comparison,
    /// By which rule.
    pub(crate) rule: Rule,
    /// Key of the assertion by this rule.
    pub(crate) key: Vec<u8>,
    /// The assertion as it came.
    pub(crate) value: Vec<u8>,
}

/// A substring assertion.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// Whose values.
    pub(crate) attribute: Described,
    /// The parts, prepared.
    pub(crate) pattern: Pattern,
    /// What a value must begin with, as it came.
    pub(crate) initial: Option<Vec<u8>>,
    /// What it must contain, as it came: the middle and the end.
    pub(crate) others: Vec<Vec<u8>>,
}

/// An extensible match.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    /// Whose values; of all attributes the rule can be used with, if there is none.
    pub(crate) attribute: Option<Described>,
    /// By which rule.
    pub(crate) rule: Rule,
    /// Against what.
    pub(crate) value: Vec<u8>,
    /// The parts of the entry's name count as values too.
    pub(crate) names: bool,
}

/// An in-chain match.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// Whose values are followed.
    pub(crate) attribute: Described,
    /// The name to be reached.
    pub(crate) name: Vec<u8>,
    /// The entries from which the name is reached, once they have been looked for.
    pub(crate) found: Option<RoaringBitmap>,
}

impl Filter {
    /// Makes a filter ready. Nothing is an error: what has no meaning here is Undefined.
    pub(crate) fn new(namespace: &Namespace, filter: Wire<'_>) -> Self {
        let all = |children: Children<'_>| children.map(|child| Self::new(namespace, child)).collect();
        match filter.node() {
            Node::And(children) => Some(Self::And(all(children))),
            Node::Or(children) => Some(Self::Or(all(children))),
            Node::Not(child) => Some(Self::Not(Box::new(Self::new(namespace, child)))),
            Node::Present(name) => present(namespace, name),
            Node::Equality(assertion) | Node::Approx(assertion) => {
                compare(namespace, assertion, Comparison::Equal)
            }
            Node::GreaterOrEqual(assertion) => compare(namespace, assertion, Comparison::AtLeast),
            Node::LessOrEqual(assertion) => compare(namespace, assertion, Comparison::AtMost),
            Node::Substrings(substrings) => parts(namespace, &substrings),
            Node::Extensible(matching) => extensible(namespace, &matching),
            Node::Unknown(_) => Some(Self::Constant(Truth::Undefined)),
        }
        .unwrap_or(Self::Constant(Truth::Undefined))
    }
}

impl Filter {
    /// How many filters it has in it, itself included.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::And(children) | Self::Or(children) => 1 + children.iter().map(Self::size).sum::<usize>(),
            Self::Not(child) => 1 + child.size(),
            _ => 1,
        }
    }
}

impl Compare {
    /// Equality of a name with the values of an attribute whose values are names. `None` if it is no name.
    pub(crate) fn equal(schema: &Schema, attribute: &Described, name: &[u8]) -> Option<Self> {
        match compare_by(schema, attribute.clone(), Comparison::Equal, Rule::DistinguishedName, name)? {
            Filter::Compare(compare) => Some(compare),
            _ => None,
        }
    }
}

/// A presence filter. Every entry has a class, whatever it shows of it.
fn present(namespace: &Namespace, name: &[u8]) -> Option<Filter> {
    let attribute = Described::parse(namespace, name)?;
    if !attribute.has_options()
        && attribute
            .attribute(namespace.schema())
            .is_some_and(|kind| matches!(kind.oid(), OBJECT_CLASS | STRUCTURAL_CLASS))
    {
        return Some(Filter::Constant(Truth::True));
    }
    Some(Filter::Present(attribute))
}

/// An equality, ordering or approximate filter. `None`: Undefined.
fn compare(namespace: &Namespace, assertion: Assertion<'_>, comparison: Comparison) -> Option<Filter> {
    let schema = namespace.schema();
    let attribute = Described::parse(namespace, assertion.attribute)?;
    if comparison == Comparison::Equal && is_object_class(schema, &attribute) {
        let class = std::str::from_utf8(assertion.value).ok().and_then(|name| schema.class(name.trim()));
        match class {
            Some(class) => return Some(Filter::Class(class.id())),
            // RFC 4517 §4.2.26. Where entries may have classes that nobody has defined, every name is one.
            None if namespace.mode() == Mode::Strict => return None,
            None => {}
        }
    }
    if is_no_text(schema, &attribute, assertion.value) {
        return None;
    }
    let rule = match comparison {
        Comparison::Equal => attribute.equality(schema),
        Comparison::AtLeast | Comparison::AtMost => attribute.ordering(schema),
    }?;
    let value = match rule {
        // A number below zero stands for a large one among equals, as it is stored; as a bound it is what it says.
        Rule::IntegerOrdering => assertion.value.to_vec(),
        _ => attribute.assertion(assertion.value).into_owned(),
    };
    compare_by(schema, attribute, comparison, rule, &value)
}

fn compare_by(
    schema: &Schema,
    attribute: Described,
    comparison: Comparison,
    rule: Rule,
    value: &[u8],
) -> Option<Filter> {
    let mut key = Vec::new();
    rule.normalise(schema, value, &mut key).ok()?;
    Some(Filter::Compare(Compare { attribute, comparison, rule, key, value: value.to_vec() }))
}

fn is_object_class(schema: &Schema, attribute: &Wanted) -> bool {
    attribute.options().next().is_none()
        && attribute.attribute(schema).is_some_and(|kind| kind.oid() == OBJECT_CLASS)
}

/// Whether a value is to be compared with text that is none: there are no strings without characters (RFC 4517 §3.3.6).
fn is_no_text(schema: &Schema, attribute: &Wanted, value: &[u8]) -> bool {
    value.is_empty()
        && attribute.attribute(schema).is_some_and(|kind| kind.syntax() == Syntax::DirectoryString)
}

/// Whether an assertion about the classes of an entry is decided by what the schema says of them, with superior classes.
pub(crate) fn is_of_class(namespace: &Namespace, attribute: &Wanted, value: &[u8]) -> bool {
    let schema = namespace.schema();
    is_object_class(schema, attribute)
        && std::str::from_utf8(value).is_ok_and(|name| schema.class(name.trim()).is_some())
}

/// Whether an assertion has no meaning to the attribute's rule, besides what its syntax excludes.
pub(crate) fn is_meaningless(namespace: &Namespace, attribute: &Wanted, value: &[u8]) -> bool {
    let schema = namespace.schema();
    is_no_text(schema, attribute, value)
        || namespace.mode() == Mode::Strict
            && is_object_class(schema, attribute)
            && !is_of_class(namespace, attribute, value)
}

/// A substring filter. `None`: Undefined.
fn parts(namespace: &Namespace, substrings: &Substrings<'_>) -> Option<Filter> {
    let attribute = Described::parse(namespace, substrings.attribute)?;
    let rule = attribute.substrings(namespace.schema())?;
    // A piece has characters (RFC 4517 §3.3.30).
    let is_empty = |piece: &[u8]| piece.is_empty();
    let (mut initial, mut any, mut last) = (None, Vec::new(), None);
    for piece in substrings.pieces {
        match piece {
            Substring::Initial(value) => initial = Some(value),
            Substring::Any(value) => any.push(value),
            Substring::Final(value) => last = Some(value),
        }
    }
    if initial.into_iter().chain(any.iter().copied()).chain(last).any(is_empty) {
        return None;
    }
    let pattern = Pattern::new(rule, initial, &any, last).ok()?;
    let others = any.iter().copied().chain(last).map(<[u8]>::to_vec).collect();
    let initial = initial.map(<[u8]>::to_vec);
    Some(Filter::Substrings(Box::new(Parts { attribute, pattern, initial, others })))
}

/// An extensible match. `None`: Undefined.
fn extensible(namespace: &Namespace, matching: &ExtensibleMatch<'_>) -> Option<Filter> {
    let schema = namespace.schema();
    let attribute = match matching.attribute {
        Some(name) => Some(Described::parse(namespace, name)?),
        None => None,
    };
    let names = matching.dn_attributes;
    let rule = matching.rule.map(|rule| std::str::from_utf8(rule).ok());
    let rule = match (rule, &attribute) {
        (Some(Some(IN_CHAIN)), Some(attribute)) => return chain(schema, attribute.clone(), matching.value),
        (Some(rule), _) => Rule::find(rule?)?,
        (None, Some(attribute)) => attribute.equality(schema)?,
        (None, None) => return None,
    };
    let kind = attribute.as_ref().and_then(|attribute| attribute.attribute(schema));
    // A rule that nobody named is the attribute's own, whatever its syntax.
    if matching.rule.is_some() && kind.is_some_and(|kind| !rule.applies_to(kind.syntax())) {
        return None;
    }
    check(schema, rule, matching.value)?;
    if let (Some(attribute), false, RuleKind::Equality) = (&attribute, names, rule.kind()) {
        return compare_by(schema, attribute.clone(), Comparison::Equal, rule, matching.value);
    }
    Some(Filter::Matching(Box::new(Matching { attribute, rule, value: matching.value.to_vec(), names })))
}

/// Whether `value` is an assertion of `rule`.
fn check(schema: &Schema, rule: Rule, value: &[u8]) -> Option<()> {
    match rule.kind() {
        RuleKind::Equality | RuleKind::Ordering => rule.normalise(schema, value, &mut Vec::new()).ok(),
        RuleKind::Substrings => Pattern::parse(rule, value).ok().map(drop),
        RuleKind::Bits => rule.matches(schema, value, b"0").ok().map(drop),
    }
}

/// An in-chain match. `None`: Undefined, because the attribute's values are no names or the assertion is none.
fn chain(schema: &Schema, attribute: Described, name: &[u8]) -> Option<Filter> {
    if !Rule::DistinguishedName.applies_to(attribute.attribute(schema)?.syntax()) {
        return None;
    }
    check(schema, Rule::DistinguishedName, name)?;
    Some(Filter::Chain(Box::new(Chain { attribute, name: name.to_vec(), found: None })))
}

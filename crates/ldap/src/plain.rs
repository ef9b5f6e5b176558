//! Entries that belong to no domain: the root DSE and the subschema. They are made for the request, and searched one at
//! a time.

use netinfo_schema::{AttributeDescription, Pattern, Rule, Schema};
use netinfo_wire::ldap::control::paging::{PagedResults, SortResponse};
use netinfo_wire::ldap::filter::{Assertion, Node, Substring, Substrings};
use netinfo_wire::ldap::{
    EntryWriter, Filter, LdapResult, MessageWriter, Response, ResultCode, SearchRequest, Selection,
};

use crate::failure::{Failure, Outcome};
use crate::operation::Operation;

/// An attribute of such an entry.
#[derive(Debug)]
struct PlainAttribute {
    name: &'static str,
    /// Returned only if asked for by name or as one of the operational attributes.
    operational: bool,
    values: Vec<Vec<u8>>,
}

/// An entry that belongs to no domain.
#[derive(Debug)]
pub(crate) struct PlainEntry {
    dn: String,
    attributes: Vec<PlainAttribute>,
}

impl PlainEntry {
    /// An entry without attributes.
    pub(crate) const fn new(dn: String) -> Self {
        Self { dn, attributes: Vec::new() }
    }

    /// Adds a user attribute.
    pub(crate) fn user<V: Into<Vec<u8>>>(&mut self, name: &'static str, values: impl IntoIterator<Item = V>) {
        self.add(name, false, values.into_iter().map(Into::into).collect());
    }

    /// Adds an operational attribute.
    pub(crate) fn operational<V: Into<Vec<u8>>>(
        &mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
    ) {
        self.add(name, true, values.into_iter().map(Into::into).collect());
    }

    fn add(&mut self, name: &'static str, operational: bool, values: Vec<Vec<u8>>) {
        if !values.is_empty() {
            self.attributes.push(PlainAttribute { name, operational, values });
        }
    }

    /// Does a search that can find this entry and no other.
    pub(crate) fn search(
        &self,
        operation: &Operation<'_, '_>,
        schema: &Schema,
        request: &SearchRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Outcome<()> {
        if let Some(assertion) = operation.controls.assertion
            && self.matches(schema, assertion) != Some(true)
        {
            return Err(Failure::new(ResultCode::AssertionFailed, ""));
        }
        if self.matches(schema, request.filter) == Some(true) {
            self.write(operation.id, schema, request, out);
        }
        let mut done = MessageWriter::begin(out, operation.id);
        done.response(&Response::SearchDone(LdapResult::default()));
        if operation.controls.paged.is_some() {
            done.payload(false, &PagedResults { size: 0, cookie: b"" });
        }
        if operation.controls.sort.is_some() {
            done.payload(false, &SortResponse { code: ResultCode::Success, attribute: None });
        }
        done.finish();
        Ok(())
    }

    fn write(&self, id: u32, schema: &Schema, request: &SearchRequest<'_>, out: &mut Vec<u8>) {
        let mut entry = EntryWriter::begin(out, id, self.dn.as_bytes());
        for attribute in &self.attributes {
            if selects(schema, request.attributes, attribute) {
                let mut values = entry.attribute(attribute.name);
                if !request.types_only {
                    attribute.values.iter().for_each(|value| values.value(value));
                }
            }
        }
        entry.end().finish();
    }

    /// Whether the entry has a value: the answer of a compare.
    pub(crate) fn compare(&self, schema: &Schema, assertion: Assertion<'_>) -> Outcome<bool> {
        let Some(rule) = description(assertion.attribute)
            .and_then(|description| description.attribute(schema))
            .map(|attribute| attribute.equality())
        else {
            return Err(Failure::new(
                ResultCode::UndefinedAttributeType,
                "the attribute type is not defined",
            ));
        };
        if self.named(schema, assertion.attribute).next().is_none() {
            return Err(Failure::new(ResultCode::NoSuchAttribute, "the entry has no such attribute"));
        }
        self.any(schema, assertion.attribute, |value| equal(schema, rule, assertion.value, value)).ok_or_else(
            || Failure::new(ResultCode::InvalidAttributeSyntax, "the value is not of the attribute's syntax"),
        )
    }

    /// Whether the entry matches; `None` for Undefined.
    fn matches(&self, schema: &Schema, filter: Filter<'_>) -> Option<bool> {
        match filter.node() {
            Node::And(children) => {
                let results = children.map(|child| self.matches(schema, child));
                fold(results, false)
            }
            Node::Or(children) => {
                let results = children.map(|child| self.matches(schema, child));
                fold(results, true)
            }
            Node::Not(child) => self.matches(schema, child).map(|result| !result),
            Node::Present(name) => {
                description(name)?.attribute(schema)?;
                Some(self.named(schema, name).next().is_some())
            }
            Node::Equality(assertion) | Node::Approx(assertion) => {
                let rule = description(assertion.attribute)?.attribute(schema)?.equality();
                self.any(schema, assertion.attribute, |value| equal(schema, rule, assertion.value, value))
            }
            Node::GreaterOrEqual(assertion) => self.ordered(schema, assertion, |order| order.is_le()),
            Node::LessOrEqual(assertion) => self.ordered(schema, assertion, |order| order.is_ge()),
            Node::Substrings(substrings) => {
                let rule = description(substrings.attribute)?.attribute(schema)?.substrings()?;
                let pattern = pattern(rule, &substrings)?;
                self.any(schema, substrings.attribute, |value| pattern.matches(value).ok())
            }
            Node::Extensible(matching) => {
                let name = matching.attribute?;
                let attribute = description(name)?.attribute(schema)?;
                let rule = match matching.rule {
                    Some(rule) => Rule::find(std::str::from_utf8(rule).ok()?)?,
                    None => attribute.equality()?,
                };
                self.any(schema, name, |value| rule.matches(schema, matching.value, value).ok())
            }
            Node::Unknown(_) => None,
        }
    }

    /// Compares the assertion with every value.
    fn ordered(
        &self,
        schema: &Schema,
        assertion: Assertion<'_>,
        accepts: impl Fn(std::cmp::Ordering) -> bool,
    ) -> Option<bool> {
        let rule = description(assertion.attribute)?.attribute(schema)?.ordering()?;
        self.any(schema, assertion.attribute, |value| {
            rule.compare(schema, assertion.value, value).ok().map(&accepts)
        })
    }

    /// Whether a value of the attribute passes; `None` if the values say neither yes nor no.
    fn any(&self, schema: &Schema, name: &[u8], test: impl Fn(&[u8]) -> Option<bool>) -> Option<bool> {
        let values = self.named(schema, name).flat_map(|attribute| &attribute.values);
        fold(values.map(|value| test(value)), true)
    }

    fn named<'e>(
        &'e self,
        schema: &'e Schema,
        name: &'e [u8],
    ) -> impl Iterator<Item = &'e PlainAttribute> + 'e {
        self.attributes.iter().filter(move |attribute| is_kind(schema, attribute.name, name))
    }
}

/// Whether two values are equal. Much of what the server says of itself has no equality rule (RFC 4512 §5.1): then octet
/// by octet.
fn equal(schema: &Schema, rule: Option<Rule>, assertion: &[u8], value: &[u8]) -> Option<bool> {
    match rule {
        Some(rule) => rule.matches(schema, assertion, value).ok(),
        None => Some(assertion == value),
    }
}

/// Three-valued "any" (`end` true) or "all" (`end` false).
fn fold(results: impl Iterator<Item = Option<bool>>, end: bool) -> Option<bool> {
    let mut undefined = false;
    for result in results {
        match result {
            Some(result) if result == end => return Some(end),
            Some(_) => {}
            None => undefined = true,
        }
    }
    (!undefined).then_some(!end)
}

fn description(name: &[u8]) -> Option<AttributeDescription<'_>> {
    AttributeDescription::parse(std::str::from_utf8(name).ok()?)
}

/// Whether an attribute is of the kind that a description names.
fn is_kind(schema: &Schema, own: &str, name: &[u8]) -> bool {
    let (Some(own), Some(wanted)) = (AttributeDescription::parse(own), description(name)) else {
        return false;
    };
    own.is_subtype_of(&wanted, schema)
}

fn pattern(rule: Rule, substrings: &Substrings<'_>) -> Option<Pattern> {
    let (mut initial, mut any, mut last) = (None, Vec::new(), None);
    for piece in substrings.pieces {
        match piece {
            Substring::Initial(value) => initial = Some(value),
            Substring::Any(value) => any.push(value),
            Substring::Final(value) => last = Some(value),
        }
    }
    Pattern::new(rule, initial, &any, last).ok()
}

/// Whether a search asks for an attribute (RFC 4511 §4.5.1.8, RFC 3673, RFC 4529).
fn selects(schema: &Schema, selection: Selection<'_>, attribute: &PlainAttribute) -> bool {
    if selection.is_empty() {
        return !attribute.operational;
    }
    selection.iter().any(|wanted| match wanted {
        b"*" => !attribute.operational,
        b"+" => attribute.operational,
        [b'@', class @ ..] => {
            let class = std::str::from_utf8(class).ok().and_then(|name| schema.class(name));
            let known = schema.attribute(attribute.name);
            class
                .zip(known)
                .is_some_and(|(class, known)| class.allows_everything() || class.allows(known.id()))
        }
        wanted => is_kind(schema, attribute.name, wanted),
    })
}

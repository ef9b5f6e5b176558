//! Searches as a client asks for them, and what comes back.

use netinfo_wire::ldap::request::DerefAliases;
use netinfo_wire::ldap::{
    Control, Controls, ControlsBuf, FilterBuf, Payload, Request, Response, ResultCode, Scope, SearchRequest,
    SelectionBuf,
};

use crate::support::{Answer, Client};

/// A search.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    base: String,
    scope: Scope,
    filter: FilterBuf,
    attributes: SelectionBuf,
    controls: ControlsBuf,
    size_limit: u32,
    time_limit: u32,
    types_only: bool,
    deref: DerefAliases,
}

impl Search {
    pub(crate) fn new(base: &str, scope: Scope, filter: &str) -> Self {
        Self {
            base: base.to_owned(),
            scope,
            filter: FilterBuf::parse(filter).unwrap(),
            attributes: SelectionBuf::new(),
            controls: ControlsBuf::default(),
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            deref: DerefAliases::Never,
        }
    }

    /// Below the suffix of the test domain.
    pub(crate) fn all(filter: &str) -> Self {
        Self::new("dc=example,dc=com", Scope::Subtree, filter)
    }

    pub(crate) fn select(mut self, names: &[&str]) -> Self {
        names.iter().for_each(|name| self.attributes.push(name.as_bytes()));
        self
    }

    pub(crate) fn control<'a, P: Payload<'a>>(mut self, critical: bool, payload: &P) -> Self {
        self.controls.add(critical, payload);
        self
    }

    pub(crate) fn flag(mut self, oid: &str) -> Self {
        self.controls.flag(oid, true);
        self
    }

    /// A control with any value.
    pub(crate) fn octets(mut self, oid: &str, critical: bool, value: Option<&[u8]>) -> Self {
        self.controls.push(Control { oid, critical, value });
        self
    }

    pub(crate) fn size_limit(mut self, limit: u32) -> Self {
        self.size_limit = limit;
        self
    }

    pub(crate) fn types_only(mut self) -> Self {
        self.types_only = true;
        self
    }

    pub(crate) fn deref(mut self, deref: DerefAliases) -> Self {
        self.deref = deref;
        self
    }

    /// Does it.
    pub(crate) fn of(&self, client: &mut Client) -> Found {
        let request = SearchRequest {
            base: self.base.as_bytes(),
            scope: self.scope,
            deref: self.deref,
            size_limit: self.size_limit,
            time_limit: self.time_limit,
            types_only: self.types_only,
            filter: self.filter.as_filter(),
            attributes: self.attributes.as_list(),
        };
        Found::read(client.ask_with(Request::Search(request), &self.controls))
    }
}

/// An entry that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) dn: String,
    pub(crate) attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// The values of an attribute as text.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let attribute = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let values = attribute.map(|(_, values)| &values[..]).unwrap_or_default();
        values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Names of the attributes, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The result of a search.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) code: ResultCode,
    pub(crate) entries: Vec<Entry>,
    pub(crate) references: Vec<Vec<String>>,
    pub(crate) referrals: Vec<String>,
    pub(crate) matched: String,
    answer: Answer,
}

impl Found {
    fn read(answer: Answer) -> Self {
        let (mut entries, mut references) = (Vec::new(), Vec::new());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        for message in answer.messages() {
            match message.op {
                Response::SearchEntry(entry) => entries.push(Entry {
                    dn: text(entry.dn),
                    attributes: entry
                        .attributes
                        .iter()
                        .map(|a| (text(a.name), a.values.iter().map(<[u8]>::to_vec).collect()))
                        .collect(),
                }),
                Response::SearchReference(uris) => references.push(uris.iter().map(text).collect()),
                _ => {}
            }
        }
        let (code, referrals, matched) = (answer.code(), answer.referrals(), answer.matched());
        Self { code, entries, references, referrals, matched, answer }
    }

    /// Names of the entries, in order.
    pub(crate) fn dns(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.dn.as_str()).collect()
    }

    /// First values of the first attribute in the names of the entries, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let name = |dn: &'_ str| dn.split_once(',').map_or(dn.len(), |(rdn, _)| rdn.len());
        self.dns().into_iter().map(|dn| &dn[dn.find('=').map_or(0, |at| at + 1)..name(dn)]).collect()
    }

    /// The controls of the final response.
    pub(crate) fn controls(&self) -> Controls<'_> {
        self.answer.last().controls
    }

    /// The controls of the responses with entries, in order.
    pub(crate) fn entry_controls(&self) -> Vec<Controls<'_>> {
        let messages = self.answer.messages().into_iter();
        messages.filter(|m| matches!(m.op, Response::SearchEntry(_))).map(|m| m.controls).collect()
    }
}

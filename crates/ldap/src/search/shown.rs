//! What is returned of an entry, written straight into the buffer that is sent.

use netinfo_directory::{Error as StoreError, Form};
use netinfo_mapping::{Attribute, Error, Namespace, Resolution, Result, Selection, Told};
use netinfo_schema::AttributeDescription;
use netinfo_wire::ldap::control::deref::{DerefRequest, DerefResponse, DerefResult, DerefResultKind};
use netinfo_wire::ldap::filter::ValuesFilter;
use netinfo_wire::ldap::list::ListBuf;
use netinfo_wire::ldap::writer::AttributesWriter;
use netinfo_wire::ldap::{AttributesBuf, EntryWriter, MessageWriter, Selection as Wire};

use super::described::Described;
use super::evaluate::{Own, lets_through};
use super::filter::Filter;
use super::ground::{Ground, Subject};
use crate::limits::DEREFERENCED;

/// Which attributes and values of entries are returned, and of entries that they name.
#[derive(Debug)]
pub(crate) struct Shown {
    selection: Selection,
    types_only: bool,
    /// A value is returned if one of these says so (RFC 3876); all are if there is no such list.
    matched: Option<Vec<Filter>>,
    deref: Vec<Deref>,
    /// Without what follows from other entries, or from the name.
    lasting: bool,
}

/// Attributes whose values are another entry's doing, follow from the name, or number changes of this server: no part of
/// a copy.
const PASSING: [&str; 9] = [
    "entryCSN",
    "entryDN",
    "subschemaSubentry",
    "hasSubordinates",
    "numSubordinates",
    "memberOf",
    "dSID",
    "nIVersionNumber",
    "nISerialNumber",
];

/// An attribute whose values name entries, and what is returned of these.
#[derive(Debug)]
struct Deref {
    attribute: Described,
    /// The attribute as the request names it.
    name: Vec<u8>,
    selection: Selection,
}

impl Shown {
    /// What a request asks for.
    pub(crate) fn new(namespace: &Namespace, selection: Wire<'_>, types_only: bool) -> Self {
        let selection = Selection::new(namespace, selection);
        Self { selection, types_only, matched: None, deref: Vec::new(), lasting: false }
    }

    /// Only values that one of the items matches. Of no effect if values are not returned at all.
    pub(crate) fn matching(&mut self, namespace: &Namespace, values: &ValuesFilter<'_>) {
        if !self.types_only {
            self.matched = Some(values.items.iter().map(|item| Filter::new(namespace, item)).collect());
        }
    }

    /// Only what an entry holds, for copies.
    pub(crate) fn lasting(&mut self) {
        self.lasting = true;
    }

    /// Attributes of entries that attributes name.
    pub(crate) fn dereferencing(&mut self, namespace: &Namespace, request: &DerefRequest<'_>) {
        for spec in request.specs {
            if let Some(attribute) = Described::parse(namespace, spec.attribute) {
                let selection = Selection::new(namespace, spec.attributes);
                self.deref.push(Deref { attribute, name: spec.attribute.to_vec(), selection });
            }
        }
    }

    /// Appends an entry. `controls` adds those that go with it.
    pub(crate) fn write_entry(
        &self,
        ground: &Ground<'_>,
        subject: &Subject<'_>,
        id: u32,
        out: &mut Vec<u8>,
        controls: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Result<()> {
        let form = self.form(subject);
        let mut controls = Some(controls);
        if let Some(form) = form {
            let copied = ground.view().rendering(subject.object(), form, |_, kept| {
                let kept = Kept::read(kept);
                let mut failed = Ok(());
                let mut entry = EntryWriter::begin_with(out, id, |out| {
                    failed = subject.entry().write_dn_with(kept.rdn, out);
                });
                failed?;
                entry.attributes().encoded(kept.attributes);
                let mut message = entry.end();
                controls.take().into_iter().for_each(|controls| controls(&mut message));
                message.finish();
                Ok(())
            });
            if let Some(result) = copied {
                return result;
            }
        }
        let (mut failed, mut kept) = (Ok(()), Vec::new());
        let mut entry = EntryWriter::begin_with(out, id, |out| {
            let start = out.len();
            failed = subject.entry().write_dn(out);
            if form.is_some() {
                Kept::put_rdn(subject.entry().rdn_in(&out[start..]), &mut kept);
            }
        });
        failed?;
        let mut attributes = entry.attributes();
        let start = attributes.position();
        self.write_attributes(subject, &mut attributes)?;
        if let Some(form) = form {
            kept.extend_from_slice(attributes.since(start));
            ground.view().keep_rendering(subject.record(), form, &kept);
        }
        let mut message = entry.end();
        if !self.deref.is_empty() {
            let results = self.dereferenced(ground, subject)?;
            if !results.as_list().is_empty() {
                message.payload(false, &DerefResponse { results: results.as_list() });
            }
        }
        controls.into_iter().for_each(|controls| controls(&mut message));
        message.finish();
        Ok(())
    }

    /// The form in which an entry is remembered as it is sent, if it is the same for everybody who asks for the same.
    fn form(&self, subject: &Subject<'_>) -> Option<Form> {
        let plain = !self.types_only && self.matched.is_none() && !self.lasting && self.deref.is_empty();
        if plain { subject.entry().form(&self.selection) } else { None }
    }

    /// Appends the attributes of an entry.
    pub(crate) fn write_attributes(
        &self,
        subject: &Subject<'_>,
        out: &mut AttributesWriter<'_>,
    ) -> Result<()> {
        if self.selection.is_empty() {
            return Ok(());
        }
        if self.matched.is_none() && !self.lasting {
            let start = out.position();
            let told = subject.entry().tell(&self.selection, |description, told| match told {
                Told::One(value) if !self.types_only => out.single(description, &value),
                Told::Many(told) if !self.types_only => {
                    let mut values = out.attribute(description);
                    told.for_each(|value| values.value(&value));
                }
                _ => drop(out.attribute(description)),
            })?;
            if told {
                return Ok(());
            }
            out.undo(start);
        }
        for attribute in subject.entry().select(&self.selection)? {
            if self.lasting && PASSING.contains(&attribute.description()) {
                continue;
            }
            match &self.matched {
                Some(items) => write_matched(items, subject, &attribute, out),
                None => {
                    let mut values = out.attribute(attribute.description());
                    if !self.types_only {
                        attribute.values().for_each(|value| values.value(&value));
                    }
                }
            }
        }
        Ok(())
    }

    /// What is to be returned of the entries that an entry names.
    fn dereferenced(&self, ground: &Ground<'_>, subject: &Subject<'_>) -> Result<ListBuf<DerefResultKind>> {
        let mut results = ListBuf::new();
        let mut left = DEREFERENCED;
        for deref in &self.deref {
            let mut names = Vec::new();
            subject.values(&deref.attribute, &mut |value| {
                let more = left > 0;
                if more {
                    names.push(value.to_vec());
                    left -= 1;
                }
                more
            })?;
            for name in names {
                let Some(named) = find(ground, &name)? else { continue };
                let mut attributes = AttributesBuf::new();
                for attribute in named.entry().select(&deref.selection)? {
                    attributes.add(attribute.description(), attribute.values());
                }
                results.push(DerefResult {
                    attribute: &deref.name,
                    dn: &name,
                    attributes: attributes.as_list(),
                });
            }
        }
        Ok(results)
    }
}

/// An entry as it is remembered: the length of its relative name in one octet, the relative name, its attributes encoded.
struct Kept<'k> {
    /// The relative name; `None` where the DN has to be found out each time.
    rdn: Option<&'k [u8]>,
    attributes: &'k [u8],
}

impl<'k> Kept<'k> {
    fn read(bytes: &'k [u8]) -> Self {
        let (length, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let (rdn, attributes) = rest.split_at_checked((*length).into()).unwrap_or_default();
        Self { rdn: Some(rdn).filter(|rdn| !rdn.is_empty()), attributes }
    }

    fn put_rdn(rdn: Option<&[u8]>, out: &mut Vec<u8>) {
        let short = rdn.and_then(|rdn| Some((u8::try_from(rdn.len()).ok()?, rdn)));
        let (length, rdn) = short.unwrap_or_default();
        out.push(length);
        out.extend_from_slice(rdn);
    }
}

/// The entry of a name, if there is one that may be seen.
fn find<'s>(ground: &'s Ground<'_>, name: &[u8]) -> Result<Option<Subject<'s>>> {
    match ground.tree().resolve(name) {
        Ok(Resolution::Found(object)) => ground.subject(object),
        Ok(_) | Err(Error::Name(_) | Error::Directory(StoreError::NoSuchDirectory)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Appends those values of an attribute that an item matches; nothing if there are none.
fn write_matched(
    items: &[Filter],
    subject: &Subject<'_>,
    attribute: &Attribute<'_>,
    out: &mut AttributesWriter<'_>,
) {
    let Some(description) = AttributeDescription::parse(attribute.description()) else { return };
    let own = Own { kind: description.attribute(subject.schema()), description };
    let mut values = out.attribute(attribute.description());
    for value in attribute.values() {
        if items.iter().any(|item| lets_through(item, subject, &own, &value)) {
            values.value(&value);
        }
    }
    if values.count() == 0 {
        values.cancel();
    }
}

//! Names that lead elsewhere (RFC 3296), and names of nothing.

use std::borrow::Cow;

use netinfo_directory::{Access, ROOT, RecordRef};
use netinfo_mapping::name::{Name, Rdn};
use netinfo_mapping::{Resolution, Tree};
use netinfo_wire::ldap::dn::DnWriter;
use netinfo_wire::ldap::url::{Scheme, Url};
use netinfo_wire::ldap::{ResultCode, Scope};

use crate::failure::{Failure, Outcome};
use crate::search::special::{self, Special};

/// The class of entries that lead elsewhere.
const REFERRAL: &[u8] = b"referral";
/// The property with the URLs they lead to.
const REF: &[u8] = b"ref";

/// Finds the entry of a name. Where an entry at or above it leads elsewhere, that is the answer, unless referrals are to
/// be treated as entries. `scope` is that of a search.
///
/// # Errors
/// A referral, or `noSuchObject` with the nearest entry that the session may know of.
pub(crate) fn find(
    tree: &Tree<'_>,
    access: &Access<'_>,
    name: &Name<'_>,
    manage_dsa_it: bool,
    scope: Option<Scope>,
) -> Outcome<u32> {
    match tree.resolve_name(name)? {
        Resolution::Found(object) => {
            if !manage_dsa_it && let Some(urls) = leads_elsewhere(tree, object)? {
                return Err(Failure::referral(adjusted(&urls, name, 0, scope)));
            }
            let visible = access.reads_everything() || access.object(object)?.visible();
            if visible { Ok(object) } else { missing(tree, access, object) }
        }
        Resolution::Missing { nearest, rest } => {
            if !manage_dsa_it {
                if let Some(urls) = leads_elsewhere(tree, nearest)? {
                    return Err(Failure::referral(adjusted(&urls, name, rest, scope)));
                }
                if nearest == ROOT
                    && let Some(urls) = child_domain(tree, name)?
                {
                    return Err(Failure::referral(adjusted(&urls, name, name.rdns.len(), scope)));
                }
            }
            missing(tree, access, nearest)
        }
        Resolution::Outside => Err(Failure::new(ResultCode::NoSuchObject, "")),
    }
}

/// `noSuchObject`, with the nearest entry at or above `nearest` that the session may know of.
pub(crate) fn missing<T>(tree: &Tree<'_>, access: &Access<'_>, nearest: u32) -> Outcome<T> {
    let mut object = nearest;
    while object != ROOT && !access.object(object)?.visible() {
        object = tree.view().record(object)?.parent();
    }
    let matched = if access.object(object)?.visible() { tree.dn(object)? } else { String::new() };
    Err(Failure::no_such_object(matched))
}

/// The URLs of a directory that leads elsewhere.
pub(crate) fn leads_elsewhere(tree: &Tree<'_>, object: u32) -> Outcome<Option<Vec<Vec<u8>>>> {
    let Some(names) = special::names(Special::Referral) else { return Ok(None) };
    if !tree.storing_class(names)?.contains(object) {
        return Ok(None);
    }
    Ok(urls_of(&tree.view().record(object)?))
}

/// The same for a record.
pub(crate) fn urls_of(record: &RecordRef<'_>) -> Option<Vec<Vec<u8>>> {
    let mut classes = record.property(b"objectClass")?.values;
    if !classes.any(|class| class.eq_ignore_ascii_case(REFERRAL)) {
        return None;
    }
    let named = record.properties().find(|property| property.name.eq_ignore_ascii_case(REF));
    // What follows a space is for people (RFC 2079).
    let urls =
        named?.values.map(|value| value.split(|byte| *byte == b' ').next().unwrap_or_default().to_vec());
    let urls: Vec<_> = urls.filter(|url| !url.is_empty()).collect();
    (!urls.is_empty()).then_some(urls)
}

/// URLs as a client that asked for `name` is to follow them, when the entry that leads elsewhere is `rest` relative
/// names above it (RFC 3296 §5.1.1).
pub(crate) fn adjusted(urls: &[Vec<u8>], name: &Name<'_>, rest: usize, scope: Option<Scope>) -> Vec<String> {
    urls.iter()
        .map(|text| {
            let text = String::from_utf8_lossy(text);
            let Ok(mut url) = Url::parse(&text) else { return text.into_owned() };
            if url.dn.is_empty() {
                url.dn = Cow::Owned(text_of(&name.rdns, ""));
            } else if rest > 0 {
                url.dn = Cow::Owned(text_of(name.rdns.get(..rest).unwrap_or_default(), &url.dn));
            }
            url.scope = url.scope.or(scope);
            url.filter = Cow::Borrowed("");
            url.attributes.clear();
            url.to_string()
        })
        .collect()
}

/// Relative names as text, before the text of their parent.
pub(crate) fn text_of(rdns: &[Rdn<'_>], parent: &str) -> String {
    let mut text = Vec::new();
    let mut writer = DnWriter::new(&mut text);
    for rdn in rdns {
        for (index, part) in rdn.parts.iter().enumerate() {
            if index == 0 {
                writer.rdn(part.kind, &part.value)
            } else {
                writer.and(part.kind, &part.value)
            };
        }
    }
    if !parent.is_empty() {
        writer.text(parent);
    }
    String::from_utf8(text).unwrap_or_default()
}

/// The servers of the child domain that a name below the suffix belongs to, as `/machines` tells it.
fn child_domain(tree: &Tree<'_>, name: &Name<'_>) -> Outcome<Option<Vec<Vec<u8>>>> {
    let view = tree.view();
    let Some(depth) = tree.namespace().depth(name) else { return Ok(None) };
    let below = name.rdns.get(..depth).unwrap_or_default();
    let Some(machines) = view.child_named(ROOT, b"machines")? else { return Ok(None) };
    let mut urls = Vec::new();
    for machine in view.children(machines)? {
        let machine = view.record(machine?)?;
        let (Some(serves), Some(host)) = (machine.property(b"serves"), machine.first_value(b"name")) else {
            continue;
        };
        let suffixes: Vec<&[u8]> =
            machine.property(b"suffix").map(|p| p.values.collect()).unwrap_or_default();
        let serves_it = serves.values.enumerate().any(|(index, served)| {
            let Some(at) = served.iter().position(|byte| *byte == b'/') else { return false };
            let domain = &served[..at];
            let relative = match suffixes.get(index).filter(|suffix| !suffix.is_empty()) {
                Some(suffix) => suffix.to_vec(),
                None => {
                    let mut text = Vec::new();
                    DnWriter::new(&mut text).rdn("ou", domain);
                    text
                }
            };
            domain != b"." && domain != b".." && ends_in(below, &relative, tree)
        });
        if serves_it {
            let host = String::from_utf8_lossy(host).into_owned();
            urls.push(Url::new(Scheme::Ldap, host, None).to_string().into_bytes());
        }
    }
    Ok((!urls.is_empty()).then_some(urls))
}

/// Whether relative names end in those of a text.
fn ends_in(rdns: &[Rdn<'_>], text: &[u8], tree: &Tree<'_>) -> bool {
    let Ok(wanted) = Name::parse(text) else { return false };
    let schema = tree.namespace().schema();
    wanted.rdns.len() <= rdns.len()
        && !wanted.rdns.is_empty()
        && rdns.iter().rev().zip(wanted.rdns.iter().rev()).all(|(one, other)| one.is_same(other, schema))
}

//! LDIF as items.

use std::fs;
use std::io::{self, BufRead, Read};

use netinfo_formats::ldif;
use netinfo_mapping::write::Operation;

use super::Items;
use crate::item::{Attributes, Change, Item, Step, What};

/// The items of an LDIF file.
pub(super) fn entries(input: impl BufRead + 'static, urls: bool) -> Items {
    let mut reader = reader(input, urls);
    Box::new(std::iter::from_fn(move || Some(reader.next()?.map(owned))))
}

/// A reader of LDIF that fetches values from other files, if `urls` says so.
pub(super) fn reader<R: Read>(input: R, urls: bool) -> ldif::Reader<R> {
    let mut reader = ldif::Reader::new(input);
    if urls {
        reader = reader.with_urls(|url| {
            let path = ldif::file_of_url(url).ok_or_else(|| {
                io::Error::new(io::ErrorKind::Unsupported, "only files of this machine are fetched")
            })?;
            fs::read(path)
        });
    }
    reader
}

/// An item in memory of its own.
pub(super) fn owned(item: ldif::Item<'_>) -> Item {
    let line = item.line();
    let dn = item.dn().to_vec();
    let what = match item {
        ldif::Item::Entry(entry) => What::Entry(dn, grouped(&entry.attributes)),
        ldif::Item::Change(change) => What::Change(
            dn,
            match change.operation {
                ldif::Operation::Add(attributes) => Change::Add(grouped(&attributes)),
                ldif::Operation::Delete => Change::Delete,
                ldif::Operation::Modify(steps) => Change::Modify(steps.map(step).collect()),
                ldif::Operation::Rename { new_rdn, delete_old_rdn, new_superior } => Change::Rename {
                    new_rdn: new_rdn.to_vec(),
                    delete_old: delete_old_rdn,
                    new_superior: new_superior.map(<[u8]>::to_vec),
                },
            },
        ),
    };
    Item { line, what }
}

fn step(step: ldif::Modification<'_>) -> Step {
    let operation = match step.kind {
        ldif::ModificationKind::Add => Operation::Add,
        ldif::ModificationKind::Delete => Operation::Delete,
        ldif::ModificationKind::Replace => Operation::Replace,
        ldif::ModificationKind::Increment => Operation::Increment,
    };
    (operation, step.description.to_vec(), step.values.map(<[u8]>::to_vec).collect())
}

fn grouped(attributes: &ldif::Attributes<'_>) -> Attributes {
    let groups = attributes.grouped().into_iter();
    groups.map(|(name, values)| (name.to_vec(), values.into_iter().map(<[u8]>::to_vec).collect())).collect()
}

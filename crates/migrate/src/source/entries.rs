//! LDIF as items.

use std::fs::File;
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
    ldif::Reader::new(input).with_urls(move |url| {
        if urls {
            fetch(url)
        } else {
            Err(unsupported("stands in another file; import with --urls reads it"))
        }
    })
}

fn fetch(url: &str) -> io::Result<Vec<u8>> {
    let path = ldif::file_of_url(url).ok_or_else(|| unsupported("only files of this machine are fetched"))?;
    let mut value = Vec::new();
    // What is longer is refused by the reader; and some files have no end.
    File::open(path)?.take(ldif::MAX_VALUE_BYTES as u64 + 1).read_to_end(&mut value)?;
    Ok(value)
}

fn unsupported(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with an entry whose photo stands at `url`.
    fn problem(url: &str, urls: bool) -> String {
        let text = format!("dn: cn=a\njpegPhoto:< {url}\n");
        let found = reader(text.as_bytes(), urls).next().map(|item| item.map(owned));
        found.map(|item| item.unwrap_err().to_string()).unwrap_or_default()
    }

    #[test]
    fn values_in_other_files_are_fetched_on_demand_only() {
        insta::assert_snapshot!(problem("file:///a.jpg", false), @"line 2: value: file:///a.jpg: stands in another file; import with --urls reads it");
        insta::assert_snapshot!(problem("http://a/b", true), @"line 2: value: http://a/b: only files of this machine are fetched");
        let endless = problem("file:///dev/zero", true);
        assert!(endless.contains(&format!("longer than {} bytes", ldif::MAX_VALUE_BYTES)), "{endless}");
    }
}

//! The lines of `niload`.

use super::Load;
use super::tokens::{Separator, tokens};

/// What a line gives: properties, or nothing.
pub(super) type Found = Option<Vec<(Vec<u8>, Vec<Vec<u8>>)>>;

/// The properties of a line of a format, not sorted.
pub(super) fn parse(format: Load, line: &[u8]) -> Found {
    let words = |pound| tokens(line, Separator::Blank, pound);
    let colons = || tokens(line, Separator::Byte(b':'), false);
    match format {
        Load::Aliases => alias(&colons()),
        Load::Bootparams => assigned(line, b'\t'),
        Load::Bootptab => bootptab(&words(false)),
        Load::Fstab => fstab(&words(false)),
        Load::Group => group(&colons()),
        Load::Hosts => hosts(&words(true)),
        Load::Networks => table("address", &words(true)),
        Load::Passwd => passwd(&colons()),
        Load::Passwd43 => passwd43(&colons()),
        Load::Printcap => assigned(line, b':'),
        Load::Protocols | Load::Rpc => table("number", &words(true)),
        Load::Services => service(&words(true)),
    }
}

/// Properties of one value each.
fn single(properties: &[(&str, &[u8])]) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    properties.iter().map(|(name, value)| (name.as_bytes().to_vec(), vec![value.to_vec()])).collect()
}

fn owned(values: &[&[u8]]) -> Vec<Vec<u8>> {
    values.iter().map(|value| value.to_vec()).collect()
}

fn is_nis(name: &[u8]) -> bool {
    name.starts_with(b"+")
}

fn passwd(fields: &[&[u8]]) -> Found {
    let &[name, passwd, uid, gid, class, change, expire, realname, home, shell] = fields else { return None };
    (!is_nis(name)).then(|| {
        single(&[
            ("name", name),
            ("passwd", passwd),
            ("uid", uid),
            ("gid", gid),
            ("class", class),
            ("change", change),
            ("expire", expire),
            ("realname", realname),
            ("home", home),
            ("shell", shell),
            ("_writers_passwd", name),
        ])
    })
}

fn passwd43(fields: &[&[u8]]) -> Found {
    let &[name, word, uid, gid, realname, home, shell] = fields else { return None };
    passwd(&[name, word, uid, gid, b"", b"0", b"0", realname, home, shell])
}

fn group(fields: &[&[u8]]) -> Found {
    let [name, passwd, gid, rest @ ..] = fields else { return None };
    if is_nis(name) {
        return None;
    }
    let users = match rest.first() {
        None => vec![Vec::new()],
        Some(members) => owned(&tokens(members, Separator::Byte(b','), false)),
    };
    let mut properties = single(&[("name", name), ("passwd", passwd), ("gid", gid)]);
    properties.push((b"users".to_vec(), users));
    Some(properties)
}

fn hosts(words: &[&[u8]]) -> Found {
    let [address, names @ ..] = words else { return None };
    (!names.is_empty())
        .then(|| vec![(b"ip_address".to_vec(), vec![address.to_vec()]), (b"name".to_vec(), owned(names))])
}

/// `name value alias…`.
fn table(property: &str, words: &[&[u8]]) -> Found {
    let [name, value, aliases @ ..] = words else { return None };
    let names = std::iter::once(name).chain(aliases).map(|name| name.to_vec()).collect();
    Some(vec![(b"name".to_vec(), names), (property.into(), vec![value.to_vec()])])
}

fn service(words: &[&[u8]]) -> Found {
    let value = words.get(1)?;
    let slash = value.iter().position(|byte| *byte == b'/')?;
    let (port, protocol) = (&value[..slash], &value[slash + 1..]);
    let mut properties = table("port", words)?;
    properties[1].1 = vec![port.to_vec()];
    properties.push((b"protocol".to_vec(), vec![protocol.to_vec()]));
    (!port.is_empty() && !protocol.is_empty()).then_some(properties)
}

fn fstab(words: &[&[u8]]) -> Found {
    let [name, dir, kind, opts, freq, passno, ..] = words else { return None };
    let mut properties =
        single(&[("name", name), ("dir", dir), ("vfstype", kind), ("dump_freq", freq), ("passno", passno)]);
    properties.push((b"opts".to_vec(), owned(&tokens(opts, Separator::Byte(b','), false))));
    Some(properties)
}

fn alias(fields: &[&[u8]]) -> Found {
    let [name, members, ..] = fields else { return None };
    let members = owned(&tokens(members, Separator::Byte(b','), false));
    Some(vec![(b"name".to_vec(), vec![name.to_vec()]), (b"members".to_vec(), members)])
}

fn bootptab(words: &[&[u8]]) -> Found {
    let [name, kind, ethernet, address, file, ..] = words else { return None };
    Some(single(&[
        ("name", name),
        ("htype", kind),
        ("en_address", ethernet),
        ("ip_address", address),
        ("bootfile", file),
    ]))
}

/// A name and what of the further fields is `key=value`, each a property; a key that comes again adds a value.
fn assigned(line: &[u8], separator: u8) -> Found {
    let mut fields = line.split(|byte| *byte == separator);
    let mut properties = single(&[("name", fields.next()?)]);
    for field in fields {
        let parts: Vec<_> = field.split(|byte| *byte == b'=').collect();
        let [key, value] = parts[..] else { continue };
        match properties.iter_mut().find(|(known, _)| known == key) {
            Some((_, values)) => values.push(value.to_vec()),
            None => properties.push((key.to_vec(), vec![value.to_vec()])),
        }
    }
    Some(properties)
}

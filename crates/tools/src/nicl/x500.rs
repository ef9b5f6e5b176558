//! X.500 names: `name=ana,name=users`, most specific first.

use netinfo_formats::nidb::StoreErrorKind;

use super::path::{Naming, ROOT, Step, Way};
use super::raw::rdn_key;
use super::store::{Outcome, Store};

/// Most levels printed: a damaged database may go round in circles.
const MAX_LEVELS: usize = 256;

/// Reads a name. `DSID=N` as its first part is an id, and the rest does not matter.
///
/// # Errors
/// `InvalidPath`.
pub(super) fn parse(text: &[u8]) -> Outcome<Way> {
    let mut steps = Vec::new();
    for part in parts(text)? {
        let equal = part.iter().position(|(byte, literal)| *byte == b'=' && !literal);
        let (key, value) = part.split_at(equal.ok_or(StoreErrorKind::InvalidPath)?);
        let plain = |text: &[(u8, bool)]| text.iter().map(|(byte, _)| *byte).collect::<Vec<u8>>();
        let key = plain(key).trim_ascii().to_vec();
        let value = plain(value.get(1..).unwrap_or_default());
        if key.is_empty() {
            return Err(StoreErrorKind::InvalidPath);
        }
        if steps.is_empty() && key.eq_ignore_ascii_case(b"DSID") {
            return super::path::id(&value).map(Way::Id);
        }
        steps.push(Step { key, value });
    }
    steps.reverse();
    Ok(Way::Steps { absolute: true, steps })
}

/// The parts between commas or semicolons, each byte with whether it is literal.
fn parts(text: &[u8]) -> Outcome<Vec<Vec<(u8, bool)>>> {
    let mut parts = vec![Vec::new()];
    let mut quoted = false;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let (byte, literal) = match byte {
            b'\\' => (bytes.next().ok_or(StoreErrorKind::InvalidPath)?, true),
            b'"' => {
                quoted = !quoted;
                continue;
            }
            byte => (byte, quoted),
        };
        match byte {
            b',' | b';' if !literal => parts.push(Vec::new()),
            byte => parts.last_mut().into_iter().for_each(|part| part.push((*byte, literal))),
        }
    }
    if quoted { Err(StoreErrorKind::InvalidPath) } else { Ok(parts) }
}

/// The first child that matches without regard to case.
pub(super) fn find_child(
    store: &mut dyn Store,
    parent: u32,
    key: &[u8],
    value: &[u8],
) -> Outcome<Option<u32>> {
    for child in store.fetch(parent)?.children {
        let Ok(record) = store.fetch(child) else { continue };
        let named = record.attributes.iter().filter(|a| a.key.bytes().eq_ignore_ascii_case(key));
        let mut values = named.flat_map(|attribute| &attribute.values);
        if values.any(|found| found.bytes().eq_ignore_ascii_case(value)) {
            return Ok(Some(child));
        }
    }
    Ok(None)
}

/// The path of a directory, as it is printed.
pub(super) fn path_of(store: &mut dyn Store, id: u32, naming: Naming) -> Vec<u8> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut at = id;
    while at != ROOT && names.len() < MAX_LEVELS {
        let Ok(record) = store.fetch(at) else {
            names.push(b"dir:?".to_vec());
            break;
        };
        names.push(match naming {
            Naming::Slashes => {
                let name = record.attribute(false, b"name").and_then(|name| name.values.first());
                name.map_or_else(|| format!("dir:{at}").into_bytes(), |name| name.bytes().into_owned())
            }
            Naming::X500 => {
                let key = rdn_key(&record);
                let value = record.property(&key).and_then(|values| values.values.first());
                match value {
                    Some(value) => [&key[..], b"=", &escaped(&value.bytes())].concat(),
                    None => format!("DSID={at}").into_bytes(),
                }
            }
        });
        at = record.parent;
    }
    match naming {
        Naming::Slashes if names.is_empty() => b"/".to_vec(),
        Naming::Slashes => {
            names.reverse();
            names.iter().flat_map(|name| [b"/", name.as_slice()].concat()).collect()
        }
        Naming::X500 if names.is_empty() => b"rootDSE".to_vec(),
        Naming::X500 => names.join(&b','),
    }
}

/// A value with a backslash before what would divide or quote.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    for byte in value {
        if matches!(byte, b',' | b';' | b'=' | b'\\' | b'"') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Outcome<Vec<(String, String)>> {
        let string = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        parse(text.as_bytes()).map(|way| match way {
            Way::Steps { steps, .. } => steps.into_iter().map(|s| (string(s.key), string(s.value))).collect(),
            Way::Id(id) => vec![("id".into(), id.to_string())],
        })
    }

    #[test]
    fn names() {
        let is = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of("name=ana, name=users").unwrap(), [is("name", "users"), is("name", "ana")]);
        assert_eq!(of(r#"name="a,b";name=x\=y"#).unwrap(), [is("name", "x=y"), is("name", "a,b")]);
        assert_eq!(of("DSID=7,name=users").unwrap(), [is("id", "7")]);
        for bad in ["/", "/users", "ana", "=x", "a=b,", r"a=\", r#"a="b"#, "dsid=x"] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert_eq!(escaped(b"a,b=c"), br"a\,b\=c");
    }
}

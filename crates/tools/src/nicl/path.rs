//! Paths of nicl, which are not those of the other tools.

use netinfo_formats::nidb::StoreErrorKind;

use super::store::{Outcome, Properties, Store};
use super::x500;

/// Id of the root.
pub(super) const ROOT: u32 = 0;

/// How paths are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Naming {
    /// `/users/name=ana`.
    #[default]
    Slashes,
    /// `name=ana,name=users`.
    X500,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// What a path says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The directory with this id, whether or not it exists.
    Id(u32),
    /// Steps from the root or from the current directory.
    Steps { absolute: bool, steps: Vec<Step> },
}

/// Reads a path.
///
/// # Errors
/// `InvalidRecordId` for nothing and for numbers that are no id, `InvalidPath` for what is none.
pub(super) fn parse(text: &[u8], naming: Naming) -> Outcome<Way> {
    if text.is_empty() {
        return Err(StoreErrorKind::InvalidRecordId);
    }
    if text.iter().all(u8::is_ascii_digit) {
        return id(text).map(Way::Id);
    }
    match naming {
        Naming::Slashes => {
            let steps = components(text).into_iter().map(step).collect();
            Ok(Way::Steps { absolute: text.first() == Some(&b'/'), steps })
        }
        Naming::X500 => x500::parse(text),
    }
}

/// A number as the id of a directory.
pub(super) fn id(digits: &[u8]) -> Outcome<u32> {
    let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    number.ok_or(StoreErrorKind::InvalidRecordId)
}

/// The parts between slashes that no backslash protects; empty ones do not count.
fn components(text: &[u8]) -> Vec<&[u8]> {
    let mut components = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'/' => {
                components.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    components.push(text.get(start..).unwrap_or_default());
    components.retain(|component| !component.is_empty());
    components
}

/// The last `=` divides key and value; nothing protects it.
fn step(component: &[u8]) -> Step {
    match component.iter().rposition(|byte| *byte == b'=') {
        Some(at) => Step {
            key: unescaped(component.get(..at).unwrap_or_default()),
            value: unescaped(component.get(at + 1..).unwrap_or_default()),
        },
        None => Step { key: b"name".to_vec(), value: unescaped(component) },
    }
}

/// A lone backslash vanishes; of several in a row, one does.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut before = false;
    for byte in text {
        if *byte != b'\\' || before {
            plain.push(*byte);
        }
        before = *byte == b'\\';
    }
    plain
}

/// The directory that a path names, made with everything on the way to it if `create`.
///
/// # Errors
/// `InvalidPath` if there is none; as [`parse`]; those of the store.
pub(super) fn resolve(
    store: &mut dyn Store,
    text: &[u8],
    current: u32,
    naming: Naming,
    create: bool,
) -> Outcome<u32> {
    let (absolute, steps) = match parse(text, naming)? {
        Way::Id(id) => return Ok(id),
        Way::Steps { absolute, steps } => (absolute, steps),
    };
    let mut at = if absolute { ROOT } else { current };
    for Step { key, value } in steps {
        at = match (naming, key.as_slice(), value.as_slice()) {
            (Naming::Slashes, b"name", b".") => at,
            (Naming::Slashes, b"name", b"..") => store.fetch(at)?.parent,
            _ => {
                let found = match naming {
                    Naming::Slashes => store.find_child(at, &key, &value)?,
                    Naming::X500 => x500::find_child(store, at, &key, &value)?,
                };
                match found {
                    Some(child) => child,
                    None if create => {
                        let properties: Properties = vec![(key, vec![value])];
                        store.create_child(at, &properties)?
                    }
                    None => return Err(StoreErrorKind::InvalidPath),
                }
            }
        };
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> (bool, Vec<(String, String)>) {
        let string = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        match parse(text.as_bytes(), Naming::Slashes).unwrap() {
            Way::Steps { absolute, steps } => {
                (absolute, steps.into_iter().map(|s| (string(s.key), string(s.value))).collect())
            }
            Way::Id(id) => panic!("id {id}"),
        }
    }

    fn is(key: &str, value: &str) -> (String, String) {
        (key.into(), value.into())
    }

    #[test]
    fn grammar() {
        assert_eq!(of("/"), (true, vec![]));
        assert_eq!(of("//users//ana/"), (true, vec![is("name", "users"), is("name", "ana")]));
        assert_eq!(of("ana"), (false, vec![is("name", "ana")]));
        assert_eq!(of("/a=b=c"), (true, vec![is("a=b", "c")]));
        assert_eq!(of("/=/x="), (true, vec![is("", ""), is("x", "")]));
        assert_eq!(of(r"/a\/b"), (true, vec![is("name", "a/b")]));
        assert_eq!(of(r"/a\\b"), (true, vec![is("name", r"a\b")]));
        assert_eq!(of(r"/a\\\b"), (true, vec![is("name", r"a\\b")]));
        assert_eq!(of(r"/a\"), (true, vec![is("name", "a")]));
    }

    #[test]
    fn ids() {
        assert_eq!(parse(b"17", Naming::Slashes), Ok(Way::Id(17)));
        assert_eq!(parse(b"", Naming::Slashes), Err(StoreErrorKind::InvalidRecordId));
        assert_eq!(parse(b"99999999999", Naming::X500), Err(StoreErrorKind::InvalidRecordId));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_path_or_not(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&text, Naming::Slashes);
            let _ = parse(&text, Naming::X500);
        }
    }
}

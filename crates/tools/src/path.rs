//! Directory paths as the historical client library reads them (administrative tools, directory paths). `nicl` has a
//! grammar of its own.

use netinfo_client::domain::ROOT;
use netinfo_client::{Domain, Error, Id, Property, Result, Status};

/// One step: to the first child that has `value` among the values of property `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// The steps of a path. Where it starts does not show.
pub(crate) fn steps(path: &[u8]) -> Vec<Step> {
    let leading = path.iter().take_while(|byte| **byte == b'/').count();
    let rest = path.get(leading..).unwrap_or_default();
    if rest.is_empty() {
        return Vec::new();
    }
    let mut components: Vec<&[u8]> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        if *byte == b'/' && !escaped(rest, at) {
            components.push(rest.get(start..at).unwrap_or_default());
            let slashes = rest.iter().skip(at).take_while(|byte| **byte == b'/').count();
            at += slashes;
            start = at;
        } else {
            at += 1;
        }
    }
    components.push(rest.get(start..).unwrap_or_default());
    components.into_iter().map(step).collect()
}

/// Whether the byte before is a backslash, whatever is before that.
fn escaped(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\\')
}

fn step(component: &[u8]) -> Step {
    let equal = (0..component.len()).find(|at| component.get(*at) == Some(&b'=') && !escaped(component, *at));
    match equal {
        Some(at) => Step {
            key: unescaped(component.get(..at).unwrap_or_default()),
            value: unescaped(component.get(at + 1..).unwrap_or_default()),
        },
        None => Step { key: b"name".to_vec(), value: unescaped(component) },
    }
}

/// Without backslashes; each makes the next byte literal.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        plain.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    plain
}

/// The directory at a path, from the root whether or not the path begins with a slash.
///
/// # Errors
/// [`Status::NoDir`] if a step has no hit; errors of a call.
pub(crate) fn resolve(domain: &mut Domain, path: &[u8]) -> Result<u32> {
    steps(path).iter().try_fold(ROOT, |at, step| domain.lookup_first(at, &step.key, &step.value))
}

/// The directory that niutil means: a path, or a number of an object, which must exist.
///
/// # Errors
/// As [`resolve`], and for a path that does not begin with a slash.
pub(crate) fn resolve_or_number(domain: &mut Domain, path: &[u8]) -> Result<u32> {
    if path.iter().all(u8::is_ascii_digit) {
        let number = if path.is_empty() { Some(ROOT) } else { number(path) };
        let object = number.ok_or(Error::Status(Status::NoDir))?;
        return Ok(domain.self_id(Id::new(object, 0))?.object);
    }
    if path.first() != Some(&b'/') {
        return Err(Error::Status(Status::NoDir));
    }
    resolve(domain, path)
}

/// A decimal object id.
fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Makes every missing directory on the way to `path`, from the root, and returns the last one.
///
/// # Errors
/// Errors of a call.
pub(crate) fn create(domain: &mut Domain, path: &[u8]) -> Result<u32> {
    let mut at = ROOT;
    for step in steps(path) {
        at = match domain.lookup_first(at, &step.key, &step.value) {
            Err(error) if error.is(Status::NoDir) => {
                domain.create_child(at, &[Property::new(&step.key, [&step.value])])?.id.object
            }
            found => found?,
        };
    }
    Ok(at)
}

/// Destroys everything below a directory, and the directory itself unless it is the root: the historical tools get
/// the root's children destroyed and are told [`Status::Stale`] for the root.
///
/// # Errors
/// As said; errors of a call.
pub(crate) fn destroy(domain: &mut Domain, object: u32) -> Result<()> {
    if object == ROOT {
        destroy_children(domain, object)?;
        return Err(Error::Status(Status::Stale));
    }
    domain.destroy_tree(object, |_| {}).map(drop)
}

/// Destroys everything below a directory, and leaves the directory.
///
/// # Errors
/// Errors of a call.
pub(crate) fn destroy_children(domain: &mut Domain, object: u32) -> Result<()> {
    for child in domain.children(object)?.0 {
        domain.destroy_tree(child, |_| {})?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(path: &str) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        steps(path.as_bytes()).into_iter().map(|s| (text(s.key), text(s.value))).collect()
    }

    fn is(key: &str, value: &str) -> (String, String) {
        (key.into(), value.into())
    }

    #[test]
    fn grammar() {
        assert_eq!(of("/"), []);
        assert_eq!(of(""), []);
        assert_eq!(of("//machines//alpha"), [is("name", "machines"), is("name", "alpha")]);
        assert_eq!(of("machines"), [is("name", "machines")]);
        assert_eq!(of("/machines/"), [is("name", "machines"), is("name", "")]);
        assert_eq!(of("/a/uid=77"), [is("name", "a"), is("uid", "77")]);
        assert_eq!(of("/a=b=c"), [is("a", "b=c")]);
        assert_eq!(of("/=x"), [is("", "x")]);
        assert_eq!(of(r"/users/sl\/ash"), [is("name", "users"), is("name", "sl/ash")]);
        assert_eq!(of(r"/a\=b"), [is("name", "a=b")]);
        assert_eq!(of(r"/a\\b"), [is("name", r"a\b")]);
        assert_eq!(of(r"/a\\/b"), [is("name", r"a\/b")]);
        assert_eq!(of("/a/.."), [is("name", "a"), is("name", "..")]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_path(path in proptest::collection::vec(any::<u8>(), 0..60)) {
            let steps = steps(&path);
            prop_assert!(steps.len() <= path.len());
        }
    }
}

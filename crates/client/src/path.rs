//! Paths inside a domain (NetInfo client library, path search).
//!
//! ```text
//! path      = "/" | ["/"] component *( "/" component )
//! component = value            child whose "name" has this value
//!           | key "=" value    child whose property has this value
//!           | "#" digits       the directory with this object id; as the first component only
//! ```
//!
//! A backslash makes the next character literal: `/mounts/host:\/export`. Paths are bytes, like everything in
//! NetInfo.

use std::fmt;

use crate::domain::{Domain, Id, ROOT};
use crate::error::Result;
use crate::limits::MAX_DEPTH;

/// Why bytes are not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path is empty.
    #[error("the path is empty")]
    Empty,
    /// A backslash at the end has nothing to make literal.
    #[error("the path ends in a lone backslash")]
    LoneBackslash,
    /// An object id is out of range.
    #[error("#{0} is not an object id")]
    BadId(String),
    /// The path names the root, or a directory by its id, where a new name is needed.
    #[error("{0} cannot be the name of a directory")]
    NoName(String),
}

/// One step of a path.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Component {
    /// To the first child whose property `key` has `value`.
    Match {
        /// Name of the property.
        key: Vec<u8>,
        /// One of its values.
        value: Vec<u8>,
    },
    /// To the directory with this object id, wherever it is.
    Object(u32),
}

/// The way to a directory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Path {
    absolute: bool,
    components: Vec<Component>,
}

impl Component {
    /// The child named `name`.
    pub fn name(name: impl Into<Vec<u8>>) -> Self {
        Self::Match { key: b"name".to_vec(), value: name.into() }
    }

    /// Appends the component with escapes; `first` says that it leads a path without a slash before it.
    fn format(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Object(object) => buf.extend_from_slice(format!("#{object}").as_bytes()),
            // An empty value written plainly would vanish between slashes.
            Self::Match { key, value } if key == b"name" && !value.is_empty() => {
                escape(value, b"=", buf);
            }
            Self::Match { key, value } => {
                escape(key, b"=", buf);
                buf.push(b'=');
                escape(value, b"", buf);
            }
        }
    }
}

/// Appends `text` with a backslash before each slash, backslash and byte of `also`, and before a leading `#`.
fn escape(text: &[u8], also: &[u8], buf: &mut Vec<u8>) {
    for (i, byte) in text.iter().enumerate() {
        let special = matches!(byte, b'/' | b'\\') || also.contains(byte) || (i == 0 && *byte == b'#');
        if special {
            buf.push(b'\\');
        }
        buf.push(*byte);
    }
}

impl Path {
    /// The root directory.
    pub const fn root() -> Self {
        Self { absolute: true, components: Vec::new() }
    }

    /// The directory with an object id.
    pub fn object(object: u32) -> Self {
        Self { absolute: true, components: vec![Component::Object(object)] }
    }

    /// Parses a path. Slashes at the end are ignored.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn parse(text: &[u8]) -> Result<Self, PathError> {
        let absolute = text.first().ok_or(PathError::Empty)? == &b'/';
        let mut components = Vec::new();
        let mut rest = text;
        loop {
            let slashes = rest.iter().take_while(|b| **b == b'/').count();
            rest = rest.get(slashes..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let first = components.is_empty();
            components.push(parse_component(&mut rest, first)?);
        }
        let absolute = absolute || matches!(components.first(), Some(Component::Object(_)));
        Ok(Self { absolute, components })
    }

    /// Whether the path starts at the root or at an object id, and not at some current directory.
    pub const fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// Whether this is the root directory itself.
    pub const fn is_root(&self) -> bool {
        self.absolute && self.components.is_empty()
    }

    /// The steps.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// `other` as seen from here: itself if it is absolute.
    pub fn join(&self, other: &Self) -> Self {
        if other.absolute {
            return other.clone();
        }
        let components = self.components.iter().chain(&other.components).cloned().collect();
        Self { absolute: self.absolute, components }
    }

    /// One step further.
    pub fn child(&self, component: Component) -> Self {
        let mut path = self.clone();
        path.components.push(component);
        path
    }

    /// The path without its last step, and that step; `None` for a path without steps.
    pub fn split_last(&self) -> Option<(Self, &Component)> {
        let (last, before) = self.components.split_last()?;
        Some((Self { absolute: self.absolute, components: before.to_vec() }, last))
    }

    /// The path with escapes, such that parsing it gives the same path.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut buf = Vec::new();
        let starts_at_id = matches!(self.components.first(), Some(Component::Object(_)));
        for (i, component) in self.components.iter().enumerate() {
            if i > 0 || (self.absolute && !starts_at_id) {
                buf.push(b'/');
            }
            component.format(&mut buf);
        }
        if buf.is_empty() {
            buf.push(if self.absolute { b'/' } else { b'.' });
        }
        buf
    }
}

/// Takes one component from the front of `rest`, up to an unescaped slash.
fn parse_component(rest: &mut &[u8], first: bool) -> Result<Component, PathError> {
    let mut key: Option<Vec<u8>> = None;
    let mut text = Vec::new();
    let mut escaped = false;
    let mut end = rest.len();
    let mut bytes = rest.iter().enumerate();
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                let (_, literal) = bytes.next().ok_or(PathError::LoneBackslash)?;
                text.push(*literal);
                escaped = true;
            }
            b'/' => {
                end = i;
                break;
            }
            b'=' if key.is_none() => key = Some(std::mem::take(&mut text)),
            _ => text.push(*byte),
        }
    }
    *rest = rest.get(end..).unwrap_or_default();
    if let (None, true, false, [b'#', digits @ ..]) = (&key, first, escaped, text.as_slice())
        && !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
    {
        let digits = String::from_utf8_lossy(digits).into_owned();
        return digits.parse().map(Component::Object).map_err(|_| PathError::BadId(digits));
    }
    Ok(Component::Match { key: key.unwrap_or_else(|| b"name".to_vec()), value: text })
}

impl fmt::Display for Path {
    /// For messages: bytes that are not printable text are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.to_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buf = Vec::new();
        self.format(&mut buf);
        write!(f, "{}", buf.escape_ascii())
    }
}

impl Domain {
    /// The object id of the directory at `path`, from the root if the path is relative.
    ///
    /// # Errors
    /// [`Status::NoDir`](crate::Status::NoDir) if a step has no hit; errors of a call.
    pub fn resolve(&mut self, path: &Path) -> Result<u32> {
        self.resolve_from(ROOT, path)
    }

    /// The object id of the directory at `path`, from directory `start` if the path is relative. Each step goes to
    /// the first hit.
    ///
    /// # Errors
    /// As [`Domain::resolve`].
    pub fn resolve_from(&mut self, start: u32, path: &Path) -> Result<u32> {
        let mut object = if path.absolute { ROOT } else { start };
        for component in &path.components {
            object = match component {
                Component::Match { key, value } => self.lookup_first(object, key, value)?,
                Component::Object(id) => self.self_id(Id::new(*id, 0))?.object,
            };
        }
        Ok(object)
    }

    /// The path of a directory: each step by `name`, or by object id where an ancestor has none.
    ///
    /// # Errors
    /// [`Status::NoDir`](crate::Status::NoDir) for an unknown object; errors of a call.
    pub fn path_of(&mut self, object: u32) -> Result<Path> {
        let mut components = Vec::new();
        let mut at = object;
        while at != ROOT {
            if components.len() == MAX_DEPTH {
                return Err(crate::Error::TooDeep);
            }
            let (_, properties) = self.read(at)?;
            let name =
                properties.into_iter().find(|p| p.name == b"name").and_then(|p| p.values.into_iter().next());
            let Some(name) = name else {
                components.push(Component::Object(at));
                break;
            };
            components.push(Component::name(name));
            at = self.parent(at)?.0;
        }
        components.reverse();
        Ok(Path { absolute: true, components })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Path {
        Path::parse(text.as_bytes()).unwrap()
    }

    fn is(key: &str, value: &str) -> Component {
        Component::Match { key: key.into(), value: value.into() }
    }

    #[test]
    fn grammar() {
        assert!(parse("/").is_root());
        assert!(parse("///").is_root());
        assert_eq!(parse("/users/alice").components(), [is("name", "users"), is("name", "alice")]);
        assert_eq!(parse("users//alice///").components(), parse("/users/alice").components());
        assert!(!parse("users").is_absolute());
        assert_eq!(parse("/users/uid=501").components(), [is("name", "users"), is("uid", "501")]);
        assert_eq!(parse("/a=b=c").components(), [is("a", "b=c")]);
        assert_eq!(parse("/=x").components(), [is("", "x")]);
        assert_eq!(parse("/name=").components(), [is("name", "")]);
        assert_eq!(
            parse(r"/mounts/host:\/export").components(),
            [is("name", "mounts"), is("name", "host:/export")]
        );
        assert_eq!(parse(r"/a\=b").components(), [is("name", "a=b")]);
        assert_eq!(parse(r"/a\\/b").components(), [is("name", r"a\"), is("name", "b")]);
        assert_eq!(parse("/a/b=c/d").components(), [is("name", "a"), is("b", "c"), is("name", "d")]);
    }

    #[test]
    fn object_ids() {
        assert_eq!(parse("#57").components(), [Component::Object(57)]);
        assert!(parse("#57").is_absolute());
        assert_eq!(parse("/#57/x").components(), [Component::Object(57), is("name", "x")]);
        assert_eq!(parse(r"/\#57").components(), [is("name", "#57")]);
        assert_eq!(parse("/a/#57").components(), [is("name", "a"), is("name", "#57")]);
        assert_eq!(parse("/#x").components(), [is("name", "#x")]);
        assert_eq!(parse("/#").components(), [is("name", "#")]);
        assert_eq!(Path::parse(b"#4294967296"), Err(PathError::BadId("4294967296".into())));
    }

    #[test]
    fn refused() {
        assert_eq!(Path::parse(b""), Err(PathError::Empty));
        assert_eq!(Path::parse(br"/a\"), Err(PathError::LoneBackslash));
    }

    #[test]
    fn formatting() {
        for text in
            ["/", "/users/alice", "/users/uid=501", r"/mounts/host:\/export", "#57", "#57/x", "a/b", "/name="]
        {
            assert_eq!(parse(text).to_string(), text);
        }
        assert_eq!(Path::root().child(Component::name("#5")).to_string(), r"/\#5");
        assert_eq!(Path::parse(b"/a\x1b\xff").unwrap().to_string(), r"/a\u{1b}\xff");
    }

    #[test]
    fn joining_and_splitting() {
        let users = parse("/users");
        assert_eq!(users.join(&parse("alice")).to_string(), "/users/alice");
        assert_eq!(users.join(&parse("/groups")).to_string(), "/groups");
        let alice = parse("/users/alice");
        let (parent, last) = alice.split_last().unwrap();
        assert_eq!((parent, last), (users, &is("name", "alice")));
        assert!(Path::root().split_last().is_none());
    }

    fn component() -> impl Strategy<Value = Component> {
        let bytes = || {
            proptest::collection::vec(
                prop_oneof![Just(b'/'), Just(b'\\'), Just(b'='), Just(b'#'), Just(b'7'), any::<u8>()],
                0..6,
            )
        };
        (prop_oneof![Just(b"name".to_vec()), bytes()], bytes())
            .prop_map(|(key, value)| Component::Match { key, value })
    }

    proptest! {
        #[test]
        fn round_trip(absolute: bool, start in proptest::option::of(any::<u32>()), steps in proptest::collection::vec(component(), 1..4)) {
            let components: Vec<_> = start.map(Component::Object).into_iter().chain(steps).collect();
            let path = Path { absolute: absolute || start.is_some(), components };
            prop_assert_eq!(Path::parse(&path.to_bytes()), Ok(path));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(path) = Path::parse(&bytes) {
                let _ = path.to_string();
            }
        }
    }
}

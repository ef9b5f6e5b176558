//! The words of the data model: identifiers and properties.

use std::fmt;

/// Object id of the root directory.
pub const ROOT: u32 = 0;

/// Identity of a directory at a moment: its object id and its instance number.
///
/// The instance grows by one (wrapping) with every successful write to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// Object id, unique in the domain; reused after the directory is destroyed.
    pub object: u32,
    /// Instance number.
    pub instance: u32,
}

/// A directory to be written, with or without a check of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Object id.
    pub object: u32,
    /// Instance the caller believes to be current; `None` writes whatever is there.
    pub instance: Option<u32>,
}

impl From<Id> for Target {
    fn from(id: Id) -> Self {
        Self { object: id.object, instance: Some(id.instance) }
    }
}

impl Target {
    /// The directory `object`, whatever its instance.
    #[must_use]
    pub fn any(object: u32) -> Self {
        Self { object, instance: None }
    }
}

/// A property: a name and an ordered list of values, all byte strings.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Property {
    /// Name. Several properties of one directory may bear the same name.
    pub name: Vec<u8>,
    /// Values, in order, repetitions allowed.
    pub values: Vec<Vec<u8>>,
}

impl Property {
    /// A property from anything that can be seen as bytes.
    pub fn new<N, V>(name: N, values: impl IntoIterator<Item = V>) -> Self
    where
        N: Into<Vec<u8>>,
        V: Into<Vec<u8>>,
    {
        Self { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

impl fmt::Debug for Property {
    /// Values of secret properties are never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = String::from_utf8_lossy(&self.name);
        if is_secret(&self.name) {
            return write!(f, "{name}: <{} secret>", self.values.len());
        }
        write!(f, "{name}: [")?;
        for (i, value) in self.values.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{:?}", String::from_utf8_lossy(value))?;
        }
        write!(f, "]")
    }
}

/// A form in which a directory is sent, for remembering it ([`View::rendering`](crate::View::rendering)): two that differ in
/// anything but the directory itself are different forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form([u32; 2]);

impl Form {
    /// The form of [`View::render`](crate::View::render).
    pub const PLAIN: Self = Self([0; 2]);

    /// The form with this number, which nobody may be able to choose: best it is a hash, with a secret key, of all that makes
    /// the form what it is.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self([(number >> 32) as u32, number as u32])
    }
}

/// Names of the properties whose values are password material.
///
/// Wherever in the tree they stand, their values are kept in the secrets table, never in a record.
pub const SECRET_PROPERTIES: [&[u8]; 5] =
    [b"passwd", b"_shadow_passwd", b"net_passwd", b"_app_passwords", b"_admin_passwd"];

/// What a reader who is not entitled sees in place of each secret value, and what a writer sends back
/// to keep the value that is there.
pub const MASK: &[u8] = b"********";

/// Whether values of a property of this name are password material.
#[must_use]
pub fn is_secret(name: &[u8]) -> bool {
    SECRET_PROPERTIES.contains(&name)
}

/// Longest name or value, in bytes (the protocol's limit for a string).
pub const NAME_LIMIT: usize = 65_535;
/// Most properties of one directory, and most values of one property.
pub const LIST_LIMIT: usize = 65_535;
/// Largest record, in bytes: all names and values of one directory.
pub const RECORD_LIMIT: usize = 64 << 20;

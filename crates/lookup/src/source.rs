//! What a look-up asks: anything that can say which records of a table have a value.

use std::ops::{ControlFlow, Deref};

use netinfo_directory::{Property, RecordRef, Values};
use netinfo_wire::lookup::Category;

/// The directories below the root in which entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the directory of the same name")]
pub enum Table {
    Users,
    Groups,
    Machines,
    Networks,
    Services,
    Protocols,
    Rpcs,
    Aliases,
    Netdomains,
    Netgroups,
    Mounts,
    Printers,
}

impl Table {
    /// How many there are.
    pub(crate) const COUNT: usize = 12;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Users,
        Self::Groups,
        Self::Machines,
        Self::Networks,
        Self::Services,
        Self::Protocols,
        Self::Rpcs,
        Self::Aliases,
        Self::Netdomains,
        Self::Netgroups,
        Self::Mounts,
        Self::Printers,
    ];

    /// The table in the directory of this name.
    #[must_use]
    pub fn of_directory(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.directory().as_bytes() == name)
    }

    /// Where entries of a category come from. Netgroups come from several tables; theirs is that of their own records.
    #[must_use]
    pub const fn of_category(category: Category) -> Self {
        match category {
            Category::Passwd | Category::Shadow => Self::Users,
            Category::Group => Self::Groups,
            Category::Host | Category::Ether => Self::Machines,
            Category::Network => Self::Networks,
            Category::Service => Self::Services,
            Category::Protocol => Self::Protocols,
            Category::Rpc => Self::Rpcs,
            Category::Alias => Self::Aliases,
            Category::Netgroup => Self::Netgroups,
        }
    }

    /// Name of the directory.
    #[must_use]
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Machines => "machines",
            Self::Networks => "networks",
            Self::Services => "services",
            Self::Protocols => "protocols",
            Self::Rpcs => "rpcs",
            Self::Aliases => "aliases",
            Self::Netdomains => "netdomains",
            Self::Netgroups => "netgroups",
            Self::Mounts => "mounts",
            Self::Printers => "printers",
        }
    }
}

/// Properties by which look-ups look: sources find records by them without looking at all.
pub const INDEXED: [&[u8]; 10] = [
    b"name",
    b"uid",
    b"gid",
    b"users",
    b"number",
    b"port",
    b"address",
    b"ip_address",
    b"ipv6_address",
    b"en_address",
];

/// A source could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// One of the places where records are looked for. Passwords are in its records only if it says so.
pub trait Source {
    /// Its name for people, such as the tag of a domain.
    fn name(&self) -> &str;

    /// Whether its records show password material; otherwise those values are masked.
    fn shows_secrets(&self) -> bool;

    /// Whether it is asked about `table` at all. Where it is not, it is as if it were not there: the nearest source of a
    /// table is the first that covers it.
    fn covers(&self, table: Table) -> bool {
        let _ = table;
        true
    }

    /// Whether `shadow` is answered from its users. Where it is not, they hide users farther away all the same.
    fn has_shadow(&self) -> bool {
        true
    }

    /// Hands out, in their order, the records of `table` whose first property `key` has `value` among its values, until
    /// `each` has enough.
    ///
    /// # Errors
    /// [`Unavailable`] if it cannot be found out.
    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable>;

    /// Hands out the records of `table` in their order from the place `from` on (0 is the beginning), each with its place,
    /// until `each` has enough.
    ///
    /// # Errors
    /// [`Unavailable`] if they cannot be read.
    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable>;
}

/// Whatever leads to a source: a reference, a box.
impl<P: Deref<Target: Source>> Source for P {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn shows_secrets(&self) -> bool {
        (**self).shows_secrets()
    }

    fn covers(&self, table: Table) -> bool {
        (**self).covers(table)
    }

    fn has_shadow(&self) -> bool {
        (**self).has_shadow()
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        (**self).find(table, key, value, each)
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        (**self).list(table, from, each)
    }
}

/// A record of a source.
#[derive(Clone, Copy)]
pub enum Record<'a> {
    /// A directory of a domain on this node.
    Stored(RecordRef<'a>),
    /// A record from elsewhere.
    Listed {
        /// What tells it from others of the same table.
        id: u64,
        /// Its properties.
        properties: &'a [Property],
    },
}

impl<'a> Record<'a> {
    /// What tells it from others of the same table.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Stored(record) => u64::from(record.id().object),
            Self::Listed { id, .. } => *id,
        }
    }

    /// The values of the first property `key`; none if there is no such property.
    #[must_use]
    pub fn values(&self, key: &[u8]) -> ValuesOf<'a> {
        let none = ValuesOf::Listed(<&[Vec<u8>]>::default().iter());
        let found = match self {
            Self::Stored(record) => record.property(key).map(|p| ValuesOf::Stored(p.values)),
            Self::Listed { properties, .. } => {
                properties.iter().find(|p| p.name == key).map(|p| ValuesOf::Listed(p.values.iter()))
            }
        };
        found.unwrap_or(none)
    }

    /// The first value of the first property `key`.
    #[must_use]
    pub fn first(&self, key: &[u8]) -> Option<&'a [u8]> {
        self.values(key).next()
    }

    /// All properties, in order.
    pub fn properties(&self) -> impl Iterator<Item = (&'a [u8], ValuesOf<'a>)> + use<'a> {
        let (stored, listed) = match *self {
            Self::Stored(record) => (Some(record.properties()), None),
            Self::Listed { properties, .. } => (None, Some(properties.iter())),
        };
        let stored = stored.into_iter().flatten().map(|p| (p.name, ValuesOf::Stored(p.values)));
        let listed =
            listed.into_iter().flatten().map(|p| (p.name.as_slice(), ValuesOf::Listed(p.values.iter())));
        stored.chain(listed)
    }
}

/// Iterator over the values of a property.
#[derive(Clone)]
pub enum ValuesOf<'a> {
    /// Of a [`Record::Stored`].
    Stored(Values<'a>),
    /// Of a [`Record::Listed`].
    Listed(std::slice::Iter<'a, Vec<u8>>),
}

impl<'a> Iterator for ValuesOf<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Self::Stored(values) => values.next(),
            Self::Listed(values) => values.next().map(Vec::as_slice),
        }
    }
}

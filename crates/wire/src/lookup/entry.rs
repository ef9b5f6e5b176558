//! Typed entries: one for each category, with the fields that the C library has for it.

use std::fmt;

use super::list::List;
use super::{Category, MAX_ENTRY, MAX_STRING};
use crate::redact::{Hidden, Text};
use crate::xdr::{Error, Reader, put_bool, put_opaque, put_opaque_fixed, put_u32, put_u64};

/// Bytes of an IPv4 address.
const V4: usize = 4;
/// Bytes of an IPv6 address.
const V6: usize = 16;
/// Bytes of an Ethernet address.
const MAC: usize = 6;

/// A field of an entry: how it is read, appended and shown.
trait Field<'a>: Sized {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error>;
    fn put(&self, buf: &mut Vec<u8>);
    fn show(&self) -> &dyn fmt::Debug;
}

impl<'a> Field<'a> for &'a [u8] {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        r.opaque(MAX_STRING)
    }
    fn put(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.get(..MAX_STRING as usize).unwrap_or(self));
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

impl Field<'_> for u32 {
    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.u32()
    }
    fn put(&self, buf: &mut Vec<u8>) {
        put_u32(buf, *self);
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

impl Field<'_> for u16 {
    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        let word = r.u32()?;
        Self::try_from(word).map_err(|_| Error::BadValue(word))
    }
    fn put(&self, buf: &mut Vec<u8>) {
        put_u32(buf, u32::from(*self));
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

impl Field<'_> for i64 {
    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(r.u64()?.cast_signed())
    }
    fn put(&self, buf: &mut Vec<u8>) {
        put_u64(buf, self.cast_unsigned());
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

impl Field<'_> for bool {
    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.bool()
    }
    fn put(&self, buf: &mut Vec<u8>) {
        put_bool(buf, *self);
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

impl Field<'_> for [u8; MAC] {
    fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.opaque_fixed(MAC)?.try_into().map_err(|_| Error::Truncated)
    }
    fn put(&self, buf: &mut Vec<u8>) {
        put_opaque_fixed(buf, self);
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

impl<'a> Field<'a> for List<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Self::read(r)
    }
    fn put(&self, buf: &mut Vec<u8>) {
        self.encode(buf);
    }
    fn show(&self) -> &dyn fmt::Debug {
        self
    }
}

/// Declares an entry: its fields in their order on the wire, and how `Debug` shows them.
macro_rules! entry {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $ty:ty = $how:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$doc])* pub $field: $ty,)*
        }

        impl<'a> $name<'a> {
            fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
                Ok(Self { $($field: Field::read(r)?,)* })
            }

            fn put(&self, buf: &mut Vec<u8>) {
                $(self.$field.put(buf);)*
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), entry!(@$how self.$field)))*
                    .finish()
            }
        }
    };
    (@text $value:expr) => { &Text($value) };
    (@hidden $value:expr) => { &Hidden($value) };
    (@shown $value:expr) => { $value.show() };
}

entry! {
    /// A user (`struct passwd`).
    Passwd {
        /// Login name.
        name: &'a [u8] = text,
        /// `x`, or `*` if nobody can log in by password; never a hash.
        passwd: &'a [u8] = text,
        /// User id.
        uid: u32 = shown,
        /// Id of the primary group.
        gid: u32 = shown,
        /// The person's name.
        gecos: &'a [u8] = text,
        /// Home directory.
        home: &'a [u8] = text,
        /// Login shell.
        shell: &'a [u8] = text,
    }
}

entry! {
    /// Password material of a user (`struct spwd`). `Debug` does not show the hash. Days are counted from 1 January
    /// 1970; −1 means "not set".
    Shadow {
        /// Login name.
        name: &'a [u8] = text,
        /// The hash in the notation of crypt(3), `*` if no password opens the account, empty if it needs none.
        passwd: &'a [u8] = hidden,
        /// Day of the last change of the password.
        last_change: i64 = shown,
        /// Days that a password must be kept.
        min: i64 = shown,
        /// Days after which a password must be changed.
        max: i64 = shown,
        /// Days before that on which the user is warned.
        warn: i64 = shown,
        /// Days after that on which the account is closed.
        inactive: i64 = shown,
        /// Day on which the account is closed.
        expire: i64 = shown,
    }
}

entry! {
    /// A group (`struct group`).
    Group {
        /// Name.
        name: &'a [u8] = text,
        /// `x` or `*`; never a hash.
        passwd: &'a [u8] = text,
        /// Group id.
        gid: u32 = shown,
        /// Login names of the members.
        members: List<'a> = shown,
    }
}

entry! {
    /// A host (`struct hostent`), with its addresses of both families.
    Host {
        /// Name.
        name: &'a [u8] = text,
        /// Other names.
        aliases: List<'a> = shown,
        /// Addresses of 4 or 16 bytes, in network order.
        addresses: List<'a> = shown,
    }
}

entry! {
    /// A network (`struct netent`).
    Network {
        /// Name.
        name: &'a [u8] = text,
        /// Other names.
        aliases: List<'a> = shown,
        /// Network number in host order, with the parts that are not written as zeros, as the C library's own files have it:
        /// 0x0a000000 for the network `10`, 0xac100000 for `172.16`.
        number: u32 = shown,
    }
}

entry! {
    /// A service with one of its protocols (`struct servent`).
    Service {
        /// Name.
        name: &'a [u8] = text,
        /// Other names.
        aliases: List<'a> = shown,
        /// Port, in host order.
        port: u16 = shown,
        /// Protocol, such as `tcp`.
        protocol: &'a [u8] = text,
    }
}

entry! {
    /// A protocol (`struct protoent`).
    Protocol {
        /// Name.
        name: &'a [u8] = text,
        /// Other names.
        aliases: List<'a> = shown,
        /// Protocol number.
        number: u32 = shown,
    }
}

entry! {
    /// An ONC RPC program (`struct rpcent`).
    Rpc {
        /// Name.
        name: &'a [u8] = text,
        /// Other names.
        aliases: List<'a> = shown,
        /// Program number.
        number: u32 = shown,
    }
}

entry! {
    /// The Ethernet address of a host (`struct etherent`).
    Ether {
        /// Name of the host.
        name: &'a [u8] = text,
        /// The address.
        address: [u8; MAC] = shown,
    }
}

entry! {
    /// A mail alias (`struct aliasent`).
    Alias {
        /// Name.
        name: &'a [u8] = text,
        /// Where mail goes, as stored.
        members: List<'a> = shown,
        /// Whether the alias is for this host only: it is in the domain of the machine.
        local: bool = shown,
    }
}

entry! {
    /// A netgroup with all that the groups in it hold.
    Netgroup {
        /// Name.
        name: &'a [u8] = text,
        /// Host, user and domain of each triple, three strings each; see [`Netgroup::iter`].
        triples: List<'a> = shown,
    }
}

/// A member of a netgroup. An empty field stands for anything, `-` for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triple<'a> {
    /// Host name.
    pub host: &'a [u8],
    /// Login name.
    pub user: &'a [u8],
    /// Name of an NIS domain.
    pub domain: &'a [u8],
}

impl<'a> Netgroup<'a> {
    /// The triples, in order.
    pub fn iter(&self) -> impl Iterator<Item = Triple<'a>> + use<'a> {
        let mut strings = self.triples.iter();
        std::iter::from_fn(move || {
            Some(Triple { host: strings.next()?, user: strings.next()?, domain: strings.next()? })
        })
    }
}

/// An entry of any category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant holds the entry of the category of the same name")]
pub enum Entry<'a> {
    Passwd(Passwd<'a>),
    Shadow(Shadow<'a>),
    Group(Group<'a>),
    Host(Host<'a>),
    Network(Network<'a>),
    Service(Service<'a>),
    Protocol(Protocol<'a>),
    Rpc(Rpc<'a>),
    Ether(Ether<'a>),
    Alias(Alias<'a>),
    Netgroup(Netgroup<'a>),
}

/// Does the same for the entry of each category.
macro_rules! each {
    ($entry:expr, $inner:ident => $do:expr) => {
        match $entry {
            Entry::Passwd($inner) => $do,
            Entry::Shadow($inner) => $do,
            Entry::Group($inner) => $do,
            Entry::Host($inner) => $do,
            Entry::Network($inner) => $do,
            Entry::Service($inner) => $do,
            Entry::Protocol($inner) => $do,
            Entry::Rpc($inner) => $do,
            Entry::Ether($inner) => $do,
            Entry::Alias($inner) => $do,
            Entry::Netgroup($inner) => $do,
        }
    };
}

impl<'a> Entry<'a> {
    /// Its category.
    pub const fn category(&self) -> Category {
        match self {
            Self::Passwd(_) => Category::Passwd,
            Self::Shadow(_) => Category::Shadow,
            Self::Group(_) => Category::Group,
            Self::Host(_) => Category::Host,
            Self::Network(_) => Category::Network,
            Self::Service(_) => Category::Service,
            Self::Protocol(_) => Category::Protocol,
            Self::Rpc(_) => Category::Rpc,
            Self::Ether(_) => Category::Ether,
            Self::Alias(_) => Category::Alias,
            Self::Netgroup(_) => Category::Netgroup,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'a [u8] {
        each!(self, entry => entry.name)
    }

    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Truncated`]; [`Error::BadValue`] for a category, a port, the length of an address
    /// or a number of strings in triples that cannot be.
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let entry = match Category::try_from(r.u32()?)? {
            Category::Passwd => Self::Passwd(Passwd::read(r)?),
            Category::Shadow => Self::Shadow(Shadow::read(r)?),
            Category::Group => Self::Group(Group::read(r)?),
            Category::Host => Self::Host(Host::read(r)?),
            Category::Network => Self::Network(Network::read(r)?),
            Category::Service => Self::Service(Service::read(r)?),
            Category::Protocol => Self::Protocol(Protocol::read(r)?),
            Category::Rpc => Self::Rpc(Rpc::read(r)?),
            Category::Ether => Self::Ether(Ether::read(r)?),
            Category::Alias => Self::Alias(Alias::read(r)?),
            Category::Netgroup => Self::Netgroup(Netgroup::read(r)?),
        };
        entry.check()
    }

    /// What lengths must be, beyond what the types of fields say.
    fn check(self) -> Result<Self, Error> {
        let bad = |len: usize| Error::BadValue(u32::try_from(len).unwrap_or(u32::MAX));
        match &self {
            Self::Host(host) => {
                if let Some(address) = host.addresses.iter().find(|a| !matches!(a.len(), V4 | V6)) {
                    return Err(bad(address.len()));
                }
            }
            Self::Netgroup(group) if group.triples.len() % 3 != 0 => return Err(bad(group.triples.len())),
            _ => {}
        }
        Ok(self)
    }

    /// Appends the entry. Strings are cut at [`MAX_STRING`].
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.category().code());
        each!(self, entry => entry.put(buf));
    }
}

/// An entry with its memory: the bytes it has on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryBuf {
    bytes: Vec<u8>,
}

impl EntryBuf {
    /// Keeps an entry; `None` if it is longer than [`MAX_ENTRY`] or is none that could be decoded.
    pub fn new(entry: &Entry<'_>) -> Option<Self> {
        let mut bytes = Vec::with_capacity(128);
        entry.check().ok()?.encode(&mut bytes);
        (bytes.len() <= MAX_ENTRY).then_some(Self { bytes })
    }

    /// The entry.
    ///
    /// # Panics
    /// Never: [`EntryBuf::new`] keeps only what can be decoded.
    pub fn as_entry(&self) -> Entry<'_> {
        Entry::read(&mut Reader::new(&self.bytes)).expect("an entry that was encoded can be decoded")
    }

    /// Its bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for EntryBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_entry().fmt(f)
    }
}

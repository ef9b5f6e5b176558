//! Arguments of the procedures. Servers `decode` them, borrowing; clients `encode` them. Bytes after
//! the arguments are ignored: historical clients send some.

use std::fmt;
use std::net::Ipv4Addr;

use super::{Id, NameList, PropList, name, put_bool, put_id, put_name};
use crate::redact::Hidden;
use crate::xdr::{Error, Reader, put_u32};

/// Declares one argument struct with its fields in wire order, and both directions of its codec.
macro_rules! args {
    ($(#[$doc:meta])* $name:ident $(<$lt:lifetime>)? {
        $($(#[$fdoc:meta])* $field:ident: $ty:ty = $read:expr, $put:expr;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name $(<$lt>)? { $($(#[$fdoc])* pub $field: $ty,)* }

        impl<'a> fmt::Debug for $name $(<$lt>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field.shown()))*.finish()
            }
        }

        impl<'a> $name $(<$lt>)? {
            /// Decodes the arguments; bytes after them are ignored.
            ///
            /// # Errors
            /// [`Error::Truncated`] or [`Error::TooLong`]: the call is answered with `GARBAGE_ARGS`.
            pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
                let mut r = Reader::new(args);
                Ok(Self { $($field: $read(&mut r)?,)* })
            }

            /// Appends the arguments.
            pub fn encode(&self, buf: &mut Vec<u8>) {
                $($put(buf, self.$field);)*
            }
        }
    };
}

/// What `Debug` shows of a field: numbers, but not strings, which may be values.
trait Shown {
    fn shown(&self) -> impl fmt::Debug;
}

impl Shown for &[u8] {
    fn shown(&self) -> impl fmt::Debug {
        Hidden(self)
    }
}

macro_rules! shown_as_it_is {
    ($($ty:ty),*) => { $(
        impl Shown for $ty {
            fn shown(&self) -> impl fmt::Debug {
                self
            }
        }
    )* };
}

shown_as_it_is!(Id, Option<Id>, u32, Ipv4Addr, NameList<'_>, PropList<'_>);

fn put_list(buf: &mut Vec<u8>, list: NameList<'_>) {
    list.encode(buf);
}

fn put_props(buf: &mut Vec<u8>, list: PropList<'_>) {
    list.encode(buf);
}

fn optional_id(r: &mut Reader<'_>) -> Result<Option<Id>, Error> {
    r.bool()?.then(|| Id::read(r)).transpose()
}

fn put_optional_id(buf: &mut Vec<u8>, id: Option<Id>) {
    put_bool(buf, id.is_some());
    if let Some(id) = id {
        put_id(buf, id);
    }
}

fn addr(r: &mut Reader<'_>) -> Result<Ipv4Addr, Error> {
    Ok(Ipv4Addr::from(r.u32()?))
}

fn put_addr(buf: &mut Vec<u8>, addr: Ipv4Addr) {
    put_u32(buf, addr.into());
}

args! {
    /// CREATE.
    CreateArgs<'a> {
        /// Directory that gets a new child; its instance must be current.
        parent: Id = Id::read, put_id;
        /// Properties of the child.
        props: PropList<'a> = PropList::read, put_props;
        /// Position among the children; at or above their number means the end.
        position: u32 = Reader::u32, put_u32;
        /// Id the child must get, given when a master replays the call to a clone.
        target: Option<Id> = optional_id, put_optional_id;
    }
}

args! {
    /// DESTROY.
    DestroyArgs {
        /// The parent; its instance must be current.
        parent: Id = Id::read, put_id;
        /// The directory to destroy; its instance must be current.
        id: Id = Id::read, put_id;
    }
}

args! {
    /// WRITE: replaces all properties of a directory.
    PropListArgs<'a> {
        /// The directory; its instance must be current.
        id: Id = Id::read, put_id;
        /// Its new properties.
        props: PropList<'a> = PropList::read, put_props;
    }
}

args! {
    /// LOOKUP and LOOKUPREAD.
    LookupArgs<'a> {
        /// The directory whose children are searched.
        id: Id = Id::read, put_id;
        /// Property name.
        key: &'a [u8] = name, put_name;
        /// Property value.
        value: &'a [u8] = name, put_name;
    }
}

args! {
    /// LIST.
    NameArgs<'a> {
        /// The directory whose children are listed.
        id: Id = Id::read, put_id;
        /// Property name.
        name: &'a [u8] = name, put_name;
    }
}

args! {
    /// CREATEPROP.
    CreatePropArgs<'a> {
        /// The directory; its instance must be current.
        id: Id = Id::read, put_id;
        /// Name of the new property.
        name: &'a [u8] = name, put_name;
        /// Its values.
        values: NameList<'a> = NameList::read, put_list;
        /// Position among the properties; at or above their number means the end.
        position: u32 = Reader::u32, put_u32;
    }
}

args! {
    /// DESTROYPROP and READPROP.
    PropArgs {
        /// The directory.
        id: Id = Id::read, put_id;
        /// Index of the property.
        prop_index: u32 = Reader::u32, put_u32;
    }
}

args! {
    /// WRITEPROP.
    WritePropArgs<'a> {
        /// The directory; its instance must be current.
        id: Id = Id::read, put_id;
        /// Index of the property.
        prop_index: u32 = Reader::u32, put_u32;
        /// Its new values.
        values: NameList<'a> = NameList::read, put_list;
    }
}

args! {
    /// RENAMEPROP.
    PropNameArgs<'a> {
        /// The directory; its instance must be current.
        id: Id = Id::read, put_id;
        /// Index of the property.
        prop_index: u32 = Reader::u32, put_u32;
        /// Its new name.
        name: &'a [u8] = name, put_name;
    }
}

args! {
    /// CREATENAME.
    CreateNameArgs<'a> {
        /// The directory; its instance must be current.
        id: Id = Id::read, put_id;
        /// Index of the property.
        prop_index: u32 = Reader::u32, put_u32;
        /// The new value.
        name: &'a [u8] = name, put_name;
        /// Position among the values; at or above their number means the end.
        position: u32 = Reader::u32, put_u32;
    }
}

args! {
    /// DESTROYNAME and READNAME.
    NameIndexArgs {
        /// The directory.
        id: Id = Id::read, put_id;
        /// Index of the property.
        prop_index: u32 = Reader::u32, put_u32;
        /// Index of the value.
        name_index: u32 = Reader::u32, put_u32;
    }
}

args! {
    /// WRITENAME.
    WriteNameArgs<'a> {
        /// The directory; its instance must be current.
        id: Id = Id::read, put_id;
        /// Index of the property.
        prop_index: u32 = Reader::u32, put_u32;
        /// Index of the value.
        name_index: u32 = Reader::u32, put_u32;
        /// The new value.
        name: &'a [u8] = name, put_name;
    }
}

args! {
    /// BIND, and the body of an RPARENT result: a domain at an address.
    Binding<'a> {
        /// Tag of the domain.
        tag: &'a [u8] = name, put_name;
        /// IPv4 address of the host.
        addr: Ipv4Addr = addr, put_addr;
    }
}

//! The 29 procedures (NetInfo protocol, procedures).

use crate::xdr::Error;

macro_rules! procedures {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// A procedure of program 200100000 version 2.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Procedure { $($(#[$doc])* $variant = $number,)* }

        impl Procedure {
            /// All procedures, in the order of their numbers.
            pub const ALL: [Self; 29] = [$(Self::$variant,)*];

            /// The name under which STATISTICS counts the procedure.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

procedures! {
    /// Nothing; allowed over UDP.
    Ping = 0 "ping",
    /// void → property list of counters, without a status.
    Statistics = 1 "statistics",
    /// void → id of the root directory.
    Root = 2 "root",
    /// id → the same object's current id.
    SelfId = 3 "self",
    /// id → object id of the parent.
    Parent = 4 "parent",
    /// Creates a directory.
    Create = 5 "create",
    /// Destroys a directory without children.
    Destroy = 6 "destroy",
    /// id → property list.
    Read = 7 "read",
    /// Replaces all properties.
    Write = 8 "write",
    /// id → object ids of the children.
    Children = 9 "children",
    /// key and value → object ids of matching children.
    Lookup = 10 "lookup",
    /// key → that property of all children.
    List = 11 "list",
    /// Inserts a property.
    CreateProp = 12 "createprop",
    /// Removes a property.
    DestroyProp = 13 "destroyprop",
    /// Property index → its values.
    ReadProp = 14 "readprop",
    /// Replaces the values of a property.
    WriteProp = 15 "writeprop",
    /// Renames a property.
    RenameProp = 16 "renameprop",
    /// id → names of the properties.
    ListProps = 17 "listprops",
    /// Inserts a value.
    CreateName = 18 "createname",
    /// Removes a value.
    DestroyName = 19 "destroyname",
    /// Property and value index → value.
    ReadName = 20 "readname",
    /// Replaces a value.
    WriteName = 21 "writename",
    /// void → address and tag of the parent domain.
    RParent = 22 "rparent",
    /// id → property lists of all children.
    ListAll = 23 "listall",
    /// "Do you serve me?"; allowed over UDP.
    Bind = 24 "bind",
    /// Checksum → the whole database, or nothing if the checksum is current.
    ReadAll = 25 "readall",
    /// A server tells that it has restarted.
    Crashed = 26 "crashed",
    /// Asks a master to refresh its clones, a clone to refresh itself.
    Resync = 27 "resync",
    /// LOOKUP and READ of the first hit.
    LookupRead = 28 "lookupread",
}

impl Procedure {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// Whether the procedure changes the database: it is then checked for permission, refused by
    /// clones, and replicated.
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Destroy
                | Self::Write
                | Self::CreateProp
                | Self::DestroyProp
                | Self::WriteProp
                | Self::RenameProp
                | Self::CreateName
                | Self::DestroyName
                | Self::WriteName
        )
    }

    /// Whether the procedure is executed when the call came over UDP; all others are denied with
    /// [`AuthStat::TooWeak`](crate::rpc::AuthStat::TooWeak), unknown numbers included.
    pub const fn allowed_over_udp(self) -> bool {
        matches!(self, Self::Ping | Self::Bind)
    }
}

impl TryFrom<u32> for Procedure {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        let index = usize::try_from(number).map_err(|_| Error::BadValue(number))?;
        Self::ALL.get(index).copied().ok_or(Error::BadValue(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positions() {
        for (i, p) in Procedure::ALL.into_iter().enumerate() {
            assert_eq!(p.code() as usize, i);
            assert_eq!(Procedure::try_from(p.code()), Ok(p));
        }
        assert_eq!(Procedure::try_from(29), Err(Error::BadValue(29)));
        assert_eq!(Procedure::try_from(u32::MAX), Err(Error::BadValue(u32::MAX)));
    }

    #[test]
    fn classes() {
        let writes: Vec<_> =
            Procedure::ALL.into_iter().filter(|p| p.is_write()).map(Procedure::code).collect();
        assert_eq!(writes, [5, 6, 8, 12, 13, 15, 16, 18, 19, 21]);
        let udp: Vec<_> =
            Procedure::ALL.into_iter().filter(|p| p.allowed_over_udp()).map(Procedure::code).collect();
        assert_eq!(udp, [0, 24]);
    }
}

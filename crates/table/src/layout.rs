//! Numbers of the layout that writer and reader share.

/// Largest image, in bytes.
pub const MAX_IMAGE: usize = 1 << 30;

/// Longest key that is indexed, in bytes.
pub const MAX_KEY: usize = 1024;

/// The most slots of an index that a look-up visits.
pub const MAX_PROBES: usize = 128;

/// Length of the image's header.
pub(crate) const HEADER: usize = 128;
/// Where the CRC begins to count.
pub(crate) const CRC_START: usize = 4;
/// Where the length stands.
pub(crate) const LENGTH_AT: usize = 4;
/// Where the seed stands.
pub(crate) const SEED_AT: usize = 8;
/// Where the sections begin.
pub(crate) const SECTIONS_AT: usize = 16;
/// Length of a section's description.
pub(crate) const SECTION: usize = 28;
/// Length of a record before its strings.
pub(crate) const RECORD: usize = 16;
/// Length of a slot.
pub(crate) const SLOT: usize = 8;
/// The offset in an unused slot.
pub(crate) const UNUSED: u32 = u32::MAX;
/// Flag: what is not found does not exist.
pub(crate) const FIND_COMPLETE: u32 = 1;
/// Flag: the list holds everything.
pub(crate) const LIST_COMPLETE: u32 = 2;
/// Strings of a user before its further names.
pub(crate) const PASSWD_STRINGS: u32 = 5;
/// Strings of a group before its members, and of a service before its aliases.
pub(crate) const PAIR: u32 = 2;

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Users.
    Passwd,
    /// Groups.
    Group,
    /// Services.
    Services,
    /// The groups of each user.
    Initgroups,
}

impl Section {
    /// All of them, in the order of the header.
    pub const ALL: [Self; 4] = [Self::Passwd, Self::Group, Self::Services, Self::Initgroups];

    /// Where its description stands in the image.
    pub(crate) const fn at(self) -> usize {
        SECTIONS_AT + self as usize * SECTION
    }
}

/// The next multiple of 4.
pub(crate) const fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

const _: () = assert!(SECTIONS_AT + Section::ALL.len() * SECTION == HEADER);

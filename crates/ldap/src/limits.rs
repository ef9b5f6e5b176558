//! Every limit of the protocol beyond those of its codec ([`netinfo_wire::ldap`]).

/// Writes of one connection that may be with the writer at once; further requests wait.
pub const PIPELINED_WRITES: usize = 64;

/// How often a write whose entry was changed by others meanwhile is derived anew before it fails with `busy`.
pub const WRITE_ATTEMPTS: u32 = 8;

/// Message ids that a connection remembers as cancelled, until the requests to cancel them come up.
pub const REMEMBERED_CANCELS: usize = 64;

/// Most entries that one request deletes with the tree delete control.
pub const TREE_DELETE_ENTRIES: usize = 10_000;

/// Entries a search returns at most, unless configured otherwise.
pub const SIZE_LIMIT: u32 = 100_000;

/// Seconds a search takes at most, unless configured otherwise.
pub const TIME_LIMIT: u32 = 3600;

/// Entries a search that no index helps looks at, at most, unless configured otherwise.
pub const LOOK_THROUGH: u64 = 500_000;

/// Characters of a password that the server makes up.
pub const GENERATED_PASSWORD: usize = 16;

/// Messages of a pipelining client that the driver offers to [`crate::Connection::glance`] while an operation is under
/// way.
pub const GLANCED_MESSAGES: usize = 64;

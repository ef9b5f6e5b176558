//! Every limit of the protocol beyond those of its codec ([`netinfo_wire::ldap`]).

use std::time::Duration;

/// Writes of one connection that may be with the writer at once; further requests wait.
pub const PIPELINED_WRITES: usize = 64;

/// How often a write is derived before it fails with `busy`, because others change the same entry faster. Of clients that
/// all change one entry, one gets through each time.
pub const WRITE_ATTEMPTS: u32 = 64;

/// Lines about refused binds in the log each second; the others are counted.
pub const LOG_LINES: u64 = 10;

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

/// Bytes of a portion of a search result.
pub const PIECE: usize = 64 * 1024;

/// Most entries looked at for one portion of a search result.
pub const LOOKED_AT_ONCE: usize = 1024;

/// Most entries looked at for the first portion, which is made at once: what is longer takes turns with others.
pub const LOOKED_AT_FIRST: usize = 32;

/// Filters of so many parts cost little with every entry; of longer ones, fewer entries are looked at for one portion.
pub const LIGHT_FILTER: usize = 16;

/// Longest filter, in parts, for which the indexes are asked.
pub const PLANNED_FILTER: usize = 1024;

/// Most entries that are sorted, or shown in a list view.
pub const SORTED_ENTRIES: usize = 100_000;

/// Paged searches of one connection that are kept between pages.
pub const KEPT_SEARCHES: usize = 4;

/// Most bytes kept of a paged search between pages.
pub const KEPT_SEARCH_BYTES: usize = 512 << 10;

/// Most aliases that one search follows.
pub const ALIASES: usize = 1024;

/// Most aliases one after the other.
pub const ALIAS_HOPS: usize = 16;

/// Most values of one entry that the dereference control follows.
pub const DEREFERENCED: usize = 4096;

/// Most entries that an in-chain match reaches.
pub const CHAINED: u64 = 20_000;

/// Copies that clients keep up to date at once (RFC 4533). Each holds a snapshot of a domain.
pub const SYNCHRONIZATIONS: usize = 256;

/// UUIDs of entries that a copy has already, in one message.
pub const SYNC_UUIDS: usize = 1000;

/// How long the refresh of a copy may take: it keeps a snapshot.
pub const SYNC_REFRESH: Duration = Duration::from_secs(3600);

/// How long nothing may have changed before a copy is looked after again.
pub const SYNC_PAUSE: Duration = Duration::from_millis(100);

/// Parents of which a search remembers whether they are below its base.
pub const REMEMBERED_PARENTS: usize = 1024;

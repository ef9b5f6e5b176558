//! Every time-out and limit of the client, in one place (NetInfo client library, constants).

use std::ops::RangeInclusive;
use std::time::Duration;

/// Longest wait for the reply to a call that reads.
pub const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the reply to a call that writes.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest silence within an administrative operation that works through a whole database.
pub const LONG_TIMEOUT: Duration = Duration::from_secs(3600);
/// Longest wait for a TCP connection to a port that may well be closed or filtered.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Transmissions of one UDP call; the interval is the time-out divided by this.
pub const UDP_TRIES: u32 = 5;
/// Attempts at one call on a connection that the server closes.
pub const ATTEMPTS: u32 = 2;
/// Attempts at a read-modify-write that meets other writers.
pub const STALE_ATTEMPTS: u32 = 10;
/// Calls sent ahead of their replies on one connection.
pub const PIPELINE_WINDOW: usize = 64;

/// Longest reply held in memory, in bytes. Lists of any length are read element by element instead.
pub const MAX_REPLY: usize = 64 << 20;
/// Longest element of a list read element by element, in bytes.
pub const MAX_ELEMENT: usize = 16 << 20;
/// Longest header of a reply in bytes: 24 of fixed fields, a verifier of at most 400, two words of detail.
pub const MAX_REPLY_HEADER: usize = 432;
/// Replies to other calls skipped while waiting for one on a stream.
pub const MAX_STRAY_REPLIES: u32 = 16;
/// Longest datagram received, in bytes: the most UDP can carry.
pub const MAX_DATAGRAM: usize = 65_536;

/// Source ports that servers take for a sign of privilege and that are tried by the superuser.
pub const RESERVED_PORTS: RangeInclusive<u16> = 600..=1023;

/// Deepest tree walked: a damaged database may contain a cycle.
pub const MAX_DEPTH: usize = 256;
/// Most levels of domains climbed: a wrong configuration may contain a cycle.
pub const MAX_LEVELS: usize = 64;

/// Port of the single RPC endpoint of a node.
pub const IPCSERVER_PORT: u16 = 945;
/// Well-known port of the domain `local`.
pub const LOCAL_PORT: u16 = 1033;

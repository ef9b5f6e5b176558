//! Every numeric limit of the daemon, in one place.
//!
//! The constants are the defaults and the bounds; [`Limits`] is what one daemon runs with after the
//! `[limits]` table of its configuration. Limits of the protocol itself (string lengths, list lengths)
//! belong to the codec.

use std::io;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Largest RPC record taken from a TCP or UNIX-socket peer, in bytes: all fragments together
/// (RFC 5531 §11). A longer one closes the connection. 16 MiB.
pub const MAX_RECORD_SIZE: usize = 16 * 1024 * 1024;

/// Bounds for a configured record size, in bytes. The lower one still fits the longest single name.
pub const RECORD_SIZE_RANGE: (u64, u64) = (128 * 1024, 1024 * 1024 * 1024);

/// Largest UDP datagram received or sent, in bytes (the customary ONC RPC buffer). A longer request is
/// dropped.
pub const MAX_UDP_DATAGRAM: usize = 8800;

/// TCP and UNIX-socket connections open at once. Above it the least recently used one is closed.
pub const MAX_CONNECTIONS: usize = 16_384;

/// Connections open at once from one address that is not this machine's own.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 4096;

/// Bounds for both configured connection counts.
pub const CONNECTIONS_RANGE: (u64, u64) = (1, 1_000_000);

/// File descriptors kept back from connections: store, listeners, logs, calls to other daemons.
pub const RESERVED_DESCRIPTORS: usize = 256;

/// Fewest connections served even when descriptors are scarce.
pub const MIN_CONNECTIONS: usize = 16;

/// Bytes of finished replies waiting for a connection's peer to read them. Above it no further request
/// of that connection is read. One reply may be longer by itself. 1 MiB.
pub const MAX_QUEUED_REPLIES: usize = 1024 * 1024;

/// Bounds for configured queued replies, in bytes.
pub const QUEUED_REPLIES_RANGE: (u64, u64) = (4096, 1024 * 1024 * 1024);

/// Bytes that all connections together may hold: records that have not arrived completely, replies that are not read.
/// Above it the connection that holds most is closed. 128 MiB.
pub const MAX_HELD: usize = 128 * 1024 * 1024;

/// Bounds for configured held bytes.
pub const HELD_RANGE: (u64, u64) = (16 * 1024 * 1024, 1024 * 1024 * 1024 * 1024);

/// Bytes a connection may keep without being counted: an idle one keeps no more than that.
pub const HELD_FREELY: usize = 4096;

/// How long a peer may stall within a record, or leave a reply unread, before it is disconnected
/// (NetInfo protocol, transports).
pub const STALL_TIMEOUT: Duration = Duration::from_secs(35);

/// How long a connection may stay without a request. Zero: for ever, as NetInfo clients expect.
pub const IDLE_TIMEOUT: Duration = Duration::ZERO;

/// Bounds for configured times, in seconds (the idle time may also be 0).
pub const SECONDS_RANGE: (u64, u64) = (1, 7 * 24 * 3600);

/// Whole-database transfers (READALL) running at once; further ones are answered with NI_MASTERBUSY.
pub const MAX_READALL: usize = 4;

/// Bounds for configured whole-database transfers.
pub const READALL_RANGE: (u64, u64) = (1, 256);

/// How long one whole-database transfer may take: it pins a snapshot of the store. A slower reader is disconnected.
pub const READALL_DEADLINE: Duration = Duration::from_secs(600);

/// Bytes a worker reads from a connection at once.
pub const READ_BUFFER: usize = 64 * 1024;

/// Calls that came together whose answers are fetched from memory before the first of them is given: enough to wait for all of
/// them at once, and few enough to stay in the processor's first cache.
pub const CALLS_AHEAD: usize = 16;

/// Time a connection may use at once while others wait.
pub const TURN: Duration = Duration::from_micros(500);

/// A request of more bytes than this is decoded beside the other work of its thread.
pub const LARGE_CALL: usize = 128 * 1024;

/// Changes of one connection that may be with the writer at once; further requests wait.
pub const PIPELINED_CHANGES: usize = 64;

/// Changes of all connections that may be under way at once, in units of [`CHANGE_UNIT`] bytes of their requests;
/// further ones wait. 16 MiB. (A decoded change takes up to seven times the bytes of its request.)
pub const CHANGE_PERMITS: u32 = 16 * 1024;

/// Bytes of a change request that count as one of [`CHANGE_PERMITS`].
pub const CHANGE_UNIT: usize = 1024;

/// Passwords hashed at once; further checks wait. Keeps a storm of them from starving everything else.
pub const PASSWORD_CHECKS: usize = 2;

/// Datagrams per socket whose answer waits for another server; further ones are dropped.
pub const LATER_DATAGRAMS: usize = 256;

/// Questions to other servers under way at once; further ones wait.
pub const MAX_QUESTIONS: usize = 64;

/// Uploads (restores) open at once on the local socket. An upload ends with its connection.
pub const MAX_UPLOADS: usize = 4;

/// How long an upload may rest while another one waits for its place.
pub const UPLOAD_REST: Duration = Duration::from_secs(600);

/// Domains above each other in which look-ups look: more are a mistake.
pub const CHAIN_LIMIT: usize = 32;

/// Seconds between two checks of a parent, unless configured otherwise.
pub const CHECK_SECONDS: u64 = 15;
/// Seconds a candidate for a parent has to answer, unless configured otherwise.
pub const ANSWER_SECONDS: u64 = 5;
/// Time that "no parent" is believed, unless configured otherwise.
pub const NO_PARENT_TIME: Duration = Duration::from_secs(30);
/// The same where historical servers are to be reproduced.
pub const HISTORICAL_NO_PARENT_TIME: Duration = Duration::from_secs(600);
/// Candidates for parents that are asked at once, of all domains.
pub const CANDIDATES_AT_ONCE: usize = 16;
/// Parents that can be configured for one domain.
pub const CONFIGURED_PARENTS: usize = 8;
/// Longest file that keeps configured parents, in bytes.
pub use netinfo_directory::binding::BINDING_FILE_SIZE;

/// Difference between the clocks of two machines that is not worth a word.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// Users, or groups, of one domain that are compared with those of others.
pub const DOCTOR_RECORDS: usize = 200_000;
/// Things told about the domains from here to the root, at most.
pub const DOCTOR_FINDINGS: usize = 1000;
/// Nameservers of `/etc/resolv.conf` that are asked, in order.
pub const NAMESERVERS: usize = 3;
/// Longest answer of the DNS that is taken, in bytes.
pub const DNS_ANSWER: usize = 4096;

/// Longest file of this machine, such as `/etc/passwd`, that look-ups look in, in bytes.
pub const FLAT_FILE_SIZE: u64 = 16 << 20;

/// How long the DNS is asked for one look-up, with all that it leads to.
pub const DNS_PATIENCE: Duration = Duration::from_secs(4);
/// Bounds of the time for which an answer of the DNS is told without asking again, whatever it says itself.
pub const DNS_KEPT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// How long it is told that the DNS has no such host, or that it cannot be asked.
pub const DNS_NOTHING_KEPT: Duration = Duration::from_secs(15);
/// See [`DNS_NOTHING_KEPT`].
pub const DNS_AWAY_KEPT: Duration = Duration::from_secs(5);
/// Answers of the DNS that are remembered.
pub const DNS_REMEMBERED: usize = 10_000;
/// Addresses of one host, and names it is known by, that are taken from the DNS.
pub const DNS_VALUES: usize = 64;
/// Domains of `search` in `/etc/resolv.conf` in which names without a dot are looked up.
pub const DNS_SEARCH: usize = 6;

/// Users and groups of all domains in which look-ups look, above which they are not in the table of local look-ups: it is
/// made anew, in memory, after changes. Whoever asks is answered over the socket then.
pub const MAX_TABLE_RECORDS: usize = 200_000;

/// Bounds for the configured number.
pub const TABLE_RECORDS_RANGE: (u64, u64) = (0, 10_000_000);

/// Look-ups under way that may read very many records: enumerations, netgroups, records by pattern. Others wait.
pub const SCANS: usize = 4;

/// Look-ups under way that may have to ask another machine. Others wait.
pub const ASKING: usize = 128;

/// Looks at what is remembered of parents before a look-up is answered with what has been found by then: each one may show
/// that more has to be asked.
pub const ASK_ROUNDS: usize = 64;

/// Long answers (checks, backups) under way at once on the local socket.
pub const MAX_STREAMS: usize = 4;

/// Lines of one kind that peers may cause in the log each second; the others are counted.
pub const LOG_LINES: u32 = 10;

/// Connections waiting in the kernel to be accepted, per TCP or UNIX-socket listener.
pub const LISTEN_BACKLOG: i32 = 1024;

/// Receive buffer asked from the kernel for each UDP socket, in bytes: room for a burst of broadcasts.
pub const UDP_RECEIVE_BUFFER: usize = 1024 * 1024;

/// How long requests in progress may take to finish once the daemon was told to stop.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection that was in use when the daemon stopped is kept, so that its peer can read the replies it was
/// sent.
pub const LINGER: Duration = Duration::from_millis(250);

/// Pages of long replies (LIST, LISTALL, CHILDREN) that may be made at once: half as many as there are processors, so
/// that the others answer what is short.
pub fn pages_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}

/// While some clients do their worst, 99 of 100 small requests of another one are answered within this time.
pub const ATTACKED_LATENCY: Duration = Duration::from_millis(250);

/// Anonymous memory that clients of any number can make the daemon take beyond what it needs at rest, in bytes:
/// [`MAX_HELD`] and what the allocator keeps besides, changes being decoded, idle connections. 384 MiB.
pub const ATTACKED_MEMORY: u64 = 384 * 1024 * 1024;

/// Anonymous memory that an idle connection takes, in bytes.
pub const IDLE_CONNECTION_MEMORY: usize = 4096;

/// Bounds for the configured numbers of entries that an LDAP search may return or look at.
pub const LDAP_SIZE_RANGE: (u64, u64) = (1, u32::MAX as u64);

/// Bounds for configured LDAP message sizes, in bytes. The lower one fits any bind and any search people write.
pub const LDAP_MESSAGE_RANGE: (u64, u64) = (16 * 1024, 1024 * 1024 * 1024);

/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(35);

/// Permits for a change whose request has `len` bytes. One longer than all permits takes all.
pub fn change_permits(len: usize) -> u32 {
    u32::try_from(len / CHANGE_UNIT + 1).unwrap_or(u32::MAX).min(CHANGE_PERMITS)
}

/// The limits one daemon runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once ([`MAX_CONNECTIONS`]), before descriptors are counted.
    pub connections: usize,
    /// Connections open at once from one foreign address ([`MAX_CONNECTIONS_PER_ADDRESS`]).
    pub connections_per_address: usize,
    /// Bytes in one RPC record ([`MAX_RECORD_SIZE`]).
    pub record_size: usize,
    /// Time without a request after which a connection is closed; `None`: never ([`IDLE_TIMEOUT`]).
    pub idle: Option<Duration>,
    /// Time a peer may stall ([`STALL_TIMEOUT`]).
    pub stall: Duration,
    /// Bytes of unread replies per connection ([`MAX_QUEUED_REPLIES`]).
    pub queued_replies: usize,
    /// Bytes held by all connections ([`MAX_HELD`]).
    pub held: usize,
    /// Whole-database transfers at once ([`MAX_READALL`]).
    pub readall: usize,
    /// Users and groups in the table of local look-ups ([`MAX_TABLE_RECORDS`]).
    pub table_records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            record_size: MAX_RECORD_SIZE,
            idle: (!IDLE_TIMEOUT.is_zero()).then_some(IDLE_TIMEOUT),
            stall: STALL_TIMEOUT,
            queued_replies: MAX_QUEUED_REPLIES,
            held: MAX_HELD,
            readall: MAX_READALL,
            table_records: MAX_TABLE_RECORDS,
        }
    }
}

impl Limits {
    /// Bytes all connections together may hold: as configured, but never so little that the longest record could not
    /// arrive.
    pub fn held_in_all(&self) -> usize {
        self.held.max(self.record_size.saturating_mul(4))
    }

    /// Connections to serve when the process may have `descriptors` files open: the configured number,
    /// less when descriptors are scarce, never below [`MIN_CONNECTIONS`].
    pub fn connections_within(&self, descriptors: u64) -> usize {
        let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
        let free = descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(MIN_CONNECTIONS);
        self.connections.min(free)
    }
}

/// Raises the process's soft limit of open files to its hard limit and returns the limit that now holds.
///
/// # Errors
/// What `getrlimit` or `setrlimit` reported.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard.max(soft))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_lie_within_their_bounds() {
        let within = |value: usize, (low, high): (u64, u64)| (low..=high).contains(&(value as u64));
        let limits = Limits::default();
        assert!(within(limits.connections, CONNECTIONS_RANGE));
        assert!(within(limits.connections_per_address, CONNECTIONS_RANGE));
        assert!(within(limits.record_size, RECORD_SIZE_RANGE));
        assert!(within(limits.queued_replies, QUEUED_REPLIES_RANGE));
        assert!(within(limits.held, HELD_RANGE));
        assert!(within(limits.readall, READALL_RANGE));
        assert!(within(limits.table_records, TABLE_RECORDS_RANGE));
        assert_eq!(limits.idle, None);
        assert_eq!(limits.stall, Duration::from_secs(35));
    }

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        let limits = Limits::default();
        assert_eq!(limits.connections_within(1_048_576), MAX_CONNECTIONS);
        assert_eq!(limits.connections_within(1024), 1024 - RESERVED_DESCRIPTORS);
        assert_eq!(limits.connections_within(64), MIN_CONNECTIONS);
        assert_eq!(limits.connections_within(u64::MAX), MAX_CONNECTIONS);
        let few = Limits { connections: 3, ..limits };
        assert_eq!(few.connections_within(1024), 3);
    }

    #[test]
    fn the_longest_record_always_fits() {
        let limits = Limits::default();
        assert_eq!(limits.held_in_all(), MAX_HELD);
        let long = Limits { record_size: MAX_HELD, ..limits };
        assert_eq!(long.held_in_all(), 4 * MAX_HELD);
    }

    #[test]
    fn changes_are_weighed() {
        assert_eq!(change_permits(0), 1);
        assert_eq!(change_permits(CHANGE_UNIT - 1), 1);
        assert_eq!(change_permits(CHANGE_UNIT), 2);
        assert_eq!(change_permits(usize::MAX), CHANGE_PERMITS);
    }

    #[test]
    fn descriptor_limit_reaches_the_hard_limit() {
        let raised = raise_descriptor_limit().unwrap();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!((soft, hard), (raised, raised));
    }
}

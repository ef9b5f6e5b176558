//! Every time-out and limit, in one place.

use std::time::Duration;

/// Threads that look through the processes of this machine.
pub const WALKERS: usize = 4;
/// Processes from which on it is worth having more than one thread.
pub const PROCESSES_PER_WALKER: usize = 200;
/// Longest `/proc/PID/cgroup`, `stat` or `status` that is read, in bytes.
pub const MAX_PROC_FILE: u64 = 16 * 1024;
/// Most control groups that are looked through for the unit of a socket.
pub const MAX_GROUPS: usize = 65_536;
/// Receive buffer for answers of the kernel, in bytes: it never sends more than this at once.
pub const NETLINK_BUFFER: usize = 64 * 1024;

/// Most ports that one command line may name by a list of ranges.
pub const MAX_SELECTIONS: usize = 1024;
/// Largest registry file that is read, in bytes (IANA's has about 1 MiB).
pub const MAX_REGISTRY: u64 = 64 << 20;
/// Longest description kept of a registry's entry, in bytes.
pub const MAX_DESCRIPTION: usize = 255;

/// Longest wait for what a node says of a port in its `/services`.
pub const NODE_PATIENCE: Duration = Duration::from_millis(500);
/// Most records of `/services` shown for one port.
pub const MAX_NODE_RECORDS: usize = 16;
/// Most ports for which a node is asked.
pub const MAX_NODE_PORTS: usize = 16;

/// Longest wait for a TCP connection of a probe.
pub const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long a probe listens for a server that speaks first.
pub const BANNER_WAIT: Duration = Duration::from_millis(300);
/// Longest wait for each answer to a probe.
pub const ANSWER_WAIT: Duration = Duration::from_millis(1500);
/// Longest time spent on one address and transport, all questions together.
pub const PROBE_TIME: Duration = Duration::from_secs(10);
/// How often a question is sent by datagram.
pub const UDP_SENDS: u32 = 2;
/// Most connections that a probe makes to one address.
pub const MAX_CONNECTIONS: u32 = 4;
/// Most questions that a probe asks of one address and transport.
pub const MAX_QUESTIONS: u32 = 10;
/// Longest answer to a probe, in bytes; what is longer is not read to its end.
pub const MAX_ANSWER: usize = 64 * 1024;
/// Most bytes kept of what a server says first.
pub const MAX_BANNER: usize = 256;
/// Most addresses that are probed for one port.
pub const MAX_TARGETS: usize = 4;
/// Most ports that one command probes.
pub const MAX_PROBED_PORTS: usize = 16;
/// Most programs, domains or naming contexts that are told of one answer.
pub const MAX_LISTED: usize = 64;

/// Pause between two looks with `--watch`.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);

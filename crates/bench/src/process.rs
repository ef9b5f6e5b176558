//! What the system counts for a process: processor time and memory.

use std::fs;
use std::time::Duration;

use crate::Result;

/// Ticks a second in `/proc/PID/stat` (`USER_HZ`, the same on every architecture this runs on).
const TICKS: u64 = 100;

/// Processor time process `pid` has used so far, in the kernel and outside, to 10 ms.
///
/// # Errors
/// There is no such process.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks(&stat).map(|t| Duration::from_millis(t * 1000 / TICKS)).ok_or_else(|| "odd /proc/PID/stat".into())
}

/// Fields 14 and 15; the name, field 2, is in parentheses and may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Anonymous memory of process `pid` that is resident, in bytes: heap and stacks, not the mapped database, whose pages
/// are the page cache's.
///
/// # Errors
/// There is no such process.
pub fn anonymous_memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    field_kib(&status, "RssAnon:")
        .map(|kib| kib * 1024)
        .ok_or_else(|| "no RssAnon in /proc/PID/status".into())
}

/// Pages of files that process `pid` has mapped and that are resident, in bytes: of the database, as far as it has been
/// looked at, and of programs and libraries.
///
/// # Errors
/// There is no such process.
pub fn mapped_memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let sum = ["RssFile:", "RssShmem:"].into_iter().filter_map(|name| field_kib(&status, name)).sum::<u64>();
    Ok(sum * 1024)
}

/// Bytes that process `pid` has had written to disks so far.
///
/// # Errors
/// There is no such process, or it is another user's.
pub fn written(pid: u32) -> Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).ok_or_else(|| "odd /proc/PID/io".into())
}

/// A field `NAME: 123 kB` of a file in `/proc`.
pub(crate) fn field_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line[name.len()..].trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (odd) name) S 1 7 7 0 -1 4194560 100 0 0 0 30 12 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(field_kib("VmRSS:\t 9 kB\nRssAnon:\t  1234 kB\n", "RssAnon:"), Some(1234));
    }

    #[test]
    fn this_process_has_figures() {
        assert!(anonymous_memory(std::process::id()).unwrap() > 0);
        assert!(mapped_memory(std::process::id()).unwrap() > 0);
        processor_time(std::process::id()).unwrap();
        written(std::process::id()).unwrap();
    }
}

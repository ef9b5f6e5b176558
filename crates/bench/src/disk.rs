//! The disk's smallest durable write: what no durable commit can be faster than.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::figures::{Disk, percentile};

/// Bytes of a write: one page.
const BLOCK: usize = 4096;
/// Blocks the writes go to in turn.
const BLOCKS: u64 = 1024;
/// Writes end after this many.
const LIMIT: usize = 100_000;

/// Writes a block and waits until it is on disk, again and again, in a file below `folder`.
///
/// # Errors
/// What the system reported.
pub fn measure(folder: &Path, time: Duration) -> Result<Disk> {
    let file = tempfile::tempfile_in(folder)?;
    prepare(&file)?;
    let block = [0x5A; BLOCK];
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < time && times.len() < LIMIT {
        let begin = Instant::now();
        file.write_all_at(&block, times.len() as u64 % BLOCKS * BLOCK as u64)?;
        file.sync_data()?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Disk {
        writes: times.len() as u64,
        per_second: times.len() as f64 / start.elapsed().as_secs_f64(),
        median_ms: percentile(&mut times, 50),
        p99_ms: percentile(&mut times, 99),
    })
}

/// Fills the file, so that later writes change data and nothing else.
fn prepare(file: &File) -> Result<()> {
    for block in 0..BLOCKS {
        file.write_all_at(&[0; BLOCK], block * BLOCK as u64)?;
    }
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_written() {
        let disk = measure(&std::env::temp_dir(), Duration::from_millis(20)).unwrap();
        assert!(disk.writes > 0 && disk.per_second > 0.0);
        assert!(disk.median_ms <= disk.p99_ms);
    }
}

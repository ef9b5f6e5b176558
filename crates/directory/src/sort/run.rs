//! Sorted entries in a file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Bytes of a run that are read or written at a time.
pub(super) const RUN_BUFFER: usize = 128 << 10;
/// Bytes in front of an entry: how many its key has in common with the one before it, how many follow, the object.
const HEAD: usize = 8;

/// Entries one after the other.
pub(super) trait Entries {
    /// Puts the next key into `key`, which still has the one before, and returns its object; `None` behind the last.
    fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<u32>>;
}

/// A run.
pub(super) struct Run {
    file: File,
    entries: u64,
}

impl Run {
    /// Writes all entries, which come in order, to a file without a name in `folder`.
    pub(super) fn write(folder: &Path, entries: &mut dyn Entries) -> Result<Self> {
        let mut out = BufWriter::with_capacity(RUN_BUFFER, tempfile::tempfile_in(folder)?);
        let (mut key, mut before, mut count) = (Vec::new(), Vec::new(), 0);
        while let Some(object) = entries.next(&mut key)? {
            let shared =
                key.iter().zip(&before).take_while(|(a, b)| a == b).count().min(usize::from(u16::MAX));
            let rest = u16::try_from(key.len() - shared)
                .map_err(|_| Error::Storage("a key of an index is too long to be sorted".into()))?;
            let mut head = [0; HEAD];
            head[..2].copy_from_slice(&(shared as u16).to_le_bytes());
            head[2..4].copy_from_slice(&rest.to_le_bytes());
            head[4..].copy_from_slice(&object.to_le_bytes());
            out.write_all(&head)?;
            out.write_all(&key[shared..])?;
            before.clone_from(&key);
            count += 1;
        }
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(Self { file, entries: count })
    }

    /// The entries from the first on.
    pub(super) fn read(mut self) -> Result<RunReader> {
        self.file.rewind()?;
        let file = BufReader::with_capacity(RUN_BUFFER, self.file);
        Ok(RunReader { file, left: self.entries })
    }
}

/// Reads a run.
pub(super) struct RunReader {
    file: BufReader<File>,
    left: u64,
}

impl Entries for RunReader {
    fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<u32>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut head = [0; HEAD];
        self.file.read_exact(&mut head)?;
        let [a, b, c, d, object @ ..] = head;
        let shared = usize::from(u16::from_le_bytes([a, b]));
        let rest = usize::from(u16::from_le_bytes([c, d]));
        key.resize(shared + rest, 0);
        self.file.read_exact(&mut key[shared..])?;
        Ok(Some(u32::from_le_bytes(object)))
    }
}

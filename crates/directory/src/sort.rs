//! Entries of an index put in order outside of memory.
//!
//! Entries of a large domain belong all over its indexes: put there as they come, each dirties a page that another has
//! dirtied before. So they are gathered, [`GATHERED`] bytes at a time; a thread sorts what was gathered and writes it to a
//! run, while the next are gathered; in the end the runs are [merged](merge), and every page of the index is written once.
//!
//! Runs are files beside the store that have no name: whatever happens, nothing of them is left.

mod buffer;
mod merge;
mod run;

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use buffer::Buffer;
use merge::Source;
use run::Run;

pub(crate) use merge::Merged;

/// Bytes of memory that entries take before they are sorted and written to a run. Two buffers of this size are in use at a
/// time, and while one is sorted, its list of entries a second time.
pub(crate) const GATHERED: usize = 32 << 20;
/// Runs that are merged at a time. With more of them some are merged beforehand.
pub(crate) const RUNS_MERGED: usize = 64;

/// Takes entries in any order, and gives them back in order. An entry is a key, in two parts, and the object it stands for.
/// First parts must not be beginnings of each other: then the order of the keys is that of the first parts, and among
/// equal ones that of the second.
pub(crate) struct Sorter {
    folder: PathBuf,
    /// Bytes after which a buffer is sorted.
    room: usize,
    buffer: Buffer,
    /// A buffer on its way into a run.
    sorting: Option<JoinHandle<Result<Run>>>,
    /// By how often their entries have been merged.
    runs: Vec<Vec<Run>>,
}

impl Sorter {
    /// With runs in `folder`, if there is a need for any.
    pub(crate) fn new(folder: &Path) -> Self {
        Self::with_room(folder, GATHERED)
    }

    fn with_room(folder: &Path, room: usize) -> Self {
        // Most of those who sort have little: room is made for those who have filled it once.
        let (buffer, sorting, runs) = (Buffer::default(), None, Vec::new());
        Self { folder: folder.to_owned(), room, buffer, sorting, runs }
    }

    /// Adds an entry. First parts that come again and again are found faster if each comes with a `place` of its own.
    ///
    /// # Errors
    /// When a run cannot be written.
    pub(crate) fn add(&mut self, place: usize, first: &[u8], second: &[u8], object: u32) -> Result<()> {
        self.buffer.add(place, first, second, object);
        if self.buffer.size() >= self.room { self.spill() } else { Ok(()) }
    }

    /// Lets a thread write what was gathered to a run.
    fn spill(&mut self) -> Result<()> {
        self.join()?;
        let buffer = std::mem::replace(&mut self.buffer, Buffer::with_room(self.room));
        let folder = self.folder.clone();
        let sort = move || Run::write(&folder, &mut buffer.sorted());
        let thread = thread::Builder::new().name("sort".into()).spawn(sort);
        self.sorting = Some(thread.map_err(|e| Error::Storage(format!("cannot start a thread: {e}")))?);
        Ok(())
    }

    /// Waits for the run that is being written.
    fn join(&mut self) -> Result<()> {
        let Some(thread) = self.sorting.take() else { return Ok(()) };
        let run = thread.join().map_err(|_| Error::Storage("a thread that sorts has failed".into()))??;
        self.keep(0, run)
    }

    fn keep(&mut self, level: usize, run: Run) -> Result<()> {
        if self.runs.len() <= level {
            self.runs.resize_with(level + 1, Vec::new);
        }
        self.runs[level].push(run);
        if self.runs[level].len() < RUNS_MERGED {
            return Ok(());
        }
        let mut merged = Merged::new(sources(std::mem::take(&mut self.runs[level]))?)?;
        let run = Run::write(&self.folder, &mut merged)?;
        self.keep(level + 1, run)
    }

    /// All entries in order, those that were added twice once.
    ///
    /// # Errors
    /// When a run cannot be written or read.
    pub(crate) fn finish(mut self) -> Result<Merged> {
        self.join()?;
        // As many as are merged at a time, of which the last levels have the fewest.
        while self.runs.len() > 1 && self.runs.iter().map(Vec::len).sum::<usize>() > RUNS_MERGED {
            let runs = std::mem::take(&mut self.runs[0]);
            self.runs.remove(0);
            let run = Run::write(&self.folder, &mut Merged::new(sources(runs)?)?)?;
            self.runs[0].push(run);
        }
        let mut sources = sources(self.runs.into_iter().flatten().collect())?;
        if self.buffer.size() > 0 {
            sources.push(Source::new(merge::Input::Memory(self.buffer.sorted())));
        }
        Merged::new(sources)
    }
}

fn sources(runs: Vec<Run>) -> Result<Vec<Source>> {
    runs.into_iter().map(|run| Ok(Source::new(merge::Input::File(run.read()?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A first part that is not the beginning of another.
    fn first(number: u8) -> Vec<u8> {
        let name = vec![b'a' + number % 3; usize::from(number % 5)];
        [&[name.len() as u8][..], &name].concat()
    }

    fn all(sorter: Sorter) -> Vec<(Vec<u8>, u32)> {
        let (mut merged, mut key, mut list) = (sorter.finish().unwrap(), Vec::new(), Vec::new());
        while let Some(object) = merged.next(&mut key).unwrap() {
            list.push((key.clone(), object));
        }
        list
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn whatever_goes_in_comes_out_in_order_once(
            entries in proptest::collection::vec(
                (0u8..20, proptest::collection::vec(0u8..4, 0..12), 0u32..9), 0..1500),
            room in 100usize..100_000,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::with_room(folder.path(), room);
            let mut expected = BTreeSet::new();
            for (number, second, object) in entries {
                let first = first(number);
                expected.insert(([&first[..], &second].concat(), object));
                sorter.add(usize::from(number), &first, &second, object).unwrap();
            }
            prop_assert_eq!(all(sorter), expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn runs_are_merged_before_there_are_too_many_and_have_no_names() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_room(folder.path(), 1);
        let count = 2 * RUNS_MERGED as u32 + 3;
        for object in 0..count {
            sorter.add(0, b"\x01k", &(count - object).to_be_bytes(), object).unwrap();
        }
        sorter.join().unwrap();
        assert_eq!(sorter.runs.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let objects: Vec<u32> = all(sorter).into_iter().map(|(_, object)| object).collect();
        assert_eq!(objects, (0..count).rev().collect::<Vec<_>>());
    }

    #[test]
    fn gathering_ends() {
        let mut buffer = Buffer::default();
        let second = [b'x'; 400];
        let fits = (0..).take_while(|object| {
            buffer.add(0, b"\x01k", &second, *object);
            buffer.size() < GATHERED
        });
        assert!((GATHERED / 500..GATHERED / 400).contains(&fits.count()));
    }

    #[test]
    fn a_folder_that_is_gone_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_room(&folder.path().join("gone"), 1);
        sorter.add(0, b"\x01k", b"v", 1).unwrap();
        assert!(sorter.finish().is_err());
    }
}

//! An import from beginning to end: reads the parts, hands their items to a target in batches, gathers what came of them.
//!
//! Reading and writing go on at the same time, with a few batches between them. Every batch is one durable commit, in
//! order, and a target may get one ready while the one before it is being committed: an import that is interrupted has done a beginning of its work, and run again finds that unchanged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::report::{Done, FileReport, Outcome, Report};
use crate::source::Part;

/// Most items of one batch.
pub const BATCH_ITEMS: usize = 4096;
/// A batch takes no further item once it holds so many bytes: every batch waits for the disk once.
pub const BATCH_BYTES: usize = 4 << 20;
/// Batches that have been read and wait for the target.
const WAITING: usize = 4;

/// Where items go.
pub trait Target {
    /// A part begins: numbers of directories are counted anew.
    ///
    /// # Errors
    /// When nothing can be written.
    fn begin(&mut self) -> Result<()>;

    /// Puts some items in their places, durably and in order. What came of them is told by this call or a later one, by
    /// that of [`Target::settle`] at last.
    ///
    /// # Errors
    /// When nothing more can be done.
    fn apply(&mut self, items: Vec<Item>) -> Result<Done>;

    /// A part has been handed over: what has been kept back is put in its place, if it has one. Everything is on disk
    /// afterwards.
    ///
    /// # Errors
    /// When nothing more can be done.
    fn settle(&mut self) -> Result<Done>;

    /// Everything has been handed over.
    ///
    /// # Errors
    /// When the target has not taken it all.
    fn end(&mut self) -> Result<()>;
}

/// Hears how far an import is.
pub trait Watch {
    /// So many bytes of so many have been read, where that is known, and so many items are done.
    fn progress(&mut self, read: u64, of: Option<u64>, items: u64);
}

impl<F: FnMut(u64, Option<u64>, u64)> Watch for F {
    fn progress(&mut self, read: u64, of: Option<u64>, items: u64) {
        self(read, of, items);
    }
}

/// What was read, and what could not be.
#[derive(Default)]
struct Read {
    items: Vec<Item>,
    done: Done,
    bytes: usize,
}

/// Imports all parts. What an interrupted import had done is told by the error's report.
///
/// # Errors
/// The first error that ends everything, with what had been done before it.
pub fn import(
    parts: &[Part],
    target: &mut dyn Target,
    watch: &mut dyn Watch,
) -> Result<Report, (Error, Report)> {
    let mut report = Report::default();
    let known = parts.iter().map(Part::size).collect::<Option<Vec<u64>>>();
    let total = known.map(|sizes| sizes.iter().sum());
    let read = Arc::new(AtomicU64::new(0));
    for part in parts {
        let mut file = FileReport::new(&part.name, part.format.name());
        let result =
            one(part, target, &read, &mut |read, items| watch.progress(read, total, items), &mut file);
        report.files.push(file);
        if let Err(error) = result {
            return Err((error, report));
        }
    }
    match target.end() {
        Ok(()) => Ok(report),
        Err(error) => Err((error, report)),
    }
}

fn one(
    part: &Part,
    target: &mut dyn Target,
    read: &Arc<AtomicU64>,
    watch: &mut dyn FnMut(u64, u64),
    file: &mut FileReport,
) -> Result<()> {
    target.begin()?;
    let mut items = 0;
    thread::scope(|scope| {
        let (send, batches) = mpsc::sync_channel(WAITING);
        let reader = scope.spawn(move || produce(part, read.clone(), &send));
        let written = batches.iter().try_for_each(|batch: Read| {
            items += batch.items.len() as u64
                + batch.done.counts.of(Outcome::Failed)
                + batch.done.counts.of(Outcome::Skipped);
            file.add(batch.done);
            if !batch.items.is_empty() {
                file.add(target.apply(batch.items)?);
            }
            watch(read.load(Ordering::Relaxed), items);
            Ok(())
        });
        // A reader that still has something to send ends when nobody takes it.
        drop(batches);
        let read = reader.join().unwrap_or_else(|_| Err(Error::Invalid("the reader has failed".into())));
        written.and(read)
    })?;
    file.add(target.settle()?);
    Ok(())
}

/// Reads a part in batches until nobody takes them.
fn produce(part: &Part, read: Arc<AtomicU64>, send: &SyncSender<Read>) -> Result<()> {
    let mut batch = Read::default();
    for item in part.items(read)? {
        match item {
            Ok(item) => {
                batch.bytes += item.weight();
                batch.items.push(item);
            }
            Err(problem) => batch.done.unread(&problem),
        }
        let full = batch.items.len() >= BATCH_ITEMS || batch.bytes >= BATCH_BYTES;
        if (full || batch.done.notes.len() >= BATCH_ITEMS) && send.send(std::mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    }
    // Nobody there: whoever took them says why.
    let _ = send.send(batch);
    Ok(())
}

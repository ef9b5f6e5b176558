//! Records as they are sent.
//!
//! A front-end makes the same bytes of a record again and again: it finds it in three levels of pages, checks it, and writes its
//! properties one by one. Here they are copied, from a place that follows from the object's number: what lies together is
//! fetched together.
//!
//! A *bucket* is one piece of memory, nearly a page, for up to thirteen records. Its mark is the stamp of the last transaction that changed a record
//! whose place is there; the module above says why that is enough. A bucket is locked for as long as it takes to copy a record.
//!
//! A record can be kept in several forms ([`Form`]), as long as there is room for them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fetch::fetch;
use super::pieces::{Piece, Pieces};
use super::stamps::Stamps;
use crate::model::Form;

/// Bytes of a bucket: a page less one line of the processor's cache. The first lines of pages all have the same few places in that
/// cache and would push each other out.
const BUCKET: usize = 63 * LINE;
/// Most buckets of a domain: 60 MiB. Taken up only as far as the domain is large and asked for.
const MAX_BUCKETS: usize = (60 << 20) / BUCKET;
/// Buckets that are made together: 126 KiB.
const PIECE: usize = 1 << 5;
/// Fewest buckets of a domain.
const MIN_BUCKETS: usize = 1 << 4;
/// Records of a bucket: with the lock and the mark their numbers fill one line of the processor's cache.
const WAYS: usize = 13;
/// So many directories have a bucket, as far as there are buckets enough.
const SHARING: u64 = 12;
/// Bytes for the records of a bucket: what its lock, its mark and its entries leave.
const ROOM: usize = BUCKET - 64 - WAYS * size_of::<Entry>() - 4;
/// Bytes in front of those of the records.
const HEAD: usize = BUCKET - ROOM;
/// Bytes of a line of the processor's cache.
const LINE: usize = 64;
/// Number of no record.
const NOBODY: u32 = u32::MAX;

/// What was made of the records of one domain.
pub(super) struct Renderings {
    /// Number of buckets in use.
    count: AtomicU32,
    buckets: Pieces<Bucket, PIECE>,
}

#[repr(align(64))]
struct Bucket(Mutex<Content>);

#[repr(C)]
struct Content {
    /// Stamp of the last transaction that changed a record of this bucket, if it was committed.
    mark: u32,
    /// Numbers of the records that are kept, in front; behind them [`NOBODY`].
    objects: [u32; WAYS],
    /// What else is known of each. Their bytes lie in the same order, one behind the other.
    entries: [Entry; WAYS],
    bytes: [u8; ROOM],
}

/// A record that is kept.
#[derive(Default, Clone, Copy)]
struct Entry {
    /// Which form it is in.
    form: Form,
    instance: u32,
    /// Stamp of the snapshot in which the record was found.
    found: u32,
    /// Where its bytes begin and end.
    begin: u16,
    end: u16,
}

impl Renderings {
    pub(super) fn new(directories: u64) -> Self {
        Self { count: AtomicU32::new(count_for(directories)), buckets: Pieces::new(MAX_BUCKETS) }
    }

    /// What `read` makes of what is known of a record in the snapshot with stamp `now`, given its instance. The bucket is locked
    /// meanwhile.
    pub(super) fn read<T>(
        &self,
        stamps: &Stamps,
        now: u32,
        (object, form): (u32, Form),
        read: impl FnOnce(u32, &[u8]) -> T,
    ) -> Option<T> {
        let (piece, number) = self.place(object);
        let content = piece.get(number)?.lock();
        let (entry, bytes) = content.find(object, form)?;
        let mark = last_mark(stamps, piece, &content);
        (entry.found >= mark && now >= mark).then(|| read(entry.instance, bytes))
    }

    /// Keeps what was made of a record, with this instance, that was found in the snapshot with stamp `found`, if there is room for
    /// it.
    pub(super) fn keep(&self, stamps: &Stamps, found: u32, kept: (u32, Form), instance: u32, bytes: &[u8]) {
        if bytes.len() > ROOM {
            return;
        }
        let (object, form) = kept;
        let (piece, number) = self.place(object);
        let mut content = piece.get_or_make(number).lock();
        let mark = last_mark(stamps, piece, &content);
        if found >= mark {
            content.keep(mark, object, Entry { form, instance, found, ..Entry::default() }, bytes);
        }
    }

    /// The transaction with stamp `writer` is about to change a record.
    pub(super) fn mark(&self, writer: u32, object: u32) {
        let (piece, number) = self.place(object);
        match piece.get(number) {
            Some(bucket) => bucket.lock().mark = writer,
            None => piece.mark(writer),
        }
    }

    /// A record will be asked for soon: fetches the lines that tell where its bytes are.
    pub(super) fn fetch(&self, object: u32) {
        let (piece, number) = self.place(object);
        if let Some(bucket) = piece.get(number) {
            bucket.fetch();
        }
    }

    /// Whether so many directories are to have more buckets.
    pub(super) fn is_short(&self, directories: u64) -> bool {
        count_for(directories) > self.count.load(Ordering::Relaxed)
    }

    /// Makes room for the records of so many directories. All that is kept has to be obsolete before: records have other buckets
    /// now, which know nothing of what was marked in the old ones.
    pub(super) fn make_room(&self, directories: u64) {
        self.count.store(count_for(directories), Ordering::Release);
    }

    /// The piece and the number of the bucket for a record. Numbers of directories are given one after the other, so that they
    /// fill the buckets evenly.
    fn place(&self, object: u32) -> (&Piece<Bucket, PIECE>, usize) {
        let number = (object % self.count.load(Ordering::Acquire).max(1)) as usize;
        (self.buckets.piece(number), number)
    }
}

/// The stamp before which nothing in a bucket holds.
fn last_mark(stamps: &Stamps, piece: &Piece<Bucket, PIECE>, content: &Content) -> u32 {
    content.mark.max(piece.marked()).max(stamps.floor())
}

impl Default for Bucket {
    fn default() -> Self {
        let (objects, entries) = ([NOBODY; WAYS], Default::default());
        Self(Mutex::new(Content { mark: 0, objects, entries, bytes: [0; ROOM] }))
    }
}

impl Bucket {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch(&self) {
        let start: *const u8 = std::ptr::from_ref(self).cast();
        (0..HEAD).step_by(LINE).for_each(|at| fetch(start.wrapping_add(at)));
    }
}

impl Content {
    fn find(&self, object: u32, form: Form) -> Option<(&Entry, &[u8])> {
        let is_it = |(&one, entry): (&u32, &Entry)| one == object && entry.form == form;
        let at = self.objects.iter().zip(&self.entries).position(is_it).filter(|_| object != NOBODY)?;
        let entry = &self.entries[at];
        Some((entry, &self.bytes[entry.begin.into()..entry.end.into()]))
    }

    /// Puts a record behind the others. Those go that are the same form of the same object or do not hold, and, until there
    /// is room, the oldest.
    fn keep(&mut self, mark: u32, object: u32, entry: Entry, bytes: &[u8]) {
        for at in (0..self.used()).rev() {
            let same = self.objects[at] == object && self.entries[at].form == entry.form;
            if same || self.entries[at].found < mark {
                self.remove(at);
            }
        }
        while self.used() == WAYS || self.filled() + bytes.len() > ROOM {
            self.remove(0);
        }
        let (at, begin) = (self.used(), self.filled());
        let end = begin + bytes.len();
        self.bytes[begin..end].copy_from_slice(bytes);
        self.objects[at] = object;
        // A bucket is not as long as these numbers reach.
        self.entries[at] = Entry { begin: begin as u16, end: end as u16, ..entry };
    }

    fn used(&self) -> usize {
        self.objects.iter().take_while(|&&object| object != NOBODY).count()
    }

    /// Bytes in use.
    fn filled(&self) -> usize {
        self.used().checked_sub(1).map_or(0, |last| self.entries[last].end.into())
    }

    fn remove(&mut self, at: usize) {
        let (Entry { begin, end, .. }, last) = (self.entries[at], self.filled());
        self.bytes.copy_within(usize::from(end)..last, begin.into());
        let used = self.used();
        self.objects[at..used].rotate_left(1);
        self.entries[at..used].rotate_left(1);
        self.objects[used - 1] = NOBODY;
        for entry in &mut self.entries[at..used - 1] {
            entry.begin -= end - begin;
            entry.end -= end - begin;
        }
    }
}

/// Number of buckets for so many directories.
fn count_for(directories: u64) -> u32 {
    (directories / SHARING).clamp(MIN_BUCKETS as u64, MAX_BUCKETS as u64) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(renderings: &Renderings, stamps: &Stamps, now: u32, object: u32) -> Option<(u32, Vec<u8>)> {
        let mut out = b"before".to_vec();
        let put = |instance, bytes: &[u8]| {
            out.extend_from_slice(bytes);
            instance
        };
        let instance = renderings.read(stamps, now, (object, Form::PLAIN), put);
        assert_eq!(&out[..6], b"before");
        assert!(instance.is_some() || out.len() == 6, "nothing is written that is not known");
        instance.map(|instance| (instance, out.split_off(6)))
    }

    #[test]
    fn a_bucket_fills_its_size() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (BUCKET, LINE));
        assert_eq!(PIECE * BUCKET, 126 << 10);
    }

    #[test]
    fn what_was_made_is_known_until_the_record_changes() {
        let (renderings, stamps) = (Renderings::new(1), Stamps::new(11));
        assert_eq!(known(&renderings, &stamps, 2, 7), None);
        renderings.keep(&stamps, 2, (7, Form::PLAIN), 40, b"seven");
        for now in [1, 2, 3] {
            assert_eq!(known(&renderings, &stamps, now, 7), Some((40, b"seven".to_vec())));
        }
        assert_eq!(
            known(&renderings, &stamps, 2, 7 + MIN_BUCKETS as u32),
            None,
            "another of the same bucket"
        );
        renderings.mark(3, 7);
        assert_eq!((known(&renderings, &stamps, 2, 7), known(&renderings, &stamps, 3, 7)), (None, None));
        renderings.keep(&stamps, 2, (7, Form::PLAIN), 40, b"seven");
        assert_eq!(known(&renderings, &stamps, 3, 7), None, "found before the change");
        renderings.keep(&stamps, 3, (7, Form::PLAIN), 41, b"new");
        assert_eq!(known(&renderings, &stamps, 2, 7), None);
        assert_eq!(known(&renderings, &stamps, 3, 7), Some((41, b"new".to_vec())));
        stamps.raise_floor(20);
        assert_eq!(known(&renderings, &stamps, 10, 7), None);
    }

    #[test]
    fn marks_need_no_buckets() {
        let (renderings, stamps) = (Renderings::new(1), Stamps::new(11));
        renderings.mark(3, 7);
        assert_eq!(renderings.buckets.made(), 0);
        renderings.keep(&stamps, 2, (7, Form::PLAIN), 40, b"seven");
        assert_eq!(known(&renderings, &stamps, 3, 7), None);
    }

    #[test]
    fn there_is_room_for_as_many_as_there_are() {
        let (renderings, stamps) = (Renderings::new(1), Stamps::new(11));
        assert!(!renderings.is_short(SHARING * MIN_BUCKETS as u64));
        assert!(renderings.is_short(u64::MAX));
        renderings.make_room(u64::MAX);
        assert_eq!(renderings.count.load(Ordering::Relaxed) as usize, MAX_BUCKETS);
        renderings.keep(&stamps, 2, (NOBODY - 1, Form::PLAIN), 1, &[1; ROOM]);
        assert!(known(&renderings, &stamps, 2, NOBODY - 1).is_some());
        assert!(known(&renderings, &stamps, 2, NOBODY).is_none());
        renderings.keep(&stamps, 2, (NOBODY - 1, Form::PLAIN), 1, &[1; ROOM + 1]);
        assert_eq!(known(&renderings, &stamps, 2, NOBODY - 1).unwrap().1.len(), ROOM, "too long: not taken");
    }

    #[test]
    fn forms_are_told_apart() {
        let (renderings, stamps) = (Renderings::new(1), Stamps::new(11));
        let read = |number| renderings.read(&stamps, 2, (7, Form::new(number)), |_, bytes| bytes.to_vec());
        for number in [1, u64::MAX, 1 << 32] {
            renderings.keep(&stamps, 2, (7, Form::new(number)), 40, &number.to_be_bytes());
        }
        renderings.keep(&stamps, 2, (7, Form::PLAIN), 40, b"plain");
        for number in [1, u64::MAX, 1 << 32] {
            assert_eq!(read(number), Some(number.to_be_bytes().to_vec()));
        }
        assert_eq!((known(&renderings, &stamps, 2, 7), read(2)), (Some((40, b"plain".to_vec())), None));
        renderings.mark(3, 7);
        assert_eq!(read(1), None, "all of them end with the record");
    }

    proptest! {
        /// Whatever is kept in a bucket and marked: what comes back is what was kept last of that object.
        #[test]
        fn buckets_hold_what_they_were_given(
            steps in prop::collection::vec((0..20u32, prop_oneof![0..300usize, 0..=ROOM], 0..9), 1..90),
        ) {
            let (renderings, stamps) = (Renderings::new(1), Stamps::new(1));
            let mut last: [Option<(u32, Vec<u8>)>; 20] = Default::default();
            for (now, (object, len, change)) in (2..).zip(steps) {
                let place = object * MIN_BUCKETS as u32;
                if change == 0 {
                    renderings.mark(now, place);
                    last = Default::default();
                }
                let bytes = vec![now as u8; len];
                renderings.keep(&stamps, now, (place, Form::PLAIN), now, &bytes);
                last[object as usize] = Some((now, bytes));
                prop_assert_eq!(&known(&renderings, &stamps, now, place), &last[object as usize]);
                for (object, last) in last.iter().enumerate() {
                    let found = known(&renderings, &stamps, now, object as u32 * MIN_BUCKETS as u32);
                    prop_assert!(found.is_none() || found == *last);
                }
            }
        }
    }
}

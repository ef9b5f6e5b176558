//! What the indexes answered lately, in memory: most look-ups need no way down an index.
//!
//! In a large domain that way is what a look-up costs: four pages, each of them in no cache of the processor. Here it is one
//! line of 64 bytes. What is remembered of the name index is that *one* child, and no other, has a value; of the value index
//! that one directory of the domain has it, or none. Everything else the indexes are asked for.
//!
//! * `renderings`: records in the form in which they are sent;
//! * `marks`: which changes make which answers obsolete;
//! * `stamps`: numbers of transactions in half a word;
//! * `pieces`: large tables that are made piece by piece; `fetch`: lines of memory that will be wanted soon.
//!
//! # Why an answer is right
//!
//! Transactions have numbers. A snapshot sees those up to its own; the writer's is one more. Before the writer changes
//! what the index would answer to a question, it *marks* the line of the question with its number, and only then can it
//! commit. An answer carries the number of the snapshot that it was found in. It holds for a snapshot if neither is older than the mark: then
//! nothing has happened to that question between the two. So an answer found in an old snapshot and put here late is as harmless
//! as a mark whose transaction came to nothing. Whatever changes everything at once raises the *floor*, the mark
//! of all lines.
//!
//! Questions are told apart by 64 bits of a hash whose key nobody knows (SipHash): two that fall together by chance are
//! rarer than a bit that flips in memory, and cannot be made on purpose.

mod fetch;
mod marks;
mod pieces;
mod renderings;
mod stamps;

pub(crate) use marks::{FORGETTING, mark, mark_change};

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

use fetch::fetch;
use pieces::{Piece, Pieces};
use renderings::Renderings;
use stamps::Stamps;

use crate::model::Form;

/// Lines that are made together: 128 KiB.
const PIECE: usize = 1 << 11;
/// Fewest lines of a domain.
const MIN_LINES: usize = 1 << 7;
/// Most lines of a domain: 16 MiB, for 780,000 answers. Taken up only as far as the domain is large and asked for.
const MAX_LINES: usize = 1 << 18;
/// Answers in a line.
const WAYS: usize = 3;

/// Answers of one domain's indexes.
pub(crate) struct Remembered {
    key: RandomState,
    stamps: Stamps,
    /// Number of lines in use less one; a power of two less one.
    mask: AtomicUsize,
    lines: Pieces<Line, PIECE>,
    renderings: Renderings,
}

/// One line of the processor's cache.
#[derive(Default)]
#[repr(align(64))]
struct Line {
    /// Stamp of the last transaction that changed an answer of this line, if it was committed.
    mark: AtomicU32,
    answers: [Answer; WAYS],
}

/// An answer: the stamp of the snapshot and the object in one word, and that word with the hash of the question mixed in.
/// Two that write here at once leave behind what fits no question.
#[derive(Default)]
struct Answer {
    mixed: AtomicU64,
    word: AtomicU64,
}

/// The hash of a question.
#[derive(Clone, Copy)]
pub(crate) struct Question(u64);

impl Remembered {
    /// For a store of so many directories that is opened by transaction `opening`, which may come to nothing; there are no
    /// snapshots from before the one in front of it.
    pub(crate) fn new(opening: usize, directories: u64) -> Self {
        Self {
            key: RandomState::new(),
            stamps: Stamps::new(opening),
            mask: AtomicUsize::new(mask_for(directories)),
            lines: Pieces::new(MAX_LINES),
            renderings: Renderings::new(directories),
        }
    }

    /// Which child of `parent` has `value` in its first property `name`?
    pub(crate) fn question(&self, parent: u32, name: &[u8], value: &[u8]) -> Question {
        let mut hasher = self.key.build_hasher();
        hasher.write_u32(parent);
        hasher.write_usize(name.len());
        hasher.write(name);
        hasher.write(value);
        Question(hasher.finish())
    }

    /// The answer, if it is known, for the snapshot of transaction `snapshot`.
    pub(crate) fn get(&self, snapshot: usize, question: Question) -> Option<u32> {
        // The snapshot was chosen before anything is looked at here.
        fence(Ordering::Acquire);
        let now = self.stamps.of(snapshot)?;
        let (piece, number) = self.place(question);
        let line = piece.get(number)?;
        let word = line.answers.iter().find_map(|answer| answer.get(question))?;
        // After the answer: whoever found it in a later snapshot has seen the marks of that snapshot, and so do we.
        let mark = self.last_mark(piece, line);
        (found(word) >= mark && now >= mark).then_some(word as u32)
    }

    /// Keeps an answer that was found in the snapshot of transaction `snapshot`.
    pub(crate) fn put(&self, snapshot: usize, question: Question, object: u32) {
        let Some(now) = self.stamps.of(snapshot) else { return };
        let (piece, number) = self.place(question);
        let line = piece.get_or_make(number);
        let mark = self.last_mark(piece, line);
        if now < mark {
            return;
        }
        let same = line.answers.iter().find(|answer| answer.get(question).is_some());
        let stale =
            || line.answers.iter().find(|answer| found(answer.word.load(Ordering::Relaxed)) < mark.max(1));
        let answer = same.or_else(stale).unwrap_or(&line.answers[(question.0 >> 32) as usize % WAYS]);
        answer.set(question, u64::from(now) << 32 | u64::from(object));
    }

    /// Transaction `writer` is about to change the answer to a question.
    pub(crate) fn mark(&self, writer: usize, question: Question) {
        let Some(stamp) = self.stamps.of(writer) else { return self.mark_all(writer) };
        let (piece, number) = self.place(question);
        match piece.get(number) {
            Some(line) => line.mark.store(stamp, Ordering::Release),
            None => piece.mark(stamp),
        }
    }

    /// Transaction `writer` is about to change any number of answers.
    pub(crate) fn mark_all(&self, writer: usize) {
        self.stamps.raise_floor(writer);
    }

    /// Transaction `writer` is about to change a record.
    pub(crate) fn mark_record(&self, writer: usize, object: u32) {
        match self.stamps.of(writer) {
            Some(stamp) => self.renderings.mark(stamp, object),
            None => self.mark_all(writer),
        }
    }

    /// What `read` makes of what was made of a record in a form, if that is known for the snapshot of transaction `snapshot`; it is
    /// given the record's instance, too.
    pub(crate) fn read_rendering<T>(
        &self,
        snapshot: usize,
        what: (u32, Form),
        read: impl FnOnce(u32, &[u8]) -> T,
    ) -> Option<T> {
        // As in `get`.
        fence(Ordering::Acquire);
        self.renderings.read(&self.stamps, self.stamps.of(snapshot)?, what, read)
    }

    /// Keeps what was made of a record that was found in the snapshot of transaction `snapshot`.
    pub(crate) fn keep_rendering(&self, snapshot: usize, what: (u32, Form), instance: u32, bytes: &[u8]) {
        if let Some(stamp) = self.stamps.of(snapshot) {
            self.renderings.keep(&self.stamps, stamp, what, instance, bytes);
        }
    }

    /// This question will be asked soon.
    pub(crate) fn fetch_answer(&self, question: Question) {
        let (piece, number) = self.place(question);
        if let Some(line) = piece.get(number) {
            fetch(line);
        }
    }

    /// What was made of this record will be wanted soon.
    pub(crate) fn fetch_rendering(&self, object: u32) {
        self.renderings.fetch(object);
    }

    /// Transaction `writer` leaves a domain of so many directories behind: makes room for their answers.
    pub(crate) fn make_room(&self, writer: usize, directories: u64) {
        let mask = mask_for(directories);
        if mask > self.mask.load(Ordering::Relaxed) {
            // A question has another line now, which knows nothing of what was marked in the old one.
            self.mark_all(writer);
            self.mask.store(mask, Ordering::Release);
        }
        if self.renderings.is_short(directories) {
            self.mark_all(writer);
            self.renderings.make_room(directories);
        }
    }

    /// The piece and the number of the line for a question.
    fn place(&self, question: Question) -> (&Piece<Line, PIECE>, usize) {
        let number = question.0 as usize & self.mask.load(Ordering::Acquire);
        (self.lines.piece(number), number)
    }

    /// The stamp before which nothing in a line holds.
    fn last_mark(&self, piece: &Piece<Line, PIECE>, line: &Line) -> u32 {
        let mark = line.mark.load(Ordering::Acquire).max(piece.marked());
        mark.max(self.stamps.floor())
    }
}

impl Answer {
    /// The word, if it answers the question.
    fn get(&self, question: Question) -> Option<u64> {
        let word = self.word.load(Ordering::Acquire);
        (word != 0 && self.mixed.load(Ordering::Acquire) ^ word == question.0).then_some(word)
    }

    fn set(&self, question: Question, word: u64) {
        self.mixed.store(question.0 ^ word, Ordering::Release);
        self.word.store(word, Ordering::Release);
    }
}

/// Number of lines for so many directories, less one.
fn mask_for(directories: u64) -> usize {
    let wanted = usize::try_from(directories).map_or(MAX_LINES, |n| n.clamp(MIN_LINES, MAX_LINES));
    wanted.next_power_of_two() - 1
}

/// Stamp of the snapshot in which an answer was found.
fn found(word: u64) -> u32 {
    (word >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::View;
    use crate::{Batch, Change, Credentials, Node, Options, Origin, Property, ROOT, Target};

    fn fresh() -> (Remembered, Question) {
        let remembered = Remembered::new(11, 1);
        let question = remembered.question(1, b"name", b"alice");
        (remembered, question)
    }

    #[test]
    fn a_line_is_one_of_the_processors() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
    }

    #[test]
    fn what_was_found_is_known_until_it_is_marked() {
        let (remembered, question) = fresh();
        assert_eq!(remembered.get(12, question), None);
        remembered.put(12, question, 7);
        for snapshot in [10, 11, 12, 13] {
            assert_eq!(remembered.get(snapshot, question), Some(7), "nothing has happened to it: {snapshot}");
        }
        let other = remembered.question(1, b"nam", b"ealice");
        assert_eq!(remembered.get(12, other), None);

        remembered.mark(13, question);
        assert_eq!(remembered.get(12, question), None, "the old snapshot cannot tell");
        assert_eq!(remembered.get(13, question), None);
        remembered.put(12, question, 7);
        assert_eq!(remembered.get(12, question), None, "too late");
        remembered.put(13, question, 9);
        assert_eq!(remembered.get(12, question), None);
        assert_eq!(remembered.get(13, question), Some(9));
    }

    #[test]
    fn marks_need_no_lines() {
        let (remembered, question) = fresh();
        remembered.mark(13, question);
        assert_eq!(remembered.lines.made(), 0);
        remembered.put(12, question, 7);
        assert_eq!(remembered.get(13, question), None, "found before the change");
        remembered.put(13, question, 9);
        assert_eq!((remembered.get(12, question), remembered.get(13, question)), (None, Some(9)));
    }

    #[test]
    fn an_answer_that_comes_late_does_not_hold() {
        let (remembered, question) = fresh();
        // As if the writer had marked between the look at the mark and the keeping of the answer.
        remembered.put(10, question, 7);
        remembered.mark(13, question);
        let (piece, number) = remembered.place(question);
        piece.get(number).unwrap().answers[0]
            .set(question, u64::from(remembered.stamps.of(12).unwrap()) << 32 | 7);
        for snapshot in [12, 13, 14] {
            assert_eq!(remembered.get(snapshot, question), None);
        }
    }

    #[test]
    fn everything_is_forgotten_at_once_and_when_there_is_more_room() {
        let (remembered, question) = fresh();
        remembered.put(12, question, 7);
        remembered.mark_all(13);
        assert_eq!(remembered.get(13, question), None);
        remembered.put(13, question, 7);
        assert_eq!(remembered.get(13, question), Some(7));
        remembered.make_room(14, MIN_LINES as u64);
        assert_eq!(remembered.get(13, question), Some(7), "there is room enough");
        remembered.make_room(15, u64::MAX);
        assert_eq!(remembered.mask.load(Ordering::Relaxed), MAX_LINES - 1);
        assert_eq!(remembered.get(15, question), None);
        remembered.put(14, question, 7);
        assert_eq!(remembered.get(15, question), None);
        remembered.put(15, question, 7);
        assert_eq!(remembered.get(15, question), Some(7));
    }

    #[test]
    fn lines_hold_three_answers_and_the_table_is_bounded() {
        let (remembered, _) = fresh();
        let line = |n: u64| Question(n << 40);
        for n in 1..=9 {
            remembered.put(12, line(n), n as u32);
        }
        let known = (1..=9).filter(|n| remembered.get(12, line(*n)) == Some(*n as u32)).count();
        assert!((1..=WAYS).contains(&known), "{known}");
        assert!(MAX_LINES * size_of::<Line>() <= 16 << 20);
        assert_eq!(PIECE * size_of::<Line>(), 128 << 10);
        assert_eq!(remembered.lines.made(), 1);
    }

    #[test]
    fn two_writers_at_once_leave_nothing_wrong() {
        let (remembered, question) = fresh();
        let other = remembered.question(1, b"name", b"bob");
        remembered.put(12, question, 7);
        let (piece, number) = remembered.place(question);
        let answer = &piece.get(number).unwrap().answers[0];
        answer.mixed.store(question.0 ^ (3 << 32 | 7), Ordering::Relaxed);
        answer.word.store(3 << 32 | 8, Ordering::Relaxed);
        assert_eq!((answer.get(question), answer.get(other)), (None, None));
    }

    #[test]
    fn stamps_end() {
        let (remembered, question) = fresh();
        let last = 10 + u32::MAX as usize - 2;
        remembered.put(last, question, 7);
        assert_eq!(remembered.get(last, question), Some(7));
        remembered.put(last + 1, question, 7);
        assert_eq!(remembered.get(last + 1, question), None);
        remembered.mark(last + 1, question);
        assert_eq!(remembered.get(last, question), None);
        assert_eq!(remembered.get(9, question), None, "from before the domain was opened");
    }

    #[test]
    fn a_domain_that_nobody_changes_remembers_too() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { map_size: 64 << 20, ..Options::default() };
        for opening in 0..3 {
            let (node, _) = Node::open(dir.path(), options.clone(), true).unwrap();
            let domain = node.domain("x").unwrap_or_else(|| node.create_master("x", 1).unwrap());
            let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
            if opening == 0 {
                // So many that the next opening makes more room than the least.
                let many = |batch: &mut Batch<'_, '_, '_>| {
                    for n in 0..MIN_LINES * 3 {
                        let properties = vec![Property::new("name", [format!("d{n}")])];
                        let parent = Target::any(ROOT);
                        batch.apply(Change::Create { parent, properties, position: u32::MAX })?;
                    }
                    Ok(())
                };
                domain.batch(&session, 1, many).unwrap();
            }
            let view = View::new(domain.store(), true).unwrap();
            let found = view.lookup_first(ROOT, b"name", b"machines").unwrap();
            let remembered = &domain.store().remembered;
            let question = remembered.question(ROOT, b"name", b"machines");
            assert!(found.is_some());
            assert_eq!(remembered.get(view.state_number() as usize, question), found);
        }
    }
}

//! Candidates for a term.

use roaring::RoaringBitmap;

use super::set::{self, CHUNK_BITS, CHUNK_KEY, Set, chunk_key, chunk_of};
use super::terms::{Entry, GRAM, IRREGULAR, ODD, PRESENT, is_indexed, put_piece, put_property};
use super::{Term, Time};
use crate::error::Result;
use crate::fold::{FOLD_KEPT, Shape, shaped, spelled};
use crate::pending;
use crate::stamp;
use crate::store::keys::be_u32;
use crate::times;
use crate::view::View;

/// Entries that an estimate looks at, at most.
const LOOKED_AT: usize = 256;
/// Chunks of `pieces` that an estimate looks at, at most.
const SAMPLES: u32 = 8;
/// Remembered of keys that no directory has an entry under. No directory has this number.
const NOBODY: u32 = u32::MAX;

impl View<'_> {
    /// About how many directories [`View::collect`] would give for this term, at little cost: for plans. What is exact for
    /// few directories is a guess for many.
    pub fn estimate(&self, term: Term<'_>) -> Result<u64> {
        let plan = plan(term);
        let mut count = 0;
        self.each_pending(&plan, |_| count += 1)?;
        match plan {
            Plan::Values { keys, property } => {
                for key in keys {
                    count += match self.count_values(&key)? {
                        Some(count) => count,
                        None => return self.count_piece(property, Entry::Kind(PRESENT)),
                    };
                }
                Ok(count)
            }
            Plan::Beginning { start, property } => {
                let mut left = LOOKED_AT;
                count += self.count_piece(property, Entry::Kind(IRREGULAR))?;
                for entry in self.parts().0.values.prefix_iter(self.parts().1, &start)? {
                    let Some(rest) = left.checked_sub(1) else {
                        return self.count_piece(property, Entry::Kind(PRESENT));
                    };
                    (count, left) = (count + set::len(entry?.1), rest);
                }
                Ok(count)
            }
            Plan::Pieces { property, grams } => Ok(count + self.sample(property, &grams)?),
            Plan::Kind { property, kind } => Ok(count + self.count_piece(property, Entry::Kind(kind))?),
            Plan::Time { time: Time::Created, .. } => self.directories(),
            Plan::Time { time: Time::Modified, from, to } => {
                let (store, txn) = self.parts();
                let found = store.times.range(txn, &stamp::time_range(from, to))?.take(LOOKED_AT).count();
                if found < LOOKED_AT { Ok(found as u64) } else { self.directories() }
            }
        }
    }

    /// Adds the candidates for a term to `out`: all directories that satisfy it, and perhaps others. For secret properties,
    /// whose values are not indexed, these are all that have the property.
    pub fn collect(&self, term: Term<'_>, out: &mut RoaringBitmap) -> Result<()> {
        let (store, txn) = self.parts();
        if let Term::Equal { property, value } = term
            && self.add_known(property, value, out)
        {
            return Ok(());
        }
        let plan = plan(term);
        if let Plan::Values { keys, .. } = &plan
            && self.add_remembered(keys, out)
        {
            return Ok(());
        }
        let mut entered = true;
        self.each_pending(&plan, |object| {
            entered = false;
            out.insert(object);
        })?;
        match plan {
            Plan::Values { keys, .. } => {
                for key in keys {
                    let mut found = Few::None;
                    self.each_value(&key, |chunk, bytes| {
                        found.add(chunk, bytes);
                        set::add(chunk, bytes, out);
                        true
                    })?;
                    // What is pending may have gone from a directory that is still found, which would be remembered then.
                    if entered
                        && let Some(answer) = found.answer()
                        && !pending::is_noted(store, txn, answer)?
                    {
                        let question = store.remembered.value_question(&key);
                        store.remembered.put(txn.id(), question, answer);
                    }
                }
                Ok(())
            }
            Plan::Beginning { start, property } => {
                for entry in store.values.prefix_iter(txn, &start)? {
                    let (key, bytes) = entry?;
                    set::add(last_chunk(key), bytes, out);
                }
                self.add_kind(property, IRREGULAR, out)
            }
            Plan::Pieces { property, grams } => {
                let mut keys = PieceKeys::new(property, &grams);
                for chunk in 0..self.chunks()? {
                    self.with_pieces(chunk, &mut keys)?.add_to(chunk, out);
                }
                Ok(())
            }
            Plan::Kind { property, kind } => self.add_kind(property, kind, out),
            Plan::Time { time: Time::Modified, from, to } => {
                for entry in store.times.range(txn, &stamp::time_range(from, to))? {
                    out.insert(stamp::timed_object(entry?.0));
                }
                Ok(())
            }
            Plan::Time { time: Time::Created, from, to } => {
                for entry in store.stamps.iter(txn)? {
                    let (key, bytes) = entry?;
                    let object = be_u32(key);
                    let created = stamp::parse(object, bytes)?.created;
                    if created != 0 && (from..=to).contains(&created) {
                        out.insert(object);
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds what is remembered of the objects with a value, where that takes one key; `false` if it does not, or nothing is.
    fn add_known(&self, property: &[u8], value: &[u8], out: &mut RoaringBitmap) -> bool {
        if !is_indexed(property) || times::canonical(value).is_some() {
            return false;
        }
        self.add_remembered(&[key_of(property, value)], out)
    }

    /// Adds what is remembered of the objects under these keys; `false` if that is not all.
    fn add_remembered(&self, keys: &[Vec<u8>], out: &mut RoaringBitmap) -> bool {
        let (store, txn) = self.parts();
        for key in keys {
            match store.remembered.get(txn.id(), store.remembered.value_question(key)) {
                Some(NOBODY) => {}
                Some(object) => _ = out.insert(object),
                None => return false,
            }
        }
        true
    }

    /// Whether there can be a value in a property of this name, in any case, anywhere in the domain. Always for properties
    /// whose values are not indexed.
    pub fn has_values(&self, property: &[u8]) -> Result<bool> {
        if !is_indexed(property) {
            return Ok(true);
        }
        let (store, txn) = self.parts();
        if !pending::is_empty(store, txn)? {
            return Ok(true);
        }
        let mut start = Vec::new();
        put_property(property, &mut start);
        Ok(store.values.prefix_iter(txn, &start)?.next().transpose()?.is_some())
    }

    /// Calls `each` with the directories whose entries are pending and which may satisfy a plan.
    fn each_pending(&self, plan: &Plan<'_>, mut each: impl FnMut(u32)) -> Result<()> {
        let (store, txn) = self.parts();
        if matches!(plan, Plan::Time { .. }) || pending::is_empty(store, txn)? {
            return Ok(());
        }
        let hashes: Option<Vec<u32>> = match plan {
            Plan::Values { keys, .. } => Some(keys.iter().map(|key| pending::value_hash(key)).collect()),
            _ => None,
        };
        pending::notes(store, txn)?.try_for_each(|note| {
            let note = note?;
            if hashes.as_ref().is_none_or(|hashes| hashes.iter().any(|hash| note.has(*hash))) {
                each(note.object);
            }
            Ok(())
        })
    }

    /// Number of chunks that may have objects.
    fn chunks(&self) -> Result<u32> {
        Ok(chunk_of(self.highest_object()?) + 1)
    }

    /// Calls `each` with chunk and set of every entry of `values` under a key, while it returns true.
    fn each_value(&self, key: &[u8], mut each: impl FnMut(u32, &[u8]) -> bool) -> Result<()> {
        let (store, txn) = self.parts();
        for entry in store.values.prefix_iter(txn, key)? {
            let (found, bytes) = entry?;
            if found.len() == key.len() + CHUNK_KEY && !each(last_chunk(found), bytes) {
                break;
            }
        }
        Ok(())
    }

    /// Number of objects under a key of `values`; `None` if that would take long to say.
    fn count_values(&self, key: &[u8]) -> Result<Option<u64>> {
        let (mut count, mut left) = (0, LOOKED_AT);
        self.each_value(key, |_, bytes| {
            left -= 1;
            count += set::len(bytes);
            left > 0
        })?;
        Ok((left > 0).then_some(count))
    }

    fn count_piece(&self, property: &[u8], entry: Entry<'_>) -> Result<u64> {
        let (store, txn) = self.parts();
        let mut key = PieceKey::new(property, entry);
        let mut count = 0;
        for chunk in 0..self.chunks()? {
            count += store.pieces.get(txn, key.of(chunk))?.map_or(0, set::len);
        }
        Ok(count)
    }

    fn add_kind(&self, property: &[u8], kind: u8, out: &mut RoaringBitmap) -> Result<()> {
        let (store, txn) = self.parts();
        let mut key = PieceKey::new(property, Entry::Kind(kind));
        for chunk in 0..self.chunks()? {
            if let Some(bytes) = store.pieces.get(txn, key.of(chunk))? {
                set::add(chunk, bytes, out);
            }
        }
        Ok(())
    }

    /// The objects of a chunk that have all pieces, or values that are not in pieces.
    fn with_pieces(&self, chunk: u32, keys: &mut PieceKeys) -> Result<Set> {
        let (store, txn) = self.parts();
        let mut found: Option<Set> = None;
        for key in &mut keys.grams {
            let set = store.pieces.get(txn, key.of(chunk))?.map(Set::decode).unwrap_or_default();
            match &mut found {
                Some(found) => found.intersect(&set),
                None => found = Some(set),
            }
            if found.as_ref().is_some_and(Set::is_empty) {
                break;
            }
        }
        let mut found = found.unwrap_or_default();
        if let Some(bytes) = store.pieces.get(txn, keys.odd.of(chunk))? {
            found.unite(&Set::decode(bytes));
        }
        Ok(found)
    }

    /// As many as some of the chunks let expect.
    fn sample(&self, property: &[u8], grams: &[[u8; GRAM]]) -> Result<u64> {
        let mut keys = PieceKeys::new(property, grams);
        let chunks = self.chunks()?;
        let samples = chunks.min(SAMPLES);
        let mut count = 0;
        for sample in 0..samples {
            let chunk = (u64::from(sample) * u64::from(chunks) / u64::from(samples)) as u32;
            count += self.with_pieces(chunk, &mut keys)?.len() as u64;
        }
        Ok(count * u64::from(chunks) / u64::from(samples))
    }
}

/// What has been found under a key, as far as it can be remembered.
enum Few {
    None,
    One(u32),
    More,
}

impl Few {
    /// Adds a set of a chunk.
    fn add(&mut self, chunk: u32, bytes: &[u8]) {
        *self = match (&self, set::only(chunk, bytes)) {
            (Self::None, Some(object)) => Self::One(object),
            _ => Self::More,
        };
    }

    fn answer(&self) -> Option<u32> {
        match self {
            Self::None => Some(NOBODY),
            Self::One(object) => Some(*object),
            Self::More => None,
        }
    }
}

/// How a term is answered.
enum Plan<'a> {
    /// The objects under any of these keys.
    Values { property: &'a [u8], keys: Vec<Vec<u8>> },
    /// Those under all keys that begin like this, and the irregular ones.
    Beginning { property: &'a [u8], start: Vec<u8> },
    /// Those that have all these pieces, and those whose values are not in pieces.
    Pieces { property: &'a [u8], grams: Vec<[u8; GRAM]> },
    /// Those with an entry of this kind.
    Kind { property: &'a [u8], kind: u8 },
    /// Those with a time in this range.
    Time { time: Time, from: u64, to: u64 },
}

fn plan(term: Term<'_>) -> Plan<'_> {
    let mut fold = Vec::new();
    let (property, part, prefix) = match term {
        Term::Present { property } => return Plan::Kind { property, kind: PRESENT },
        // 0 is no time, but says that it is not known.
        Term::Time { time, from, to } => return Plan::Time { time, from: from.max(1), to },
        Term::Equal { property, .. } | Term::Prefix { property, .. } | Term::Contains { property, .. }
            if !is_indexed(property) =>
        {
            return Plan::Kind { property, kind: PRESENT };
        }
        Term::Equal { property, value } => return equal(property, value),
        Term::Prefix { property, prefix } => (property, prefix, true),
        Term::Contains { property, piece } => (property, piece, false),
    };
    let shape = spelled(part, &mut fold);
    // A number may have lost the zeros it began with.
    let zeros = prefix && fold.first() == Some(&b'0') && fold.iter().all(u8::is_ascii_digit);
    let least = if prefix { 1 } else { GRAM };
    if std::str::from_utf8(part).is_err() || fold.len() < least || zeros {
        return Plan::Kind { property, kind: PRESENT };
    }
    if shape == Shape::Irregular {
        // What makes the part so makes every value so that has it.
        return Plan::Kind { property, kind: IRREGULAR };
    }
    if prefix {
        let mut start = Vec::new();
        put_property(property, &mut start);
        start.extend_from_slice(&fold[..fold.len().min(FOLD_KEPT)]);
        return Plan::Beginning { property, start };
    }
    let mut grams: Vec<_> = fold.windows(GRAM).map(|gram| [gram[0], gram[1], gram[2]]).collect();
    grams.sort_unstable();
    grams.dedup();
    Plan::Pieces { property, grams }
}

fn equal<'a>(property: &'a [u8], value: &[u8]) -> Plan<'a> {
    let time = times::canonical(value).map(|time| key_of(property, &time));
    Plan::Values { property, keys: [key_of(property, value)].into_iter().chain(time).collect() }
}

/// The key of a value, as `put_value` makes it of its fold.
fn key_of(property: &[u8], value: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(property.len() + value.len() + 2 + CHUNK_KEY);
    put_property(property, &mut key);
    shaped(value, &mut key);
    key.push(0);
    key
}

/// The chunk at the end of a key of `values`.
fn last_chunk(key: &[u8]) -> u32 {
    let chunk = key.last_chunk::<CHUNK_KEY>().copied().unwrap_or_default();
    u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]) & (u32::MAX >> CHUNK_BITS)
}

/// A key of `pieces` with room for the chunk.
struct PieceKey(Vec<u8>);

impl PieceKey {
    fn new(property: &[u8], entry: Entry<'_>) -> Self {
        let mut key = vec![0; CHUNK_KEY];
        put_piece(property, entry, &mut key);
        Self(key)
    }

    fn of(&mut self, chunk: u32) -> &[u8] {
        self.0[..CHUNK_KEY].copy_from_slice(&chunk_key(chunk));
        &self.0
    }
}

struct PieceKeys {
    grams: Vec<PieceKey>,
    odd: PieceKey,
}

impl PieceKeys {
    fn new(property: &[u8], grams: &[[u8; GRAM]]) -> Self {
        Self {
            grams: grams.iter().map(|gram| PieceKey::new(property, Entry::Gram(*gram))).collect(),
            odd: PieceKey::new(property, Entry::Kind(ODD)),
        }
    }
}

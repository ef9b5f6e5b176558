//! Sets of objects as the value index stores them: about one chunk of 4,096 object ids each.

use roaring::RoaringBitmap;

/// Bits of an object id that say which object of a chunk it is.
pub(crate) const CHUNK_BITS: u32 = 12;
/// Objects of a chunk.
pub(crate) const CHUNK: u32 = 1 << CHUNK_BITS;
/// Bytes of a set in the form of a bitmap.
const BITMAP: usize = CHUNK as usize / 8;
/// Fewest members for which a bitmap is no longer than a list.
const DENSE: usize = BITMAP / 2;
const WORDS: usize = CHUNK as usize / 64;

/// The chunk that an object belongs to.
pub(crate) fn chunk_of(object: u32) -> u32 {
    object >> CHUNK_BITS
}

/// Bytes of a chunk's number in a key.
pub(crate) const CHUNK_KEY: usize = 3;

/// A chunk's number in a key.
pub(crate) fn chunk_key(chunk: u32) -> [u8; CHUNK_KEY] {
    let [_, a, b, c] = chunk.to_be_bytes();
    [a, b, c]
}

/// A set taken out of its stored form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Set([u64; WORDS]);

impl Default for Set {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl Set {
    /// Reads the stored form. Members that a damaged one has beyond the chunk are dropped.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut set = Self::default();
        match bytes.len() {
            0 => set.0 = [u64::MAX; WORDS],
            BITMAP => {
                for (word, bytes) in set.0.iter_mut().zip(bytes.chunks_exact(8)) {
                    *word = bytes.try_into().map_or(0, u64::from_le_bytes);
                }
            }
            _ => members(bytes).for_each(|member| {
                set.insert(member);
            }),
        }
        set
    }

    /// Appends the stored form. Of an empty set there is none.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self.len() {
            all if all == CHUNK as usize => {}
            DENSE.. => self.0.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes())),
            _ => {
                for (at, &word) in self.0.iter().enumerate() {
                    let mut left = word;
                    while left != 0 {
                        let member = at as u32 * 64 + left.trailing_zeros();
                        out.extend_from_slice(&(member as u16).to_le_bytes());
                        left &= left - 1;
                    }
                }
            }
        }
    }

    /// Adds the object with this number in its chunk; tells whether it was not there.
    pub(crate) fn insert(&mut self, object: u32) -> bool {
        let (word, bit) = place(object);
        let before = self.0[word];
        self.0[word] |= bit;
        self.0[word] != before
    }

    /// Takes it out; tells whether it was there.
    pub(crate) fn remove(&mut self, object: u32) -> bool {
        let (word, bit) = place(object);
        let before = self.0[word];
        self.0[word] &= !bit;
        self.0[word] != before
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Keeps what is in `other` too.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
    }

    /// Adds all of `other`.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    /// Adds the members, which are of this chunk, to a set of objects.
    pub(crate) fn add_to(&self, chunk: u32, out: &mut RoaringBitmap) {
        let mut bytes = Vec::with_capacity(BITMAP);
        self.encode(&mut bytes);
        if !self.is_empty() {
            add(chunk, &bytes, out);
        }
    }
}

fn place(object: u32) -> (usize, u64) {
    let low = object % CHUNK;
    (low as usize / 64, 1 << (low % 64))
}

fn members(list: &[u8]) -> impl Iterator<Item = u32> + '_ {
    list.chunks_exact(2).map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])) % CHUNK)
}

/// Number of members of a stored set.
pub(crate) fn len(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0 => u64::from(CHUNK),
        BITMAP => bytes.iter().map(|byte| u64::from(byte.count_ones())).sum(),
        list => list as u64 / 2,
    }
}

/// The member of a stored set, which is of this chunk, if it has only one.
pub(crate) fn only(chunk: u32, bytes: &[u8]) -> Option<u32> {
    let low = bytes.try_into().ok().map(u16::from_le_bytes)?;
    Some((chunk << CHUNK_BITS) + u32::from(low) % CHUNK)
}

/// Whether an object is in a stored set.
pub(crate) fn has(bytes: &[u8], object: u32) -> bool {
    let low = object % CHUNK;
    match bytes.len() {
        0 => true,
        BITMAP => bytes[low as usize / 8] & 1 << (low % 8) != 0,
        _ => members(bytes).any(|member| member == low),
    }
}

/// The stored form of the set of one object.
pub(crate) fn single(object: u32) -> [u8; 2] {
    ((object % CHUNK) as u16).to_le_bytes()
}

/// Appends the stored form of the set of these objects, which are of one chunk, in order and distinct.
pub(crate) fn of_sorted(objects: &[u32], out: &mut Vec<u8>) {
    match objects.len() {
        all if all == CHUNK as usize => {}
        DENSE.. => {
            let mut set = Set::default();
            for object in objects {
                set.insert(*object);
            }
            set.encode(out);
        }
        _ => objects.iter().for_each(|object| out.extend_from_slice(&single(*object))),
    }
}

/// Puts the stored form of a set, together with an object that is not in it, into `room`.
pub(crate) fn with(bytes: &[u8], object: u32, room: &mut Vec<u8>) {
    room.clear();
    if bytes.is_empty() || bytes.len() + 2 >= BITMAP {
        let mut set = Set::decode(bytes);
        set.insert(object);
        return set.encode(room);
    }
    let low = object % CHUNK;
    let before = 2 * members(bytes).take_while(|&member| member < low).count();
    room.extend_from_slice(&bytes[..before]);
    room.extend_from_slice(&(low as u16).to_le_bytes());
    room.extend_from_slice(&bytes[before..]);
}

/// Puts the stored form of a set without an object into `room`; false, and nothing of use there, if no member is left.
pub(crate) fn without(bytes: &[u8], object: u32, room: &mut Vec<u8>) -> bool {
    room.clear();
    if bytes.is_empty() || bytes.len() == BITMAP {
        let mut set = Set::decode(bytes);
        set.remove(object);
        set.encode(room);
        return !set.is_empty();
    }
    let kept = members(bytes).filter(|&member| member != object % CHUNK);
    kept.for_each(|member| room.extend_from_slice(&(member as u16).to_le_bytes()));
    !room.is_empty()
}

/// Adds the members of a stored set, which are of this chunk, to a set of objects.
pub(crate) fn add(chunk: u32, bytes: &[u8], out: &mut RoaringBitmap) {
    let first = chunk << CHUNK_BITS;
    match bytes.len() {
        0 => {
            out.insert_range(first..=first + (CHUNK - 1));
        }
        BITMAP => *out |= RoaringBitmap::from_lsb0_bytes(first, bytes),
        _ => members(bytes).for_each(|member| {
            out.insert(first + member);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set_of<'m>(members: impl IntoIterator<Item = &'m u32>) -> Set {
        let mut set = Set::default();
        for &member in members {
            set.insert(member);
        }
        set
    }

    fn stored(members: &[u32]) -> Vec<u8> {
        let set = set_of(members);
        let mut out = Vec::new();
        set.encode(&mut out);
        out
    }

    #[test]
    fn three_forms() {
        assert_eq!(stored(&[4095, 1]), [1, 0, 0xFF, 0x0F]);
        let of = |count: u32| stored(&(0..count).collect::<Vec<_>>());
        assert_eq!((of(255).len(), of(256).len(), of(4095).len(), of(4096).len()), (510, 512, 512, 0));
        assert_eq!(stored(&(0..300).map(|n| n * 2).collect::<Vec<_>>())[..2], [0x55, 0x55]);
        assert_eq!((len(&of(255)), len(&of(256)), len(&of(4096))), (255, 256, 4096));
        assert_eq!((only(2, &single(8195)), only(2, &of(2)), only(2, &of(4096))), (Some(8195), None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn one_more_and_one_less(
            members in proptest::collection::btree_set(0..CHUNK, 0..300),
            first in 0..CHUNK,
            dense: bool,
        ) {
            let low = if dense { CHUNK - 3 } else { 0 };
            let mut all = members;
            all.extend(0..low);
            let (mut room, mut before) = (Vec::new(), Vec::new());
            for object in [first, first / 2, CHUNK - 1, 0] {
                let mut set = set_of(&all);
                before.clear();
                set.encode(&mut before);
                let mut expected = Vec::new();
                if all.contains(&object) {
                    prop_assert_eq!(without(&before, object, &mut room), all.len() > 1);
                    all.remove(&object);
                    set.remove(object);
                } else if all.is_empty() {
                    all.insert(object);
                    continue;
                } else {
                    with(&before, object, &mut room);
                    all.insert(object);
                    set.insert(object);
                }
                set.encode(&mut expected);
                prop_assert_eq!(&room, &expected);
            }
        }

        #[test]
        fn round_trip(
            members in proptest::collection::btree_set(0..CHUNK, 0..400),
            out in proptest::collection::btree_set(0..CHUNK, 0..400),
            full: bool,
            chunk in 0u32..0xF_FFFF,
        ) {
            let mut set = set_of(&members);
            if full {
                set = set_of(&(0..CHUNK).collect::<Vec<_>>());
                for &member in &members {
                    prop_assert!(set.remove(member) && !set.remove(member));
                }
            }
            let contains = |object: u32| members.contains(&object) != full;
            let mut bytes = Vec::new();
            set.encode(&mut bytes);
            if !set.is_empty() {
                let mut sorted = Vec::new();
                let objects: Vec<u32> = (0..CHUNK).filter(|object| contains(*object)).collect();
                of_sorted(&objects, &mut sorted);
                prop_assert_eq!(&sorted, &bytes);
                prop_assert!(Set::decode(&bytes) == set);
                prop_assert_eq!(len(&bytes), set.len() as u64);
                let mut objects = RoaringBitmap::new();
                add(chunk, &bytes, &mut objects);
                prop_assert_eq!(objects.len(), set.len() as u64);
                for object in 0..CHUNK {
                    prop_assert_eq!(has(&bytes, object), contains(object));
                    prop_assert_eq!(objects.contains(chunk << CHUNK_BITS | object), contains(object));
                }
            }
            let other = set_of(&out);
            let (mut both, mut any) = (set.clone(), set.clone());
            both.intersect(&other);
            any.unite(&other);
            for object in 0..CHUNK {
                let (here, there) = (contains(object), out.contains(&object));
                prop_assert_eq!(both.remove(object), here && there);
                prop_assert_eq!(any.remove(object), here || there);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600), object: u32) {
            let _ = (Set::decode(&bytes).len(), len(&bytes), has(&bytes, object));
            add(0xF_FFFF, &bytes, &mut RoaringBitmap::new());
        }
    }
}

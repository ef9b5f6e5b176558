//! The hash of the indexes.

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The hash of `head` followed by `tail`, without putting them together.
pub(crate) fn hash(seed: u64, head: &[u8], tail: &[u8]) -> u32 {
    let mut state = State { hash: seed, word: [0; 8], filled: 0 };
    if tail.is_empty() {
        state.whole(head);
    } else {
        head.iter().chain(tail).for_each(|byte| state.byte(*byte));
        state.rest();
    }
    state.mix((head.len() + tail.len()) as u64);
    (state.hash.wrapping_mul(FACTOR) >> 32) as u32
}

struct State {
    hash: u64,
    word: [u8; 8],
    filled: usize,
}

impl State {
    fn mix(&mut self, word: u64) {
        let mixed = (self.hash ^ word).wrapping_mul(FACTOR);
        self.hash = mixed ^ (mixed >> 32);
    }

    fn whole(&mut self, key: &[u8]) {
        let (words, rest) = key.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        self.word[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
        self.rest();
    }

    fn byte(&mut self, byte: u8) {
        self.word[self.filled] = byte;
        self.filled += 1;
        if self.filled == self.word.len() {
            self.rest();
        }
    }

    fn rest(&mut self) {
        if self.filled > 0 {
            self.mix(u64::from_le_bytes(self.word));
            self.word = [0; 8];
            self.filled = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        // What stands here is in files: another value is another format.
        assert_eq!(hash(0, b"", b""), 0);
        assert_eq!(hash(1, b"root", b""), KNOWN);
    }

    /// By hand: w = "root", then w = 4.
    const KNOWN: u32 = {
        let word = u64::from_le_bytes(*b"root\0\0\0\0");
        let a = (1 ^ word).wrapping_mul(FACTOR);
        let b = ((a ^ (a >> 32)) ^ 4).wrapping_mul(FACTOR);
        ((b ^ (b >> 32)).wrapping_mul(FACTOR) >> 32) as u32
    };

    proptest! {
        #[test]
        fn it_does_not_matter_where_a_key_is_cut(
            key in prop::collection::vec(any::<u8>(), 0..40), at in 0usize..40, seed: u64,
        ) {
            let (head, tail) = key.split_at(at.min(key.len()));
            prop_assert_eq!(hash(seed, head, tail), hash(seed, &key, b""));
        }
    }
}

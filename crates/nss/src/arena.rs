//! The caller's buffer, in which strings and lists of results are put one behind another.

use std::ffi::c_char;
use std::marker::PhantomData;
use std::mem::{align_of, size_of};
use std::ptr;

use crate::boundary::Failure;

/// What is left of the caller's buffer.
pub(crate) struct Arena<'a> {
    next: *mut u8,
    left: usize,
    _memory: PhantomData<&'a mut [u8]>,
}

impl Arena<'_> {
    /// # Safety
    /// `length` bytes from `start` on can be written during the life of the arena, by it alone; or `start` is null.
    pub(crate) unsafe fn new(start: *mut u8, length: usize) -> Self {
        let left = if start.is_null() { 0 } else { length };
        Self { next: start, left, _memory: PhantomData }
    }

    /// The same memory from its beginning, for another try.
    #[expect(clippy::needless_pass_by_ref_mut, reason = "nobody else may use the memory meanwhile")]
    pub(crate) fn again(&mut self) -> Arena<'_> {
        Arena { next: self.next, left: self.left, _memory: PhantomData }
    }

    /// Room for `count` values of a type, aligned.
    pub(crate) fn room<T>(&mut self, count: usize) -> Result<*mut T, Failure> {
        let skip = self.next.align_offset(align_of::<T>());
        let size = count.checked_mul(size_of::<T>()).and_then(|size| size.checked_add(skip));
        let size = size.filter(|size| *size <= self.left).ok_or(Failure::TooSmall)?;
        let place = self.next.wrapping_add(skip);
        self.next = self.next.wrapping_add(size);
        self.left -= size;
        Ok(place.cast())
    }

    /// Bytes, aligned like a pointer.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<*mut c_char, Failure> {
        let place = self.room::<*mut c_char>(bytes.len().div_ceil(size_of::<*mut c_char>()))?.cast::<u8>();
        // SAFETY: `room` has at least this many bytes there, which nothing else refers to.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        Ok(place.cast())
    }

    /// A string. One with a NUL in it cannot be said in C, so it is not found.
    pub(crate) fn string(&mut self, string: &[u8]) -> Result<*mut c_char, Failure> {
        if memchr::memchr(0, string).is_some() {
            return Err(Failure::NotFound);
        }
        let place = self.room::<u8>(string.len() + 1)?;
        // SAFETY: `room` has one byte more than this there, which nothing else refers to.
        unsafe { ptr::copy_nonoverlapping(string.as_ptr(), place, string.len()) };
        // SAFETY: this is that one.
        unsafe { place.add(string.len()).write(0) };
        Ok(place.cast())
    }

    /// A list of pointers that ends with a null pointer, for up to `most` elements, each as `put` places it.
    pub(crate) fn list<T>(
        &mut self,
        most: usize,
        elements: impl Iterator<Item = T>,
        mut put: impl FnMut(&mut Self, T) -> Result<*mut c_char, Failure>,
    ) -> Result<*mut *mut c_char, Failure> {
        let list = self.room::<*mut c_char>(most.checked_add(1).ok_or(Failure::TooSmall)?)?;
        let mut end = list;
        for element in elements.take(most) {
            let pointer = put(self, element)?;
            // SAFETY: there is room for `most` and the null pointer.
            unsafe { end.write(pointer) };
            end = end.wrapping_add(1);
        }
        // SAFETY: the same.
        unsafe { end.write(ptr::null_mut()) };
        Ok(list)
    }

    /// A list of strings, `most` at most.
    pub(crate) fn strings<'s>(
        &mut self,
        most: usize,
        strings: impl Iterator<Item = &'s [u8]>,
    ) -> Result<*mut *mut c_char, Failure> {
        self.list(most, strings, Self::string)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    /// Runs `work` with a buffer of each length up to 200, from each alignment on, and says from which length on it
    /// succeeds. What lies around the buffer must stay.
    fn least(work: impl Fn(&mut Arena<'_>) -> Result<(), Failure>) -> [usize; 8] {
        std::array::from_fn(|shift| {
            let mut least = None;
            for length in 0..200 {
                let mut memory = [0xa5_u8; 256];
                let start = (0..8).find(|at| (memory.as_ptr().addr() + at) % 8 == 0).unwrap() + 8 + shift;
                // SAFETY: the middle of an array of our own.
                let mut arena = unsafe { Arena::new(memory.as_mut_ptr().add(start), length) };
                match work(&mut arena) {
                    Ok(()) => _ = least.get_or_insert(length),
                    Err(failure) => {
                        assert_eq!(failure, Failure::TooSmall);
                        assert_eq!(least, None, "{length} bytes are too few, but less were not");
                    }
                }
                assert!(memory[..start].iter().chain(&memory[start + length..]).all(|byte| *byte == 0xa5));
            }
            least.unwrap()
        })
    }

    #[test]
    fn strings_and_lists_fit_exactly() {
        assert_eq!(least(|arena| arena.string(b"abc").map(drop)), [4; 8]);
        let list = |arena: &mut Arena<'_>| arena.strings(2, [&b"a"[..], b"bc"].into_iter()).map(drop);
        assert_eq!(least(list), [29, 36, 35, 34, 33, 32, 31, 30]);
        assert_eq!(least(|arena| arena.bytes(b"abc").map(drop)), [8, 15, 14, 13, 12, 11, 10, 9]);
    }

    #[test]
    fn lists_end_with_null() {
        let mut memory = [0_u8; 128];
        // SAFETY: an array of our own.
        let mut arena = unsafe { Arena::new(memory.as_mut_ptr(), memory.len()) };
        let list = arena.strings(4, [&b"a"[..], b""].into_iter()).unwrap();
        // SAFETY: what the arena made of it.
        let text = |at: usize| unsafe { CStr::from_ptr(list.add(at).read()) };
        assert_eq!((text(0), text(1)), (c"a", c""));
        // SAFETY: the end of the list.
        assert!(unsafe { list.add(2).read() }.is_null());
        assert_eq!(arena.strings(1, [&b"a"[..], b""].into_iter()).map(drop), Ok(()));
    }

    #[test]
    fn what_c_cannot_say_is_not_found() {
        let mut memory = [0_u8; 128];
        // SAFETY: an array of our own.
        let mut arena = unsafe { Arena::new(memory.as_mut_ptr(), memory.len()) };
        assert_eq!(arena.string(b"a\0b"), Err(Failure::NotFound));
    }

    #[test]
    fn no_buffer_and_absurd_lengths() {
        // SAFETY: null is no memory, whatever its length.
        let mut arena = unsafe { Arena::new(ptr::null_mut(), 4096) };
        assert_eq!(arena.string(b"a"), Err(Failure::TooSmall));
        let mut memory = [0_u8; 128];
        // SAFETY: an array of our own.
        let mut arena = unsafe { Arena::new(memory.as_mut_ptr(), memory.len()) };
        assert_eq!(arena.room::<u64>(usize::MAX).map(drop), Err(Failure::TooSmall));
        assert_eq!(arena.strings(usize::MAX, std::iter::empty()).map(drop), Err(Failure::TooSmall));
    }
}

//! Lines of memory that will be wanted soon.
//!
//! A large domain does not fit into the processor's caches: every look-up waits for memory some three times, one wait after the
//! other. Where it is known what will be looked up next, the waits of several look-ups can go on at once.

/// Has the line with this address brought into the processor's cache, without waiting for it.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(super) fn fetch<T>(place: *const T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint, which every x86-64 knows: nothing is read, and no address makes it fail.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
}

/// Other processors are not told.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn fetch<T>(_: *const T) {}

//! Where C's arguments become Rust's, and results become statuses.

use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::atomic::{AtomicBool, Ordering};

use netinfo_wire::lookup::Category;

use crate::arena::Arena;

/// `enum nss_status`.
const TRYAGAIN: c_int = -2;
const UNAVAIL: c_int = -1;
const NOTFOUND: c_int = 0;
/// The call did what it was to do.
pub(crate) const SUCCESS: c_int = 1;
/// This was the last one.
pub(crate) const RETURN: c_int = 2;

/// Values of `h_errno`.
const NETDB_INTERNAL: c_int = -1;
const NETDB_SUCCESS: c_int = 0;
const HOST_NOT_FOUND: c_int = 1;
const TRY_AGAIN: c_int = 2;
const NO_RECOVERY: c_int = 3;
const NO_DATA: c_int = 4;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no such thing, or none that C could be told.
    NotFound,
    /// The host is known, but not its address of this family.
    NoData,
    /// It cannot be said now.
    TryAgain,
    /// There is no memory for it.
    NoMemory,
    /// The caller's buffer is too small.
    TooSmall,
    /// The daemon could not be asked, with `errno`.
    Unavailable(c_int),
}

impl Failure {
    fn status(self) -> c_int {
        match self {
            Self::NotFound | Self::NoData => NOTFOUND,
            Self::TryAgain | Self::NoMemory | Self::TooSmall => TRYAGAIN,
            Self::Unavailable(_) => UNAVAIL,
        }
    }

    fn errno(self) -> c_int {
        match self {
            Self::NotFound | Self::NoData => libc::ENOENT,
            Self::TryAgain => libc::EAGAIN,
            Self::NoMemory => libc::ENOMEM,
            Self::TooSmall => libc::ERANGE,
            Self::Unavailable(errno) => errno,
        }
    }

    fn h_errno(self) -> c_int {
        match self {
            Self::NotFound => HOST_NOT_FOUND,
            Self::NoData => NO_DATA,
            Self::TryAgain => TRY_AGAIN,
            Self::NoMemory | Self::TooSmall => NETDB_INTERNAL,
            Self::Unavailable(_) => NO_RECOVERY,
        }
    }
}

/// The caller's buffer, as it comes: where it is and how long.
#[derive(Clone, Copy)]
pub(crate) struct Buffer(pub(crate) *mut c_char, pub(crate) usize);

/// Where the caller wants to read `errno`, and `h_errno` if it is about hosts or networks. Null is nowhere.
#[derive(Clone, Copy)]
pub(crate) struct Errors(pub(crate) *mut c_int, pub(crate) *mut c_int);

impl Errors {
    /// For what has no `h_errno`.
    pub(crate) fn errno(errno: *mut c_int) -> Self {
        Self(errno, std::ptr::null_mut())
    }
}

/// A string of the caller; a null pointer is an empty one.
///
/// # Safety
/// `text` is null or points to a string that ends with NUL and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> &'a [u8] {
    if text.is_null() {
        return b"";
    }
    // SAFETY: a string ending with NUL, as the caller says.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

/// Lets `look` make a result in the caller's buffer, puts it into `result`, and says how it went.
///
/// # Safety
/// `result` can be written; `buffer` is a piece of memory of the caller's, or null; each of `errors` can be written or is
/// null.
pub(crate) unsafe fn answer<T>(
    result: *mut T,
    buffer: Buffer,
    errors: Errors,
    look: impl FnOnce(&mut Arena<'_>) -> Result<T, Failure>,
) -> c_int {
    let outcome = guarded(|| {
        // SAFETY: the caller's memory, and nobody else's during the call.
        let mut arena = unsafe { Arena::new(buffer.0.cast(), buffer.1) };
        look(&mut arena)
    });
    let outcome = outcome.map(|value| {
        // SAFETY: the caller says that it can be written.
        unsafe { result.write(value) };
    });
    // SAFETY: the same.
    unsafe { finish(outcome, errors) }
}

/// The status of an outcome, with `errno` and `h_errno` where the caller wants them.
///
/// # Safety
/// Each of `errors` can be written or is null.
pub(crate) unsafe fn finish(outcome: Result<(), Failure>, errors: Errors) -> c_int {
    let failure = outcome.err();
    if !errors.1.is_null() {
        // SAFETY: not null, so it can be written.
        unsafe { errors.1.write(failure.map_or(NETDB_SUCCESS, Failure::h_errno)) };
    }
    let Some(failure) = failure else { return SUCCESS };
    if !errors.0.is_null() {
        // SAFETY: not null, so it can be written.
        unsafe { errors.0.write(failure.errno()) };
    }
    failure.status()
}

/// Begins an enumeration anew, or ends it.
pub(crate) fn reset(category: Category) -> c_int {
    // In a thread that is ending there is nothing to be reset.
    let _ = guarded(|| crate::enumeration::reset(category));
    SUCCESS
}

/// Runs `work`. A panic would be a mistake of ours; to the process it is a service that is not available.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    static QUIET: AtomicBool = AtomicBool::new(false);
    if !QUIET.load(Ordering::Relaxed) && !QUIET.swap(true, Ordering::Relaxed) {
        // Standard error is the process's own. The hook is that of the standard library inside this module.
        set_hook(Box::new(|_| ()));
    }
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        // Dropping it might panic again.
        std::mem::forget(cause);
        Err(Failure::Unavailable(libc::EIO))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(outcome: Result<(), Failure>) -> (c_int, c_int, c_int) {
        let (mut errno, mut h_errno) = (77, 77);
        // SAFETY: two variables of our own.
        let status = unsafe { finish(outcome, Errors(&raw mut errno, &raw mut h_errno)) };
        (status, errno, h_errno)
    }

    #[test]
    fn statuses() {
        assert_eq!(status(Ok(())), (1, 77, 0));
        assert_eq!(status(Err(Failure::NotFound)), (0, libc::ENOENT, 1));
        assert_eq!(status(Err(Failure::NoData)), (0, libc::ENOENT, 4));
        assert_eq!(status(Err(Failure::TryAgain)), (-2, libc::EAGAIN, 2));
        assert_eq!(status(Err(Failure::NoMemory)), (-2, libc::ENOMEM, -1));
        assert_eq!(status(Err(Failure::TooSmall)), (-2, libc::ERANGE, -1));
        assert_eq!(status(Err(Failure::Unavailable(libc::EPIPE))), (-1, libc::EPIPE, 3));
    }

    #[test]
    fn null_pointers_are_left_alone() {
        // SAFETY: nothing to write to.
        assert_eq!(unsafe { finish(Err(Failure::NotFound), Errors::errno(std::ptr::null_mut())) }, NOTFOUND);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { text(std::ptr::null()) }, b"");
    }

    #[test]
    fn a_panic_is_unavailable() {
        let outcome: Result<(), _> = guarded(|| panic!("a mistake"));
        assert_eq!(outcome, Err(Failure::Unavailable(libc::EIO)));
    }
}

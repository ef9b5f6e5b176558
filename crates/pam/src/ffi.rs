//! libpam, as far as it is needed here (`pam(3)`, `pam_get_item(3)`, `pam_get_authtok(3)`, `pam_conv(3)`,
//! `pam_syslog(3)`), behind one type that the rest of the module calls.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use nix::libc;
use zeroize::{Zeroize, Zeroizing};

pub(crate) const PAM_SUCCESS: c_int = 0;
pub(crate) const PAM_SYSTEM_ERR: c_int = 4;
pub(crate) const PAM_PERM_DENIED: Code = Code(6);
pub(crate) const PAM_AUTH_ERR: Code = Code(7);
pub(crate) const PAM_AUTHINFO_UNAVAIL: Code = Code(9);
pub(crate) const PAM_USER_UNKNOWN: Code = Code(10);
pub(crate) const PAM_MAXTRIES: Code = Code(11);
pub(crate) const PAM_NEW_AUTHTOK_REQD: Code = Code(12);
pub(crate) const PAM_ACCT_EXPIRED: Code = Code(13);
pub(crate) const PAM_SESSION_ERR: Code = Code(14);
pub(crate) const PAM_AUTHTOK_ERR: Code = Code(20);
pub(crate) const PAM_AUTHTOK_RECOVERY_ERR: Code = Code(21);
pub(crate) const PAM_TRY_AGAIN: Code = Code(24);
pub(crate) const PAM_IGNORE: Code = Code(25);

pub(crate) const PAM_SERVICE: c_int = 1;
pub(crate) const PAM_TTY: c_int = 3;
pub(crate) const PAM_RHOST: c_int = 4;
const PAM_CONV: c_int = 5;
/// The password, or the new one where it is changed.
pub(crate) const PAM_AUTHTOK: c_int = 6;
/// The old password where it is changed.
pub(crate) const PAM_OLDAUTHTOK: c_int = 7;

const PAM_ERROR_MSG: c_int = 3;
const PAM_TEXT_INFO: c_int = 4;

pub(crate) const LOG_ERR: c_int = libc::LOG_ERR;
pub(crate) const LOG_NOTICE: c_int = libc::LOG_NOTICE;
pub(crate) const LOG_DEBUG: c_int = libc::LOG_DEBUG;

/// Why something is not `PAM_SUCCESS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) c_int);

/// What libpam says of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flags(pub(crate) c_int);

impl Flags {
    /// `PAM_SILENT`: nothing is to be said to the user.
    pub(crate) fn silent(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// `PAM_PRELIM_CHECK`: the first round of a change.
    pub(crate) fn preliminary(self) -> bool {
        self.0 & 0x4000 != 0
    }

    /// `PAM_CHANGE_EXPIRED_AUTHTOK`: only what has to be changed is to be changed.
    pub(crate) fn only_expired(self) -> bool {
        self.0 & 0x20 != 0
    }
}

/// `pam_handle_t`.
#[repr(C)]
#[derive(Debug)]
pub struct Handle {
    _opaque: [u8; 0],
}

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

#[repr(C)]
struct Conversation {
    converse:
        Option<unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int>,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_get_item(handle: *const Handle, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_user(handle: *mut Handle, user: *mut *const c_char, prompt: *const c_char) -> c_int;
    fn pam_get_authtok(
        handle: *mut Handle,
        item: c_int,
        token: *mut *const c_char,
        prompt: *const c_char,
    ) -> c_int;
    fn pam_syslog(handle: *const Handle, priority: c_int, format: *const c_char, ...);
}

/// The application's handle during one call.
pub(crate) struct Pam<'h> {
    handle: *mut Handle,
    call: PhantomData<&'h Handle>,
}

impl Pam<'_> {
    /// # Safety
    /// `handle` is null, or valid for as long as the value lives.
    pub(crate) unsafe fn new(handle: *mut Handle) -> Result<Self, Code> {
        if handle.is_null() { Err(Code(PAM_SYSTEM_ERR)) } else { Ok(Self { handle, call: PhantomData }) }
    }

    /// The name of the user; the application asks for it if it is not known.
    pub(crate) fn user(&self) -> Result<Vec<u8>, Code> {
        let mut user = ptr::null();
        // SAFETY: the handle is valid; without a prompt libpam has its own.
        let code = unsafe { pam_get_user(self.handle, &raw mut user, ptr::null()) };
        ok(code)?;
        // SAFETY: on success this is a string that the handle owns, or null.
        let user = unsafe { copy(user) }.filter(|user| !user.is_empty());
        user.map(|user| user.to_vec()).ok_or(PAM_USER_UNKNOWN)
    }

    /// One of the items that are text, if it is there.
    pub(crate) fn text(&self, item: c_int) -> Option<Vec<u8>> {
        self.token(item).map(|text| text.to_vec())
    }

    /// A password that is known already.
    pub(crate) fn token(&self, item: c_int) -> Option<Zeroizing<Vec<u8>>> {
        debug_assert_ne!(item, PAM_CONV);
        let mut value = ptr::null();
        // SAFETY: the handle is valid.
        let code = unsafe { pam_get_item(self.handle, item, &raw mut value) };
        ok(code).ok()?;
        // SAFETY: this item is a string that the handle owns, or null.
        unsafe { copy(value.cast()) }
    }

    /// A password: the one that is known already, else the application asks for it. Options of the module such as
    /// `use_first_pass` and `use_authtok` are heeded; a new password has to be given twice.
    pub(crate) fn ask(&self, item: c_int) -> Result<Zeroizing<Vec<u8>>, Code> {
        let mut token = ptr::null();
        // SAFETY: the handle is valid; without a prompt libpam has its own.
        let code = unsafe { pam_get_authtok(self.handle, item, &raw mut token, ptr::null()) };
        ok(code)?;
        // SAFETY: on success this is a string that the handle owns, or null.
        unsafe { copy(token) }.ok_or(PAM_AUTHTOK_RECOVERY_ERR)
    }

    /// Forgets a password.
    pub(crate) fn forget(&self, item: c_int) {
        // SAFETY: the handle is valid, and null is what takes an item away. That this fails is no reason to do otherwise.
        let _ = unsafe { pam_set_item(self.handle, item, ptr::null()) };
    }

    /// Tells the user that something is wrong.
    pub(crate) fn complain(&self, flags: Flags, text: &str) {
        self.say(flags, PAM_ERROR_MSG, text);
    }

    /// Tells the user something.
    pub(crate) fn inform(&self, flags: Flags, text: &str) {
        self.say(flags, PAM_TEXT_INFO, text);
    }

    fn say(&self, flags: Flags, style: c_int, text: &str) {
        let (false, Ok(text)) = (flags.silent(), CString::new(printable(text))) else { return };
        let mut value = ptr::null();
        // SAFETY: the handle is valid.
        let code = unsafe { pam_get_item(self.handle, PAM_CONV, &raw mut value) };
        // SAFETY: this item is the application's `struct pam_conv`, or null, and outlives the call.
        let conversation = unsafe { value.cast::<Conversation>().as_ref() };
        let (PAM_SUCCESS, Some(conversation)) = (code, conversation) else { return };
        let Some(converse) = conversation.converse else { return };
        let message = Message { style, text: text.as_ptr() };
        let mut list: *const Message = &raw const message;
        let mut response: *mut Response = ptr::null_mut();
        // SAFETY: one message, which lives until the call has returned, and a place for the response.
        unsafe { converse(1, &raw mut list, &raw mut response, conversation.data) };
        if !response.is_null() {
            // SAFETY: the application has allocated one response and its text, if any, for us to free.
            unsafe {
                libc::free((*response).text.cast());
                libc::free(response.cast());
            }
        }
    }

    /// Writes a line into the system's log.
    pub(crate) fn log(&self, priority: c_int, text: &str) {
        let Ok(text) = CString::new(printable(text)) else { return };
        // SAFETY: the handle is valid, and the format takes the one string.
        unsafe { pam_syslog(self.handle, priority, c"%s".as_ptr(), text.as_ptr()) };
    }
}

fn ok(code: c_int) -> Result<(), Code> {
    if code == PAM_SUCCESS { Ok(()) } else { Err(Code(code)) }
}

/// Text without what could end a line, or be taken for the end of it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A copy of a C string, to be wiped.
///
/// # Safety
/// `text` is null, or a string that does not change during the call.
unsafe fn copy(text: *const c_char) -> Option<Zeroizing<Vec<u8>>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    Some(Zeroizing::new(text.to_bytes().to_vec()))
}

/// The arguments of the module.
///
/// # Safety
/// `argv` points to `argc` strings, or `argc` is 0.
pub(crate) unsafe fn arguments(argc: c_int, argv: *const *const c_char) -> Vec<Vec<u8>> {
    let count = usize::try_from(argc).unwrap_or(0);
    if argv.is_null() {
        return Vec::new();
    }
    let mut list = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: there are `argc` pointers, each to a string or null.
        if let Some(mut argument) = unsafe { copy(*argv.add(index)) } {
            list.push(argument.to_vec());
            argument.zeroize();
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_one_line() {
        assert_eq!(printable("a\nb\0c\u{7f}ä"), "a b c ä");
    }

    #[test]
    fn arguments_are_copied() {
        let texts = [c"debug".as_ptr(), ptr::null(), c"minimum_uid=1000".as_ptr()];
        // SAFETY: three pointers, to strings or null.
        let list = unsafe { arguments(3, texts.as_ptr()) };
        assert_eq!(list, [b"debug".to_vec(), b"minimum_uid=1000".to_vec()]);
        // SAFETY: nothing is read.
        unsafe {
            assert!(arguments(0, texts.as_ptr()).is_empty());
            assert!(arguments(-1, texts.as_ptr()).is_empty());
            assert!(arguments(2, ptr::null()).is_empty());
            assert_eq!(Pam::new(ptr::null_mut()).err(), Some(Code(PAM_SYSTEM_ERR)));
        }
    }

    #[test]
    fn flags() {
        assert!(Flags(0x8000).silent() && Flags(0x4020).preliminary() && Flags(0x4020).only_expired());
        assert!(!Flags(0x2000).preliminary() && !Flags(0).silent() && !Flags(0x2000).only_expired());
    }
}

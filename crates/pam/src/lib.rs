//! `pam_netinfo.so`: logins, accounts, passwords and homes of NetInfo users, for programs that use PAM.
//!
//! The module decides nothing about passwords itself: it asks the daemon of this machine over its socket, each time, and
//! keeps nothing. When the daemon is away it says so (`PAM_AUTHINFO_UNAVAIL`), within a bound, and other modules go on.
//!
//! | module | holds |
//! |---|---|
//! | `ffi` | libpam: its functions and numbers, and the one type through which the rest calls it |
//! | `options` | the module's arguments |
//! | `daemon` | questions to the daemon, about users that this system means by the same name |
//! | `auth`, `account`, `password`, `session` | the four kinds of modules |
//! | `home` | making a home directory |
//!
//! Unsafe code is in this file and in `ffi` alone: at the boundary to C. No panic crosses it.

#![deny(unsafe_code)]

mod account;
mod auth;
mod daemon;
#[allow(unsafe_code)] // libpam is C
mod ffi;
mod home;
mod options;
mod password;
mod session;

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ffi::{Code, Flags, Handle, Pam};
use options::Options;

/// What a function of a module does, in safe code.
type Work = fn(&Pam<'_>, Flags, &Options) -> Result<(), Code>;

/// Calls `work` for libpam.
///
/// # Safety
/// As libpam calls a module: a handle that is valid during the call, and `argc` strings at `argv`.
#[allow(unsafe_code)] // arguments come from C
unsafe fn enter(
    handle: *mut Handle,
    flags: c_int,
    argc: c_int,
    argv: *const *const c_char,
    work: Work,
) -> c_int {
    let call = || {
        // SAFETY: the caller passes on what libpam gave it.
        let (pam, arguments) = unsafe { (Pam::new(handle)?, ffi::arguments(argc, argv)) };
        let (options, complaints) = Options::parse(&arguments);
        for complaint in complaints {
            pam.log(ffi::LOG_ERR, &complaint);
        }
        let result = work(&pam, Flags(flags), &options);
        if options.debug {
            let service = pam.text(ffi::PAM_SERVICE).unwrap_or_default();
            let code = result.err().map_or(ffi::PAM_SUCCESS, |code| code.0);
            pam.log(ffi::LOG_DEBUG, &format!("service {}: answer {code}", service.escape_ascii()));
        }
        result
    };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => ffi::PAM_SUCCESS,
        Ok(Err(code)) => code.0,
        Err(_) => ffi::PAM_SYSTEM_ERR,
    }
}

/// The functions that libpam looks for (`pam_sm_authenticate(3)` and so on).
macro_rules! entry_points {
    ($($(#[$doc:meta])* $name:ident => $work:path;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// Called by libpam, with a valid handle and `argc` strings at `argv`.
        #[allow(unsafe_code)] // called from C
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            handle: *mut Handle,
            flags: c_int,
            argc: c_int,
            argv: *const *const c_char,
        ) -> c_int {
            // SAFETY: as the caller promises.
            unsafe { enter(handle, flags, argc, argv, $work) }
        }
    )*};
}

entry_points! {
    /// Checks a password.
    pam_sm_authenticate => auth::authenticate;
    /// There are no credentials but those that the system gives; nothing to do.
    pam_sm_setcred => auth::set_credentials;
    /// Checks whether an account may be used.
    pam_sm_acct_mgmt => account::check;
    /// Changes a password, in two rounds.
    pam_sm_chauthtok => password::change;
    /// Makes the home directory, with the option `mkhomedir`.
    pam_sm_open_session => session::open;
    /// Nothing is left of a session.
    pam_sm_close_session => session::close;
}

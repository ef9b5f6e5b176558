//! `auth`: is this the user's password?

use crate::daemon::Daemon;
use crate::ffi::{Code, Flags, PAM_AUTH_ERR, PAM_AUTHTOK, Pam};
use crate::options::Options;

/// `pam_sm_authenticate(3)`.
pub(crate) fn authenticate(pam: &Pam<'_>, flags: Flags, options: &Options) -> Result<(), Code> {
    let mut daemon = Daemon::new(pam, options)?;
    if let Some(first) = pam.token(PAM_AUTHTOK) {
        match daemon.authenticate(flags, &first) {
            Err(PAM_AUTH_ERR) if options.try_first_pass && !options.use_first_pass => pam.forget(PAM_AUTHTOK),
            other => return other.map(drop),
        }
    } else if options.use_first_pass {
        return Err(PAM_AUTH_ERR);
    }
    let password = pam.ask(PAM_AUTHTOK)?;
    daemon.authenticate(flags, &password).map(drop)
}

/// `pam_sm_setcred(3)`.
pub(crate) fn set_credentials(_pam: &Pam<'_>, _flags: Flags, _options: &Options) -> Result<(), Code> {
    Ok(())
}

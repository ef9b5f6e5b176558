//! `session`: makes the home directory when asked to.

use nix::unistd::geteuid;

use crate::daemon::system_user;
use crate::ffi::{Code, Flags, LOG_ERR, LOG_NOTICE, PAM_PERM_DENIED, PAM_SESSION_ERR, PAM_USER_UNKNOWN, Pam};
use crate::home::{self, Home};
use crate::options::Options;

/// `pam_sm_open_session(3)`.
pub(crate) fn open(pam: &Pam<'_>, flags: Flags, options: &Options) -> Result<(), Code> {
    if !options.mkhomedir {
        return Ok(());
    }
    let name = pam.user()?;
    let user = system_user(&name).ok_or(PAM_USER_UNKNOWN)?;
    if user.uid.as_raw() < options.minimum_uid || user.dir.symlink_metadata().is_ok() {
        return Ok(());
    }
    if !geteuid().is_root() {
        pam.log(LOG_ERR, &format!("{} is missing, and only the superuser can make it", user.dir.display()));
        return Err(PAM_PERM_DENIED);
    }
    let home =
        Home { path: &user.dir, uid: user.uid, gid: user.gid, umask: options.umask, skel: &options.skel };
    match home::make(&home) {
        Ok(true) => {
            pam.log(LOG_NOTICE, &format!("made the home directory {}", user.dir.display()));
            pam.inform(flags, &format!("Created the home directory {}.", user.dir.display()));
            Ok(())
        }
        Ok(false) => Ok(()),
        Err(error) => {
            pam.log(LOG_ERR, &format!("cannot make the home directory {}: {error}", user.dir.display()));
            Err(PAM_SESSION_ERR)
        }
    }
}

/// `pam_sm_close_session(3)`.
pub(crate) fn close(_pam: &Pam<'_>, _flags: Flags, _options: &Options) -> Result<(), Code> {
    Ok(())
}

//! `password`: changes the password, at the domain that owns the user's record.
//!
//! There are two rounds. In the first the old password is asked for and checked; the second asks for the new one and has it
//! stored. The superuser is not asked for the old one, unless it is somebody's own that has to be changed during a login.

use netinfo_wire::login::Outcome;
use nix::unistd::getuid;

use crate::daemon::{Daemon, code_of};
use crate::ffi::{
    Code, Flags, PAM_AUTH_ERR, PAM_AUTHTOK, PAM_AUTHTOK_ERR, PAM_AUTHTOK_RECOVERY_ERR, PAM_IGNORE,
    PAM_OLDAUTHTOK, PAM_TRY_AGAIN, Pam,
};
use crate::options::Options;

/// How often a new password may be not good enough.
const TRIES: u32 = 3;

/// `pam_sm_chauthtok(3)`.
pub(crate) fn change(pam: &Pam<'_>, flags: Flags, options: &Options) -> Result<(), Code> {
    let mut daemon = Daemon::new(pam, options)?;
    // Nobody is asked for passwords of users who are not known.
    let decision = daemon.account(false)?;
    match decision.outcome {
        Outcome::Ok if flags.only_expired() => return Err(PAM_IGNORE),
        Outcome::Ok | Outcome::MustChange => {}
        // The superuser may give a password to an account that cannot be used.
        Outcome::Expired | Outcome::Disabled if !asks_for_old(flags) => {}
        other => return Err(code_of(other)),
    }
    if flags.preliminary() {
        preliminary(pam, flags, &mut daemon)
    } else {
        update(pam, flags, options, &mut daemon)
    }
}

fn asks_for_old(flags: Flags) -> bool {
    // The user who has started the program, who is not the superuser only because the program runs as such.
    !getuid().is_root() || flags.only_expired()
}

fn preliminary(pam: &Pam<'_>, flags: Flags, daemon: &mut Daemon<'_, '_>) -> Result<(), Code> {
    if !asks_for_old(flags) {
        return Ok(());
    }
    let old = pam.ask(PAM_OLDAUTHTOK)?;
    daemon.authenticate(flags, &old).map(drop).inspect_err(|code| {
        if *code == PAM_AUTH_ERR {
            pam.forget(PAM_OLDAUTHTOK);
        }
    })
}

fn update(pam: &Pam<'_>, flags: Flags, options: &Options, daemon: &mut Daemon<'_, '_>) -> Result<(), Code> {
    let old = match asks_for_old(flags) {
        true => Some(pam.token(PAM_OLDAUTHTOK).ok_or(PAM_AUTHTOK_RECOVERY_ERR)?),
        false => None,
    };
    for _ in 0..TRIES {
        let new = match pam.ask(PAM_AUTHTOK) {
            Ok(new) => new,
            Err(PAM_TRY_AGAIN) if !options.use_authtok => continue,
            Err(code) => return Err(code),
        };
        let decision = daemon.change(old.as_ref().map(|old| old.as_slice()), &new)?;
        if decision.outcome == Outcome::Ok {
            return Ok(());
        }
        pam.forget(PAM_AUTHTOK);
        if !decision.message.is_empty() {
            pam.complain(flags, &decision.message);
        }
        if decision.outcome != Outcome::Policy {
            return Err(code_of(decision.outcome));
        }
        if options.use_authtok {
            break;
        }
    }
    Err(PAM_AUTHTOK_ERR)
}

//! `account`: may the account be used now?

use netinfo_wire::login::Outcome;

use crate::daemon::{Daemon, code_of};
use crate::ffi::{Code, Flags, PAM_NEW_AUTHTOK_REQD, Pam};
use crate::options::Options;

/// `pam_sm_acct_mgmt(3)`.
pub(crate) fn check(pam: &Pam<'_>, flags: Flags, options: &Options) -> Result<(), Code> {
    let decision = Daemon::new(pam, options)?.account(true)?;
    match decision.outcome {
        Outcome::Ok => {
            if let Some(days) = decision.days_left {
                pam.inform(flags, &warning(days));
            }
            Ok(())
        }
        Outcome::MustChange => {
            pam.complain(flags, "You have to change your password now.");
            Err(PAM_NEW_AUTHTOK_REQD)
        }
        other => {
            let text = match other {
                Outcome::Expired => "Your account has expired; please ask your administrator.",
                Outcome::Disabled => "Your account is disabled; please ask your administrator.",
                Outcome::NotAllowed => "Your account may not be used here.",
                _ => "",
            };
            if !text.is_empty() {
                pam.complain(flags, text);
            }
            Err(code_of(other))
        }
    }
}

/// That the password is to be changed before long.
fn warning(days: u32) -> String {
    match days {
        0 => "You have to change your password today.".into(),
        1 => "You have to change your password by tomorrow.".into(),
        days => format!("You have to change your password within {days} days."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings() {
        assert_eq!([0, 1, 7].map(warning).map(|text| text.ends_with('.')), [true; 3]);
        assert!(warning(7).contains("7 days"));
    }
}

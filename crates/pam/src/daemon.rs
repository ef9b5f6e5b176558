//! Questions to the daemon, about users that this system means by the same name.

use std::time::Duration;

use netinfo_client::login::{Decision, Login};
use netinfo_wire::login::{Account, Authenticate, Change, MAX_NAME, MAX_PASSWORD, Outcome, Place};
use nix::unistd::{Uid, User};

use crate::ffi::{
    Code, Flags, LOG_ERR, LOG_NOTICE, PAM_ACCT_EXPIRED, PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL, PAM_AUTHTOK_ERR,
    PAM_IGNORE, PAM_MAXTRIES, PAM_PERM_DENIED, PAM_RHOST, PAM_SERVICE, PAM_TTY, PAM_USER_UNKNOWN, Pam,
};
use crate::options::Options;

/// How long one question may take. A login must not wait for a daemon that does not answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The daemon, asked for one user.
pub(crate) struct Daemon<'c, 'h> {
    pam: &'c Pam<'h>,
    options: &'c Options,
    login: Login,
    user: Vec<u8>,
    service: Vec<u8>,
    tty: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    /// Number of the user of this name on this system, if there is one.
    system: Option<Uid>,
}

impl<'c, 'h> Daemon<'c, 'h> {
    /// The daemon for the user who is to be let in.
    pub(crate) fn new(pam: &'c Pam<'h>, options: &'c Options) -> Result<Self, Code> {
        let user = pam.user()?;
        let short = |text: &Vec<u8>| text.len() <= MAX_NAME as usize;
        if !short(&user) {
            return Err(PAM_USER_UNKNOWN);
        }
        if options.closed {
            return Err(PAM_PERM_DENIED);
        }
        let system = system_user(&user).map(|found| found.uid);
        if system.is_some_and(|uid| uid.as_raw() < options.minimum_uid) {
            return Err(PAM_IGNORE);
        }
        let item = |item| pam.text(item).filter(short);
        let (service, tty, host) = (item(PAM_SERVICE).unwrap_or_default(), item(PAM_TTY), item(PAM_RHOST));
        let login = Login::new(&options.socket, PATIENCE);
        Ok(Self { pam, options, login, user, service, tty, host, system })
    }

    /// Whether a password is the user's; who must change it is let in here, and told by the account.
    pub(crate) fn authenticate(&mut self, flags: Flags, password: &[u8]) -> Result<Decision, Code> {
        if !fits(password) {
            return Err(PAM_AUTH_ERR);
        }
        let (user, place) = (self.user.clone(), self.place());
        let asked = self.login.authenticate(&Authenticate { user: &user, password, place: place.borrow() });
        let decision = self.believe(asked)?;
        match decision.outcome {
            Outcome::Ok | Outcome::MustChange => Ok(decision),
            other => {
                if let Some(seconds) = decision.wait_seconds {
                    let text = format!("Too many wrong passwords. Please try again in {seconds} seconds.");
                    self.pam.complain(flags, &text);
                }
                Err(code_of(other))
            }
        }
    }

    /// What is to be known of the account; refusals that are final are errors. Limits to groups and the like only with
    /// `limited`.
    pub(crate) fn account(&mut self, limited: bool) -> Result<Decision, Code> {
        let (user, place, options) = (self.user.clone(), self.place(), self.options);
        let names = |list: &'c [Vec<u8>]| match limited {
            true => list.iter().map(Vec::as_slice).collect(),
            false => Vec::new(),
        };
        let account = Account {
            user: &user,
            place: place.borrow(),
            one_of: names(&options.allow_groups),
            all_of: names(&options.require_groups),
            by_host: limited && options.check_host,
            by_service: limited && options.check_service,
        };
        let asked = self.login.account(&account);
        self.believe(asked)
    }

    /// Changes the password; the decision says what came of it.
    pub(crate) fn change(&mut self, old: Option<&[u8]>, new: &[u8]) -> Result<Decision, Code> {
        if !fits(new) || !old.is_none_or(fits) {
            return Err(PAM_AUTHTOK_ERR);
        }
        let (user, place) = (self.user.clone(), self.place());
        let asked = self.login.change(&Change { user: &user, old, new, place: place.borrow() });
        self.believe(asked)
    }

    /// A decision about the user that this system knows by that name.
    fn believe(&self, asked: netinfo_client::Result<Decision>) -> Result<Decision, Code> {
        let decision = asked.map_err(|error| {
            self.pam.log(LOG_NOTICE, &error.to_string());
            PAM_AUTHINFO_UNAVAIL
        })?;
        match (decision.outcome, decision.uid, self.system) {
            (Outcome::UnknownUser, ..) => Err(PAM_USER_UNKNOWN),
            (_, Some(uid), Some(system)) if uid != system.as_raw() => {
                // Somebody else's password must not open this account.
                let name = self.user.escape_ascii();
                let line =
                    format!("{name} is {uid} in NetInfo and {system} on this system; not let in as either");
                self.pam.log(LOG_ERR, &line);
                Err(PAM_USER_UNKNOWN)
            }
            // Nor must a number that the system does not know, and the record has.
            (_, Some(uid), None) if uid < self.options.minimum_uid => Err(PAM_IGNORE),
            _ => Ok(decision),
        }
    }

    fn place(&self) -> OwnedPlace {
        OwnedPlace { service: self.service.clone(), tty: self.tty.clone(), host: self.host.clone() }
    }
}

struct OwnedPlace {
    service: Vec<u8>,
    tty: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
}

impl OwnedPlace {
    fn borrow(&self) -> Place<'_> {
        Place { service: &self.service, tty: self.tty.as_deref(), host: self.host.as_deref() }
    }
}

/// Whether a password is short enough to be asked about.
fn fits(password: &[u8]) -> bool {
    password.len() <= MAX_PASSWORD as usize
}

/// What the system knows of a user (`getpwnam_r(3)`). What it cannot find out it does not know.
pub(crate) fn system_user(name: &[u8]) -> Option<User> {
    User::from_name(str::from_utf8(name).ok()?).ok().flatten()
}

/// What PAM calls a refusal. [`Outcome::Ok`] and such that are none here are failures of the daemon.
pub(crate) fn code_of(outcome: Outcome) -> Code {
    match outcome {
        Outcome::Bad => PAM_AUTH_ERR,
        Outcome::UnknownUser => PAM_USER_UNKNOWN,
        Outcome::Later => PAM_MAXTRIES,
        Outcome::Expired | Outcome::Disabled => PAM_ACCT_EXPIRED,
        Outcome::NotAllowed | Outcome::Refused => PAM_PERM_DENIED,
        Outcome::Policy => PAM_AUTHTOK_ERR,
        Outcome::Ok | Outcome::MustChange | Outcome::Unavailable => PAM_AUTHINFO_UNAVAIL,
    }
}

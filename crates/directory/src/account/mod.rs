//! Accounts: whether one may be used, by what its record says, and which new passwords are good enough for it.
//!
//! [`Domain::login`](crate::Domain::login) keeps to these rules, so that every front-end does; those that have more to say
//! to a user than yes and no ask [`Standing`] themselves.
//!
//! | property | meaning |
//! |---|---|
//! | `authentication_authority` with `;DisabledUser;`, outside of `/users` also `authAuthority` | the account is disabled |
//! | `passwd` that begins with `!`, `*LK*` or `*LOCKED*` | the same; a mere `*` means that there is no password, which SSH keys need not have |
//! | `expire` | when the account expires: seconds since 1970 or, for small numbers, days; 0: never |
//! | `change` | when the password has to be changed, in the same way |
//! | `shadowLastChange`, `shadowMax`, `shadowWarning`, `shadowInactive` | days, as in shadow(5) |
//! | `shadowMin` | days that a new password is kept, as in shadow(5) |
//! | `host`, `authorizedService` | machines and services that the user may use, where the caller asks for it |

pub mod lockout;
mod note;
mod objection;
pub use lockout::least_characters;
pub(crate) use note::{is_new_password, note_new_passwords};
pub use objection::{MIN_CHARACTERS, MIN_DIFFERENT, Objection, objection};

use crate::error::{Error, Result};
use crate::record::RecordRef;

/// Numbers from this on are seconds: as days they would be in the year 2243.
const FIRST_SECONDS: u64 = 100_000;
/// Seconds of a day.
const DAY: u64 = 86_400;
/// Days before a password has to be changed on which users are told, where the record does not say.
pub const WARNING_DAYS: u64 = 7;
/// From so many days on, a password may be kept for ever (shadow(5)).
const FOR_EVER: u64 = 10_000;
/// The last day of the year 9999.
const LAST_DAY: u64 = 2_932_896;
/// Beginnings of stored passwords that lock an account altogether.
const LOCKED: [&[u8]; 3] = [b"!", b"*LK*", b"*LOCKED*"];

/// Properties that matter here, besides `passwd`; they are known in any case.
const NAMES: [&str; 11] = [
    "authentication_authority",
    "authAuthority",
    "expire",
    "change",
    "shadowLastChange",
    "shadowMin",
    "shadowMax",
    "shadowWarning",
    "shadowInactive",
    "host",
    "authorizedService",
];

/// A property: one of [`NAMES`], as it is spelt in the record, and its values.
type Fact = (&'static str, Vec<u8>, Vec<Vec<u8>>);

/// What may be done with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It may be used.
    Usable,
    /// It may be used once its password has been changed: somebody else set it, or wants it changed.
    Reset,
    /// It may be used once its password has been changed: the time set for that (`change`) is over.
    PasswordExpired,
    /// The same in the eyes of shadow(5): the password is older than `shadowMax` days. Where directories serve those who
    /// log in elsewhere it is theirs to see to that, as it always was; logins on this machine want the change.
    PasswordAged,
    /// It may not be used: its time is over, or the time to change an old password is.
    Expired,
    /// Nobody may use it.
    Disabled,
}

/// The state of an account, and what its user is to be told while it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// What may be done with it.
    pub state: State,
    /// Days until the password has to be changed, if they are few; 0 on the last day.
    pub days_left: Option<u32>,
    /// The same in seconds.
    pub seconds_left: Option<u64>,
}

impl From<State> for Condition {
    fn from(state: State) -> Self {
        Self { state, days_left: None, seconds_left: None }
    }
}

impl Condition {
    /// Whether the account is good for nothing but a new password.
    #[must_use]
    pub fn must_change(&self) -> bool {
        matches!(self.state, State::Reset | State::PasswordExpired)
    }

    /// Fails where the account may not be used at all.
    ///
    /// # Errors
    /// [`Error::AccountDisabled`] and [`Error::AccountExpired`].
    pub fn admits(&self) -> Result<()> {
        match self.state {
            State::Usable | State::Reset | State::PasswordExpired | State::PasswordAged => Ok(()),
            State::Expired => Err(Error::AccountExpired),
            State::Disabled => Err(Error::AccountDisabled),
        }
    }
}

/// What the record of a user says of its account.
pub struct Standing {
    /// The time in seconds since the epoch.
    now: u64,
    /// The stored password says that nobody may log in.
    locked: bool,
    /// Those of [`NAMES`] that are there.
    facts: Vec<Fact>,
}

impl Standing {
    /// What a record says, read with its secrets, at a time in milliseconds since the epoch.
    #[must_use]
    pub fn of(record: &RecordRef<'_>, at: u64) -> Self {
        Self::new(record.properties().map(|property| (property.name, property.values)), at)
    }

    /// The same of a record that is in no domain here: its properties with their values, secrets or marks in their place.
    #[must_use]
    pub fn new<'a, V: IntoIterator<Item = &'a [u8]>>(
        properties: impl IntoIterator<Item = (&'a [u8], V)>,
        at: u64,
    ) -> Self {
        let mut standing = Self { now: at / 1000, locked: false, facts: Vec::new() };
        for (name, values) in properties {
            if name == b"passwd" {
                let first = values.into_iter().next();
                standing.locked |=
                    first.is_some_and(|stored| LOCKED.iter().any(|mark| stored.starts_with(mark)));
            } else if let Some(known) = NAMES.iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()))
                && standing.fact(known).is_none()
            {
                standing.facts.push((known, name.to_vec(), values.into_iter().map(<[u8]>::to_vec).collect()));
            }
        }
        standing
    }

    fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|(known, ..)| *known == name)
    }

    fn values(&self, name: &str) -> &[Vec<u8>] {
        self.fact(name).map_or(&[], |(.., values)| values)
    }

    /// Whether the account may be used, and the password kept.
    #[must_use]
    pub fn condition(&self) -> Condition {
        if self.is_disabled() {
            return State::Disabled.into();
        }
        if self.number("expire").filter(|at| *at > 0).is_some_and(|at| self.seconds_left(at) == 0) {
            return State::Expired.into();
        }
        self.password()
    }

    fn password(&self) -> Condition {
        // Days and seconds until the password has to be changed.
        let mut left: Option<(u64, u64)> = None;
        if let Some(due) = self.number("change").filter(|at| *at > 0) {
            match self.seconds_left(due) {
                0 => return State::PasswordExpired.into(),
                seconds => left = Some((seconds.div_ceil(DAY), seconds)),
            }
        }
        if let Some(changed) = self.number("shadowLastChange") {
            if changed == 0 {
                return State::Reset.into();
            }
            if let Some(most) = self.number("shadowMax").filter(|days| *days < FOR_EVER) {
                let age = self.today().saturating_sub(changed);
                if age > most {
                    let inactive = self.number("shadowInactive");
                    let over = inactive.is_some_and(|days| age > most.saturating_add(days));
                    return if over { State::Expired } else { State::PasswordAged }.into();
                }
                let days = most - age;
                let seconds = (days * DAY).saturating_add(DAY - self.now % DAY);
                left = Some(left.map_or((days, seconds), |left| left.min((days, seconds))));
            }
        }
        let warning = self.number("shadowWarning").unwrap_or(WARNING_DAYS);
        let near = left.filter(|(days, _)| *days <= warning);
        Condition {
            state: State::Usable,
            days_left: near.map(|(days, _)| u32::try_from(days).unwrap_or(u32::MAX)),
            seconds_left: near.map(|(_, seconds)| seconds),
        }
    }

    /// Whether nobody may log in as this user in any way.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        let disabled = |value: &Vec<u8>| value.to_ascii_lowercase().starts_with(b";disableduser;");
        let mut authorities =
            self.values("authentication_authority").iter().chain(self.values("authAuthority"));
        self.locked || authorities.any(disabled)
    }

    /// The day since the epoch on which the password was changed, if that is known; 0 where it has to be changed now. Days
    /// after the year 9999 are none.
    #[must_use]
    pub fn changed_day(&self) -> Option<u64> {
        self.number("shadowLastChange").filter(|days| *days <= LAST_DAY)
    }

    /// Days until the password may be changed again, if it is too early.
    #[must_use]
    pub fn too_early(&self) -> Option<u64> {
        let changed = self.number("shadowLastChange").filter(|days| *days > 0)?;
        let least = self.number("shadowMin")?;
        let age = self.today().saturating_sub(changed);
        least.checked_sub(age).filter(|days| *days > 0)
    }

    /// What is to be written besides the password when it is changed: names of properties as they are spelt in the record,
    /// and values.
    #[must_use]
    pub fn after_change(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let spelt = |name: &str| self.fact(name).map(|(_, spelt, _)| spelt.clone());
        let mut list = Vec::new();
        if self.number("change").is_some_and(|at| at > 0) {
            list.extend(spelt("change").map(|name| (name, b"0".to_vec())));
        }
        let today = self.today().to_string().into_bytes();
        match spelt("shadowLastChange") {
            Some(name) => list.push((name, today)),
            None if self.number("shadowMax").is_some() => list.push((b"shadowLastChange".to_vec(), today)),
            None => {}
        }
        list
    }

    /// Whether a property that lists what the user may use admits `wanted`: the list has it, or `*`, and not `!` and it. A
    /// user without a list may use nothing.
    #[must_use]
    pub fn lists(&self, property: &str, wanted: &[u8]) -> bool {
        let mut admitted = false;
        for value in self.values(property) {
            match value.strip_prefix(b"!") {
                Some(denied) if denied.eq_ignore_ascii_case(wanted) => return false,
                Some(_) => {}
                None => admitted |= value == b"*" || value.eq_ignore_ascii_case(wanted),
            }
        }
        admitted
    }

    /// Seconds until a time of the record.
    fn seconds_left(&self, at: u64) -> u64 {
        let at = if at < FIRST_SECONDS { at * DAY } else { at };
        at.saturating_sub(self.now)
    }

    fn today(&self) -> u64 {
        self.now / DAY
    }

    /// The first value of a property if it is a number that is not negative: others say that there is none.
    fn number(&self, name: &str) -> Option<u64> {
        str::from_utf8(self.values(name).first()?).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests;

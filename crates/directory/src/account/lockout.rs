//! Locking accounts after wrong passwords, and how long new passwords have to be, where a domain's root says so
//! (draft-behera-ldap-password-policy §5.2, §5.3.4, §7).
//!
//! | root property | |
//! |---|---|
//! | `_lock_after` | wrong passwords in a row after which an account is locked, 1 to [`MAX_LOCK_AFTER`]; absent: it never is |
//! | `_lock_seconds` | for how long, from the last of them; 0: until somebody else sets a password |
//! | `_password_length` | fewest characters of a password that users give themselves, [`MIN_CHARACTERS`] at least |
//!
//! When they were is kept in `_pwd_failures` of the user: milliseconds since the epoch. A right password, and a new one,
//! removes it; while an account is locked no password is right, and none is counted. Copies of a domain keep to what the
//! master has counted and count nothing themselves.

use super::MIN_CHARACTERS;
use crate::change::Change;
use crate::error::Result;
use crate::model::{Property, Target};
use crate::password::MAX_PASSWORD_LEN;
use crate::record::RecordRef;
use crate::view::View;

/// The property of a user that says when passwords were wrong.
pub const FAILURES: &[u8] = b"_pwd_failures";
/// Most wrong passwords that can be wanted for a lock; so many times are kept of an account.
pub const MAX_LOCK_AFTER: i64 = 100;
/// Seconds for which an account is locked where the root says only that it is.
pub const LOCK_SECONDS: i64 = 900;
/// Longest lock that ends by itself, in seconds: ten years.
pub const MAX_LOCK_SECONDS: i64 = 315_360_000;

/// When accounts of a domain are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// After so many wrong passwords.
    after: usize,
    /// For so many milliseconds; 0: for good.
    milliseconds: u64,
}

impl Lockout {
    /// As the root says; `None` if accounts are not locked.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(view: &View<'_>) -> Result<Option<Self>> {
        let after = view.root_number(b"_lock_after", 0, 0..=MAX_LOCK_AFTER, false)?;
        if after == 0 {
            return Ok(None);
        }
        let seconds = view.root_number(b"_lock_seconds", LOCK_SECONDS, 0..=MAX_LOCK_SECONDS, false)?;
        let number = |value: i64| u64::try_from(value).unwrap_or_default();
        Ok(Some(Self {
            after: usize::try_from(after).unwrap_or(usize::MAX),
            milliseconds: number(seconds) * 1000,
        }))
    }

    /// When wrong passwords locked an account, in milliseconds since the epoch, be that over or not.
    #[must_use]
    pub fn last_locked(&self, record: &RecordRef<'_>) -> Option<u64> {
        let failures = failures(record);
        failures.iter().copied().max().filter(|_| failures.len() >= self.after)
    }

    /// Whether an account is locked at a time, in milliseconds since the epoch.
    #[must_use]
    pub fn is_locked(&self, record: &RecordRef<'_>, at: u64) -> bool {
        // A clock that was set back prolongs nothing.
        self.last_locked(record)
            .is_some_and(|last| self.milliseconds == 0 || at.abs_diff(last) < self.milliseconds)
    }

    /// The change that notes one more wrong password.
    fn note(&self, record: &RecordRef<'_>, at: u64) -> Option<Change> {
        if self.is_locked(record, at) {
            return None;
        }
        let mut times = failures(record);
        if times.len() >= self.after {
            // A lock that is over.
            times.clear();
        }
        times.push(at);
        let values = times.into_iter().map(|time| time.to_string().into_bytes()).collect();
        let directory = Target::from(record.id());
        Some(match position(record) {
            Some(index) => Change::WriteProperty { directory, index, values },
            None => {
                let property = Property { name: FAILURES.to_vec(), values };
                Change::CreateProperty { directory, property, position: u32::MAX }
            }
        })
    }
}

/// The change that notes that a password of `object` was wrong, if the domain counts them.
pub(crate) fn noted(view: &View<'_>, object: u32, at: u64) -> Result<Option<Change>> {
    match Lockout::of(view)? {
        Some(lockout) => Ok(lockout.note(&view.record(object)?, at)),
        None => Ok(None),
    }
}

/// The change that forgets wrong passwords.
pub(crate) fn forgotten(record: &RecordRef<'_>) -> Option<Change> {
    position(record).map(|index| Change::DestroyProperty { directory: Target::from(record.id()), index })
}

/// When passwords were wrong since the last right one, in milliseconds since the epoch.
#[must_use]
pub fn failures(record: &RecordRef<'_>) -> Vec<u64> {
    let values = record.property(FAILURES).into_iter().flat_map(|property| property.values);
    let number = |value: &[u8]| str::from_utf8(value).ok()?.parse().ok();
    values.take(MAX_LOCK_AFTER.unsigned_abs() as usize).filter_map(number).collect()
}

/// Fewest characters of a password that users of a domain give themselves.
///
/// # Errors
/// Those of the store.
pub fn least_characters(view: &View<'_>) -> Result<usize> {
    let (least, most) = (MIN_CHARACTERS as i64, MAX_PASSWORD_LEN as i64);
    let wanted = view.root_number(b"_password_length", least, least..=most, false)?;
    Ok(usize::try_from(wanted).unwrap_or(MIN_CHARACTERS))
}

fn position(record: &RecordRef<'_>) -> Option<u32> {
    let index = record.properties().position(|property| property.name == FAILURES)?;
    u32::try_from(index).ok()
}

//! Passwords of a parent's users.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use netinfo_directory::binding::Parent;
use netinfo_directory::password::{self, hash_new};
use zeroize::Zeroizing;

use super::{Shared, Upstream, now, remote};
use crate::file::Kind;
use crate::limits::{CHANGE_WAIT, MAX_DUE, STEP, VERIFY_WAIT};
use crate::policy::Policy;
use crate::remote::{Changed, Fault, Verdict};
use crate::verifier::Verifiers;
use crate::worker::Worker;

/// What is said of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// By the parent.
    Told(Verdict),
    /// By what was kept of the last login, the parent being away: whether it is the same.
    Remembered(bool),
    /// By nobody: the parent is away, and nothing is kept.
    Away(String),
}

impl Upstream {
    /// Whether a password is the user's. While the parent can be asked, it alone says so: what is kept is for the time that
    /// it cannot, and goes when the parent refuses it. Takes up to [`VERIFY_WAIT`], and hashes.
    #[must_use]
    pub fn verify(&self, user: &[u8], password: &[u8]) -> Login {
        if self.shared.breaker().is_closed() {
            let (shared, user) = (self.shared.clone(), user.to_vec());
            let password = Zeroizing::new(password.to_vec());
            let told = self.long.ask(VERIFY_WAIT, move |remote| {
                if !shared.breaker().is_closed() {
                    return None;
                }
                match remote.verify(&user, &password) {
                    Ok(verdict) => {
                        shared.answered();
                        shared.note(&user, &password, &verdict);
                        Some(verdict)
                    }
                    Err(Fault::Away(reason)) => {
                        shared.failed(&reason);
                        None
                    }
                    Err(Fault::Refused(reason)) => Some(Verdict::Impossible(reason)),
                }
            });
            match told {
                Some(Some(verdict)) => return Login::Told(verdict),
                Some(None) => {}
                None => self.shared.failed(&format!("no answer within {} seconds", VERIFY_WAIT.as_secs())),
            }
        }
        self.shared.remember(user, password)
    }

    /// Whether the user has to change the password before anything else, as the parent said when it last verified it.
    #[must_use]
    pub fn must_change(&self, user: &[u8]) -> bool {
        self.shared.due().contains(user)
    }

    /// Changes a password at the parent, by the right that the old one gives. Takes up to [`CHANGE_WAIT`], and hashes.
    ///
    /// # Errors
    /// When the parent cannot be asked, or has not answered: it may have changed the password all the same.
    pub fn change(&self, user: &[u8], old: &[u8], new: &[u8]) -> Result<Changed, Fault> {
        if let Some(reason) = self.shared.breaker().reason() {
            return Err(Fault::Away(reason.to_owned()));
        }
        let (shared, user) = (self.shared.clone(), user.to_vec());
        let (old, new) = (Zeroizing::new(old.to_vec()), Zeroizing::new(new.to_vec()));
        let changed = self.long.ask(CHANGE_WAIT, move |remote| {
            let changed = remote.change(&user, &old, &new);
            match &changed {
                Ok(Changed::Done) => {
                    shared.answered();
                    shared.note(&user, &new, &Verdict::Right);
                    shared.cache_mut().outdate_user(&user);
                }
                Ok(_) => shared.answered(),
                Err(Fault::Away(reason)) => shared.failed(reason),
                Err(Fault::Refused(_)) => {}
            }
            changed
        });
        changed.unwrap_or_else(|| Err(Fault::Away("no answer in time".into())))
    }
}

/// Changes a password in a domain of which nothing is remembered here: at the master of one that is served by this node.
/// Takes up to [`CHANGE_WAIT`], and hashes. Of the policy only what passwords may be sent over counts.
///
/// # Errors
/// When it cannot be asked, or has not answered: it may have changed the password all the same.
pub fn change_at(
    place: &Parent,
    policy: Policy,
    user: &[u8],
    old: &[u8],
    new: &[u8],
) -> Result<Changed, Fault> {
    let worker = Worker::start("master", remote(place, policy, STEP), Box::new(|_| None));
    let (old, new) = (Zeroizing::new(old.to_vec()), Zeroizing::new(new.to_vec()));
    let user = user.to_vec();
    let changed = worker.ask(CHANGE_WAIT, move |remote| remote.change(&user, &old, &new));
    changed.unwrap_or_else(|| Err(Fault::Away("no answer in time".into())))
}

impl Shared {
    fn verifiers(&self) -> MutexGuard<'_, Verifiers> {
        self.verifiers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> MutexGuard<'_, HashSet<Vec<u8>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is needed to recognise a password without the parent, or forgets it.
    fn note(&self, user: &[u8], password: &[u8], verdict: &Verdict) {
        let mut due = self.due();
        match verdict {
            Verdict::MustChange if due.len() < MAX_DUE => _ = due.insert(user.to_vec()),
            Verdict::Right => _ = due.remove(user),
            _ => {}
        }
        drop(due);
        let kept = self.verifiers().get(user, now(), u64::MAX).map(|(hash, _)| hash);
        let same = || kept.as_ref().is_some_and(|hash| matches(hash, password));
        match verdict {
            Verdict::Right | Verdict::MustChange if self.policy.offline_login_time > 0 => {
                let hash = match kept.as_ref().filter(|_| same()) {
                    Some(hash) => hash.to_vec(),
                    None => match hash_new(password) {
                        Ok(hash) => hash.into_bytes(),
                        Err(error) => {
                            tracing::warn!(parent = self.name, "a login cannot be remembered: {error}");
                            return;
                        }
                    },
                };
                self.verifiers().keep(user, hash, now());
            }
            Verdict::NoUser | Verdict::Disabled | Verdict::Expired => _ = self.verifiers().remove(user),
            // Not everybody who mistypes a password is to take it from its user.
            Verdict::Wrong if same() => _ = self.verifiers().remove(user),
            _ => return,
        }
        self.verifiers().expire(now(), self.policy.offline_login_time);
        let bytes = self.verifiers().encode();
        if let Err(error) = self.keep(Kind::Logins, &bytes) {
            tracing::warn!(parent = self.name, "logins cannot be remembered: {error}");
        }
    }

    fn remember(&self, user: &[u8], password: &[u8]) -> Login {
        let kept = self.verifiers().get(user, now(), self.policy.offline_login_time);
        match kept {
            Some((hash, _)) => Login::Remembered(matches(&hash, password)),
            None => {
                let reason = self.breaker().reason().unwrap_or("it does not answer").to_owned();
                Login::Away(reason)
            }
        }
    }
}

fn matches(hash: &[u8], password: &[u8]) -> bool {
    password::verify(hash, password) == password::Verdict::Match
}

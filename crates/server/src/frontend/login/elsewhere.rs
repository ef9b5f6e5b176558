//! Users of domains on other machines: their passwords are verified and changed there. Those of clones on this one are
//! changed at the master.

use std::sync::Arc;

use netinfo_directory::account::{MIN_CHARACTERS, objection};
use netinfo_directory::binding::Parent;
use netinfo_directory::{Domain, Origin, Role};
use netinfo_lookup::Table;
use netinfo_upstream::{Changed, Fault, Login as Told, Question, Upstream, Verdict, Want, change_at};
use netinfo_wire::login::Outcome;
use netinfo_wire::lookup::Answer;

use super::Decision;
use super::chain::{Found, find};
use super::questions::Login;
use crate::frontend::now;
use crate::node::Running;

/// Whether a password is the user's, and the account may be used.
pub(super) fn authenticate(node: &Running, found: &Found, upstream: &Upstream, login: &Login) -> Decision {
    // Not all of those who verify it count.
    let far = matches!(login.origin, Origin::Network { .. });
    let guesses = &node.guesses[usize::from(far)];
    if let Err(wait) = guesses.take(found.uid, now()) {
        return Decision::later(wait);
    }
    let told = upstream.verify(&found.name, &login.password);
    let decision = match told {
        Told::Told(verdict) => told_by_parent(node, found, upstream, &verdict),
        Told::Remembered(true) => condition(found),
        Told::Remembered(false) => Outcome::Bad.into(),
        Told::Away(reason) => {
            let (user, parent) = (found.name.escape_ascii(), upstream.name());
            tracing::warn!(%user, parent, "nobody can verify a password: {reason}");
            Outcome::Unavailable.into()
        }
    };
    if decision.outcome != Outcome::Bad {
        guesses.give_back(found.uid);
    }
    decision
}

fn told_by_parent(node: &Running, found: &Found, upstream: &Upstream, verdict: &Verdict) -> Decision {
    match verdict {
        Verdict::Right | Verdict::MustChange => {
            // What the record said some minutes ago is not good enough to let somebody in.
            let question = Question { table: Table::Users, key: b"name".to_vec(), value: found.name.clone() };
            upstream.ask(&[Want::Find(question)]);
            let decision = match find(node, &found.name) {
                Ok(Answer::Found(found)) => condition(&found),
                _ => condition(found),
            };
            match (verdict, decision.outcome) {
                (Verdict::MustChange, Outcome::Ok) => Outcome::MustChange.into(),
                _ => decision,
            }
        }
        Verdict::Wrong | Verdict::NoUser => Outcome::Bad.into(),
        Verdict::Disabled => Outcome::Disabled.into(),
        Verdict::Expired => Outcome::Expired.into(),
        Verdict::Impossible(reason) => {
            let (user, parent) = (found.name.escape_ascii(), upstream.name());
            tracing::warn!(%user, parent, "a password cannot be verified: {reason}");
            Outcome::Unavailable.into()
        }
    }
}

fn condition(found: &Found) -> Decision {
    found.decision().unwrap_or_else(|error| Decision::from(&error))
}

/// Changes a password, by the right that the old one gives.
pub(super) fn change(
    node: &Running,
    found: &Found,
    upstream: &Arc<Upstream>,
    old: Option<&[u8]>,
    new: &[u8],
) -> Decision {
    let Some(old) = old else {
        return Decision::refused(
            "the password of a user of a domain on another machine is set there, or changed with the old one",
        );
    };
    if let Some(objection) = objection(&found.name, Some(old), new, false, MIN_CHARACTERS) {
        return Decision { message: objection.to_string(), ..Outcome::Policy.into() };
    }
    if let Err(wait) = node.guesses[0].take(found.uid, now()) {
        return Decision::later(wait);
    }
    let changed = upstream.change(&found.name, old, new);
    if !matches!(changed, Ok(Changed::Wrong)) {
        node.guesses[0].give_back(found.uid);
    }
    changed_at(found, upstream.name(), changed)
}

/// Changes a password at the master of a domain of which this node has a clone, by the right that the old one gives. The
/// clone has it when the master has told it.
pub(super) fn change_at_master(
    node: &Running,
    found: &Found,
    domain: &Domain,
    old: &[u8],
    new: &[u8],
) -> Decision {
    let tag = domain.tag();
    let Some(place) = node.masters.get(tag).cloned().or_else(|| master_of(domain)) else {
        return Decision::refused("the master of the domain, where passwords are changed, is not known");
    };
    // What stands in an LDAP URL behind the question mark is of no use to readers.
    let name = place.to_string();
    let name = name.split('?').next().unwrap_or_default();
    changed_at(found, name, change_at(&place, node.lookups.parents.policy(), &found.name, old, new))
}

/// Where the domain says that its master is.
fn master_of(domain: &Domain) -> Option<Parent> {
    match domain.role() {
        Role::Clone { master: Some(address), tag } => {
            Some(Parent::NetInfo { tag, address: address.into(), port: None })
        }
        Role::Clone { master: None, .. } | Role::Master => None,
    }
}

/// What is told of a change that was asked for at `place`.
fn changed_at(found: &Found, place: &str, changed: Result<Changed, Fault>) -> Decision {
    let user = found.name.escape_ascii();
    match changed {
        Ok(Changed::Done) => {
            tracing::info!(%user, place, "password changed");
            Outcome::Ok.into()
        }
        Ok(Changed::Wrong) => Outcome::Bad.into(),
        Ok(Changed::Refused(message)) => Decision { message: cut(message), ..Outcome::Policy.into() },
        Ok(Changed::Impossible(reason)) => {
            tracing::warn!(%user, place, "a password cannot be changed: {reason}");
            Decision::refused(&cut(reason))
        }
        Err(Fault::Away(reason) | Fault::Refused(reason)) => {
            tracing::warn!(%user, place, "a password cannot be changed: {reason}");
            Outcome::Unavailable.into()
        }
    }
}

/// A message of another server, short enough to be told.
fn cut(mut message: String) -> String {
    let mut end = netinfo_wire::login::MAX_MESSAGE as usize;
    while !message.is_char_boundary(end.min(message.len())) {
        end -= 1;
    }
    message.truncate(end);
    message.retain(|c| !c.is_control());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut() {
        let most = netinfo_wire::login::MAX_MESSAGE as usize;
        assert_eq!(cut("too\nshort".into()), "tooshort");
        assert!(cut("\u{e4}".repeat(most)).len() <= most);
        assert_eq!(cut("x".repeat(most + 1)).len(), most);
    }
}

//! AUTHENTICATE, ACCOUNT and KEYS.

use std::sync::Arc;

use netinfo_directory::password::burn;
use netinfo_directory::{Credentials, Error, Origin, Result};
use netinfo_wire::login::{self, Account, Keys, MAX_KEY, MAX_KEYS, Outcome};
use netinfo_wire::lookup::Answer;
use zeroize::Zeroizing;

use super::chain::{Found, Here, Place, find, is_member};
use super::{Asked, Decision, OwnedPlace, Peer, elsewhere, log_failure};
use crate::frontend::now;
use crate::lookups::Inquiry;
use crate::node::Running;

/// Properties with SSH keys, in any case: the attribute of LDAP, and the name that people give it.
const KEYS: [&str; 2] = ["sshPublicKey", "sshkeys"];

/// A password and where it comes from.
pub(super) struct Login {
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) origin: Origin,
}

/// Whether a password is the user's.
pub(super) fn authenticate(
    node: &Arc<Running>,
    peer: Peer,
    user: &[u8],
    password: Zeroizing<Vec<u8>>,
    place: OwnedPlace,
) -> Asked {
    let origin = place.origin(node, peer);
    let found = match admitted(node, peer, user) {
        Ok(found) => found,
        Err(decision) => {
            // Somebody far away is not to learn from the time it takes which users there are.
            let far = matches!(origin, Origin::Network { .. }) || place.host.is_some();
            if decision.outcome == Outcome::UnknownUser && far {
                return Asked::Work(Box::new(move || {
                    burn(&password);
                    decision
                }));
            }
            return Asked::Decided(decision);
        }
    };
    if let Err(decision) = limited(node, peer) {
        return Asked::Decided(decision.about(&found));
    }
    let (node, user) = (node.clone(), user.to_vec());
    Asked::Work(Box::new(move || {
        let login = Login { password, origin };
        let decision = match &found.place {
            Place::Here(here) => match verify(here, &login) {
                Ok(()) => found.decision().unwrap_or_else(|error| Decision::from(&error)),
                Err(error) => {
                    log_failure(&user, &found, peer, &place, &error);
                    Decision::from(&error)
                }
            },
            Place::Above(upstream, _) => {
                let decision = elsewhere::authenticate(&node, &found, upstream, &login);
                if decision.outcome == Outcome::Bad {
                    log_failure(&user, &found, peer, &place, &Error::Authentication);
                }
                decision
            }
        };
        if matches!(
            decision.outcome,
            Outcome::Ok | Outcome::MustChange | Outcome::Expired | Outcome::Disabled
        ) {
            node.logins.give_back(peer.uid);
        }
        decision.about(&found)
    }))
}

/// The user, if there is one and the caller may ask about it.
pub(super) fn admitted(node: &Running, peer: Peer, user: &[u8]) -> std::result::Result<Found, Decision> {
    match find(node, user) {
        Ok(Answer::Found(found)) if peer.may_ask_about(&found) => Ok(found),
        Ok(Answer::Found(_)) => Err(Decision::refused("only the superuser may ask about other users")),
        Ok(Answer::NotFound) => Err(Outcome::UnknownUser.into()),
        Ok(_) => Err(Outcome::Unavailable.into()),
        Err(error) => Err(Decision::from(&error)),
    }
}

/// Takes an attempt of a caller that is not the superuser.
pub(super) fn limited(node: &Running, peer: Peer) -> std::result::Result<(), Decision> {
    if peer.is_superuser() {
        return Ok(());
    }
    node.logins.take(peer.uid, now()).map_err(Decision::later)
}

/// Lets the core look at a password. A password for one application only does not let anybody in here.
fn verify(here: &Here, login: &Login) -> Result<()> {
    let credentials = Credentials::Password { object: here.object, password: &login.password };
    let session = here.served.domain.login(credentials, login.origin, now())?;
    if session.is_read_only() { Err(Error::Authentication) } else { Ok(()) }
}

/// Whether an account may be used.
pub(super) fn account(node: &Running, peer: Peer, asked: &Account<'_>) -> Decision {
    let found = match admitted(node, peer, asked.user) {
        Ok(found) => found,
        Err(decision) => return decision,
    };
    let decision = decide(node, &found, asked).unwrap_or_else(|error| Decision::from(&error));
    decision.about(&found)
}

fn decide(node: &Running, found: &Found, asked: &Account<'_>) -> Result<Decision> {
    let standing = found.standing()?;
    let decision = found.decision()?;
    if !matches!(decision.outcome, Outcome::Ok | Outcome::MustChange) {
        return Ok(decision);
    }
    let listed = (!asked.by_host || standing.lists("host", node.hostname.as_bytes()))
        && (!asked.by_service || standing.lists("authorizedService", asked.place.service));
    if !(listed && in_groups(node, found, asked)?) {
        return Ok(Outcome::NotAllowed.into());
    }
    Ok(decision)
}

fn in_groups(node: &Running, found: &Found, asked: &Account<'_>) -> Result<bool> {
    if asked.one_of.is_empty() && asked.all_of.is_empty() {
        return Ok(true);
    }
    Inquiry::settled(node).look(node, false, |view| {
        let member = |group: &&[u8]| is_member(view, &found.name, group);
        asked.all_of.iter().all(member) && (asked.one_of.is_empty() || asked.one_of.iter().any(member))
    })
}

/// Appends the SSH keys of a user. Keys are no secrets: whoever asks may have them.
pub(super) fn keys(node: &Running, user: &[u8], out: &mut Vec<u8>) {
    let mut list = Vec::new();
    let decision = match find(node, user) {
        Ok(Answer::Found(found)) => {
            read_keys(&found, &mut list).unwrap_or_else(|error| Decision::from(&error)).about(&found)
        }
        Ok(Answer::NotFound) => Outcome::UnknownUser.into(),
        Ok(_) => Outcome::Unavailable.into(),
        Err(error) => Decision::from(&error),
    };
    if decision.outcome != Outcome::Ok {
        list.clear();
    }
    let answer = login::Answer { days_left: None, ..decision.answer() };
    Keys { answer, keys: list.iter().map(Vec::as_slice).collect() }.encode(out);
}

/// The keys of an account that may be used. That its password is due does not matter to them.
fn read_keys(found: &Found, list: &mut Vec<Vec<u8>>) -> Result<Decision> {
    let decision = found.decision()?;
    if !matches!(decision.outcome, Outcome::Ok | Outcome::MustChange) {
        return Ok(decision);
    }
    found.each_property(|name, values| {
        if KEYS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
            let keys = values.iter().map(|key| key.trim_ascii()).filter(|key| is_key(key));
            list.extend(keys.map(<[u8]>::to_vec));
        }
    })?;
    list.truncate(MAX_KEYS as usize);
    Ok(Outcome::Ok.into())
}

/// Whether a value can be a line of an `authorized_keys` file, and one only.
fn is_key(value: &[u8]) -> bool {
    let clean = value.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t');
    !value.is_empty() && value.len() <= MAX_KEY as usize && clean && value.first() != Some(&b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_lines() {
        assert!(is_key(b"ssh-ed25519 AAAAC3Nza alice@alpha"));
        assert!(is_key("restrict ssh-ed25519 AAAA \u{e4}".as_bytes()));
        for value in [&b""[..], b"# comment", b"ssh-rsa AAAA\nssh-rsa BBBB", b"ssh-rsa AAAA\r", b"a\0b"] {
            assert!(!is_key(value), "{}", value.escape_ascii());
        }
        assert!(is_key(&[b'k'; MAX_KEY as usize]) && !is_key(&[b'k'; MAX_KEY as usize + 1]));
    }
}

//! CHANGE: a new password, stored in the domain that owns the user's record.

use std::sync::Arc;

use netinfo_directory::account::objection;
use netinfo_directory::password::{HashError, hash_new};
use netinfo_directory::{
    Change, Credentials, Domain, Error, Origin, Property, RecordRef, Result, Role, Session, Target,
};
use netinfo_upstream::Upstream;
use netinfo_wire::login::Outcome;
use zeroize::Zeroizing;

use super::chain::{Found, Here, Place};
use super::questions::{admitted, limited};
use super::{Asked, Decision, OwnedPlace, Peer, elsewhere, log_failure};
use crate::frontend::now;
use crate::node::Running;

/// Attempts at a change that meets other changes of the same record.
const ATTEMPTS: u32 = 5;
/// The property passwords are kept in.
const PASSWORD: &[u8] = b"passwd";

/// What is to be changed, and by whom.
struct Request {
    user: Vec<u8>,
    /// Only superusers do without.
    old: Option<Zeroizing<Vec<u8>>>,
    new: Zeroizing<Vec<u8>>,
    peer: Peer,
    place: OwnedPlace,
}

/// Changes a password.
pub(super) fn change(
    node: &Arc<Running>,
    peer: Peer,
    user: &[u8],
    old: Option<Zeroizing<Vec<u8>>>,
    new: Zeroizing<Vec<u8>>,
    place: OwnedPlace,
) -> Asked {
    let found = match admitted(node, peer, user) {
        Ok(found) => found,
        Err(decision) => return Asked::Decided(decision),
    };
    if old.is_none() && !peer.is_superuser() {
        return Asked::Decided(Decision::refused("the old password is needed").about(&found));
    }
    if let Place::Here(here) = &found.place
        && old.is_none()
        && is_clone(&here.served.domain)
    {
        return Asked::Decided(Decision::from(&Error::NotMaster).about(&found));
    }
    if let Err(decision) = limited(node, peer) {
        return Asked::Decided(decision.about(&found));
    }
    let (node, request) = (node.clone(), Request { user: user.to_vec(), old, new, peer, place });
    Asked::Work(Box::new(move || {
        let decision = match &found.place {
            Place::Here(here) => request.carry_out(&node, &found, here),
            Place::Above(upstream, _) => request.pass_on(&node, &found, upstream),
        };
        decision.about(&found)
    }))
}

impl Request {
    /// Lets the domain on the other machine change it.
    fn pass_on(&self, node: &Running, found: &Found, upstream: &Arc<Upstream>) -> Decision {
        let old = self.old.as_ref().map(|old| old.as_slice());
        let decision = elsewhere::change(node, found, upstream, old, &self.new);
        match decision.outcome {
            Outcome::Bad => log_failure(&self.user, found, self.peer, &self.place, &Error::Authentication),
            _ => node.logins.give_back(self.peer.uid),
        }
        decision
    }

    fn carry_out(&self, node: &Running, found: &Found, here: &Here) -> Decision {
        if let Err(error) = self.session(here) {
            log_failure(&self.user, found, self.peer, &self.place, &error);
            return Decision::from(&error);
        }
        match self.checked(here) {
            Ok(None) => {}
            Ok(Some(decision)) => {
                // Only what is stored counts against those who were right: hashing is what costs.
                node.logins.give_back(self.peer.uid);
                return decision;
            }
            Err(error) => return Decision::from(&error),
        }
        if let Some(old) = self.old.as_ref().filter(|_| is_clone(&here.served.domain)) {
            let decision = elsewhere::change_at_master(node, found, &here.served.domain, old, &self.new);
            if decision.outcome != Outcome::Bad {
                node.logins.give_back(self.peer.uid);
            }
            return decision;
        }
        let hash = match hash_new(&self.new) {
            Ok(hash) => Zeroizing::new(hash.into_bytes()),
            Err(error @ (HashError::TooLong | HashError::Nul)) => return policy(error.to_string()),
            Err(error) => {
                tracing::error!("a password cannot be hashed: {error}");
                return Outcome::Unavailable.into();
            }
        };
        match self.store(here, &hash) {
            Ok(()) => {
                let (user, tag) = (self.user.escape_ascii(), here.served.domain.tag());
                tracing::info!(%user, tag, uid = self.peer.uid, "password changed");
                Outcome::Ok.into()
            }
            Err(error) => Decision::from(&error),
        }
    }

    /// Who changes the password: the user, by the old one, or the superuser of this machine.
    fn session(&self, here: &Here) -> Result<Session> {
        let credentials = match &self.old {
            Some(old) => Credentials::Password { object: here.object, password: old },
            None => Credentials::None,
        };
        let session = here.served.domain.login(credentials, Origin::Local { uid: self.peer.uid }, now())?;
        // A password for one application only is not the user's.
        if session.is_read_only() { Err(Error::Authentication) } else { Ok(session) }
    }

    /// Why the change is not made.
    fn checked(&self, here: &Here) -> Result<Option<Decision>> {
        let by_superuser = self.old.is_none();
        let old = self.old.as_ref().map(|old| old.as_slice());
        if let Some(objection) = objection(&self.user, old, &self.new, by_superuser, here.least_characters()?)
        {
            return Ok(Some(policy(objection.to_string())));
        }
        if by_superuser {
            return Ok(None);
        }
        let standing = here.standing()?;
        let decision = Decision::from(standing.condition());
        if let Outcome::Disabled | Outcome::Expired = decision.outcome {
            return Ok(Some(decision));
        }
        let wait = standing.too_early().filter(|_| decision.outcome != Outcome::MustChange);
        Ok(wait.map(|days| Decision::refused(&format!("The password can be changed again in {days} days."))))
    }

    /// Writes the hash. The password that was there is looked at anew whenever the record has changed meanwhile.
    fn store(&self, here: &Here, hash: &[u8]) -> Result<()> {
        let domain = &here.served.domain;
        let mut attempt = 1;
        loop {
            let (target, change) = {
                let view = here.served.view()?;
                let record = view.record(here.object)?;
                (Target::from(record.id()), write(&record, PASSWORD, hash))
            };
            debug_assert_eq!(change.directory(), target);
            let session = self.session(here)?;
            match domain.write_blocking(&session, vec![change], now()) {
                Err(Error::Stale) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
                Ok(_) => break,
            }
        }
        if let Err(error) = note(domain, here) {
            tracing::warn!("the password is changed, but not when that was: {error}");
        }
        Ok(())
    }
}

fn is_clone(domain: &Domain) -> bool {
    matches!(domain.role(), Role::Clone { .. })
}

/// Notes in the record that the password has been changed: users may not do that themselves.
fn note(domain: &Domain, here: &Here) -> Result<()> {
    let session = domain.authenticate(Credentials::None, Origin::Internal)?;
    let mut attempt = 1;
    loop {
        // One by one, because each counts the properties anew.
        let next = {
            let written = here.standing()?.after_change();
            let view = here.served.view()?;
            let record = view.record(here.object)?;
            let current = |name: &[u8], value: &[u8]| record.first_value(name) == Some(value);
            let next = written.iter().find(|(name, value)| !current(name, value));
            next.map(|(name, value)| write(&record, name, value))
        };
        let Some(change) = next else { return Ok(()) };
        match domain.write_blocking(&session, vec![change], now()) {
            Err(Error::Stale) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
}

/// The change that leaves a property with one value.
fn write(record: &RecordRef<'_>, name: &[u8], value: &[u8]) -> Change {
    let directory = Target::from(record.id());
    match record.properties().position(|property| property.name == name) {
        Some(index) => Change::WriteProperty { directory, index: index as u32, values: vec![value.to_vec()] },
        None => {
            let property = Property { name: name.to_vec(), values: vec![value.to_vec()] };
            Change::CreateProperty { directory, property, position: u32::MAX }
        }
    }
}

fn policy(message: impl Into<String>) -> Decision {
    Decision { message: message.into(), ..Outcome::Policy.into() }
}

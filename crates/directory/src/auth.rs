//! Proving who a caller is (NetInfo protocol, authentication).

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

use crate::access::{Counters, count};
use crate::account::Standing;
use crate::account::lockout::Lockout;
use crate::attempts::Account;
use crate::error::{Error, Result};
use crate::login::Gate;
use crate::machines::Role;
use crate::model::ROOT;
use crate::password::{Verdict, verify};
use crate::record::RecordRef;
use crate::session::{Credentials, Origin, Principal, Session};
use crate::view::View;

/// What authentication needs to know of the domain.
pub(crate) struct Authenticator<'a> {
    /// Snapshot with password material.
    pub(crate) view: &'a View<'a>,
    pub(crate) tag: &'a str,
    pub(crate) role: &'a Role,
    pub(crate) historical: bool,
    pub(crate) counters: &'a Counters,
    pub(crate) gate: &'a Gate,
    /// The time in milliseconds since the epoch, where guessers are held back and what was right is remembered.
    pub(crate) at: Option<u64>,
    /// The account whose password turned out to be wrong.
    pub(crate) failed: Cell<Option<u32>>,
}

impl Authenticator<'_> {
    pub(crate) fn authenticate(&self, credentials: Credentials<'_>, origin: Origin) -> Result<Session> {
        // A clone carries out what its master tells it as the superuser.
        let update = self.is_update(credentials, origin);
        let principal = if update { Principal::Superuser } else { self.principal(credentials, origin)? };
        let entitled = self.historical
            || principal == Principal::Superuser
            || self.is_other_server(origin)?
            || self.may_see_hashes(origin)?;
        Ok(Session { entitled, update, ..Session::of(principal) })
    }

    fn principal(&self, credentials: Credentials<'_>, origin: Origin) -> Result<Principal> {
        if origin.is_local_root() {
            return Ok(Principal::Superuser);
        }
        if let (Role::Clone { .. }, _) | (_, Credentials::None) = (self.role, credentials) {
            return match origin {
                // A local socket speaks for the users of this machine, that is for the domain `local`.
                Origin::Local { uid } if self.tag == "local" => self.local_user(uid),
                _ => Ok(Principal::Anonymous),
            };
        }
        let Credentials::UidPassword { uid, password } = credentials else { return Ok(Principal::Anonymous) };
        let result = self.within_limits(uid, origin, || self.by_password(uid, password, origin));
        count(if result.is_ok() { &self.counters.good } else { &self.counters.bad });
        result
    }

    /// The user the kernel vouches for.
    fn local_user(&self, uid: u32) -> Result<Principal> {
        let Some(users) = self.view.child_named(ROOT, b"users")? else { return Ok(Principal::Anonymous) };
        let Some(user) = self.view.lookup_first(users, b"uid", uid.to_string().as_bytes())? else {
            return Ok(Principal::Anonymous);
        };
        let record = self.view.record(user)?;
        match record.first_value(b"name").filter(|_| self.admits(&record).is_ok()) {
            Some(name) => self.user(uid as i32, name),
            None => Ok(Principal::Anonymous),
        }
    }

    /// Looks at a password unless too many were wrong lately; the historical server knew no such limit.
    fn within_limits(
        &self,
        uid: i32,
        origin: Origin,
        check: impl FnOnce() -> Result<Principal>,
    ) -> Result<Principal> {
        let Some(at) = self.at.filter(|_| !self.historical) else { return check() };
        let attempt = self.gate.attempts.take(Account::Uid(uid), origin, at)?;
        let principal = check()?;
        self.gate.attempts.succeeded(&attempt, at);
        Ok(principal)
    }

    fn by_password(&self, uid: i32, password: &[u8], origin: Origin) -> Result<Principal> {
        let users = self.view.child_named(ROOT, b"users")?.ok_or(Error::NoUser)?;
        let candidates = self.view.lookup(users, b"uid", uid.to_string().as_bytes())?;
        let Some(&first) = candidates.first() else { return Err(Error::NoUser) };
        for candidate in candidates {
            let record = self.view.record(candidate)?;
            if !self.is_locked(&record)? && self.accepts(&record, password, origin) {
                self.admits(&record)?;
                let name = record.first_value(b"name").ok_or(Error::NoUser)?;
                return self.user(uid, name);
            }
        }
        self.failed.set(Some(first));
        Err(Error::Authentication)
    }

    /// Whether wrong passwords have locked the account; the historical server did not count them.
    pub(crate) fn is_locked(&self, record: &RecordRef<'_>) -> Result<bool> {
        let Some(at) = self.at.filter(|_| !self.historical) else { return Ok(false) };
        Ok(Lockout::of(self.view)?.is_some_and(|lockout| lockout.is_locked(record, at)))
    }

    /// Whether the account may be used; the historical server did not ask.
    fn admits(&self, record: &RecordRef<'_>) -> Result<()> {
        if self.historical {
            return Ok(());
        }
        Standing::of(record, self.at.unwrap_or_default()).condition().admits()
    }

    fn accepts(&self, record: &RecordRef<'_>, password: &[u8], origin: Origin) -> bool {
        if let Some(authority) = record.first_value(b"authentication_authority") {
            let kind = authority.splitn(2, |&b| b == b';').nth(1).unwrap_or_default();
            if !kind.starts_with(b"basic") {
                return false; // password kept by another program
            }
        }
        let Some(stored) = record.property(b"passwd") else { return false };
        match stored.values.into_iter().next() {
            None | Some(b"") => self.admits_empty_password(origin),
            Some(hash) => self.fits(record.id().object, hash, password),
        }
    }

    fn fits(&self, object: u32, stored: &[u8], password: &[u8]) -> bool {
        let verified = &self.gate.verified;
        let known = self.at.and_then(|at| Some((verified.fingerprint(object, stored, password)?, at)));
        if known.is_some_and(|(fingerprint, at)| verified.holds(&fingerprint, at)) {
            return true;
        }
        let fits = verify(stored, password) == Verdict::Match;
        if let Some((fingerprint, at)) = known.filter(|_| fits) {
            verified.remember(fingerprint, at);
        }
        fits
    }

    /// A user without a password is let in by the historical server from anywhere; by us only on this very host.
    fn admits_empty_password(&self, origin: Origin) -> bool {
        self.historical || !matches!(origin, Origin::Network { own: false, .. })
    }

    fn user(&self, uid: i32, name: &[u8]) -> Result<Principal> {
        let root = uid == 0 || name == b"root" || self.is_promoted(name)?;
        Ok(if root { Principal::Superuser } else { Principal::User(Arc::from(name)) })
    }

    /// Members of the group `admin` act as the superuser where the root directory says so; the historical server
    /// promotes unless told otherwise.
    fn is_promoted(&self, name: &[u8]) -> Result<bool> {
        if !self.view.root_flag(b"promote_admins", self.historical)? {
            return Ok(false);
        }
        let Some(admin) = self.view.path(&[b"groups", b"admin"])? else { return Ok(false) };
        Ok(self.view.record(admin)?.property(b"users").is_some_and(|p| p.values.contains(name)))
    }

    /// Clients that must check passwords themselves read hashes from networks listed in the root's `passwd_networks`.
    fn may_see_hashes(&self, origin: Origin) -> Result<bool> {
        let Origin::Network { address, .. } = origin else { return Ok(false) };
        let networks = self.view.network_list(b"passwd_networks")?;
        Ok(networks.is_some_and(|list| crate::networks::Trust::Networks(list).has(address)))
    }

    /// Whether the caller is the superuser of another server of this domain, as far as a privileged port shows that: its
    /// copy has to be complete, and holds all hashes anyway.
    fn is_other_server(&self, origin: Origin) -> Result<bool> {
        match origin {
            Origin::Network { address, privileged_port: true, .. } => match address.to_canonical() {
                IpAddr::V4(address) => self.view.is_server(address),
                IpAddr::V6(_) => Ok(false),
            },
            _ => Ok(false),
        }
    }

    /// Whether a clone takes this call for an update by its master: no credential, the master's address, a privileged port.
    fn is_update(&self, credentials: Credentials<'_>, origin: Origin) -> bool {
        let Role::Clone { master, .. } = self.role else { return false };
        let Origin::Network { address, privileged_port, .. } = origin else {
            return origin == Origin::Internal;
        };
        let master = master.unwrap_or(std::net::Ipv4Addr::LOCALHOST);
        matches!(credentials, Credentials::None)
            && privileged_port
            && address.to_canonical() == IpAddr::V4(master)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Change, Credentials, Node, Options, Origin, Property, ROOT, Target};

    #[test]
    fn another_server_of_the_domain_gets_whole_copies() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { map_size: 1 << 26, ..Options::default() };
        let (node, _) = Node::open(dir.path(), options, true).unwrap();
        let domain = node.create_master("network", 0).unwrap();
        let root = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let machine = |name: &str, address: &str, serves: &str| Change::Create {
            parent: Target::any(1),
            properties: vec![
                Property::new("name", [name]),
                Property::new("ip_address", ["198.51.100.1", address]),
                Property::new("serves", [serves]),
            ],
            position: u32::MAX,
        };
        let machines = vec![
            machine("clone", "192.0.2.1", "./network"),
            machine("child", "192.0.2.2", "child/local"),
            machine("upward", "192.0.2.3", "../root"),
        ];
        domain.write_blocking(&root, machines, 0).unwrap();
        assert_eq!(domain.read(&root).unwrap().child_named(ROOT, b"machines").unwrap(), Some(1));
        let sees = |address: &str, privileged_port| {
            let origin = Origin::Network { address: address.parse().unwrap(), own: false, privileged_port };
            let session = domain.authenticate(Credentials::None, origin).unwrap();
            assert!(!session.is_superuser() && !session.is_update());
            session.sees_secrets()
        };
        assert!(sees("192.0.2.1", true) && sees("::ffff:192.0.2.1", true));
        assert!(!sees("192.0.2.1", false), "no proof of the superuser");
        for other in ["192.0.2.2", "192.0.2.3", "192.0.2.4", "2001:db8::1"] {
            assert!(!sees(other, true), "{other}");
        }
    }
}

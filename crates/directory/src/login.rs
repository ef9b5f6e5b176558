//! Logging in where access rules govern: LDAP and its like.

use std::sync::Arc;

use crate::access::{Tree, count, path_of};
use crate::account::Standing;
use crate::account::lockout::FAILURES;
use crate::application;
use crate::attempts::{Account, Attempts};
use crate::auth::Authenticator;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::machines::Role;
use crate::model::{ROOT, Target};
use crate::password::scram::Keys;
use crate::password::{self, Verdict};
use crate::record::RecordRef;
use crate::session::{Credentials, Governance, Origin, Principal, Session};
use crate::verified::Verified;

/// Most values of a `passwd` that a password is compared with.
pub const MAX_PASSWORD_VALUES: usize = 8;

/// What logins of a domain remember of each other.
#[derive(Default)]
pub(crate) struct Gate {
    pub(crate) attempts: Attempts,
    pub(crate) verified: Verified,
}

/// A session, and what is to be changed because a password was seen that is stored by a weak scheme.
pub(crate) struct Login {
    pub(crate) session: Session,
    pub(crate) upgrade: Option<Change>,
}

/// Where a password was found right.
enum Found {
    /// Value number so many of property number so many.
    Value { property: usize, value: usize },
    /// The application password with this label.
    Application(Arc<[u8]>),
}

impl Authenticator<'_> {
    /// As [`Domain::login`](crate::Domain::login).
    pub(crate) fn login(&self, credentials: Credentials<'_>, origin: Origin, at: u64) -> Result<Login> {
        let mut upgrade = None;
        let session = match credentials {
            Credentials::None if origin.is_local_superuser() => Session::of(Principal::Superuser),
            Credentials::None => match origin {
                Origin::Local { uid } if self.tag == "local" => self.local_session(uid, at)?,
                _ => Session::of(Principal::Anonymous),
            },
            Credentials::Vouched { object } => {
                let record = self.view.record(object)?;
                Standing::of(&record, at).condition().admits()?;
                self.session_of(&record)?
            }
            Credentials::Administrator { password } => self.administrator(password, origin, at)?,
            Credentials::Password { object, password } => {
                let login = self.by_object(object, password, origin, at)?;
                upgrade = login.upgrade;
                login.session
            }
            Credentials::Scram { object, name, keys, messages, proof } => {
                let proved = Proved { keys, messages, proof };
                self.by_proof(object, name, &proved, origin, at)?
            }
            Credentials::Nobody { name, password } => {
                return Err(self.nobody(self.gate.attempts.name(name), password, origin, at));
            }
            Credentials::UidPassword { uid, password } => {
                let users = self.view.child_named(ROOT, b"users")?;
                let text = uid.to_string();
                let user = users.map(|users| self.view.lookup_first(users, b"uid", text.as_bytes()));
                match user.transpose()?.flatten() {
                    Some(object) => {
                        return self.login(Credentials::Password { object, password }, origin, at);
                    }
                    None => {
                        let account = self.gate.attempts.name(text.as_bytes());
                        return Err(self.nobody(account, password, origin, at));
                    }
                }
            }
        };
        Ok(Login { session: governed(session, origin), upgrade })
    }

    /// Refuses a name that belongs to nobody, in the time that it takes to refuse somebody.
    fn nobody(&self, account: Account, password: &[u8], origin: Origin, at: u64) -> Error {
        count(&self.counters.bad);
        match self.gate.attempts.take(account, origin, at) {
            Err(too_many) => too_many,
            Ok(_) => {
                password::burn(password);
                Error::NoUser
            }
        }
    }

    fn administrator(&self, password: &[u8], origin: Origin, at: u64) -> Result<Session> {
        let root = self.view.record(ROOT)?;
        let found = self.checked(Account::Administrator, origin, at, password, |check| {
            let property = root.properties().position(|p| p.name == b"_admin_passwd");
            property.and_then(|property| check.fits(self.gate, &root, property, false))
        })?;
        debug_assert!(matches!(found, Found::Value { .. }));
        let alias = root.first_value(b"_admin_dn").map(Arc::from);
        Ok(Session { alias, administrator: true, ..Session::of(Principal::Superuser) })
    }

    /// As [`Domain::scram_keys`](crate::Domain::scram_keys).
    pub(crate) fn scram_keys(&self, object: Option<u32>, name: &[u8]) -> Result<Keys> {
        let secret = self.gate.verified.secret(b"SCRAM");
        let record = match object.map(|object| self.view.record(object)) {
            None | Some(Err(Error::NoSuchDirectory)) => return Ok(Keys::of_nobody(name, &secret)),
            Some(record) => record?,
        };
        let own = record.property(b"passwd").filter(|_| !is_kept_elsewhere(&record));
        let mut values = own.into_iter().flat_map(|p| p.values).take(MAX_PASSWORD_VALUES);
        let keys = values.find_map(|value| Keys::of(value, &secret));
        Ok(keys.unwrap_or_else(|| Keys::of_nobody(name, &secret)))
    }

    /// One who has proved a password by SCRAM.
    fn by_proof(
        &self,
        object: Option<u32>,
        name: &[u8],
        proved: &Proved<'_>,
        origin: Origin,
        at: u64,
    ) -> Result<Session> {
        let account = object.map_or_else(|| self.gate.attempts.name(name), Account::Object);
        let attempt = match self.gate.attempts.take(account, origin, at) {
            Ok(attempt) => attempt,
            Err(too_many) => {
                count(&self.counters.bad);
                return Err(too_many);
            }
        };
        // The password may have been changed, or the account locked, since the exchange began.
        let current = self.scram_keys(object, name)? == *proved.keys;
        let right = proved.keys.is_proved(proved.messages, proved.proof);
        let locked =
            object.map(|object| self.is_locked(&self.view.record(object)?)).transpose()? == Some(true);
        match object.filter(|_| current && right && !locked) {
            Some(object) => {
                count(&self.counters.good);
                self.gate.attempts.succeeded(&attempt, at);
                self.proved(&self.view.record(object)?, at)
            }
            None => {
                count(&self.counters.bad);
                self.failed.set(object);
                Err(Error::Authentication)
            }
        }
    }

    fn by_object(&self, object: u32, password: &[u8], origin: Origin, at: u64) -> Result<Login> {
        let account = Account::Object(object);
        let record = match self.view.record(object) {
            Err(Error::NoSuchDirectory) => return Err(self.nobody(account, password, origin, at)),
            other => other?,
        };
        // It takes as long as a wrong password, and callers are told the same.
        let locked = self.is_locked(&record)?;
        let found = self.checked(account, origin, at, password, |check| {
            if locked || is_kept_elsewhere(&record) {
                return None;
            }
            let property = |name: &[u8]| record.properties().position(|p| p.name == name);
            let own = || check.fits(self.gate, &record, property(b"passwd")?, true);
            application::find(&record, password).map(|label| Found::Application(label.into())).or_else(own)
        });
        if let Err(Error::Authentication) = found {
            self.failed.set(Some(object));
        }
        Ok(match found? {
            Found::Application(label) => {
                // How old the user's own password is does not matter to it.
                Standing::of(&record, at).condition().admits()?;
                let session = demoted(self.session_of(&record)?);
                let application = Some(label);
                Login { session: Session { read_only: true, application, ..session }, upgrade: None }
            }
            Found::Value { property, value } => {
                let session = self.proved(&record, at)?;
                Login { session, upgrade: self.upgrade(&record, property, value, password)? }
            }
        })
    }

    /// As [`Domain::login_remembered`](crate::Domain::login_remembered).
    pub(crate) fn remembered(
        &self,
        object: u32,
        password: &[u8],
        origin: Origin,
        at: u64,
    ) -> Result<Option<Session>> {
        let record = match self.view.record(object) {
            Err(Error::NoSuchDirectory) => return Ok(None),
            other => other?,
        };
        // What was counted is to be forgotten, which takes a write.
        if record.property(FAILURES).is_some() {
            return Ok(None);
        }
        let Some(stored) = record.property(b"passwd").filter(|_| !is_kept_elsewhere(&record)) else {
            return Ok(None);
        };
        let verified = &self.gate.verified;
        let holds = |value: &[u8]| {
            verified.fingerprint(object, value, password).is_some_and(|known| verified.holds(&known, at))
        };
        // Weak hashes go the long way, which replaces them.
        let known =
            stored.values.take(MAX_PASSWORD_VALUES).any(|value| !password::is_weak(value) && holds(value));
        let Some(attempt) =
            known.then(|| self.gate.attempts.take(Account::Object(object), origin, at).ok()).flatten()
        else {
            return Ok(None);
        };
        count(&self.counters.good);
        self.gate.attempts.succeeded(&attempt, at);
        let session = self.proved(&record, at)?;
        Ok(Some(governed(session, origin)))
    }

    /// Looks at a password within the limits for wrong ones: `check` finds out where it fits.
    fn checked(
        &self,
        account: Account,
        origin: Origin,
        at: u64,
        password: &[u8],
        check: impl FnOnce(&mut Check<'_>) -> Option<Found>,
    ) -> Result<Found> {
        let attempt = match self.gate.attempts.take(account, origin, at) {
            Ok(attempt) => attempt,
            Err(too_many) => {
                count(&self.counters.bad);
                return Err(too_many);
            }
        };
        let mut checked = Check { password, at, costly: false };
        // Empty ones are no passwords, and others might take a NUL for the end of a shorter one.
        let is_usable = !password.is_empty() && !password.contains(&0);
        let found = if is_usable { check(&mut checked) } else { None };
        match found {
            Some(found) => {
                count(&self.counters.good);
                self.gate.attempts.succeeded(&attempt, at);
                Ok(found)
            }
            None => {
                count(&self.counters.bad);
                if !checked.costly {
                    password::burn(password);
                }
                Err(Error::Authentication)
            }
        }
    }

    /// The session of the user the kernel vouches for.
    fn local_session(&self, uid: u32, at: u64) -> Result<Session> {
        let Some(users) = self.view.child_named(ROOT, b"users")? else {
            return Ok(Session::of(Principal::Anonymous));
        };
        match self.view.lookup_first(users, b"uid", uid.to_string().as_bytes())? {
            Some(user) => {
                let record = self.view.record(user)?;
                match Standing::of(&record, at).condition().admits() {
                    Ok(()) => self.session_of(&record),
                    Err(_) => Ok(Session::of(Principal::Anonymous)),
                }
            }
            None => Ok(Session::of(Principal::Anonymous)),
        }
    }

    /// The session of a user who has proved a password, as far as the account may be used.
    fn proved(&self, record: &RecordRef<'_>, at: u64) -> Result<Session> {
        let condition = Standing::of(record, at).condition();
        condition.admits()?;
        let session = self.session_of(record)?;
        // Who has to change a password first is no superuser before.
        let session = if condition.must_change() { demoted(session) } else { session };
        Ok(Session { condition, ..session })
    }

    /// The session of whoever the directory stands for. Outside `/users` it bears the directory's path as a name: an
    /// entry anywhere else that happens to be called like a user is not that user.
    fn session_of(&self, record: &RecordRef<'_>) -> Result<Session> {
        let object = Some(record.id().object);
        let users = self.view.child_named(ROOT, b"users")?;
        let name = record.first_value(b"name").filter(|_| Some(record.parent()) == users);
        let Some(name) = name else {
            let path = path_of(self.view.tree(), record)?;
            return Ok(Session { object, ..Session::of(Principal::User(path.into())) });
        };
        let principal = match is_superuser(self.view.tree(), record, self.historical)? {
            true => Principal::Superuser,
            false => Principal::User(name.into()),
        };
        Ok(Session { object, alias: Some(name.into()), ..Session::of(principal) })
    }

    /// The change that stores a password anew which is stored by a weak scheme: only where the master is asked, and not
    /// where clients on some networks read the hashes to check them with crypt(3) themselves.
    fn upgrade(
        &self,
        record: &RecordRef<'_>,
        property: usize,
        value: usize,
        password: &[u8],
    ) -> Result<Option<Change>> {
        let stored = record.properties().nth(property).and_then(|p| p.values.into_iter().nth(value));
        let root = self.view.record(ROOT)?;
        let wanted = stored.is_some_and(password::is_weak)
            && matches!(self.role, Role::Master)
            && root.property(b"passwd_networks").is_none()
            && self.view.root_flag(b"_upgrade_passwords", true)?;
        if !wanted {
            return Ok(None);
        }
        let Ok(hash) = password::hash_new(password) else { return Ok(None) };
        Ok(Some(Change::WriteValue {
            directory: Target::from(record.id()),
            index: property as u32,
            value_index: value as u32,
            value: hash.into_bytes(),
        }))
    }
}

/// What a client of SCRAM has sent.
struct Proved<'a> {
    keys: &'a Keys,
    messages: &'a [u8],
    proof: &'a [u8],
}

/// One password being compared.
struct Check<'a> {
    password: &'a [u8],
    at: u64,
    /// A hash as costly as a new one was computed.
    costly: bool,
}

impl Check<'_> {
    /// Where among the values of property number `property` the password fits.
    fn fits(&mut self, gate: &Gate, record: &RecordRef<'_>, property: usize, clear: bool) -> Option<Found> {
        let object = record.id().object;
        let values = record.properties().nth(property)?.values;
        for (value, stored) in values.into_iter().take(MAX_PASSWORD_VALUES).enumerate() {
            let fingerprint = gate.verified.fingerprint(object, stored, self.password);
            let known = fingerprint.is_some_and(|f| gate.verified.holds(&f, self.at));
            let verify = if clear { password::verify_value } else { password::verify };
            if !known {
                let verdict = verify(stored, self.password);
                self.costly |= verdict == Verdict::NoMatch && !password::is_weak(stored);
                if verdict != Verdict::Match {
                    continue;
                }
                // What was in the clear is quickly checked again, and not a password to every caller.
                let remembered = fingerprint.filter(|_| password::is_hash(stored));
                remembered.into_iter().for_each(|f| gate.verified.remember(f, self.at));
            }
            return Some(Found::Value { property, value });
        }
        None
    }
}

/// The same user without the powers of a superuser.
fn demoted(session: Session) -> Session {
    match session.principal {
        Principal::Superuser => Session { principal: Principal::User(session.name().into()), ..session },
        _ => session,
    }
}

/// A session that is subject to access rules.
fn governed(session: Session, origin: Origin) -> Session {
    let (entitled, address) = (session.is_superuser(), origin.address());
    Session { entitled, address, governance: Governance::Rules, ..session }
}

/// Whether the password of this user cannot be checked here: the account is disabled, or another program keeps it.
fn is_kept_elsewhere(record: &RecordRef<'_>) -> bool {
    let mut kinds = kinds_of_authority(record);
    let Some(first) = kinds.next() else { return false };
    !matches!(&first[..], b"basic" | b"shadowhash") || kinds.any(|kind| kind == b"disableduser")
}

/// What `authentication_authority` names, in order and in lower case.
fn kinds_of_authority(record: &RecordRef<'_>) -> impl Iterator<Item = Vec<u8>> {
    let authorities = record.property(b"authentication_authority").map(|p| p.values);
    let kind = |authority: &[u8]| authority.split(|&b| b == b';').nth(1).map(<[u8]>::to_ascii_lowercase);
    authorities.into_iter().flatten().map(move |authority| kind(authority).unwrap_or_default())
}

/// Whether a directory in `/users` acts as the superuser: its uid is 0, its name `root`, or members of the group `admin`
/// are promoted and it is one.
pub(crate) fn is_superuser(tree: Tree<'_>, record: &RecordRef<'_>, historical: bool) -> Result<bool> {
    let name = record.first_value(b"name").unwrap_or_default();
    Ok(name == b"root"
        || record.first_value(b"uid").is_some_and(is_zero)
        || promotes(tree, name, historical)?)
}

/// Whether text is the number 0, however it is written.
pub(crate) fn is_zero(uid: &[u8]) -> bool {
    str::from_utf8(uid).is_ok_and(|text| text.trim().parse::<i64>() == Ok(0))
}

/// Whether the user of this name is a member of the group `admin` of a domain that promotes them.
pub(crate) fn promotes(tree: Tree<'_>, name: &[u8], historical: bool) -> Result<bool> {
    if !tree.root_flag(b"promote_admins", historical)? {
        return Ok(false);
    }
    let Some(groups) = tree.child_named(ROOT, b"groups")? else { return Ok(false) };
    let Some(admin) = tree.child_named(groups, b"admin")? else { return Ok(false) };
    Ok(tree.record(admin)?.property(b"users").is_some_and(|p| p.values.contains(name)))
}

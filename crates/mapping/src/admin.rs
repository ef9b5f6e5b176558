//! What administrators ask about the users of a domain: application passwords, and why somebody may do something.
//!
//! Directories are named as people have them at hand: by DN, by path (`/users/alice`), or, for users, by name.

use std::net::IpAddr;

use netinfo_directory::{
    Action, ApplicationPassword, ApplicationPasswordError, Credentials, Domain, Explanation, Origin, Session,
    View,
};
use zeroize::Zeroizing;

use crate::{Namespace, Resolution};

/// Name of the caller who has not authenticated.
pub const ANONYMOUS: &str = "anonymous";

/// Why a question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The core cannot do it.
    #[error(transparent)]
    Core(#[from] netinfo_directory::Error),
    /// A DN cannot be followed.
    #[error("{0}")]
    Mapping(String),
    /// There is no such directory.
    #[error("there is no \"{0}\"")]
    NoSuch(String),
    /// An application password cannot be made or taken away.
    #[error(transparent)]
    Password(ApplicationPasswordError),
}

impl From<ApplicationPasswordError> for AdminError {
    fn from(error: ApplicationPasswordError) -> Self {
        match error {
            ApplicationPasswordError::Core(error) => Self::Core(error),
            other => Self::Password(other),
        }
    }
}

/// The directory that is called so.
///
/// # Errors
/// [`AdminError::NoSuch`], or the core cannot read.
pub fn find(domain: &Domain, name: &str) -> Result<u32, AdminError> {
    let session = internal(domain)?;
    let view = domain.read(&session)?;
    object(domain, &view, name)
}

fn object(domain: &Domain, view: &View<'_>, name: &str) -> Result<u32, AdminError> {
    let found = if let Some(path) = name.strip_prefix('/') {
        let names: Vec<&[u8]> = path.split('/').filter(|name| !name.is_empty()).map(str::as_bytes).collect();
        view.path(&names)?
    } else if name.contains('=') {
        let namespace = Namespace::new(view, domain.tag())?;
        let resolved = namespace.tree(view).resolve(name.as_bytes());
        match resolved.map_err(|error| AdminError::Mapping(error.to_string()))? {
            Resolution::Found(object) => Some(object),
            _ => None,
        }
    } else {
        view.path(&[b"users", name.as_bytes()])?
    };
    found.ok_or_else(|| AdminError::NoSuch(name.to_owned()))
}

/// The application passwords of a user.
///
/// # Errors
/// [`AdminError`].
pub fn application_passwords(domain: &Domain, user: &str) -> Result<Vec<ApplicationPassword>, AdminError> {
    let object = find(domain, user)?;
    Ok(domain.application_passwords(&internal(domain)?, object)?)
}

/// Makes an application password for a user, and returns it: it cannot be had again. `at` is milliseconds since the
/// epoch. Waits for the disk.
///
/// # Errors
/// [`AdminError`].
pub fn add_application_password(
    domain: &Domain,
    user: &str,
    label: &str,
    at: u64,
) -> Result<Zeroizing<String>, AdminError> {
    let (object, session) = (find(domain, user)?, internal(domain)?);
    let (secret, changes) = domain.add_application_password(&session, object, label, at)?;
    domain.write_blocking(&session, changes, at)?;
    Ok(secret)
}

/// Takes an application password away. Waits for the disk.
///
/// # Errors
/// [`AdminError`].
pub fn revoke_application_password(
    domain: &Domain,
    user: &str,
    label: &str,
    at: u64,
) -> Result<(), AdminError> {
    let (object, session) = (find(domain, user)?, internal(domain)?);
    let changes = domain.revoke_application_password(&session, object, label)?;
    domain.write_blocking(&session, changes, at)?;
    Ok(())
}

/// What `who` ([`ANONYMOUS`] or a directory), calling from `from` (this machine's socket, if nothing is said), may do with
/// `target` and why: each action on `property`, or on the whole directory.
///
/// # Errors
/// [`AdminError`].
pub fn explain(
    domain: &Domain,
    who: &str,
    from: Option<IpAddr>,
    target: &str,
    property: Option<&str>,
    at: u64,
) -> Result<Vec<Explanation>, AdminError> {
    // Nobody in particular, by a socket that proves nothing.
    let nobody = Origin::Local { uid: u32::MAX };
    let network = |address| Origin::Network { address, own: false, privileged_port: false };
    let origin = from.map_or(nobody, network);
    let session = match who {
        ANONYMOUS => domain.anonymous(origin),
        _ => domain.login(Credentials::Vouched { object: find(domain, who)? }, origin, at)?,
    };
    let target = find(domain, target)?;
    let view = domain.read(&session)?;
    let access = domain.access(&view, &session)?;
    let entry = access.object(target)?;
    let property = property.map(str::as_bytes);
    let of_property =
        [Action::Read, Action::Search, Action::Compare, Action::Write].map(|action| (action, property));
    let of_directory = [(Action::Add, None), (Action::Delete, None)];
    let asked = of_property.into_iter().chain(of_directory.into_iter().filter(|_| property.is_none()));
    Ok(asked.map(|(action, property)| entry.explain(action, property)).collect::<Result<_, _>>()?)
}

fn internal(domain: &Domain) -> netinfo_directory::Result<Session> {
    domain.authenticate(Credentials::None, Origin::Internal)
}

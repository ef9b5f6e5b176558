//! Logging in where access rules govern: LDAP and its like.

use crate::auth::Authenticator;
use crate::error::{Error, Result};
use crate::session::{Credentials, Governance, Origin, Principal, Session};

impl Authenticator<'_> {
    /// As [`Domain::login`](crate::Domain::login).
    pub(crate) fn login(&self, credentials: Credentials<'_>, origin: Origin, _at: u64) -> Result<Session> {
        let mut session = match credentials {
            Credentials::None if origin.is_local_superuser() => Session::of(Principal::Superuser),
            Credentials::None => Session::of(self.principal(credentials, origin)?),
            _ => return Err(Error::Authentication),
        };
        session.entitled = session.is_superuser();
        session.governance = Governance::Rules;
        session.address = origin.address();
        Ok(session)
    }
}

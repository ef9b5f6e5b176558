//! One domain on one server: the 29 procedures of the NetInfo protocol.
//!
//! * `reads` — procedures that read; `writes` — procedures that change the database;
//! * `lists` — LIST, LISTALL and READALL element by element, for databases of any size;
//! * `elements` — the decoder behind it.

mod elements;
mod lists;
mod reads;
mod writes;

use netinfo_wire::netinfo::{Answer, PROGRAM, Procedure, VERSION};

use crate::error::{Error, Result};
use crate::rpc::{Call, Connection, Credentials};

pub use lists::Transfer;
pub use netinfo_wire::netinfo::{Created, Entry, INDEX_NULL, Id, OwnedBinding, Property};

/// Object id of the root directory.
pub const ROOT: u32 = 0;

/// A domain, reached over one connection.
#[derive(Debug)]
pub struct Domain {
    connection: Connection,
}

impl Domain {
    /// The domain at the other end of `connection`: the one selected there, or the only one of that port.
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The connection.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection, for calls of other programs on the same endpoint.
    pub const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Sends `credentials` with every call from now on.
    pub fn set_credentials(&mut self, credentials: Option<Credentials>) {
        self.connection.set_credentials(credentials);
    }

    /// Authenticates as user `name` of this domain. The user id is looked up in `/users` as any client does it;
    /// the server checks the password with the first call that writes.
    ///
    /// # Errors
    /// [`Status::NoUser`](crate::Status::NoUser) if there is no such user or it has no numeric `uid`,
    /// [`Error::Password`] if the password cannot be sent; errors of a call.
    pub fn login(&mut self, name: &[u8], password: &[u8]) -> Result<()> {
        let no_user = |error: Error| {
            if error.is(crate::Status::NoDir) { Error::Status(crate::Status::NoUser) } else { error }
        };
        let users = self.lookup_first(ROOT, b"name", b"users").map_err(no_user)?;
        let (_, user) = self.lookup_read(users, b"name", name).map_err(no_user)?;
        let uid = user.iter().find(|p| p.name == b"uid").and_then(|p| p.values.first());
        let uid = uid.and_then(|value| parse_uid(value)).ok_or(Error::Status(crate::Status::NoUser))?;
        self.set_credentials(Some(Credentials::new(uid, password)?));
        Ok(())
    }

    /// The call of `procedure`.
    fn call_of(&self, procedure: Procedure) -> Call {
        let timeouts = self.connection.timeouts();
        Call {
            program: PROGRAM,
            version: VERSION,
            procedure: procedure.code(),
            timeout: if procedure.is_write() { timeouts.write } else { timeouts.read },
            // A write that was carried out though its reply was lost is answered with `Stale` the second time.
            repeat: true,
        }
    }

    fn call<T>(
        &mut self,
        procedure: Procedure,
        args: impl Fn(&mut Vec<u8>),
        decode: impl FnOnce(&[u8]) -> Answer<T>,
    ) -> Result<T> {
        let results = self.connection.call(self.call_of(procedure), args)?;
        self.decoded(decode(&results))
    }

    fn decoded<T>(&self, answer: Answer<T>) -> Result<T> {
        answer.map_err(|failure| Error::from_failure(self.connection.name(), failure))
    }
}

/// A `uid` value: decimal, possibly negative (`nobody` is -2), as the 32 bits that credentials carry.
fn parse_uid(value: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(value).ok()?;
    text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(|n| n as u32))
}

#[cfg(test)]
mod tests {
    use super::parse_uid;

    #[test]
    fn uids() {
        assert_eq!(parse_uid(b"501"), Some(501));
        assert_eq!(parse_uid(b"-2"), Some(0xffff_fffe));
        assert_eq!(parse_uid(b"4294967294"), Some(0xffff_fffe));
        for bad in [&b""[..], b"x", b"1 ", b"\xff", b"99999999999"] {
            assert_eq!(parse_uid(bad), None);
        }
    }
}

//! Who the client says it is (NetInfo client library, credentials).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use netinfo_wire::rpc::auth::MAX_MACHINE_NAME;
use netinfo_wire::rpc::{AuthSys, Credential, Gids, complement};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A user id and a password, sent with every call of a connection. The password is wiped from memory when the
/// credentials are dropped; `Debug` does not show it.
#[derive(Clone)]
pub struct Credentials {
    uid: u32,
    machine: Zeroizing<Vec<u8>>,
}

impl Credentials {
    /// Credentials of user `uid`.
    ///
    /// # Errors
    /// [`Error::Password`] for a password the protocol cannot carry: over 255 bytes, or with a byte 0 or 255.
    pub fn new(uid: u32, password: &[u8]) -> Result<Self> {
        if password.len() > MAX_MACHINE_NAME as usize {
            return Err(Error::Password("a NetInfo password has at most 255 bytes"));
        }
        if password.contains(&0) || password.contains(&0xff) {
            return Err(Error::Password("a NetInfo password cannot contain the bytes 0 and 255"));
        }
        Ok(Self { uid, machine: complement(password) })
    }

    /// The name of the calling machine and nothing else, for calls that ask who calls and want no proof.
    ///
    /// # Errors
    /// [`Error::Password`] for a name of over 255 bytes.
    pub fn machine(name: &str) -> Result<Self> {
        if name.len() > MAX_MACHINE_NAME as usize {
            return Err(Error::Password("the name of a machine has at most 255 bytes"));
        }
        Ok(Self { uid: 0, machine: Zeroizing::new(name.as_bytes().to_vec()) })
    }

    /// The user id.
    pub const fn uid(&self) -> u32 {
        self.uid
    }

    /// As they go into a call.
    pub(crate) fn as_wire(&self) -> Credential<'_> {
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as u32;
        Credential::Sys(AuthSys {
            stamp,
            machine: &self.machine,
            uid: self.uid,
            gid: 0,
            gids: Gids::default(),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials {{ uid: {}, password: <hidden> }}", self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_names() {
        let credentials = Credentials::machine("ada").unwrap();
        let Credential::Sys(sys) = credentials.as_wire() else { panic!("AUTH_SYS expected") };
        assert_eq!(sys.machine, b"ada");
        assert!(Credentials::machine(&"x".repeat(256)).is_err());
    }

    #[test]
    fn the_password_is_complemented_and_hidden() {
        let credentials = Credentials::new(501, b"secret").unwrap();
        let Credential::Sys(sys) = credentials.as_wire() else { panic!("AUTH_SYS expected") };
        assert_eq!(sys.machine, [0x8c, 0x9a, 0x9c, 0x8d, 0x9a, 0x8b]);
        assert_eq!((sys.uid, sys.gid, sys.gids.as_slice().len()), (501, 0, 0));
        assert!(!format!("{credentials:?}").contains("secret"));
    }

    #[test]
    fn passwords_the_protocol_cannot_carry() {
        for bad in [&[b'x'; 256][..], b"a\xffb", b"a\0b"] {
            assert!(matches!(Credentials::new(0, bad), Err(Error::Password(_))));
        }
        assert!(Credentials::new(0, &[b'x'; 255]).is_ok());
        assert!(Credentials::new(0, b"").is_ok());
    }
}

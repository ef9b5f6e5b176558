//! Questions of login modules to the daemon of this machine. Nothing is asked twice: a password that was looked at counts.

use std::path::Path;
use std::time::Duration;

use netinfo_wire::login::{
    Account, Answer, Authenticate, Change, Keys, Outcome, PROGRAM, Procedure, VERSION, put_keys_args,
};

use crate::error::{Error, Result};
use crate::rpc::{Call, Connection, Endpoint, Timeouts};

/// Where the daemon answers them.
pub const LOGIN_SOCKET: &str = "/run/netinfo/login.sock";

/// What the daemon says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The decision.
    pub outcome: Outcome,
    /// The user's number, where the user is known.
    pub uid: Option<u32>,
    /// Days until the password has to be changed, where that is near.
    pub days_left: Option<u32>,
    /// Seconds until another password is looked at.
    pub wait_seconds: Option<u32>,
    /// Words for the user; empty where there are none.
    pub message: String,
}

/// The login program of the local daemon.
#[derive(Debug)]
pub struct Login {
    connection: Connection,
    patience: Duration,
}

/// Every method fails with errors of a call. Arguments longer than the limits of [`netinfo_wire::login`] make the daemon
/// refuse the call.
impl Login {
    /// The daemon behind the socket at `path`, connected at the first question; each takes `patience` at most.
    pub fn new(path: &Path, patience: Duration) -> Self {
        let timeouts = Timeouts { read: patience, write: patience };
        Self { connection: Connection::new(Endpoint::Unix(path.to_owned()), timeouts), patience }
    }

    /// Whether a password is the user's.
    pub fn authenticate(&mut self, question: &Authenticate<'_>) -> Result<Decision> {
        self.ask(Procedure::Authenticate, |buf| question.encode(buf))
    }

    /// Whether an account may be used.
    pub fn account(&mut self, question: &Account<'_>) -> Result<Decision> {
        self.ask(Procedure::Account, |buf| question.encode(buf))
    }

    /// Changes a password.
    pub fn change(&mut self, question: &Change<'_>) -> Result<Decision> {
        self.ask(Procedure::Change, |buf| question.encode(buf))
    }

    /// The SSH keys of a user, each a line of an `authorized_keys` file.
    pub fn keys(&mut self, user: &[u8]) -> Result<(Decision, Vec<Vec<u8>>)> {
        let results = self.call(Procedure::Keys, |buf| put_keys_args(buf, user))?;
        let Keys { answer, keys } = Keys::decode(&results).map_err(|e| self.malformed(e))?;
        Ok((decision(&answer), keys.into_iter().map(<[u8]>::to_vec).collect()))
    }

    fn ask(&mut self, procedure: Procedure, args: impl Fn(&mut Vec<u8>)) -> Result<Decision> {
        let results = self.call(procedure, args)?;
        let answer = Answer::decode(&results).map_err(|e| self.malformed(e))?;
        Ok(decision(&answer))
    }

    fn call(&mut self, procedure: Procedure, args: impl Fn(&mut Vec<u8>)) -> Result<Vec<u8>> {
        let (procedure, timeout) = (procedure.code(), self.patience);
        let call = Call { program: PROGRAM, version: VERSION, procedure, timeout, repeat: false };
        self.connection.call(call, args)
    }

    fn malformed(&self, error: netinfo_wire::xdr::Error) -> Error {
        Error::from_xdr(self.connection.name(), error)
    }
}

fn decision(answer: &Answer<'_>) -> Decision {
    let Answer { outcome, uid, days_left, wait_seconds, message } = *answer;
    Decision { outcome, uid, days_left, wait_seconds, message: String::from_utf8_lossy(message).into_owned() }
}

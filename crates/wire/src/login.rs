//! The program that login modules of this machine ask: whether a password is right, whether an account may be used, to
//! change a password, which SSH keys a user has. Served on a UNIX socket of its own, so that the kernel tells who asks;
//! records as in [`record`](crate::record), no credentials.
//!
//! | # | procedure | argument | result |
//! |---|---|---|---|
//! | 0 | NULL | void | void |
//! | 1 | AUTHENTICATE | [`Authenticate`] | [`Answer`] |
//! | 2 | ACCOUNT | [`Account`] | [`Answer`] |
//! | 3 | CHANGE | [`Change`] | [`Answer`] |
//! | 4 | KEYS | name of a user | [`Answer`], then the keys if it is [`Outcome::Ok`]: [`Keys`] |
//!
//! Names, passwords and texts are octets. No `Debug` output shows a password.

use crate::redact::{Text, debug_fields};
use crate::xdr::{Error, Reader, put_bool, put_opaque, put_u32};

/// Program number, from the range that RFC 5531 §13 leaves to users.
pub const PROGRAM: u32 = 0x2e71_0947;
/// The only version of the program.
pub const VERSION: u32 = 1;

/// Longest name of a user, a group, a service, a terminal or a host, in bytes.
pub const MAX_NAME: u32 = 256;
/// Longest password, in bytes; longer ones are not hashed anyway.
pub const MAX_PASSWORD: u32 = 512;
/// Most groups in each list of an ACCOUNT call.
pub const MAX_GROUPS: u32 = 64;
/// Longest text for people in an answer, in bytes.
pub const MAX_MESSAGE: u32 = 1024;
/// Most SSH keys in an answer.
pub const MAX_KEYS: u32 = 256;
/// Longest SSH key, in bytes.
pub const MAX_KEY: u32 = 16 * 1024;
/// Longest call of this program as a record: the header with a full credential, two full lists of groups, the rest.
pub const MAX_RECORD: usize = (2 * MAX_GROUPS as usize + 8) * (MAX_NAME as usize + 8) + 2048;

/// A procedure of the login program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Procedure {
    /// Nothing.
    Null = 0,
    /// Is this the user's password?
    Authenticate = 1,
    /// May this user's account be used now?
    Account = 2,
    /// Stores a new password.
    Change = 3,
    /// The user's SSH keys.
    Keys = 4,
}

impl Procedure {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

impl TryFrom<u32> for Procedure {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        Ok(match number {
            0 => Self::Null,
            1 => Self::Authenticate,
            2 => Self::Account,
            3 => Self::Change,
            4 => Self::Keys,
            other => return Err(Error::BadValue(other)),
        })
    }
}

/// How a question was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Outcome {
    /// Yes; it is done.
    Ok = 0,
    /// The password is wrong, or the user has none that could be right.
    Bad = 1,
    /// No domain that this node serves for its machine has such a user.
    UnknownUser = 2,
    /// Too many passwords were wrong lately; none is looked at for [`Answer::wait_seconds`].
    Later = 3,
    /// The password has to be changed first. From AUTHENTICATE it also says that the password is right.
    MustChange = 4,
    /// The account has expired.
    Expired = 5,
    /// The account is disabled.
    Disabled = 6,
    /// The account is none that may use the service.
    NotAllowed = 7,
    /// The caller may not ask this, or the domain does not admit the change.
    Refused = 8,
    /// The new password is not good enough; [`Answer::message`] says why.
    Policy = 9,
    /// The daemon cannot tell now.
    Unavailable = 10,
}

impl Outcome {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

impl TryFrom<u32> for Outcome {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        Ok(match number {
            0 => Self::Ok,
            1 => Self::Bad,
            2 => Self::UnknownUser,
            3 => Self::Later,
            4 => Self::MustChange,
            5 => Self::Expired,
            6 => Self::Disabled,
            7 => Self::NotAllowed,
            8 => Self::Refused,
            9 => Self::Policy,
            10 => Self::Unavailable,
            other => return Err(Error::BadValue(other)),
        })
    }
}

/// Where somebody wants to log in, as the program says that lets in.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The service: `sshd`, `login`, `su`.
    pub service: &'a [u8],
    /// The terminal, if there is one.
    pub tty: Option<&'a [u8]>,
    /// The host from which the user comes, if it is another one: an address or a name.
    pub host: Option<&'a [u8]>,
}

debug_fields!(Place { service: text, tty: text_option, host: text_option });

impl<'a> Place<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { service: r.opaque(MAX_NAME)?, tty: option(r, MAX_NAME)?, host: option(r, MAX_NAME)? })
    }

    fn put(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.service);
        put_option(buf, self.tty);
        put_option(buf, self.host);
    }
}

/// Argument of AUTHENTICATE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Authenticate<'a> {
    /// Name of the user.
    pub user: &'a [u8],
    /// The password, in the clear.
    pub password: &'a [u8],
    /// Where the user wants in.
    pub place: Place<'a>,
}

debug_fields!(Authenticate { user: text, password: hidden, place: shown });

impl<'a> Authenticate<'a> {
    /// Decodes the argument.
    ///
    /// # Errors
    /// [`Error::TooLong`] above a limit of this module, [`Error::Truncated`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(args);
        let (user, password) = (r.opaque(MAX_NAME)?, r.opaque(MAX_PASSWORD)?);
        Ok(Self { user, password, place: Place::read(&mut r)? })
    }

    /// Appends the argument. The caller keeps to the limits.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.user);
        put_opaque(buf, self.password);
        self.place.put(buf);
    }
}

/// Argument of ACCOUNT.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Account<'a> {
    /// Name of the user.
    pub user: &'a [u8],
    /// Where the user wants in.
    pub place: Place<'a>,
    /// The user has to be in one of these groups, if there are any.
    pub one_of: Vec<&'a [u8]>,
    /// The user has to be in all of these groups.
    pub all_of: Vec<&'a [u8]>,
    /// The record has to list this machine (property `host`).
    pub by_host: bool,
    /// The record has to list the service (property `authorizedService`).
    pub by_service: bool,
}

impl std::fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts =
            |list: &[&[u8]]| list.iter().map(|name| name.escape_ascii().to_string()).collect::<Vec<_>>();
        f.debug_struct("Account")
            .field("user", &Text(self.user))
            .field("place", &self.place)
            .field("one_of", &texts(&self.one_of))
            .field("all_of", &texts(&self.all_of))
            .field("by_host", &self.by_host)
            .field("by_service", &self.by_service)
            .finish()
    }
}

impl<'a> Account<'a> {
    /// Decodes the argument.
    ///
    /// # Errors
    /// [`Error::TooLong`] above a limit of this module, [`Error::Truncated`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(args);
        let (user, place) = (r.opaque(MAX_NAME)?, Place::read(&mut r)?);
        let one_of = list(&mut r, MAX_GROUPS, MAX_NAME)?;
        let all_of = list(&mut r, MAX_GROUPS, MAX_NAME)?;
        Ok(Self { user, place, one_of, all_of, by_host: r.bool()?, by_service: r.bool()? })
    }

    /// Appends the argument. The caller keeps to the limits.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.user);
        self.place.put(buf);
        put_list(buf, &self.one_of);
        put_list(buf, &self.all_of);
        put_bool(buf, self.by_host);
        put_bool(buf, self.by_service);
    }
}

/// Argument of CHANGE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// Name of the user.
    pub user: &'a [u8],
    /// The password that the user has now. Only the superuser of this machine does without.
    pub old: Option<&'a [u8]>,
    /// The password that the user is to have.
    pub new: &'a [u8],
    /// Where it is changed.
    pub place: Place<'a>,
}

debug_fields!(Change { user: text, old: hidden_option, new: hidden, place: shown });

impl<'a> Change<'a> {
    /// Decodes the argument.
    ///
    /// # Errors
    /// [`Error::TooLong`] above a limit of this module, [`Error::Truncated`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(args);
        let (user, old) = (r.opaque(MAX_NAME)?, option(&mut r, MAX_PASSWORD)?);
        Ok(Self { user, old, new: r.opaque(MAX_PASSWORD)?, place: Place::read(&mut r)? })
    }

    /// Appends the argument. The caller keeps to the limits.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.user);
        put_option(buf, self.old);
        put_opaque(buf, self.new);
        self.place.put(buf);
    }
}

/// Decodes the argument of KEYS: the name of a user.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_NAME`], [`Error::Truncated`].
pub fn decode_keys_args(args: &[u8]) -> Result<&[u8], Error> {
    Reader::new(args).opaque(MAX_NAME)
}

/// Appends the argument of KEYS. The caller keeps to [`MAX_NAME`].
pub fn put_keys_args(buf: &mut Vec<u8>, user: &[u8]) {
    put_opaque(buf, user);
}

/// Result of AUTHENTICATE, ACCOUNT and CHANGE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The decision.
    pub outcome: Outcome,
    /// The user's number, where the user is known: it is for the caller to see whether the system means the same user by
    /// this name.
    pub uid: Option<u32>,
    /// Days until the password has to be changed, where that is near.
    pub days_left: Option<u32>,
    /// Seconds to wait before another password is looked at.
    pub wait_seconds: Option<u32>,
    /// Words for the user; empty where there are none.
    pub message: &'a [u8],
}

debug_fields!(Answer { outcome: shown, uid: shown, days_left: shown, wait_seconds: shown, message: text });

impl<'a> Answer<'a> {
    /// Nothing but a decision.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Self {
        Self { outcome, uid: None, days_left: None, wait_seconds: None, message: b"" }
    }

    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            outcome: r.u32()?.try_into()?,
            uid: number(r)?,
            days_left: number(r)?,
            wait_seconds: number(r)?,
            message: r.opaque(MAX_MESSAGE)?,
        })
    }

    /// Decodes the result.
    ///
    /// # Errors
    /// [`Error::BadValue`] for an outcome that there is not, [`Error::TooLong`], [`Error::Truncated`].
    pub fn decode(results: &'a [u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(results))
    }

    /// Appends the result. The caller keeps to [`MAX_MESSAGE`].
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.outcome.code());
        [self.uid, self.days_left, self.wait_seconds].into_iter().for_each(|n| put_number(buf, n));
        put_opaque(buf, self.message);
    }
}

/// Result of KEYS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys<'a> {
    /// Whether the user is known and may log in.
    pub answer: Answer<'a>,
    /// One line of an `authorized_keys` file each; none unless the answer is [`Outcome::Ok`].
    pub keys: Vec<&'a [u8]>,
}

impl<'a> Keys<'a> {
    /// Decodes the result.
    ///
    /// # Errors
    /// As [`Answer::decode`].
    pub fn decode(results: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(results);
        let answer = Answer::read(&mut r)?;
        Ok(Self { answer, keys: list(&mut r, MAX_KEYS, MAX_KEY)? })
    }

    /// Appends the result. The caller keeps to [`MAX_KEYS`] and [`MAX_KEY`].
    pub fn encode(&self, buf: &mut Vec<u8>) {
        self.answer.encode(buf);
        put_list(buf, &self.keys);
    }
}

fn option<'a>(r: &mut Reader<'a>, max: u32) -> Result<Option<&'a [u8]>, Error> {
    r.bool()?.then(|| r.opaque(max)).transpose()
}

fn put_option(buf: &mut Vec<u8>, value: Option<&[u8]>) {
    put_bool(buf, value.is_some());
    value.into_iter().for_each(|value| put_opaque(buf, value));
}

fn number(r: &mut Reader<'_>) -> Result<Option<u32>, Error> {
    r.bool()?.then(|| r.u32()).transpose()
}

fn put_number(buf: &mut Vec<u8>, value: Option<u32>) {
    put_bool(buf, value.is_some());
    value.into_iter().for_each(|value| put_u32(buf, value));
}

fn list<'a>(r: &mut Reader<'a>, most: u32, longest: u32) -> Result<Vec<&'a [u8]>, Error> {
    let count = r.count(most, crate::xdr::UNIT)?;
    (0..count).map(|_| r.opaque(longest)).collect()
}

fn put_list(buf: &mut Vec<u8>, list: &[&[u8]]) {
    put_u32(buf, u32::try_from(list.len()).unwrap_or(u32::MAX));
    list.iter().for_each(|item| put_opaque(buf, item));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::{AuthSys, Credential, Gids, put_call};

    #[test]
    fn numbers() {
        for n in 0..5 {
            assert_eq!(Procedure::try_from(n).map(Procedure::code), Ok(n));
        }
        assert_eq!(Procedure::try_from(5), Err(Error::BadValue(5)));
        for n in 0..11 {
            assert_eq!(Outcome::try_from(n).map(Outcome::code), Ok(n));
        }
        assert_eq!(Outcome::try_from(11), Err(Error::BadValue(11)));
    }

    #[test]
    fn everything_is_bounded() {
        let long = vec![b'x'; MAX_PASSWORD as usize + 1];
        let place = Place { service: b"su", tty: None, host: None };
        let refused = |encode: &dyn Fn(&mut Vec<u8>), decode: &dyn Fn(&[u8]) -> Option<Error>, max: u32| {
            let mut buf = Vec::new();
            encode(&mut buf);
            assert!(matches!(decode(&buf), Some(Error::TooLong { max: limit, .. }) if limit == max));
        };
        let name = &long[..MAX_NAME as usize + 1];
        for (user, password, max) in [(name, &b""[..], MAX_NAME), (b"a", &long, MAX_PASSWORD)] {
            let call = Authenticate { user, password, place };
            refused(&|buf| call.encode(buf), &|buf| Authenticate::decode(buf).err(), max);
            let call = Change { user, old: Some(password), new: b"", place };
            refused(&|buf| call.encode(buf), &|buf| Change::decode(buf).err(), max);
        }
        let one_of = vec![&b"g"[..]; MAX_GROUPS as usize + 1];
        let groups = Account { user: b"a", place, one_of, ..Account::default() };
        refused(&|buf| groups.encode(buf), &|buf| Account::decode(buf).err(), MAX_GROUPS);
        let message = vec![b'm'; MAX_MESSAGE as usize + 1];
        let answer = Answer { message: &message, ..Answer::of(Outcome::Policy) };
        refused(&|buf| answer.encode(buf), &|buf| Answer::decode(buf).err(), MAX_MESSAGE);
        let keys = Keys { answer: Answer::of(Outcome::Ok), keys: vec![b"k"; MAX_KEYS as usize + 1] };
        refused(&|buf| keys.encode(buf), &|buf| Keys::decode(buf).err(), MAX_KEYS);
    }

    #[test]
    fn the_longest_call_fits_a_record() {
        let sys = AuthSys { machine: &[b'm'; 255], gids: Gids::new(&[0; 16]), ..AuthSys::default() };
        let name = [b'n'; MAX_NAME as usize];
        let mut buf = Vec::new();
        put_call(&mut buf, 1, PROGRAM, VERSION, Procedure::Account.code(), &Credential::Sys(sys));
        let groups = vec![&name[..]; MAX_GROUPS as usize];
        let place = Place { service: &name, tty: Some(&name), host: Some(&name) };
        let (one_of, all_of) = (groups.clone(), groups);
        Account { user: &name, place, one_of, all_of, by_host: true, by_service: true }.encode(&mut buf);
        assert!(buf.len() <= MAX_RECORD, "{}", buf.len());
    }

    #[test]
    fn passwords_are_not_shown() {
        let place = Place::default();
        let first = Authenticate { user: b"alice", password: b"hidden", place };
        let second = Change { user: b"alice", old: Some(b"hidden"), new: b"hidden", place };
        for text in [format!("{first:?}"), format!("{second:?}")] {
            assert!(text.contains("alice") && !text.contains("hidden") && !text.contains("104"), "{text}");
        }
    }
}

//! The arguments of the module in a file of `/etc/pam.d`, in the usual spelling.
//!
//! | argument | meaning |
//! |---|---|
//! | `use_first_pass` | never ask for a password: take that of the module before |
//! | `try_first_pass` | ask if the password of the module before is wrong |
//! | `use_authtok` | take the new password from the module before |
//! | `minimum_uid=N` | users with lower numbers are none of the module's business |
//! | `allow_groups=A,B` | only members of one of these groups |
//! | `require_group=A` | only members of this group; may be repeated |
//! | `check_host`, `check_service` | only users whose record lists this machine, the service |
//! | `mkhomedir` | make the home directory where it is missing |
//! | `umask=NNN` | permissions that its files do not get; octal, 077 if nothing is said |
//! | `skel=DIR` | what is put into it; `/etc/skel` |
//! | `socket=PATH` | where the daemon is |
//! | `debug` | say more in the system's log |

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use netinfo_client::login::LOGIN_SOCKET;
use netinfo_wire::login::MAX_GROUPS;

/// Permissions that files in a new home do not get.
pub(crate) const DEFAULT_UMASK: u32 = 0o077;
/// What a new home begins with.
const SKELETON: &str = "/etc/skel";

/// What the arguments say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) use_first_pass: bool,
    pub(crate) try_first_pass: bool,
    pub(crate) use_authtok: bool,
    pub(crate) minimum_uid: u32,
    pub(crate) allow_groups: Vec<Vec<u8>>,
    pub(crate) require_groups: Vec<Vec<u8>>,
    pub(crate) check_host: bool,
    pub(crate) check_service: bool,
    pub(crate) mkhomedir: bool,
    pub(crate) umask: u32,
    pub(crate) skel: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) debug: bool,
    /// An argument that restricts who gets in cannot be understood: nobody does.
    pub(crate) closed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            use_first_pass: false,
            try_first_pass: false,
            use_authtok: false,
            minimum_uid: 0,
            allow_groups: Vec::new(),
            require_groups: Vec::new(),
            check_host: false,
            check_service: false,
            mkhomedir: false,
            umask: DEFAULT_UMASK,
            skel: SKELETON.into(),
            socket: LOGIN_SOCKET.into(),
            debug: false,
            closed: false,
        }
    }
}

impl Options {
    /// Reads arguments. What cannot be understood is passed over and complained of, in words for the log.
    pub(crate) fn parse<A: AsRef<[u8]>>(arguments: &[A]) -> (Self, Vec<String>) {
        let mut options = Self::default();
        let mut complaints = Vec::new();
        for argument in arguments.iter().map(AsRef::as_ref) {
            let (name, value) = match argument.iter().position(|byte| *byte == b'=') {
                Some(at) => (&argument[..at], Some(&argument[at + 1..])),
                None => (argument, None),
            };
            if !options.take(name, value) {
                complaints.push(format!("the argument \"{}\" cannot be understood", argument.escape_ascii()));
                options.closed |= [&b"minimum_uid"[..], b"allow_groups", b"require_group"].contains(&name);
            }
        }
        (options, complaints)
    }

    /// Takes one argument, if it can be understood.
    fn take(&mut self, name: &[u8], value: Option<&[u8]>) -> bool {
        let switch = match name {
            b"use_first_pass" => Some(&mut self.use_first_pass),
            b"try_first_pass" => Some(&mut self.try_first_pass),
            b"use_authtok" => Some(&mut self.use_authtok),
            b"check_host" => Some(&mut self.check_host),
            b"check_service" => Some(&mut self.check_service),
            b"mkhomedir" => Some(&mut self.mkhomedir),
            b"debug" => Some(&mut self.debug),
            _ => None,
        };
        if let (Some(switch), None) = (switch, value) {
            *switch = true;
            return true;
        }
        let Some(value) = value.filter(|value| !value.is_empty()) else { return false };
        match name {
            b"minimum_uid" => text(value).and_then(|text| text.parse().ok()).map(|n| self.minimum_uid = n),
            b"umask" => {
                let bits = text(value).and_then(|text| u32::from_str_radix(text, 8).ok());
                bits.filter(|bits| *bits <= 0o777).map(|bits| self.umask = bits)
            }
            b"allow_groups" => groups(&mut self.allow_groups, value),
            b"require_group" => groups(&mut self.require_groups, value),
            b"skel" => absolute(value).map(|path| self.skel = path),
            b"socket" => absolute(value).map(|path| self.socket = path),
            _ => None,
        }
        .is_some()
    }
}

fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok()
}

fn absolute(value: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(OsStr::from_bytes(value))).filter(|path| path.is_absolute())
}

/// Adds names that are separated by commas, as many as a question can hold.
fn groups(list: &mut Vec<Vec<u8>>, value: &[u8]) -> Option<()> {
    let names = value.split(|byte| *byte == b',').filter(|name| !name.is_empty());
    list.extend(names.map(<[u8]>::to_vec));
    (!list.is_empty() && list.len() <= MAX_GROUPS as usize).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Options, usize) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (options, complaints) = Options::parse(&words);
        (options, complaints.len())
    }

    #[test]
    fn usual_spellings() {
        let (options, complaints) = parse(
            "use_first_pass minimum_uid=1000 debug mkhomedir umask=022 socket=/tmp/s allow_groups=staff,wheel",
        );
        assert_eq!(complaints, 0);
        assert!(options.use_first_pass && options.debug && options.mkhomedir && !options.try_first_pass);
        assert_eq!((options.minimum_uid, options.umask), (1000, 0o022));
        assert_eq!(options.socket.to_str(), Some("/tmp/s"));
        assert_eq!(options.allow_groups, [b"staff", b"wheel"]);
        let (options, complaints) =
            parse("try_first_pass use_authtok require_group=a require_group=b check_host");
        assert!(options.try_first_pass && options.use_authtok && options.check_host && complaints == 0);
        assert_eq!(options.require_groups, [b"a", b"b"]);
        assert_eq!(parse("").0, Options::default());
    }

    #[test]
    fn what_is_not_understood_is_complained_of() {
        for text in [
            "nullok",
            "debug=1",
            "umask=9",
            "umask=1777",
            "socket=relative",
            "skel=",
            "minimum_uid",
            "=",
            "x=y",
        ] {
            assert_eq!(parse(text).1, 1, "{text}");
        }
        assert!(!parse("nullok umask=9").0.closed);
        // Who gets in must not grow by a slip of the pen.
        for text in ["minimum_uid=many", "allow_groups=", "allow_groups", "require_group=,", "minimum_uid=-1"]
        {
            assert!(parse(text).0.closed, "{text}");
        }
        let many = format!("allow_groups={}", vec!["g"; MAX_GROUPS as usize + 1].join(","));
        assert!(parse(&many).0.closed);
    }
}

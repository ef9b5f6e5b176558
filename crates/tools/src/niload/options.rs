//! The command line of niload. Options may stand anywhere.

use netinfo_formats::flat::tool::Load;
use zeroize::Zeroizing;

use crate::Words;
use crate::open::DEFAULT_TIMEOUT;
use crate::text::atoi;

/// What to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Format(Load),
    Directory(Vec<u8>),
}

/// The command line.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) what: What,
    pub(super) verbose: bool,
    pub(super) delete: bool,
    pub(super) merge: bool,
    pub(super) prompt: bool,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Zeroizing<Vec<u8>>>,
    pub(super) timeout: i64,
    pub(super) by_tag: bool,
    pub(super) domain: Vec<u8>,
}

/// Why a command line makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Usage,
    UnknownArgument(Vec<u8>),
    UnknownOption(Vec<u8>),
    UnknownFormat(Vec<u8>),
}

/// Reads the command line.
pub(super) fn parse(args: Words) -> Result<Options, Wrong> {
    let mut options = Options {
        what: What::Directory(Vec::new()),
        verbose: false,
        delete: false,
        merge: false,
        prompt: false,
        user: None,
        password: None,
        timeout: DEFAULT_TIMEOUT,
        by_tag: false,
        domain: Vec::new(),
    };
    let mut is_raw = false;
    let mut operands = Words::new();
    let mut args = args.into_iter();
    while let Some(word) = args.next() {
        match word.as_slice() {
            b"-v" => options.verbose = true,
            b"-d" => options.delete = true,
            b"-m" => options.merge = true,
            b"-p" => options.prompt = true,
            b"-t" => options.by_tag = true,
            b"-r" => is_raw = true,
            b"-u" => options.user = Some(args.next().ok_or(Wrong::Usage)?.to_vec()),
            b"-P" => options.password = Some(args.next().ok_or(Wrong::Usage)?),
            b"-T" => options.timeout = atoi(&args.next().ok_or(Wrong::Usage)?),
            option if option.first() == Some(&b'-') => return Err(Wrong::UnknownOption(option.to_vec())),
            argument if operands.len() == 2 => return Err(Wrong::UnknownArgument(argument.to_vec())),
            _ => operands.push(word),
        }
    }
    // `-u` asks for the password that was not given.
    options.prompt |= options.user.is_some();
    let mut operands = operands.into_iter().map(|word| word.to_vec());
    let (Some(what), Some(domain)) = (operands.next(), operands.next()) else { return Err(Wrong::Usage) };
    options.domain = domain;
    options.what = match is_raw {
        true => What::Directory(what),
        false => match std::str::from_utf8(&what).ok().and_then(Load::from_name) {
            Some(format) => What::Format(format),
            None => return Err(Wrong::UnknownFormat(what)),
        },
    };
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn options_stand_anywhere() {
        let options =
            parse(words(&["passwd", "-d", "-T", "5", "h/t", "-m", "-t", "-P", "pw", "-v"])).unwrap();
        assert_eq!(options.what, What::Format(Load::Passwd));
        assert!(options.delete && options.merge && options.by_tag && options.verbose && !options.prompt);
        assert_eq!((options.timeout, options.domain.as_slice()), (5, &b"h/t"[..]));
        assert_eq!(options.password.unwrap().as_slice(), b"pw");
        assert!(parse(words(&["-u", "joe", "-r", "/a", "."])).unwrap().prompt);
        assert_eq!(parse(words(&["/a", ".", "-r"])).unwrap().what, What::Directory(b"/a".to_vec()));
    }

    #[test]
    fn what_makes_no_sense() {
        let wrong = |line: &[&str]| parse(words(line)).unwrap_err();
        assert_eq!(wrong(&[]), Wrong::Usage);
        assert_eq!(wrong(&["passwd"]), Wrong::Usage);
        assert_eq!(wrong(&["passwd", ".", "-T"]), Wrong::Usage);
        assert_eq!(wrong(&["passwd", ".", "x"]), Wrong::UnknownArgument(b"x".to_vec()));
        assert_eq!(wrong(&["-x", "passwd", "."]), Wrong::UnknownOption(b"-x".to_vec()));
        for format in ["ethers", "exports", "resolv.conf", "netgroup", "nosuch"] {
            assert_eq!(wrong(&[format, "."]), Wrong::UnknownFormat(format.into()));
        }
    }
}

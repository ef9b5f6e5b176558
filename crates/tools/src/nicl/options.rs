//! The command line of nicl. Options come first; the first argument that is none is the data source, and after it comes
//! the command.

use zeroize::Zeroizing;

use super::interactive::Manner;
use super::path::Naming;
use crate::Words;

/// The command line.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) create: bool,
    pub(super) read_only: bool,
    pub(super) raw: bool,
    pub(super) by_tag: bool,
    pub(super) prompt: bool,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Zeroizing<Vec<u8>>>,
    pub(super) verbosity: u8,
    pub(super) confirm: bool,
    pub(super) manner: Manner,
    pub(super) naming: Naming,
    /// Make the data source, and do nothing else.
    pub(super) creates_only: bool,
    /// The data source: a domain, a place or a folder.
    pub(super) source: Vec<u8>,
    pub(super) command: Vec<Vec<u8>>,
}

/// Reads the command line; `None` if there is no data source.
pub(super) fn parse(args: Words) -> Option<Options> {
    let mut options = Options::default();
    let count = args.len();
    let last = args.last().map(|word| word.strip_prefix(b"-").unwrap_or(word).to_vec());
    let creates = count > 2 && last.as_deref() == Some(b"create");
    let mut args = args.into_iter();
    let source = loop {
        let word = args.next()?;
        match word.as_slice() {
            b"-c" => options.create = true,
            b"-ro" => options.read_only = true,
            b"-raw" => options.raw = true,
            b"-t" => options.by_tag = true,
            b"-p" => options.prompt = true,
            b"-u" => options.user = Some(args.next()?.to_vec()),
            b"-P" => options.password = Some(args.next()?),
            b"-v" => options.verbosity = 1,
            b"-vv" => options.verbosity = 2,
            b"-q" => options.manner.quiet = true,
            b"-i" => options.confirm = true,
            b"-x500" => options.naming = Naming::X500,
            b"-nobold" => options.manner.plain = true,
            // There is nobody to notify.
            b"-nonotify" => {}
            _ => break word,
        }
    };
    options.source = source.to_vec();
    options.command = args.map(|word| word.to_vec()).collect();
    options.creates_only = creates && !options.command.is_empty();
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn options_come_first() {
        let options = parse(words(&["-raw", "-ro", "-v", "x.nidb", "-read", "/", "-v"])).unwrap();
        assert!(options.raw && options.read_only && !options.create);
        assert_eq!((options.verbosity, options.source.as_slice()), (1, &b"x.nidb"[..]));
        assert_eq!(options.command, [b"-read".to_vec(), b"/".to_vec(), b"-v".to_vec()]);
        let options = parse(words(&["-u", "joe", "-P", "pw", "-t", "h/t"])).unwrap();
        assert_eq!(options.user.as_deref(), Some(&b"joe"[..]));
        assert!(options.by_tag && options.command.is_empty());
        for none in [&[][..], &["-v"], &["-u"]] {
            assert!(parse(words(none)).is_none());
        }
    }

    #[test]
    fn making_a_data_source() {
        assert!(parse(words(&["-raw", "x.nidb", "-create"])).unwrap().creates_only);
        assert!(parse(words(&["-t", "h/t", "create"])).unwrap().creates_only);
        assert!(!parse(words(&[".", "-create"])).unwrap().creates_only);
        assert!(!parse(words(&["-raw", "x.nidb", "-create", "/users"])).unwrap().creates_only);
    }
}

//! The command line of niutil. Options may stand anywhere; from the first operand on everything is an operand too.

use zeroize::Zeroizing;

use crate::Words;
use crate::open::DEFAULT_TIMEOUT;
use crate::text::atoi;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Destroy,
    CreateProp,
    AppendProp,
    MergeProp,
    InsertVal,
    DestroyProp,
    DestroyVal,
    RenameProp,
    Read,
    List,
    ReadProp,
    ReadVal,
    RParent,
    Resync,
    Statistics,
    DomainName,
}

impl Operation {
    /// The operation that an argument names.
    fn named(argument: &[u8]) -> Option<Self> {
        Some(match argument {
            b"-create" => Self::Create,
            b"-destroy" => Self::Destroy,
            b"-createprop" => Self::CreateProp,
            b"-appendprop" => Self::AppendProp,
            b"-mergeprop" => Self::MergeProp,
            b"-insertval" => Self::InsertVal,
            b"-destroyprop" => Self::DestroyProp,
            b"-destroyval" => Self::DestroyVal,
            b"-renameprop" => Self::RenameProp,
            b"-read" => Self::Read,
            b"-list" => Self::List,
            b"-readprop" => Self::ReadProp,
            b"-readval" => Self::ReadVal,
            b"-rparent" => Self::RParent,
            b"-resync" => Self::Resync,
            b"-statistics" | b"-stat" => Self::Statistics,
            b"-domainname" => Self::DomainName,
            _ => return None,
        })
    }

    /// How many operands it needs, with the domain.
    const fn minimum(self) -> usize {
        match self {
            Self::RParent | Self::Resync | Self::Statistics | Self::DomainName => 1,
            Self::Create | Self::Destroy | Self::Read | Self::List => 2,
            Self::CreateProp | Self::DestroyProp | Self::ReadProp => 3,
            Self::AppendProp | Self::MergeProp | Self::DestroyVal | Self::RenameProp | Self::ReadVal => 4,
            Self::InsertVal => 5,
        }
    }
}

/// The command line.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) operation: Operation,
    pub(super) by_tag: bool,
    pub(super) prompt: bool,
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Zeroizing<Vec<u8>>>,
    pub(super) timeout: i64,
    pub(super) numeric: bool,
    pub(super) retry: bool,
    /// The domain and what follows it.
    pub(super) operands: Words,
}

impl Options {
    /// The domain.
    pub(super) fn domain(&self) -> &[u8] {
        self.operands.first().map(|word| word.as_slice()).unwrap_or_default()
    }
}

/// Why a command line makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// An unknown option, or nothing at all.
    Usage,
    /// This one needs more arguments.
    Missing(Vec<u8>),
}

/// Reads the command line. `None` if it asks for nothing.
pub(super) fn parse(args: Words) -> Result<Option<Options>, Wrong> {
    let argument_one = args.first().map(|word| word.to_vec()).ok_or(Wrong::Usage)?;
    let mut operation = None;
    let mut options = Options {
        operation: Operation::Read,
        by_tag: false,
        prompt: false,
        user: None,
        password: None,
        timeout: DEFAULT_TIMEOUT,
        numeric: false,
        retry: false,
        operands: Words::new(),
    };
    let mut args = args.into_iter();
    while let Some(word) = args.next() {
        let is_operand = !options.operands.is_empty() || word.first() != Some(&b'-');
        let mut value = || args.next().ok_or_else(|| Wrong::Missing(word.to_vec()));
        let mut timeout = None;
        match word.as_slice() {
            b"-t" => options.by_tag = true,
            b"-p" => options.prompt = true,
            b"-n" => options.numeric = true,
            b"-R" => options.retry = true,
            b"-u" => options.user = Some(value()?.to_vec()),
            b"-P" => options.password = Some(value()?),
            b"-T" => timeout = Some(value()?),
            other => match Operation::named(other) {
                Some(named) => operation = Some(named),
                None if is_operand || operation.is_some() => {}
                None => return Err(Wrong::Usage),
            },
        }
        if is_operand {
            options.operands.push(word);
        }
        if let Some(seconds) = timeout {
            options.timeout = atoi(&seconds);
            // Among the operands the number is one more of them.
            if is_operand {
                options.operands.push(seconds);
            }
        }
    }
    let Some(operation) = operation else {
        return if options.operands.is_empty() { Err(Wrong::Usage) } else { Ok(None) };
    };
    if options.operands.len() < operation.minimum() {
        return Err(Wrong::Missing(argument_one));
    }
    options.operation = operation;
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    fn operands(line: &[&str]) -> Vec<String> {
        let options = parse(words(line)).unwrap().unwrap();
        options.operands.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    #[test]
    fn operands_swallow_options() {
        let line = ["-createprop", "-T", "5", ".", "/groups/nobody", "gid", "-2"];
        assert_eq!(operands(&line), [".", "/groups/nobody", "gid", "-2"]);
        let line = ["-createprop", ".", "/x", "k", "-n", "-T", "7", "-u", "joe"];
        assert_eq!(operands(&line), [".", "/x", "k", "-n", "-T", "7", "-u"]);
        let options = parse(words(&line)).unwrap().unwrap();
        assert!(options.numeric);
        assert_eq!((options.timeout, options.user.as_deref()), (7, Some(&b"joe"[..])));
    }

    #[test]
    fn the_last_operation_wins() {
        let options = parse(words(&["-list", "-read", ".", "/", "-rparent"])).unwrap().unwrap();
        assert_eq!(options.operation, Operation::RParent);
    }

    #[test]
    fn what_makes_no_sense() {
        let wrong = |line: &[&str]| parse(words(line)).unwrap_err();
        assert_eq!(wrong(&[]), Wrong::Usage);
        assert_eq!(wrong(&["-t"]), Wrong::Usage);
        assert_eq!(wrong(&["-bogus", "-read", ".", "/"]), Wrong::Usage);
        assert_eq!(wrong(&["-read", "."]), Wrong::Missing(b"-read".to_vec()));
        assert_eq!(wrong(&["-t", "-read", "a/b"]), Wrong::Missing(b"-t".to_vec()));
        for last in ["-T", "-u", "-P"] {
            assert_eq!(wrong(&["-read", ".", "/", last]), Wrong::Missing(last.as_bytes().to_vec()));
        }
        assert!(parse(words(&["."])).unwrap().is_none());
        assert!(parse(words(&["-read", "-bogus", ".", "/"])).unwrap().is_some());
    }

    #[test]
    fn every_operation_knows_how_many_operands_it_needs() {
        for (name, minimum) in [
            ("-create", 2),
            ("-destroy", 2),
            ("-createprop", 3),
            ("-appendprop", 4),
            ("-mergeprop", 4),
            ("-insertval", 5),
            ("-destroyprop", 3),
            ("-destroyval", 4),
            ("-renameprop", 4),
            ("-read", 2),
            ("-list", 2),
            ("-readprop", 3),
            ("-readval", 4),
            ("-rparent", 1),
            ("-resync", 1),
            ("-statistics", 1),
            ("-stat", 1),
            ("-domainname", 1),
        ] {
            let mut line = vec![name];
            line.resize(minimum, "x");
            assert!(parse(words(&line)).is_err(), "{name}");
            line.push("x");
            assert!(parse(words(&line)).is_ok(), "{name}");
        }
    }
}

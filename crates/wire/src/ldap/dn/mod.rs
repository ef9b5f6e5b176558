//! Distinguished names as text (RFC 4514).
//!
//! * [`Dn`] — checked once, then walked: its [`Rdn`]s from the leaf to the root, their [`Pair`]s;
//! * [`DnWriter`] — writes canonical text straight into a buffer; [`put_value`] escapes one value.
//!
//! Parsing follows the grammar of RFC 4514 §3 and, as other servers do, ignores blanks around `,`, `+`
//! and `=`. The older forms with quotes and semicolons (RFC 2253 §4) are refused. Values borrow from the
//! text unless they contain escapes; an owned value is shorter than its text.

mod format;
mod parse;
mod value;

use std::fmt;

pub use format::{DnWriter, put_ber_value, put_value};
pub use value::{Pair, Pairs, Value};

use parse::Separator;

/// Longest DN in bytes of its text.
pub const MAX_DN: usize = 8192;
/// Most RDNs of one DN.
pub const MAX_RDNS: usize = 128;
/// Most attribute-value pairs of one RDN.
pub const MAX_PAIRS: usize = 16;

/// Why and where a text is not a DN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DN, byte {position}: {kind}")]
pub struct DnError {
    /// Offset in bytes of what is wrong.
    pub position: usize,
    /// What is wrong.
    pub kind: DnErrorKind,
}

/// Why a text is not a DN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnErrorKind {
    /// It is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// An attribute type by name or number belongs here.
    #[error("attribute type expected")]
    AttributeExpected,
    /// An equals sign belongs here.
    #[error("= expected")]
    EqualsExpected,
    /// After a backslash comes a special character or two hexadecimal digits.
    #[error("special character or two hexadecimal digits expected after \\")]
    BadEscape,
    /// This character must be escaped in a value.
    #[error("character must be escaped")]
    BareSpecial,
    /// After `#` come pairs of hexadecimal digits.
    #[error("pairs of hexadecimal digits expected after #")]
    BadHex,
    /// Longer than [`MAX_DN`].
    #[error("more than {MAX_DN} bytes")]
    TooLong,
    /// More than [`MAX_RDNS`].
    #[error("more than {MAX_RDNS} RDNs")]
    TooManyRdns,
    /// More than [`MAX_PAIRS`] in one RDN.
    #[error("more than {MAX_PAIRS} attributes in one RDN")]
    TooManyPairs,
}

/// A distinguished name, borrowed from its text.
#[derive(Clone, Copy, Default)]
pub struct Dn<'a> {
    text: &'a str,
    rdns: usize,
}

impl<'a> Dn<'a> {
    /// The name of the root: empty.
    pub const ROOT: Dn<'static> = Dn { text: "", rdns: 0 };

    /// Checks a DN and all its values.
    ///
    /// # Errors
    /// [`DnError`].
    pub fn parse(text: &'a [u8]) -> Result<Self, DnError> {
        let error = |position, kind| Err(DnError { position, kind });
        if text.len() > MAX_DN {
            return error(MAX_DN, DnErrorKind::TooLong);
        }
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(utf8) => return error(utf8.valid_up_to(), DnErrorKind::NotUtf8),
        };
        if text.is_empty() {
            return Ok(Dn::ROOT);
        }
        let (mut at, mut rdns, mut pairs) = (0, 1, 0);
        loop {
            let pair = parse::pair(text, at)?;
            pairs += 1;
            if pairs > MAX_PAIRS {
                return error(at, DnErrorKind::TooManyPairs);
            }
            at = pair.next;
            match pair.separator {
                Separator::End => return Ok(Self { text, rdns }),
                Separator::Plus => {}
                Separator::Comma => (rdns, pairs) = (rdns + 1, 0),
            }
            if rdns > MAX_RDNS {
                return error(at, DnErrorKind::TooManyRdns);
            }
        }
    }

    /// The text it was parsed from.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// How many RDNs.
    pub const fn len(&self) -> usize {
        self.rdns
    }

    /// Whether this is the root, which has no RDNs.
    pub const fn is_empty(&self) -> bool {
        self.rdns == 0
    }

    /// The RDNs, the entry's own first.
    pub const fn rdns(&self) -> Rdns<'a> {
        Rdns { rest: *self }
    }

    /// The entry's own RDN and the name of its parent; `None` for the root.
    pub fn split_first(&self) -> Option<(Rdn<'a>, Self)> {
        if self.is_empty() {
            return None;
        }
        let mut at = 0;
        // The text was checked when the DN was parsed, so no pair fails now.
        while let Ok(pair) = parse::pair(self.text, at) {
            at = pair.next;
            let rdn = || Rdn { text: self.text.get(..pair.end).unwrap_or_default() };
            match pair.separator {
                Separator::Plus => {}
                Separator::End => return Some((rdn(), Dn::ROOT)),
                Separator::Comma => {
                    let rest = self.text.get(at..).unwrap_or_default().trim_start_matches(' ');
                    return Some((rdn(), Dn { text: rest, rdns: self.rdns - 1 }));
                }
            }
        }
        None
    }

    /// The name of the parent; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.split_first().map(|(_, parent)| parent)
    }
}

/// Two names are equal here if types are, without regard to case, and values are byte by byte. Names of
/// entries are compared by the matching rules of a schema, which this crate does not know.
impl PartialEq for Dn<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rdns == other.rdns && self.rdns().eq(other.rdns())
    }
}

impl Eq for Dn<'_> {}

/// The canonical text.
impl fmt::Display for Dn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rdns().enumerate().try_for_each(|(index, rdn)| {
            f.write_str(if index == 0 { "" } else { "," })?;
            rdn.fmt(f)
        })
    }
}

impl fmt::Debug for Dn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dn(<{} RDNs, {} bytes>)", self.rdns, self.text.len())
    }
}

/// The RDNs of a [`Dn`], the entry's own first.
#[derive(Clone, Debug)]
pub struct Rdns<'a> {
    rest: Dn<'a>,
}

impl<'a> Iterator for Rdns<'a> {
    type Item = Rdn<'a>;

    fn next(&mut self) -> Option<Rdn<'a>> {
        let (rdn, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(rdn)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest.len(), Some(self.rest.len()))
    }
}

impl ExactSizeIterator for Rdns<'_> {}

/// One level of a name: one or more attribute-value pairs.
#[derive(Clone, Copy)]
pub struct Rdn<'a> {
    text: &'a str,
}

impl<'a> Rdn<'a> {
    /// Checks a single RDN, such as the new one of a modify DN request.
    ///
    /// # Errors
    /// [`DnError`]; [`DnErrorKind::AttributeExpected`] for the empty text,
    /// [`DnErrorKind::TooManyRdns`] if there is more than one.
    pub fn parse(text: &'a [u8]) -> Result<Self, DnError> {
        let dn = Dn::parse(text)?;
        match dn.split_first() {
            None => Err(DnError { position: 0, kind: DnErrorKind::AttributeExpected }),
            Some((rdn, rest)) if rest.is_empty() => Ok(rdn),
            Some((rdn, _)) => Err(DnError { position: rdn.text.len(), kind: DnErrorKind::TooManyRdns }),
        }
    }

    /// The text it was parsed from, without the separator after it.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The pairs in order, at least one.
    pub const fn pairs(&self) -> Pairs<'a> {
        Pairs::new(self.text)
    }

    /// The pair, if there is only one.
    pub fn single(&self) -> Option<Pair<'a>> {
        let mut pairs = self.pairs();
        let first = pairs.next()?;
        pairs.next().is_none().then_some(first)
    }
}

/// As for [`Dn`]; pairs count as ordered.
impl PartialEq for Rdn<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.pairs().eq(other.pairs())
    }
}

impl Eq for Rdn<'_> {}

/// The canonical text.
impl fmt::Display for Rdn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pairs().enumerate().try_for_each(|(index, pair)| {
            f.write_str(if index == 0 { "" } else { "+" })?;
            pair.fmt(f)
        })
    }
}

impl fmt::Debug for Rdn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs()).finish()
    }
}

#[cfg(test)]
mod tests;

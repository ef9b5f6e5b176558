//! Three-valued logic (RFC 4511 §4.5.1.7).

use std::ops::Not;

/// What a filter says of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// The entry matches.
    True,
    /// It does not.
    False,
    /// It cannot be told: the attribute is unknown or hidden, the rule does not exist, the value is malformed.
    Undefined,
}

impl Truth {
    /// Whether the entry is to be returned.
    pub(crate) fn is_true(self) -> bool {
        self == Self::True
    }

    /// True if one is; False if all are; Undefined otherwise. Stops at the first True.
    pub(crate) fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for item in items {
            match item {
                Self::True => return Self::True,
                Self::Undefined => result = Self::Undefined,
                Self::False => {}
            }
        }
        result
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Undefined => Self::Undefined,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Undefined};

    #[test]
    fn tables() {
        assert_eq!(Truth::any([True, Undefined]), True);
        assert_eq!(Truth::any([False, Undefined]), Undefined);
        assert_eq!(Truth::any([Undefined, True]), True);
        assert_eq!(Truth::any([]), False);
        assert_eq!([!True, !False, !Undefined], [False, True, Undefined]);
    }
}

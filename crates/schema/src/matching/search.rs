//! Looking for the parts of a pattern in a key.

use smallvec::SmallVec;

use super::keys::LINE_SEPARATOR;
use super::{Family, Rule, RuleKind};
use crate::error::ValueError;
use crate::prepare::{Edges, Key, Spaces, prepare};

/// One prepared part: spaces at its ends apart from the rest. What was all spaces is a space before nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) core: SmallVec<[u8; 64]>,
    edges: Edges,
}

impl Part {
    pub(super) fn new(rule: Rule, part: &[u8]) -> Result<Self, ValueError> {
        if rule.kind() != RuleKind::Substrings {
            return Err(ValueError::NotApplicable);
        }
        let mut core = Key::new();
        let edges = match rule.family() {
            Family::CaseIgnore | Family::Lines => prepare(part, true, Spaces::Squeeze, &mut core)?,
            Family::CaseExact => prepare(part, false, Spaces::Squeeze, &mut core)?,
            Family::Numeric => prepare(part, false, Spaces::Drop, &mut core)?,
            Family::Telephone => prepare(part, true, Spaces::DropHyphens, &mut core)?,
            _ => {
                core.extend_from_slice(part);
                Edges::default()
            }
        };
        let core = SmallVec::from_slice(&core);
        Ok(Self { core, edges })
    }

    /// Whether it is one space and nothing else.
    fn is_space(&self) -> bool {
        self.core.is_empty() && self.edges.leading
    }
}

/// Looks for parts in a key from left to right.
pub(super) struct Search<'k> {
    key: &'k [u8],
    /// What lies before is used up.
    at: usize,
    /// Of the two spaces that the one at `at` stands for, the first is used up.
    half: bool,
    /// The space in front of the key is used up.
    begun: bool,
    /// The space behind the key is used up.
    ended: bool,
}

impl<'k> Search<'k> {
    pub(super) fn new(key: &'k [u8]) -> Self {
        Self { key, at: 0, half: false, begun: false, ended: false }
    }

    fn is_gap(&self, at: usize) -> bool {
        matches!(self.key.get(at), Some(&(b' ' | LINE_SEPARATOR)))
    }

    /// The part at the beginning of the value.
    pub(super) fn initial(&mut self, part: &Part) -> bool {
        self.begun = true;
        if !self.key.starts_with(&part.core) {
            return false;
        }
        self.at = part.core.len();
        part.is_space() || self.follow(part)
    }

    /// The part somewhere behind what is used up: the leftmost place leaves most for others.
    pub(super) fn any(&mut self, part: &Part) -> bool {
        if part.core.is_empty() {
            return !part.edges.leading || self.space();
        }
        let mut from = self.at;
        while let Some(found) = find(&self.key[from..], &part.core) {
            let start = from + found;
            if self.leads(part, start) {
                let end = start + part.core.len();
                let trails = !part.edges.trailing || end == self.key.len() || self.is_gap(end);
                if trails {
                    (self.at, self.half, self.begun) = (end, false, true);
                    return self.follow(part);
                }
            }
            from = start + 1;
        }
        false
    }

    /// The part at the end of the value, behind what is used up.
    pub(super) fn last(&self, part: &Part) -> bool {
        if self.ended {
            return false;
        }
        if part.core.is_empty() {
            return true;
        }
        match self.key.len().checked_sub(part.core.len()) {
            Some(start) => start >= self.at && self.key.ends_with(&part.core) && self.leads(part, start),
            None => false,
        }
    }

    /// Whether the space that a part may begin with is there in front of `start`, and free.
    fn leads(&self, part: &Part, start: usize) -> bool {
        if !part.edges.leading {
            return true;
        }
        if start == 0 {
            return !self.begun;
        }
        start > self.at && self.is_gap(start - 1)
    }

    /// Use up the space that a part may end with, behind `at`.
    fn follow(&mut self, part: &Part) -> bool {
        if !part.edges.trailing {
            return true;
        }
        if self.at == self.key.len() {
            self.ended = true;
            return true;
        }
        self.half = self.is_gap(self.at);
        self.half
    }

    /// Use up the next space.
    fn space(&mut self) -> bool {
        if !self.begun && self.at == 0 {
            self.begun = true;
        } else if self.half {
            self.half = false;
            self.at += 1;
        } else if let Some(gap) = (self.at..self.key.len()).find(|&at| self.is_gap(at)) {
            self.at = gap;
            self.half = true;
        } else if self.ended {
            return false;
        } else {
            self.at = self.key.len();
            self.ended = true;
        }
        self.begun = true;
        true
    }
}

pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let (&first, rest) = part.split_first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|&byte| byte == first)?;
        if text[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

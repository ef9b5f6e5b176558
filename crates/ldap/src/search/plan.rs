//! Which directories a search has to look at: candidates from the core's index, or all.
//!
//! Candidates are a superset: whoever looks at them evaluates the whole filter. So a plan may leave out of an "and" what
//! costs more to ask than it saves, and it does.

use netinfo_directory::{Term, Time, View};
use netinfo_mapping::{Lookup, Lookups, Result};
use netinfo_schema::ClassId;
use netinfo_schema::syntax::Moment;
use netinfo_wire::ldap::Scope;
use roaring::RoaringBitmap;

use super::filter::{Compare, Comparison, Filter, Parts};
use super::ground::Ground;
use super::reach::Reach;
use super::source::Source;
use crate::limits::PLANNED_FILTER;

/// So few candidates are looked at rather than narrowed down.
const FEW: u64 = 24;
/// A further condition is asked for only if it promises at most so many times the candidates there are.
const BROAD: u64 = 8;
/// A subtree is listed rather than found by looking at everything if it is at most this part of the domain.
const PART: u64 = 3;
/// Most directories of a subtree that are listed.
const LISTED: u64 = 200_000;

/// The directories to look at for a filter, inside `reach`. `extra` are looked at in any case.
pub(crate) fn source(
    ground: &Ground<'_>,
    filter: &Filter,
    reach: &Reach,
    extra: &RoaringBitmap,
) -> Result<Source> {
    let view = ground.view();
    let inside = reach.estimate(view)?;
    if inside.is_some_and(|inside| inside <= FEW)
        && let Some(list) = reach.list(view)?
    {
        return Ok(Source::set(list, 0));
    }
    let planner = Planner { ground, all: ground.tree().directories()? };
    let found = match filter.size() {
        ..=PLANNED_FILTER => planner.candidates(filter, None)?,
        _ => None,
    };
    let narrow = found.as_ref().map_or(planner.all, RoaringBitmap::len);
    if inside.is_some_and(|inside| inside < narrow)
        && let Some(list) = reach.list(view)?
    {
        // Candidates cost less than records.
        return Ok(Source::set(
            match found {
                Some(found) => (found | extra) & list,
                None => list,
            },
            0,
        ));
    }
    if let Some(found) = found {
        return Ok(Source::set(found | extra, 0));
    }
    Ok(match planner.subtree(reach)? {
        Some(objects) => Source::set(objects, 0),
        None => Source::All { next: 0 },
    })
}

struct Planner<'p, 'g> {
    ground: &'p Ground<'g>,
    /// Directories in the domain.
    all: u64,
}

impl Planner<'_, '_> {
    fn view(&self) -> &View<'_> {
        self.ground.view()
    }

    /// All entries that can match, and perhaps others; `None` if these are too many to be listed. `known` is how many
    /// there are at most by other conditions: if this one does not promise to be better, it need not be asked.
    fn candidates(&self, filter: &Filter, known: Option<u64>) -> Result<Option<RoaringBitmap>> {
        match filter {
            Filter::And(children) => self.all_of(children, known),
            Filter::Or(children) => self.one_of(children, known),
            Filter::Constant(truth) if truth.is_true() => Ok(None),
            Filter::Constant(_) => Ok(Some(RoaringBitmap::new())),
            Filter::Not(_) | Filter::Matching(_) => Ok(None),
            Filter::Chain(chain) => Ok(chain.found.clone()),
            Filter::Compare(compare) => self.compared(compare, known),
            Filter::Present(attribute) => self.collect(&self.ground.tree().presence(attribute)?, known),
            Filter::Class(class) => self.collect(&self.of_class(*class)?, known),
            Filter::Substrings(parts) => self.containing(parts, known),
        }
    }

    /// The most selective conditions first, until there are few candidates.
    fn all_of(&self, children: &[Filter], known: Option<u64>) -> Result<Option<RoaringBitmap>> {
        let mut order: Vec<&Filter> = children.iter().collect();
        order.sort_by_key(|child| rank(child));
        let mut found: Option<RoaringBitmap> = None;
        for child in order {
            let best = found.as_ref().map(RoaringBitmap::len).or(known);
            if best.is_some_and(|best| best <= FEW) {
                break;
            }
            match (self.candidates(child, best)?, &mut found) {
                (Some(more), Some(found)) => *found &= more,
                (Some(first), none) => *none = Some(first),
                (None, _) => {}
            }
        }
        Ok(found)
    }

    fn one_of(&self, children: &[Filter], known: Option<u64>) -> Result<Option<RoaringBitmap>> {
        let mut found = RoaringBitmap::new();
        for child in children {
            match self.candidates(child, known)? {
                Some(more) => found |= more,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    fn compared(&self, compare: &Compare, known: Option<u64>) -> Result<Option<RoaringBitmap>> {
        if let Some(found) = self.in_time(compare)? {
            return Ok(Some(found));
        }
        match compare.comparison {
            Comparison::Equal => {
                let lookups = self.ground.tree().lookups(&compare.attribute, &compare.value)?;
                let found = self.collect(&lookups, known)?;
                if let Some(found) = &found {
                    self.note(&lookups, &compare.value, found);
                }
                Ok(found)
            }
            // Values have no order in the index, but only who has the attribute can match.
            Comparison::AtLeast | Comparison::AtMost => {
                self.collect(&self.ground.tree().presence(&compare.attribute)?, known)
            }
        }
    }

    /// Lets the tree know when one directory alone has a name: what it is called need not be asked then.
    fn note(&self, lookups: &Lookups<'_>, value: &[u8], found: &RoaringBitmap) {
        let by_name = |term: &Lookup<'_>| matches!(term, Lookup::Equal { property: b"name", value: v } if **v == *value);
        if found.len() == 1
            && let Some(only) = found.min()
            && lookups.terms.iter().any(by_name)
        {
            self.ground.tree().note_alone(only, value);
        }
    }

    /// Directories that were changed at a time, if that is what is asked for.
    fn in_time(&self, compare: &Compare) -> Result<Option<RoaringBitmap>> {
        if compare.attribute.name() != "modifyTimestamp" {
            return Ok(None);
        }
        let Ok(moment) = Moment::parse(&compare.value) else { return Ok(None) };
        // Entries show whole seconds.
        let first = u64::try_from(moment.unix_seconds()).unwrap_or(0).saturating_mul(1000);
        let last = first.saturating_add(1999);
        let (from, to) = match compare.comparison {
            Comparison::Equal => (first, last),
            Comparison::AtLeast => (first, u64::MAX),
            Comparison::AtMost => (0, last),
        };
        let mut found = RoaringBitmap::new();
        self.view().collect(Term::Time { time: Time::Modified, from, to }, &mut found)?;
        Ok(Some(found))
    }

    fn of_class(&self, class: ClassId) -> Result<Lookups<'_>> {
        let tree = self.ground.tree();
        tree.of_class(tree.namespace().schema().class_by_id(class))
    }

    fn containing(&self, parts: &Parts, known: Option<u64>) -> Result<Option<RoaringBitmap>> {
        let tree = self.ground.tree();
        let mut found: Option<RoaringBitmap> = None;
        // The longest piece tells most.
        let mut pieces: Vec<&[u8]> = parts.initial.iter().chain(&parts.others).map(Vec::as_slice).collect();
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
        for piece in pieces {
            let best = found.as_ref().map(RoaringBitmap::len).or(known);
            if best.is_some_and(|best| best <= FEW) {
                break;
            }
            match (self.collect(&tree.containing(&parts.attribute, piece)?, best)?, &mut found) {
                (Some(more), Some(found)) => *found &= more,
                (Some(first), none) => *none = Some(first),
                (None, _) => {}
            }
        }
        Ok(found)
    }

    /// The candidates of all these, unless they are too many to be of use.
    fn collect(&self, lookups: &Lookups<'_>, known: Option<u64>) -> Result<Option<RoaringBitmap>> {
        if !lookups.complete {
            return Ok(None);
        }
        let useful = known.map_or(self.all / 2, |known| known.saturating_mul(BROAD)).max(FEW);
        let exact = |term: &Lookup<'_>| matches!(term, Lookup::Equal { .. });
        let mut expected = lookups.objects.len() as u64;
        for &directory in &lookups.below {
            expected += u64::from(self.view().record(directory)?.child_count());
        }
        // Equal values cost no more to collect than to count.
        for term in lookups.terms.iter().filter(|term| !exact(term)) {
            expected = expected.saturating_add(self.view().estimate(term.term())?);
        }
        if expected > useful {
            return Ok(None);
        }
        let mut found: RoaringBitmap = lookups.objects.iter().copied().collect();
        for term in &lookups.terms {
            self.view().collect(term.term(), &mut found)?;
        }
        for &directory in &lookups.below {
            if !self.below(directory, useful, &mut found)? {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// The bases and all that is below them, if that is a small part of the domain.
    fn subtree(&self, reach: &Reach) -> Result<Option<RoaringBitmap>> {
        if !matches!(reach.scope(), Scope::Subtree | Scope::Subordinate) || reach.is_everything() {
            return Ok(None);
        }
        let mut found = reach.bases().clone();
        for base in reach.bases() {
            if !self.below(base, self.all / PART, &mut found)? {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// Adds all directories below one; `false` if they are more than `most` altogether.
    fn below(&self, directory: u32, most: u64, found: &mut RoaringBitmap) -> Result<bool> {
        let most = most.min(LISTED);
        let mut left = vec![directory];
        while let Some(parent) = left.pop() {
            if u64::from(self.view().record(parent)?.child_count()) > most {
                return Ok(false);
            }
            for child in self.view().children(parent)? {
                let child = child?;
                if found.insert(child) && self.view().record(child)?.child_count() > 0 {
                    left.push(child);
                }
            }
            if found.len() > most {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Conditions in the order in which they are worth asking.
fn rank(filter: &Filter) -> u8 {
    match filter {
        Filter::Constant(_) | Filter::Chain(_) => 0,
        Filter::Compare(compare) if compare.comparison == Comparison::Equal => {
            if compare.attribute.has_hidden_values() { 2 } else { 1 }
        }
        Filter::And(_) => 3,
        Filter::Or(_) => 4,
        Filter::Substrings(_) => 5,
        Filter::Class(_) => 6,
        Filter::Present(_) | Filter::Compare(_) => 7,
        Filter::Not(_) | Filter::Matching(_) => 8,
    }
}

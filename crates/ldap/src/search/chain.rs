//! In-chain matching (1.2.840.113556.1.4.1941): entries from which a name is reached by following the values of an attribute.
//!
//! What is reached is found once, before entries are looked at: each step asks for the entries whose values name those
//! found by the step before. For `memberOf`, whose values follow from the members of groups, the steps go the other way.

use netinfo_mapping::Result;
use roaring::RoaringBitmap;

use super::described::Described;
use super::filter::{Chain, Compare, Filter};
use super::ground::Ground;

/// Finds what the in-chain matches of a filter reach, as the snapshot has it; not more than `most` entries each.
pub(crate) fn follow(ground: &Ground<'_>, filter: &mut Filter, most: u64) -> Result<()> {
    match filter {
        Filter::And(children) | Filter::Or(children) => {
            children.iter_mut().try_for_each(|child| follow(ground, child, most))
        }
        Filter::Not(child) => follow(ground, child, most),
        Filter::Chain(chain) => {
            chain.found = reached(ground, chain, most)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The entries from which the name is reached; `None` if they are more than `most`.
fn reached(ground: &Ground<'_>, chain: &Chain, most: u64) -> Result<Option<RoaringBitmap>> {
    let mut found = RoaringBitmap::new();
    let mut names = vec![chain.name.clone()];
    while let Some(name) = names.pop() {
        for object in naming(ground, &chain.attribute, &name)? {
            if !found.insert(object) {
                continue;
            }
            if found.len() > most {
                return Ok(None);
            }
            names.push(ground.tree().dn(object)?.into_bytes());
        }
    }
    Ok(Some(found))
}

/// The entries with this value.
fn naming(ground: &Ground<'_>, attribute: &Described, name: &[u8]) -> Result<Vec<u32>> {
    let tree = ground.tree();
    let lookups = tree.lookups(attribute, name)?;
    let mut candidates: RoaringBitmap = lookups.objects.iter().copied().collect();
    if lookups.complete {
        for term in &lookups.terms {
            ground.view().collect(term.term(), &mut candidates)?;
        }
    } else {
        return Ok(Vec::new());
    }
    let Some(compare) = Compare::equal(tree.namespace().schema(), attribute, name) else {
        return Ok(Vec::new());
    };
    let filter = Filter::Compare(compare);
    let mut found = Vec::new();
    for object in candidates {
        if let Some(subject) = ground.subject(object)?
            && filter.evaluate(&subject)?.is_true()
        {
            found.push(object);
        }
    }
    Ok(found)
}

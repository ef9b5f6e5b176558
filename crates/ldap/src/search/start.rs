//! From a request to a search: its base, what it may use up, its order and portions.

use std::time::Duration;

use netinfo_directory::Term;
use netinfo_mapping::Resolution;
use netinfo_wire::ldap::control::paging::{PagedResults, VlvTarget};
use netinfo_wire::ldap::request::search::DerefAliases;
use netinfo_wire::ldap::{Dn, ResultCode, Scope, SearchRequest};
use roaring::RoaringBitmap;

use super::ground::{Ground, Subject};
use super::reach::Reach;
use super::special::{self, Special};
use crate::failure::{Failure, Outcome};
use crate::limits::{ALIASES, ALIAS_HOPS};
use crate::settings::Settings;

/// Finds the base of a search, through aliases if that is asked for.
///
/// # Errors
/// `noSuchObject` with the nearest entry that may be seen, a referral, or what is wrong with an alias.
pub(crate) fn find_base(
    ground: &Ground<'_>,
    request: &SearchRequest<'_>,
    manage: bool,
) -> Outcome<u32> {
    let follow = matches!(request.deref, DerefAliases::FindingBase | DerefAliases::Always);
    let mut name = String::from_utf8_lossy(request.base).into_owned();
    for hops in 0..=ALIAS_HOPS {
        let parsed = Name::parse(name.as_bytes())?;
        if follow && let Some(next) = through_alias(ground, &parsed)? {
            name = next;
            continue;
        }
        let found = referral::find(ground.tree(), ground.access(), &parsed, manage, Some(request.scope));
        return match found {
            Err(failure) if failure.code == ResultCode::NoSuchObject && hops > 0 => Err(dangling()),
            found => found,
        };
    }
    Err(Failure::new(ResultCode::LoopDetect, "aliases lead to aliases without end"))
}

/// The name that a name becomes where it, or the nearest entry above it, is an alias.
fn through_alias(ground: &Ground<'_>, name: &Name<'_>) -> Outcome<Option<String>> {
    let (object, rest) = match ground.tree().resolve_name(name)? {
        Resolution::Found(object) => (object, 0),
        Resolution::Missing { nearest, rest } => (nearest, rest),
        Resolution::Outside => return Ok(None),
    };
    let Some(subject) = ground.subject(object)? else { return Ok(None) };
    if special::of(subject.record()) != Special::Alias {
        return Ok(None);
    }
    let target = special::target(subject.record()).and_then(|target| String::from_utf8(target).ok());
    let target = target.ok_or_else(dangling)?;
    let above = referral::text_of(name.rdns.get(..rest).unwrap_or_default(), &target);
    Ok(Some(above))
}

fn dangling() -> Failure {
    Failure::new(ResultCode::AliasProblem, "the alias names no entry of this domain")
}

/// All entries that store a class of this kind.
pub(crate) fn all_of(ground: &Ground<'_>, special: Special) -> Outcome<RoaringBitmap> {
    let mut found = RoaringBitmap::new();
    for value in special::names(special) {
        ground.view().collect(Term::Equal { property: special::OBJECT_CLASS, value }, &mut found)?;
    }
    Ok(found)
}

/// Takes in where aliases inside `reach` lead (RFC 4511 §4.5.1.3). Those that lead nowhere are passed over.
///
/// # Errors
/// `adminLimitExceeded` for more than [`ALIASES`].
pub(crate) fn follow_aliases(ground: &Ground<'_>, reach: &mut Reach) -> Outcome<()> {
    if reach.scope() == Scope::Base {
        return Ok(());
    }
    let mut left = all_of(ground, Special::Alias)?;
    let mut followed = 0;
    loop {
        let mut news = false;
        for object in left.clone() {
            let Some(subject) = ground.subject(object)? else { continue };
            if special::of(subject.record()) != Special::Alias
                || !reach.takes_in(ground.view(), subject.record())?
            {
                continue;
            }
            left.remove(object);
            followed += 1;
            if followed > ALIASES {
                return Err(Failure::new(ResultCode::AdminLimitExceeded, "too many aliases below the base"));
            }
            if let Some(target) = end_of(ground, &subject)? {
                news |= reach.add(target);
            }
        }
        // Below where an alias leads there may be others.
        if !news || reach.scope() == Scope::One {
            return Ok(());
        }
    }
}

/// The entry at the end of a chain of aliases.
fn end_of(ground: &Ground<'_>, alias: &Subject<'_>) -> Outcome<Option<u32>> {
    let mut name = special::target(alias.record());
    for _ in 0..ALIAS_HOPS {
        let Some(target) = name else { return Ok(None) };
        let Ok(Resolution::Found(object)) = ground.tree().resolve(&target) else { return Ok(None) };
        let Some(subject) = ground.subject(object)? else { return Ok(None) };
        if special::of(subject.record()) != Special::Alias {
            return Ok(Some(object));
        }
        name = special::target(subject.record());
    }
    Ok(None)
}

//! What comes after the refresh: every change, as it happens (RFC 4533 §3.4).
//!
//! Which entries a change adds to the content or takes away follows from two snapshots: the one that the copy has come to,
//! and a newer one.

use std::sync::Arc;

use netinfo_directory::{ROOT, View};
use netinfo_wire::ldap::ResultCode;
use netinfo_wire::ldap::control::sync::{SyncEntryState, SyncInfo, Uuid};
use roaring::RoaringBitmap;

use super::touched::{self, add_below};
use super::{Mirror, Stage, included, write};
use crate::failure::{Failure, Outcome};
use crate::limits::{LOOKED_AT_ONCE, PIECE, SYNC_PAUSE};
use crate::operation::Place;
use crate::search::ground::{Ground, Subject};
use crate::step::Page;

/// Changes that are being told of.
pub(super) struct Telling {
    /// A snapshot with all of them.
    newer: View<'static>,
    sequence: u64,
    /// Directories that are different.
    touched: RoaringBitmap,
    /// These, and those that may have come into the content or left it without being different.
    concerned: RoaringBitmap,
    /// What goes is told first, what is below before what is above it; then what comes, the other way round. So no two
    /// entries of the copy ever have one name.
    goes: bool,
    /// How far it has come.
    next: Option<u32>,
    told: bool,
}

impl Mirror {
    /// Looks whether something has changed.
    pub(super) fn wait(&mut self) -> Outcome<Page> {
        let place = &self.search.place;
        let served = self.engine.contexts().iter().any(|context| Arc::ptr_eq(context, &place.context));
        if !served {
            return Err(Failure::new(ResultCode::Unavailable, "the domain is no longer served"));
        }
        if place.context.committed() == self.sequence {
            return Ok(Page::Later(SYNC_PAUSE));
        }
        check_names(place)?;
        let newer = place.context.domain().snapshot(&place.session)?;
        let sequence = newer.sequence()?;
        let Some(mut touched) = touched::between(&place.context, self.sequence, sequence)? else {
            return Err(anew("the changes since then are not kept any more"));
        };
        if touched.contains(ROOT) && !place.session.is_superuser() {
            // It may say who sees what.
            return Err(anew("the settings of the domain have changed"));
        }
        touched::add_groups(&self.seen, &newer, &place.namespace, &mut touched)?;
        let concerned = self.concerned(&newer, &touched)?;
        let next = concerned.max();
        let telling = Telling { newer, sequence, touched, concerned, goes: true, next, told: false };
        self.stage = Stage::Telling(Box::new(telling));
        Ok(Page::More(self.size()))
    }

    /// These directories, and all that may have come into the content, left it, or got another name with them.
    fn concerned(&self, newer: &View<'static>, touched: &RoaringBitmap) -> Outcome<RoaringBitmap> {
        let place = &self.search.place;
        let mut concerned = touched.clone();
        for object in touched {
            let name = |view: &View<'_>| -> Outcome<Option<String>> {
                if view.record(object).is_err() {
                    return Ok(None);
                }
                Ok(Some(place.namespace.tree(view).dn(object)?))
            };
            let (before, after) = (name(&self.seen)?, name(newer)?);
            if before == after && place.session.is_superuser() {
                continue;
            }
            if before.is_some() {
                add_below(&self.seen, object, &mut concerned)?;
            }
            if after.is_some() {
                add_below(newer, object, &mut concerned)?;
            }
        }
        Ok(concerned)
    }

    /// Tells the next changes.
    pub(super) fn tell(&mut self, out: &mut Vec<u8>) -> Outcome<Page> {
        let Stage::Telling(mut telling) = std::mem::replace(&mut self.stage, Stage::Waiting) else {
            return Ok(Page::Last);
        };
        if !self.tell_some(&mut telling, out)? {
            self.stage = Stage::Telling(telling);
            return Ok(Page::More(self.size()));
        }
        self.sequence = telling.sequence;
        self.seen = telling.newer;
        if telling.told {
            self.inform(&SyncInfo::NewCookie(&self.cookie()), out);
        }
        Ok(Page::Later(SYNC_PAUSE))
    }

    /// `true` when all has been told.
    fn tell_some(&self, telling: &mut Telling, out: &mut Vec<u8>) -> Outcome<bool> {
        let place = self.search.place.clone();
        let domain = place.context.domain();
        let (old_access, new_access) =
            (domain.access(&self.seen, &place.session)?, domain.access(&telling.newer, &place.session)?);
        let old = Ground::new(&place, &self.seen, &old_access);
        let new = Ground::new(&place, &telling.newer, &new_access);
        // What is known of the one is not true of the other.
        let (old_reach, new_reach) = (self.search.reach.clone(), self.search.reach.clone());
        old_reach.forget();
        new_reach.forget();
        let start = out.len();
        for _ in 0..LOOKED_AT_ONCE {
            let Some(object) = telling.next else {
                if !telling.goes {
                    return Ok(true);
                }
                telling.goes = false;
                telling.next = telling.concerned.min();
                continue;
            };
            let before = included(&self.search, &old_reach, &old, object)?;
            let after = included(&self.search, &new_reach, &new, object)?;
            let uuid = |ground: &Ground<'_>| -> Outcome<Uuid> { Ok(ground.view().stamp(object)?.uuid) };
            let had = before.as_ref().map(|_| uuid(&old)).transpose()?;
            let has = after.as_ref().map(|_| uuid(&new)).transpose()?;
            if telling.goes {
                telling.next =
                    object.checked_sub(1).and_then(|last| telling.concerned.range(..=last).next_back());
                if let (Some(entry), Some(uuid)) = (&before, had)
                    && has != had
                {
                    self.write_gone(entry, uuid, out)?;
                    telling.told = true;
                }
            } else {
                telling.next =
                    object.checked_add(1).and_then(|first| telling.concerned.range(first..).next());
                if let (Some(entry), Some(uuid)) = (after, has)
                    && (has != had || telling.touched.contains(object) || renamed(before.as_ref(), &entry)?)
                {
                    let state = if has == had { SyncEntryState::Modify } else { SyncEntryState::Add };
                    write(&self.search, &new, &entry, state, uuid, out)?;
                    telling.told = true;
                }
            }
            if out.len() - start >= PIECE {
                break;
            }
        }
        Ok(false)
    }
}

/// Whether an entry has another name than before.
fn renamed(before: Option<&Subject<'_>>, now: &Subject<'_>) -> Outcome<bool> {
    Ok(match before {
        Some(before) => before.dn()? != now.dn()?,
        None => true,
    })
}

/// Whether entries still have the names and attributes that they had when the copy began.
fn check_names(place: &Place) -> Outcome<()> {
    let now = place.context.namespace();
    let then = &place.namespace;
    let same = Arc::ptr_eq(&now, then)
        || (now.suffix() == then.suffix()
            && now.layout() == then.layout()
            && Arc::ptr_eq(now.schema(), then.schema()));
    if same { Ok(()) } else { Err(anew("the domain's names or its schema have changed")) }
}

/// The copy has to be made anew.
fn anew(why: &'static str) -> Failure {
    Failure::new(ResultCode::SyncRefreshRequired, why)
}

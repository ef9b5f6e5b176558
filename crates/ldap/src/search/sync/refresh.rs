//! The refresh: what a copy lacks (RFC 4533 §3.3).

use netinfo_directory::ROOT;
use netinfo_wire::ldap::ResultCode;
use netinfo_wire::ldap::control::sync::{SyncEntryState, SyncInfo, Uuid, UuidKind};
use netinfo_wire::ldap::list::ListBuf;
use roaring::RoaringBitmap;

use super::touched::{self, add_below};
use super::{Mirror, Stage, included, write};
use crate::failure::{Failure, Outcome};
use crate::limits::{LOOKED_AT_ONCE, PIECE, SYNC_UUIDS};
use crate::search::ground::Ground;
use crate::search::run::Search;
use crate::step::Page;

/// How far the refresh has come.
pub(super) struct Refresh {
    kind: Kind,
    /// UUIDs of entries that the copy has as they are, not sent yet.
    present: Vec<Uuid>,
}

/// What is sent.
enum Kind {
    /// Everything.
    All,
    /// Entries of these directories, and the UUIDs of the others.
    Changed(RoaringBitmap),
    /// Nothing: nothing has changed.
    Nothing,
}

impl Refresh {
    /// What a copy lacks that has come to the change `since`.
    pub(super) fn new(copy: &Mirror, since: Option<u64>) -> Outcome<Self> {
        let kind = match since {
            Some(since) if since == copy.sequence => Kind::Nothing,
            Some(since) if since < copy.sequence => Self::since(copy, since)?,
            // A later one is of other data, such as those before a backup was brought back.
            _ => Kind::All,
        };
        Ok(Self { kind, present: Vec::new() })
    }

    fn since(copy: &Mirror, since: u64) -> Outcome<Kind> {
        let place = &copy.search.place;
        let Some(mut directories) = touched::between(&place.context, since, copy.sequence)? else {
            return Ok(Kind::All);
        };
        // What the root says may concern every entry.
        if directories.contains(ROOT) {
            return Ok(Kind::All);
        }
        touched::add_groups_now(&copy.seen, &place.namespace, &mut directories)?;
        // What is below a directory may have been renamed with it, or have been out of reach or sight.
        let mut changed = directories.clone();
        for object in directories {
            if copy.seen.record(object).is_ok() {
                add_below(&copy.seen, object, &mut changed)?;
            }
        }
        Ok(Kind::Changed(changed))
    }

    /// Looks at the next directory.
    fn next(
        &mut self,
        search: &mut Search,
        ground: &Ground<'_>,
        highest: u32,
        out: &mut Vec<u8>,
    ) -> Outcome<Found> {
        let next = match self.kind {
            Kind::Nothing => None,
            Kind::All | Kind::Changed(_) => search.source.next(highest),
        };
        let Some(object) = next else { return Ok(Found::End) };
        let Some(subject) = included(search, &search.reach, ground, object)? else {
            return Ok(Found::Nothing);
        };
        let uuid = ground.view().stamp(object)?.uuid;
        match &self.kind {
            Kind::Changed(changed) if !changed.contains(object) => self.present.push(uuid),
            _ if search.portion.returned() >= search.limits.size => {
                return Err(Failure::new(ResultCode::SizeLimitExceeded, ""));
            }
            _ => {
                write(search, ground, &subject, SyncEntryState::Add, uuid, out)?;
                search.portion.count();
            }
        }
        Ok(Found::Something)
    }
}

/// What looking at one directory came to.
enum Found {
    /// It does not belong to the content.
    Nothing,
    /// It has been told of, or will be.
    Something,
    /// There is nothing more to look at.
    End,
}

impl Mirror {
    /// Sends the next part of the refresh.
    pub(super) fn refresh(&mut self, now: u64, out: &mut Vec<u8>) -> Outcome<Page> {
        if now >= self.search.limits.deadline {
            return Err(Failure::new(ResultCode::TimeLimitExceeded, ""));
        }
        let Stage::Refresh(mut refresh) = std::mem::replace(&mut self.stage, Stage::Waiting) else {
            return Ok(Page::Last);
        };
        let place = self.search.place.clone();
        let domain = place.context.domain();
        let access = domain.access(&self.seen, &place.session)?;
        let ground = Ground::new(&place, &self.seen, &access);
        let highest = ground.view().highest_object()?;
        let start = out.len();
        for _ in 0..LOOKED_AT_ONCE {
            match refresh.next(&mut self.search, &ground, highest, out)? {
                Found::Nothing => {
                    self.search.in_vain += 1;
                    if self.search.in_vain > self.search.limits.in_vain {
                        return Err(Failure::new(ResultCode::AdminLimitExceeded, ""));
                    }
                }
                Found::Something => {}
                Found::End => {
                    self.send_present(&refresh.present, out);
                    return Ok(self.refreshed(matches!(refresh.kind, Kind::Nothing), out));
                }
            }
            if refresh.present.len() == SYNC_UUIDS {
                self.send_present(&std::mem::take(&mut refresh.present), out);
            }
            if out.len() - start >= PIECE {
                break;
            }
        }
        self.stage = Stage::Refresh(refresh);
        Ok(Page::More(self.size()))
    }

    /// Tells which entries the copy has as they are.
    fn send_present(&self, present: &[Uuid], out: &mut Vec<u8>) {
        if !present.is_empty() {
            let mut uuids = ListBuf::<UuidKind>::new();
            present.iter().for_each(|uuid| uuids.push(*uuid));
            self.inform(
                &SyncInfo::IdSet { cookie: None, refresh_deletes: false, uuids: uuids.as_list() },
                out,
            );
        }
    }

    /// Ends the refresh; `nothing` was to be sent.
    fn refreshed(&mut self, nothing: bool, out: &mut Vec<u8>) -> Page {
        let cookie = self.cookie();
        if !self.persists {
            self.finish(ResultCode::Success, Some((&cookie, nothing)), out);
            return Page::Last;
        }
        let cookie = Some(&cookie[..]);
        let info = match nothing {
            true => SyncInfo::RefreshDelete { cookie, done: true },
            false => SyncInfo::RefreshPresent { cookie, done: true },
        };
        self.inform(&info, out);
        self.stage = Stage::Waiting;
        // At once: what has changed since the refresh began.
        Page::More(self.size())
    }
}

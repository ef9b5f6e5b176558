//! A search that is under way: what it is looking for, how far it has come, and the next portion of its result.

use netinfo_wire::ldap::{LdapResult, ResultCode, Scope};

use super::filter::Filter;
use super::ground::{Ground, Subject};
use super::portion::{Portion, Turn};
use super::reach::Reach;
use super::shown::Shown;
use super::source::Source;
use super::special::{self, Special};
use crate::failure::{Failure, Outcome};
use crate::limits::{LOOKED_AT_FIRST, LOOKED_AT_ONCE, PIECE};
use crate::operation::Place;

/// A search below an entry of a domain.
pub(crate) struct Search {
    /// Where, and on whose behalf.
    pub(crate) place: Place,
    /// Message id.
    pub(crate) id: u32,
    pub(crate) filter: Filter,
    pub(crate) reach: Reach,
    /// What is returned of entries.
    pub(crate) shown: Shown,
    /// Which entries are looked at among all others.
    pub(crate) kinds: Kinds,
    pub(crate) limits: Limits,
    pub(crate) source: Source,
    /// Order and portions.
    pub(crate) portion: Portion,
    /// Entries that were looked at and did not match.
    pub(crate) in_vain: u64,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How entries that are more than entries are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kinds {
    /// Referrals are entries.
    pub(crate) manage: bool,
    /// Referrals are told of.
    pub(crate) references: bool,
    /// Aliases stand for what they lead to, and are not entries themselves.
    pub(crate) follow: bool,
    /// Subentries only, or entries only; without the control, subentries are left out unless they are the base.
    pub(crate) subentries: Option<bool>,
}

/// What a search may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Entries to be returned at most.
    pub(crate) size: u32,
    /// Milliseconds since the epoch when it ends.
    pub(crate) deadline: u64,
    /// Entries to be looked at in vain at most.
    pub(crate) in_vain: u64,
}

/// What the next portion of a result came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is more.
    More,
    /// The final response is written.
    Done,
}

/// What an entry came to.
enum Found {
    /// Not looked for.
    Nothing,
    /// It has been returned, or noted.
    Something,
    /// It is one too many.
    TooMany(ResultCode),
    /// It begins the next page.
    NextPage,
}

impl Search {
    /// Appends the next messages of the result. An error of the store ends it.
    pub(crate) fn proceed(&mut self, now: u64, out: &mut Vec<u8>) -> Progress {
        let place = self.place.clone();
        let domain = place.context.domain();
        let opened = domain.read(&place.session);
        let result = opened.map_err(Failure::from).and_then(|view| {
            let access = domain.access(&view, &place.session)?;
            Ok(self.portion_of(LOOKED_AT_ONCE, &Ground::new(&place, &view, &access), now, out))
        });
        result.unwrap_or_else(|failure| self.fail(&failure, out))
    }

    /// Appends the first messages of the result, made of a snapshot that is there already.
    pub(crate) fn proceed_on(&mut self, ground: &Ground<'_>, now: u64, out: &mut Vec<u8>) -> Progress {
        self.portion_of(LOOKED_AT_FIRST, ground, now, out)
    }

    /// Looks at so many entries at most.
    fn portion_of(&mut self, most: usize, ground: &Ground<'_>, now: u64, out: &mut Vec<u8>) -> Progress {
        let start = out.len();
        match self.attempt(most, ground, now, start, out) {
            Ok(progress) => progress,
            Err(failure) => self.fail(&failure, out),
        }
    }

    fn attempt(
        &mut self,
        most: usize,
        ground: &Ground<'_>,
        now: u64,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Outcome<Progress> {
        if self.portion.is_over() {
            return Ok(self.finish(ResultCode::Success, out));
        }
        if now >= self.limits.deadline {
            return Ok(self.finish(ResultCode::TimeLimitExceeded, out));
        }
        self.reach.forget();
        let highest = ground.tree().highest_object()?;
        for _ in 0..most {
            let Some(object) = self.source.next(highest) else { return Ok(self.exhausted(out)) };
            match self.consider(ground, object, out)? {
                Found::Nothing => {
                    self.in_vain += 1;
                    if self.in_vain > self.limits.in_vain {
                        return Ok(self.finish(ResultCode::AdminLimitExceeded, out));
                    }
                }
                Found::Something => {}
                Found::TooMany(code) => return Ok(self.finish(code, out)),
                Found::NextPage => {
                    self.portion.pause(self.source.position(object));
                    return Ok(self.finish(ResultCode::Success, out));
                }
            }
            if out.len() - start >= PIECE {
                return Ok(Progress::More);
            }
        }
        Ok(Progress::More)
    }
}

impl Search {
    /// Bytes kept for it, about.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.source.size() + self.portion.size()
    }

    /// Looks at one directory.
    fn consider(&mut self, ground: &Ground<'_>, object: u32, out: &mut Vec<u8>) -> Outcome<Found> {
        let Some(subject) = ground.subject(object)? else { return Ok(Found::Nothing) };
        if !self.reach.takes_in(ground.view(), subject.record())? {
            return Ok(Found::Nothing);
        }
        match special::of(subject.record()) {
            Special::Referral if !self.kinds.manage => {
                if self.kinds.references {
                    special::write_reference(&subject, self.reach.scope(), self.id, out)?;
                }
                return Ok(Found::Something);
            }
            Special::Alias if self.kinds.follow => return Ok(Found::Nothing),
            kind if !self.kinds.admit(kind, self.reach.scope()) => return Ok(Found::Nothing),
            _ => {}
        }
        if !self.filter.evaluate(&subject)?.is_true() {
            return Ok(Found::Nothing);
        }
        if self.portion.turn() == Turn::Gathering {
            return self.gather(&subject, object);
        }
        if self.portion.page_is_full() {
            return Ok(Found::NextPage);
        }
        if self.portion.returned() >= self.limits.size {
            return Ok(Found::TooMany(ResultCode::SizeLimitExceeded));
        }
        self.shown.write_entry(ground, &subject, self.id, out, |_| ())?;
        self.portion.count();
        Ok(Found::Something)
    }

    /// Notes an entry to be sorted.
    fn gather(&mut self, subject: &Subject<'_>, object: u32) -> Outcome<Found> {
        if self.portion.gather(subject, object)? {
            return Ok(Found::Something);
        }
        if self.portion.must_be_sorted() {
            return Ok(Found::TooMany(ResultCode::UnavailableCriticalExtension));
        }
        // Unsorted, then, from the beginning.
        self.source.seek(self.portion.start_unsorted());
        Ok(Found::Something)
    }

    /// Goes on when there is nothing more to look at.
    fn exhausted(&mut self, out: &mut Vec<u8>) -> Progress {
        if self.portion.turn() == Turn::Gathering {
            self.source = self.portion.sort();
            return Progress::More;
        }
        self.finish(ResultCode::Success, out)
    }

    fn fail(&self, failure: &Failure, out: &mut Vec<u8>) -> Progress {
        failure.with(|result| self.portion.close(self.id, result, out));
        Progress::Done
    }

    fn finish(&self, code: ResultCode, out: &mut Vec<u8>) -> Progress {
        self.portion.close(self.id, LdapResult::new(code, b""), out);
        Progress::Done
    }
}

impl Kinds {
    /// Whether an entry of this kind is one of those that are looked for.
    pub(super) fn admit(self, kind: Special, scope: Scope) -> bool {
        match self.subentries {
            Some(wanted) => (kind == Special::Subentry) == wanted,
            None => kind != Special::Subentry || scope == Scope::Base,
        }
    }
}

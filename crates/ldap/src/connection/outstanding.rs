//! What is under way for a connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use netinfo_wire::ber::Tag;
use netinfo_wire::ldap::{LdapResult, Message, Response, ResultCode};

use crate::limits::{PIPELINED_WRITES, REMEMBERED_CANCELS};
use crate::step::{Page, Pages, Step};
use crate::update::Touched;

/// A long result goes on.
const WANTED: u8 = 0;
/// Nobody wants the rest, nor a response.
const ABANDONED: u8 = 1;
/// Nobody wants the rest; the response says so.
const CANCELLED: u8 = 2;

/// A write that is with the writer.
struct Writing {
    id: u32,
    touched: Touched,
}

/// The operations of a connection that are under way.
#[derive(Default)]
pub(crate) struct Outstanding {
    writes: VecDeque<Writing>,
    /// The long result that is being sent, or the work that is being done.
    running: Option<Running>,
    /// Operations that have been cancelled, and whose cancel request has not come up.
    cancelled: VecDeque<u32>,
}

struct Running {
    id: u32,
    /// What is to become of it; `None` where nothing can be changed any more.
    verdict: Option<Arc<AtomicU8>>,
}

impl Outstanding {
    /// A message is handed in, so nothing is running any more.
    pub(super) fn begin(&mut self) {
        self.running = None;
    }

    /// Whether an operation with this message id is under way.
    pub(super) fn has(&self, id: u32) -> bool {
        self.writes.iter().any(|write| write.id == id)
    }

    /// Whether writes are under way.
    pub(crate) fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether no further write can be under way.
    pub(super) fn is_full(&self) -> bool {
        self.writes.len() >= PIPELINED_WRITES
    }

    /// Whether a write under way concerns the same entries.
    pub(crate) fn conflicts(&self, touched: &Touched) -> bool {
        self.writes.iter().any(|write| write.touched.meets(touched))
    }

    /// A write has been given out. Its result comes after those of all others, or before, if it is the one whose
    /// result has come just now and that is made anew.
    pub(super) fn writing(&mut self, id: u32, touched: Touched, first: bool) {
        let write = Writing { id, touched };
        if first { self.writes.push_front(write) } else { self.writes.push_back(write) }
    }

    /// The result of a write has come.
    pub(super) fn settled(&mut self, id: u32) {
        self.writes.retain(|write| write.id != id);
    }

    /// Work has been given out.
    pub(super) fn work(&mut self, id: u32) {
        self.running = Some(Running { id, verdict: None });
    }

    /// A long result is going to be sent; makes it one that can be abandoned and cancelled.
    pub(super) fn watch(&mut self, id: u32, tag: Tag, mut pages: Pages) -> Step {
        let verdict = Arc::new(AtomicU8::new(WANTED));
        self.running = Some(Running { id, verdict: Some(verdict.clone()) });
        let watched = move |now: u64, out: &mut Vec<u8>| match verdict.load(Ordering::Relaxed) {
            WANTED => pages.next(now, out),
            CANCELLED => {
                let result = LdapResult::new(ResultCode::Canceled, b"");
                if let Some(response) = Response::to_request(tag, result) {
                    Message::new(id, response).encode(out);
                }
                Page::Last
            }
            _ => Page::Last,
        };
        Step::Pages(Pages(Box::new(watched)))
    }

    /// The client gives an operation up.
    pub(super) fn abandon(&self, id: u32) {
        self.decide(id, ABANDONED);
    }

    /// The client cancels an operation.
    pub(super) fn cancel(&mut self, id: u32) {
        if self.decide(id, CANCELLED) {
            if self.cancelled.len() == REMEMBERED_CANCELS {
                self.cancelled.pop_front();
            }
            self.cancelled.push_back(id);
        }
    }

    /// Whether that is news.
    fn decide(&self, id: u32, decision: u8) -> bool {
        let running = self.running.as_ref().filter(|running| running.id == id);
        let verdict = running.and_then(|running| running.verdict.as_ref());
        verdict.is_some_and(|verdict| {
            verdict.compare_exchange(WANTED, decision, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        })
    }

    /// What a request to cancel an operation is answered (RFC 3909 §2.3).
    pub(super) fn cancel_result(&mut self, id: u32) -> ResultCode {
        if let Some(index) = self.cancelled.iter().position(|cancelled| *cancelled == id) {
            self.cancelled.remove(index);
            return ResultCode::Success;
        }
        if self.has(id) { ResultCode::CannotCancel } else { ResultCode::NoSuchOperation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Tag = Tag::application_constructed(3);

    /// A result of three pages of one octet.
    fn pages() -> Pages {
        let mut left = 3;
        Pages(Box::new(move |_, out| {
            out.push(b'x');
            left -= 1;
            if left == 0 { Page::Last } else { Page::More(0) }
        }))
    }

    fn watched(outstanding: &mut Outstanding, id: u32) -> Pages {
        let Step::Pages(pages) = outstanding.watch(id, SEARCH, pages()) else { panic!("no pages") };
        pages
    }

    #[test]
    fn results_go_on_unless_somebody_objects() {
        let mut outstanding = Outstanding::default();
        let mut result = watched(&mut outstanding, 7);
        outstanding.abandon(8);
        outstanding.cancel(8);
        let mut out = Vec::new();
        while result.next(0, &mut out) != Page::Last {}
        assert_eq!(out, b"xxx");
        assert_eq!(outstanding.cancel_result(8), ResultCode::NoSuchOperation);
    }

    #[test]
    fn an_abandoned_result_ends_without_a_word() {
        let mut outstanding = Outstanding::default();
        let mut result = watched(&mut outstanding, 7);
        let mut out = Vec::new();
        assert_eq!(result.next(0, &mut out), Page::More(0));
        outstanding.abandon(7);
        // Too late to ask for a word.
        outstanding.cancel(7);
        assert_eq!(result.next(0, &mut out), Page::Last);
        assert_eq!(out, b"x");
        assert_eq!(outstanding.cancel_result(7), ResultCode::NoSuchOperation);
    }

    #[test]
    fn a_cancelled_result_ends_with_a_response() {
        let mut outstanding = Outstanding::default();
        let mut result = watched(&mut outstanding, 7);
        outstanding.cancel(7);
        outstanding.cancel(7);
        let mut out = Vec::new();
        assert_eq!(result.next(0, &mut out), Page::Last);
        let message = Message::<Response<'_>>::decode(&out).unwrap();
        assert_eq!((message.id, message.op.result().unwrap().code), (7, ResultCode::Canceled));
        // The request itself comes up afterwards, once.
        outstanding.begin();
        assert_eq!(outstanding.cancel_result(7), ResultCode::Success);
        assert_eq!(outstanding.cancel_result(7), ResultCode::NoSuchOperation);
    }

    #[test]
    fn cancelled_operations_are_remembered_up_to_a_limit() {
        let mut outstanding = Outstanding::default();
        let last = u32::try_from(REMEMBERED_CANCELS).unwrap() + 1;
        for id in 1..=last {
            watched(&mut outstanding, id);
            outstanding.cancel(id);
        }
        assert_eq!(outstanding.cancel_result(1), ResultCode::NoSuchOperation);
        assert_eq!(outstanding.cancel_result(2), ResultCode::Success);
        assert_eq!(outstanding.cancel_result(last), ResultCode::Success);
    }

    #[test]
    fn work_can_be_neither_abandoned_nor_cancelled() {
        let mut outstanding = Outstanding::default();
        outstanding.work(7);
        outstanding.abandon(7);
        outstanding.cancel(7);
        assert_eq!(outstanding.cancel_result(7), ResultCode::NoSuchOperation);
    }
}

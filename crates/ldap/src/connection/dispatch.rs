//! From a request to the code that does it.

use netinfo_wire::ldap::{Envelope, MessageWriter, Request, Response, ResultCode, Scope, SearchRequest, oid};

use super::Connection;
use crate::controls::Requested;
use crate::failure::{Failure, Outcome};
use crate::operation::Operation;
use crate::settings::RequireTls;
use crate::step::Step;
use crate::{bind, compare, extended, identity, policy, root_dse, search, subschema, update};

impl Connection {
    /// Does what a request asks.
    pub(super) fn dispatch(
        &mut self,
        message: &[u8],
        envelope: &Envelope<'_>,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Step {
        self.caller.engine.figures().count(kind(request));
        match self.attempt(message, envelope, request, out) {
            Ok(step) => step,
            Err(failure) => {
                answer(envelope, &failure, out);
                Step::Done
            }
        }
    }

    fn attempt(
        &mut self,
        message: &[u8],
        envelope: &Envelope<'_>,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Outcome<Step> {
        let id = envelope.id;
        match request {
            Request::Unbind => {
                self.closed = true;
                return Ok(Step::Close);
            }
            // What could be abandoned would have been by [`Connection::glance`].
            Request::Abandon(_) => return Ok(Step::Done),
            _ => {}
        }
        let controls = Requested::decode(request, envelope.controls)?;
        if let Request::Bind(bind) = request {
            self.caller.policy = controls.policy;
            return Ok(bind::begin(&mut self.caller, id, bind, out));
        }
        self.admit(request)?;
        let mut operation = Operation { caller: &mut self.caller, id, controls, proxied: None };
        if let Some(identity) = controls.proxied {
            operation.proxied = Some(identity::proxied(&mut operation, identity)?);
        }
        match request {
            Request::Search(search) => search_anywhere(&mut operation, search, out),
            Request::Compare(request) => compare::begin(&mut operation, request, out),
            Request::Extended(extended) if extended.name == oid::PASSWORD_MODIFY => {
                update::password_modify(operation, envelope.tag, extended.value)
            }
            Request::Extended(extended) => {
                let cancel = |id| self.outstanding.cancel_result(id);
                extended::answer(&operation, extended, cancel, out)
            }
            _ => {
                let step = update::begin(operation, envelope.tag, message, request, &self.outstanding, out)?;
                Ok(self.track(step))
            }
        }
    }

    /// Whether the connection is good enough for a request.
    fn admit(&mut self, request: &Request<'_>) -> Outcome<()> {
        let settings = self.caller.engine.settings();
        let open = match request {
            Request::Extended(extended) => {
                matches!(extended.name, oid::START_TLS | oid::WHO_AM_I | oid::CANCEL)
            }
            Request::Search(search) => search.base.is_empty() && search.scope == Scope::Base,
            _ => false,
        };
        if open {
            return Ok(());
        }
        if settings.require_tls == RequireTls::Always && !self.caller.peer.is_confidential() {
            return Err(Failure::new(ResultCode::ConfidentialityRequired, "TLS is required"));
        }
        if settings.require_authentication && self.caller.identity.is_anonymous() {
            return Err(Failure::new(ResultCode::StrongerAuthRequired, "authentication is required"));
        }
        let is_change = match request {
            Request::Extended(extended) => extended.name == oid::PASSWORD_MODIFY,
            Request::Modify(_) => true,
            _ => false,
        };
        // Of changes by who has to change the password first the core admits those of the password.
        if is_change || self.caller.has_no_password_due()? { Ok(()) } else { Err(policy::change_first()) }
    }

    /// Remembers a write that is given out.
    pub(super) fn track(&mut self, step: Step) -> Step {
        if let Step::Write(write) = &step {
            self.outstanding.writing(write.ticket.0.id(), write.ticket.0.touched().clone(), false);
        }
        step
    }

    /// The same for one that is made anew: its result comes before those of the others.
    pub(super) fn track_first(&mut self, step: Step) -> Step {
        if let Step::Write(write) = &step {
            self.outstanding.writing(write.ticket.0.id(), write.ticket.0.touched().clone(), true);
        }
        step
    }
}

/// Does a search, wherever its base is.
fn search_anywhere(
    operation: &mut Operation<'_, '_>,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    let base = crate::operation::parse(request.base)?;
    if base.rdns.is_empty() && request.scope == Scope::Base {
        return root_dse::search(operation, request, out).map(|()| Step::Done);
    }
    if let Some(context) = subschema::context_named(&operation.caller.engine, &base) {
        return subschema::search(operation, &context, request, out).map(|()| Step::Done);
    }
    let place = operation.place(&base)?;
    search::begin(operation, place, &base, request, out)
}

/// Appends the response of a request that is not done.
pub(super) fn answer(envelope: &Envelope<'_>, failure: &Failure, out: &mut Vec<u8>) {
    failure.with(|result| {
        if let Some(response) = Response::to_request(envelope.tag, result) {
            let mut message = MessageWriter::begin(out, envelope.id);
            message.response(&response);
            if failure.policy.is_some() && policy::is_asked(envelope.controls) {
                policy::put(&mut message, None, failure.policy);
            }
            message.finish();
        }
    });
}

/// Place of a request in [`crate::engine::OPERATIONS`].
const fn kind(request: &Request<'_>) -> usize {
    match request {
        Request::Bind(_) => 0,
        Request::Unbind => 1,
        Request::Search(_) => 2,
        Request::Modify(_) => 3,
        Request::Add(_) => 4,
        Request::Delete(_) => 5,
        Request::ModifyDn(_) => 6,
        Request::Compare(_) => 7,
        Request::Abandon(_) => 8,
        Request::Extended(_) => 9,
    }
}

//! Writes: add, modify, delete, rename (RFC 4511 §4.6 to §4.9), password modify (RFC 3062), and their way through the
//! writer.
//!
//! A write is derived: from a snapshot and the request come the changes for the core, which makes them only if the
//! entry has not been changed meanwhile. Otherwise the write is derived anew, a bounded number of times. Names of new
//! entries are reserved while they are on their way, so that no two entries get the same one.

mod derive;
mod passwords;
mod relax;
mod schema;
mod touched;

use std::sync::Arc;

use netinfo_directory::{Error, Outcome as Changed};
use netinfo_wire::ber::Tag;
use netinfo_wire::ldap::control::policy::PolicyError;
use netinfo_wire::ldap::extended::PasswordModified;
use netinfo_wire::ldap::response::ExtendedResponse;
use netinfo_wire::ldap::{Envelope, LdapResult, MessageWriter, Payload, Request, Response, ResultCode, oid};
use zeroize::Zeroizing;

use crate::connection::Outstanding;
use crate::controls::Requested;
use crate::engine::Reservation;
use crate::failure::{Failure, Outcome};
use crate::identity;
use crate::limits::WRITE_ATTEMPTS;
use crate::operation::{Caller, Identity, Operation, Place};
use crate::policy;
use crate::step::{Step, Ticket, Write};

pub(crate) use passwords::{is_clear_password, modify as password_modify};
pub(crate) use touched::Touched;

/// A write from its request to its response.
pub(crate) struct Update {
    id: u32,
    /// Which operation, for the response.
    tag: Tag,
    /// The whole request, with passwords hashed if it had any.
    message: Zeroizing<Vec<u8>>,
    /// The request as it came, if hashes in it stand for passwords that are to be deleted: which ones these are has to be
    /// found out again when they have been changed meanwhile.
    original: Option<Zeroizing<Vec<u8>>>,
    /// Who it is done as, if that is not what the request says.
    proxied: Option<Identity>,
    /// How often it has been derived.
    attempts: u32,
    /// What the changes made last are about.
    touched: Touched,
    /// Names kept for it.
    names: Vec<Reservation>,
    /// The value of the pre-read control in the response.
    pre_read: Option<Vec<u8>>,
    /// Where the entry is read afterwards, and which it is, unless the changes create it.
    target: Option<(Place, Option<u32>)>,
    /// The client wants to be told what the rules about passwords say.
    policy: bool,
    /// The password that the server has made up, for the response.
    generated: Option<Zeroizing<Vec<u8>>>,
}

/// Begins an add, modify, delete or rename. `message` is the whole request.
pub(crate) fn begin(
    operation: Operation<'_, '_>,
    tag: Tag,
    message: &[u8],
    request: &Request<'_>,
    pending: &Outstanding,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    let message = Zeroizing::new(message.to_vec());
    let mut update = Box::new(Update::new(operation.id, tag, message, operation.proxied));
    update.policy = operation.controls.policy;
    if passwords::has_clear_text(request) {
        if pending.has_writes() {
            return Ok(Step::Wait);
        }
        update.original = passwords::deletes(request).then(|| update.message.clone());
        return passwords::hash(operation.caller, update).map(Step::Work).map_err(|(_, failure)| failure);
    }
    Ok(proceed(operation.caller, update, pending, out))
}

/// Derives a write and gives it to the writer.
pub(crate) fn proceed(
    caller: &mut Caller,
    mut update: Box<Update>,
    pending: &Outstanding,
    out: &mut Vec<u8>,
) -> Step {
    // Those of the attempt before.
    update.names.clear();
    update.attempts += 1;
    let derived = match update.derive(caller) {
        Ok(derived) => derived,
        // What fails now may succeed after the writes before it.
        Err(_) if pending.has_writes() => return Step::Wait,
        Err(failure) => return hash_again(caller, update, failure, out),
    };
    let domain = derived.place.context.domain().clone();
    update.touched = Touched::of(Arc::as_ptr(&domain) as usize, &derived.changes);
    let nothing = derived.changes.is_empty();
    if pending.conflicts(&update.touched) || nothing && pending.has_writes() {
        return Step::Wait;
    }
    let session = derived.place.session.clone();
    update.names = derived.names;
    update.pre_read = derived.pre_read;
    update.target = Some((derived.place, derived.target));
    if nothing {
        return update.succeed(caller, &[], out);
    }
    Step::Write(Write { domain, session, changes: derived.changes, at: caller.now, ticket: Ticket(update) })
}

/// Refuses a write, unless it may have failed because a password that it deletes has been hashed anew since it was looked
/// for: a log-in does that to weak hashes.
fn hash_again(caller: &mut Caller, mut update: Box<Update>, failure: Failure, out: &mut Vec<u8>) -> Step {
    match update.original.take() {
        Some(original) if failure.code == ResultCode::NoSuchAttribute => {
            update.message = original;
            passwords::hash(caller, update)
                .map_or_else(|(update, failure)| update.refuse(&failure, out), Step::Work)
        }
        _ => update.refuse(&failure, out),
    }
}

/// Takes what the writer says.
pub(crate) fn settle(
    caller: &mut Caller,
    update: Box<Update>,
    result: netinfo_directory::Result<Vec<Changed>>,
    out: &mut Vec<u8>,
) -> Step {
    match result {
        Ok(changed) => update.succeed(caller, &changed, out),
        Err(error) if is_outdated(&error) && update.attempts < WRITE_ATTEMPTS => {
            caller.engine.figures().count_repeated_write();
            proceed(caller, update, &Outstanding::default(), out)
        }
        Err(Error::ReadOnly) => {
            let failure = update.target.as_ref().and_then(|(place, _)| at_master(place));
            let failure = failure.unwrap_or_else(|| Error::ReadOnly.into());
            update.refuse(&failure, out)
        }
        Err(error) => update.refuse(&error.into(), out),
    }
}

/// Whether the writer refuses because others were faster: derived anew, the write may succeed or fail with better words.
const fn is_outdated(error: &Error) -> bool {
    matches!(
        error,
        Error::Stale
            | Error::NoSuchDirectory
            | Error::NoSuchProperty
            | Error::NoSuchValue
            | Error::Unrelated
            | Error::NotEmpty
    )
}

/// Refuses what has to be done with the master where a domain is only a copy (RFC 6171).
pub(crate) fn not_a_copy(place: &Place) -> Outcome<()> {
    if matches!(place.context.domain().role(), netinfo_directory::Role::Master) {
        return Ok(());
    }
    let message = "this server has a copy of the domain only";
    Err(at_master(place).unwrap_or_else(|| Failure::new(ResultCode::UnwillingToPerform, message)))
}

/// The answer where a domain is only a copy: its master, if that is known.
pub(crate) fn at_master(place: &Place) -> Option<Failure> {
    let netinfo_directory::Role::Clone { master, .. } = place.context.domain().role() else { return None };
    master.map(|address| Failure::referral(vec![format!("ldap://{address}/")]))
}

impl Update {
    pub(crate) fn new(id: u32, tag: Tag, message: Zeroizing<Vec<u8>>, proxied: Option<Identity>) -> Self {
        Self {
            id,
            tag,
            message,
            original: None,
            proxied,
            attempts: 0,
            touched: Touched::default(),
            names: Vec::new(),
            pre_read: None,
            target: None,
            policy: false,
            generated: None,
        }
    }

    /// Message id of the request.
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// What the changes made last are about.
    pub(crate) const fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Reads the request and makes changes of it.
    fn derive(&self, caller: &mut Caller) -> Outcome<derive::Derived> {
        let envelope = Envelope::decode(&self.message)?;
        let request = envelope.request()?;
        let controls = Requested::decode(&request, envelope.controls)?;
        let mut operation = Operation { caller, id: self.id, controls, proxied: self.proxied.clone() };
        if let (None, Some(identity)) = (&operation.proxied, controls.proxied) {
            operation.proxied = Some(identity::proxied(&mut operation, identity)?);
        }
        derive::derive(&mut operation, &request)
    }

    /// Appends the response of a write that is not made.
    pub(crate) fn refuse(&self, failure: &Failure, out: &mut Vec<u8>) -> Step {
        failure.with(|result| self.respond(result, None, failure.policy, out));
        Step::Done
    }

    /// Appends the response of a write that has been made.
    fn succeed(&self, caller: &mut Caller, changed: &[Changed], out: &mut Vec<u8>) -> Step {
        let post_read = match self.read_afterwards(caller, changed) {
            Ok(post_read) => post_read,
            Err(failure) => {
                // The write is made, and that is what the response has to say.
                tracing::warn!(code = %failure.code, "the entry cannot be read after the write");
                None
            }
        };
        self.respond(LdapResult::default(), post_read.as_deref(), None, out);
        Step::Done
    }

    fn respond(
        &self,
        result: LdapResult<'_>,
        post_read: Option<&[u8]>,
        policy: Option<PolicyError>,
        out: &mut Vec<u8>,
    ) {
        let mut value = Zeroizing::new(Vec::new());
        let response = match &self.generated {
            Some(generated) if result.code == ResultCode::Success => {
                PasswordModified { generated: Some(generated) }.encode(&mut value);
                Response::Extended(ExtendedResponse { result, name: None, value: Some(&value) })
            }
            _ => match Response::to_request(self.tag, result) {
                Some(response) => response,
                None => return,
            },
        };
        let mut message = MessageWriter::begin(out, self.id);
        message.response(&response);
        if result.code == ResultCode::Success {
            if let Some(entry) = &self.pre_read {
                message.control_with(oid::PRE_READ, false, |buf| buf.extend_from_slice(entry));
            }
            if let Some(entry) = post_read {
                message.control_with(oid::POST_READ, false, |buf| buf.extend_from_slice(entry));
            }
        }
        if self.policy {
            policy::put(&mut message, None, policy);
        }
        message.finish();
    }

    /// The value of the post-read control, if it was asked for.
    fn read_afterwards(&self, caller: &mut Caller, changed: &[Changed]) -> Outcome<Option<Vec<u8>>> {
        let envelope = Envelope::decode(&self.message)?;
        let controls = Requested::decode(&envelope.request()?, envelope.controls)?;
        let (Some(selection), Some((place, target))) = (controls.post_read, &self.target) else {
            return Ok(None);
        };
        let created = || changed.iter().find_map(|changed| changed.created).map(|id| id.object);
        let Some(object) = target.or_else(created) else { return Ok(None) };
        let view = caller.take_view(&place.context, &place.session)?;
        // The namespace may be another one since the write.
        let place = Place { namespace: place.context.namespace(), ..place.clone() };
        derive::read_entry(&place, &view, object, selection).map(Some)
    }
}

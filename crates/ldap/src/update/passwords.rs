//! Passwords on their way into an entry: hashed before anything is stored, and away from other work, because that takes
//! tens of milliseconds.

use std::borrow::Cow;
use std::sync::Arc;

use netinfo_directory::account::{Standing, State, least_characters, objection};
use netinfo_directory::password::{HashError, Verdict, hash_new, verify};
use netinfo_directory::{Credentials, Origin, Session, View};
use netinfo_mapping::{Resolution, write};
use netinfo_wire::ber::Tag;
use netinfo_wire::ldap::control::entry::AuthzId;
use netinfo_wire::ldap::extended::PasswordModify;
use netinfo_wire::ldap::request::{AddRequest, ModifyRequest};
use netinfo_wire::ldap::{
    AttributesBuf, Envelope, Message, ModificationsBuf, ModifyOp, Payload, Request, ResultCode, Values,
};
use zeroize::Zeroizing;

use super::Update;
use crate::bind;
use crate::connection::Suspended;
use crate::context::NamingContext;
use crate::failure::{Failure, Outcome};
use crate::identity::{Subject, SubjectKind};
use crate::limits::GENERATED_PASSWORD;
use crate::operation::{Caller, Identity, Operation, Place, parse};
use crate::policy;
use crate::step::{Step, Work, Worked};

/// The property passwords are kept in.
const PASSWORD: &[u8] = b"passwd";
/// Characters of passwords that the server makes up: none that look alike.
const ALPHABET: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Whether a request brings a password that has to be hashed, or compared with a hash.
pub(super) fn has_clear_text(request: &Request<'_>) -> bool {
    let any = |name: &[u8], values: Values<'_>| is_password(name) && values.iter().any(is_clear_text);
    match request {
        Request::Add(add) => add.attributes.iter().any(|attribute| any(attribute.name, attribute.values)),
        Request::Modify(modify) => {
            modify.changes.iter().any(|change| any(change.attribute.name, change.attribute.values))
        }
        _ => false,
    }
}

/// Whether a request deletes a password that is told in clear text.
pub(super) fn deletes(request: &Request<'_>) -> bool {
    let Request::Modify(modify) = request else { return false };
    modify.changes.iter().any(|change| {
        change.op == ModifyOp::Delete
            && is_password(change.attribute.name)
            && change.attribute.values.iter().any(is_clear_text)
    })
}

/// Whether this is a password in the clear of the attribute that holds passwords.
pub(crate) fn is_clear_password(name: &[u8], value: &[u8]) -> bool {
    is_password(name) && !value.is_empty() && is_clear_text(value)
}

/// Whether an attribute holds passwords (RFC 4519 §2.41).
fn is_password(name: &[u8]) -> bool {
    let name = name.split(|byte| *byte == b';').next().unwrap_or_default();
    name.eq_ignore_ascii_case(b"userPassword") || name == b"2.5.4.35"
}

/// Whether a value is a password and not the hash of one: `{SCHEME}` and something after it.
fn is_clear_text(value: &[u8]) -> bool {
    let scheme = value.strip_prefix(b"{").and_then(|rest| {
        let end = rest.iter().position(|byte| *byte == b'}')?;
        let name = &rest[..end];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.');
        Some(!name.is_empty() && name.iter().all(is_name))
    });
    !scheme.unwrap_or(false)
}

/// The work of hashing the passwords of an add or modify.
///
/// # Errors
/// The write as it was, and why its passwords cannot be looked at.
pub(super) fn hash(caller: &mut Caller, mut update: Box<Update>) -> Result<Work, (Box<Update>, Failure)> {
    let entry = match stored_for(caller, &update) {
        Ok(entry) => entry,
        Err(failure) => return Err((update, failure)),
    };
    Ok(Work(Box::new(move || {
        let result = rewrite(&update.message, &entry);
        let result = result.map(|message| update.message = message);
        Worked(Suspended::Update(update, result))
    })))
}

/// What new passwords of an entry have to be, as its writer is asked.
struct Wanted {
    user: Vec<u8>,
    /// Only what cannot work is refused.
    superuser: bool,
    /// Fewest characters.
    least: usize,
    /// Days until the user may change it again.
    too_early: Option<u64>,
}

impl Wanted {
    /// What is wanted of a password of the user `object`.
    fn of(view: &View<'_>, object: u32, session: &Session, at: u64) -> Outcome<Self> {
        let record = view.record(object)?;
        let standing = Standing::of(&record, at);
        let own = session.object() == Some(object) && !session.is_superuser();
        Ok(Self {
            user: record.first_value(b"name").unwrap_or_default().to_vec(),
            superuser: session.is_superuser(),
            least: least_characters(view)?,
            too_early: standing.too_early().filter(|_| own && standing.condition().state == State::Usable),
        })
    }

    /// Refuses a password that is not good enough, or comes too early.
    fn check(&self, old: Option<&[u8]>, new: &[u8]) -> Outcome<()> {
        match (objection(&self.user, old, new, self.superuser, self.least), self.too_early) {
            (Some(objection), _) => Err(policy::refused(objection)),
            (None, Some(days)) => Err(policy::too_young(days)),
            (None, None) => Ok(()),
        }
    }
}

/// What is known of the entry whose password a write is about.
#[derive(Default)]
struct Entry {
    /// The hashes it has.
    stored: Vec<Zeroizing<Vec<u8>>>,
    /// What new passwords have to be, if it is there.
    wanted: Option<Wanted>,
}

/// The password hashes that passwords of a write may have to be compared with, and what new ones have to be.
fn stored_for(caller: &mut Caller, update: &Update) -> Outcome<Entry> {
    let now = caller.now;
    match Envelope::decode(&update.message)?.request()? {
        Request::Modify(modify) => {
            let name = parse(modify.dn)?;
            let controls = crate::controls::Requested::default();
            let proxied = update.proxied.clone();
            let mut operation = Operation { caller, id: update.id, controls, proxied };
            stored(&operation.place(&name)?, &name, now)
        }
        _ => Ok(Entry::default()),
    }
}

/// The password hashes of an entry, if the session may change them: else it could find out what they match.
fn stored(place: &Place, name: &netinfo_mapping::name::Name<'_>, now: u64) -> Outcome<Entry> {
    let view = place.context.domain().read(place.context.internal())?;
    let tree = place.namespace.tree(&view);
    let Resolution::Found(object) = tree.resolve_name(name)? else { return Ok(Entry::default()) };
    let access = place.context.domain().access(&view, &place.session)?;
    let entry = access.object(object)?;
    match (entry.visible(), entry.writes(PASSWORD)) {
        (true, true) => {}
        // What it is told about the entry does not depend on the password.
        (false, _) => return Ok(Entry::default()),
        (true, false) => {
            let message = "the password cannot be changed by this client";
            return Err(Failure::new(ResultCode::InsufficientAccessRights, message));
        }
    }
    let values = view.record(object)?.property(PASSWORD).into_iter().flat_map(|property| property.values);
    let stored = values.map(|value| Zeroizing::new(value.to_vec())).collect();
    Ok(Entry { stored, wanted: Some(Wanted::of(&view, object, &place.session, now)?) })
}

/// The same request with hashes in place of passwords; one that is to be deleted is replaced by the stored hash it
/// matches.
fn rewrite(message: &[u8], entry: &Entry) -> Outcome<Zeroizing<Vec<u8>>> {
    let envelope = Envelope::decode(message)?;
    let mut rewritten = Zeroizing::new(Vec::with_capacity(message.len() + 128));
    let Envelope { id, controls, .. } = envelope;
    match envelope.request()? {
        Request::Add(add) => {
            let mut attributes = AttributesBuf::new();
            for attribute in add.attributes {
                if is_password(attribute.name) {
                    attributes.add(attribute.name, hashed(attribute.values)?);
                } else {
                    attributes.push(attribute);
                }
            }
            let op = Request::Add(AddRequest { dn: add.dn, attributes: attributes.as_list() });
            Message { id, op, controls }.encode(&mut rewritten);
        }
        Request::Modify(modify) => {
            let mut changes = ModificationsBuf::new();
            for change in modify.changes {
                if !is_password(change.attribute.name) {
                    changes.push(change);
                } else if change.op == ModifyOp::Delete {
                    changes.add(
                        change.op,
                        change.attribute.name,
                        matching(change.attribute.values, &entry.stored)?,
                    );
                } else {
                    if let Some(wanted) = &entry.wanted {
                        let mut new = change.attribute.values.iter().filter(|value| is_clear_text(value));
                        new.try_for_each(|password| wanted.check(None, password))?;
                    }
                    changes.add(change.op, change.attribute.name, hashed(change.attribute.values)?);
                }
            }
            let op = Request::Modify(ModifyRequest { dn: modify.dn, changes: changes.as_list() });
            Message { id, op, controls }.encode(&mut rewritten);
        }
        _ => rewritten.extend_from_slice(message),
    }
    Ok(rewritten)
}

/// Hashes for those values that are passwords.
fn hashed(values: Values<'_>) -> Outcome<Vec<Zeroizing<Vec<u8>>>> {
    values
        .into_iter()
        .map(|value| if is_clear_text(value) { hash_of(value) } else { Ok(Zeroizing::new(value.to_vec())) })
        .collect()
}

/// The stored hashes that passwords match.
fn matching(values: Values<'_>, stored: &[Zeroizing<Vec<u8>>]) -> Outcome<Vec<Zeroizing<Vec<u8>>>> {
    let find = |password: &[u8]| {
        stored.iter().find(|hash| verify(hash, password) == Verdict::Match).map(|hash| published(hash))
    };
    values
        .into_iter()
        .map(|value| {
            if !is_clear_text(value) {
                return Ok(Zeroizing::new(value.to_vec()));
            }
            find(value)
                .ok_or_else(|| Failure::new(ResultCode::NoSuchAttribute, "the entry has no such value"))
        })
        .collect()
}

/// A hash as `userPassword` has it.
fn published(stored: &[u8]) -> Zeroizing<Vec<u8>> {
    let told = write::published_password(stored);
    Zeroizing::new(told.map_or_else(|| stored.to_vec(), Cow::into_owned))
}

/// The hash of a new password, as `userPassword` has it.
fn hash_of(password: &[u8]) -> Outcome<Zeroizing<Vec<u8>>> {
    if password.is_empty() {
        return Err(Failure::new(ResultCode::ConstraintViolation, "a password cannot be empty"));
    }
    match hash_new(password) {
        Ok(hash) => Ok(published(hash.as_bytes())),
        Err(error @ HashError::TooLong) => {
            Err(Failure::new(ResultCode::ConstraintViolation, error.to_string()))
        }
        Err(error) => {
            tracing::error!(%error, "a password cannot be hashed");
            Err(Failure::new(ResultCode::Unspecified, "the password cannot be hashed"))
        }
    }
}

/// The password modify operation (RFC 3062): becomes a modification of the entry. Who is not authenticated proves to be
/// the user by the old password: so passwords are changed that have expired.
pub(crate) fn modify(operation: Operation<'_, '_>, tag: Tag, value: Option<&[u8]>) -> Outcome<Step> {
    bind::confidential(operation.caller)?;
    let request = value.map(PasswordModify::decode).transpose()?.unwrap_or_default();
    let anonymous = operation.identity().is_anonymous();
    let names_user = request.user.is_some_and(|user| !user.is_empty());
    if anonymous && !(names_user && request.old.is_some() && request.new.is_some()) {
        let message = "who changes a password has to be authenticated, or to prove the old one";
        return Err(Failure::new(ResultCode::StrongerAuthRequired, message));
    }
    let subject = subject(&operation, request.user)?;
    let name = request.user.map(|user| String::from_utf8_lossy(user).to_lowercase());
    let keep = |password: &[u8]| Zeroizing::new(password.to_vec());
    let generated = if request.new.is_none() { Some(made_up()?) } else { None };
    let (old, new) = (request.old.map(keep), request.new.map(keep));
    let (id, origin, now) = (operation.id, operation.caller.peer.origin, operation.caller.now);
    let policy = operation.controls.policy;
    let Operation { caller, proxied, .. } = operation;
    let who = if anonymous {
        let first = caller.engine.contexts().first().cloned();
        Changer::Unknown { name: name.unwrap_or_default(), context: first }
    } else {
        let Some(subject) = &subject else {
            return Err(Failure::new(ResultCode::NoSuchObject, "there is no such user"));
        };
        let proxied = proxied.clone();
        let mut operation = Operation { caller, id, controls: Default::default(), proxied };
        Changer::Known(operation.session(&subject.context)?)
    };
    let mut update = Box::new(Update::new(id, tag, Zeroizing::default(), proxied));
    update.policy = policy;
    let change = Change { subject, old, origin, now };
    Ok(Step::Work(Work(Box::new(move || {
        let mut make = || {
            let proved = change.admit(&who)?;
            let subject = change.subject.as_ref().ok_or_else(invalid)?;
            let new = new.as_ref().or(generated.as_ref()).map_or(&[][..], |password| password.as_slice());
            change.check(subject, &proved, new, generated.is_some())?;
            let hash = hash_of(new)?;
            let mut changes = ModificationsBuf::new();
            changes.add(ModifyOp::Replace, "userPassword", [&*hash]);
            let op = ModifyRequest { dn: subject.dn.as_bytes(), changes: changes.as_list() };
            let mut message = Zeroizing::new(Vec::new());
            Message::new(id, Request::Modify(op)).encode(&mut message);
            if anonymous {
                update.proxied = Some(subject.clone().identity(proved));
            }
            update.message = message;
            Ok(())
        };
        let result = make();
        update.generated = generated;
        Worked(Suspended::Update(update, result))
    }))))
}

/// Who changes a password.
enum Changer {
    /// A client that is authenticated.
    Known(Session),
    /// One that is to prove the old password of this name, of somebody or nobody.
    Unknown { name: String, context: Option<Arc<NamingContext>> },
}

/// The change of a password.
struct Change {
    /// Whose it is; `None` for nobody's.
    subject: Option<Subject>,
    old: Option<Zeroizing<Vec<u8>>>,
    origin: Origin,
    now: u64,
}

impl Change {
    /// The session that changes the password, once the old one, if there is one, has been looked at.
    fn admit(&self, who: &Changer) -> Outcome<Session> {
        match who {
            Changer::Known(session) => {
                let subject = self.subject.as_ref().ok_or_else(invalid)?;
                may_change(subject, session)?;
                match &self.old {
                    Some(old) if self.prove(subject, old).is_err() => {
                        Err(Failure::new(ResultCode::UnwillingToPerform, "the old password is wrong"))
                    }
                    _ => Ok(session.clone()),
                }
            }
            Changer::Unknown { name, context } => {
                let old = self.old.as_ref().ok_or_else(invalid)?;
                let proved = match (&self.subject, context) {
                    (Some(subject), _) => self.prove(subject, old)?,
                    (None, Some(context)) => {
                        let nobody = Credentials::Nobody { name: name.as_bytes(), password: old };
                        context.domain().login(nobody, self.origin, self.now).map_err(bind::neutral)?
                    }
                    (None, None) => return Err(invalid()),
                };
                may_change(self.subject.as_ref().ok_or_else(invalid)?, &proved)?;
                Ok(proved)
            }
        }
    }

    /// The session of who has that password. One for an application only is not the user's.
    fn prove(&self, subject: &Subject, password: &[u8]) -> Outcome<Session> {
        let credentials = match subject.kind {
            SubjectKind::Object(object) => Credentials::Password { object, password },
            SubjectKind::Administrator => Credentials::Administrator { password },
        };
        let session = subject.context.domain().login(credentials, self.origin, self.now);
        let session = session.map_err(bind::neutral)?;
        if session.is_read_only() { Err(invalid()) } else { Ok(session) }
    }

    /// Refuses a new password that is not good enough. One that the server has made up is.
    fn check(&self, subject: &Subject, session: &Session, new: &[u8], made_up: bool) -> Outcome<()> {
        let SubjectKind::Object(object) = subject.kind else { return Ok(()) };
        let view = subject.context.domain().read(subject.context.internal())?;
        let wanted = Wanted::of(&view, object, session, self.now)?;
        let superuser = wanted.superuser || made_up;
        Wanted { superuser, ..wanted }.check(self.old.as_ref().map(|old| old.as_slice()), new)
    }
}

/// Wrong name or password, whichever.
fn invalid() -> Failure {
    Failure::new(ResultCode::InvalidCredentials, "")
}

/// Whose password is to be changed; nobody's if there is no such user.
fn subject(operation: &Operation<'_, '_>, user: Option<&[u8]>) -> Outcome<Option<Subject>> {
    let engine = &operation.caller.engine;
    let Some(user) = user.filter(|user| !user.is_empty()) else {
        let Identity { dn, home, .. } = operation.identity();
        let Some((context, session)) = home else {
            let message = "this client's password, if it has one, is not kept here";
            return Err(Failure::new(ResultCode::UnwillingToPerform, message));
        };
        let kind = session.object().map_or(SubjectKind::Administrator, SubjectKind::Object);
        return Ok(Some(Subject { context: context.clone(), kind, dn: dn.clone() }));
    };
    let found = match AuthzId::decode(user) {
        Ok(identity) => Subject::authz(engine, identity),
        Err(_) => match parse(user) {
            Ok(name) => Subject::named(engine, &name),
            Err(_) => Subject::user(engine, user),
        },
    };
    Ok(Subject::admitted(found?, &operation.caller.peer))
}

/// Whether the session may change that password.
fn may_change(subject: &Subject, session: &Session) -> Outcome<()> {
    let SubjectKind::Object(object) = subject.kind else {
        let message = "the administrator's password is not kept in an entry";
        return Err(Failure::new(ResultCode::UnwillingToPerform, message));
    };
    let view = subject.context.domain().read(subject.context.internal())?;
    let access = subject.context.domain().access(&view, session)?;
    if access.object(object)?.writes(PASSWORD) {
        Ok(())
    } else {
        let message = "the password cannot be changed by this client";
        Err(Failure::new(ResultCode::InsufficientAccessRights, message))
    }
}

/// A new password of [`GENERATED_PASSWORD`] characters, each of them as likely as any other.
fn made_up() -> Outcome<Zeroizing<Vec<u8>>> {
    let mut password = Zeroizing::new(Vec::with_capacity(GENERATED_PASSWORD));
    let mut random = Zeroizing::new([0_u8; 64]);
    // The largest multiple of the alphabet's length below 256: bytes above it would favour some characters.
    let bound = 256 - 256 % ALPHABET.len();
    while password.len() < GENERATED_PASSWORD {
        getrandom::fill(&mut *random).map_err(|error| {
            tracing::error!(%error, "no random numbers");
            Failure::new(ResultCode::Unspecified, "a password cannot be made up")
        })?;
        let fair = random.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < bound);
        for byte in fair.take(GENERATED_PASSWORD - password.len()) {
            password.push(ALPHABET[byte % ALPHABET.len()]);
        }
    }
    Ok(password)
}

//! Bind (RFC 4511 §4.2, RFC 4513): simple, SASL EXTERNAL (RFC 4422), SASL PLAIN (RFC 4616), SASL
//! SCRAM-SHA-256 (RFC 5802, 7677).
//!
//! From the moment a bind request comes the client is nobody, until it has proved to be somebody. Names that do not
//! exist cost what wrong passwords cost, and clients are told no difference; the log is.

use std::sync::Arc;

use netinfo_directory::{Credentials, Session};
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::control::entry::AuthzId;
use netinfo_wire::ldap::request::VERSION;
use netinfo_wire::ldap::response::BindResponse;
use netinfo_wire::ldap::{
    Authentication, BindRequest, LdapResult, Message, MessageWriter, Response, ResultCode,
};
use zeroize::Zeroizing;

use crate::connection::Suspended;
use crate::context::NamingContext;
use crate::failure::{Failure, Outcome};
use crate::identity::{self, Subject, SubjectKind};
use crate::operation::{Caller, Identity, parse};
use crate::policy;
use crate::scram::{self, Challenge, ClientFinal, ClientFirst};
use crate::settings::RequireTls;
use crate::step::{Step, Work, Worked};

/// The SASL mechanism that relies on what the channel below knows of the client.
pub(crate) const EXTERNAL: &str = "EXTERNAL";
/// The SASL mechanism with a name and a password.
pub(crate) const PLAIN: &str = "PLAIN";

/// A bind whose password has been looked at.
pub(crate) struct Proved {
    id: u32,
    /// Who it was to be; `None` where nobody has the name.
    subject: Option<Subject>,
    /// The name as it was given, for the log.
    name: String,
    /// Who it is to act as, if that was asked for.
    authz: Option<Box<[u8]>>,
    result: netinfo_directory::Result<Session>,
    /// What goes to the client with success.
    credentials: Option<String>,
}

impl Proved {
    /// Message id of the request.
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }
}

/// A SASL exchange that the client is to continue.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Who it is to be; `None` where nobody has the name.
    subject: Option<Subject>,
    name: String,
    authz: Option<Box<[u8]>>,
    challenge: Challenge,
}

/// The first half of an exchange, for which stored keys have been looked at.
pub(crate) struct Begun {
    id: u32,
    result: Outcome<(Exchange, String)>,
}

/// SASL mechanisms that a client can use as it is connected now.
pub(crate) fn mechanisms(caller: &Caller) -> impl Iterator<Item = &'static str> {
    let external = caller.peer.uid().is_some() || caller.peer.certificate.is_some();
    let plain = caller.peer.is_confidential();
    let scram = confidential(caller).is_ok();
    [(external, EXTERNAL), (scram, scram::NAME), (plain, PLAIN)]
        .into_iter()
        .filter_map(|(usable, name)| usable.then_some(name))
}

/// Begins a bind.
pub(crate) fn begin(caller: &mut Caller, id: u32, request: &BindRequest<'_>, out: &mut Vec<u8>) -> Step {
    let exchange = caller.exchange.take();
    caller.become_identity(Identity::default());
    match attempt(caller, id, request, exchange) {
        Ok(Progress::Is(identity)) => {
            match policy::admitted(*identity) {
                Ok(identity) => succeed(caller, id, identity, None, out),
                Err(failure) => {
                    caller.engine.figures().count_failed_bind();
                    respond(id, &failure, caller.policy, out);
                }
            }
            Step::Done
        }
        Ok(Progress::Work(work)) => Step::Work(work),
        Err(failure) => {
            caller.engine.figures().count_failed_bind();
            if let Some(more) = caller.engine.may_log(caller.now) {
                tracing::info!(peer = %caller.peer, code = %failure.code, more, "bind refused: {}", failure.message);
            }
            respond(id, &failure, caller.policy, out);
            Step::Done
        }
    }
}

/// How far a bind has come at once.
pub(crate) enum Progress {
    /// The client is known to be that one.
    Is(Box<Identity>),
    /// A password has to be looked at.
    Work(Work),
}

fn attempt(
    caller: &Caller,
    id: u32,
    request: &BindRequest<'_>,
    exchange: Option<Box<Exchange>>,
) -> Outcome<Progress> {
    if request.version != VERSION {
        return Err(Failure::new(ResultCode::ProtocolError, "only version 3 of the protocol is served"));
    }
    match request.authentication {
        Authentication::Simple(password) => simple(caller, id, request.name, password, Suspended::Bind),
        Authentication::Sasl { mechanism, credentials } => sasl(caller, id, mechanism, credentials, exchange),
        Authentication::Other(_) => {
            Err(Failure::new(ResultCode::AuthMethodNotSupported, "the authentication method is not served"))
        }
    }
}

/// A name and a password. Where the password has to be looked at, `then` says what goes on with it.
pub(crate) fn simple(
    caller: &Caller,
    id: u32,
    name: &[u8],
    password: &[u8],
    then: impl FnOnce(Box<Proved>) -> Suspended + Send + 'static,
) -> Outcome<Progress> {
    let dn = parse(name)?;
    match (dn.rdns.is_empty(), password.is_empty()) {
        (true, true) => {
            if caller.engine.settings().require_tls == RequireTls::Always {
                confidential(caller)?;
            }
            Ok(Progress::Is(Box::default()))
        }
        (true, false) => Err(invalid()),
        // Clients that forget to ask for a password would take it for a proof (RFC 4513 §5.1.2).
        (false, true) => {
            Err(Failure::new(ResultCode::UnwillingToPerform, "a name without a password proves nothing"))
        }
        (false, false) => {
            confidential(caller)?;
            let subject = Subject::admitted(Subject::named(&caller.engine, &dn)?, &caller.peer);
            if let Some(session) = remembered(caller, subject.as_ref(), password)?
                && let Some(subject) = subject
            {
                return Ok(Progress::Is(Box::new(subject.identity(session))));
            }
            let unknown = String::from_utf8_lossy(name).to_lowercase();
            Ok(Progress::Work(prove(caller, id, subject, unknown, None, password, then)?))
        }
    }
}

fn sasl(
    caller: &Caller,
    id: u32,
    mechanism: &[u8],
    credentials: Option<&[u8]>,
    exchange: Option<Box<Exchange>>,
) -> Outcome<Progress> {
    let mechanism = mechanism.to_ascii_uppercase();
    if mechanism == EXTERNAL.as_bytes() {
        external(caller, credentials).map(|identity| Progress::Is(Box::new(identity)))
    } else if mechanism == PLAIN.as_bytes() {
        plain(caller, id, credentials)
    } else if mechanism == scram::NAME.as_bytes() {
        confidential(caller)?;
        let message = credentials.unwrap_or_default();
        match exchange.filter(|_| message.starts_with(b"c=")) {
            None => challenge(caller, id, message),
            Some(exchange) => proof(caller, id, *exchange, message),
        }
    } else if mechanism.is_empty() {
        // Ends an exchange (RFC 4513 §5.2.1.2).
        Err(Failure::new(ResultCode::AuthMethodNotSupported, "the SASL exchange is over"))
    } else {
        Err(Failure::new(ResultCode::AuthMethodNotSupported, "the SASL mechanism is not served"))
    }
}

/// What the channel knows of the client: the user id on a local socket, or a certificate.
fn external(caller: &Caller, credentials: Option<&[u8]>) -> Outcome<Identity> {
    let identity = match (caller.peer.uid(), &caller.peer.certificate) {
        (_, Some(certificate)) => {
            let names = std::iter::once(&certificate.subject).chain(&certificate.names);
            let mut subject = None;
            for name in names.filter(|name| !name.is_empty()) {
                if let Ok(dn) = Name::parse(name.as_bytes()) {
                    subject = subject.or(Subject::named(&caller.engine, &dn)?);
                }
            }
            Subject::admitted(subject, &caller.peer).ok_or_else(invalid)?.vouched(caller)?
        }
        (Some(uid), None) => identity::local(caller, uid)?,
        (None, None) => {
            let message = "the connection itself proves no identity";
            return Err(Failure::new(ResultCode::InappropriateAuthentication, message));
        }
    };
    match credentials.filter(|authz| !authz.is_empty()) {
        None => Ok(identity),
        Some(authz) => act_as(caller, identity, authz),
    }
}

/// A name and a password (RFC 4616): `[authzid] NUL authcid NUL passwd`.
fn plain(caller: &Caller, id: u32, credentials: Option<&[u8]>) -> Outcome<Progress> {
    if !caller.peer.is_confidential() {
        let message = "PLAIN is served on protected connections only";
        return Err(Failure::new(ResultCode::ConfidentialityRequired, message));
    }
    let message = credentials.unwrap_or_default();
    let mut parts = message.split(|byte| *byte == 0);
    let (Some(authz), Some(name), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Failure::new(ResultCode::ProtocolError, "the SASL credentials are malformed"));
    };
    if name.is_empty() || password.is_empty() {
        return Err(invalid());
    }
    // A name alone is a user's (RFC 4513 §5.2.1.8 has prefixes for authorization identities only).
    let identity = AuthzId::decode(name).unwrap_or(AuthzId::User(name));
    let subject = Subject::admitted(Subject::authz(&caller.engine, identity)?, &caller.peer);
    let authz = (!authz.is_empty()).then(|| authz.into());
    let unknown = String::from_utf8_lossy(name).to_lowercase();
    Ok(Progress::Work(prove(caller, id, subject, unknown, authz, password, Suspended::Bind)?))
}

/// Begins to have a password proved: the client is told how to.
fn challenge(caller: &Caller, id: u32, message: &[u8]) -> Outcome<Progress> {
    let first = ClientFirst::parse(message)?;
    let user = first.name.as_bytes();
    let identity = AuthzId::decode(user).unwrap_or(AuthzId::User(user));
    let subject = Subject::admitted(Subject::authz(&caller.engine, identity)?, &caller.peer);
    let name = first.name.to_lowercase();
    let authz = first.authz.as_ref().map(|authz| authz.as_bytes().into());
    let (context, object) = account(caller, subject.as_ref())?;
    let message = message.to_vec();
    Ok(Progress::Work(Work(Box::new(move || {
        let begin = || {
            let keys = context.domain().scram_keys(object, name.as_bytes())?;
            let (challenge, answer) = ClientFirst::parse(&message)?.challenge(keys)?;
            Ok((Exchange { subject, name, authz, challenge }, answer))
        };
        Worked(Suspended::Exchange(Box::new(Begun { id, result: begin() })))
    }))))
}

/// Looks at the proof of a password.
fn proof(caller: &Caller, id: u32, exchange: Exchange, message: &[u8]) -> Outcome<Progress> {
    let Exchange { subject, name, authz, challenge } = exchange;
    let ClientFinal { messages, proof } = challenge.finish(message)?;
    let (context, object) = account(caller, subject.as_ref())?;
    let (origin, now) = (caller.peer.origin, caller.now);
    Ok(Progress::Work(Work(Box::new(move || {
        let keys = &challenge.keys;
        let credentials =
            Credentials::Scram { object, name: name.as_bytes(), keys, messages: &messages, proof: &proof };
        let result = context.domain().login(credentials, origin, now);
        let credentials = Some(challenge.signature(&messages));
        Worked(Suspended::Bind(Box::new(Proved { id, subject, name, authz, result, credentials })))
    }))))
}

/// Where the password of somebody, or of nobody, is kept. The administrator's cannot be proved.
fn account(caller: &Caller, subject: Option<&Subject>) -> Outcome<(Arc<NamingContext>, Option<u32>)> {
    Ok(match subject {
        Some(Subject { context, kind: SubjectKind::Object(object), .. }) => (context.clone(), Some(*object)),
        Some(Subject { context, kind: SubjectKind::Administrator, .. }) => (context.clone(), None),
        None => (caller.engine.contexts().first().cloned().ok_or_else(invalid)?, None),
    })
}

/// Goes on with an exchange whose keys have been looked at.
pub(crate) fn continued(caller: &mut Caller, begun: Begun, out: &mut Vec<u8>) -> Step {
    let Begun { id, result } = begun;
    match result {
        Ok((exchange, answer)) => {
            caller.exchange = Some(Box::new(exchange));
            let result = LdapResult { code: ResultCode::SaslBindInProgress, ..LdapResult::default() };
            let server_credentials = Some(answer.as_bytes());
            Message::new(id, Response::Bind(BindResponse { result, server_credentials })).encode(out);
        }
        Err(failure) => {
            caller.engine.figures().count_failed_bind();
            respond(id, &failure, caller.policy, out);
        }
    }
    Step::Done
}

/// Whether a password may come this way.
pub(crate) fn confidential(caller: &Caller) -> Outcome<()> {
    let enough = match caller.engine.settings().require_tls {
        RequireTls::Off => true,
        RequireTls::ForBind => caller.peer.is_confidential() || caller.peer.is_own(),
        RequireTls::Always => caller.peer.is_confidential(),
    };
    if enough { Ok(()) } else { Err(Failure::new(ResultCode::ConfidentialityRequired, "TLS is required")) }
}

/// The session of a subject whose password has been looked at lately: programs bind with the same one again and again.
fn remembered(caller: &Caller, subject: Option<&Subject>, password: &[u8]) -> Outcome<Option<Session>> {
    match subject {
        Some(Subject { context, kind: SubjectKind::Object(object), .. }) => {
            let (origin, now) = (caller.peer.origin, caller.now);
            Ok(context.domain().login_remembered(*object, password, origin, now)?)
        }
        _ => Ok(None),
    }
}

/// The work of looking at a password. Where nobody has the name, `name` is what failed attempts are counted for.
fn prove(
    caller: &Caller,
    id: u32,
    subject: Option<Subject>,
    name: String,
    authz: Option<Box<[u8]>>,
    password: &[u8],
    then: impl FnOnce(Box<Proved>) -> Suspended + Send + 'static,
) -> Outcome<Work> {
    let context = match &subject {
        Some(subject) => subject.context.clone(),
        None => caller.engine.contexts().first().cloned().ok_or_else(invalid)?,
    };
    let (origin, now) = (caller.peer.origin, caller.now);
    let password = Zeroizing::new(password.to_vec());
    Ok(Work(Box::new(move || {
        let credentials = match subject.as_ref().map(|subject| subject.kind) {
            Some(SubjectKind::Object(object)) => Credentials::Password { object, password: &password },
            Some(SubjectKind::Administrator) => Credentials::Administrator { password: &password },
            None => Credentials::Nobody { name: name.as_bytes(), password: &password },
        };
        let result = context.domain().login(credentials, origin, now);
        Worked(then(Box::new(Proved { id, subject, name, authz, result, credentials: None })))
    })))
}

/// Ends a bind whose password has been looked at.
pub(crate) fn finish(caller: &mut Caller, proved: Proved, out: &mut Vec<u8>) -> Step {
    let (id, credentials) = (proved.id, proved.credentials.clone());
    match settled(caller, proved) {
        Ok(identity) => succeed(caller, id, identity, credentials.as_deref(), out),
        Err(failure) => {
            caller.engine.figures().count_failed_bind();
            respond(id, &failure, caller.policy, out);
        }
    }
    Step::Done
}

/// Who a client with that password may be.
pub(crate) fn settled(caller: &Caller, proved: Proved) -> Outcome<Identity> {
    let Proved { subject, name, authz, result, .. } = proved;
    match (result, subject) {
        (Ok(session), Some(subject)) => match (policy::admitted(subject.identity(session)), authz) {
            (Ok(identity), Some(authz)) => {
                let dn = identity.dn.clone();
                act_as(caller, identity, &authz).inspect_err(|failure| {
                    if let Some(more) = caller.engine.may_log(caller.now) {
                        let authz = authz.escape_ascii();
                        tracing::warn!(peer = %caller.peer, dn, %authz, more, "bind refused: {}", failure.message);
                    }
                })
            }
            (identity, _) => identity,
        },
        (Ok(_), None) => Err(invalid()),
        (Err(error), subject) => {
            let dn = subject.map_or(name, |subject| subject.dn);
            if let Some(more) = caller.engine.may_log(caller.now) {
                tracing::warn!(peer = %caller.peer, dn, more, "authentication failed: {error}");
            }
            Err(neutral(error))
        }
    }
}

/// What a client is told of a failed authentication: nothing about the reason, unless it is the server's own.
pub(crate) fn neutral(error: netinfo_directory::Error) -> Failure {
    use netinfo_directory::Error;
    let policy = policy::error_of(&error);
    let failure = match error {
        Error::NoUser
        | Error::Authentication
        | Error::TooManyAttempts { .. }
        | Error::NoSuchDirectory
        | Error::Permission => invalid(),
        error => error.into(),
    };
    Failure { policy, ..failure }
}

/// Somebody who acts as somebody else: only superusers may, and everybody as oneself. Others are told, as by OpenLDAP's
/// server, that the right is missing, and not that they have not proved who they are.
fn act_as(caller: &Caller, identity: Identity, authz: &[u8]) -> Outcome<Identity> {
    let denied = |why: &'static str| Failure::new(ResultCode::InsufficientAccessRights, why);
    let Ok(authz) = AuthzId::decode(authz) else {
        return Err(denied("the authorization identity is neither dn:NAME nor u:USER"));
    };
    if authz == AuthzId::Dn(identity.dn.as_bytes()) {
        return Ok(identity);
    }
    let subject = Subject::admitted(Subject::authz(&caller.engine, authz)?, &caller.peer);
    let refusal = "the client may not act as that identity";
    let subject = subject.ok_or_else(|| denied(refusal))?;
    if subject.dn == identity.dn {
        return Ok(identity);
    }
    let session = match &identity.home {
        Some((home, session)) if Arc::ptr_eq(home.domain(), subject.context.domain()) => session.clone(),
        _ if identity.uid.is_some() => {
            subject.context.domain().login(Credentials::None, caller.peer.origin, caller.now)?
        }
        _ => return Err(denied(refusal)),
    };
    if !session.is_superuser() || session.is_read_only() {
        return Err(denied(refusal));
    }
    subject.vouched(caller).map_err(|failure| match failure.code {
        ResultCode::AuthorizationDenied | ResultCode::InvalidCredentials => denied(refusal),
        _ => failure,
    })
}

fn succeed(caller: &mut Caller, id: u32, identity: Identity, credentials: Option<&str>, out: &mut Vec<u8>) {
    tracing::debug!(peer = %caller.peer, dn = identity.dn, "bound");
    let told = policy::told(&identity);
    caller.become_identity(identity);
    let server_credentials = credentials.map(str::as_bytes);
    let mut message = MessageWriter::begin(out, id);
    message.response(&Response::Bind(BindResponse { server_credentials, ..BindResponse::default() }));
    if caller.policy {
        policy::put(&mut message, told.warning, told.error);
    }
    message.finish();
}

/// Appends the response of a bind that fails. `policy` is whether the client asked for more than the result.
fn respond(id: u32, failure: &Failure, policy: bool, out: &mut Vec<u8>) {
    failure.with(|result: LdapResult<'_>| {
        let mut message = MessageWriter::begin(out, id);
        message.response(&Response::Bind(BindResponse { result, server_credentials: None }));
        if policy {
            policy::put(&mut message, None, failure.policy);
        }
        message.finish();
    });
}

/// Wrong name or password, whichever.
fn invalid() -> Failure {
    Failure::new(ResultCode::InvalidCredentials, "")
}

//! Verify credentials: whether a name and a password are right, for a client that stays who it is. The operation is OpenLDAP's
//! (`ldap_verify_credentials` of its library); programs that serve many people on one connection use it in the place of
//! binds.
//!
//! What holds for a simple bind holds here: TLS where that is required, the delays of failed attempts, locks, the rules about
//! accounts, the line in the log. The response succeeds; its value says how the bind would have gone.

use netinfo_wire::ldap::extended::{CredentialsVerified, VerifyCredentials};
use netinfo_wire::ldap::request::{BindRequest, VERSION};
use netinfo_wire::ldap::response::ExtendedResponse;
use netinfo_wire::ldap::{Authentication, ControlsBuf, Payload, Request, ResultCode};

use crate::bind::{self, Progress, Proved};
use crate::connection::Suspended;
use crate::controls::Requested;
use crate::extended;
use crate::failure::{Failure, Outcome};
use crate::operation::{Caller, Identity, Operation};
use crate::policy;
use crate::step::Step;

/// Begins to verify the credentials of a request.
///
/// # Errors
/// Where the request itself is malformed.
pub(crate) fn begin(operation: &Operation<'_, '_>, value: Option<&[u8]>, out: &mut Vec<u8>) -> Outcome<Step> {
    let request = VerifyCredentials::decode(value.unwrap_or_default())?;
    let (caller, id) = (&*operation.caller, operation.id);
    let controls = match controls(&request) {
        Ok(controls) => controls,
        Err(failure) => {
            answer(caller, id, false, Err(failure), out);
            return Ok(Step::Done);
        }
    };
    match attempt(caller, id, &request, controls.policy) {
        Ok(Progress::Is(identity)) => answer(caller, id, controls.policy, policy::admitted(*identity), out),
        Ok(Progress::Work(work)) => return Ok(Step::Work(work)),
        Err(failure) => {
            if let Some(more) = caller.engine.may_log(caller.now) {
                let why = &failure.message;
                tracing::info!(peer = %caller.peer, code = %failure.code, more, "verification refused: {why}");
            }
            answer(caller, id, controls.policy, Err(failure), out);
        }
    }
    Ok(Step::Done)
}

/// Ends a verification whose password has been looked at.
pub(crate) fn finish(caller: &Caller, proved: Proved, policy: bool, out: &mut Vec<u8>) -> Step {
    let id = proved.id();
    let identity = bind::settled(caller, proved);
    answer(caller, id, policy, identity, out);
    Step::Done
}

/// The controls within the request: those of a bind.
fn controls<'m>(request: &VerifyCredentials<'m>) -> Outcome<Requested<'m>> {
    let VerifyCredentials { name, authentication, controls, .. } = *request;
    Requested::decode(&Request::Bind(BindRequest { version: VERSION, name, authentication }), controls)
}

fn attempt(caller: &Caller, id: u32, request: &VerifyCredentials<'_>, policy: bool) -> Outcome<Progress> {
    match request.authentication {
        Authentication::Simple(_) if request.name.is_empty() => Err(Failure::new(
            ResultCode::UnwillingToPerform,
            "there is no name whose password could be verified",
        )),
        Authentication::Simple(password) => {
            let then = move |proved| Suspended::Verify(proved, policy);
            bind::simple(caller, id, request.name, password, then)
        }
        Authentication::Sasl { .. } | Authentication::Other(_) => {
            Err(Failure::new(ResultCode::AuthMethodNotSupported, "only passwords are verified"))
        }
    }
}

/// Appends the response: what a bind would have been told.
fn answer(caller: &Caller, id: u32, policy: bool, identity: Outcome<Identity>, out: &mut Vec<u8>) {
    let mut verified = CredentialsVerified::default();
    let mut controls = ControlsBuf::new();
    if let Err(failure) = &identity {
        caller.engine.figures().count_failed_bind();
        verified =
            CredentialsVerified { code: failure.code, message: failure.message.as_bytes(), ..verified };
    }
    if policy {
        controls.add(false, &policy::of_bind(&identity));
    }
    verified.controls = controls.as_list();
    let mut value = Vec::new();
    verified.encode(&mut value);
    extended::respond(id, ExtendedResponse { value: Some(&value), ..ExtendedResponse::default() }, out);
}

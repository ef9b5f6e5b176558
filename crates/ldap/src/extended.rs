//! Extended operations (RFC 4511 §4.12): StartTLS, "Who am I?" (RFC 4532), cancel (RFC 3909). The password modify
//! (RFC 3062) is a write; verify credentials is in [`verify`].

use netinfo_wire::ldap::control::entry::AuthzId;
use netinfo_wire::ldap::extended::Cancel;
use netinfo_wire::ldap::request::ExtendedRequest;
use netinfo_wire::ldap::response::ExtendedResponse;
use netinfo_wire::ldap::{LdapResult, Message, Payload, Response, ResultCode, oid};

use crate::failure::{Failure, Outcome};
use crate::operation::Operation;
use crate::step::Step;
use crate::verify;

/// Answers an extended request that is not a write. `cancel` says what became of the operation with a message id.
pub(crate) fn answer(
    operation: &Operation<'_, '_>,
    request: &ExtendedRequest<'_>,
    cancel: impl FnOnce(u32) -> ResultCode,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    match request.name {
        oid::START_TLS => start_tls(operation, request, out),
        oid::WHO_AM_I => {
            if request.value.is_some() {
                return Err(Failure::new(ResultCode::ProtocolError, "the request takes no value"));
            }
            who_am_i(operation, out);
            Ok(Step::Done)
        }
        oid::CANCEL => {
            let value = request.value.unwrap_or_default();
            let Cancel { id } = Cancel::decode(value)?;
            let result = LdapResult::new(cancel(id), b"");
            respond(operation.id, ExtendedResponse { result, ..ExtendedResponse::default() }, out);
            Ok(Step::Done)
        }
        oid::VERIFY_CREDENTIALS => verify::begin(operation, request.value, out),
        _ => Err(Failure::new(ResultCode::ProtocolError, "the extended operation is not served")),
    }
}

/// RFC 4511 §4.14.
fn start_tls(
    operation: &Operation<'_, '_>,
    request: &ExtendedRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    let peer = &operation.caller.peer;
    if request.value.is_some() {
        return Err(Failure::new(ResultCode::ProtocolError, "the request takes no value"));
    }
    // Nobody can listen on a local socket, and OpenLDAP's library would give its path for the name of the server, which ends
    // the handshake; refused, it goes on without where TLS is not insisted on.
    if !operation.caller.engine.settings().start_tls || peer.uid().is_some() {
        return Err(Failure::new(ResultCode::ProtocolError, "TLS is not served here"));
    }
    if peer.tls {
        return Err(Failure::new(ResultCode::OperationsError, "TLS is established already"));
    }
    let name = Some(oid::START_TLS);
    respond(operation.id, ExtendedResponse { name, ..ExtendedResponse::default() }, out);
    Ok(Step::StartTls)
}

fn who_am_i(operation: &Operation<'_, '_>, out: &mut Vec<u8>) {
    let dn = operation.identity().dn.as_bytes();
    let mut identity = Vec::new();
    if !dn.is_empty() {
        AuthzId::Dn(dn).encode(&mut identity);
    }
    let response = ExtendedResponse { value: Some(&identity), ..ExtendedResponse::default() };
    respond(operation.id, response, out);
}

/// Appends the response.
pub(crate) fn respond(id: u32, response: ExtendedResponse<'_>, out: &mut Vec<u8>) {
    Message::new(id, Response::Extended(response)).encode(out);
}

//! The control program on the local socket: what administration needs and no NetInfo procedure offers.
//!
//! Requests are JSON objects with an `op`. Everything that changes something or tells what was changed takes the superuser.

mod load;
mod requests;
mod settings;
mod transfer;
mod users;

pub(crate) use transfer::{Uploads, remove_leftovers};

use std::sync::Arc;

use netinfo_directory::Error;
use netinfo_wire::control::{
    MAX_JSON, PROGRAM, Procedure, Response, UploadChunk, VERSION, decode_request, decode_upload_commit,
};
use netinfo_wire::netinfo::Status;
use netinfo_wire::rpc::{AcceptStat, Call};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::netinfo::status_of;
use super::{Context, Step, accepted, refuse};
use crate::node::Running;
use crate::stream::{Sink, Stream};

/// Why a request failed: a status, and words for people.
pub(crate) struct Failure {
    status: Status,
    error: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: Status, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(status_of(&error), error.to_string());
        match error {
            Error::NoSuchDomain(_) => failure.hint("\"netinfo domain list\" shows the domains of this node"),
            Error::NoSpace(_) => failure.hint("make room on the disk; nothing was changed"),
            _ => failure,
        }
    }
}

/// Result of a request.
pub(crate) type Answer = Result<Value, Failure>;

/// A decoded request. It may hold a password, so it is wiped and never shown.
pub(crate) struct Request(Zeroizing<Vec<u8>>);

impl Request {
    fn parse(&self) -> Result<Value, Failure> {
        let value: Value = serde_json::from_slice(&self.0)
            .map_err(|_| Failure::new(Status::Serial, "the request is not JSON"))?;
        if value.is_object() {
            Ok(value)
        } else {
            Err(Failure::new(Status::Serial, "the request is not a JSON object"))
        }
    }
}

/// A text member of a request.
pub(crate) fn member<'v>(request: &'v Value, name: &str) -> Result<&'v str, Failure> {
    request[name]
        .as_str()
        .ok_or_else(|| Failure::new(Status::Serial, format!("the request lacks the text \"{name}\"")))
}

/// Answers one call.
pub(crate) fn call(node: &Arc<Running>, context: &Context, call: &Call<'_>, out: &mut Vec<u8>) -> Step {
    debug_assert_eq!(call.prog, PROGRAM);
    if call.vers != VERSION {
        return refuse(out, call.xid, AcceptStat::ProgMismatch { low: VERSION, high: VERSION });
    }
    let Ok(procedure) = Procedure::try_from(call.proc) else {
        return refuse(out, call.xid, AcceptStat::ProcUnavail);
    };
    let root = super::binder::is_local_superuser(context.caller.origin);
    answer(node, context.connection, procedure, root, call, out)
        .unwrap_or_else(|_| refuse(out, call.xid, AcceptStat::GarbageArgs))
}

fn answer(
    node: &Arc<Running>,
    connection: u64,
    procedure: Procedure,
    root: bool,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Result<Step, netinfo_wire::xdr::Error> {
    let (node, xid) = (node.clone(), call.xid);
    let request = |args| Ok(Request(Zeroizing::new(decode_request(args)?.to_vec())));
    Ok(match procedure {
        Procedure::Null => refuse(out, xid, AcceptStat::Success),
        Procedure::Request => {
            let request = request(call.args)?;
            later(xid, async move { requests::answer(node, root, request).await })
        }
        Procedure::Stream => {
            let request = request(call.args)?;
            let permit = node.stream_permits.clone().try_acquire_owned().ok();
            let make = move |sink: &mut Sink| transfer::stream(&node, root, permit, &request, xid, sink);
            Step::Stream(Stream { make: Box::new(make), deadline: None })
        }
        Procedure::UploadBegin => {
            let request = request(call.args)?;
            Step::Later(Box::pin(async move {
                let begun = blocking(move || transfer::begin(&node, connection, root, &request)).await;
                let mut out = accepted(xid);
                match begun {
                    Ok(handle) => netinfo_wire::control::put_upload_begun(&mut out, Ok(handle)),
                    Err(failure) => respond(&mut out, Err(failure)),
                }
                out
            }))
        }
        Procedure::UploadChunk => {
            let chunk = UploadChunk::decode(call.args)?;
            let (handle, data) = (chunk.handle, chunk.data.to_vec());
            later(xid, blocking(move || transfer::add(&node, connection, handle, &data)))
        }
        Procedure::UploadCommit => {
            let handle = decode_upload_commit(call.args)?;
            later(xid, async move { transfer::commit(&node, connection, handle).await })
        }
    })
}

fn later(xid: u32, work: impl Future<Output = Answer> + Send + 'static) -> Step {
    Step::Later(Box::pin(async move {
        let answer = work.await;
        let mut out = accepted(xid);
        respond(&mut out, answer);
        out
    }))
}

/// Runs work that waits for the disk on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |_| Err(Failure::new(Status::SystemErr, "the operation was interrupted"));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

/// Status and JSON text of an answer.
pub(crate) fn encoded(answer: Answer) -> (Status, Vec<u8>) {
    let (status, value) = match answer {
        Ok(value) => (Status::Ok, value),
        Err(Failure { status, error, hint }) => {
            let value = match hint {
                Some(hint) => json!({ "error": error, "hint": hint }),
                None => json!({ "error": error }),
            };
            (status, value)
        }
    };
    let text = value.to_string().into_bytes();
    if text.len() > MAX_JSON as usize {
        return (
            Status::NoSpace,
            br#"{"error":"the answer is too long","hint":"ask for less at once"}"#.to_vec(),
        );
    }
    (status, text)
}

fn respond(out: &mut Vec<u8>, answer: Answer) {
    let (status, json) = encoded(answer);
    Response { status, json: &json }.encode(out);
}

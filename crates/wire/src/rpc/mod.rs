//! ONC RPC version 2 envelopes (RFC 5531): what surrounds arguments and results.
//!
//! * [`call`] — [`parse_call`] with the rules by which a malformed call is answered or ignored, and
//!   [`put_call`];
//! * [`reply`] — [`put_accepted`], [`put_denied`], [`parse_reply`];
//! * [`auth`] — `AUTH_NONE` and `AUTH_SYS` credentials, and how NetInfo hides a password in one.

pub mod auth;
pub mod call;
pub mod reply;

pub use auth::{AuthStat, AuthSys, Credential, Gids, auth_password, complement};
pub use call::{Call, CallError, parse_call, peek_call, put_call};
pub use reply::{
    AcceptStat, Denial, Outcome, Reply, ReplyError, parse_reply, put_accepted, put_denied, put_rpc_mismatch,
};

/// The RPC version of RFC 5531; calls with another one are not answered.
pub const RPC_VERSION: u32 = 2;

/// Most bytes in the body of a credential or verifier (RFC 5531 §8.2).
pub const MAX_AUTH_BODY: u32 = 400;

/// Message type `CALL`.
const CALL: u32 = 0;
/// Message type `REPLY`.
const REPLY: u32 = 1;

/// Procedure 0, which every program has: no arguments, no result, no effect.
pub const NULL_PROCEDURE: u32 = 0;

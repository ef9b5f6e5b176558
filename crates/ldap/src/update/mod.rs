//! Writes: add, modify, delete, rename (RFC 4511 §4.6 to §4.9), and their way through the writer.
//!
//! A write is derived: from a snapshot and the request come the changes for the core, which makes them only if the
//! entry has not been changed meanwhile. Otherwise the write is derived anew, a bounded number of times. Names of new
//! entries are reserved while they are on their way, so that no two entries get the same one.

mod derive;
mod passwords;
mod touched;

use std::sync::Arc;

use netinfo_directory::{Change, Domain, Error, Outcome as Changed};
use netinfo_wire::ldap::{Envelope, Message, MessageWriter, Request, Response, ResultCode, oid};
use netinfo_wire::ber::Tag;
use zeroize::Zeroizing;

use crate::connection::{Outstanding, Suspended};
use crate::controls::Requested;
use crate::engine::Reservation;
use crate::failure::{Failure, Outcome};
use crate::limits::WRITE_ATTEMPTS;
use crate::operation::{Caller, Operation, Place};
use crate::step::{Step, Ticket, Work, Worked, Write};

pub(crate) use touched::Touched;

/// A write from its request to its response.
pub(crate) struct Update {
    id: u32,
    /// Which operation, for the response.
    tag: Tag,
    /// The whole request, with passwords hashed if it had any.
    message: Zeroizing<Vec<u8>>,
    /// How often it has been derived.
    attempts: u32,
    /// What the changes made last are about.
    touched: Touched,
    /// Names kept for it.
    names: Vec<Reservation>,
    /// The value of the pre-read control in the response.
    pre_read: Option<Vec<u8>>,
    /// Where to read the entry afterwards, and which it is, unless the first change creates it.
    target: Option<(Place, Option<u32>)>,
    /// The password the server has made up, for the response.
    generated: Option<Zeroizing<Vec<u8>>>,
}

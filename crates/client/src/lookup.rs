//! Look-ups: users, groups, hosts and so on, as the daemon of this machine finds them in its domains.

use std::path::Path;
use std::time::Duration;

use netinfo_wire::lookup::answer::{decode_all, decode_records};
use netinfo_wire::lookup::{Answer, Category, Cookie, Entry, PROGRAM, Pattern, Request, VERSION};
use netinfo_wire::netinfo::PropList;
use netinfo_wire::xdr;

use crate::error::{Error, Result};
use crate::rpc::{Call, Connection, Endpoint, Timeouts};

/// The look-up program of the local daemon.
#[derive(Debug)]
pub struct Lookup {
    connection: Connection,
    patience: Duration,
}

/// Every method fails with errors of a call.
impl Lookup {
    /// The daemon behind the socket at `path`, connected at the first question; each takes `patience` at most.
    pub fn new(path: &Path, patience: Duration) -> Self {
        let timeouts = Timeouts { read: patience, write: patience };
        Self { connection: Connection::new(Endpoint::Unix(path.to_owned()), timeouts), patience }
    }

    /// Asks, and lets `read` make something of the results: one of the decoders of [`netinfo_wire::lookup::answer`],
    /// whose values borrow from them. A request that does not [fit](Request::fits) is not to be sent.
    pub fn ask<T>(
        &mut self,
        request: &Request<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, xdr::Error>,
    ) -> Result<T> {
        let (procedure, timeout) = (request.procedure().code(), self.patience);
        let call = Call { program: PROGRAM, version: VERSION, procedure, timeout, repeat: true };
        let results = self.connection.call(call, |buf| request.put_args(buf))?;
        read(&results).map_err(|error| Error::from_xdr(self.connection.name(), error))
    }

    /// Hands out all entries of a category in order, page by page. What is not [`Answer::Found`] ends it.
    pub fn all(&mut self, category: Category, mut each: impl FnMut(Entry<'_>)) -> Result<Answer<()>> {
        let mut cookie = Cookie::START;
        loop {
            let answer = self.ask(&Request::All { category, cookie }, |results| {
                Ok(decode_all(results)?.map(|page| {
                    page.entries.iter().for_each(&mut each);
                    page.next
                }))
            })?;
            match answer {
                Answer::Found(Some(next)) if next > cookie => cookie = next,
                Answer::Found(Some(_)) => {
                    return Err(Error::malformed(self.connection.name(), "the enumeration does not go on"));
                }
                other => return Ok(other.map(drop)),
            }
        }
    }

    /// Hands out the records that a pattern describes, in order, in pieces of the daemon's choice.
    pub fn records(
        &mut self,
        pattern: Pattern<'_>,
        mut each: impl FnMut(PropList<'_>),
    ) -> Result<Answer<()>> {
        let mut skip = pattern.skip;
        loop {
            let request = Request::Records(Pattern { skip, ..pattern });
            let answer = self.ask(&request, |results| {
                Ok(decode_records(results)?.map(|(records, more)| {
                    records.iter().for_each(&mut each);
                    (records.len(), more)
                }))
            })?;
            match answer {
                Answer::Found((count, true)) if count > 0 => {
                    skip = skip.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
                }
                Answer::Found(_) => return Ok(Answer::Found(())),
                // Some came already, and the others are gone.
                _ if skip > pattern.skip => return Ok(Answer::Found(())),
                other => return Ok(other.map(drop)),
            }
        }
    }
}

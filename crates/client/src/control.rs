//! Administration of this project's daemon over its local UNIX socket. Questions and answers are JSON, which is
//! opaque here.

use std::io::{ErrorKind, Read};
use std::path::Path;

use netinfo_wire::control::{
    MAX_CHUNK, MAX_JSON, PROGRAM, Procedure, Response, StreamDecoder, StreamItem, UploadChunk, VERSION,
    decode_upload_begun, put_request, put_upload_commit,
};
use netinfo_wire::netinfo::Status;

use crate::error::{Error, Result};
use crate::limits::LONG_TIMEOUT;
use crate::rpc::{Call, Connection, Endpoint, Timeouts};

/// The control program of a local daemon.
#[derive(Debug)]
pub struct Control {
    connection: Connection,
}

/// Every method fails with [`Error::Control`] if the daemon refuses, whose JSON says why, and with errors of a call.
impl Control {
    /// The daemon behind the socket at `path`, connected at the first request.
    pub fn new(path: &Path, timeouts: Timeouts) -> Self {
        Self { connection: Connection::new(Endpoint::Unix(path.to_owned()), timeouts) }
    }

    /// One question, one answer. `repeat` says that asking twice does no harm.
    pub fn request(&mut self, json: &[u8], repeat: bool) -> Result<Vec<u8>> {
        check_json(json)?;
        let mut call = self.call_of(Procedure::Request);
        call.repeat = repeat;
        let results = self.connection.call(call, |buf| put_request(buf, json))?;
        self.response(&results)
    }

    /// One question, an answer of any length: `chunk` gets its pieces in order. Returns what the daemon says in the
    /// end; after an error the pieces are incomplete.
    pub fn stream(&mut self, json: &[u8], mut chunk: impl FnMut(&[u8]) -> Result<()>) -> Result<Vec<u8>> {
        check_json(json)?;
        let mut decoder = StreamDecoder::new();
        let mut end: Option<Result<Vec<u8>>> = None;
        let name = self.connection.name().to_owned();
        let call = Call { timeout: LONG_TIMEOUT, ..self.call_of(Procedure::Stream) };
        self.connection.call_streaming(
            call,
            |buf| put_request(buf, json),
            |data| {
                decoder.feed(data);
                while let Some(item) = decoder.next_item().map_err(|e| Error::from_xdr(&name, e))? {
                    match item {
                        StreamItem::Chunk(data) => chunk(data)?,
                        StreamItem::End(response) => end = Some(outcome(response)),
                    }
                }
                Ok(())
            },
        )?;
        end.unwrap_or_else(|| Err(Error::malformed(&name, "the stream has no end")))
    }

    /// Sends everything that `data` yields, announced by `json`. `sent` hears how many bytes have gone so far. Returns
    /// what the daemon says after it has carried out the upload.
    ///
    /// # Errors
    /// [`Error::Local`] if `data` fails; nothing is carried out then.
    pub fn upload(&mut self, json: &[u8], data: &mut dyn Read, mut sent: impl FnMut(u64)) -> Result<Vec<u8>> {
        let handle = self.begin_upload(json)?;
        let mut buffer = vec![0; MAX_CHUNK as usize];
        let mut total = 0;
        loop {
            let n = fill(data, &mut buffer).map_err(Error::Local)?;
            if n == 0 {
                break;
            }
            self.upload_chunk(handle, buffer.get(..n).unwrap_or_default())?;
            total += n as u64;
            sent(total);
        }
        self.end_upload(handle)
    }

    /// Announces an upload whose chunks are sent one by one; returns its handle. It belongs to this connection.
    pub fn begin_upload(&mut self, json: &[u8]) -> Result<u64> {
        check_json(json)?;
        let begin = self.call_of(Procedure::UploadBegin);
        let results = self.connection.call(begin, |buf| put_request(buf, json))?;
        let begun = decode_upload_begun(&results).map_err(|e| Error::from_xdr(self.connection.name(), e))?;
        begun.map_err(|response| match outcome(response) {
            Err(error) => error,
            Ok(_) => Error::malformed(self.connection.name(), "an upload without a handle"),
        })
    }

    /// Sends a chunk of at most [`MAX_CHUNK`] bytes, and returns what the daemon says to it.
    pub fn upload_chunk(&mut self, handle: u64, data: &[u8]) -> Result<Vec<u8>> {
        if data.len() > MAX_CHUNK as usize {
            return Err(Error::Local(std::io::Error::new(ErrorKind::InvalidInput, "the chunk is too long")));
        }
        let chunk = UploadChunk { handle, data };
        let call = Call { timeout: LONG_TIMEOUT, ..self.call_of(Procedure::UploadChunk) };
        let results = self.connection.call(call, |buf| chunk.encode(buf))?;
        self.response(&results)
    }

    /// Ends an upload, and returns what the daemon says after it has carried it out.
    pub fn end_upload(&mut self, handle: u64) -> Result<Vec<u8>> {
        let commit = Call { timeout: LONG_TIMEOUT, ..self.call_of(Procedure::UploadCommit) };
        let results = self.connection.call(commit, |buf| put_upload_commit(buf, handle))?;
        self.response(&results)
    }

    fn call_of(&self, procedure: Procedure) -> Call {
        let timeout = self.connection.timeouts().write;
        Call { program: PROGRAM, version: VERSION, procedure: procedure.code(), timeout, repeat: false }
    }

    fn response(&self, results: &[u8]) -> Result<Vec<u8>> {
        outcome(Response::decode(results).map_err(|e| Error::from_xdr(self.connection.name(), e))?)
    }
}

fn outcome(response: Response<'_>) -> Result<Vec<u8>> {
    match response.status {
        Status::Ok => Ok(response.json.to_vec()),
        status => Err(Error::Control { status, json: response.json.to_vec() }),
    }
}

fn check_json(json: &[u8]) -> Result<()> {
    if json.len() > MAX_JSON as usize {
        return Err(Error::Local(std::io::Error::new(ErrorKind::InvalidInput, "the request is too long")));
    }
    Ok(())
}

/// Reads until `buffer` is full or the data ends.
fn fill(data: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut have = 0;
    while let Some(rest) = buffer.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match data.read(rest) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

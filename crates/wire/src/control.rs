//! The program this project's daemon serves on its local UNIX socket: administration in JSON, framed
//! as ONC RPC records so that one decoder and one dispatcher do for everything. JSON itself is opaque
//! here.
//!
//! | # | procedure | argument | result |
//! |---|---|---|---|
//! | 0 | NULL | void | void |
//! | 1 | REQUEST | opaque JSON | [`Response`] |
//! | 2 | STREAM | opaque JSON | [`StreamItem`]s: chunks (`1`, opaque), then `0` and a [`Response`] |
//! | 3 | UPLOAD_BEGIN | opaque JSON | status, then u64 handle if `Ok`, otherwise opaque JSON |
//! | 4 | UPLOAD_CHUNK | [`UploadChunk`] | [`Response`] |
//! | 5 | UPLOAD_COMMIT | u64 handle | [`Response`] |
//!
//! The response to an UPLOAD_CHUNK may say what came of it already: the chunks of an import are carried out one by one.
//!
//! The JSON of a response is the result, or `{"error": …, "hint": …}` if the status is not `Ok`.

use std::fmt;

use crate::netinfo::Status;
use crate::redact::Hidden;
use crate::xdr::{Error, Reader, put_opaque, put_u32, put_u64};

/// Program number, from the range that RFC 5531 §13 leaves to users.
pub const PROGRAM: u32 = 0x2e71_0945;
/// The only version of the program.
pub const VERSION: u32 = 1;

/// Longest JSON text, request or response, in bytes.
pub const MAX_JSON: u32 = 1 << 20;
/// Longest piece of a stream or an upload, in bytes.
pub const MAX_CHUNK: u32 = 1 << 20;
/// Longest call of this program as a record: header with a full credential, handle, one chunk.
pub const MAX_RECORD: usize = MAX_CHUNK as usize + 1024;

/// A procedure of the control program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Procedure {
    /// Nothing.
    Null = 0,
    /// One question, one answer.
    Request = 1,
    /// One question, an answer of any length in chunks.
    Stream = 2,
    /// Announces an upload.
    UploadBegin = 3,
    /// A piece of an upload.
    UploadChunk = 4,
    /// Ends an upload and carries it out.
    UploadCommit = 5,
}

impl Procedure {
    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }
}

impl TryFrom<u32> for Procedure {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        Ok(match number {
            0 => Self::Null,
            1 => Self::Request,
            2 => Self::Stream,
            3 => Self::UploadBegin,
            4 => Self::UploadChunk,
            5 => Self::UploadCommit,
            other => return Err(Error::BadValue(other)),
        })
    }
}

/// Decodes the argument of REQUEST, STREAM and UPLOAD_BEGIN: JSON text.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_JSON`], [`Error::Truncated`].
pub fn decode_request(args: &[u8]) -> Result<&[u8], Error> {
    Reader::new(args).opaque(MAX_JSON)
}

/// Appends the argument of REQUEST, STREAM and UPLOAD_BEGIN. The caller keeps to [`MAX_JSON`].
pub fn put_request(buf: &mut Vec<u8>, json: &[u8]) {
    put_opaque(buf, json);
}

/// How a request went. `Debug` does not show the JSON, which may hold secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The outcome, in NetInfo terms.
    pub status: Status,
    /// JSON text: the result, or the error with a hint.
    pub json: &'a [u8],
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("json", &Hidden(self.json)).finish()
    }
}

impl<'a> Response<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { status: Status::from_code(r.u32()?), json: r.opaque(MAX_JSON)? })
    }

    /// Decodes the result of REQUEST, UPLOAD_CHUNK and UPLOAD_COMMIT.
    ///
    /// # Errors
    /// [`Error::TooLong`] above [`MAX_JSON`], [`Error::Truncated`].
    pub fn decode(results: &'a [u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(results))
    }

    /// Appends the response. The caller keeps to [`MAX_JSON`].
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.status.code());
        put_opaque(buf, self.json);
    }
}

/// One element of a STREAM result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StreamItem<'a> {
    /// Some of the data.
    Chunk(&'a [u8]),
    /// The end, and how it went: data before a failure is incomplete.
    End(Response<'a>),
}

impl fmt::Debug for StreamItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chunk(data) => f.debug_tuple("Chunk").field(&Hidden(data)).finish(),
            Self::End(response) => f.debug_tuple("End").field(response).finish(),
        }
    }
}

impl StreamItem<'_> {
    /// Appends the element. The caller keeps a chunk to [`MAX_CHUNK`].
    pub fn encode(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Chunk(data) => {
                put_u32(buf, 1);
                put_opaque(buf, data);
            }
            Self::End(response) => {
                put_u32(buf, 0);
                response.encode(buf);
            }
        }
    }

    fn read<'a>(r: &mut Reader<'a>) -> Result<StreamItem<'a>, Error> {
        match r.u32()? {
            0 => Ok(StreamItem::End(Response::read(r)?)),
            1 => Ok(StreamItem::Chunk(r.opaque(MAX_CHUNK)?)),
            other => Err(Error::BadValue(other)),
        }
    }
}

/// Takes a STREAM result apart while it arrives. Feed it the results, without the reply header, in any
/// pieces: from [`record::Pieces`](crate::record::Pieces).
///
/// Memory: what was fed and not taken out yet. A caller that drains [`StreamDecoder::next_item`] after each
/// [`StreamDecoder::feed`] holds at most one element of [`MAX_CHUNK`] plus one piece.
#[derive(Default)]
pub struct StreamDecoder {
    buf: Vec<u8>,
    taken: usize,
}

impl fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamDecoder").field(&Hidden(&self.buf)).finish()
    }
}

impl StreamDecoder {
    /// Before the first element.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes that have arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buf.drain(..self.taken);
        self.taken = 0;
        self.buf.extend_from_slice(bytes);
    }

    /// The next element, or `None` until more is fed.
    ///
    /// # Errors
    /// [`Error`] if this is not a STREAM result; the stream cannot be followed further.
    pub fn next_item(&mut self) -> Result<Option<StreamItem<'_>>, Error> {
        let mut r = Reader::new(self.buf.get(self.taken..).unwrap_or_default());
        match StreamItem::read(&mut r) {
            Ok(item) => {
                self.taken = self.buf.len() - r.remaining().len();
                Ok(Some(item))
            }
            Err(Error::Truncated) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Appends the result of UPLOAD_BEGIN: the handle for the chunks, or what went wrong (`status` must
/// then not be `Ok`).
pub fn put_upload_begun(buf: &mut Vec<u8>, result: Result<u64, Response<'_>>) {
    match result {
        Ok(handle) => {
            put_u32(buf, Status::Ok.code());
            put_u64(buf, handle);
        }
        Err(response) => response.encode(buf),
    }
}

/// Decodes the result of UPLOAD_BEGIN: the handle, or what went wrong.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_JSON`], [`Error::Truncated`].
pub fn decode_upload_begun(results: &[u8]) -> Result<Result<u64, Response<'_>>, Error> {
    let mut r = Reader::new(results);
    Ok(match Status::from_code(r.u32()?) {
        Status::Ok => Ok(r.u64()?),
        _ => Err(Response::decode(results)?),
    })
}

/// Argument of UPLOAD_CHUNK. `Debug` does not show the data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UploadChunk<'a> {
    /// From UPLOAD_BEGIN.
    pub handle: u64,
    /// The next bytes of the upload.
    pub data: &'a [u8],
}

impl fmt::Debug for UploadChunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadChunk").field("handle", &self.handle).field("data", &Hidden(self.data)).finish()
    }
}

impl<'a> UploadChunk<'a> {
    /// Decodes the argument.
    ///
    /// # Errors
    /// [`Error::TooLong`] above [`MAX_CHUNK`], [`Error::Truncated`].
    pub fn decode(args: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(args);
        Ok(Self { handle: r.u64()?, data: r.opaque(MAX_CHUNK)? })
    }

    /// Appends the argument. The caller keeps to [`MAX_CHUNK`].
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u64(buf, self.handle);
        put_opaque(buf, self.data);
    }
}

/// Decodes the argument of UPLOAD_COMMIT: the handle.
///
/// # Errors
/// [`Error::Truncated`].
pub fn decode_upload_commit(args: &[u8]) -> Result<u64, Error> {
    Reader::new(args).u64()
}

/// Appends the argument of UPLOAD_COMMIT.
pub fn put_upload_commit(buf: &mut Vec<u8>, handle: u64) {
    put_u64(buf, handle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::{AuthSys, Credential, Gids, put_call};

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn procedures() {
        let found: Vec<_> = (0..7).map(|n| Procedure::try_from(n).map(Procedure::code)).collect();
        assert_eq!(found, [Ok(0), Ok(1), Ok(2), Ok(3), Ok(4), Ok(5), Err(Error::BadValue(6))]);
    }

    #[test]
    fn json_and_chunks_are_limited() {
        let too_long = Error::TooLong { len: MAX_JSON + 1, max: MAX_JSON };
        let most = vec![b' '; MAX_JSON as usize];
        let mut buf = Vec::new();
        put_request(&mut buf, &most);
        assert_eq!(decode_request(&buf), Ok(&most[..]));
        assert_eq!(decode_request(&words(&[MAX_JSON + 1])), Err(too_long));
        assert_eq!(Response::decode(&words(&[0, MAX_JSON + 1])), Err(too_long));
        assert_eq!(UploadChunk::decode(&words(&[0, 0, MAX_CHUNK + 1])), Err(too_long));
        let mut decoder = StreamDecoder::new();
        decoder.feed(&words(&[1, MAX_CHUNK + 1]));
        assert_eq!(decoder.next_item(), Err(too_long));
        decoder = StreamDecoder::new();
        decoder.feed(&words(&[2]));
        assert_eq!(decoder.next_item(), Err(Error::BadValue(2)));
    }

    #[test]
    fn the_longest_call_fits_a_record() {
        let sys = AuthSys { machine: &[b'm'; 255], gids: Gids::new(&[0; 16]), ..AuthSys::default() };
        let mut buf = Vec::new();
        let data = vec![0; MAX_CHUNK as usize];
        put_call(&mut buf, 1, PROGRAM, VERSION, Procedure::UploadChunk.code(), &Credential::Sys(sys));
        UploadChunk { handle: 1, data: &data }.encode(&mut buf);
        assert!(buf.len() <= MAX_RECORD, "{}", buf.len());
    }
}

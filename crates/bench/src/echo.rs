//! The bare server for comparison: tokio, a socket, and bytes of the same number as a NetInfo call and its reply. What it
//! does not reach on a machine, no server of this make does.
//!
//! It speaks just enough: a call is a record whose first word is repeated, and whose second word says how long the reply
//! is to be.

use std::io::{Read, Write};

use netinfo_wire::record::LAST_FRAGMENT;
use netinfo_wire::rpc::{AcceptStat, put_accepted};
use netinfo_wire::xdr::put_u32;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Result;

/// Bytes read at once; the daemon reads as many.
const BUFFER: usize = 64 * 1024;
/// Longest reply that can be asked for, in bytes, header of the record included.
pub const REPLY_LIMIT: usize = 16 * 1024;
/// Shortest reply: the header of the record and of a successful reply.
pub const REPLY_MIN: usize = 28;
/// Shortest call.
pub const CALL_MIN: usize = 12;

/// Appends a call of `len` bytes that asks for a reply of `reply` bytes; both within the limits of this module.
pub fn put_call(buf: &mut Vec<u8>, xid: u32, len: usize, reply: usize) {
    let end = buf.len() + len;
    put_u32(buf, (len - 4) as u32 | LAST_FRAGMENT);
    put_u32(buf, xid);
    put_u32(buf, reply as u32);
    buf.resize(end, 0);
}

/// Prints the address it listens on, and serves until standard input ends.
///
/// # Errors
/// What the system reported.
pub fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    runtime.spawn(accept(listener));
    // Whoever started this process holds the other end.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A failed connection is the peer's to report.
            let _ = connection(stream).await;
        });
    }
}

async fn connection(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut template = Vec::with_capacity(REPLY_LIMIT);
    put_u32(&mut template, 0);
    put_accepted(&mut template, 0, AcceptStat::Success);
    template.resize(REPLY_LIMIT, 0);
    let (mut input, mut have) = (vec![0; BUFFER], 0);
    let mut out = Vec::new();
    loop {
        match stream.read(&mut input[have..]).await? {
            0 => return Ok(()),
            n => have += n,
        }
        let taken = answer(&input[..have], &template, &mut out);
        input.copy_within(taken..have, 0);
        have -= taken;
        stream.write_all(&out).await?;
        out.clear();
    }
}

/// Answers the whole calls in `input`; returns how many bytes those were.
fn answer(input: &[u8], template: &[u8], out: &mut Vec<u8>) -> usize {
    let mut taken = 0;
    while let Some(call) = input.get(taken..) {
        let Some((head, _)) = call.split_first_chunk::<CALL_MIN>() else { break };
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let len = (word(0) & !LAST_FRAGMENT) as usize + 4;
        if call.len() < len {
            break;
        }
        let reply = (word(8) as usize).clamp(REPLY_MIN, template.len());
        let start = out.len();
        out.extend_from_slice(&template[..reply]);
        out[start..start + 4].copy_from_slice(&((reply - 4) as u32 | LAST_FRAGMENT).to_be_bytes());
        out[start + 4..start + 8].copy_from_slice(&head[4..8]);
        taken += len;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_calls_are_answered_and_the_rest_is_kept() {
        let mut template = vec![0; 4];
        put_accepted(&mut template, 0, AcceptStat::Success);
        template.resize(64, 0);
        let mut calls = Vec::new();
        put_call(&mut calls, 7, 40, 32);
        put_call(&mut calls, 8, 44, 28);
        let mut out = Vec::new();
        assert_eq!(answer(&calls[..83], &template, &mut out), 40);
        assert_eq!(out.len(), 32);
        assert_eq!(out[..8], [0x80, 0, 0, 28, 0, 0, 0, 7]);
        out.clear();
        assert_eq!(answer(&calls, &template, &mut out), 84);
        assert_eq!(out.len(), 60);
        assert_eq!(out[36..40], [0, 0, 0, 8]);
    }
}

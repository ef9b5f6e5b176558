//! A server on a thread that answers as a closure says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use netinfo_client::rpc::{Connection, Endpoint, Timeouts};
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::{AcceptStat, Call, parse_call, put_accepted};

/// What to do with a call.
pub(crate) enum Action {
    /// Execute it: these are the results.
    Reply(Vec<u8>),
    /// Execute it, sending results in fragments of this many bytes.
    Fragments(Vec<u8>, usize),
    /// Accept and not execute it.
    Fail(AcceptStat),
    /// Send these very bytes.
    Raw(Vec<u8>),
    /// Say nothing.
    Silent,
    /// Close the connection.
    Close,
}

/// Gets a call, the number of its connection (from 1), and the number of the call on it (from 1).
pub(crate) type Handler = dyn Fn(&Call<'_>, usize, usize) -> Action + Send + Sync;

/// A running server; its threads end with the process.
pub(crate) struct Fake {
    pub(crate) addr: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Fake {
    pub(crate) fn tcp(handler: impl Fn(&Call<'_>, usize, usize) -> Action + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, handler) = (connections.clone(), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let handler = handler.clone();
                thread::spawn(move || serve(stream.unwrap(), number, &*handler));
            }
        });
        Self { addr, connections }
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::new(Endpoint::Tcp(self.addr), patient())
    }

    pub(crate) fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The same on a UNIX socket.
pub(crate) fn unix(path: &Path, handler: impl Fn(&Call<'_>, usize, usize) -> Action + Send + Sync + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    let handler = Arc::new(handler);
    thread::spawn(move || {
        for (number, stream) in (1..).zip(listener.incoming()) {
            let handler = handler.clone();
            thread::spawn(move || serve(stream.unwrap(), number, &*handler));
        }
    });
}

/// Answers datagrams; `None` is silence.
pub(crate) fn udp(handler: impl Fn(&Call<'_>, usize) -> Option<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buf = [0; 9000];
        for number in 1.. {
            let (n, from) = socket.recv_from(&mut buf).unwrap();
            let call = parse_call(&buf[..n]).unwrap();
            if let Some(results) = handler(&call, number) {
                // A stranger's reply comes first, and must not be taken for this one.
                for xid in [call.xid ^ 1, call.xid] {
                    let mut reply = Vec::new();
                    put_accepted(&mut reply, xid, AcceptStat::Success);
                    reply.extend_from_slice(&results);
                    socket.send_to(&reply, from).unwrap();
                }
            }
        }
    });
    addr
}

/// Time-outs that a busy machine keeps.
pub(crate) fn patient() -> Timeouts {
    Timeouts { read: Duration::from_secs(20), write: Duration::from_secs(20) }
}

fn serve(mut stream: impl Read + Write, connection: usize, handler: &Handler) {
    let mut decoder = Decoder::new(2 << 20);
    let mut buf = [0; 8192];
    let mut calls = 0;
    loop {
        let n = match stream.read(&mut buf) {
            Ok(0) | Err(_) => return,
            Ok(n) => n,
        };
        let mut input = &buf[..n];
        while !input.is_empty() {
            let (used, message) = decoder.next(input).unwrap();
            let out = message.map(|message| {
                calls += 1;
                let call = parse_call(message).unwrap();
                answer(&call, handler(&call, connection, calls))
            });
            input = &input[used..];
            match out {
                None => {}
                Some(None) => return,
                Some(Some(bytes)) => match stream.write_all(&bytes) {
                    Ok(()) => {}
                    Err(_) => return,
                },
            }
        }
    }
}

/// The bytes to send; `None` closes the connection.
fn answer(call: &Call<'_>, action: Action) -> Option<Vec<u8>> {
    let mut reply = Vec::new();
    let (stat, results, size) = match action {
        Action::Close => return None,
        Action::Silent => return Some(Vec::new()),
        Action::Raw(bytes) => return Some(bytes),
        Action::Fail(stat) => (stat, Vec::new(), usize::MAX),
        Action::Reply(results) => (AcceptStat::Success, results, usize::MAX),
        Action::Fragments(results, size) => (AcceptStat::Success, results, size),
    };
    put_accepted(&mut reply, call.xid, stat);
    reply.extend_from_slice(&results);
    let mut out = Vec::new();
    let count = reply.chunks(size).len();
    for (i, chunk) in reply.chunks(size).enumerate() {
        record::put_fragment_header(&mut out, chunk.len() as u32, i + 1 == count);
        out.extend_from_slice(chunk);
    }
    Some(out)
}

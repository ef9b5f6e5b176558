//! A small RPC client for tests. It shares nothing with `netinfo-client`: what both send is what the codecs of
//! `netinfo-wire` say, and what neither checks the other cannot hide.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use netinfo_wire::netinfo::{self, Procedure, Status};
use netinfo_wire::record::{Decoder, MAX_FRAGMENT, put_fragment_header};
use netinfo_wire::rpc::{
    AcceptStat, AuthSys, Credential, Denial, Outcome, complement, parse_reply, put_call,
};
use socket2::{Domain, Protocol, Socket, Type};

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest reply.
const LONGEST: usize = 1 << 28;
/// Reserved ports that callers use as their own.
const RESERVED: std::ops::Range<u16> = 600..1024;

/// One connection, or one UDP socket.
pub struct Caller {
    link: Link,
    user: Option<(u32, Vec<u8>)>,
    xid: u32,
    local: Option<SocketAddr>,
}

enum Link {
    Stream { stream: Box<dyn Stream>, decoder: Decoder, rest: Vec<u8> },
    Datagram(Socket),
}

trait Stream: Read + Write + Send {
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
}

impl Stream for Socket {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

impl Stream for UnixStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

/// Why a call has no results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Accepted, but not executed.
    Failed(AcceptStat),
    /// Not accepted.
    Denied(Denial),
    /// No reply: the kind of error from the socket (`UnexpectedEof`: closed; `WouldBlock`: silence).
    Nothing(io::ErrorKind),
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Caller {
    /// A TCP connection from an ordinary port.
    ///
    /// # Panics
    /// If it cannot be made, as everything that opens a `Caller`.
    pub fn tcp(to: SocketAddr) -> Self {
        Self::open(Type::STREAM, None, false, to)
    }

    /// A TCP connection from a reserved port. Needs root.
    pub fn tcp_privileged(to: SocketAddr) -> Self {
        Self::open(Type::STREAM, None, true, to)
    }

    /// A TCP connection from the given address of this machine.
    pub fn tcp_from(from: IpAddr, privileged: bool, to: SocketAddr) -> Self {
        Self::open(Type::STREAM, Some(from), privileged, to)
    }

    /// A UDP socket with an ordinary port.
    pub fn udp(to: SocketAddr) -> Self {
        Self::open(Type::DGRAM, None, false, to)
    }

    /// A UDP socket with a reserved port. Needs root.
    pub fn udp_privileged(to: SocketAddr) -> Self {
        Self::open(Type::DGRAM, None, true, to)
    }

    /// A UDP socket at the given address of this machine.
    pub fn udp_from(from: IpAddr, privileged: bool, to: SocketAddr) -> Self {
        Self::open(Type::DGRAM, Some(from), privileged, to)
    }

    /// A connection to a UNIX socket.
    pub fn unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self::over(stream, None)
    }

    /// The same caller, sending `AUTH_SYS` with this uid and, in the machine name, this password.
    pub fn with_password(mut self, uid: u32, password: &[u8]) -> Self {
        self.set_user(Some((uid, password)));
        self
    }

    /// Sends `AUTH_SYS` with this uid and password from now on, or `AUTH_NONE`.
    pub fn set_user(&mut self, user: Option<(u32, &[u8])>) {
        self.user = user.map(|(uid, password)| (uid, complement(password).to_vec()));
    }

    /// The address this caller calls from; `None` on a UNIX socket.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.local
    }

    /// How long to wait for a reply from now on.
    ///
    /// # Panics
    /// If the socket does not take it.
    pub fn set_patience(&mut self, patience: Duration) {
        let set = match &self.link {
            Link::Stream { stream, .. } => stream.set_patience(patience),
            Link::Datagram(socket) => socket.set_read_timeout(Some(patience)),
        };
        set.unwrap_or_else(|e| panic!("cannot set a timeout: {e}"));
    }

    /// Calls a procedure and returns its results.
    ///
    /// # Errors
    /// [`Refused`].
    ///
    /// # Panics
    /// If the reply is none to this call.
    pub fn call(&mut self, prog: u32, vers: u32, proc: u32, args: &[u8]) -> Result<Vec<u8>, Refused> {
        self.xid = self.xid.wrapping_add(1);
        let mut message = Vec::new();
        let cred = match &self.user {
            None => Credential::None,
            Some((uid, machine)) => Credential::Sys(AuthSys { uid: *uid, machine, ..AuthSys::default() }),
        };
        put_call(&mut message, self.xid, prog, vers, proc, &cred);
        message.extend_from_slice(args);
        let reply = self.exchange(&message).map_err(|e| Refused::Nothing(e.kind()))?;
        let parsed = parse_reply(&reply).unwrap_or_else(|e| panic!("{e}: {reply:02x?}"));
        assert_eq!(parsed.xid, self.xid, "reply to another call");
        match parsed.outcome {
            Outcome::Success(results) => Ok(results.to_vec()),
            Outcome::Failed(stat) => Err(Refused::Failed(stat)),
            Outcome::Denied(denial) => Err(Refused::Denied(denial)),
        }
    }

    /// Calls a procedure of the NetInfo program and returns its results, which begin with a status mostly.
    ///
    /// # Panics
    /// If the call is refused.
    pub fn netinfo(&mut self, procedure: Procedure, args: &[u8]) -> Vec<u8> {
        self.call(netinfo::PROGRAM, netinfo::VERSION, procedure.code(), args)
            .unwrap_or_else(|refused| panic!("{procedure:?}: {refused:?}"))
    }

    /// Calls a procedure of the NetInfo program for its status.
    ///
    /// # Panics
    /// If the call is refused.
    pub fn status(&mut self, procedure: Procedure, args: &[u8]) -> Status {
        let results = self.netinfo(procedure, args);
        let word = results.first_chunk().unwrap_or_else(|| panic!("{procedure:?}: no status in {results:?}"));
        Status::from_code(u32::from_be_bytes(*word))
    }

    /// Sends a whole call message and returns the whole reply.
    ///
    /// # Errors
    /// See [`receive`](Self::receive).
    pub fn exchange(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.send(message, &[])?;
        self.receive()
    }

    /// Sends a whole call message. `fragments` are the lengths of the fragments before the last.
    ///
    /// # Errors
    /// What the socket reported.
    ///
    /// # Panics
    /// If the fragments are longer than the message.
    pub fn send(&mut self, message: &[u8], fragments: &[usize]) -> io::Result<()> {
        match &mut self.link {
            Link::Datagram(socket) => socket.send(message).map(drop),
            Link::Stream { stream, .. } => {
                let mut bytes = Vec::new();
                let mut rest = message;
                for len in fragments {
                    let (fragment, others) = rest.split_at(*len);
                    put_fragment_header(&mut bytes, fragment.len() as u32, false);
                    bytes.extend_from_slice(fragment);
                    rest = others;
                }
                assert!(rest.len() <= MAX_FRAGMENT as usize, "message too long");
                put_fragment_header(&mut bytes, rest.len() as u32, true);
                bytes.extend_from_slice(rest);
                stream.write_all(&bytes)
            }
        }
    }

    /// Sends bytes as they are, without a record mark.
    ///
    /// # Errors
    /// What the socket reported.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.link {
            Link::Datagram(socket) => socket.send(bytes).map(drop),
            Link::Stream { stream, .. } => stream.write_all(bytes),
        }
    }

    /// Waits for a whole reply.
    ///
    /// # Errors
    /// `UnexpectedEof` when the peer closed the connection, `WouldBlock` when nothing came, and others.
    ///
    /// # Panics
    /// If the record marks make no sense.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.link {
            Link::Datagram(socket) => {
                let mut buffer = vec![0; 65_536];
                let len = (&*socket).read(&mut buffer)?;
                buffer.truncate(len);
                Ok(buffer)
            }
            Link::Stream { stream, decoder, rest } => loop {
                let (taken, record) = decoder.next(rest).unwrap_or_else(|e| panic!("{e}"));
                let record = record.map(<[u8]>::to_vec);
                rest.drain(..taken);
                if let Some(record) = record {
                    return Ok(record);
                }
                let mut buffer = [0; 65_536];
                match stream.read(&mut buffer)? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    len => rest.extend_from_slice(&buffer[..len]),
                }
            },
        }
    }

    fn over(stream: impl Stream + 'static, local: Option<SocketAddr>) -> Self {
        let link =
            Link::Stream { stream: Box::new(stream), decoder: Decoder::new(LONGEST), rest: Vec::new() };
        let mut caller = Self { link, user: None, xid: 0x1000, local };
        caller.set_patience(PATIENCE);
        caller
    }

    fn open(kind: Type, from: Option<IpAddr>, privileged: bool, to: SocketAddr) -> Self {
        let socket = if privileged { reserved(kind, from, to) } else { connected(kind, from, 0, to) };
        let socket = socket.unwrap_or_else(|e| panic!("cannot call {to}: {e}"));
        let local = socket.local_addr().ok().and_then(|address| address.as_socket());
        if kind == Type::STREAM {
            return Self::over(socket, local);
        }
        let mut caller = Self { link: Link::Datagram(socket), user: None, xid: 0x1000, local };
        caller.set_patience(PATIENCE);
        caller
    }
}

/// A connected socket with one of the reserved ports, beginning anywhere among them.
fn reserved(kind: Type, from: Option<IpAddr>, to: SocketAddr) -> io::Result<Socket> {
    let from = from.unwrap_or_else(|| if to.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { to.ip() });
    let count = RESERVED.end - RESERVED.start;
    let begin = std::process::id() as u16 % count;
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for step in 0..count {
        let port = RESERVED.start + (begin + step) % count;
        match connected(kind, Some(from), port, to) {
            Err(e) if matches!(e.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable) => {
                last = e
            }
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                panic!("run this test as root: it calls from a reserved port");
            }
            other => return other,
        }
    }
    Err(last)
}

fn connected(kind: Type, from: Option<IpAddr>, port: u16, to: SocketAddr) -> io::Result<Socket> {
    let stream = kind == Type::STREAM;
    let protocol = if stream { Protocol::TCP } else { Protocol::UDP };
    let socket = Socket::new(Domain::for_address(to), kind, Some(protocol))?;
    if let Some(from) = from {
        // Ports of connections just closed may be used again, for another peer.
        socket.set_reuse_address(stream)?;
        socket.bind(&SocketAddr::new(from, port).into())?;
    }
    socket.connect(&to.into())?;
    if stream {
        socket.set_tcp_nodelay(true)?;
    }
    Ok(socket)
}

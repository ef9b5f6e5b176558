//! Questions to the daemon: one connection for each, so that nothing is left behind that a fork, another thread or a
//! caller who closes descriptors could spoil.

use std::io;
use std::mem::{offset_of, size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use libc::{c_int, c_short, socklen_t};
use netinfo_wire::lookup::answer::{self, decode_find};
use netinfo_wire::lookup::{Answer, Category, Entry, Key, MAX_REPLY, Query, Request, SOCKET};
use netinfo_wire::xdr;

use crate::boundary::Failure;

/// How long a question may take, from connecting to the last byte of the answer.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

/// Descriptors below are the standard streams, also where somebody has closed them.
const FIRST_DESCRIPTOR: c_int = 3;
/// As much of a reply is received at first, in bytes. Of users and small groups it is all.
const FIRST_PIECE: usize = 2048;
/// The only call of its connection.
const XID: u32 = 1;
/// Flag of a record mark: this is the last fragment.
const LAST: u32 = 1 << 31;

/// What the daemon sent.
pub(crate) struct Reply(Vec<u8>);

impl Reply {
    /// The results of the call.
    pub(crate) fn results(&self) -> Result<&[u8], Failure> {
        answer::results(&self.0, XID).ok_or(Failure::Unavailable(libc::EPROTO))
    }
}

/// Looks up one entry, and makes something of it.
pub(crate) fn find<T>(
    category: Category,
    key: Key<'_>,
    make: impl FnOnce(Entry<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let reply = call(&Request::Find(Query { category, key }))?;
    make(found(decode_find(reply.results()?))?)
}

/// What was found, if the answer says so.
pub(crate) fn found<T>(answer: Result<Answer<T>, xdr::Error>) -> Result<T, Failure> {
    match answer {
        Ok(Answer::Found(found)) => Ok(found),
        Ok(Answer::NotFound) => Err(Failure::NotFound),
        Ok(Answer::TryAgain) => Err(Failure::TryAgain),
        Ok(Answer::Refused) => Err(Failure::Unavailable(libc::EACCES)),
        Ok(Answer::TooLarge) => Err(Failure::Unavailable(libc::EMSGSIZE)),
        Err(_) => Err(Failure::Unavailable(libc::EPROTO)),
    }
}

/// The failure of a request that was answered with an entry of another category.
pub(crate) fn unexpected<T>() -> Result<T, Failure> {
    Err(Failure::Unavailable(libc::EPROTO))
}

/// Sends a request and waits for the reply.
pub(crate) fn call(request: &Request<'_>) -> Result<Reply, Failure> {
    if !request.fits() {
        return Err(Failure::NotFound);
    }
    let mut bytes = Vec::with_capacity(256);
    request.put_record(&mut bytes, XID);
    let exchange = || {
        let mut connection = Connection::open(SOCKET, Instant::now() + LIMIT)?;
        connection.send(&bytes)?;
        connection.receive()
    };
    exchange().map(Reply).map_err(|error| match error.kind() {
        io::ErrorKind::OutOfMemory => Failure::NoMemory,
        _ => Failure::Unavailable(error.raw_os_error().unwrap_or(libc::EPROTO)),
    })
}

/// A connection that ends with its deadline.
struct Connection {
    socket: OwnedFd,
    deadline: Instant,
}

impl Connection {
    fn open(path: &str, deadline: Instant) -> io::Result<Self> {
        let socket = new_socket()?;
        let connection = Self { socket, deadline };
        let (address, length) = address(path)?;
        loop {
            // SAFETY: the socket is open, and the address as long as said.
            let done = unsafe { libc::connect(connection.fd(), (&raw const address).cast(), length) };
            match check(done) {
                Ok(_) => break,
                // There are too many at the daemon's door, or something came between.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
                {
                    connection.wait_at_the_door()?;
                }
                Err(error) => return Err(error),
            }
        }
        if connection.peer()? == std::process::id() {
            // The daemon would wait for its own answer.
            return Err(io::Error::from_raw_os_error(libc::EDEADLK));
        }
        Ok(connection)
    }

    fn fd(&self) -> c_int {
        self.socket.as_raw_fd()
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::Error::from_raw_os_error(libc::ETIMEDOUT)) } else { Ok(left) }
    }

    /// From now on connecting waits while the daemon has too many callers at its door, for as long as there is time.
    fn wait_at_the_door(&self) -> io::Result<()> {
        let left = self.left()?;
        // SAFETY: the socket is open.
        check(unsafe { libc::fcntl(self.fd(), libc::F_SETFL, 0) })?;
        // At least a microsecond: zero would be for ever.
        let time = libc::timeval {
            tv_sec: left.as_secs() as libc::time_t,
            tv_usec: libc::suseconds_t::from(left.subsec_micros()).max(1),
        };
        let length = size_of::<libc::timeval>() as socklen_t;
        // SAFETY: the socket is open, and the option a `timeval` of this length.
        let done = unsafe {
            libc::setsockopt(self.fd(), libc::SOL_SOCKET, libc::SO_SNDTIMEO, (&raw const time).cast(), length)
        };
        check(done).map(drop)
    }

    /// The process that listens.
    fn peer(&self) -> io::Result<u32> {
        let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut length = size_of::<libc::ucred>() as socklen_t;
        // SAFETY: the socket is open, and the option a `ucred` of this length.
        let done = unsafe {
            libc::getsockopt(
                self.fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        check(done)?;
        Ok(peer.pid.cast_unsigned())
    }

    /// Waits until the socket is ready, or the time is over.
    fn wait(&self, events: c_short) -> io::Result<()> {
        loop {
            // Rounded up, lest a fraction of a millisecond be waited for in a loop.
            let left = self.left()?.as_millis() as c_int + 1;
            let mut poll = libc::pollfd { fd: self.fd(), events, revents: 0 };
            // SAFETY: one descriptor of our own.
            match check(unsafe { libc::poll(&raw mut poll, 1, left) }) {
                Ok(ready) if ready > 0 => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            // SAFETY: the socket is open, and the bytes are as many as said.
            let sent = unsafe { libc::send(self.fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
            match self.moved(sent, libc::POLLOUT)? {
                Some(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                None => continue,
            }
        }
        Ok(())
    }

    /// The reply, put together from its fragments.
    fn receive(&mut self) -> io::Result<Vec<u8>> {
        // It takes a while, and then most replies come as a whole: so they are waited for first, and received in one go.
        self.wait(libc::POLLIN)?;
        let mut room = [0; FIRST_PIECE];
        let got = self.some(&mut room)?;
        let mut ahead = &room[..got.min(FIRST_PIECE)];
        let mut reply = Vec::new();
        loop {
            let mut mark = [0; 4];
            self.fill(&mut mark, &mut ahead)?;
            let mark = u32::from_be_bytes(mark);
            let (start, length) = (reply.len(), (mark & !LAST) as usize);
            if length > MAX_REPLY - start || (length == 0 && mark & LAST == 0) {
                return Err(io::Error::from_raw_os_error(libc::EPROTO));
            }
            reply.try_reserve_exact(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
            reply.resize(start + length, 0);
            self.fill(&mut reply[start..], &mut ahead)?;
            if mark & LAST != 0 {
                return Ok(reply);
            }
        }
    }

    /// Fills the room with what was received `ahead`, then with what comes.
    fn fill(&mut self, room: &mut [u8], ahead: &mut &[u8]) -> io::Result<()> {
        let (here, later) = ahead.split_at(ahead.len().min(room.len()));
        let (first, mut room) = room.split_at_mut(here.len());
        first.copy_from_slice(here);
        *ahead = later;
        while !room.is_empty() {
            let got = self.some(room)?;
            room = room.get_mut(got..).unwrap_or_default();
        }
        Ok(())
    }

    /// Receives something, and says how much.
    fn some(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            // SAFETY: the socket is open, and the room as long as said.
            let got =
                unsafe { libc::recv(self.fd(), room.as_mut_ptr().cast(), room.len(), libc::MSG_DONTWAIT) };
            match self.moved(got, libc::POLLIN)? {
                Some(0) => return Err(io::Error::from_raw_os_error(libc::ECONNRESET)),
                Some(got) => return Ok(got),
                None => {}
            }
        }
    }

    /// How many bytes went through; `None` if one has to try again, after waiting where there was need to.
    fn moved(&self, bytes: isize, events: c_short) -> io::Result<Option<usize>> {
        if let Ok(bytes) = usize::try_from(bytes) {
            return Ok(Some(bytes));
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock => self.wait(events)?,
            io::ErrorKind::Interrupted => _ = self.left()?,
            _ => return Err(error),
        }
        Ok(None)
    }
}

/// A socket that no program started meanwhile inherits, that waits for nobody, and that is not taken for a standard stream.
fn new_socket() -> io::Result<OwnedFd> {
    // SAFETY: plain numbers.
    let fd = check(unsafe {
        libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
    })?;
    // SAFETY: just opened, and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    if fd >= FIRST_DESCRIPTOR {
        return Ok(socket);
    }
    // SAFETY: the socket is open.
    let fd = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) })?;
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn address(path: &str) -> io::Result<(libc::sockaddr_un, socklen_t)> {
    // SAFETY: zeros are an address without a name.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    // One less: the name ends with a NUL.
    let room = address.sun_path.len() - 1;
    if path.len() > room {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    for (to, from) in address.sun_path.iter_mut().zip(path.bytes()) {
        // Signed on some machines, and not on others.
        *to = libc::c_char::from_ne_bytes([from]);
    }
    let length = offset_of!(libc::sockaddr_un, sun_path) + path.len() + 1;
    Ok((address, length as socklen_t))
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// What comes of a reply of these bytes, sent by a listener in another process.
    fn receive(pieces: &[&[u8]], limit: Duration) -> io::Result<Vec<u8>> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut connection = Connection { socket: ours.into(), deadline: Instant::now() + limit };
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut stream = &theirs;
                for piece in pieces {
                    stream.write_all(piece).unwrap();
                    thread::sleep(Duration::from_millis(5));
                }
                if limit == LIMIT {
                    theirs.shutdown(std::net::Shutdown::Both).unwrap();
                }
            });
            connection.receive()
        })
    }

    #[test]
    fn fragments_make_a_reply() {
        let pieces = [&b"\0\0\0"[..], b"\x02a", b"b\x80\0\0", b"\x01c"];
        assert_eq!(receive(&pieces, LIMIT).unwrap(), b"abc");
    }

    #[test]
    fn broken_replies_are_errors() {
        let errno = |bytes: &[u8]| receive(&[bytes], LIMIT).unwrap_err().raw_os_error().unwrap();
        assert_eq!(errno(b"\x80\0\0\x05abc"), libc::ECONNRESET);
        assert_eq!(errno(b""), libc::ECONNRESET);
        assert_eq!(errno(b"\xff\xff\xff\xff"), libc::EPROTO);
        assert_eq!(errno(b"\0\0\0\0\0\0\0\0"), libc::EPROTO);
    }

    #[test]
    fn silence_ends_with_the_deadline() {
        let limit = Duration::from_millis(50);
        let before = Instant::now();
        let error = receive(&[b"\x80\0\0\x05abc"], limit).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ETIMEDOUT));
        assert!(before.elapsed() >= limit);
    }

    #[test]
    fn a_process_does_not_ask_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let error = Connection::open(path.to_str().unwrap(), Instant::now() + LIMIT).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::EDEADLK));
        let mut nothing = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut nothing).unwrap();
        assert_eq!(nothing, b"");
    }

    #[test]
    fn a_full_door_is_waited_at_no_longer_than_the_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: an open socket.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let (limit, before) = (Duration::from_millis(50), Instant::now());
        let error = Connection::open(path.to_str().unwrap(), before + limit).err().unwrap();
        assert!(matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ETIMEDOUT)), "{error}");
        assert!(before.elapsed() >= limit / 2 && before.elapsed() < LIMIT);
    }

    #[test]
    fn a_socket_that_is_not_there() {
        let error = Connection::open("/nonexistent/socket", Instant::now() + LIMIT).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        let long = "x".repeat(200);
        let error = Connection::open(&long, Instant::now() + LIMIT).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::ENAMETOOLONG));
    }
}

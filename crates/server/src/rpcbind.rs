//! Telling the portmapper of this host where our programs are.
//!
//! Remote clients ask the portmapper on port 111 for the binder (RFC 1833 §3.2). Where rpcbind runs, it has that port,
//! and [`register`] makes it answer for us; dropping the [`Registration`] takes that back.
//!
//! The calls go over TCP to the loopback, because that reaches the portmapper of the network we listen on: the UNIX
//! socket of rpcbind may belong to another network namespace. They come from a reserved port where privilege allows
//! one; then rpcbind notes the superuser as owner, and nobody else on the host can remove the entry. What an ordinary
//! user may register is the portmapper's decision.
//!
//! Everything here blocks, for at most [`PATIENCE`] at each step.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use netinfo_wire::portmap::v2::{Mapping, Procedure, decode_done, decode_port};
use netinfo_wire::portmap::{IPPROTO_TCP, IPPROTO_UDP, PORT, PORTMAP_VERSION, PROGRAM};
use netinfo_wire::record::{self, Decoder};
use netinfo_wire::rpc::{Credential, Outcome, parse_reply, put_call};
use netinfo_wire::xdr;
use socket2::{Domain, Protocol, Socket, Type};

use crate::reserved;

/// How long to wait for the portmapper to take a connection, a call, and to answer.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Longest reply accepted, in bytes. Those to the calls made here have 28.
pub const MAX_REPLY: usize = 1024;

/// A program to register: its number, its version, the IP protocol (6 or 17), the port.
pub type Program = (u32, u32, u32, u16);

/// Why the portmapper does not know a program.
#[derive(Debug, thiserror::Error)]
pub enum RpcbindError {
    /// It cannot be talked to.
    #[error("the portmapper at {address} does not answer: {source}")]
    Connection {
        /// Where it was looked for.
        address: SocketAddr,
        /// What the system reported.
        source: io::Error,
    },
    /// It closes the connection, as rpcbind does where host access lists (`hosts.deny`) say so.
    #[error("the portmapper at {address} closed the connection; its access lists may not admit this machine")]
    Closed {
        /// Where it is.
        address: SocketAddr,
    },
    /// It answers with something that is not the reply to the call.
    #[error("the portmapper at {address} answers with nonsense: {what}")]
    Nonsense {
        /// Where it is.
        address: SocketAddr,
        /// What was wrong.
        what: String,
    },
    /// It does not take an entry.
    #[error(
        "the portmapper does not register program {program} version {version} for {protocol}; another user may have \
         registered it (rpcinfo -p shows it)"
    )]
    Refused {
        /// Program number.
        program: u32,
        /// Version of the program.
        version: u32,
        /// `TCP`, `UDP`, or a number.
        protocol: String,
    },
    /// It does not let go of an entry.
    #[error("the portmapper keeps program {program} version {version}, registered with more privilege")]
    Kept {
        /// Program number.
        program: u32,
        /// Version of the program.
        version: u32,
    },
}

/// Programs the portmapper knows. Dropping it, or [`Registration::close`], makes it forget them.
#[derive(Debug)]
pub struct Registration {
    address: SocketAddr,
    mappings: Vec<Mapping>,
}

/// Registers `programs` with the portmapper of this host, in place of whatever it knew of the same programs and
/// versions: most often that is left over from a process that ended without a word. All or nothing.
///
/// # Errors
/// [`RpcbindError`]. Where one entry is refused, those made before it are removed again.
pub fn register(programs: &[Program]) -> Result<Registration, RpcbindError> {
    register_at(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)), programs)
}

fn register_at(address: SocketAddr, programs: &[Program]) -> Result<Registration, RpcbindError> {
    let mapping = |&(prog, vers, prot, port): &Program| Mapping { prog, vers, prot, port: port.into() };
    let mappings: Vec<Mapping> = programs.iter().map(mapping).collect();
    // Before the connection, so that on failure the connection is closed first and then what was made is taken back.
    let mut registration = Registration { address, mappings: Vec::with_capacity(mappings.len()) };
    let mut portmapper = Portmapper::connect(address)?;
    for mapping in versions(&mappings) {
        // The answer does not matter: an entry that could not be removed shows as a refusal of the next call.
        portmapper.done(Procedure::Unset, mapping)?;
    }
    for mapping in mappings {
        if !portmapper.done(Procedure::Set, &mapping)? {
            return Err(refusal(&mapping));
        }
        registration.mappings.push(mapping);
    }
    Ok(registration)
}

impl Registration {
    /// Makes the portmapper forget the programs, except where somebody else has registered them by now.
    ///
    /// # Errors
    /// [`RpcbindError`]; [`RpcbindError::Kept`] when the privilege the entries were made with is gone.
    pub fn close(mut self) -> Result<(), RpcbindError> {
        self.unregister()
    }

    /// Once only: an error will not go away by itself.
    fn unregister(&mut self) -> Result<(), RpcbindError> {
        let mappings = std::mem::take(&mut self.mappings);
        if mappings.is_empty() {
            return Ok(());
        }
        let mut portmapper = Portmapper::connect(self.address)?;
        for version in versions(&mappings) {
            let mut ours = true;
            for mapping in mappings.iter().filter(|m| (m.prog, m.vers) == (version.prog, version.vers)) {
                ours &= portmapper.port(mapping)?.is_none_or(|port| u32::from(port) == mapping.port);
            }
            if ours && !portmapper.done(Procedure::Unset, version)? && portmapper.port(version)?.is_some() {
                return Err(RpcbindError::Kept { program: version.prog, version: version.vers });
            }
        }
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Err(error) = self.unregister() {
            tracing::warn!("cannot take back the registration of our programs: {error}");
        }
    }
}

/// One mapping for each program and version.
fn versions(mappings: &[Mapping]) -> impl Iterator<Item = &Mapping> {
    mappings.iter().enumerate().filter_map(|(i, mapping)| {
        let known = mappings[..i].iter().any(|m| (m.prog, m.vers) == (mapping.prog, mapping.vers));
        (!known).then_some(mapping)
    })
}

fn refusal(mapping: &Mapping) -> RpcbindError {
    let protocol = match mapping.prot {
        IPPROTO_TCP => "TCP".to_owned(),
        IPPROTO_UDP => "UDP".to_owned(),
        other => format!("protocol {other}"),
    };
    RpcbindError::Refused { program: mapping.prog, version: mapping.vers, protocol }
}

/// A connection to the portmapper.
struct Portmapper {
    address: SocketAddr,
    stream: TcpStream,
    decoder: Decoder,
    xid: u32,
}

impl Portmapper {
    fn connect(address: SocketAddr) -> Result<Self, RpcbindError> {
        let open = || -> io::Result<TcpStream> {
            let socket = match reserved::outgoing_tcp(address.ip()) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?
                }
                other => other?,
            };
            socket.connect_timeout(&address.into(), PATIENCE)?;
            socket.set_nonblocking(false)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(socket.into())
        };
        let stream = open().map_err(|source| RpcbindError::Connection { address, source })?;
        Ok(Self { address, stream, decoder: Decoder::new(MAX_REPLY), xid: 0 })
    }

    /// The answer to SET and UNSET.
    fn done(&mut self, procedure: Procedure, mapping: &Mapping) -> Result<bool, RpcbindError> {
        self.call(procedure, mapping, decode_done)
    }

    fn port(&mut self, mapping: &Mapping) -> Result<Option<u16>, RpcbindError> {
        self.call(Procedure::GetPort, mapping, decode_port)
    }

    fn call<T>(
        &mut self,
        procedure: Procedure,
        mapping: &Mapping,
        decode: fn(&[u8]) -> Result<T, xdr::Error>,
    ) -> Result<T, RpcbindError> {
        let address = self.address;
        let failed = |source| RpcbindError::Connection { address, source };
        self.xid += 1;
        let mut message = Vec::with_capacity(64);
        let mark = record::begin(&mut message);
        put_call(&mut message, self.xid, PROGRAM, PORTMAP_VERSION, procedure.code(), &Credential::None);
        mapping.encode(&mut message);
        record::end(&mut message, mark);
        self.stream.write_all(&message).map_err(failed)?;
        let mut buffer = [0; MAX_REPLY];
        loop {
            let received = match self.stream.read(&mut buffer) {
                Ok(0) => return Err(RpcbindError::Closed { address }),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(RpcbindError::Closed { address });
                }
                other => other.map_err(failed)?,
            };
            let nonsense = |what: String| RpcbindError::Nonsense { address, what };
            let (_, reply) = self.decoder.next(&buffer[..received]).map_err(|e| nonsense(e.to_string()))?;
            let Some(reply) = reply else { continue };
            let reply = parse_reply(reply).map_err(|e| nonsense(e.to_string()))?;
            return match reply.outcome {
                Outcome::Success(results) if reply.xid == self.xid => {
                    decode(results).map_err(|e| nonsense(e.to_string()))
                }
                outcome => Err(nonsense(format!("{outcome:?} to call {}", reply.xid))),
            };
        }
    }
}

#[cfg(test)]
mod tests;

//! The binder of a host (NetInfo protocol, binder): which domains it serves, on which ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use netinfo_wire::netinfo::{Answer, Status};
use netinfo_wire::nibind::{
    self, Addrinfo, BindArgs, CloneArgs, PROGRAM, Procedure, VERSION, decode_getregister_res,
    decode_listreg_res, decode_status,
};

use crate::error::{Error, Result};
use crate::rpc::udp::{self, UdpCall};
use crate::rpc::{Call, Connection};

/// A domain that a host serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Tag of the domain.
    pub tag: Vec<u8>,
    /// Its ports.
    pub ports: Addrinfo,
}

/// Asks over UDP for the ports of a domain. The binder answers only for a domain server that is alive.
///
/// # Errors
/// [`Status::NoTag`] if the host does not serve it, [`Status::NoResponse`] if its server hangs; errors of a call.
pub fn get_register_udp(binder: SocketAddr, tag: &[u8], timeout: Duration) -> Result<Addrinfo> {
    let results =
        udp::call(binder, udp_call(Procedure::GetRegister, timeout), |buf| nibind::put_tag(buf, tag))?;
    answer(&binder.to_string(), decode_getregister_res(&results))
}

/// Asks over UDP for all domains of the host.
///
/// # Errors
/// Errors of a call.
pub fn list_udp(binder: SocketAddr, timeout: Duration) -> Result<Vec<Registration>> {
    let results = udp::call(binder, udp_call(Procedure::ListReg, timeout), |_| {})?;
    registrations(&binder.to_string(), &results)
}

/// The binder over a stream, where all its procedures are available.
#[derive(Debug)]
pub struct Binder<'c> {
    connection: &'c mut Connection,
}

impl<'c> Binder<'c> {
    /// The binder at the other end of `connection`.
    pub const fn new(connection: &'c mut Connection) -> Self {
        Self { connection }
    }

    /// Whether anyone is there.
    ///
    /// # Errors
    /// [`Error::Rejected`] with `ProgUnavail` if there is no binder; errors of a call.
    pub fn ping(&mut self) -> Result<()> {
        self.call(Procedure::Ping, |_| {}).map(drop)
    }

    /// Announces a domain server; privileged.
    ///
    /// # Errors
    /// [`Status::Perm`]; errors of a call.
    pub fn register(&mut self, tag: &[u8], addrs: Addrinfo) -> Result<()> {
        self.status(Procedure::Register, |buf| nibind::Registration { tag, addrs }.encode(buf))
    }

    /// Withdraws a domain server; privileged. An unknown tag is no error.
    ///
    /// # Errors
    /// [`Status::Perm`]; errors of a call.
    pub fn unregister(&mut self, tag: &[u8]) -> Result<()> {
        self.status(Procedure::Unregister, |buf| nibind::put_tag(buf, tag))
    }

    /// The ports of a domain.
    ///
    /// # Errors
    /// As [`get_register_udp`].
    pub fn get_register(&mut self, tag: &[u8]) -> Result<Addrinfo> {
        let results = self.call(Procedure::GetRegister, |buf| nibind::put_tag(buf, tag))?;
        answer(self.connection.name(), decode_getregister_res(&results))
    }

    /// All domains of the host.
    ///
    /// # Errors
    /// Errors of a call.
    pub fn list(&mut self) -> Result<Vec<Registration>> {
        let results = self.call(Procedure::ListReg, |_| {})?;
        registrations(self.connection.name(), &results)
    }

    /// Makes the host serve a new, empty domain; privileged. A historical host answers before it is done.
    ///
    /// # Errors
    /// [`Status::DupTag`], [`Status::Perm`]; errors of a call.
    pub fn create_master(&mut self, tag: &[u8]) -> Result<()> {
        self.status(Procedure::CreateMaster, |buf| nibind::put_tag(buf, tag))
    }

    /// Makes the host serve a copy of a domain; privileged.
    ///
    /// # Errors
    /// As [`Binder::create_master`].
    pub fn create_clone(
        &mut self,
        tag: &[u8],
        master_name: &[u8],
        master_addr: Ipv4Addr,
        master_tag: &[u8],
    ) -> Result<()> {
        let args = CloneArgs { tag, master_name, master_addr, master_tag };
        self.status(Procedure::CreateClone, |buf| args.encode(buf))
    }

    /// Makes the host give up a domain and its data; privileged.
    ///
    /// # Errors
    /// [`Status::NoTag`], [`Status::Perm`]; errors of a call.
    pub fn destroy_domain(&mut self, tag: &[u8]) -> Result<()> {
        self.status(Procedure::DestroyDomain, |buf| nibind::put_tag(buf, tag))
    }

    /// Whether the domain `server_tag` of the host is the parent of the domain `client_tag` at `client_addr`.
    ///
    /// # Errors
    /// Errors of a call.
    pub fn bind(&mut self, client_addr: Ipv4Addr, client_tag: &[u8], server_tag: &[u8]) -> Result<bool> {
        let args = BindArgs { client_addr, client_tag, server_tag };
        match self.call(Procedure::Bind, |buf| args.encode(buf)) {
            Ok(_) => Ok(true),
            Err(error) if error.is_system_err() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn call(&mut self, procedure: Procedure, args: impl Fn(&mut Vec<u8>)) -> Result<Vec<u8>> {
        let timeouts = self.connection.timeouts();
        let privileged = procedure.is_privileged();
        let call = Call {
            program: PROGRAM,
            version: VERSION,
            procedure: procedure.code(),
            timeout: if privileged { timeouts.write } else { timeouts.read },
            // A creation sent twice would be answered with "exists already".
            repeat: !privileged,
        };
        self.connection.call(call, args)
    }

    fn status(&mut self, procedure: Procedure, args: impl Fn(&mut Vec<u8>)) -> Result<()> {
        let results = self.call(procedure, args)?;
        answer(self.connection.name(), decode_status(&results))
    }
}

const fn udp_call(procedure: Procedure, timeout: Duration) -> UdpCall {
    UdpCall { program: PROGRAM, version: VERSION, procedure: procedure.code(), timeout }
}

fn registrations(endpoint: &str, results: &[u8]) -> Result<Vec<Registration>> {
    let list = answer(endpoint, decode_listreg_res(results))?;
    Ok(list.into_iter().map(|r| Registration { tag: r.tag.to_vec(), ports: r.addrs }).collect())
}

fn answer<T>(endpoint: &str, answer: Answer<T>) -> Result<T> {
    answer.map_err(|failure| Error::from_failure(endpoint, failure))
}

/// A port as a binder reports it.
///
/// # Errors
/// [`Status::NoResponse`] if the number is no port: the domain server has none.
pub fn port(number: u32) -> Result<u16> {
    u16::try_from(number).ok().filter(|port| *port != 0).ok_or(Error::Status(Status::NoResponse))
}

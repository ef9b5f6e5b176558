//! Other servers, over blocking sockets: finding them, pushing to clones, copying from a master.
//!
//! A server is found through the portmapper and the binder of its host, as NetInfo does it; where no portmapper answers,
//! through the common port of a node of this project. Calls carry no credential and come from a reserved port where
//! privilege allows: that is how a clone knows its master.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use netinfo_client::binder::{self, Binder};
use netinfo_client::domain::{Domain as Remote, ROOT, Transfer};
use netinfo_client::rpc::{Call as RpcCall, SourcePort, Timeouts};
use netinfo_client::{Connection, Endpoint, Error, Result, Status, limits, portmap};
use netinfo_directory::{Id, Property, Server, TransferObject};
use netinfo_wire::netinfo::{self as ni, Object, Procedure, put_checksum};
use netinfo_wire::nibind;

use super::limits::{CALL_TIMEOUT, FIND_TIMEOUT};
use super::push;

const TIMEOUTS: Timeouts = Timeouts { read: FIND_TIMEOUT, write: CALL_TIMEOUT };

/// Where the well-known programs of a host are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) portmap: u16,
    pub(super) ipcserver: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { portmap: portmap::PORT, ipcserver: limits::IPCSERVER_PORT }
    }
}

/// Connects to a server of a domain.
pub(super) fn connect(server: &Server, ports: Ports) -> Result<Connection> {
    let host = IpAddr::V4(server.address);
    let tag = server.tag.as_bytes();
    let found = match registered(host, tag, ports) {
        Ok(port) => open(host, port, CALL_TIMEOUT),
        Err(error @ Error::Status(_)) => return Err(error),
        // No portmapper there: a node whose host lets it have no port below 1024, or a filtered network.
        Err(error) => open(host, ports.ipcserver, limits::PROBE_TIMEOUT).map_err(|_| error),
    };
    let mut connection = found?;
    // The port may be common to all domains of a node; then this one has to be selected. It answers as a binder.
    match Binder::new(&mut connection).ping() {
        Ok(()) => connection.select(tag)?,
        Err(Error::Rejected { .. } | Error::Denied { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(connection)
}

fn open(host: IpAddr, port: u16, patience: Duration) -> Result<Connection> {
    let endpoint = Endpoint::Tcp(SocketAddr::new(host, port));
    Connection::open_from(SourcePort::Reserved, endpoint, TIMEOUTS, patience.min(FIND_TIMEOUT))
}

/// The port of a domain, asked of the host's binder over UDP, then over TCP.
fn registered(host: IpAddr, tag: &[u8], ports: Ports) -> Result<u16> {
    let portmapper = SocketAddr::new(host, ports.portmap);
    let binder = |protocol| -> Result<Option<SocketAddr>> {
        let port = portmap::get_port(portmapper, nibind::PROGRAM, nibind::VERSION, protocol, FIND_TIMEOUT)?;
        Ok(port.map(|port| SocketAddr::new(host, port)))
    };
    let by_udp = match binder(portmap::IPPROTO_UDP)? {
        Some(at) => binder::get_register_udp(at, tag, FIND_TIMEOUT),
        None => Err(Error::NoServer {
            host: host.to_string(),
            attempts: vec!["no NetInfo binder is registered".into()],
        }),
    };
    let addresses = match by_udp {
        Ok(addresses) => addresses,
        Err(error @ Error::Status(_)) => return Err(error),
        Err(error) => {
            let at = binder(portmap::IPPROTO_TCP)?.ok_or(error)?;
            Binder::new(&mut Connection::new(Endpoint::Tcp(at), TIMEOUTS)).get_register(tag)?
        }
    };
    binder::port(addresses.tcp_port)
}

/// Repeats a change at a clone. A new directory that gets another id there is a failure too: the clone has diverged,
/// though a historical one does not notice.
pub(super) fn push(clone: &mut Connection, call: &push::Call) -> Result<()> {
    let results = clone.call(rpc(call.procedure), |buf| buf.extend_from_slice(&call.args))?;
    status(clone, &results)?;
    match (call.created, ni::decode_create_res(&results)) {
        (Some(object), Ok(created)) if created.id.object != object => {
            Err(malformed(clone, format!("directory {object} got the id {} there", created.id.object)))
        }
        _ => Ok(()),
    }
}

/// Tells a clone that its master has started.
pub(super) fn crashed(clone: &mut Connection, checksum: u32) -> Result<()> {
    clone.call(rpc(Procedure::Crashed), |buf| put_checksum(buf, checksum)).map(drop)
}

/// Tells a clone to check.
pub(super) fn resync(clone: &mut Connection) -> Result<()> {
    let results = clone.call(rpc(Procedure::Resync), |_| {})?;
    status(clone, &results)
}

/// A call that is not to be sent twice: a repeated change would be taken for one that does not fit.
fn rpc(procedure: Procedure) -> RpcCall {
    let (program, version) = (ni::PROGRAM, ni::VERSION);
    RpcCall { program, version, procedure: procedure.code(), timeout: CALL_TIMEOUT, repeat: false }
}

fn status(clone: &Connection, results: &[u8]) -> Result<()> {
    let word = results.first_chunk().map(|word| Status::from_code(u32::from_be_bytes(*word)));
    match word {
        Some(Status::Ok) => Ok(()),
        Some(status) => Err(Error::Status(status)),
        None => Err(malformed(clone, "no status".into())),
    }
}

fn malformed(clone: &Connection, what: String) -> Error {
    Error::Malformed { endpoint: clone.name().to_owned(), what }
}

/// Copies the domain from its master, directory by directory, unless its checksum is `own`.
pub(super) fn read_all(
    master: Connection,
    own: u32,
    mut each: impl FnMut(TransferObject) -> Result<()>,
) -> Result<Transfer> {
    Remote::new(master).read_all(own, |object| each(directory(&object)))
}

fn directory(object: &Object<'_>) -> TransferObject {
    let property = |(name, values): (&[u8], ni::NameList<'_>)| Property {
        name: name.to_vec(),
        values: values.iter().map(<[u8]>::to_vec).collect(),
    };
    TransferObject {
        id: Id { object: object.id.object, instance: object.id.instance },
        parent: object.parent,
        children: object.children.iter().collect(),
        properties: object.props.iter().map(property).collect(),
        stamp: None,
    }
}

/// Whether the master regards one of these hosts as a server of the domain under `tag`.
pub(super) fn lists_us(master: Connection, own: &[Ipv4Addr], tag: &str) -> Result<bool> {
    let mut master = Remote::new(master);
    let machines = match master.lookup_first(ROOT, b"name", b"machines") {
        Err(error) if error.is(Status::NoDir) => return Ok(false),
        other => other?,
    };
    let wanted = format!("./{tag}").into_bytes();
    for address in own {
        let (hosts, _) = match master.lookup(machines, b"ip_address", address.to_string().as_bytes()) {
            Err(error) if error.is(Status::NoDir) => continue,
            other => other?,
        };
        for host in hosts {
            let (_, properties) = master.read(host)?;
            if properties.iter().any(|p| p.name == b"serves" && p.values.contains(&wanted)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

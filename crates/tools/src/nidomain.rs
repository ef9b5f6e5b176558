//! `nidomain`: which domains a host serves, and making and destroying them, by the host's binder.

use std::net::{IpAddr, Ipv4Addr};

use netinfo_client::binder::{Binder, Registration};
use netinfo_client::rpc::{Endpoint, Timeouts};
use netinfo_client::{Connection, Error, Result, Server};

use crate::io::Io;
use crate::status::text;
use crate::{Words, usage};

/// One form of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    List,
    Get,
    Master,
    Destroy,
    Unregister,
    Clone,
    Alias,
}

impl Form {
    fn named(option: &[u8]) -> Option<Self> {
        Some(match option {
            b"-l" => Self::List,
            b"-g" => Self::Get,
            b"-m" => Self::Master,
            b"-d" => Self::Destroy,
            b"-u" => Self::Unregister,
            b"-c" => Self::Clone,
            b"-a" => Self::Alias,
            _ => return None,
        })
    }

    /// How many operands there must be, without the host.
    const fn operands(self) -> usize {
        match self {
            Self::List => 0,
            Self::Get | Self::Master | Self::Destroy | Self::Unregister => 1,
            Self::Clone | Self::Alias => 2,
        }
    }
}

/// Why an operation failed.
enum Failure {
    /// With this line.
    Line(Vec<u8>),
    /// The binder, or the way there.
    Call(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// Runs the tool, called by the name `program`.
pub(crate) fn run(program: &[u8], args: &Words, io: &mut Io<'_>) -> u8 {
    let words: Vec<&[u8]> = args.iter().map(|word| word.as_slice()).collect();
    let parsed = words.split_first().and_then(|(option, rest)| Some((Form::named(option)?, rest)));
    let Some((form, rest)) =
        parsed.filter(|(form, rest)| (form.operands()..=form.operands() + 1).contains(&rest.len()))
    else {
        io.err(usage::NIDOMAIN);
        return 1;
    };
    let (operands, host) = rest.split_at(form.operands());
    match carry_out(form, operands, host.first().copied(), program, io) {
        Ok(code) => code,
        Err(Failure::Line(line)) => {
            io.complain(&[program, b": ", &line]);
            1
        }
        Err(Failure::Call(error)) => {
            io.complain(&[program, b": operation failed - ", text(&error).as_bytes()]);
            1
        }
    }
}

fn carry_out(
    form: Form,
    operands: &[&[u8]],
    host: Option<&[u8]>,
    program: &[u8],
    io: &mut Io<'_>,
) -> Result<u8, Failure> {
    let first = operands.first().copied().unwrap_or_default();
    let second = operands.get(1).copied().unwrap_or_default();
    let master = if form == Form::Clone { Some(master(second)?) } else { None };
    let mut connection = match host {
        Some(host) => remote(host, io)?,
        None => match local(io) {
            Ok(connection) => connection,
            Err(_) => return Ok(no_binder(form, program, io)),
        },
    };
    let mut binder = Binder::new(&mut connection);
    match form {
        Form::List => binder.list()?.iter().for_each(|registration| io.out(line(registration))),
        Form::Get => {
            let ports = binder.get_register(first)?;
            io.out(line(&Registration { tag: first.to_vec(), ports }));
        }
        Form::Master => binder.create_master(first)?,
        Form::Destroy => binder.destroy_domain(first)?,
        Form::Unregister => binder.unregister(first)?,
        Form::Clone => {
            if let Some((name, addr, tag)) = master {
                binder.create_clone(first, name, addr, tag)?;
            }
        }
        Form::Alias => {
            let ports = match binder.get_register(first) {
                Err(Error::Status(_)) => {
                    return Err(Failure::Line([b"unknown tag ", first].concat()));
                }
                found => found?,
            };
            binder.register(second, ports)?;
        }
    }
    Ok(0)
}

/// `tag=T udp=U tcp=P`.
fn line(registration: &Registration) -> Vec<u8> {
    let ports = format!(" udp={} tcp={}\n", registration.ports.udp_port, registration.ports.tcp_port);
    [b"tag=", registration.tag.as_slice(), ports.as_bytes()].concat()
}

/// Name, address and tag of a clone's master.
fn master(text: &[u8]) -> Result<(&[u8], Ipv4Addr, &[u8]), Failure> {
    let slash = text.iter().position(|byte| *byte == b'/');
    let slash = slash.ok_or_else(|| Failure::Line([b"missing '/' in ", text].concat()))?;
    let (name, tag) = (text.get(..slash).unwrap_or_default(), text.get(slash + 1..).unwrap_or_default());
    let addr = servers(name)?.into_iter().find_map(|server| match server {
        Server::Host(IpAddr::V4(addr)) => Some(addr),
        _ => None,
    });
    Ok((name, addr.ok_or_else(|| unknown(name))?, tag))
}

fn unknown(host: &[u8]) -> Failure {
    Failure::Line([b"unknown host - ", host].concat())
}

fn servers(host: &[u8]) -> Result<Vec<Server>, Failure> {
    let text = std::str::from_utf8(host).map_err(|_| unknown(host))?;
    Server::parse(text).map_err(|_| unknown(host))
}

/// A connection to the binder of a host.
fn remote(host: &[u8], io: &Io<'_>) -> Result<Connection, Failure> {
    let refused = || Failure::Line([b"cannot connect to server ", host].concat());
    for server in servers(host)? {
        let opened = match server {
            Server::Host(addr) if io.reach.is_own(addr) && io.reach.socket.is_some() => local(io),
            Server::Host(addr) => io.reach.finder.binder(addr),
            Server::Port(addr) => alive(Connection::new(Endpoint::Tcp(addr), Timeouts::default())),
            Server::Local(path) => alive(Connection::new(Endpoint::Unix(path), Timeouts::default())),
        };
        if let Ok(connection) = opened {
            return Ok(connection);
        }
    }
    Err(refused())
}

/// A connection to the binder of this host.
fn local(io: &Io<'_>) -> Result<Connection> {
    if let Some(socket) = &io.reach.socket {
        let connection = alive(Connection::new(Endpoint::Unix(socket.clone()), Timeouts::default()));
        if connection.is_ok() {
            return connection;
        }
    }
    io.reach.finder.binder(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn alive(mut connection: Connection) -> Result<Connection> {
    Binder::new(&mut connection).ping()?;
    Ok(connection)
}

/// Says that this host has no binder, and returns the exit code. The historical tool looks at the binder's pid file;
/// here the binder itself is asked.
fn no_binder(form: Form, program: &[u8], io: &mut Io<'_>) -> u8 {
    match form {
        Form::List | Form::Get => {
            io.err("NetInfo is not running on this computer: port information is not available\n");
            0
        }
        Form::Master | Form::Clone | Form::Alias => {
            io.err("The NetInfo binder is not running on this computer.\n");
            io.err("To enable it start netinfod (on Mac OS X, set NETINFOSERVER=-YES- in /etc/hostconfig and restart).\n");
            1
        }
        Form::Unregister | Form::Destroy => {
            io.err("warning: cannot find /var/run/nibindd.pid\n");
            io.complain(&[program, b": cannot check nibindd pid file: No such file or directory"]);
            1
        }
    }
}

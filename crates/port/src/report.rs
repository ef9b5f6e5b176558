//! All that is known of some ports.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;

use netinfo_client::Server;

use crate::Error;
use crate::finding::{self, Finding};
use crate::holders::{self, Holders};
use crate::limits::{MAX_PROBED_PORTS, MAX_TARGETS};
use crate::meaning::{Meaning, Registry, node};
use crate::probe::{self, Probe};
use crate::process::{NETINFO_UNIT, Process, parse_cgroup};
use crate::selection::Selection;
use crate::socket::{Socket, State, Transport};
use crate::sockets::{self, Which};

/// Which ports to look at, and how.
#[derive(Clone, Debug)]
pub struct Inspection<'r> {
    /// The ports; none means all on which this machine listens.
    pub selections: Vec<Selection>,
    /// What tells the names of ports.
    pub registry: &'r Registry,
    /// Whom to ask what is there.
    pub probing: Probing,
    /// A NetInfo domain to ask for its `/services`, with its tag.
    pub node: Option<(Server, Option<String>)>,
}

/// Whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Probing {
    /// Nobody.
    #[default]
    Off,
    /// Whoever listens on this machine.
    Here,
    /// This host, instead of looking at this machine's sockets.
    Host(String),
}

/// What is known.
#[derive(Clone, Debug)]
pub struct Report {
    /// The ports asked for; none means all that listen.
    pub selections: Vec<Selection>,
    /// Date or file of the registry.
    pub registry: String,
    /// The host that was probed, if not this one.
    pub host: Option<String>,
    /// The ports, ascending: each one asked for by itself, and those of ranges where something is.
    pub ports: Vec<PortReport>,
    /// Sockets whose processes this user may not look into.
    pub hidden: usize,
}

/// What is known of one port.
#[derive(Clone, Debug)]
pub struct PortReport {
    /// The port.
    pub port: u16,
    /// What its number means.
    pub meaning: Meaning,
    /// The sockets on it: of this machine, or connections of this machine to that port elsewhere.
    pub sockets: Vec<Held>,
    /// What was found out by asking.
    pub probes: Vec<Probe>,
    /// What to look at.
    pub findings: Vec<Finding>,
}

/// A socket and who holds it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The socket.
    pub socket: Socket,
    /// Name of the socket's maker; `None` if it has no name, or nobody can hold the socket any more.
    pub user: Option<String>,
    /// Its holders, each with the name of its user.
    pub holders: Vec<(Process, Option<String>)>,
    /// Whether a process holds it that this user may not look into.
    pub hidden: bool,
    /// The unit of a socket whose process is hidden; else see the holders.
    pub unit: Option<String>,
    /// The container of a socket whose process is hidden.
    pub container: Option<String>,
}

impl Held {
    /// Whether a NetInfo server holds it, going by its name.
    pub fn is_netinfo(&self) -> bool {
        self.holders.iter().any(|(process, _)| process.is_netinfo())
            || self.unit.as_deref() == Some(NETINFO_UNIT)
    }
}

impl PortReport {
    /// Whether something is there: a socket that is more than a remnant, or an answer.
    pub fn is_something(&self) -> bool {
        self.sockets.iter().any(|held| held.socket.state != State::Remnant)
            || self.probes.iter().any(|probe| probe.verdict.is_something())
    }

    /// Whether NetInfo is there, by its name or by its answers.
    pub fn is_netinfo(&self) -> bool {
        self.listening().any(Held::is_netinfo) || self.probes.iter().any(|probe| probe.verdict.is_netinfo())
    }

    /// The sockets that listen on this port.
    pub fn listening(&self) -> impl Iterator<Item = &Held> {
        self.sockets.iter().filter(|held| held.socket.listens() && held.socket.local.port() == self.port)
    }
}

impl Report {
    /// Whether something is on any of the ports.
    pub fn is_something(&self) -> bool {
        self.ports.iter().any(PortReport::is_something)
    }

    /// All sockets, in the order shown.
    pub fn sockets(&self) -> impl Iterator<Item = &Held> {
        self.ports.iter().flat_map(|port| &port.sockets)
    }
}

impl<'r> Inspection<'r> {
    /// Looks at this machine's sockets and asks nobody.
    pub const fn new(selections: Vec<Selection>, registry: &'r Registry) -> Self {
        Self { selections, registry, probing: Probing::Off, node: None }
    }

    /// Looks.
    ///
    /// # Errors
    /// [`Error::Sockets`], [`Error::Elsewhere`], and with probing [`Error::UnknownHost`] and [`Error::TooMany`].
    pub fn run(&self) -> Result<Report, Error> {
        let mut report = match &self.probing {
            Probing::Host(host) => self.elsewhere(host)?,
            Probing::Off => self.here()?,
            Probing::Here => {
                let mut report = self.here()?;
                probe_here(&mut report)?;
                report
            }
        };
        self.ask_node(&mut report);
        for port in &mut report.ports {
            let number = port.port;
            let asked = |t| self.selections.iter().any(|s| s.ports().contains(&number) && s.wants(t));
            let whole = self.selections.is_empty() || Transport::ALL.into_iter().all(asked);
            port.findings = finding::of(port, whole);
        }
        Ok(report)
    }

    fn here(&self) -> Result<Report, Error> {
        let which = if self.selections.is_empty() { Which::Listening } else { Which::All };
        let mut by_port: BTreeMap<u16, Vec<Socket>> = BTreeMap::new();
        for port in self.selections.iter().filter_map(Selection::single) {
            by_port.entry(port).or_default();
        }
        for socket in sockets::list(which)? {
            for port in self.ports_of(&socket) {
                by_port.entry(port).or_default().push(socket.clone());
            }
        }
        let inodes: HashSet<u64> = by_port.values().flatten().map(|s| s.inode).filter(|i| *i != 0).collect();
        let holders = holders::find(&inodes);
        let mut users = Users::default();
        let port = |(port, sockets): (u16, Vec<Socket>)| {
            let sockets = sockets.into_iter().map(|socket| held(socket, &holders, &mut users)).collect();
            self.port(port, sockets)
        };
        let mut ports: Vec<PortReport> = by_port.into_iter().map(port).collect();
        let hidden = place_hidden(&mut ports);
        Ok(self.report(None, ports, hidden))
    }

    /// The ports under which a socket is told of: each that was asked for on its own or its peer's side, once.
    fn ports_of(&self, socket: &Socket) -> BTreeSet<u16> {
        if self.selections.is_empty() {
            return BTreeSet::from([socket.local.port()]);
        }
        self.selections.iter().filter_map(|selection| selection.port_of(socket)).collect()
    }

    fn elsewhere(&self, host: &str) -> Result<Report, Error> {
        let asked = self.selections.iter().map(|s| s.ports().len()).sum();
        if asked > MAX_PROBED_PORTS {
            return Err(Error::TooMany { asked, limit: MAX_PROBED_PORTS });
        }
        let addresses = probe::resolve(host)?;
        let mut targets = BTreeSet::new();
        for selection in &self.selections {
            for port in selection.ports().clone() {
                for transport in Transport::ALL.into_iter().filter(|t| selection.wants(*t)) {
                    targets.extend(addresses.iter().map(|a| (SocketAddr::new(a.ip(), port), transport)));
                }
            }
        }
        let wanted: BTreeSet<u16> = self.selections.iter().flat_map(|s| s.ports().clone()).collect();
        let mut ports: Vec<_> = wanted.into_iter().map(|port| self.port(port, Vec::new())).collect();
        distribute(&mut ports, probe::ask_all(&Vec::from_iter(targets)));
        Ok(self.report(Some(host.to_owned()), ports, 0))
    }

    fn port(&self, port: u16, sockets: Vec<Held>) -> PortReport {
        let meaning = Meaning::of(port, self.registry);
        PortReport { port, meaning, sockets, probes: Vec::new(), findings: Vec::new() }
    }

    fn report(&self, host: Option<String>, ports: Vec<PortReport>, hidden: usize) -> Report {
        let registry = self.registry.source().to_owned();
        Report { selections: self.selections.clone(), registry, host, ports, hidden }
    }

    fn ask_node(&self, report: &mut Report) {
        // A table of all ports has no room for it.
        if let Some((server, tag)) = &self.node
            && !self.selections.is_empty()
        {
            let ports: Vec<u16> = report.ports.iter().map(|port| port.port).collect();
            let mut told = node::ask(server.clone(), tag.clone(), &ports);
            for port in &mut report.ports {
                port.meaning.node = told.remove(&port.port).unwrap_or_default();
            }
        }
    }
}

fn held(socket: Socket, holders: &Holders, users: &mut Users) -> Held {
    // What no process can hold has no user either.
    let user = if socket.inode == 0 { None } else { users.name(socket.uid) };
    let processes = holders.of(socket.inode).cloned();
    let processes: Vec<_> = processes.map(|process| (process.clone(), users.name(process.uid))).collect();
    let hidden = socket.inode != 0 && processes.is_empty() && holders.closed > 0;
    Held { socket, user, holders: processes, hidden, unit: None, container: None }
}

/// Finds the units of the sockets whose processes are hidden, and says how many there are.
fn place_hidden(ports: &mut [PortReport]) -> usize {
    let hidden = || ports.iter().flat_map(|port| &port.sockets).filter(|held| held.hidden);
    let count = hidden().map(|held| held.socket.inode).collect::<BTreeSet<_>>().len();
    let groups = holders::groups(&hidden().filter_map(|held| held.socket.group).collect());
    for held in ports.iter_mut().flat_map(|port| &mut port.sockets).filter(|held| held.hidden) {
        if let Some(path) = held.socket.group.and_then(|group| groups.get(&group)) {
            (held.unit, held.container) = parse_cgroup(&format!("0::{path}"));
        }
    }
    count
}

/// Asks whoever listens on this machine.
fn probe_here(report: &mut Report) -> Result<(), Error> {
    let mut targets = BTreeSet::new();
    let listening = report.ports.iter().filter(|port| port.listening().next().is_some());
    let asked = listening.clone().count();
    if asked > MAX_PROBED_PORTS {
        return Err(Error::TooMany { asked, limit: MAX_PROBED_PORTS });
    }
    for port in listening {
        let addresses: BTreeSet<_> =
            port.listening().map(|held| (held.socket.reached_at(), held.socket.transport)).collect();
        for transport in Transport::ALL {
            targets.extend(addresses.iter().filter(|(_, t)| *t == transport).take(MAX_TARGETS).copied());
        }
    }
    let wanted = |(address, transport): &(SocketAddr, Transport)| {
        let asks = |s: &Selection| s.ports().contains(&address.port()) && s.wants(*transport);
        report.selections.is_empty() || report.selections.iter().any(asks)
    };
    let targets: Vec<_> = targets.into_iter().filter(wanted).collect();
    distribute(&mut report.ports, probe::ask_all(&targets));
    Ok(())
}

fn distribute(ports: &mut [PortReport], probes: Vec<Probe>) {
    for probe in probes {
        if let Some(port) = ports.iter_mut().find(|port| port.port == probe.target.port()) {
            port.probes.push(probe);
        }
    }
}

/// Names of users, each looked up once.
#[derive(Default)]
struct Users(HashMap<u32, Option<String>>);

impl Users {
    fn name(&mut self, uid: u32) -> Option<String> {
        let look = || nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name);
        self.0.entry(uid).or_insert_with(look).clone()
    }
}

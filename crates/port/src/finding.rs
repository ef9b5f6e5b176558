//! What an operator should look at.

use std::collections::BTreeSet;

use crate::report::{Held, PortReport};
use crate::socket::Transport;

/// The ports that are NetInfo's: the ipcserver of a node, and the domain `local`.
const NETINFO_PORTS: [u16; 2] = [945, 1033];
/// Ports of services that clients reach by either transport.
const BOTH_TRANSPORTS: [u16; 3] = [111, 945, 1033];
/// The first port that anybody may open, unless the machine is set up otherwise.
const UNPRIVILEGED: u16 = 1024;

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is, for programs.
    pub kind: Kind,
    /// What it is, for people: one sentence without a full stop.
    pub text: String,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A port of NetInfo's is held by something else.
    NotNetInfo,
    /// A privileged port was opened by an ordinary user.
    Unprivileged,
    /// A program's file was replaced or deleted after the program was started.
    Replaced,
    /// NetInfo listens on one transport only.
    OneTransport,
    /// Different programs share the port.
    Shared,
    /// No process holds a listening socket.
    Kernel,
}

impl Kind {
    /// The word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotNetInfo => "not-netinfo",
            Self::Unprivileged => "unprivileged",
            Self::Replaced => "replaced",
            Self::OneTransport => "one-transport",
            Self::Shared => "shared",
            Self::Kernel => "kernel",
        }
    }
}

/// The findings about one port; `whole` says whether both transports were looked at.
pub fn of(port: &PortReport, whole: bool) -> Vec<Finding> {
    let found = [
        not_netinfo(port),
        unprivileged(port),
        replaced(port),
        one_transport(port, whole),
        shared(port),
        kernel(port),
    ];
    let kinds = [
        Kind::NotNetInfo,
        Kind::Unprivileged,
        Kind::Replaced,
        Kind::OneTransport,
        Kind::Shared,
        Kind::Kernel,
    ];
    let findings = kinds.into_iter().zip(found);
    findings.filter_map(|(kind, text)| text.map(|text| Finding { kind, text })).collect()
}

/// The names of the programs that listen on the port.
fn programs(port: &PortReport, transport: Option<Transport>) -> BTreeSet<&str> {
    let listening = port.listening().filter(|held| transport.is_none_or(|t| held.socket.transport == t));
    listening.flat_map(|held| &held.holders).map(|(process, _)| process.name.as_str()).collect()
}

fn joined(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn not_netinfo(port: &PortReport) -> Option<String> {
    if !NETINFO_PORTS.contains(&port.port) {
        return None;
    }
    let number = port.port;
    let answers: Vec<_> = port.probes.iter().filter(|probe| probe.verdict.is_something()).collect();
    if !answers.is_empty() {
        let foreign = answers.iter().find(|probe| !probe.verdict.is_netinfo())?;
        return Some(format!(
            "this is not NetInfo though it sits on {number}: {} at {}/{}",
            foreign.verdict.summary(),
            foreign.target,
            foreign.transport
        ));
    }
    let names = programs(port, None);
    if names.is_empty() || port.listening().any(Held::is_netinfo) {
        return None;
    }
    Some(format!(
        "this is not NetInfo by its name, though it sits on {number}: {}; --probe asks it",
        joined(names)
    ))
}

fn unprivileged(port: &PortReport) -> Option<String> {
    let by_user = |held: &&Held| held.socket.uid != 0 && !held.is_netinfo();
    let held = port.listening().find(by_user).filter(|_| port.port < UNPRIVILEGED)?;
    let user = held.user.clone().unwrap_or_else(|| format!("uid {}", held.socket.uid));
    Some(format!(
        "a privileged port opened by {user}, not by root: by a capability, or because this machine lets anybody"
    ))
}

fn replaced(port: &PortReport) -> Option<String> {
    let (process, _) =
        port.listening().flat_map(|held| &held.holders).find(|(process, _)| process.replaced)?;
    Some(format!(
        "the program of process {} ({}) has been replaced or deleted since it was started; a restart is due",
        process.pid, process.name
    ))
}

fn one_transport(port: &PortReport, whole: bool) -> Option<String> {
    if !whole || !BOTH_TRANSPORTS.contains(&port.port) {
        return None;
    }
    let served = |transport| port.listening().any(|h| h.is_netinfo() && h.socket.transport == transport);
    match (served(Transport::Tcp), served(Transport::Udp)) {
        (true, false) => Some("NetInfo listens on TCP only; old clients look for it over UDP".into()),
        (false, true) => Some("NetInfo listens on UDP only; clients work over TCP".into()),
        _ => None,
    }
}

fn shared(port: &PortReport) -> Option<String> {
    // A service manager holds the sockets of its services.
    let names = Transport::ALL.into_iter().map(|transport| {
        let mut names = programs(port, Some(transport));
        names.remove("systemd");
        names
    });
    let names = names.into_iter().find(|names| names.len() > 1)?;
    Some(format!("different programs share this port: {}", joined(names)))
}

fn kernel(port: &PortReport) -> Option<String> {
    port.listening().find(|held| held.holders.is_empty() && !held.hidden)?;
    Some("no process that can be seen holds it: the kernel itself (NFS does so), or a process outside of this container".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meaning::{Meaning, Registry};
    use crate::probe::{Probe, Verdict};
    use crate::process::Process;
    use crate::socket::{Socket, State};

    fn held(port: u16, transport: Transport, uid: u32, names: &[&str]) -> Held {
        let local = std::net::SocketAddr::new([0, 0, 0, 0].into(), port);
        let (state, remote, v6_only) = (State::Listening, None, None);
        let socket = Socket { transport, state, local, remote, v6_only, uid, inode: 9, group: None };
        let process = |name: &&str| Process {
            pid: 7,
            name: (*name).to_owned(),
            program: None,
            replaced: false,
            uid,
            unit: None,
            container: None,
            started: None,
        };
        let holders = names.iter().map(process).map(|process| (process, None)).collect();
        Held { socket, user: None, holders, hidden: false, unit: None, container: None }
    }

    fn report(port: u16, sockets: Vec<Held>) -> PortReport {
        let meaning = Meaning::of(port, &Registry::embedded());
        PortReport { port, meaning, sockets, probes: Vec::new(), findings: Vec::new() }
    }

    fn kinds(report: &PortReport) -> Vec<Kind> {
        of(report, true).into_iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn findings() {
        use Transport::{Tcp, Udp};
        assert_eq!(kinds(&report(945, vec![])), []);
        let netinfo = report(945, vec![held(945, Tcp, 0, &["netinfod"]), held(945, Udp, 0, &["netinfod"])]);
        assert_eq!(kinds(&netinfo), []);
        assert_eq!(kinds(&report(945, vec![held(945, Tcp, 0, &["netinfod"])])), [Kind::OneTransport]);
        assert_eq!(of(&report(945, vec![held(945, Tcp, 0, &["netinfod"])]), false), []);
        assert_eq!(kinds(&report(945, vec![held(945, Tcp, 0, &["nginx"])])), [Kind::NotNetInfo]);
        assert_eq!(kinds(&report(80, vec![held(80, Tcp, 33, &["nginx", "nginx"])])), [Kind::Unprivileged]);
        assert_eq!(kinds(&report(8080, vec![held(8080, Tcp, 33, &["nginx"])])), []);
        assert_eq!(kinds(&report(2049, vec![held(2049, Tcp, 0, &[])])), [Kind::Kernel]);
        let two = report(5000, vec![held(5000, Tcp, 0, &["a"]), held(5000, Tcp, 0, &["b"])]);
        assert_eq!(kinds(&two), [Kind::Shared]);
        assert_eq!(kinds(&report(111, vec![held(111, Tcp, 0, &["systemd", "rpcbind"])])), []);
        let mut old = report(22, vec![held(22, Tcp, 0, &["sshd"])]);
        old.sockets[0].holders[0].0.replaced = true;
        assert_eq!(kinds(&old), [Kind::Replaced]);
    }

    #[test]
    fn answers_count_more_than_names() {
        let mut report = report(945, vec![held(945, Transport::Tcp, 0, &["netinfod"])]);
        let target = "127.0.0.1:945".parse().unwrap();
        report.probes.push(Probe { target, transport: Transport::Tcp, verdict: Verdict::Silent });
        let text = &of(&report, true)[0].text;
        assert!(text.starts_with("this is not NetInfo though it sits on 945: something else"), "{text}");
    }
}

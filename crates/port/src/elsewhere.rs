//! The commands of other systems, printed where this crate cannot look itself.

use crate::selection::Selection;

/// A system with a command that lists sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// macOS and other systems with BSD sockets and `lsof`.
    MacOs,
    /// Windows.
    Windows,
}

/// The part of the help about other systems.
pub const HELP: &str = "\
On other systems:
  macOS    sudo lsof -nP -i :945
           (one table of all: sudo lsof -nP -iTCP -sTCP:LISTEN -iUDP)
  Windows  Get-NetTCPConnection -LocalPort 945 | Select LocalAddress,State,OwningProcess
           Get-NetUDPEndpoint -LocalPort 945
           (in cmd.exe: netstat -ano | findstr :945)";

/// The commands that answer for these ports; without ports, for all that listen.
pub fn commands(system: System, selections: &[Selection]) -> Vec<String> {
    match system {
        System::MacOs if selections.is_empty() => vec!["sudo lsof -nP -iTCP -sTCP:LISTEN -iUDP".into()],
        System::MacOs => selections.iter().map(lsof).collect(),
        System::Windows if selections.is_empty() => vec!["netstat -ano".into()],
        System::Windows => selections.iter().flat_map(power_shell).collect(),
    }
}

/// The commands for the system this program runs on, unless it can look itself.
pub fn here(selections: &[Selection]) -> Option<Vec<String>> {
    if cfg!(target_os = "linux") {
        None
    } else if cfg!(windows) {
        Some(commands(System::Windows, selections))
    } else {
        Some(commands(System::MacOs, selections))
    }
}

fn lsof(selection: &Selection) -> String {
    let transport = selection.transport().map(|t| t.name().to_uppercase()).unwrap_or_default();
    let ports = selection.to_string();
    let ports = ports.split('/').next().unwrap_or_default();
    format!("sudo lsof -nP -i{transport}{}:{ports}", if transport.is_empty() { " " } else { "" })
}

fn power_shell(selection: &Selection) -> Vec<String> {
    let (first, last) = (selection.ports().start(), selection.ports().end());
    let ports = if first == last { first.to_string() } else { format!("({first}..{last})") };
    let command = |transport, command: &str| {
        selection.wants(transport).then(|| format!("{command} -LocalPort {ports}"))
    };
    let commands = [
        command(crate::Transport::Tcp, "Get-NetTCPConnection"),
        command(crate::Transport::Udp, "Get-NetUDPEndpoint"),
    ];
    commands.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_other_systems() {
        let wanted: Vec<Selection> = ["945", "389/tcp", "600-1023"].map(|s| s.parse().unwrap()).to_vec();
        assert_eq!(
            commands(System::MacOs, &wanted),
            ["sudo lsof -nP -i :945", "sudo lsof -nP -iTCP:389", "sudo lsof -nP -i :600-1023"]
        );
        assert_eq!(
            commands(System::Windows, &wanted[1..]),
            [
                "Get-NetTCPConnection -LocalPort 389",
                "Get-NetTCPConnection -LocalPort (600..1023)",
                "Get-NetUDPEndpoint -LocalPort (600..1023)",
            ]
        );
        assert_eq!(commands(System::Windows, &[]), ["netstat -ano"]);
        assert_eq!(here(&wanted).is_none(), cfg!(target_os = "linux"));
    }
}

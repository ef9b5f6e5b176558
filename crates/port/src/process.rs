//! One process: what `/proc/PID` tells of it, without privilege where none is needed.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its short name, at most 15 bytes; whatever it calls itself.
    pub name: String,
    /// The program it runs; `None` where this user may not know.
    pub program: Option<PathBuf>,
    /// Whether the program's file has been replaced or deleted since it was started.
    pub replaced: bool,
    /// User id it acts with.
    pub uid: u32,
    /// The systemd unit it belongs to.
    pub unit: Option<String>,
    /// The container it runs in: engine and name, or the first digits of its id.
    pub container: Option<String>,
    /// When it was started.
    pub started: Option<SystemTime>,
}

/// The processes of NetInfo, this project's and historical.
const NETINFO: [&str; 2] = ["netinfod", "nibindd"];
/// The unit of NetInfo.
pub const NETINFO_UNIT: &str = "netinfod.service";

impl Process {
    /// Whether this is a NetInfo server, going by its name.
    pub fn is_netinfo(&self) -> bool {
        let program =
            self.program.as_deref().and_then(|path| path.file_name()).and_then(|name| name.to_str());
        NETINFO.contains(&self.name.as_str()) || program.is_some_and(|name| NETINFO.contains(&name))
    }
}

/// What `/proc/PID/stat` tells: the short name, and the start in ticks since the machine was started.
///
/// The name stands in parentheses and may contain any byte, parentheses too.
pub fn parse_stat(stat: &[u8]) -> Option<(String, u64)> {
    let open = stat.iter().position(|b| *b == b'(')?;
    let close = stat.iter().rposition(|b| *b == b')')?;
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    // The state behind the name is field 3, the start is field 22.
    let started = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
    Some((name, started))
}

/// The effective user id in `/proc/PID/status`.
pub fn parse_uid(status: &[u8]) -> Option<u32> {
    let line = status.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"Uid:"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// When the machine was started, in `/proc/stat`.
pub fn parse_boot(stat: &str) -> Option<SystemTime> {
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Unit and container by the control groups in `/proc/PID/cgroup` (cgroups(7)), of either version.
pub fn parse_cgroup(text: &str) -> (Option<String>, Option<String>) {
    let paths = || {
        text.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let controllers = parts.nth(1)?;
            Some((controllers, parts.next()?))
        })
    };
    let container = paths().find_map(|(_, path)| container(path));
    let systemd = |controllers: &str| controllers.is_empty() || controllers == "name=systemd";
    let unit = paths().filter(|(controllers, _)| systemd(controllers)).find_map(|(_, path)| unit(path));
    (unit, container)
}

fn unit(path: &str) -> Option<String> {
    let is_unit =
        |part: &&str| [".service", ".scope", ".socket", ".mount"].iter().any(|end| part.ends_with(end));
    path.rsplit('/').find(is_unit).filter(|part| scope_id(part).is_none()).map(unescape)
}

/// Engines whose scopes are named after them and a container's id.
const ENGINES: [(&str, &str); 5] = [
    ("docker", "docker"),
    ("libpod", "podman"),
    ("cri-containerd", "containerd"),
    ("crio", "cri-o"),
    ("nerdctl", "containerd"),
];
/// Shortest text that is taken for a container's id.
const MIN_ID: usize = 32;
/// Digits of an id that are shown.
const SHOWN_ID: usize = 12;

fn container(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    parts.iter().enumerate().rev().find_map(|(at, part)| {
        let before = at.checked_sub(1).and_then(|at| parts.get(at)).copied().unwrap_or_default();
        if let Some(scope) = scope_id(part) {
            return Some(scope);
        }
        if let Some(name) = part.strip_prefix("lxc.payload.") {
            return Some(format!("lxc {name}"));
        }
        if let Some(name) = part.strip_prefix("systemd-nspawn@").and_then(|n| n.strip_suffix(".service")) {
            return Some(format!("nspawn {}", unescape(name)));
        }
        if let Some(name) = part.strip_prefix("machine-").and_then(|n| n.strip_suffix(".scope")) {
            return Some(format!("machine {}", unescape(name)));
        }
        let engine = match before {
            "docker" => "docker",
            "lxc" if !part.is_empty() => return Some(format!("lxc {part}")),
            _ if parts.iter().any(|p| p.starts_with("kubepods")) => "kubernetes",
            _ => return None,
        };
        short_id(part).map(|id| format!("{engine} {id}"))
    })
}

/// `docker-0123….scope` as `docker 0123…`.
fn scope_id(part: &str) -> Option<String> {
    let (engine, id) = part.strip_suffix(".scope")?.rsplit_once('-')?;
    let (_, engine) = ENGINES.iter().find(|(name, _)| *name == engine)?;
    short_id(id).map(|id| format!("{engine} {id}"))
}

fn short_id(text: &str) -> Option<&str> {
    let is_id = text.len() >= MIN_ID && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id { text.get(..SHOWN_ID) } else { None }
}

/// Takes back the escapes of unit names: `\x2d` is a hyphen (systemd.unit(5)).
fn unescape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("\\x") {
        text.push_str(before);
        let byte =
            after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii_graphic);
        match (byte, after.get(2..)) {
            (Some(byte), Some(left)) => {
                text.push(char::from(byte));
                rest = left;
            }
            _ => {
                text.push_str("\\x");
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn names_may_hold_parentheses() {
        let rest = "S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 1000 0";
        let stat = format!("12 (a) (b c)) {rest}");
        assert_eq!(parse_stat(stat.as_bytes()), Some(("a) (b c)".into(), 4242)));
        assert_eq!(parse_stat(b"12 (x) S 1"), None);
        assert_eq!(parse_uid(b"Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n"), Some(0));
        assert_eq!(
            parse_boot("cpu 1\nbtime 60\n"),
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(60))
        );
    }

    #[test]
    fn units_and_containers() {
        let parse = |path: &str| {
            let (unit, container) = parse_cgroup(&format!("0::{path}\n"));
            (unit.unwrap_or_default(), container.unwrap_or_default())
        };
        let pair = |unit: &str, container: &str| (unit.to_owned(), container.to_owned());
        assert_eq!(parse("/system.slice/netinfod.service"), pair("netinfod.service", ""));
        assert_eq!(
            parse("/system.slice/system-getty.slice/a\\x2db@tty1.service"),
            pair("a-b@tty1.service", "")
        );
        assert_eq!(parse("/user.slice/user-1000.slice/session-2.scope"), pair("session-2.scope", ""));
        assert_eq!(parse(&format!("/system.slice/docker-{ID}.scope")), pair("", "docker 0123456789ab"));
        assert_eq!(parse(&format!("/docker/{ID}")), pair("", "docker 0123456789ab"));
        assert_eq!(
            parse(&format!("/machine.slice/libpod-{ID}.scope/container")),
            pair("", "podman 0123456789ab")
        );
        let pod = format!("/kubepods/burstable/pod123/{ID}");
        assert_eq!(parse(&pod), pair("", "kubernetes 0123456789ab"));
        assert_eq!(parse("/lxc.payload.web/system.slice/x.service"), pair("x.service", "lxc web"));
        assert_eq!(parse("/machine.slice/systemd-nspawn@next.service/payload").1, "nspawn next");
        for nothing in ["/", "", "/init.scope-not", "/docker/short"] {
            assert_eq!(parse(nothing), pair("", ""), "{nothing}");
        }
        let old = "9:name=systemd:/system.slice/cron.service\n8:pids:/x.service\n0::/\n";
        assert_eq!(parse_cgroup(old).0.as_deref(), Some("cron.service"));
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_skipped(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,120}") {
            let _ = parse_stat(&bytes);
            let _ = parse_uid(&bytes);
            let _ = parse_boot(&text);
            let _ = parse_cgroup(&text);
            let _ = unescape(&text);
        }
    }
}

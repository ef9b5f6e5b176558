//! The services that can answer: how each is configured and started.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;
use netinfo_table::PATH;
use netinfo_table::status::{LIVE, Status};
use netinfo_testkit::software::Daemon;
use serde::Serialize;

use super::caller::{Caller, run};
use super::stage::{Stage, write_ldif, write_secret};
use crate::Result;
use crate::ldap::server::Server;
use crate::ldap::slapd::{self, Slapd};
use crate::ldap::tree::{ADMIN, PASSWORD, SUFFIX};

/// Most lines of `/etc/passwd` that are measured: with more of them it only gets slower.
pub const FILES_MAX: u32 = 10_000;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// libnss_netinfo, from the table
    Table,
    /// libnss_netinfo without a table: over the socket
    Socket,
    /// /etc/passwd and /etc/group
    Files,
    /// nscd's cache in front of nslcd
    Nscd,
    /// nslcd with slapd
    Nslcd,
    /// SSSD with slapd
    Sssd,
}

/// What runs while a service is measured; ended when dropped.
#[derive(Debug, Default)]
pub struct Running {
    daemons: Vec<Daemon>,
    server: Option<Server>,
}

impl Source {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 6] = [Self::Table, Self::Socket, Self::Files, Self::Nscd, Self::Nslcd, Self::Sssd];

    /// As tables name it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Table => "netinfo, table",
            Self::Socket => "netinfo, socket",
            Self::Files => "files",
            Self::Nscd => "nscd",
            Self::Nslcd => "nslcd",
            Self::Sssd => "SSSD",
        }
    }

    /// The module in `nsswitch.conf`, which for all but `files` is a library.
    #[must_use]
    pub const fn module(self) -> &'static str {
        match self {
            Self::Table | Self::Socket => "netinfo",
            Self::Files => "files",
            Self::Nscd | Self::Nslcd => "ldap",
            Self::Sssd => "sss",
        }
    }

    /// Whether the module can be called by itself: that of `files` is in glibc, and nscd is glibc's own business.
    #[must_use]
    pub const fn has_module(self) -> bool {
        !matches!(self, Self::Files | Self::Nscd)
    }

    /// Whether so many users are measured.
    #[must_use]
    pub fn takes(self, users: u32) -> bool {
        self != Self::Files || users <= FILES_MAX
    }

    /// Starts it with so many users, and waits until it answers.
    ///
    /// # Errors
    /// It does not start.
    ///
    /// # Panics
    /// If a daemon ends by itself or does not answer in time; its log is shown.
    pub fn start(self, stage: &Stage, caller: &Caller, binaries: &Path, users: u32) -> Result<Running> {
        let mut running = Running::default();
        stage.fill_files(0)?;
        stage.switch_to("files")?;
        match self {
            Self::Files => stage.fill_files(users)?,
            Self::Table | Self::Socket => {
                // A new domain takes over what is in the files of the machine.
                stage.fill_files(users)?;
                let data = stage.scratch().join(format!("netinfod-{users}"));
                running.daemons.push(netinfod(self, binaries, &data, &stage.scratch().join("endpoints"))?);
                stage.fill_files(0)?;
            }
            Self::Nslcd | Self::Nscd => {
                let address = running.slapd(stage, users)?;
                running.daemons.push(nslcd(address)?);
            }
            Self::Sssd => {
                let address = running.slapd(stage, users)?;
                running.daemons.push(sssd(address)?);
            }
        }
        stage.switch_to(self.module())?;
        if let Some(daemon) = running.daemons.first_mut() {
            daemon.wait_for("answering", || caller.finds(users));
        }
        if self == Self::Nscd {
            let mut daemon = nscd(users)?;
            daemon.wait_for("listening", || {
                fs::exists("/run/nscd/socket").unwrap_or(false) && caller.finds(users)
            });
            running.daemons.push(daemon);
        }
        Ok(running)
    }
}

impl Running {
    /// Ends everything.
    ///
    /// # Errors
    /// slapd does not stop.
    pub fn stop(mut self) -> Result<()> {
        while let Some(last) = self.daemons.pop() {
            drop(last);
        }
        self.server.take().map_or(Ok(()), Server::stop)
    }

    fn slapd(&mut self, stage: &Stage, users: u32) -> Result<SocketAddr> {
        let folder = stage.scratch().join(format!("slapd-{users}"));
        let slapd = if folder.exists() {
            Slapd::prepared(folder)
        } else {
            let input = stage.scratch().join("input.ldif");
            write_ldif(&input, users)?;
            let slapd = Slapd::prepare(Path::new(slapd::PROGRAM), folder)?;
            slapd.load_file(&input)?;
            slapd
        };
        let server = slapd.start()?;
        let address = server.target.address;
        self.server = Some(server);
        Ok(address)
    }
}

fn netinfod(source: Source, binaries: &Path, data: &Path, endpoints: &Path) -> Result<Daemon> {
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("a path is no text");
    let (program, data, endpoints) = (text(&binaries.join("netinfod"))?, text(data)?, text(endpoints)?);
    let mut words = vec![&*program, "serve", "--data", &data, "--user", "root", "--endpoints", &endpoints];
    for listen in [
        "ipcserver=127.0.0.1:0",
        "domain.local=127.0.0.1:0",
        "portmap=off",
        "binder=off",
        "ldap=off",
        "ldaps=off",
        "ldapi=off",
    ] {
        words.extend(["--listen", listen]);
    }
    if source == Source::Socket {
        words.extend(["--table", "off"]);
    }
    // Those of the daemon before: its table stays in use until the next one looks at it.
    for old in [PATH, &*endpoints] {
        let _ = fs::remove_file(old);
    }
    let mut daemon = Daemon::start(&words);
    let ready = || match source {
        Source::Table => is_live() && Path::new(&endpoints).exists(),
        _ => Path::new(&endpoints).exists(),
    };
    daemon.wait_for("serving", ready);
    Ok(daemon)
}

/// Whether the table has everything in it: until then the module asks the daemon.
fn is_live() -> bool {
    let table = fs::read(PATH).unwrap_or_default();
    Status::parse(&table).is_some_and(|status| status.state == LIVE)
}

fn nslcd(address: SocketAddr) -> Result<Daemon> {
    let text =
        format!("uri ldap://{address}\nbase {SUFFIX}\nbinddn {ADMIN}\nbindpw {PASSWORD}\npagesize 1000\n");
    write_secret("/etc/nslcd.conf", &text)?;
    fs::create_dir_all("/run/nslcd")?;
    // In the foreground, and with messages for the worst only: the option for the foreground alone came later.
    Ok(Daemon::start(&["nslcd", "-n"]))
}

fn sssd(address: SocketAddr) -> Result<Daemon> {
    let text = format!(
        "[sssd]\nconfig_file_version = 2\nservices = nss\ndomains = example\n\n[nss]\nmemcache_timeout = 3600\n\n\
         [domain/example]\nid_provider = ldap\nldap_uri = ldap://{address}\nldap_search_base = {SUFFIX}\n\
         ldap_default_bind_dn = {ADMIN}\nldap_default_authtok = {PASSWORD}\nldap_schema = rfc2307\n\
         ldap_id_use_start_tls = false\nldap_tls_reqcert = never\nenumerate = false\n"
    );
    write_secret("/etc/sssd/sssd.conf", &text)?;
    // A cache from before would answer what is to be asked for the first time.
    if fs::exists("/var/lib/sss")? {
        for name in ["db", "mc"] {
            let folder = Path::new("/var/lib/sss").join(name);
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
        }
    }
    for name in ["db", "mc", "pipes/private", "gpo_cache", "pubconf/krb5.include.d", "secrets"] {
        fs::create_dir_all(Path::new("/var/lib/sss").join(name))?;
    }
    fs::create_dir_all("/var/log/sssd")?;
    let mut daemon = Daemon::start(&["sssd", "-i", "--logger=stderr"]);
    // Its parts look root up while they start, and must not ask themselves: until it answers, nobody else does.
    let answers = || run(Command::new("getent").args(["-s", "sss", "passwd", "user0"])).is_ok();
    daemon.wait_for("answering", answers);
    Ok(daemon)
}

fn nscd(users: u32) -> Result<Daemon> {
    let mut text = String::from("debug-level 0\nparanoia no\n");
    for (database, size) in [("passwd", users | 1), ("group", 1009)] {
        text += &format!(
            "enable-cache {database} yes\npositive-time-to-live {database} 3600\nnegative-time-to-live {database} 3600\n\
             suggested-size {database} {size}\ncheck-files {database} no\npersistent {database} no\nshared {database} yes\n\
             max-db-size {database} 536870912\n"
        );
    }
    for database in ["hosts", "services", "netgroup"] {
        text += &format!("enable-cache {database} no\n");
    }
    fs::write("/etc/nscd.conf", text)?;
    for folder in ["/run/nscd", "/var/cache/nscd"] {
        fs::create_dir_all(folder)?;
    }
    Ok(Daemon::start(&["nscd", "--foreground"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_measured_as_long_as_it_makes_sense() {
        assert!(Source::Files.takes(10_000) && !Source::Files.takes(100_000));
        assert!(Source::Table.takes(1_000_000));
        assert!(Source::ALL.iter().all(|source| source.module() != "files" || !source.has_module()));
    }
}

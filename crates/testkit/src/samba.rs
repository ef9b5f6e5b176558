//! Samba as a domain controller of Active Directory: the realm `AD.EXAMPLE.COM`, only its LDAP server. Only inside of
//! [`isolated`](crate::namespace::isolated), because it takes well-known ports.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use tempfile::TempDir;

use crate::slapd::certificates;

/// The base of the directory.
pub const BASE: &str = "DC=ad,DC=example,DC=com";
/// The administrator's password.
const ADMINISTRATOR: &str = "Administrator-9";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running domain controller. It ends with this value.
#[derive(Debug)]
pub struct Samba {
    folder: TempDir,
    child: Child,
    /// It ends when this is closed.
    _stdin: ChildStdin,
}

impl Samba {
    /// Makes a new domain and starts its controller, which is at 10.0.0.2 for LDAP over TLS. Takes ten seconds.
    ///
    /// # Panics
    /// Without the packages `samba`, `samba-ad-provision`, `samba-dsdb-modules`, `samba-vfs-modules` and `ldap-utils`.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("samba: {e}"));
        let path = folder.path();
        certificates(path);
        let config = provision(path);
        let log = fs::File::create(path.join("log")).unwrap_or_else(|e| panic!("samba: {e}"));
        let mut command = Command::new("samba");
        command.args(["--interactive", "--model=single", "--debug-stdout"]).arg("--configfile").arg(config);
        let shared = log.try_clone().unwrap_or_else(|e| panic!("samba: {e}"));
        let child = command.stdin(Stdio::piped()).stdout(log).stderr(shared).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("samba: {e}; install the package samba"));
        let Some(stdin) = child.stdin.take() else { unreachable!("it is a pipe") };
        let samba = Self { folder, child, _stdin: stdin };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", 636)).is_err() {
            assert!(begin.elapsed() < PATIENCE, "samba does not answer\n{}", samba.log());
            sleep(Duration::from_millis(50));
        }
        samba
    }

    /// The certificate of the authority that vouches for it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What it has written.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Changes the directory as its administrator. A line `secret: PASSWORD` stands for one of `unicodePwd`.
    ///
    /// # Panics
    /// If it refuses.
    pub fn modify(&self, ldif: &str) {
        let file = self.folder.path().join("change.ldif");
        let lines = ldif.lines().map(|line| match line.strip_prefix("secret: ") {
            Some(password) => format!("unicodePwd:: {}\n", Base64::encode_string(&quoted(password))),
            None => format!("{line}\n"),
        });
        fs::write(&file, lines.collect::<String>()).unwrap_or_else(|e| panic!("samba: {e}"));
        let changed = Command::new("ldapmodify")
            .args([
                "-x",
                "-H",
                "ldaps://10.0.0.2",
                "-D",
                "Administrator@ad.example.com",
                "-w",
                ADMINISTRATOR,
                "-f",
            ])
            .arg(file)
            .env("LDAPTLS_CACERT", self.authority())
            .output();
        let changed = changed.unwrap_or_else(|e| panic!("ldapmodify: {e}; install the package ldap-utils"));
        assert!(changed.status.success(), "{ldif}\n{}", String::from_utf8_lossy(&changed.stderr));
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the domain, and the configuration of its controller.
fn provision(path: &Path) -> PathBuf {
    let key = path.join("leaf.key");
    fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap_or_else(|e| panic!("samba: {e}"));
    let template = path.join("empty.conf");
    fs::write(&template, "[global]\n").unwrap_or_else(|e| panic!("samba: {e}"));
    let domain = path.join("dc");
    let made = Command::new("samba-tool")
        .args(["domain", "provision", "--use-rfc2307", "--realm=AD.EXAMPLE.COM", "--domain=AD"])
        .args(["--server-role=dc", "--dns-backend=NONE", "--host-name=dc1", "--host-ip=127.0.0.1"])
        .arg(format!("--adminpass={ADMINISTRATOR}"))
        .arg(format!("--targetdir={}", domain.display()))
        .arg(format!("--configfile={}", template.display()))
        .stdin(Stdio::null())
        .output();
    let made = made.unwrap_or_else(|e| panic!("samba-tool: {e}; install the package samba"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let at = |name: &str| path.join(name).display().to_string();
    let config = format!(
        "[global]\nnetbios name = DC1\nrealm = AD.EXAMPLE.COM\nworkgroup = AD\n\
         server role = active directory domain controller\nserver services = ldap\ndcerpc endpoint servers =\n\
         private dir = {0}/private\nstate directory = {0}/state\ncache directory = {0}\nlock directory = {0}\n\
         binddns dir = {0}/bind-dns\npid directory = {0}\nncalrpc dir = {0}/ncalrpc\nold password allowed period = 0\nidmap_ldb:use rfc2307 = yes\n\
         tls cafile = {1}\ntls certfile = {2}\ntls keyfile = {3}\n",
        at("dc"),
        at("ca.pem"),
        at("leaf.pem"),
        at("leaf.key"),
    );
    let file = path.join("smb.conf");
    fs::write(&file, config).unwrap_or_else(|e| panic!("samba: {e}"));
    file
}

/// A password as Active Directory has it written: in quotation marks, in UTF-16.
fn quoted(password: &str) -> Vec<u8> {
    format!("\"{password}\"").encode_utf16().flat_map(u16::to_le_bytes).collect()
}
